"""8-bit colors settled on the lightness that they were made for, where rounding moved it most."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from tinct.color.srgb import RGB_TO_WHITE_XYZ, decode_srgb

_SETTLED, _ROUNDING = 0.17, 0.3
"""Errors of L* below the first are left (half a step is 0.196 on average); above the second they do not come
from rounding to 8 bits."""


def settle_lightness(pixels: NDArray[np.uint8], lightness: NDArray[np.float32]) -> None:
    """Move 8-bit colors by a step or two, in place, where rounding moved their L* most.

    Rounding three channels can add up to the half step that `tinct.photo.arrays.quantize` allows; a step of blue or
    red (a fourteenth or a fifth of the luminance) takes most of it back, and no eye sees it. Grays stay gray.

    Args:
        pixels: sRGB, shape (H, W, 3).
        lightness: the L* that the colors were made for, shape (H, W); where they differ by more than rounding
            can explain, the colors were meant to be so and stay.
    """
    flat = pixels.reshape(-1, 3)
    wanted, slope = _luminance_and_slope(lightness.reshape(-1))
    error = _luminance(flat)
    error -= wanted
    error /= slope
    apart = np.abs(error)
    chosen = np.flatnonzero((apart > _SETTLED) & (apart < _ROUNDING))
    colors = flat[chosen].astype(np.int16)
    tinted = (colors != colors[:, :1]).any(axis=1)
    chosen, colors = chosen[tinted], colors[tinted]
    wanted, slope, left = wanted[chosen], slope[chosen], apart[chosen]
    direction = -np.sign(error[chosen]).astype(np.int16)[:, None]
    for steps in ((0, 0, 1), (0, 0, 2), (1, 0, 0), (1, 0, 1), (0, 1, 0), (-1, 1, 0)):
        moved = np.clip(colors + direction * np.array(steps, np.int16), 0, 255).astype(np.uint8)
        remaining = np.abs(_luminance(moved) - wanted) / slope
        better = remaining < left
        flat[chosen[better]] = moved[better]
        left = np.minimum(left, remaining)
        again = left > _SETTLED
        chosen, colors, direction = chosen[again], colors[again], direction[again]
        wanted, slope, left = wanted[again], slope[again], left[again]


def _luminance(colors: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Y / Yn of sRGB colors, shape (N, 3), by three tables."""
    import cv2

    if not len(colors):
        return np.empty(0, np.float32)
    shares = cv2.LUT(colors.reshape(1, -1, 3), _luminance_tables())
    return np.asarray(cv2.transform(shares, np.ones((1, 3), np.float32)), np.float32).reshape(-1)


def _luminance_and_slope(lightness: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Y / Yn of L*, and dY / dL* there: errors of L* below a step are as good in luminance, and cost no cube root."""
    f = lightness + np.float32(16)
    f *= np.float32(1 / 116)
    squared = f * f
    f *= squared
    squared *= np.float32(3 / 116)
    dark = np.flatnonzero(lightness < 8)  # below, L* is linear in Y: 24389 / 27 of it
    f[dark], squared[dark] = lightness[dark] * np.float32(27 / 24389), np.float32(27 / 24389)
    return f, squared


@cache
def _luminance_tables() -> NDArray[np.float32]:
    """What each of the 256 values of red, green and blue adds to Y / Yn: shape (1, 256, 3)."""
    linear = decode_srgb(np.arange(256, dtype=np.uint8))
    return (RGB_TO_WHITE_XYZ[1] * linear[:, None]).astype(np.float32)[None]
