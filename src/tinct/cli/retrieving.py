"""`--reference-from FOLDER`: references that are retrieved for each photograph, and named in its notes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from tinct.errors import OptionError

if TYPE_CHECKING:
    from tinct.photo import Photo
    from tinct.retrieval.index import Index, Progress
    from tinct.retrieval.references import Retrieved

MOST = 8
"""References that one photograph takes at most."""

_KEPT = 16
"""References that are kept decoded."""


class Retrieving:
    """Retrieves the most alike color photographs of a folder for one photograph after the other.

    Args:
        folder: of color photographs.
        count: references for each photograph, 1 to `MOST`.
        cells: True to compare the most alike ones cell by cell as well (`tinct.retrieval.local`).
    Raises:
        OptionError: if the count is out of range.
    """

    def __init__(self, folder: str, count: int, *, cells: bool = False) -> None:
        if not 1 <= count <= MOST:
            raise OptionError(f"--references is {count}; give 1 to {MOST}.")
        self.folder, self.count, self.cells = folder, count, cells
        self.found: list[Retrieved] = []
        self._read = lru_cache(_KEPT)(_read)

    @cached_property
    def index(self) -> Index:
        """The folder's index, brought up to date when it is first asked for.

        Raises:
            OptionError: if the folder is none.
        """
        return folder_index(self.folder)

    def references(self, photo: Photo) -> list[Photo]:
        """The references for a photograph, the most alike first; `found` has their names."""
        from tinct.retrieval.collection import Folder
        from tinct.retrieval.references import references_for

        read = Folder(self.folder).read if self.cells else None
        self.found = references_for(photo, self.index, self.count, read=read)
        return [self._read(each.name) for each in self.found]

    def notes(self) -> list[str]:
        """Notes on what was retrieved for the last photograph, one sentence for each reference."""
        if not self.found:
            return [f"no color photograph of {self.folder} is alike enough; it is colorized without one"]
        return [
            f"colors from {each.name} (likeness {each.likeness:.2f}"
            f"{'' if each.distance is None else f', cells {each.distance:.2f} apart'}"
            f"{', the same picture' if each.same_picture else ''})"
            for each in self.found
        ]


def folder_index(folder: str) -> Index:
    """The index of a folder, brought up to date, with a progress bar where somebody looks.

    Raises:
        OptionError: if the folder is none.
    """
    from tinct.retrieval.collection import Folder
    from tinct.retrieval.index import index_of

    with _progress() as progress:
        return index_of(Folder(folder), progress)


def _read(path: str) -> Photo:
    from tinct.photo import Photo

    return Photo.read(path)


@contextmanager
def _progress() -> Iterator[Progress | None]:
    """A progress bar on standard error, where somebody looks, once there is something to wait for."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("looking at the folder's photographs", total=None)
        yield lambda count, total: bar.update(task, completed=count, total=total)
