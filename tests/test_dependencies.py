"""Laws of the dependencies: each has an upper bound, and an exact version that the checks run with."""

from __future__ import annotations

import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
USED = [Requirement(each) for each in chain(PROJECT["project"]["dependencies"], *EXTRAS.values())]
OTHERS = [requirement for requirement in USED if requirement.name != "tinct-papers"]
"""Dependencies that are not built from this repository."""

DEVELOPING = [Requirement(each) for each in PROJECT["dependency-groups"]["dev"]]


def constraints() -> dict[str, Version]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {name.lower().replace("_", "-"): Version(version) for name, version in pairs}


@pytest.mark.parametrize("requirement", USED, ids=str)
def test_a_dependency_has_a_lower_and_an_upper_bound(requirement: Requirement) -> None:
    assert {specifier.operator for specifier in requirement.specifier} == {">=", "<"}


@pytest.mark.parametrize("requirement", [*OTHERS, *DEVELOPING], ids=str)
def test_the_checks_have_an_exact_version_of_it_that_is_allowed(requirement: Requirement) -> None:
    assert requirement.specifier.contains(constraints()[requirement.name.lower()])


def test_torch_is_the_one_that_the_makefile_installs() -> None:
    found = re.search(r"^TORCH := torch==(\S+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert found
    assert Version(found[1]) == constraints()["torch"]
