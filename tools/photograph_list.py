"""Lists photographs by source and hash: `python -m tools.photograph_list write DATA LIST.csv`; `check` in its place.

A list tells whether two folders hold the same photographs. Its columns are path, source, class, width, height, bytes
and sha256; a pair has a line for each of its two photographs.
"""

from __future__ import annotations

import csv
import hashlib
import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from tinct.errors import EvaluationError
from tinct.evaluation.photographs.sets import Photograph, find_photographs
from tinct.evaluation.run.results import write_result
from tools.command import run

COLUMNS = ("path", "source", "class", "width", "height", "bytes", "sha256")
"""Columns of a list."""

Data = Annotated[Path, typer.Argument(help="Folder or CSV index of photographs.")]
List = Annotated[Path, typer.Argument(help="The list, a CSV file.")]


def list_photographs(data: Path) -> str:
    """The list of a set of photographs as CSV text, in order of their names.

    Args:
        data: folder or CSV index.
    Raises:
        EvaluationError: as `find_photographs`.
    """
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(COLUMNS)
    photographs = find_photographs(data)
    for photograph in photographs:
        lines.writerows(_lines(photograph, photographs.root.name))
    return text.getvalue()


def _lines(photograph: Photograph, root: str) -> Iterator[tuple[object, ...]]:
    from PIL import Image

    for path in filter(None, (photograph.path, photograph.reference)):
        content = path.read_bytes()
        with Image.open(io.BytesIO(content)) as image:
            width, height = image.size
        name = Path(photograph.name).with_name(path.name).as_posix()
        digest = hashlib.sha256(content).hexdigest()
        source = Path(name).parent.name or root
        yield name, source, photograph.category, width, height, len(content), digest


def check_photographs(data: Path, listed: Path) -> int:
    """Compare a set with a list.

    Returns:
        The number of photographs, all of them as listed.
    Raises:
        EvaluationError: if a photograph is missing, is another file, or is not on the list, or there is no list.
    """
    try:
        with listed.open(newline="", encoding="utf-8") as lines:
            wanted = {row["path"]: row["sha256"] for row in csv.DictReader(lines)}
    except OSError as error:
        raise EvaluationError(f"{listed} cannot be read ({error.strerror}); give the list.") from None
    found = {row["path"]: row["sha256"] for row in csv.DictReader(io.StringIO(list_photographs(data)))}
    missing = sorted(wanted.keys() - found.keys())
    extra = sorted(found.keys() - wanted.keys())
    other = sorted(name for name in wanted.keys() & found.keys() if wanted[name] != found[name])
    for names, what in ((missing, "missing"), (other, "another file"), (extra, "not on the list")):
        if names:
            raise EvaluationError(f"{len(names)} photographs are {what}, first {names[0]}; rebuild the set.")
    return len(found)


def write(data: Data, listed: List) -> None:
    """Write the list of a set of photographs."""
    write_result(listed, list_photographs(data))


def check(data: Data, listed: List) -> None:
    """Tell whether a set has the photographs of a list."""
    typer.echo(f"{check_photographs(data, listed)} photographs, all as listed")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tool and return the exit code."""
    return run("photograph_list", write, check, arguments=arguments)


if __name__ == "__main__":
    sys.exit(main())
