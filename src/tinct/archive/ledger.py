"""The ledger of a batch: one row for the outcome of each photograph, in Parquet parts and a local journal.

A row is first appended to a journal on local disk and synced, so that a killed process loses nothing; rows are
gathered into Parquet parts in the output's store, each a new file. A run has to do the rows of the manifest whose ids
the ledger has not settled.

A ledger has an identity: a random word in the name of a file beside the parts, and in the names of its journals. A
folder that is deleted and filled again has another identity, so the journals of the deleted one are not taken for its
own.
"""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from tinct.archive.arrow import arrow, arrow_stream
from tinct.archive.storage import Store
from tinct.errors import StorageError, one_line, shortened

DONE, SKIPPED, REFUSED, FAILED = "done", "skipped", "refused", "failed"
"""Statuses of a photograph: written; passed over with a note; impossible, for the reason in its message; or failed for
a reason that may pass (the store did not answer, the process died)."""

SETTLED = (DONE, SKIPPED, REFUSED)
"""Statuses that a later run does not try again."""

FOLDER = "ledger"
"""Folder of the parts in the output's store."""

IDENTITY = "identity-"
"""What the name of a file in FOLDER begins with that says the ledger's identity: 16 hexadecimal digits follow.

Machines that begin a batch at one moment may write a file each; a journal of any of them belongs to the ledger."""

NEEDED = ("id", "uri", "status", "finished")
"""Columns that a part must have; others may be missing in parts that an older tinct has written."""

ROWS_A_PART, SECONDS_A_PART = 512, 60.0
"""A part is written when so many rows have gathered, or so much time has passed since the last part."""


@dataclass(frozen=True)
class Entry:
    """The outcome of one photograph.

    Attributes:
        id, uri: as in the manifest.
        status: one of DONE, SKIPPED, REFUSED, FAILED.
        message: the reason, in a line, where the status is not DONE.
        notes: decisions of reading, coloring and writing, for the user.
        output: key of the result in the output's store, or "".
        sha256_in, sha256_out: of the photograph's file and of the result's.
        bytes_in, bytes_out: their sizes.
        width, height: of the photograph, in pixels.
        method: the method that predicted.
        weights_sha256: of its weights, or "".
        options_sha256: of all inputs beside the photograph and the weights (`Row.options_sha256`).
        references: URIs of the references used.
        confidence: mean confidence of the prediction, 0..1.
        colorfulness: mean chroma of the prediction, in ab units.
        seconds: of work on the photograph.
        worker: host and process.
        finished: seconds since 1970.
        version: of tinct.
        stamp: size and time of change of the photograph's file, where they decide (`tinct watch`); or "".
    """

    id: int
    uri: str
    status: str
    message: str = ""
    notes: tuple[str, ...] = ()
    output: str = ""
    sha256_in: str = ""
    sha256_out: str = ""
    bytes_in: int = 0
    bytes_out: int = 0
    width: int = 0
    height: int = 0
    method: str = ""
    weights_sha256: str = ""
    options_sha256: str = ""
    references: tuple[str, ...] = ()
    confidence: float = 0.0
    colorfulness: float = 0.0
    seconds: float = 0.0
    worker: str = ""
    finished: float = field(default_factory=time.time)
    version: str = ""
    stamp: str = ""


def ledger_schema() -> Any:
    """The columns of a ledger part."""
    pyarrow, _ = arrow()
    kinds = {"int": pyarrow.int64(), "str": pyarrow.string(), "float": pyarrow.float64()}
    lists = pyarrow.list_(pyarrow.string())
    return pyarrow.schema([(each.name, kinds.get(str(each.type), lists)) for each in fields(Entry)])


class Settled(NamedTuple):
    """What the ledger says of a photograph that a run leaves as it is; see `Entry`."""

    status: str
    output: str
    options_sha256: str


class Ledger:
    """The ledger in an output's store, and the journal of this machine, whose rows go into it.

    Args:
        out: the output's store.
        journals: folder for journals; None is a folder of tinct's cache that belongs to this output alone.
    """

    def __init__(self, out: Store, journals: Path | None = None) -> None:
        self._out, self.store = out, out.child(FOLDER)
        self._folder = journals or journal_folder(out)
        self._pending: list[Entry] = []
        self._journal: Any = None
        self._journal_path: Path | None = None
        self._identity = ""
        self._written = time.monotonic()

    def recover(self) -> int:
        """Write the journals that killed runs of this machine left as parts.

        A journal whose process lives is left alone. One of another identity, whose ledger has been deleted, is removed.

        Returns:
            The number of rows.
        Raises:
            StorageError: if a part cannot be written.
        """
        count, identities = 0, self._identities()
        for path in sorted(self._folder.glob("*.jsonl")):
            if _is_in_use(path):
                continue
            entries = list(_journal_entries(path)) if path.name.partition("-")[0] in identities else []
            if entries := [entry for entry in entries if -(1 << 63) <= entry.id < 1 << 63]:
                self._write_part(entries)
            path.unlink(missing_ok=True)
            count += len(entries)
        return count

    def begin(self) -> None:
        """Write the ledger's identity if there is none, which shows whether the output can be written to.

        Raises:
            StorageError: if it cannot.
        """
        self._known_identity()

    def append(self, entry: Entry) -> None:
        """Record the outcome of a photograph; the record survives the end of the process.

        Raises:
            StorageError: if the record cannot be written.
        """
        line = json.dumps(asdict(entry), ensure_ascii=False) + "\n"
        try:
            journal = self._opened_journal()
            journal.write(line)
            journal.flush()
            os.fsync(journal.fileno())
        except StorageError:
            raise
        except OSError as error:
            why = error.strerror or one_line(str(error))
            raise StorageError(f"the journal in {self._folder} cannot be written ({why}).") from None
        self._pending.append(entry)
        if len(self._pending) >= ROWS_A_PART or time.monotonic() - self._written > SECONDS_A_PART:
            self.flush()

    def flush(self) -> None:
        """Write the gathered rows as a part, and begin a new journal.

        Raises:
            StorageError: if the part cannot be written.
        """
        if self._pending:
            self._write_part(self._pending)
            self._pending = []
        if self._journal is not None:
            self._journal.close()
            assert self._journal_path is not None
            self._journal_path.unlink(missing_ok=True)
            self._journal = self._journal_path = None
        self._written = time.monotonic()

    def entries(self) -> list[Entry]:
        """The last entry of each id, in the order in which they were finished.

        Raises:
            StorageError: if a part cannot be read.
        """
        latest: dict[int, Entry] = {}
        for entry in sorted(self._all(), key=lambda each: each.finished):
            latest.pop(entry.id, None)
            latest[entry.id] = entry
        return list(latest.values())

    def all_entries(self) -> list[Entry]:
        """Every entry ever written, with those that later entries replaced.

        Raises:
            StorageError: if a part cannot be read.
        """
        return list(self._all())

    def statuses(self) -> dict[int, str]:
        """The last status of each id; the method reads no further columns.

        Raises:
            StorageError: if a part cannot be read.
        """
        return {key: status for key, (status,) in self._latest("status").items()}

    def settled(
        self, statuses: Collection[str], stamps: Mapping[int, str] | None = None
    ) -> dict[int, Settled]:
        """By id, the photographs whose last entry has one of these statuses and still holds.

        An entry that is DONE holds while its result is in the output's store. An entry with a stamp holds for the file
        of that stamp.

        Args:
            statuses: that count as settled.
            stamps: stamps of the photographs' files, where they are known.
        Raises:
            StorageError: if a part cannot be read, or the output's store cannot be listed.
        """
        latest, now = self._latest("status", "output", "stamp", "options_sha256"), stamps or {}
        there = set(self._out.list()) if any(entry[0] == DONE for entry in latest.values()) else set()
        return {
            key: Settled(status, output or "", options or "")
            for key, (status, output, stamp, options) in latest.items()
            if status in statuses
            and (status != DONE or output in there)
            and (not stamp or now.get(key, stamp) == stamp)
        }

    def check_exists(self) -> None:
        """Check that there is a ledger.

        Raises:
            StorageError: if there is none.
        """
        if not (self._parts() or self._identities()):
            raise StorageError(
                f"{self._out.uri} has no ledger of a batch; give the --out of `tinct batch start`."
            )

    def _latest(self, *names: str) -> dict[int, tuple[Any, ...]]:
        """Columns of the last entry of each id."""
        tables = [self._part(key, ["id", "finished", *names]) for key in self._parts()]
        if not tables:
            return {}
        pyarrow, _ = arrow()
        table = pyarrow.concat_tables(tables).sort_by("finished")
        columns = zip(*(table[name].to_pylist() for name in names), strict=True)
        return dict(zip(table["id"].to_pylist(), columns, strict=True))

    def _all(self) -> Iterator[Entry]:
        names = [each.name for each in fields(Entry)]
        for key in self._parts():
            for columns in self._part(key, names).to_pylist():
                yield _entry({name: value for name, value in columns.items() if value is not None})

    def _part(self, key: str, names: list[str]) -> Any:
        """Columns of a part; those that it lacks are empty."""
        _, parquet = arrow()
        content = self.store.read(key)
        try:
            return _fitted(parquet.ParquetFile(arrow_stream(content)).read(columns=names), names)
        except Exception as error:
            said = shortened(one_line(str(error)), 50)
            raise StorageError(
                f"{FOLDER}/{key} is damaged ({said}); remove it from {self._out.uri}, and start the batch again: what "
                "no other part records is done again."
            ) from None

    def _parts(self) -> list[str]:
        return [key for key in self.store.list() if key.endswith(".parquet")]

    def _identities(self) -> list[str]:
        return [key.removeprefix(IDENTITY) for key in self.store.list() if key.startswith(IDENTITY)]

    def _known_identity(self) -> str:
        """The ledger's identity, which is made when there is none."""
        if not self._identity:
            found = self._identities()
            self._identity = found[0] if found else uuid4().hex[:16]
            if not found:
                self.store.put(f"{IDENTITY}{self._identity}", self._identity.encode())
        return self._identity

    def _write_part(self, entries: Iterable[Entry]) -> None:
        pyarrow, parquet = arrow()
        listed = [asdict(entry) for entry in entries]
        table = pyarrow.Table.from_pylist(listed, schema=ledger_schema())
        stream = io.BytesIO()
        parquet.write_table(table, stream, compression="zstd")
        self.store.put(f"part-{time.time_ns():020d}-{uuid4().hex[:12]}.parquet", stream.getvalue())

    def _opened_journal(self) -> Any:
        if self._journal is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            name = f"{self._known_identity()}-{os.getpid()}-{uuid4().hex[:12]}.jsonl"
            self._journal_path = self._folder / name
            self._journal = self._journal_path.open("x", encoding="utf-8")
            _locked(self._journal)
        return self._journal


def journal_folder(out: Store) -> Path:
    """The folder of this machine for the journals of one output."""
    from tinct.files import cache_folder

    place = os.path.abspath(out.path("")) if out.is_local else out.uri.rstrip("/")
    return cache_folder() / "archive" / sha256(place.encode()).hexdigest()[:16]


def _journal_entries(path: Path) -> Iterator[Entry]:
    """The whole lines of a journal; the last may have been cut off while it was written."""
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n"):
        try:
            yield _entry(json.loads(line))
        except (ValueError, TypeError):
            continue


def _fitted(table: Any, names: list[str]) -> Any:
    """A table with these columns of the ledger, in their types; columns that it lacks are empty.

    Raises:
        ValueError: if a needed column is missing, or values are not what the column says.
    """
    pyarrow, _ = arrow()
    if missing := [name for name in names if name in NEEDED and name not in table.column_names]:
        raise ValueError(f"it has no column {missing[0]}")
    schema = ledger_schema()
    kinds = {name: schema.field(name).type for name in names}
    table.validate(full=True)
    columns = {
        name: table[name].cast(kind) if name in table.column_names else pyarrow.nulls(table.num_rows, kind)
        for name, kind in kinds.items()
    }
    return pyarrow.table(columns)


def _entry(columns: dict[str, Any]) -> Entry:
    lists = {name: tuple(columns.get(name) or ()) for name in ("notes", "references")}
    return Entry(**{**columns, **lists})


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
