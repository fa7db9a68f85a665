"""Colorfulness of a picture, and its difference from the truth's."""

from __future__ import annotations

import math

import numpy as np

from tinct.errors import ShapeError
from tinct.evaluation.photographs.rgb import Picture, to_8bit


def colorfulness(rgb: Picture) -> float:
    """Colorfulness M3 (Hasler & Süsstrunk, Measuring Colourfulness in Natural Images, 2003).

    sqrt(var(rg) + var(yb)) + 0.3 sqrt(mean(rg)^2 + mean(yb)^2) with rg = R - G, yb = (R + G) / 2 - B on 8-bit
    sRGB.

    Args:
        rgb: shape (H, W, 3), uint8, or float 0..1 which is rounded to 8 bits first.
    Returns:
        0 for gray; 15 slightly, 33 moderately, 45 averagely, 59 quite, 82 highly, 109 extremely colorful.
    Raises:
        ShapeError: if `rgb` is not a picture.
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.size == 0:
        raise ShapeError(f"the picture has shape {rgb.shape}; (H, W, 3) is wanted; reshape it first.")
    red, green, blue = np.moveaxis(to_8bit(rgb).astype(np.float32), 2, 0)
    rg = red - green
    yb = (red + green) / 2 - blue
    spread = rg.var(dtype=np.float64) + yb.var(dtype=np.float64)
    offset = rg.mean(dtype=np.float64) ** 2 + yb.mean(dtype=np.float64) ** 2
    return math.sqrt(spread) + 0.3 * math.sqrt(offset)


def colorfulness_difference(result: Picture, truth: Picture) -> float:
    """Colorfulness of the result minus that of the truth: negative for a duller result, positive for a more vivid one.

    The field's tables print the absolute value of the mean over photographs, not the mean of absolute values.

    Args:
        result, truth: as `colorfulness` takes pictures; their sizes may differ.
    Raises:
        ShapeError: if one of the two is not a picture.
    """
    return colorfulness(result) - colorfulness(truth)
