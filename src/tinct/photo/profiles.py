"""ICC profiles (ICC.1:2022), which define the colors of pixels that are not sRGB.

Matrix and gray profiles are applied here, at the full depth of the pixels. A profile made of tables (scanners, CMYK)
is applied by LittleCMS, which imagecodecs brings, once, when the file is read.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinct.color.lab import gray_to_lightness
from tinct.color.srgb import RGB_TO_WHITE_XYZ, RGB_TO_XYZ, WHITE, decode_srgb, encode_srgb

Array = NDArray[np.float32]
Curve = Callable[[NDArray[np.float64]], NDArray[np.float64]]

BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
"""The Bradford matrix from XYZ to cone responses (ICC.1:2022, annex E)."""

D50 = np.array([0.9642, 1.0, 0.8249])
"""The profile connection space's white (ICC.1:2022, 7.2.16)."""

_SRGB_MATRIX_TOLERANCE = 0.004
_SRGB_CURVE_TOLERANCE = 0.0015
"""Profiles that call themselves sRGB differ by this much in their rounding and their curve's table."""

_MEDIA_RELATIVE, _BLACK_POINT_COMPENSATION = 1, 0x2000
"""LittleCMS's names for the usual rendering of photographs."""


_COLORANTS = (b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC")
_READ_TAGS = frozenset((*_COLORANTS, b"kTRC", b"A2B0"))


class ProfileError(ValueError):
    """A profile is damaged, or of a kind that has no meaning for its pixels."""


@dataclass(frozen=True)
class ColorProfile:
    """A gray or matrix profile: a curve for each channel, then a matrix to linear sRGB.

    Attributes:
        icc: the profile's bytes.
        curves: one (gray) or three (red, green, blue), encoded 0..1 to linear 0..1.
        matrix: linear device color to linear sRGB, shape (3, 3), rows summing to 1 so that gray stays gray.
    """

    icc: bytes
    curves: tuple[Curve, ...]
    matrix: NDArray[np.float64]

    def __reduce__(self) -> tuple[Callable[[bytes], ColorProfile | None], tuple[bytes]]:
        """A profile goes to another process as its bytes: its curves are functions."""
        return read_profile, (self.icc,)

    @property
    def is_gray(self) -> bool:
        """True for a profile of one channel; color pixels cannot keep it."""
        return len(self.curves) == 1

    @cached_property
    def is_srgb(self) -> bool:
        """True if the profile defines sRGB, to rounding."""
        grid = np.linspace(0, 1, 256)
        srgb = decode_srgb(grid)
        near = all(np.abs(curve(grid) - srgb).max() < _SRGB_CURVE_TOLERANCE for curve in self.curves)
        return near and bool(np.abs(self.matrix - np.eye(3)).max() < _SRGB_MATRIX_TOLERANCE)

    @cached_property
    def holds_srgb(self) -> bool:
        """True if every sRGB color has a value in this profile, so that a result can keep the profile."""
        if self.is_gray or abs(np.linalg.det(self.matrix)) < 1e-6:
            return False
        primaries = np.linalg.inv(self.matrix)
        inside = primaries.min() > -2e-3 and primaries.max() < 1 + 2e-3
        return bool(inside) and all(_spans(curve) for curve in self.curves)

    def to_srgb(self, pixels: NDArray[np.generic]) -> Array:
        """Pixels converted to encoded sRGB, float32, unclipped.

        Args:
            pixels: shape (..., 3), or (...) for gray, integers over their whole range or floats in 0..1.
        Returns:
            The same shape.
        """
        if pixels.ndim == 2:
            return encode_srgb(self._linear(pixels, self.curves[min(1, len(self.curves) - 1)]))
        planes = [self._linear(pixels[..., i], self.curves[i % len(self.curves)]) for i in range(3)]
        out = np.empty(pixels.shape, np.float32)
        m = self.matrix.astype(np.float32)
        for i in range(3):
            # green plus differences from it: exactly gray for gray, as in tinct.color.lab
            out[..., i] = encode_srgb(
                planes[1] + (m[i, 0] * (planes[0] - planes[1]) + m[i, 2] * (planes[2] - planes[1]))
            )
        return out

    def to_lightness(self, pixels: NDArray[np.generic]) -> Array:
        """CIE L* of pixels, 0..100: equal to that of `to_srgb`, for a third of the work.

        Args:
            pixels: as in `to_srgb`.
        """
        if pixels.ndim == 2:
            return np.clip(gray_to_lightness(self.to_srgb(pixels)), 0, 100)
        red, green, blue = (self._linear(pixels[..., i], self.curves[i % len(self.curves)]) for i in range(3))
        weights = (RGB_TO_WHITE_XYZ[1] @ self.matrix).astype(np.float32)
        luminance = green + (weights[0] * (red - green) + weights[2] * (blue - green))
        return np.clip(gray_to_lightness(encode_srgb(luminance)), 0, 100)

    def from_srgb(self, rgb: NDArray[np.generic]) -> Array:
        """Encoded sRGB converted to the profile's own values, float32, clipped to 0..1.

        Args:
            rgb: shape (..., 3), 0..1.
        """
        linear = decode_srgb(np.asarray(rgb, np.float32))
        m = np.linalg.inv(self.matrix).astype(np.float32)
        out = np.empty(linear.shape, np.float32)
        red, green, blue = (linear[..., i] for i in range(3))
        for i in range(3):
            plane = np.clip(green + (m[i, 0] * (red - green) + m[i, 2] * (blue - green)), 0, 1)
            values, codes = self._inverse_tables[i]
            out[..., i] = np.interp(plane, values, codes)
        return out

    def _linear(self, plane: NDArray[Any], curve: Curve) -> Array:
        if plane.dtype in (np.uint8, np.uint16):
            top = np.iinfo(plane.dtype).max
            table = curve(np.linspace(0, 1, top + 1)).astype(np.float32)
            return table[plane]
        return curve(np.asarray(plane, np.float64)).astype(np.float32)

    @cached_property
    def _inverse_tables(self) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        codes = np.linspace(
            0, 1, 4096
        )  # straight between two of these to less than a 16-bit step above black
        return [(np.maximum.accumulate(curve(codes)), codes) for curve in self.curves]


def read_profile(icc: bytes) -> ColorProfile | None:
    """Read a gray or matrix profile; None for a profile made of tables.

    Raises:
        ProfileError: if the profile is damaged.
    """
    try:
        profile = _read_profile(icc)
    except (struct.error, ValueError, IndexError, ArithmeticError, np.linalg.LinAlgError) as error:
        if isinstance(error, ProfileError):
            raise
        raise ProfileError("the ICC profile is damaged") from error
    if profile is not None:
        _check_curves(profile)
    return profile


def _check_curves(profile: ColorProfile) -> None:
    """Refuse curves whose values are no light: not finite, out of range, or falling."""
    grid = np.linspace(0, 1, 1024)
    with np.errstate(all="ignore"):
        values = [np.asarray(curve(grid), np.float64) for curve in profile.curves]
    for y in values:
        if not (np.isfinite(y).all() and y.min() >= -0.01 and y.max() <= 1.01 and np.diff(y).min() > -1e-4):
            raise ProfileError("the ICC profile has a curve that is not of light")
        if y[-1] - y[0] < 0.05:
            raise ProfileError("the ICC profile has a curve that is flat")
    if not np.isfinite(profile.matrix).all():
        raise ProfileError("the ICC profile has colors that are not finite")


def color_space(icc: bytes) -> str:
    """The color space of a profile: "RGB", "GRAY", "CMYK" (ICC.1:2022, 7.2.8)."""
    name = icc[16:20].decode("ascii", "replace").strip()
    return name if name.isprintable() and name else "unknown pixels"


def _read_profile(icc: bytes) -> ColorProfile | None:
    if len(icc) < 132 or icc[36:40] != b"acsp":
        raise ProfileError("the ICC profile has no header")
    (count,) = struct.unpack_from(">I", icc, 128)
    entries = [struct.unpack_from(">4sII", icc, 132 + 12 * i) for i in range(min(count, 100))]
    tags = {name: icc[offset : offset + size] for name, offset, size in entries if name in _READ_TAGS}
    if color_space(icc) == "GRAY":
        if b"A2B0" in tags or b"kTRC" not in tags:
            return None
        curve = _curve(tags[b"kTRC"])
        return ColorProfile(icc, (_through_lightness(curve) if icc[20:24] == b"Lab " else curve,), np.eye(3))
    needed = _COLORANTS
    if b"A2B0" in tags or not all(tag in tags for tag in needed):
        return None
    colorants = np.array([struct.unpack_from(">3i", tags[tag], 8) for tag in needed[:3]]).T / 65536
    return ColorProfile(icc, tuple(_curve(tags[tag]) for tag in needed[3:]), _to_linear_srgb(colorants))


def _to_linear_srgb(colorants: NDArray[np.float64]) -> NDArray[np.float64]:
    """From the profile's colorants (XYZ under D50) to linear sRGB, by the Bradford adaptation."""
    scale = np.diag((BRADFORD @ WHITE) / (BRADFORD @ D50))
    adapted = np.linalg.inv(BRADFORD) @ scale @ BRADFORD @ colorants
    matrix: NDArray[np.float64] = np.linalg.inv(RGB_TO_XYZ) @ adapted
    total = matrix.sum(axis=1, keepdims=True)
    if np.abs(total - 1).max() > 0.1:
        raise ProfileError("the ICC profile's white is not D50")
    return matrix / total


def _through_lightness(curve: Curve) -> Curve:
    """Luminance of a curve that gives L* / 100, as gray profiles have it whose connection space is Lab."""

    def luminance(x: NDArray[np.float64]) -> NDArray[np.float64]:
        lightness = 100 * curve(x)
        linear = lightness * 27 / 24389
        return np.where(lightness > 8, ((np.maximum(lightness, 0) + 16) / 116) ** 3, linear)

    return luminance


def _curve(tag: bytes) -> Curve:
    """A curveType or parametricCurveType (ICC.1:2022, 10.6 and 10.18)."""
    if tag[:4] == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        if count == 0:
            return lambda x: x
        if count == 1:
            gamma = struct.unpack_from(">H", tag, 12)[0] / 256
            return lambda x: np.clip(x, 0, None) ** gamma
        table = np.frombuffer(tag, ">u2", count, 12) / 65535
        return lambda x: np.interp(x, np.linspace(0, 1, count), table)
    if tag[:4] == b"para":
        return _parametric(tag)
    raise ProfileError(f"the ICC profile has a curve of an unknown kind {tag[:4]!r}")


def _parametric(tag: bytes) -> Curve:
    (kind,) = struct.unpack_from(">H", tag, 8)
    if kind > 4:
        raise ProfileError(f"the ICC profile has a parametric curve of an unknown kind {kind}")
    g, *rest = (v / 65536 for v in struct.unpack_from(f">{(1, 3, 4, 5, 7)[kind]}i", tag, 12))
    a, b, c, d, e, f = {
        0: lambda: (1, 0, 0, -np.inf, 0, 0),
        1: lambda: (*rest, 0, -rest[1] / rest[0], 0, 0),
        2: lambda: (rest[0], rest[1], 0, -rest[1] / rest[0], rest[2], rest[2]),
        3: lambda: (*rest, 0, 0),
        4: lambda: rest,
    }[kind]()
    return lambda x: np.where(x >= d, np.clip(a * x + b, 0, None) ** g + e, c * x + f)


def _spans(curve: Curve) -> bool:
    """True if a curve rises from black to white, so that it can be inverted."""
    y = curve(np.linspace(0, 1, 1024))
    return bool(abs(y[0]) < 1e-3 and abs(y[-1] - 1) < 1e-3 and np.diff(y).min() > -1e-6)


@lru_cache(maxsize=1)
def srgb_icc() -> bytes:
    """An sRGB profile, for results that cannot keep their source's profile; always the same bytes."""
    from PIL import ImageCms

    icc = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    icc[24:36] = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)  # LittleCMS writes the present time
    icc[84:100] = bytes(16)  # the profile's hash, optional, which included it
    return bytes(icc)


def convert_tables(pixels: NDArray[Any], icc: bytes) -> NDArray[Any]:
    """Convert pixels to sRGB through a profile made of tables, strip by strip and at their own depth.

    Args:
        pixels: shape (H, W) for gray, (H, W, 3) for RGB, (H, W, 4) for CMYK (0 is no ink), uint8 or uint16.
        icc: the profile.
    Returns:
        sRGB, shape (H, W, 3), or (H, W) where a gray profile gives nothing but neutral grays.
    Raises:
        ProfileError: if LittleCMS cannot use the profile.
    """
    import imagecodecs

    space = {2: "gray", 3: "rgb", 4: "cmyk"}[pixels.ndim if pixels.ndim == 2 else pixels.shape[2]]
    out = np.empty((*pixels.shape[:2], 3), pixels.dtype)
    rows = max(1, (1 << 18) // pixels.shape[1])
    try:
        for top in range(0, len(pixels), rows):
            out[top : top + rows] = imagecodecs.cms_transform(
                np.ascontiguousarray(pixels[top : top + rows]),
                icc,
                srgb_icc(),
                colorspace=space,
                outcolorspace="rgb",
                intent=_MEDIA_RELATIVE,
                flags=_BLACK_POINT_COMPENSATION,
            ).reshape(-1, *out.shape[1:])
    except (RuntimeError, ValueError) as error:
        raise ProfileError(f"the ICC profile cannot be used ({error})") from error
    neutral = space == "gray" and (out[..., 0] == out[..., 1]).all() and (out[..., 0] == out[..., 2]).all()
    return np.ascontiguousarray(out[..., 0]) if neutral else out
