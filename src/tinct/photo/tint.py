"""Whether a photograph has color: toned ones count as gray, and paper around a print does not count at all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

TINT_TOLERANCE = 1.75
"""Toned scans measure up to 1.6; of 538 color photographs all but one (a red shirt on white) 1.77 or more."""

_PAPER_LIGHTNESS, _PAPER_CHROMA, _BLACK_LIGHTNESS = 90.0, 8.0, 6.0
"""Lighter and less colored than the first two is a page or a margin; darker than the third is black."""

_LEAST_SHARE = 0.01
"""Of the visible area, what must be neither paper nor black for a judgement on that part alone."""

_STEPS = 20


def color_beside_tone(lab: Array, weights: Array | None = None) -> float:
    """How much color there is that is no function of lightness.

    A toned photograph's color is one: little is left of a*, b* once their mean at each lightness is taken away.

    Args:
        lab: CIE Lab, shape (N, 3).
        weights: how much each pixel counts, shape (N,); None is 1 for all.
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
    """The same of what is visible and neither paper white nor black; 0 where that is next to nothing.

    Args:
        lab: CIE Lab, shape (N, 3).
        opacity: shape (N,), 0..1.
    """
    paper = (lab[:, 0] > _PAPER_LIGHTNESS) & (np.hypot(lab[:, 1], lab[:, 2]) < _PAPER_CHROMA)
    weights = np.where(paper | (lab[:, 0] < _BLACK_LIGHTNESS), 0, opacity).astype(np.float32)
    enough = weights.sum() > _LEAST_SHARE * max(float(opacity.sum()), 1e-9)
    return color_beside_tone(lab, weights) if enough else 0.0
