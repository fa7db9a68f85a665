"""A project and the files beside it, done again: over its own photograph exactly, over others alike."""

from __future__ import annotations

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


class Album:
    """What a project says, for one photograph after the other.

    The project's own photograph, recognized by its hash, gets exactly what was saved. Others get its options and
    its references, and of its hints what `carry` says:

    - "nothing": none, as hints belong to places of one photograph;
    - "places": all, at the same relative places, as for several scans or prints of one negative;
    - "result": none, but the project's own result is one more reference, so that what was hinted there is found
      again wherever it appears: the same coat, the same navy.

    Args:
        path: the project file; its photograph and references are looked for beside it.
        carry: one of `CARRIES`.
    Raises:
        ProjectError: if the file is not a project.
        OptionError: if `carry` is none of these.
    """

    def __init__(self, path: str | PathLike[str], carry: str = "nothing") -> None:
        if carry not in CARRIES:
            raise OptionError(f"{carry!r} cannot be carried; choose one of {', '.join(CARRIES)}.")
        self.project = Project.read(path)
        self.folder = Path(path).parent
        self.carry = carry

    @property
    def photo(self) -> Path:
        """The project's own photograph.

        Raises:
            ProjectError: if it is not beside the project, or is another file.
        """
        return self.project.photo.find(self.folder)

    @cached_property
    def references(self) -> list[Photo]:
        """The project's references, read once.

        Raises:
            ProjectError: if one is not beside the project, or is another file.
        """
        return [Photo.read(each.find(self.folder)) for each in self.project.references]

    def set_up(self, photo: Photo) -> Colorizer:
        """A photograph with the project's options, references and hints.

        Raises:
            TinctError: what `replay` raises.
        """
        if photo.path is not None and photo_sha256(photo.path) == self.project.photo.sha256:
            self.project.check_photo(photo)
            return replay(self.project, photo, self.references)
        extra = [self.result] if self.carry == "result" else []
        with_hints = self.carry == "places"
        return replay(self.project, photo, self.references, with_hints=with_hints, extra_references=extra)

    @cached_property
    def result(self) -> Photo:
        """The project's own photograph in color."""
        return replay(self.project, Photo.read(self.photo), self.references).render()
