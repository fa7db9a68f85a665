"""Albums: a project replayed over its own photograph, or over others with its options and references."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from tinct.colorizing.project import Project, photo_sha256, replay
from tinct.errors import OptionError
from tinct.photo import Photo

if TYPE_CHECKING:
    from tinct.colorizing.colorizer import Colorizer

CARRIES = ("nothing", "places", "result")
"""What an album carries over from its project's hints to other photographs; see `Album`."""


class Album:
    """A project, applied to one photograph after another.

    The project's own photograph, recognized by its hash, gets exactly the saved result; of a file of several pages that
    is one page, and the others get a note. Other photographs and pages get the project's options and references, and
    its hints as `carry` says:

    - "nothing": no hints, as hints belong to places of one photograph;
    - "places": all hints at the same relative places, as for several scans or prints of one negative;
    - "result": no hints, but the project's own result as one more reference, so that hinted colors come again wherever
      their thing appears: the same coat, the same navy.

    Args:
        path: the project file; its photograph and references are looked for beside it.
        carry: one of `CARRIES`.
        page: the page that the project belongs to, from 1; the studio opens the first.
        folders: where references are looked for as well.
    Raises:
        ProjectError: if the file is not a project.
        OptionError: if `carry` is none of these.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        carry: str = "nothing",
        page: int = 1,
        folders: Iterable[Path] = (),
    ) -> None:
        if carry not in CARRIES:
            raise OptionError(f"{carry!r} cannot be carried; choose one of {', '.join(CARRIES)}.")
        self.project = Project.read(path)
        self.folder = Path(path).parent
        self.carry = carry
        self.page = page
        self._places = [self.folder, *dict.fromkeys(folders)]

    @property
    def photo(self) -> Path:
        """The path of the project's own photograph.

        Raises:
            ProjectError: if the file is not beside the project, or has another hash.
        """
        return self.project.photo.find(self.folder)

    @cached_property
    def references(self) -> list[Photo]:
        """The project's references, read once.

        Raises:
            ProjectError: if a file is in none of the folders, or has another hash.
        """
        return [Photo.read(each.find(*self._places)) for each in self.project.references]

    def set_up(self, photo: Photo, sha256: str | None = None) -> Colorizer:
        """The colorizer of a photograph, with the project's options, references and hints.

        Args:
            photo: the photograph.
            sha256: of its file's content, 64 hexadecimal digits; None is that of the file at `photo.path`.
        Raises:
            TinctError: the errors of `replay`.
        """
        if sha256 is None and photo.path is not None:
            sha256 = photo_sha256(photo.path)
        if sha256 == self.project.photo.sha256:
            if photo.page == self.page:
                self.project.check_photo(photo)
                return replay(self.project, photo, self.references)
            photo.notes = (*photo.notes, self._other_page(photo.page))
        extra = [self.result] if self.carry == "result" else []
        with_hints = self.carry == "places"
        return replay(self.project, photo, self.references, with_hints=with_hints, extra_references=extra)

    @cached_property
    def result(self) -> Photo:
        """The project's own photograph in color."""
        return replay(self.project, Photo.read(self.photo, page=self.page), self.references).render()

    def _other_page(self, page: int) -> str:
        left = {
            "nothing": "none of its hints",
            "places": "its hints' places",
            "result": "its result's colors",
        }
        return f"the project belongs to page {self.page}: page {page} gets its options and {left[self.carry]}"
