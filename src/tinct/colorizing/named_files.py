"""The files that named photographs and folders stand for, and which names are those of photographs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinct.errors import OptionError
from tinct.photo.formats import READ_SUFFIXES
from tinct.streams import STANDARD_STREAM

_NAMELESS = ("", ".", "..")
"""Last parts of paths that do not name the folder."""


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file or folder that is named, or was found in a named folder.

    Attributes:
        path: as it is named.
        place: the absolute path that `keep_tree` counts folders in.
        refused: why it cannot be colorized, in one line; "" otherwise.
    """

    path: str
    place: str
    refused: str = ""


def named_files(named: Sequence[str], recursive: bool) -> Iterator[NamedFile]:
    """The files named and the photographs in named folders, each once.

    A folder without photographs, or that cannot be listed, is among them, refused.

    Args:
        named: paths of files and folders, or "-" for standard input.
        recursive: True to look into folders' folders as well.
    """
    seen: set[str] = set()
    for name in named:
        for found in _files_of(name, recursive):
            real = name if name == STANDARD_STREAM else os.path.realpath(found.path)
            if real not in seen:
                seen.add(real)
                yield found


def _files_of(name: str, recursive: bool) -> list[NamedFile]:
    """What a name stands for: itself, or a folder's photographs."""
    place = _absolute(name)
    if name == STANDARD_STREAM or not os.path.isdir(name):
        return [NamedFile(name, place)]
    return [
        NamedFile(path, os.path.normpath(os.path.join(place, os.path.relpath(path, name))), why)
        for path, why in _photographs(name, recursive)
    ]


def _photographs(folder: str, recursive: bool) -> list[tuple[str, str]]:
    """Files in a folder that are called like photographs, hidden ones left out, and why a path is refused or "".

    Folders that cannot be listed are among them, and the folder itself if it has no photographs.
    """
    found: list[tuple[str, str]] = []

    def refuse(error: OSError) -> None:
        path = str(error.filename)
        found.append((path, f"{path} cannot be listed ({error.strerror}); make it readable."))

    for place, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = sorted(each for each in folders if recursive and not each.startswith("."))
        found += [
            (os.path.join(place, each), "") for each in sorted(files) if is_called_like_a_photograph(each)
        ]
    more = "" if recursive else "; --recursive looks into its folders"
    return found or [(folder, f"{folder} is a folder without photographs{more}.")]


def is_called_like_a_photograph(name: str) -> bool:
    """True if a file's name ends as photographs' names do, and is not that of a hidden file."""
    return Path(name).suffix.lower() in READ_SUFFIXES and not name.startswith(".")


def without_results(paths: Iterable[str]) -> list[str]:
    """Paths without those named NAME.color beside a NAME, in their order; others of that name are photographs."""
    given = list(paths)
    stems = {path.rpartition(".")[0] for path in given}
    return [
        path
        for path in given
        if not (stem := path.rpartition(".")[0]).endswith(".color")
        or stem.removesuffix(".color") not in stems
    ]


def _absolute(name: str) -> str:
    """The absolute path of a named file or folder; links are followed up to its own name, which is kept."""
    folder, own = os.path.split(Path(name))
    return os.path.realpath(name) if own in _NAMELESS else os.path.join(os.path.realpath(folder), own)


def common_folder(named: Sequence[str]) -> str:
    """The folder that `keep_tree` counts photographs' folders from: the one named, or what all that is named share.

    Raises:
        OptionError: if what is named lies on several drives.
    """
    names = [name for name in named if name != STANDARD_STREAM]
    if len(names) == 1 and os.path.isdir(names[0]):
        return _absolute(names[0])
    parents = [
        _absolute(name) if Path(name).name in _NAMELESS else os.path.dirname(_absolute(name))
        for name in names
    ]
    try:
        return os.path.commonpath(parents) if parents else os.getcwd()
    except ValueError:  # on several drives
        raise OptionError("the photographs lie on several drives; --keep-tree needs one.") from None
