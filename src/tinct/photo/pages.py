"""Photographs of several pages: read one after the other, written into one TIFF."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from tinct.errors import TinctError
from tinct.photo.formats import FORMATS
from tinct.photo.photo import DEFAULT_MAX_PIXELS, Photo

if TYPE_CHECKING:
    from tinct.photo import tiff_writing


def read_pages(
    source: str | PathLike[str] | bytes, *, max_pixels: int = DEFAULT_MAX_PIXELS
) -> Iterator[Photo]:
    """Read all pictures of full size of a file, one after the other; a file of another format than TIFF has one.

    Raises:
        PhotoError: as `Photo.read`, when the page in question is reached.
    """
    first = Photo.read(source, max_pixels=max_pixels, page=1)
    yield first
    for number in range(2, first.pages + 1):
        yield Photo.read(source, max_pixels=max_pixels, page=number)


def each_page(first: Photo, read: Callable[[int], Photo], work: Callable[[Photo], Photo]) -> Iterator[Photo]:
    """What is made of each page of a file, one after the other.

    Args:
        first: the first page.
        read: reads the page of a number, counted from 1.
        work: makes a photograph of a page.
    Raises:
        TinctError: of the kind that reading or working raised; of a file of several pages it names the page.
    """
    for number in range(1, first.pages + 1):
        try:
            made = work(first if number == 1 else read(number))
        except TinctError as error:
            if first.pages == 1:
                raise
            raise type(error)(f"page {number} of {first.pages}: {error}") from None
        yield made


def encode_pages(photos: Iterable[Photo]) -> tuple[bytes, list[str]]:
    """The bytes of one TIFF with photographs as its pages, as `write_pages` writes it, and the photographs' notes."""
    from tinct.photo import tiff_writing

    stream, notes = BytesIO(), dict[str, None]()
    tiff_writing.write(stream, _encodable(photos, notes))
    return stream.getvalue(), list(notes)


def write_pages(
    photos: Iterable[Photo], target: str | PathLike[str], *, overwrite: bool = False
) -> list[str]:
    """Write photographs as the pages of one TIFF, whole or not at all, each with its own metadata and provenance.

    Args:
        photos: one or more; the function holds one at a time.
        target: a path.
        overwrite: True if an existing file may be replaced.
    Returns:
        The photographs' notes, each once.
    Raises:
        OutputError: if the file exists or cannot be written.
    """
    from tinct.photo import tiff_writing
    from tinct.photo.writing import write_atomically

    notes: dict[str, None] = {}
    write_atomically(
        Path(target),
        lambda stream: tiff_writing.write(stream, _encodable(photos, notes)),
        source=None,
        overwrite=overwrite,
    )
    return list(notes)


def _encodable(photos: Iterable[Photo], notes: dict[str, None]) -> Iterator[tiff_writing.Page]:
    """Photographs as the writer of TIFF takes them; their notes are added to `notes`."""
    for photo in photos:
        yield photo.encodable(FORMATS["TIFF"])
        notes.update(dict.fromkeys(photo.notes))
