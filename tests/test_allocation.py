"""Memory is kept between photographs, unless the user has said otherwise."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's malloc is asked")

FAULTS = """
import resource
import numpy as np
import tinct
gray = np.random.default_rng(0).integers(0, 255, (160, 240), np.uint8)
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(4):
    tinct.colorize(gray, method="tinct")
before = faults()
for _ in range(5):
    tinct.colorize(gray, method="tinct")
print(faults() - before)
"""


def faults(**variables: str) -> int:
    """Page faults of five photographs, after four."""
    asked = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    done = subprocess.run(
        [sys.executable, "-c", FAULTS], env={**asked, **variables}, capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def test_memory_is_kept_from_one_photograph_to_the_next() -> None:
    """The other process is told the least array that is not kept, as glibc's malloc begins with."""
    assert faults() < faults(MALLOC_MMAP_THRESHOLD_="131072") / 4
