"""Pictures as arrays: reading a file, rounding to 8 bits, and checks of shape and color."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinct.errors import EvaluationError, PhotoError, ShapeError

Image = NDArray[np.uint8]
"""sRGB, shape (H, W, 3), 0..255."""

Picture = NDArray[Any]
"""sRGB, shape (H, W, 3), uint8 in 0..255 or float in 0..1."""


def read_rgb(path: Path) -> Image:
    """Decode a file to sRGB, shape (H, W, 3), uint8, upright.

    The file is read as the photographs of users are (`Photo.read`): its colors are those of its ICC profile.

    Raises:
        EvaluationError: if the file cannot be decoded.
    """
    from tinct.photo import Photo

    try:
        return to_8bit(Photo.read(path).rgb())
    except PhotoError as error:
        raise EvaluationError(str(error)) from None


def is_gray(rgb: Image) -> bool:
    """True for a picture without color or of a single tint (`Photo.is_gray`), which cannot be a truth."""
    from tinct.photo import Photo

    return Photo.from_array(rgb).is_gray()


def to_8bit(rgb: Picture) -> Image:
    """Round sRGB to 8 bits, on which the field's tables are computed.

    Args:
        rgb: shape (..., 3), uint8 (returned as it is) or float in 0..1 (clipped).
    Raises:
        ShapeError: if the array has another type, or a value is not finite.
    """
    if rgb.dtype == np.uint8:
        return rgb
    if rgb.dtype.kind != "f":
        raise ShapeError(f"a picture is {rgb.dtype}; uint8 0..255 or float 0..1 is wanted; convert it first.")
    if not np.isfinite(rgb).all():
        raise ShapeError("a picture holds NaN or infinity; finite sRGB 0..1 is wanted; mend it first.")
    return np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8)


def check_pair(result: Picture, truth: Picture, channels: int = 3) -> None:
    """Refuse two arrays that cannot be compared.

    Raises:
        ShapeError: if an array is not (H, W, channels) with at least one pixel, or the sizes differ.
    """
    for name, array in (("the result", result), ("the truth", truth)):
        if array.ndim != 3 or array.shape[2] != channels or array.size == 0:
            raise ShapeError(
                f"{name} has shape {array.shape}; (H, W, {channels}) is wanted; reshape it first."
            )
    if result.shape != truth.shape:
        raise ShapeError(
            f"the result is {result.shape[1]}x{result.shape[0]} but the truth is "
            f"{truth.shape[1]}x{truth.shape[0]}; resize one of them first."
        )
