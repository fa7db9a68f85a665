"""Checked entries of the cache folder, which keeps compiled networks between runs: damaged entries are made again."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from time import time

from tinct.files import sha256_of_file

try:
    import fcntl
except ImportError:  # Windows, which does not let a folder be moved whose files are open
    fcntl = None  # type: ignore[assignment]

LISTING = "sha256.json"
"""The file of a cache entry that holds the SHA-256 of the entry's other files, by name; written last."""

_MAKING = ".making-"
"""What the folder's name begins with in which an entry is made."""

_ABANDONED_SECONDS = 24 * 3600.0
"""The age at which a folder in which an entry was being made belongs to a process that has ended."""


def checked_entry(folder: Path, name: str, fill: Callable[[Path], None]) -> Path:
    """A folder of files in the cache; the files have the contents that `fill` wrote.

    The files' hashes are compared at each call, because a bit that flips in a network's weights, or a power cut while
    a file was written, would give wrong colors without any other sign. A damaged entry is made again.

    Args:
        folder: where entries lie; it exists.
        name: of the entry.
        fill: writes the entry's files into an empty folder.
    Raises:
        OSError: if the entry cannot be written; and all errors of `fill`.
    """
    place = folder / name
    if not is_whole(place):
        _remove_abandoned(folder)
        with TemporaryDirectory(prefix=_MAKING, dir=folder, ignore_cleanup_errors=True) as work:
            made = Path(work, "made")
            made.mkdir()
            fill(made)
            _seal(made)
            _put(made, place, Path(work, "damaged"))
            _synced(folder)
    return place


def _put(made: Path, place: Path, damaged: Path) -> None:
    """Move a new entry to its place, unless another process or thread has put a whole one there meanwhile.

    The folder is locked, as a whole entry that is moved away is missed by whoever is about to read it.
    """
    with _locked(place.parent):
        if is_whole(place):
            return
        with suppress(FileNotFoundError):
            place.rename(damaged)
        with suppress(
            OSError
        ):  # where nothing can be locked another process may be first; its entry is as good
            made.rename(place)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep other processes and threads from moving entries in a folder; nothing is locked where that cannot be done."""
    opened = None
    if fcntl is not None:
        with suppress(OSError):
            opened = os.open(folder, os.O_RDONLY)
            fcntl.flock(opened, fcntl.LOCK_EX)
    try:
        yield
    finally:
        if opened is not None:
            os.close(opened)


def is_whole(entry: Path) -> bool:
    """True if a cache entry has exactly the files that were written there, each with its own contents."""
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
