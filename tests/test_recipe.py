"""The conda recipe says what pyproject.toml says; conda itself is not needed."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import tinct

ROOT = Path(__file__).resolve().parents[1]
RECIPE = (ROOT / "recipe" / "meta.yaml").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

CONDA_NAMES = {"opencv-python-headless": "py-opencv"}
"""What conda-forge calls a package that the package index calls otherwise."""


def listed(section: str) -> list[str]:
    """The items of one list of the recipe."""
    found = re.search(rf"^  {section}:\n((?:    - .*\n)+)", RECIPE, re.MULTILINE)
    assert found is not None
    return re.findall(r"- (.*)", found[1])


def as_conda(requirement: str) -> str:
    name, bounds = re.fullmatch(r"([\w-]+)(.*)", requirement).groups()  # type: ignore[union-attr]
    return f"{CONDA_NAMES.get(name, name)} {bounds}"


def test_versions_agree() -> None:
    assert f'set version = "{tinct.__version__}"' in RECIPE


def test_what_is_needed_agrees() -> None:
    project = PROJECT["project"]
    wanted = [f"python {project['requires-python']}", *map(as_conda, project["dependencies"])]
    assert listed("run") == wanted
    assert set(map(as_conda, PROJECT["build-system"]["requires"])) < set(listed("host"))


def test_the_program_agrees() -> None:
    (program,) = PROJECT["project"]["scripts"].items()
    assert listed("entry_points") == [" = ".join(program)]
