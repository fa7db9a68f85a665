"""Temporary files of writers, and removal of those that killed processes left behind."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import time
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # Windows, which does not let an open file be removed
    fcntl = None  # type: ignore[assignment]

PREFIX = ".tinct-"
"""Beginning of the names of files that are being written; a file of such a name is never read or listed."""

_YOUNGEST = 2.0
"""The age in seconds below which a file may not have been locked yet by whoever made it."""

_ABANDONED = 24 * 3600.0
"""The age in seconds from which a file is nobody's, where file systems know no locks."""

_swept: set[Path] = set()


@contextmanager
def unfinished_file(folder: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """A new temporary file in a folder, open for writing and reading, removed at the end unless it was moved away.

    Abandoned files of killed processes are removed from the folder as well, once for each process and folder.

    Yields:
        The path and the stream.
    Raises:
        OSError: if the file cannot be made.
    """
    remove_abandoned(folder)
    path = folder / f"{PREFIX}{secrets.token_hex(8)}.tmp"
    try:
        with path.open("x+b") as stream:
            if fcntl is not None:
                with suppress(OSError):
                    fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield path, stream
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def finish(stream: BinaryIO) -> None:
    """Write a temporary file to the disk, ready to be moved; its lock is kept until the stream is closed.

    Raises:
        OSError: if the disk is full.
    """
    stream.flush()
    os.fsync(stream.fileno())
    if fcntl is None:  # Windows does not let an open file be moved either
        stream.close()


def remove_abandoned(folder: Path) -> None:
    """Remove temporary files that no process writes any more: the lock of a file goes with its process."""
    if folder in _swept:
        return
    _swept.add(folder)
    for path in folder.glob(f"{PREFIX}*.tmp"):
        with suppress(OSError):
            found = path.lstat()
            age = time() - found.st_mtime
            if stat.S_ISREG(found.st_mode) and age > _YOUNGEST and (age > _ABANDONED or _is_unlocked(path)):
                path.unlink()


def _is_unlocked(path: Path) -> bool:
    """True if no process has the file locked; False where that cannot be known."""
    if fcntl is None:
        return False
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
