"""Small synthetic photographs for the evaluation's tests: colored blobs whose hue follows their lightness."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

CLASSES = ("field", "harbor")


def make_rgb(seed: int, height: int = 40, width: int = 56) -> NDArray[np.uint8]:
    """A smooth color picture, sRGB, (height, width, 3), uint8."""
    generator = np.random.default_rng(seed)
    coarse = generator.integers(20, 235, (5, 7, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def write_photographs(folder: Path) -> Path:
    """Six color photographs in two class folders."""
    for number in range(6):
        place = folder / CLASSES[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(make_rgb(number)).save(place / f"{number}.png")
    return folder
