"""Laws of effort: four times as many parts of a file take less than five times the work, whoever reads it."""

from __future__ import annotations

import csv
import gc
import io
import json
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from effort_files import FILES
from tinct.archive.manifest import read_manifest
from tinct.colorizing.project import Project
from tinct.errors import TinctError
from tinct.hints import read_hints
from tinct.photo import Photo, Provenance


def seconds(work: Callable[[], object]) -> float:
    """The processor's own time for some work, the least of three; a refusal in a line is an answer."""
    spent = []
    gc.collect()
    gc.disable()  # what other tests have left alive would be looked through again and again
    try:
        for _ in range(3):
            before = time.process_time()
            with suppress(TinctError), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                work()
            spent.append(time.process_time() - before)
    finally:
        gc.enable()
    return min(spent)


def grows_no_faster(work: Callable[[int], Callable[[], object]], few: int) -> bool:
    """Whether four times as many parts take less than five times as long; what is quadratic takes sixteen times.

    A busy machine has three tries.
    """
    one, four = work(few), work(4 * few)
    return any(seconds(four) < 5 * seconds(one) + 0.05 for _ in range(3))


def read_and_write(data: bytes) -> None:
    photo = Photo.read(data)
    colored = photo.colored(np.full((photo.height, photo.width, 3), 0.4, np.float32))
    for kind in ("png", "jpg", "tif"):
        colored.encode(kind, Provenance("welsh"))


@pytest.mark.parametrize("name", FILES)
def test_a_photograph_s_parts(name: str) -> None:
    """Of every format: what its parser goes through, what is carried, and what is written again."""
    make, few = FILES[name]

    def work(count: int) -> Callable[[], object]:
        data = make(count)
        return lambda: read_and_write(data)

    assert grows_no_faster(work, few)


HINTS: dict[str, tuple[Callable[[int], object], int]] = {
    "points": (lambda n: {"points": [[k % 40, k % 30, "#aabbcc"] for k in range(n)]}, 2000),
    "points of a stroke": (
        lambda n: {"strokes": [{"points": [[k % 40, k % 30] for k in range(n)], "color": "#abc"}]}, 10_000),
    "strokes": (lambda n: {"strokes": [{"points": [[1, 1], [2, 2]], "color": "#abc", "width": 2}] * n}, 2000),
    "rectangles": (lambda n: {"rectangles": [{"box": [0, 0, "100%", "20%"], "color": "#abc"}] * n}, 2000),
    "swatches": (lambda n: {"swatches": [{"target_box": [0, 0, 5, 5], "reference_box": [1, 1, 4, 4]}] * n}, 2000),
    "unknown": (lambda n: {f"k{k}": k for k in range(n)}, 20_000),
}  # fmt: skip


@pytest.mark.parametrize("name", HINTS)
def test_hints_parts(name: str) -> None:
    make, few = HINTS[name]

    def work(count: int) -> Callable[[], object]:
        data = json.dumps(make(count)).encode()
        return lambda: read_hints(data, (40, 30))

    assert grows_no_faster(work, few)


@pytest.mark.parametrize(
    "text", ["[", '{"points":', '{"points":[[1,1,"#abc"],', "[" * 9 + "9", '"\\u', "1e", "[1,"]
)
def test_json_that_nests_or_goes_on(text: str, tmp_path: Path) -> None:
    """As hints and as a project: refused in a line, in time that grows with the text."""

    def hints(count: int) -> Callable[[], object]:
        data = (text * count).encode()
        return lambda: read_hints(data, (40, 30))

    def project(count: int) -> Callable[[], object]:
        path = tmp_path / f"{count}.tinct.json"
        path.write_text(text * count)
        return lambda: Project.read(path)

    for work in (hints, project):
        assert grows_no_faster(work, 50_000 // len(text))
        with pytest.raises(TinctError) as refused:
            work(1000)()
        assert "\n" not in str(refused.value)


def rows(count: int, **more: object) -> list[dict[str, object]]:
    return [{"uri": f"photo-{number}.png", **more} for number in range(count)]


def as_csv(listed: list[dict[str, object]]) -> bytes:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, listed[0])
    writer.writeheader()
    writer.writerows(listed)
    return stream.getvalue().encode()


def as_lines(listed: list[dict[str, object]]) -> bytes:
    return b"\n".join(json.dumps(row).encode() for row in listed)


MANIFESTS: dict[str, tuple[Callable[[int], bytes], int]] = {
    "rows.csv": (lambda n: as_csv(rows(n)), 2000),
    "columns.csv": (lambda n: b"uri," + b",".join(b"c%d" % k for k in range(n)) + b"\n" + b"".join(
        b"a%d\n" % k for k in range(n)), 600),
    "references.csv": (lambda n: as_csv(rows(1, references=json.dumps(["a.png"] * n))), 20_000),
    "quotes.csv": (lambda n: b'uri\n"' + b'""' * n + b'"\n', 100_000),
    "rows.jsonl": (lambda n: as_lines(rows(n)), 2000),
    "references.jsonl": (lambda n: as_lines(rows(1, references=["a.png"] * n)), 20_000),
    "nested.jsonl": (lambda n: b'{"uri": "a", "options": ' + b"[" * n, 100_000),
    "blank.jsonl": (lambda n: b"\n" * n, 200_000),
}  # fmt: skip


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_s_parts(name: str, tmp_path: Path) -> None:
    make, few = MANIFESTS[name]

    def work(count: int) -> Callable[[], object]:
        path = tmp_path / f"{count}-{name}"
        path.write_bytes(make(count))
        return lambda: read_manifest(str(path))

    assert grows_no_faster(work, few)


def test_a_parquet_of_equal_rows_is_refused_at_the_second(tmp_path: Path) -> None:
    """A few KiB stand for twenty million rows: none but the first are made."""
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path, count = tmp_path / "equal.parquet", 20_000_000
    column = arrow.DictionaryArray.from_arrays(arrow.array(np.zeros(count, np.int8)), arrow.array(["a.png"]))
    parquet.write_table(arrow.table({"uri": column}), path)
    assert path.stat().st_size < 100_000
    before = time.process_time()
    with pytest.raises(TinctError, match="name each photograph once"):
        read_manifest(str(path))
    assert time.process_time() - before < 5
