"""The benchmark's photographs by source and hash, so that anyone can tell whether theirs are the same:
`python -m tools.photograph_list write DATA LIST.csv` and `... check DATA LIST.csv`.

A list has the columns path, source, class, width, height, bytes, sha256; pairs have a line for each of the
two. DATA is a folder or CSV index as `tinct evaluate` takes it.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tinct.errors import EvaluationError, TinctError
from tinct.evaluation.photographs.sets import Photograph, find_photographs
from tinct.evaluation.run.results import write_atomically

COLUMNS = ("path", "source", "class", "width", "height", "bytes", "sha256")


def list_photographs(data: Path) -> str:
    """The list of a set of photographs as CSV text, in order of their names."""
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
    """Compare a set with a list; the number of photographs that are there and the same.

    Raises:
        EvaluationError: if one is missing, another file, or not on the list.
    """
    with listed.open(newline="", encoding="utf-8") as lines:
        wanted = {row["path"]: row["sha256"] for row in csv.DictReader(lines)}
    found = {row["path"]: row["sha256"] for row in csv.DictReader(io.StringIO(list_photographs(data)))}
    missing = sorted(wanted.keys() - found.keys())
    extra = sorted(found.keys() - wanted.keys())
    other = sorted(name for name in wanted.keys() & found.keys() if wanted[name] != found[name])
    for names, what in ((missing, "missing"), (other, "another file"), (extra, "not on the list")):
        if names:
            raise EvaluationError(f"{len(names)} photographs are {what}, first {names[0]}; rebuild the set.")
    return len(found)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check a list; 2 and one line on stderr where something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=("write", "check"))
    parser.add_argument("data", type=Path, help="folder or CSV index of photographs")
    parser.add_argument("list", type=Path, help="the list")
    asked = parser.parse_args(arguments)
    try:
        if asked.action == "write":
            write_atomically(asked.list, list_photographs(asked.data))
        else:
            sys.stdout.write(f"{check_photographs(asked.data, asked.list)} photographs, all as listed\n")
    except (TinctError, FileNotFoundError) as error:
        sys.stderr.write(f"photograph_list: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
