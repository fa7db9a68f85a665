"""Entries of the cache folder, where compiled networks lie between runs: what is read from one is what was written."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from time import time

from tinct.files import sha256_of_file

LISTING = "sha256.json"
"""The file of a cache entry that holds the SHA-256 of the entry's other files, by name; written last."""

_MAKING = ".making-"
"""What the folder's name begins with in which an entry is made."""

_ABANDONED_SECONDS = 24 * 3600.0
"""The age at which a folder in which an entry was being made belongs to a process that has ended."""


def checked_entry(folder: Path, name: str, fill: Callable[[Path], None]) -> Path:
    """A folder of files in the cache, whose contents are those that were written there.

    The files' hashes are compared each time, as a bit that flips in a network's weights, or a power cut while they
    were written, gives wrong colors without any other sign. An entry that is not whole is made again.

    Args:
        folder: where entries lie; it exists.
        name: of the entry.
        fill: writes the entry's files into an empty folder.
    Raises:
        OSError: if the entry cannot be written; and what `fill` raises.
    """
    place = folder / name
    if not is_whole(place):
        _remove_abandoned(folder)
        with TemporaryDirectory(prefix=_MAKING, dir=folder, ignore_cleanup_errors=True) as work:
            made = Path(work, "made")
            made.mkdir()
            fill(made)
            _seal(made)
            with suppress(FileNotFoundError):
                place.rename(Path(work, "damaged"))
            with suppress(OSError):  # another process was first, and its entry is as good
                made.rename(place)
            _synced(folder)
    return place


def is_whole(entry: Path) -> bool:
    """True if a cache entry has the files that were written there and no others, each with its own contents."""
    try:
        wanted = json.loads((entry / LISTING).read_bytes())
        return bool(wanted == _hashes(entry))
    except (OSError, ValueError, RecursionError):
        return False


def _hashes(entry: Path) -> dict[str, str]:
    found = {}
    for name in sorted(os.listdir(entry)):
        if name != LISTING:
            found[name] = sha256_of_file(entry / name)
    return found


def _seal(entry: Path) -> None:
    """Bring an entry's files to the disk, then the listing of their hashes."""
    hashes = _hashes(entry)
    for name in hashes:
        _synced(entry / name)
    (entry / LISTING).write_text(json.dumps(hashes), encoding="utf-8")
    _synced(entry / LISTING)
    _synced(entry)


def _synced(path: Path) -> None:
    """Bring a file, or a folder's list of names, to the disk; where that cannot be done, the hashes tell later."""
    with suppress(OSError):
        opened = os.open(path, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def _remove_abandoned(folder: Path) -> None:
    for place in folder.glob(f"{_MAKING}*"):
        with suppress(OSError):
            if place.stat().st_mtime < time() - _ABANDONED_SECONDS:
                shutil.rmtree(place, ignore_errors=True)
