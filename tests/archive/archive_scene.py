"""Small photographs and quick settings for tests of archives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from tinct.archive.manifest import Row, plan

QUICK = {"method": "levin", "size": 32}
"""Options by which a photograph takes milliseconds; a hint is needed."""

HINTS = b'{"points": [{"x": "50%", "y": "50%", "color": "#a03020"}]}'


def write_photographs(folder: Path, count: int, side: int = 24) -> list[Path]:
    """Gray photographs that all differ, `p000.png` and so on."""
    folder.mkdir(parents=True, exist_ok=True)
    y, x = np.mgrid[0:side, 0 : side + 8]
    paths = []
    for number in range(count):
        shade = 127 + 100 * np.sin(x / (3 + number % 7) + y / (4 + number % 5) + number)
        paths.append(folder / f"p{number:03}.png")
        Image.fromarray(shade.astype(np.uint8)).save(paths[-1])
    return paths


def write_hints(folder: Path) -> str:
    """A file of one hint in the middle."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "hints.json").write_bytes(HINTS)
    return str(folder / "hints.json")


def rows_of(tmp_path: Path, count: int) -> list[Row]:
    """The plan of a batch of new photographs in the folder `in`, with hints."""
    write_photographs(tmp_path / "in", count)
    return plan(str(tmp_path / "in"), hints=write_hints(tmp_path), options=QUICK)
