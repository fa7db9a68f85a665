"""What the tests of several doors need."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import tinct


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program `tinct` of this Python, in a folder whose name has a space."""
    path = tmp_path / "a program" / "tinct"
    path.parent.mkdir()
    source = Path(tinct.__file__).parents[1]
    path.write_text(f'#!/bin/sh\nPYTHONPATH="{source}" exec "{sys.executable}" -m tinct "$@"\n')
    path.chmod(0o755)
    return path
