"""Writing index CSVs: a line a photograph, its path as it is seen from the index."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tinct.errors import OutputError


def path_in_index(photograph: Path, index: Path) -> str:
    """A photograph's path relative to the index's folder, with forward slashes; absolute if on another drive."""
    try:
        return Path(os.path.relpath(photograph, index.parent)).as_posix()
    except ValueError:
        return photograph.resolve().as_posix()


def write_index(lines: Iterable[Mapping[str, object]], columns: Sequence[str], index: Path) -> None:
    """Write a CSV in one piece, so that no half of one is ever read.

    Raises:
        OutputError: if it cannot be written.
    """
    part = index.with_name(index.name + ".part")
    try:
        index.parent.mkdir(parents=True, exist_ok=True)
        with part.open("w", newline="", encoding="utf-8") as stream:
            table = csv.DictWriter(stream, columns, lineterminator="\n")
            table.writeheader()
            table.writerows(lines)
        os.replace(part, index)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OutputError(f"{index} cannot be written ({error.strerror}); give another --out.") from None
