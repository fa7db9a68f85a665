"""The sRGB gamut: colors outside it lose chroma, never lightness or hue."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinct.color.lab import linear_from_lab
from tinct.color.srgb import blocks, encode_srgb
from tinct.errors import ShapeError

Array = NDArray[np.float32]

_TOLERANCE = np.float32(2e-6)
"""How far linear light may leave 0..1 before it counts as outside: float32's rounding, L* moves by < 0.002."""

_BISECTIONS = 16


def fit_gamut(lightness: NDArray[np.generic], ab: NDArray[np.generic]) -> Array:
    """Scale chroma down to the sRGB gamut at the same lightness and hue.

    Along the ray from gray each color keeps the largest scale t <= 1 for which (L*, t a*, t b*) is inside; the
    boundary is found by bisection, for the pixels that are outside only.

    Args:
        lightness: CIE L*, shape (...), 0..100; outside of that range it is clipped.
        ab: CIE a*, b*, shape (..., 2).
    Returns:
        a*, b* inside the gamut, shape (..., 2), float32; colors already inside come back as they were.
    Raises:
        ShapeError: if the two shapes do not fit.
    """
    light, chroma = _matched(lightness, ab)
    fitted = np.empty(chroma.shape, np.float32)
    for block in blocks(len(light)):
        lightness_block, a, b = _planes(light[block], chroma[block])
        scale = _gamut_scale(lightness_block, a, b)
        fitted[block, 0] = a * scale
        fitted[block, 1] = b * scale
    return fitted.reshape(ab.shape)


def merge_lightness(lightness: NDArray[np.generic], ab: NDArray[np.generic]) -> Array:
    """Put predicted color under the photograph's own lightness.

    Args:
        lightness: CIE L*, shape (...), 0..100, D65.
        ab: CIE a*, b*, shape (..., 2); out-of-gamut colors lose chroma, never lightness.
    Returns:
        sRGB, shape (..., 3), float32 in 0..1.
    Raises:
        ShapeError: if the two shapes do not fit.
    """
    light, chroma = _matched(lightness, ab)
    rgb = np.empty((len(light), 3), np.float32)
    for block in blocks(len(light)):
        lightness_block, a, b = _planes(light[block], chroma[block])
        planes = linear_from_lab(lightness_block, a, b)
        outside = np.flatnonzero(_outside(*planes))
        if outside.size:
            some = lightness_block[outside], a[outside], b[outside]
            scale = _bisect_scale(*some)
            fitted = linear_from_lab(some[0], some[1] * scale, some[2] * scale)
            for plane, values in zip(planes, fitted, strict=True):
                plane[outside] = values
        for channel, plane in enumerate(planes):
            rgb[block, channel] = np.clip(encode_srgb(plane), 0, 1)
    return rgb.reshape(*lightness.shape, 3)


def _gamut_scale(lightness: Array, a: Array, b: Array) -> Array:
    scale = np.ones_like(lightness)
    outside = np.flatnonzero(_outside(*linear_from_lab(lightness, a, b)))
    if outside.size:
        scale[outside] = _bisect_scale(lightness[outside], a[outside], b[outside])
    return scale


def _bisect_scale(lightness: Array, a: Array, b: Array) -> Array:
    """The largest scale inside, from below, for colors that are outside at scale 1."""
    low = np.zeros_like(lightness)
    step = np.float32(0.5)
    for _ in range(_BISECTIONS):
        middle = low + step
        inside = ~_outside(*linear_from_lab(lightness, a * middle, b * middle))
        low = np.where(inside, middle, low)
        step *= np.float32(0.5)
    return low


def _outside(red: Array, green: Array, blue: Array) -> NDArray[np.bool_]:
    low = np.minimum(np.minimum(red, green), blue)
    high = np.maximum(np.maximum(red, green), blue)
    outside: NDArray[np.bool_] = (low < -_TOLERANCE) | (high > 1 + _TOLERANCE)
    return outside


def _planes(lightness: NDArray[np.generic], ab: NDArray[np.generic]) -> tuple[Array, Array, Array]:
    clipped = np.clip(np.asarray(lightness, np.float32), 0, 100)
    a, b = (np.ascontiguousarray(ab[:, i], np.float32) for i in range(2))
    return clipped, a, b


def _matched(
    lightness: NDArray[np.generic], ab: NDArray[np.generic]
) -> tuple[NDArray[np.generic], NDArray[np.generic]]:
    lightness, ab = np.asarray(lightness), np.asarray(ab)
    if ab.shape != (*lightness.shape, 2):
        raise ShapeError(
            f"ab has shape {ab.shape} but lightness has {lightness.shape}; "
            f"ab must be {(*lightness.shape, 2)}; call upsample_chroma(ab, guide=lightness) first."
        )
    return lightness.reshape(-1), ab.reshape(-1, 2)
