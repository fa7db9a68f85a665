"""Index CSVs: a line for each photograph, with its path relative to the index."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from pathlib import Path

from tinct.errors import OutputError
from tinct.files import write_whole


def path_in_index(photograph: Path, index: Path) -> str:
    """A photograph's path relative to the index's folder, with forward slashes; absolute if on another drive."""
    try:
        return Path(os.path.relpath(photograph, index.parent)).as_posix()
    except ValueError:
        return photograph.resolve().as_posix()


def check_replaced(file: Path, beginning: bytes, source: Path | None = None) -> None:
    """Refuse to replace a file of another kind than what is written, or the one that is read.

    Args:
        file: to write.
        beginning: how earlier files of the kind begin, which may be replaced.
        source: the file that is read; None for none.
    Raises:
        OutputError: if the file is there, and is of another kind, or the source.
    """
    if not file.exists():
        return
    if source is not None and source.exists() and file.samefile(source):
        raise OutputError(f"{file} is the index that is read; give another --out.")
    if file.is_dir() or not file.is_file():
        raise OutputError(f"{file} is no file; give another --out.")
    with file.open("rb") as stream:
        if stream.read(len(beginning)) != beginning:
            raise OutputError(f"{file} is there, and is something else; give another --out, or remove it.")


def write_index(lines: Iterable[Mapping[str, object]], columns: Sequence[str], index: Path) -> None:
    """Write a CSV in one piece, so that no reader meets a part.

    Raises:
        OutputError: if it cannot be written.
    """
    text = StringIO(newline="")
    table = csv.DictWriter(text, columns, lineterminator="\n")
    table.writeheader()
    table.writerows(lines)
    try:
        write_whole(index, text.getvalue())
    except OSError as error:
        raise OutputError(f"{index} cannot be written ({error.strerror}); give another --out.") from None
