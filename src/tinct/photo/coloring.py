"""Coloring a photograph's pixels: strip by strip in threads, at the photograph's own depth and in its color space."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tinct.errors import ShapeError
from tinct.photo.area_mean import strips
from tinct.photo.arrays import quantize
from tinct.threads import each_in_threads, threads

if TYPE_CHECKING:
    from tinct.photo.profiles import ColorProfile

Array = NDArray[np.float32]
Pixels = NDArray[Any]
Rows = Callable[[int, int, Array], NDArray[np.generic]]
"""A function from (top, bottom, L* of these rows) to sRGB, shape (bottom - top, W, 3), float in 0..1 or uint8."""

_LEAST_COLORED, _MOST_COLORED = 1 << 17, 1 << 19
"""Pixels that one thread colors at once: as few strips as there are threads cost least, as their NumPy waits for one
interpreter; each thread has some twenty planes of them."""


def rows_of(rgb: NDArray[np.generic], shape: tuple[int, int]) -> Rows:
    """A function that gives the rows of an array of colors, shape (H, W, 3).

    Args:
        rgb: sRGB, floats in 0..1.
        shape: height and width of the photograph.
    Raises:
        ShapeError: if the array has another height or width, or is not of floats.
    """
    if rgb.shape != (*shape, 3) or rgb.dtype.kind != "f":
        raise _misfit(rgb, (*shape, 3))
    return lambda top, bottom, _: rgb[top:bottom]


def colored_pixels(
    rows: Rows,
    lightness: Callable[[int, int], Array],
    shape: tuple[int, int],
    dtype: np.dtype[Any],
    profile: ColorProfile | None,
    into: Pixels | None = None,
) -> Pixels:
    """The pixels of a photograph in color.

    Args:
        rows: the colors; uint8 is accepted where pixels are sRGB of 8 bits.
        lightness: a function from (top, bottom) to CIE L* of these rows.
        shape: height and width.
        dtype: of the pixels.
        profile: the color space of the pixels; None for sRGB.
        into: pixels whose memory is used for the result, the photograph's own among them; None takes new memory.
    Returns:
        Shape (H, W, 3); sRGB of 8 bits is settled to the lightness (`color.settling`).
    Raises:
        ShapeError: if the shape of the colors does not fit, or a value is not finite.
    """
    from tinct.color.settling import settle_lightness

    height, width = shape
    eight_bit = profile is None and dtype == np.uint8
    pixels = np.empty((height, width, 3), dtype) if into is None else into

    def fill(strip: tuple[int, int]) -> None:
        top, bottom = strip
        known = lightness(top, bottom)
        rgb = rows(top, bottom, known)
        rounded = eight_bit and rgb.dtype == np.uint8
        _check(rgb, (bottom - top, width, 3), "u" if rounded else "f")
        if profile is not None:
            rgb = profile.from_srgb(np.clip(rgb, 0, 1))
        pixels[top:bottom] = rgb if rounded else quantize(rgb, dtype)
        if eight_bit:
            settle_lightness(pixels[top:bottom], known)

    share = -(-height // threads()) * width
    each_in_threads(fill, list(strips(height, width, min(max(share, _LEAST_COLORED), _MOST_COLORED))))
    return pixels


def _check(rgb: NDArray[np.generic], wanted: tuple[int, ...], kind: str) -> None:
    if rgb.shape != wanted or rgb.dtype.kind != kind:
        raise _misfit(rgb, wanted)
    if kind == "f" and not np.isfinite(rgb).all():
        raise ShapeError("the colors have NaN or infinity in them; sRGB in 0..1 was wanted.")


def _misfit(rgb: NDArray[np.generic], wanted: tuple[int, ...]) -> ShapeError:
    return ShapeError(
        f"the colors have shape {rgb.shape} and type {rgb.dtype}; {wanted} and float were wanted."
    )
