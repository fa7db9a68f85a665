"""Bleeding: color that changes where the photograph does not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinct.errors import ShapeError

Array = NDArray[np.float32]

# A lightness slope of this many L* a pixel is an edge; below it, an edge in proportion.
LIGHTNESS_EDGE = 3.0

# A chroma edge belongs to a lightness edge at most this many pixels away.
REACH = 1

# Added to the mean chroma slope (ab units a pixel), so that the rounding of a nearly gray result is no
# bleeding.
ROUNDING = 0.03


def bleeding(ab: Array, lightness: Array) -> float:
    """How steep chroma is where lightness is flat, against how steep it is in the whole photograph.

    With |grad| by Sobel in units a pixel: each pixel is flat by 1 - min(1, s / 3), s the steepest lightness
    slope within one pixel; the mean chroma slope weighted by flatness is divided by the plain mean. Blurred
    and displaced color both move their slope from lightness edges to flat places.

    A definition of our own (the field counts bleeding by eye), chosen on forty training photographs of 224
    pixels: the truth has 0.40; chroma averaged and enlarged 4, 8, 16 times 0.42, 0.53, 0.66; displaced by 3
    pixels 0.61. It ranks these above the truth in 70, 85, 92 and 100 % of them. True photographs have chroma
    edges without lightness edges: compare results of one photograph at one size.

    Args:
        ab: CIE a*, b*, shape (H, W, 2).
        lightness: CIE L*, shape (H, W), 0..100.
    Returns:
        0 (chroma changes only where lightness does, or never) to about 1 (it takes no notice of lightness).
    Raises:
        ShapeError: if the two differ in height or width.
    """
    import cv2

    if ab.ndim != 3 or ab.shape != (*lightness.shape, 2) or ab.size == 0:
        raise ShapeError(
            f"ab is {ab.shape} but lightness is {lightness.shape}; (H, W, 2) and (H, W) are wanted."
        )
    window = np.ones((2 * REACH + 1, 2 * REACH + 1), np.uint8)
    slope = cv2.dilate(np.sqrt(_squared_slope(lightness)), window)
    flatness = 1 - np.minimum(slope / np.float32(LIGHTNESS_EDGE), 1)
    chroma = np.sqrt(_squared_slope(ab[..., 0]) + _squared_slope(ab[..., 1]))
    flat = float(flatness.sum(dtype=np.float64))
    if flat == 0:
        return 0.0
    in_flat = float((chroma * flatness).sum(dtype=np.float64)) / flat
    return in_flat / (float(chroma.mean(dtype=np.float64)) + ROUNDING)


def _squared_slope(plane: Array) -> Array:
    """Squared gradient in units a pixel; the border is repeated."""
    import cv2

    plane = np.ascontiguousarray(plane, np.float32)
    x, y = (
        cv2.Sobel(plane, cv2.CV_32F, *order, ksize=3, scale=1 / 8, borderType=cv2.BORDER_REPLICATE)
        for order in ((1, 0), (0, 1))
    )
    return np.asarray(x * x + y * y)
