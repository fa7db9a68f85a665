"""Photographs as arrays: checks of arrays from callers, and rounding of results to integers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinct.errors import ShapeError

Pixels = NDArray[Any]

_SLACK = 1e-3
"""How far floats may lie outside 0..1 and still count as rounding."""

_STRIP = 1 << 20
"""Samples that are moved at once."""


def checked(array: ArrayLike) -> Pixels:
    """Bring an array to (H, W) or (H, W, 1..4), uint8, uint16 or float32 in 0..1.

    Raises:
        ShapeError: for other shapes, no pixels, other types, NaN, infinity, or floats outside 0..1.
    """
    pixels = np.asarray(array)
    _check_shape(pixels)
    if pixels.dtype == np.bool_:
        return pixels.astype(np.uint8) * np.uint8(255)
    own = pixels.dtype.newbyteorder("=")
    if own in (np.uint8, np.uint16):
        return pixels.astype(own, copy=False)
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


def first_channels(array: Pixels, count: int) -> Pixels:
    """The first channels of an array that nobody else uses, moved together in the array's own memory where it can be.

    Args:
        array: shape (H, W, C); its contents are lost.
        count: the number of channels that stay.
    Returns:
        Shape (H, W) if `count` is 1, else (H, W, count), contiguous.
    """
    height, width, channels = array.shape
    shape = (height, width) if count == 1 else (height, width, count)
    flags = array.flags
    if count == channels or not (flags.owndata and flags.c_contiguous and flags.writeable):
        return np.ascontiguousarray(array[..., :count]).reshape(shape)
    rows = max(1, _STRIP // (width * channels))
    for top in range(0, height, rows):
        strip = array[top : top + rows, :, :count].copy().reshape(-1)
        array.reshape(-1)[top * width * count :][: strip.size] = strip
    array.resize(shape, refcheck=False)
    return array


def quantize(values: NDArray[np.generic], dtype: np.dtype[Any]) -> Pixels:
    """Round floats in 0..1 to a type's whole range; for float types only clip.

    Rounding each channel by itself moves L* by at most half the type's step for gray: the slope of the sRGB curve is a
    concave function of linear light, so the luminance-weighted mean of three slopes is at most the slope at the gray
    of the same luminance (below L* 8, where the curve turns linear, half a step at L* 8).
    """
    if dtype.kind == "f":
        return np.clip(values, 0, 1).astype(dtype)
    top = np.iinfo(dtype).max
    scaled = np.asarray(values, np.float32) * np.float32(top)
    np.clip(np.rint(scaled, out=scaled), 0, top, out=scaled)
    return scaled.astype(dtype)


def integers(pixels: Pixels) -> Pixels:
    """Pixels in the integer type of a file: floats in 0..1 become uint16, integers stay."""
    return quantize(pixels, np.dtype(np.uint16)) if pixels.dtype.kind == "f" else pixels


def with_rows_below(plane: Pixels, strip: NDArray[np.uint8]) -> Pixels:
    """Pixels with further rows below them.

    Args:
        plane: shape (H, W) or (H, W, 3), integers over their whole range or floats in 0..1.
        strip: gray, 0 black .. 255 white, shape (h, W).
    Returns:
        Shape (H + h, W) or (H + h, W, 3), of the same type.
    """
    whole = np.iinfo(plane.dtype).max if plane.dtype.kind == "u" else 1.0
    rows = (strip / 255 * whole).astype(plane.dtype)
    return np.concatenate([plane, rows if plane.ndim == 2 else np.repeat(rows[..., None], 3, axis=2)])
