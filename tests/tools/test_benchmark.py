"""Laws of the benchmark's pages: lists by hash that find what changed, and a results page from runs."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from evaluation_photographs import make_rgb, write_photographs
from tinct.errors import EvaluationError
from tinct.evaluation.photographs.sets import find_photographs
from tinct.evaluation.protocols import PROTOCOLS, get_protocol
from tinct.evaluation.run.contestants import Contestant, Gray
from tinct.evaluation.run.evaluator import evaluate
from tinct.evaluation.run.plan import Run
from tinct.evaluation.run.results import Results
from tools import benchmark, photograph_list, results_table
from tools.photograph_list import check_photographs, list_photographs

LISTS = Path(__file__).resolve().parents[2] / "docs" / "benchmark"


def test_a_list_names_each_file_by_its_hash(tmp_path: Path):
    folder = write_photographs(tmp_path / "photos")
    rows = list(csv.DictReader(list_photographs(folder).splitlines()))
    assert len(rows) == 6
    for row in rows:
        assert row["sha256"] == hashlib.sha256((folder / row["path"]).read_bytes()).hexdigest()
        assert (row["width"], row["height"]) == ("56", "40")
        assert row["class"] == row["source"] == row["path"].split("/")[0]


def test_a_list_finds_what_changed(tmp_path: Path):
    folder = write_photographs(tmp_path / "photos")
    listed = tmp_path / "list.csv"
    assert photograph_list.main(["write", str(folder), str(listed)]) == 0
    assert check_photographs(folder, listed) == 6
    Image.fromarray(make_rgb(77)).save(folder / "field" / "0.png")
    with pytest.raises(EvaluationError, match=r"1 photographs are another file, first field/0\.png"):
        check_photographs(folder, listed)
    (folder / "field" / "0.png").unlink()
    with pytest.raises(EvaluationError, match=r"1 photographs are missing, first field/0\.png"):
        check_photographs(folder, listed)


@pytest.mark.parametrize("name", ["test", "pairs", "legacy"])
@pytest.mark.shared
def test_the_committed_lists_are_those_of_the_photographs(name: str, shared: Path):
    data = shared / "data" / name
    assert (LISTS / f"{name}.csv").read_text() == list_photographs(data)


def test_the_benchmark_runs_every_protocol_and_writes_the_page(tmp_path: Path):
    data = tmp_path / "data"
    write_photographs(data / "test")
    write_photographs(data / "legacy")
    (data / "pairs").mkdir()
    lines = "target,reference\ntest/field/0.png,test/field/2.png\n"
    (data / "pairs.csv").write_text(lines)
    page, out = tmp_path / "results.md", tmp_path / "out"
    arguments = ["-m", "gray", "-m", "reinhard", "--limit", "1", "--size", "256"]
    assert benchmark.main([str(data), "--out", str(out), "--protocol", "legacy", *arguments]) == 0
    assert [path.name for path in out.iterdir()] == ["legacy"]
    assert benchmark.main([str(data), "--out", str(out), "--page", str(page), *arguments]) == 0
    heads = [line.split(":")[0] for line in page.read_text().splitlines() if line.startswith("## ")]
    assert heads == [f"## {name}" for name in (*PROTOCOLS, "runtime")] + ["## What the columns say"]
    assert all((out / name / "report.html").is_file() for name in (*PROTOCOLS, "runtime"))


def test_the_results_page_has_a_table_for_each_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    photographs = find_photographs(write_photographs(tmp_path / "photos"))
    for name in ("exemplar-self", "auto", "hints"):
        evaluate(Run(get_protocol(name), [Gray()], photographs, limit=1), tmp_path / name)
    folders = [str(tmp_path / name) for name in ("exemplar-self", "auto", "hints")]
    assert results_table.main([*folders, "-o", str(tmp_path / "results.md")]) == 0
    text = (tmp_path / "results.md").read_text()
    heads = [line for line in text.splitlines() if line.startswith("## ")]
    assert [head.split(":")[0] for head in heads[:3]] == ["## auto", "## hints", "## exemplar-self"]
    assert "| *siggraph17, published, on ImageNet* | 24.43 | 25.37 |" in text
    assert "1 photographs of 6, seed 0." in text
    assert results_table.main([str(tmp_path / "nowhere"), "-o", str(tmp_path / "other.md")]) == 2
    assert not (tmp_path / "other.md").exists()
    assert "does not exist" in capsys.readouterr().err


def make_run(folder: Path, *methods: Contestant, **more: object) -> Results:
    return evaluate(Run(get_protocol("auto"), methods, find_photographs(folder), **more))  # type: ignore[arg-type]


def tables(page: str) -> list[list[str]]:
    """The methods of each table of a page, in order."""
    blocks = page.split("| method |")[1:]
    return [
        [line.split("|")[1].strip() for line in b.splitlines()[2:] if line.startswith("|")] for b in blocks
    ]


def test_runs_of_one_question_share_a_table_if_their_methods_differ(tmp_path: Path):
    folder = write_photographs(tmp_path / "photos")
    gray, other = make_run(folder, Gray()), make_run(folder, Gray("other"))
    assert tables(results_table.results_page([gray, other])) == [["gray", "other"]]
    assert tables(results_table.results_page([gray, other, gray])) == [["gray", "other"], ["gray"]]
    fewer, seeded = make_run(folder, Gray("fewer"), limit=3), make_run(folder, Gray("seeded"), seed=1)
    page = results_table.results_page([gray, fewer, other, seeded])
    assert tables(page) == [["gray", "other"], ["fewer"], ["seeded"]]
    assert "Measured by different code" not in page


def test_a_table_says_where_its_methods_were_measured_by_different_code(tmp_path: Path):
    folder = write_photographs(tmp_path / "photos")
    gray, other = make_run(folder, Gray()), make_run(folder, Gray("other"))
    older = replace(other, heading=replace(other.heading, code="older", metrics=("psnr", "lpips")))
    page = results_table.results_page([gray, older])
    assert tables(page) == [["gray", "other"]]
    line = next(line for line in page.splitlines() if line.startswith("Measured by different code"))
    assert f"gray by {gray.heading.code}; other by older." in line


def test_the_page_of_results_is_made_of_the_runs_beside_it(tmp_path: Path):
    runs, page = sorted((LISTS / "runs").glob("*.json.xz")), tmp_path / "results.md"
    assert results_table.main([*map(str, runs), "-o", str(page)]) == 0
    assert page.read_text() == (LISTS.parent / "results.md").read_text()
