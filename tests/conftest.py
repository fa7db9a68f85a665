"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")  # a busy machine is slow to draw examples, and no test compares times


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of photographs and frozen networks beside the project, or a skip that says why."""
    place = Path(os.environ.get("TINCT_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    if not (place / "data").is_dir():
        pytest.skip(f"needs the photographs and weights in {place}, which is not there")
    return place
