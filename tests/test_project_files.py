"""Laws of the files around the code: one version, citations and workflows that are valid, links that lead somewhere."""

from __future__ import annotations

import ast
import re
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
import yaml

import tinct

ROOT = Path(__file__).resolve().parents[1]
MADE = {"build", "dist", "demo", "node_modules", "runs"}
"""Folders that are made and not tracked, beside those whose names begin with a point."""
PAGES = [
    path
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("[!.]*/**/README.md")]
    if not any(part in MADE or part.startswith(".") for part in path.relative_to(ROOT).parts)
]
PROGRAMS = [path for folder in ("benchmarks", "examples", "tools") for path in (ROOT / folder).rglob("*.py")]
"""Programs that no test runs as a whole."""


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


@pytest.mark.parametrize("page", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_names_of_the_code_that_a_page_gives_are_there(page: str) -> None:
    found = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text(page), flags=re.S))
    names = {name for name in found if re.fullmatch(r"[a-zA-Z_]\w*(\.\w+)+(\(\))?", name)}
    paths = {name for name in found if re.fullmatch(r"[\w./-]*/[\w./-]*", name) and "NAME" not in name}
    files = {
        name for name in paths if not name.startswith("../")
    }  # what lies beside the project may be missing
    assert len(names) + len(files) > 5
    missing = [
        name for name in files if not any((place / name).exists() for place in (ROOT, ROOT / "src/tinct"))
    ]
    missing += [
        name for name in names if not (ROOT / name).exists() and not is_named(name.removesuffix("()"))
    ]
    assert not missing


def is_named(dotted: str) -> bool:
    """Whether a dotted name, with or without its "tinct.", leads to a module or something in one."""
    if dotted.endswith(".py"):
        return any(ROOT.glob(f"src/tinct/**/{dotted}"))
    head, *rest = dotted.removeprefix("tinct.").split(".")
    if head[0].isupper():
        return head == "NAME" or reaches(getattr(tinct, head, None), rest)
    file = ROOT.joinpath("src", "tinct", head, *rest)
    if file.with_suffix(".py").exists() or "NAME" in rest:
        return True
    for depth in range(len(rest), -1, -1):
        try:
            module = import_module(".".join(["tinct", head, *rest[:depth]]))
        except ModuleNotFoundError:
            continue
        return reaches(module, rest[depth:])
    return False


def reaches(thing: object, attributes: list[str]) -> bool:
    """Whether attributes lead on from a thing."""
    for attribute in attributes:
        if not hasattr(thing, attribute):
            return False
        thing = getattr(thing, attribute)
    return thing is not None


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_a_program_imports_of_tinct_is_there(program: Path) -> None:
    for node in ast.walk(ast.parse(program.read_bytes())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == "tinct":
            for alias in node.names:
                if not hasattr(import_module(node.module), alias.name):
                    import_module(f"{node.module}.{alias.name}")
