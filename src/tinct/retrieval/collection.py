"""A collection of photographs that an index is made of: names, stamps that change with a file, and contents."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tinct.colorizing.named_files import is_called_like_a_photograph
from tinct.errors import OptionError


class Collection(Protocol):
    """Photographs by name, wherever they lie.

    Attributes:
        key: what the collection is known by; its index is kept under it.
    """

    @property
    def key(self) -> str:
        """The collection's name, under which its index is cached."""

    def stamps(self) -> dict[str, str]:
        """A stamp for each photograph's name; a changed file has another stamp."""
        ...

    def read(self, name: str) -> bytes:
        """The content of a photograph's file.

        Raises:
            OSError, TinctError: if the file cannot be read.
        """
        ...


@dataclass(frozen=True)
class Files:
    """Photographs by their paths on this machine.

    Attributes:
        paths: the photographs.
        key: what their index is kept under.
    """

    paths: tuple[str, ...]
    key: str

    def stamps(self) -> dict[str, str]:
        """Size and time of change of each file.

        Raises:
            OSError: if a file is not there.
        """
        return {path: _stamp(os.stat(path)) for path in self.paths}

    def read(self, name: str) -> bytes:
        """The content of a file."""
        return Path(name).read_bytes()


@dataclass(frozen=True)
class Folder:
    """The photographs of a local folder and of the folders below; names are paths.

    Attributes:
        path: the folder.
    Raises:
        OptionError: if the path is no folder.
    """

    path: str

    def __post_init__(self) -> None:
        if not Path(self.path).is_dir():
            raise OptionError(f"{self.path} is no folder; name a folder of photographs.")

    @property
    def key(self) -> str:
        """The folder's absolute path."""
        return os.path.realpath(self.path)

    def stamps(self) -> dict[str, str]:
        """Size and modification time of each file with a photograph's suffix.

        A folder that several links lead to is looked into once.

        Raises:
            OptionError: if a folder cannot be listed.
        """
        return dict(_stamped(self.path, {_identity(os.stat(self.path))}))

    def read(self, name: str) -> bytes:
        """The content of a file."""
        return Path(name).read_bytes()


def _stamped(folder: str, visited: set[tuple[int, int]]) -> list[tuple[str, str]]:
    """Names and stamps of the photographs of a folder and of those below; the folders looked into join `visited`."""
    found, below = [], []
    for entry in _entries(folder):
        try:
            if entry.is_dir():
                below.append((entry.path, _identity(os.stat(entry.path))))
            elif is_called_like_a_photograph(entry.name) and entry.is_file():
                found.append((entry.path, _stamp(entry.stat())))
        except OSError:  # a link to itself, or a file that has just gone
            continue
    found.sort()
    for path, identity in sorted(below):
        if identity not in visited:
            visited.add(identity)
            found += _stamped(path, visited)
    return found


def _entries(folder: str) -> list[os.DirEntry[str]]:
    """What is in a folder, hidden names left out."""
    try:
        with os.scandir(folder) as entries:
            return [each for each in entries if not each.name.startswith(".")]
    except OSError as error:
        raise OptionError(
            f"{folder} cannot be listed ({error.strerror}); make it readable, or name another folder."
        ) from None


def _identity(about: os.stat_result) -> tuple[int, int]:
    return about.st_dev, about.st_ino


def _stamp(about: os.stat_result) -> str:
    return f"{about.st_size}-{about.st_mtime_ns}"
