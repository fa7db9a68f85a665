"""`tinct colorize --project`: a project replayed over its own photograph or an album."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tinct.errors import OptionError
from tinct.streams import STANDARD_STREAM

if TYPE_CHECKING:
    from tinct.colorizing.colorizer import Colorizer
    from tinct.photo import Photo


def read_album(
    project: str, carry: str | None, page: int | None, photos: list[str], conflicting_flags: list[str]
) -> tuple[list[str], Callable[[Photo], Colorizer]]:
    """The photographs to colorize, and a function that sets each up.

    Args:
        project, carry, page: as `tinct.colorizing.album.Album` takes them; None stands for its defaults.
        photos: the named photographs, beside which the project's references may lie as well; none stands for the
            project's own photograph.
        conflicting_flags: flags of the command line that the project states itself.
    Returns:
        The photographs' paths, and a function that gives a photograph's colorizer.
    Raises:
        OptionError: if there is a conflicting flag, or standard input is named.
        ProjectError: if the project, or a file that it names, is missing or has another hash.
    """
    from tinct.cli import print_note
    from tinct.colorizing.album import Album

    if conflicting_flags:
        raise OptionError(
            f"{conflicting_flags[0]} is given, but the project says that; leave it out, or leave out --project."
        )
    if not project:
        raise OptionError("--project is empty; name a project file.")
    if STANDARD_STREAM in photos:
        raise OptionError("standard input has no name that a project could know; name a file.")
    album = Album(project, carry or "nothing", page or 1, map(_folder_of, photos))
    _ = album.references  # what is missing is so for every photograph: say it once, before any work
    told: set[str] = set()

    def set_up(photo: Photo) -> Colorizer:
        colorizer = album.set_up(photo)
        for note in album.project.notes(colorizer):
            if note not in told:
                print_note(f"{project}: {note}; the result may differ")
            told.add(note)
        return colorizer

    return photos or [str(album.photo)], set_up


def _folder_of(photo: str) -> Path:
    """The folder of a named photograph, or the folder that is named."""
    return Path(photo) if os.path.isdir(photo) else Path(photo).parent
