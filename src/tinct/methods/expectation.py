"""How expected colors are at the places of a photograph, by the semantic branch."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from tinct.color.bins import encode_bins

Array = NDArray[np.float32]

_STEP, _REACH = 2, 110
"""Units of a* b* between the colors of the table of bins, and the largest of a* and b* in it."""


def expectation(ab: Array, logarithms: Array) -> float:
    """The mean logarithm of the probabilities of colors at their places, in nats; 0 or less.

    Args:
        ab: CIE a*, b*, shape (H, W, 2).
        logarithms: the semantic branch's, of the 313 bins' probabilities at the same photograph's places, shape
            (h, w, 313).
    """
    return float(logarithms_of(at_places(ab, logarithms).ravel(), logarithms).mean(dtype=np.float64))


def logarithms_of(color: NDArray[np.complex128], logarithms: Array) -> Array:
    """The logarithms of the probabilities of colors at their places.

    Args:
        color: a* + i b* at each place, row by row, shape (..., h * w).
        logarithms: see `expectation`.
    Returns:
        The same shape as `color`.
    """
    bins = nearest_bins(color)
    found: Array = logarithms.reshape(bins.shape[-1], -1)[np.arange(bins.shape[-1]), bins]
    return found


def at_places(ab: Array, logarithms: Array) -> NDArray[np.complex128]:
    """The mean colors of the branch's places, a* + i b*, shape (h, w); see `expectation` for the arguments."""
    import cv2

    height, width = logarithms.shape[:2]
    small = cv2.resize(np.asarray(ab, np.float32), (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small[..., 0] + 1j * small[..., 1], np.complex128)


def nearest_bins(color: NDArray[np.complex128]) -> NDArray[np.intp]:
    """The bin nearest to each color a* + i b*, to `_STEP` units; same shape."""
    row, column = (
        np.clip(np.rint((part + _REACH) / _STEP), 0, 2 * _REACH // _STEP).astype(np.intp)
        for part in (color.real, color.imag)
    )
    found: NDArray[np.intp] = _table()[row, column]
    return found


@cache
def _table() -> NDArray[np.intp]:
    """The bin nearest to each a* (rows) and b* (columns) of -`_REACH` to `_REACH` in steps of `_STEP`."""
    levels = np.arange(-_REACH, _REACH + 1, _STEP, dtype=np.float32)
    colors = np.stack(np.meshgrid(levels, levels, indexing="ij"), -1)
    return np.asarray(encode_bins(colors, neighbors=1)[0][..., 0], np.intp)
