"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of photographs and frozen networks beside the project, or a skip that says why."""
    place = Path(os.environ.get("TINCT_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    if not (place / "data").is_dir():
        pytest.skip(f"needs the photographs and weights in {place}, which is not there")
    return place
