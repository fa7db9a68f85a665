"""sRGB to CIE Lab and back (CIE 15:2004, section 8.2.1; D65), exact on the gray axis.

The white point is the sum of the RGB matrix's rows, and each channel is computed as the gray it would be plus
what differs from gray: so r = g = b gives a* = b* = 0 to the last bit, and a* = b* = 0 gives r = g = b.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tinct.color.srgb import (
    RGB_TO_WHITE_XYZ,
    WHITE_XYZ_TO_RGB,
    blocks,
    decode_srgb,
    encode_srgb,
    look_up,
    power,
)
from tinct.errors import ShapeError

Array = NDArray[np.float32]
Planes = tuple[Array, Array, Array]

_DELTA = 6.0 / 29.0
_KNEE = np.float32(_DELTA**3)
_SLOPE = np.float32(1 / (3 * _DELTA**2))


def rgb_to_lab(rgb: NDArray[np.generic]) -> Array:
    """Convert sRGB to CIE Lab.

    Args:
        rgb: shape (..., 3); float in 0..1, or uint8 or uint16 over their whole range.
    Returns:
        L* 0..100, a*, b*, shape (..., 3), float32; D65. Grays are exactly (L*, 0, 0).
    Raises:
        ShapeError: if the last axis is not 3 long.
    """
    pixels = _pixels(rgb, "rgb")
    lab = np.empty(pixels.shape, np.float32)
    for block in blocks(len(pixels)):
        planes = _xyz_from_linear(_linear_planes(pixels[block]))
        fx, fy, fz = (_lab_curve(plane) for plane in planes)
        out = lab[block]
        out[:, 0] = np.float32(116) * fy - np.float32(16)
        out[:, 1] = np.float32(500) * (fx - fy)
        out[:, 2] = np.float32(200) * (fy - fz)
    return lab.reshape(rgb.shape)


def lab_to_rgb(lab: NDArray[np.generic]) -> Array:
    """Convert CIE Lab to sRGB without clipping.

    Args:
        lab: L* 0..100, a*, b*, shape (..., 3); D65.
    Returns:
        sRGB, shape (..., 3), float32; outside 0..1 where the color is outside the gamut
        (`tinct.color.gamut.merge_lightness` brings it inside).
    Raises:
        ShapeError: if the last axis is not 3 long.
    """
    pixels = _pixels(lab, "lab")
    rgb = np.empty(pixels.shape, np.float32)
    for block in blocks(len(pixels)):
        lightness, a, b = (np.ascontiguousarray(pixels[block, i], np.float32) for i in range(3))
        for channel, plane in enumerate(linear_from_lab(lightness, a, b)):
            rgb[block, channel] = encode_srgb(plane)
    return rgb.reshape(lab.shape)


def rgb_to_lightness(rgb: NDArray[np.generic]) -> Array:
    """CIE L* of sRGB: the first channel of `rgb_to_lab`, bit for bit, for a third of the work.

    Args:
        rgb: shape (..., 3); float in 0..1, or uint8 or uint16 over their whole range.
    Returns:
        L*, shape (...), float32, 0..100.
    Raises:
        ShapeError: if the last axis is not 3 long.
    """
    pixels = _pixels(rgb, "rgb")
    lightness = np.empty(len(pixels), np.float32)
    for block in blocks(len(pixels)):
        luminance = _luminance(*_linear_planes(pixels[block]))
        lightness[block] = np.float32(116) * _lab_curve(luminance) - np.float32(16)
    return lightness.reshape(rgb.shape[:-1])


def gray_to_lightness(gray: NDArray[np.generic]) -> Array:
    """CIE L* of sRGB-encoded gray, equal to `rgb_to_lightness` of three equal channels.

    Args:
        gray: any shape; float in 0..1, or uint8 or uint16 over their whole range (read from a table).
    Returns:
        L*, same shape, float32, 0..100.
    """
    gray = np.asarray(gray)
    if gray.dtype in (np.uint8, np.uint16):
        return look_up(_lightness_table(gray.dtype.name), gray)
    flat = gray.reshape(-1)
    lightness = np.empty(flat.shape, np.float32)
    for block in blocks(len(flat)):
        lightness[block] = np.float32(116) * _lab_curve(decode_srgb(flat[block])) - np.float32(16)
    return lightness.reshape(gray.shape)


def linear_from_lab(lightness: Array, a: Array, b: Array) -> Planes:
    """Linear sRGB planes, unclipped, of Lab planes of one shape."""
    return LinearRay(lightness, a, b).at(np.float32(1))


class LinearRay:
    """Colors of fixed lightness and hue whose chroma is scaled; terms without the scale are computed once."""

    def __init__(self, lightness: Array, a: Array, b: Array) -> None:
        self._fy = (lightness + np.float32(16)) * np.float32(1 / 116)
        self._y = _lab_curve_inverse(self._fy)
        self._toward_x = a * np.float32(1 / 500)
        self._toward_z = b * np.float32(-1 / 200)

    @property
    def straight(self) -> NDArray[np.bool_]:
        """Where linear light is linear in the scale from 0 to 1: near black, where L* is."""
        highest = self._fy + np.maximum(np.maximum(self._toward_x, self._toward_z), 0)
        straight: NDArray[np.bool_] = highest < np.float32(_DELTA)
        return straight

    @property
    def gray(self) -> Array:
        """Linear light at scale 0, the same in all channels."""
        return self._y

    def at(self, scale: Array | np.float32) -> Planes:
        """Linear sRGB planes, unclipped, at chroma times `scale`."""
        x = _lab_curve_inverse(self._fy + self._toward_x * scale)
        x -= self._y
        z = _lab_curve_inverse(self._fy + self._toward_z * scale)
        z -= self._y
        planes = []
        for from_x, _, from_z in WHITE_XYZ_TO_RGB.astype(np.float32):
            plane = x * from_x
            plane += z * from_z
            plane += self._y
            planes.append(plane)
        return planes[0], planes[1], planes[2]


def _xyz_from_linear(planes: Planes) -> Planes:
    """Linear sRGB to X/Xn, Y/Yn, Z/Zn: green plus the differences from it, which are exactly 0 for gray."""
    red, green, blue = planes
    m = RGB_TO_WHITE_XYZ.astype(np.float32)
    r, b = red - green, blue - green
    return green + (m[0, 0] * r + m[0, 2] * b), _luminance(*planes), green + (m[2, 0] * r + m[2, 2] * b)


def _luminance(red: Array, green: Array, blue: Array) -> Array:
    m = RGB_TO_WHITE_XYZ[1].astype(np.float32)
    return green + (m[0] * (red - green) + m[2] * (blue - green))


def _lab_curve(t: Array) -> Array:
    """f(t) of CIE 15: the cube root above (6/29)^3, its tangent below."""
    root = power(np.maximum(t, _KNEE), 1 / 3)
    dark = np.minimum(t - _KNEE, 0)
    dark *= _SLOPE
    root += dark
    return root


def _lab_curve_inverse(f: Array) -> Array:
    dark = f - np.float32(_DELTA)
    np.minimum(dark, 0, out=dark)
    bright = np.maximum(f, np.float32(_DELTA))
    cube = bright * bright
    cube *= bright
    dark *= np.float32(3 * _DELTA**2)
    cube += dark
    return cube


def _linear_planes(pixels: NDArray[np.generic]) -> Planes:
    red, green, blue = (decode_srgb(np.ascontiguousarray(pixels[:, i])) for i in range(3))
    return red, green, blue


@lru_cache(maxsize=2)
def _lightness_table(dtype: str) -> Array:
    values = np.arange(np.iinfo(dtype).max + 1).astype(dtype)
    table = rgb_to_lightness(np.repeat(values[:, None], 3, axis=1))
    table.setflags(write=False)
    return table


def _pixels(image: NDArray[np.generic], what: str) -> NDArray[np.generic]:
    image = np.asarray(image)
    if image.ndim < 1 or image.shape[-1] != 3:
        raise ShapeError(
            f"{what} has shape {image.shape}; it must be (..., 3); put the channels on the last axis."
        )
    return image.reshape(-1, 3)
