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
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from tinct.archive.arrow import arrow, arrow_stream
from tinct.archive.entry import DONE, Entry, entry_of, ledger_schema
from tinct.archive.journal import Journal, abandoned, journal_folder
from tinct.archive.storage import Store
from tinct.errors import StorageError, one_line, shortened

FOLDER = "ledger"
"""Folder of the parts in the output's store."""

IDENTITY = "identity-"
"""What the name of a file in FOLDER begins with that says the ledger's identity: 16 hexadecimal digits follow.

Machines that begin a batch at one moment may write a file each; a journal of any of them belongs to the ledger."""

NEEDED = ("id", "uri", "status", "finished")
"""Columns that a part must have; others may be missing in parts that an older tinct has written."""

ROWS_A_PART, SECONDS_A_PART = 512, 60.0
"""A part is written when so many rows have gathered, or so much time has passed since the last part."""


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
        self._journals = journals or journal_folder(out)
        self._journal = Journal(self._journals)
        self._pending: list[Entry] = []
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
        count = 0
        for path, entries in abandoned(self._journals, self._identities()):
            if storable := [entry for entry in entries if -(1 << 63) <= entry.id < 1 << 63]:
                self._write_part(storable)
            path.unlink(missing_ok=True)
            count += len(storable)
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
        self._journal.append(entry, self._known_identity())
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
        self._journal.remove()
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
                yield entry_of({name: value for name, value in columns.items() if value is not None})

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
