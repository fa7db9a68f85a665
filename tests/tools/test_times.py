"""Laws of Table 1: what a benchmark kept is what the page has, and ratios are of one run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tinct.evaluation.report.tables import DASH
from tools.papers.times import PUBLISHED, TIMES, times_table

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    content = {
        "processor": "A Kind",
        "cores": 1,
        "clock": "wall",
        "baseline": "welsh",
        "seconds": {
            "welsh": {"256": 0.2, "512": 0.8},
            "gupta": {"256": 7.0, "512": None},
            "tinct": {"256": 0.1, "512": 1.2},
        },
    }
    (tmp_path / "times.json").write_text(json.dumps(content))
    return tmp_path / "times.json"


def test_ratios_are_to_the_baseline_at_the_same_size(kept):
    text = times_table(kept, print).text
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert rows[:6] == [
        "| `welsh` | 0.200 | 0.800 |",
        f"| `gupta` | 7.0 | {DASH} |",
        "| `tinct` | 0.100 | 1.2 |",
        "| `welsh` | 1 | 1 |",
        f"| `gupta` | 35 | {DASH} |",
        "| `tinct` | 0.5 | 1.5 |",
    ]
    assert '1 core of a processor of the kind "A Kind"' in text
    assert all(f"`{name}`" in text for name in PUBLISHED)


def test_missing_times_are_said(tmp_path):
    said: list[str] = []
    assert times_table(tmp_path / "none.json", said.append) is None
    assert "benchmarks/methods.py --json" in said[0]


def test_the_benchmark_keeps_what_the_table_reads(tmp_path):
    file = tmp_path / "times.json"
    line = [
        sys.executable,
        "benchmarks/methods.py",
        "--only",
        "welsh",
        "reinhard",
        "--cpu",
        "--sizes",
        "32",
        "48",
    ]
    subprocess.run([*line, "--json", str(file)], cwd=ROOT, check=True, capture_output=True)
    content = json.loads(file.read_text())
    assert content["processor"]
    assert content["cores"] >= 1
    assert all(row["48"] > 0 for row in content["seconds"].values())
    text = times_table(file, print).text
    assert "| `reinhard` | 1 | 1 |" in text
    assert "processor time" in text


def test_the_published_page_has_the_kept_times():
    section = times_table(ROOT / TIMES, print)
    assert section.text.strip() in (ROOT / "docs" / "papers.md").read_text(encoding="utf-8")
