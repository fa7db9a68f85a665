"""The search for a file by its content, where its name has changed: by SHA-256, likely names first, within bounds."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path

from tinct.files import sha256_of_file
from tinct.photo.formats import READ_SUFFIXES

MOST_FILES, MOST_BYTES, MOST_FOLDERS = 10_000, 4 << 30, 1000
"""Files of a folder, bytes of them, and folders below it, among which one is looked for."""


def renamed_file(name: str, sha256: str, folder: Path) -> Path | None:
    """The path of a file in a folder or in folders below it, whatever it is called there; None if it is not found.

    Args:
        name: the file's name at another time; what is called alike is read first.
        sha256: of its content, 64 hexadecimal digits.
        folder: where it is looked for, among MOST_FILES files in MOST_FOLDERS folders, and MOST_BYTES bytes.
    """
    suffixes = {*READ_SUFFIXES, _suffix(name)}
    listed = islice(_files_below(folder), MOST_FILES)
    likely = [path for path in listed if _suffix(path.name) in suffixes or _is_alike(name, path.name)]
    room = MOST_BYTES
    for path in sorted(likely, key=lambda each: _unlikeness(name, each)):
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode) or status.st_size > room:
                continue
            room -= status.st_size
            known = _known_sha256(path, status.st_size, status.st_mtime_ns)
            if known == sha256 == sha256_of_file(path):
                return path
        except OSError:  # what cannot be read is not the file that is wanted
            continue
    return None


def _files_below(folder: Path) -> Iterator[Path]:
    """The files of a folder, then those of folders below it; folders whose name begins with a point are left out."""
    for place, folders, files in islice(os.walk(folder), MOST_FOLDERS):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        yield from (Path(place, each) for each in sorted(files))


def _unlikeness(name: str, path: Path) -> tuple[int, int, str]:
    """A key that sorts files by how unlikely they are one of this name: by name, kind, and how deep they lie."""
    rank = 0 if _is_alike(name, path.name) else 1 if _suffix(path.name) == _suffix(name) else 2
    return rank, len(path.parts), str(path)


def _is_alike(one: str, other: str) -> bool:
    """True for names of the same letters and digits; browsers and servers drop other signs, and cut long names."""
    letters = ["".join(filter(str.isalnum, each)).casefold() for each in (one, other)]
    return all(letters) and (letters[0].endswith(letters[1]) or letters[1].endswith(letters[0]))


def _suffix(name: str) -> str:
    """The suffix of a name in small letters, without spaces or points at its end."""
    return Path(name.rstrip(" .")).suffix.lower()


@lru_cache(maxsize=MOST_FILES)
def _known_sha256(path: Path, size: int, changed: int) -> str:
    """The SHA-256 of a file of this size and time of change in nanoseconds, computed once."""
    return sha256_of_file(path)
