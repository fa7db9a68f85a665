"""Color spaces that a file states without a profile: gamma and chromaticities (gAMA, cHRM), code points (H.273)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinct.color.srgb import RGB_TO_XYZ, WHITE, decode_srgb
from tinct.errors import PhotoError
from tinct.photo.arrays import quantize
from tinct.photo.color_models import by_strips
from tinct.photo.jpeg_xl_color import CUSTOM, StatedColor
from tinct.photo.profiles import BRADFORD, ColorProfile, Curve

_BT709, _P3, _BT2020, _NTSC, _BT601 = (
    ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)),
    ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
    ((0.708, 0.292), (0.17, 0.797), (0.131, 0.046)),
    ((0.63, 0.34), (0.31, 0.595), (0.155, 0.07)),
    ((0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),
)
_PRIMARIES = {1: _BT709, 2: _BT709, 5: _BT601, 6: _NTSC, 7: _NTSC, 9: _BT2020, 12: _P3}
_D65 = (0.3127, 0.3290)
_GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0}
_LIKE_SRGB = frozenset((1, 2, 6, 13, 14, 15))
"""sRGB, what nobody stated, and the television curves, which screens and browsers show as they show sRGB."""
_HDR = {16: "PQ", 18: "HLG"}

_USUAL_GAMMA = 1 / 2.2
"""gAMA of files whose writers meant sRGB (PNG, 11.3.2.2: 45455), taken for sRGB as browsers do."""


def png_profile(chunks: dict[bytes, list[bytes]], notes: list[str]) -> ColorProfile | None:
    """The color profile that a PNG's chunks state; None for sRGB. cICP wins over sRGB, and sRGB over gAMA.

    Args:
        chunks: the chunks' bodies by name.
        notes: takes notes on color spaces that cannot be kept.
    """
    for body in chunks.get(b"cICP", []):
        if len(body) == 4:
            return _coded(body, notes)
    if b"sRGB" in chunks or b"iCCP" in chunks:
        return None
    gamma = next(
        (struct.unpack(">I", body)[0] / 100000 for body in chunks.get(b"gAMA", []) if len(body) == 4), 0.0
    )
    primaries, white = _chromaticities(chunks)
    if not 0.01 < gamma < 10:
        return None
    if abs(gamma - _USUAL_GAMMA) < 0.005 and primaries == _BT709:
        return None
    notes.append(f"its gamma of {gamma:.5g} was applied; the pixels are sRGB now")
    curve = _srgb_curve if abs(gamma - _USUAL_GAMMA) < 0.005 else _power(1 / gamma)
    return _profile(curve, primaries, white)


def through_profile(profile: ColorProfile | None, pixels: NDArray[Any]) -> NDArray[Any]:
    """Pixels brought from a profile to sRGB, at their own depth; as they are where the profile is None."""
    if profile is None:
        return pixels
    dtype = pixels.dtype
    return by_strips(pixels, lambda rows: quantize(profile.to_srgb(rows), dtype), dtype, pixels.shape[2:])


def nclx_profile(coded: dict[str, Any], notes: list[str]) -> ColorProfile | None:
    """The color profile that a HEIC's code points state, for RGB over the whole range; None for sRGB.

    Args:
        coded: the code points by name.
        notes: takes notes on color spaces that cannot be kept.
    """
    primaries, transfer = coded.get("color_primaries"), coded.get("transfer_characteristics")
    if not (isinstance(primaries, int) and isinstance(transfer, int)):
        return None
    return _coded((primaries, transfer, 0, 1), notes)


def jpeg_xl_profile(color: StatedColor, notes: list[str]) -> ColorProfile | None:
    """The color profile that a JPEG XL's header states, for pixels as libjxl gives them; None for sRGB.

    Args:
        color: what the header states.
        notes: takes notes on color spaces that are applied or cannot be kept.
    Raises:
        PhotoError: if an ICC profile states the color, or whites or primaries that common spaces do not have.
    """
    if color.icc:  # libjxl gives either the profile's values or 8 bits of linear light
        raise PhotoError("it is a JPEG XL with an ICC profile, which is not read; save it as PNG or TIFF.")
    primaries = 12 if color.primaries == 11 else color.primaries
    if color.white != 1 or primaries not in _PRIMARIES or primaries == CUSTOM:
        raise PhotoError("it is a JPEG XL of rare primaries, which is not read; save it as PNG or TIFF.")
    if color.gamma is None:
        return _coded((primaries, color.transfer, 0, 1), notes)
    notes.append("its coded color was applied; the pixels are sRGB now")
    return _profile(_power(1 / max(color.gamma, 1e-3)), _PRIMARIES[primaries], _D65)


def _coded(body: Sequence[int], notes: list[str]) -> ColorProfile | None:
    primaries, transfer, matrix, whole_range = body
    if (
        transfer in _HDR
        or matrix != 0
        or primaries not in _PRIMARIES
        or transfer not in _LIKE_SRGB | _GAMMAS.keys()
    ):
        kind = _HDR.get(transfer, f"{primaries}/{transfer}/{matrix}/{whole_range}")
        notes.append(f"its color is coded as {kind}, which is not read; the pixels are taken as sRGB")
        return None
    if transfer in _LIKE_SRGB and primaries in (1, 2):
        return None
    notes.append("its coded color was applied; the pixels are sRGB now")
    curve = _srgb_curve if transfer in _LIKE_SRGB else _power(_GAMMAS[transfer])
    return _profile(curve, _PRIMARIES[primaries], _D65)


def _chromaticities(
    said: dict[bytes, list[bytes]],
) -> tuple[tuple[tuple[float, float], ...], tuple[float, float]]:
    for body in said.get(b"cHRM", []):
        if len(body) == 32:
            v = [each / 100000 for each in struct.unpack(">8I", body)]
            pairs = tuple(zip(v[2::2], v[3::2], strict=True))
            near = np.abs(np.array([v[:2], *pairs]) - np.array([_D65, *_BT709])).max() < 0.005
            return (_BT709, _D65) if near else (pairs, (v[0], v[1]))
    return _BT709, _D65


def _srgb_curve(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return decode_srgb(x).astype(np.float64)


def _power(exponent: float) -> Curve:
    return lambda x: np.asarray(np.clip(x, 0, None) ** exponent, np.float64)


def _profile(
    curve: Curve, primaries: tuple[tuple[float, float], ...], white: tuple[float, float]
) -> ColorProfile:
    matrix = np.eye(3)
    if primaries != _BT709 or white != _D65:
        with suppress(np.linalg.LinAlgError, ZeroDivisionError):  # chromaticities of no color
            matrix = _to_linear_srgb(primaries, white)
    return ColorProfile(b"", (curve,) * 3, matrix)


def _to_linear_srgb(
    primaries: tuple[tuple[float, float], ...], white: tuple[float, float]
) -> NDArray[np.float64]:
    columns = np.stack([_xyz(*pair) for pair in primaries], axis=1)
    source = _xyz(*white)
    to_xyz = columns * np.linalg.solve(columns, source)
    adapt = np.linalg.inv(BRADFORD) @ np.diag((BRADFORD @ WHITE) / (BRADFORD @ source)) @ BRADFORD
    matrix = np.asarray(np.linalg.inv(RGB_TO_XYZ) @ adapt @ to_xyz, np.float64)
    total = matrix.sum(axis=1, keepdims=True)
    return matrix / total if np.isfinite(matrix).all() and np.abs(total - 1).max() < 0.1 else np.eye(3)


def _xyz(x: float, y: float) -> NDArray[np.float64]:
    return np.array([x / y, 1.0, (1 - x - y) / y])
