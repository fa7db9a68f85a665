"""Color beside a tone: toned photographs count as gray, and the paper around a print does not count."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

TINT_TOLERANCE = 1.75
"""The largest color beside a tone of a gray photograph, in a*, b* units: toned scans measure up to 1.6; of 538 color
photographs all but one (a red shirt on white) 1.77 or more."""

_PAPER_LIGHTNESS, _PAPER_CHROMA, _BLACK_LIGHTNESS = 90.0, 8.0, 6.0
"""Lighter and less colored than the first two is a page or a margin; darker than the third is black."""

_LEAST_SHARE = 0.01
"""Of the visible area, what must be neither paper nor black for a judgement on that part alone."""

_STEPS = 20


def color_beside_tone(lab: Array, weights: Array | None = None) -> float:
    """The amount of color that is no function of lightness.

    A toned photograph's color is such a function: little remains of a*, b* after the subtraction of their mean at each
    lightness.

    Args:
        lab: CIE Lab, shape (N, 3).
        weights: of each pixel, shape (N,); None is 1 for all.
    Returns:
        The mean distance of a*, b* from their mean at the same lightness, in 20 steps of L*.
    """
    weight = np.ones(len(lab)) if weights is None else weights.astype(np.float64)
    if weight.sum() <= 0:
        return 0.0
    step = np.clip(lab[:, 0] / (100 / _STEPS), 0, _STEPS - 1).astype(np.intp)
    count = np.maximum(np.bincount(step, weight, _STEPS), 1e-9)
    left = np.empty((len(lab), 2), np.float64)
    for channel in range(2):
        ab = lab[:, 1 + channel].astype(np.float64)
        left[:, channel] = ab - (np.bincount(step, ab * weight, _STEPS) / count)[step]
    return float((np.hypot(left[:, 0], left[:, 1]) * weight).sum() / weight.sum())


def color_off_paper(lab: Array, opacity: Array) -> float:
    """The amount of color, as in `color_beside_tone`, of visible pixels that are neither paper white nor black.

    The amount is 0 if these pixels are very few.

    Args:
        lab: CIE Lab, shape (N, 3).
        opacity: shape (N,), 0..1.
    """
    paper = (lab[:, 0] > _PAPER_LIGHTNESS) & (np.hypot(lab[:, 1], lab[:, 2]) < _PAPER_CHROMA)
    weights = np.where(paper | (lab[:, 0] < _BLACK_LIGHTNESS), 0, opacity).astype(np.float32)
    enough = weights.sum() > _LEAST_SHARE * max(float(opacity.sum()), 1e-9)
    return color_beside_tone(lab, weights) if enough else 0.0
