"""Colorizing all pages of a TIFF into one TIFF."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tinct.streams import STANDARD_STREAM

if TYPE_CHECKING:
    from tinct.colorizing.colorizer import Colorizer
    from tinct.photo import Photo


def takes_all_pages(source: str, target: str) -> bool:
    """True if the result can hold all pages of a file: both are files, and the result is a TIFF."""
    from tinct.photo.formats import SUFFIXES

    kind = SUFFIXES.get(Path(target).suffix.lower())
    return source != STANDARD_STREAM and kind is not None and kind.name == "TIFF" and Path(source).is_file()


def colorize_pages(
    set_up: Callable[[Photo], Colorizer], first: Photo, source: str, target: Path, overwrite: bool
) -> list[str]:
    """Colorize every page with the same references, hints and options.

    Args:
        set_up: gives the colorizer of a page.
        first: the first page, read already.
        source: path of the TIFF.
        target: path of the result.
        overwrite: True if an existing file may be replaced.
    Returns:
        The notes of all pages, each once.
    """
    from tinct.photo import Photo
    from tinct.photo.pages import write_pages

    def results() -> Iterator[Photo]:
        for number in range(1, first.pages + 1):
            page = first if number == 1 else Photo.read(source, page=number)
            yield set_up(page).render(last=True)

    return write_pages(results(), target, overwrite=overwrite)
