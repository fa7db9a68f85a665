"""Laws of the files around the code: one version, citations and workflows that are valid, links that lead somewhere."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

import tinct

ROOT = Path(__file__).resolve().parents[1]
PAGES = [path for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/**/README.md")]]


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_version_stands_in_one_place() -> None:
    for name in ("pyproject.toml", "packages/tinct-papers/pyproject.toml"):
        project = tomllib.loads(text(name))
        assert project["project"]["dynamic"] == ["version"]
        read = (ROOT / name).parent / project["tool"]["hatch"]["version"]["path"]
        assert read.resolve() == ROOT / "src/tinct/version.py"
    assert yaml.safe_load(text("CITATION.cff"))["version"] == tinct.__version__
    assert re.findall(r"^## (\S+)", text("CHANGELOG.md"), re.M)[0] == tinct.__version__


def test_the_licences_are_the_same() -> None:
    assert text("LICENSE") == text("packages/tinct-papers/LICENSE")


def test_the_workflow_runs_the_checks_on_every_system_and_python_that_is_promised() -> None:
    jobs = yaml.safe_load(text(".github/workflows/ci.yml"))["jobs"]
    runs = {step["run"].split(" PY")[0] for job in jobs.values() for step in job["steps"] if "run" in step}
    wanted = set(re.findall(r"^make \S+", text(".ci/run"), re.M))
    assert len(wanted) >= 3
    assert wanted <= runs
    targets = set(re.findall(r"^([a-z-]+):", text("Makefile"), re.M))
    assert {run.removeprefix("make ") for run in runs} <= targets
    classifiers = tomllib.loads(text("pyproject.toml"))["project"]["classifiers"]
    pythons = re.findall(r"Python :: (3\.\d+)", " ".join(classifiers))
    for name in ("tests", "wheel"):
        assert jobs[name]["strategy"]["matrix"]["python"] == pythons
        assert len(jobs[name]["strategy"]["matrix"]["system"]) == 3


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    content = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", content):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), f"{target} is not there"
        assert not anchor or anchor in anchors(file), f"{target} is not a heading of {file.name}"


def anchors(page: Path) -> set[str]:
    """What the headings of a page may be linked by."""
    found = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def test_every_decision_has_a_date_and_a_status() -> None:
    _, *entries = re.split(r"^## ", text("docs/decisions.md"), flags=re.M)
    assert len(entries) > 40
    for entry in entries:
        title, empty, line, *_ = entry.split("\n")
        assert re.fullmatch(r"20\d\d-\d\d-\d\d, (in force|amended|superseded)\b.*\.", line), title
        assert not empty
