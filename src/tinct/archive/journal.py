"""Journals of a ledger: outcomes on local disk, synced, until they are in a part of the ledger.

A process writes one journal at a time and has its lock, which the end of the process gives back: a journal without a
lock is what a killed run left.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

from tinct.archive.entry import Entry, entry_of
from tinct.archive.storage import Store
from tinct.errors import StorageError, one_line


class Journal:
    """The journal of this process.

    Args:
        folder: of the journals of one output.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stream: Any = None
        self._path: Path | None = None

    def append(self, entry: Entry, identity: str) -> None:
        """Write an outcome, which survives the end of the process.

        Args:
            entry: the outcome.
            identity: of the ledger that it belongs to, which begins the journal's name.
        Raises:
            StorageError: if the journal cannot be written.
        """
        line = json.dumps(asdict(entry), ensure_ascii=False) + "\n"
        try:
            stream = self._opened(identity)
            stream.write(line)
            stream.flush()
            os.fsync(stream.fileno())
        except OSError as error:
            why = error.strerror or one_line(str(error))
            raise StorageError(f"the journal in {self._folder} cannot be written ({why}).") from None

    def close(self) -> None:
        """Close the file, and give back its lock."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def remove(self) -> None:
        """Remove the file, whose outcomes are in a part; the next outcome begins a new one."""
        self.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)
            self._path = None

    def _opened(self, identity: str) -> Any:
        if self._stream is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._path = self._folder / f"{identity}-{os.getpid()}-{uuid4().hex[:12]}.jsonl"
            self._stream = self._path.open("x", encoding="utf-8")
            _locked(self._stream)
        return self._stream


def journal_folder(out: Store) -> Path:
    """The folder of this machine for the journals of one output."""
    from tinct.files import cache_folder

    place = os.path.abspath(out.path("")) if out.is_local else out.uri.rstrip("/")
    return cache_folder() / "archive" / sha256(place.encode()).hexdigest()[:16]


def abandoned(folder: Path, identities: Collection[str]) -> Iterator[tuple[Path, list[Entry]]]:
    """The journals of processes that have ended, and the outcomes in each.

    Args:
        folder: of the journals.
        identities: of the ledger; a journal of another one, which has been deleted, counts as empty.
    """
    for path in sorted(folder.glob("*.jsonl")):
        if not _is_in_use(path):
            known = path.name.partition("-")[0] in identities
            yield path, list(_entries(path)) if known else []


def _entries(path: Path) -> Iterator[Entry]:
    """The whole lines of a journal; the last may have been cut off while it was written."""
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n"):
        try:
            found = json.loads(line)
            if isinstance(found, dict):
                yield entry_of(found)
        except (ValueError, TypeError):
            continue


def _locked(stream: Any) -> bool:
    """Take the lock of an open journal for as long as the process lives; False if another process has it."""
    try:
        import fcntl
    except ImportError:  # Windows refuses to rename a file that is open, see `_is_in_use`
        return True
    try:
        fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is_in_use(path: Path) -> bool:
    """Whether a process that still runs writes this journal."""
    try:
        import fcntl  # noqa: F401
    except ImportError:
        try:
            path.rename(path)
        except OSError:
            return True
        return False
    try:
        with path.open("a") as stream:
            return not _locked(stream)
    except OSError:
        return True
