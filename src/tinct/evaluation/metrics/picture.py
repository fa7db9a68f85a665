"""What every metric takes: a picture in 8 bits or in floats, and two of the same size."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinct.errors import ShapeError

Picture = NDArray[Any]
Array = NDArray[np.float32]


def to_8bit(rgb: Picture) -> NDArray[np.uint8]:
    """Round sRGB to 8 bits, which is what people are shown and what the field's tables are computed on.

    Args:
        rgb: shape (..., 3), uint8 (returned as it is) or float in 0..1 (clipped).
    Raises:
        ShapeError: if the type is another, or a value is not finite.
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
        ShapeError: if either is not (H, W, channels) with at least one pixel, or the sizes differ.
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
