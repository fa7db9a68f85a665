"""Laws of the hashes that tell records of changed code apart: each covers what its scores rest on, and no more."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tinct.evaluation.run import code_hash
from tinct.methods import METHODS

MODULES = {name: METHODS[name].split(":")[0] for name in ("tinct", "reinhard", "welsh", "levin")}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the package's source, to change."""
    copy = tmp_path / "tinct"
    shutil.copytree(
        code_hash.PACKAGE, copy, ignore=lambda folder, names: [n for n in names if n.endswith(".onnx")]
    )
    monkeypatch.setattr(code_hash, "PACKAGE", copy)
    yield copy
    forget()


def forget() -> None:
    for kept in (code_hash.measuring_code, code_hash.method_code, code_hash._measuring_files):
        kept.cache_clear()


def hashes() -> dict[str, str]:
    forget()
    return {
        "run": code_hash.measuring_code(),
        **{n: code_hash.method_code(module) for n, module in MODULES.items()},
    }


def changed_by(file: Path, line: str) -> set[str]:
    """What has another hash once a line is put below a file's source."""
    before = hashes()
    file.write_text(file.read_text() + f"\n{line}\n")
    after = hashes()
    return {name for name in before if before[name] != after[name]}


@pytest.mark.parametrize(
    ("file", "changed"),
    [
        ("methods/classical/welsh.py", {"welsh"}),
        ("networks/tinct/method.py", {"tinct"}),
        ("networks/tinct/network.py", {"tinct"}),
        ("colorizing/colorizer.py", set(MODULES)),
        ("color/lab.py", {"run"}),
        ("color/upsampling.py", {"run"}),
        ("evaluation/metrics/error.py", {"run"}),
        ("evaluation/protocols/case.py", {"run"}),
        ("evaluation/report/plots.py", set()),
        ("evaluation/study/app.py", set()),
        ("evaluation/run/journal.py", set()),
        ("evaluation/run/measuring.py", {"run"}),
        ("evaluation/run/timing_process.py", set()),
        ("methods/__init__.py", set()),
        ("training/loop.py", set()),
        ("cli/evaluate.py", set()),
        ("web/app.py", set()),
    ],
)
def test_a_change_is_seen_where_scores_rest_on_it(package: Path, file: str, changed: set[str]):
    assert changed_by(package / file, "CHANGED = 1") == changed


def test_the_engine_that_runs_a_network_counts_for_it(package: Path):
    assert "tinct" in changed_by(package / "inference/openvino_engine.py", "CHANGED = 1")


def test_comments_and_docstrings_change_nothing(package: Path):
    file = package / "color/lab.py"
    assert changed_by(file, "# a remark") == set()
    file.write_text(file.read_text().replace('"""', '"""More: ', 1))
    assert changed_by(file, "") == set()


def test_a_file_that_moves_changes_nothing(package: Path):
    before = hashes()
    (package / "color" / "lab.py").rename(package / "color" / "cielab.py")
    for file in package.rglob("*.py"):
        file.write_text(file.read_text().replace("tinct.color.lab ", "tinct.color.cielab "))
    assert hashes() == before


def test_a_new_part_of_the_evaluation_counts(package: Path):
    before = hashes()["run"]
    (package / "evaluation" / "metrics" / "beauty.py").write_text("BEAUTY = 1")
    assert hashes()["run"] != before


def test_what_is_named_as_making_no_records_is_there():
    for name in code_hash.WITHOUT_RECORDS:
        assert (code_hash.PACKAGE / "evaluation" / name).exists()
