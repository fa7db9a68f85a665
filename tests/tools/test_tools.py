"""Laws of the tools' command lines: each explains itself, and bad input is one line and status 2."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools import benchmark, photograph_list, restamp, results_table

ROOT = Path(__file__).resolve().parents[2]
TOOLS = sorted(
    file.stem if file.is_file() else file.name
    for file in (ROOT / "tools").iterdir()
    if (file / "__main__.py").is_file() or (file.suffix == ".py" and "__main__" in file.read_text())
)


def test_the_tools_are_found():
    assert {"benchmark", "papers", "photograph_list", "restamp", "results_table"} <= set(TOOLS)


@pytest.mark.parametrize("name", TOOLS)
def test_each_tool_explains_itself(name: str):
    line = [sys.executable, "-m", f"tools.{name}", "--help"]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "usage" in done.stdout.lower()
    assert "--help" in done.stdout


def test_each_tool_is_named_in_the_documentation():
    files = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "Makefile"]
    pages = "".join(file.read_text() for file in files)
    missing = [name for name in TOOLS if f"-m tools.{name}" not in pages]
    assert not missing


def test_bad_input_is_one_line_and_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    nowhere = str(tmp_path / "nowhere")
    for main, line in (
        (benchmark.main, [nowhere, "--protocol", "auto", "-m", "gray"]),
        (benchmark.main, [nowhere, "--protocol", "magic"]),
        (photograph_list.main, ["check", nowhere, nowhere]),
        (results_table.main, [nowhere, "-o", str(tmp_path / "page.md")]),
        (restamp.main, [nowhere, nowhere, nowhere, nowhere]),
    ):
        assert main(line) == 2
        said = capsys.readouterr().err.splitlines()
        assert len([text for text in said if not text.endswith("...")]) == 1, said
    assert not list(tmp_path.iterdir())


def test_usage_that_is_wrong_has_status_2(capsys: pytest.CaptureFixture[str]):
    assert benchmark.main(["--magic"]) == 2
    assert "--magic" in capsys.readouterr().err
