"""The sRGB gamut: colors outside it lose chroma, never lightness or hue."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tinct.color.lab import LinearRay, linear_from_lab
from tinct.color.srgb import blocks, encode_srgb
from tinct.errors import ShapeError

Array = NDArray[np.float32]

TOLERANCE = np.float32(2e-6)
"""Linear light that is outside 0..1 by at most this counts as inside: rounding that moves L* by less than 0.002."""

_BISECTIONS = 13
"""Number of bisections of the scale of chroma: 2 to the -13 of a chroma of 100 is 0.01."""

_BISECTED = 1 << 14
"""Number of pixels that are bisected at once."""


def fit_gamut(lightness: NDArray[np.generic], ab: NDArray[np.generic]) -> Array:
    """Scale chroma down to the sRGB gamut at the same lightness and hue.

    Along the ray from gray each color keeps the largest scale t <= 1 for which (L*, t a*, t b*) is inside;
    the boundary is found by bisection, near black by a division, for the pixels that are outside only.

    Args:
        lightness: CIE L*, shape (...), 0..100; outside of that range it is clipped.
        ab: CIE a*, b*, shape (..., 2).
    Returns:
        a*, b* inside the gamut, shape (..., 2), float32; colors already inside come back as they were.
    Raises:
        ShapeError: if the two shapes do not fit.
    """
    light, chroma = _matched(lightness, ab)
    fitted = chroma.astype(np.float32)
    outside = [
        block.start + np.flatnonzero(_outside(*linear_from_lab(*_planes(light[block], chroma[block]))))
        for block in blocks(len(light))
    ]
    for chosen, _, a, b in _fitted_blocks(light, chroma, outside):
        fitted[chosen, 0] = a
        fitted[chosen, 1] = b
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
    outside = []
    for block in blocks(len(light)):
        planes = linear_from_lab(*_planes(light[block], chroma[block]))
        outside.append(block.start + np.flatnonzero(_outside(*planes)))
        for channel, plane in enumerate(planes):
            rgb[block, channel] = np.clip(encode_srgb(plane), 0, 1)
    for chosen, lightness_block, a, b in _fitted_blocks(light, chroma, outside):
        for channel, plane in enumerate(linear_from_lab(lightness_block, a, b)):
            rgb[chosen, channel] = np.clip(encode_srgb(plane), 0, 1)
    return rgb.reshape(*np.shape(lightness), 3)


def _fitted_blocks(
    light: NDArray[np.generic], chroma: NDArray[np.generic], outside: list[NDArray[np.intp]]
) -> Iterator[tuple[NDArray[np.intp], Array, Array, Array]]:
    """The pixels that are outside, gathered into full blocks (bisection costs per call), with their ab."""
    indices = _joined(outside)
    for block in blocks(len(indices)):
        chosen = indices[block]
        lightness, a, b = _planes(light[chosen], chroma[chosen])
        scale = gamut_scale(lightness, a, b)
        yield chosen, lightness, a * scale, b * scale


def gamut_scale(lightness: Array, a: Array, b: Array) -> Array:
    """The largest scale of chroma inside the gamut, for colors that are outside at scale 1: shape (N,)."""
    scale = np.empty_like(lightness)
    bent = []
    for part in blocks(len(lightness)):
        ray = LinearRay(lightness[part], a[part], b[part])
        scale[part] = _solved(ray)
        bent.append(part.start + np.flatnonzero(~ray.straight))
    curved = _joined(bent)
    for start in range(0, len(curved), _BISECTED):
        chosen = curved[start : start + _BISECTED]
        scale[chosen] = _bisected(LinearRay(lightness[chosen], a[chosen], b[chosen]))
    return scale


def _joined(indices: list[NDArray[np.intp]]) -> NDArray[np.intp]:
    return np.concatenate(indices) if indices else np.empty(0, np.intp)


def _solved(ray: LinearRay) -> Array:
    """The scale where linear light is linear in it: near black a channel falls to 0, and none rises to 1."""
    red, green, blue = ray.at(np.float32(1))
    lowest = np.minimum(np.minimum(red, green), blue)
    solved: Array = np.clip((ray.gray + TOLERANCE) / np.maximum(ray.gray - lowest, TOLERANCE), 0, 1)
    return solved


def _bisected(ray: LinearRay) -> Array:
    low, step = np.zeros_like(ray.gray), np.float32(0.5)
    for _ in range(_BISECTIONS):
        inside = ~_outside(*ray.at(low + step))
        low += step * inside
        step *= np.float32(0.5)
    return low


def _outside(red: Array, green: Array, blue: Array) -> NDArray[np.bool_]:
    low = np.minimum(np.minimum(red, green), blue)
    high = np.maximum(np.maximum(red, green), blue)
    outside: NDArray[np.bool_] = (low < -TOLERANCE) | (high > 1 + TOLERANCE)
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
