"""`Entry`: the outcome of one photograph, a row of the ledger."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from tinct.archive.arrow import arrow

DONE, SKIPPED, REFUSED, FAILED = "done", "skipped", "refused", "failed"
"""Statuses of a photograph: written; passed over with a note; impossible, for the reason in its message; or failed for
a reason that may pass (the store did not answer, the process died)."""

SETTLED = (DONE, SKIPPED, REFUSED)
"""Statuses that a later run does not try again."""


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
        output_width, output_height: of the result's picture, its label included, in pixels; 0 where it is a chroma
            file, or where an older tinct has written the row.
        method: the method that predicted.
        weights_sha256: of its weights, or "".
        options_sha256: of all inputs beside the photograph and the weights (`Row.options_sha256`).
        references: URIs of the references used.
        confidence: mean confidence of the prediction, 0..1.
        colorfulness: root mean square of the prediction's chroma, in ab units.
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
    output_width: int = 0
    output_height: int = 0


def ledger_schema() -> Any:
    """The columns of a ledger part."""
    pyarrow, _ = arrow()
    kinds = {"int": pyarrow.int64(), "str": pyarrow.string(), "float": pyarrow.float64()}
    lists = pyarrow.list_(pyarrow.string())
    return pyarrow.schema([(each.name, kinds.get(str(each.type), lists)) for each in fields(Entry)])


def entry_of(columns: Mapping[str, Any]) -> Entry:
    """An entry from the columns that a part or a journal has of it.

    Raises:
        TypeError: if a needed column is missing, or there is a column that no entry has.
    """
    lists = {name: tuple(columns.get(name) or ()) for name in ("notes", "references")}
    return Entry(**{**columns, **lists})
