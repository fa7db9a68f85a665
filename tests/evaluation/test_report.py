"""Laws of the report: one file, the same bytes for the same run, the best in bold, a dash for no answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from evaluation_photographs import write_photographs
from tinct.evaluation.photographs.sets import find_photographs
from tinct.evaluation.protocols import get_protocol
from tinct.evaluation.protocols.hint_sweep import HintSweep
from tinct.evaluation.report import page, write_report
from tinct.evaluation.report.tables import best, columns_of, markdown_table
from tinct.evaluation.run.contestants import CallablePredictor, Gray
from tinct.evaluation.run.evaluator import evaluate
from tinct.evaluation.run.plan import Run
from tinct.evaluation.run.results import Heading, Record, Results
from tinct.hints import HintField
from tinct.methods.method import Reference


def brown(lightness: np.ndarray, hints: HintField, references: Sequence[Reference]) -> np.ndarray:
    return np.broadcast_to(np.float32([6, 10]), (*lightness.shape, 2)).copy()


class Dashing(Gray):
    """Cannot do without a reference."""

    def cannot(self, case) -> str:
        return "" if case.references else "needs a reference"


@pytest.fixture
def photo_folder(tmp_path: Path) -> Path:
    return write_photographs(tmp_path / "photos")


def make_report(folder: Path, out: Path, name: str = "exemplar-class") -> str:
    contestants = [Gray(), CallablePredictor(brown, "brown"), Dashing("dashing")]
    results = evaluate(Run(get_protocol(name), contestants, find_photographs(folder)), out)
    return write_report(results, out).read_text(encoding="utf-8")


class References(HTMLParser):
    """Collects what a page would load, and checks that tags are closed."""

    VOID = frozenset({"meta", "img", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_report_needs_nothing_beside_it(photo_folder: Path, tmp_path: Path):
    text = make_report(photo_folder, tmp_path / "out")
    parser = References()
    parser.feed(text)
    assert not parser.open
    assert all(target.startswith("#") for target in parser.loads)  # inside a plot
    assert all(url.startswith(("data:", "#")) for url in re.findall(r"url\(([^)]*)\)", text))
    assert "<script" not in text


def test_the_same_run_gives_the_same_bytes(photo_folder: Path, tmp_path: Path):
    one, other = (make_report(photo_folder, tmp_path / name) for name in ("one", "other"))
    assert one == other
    files = [p.read_bytes() for p in sorted(tmp_path.glob("*/results.json"))]
    assert files[0] == files[1]


def test_the_report_names_no_place_of_this_machine(photo_folder: Path, tmp_path: Path):
    text = make_report(photo_folder, tmp_path / "out")
    assert str(tmp_path) not in text
    assert str(tmp_path) not in (tmp_path / "out" / "results.json").read_text()


def test_every_method_has_a_sheet_and_a_row(photo_folder: Path, tmp_path: Path):
    text = make_report(photo_folder, tmp_path / "out")
    for name in ("gray", "brown", "dashing"):
        assert f"<th>{name}</th>" in text
    assert "Worst 3 of brown by PSNR" in text
    assert "Best 3 of brown" in text
    for column in ("truth", "reference"):
        assert f"<th>{column}</th>" in text


def test_a_picture_stands_once_however_often_it_is_shown(photo_folder: Path, tmp_path: Path):
    text = make_report(photo_folder, tmp_path / "out")
    pictures = re.findall(r"base64,([^)]+)\)", text)
    shown = len(re.findall(r'role="img"', text))
    assert len(pictures) == 6 * 5  # photographs x (truth, reference, gray, brown, dashing)
    assert shown > len(pictures)


def test_a_method_without_an_answer_has_a_dash(photo_folder: Path, tmp_path: Path):
    text = make_report(photo_folder, tmp_path / "out")
    assert "dashing cannot answer auto" in text
    without_help = text[text.index("Without help") :]
    assert re.search(r"<tr><th>dashing</th><td>\N{EN DASH}</td>", without_help)


def test_a_method_without_any_answer_has_a_dash_and_no_pictures(photo_folder: Path, tmp_path: Path):
    class Silent(Gray):
        def cannot(self, case) -> str:
            return "needs hints"

    run = Run(get_protocol("hints"), [Gray(), Silent("silent")], find_photographs(photo_folder), limit=1)
    text = page(evaluate(run, tmp_path), tmp_path)
    assert "silent cannot answer this protocol: a dash stands there" in text
    assert "<th>silent</th><td>\N{EN DASH}</td>" in text
    assert text.count(">silent<") == 2  # a row of each table; nothing in the curves and sheets


def test_a_report_of_few_photographs_says_so(photo_folder: Path, tmp_path: Path):
    assert "These are few" in make_report(photo_folder, tmp_path / "out")


def test_the_sweep_is_drawn_beside_the_published_curve(photo_folder: Path, tmp_path: Path):
    run = Run(
        HintSweep(counts=(0, 1, 10)),
        [Gray(), CallablePredictor(brown, "brown")],
        find_photographs(photo_folder),
    )
    results = evaluate(run, tmp_path)
    text = page(results, tmp_path)
    assert "siggraph17, published" in text
    assert "revealed points" in text


def test_names_are_escaped(photo_folder: Path, tmp_path: Path):
    contestants = [Gray(), CallablePredictor(brown, "<b>&")]
    results = evaluate(Run(get_protocol("auto"), contestants, find_photographs(photo_folder)), tmp_path)
    text = page(results, tmp_path)
    assert "<th><b>&" not in text
    assert "&lt;b&gt;&amp;" in text


def make_results(means: dict[str, float], metric: str) -> Results:
    records = [Record("a.png", name, "auto", {metric: mean}) for name, mean in means.items()]
    facts: dict[str, dict[str, object]] = {name: {} for name in means}
    return Results(Heading("auto", 0, ("a.png",), 1, metrics=(metric,)), facts, tuple(records))


@pytest.mark.parametrize(
    ("metric", "means", "leading"),
    [
        ("psnr", {"a": 22.0, "b": 23.0}, {"b"}),
        ("ciede2000", {"a": 8.0, "b": 9.0}, {"a"}),
        ("colorfulness_difference", {"a": -3.0, "b": 2.0}, {"b"}),
        ("psnr", {"a": 22.001, "b": 22.004}, {"a", "b"}),  # equal as printed
        ("colorfulness", {"a": 1.0, "b": 2.0}, set()),
        ("psnr", {"a": 22.0}, set()),
    ],
)
def test_the_best_is_bold(metric: str, means: dict[str, float], leading: set[str]):
    columns = columns_of(make_results(means, metric), "auto")
    assert best(columns, metric) == leading
    text = markdown_table(columns, (metric,))
    for name in means:
        row = next(line for line in text.splitlines() if line.startswith(f"| {name} "))
        assert ("**" in row) is (name in leading)
