"""What `tinct colorize --project` adds: a project done again, over its own photograph or an album."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tinct.errors import OptionError

if TYPE_CHECKING:
    from tinct.colorizing.colorizer import Colorizer
    from tinct.photo import Photo


def read_album(
    project: str, carry: str | None, photos: list[str], said_twice: list[str]
) -> tuple[list[str], Callable[[Photo], Colorizer]]:
    """The photographs to do, and how each is set up.

    Args:
        project, carry: as `tinct.colorizing.album.Album` takes them.
        photos: what was named; none stands for the project's own photograph.
        said_twice: flags that were given, and that the project has its own word for.
    Raises:
        OptionError: if one of these was given.
        ProjectError: if the project, or a file it names, is missing or another one.
    """
    from tinct.cli import note as say
    from tinct.colorizing.album import Album

    if said_twice:
        raise OptionError(
            f"{said_twice[0]} is given, but the project says that; leave it out, or leave out --project."
        )
    if "-" in photos:
        raise OptionError("standard input has no name that a project could know; name a file.")
    album = Album(project, carry or "nothing")
    _ = album.references  # what is missing is so for every photograph: say it once, before any work
    told: set[str] = set()

    def set_up(photo: Photo) -> Colorizer:
        colorizer = album.set_up(photo)
        for note in album.project.notes(colorizer):
            if note not in told:
                say(f"{project}: {note}; the result may differ")
            told.add(note)
        return colorizer

    return photos or [str(album.photo)], set_up
