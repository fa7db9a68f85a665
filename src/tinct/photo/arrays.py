"""Photographs that come as arrays: what is taken, and how results go back into integers."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinct.errors import ShapeError

Pixels = NDArray[Any]

_SLACK = 1e-3
"""How far floats may lie outside 0..1 and still count as rounding."""

_SETTLED, _ROUNDING = 0.17, 0.3
"""Errors of L* below the first are left (half a step is 0.196 on average); above the second they do not come
from rounding to 8 bits."""


def checked(array: ArrayLike) -> Pixels:
    """Bring an array to (H, W) or (H, W, 1..4), uint8, uint16 or float32 in 0..1.

    Raises:
        ShapeError: for other shapes, no pixels, other types, NaN, infinity, or floats outside 0..1.
    """
    pixels = np.asarray(array)
    _check_shape(pixels)
    if pixels.dtype == np.bool_:
        return pixels.astype(np.uint8) * np.uint8(255)
    if pixels.dtype in (np.uint8, np.uint16):
        return pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    if pixels.dtype.kind != "f":
        raise ShapeError(
            f"the array is of type {pixels.dtype}; uint8, uint16 or float 0..1 was wanted; convert it first."
        )
    return _checked_floats(pixels)


def _check_shape(pixels: Pixels) -> None:
    fits = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in (1, 2, 3, 4))
    if not fits:
        raise ShapeError(
            f"the array has shape {pixels.shape}; (H, W) or (H, W, 1..4) was wanted; "
            "put the channels on the last axis and pass one photograph at a time."
        )
    if 0 in pixels.shape:
        raise ShapeError(f"the array has shape {pixels.shape}, no pixels; at least one was wanted.")


def _checked_floats(pixels: Pixels) -> Pixels:
    low, high = float(pixels.min()), float(pixels.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ShapeError(
            "the array has NaN or infinity in it; values in 0..1 were wanted; replace them first."
        )
    if low < -_SLACK or high > 1 + _SLACK:
        raise ShapeError(
            f"the array has floats from {low:.4g} to {high:.4g}; 0..1 was wanted; divide by the largest "
            "value its numbers can take, or pass uint8 or uint16."
        )
    return np.clip(pixels, 0, 1).astype(np.float32)


def quantize(values: NDArray[np.generic], dtype: np.dtype[Any]) -> Pixels:
    """Round floats in 0..1 to a type's whole range; float types only clip.

    Rounding each channel by itself moves L* by at most half the type's step for gray: the slope of the sRGB
    curve is a concave function of linear light, so the luminance-weighted mean of three slopes is at most the
    slope at the gray of the same luminance (below L* 8, where the curve turns linear, half a step at L* 8).
    """
    if dtype.kind == "f":
        return np.clip(values, 0, 1).astype(dtype)
    top = np.iinfo(dtype).max
    scaled = np.asarray(values, np.float32) * np.float32(top)
    np.clip(np.rint(scaled, out=scaled), 0, top, out=scaled)
    return scaled.astype(dtype)


def settle_lightness(pixels: NDArray[np.uint8], lightness: NDArray[np.float32]) -> None:
    """Move 8-bit colors by a step or two, in place, where rounding moved their L* most.

    Rounding three channels can add up to the half step that `quantize` allows; a step of blue or red (a
    fourteenth or a fifth of the luminance) takes most of it back, and no eye sees it. Grays stay gray.

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
    from tinct.color.srgb import RGB_TO_WHITE_XYZ, decode_srgb

    linear = decode_srgb(np.arange(256, dtype=np.uint8))
    return (RGB_TO_WHITE_XYZ[1] * linear[:, None]).astype(np.float32)[None]
