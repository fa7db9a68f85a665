"""Verification of a finished batch: outputs are read and hashed again, and compared with the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import PurePosixPath

from tinct.archive.entry import DONE
from tinct.archive.ledger import FOLDER, Ledger
from tinct.archive.storage import Store
from tinct.errors import StorageError

MISSING, ALTERED, ORPHAN = "missing", "altered", "orphan"
"""Kinds of faults: a result of the ledger that the store has not; a result with other bytes; a file of no row."""


@dataclass(frozen=True)
class Fault:
    """A difference between the ledger and the store.

    Attributes:
        kind: MISSING, ALTERED or ORPHAN.
        key: of the output.
        uri: of its photograph, "" for an orphan.
    """

    kind: str
    key: str
    uri: str = ""


def verified(out: Store) -> Iterator[Fault | None]:
    """A fault, or None where all is well, for each result and each further file of a store.

    Raises:
        StorageError: if there is no ledger, or it cannot be read.
    """
    ledger, known = Ledger(out), set()
    ledger.check_exists()
    for entry in ledger.entries():
        if entry.status != DONE:
            continue
        known.add(entry.output)
        try:
            right = sha256(out.read(entry.output)).hexdigest() == entry.sha256_out
        except StorageError:
            yield Fault(MISSING, entry.output, entry.uri)
            continue
        yield None if right else Fault(ALTERED, entry.output, entry.uri)
    for key in out.list():
        if key not in known and PurePosixPath(key).parts[0] not in (FOLDER, "iiif") and "/" not in key:
            yield Fault(ORPHAN, key)
