"""Photographs of several pages: read one after the other, written into one TIFF."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from os import PathLike
from pathlib import Path

from tinct.photo.formats import FORMATS
from tinct.photo.photo import DEFAULT_MAX_PIXELS, Photo


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

    def pages() -> Iterator[tiff_writing.Page]:
        for photo in photos:
            yield photo.encodable(FORMATS["TIFF"])
            notes.update(dict.fromkeys(photo.notes))

    write_atomically(
        Path(target), lambda stream: tiff_writing.write(stream, pages()), source=None, overwrite=overwrite
    )
    return list(notes)
