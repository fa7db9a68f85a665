"""All pages of a TIFF, worked on one by one into one TIFF."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinct.streams import STANDARD_STREAM

if TYPE_CHECKING:
    from tinct.photo import Photo


def takes_all_pages(source: str, target: str) -> bool:
    """True if the result can hold all pages of a file: both can be read again and again, and the result is a TIFF."""
    from tinct.photo.formats import SUFFIXES

    kind = SUFFIXES.get(Path(target).suffix.lower())
    read_again = source == STANDARD_STREAM or Path(source).is_file()
    return read_again and kind is not None and kind.name == "TIFF"


def write_all_pages(
    work: Callable[[Photo], Photo], first: Photo, source: Any, target: Path, overwrite: bool
) -> list[str]:
    """Work on every page and write the results as the pages of one TIFF.

    Args:
        work: makes the result of a page.
        first: the first page, read already.
        source: path of the TIFF, or a stream with its content.
        target: path of the result.
        overwrite: True if an existing file may be replaced.
    Returns:
        The notes of all pages, each once.
    """
    from tinct.photo import Photo
    from tinct.photo.pages import each_page, write_pages

    def read(number: int) -> Photo:
        if not isinstance(source, str | Path):
            source.seek(0)
        return Photo.read(source, page=number)

    return write_pages(each_page(first, read, work), target, overwrite=overwrite)
