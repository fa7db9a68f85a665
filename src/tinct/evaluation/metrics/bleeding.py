"""Bleeding: edges of chroma where the lightness has none."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinct.errors import ShapeError

Array = NDArray[np.float32]

LIGHTNESS_EDGE = 3.0
"""Slope in L* a pixel from which lightness has a full edge; a smaller slope is an edge in proportion."""

EDGE_REACH = 1
"""Largest distance in pixels between a chroma edge and the lightness edge that it belongs to."""

ROUNDING = 0.03
"""Added to the mean chroma slope, ab units a pixel: the rounding of a nearly gray result then is no bleeding."""


def bleeding(ab: Array, lightness: Array) -> float:
    """Mean chroma slope where lightness is flat, as a share of the mean chroma slope of the whole photograph.

    Slopes are Sobel gradients in units a pixel. The flatness of a pixel is 1 - min(1, s / 3), s the steepest lightness
    slope within one pixel; the mean chroma slope weighted by flatness is divided by the plain mean. Blurred
    and displaced color both move chroma slopes from lightness edges to flat places.

    The field counts bleeding by eye; this definition is tinct's own, chosen on forty training photographs of 224
    pixels: the truth has 0.40; chroma averaged and enlarged 4, 8, 16 times has 0.42, 0.53, 0.66; chroma displaced by 3
    pixels has 0.61. These values are above the truth's for 70, 85, 92 and 100 % of the photographs. True photographs
    have chroma edges without lightness edges: compare results of one photograph at one size.

    Args:
        ab: CIE a*, b*, shape (H, W, 2).
        lightness: CIE L*, shape (H, W), 0..100.
    Returns:
        0 (chroma changes only where lightness does, or never) to about 1 (chroma is independent of lightness).
    Raises:
        ShapeError: if `ab` and `lightness` differ in height or width.
    """
    import cv2

    if ab.ndim != 3 or ab.shape != (*lightness.shape, 2) or ab.size == 0:
        raise ShapeError(
            f"ab is {ab.shape} but lightness is {lightness.shape}; (H, W, 2) and (H, W) are wanted."
        )
    window = np.ones((2 * EDGE_REACH + 1, 2 * EDGE_REACH + 1), np.uint8)
    slope = cv2.dilate(np.sqrt(_squared_slope(lightness)), window)
    flatness = 1 - np.minimum(slope / np.float32(LIGHTNESS_EDGE), 1)
    chroma = np.sqrt(_squared_slope(ab[..., 0]) + _squared_slope(ab[..., 1]))
    flat = float(flatness.sum(dtype=np.float64))
    if flat == 0:
        return 0.0
    in_flat = float((chroma * flatness).sum(dtype=np.float64)) / flat
    return in_flat / (float(chroma.mean(dtype=np.float64)) + ROUNDING)


def _squared_slope(plane: Array) -> Array:
    """Squared Sobel gradient in units a pixel; the border is repeated."""
    import cv2

    plane = np.ascontiguousarray(plane, np.float32)
    x, y = (
        cv2.Sobel(plane, cv2.CV_32F, *order, ksize=3, scale=1 / 8, borderType=cv2.BORDER_REPLICATE)
        for order in ((1, 0), (0, 1))
    )
    return np.asarray(x * x + y * y)
