"""Faded photographs: their tones are spread before a network sees them, which was trained on few of so little contrast.

Only what the network is shown changes, never the lightness of the result.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

FADED = 60.0
"""Span of tones, in units of L*, below which a photograph counts as faded and to which it is spread. Of 295 held-out
photographs 11 have less, fog and snow among them (docs/experiments.md, "Borders and faded tones")."""

USUAL = 90.0
"""Span of tones of most photographs; the nearer to none, the more the middle of the tones is moved to `MIDDLE`."""

MIDDLE = 50.0
"""CIE L* around which the tones of most photographs lie."""

MOST = 3.0
"""Greatest factor: what has hardly any tones is a blank sheet, whose grain is no picture."""

ENDS = 1.0, 99.0
"""Percentiles between which tones span."""

_KEPT = 2.0
"""Units of L* that are left to black and to white."""

_EVERY = 2
"""Of each so many rows and columns one is asked for its tones."""


def unfaded(lightness: Array) -> Array:
    """The lightness of a photograph, with its tones spread if they span less than `FADED`.

    Args:
        lightness: CIE L*, shape (H, W), 0..100.
    Returns:
        The same array, if the photograph is not faded.
    """
    low, high = np.percentile(lightness[::_EVERY, ::_EVERY], ENDS)
    span, middle = float(high - low), float(high + low) / 2
    if span >= FADED:
        return lightness
    factor = min(FADED / max(span, 1e-3), MOST)
    half = factor * span / 2
    moved = middle + (MIDDLE - middle) * (FADED - span) / (USUAL - span)
    moved = min(max(moved, half + _KEPT), 100 - _KEPT - half)
    return np.asarray(np.clip(moved + (lightness - middle) * factor, 0, 100), np.float32)
