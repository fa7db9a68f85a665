"""Checking a finished batch: outputs are read and hashed again, and compared with the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import PurePosixPath

from tinct.archive.ledger import DONE, FOLDER, Ledger
from tinct.archive.storage import Store
from tinct.errors import StorageError

MISSING, ALTERED, ORPHAN = "missing", "altered", "orphan"
"""Faults: a result that the ledger has and the store has not; one whose bytes differ; a file that no row speaks of."""


@dataclass(frozen=True)
class Fault:
    """One thing that is not as the ledger says.

    Attributes:
        kind: MISSING, ALTERED or ORPHAN.
        key: of the output.
        uri: of its photograph, "" for an orphan.
    """

    kind: str
    key: str
    uri: str = ""


def verified(out: Store) -> Iterator[Fault | None]:
    """One item for each result and each further file of a store: None where all is well.

    Raises:
        StorageError: if the ledger cannot be read.
    """
    known = set()
    for entry in Ledger(out).entries():
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
