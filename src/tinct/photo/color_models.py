"""Pixels of other color models converted to sRGB at their own depth: CMYK, CIE Lab, and samples of other types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinct.color.srgb import RGB_TO_XYZ, WHITE, encode_srgb
from tinct.errors import PhotoError
from tinct.photo.arrays import quantize
from tinct.photo.profiles import BRADFORD, D50, ProfileError, color_space, convert_tables

Pixels = NDArray[Any]

UNSIGNED, SIGNED, FLOAT = 1, 2, 3
"""TIFF's sample formats."""

CIE_LAB, ICC_LAB = 8, 9
"""TIFF's two ways to store Lab: a* and b* signed, or offset as in ICC profiles."""

_STRIP = 1 << 20
_SLACK = 1e-3


def by_strips(
    pixels: Pixels, convert: Callable[[Pixels], Pixels], dtype: Any, channels: tuple[int, ...]
) -> Pixels:
    """Convert an image strip by strip.

    Args:
        pixels: shape (H, W, ...).
        convert: converts rows.
        dtype: of the result.
        channels: the result has shape (H, W, *channels).
    """
    out = np.empty((*pixels.shape[:2], *channels), dtype)
    rows = max(1, _STRIP // pixels.shape[1])
    for top in range(0, len(pixels), rows):
        out[top : top + rows] = convert(pixels[top : top + rows])
    return out


def cmyk_to_srgb(pixels: Pixels, icc: bytes | None) -> tuple[Pixels, str]:
    """CMYK converted to sRGB, through its profile or by a plain formula, and a note that says which of the two.

    Args:
        pixels: shape (H, W, 4), uint8 or uint16; 0 is no ink.
        icc: the CMYK profile, or None.
    """
    why = "it is CMYK without a profile"
    if icc is not None and color_space(icc) == "CMYK":
        try:
            return convert_tables(pixels, icc), "it is CMYK; the pixels were converted to sRGB"
        except ProfileError:
            why = "its CMYK profile cannot be used"
    return by_strips(pixels, _guessed, pixels.dtype, (3,)), f"{why}; the colors are a plain guess"


def _guessed(cmyk: Pixels) -> Pixels:
    top = np.iinfo(cmyk.dtype).max
    light = top - cmyk[..., 3:].astype(np.int64)
    return np.clip(light - (cmyk[..., :3] * light * 2 + top) // (2 * top), 0, top).astype(cmyk.dtype)


def lab_to_srgb(pixels: Pixels, kind: int) -> Pixels:
    """CIE Lab under D50, as TIFF stores it, converted to sRGB; to gray where all of it has no color.

    Args:
        pixels: shape (H, W, 3), uint8 or uint16.
        kind: `CIE_LAB` or `ICC_LAB`.
    """
    deep = pixels.dtype == np.uint16
    if kind == CIE_LAB:
        top, unit, zero = (65535, 256, 0) if deep else (255, 1, 0)
    else:
        top, unit, zero = (65280, 256, 32768) if deep else (255, 1, 128)
    signed = np.dtype(np.int16 if deep else np.int8)

    def convert(rows: Pixels) -> Pixels:
        lightness = rows[..., 0] * np.float32(100 / top)
        stored = rows[..., 1:]
        ab = stored.view(signed) if kind == CIE_LAB else stored.astype(np.int32) - zero
        return quantize(_srgb_of_lab(lightness, ab.astype(np.float32) / np.float32(unit)), pixels.dtype)

    gray = bool((pixels[..., 1:] == zero).all())
    if gray:
        return by_strips(pixels, lambda rows: convert(rows)[..., 1], pixels.dtype, ())
    return by_strips(np.ascontiguousarray(pixels), convert, pixels.dtype, (3,))


def _srgb_of_lab(lightness: Pixels, ab: Pixels) -> Pixels:
    """Encoded sRGB, clipped, of L*, shape (H, W), and a*, b* under D50, shape (H, W, 2)."""
    f = (lightness.astype(np.float64) + 16) / 116
    curves = np.stack([f + ab[..., 0] / 500, f, f - ab[..., 1] / 200], axis=-1)
    relative = np.where(curves > 6 / 29, curves**3, (curves - 4 / 29) * 3 * (6 / 29) ** 2)
    scale = np.diag((BRADFORD @ WHITE) / (BRADFORD @ D50))
    matrix = np.linalg.inv(RGB_TO_XYZ) @ np.linalg.inv(BRADFORD) @ scale @ BRADFORD @ np.diag(D50)
    matrix /= matrix.sum(axis=1, keepdims=True)  # so that gray is exactly gray
    return np.clip(encode_srgb((relative @ matrix.T).astype(np.float32)), 0, 1)


def unsigned(pixels: Pixels, bits: int, sample_format: int, notes: list[str]) -> Pixels:
    """Samples of any type, over the whole range of uint8 or uint16.

    Unsigned samples of other depths are scaled, signed samples are offset by half their range, floats in 0..1 are read
    as by `Photo.from_array`.

    Args:
        pixels: the samples, any shape.
        bits: of a sample; the array's type may have more.
        sample_format: TIFF's: 1 unsigned, 2 signed, 3 floating point.
        notes: takes notes on the conversion.
    Raises:
        PhotoError: if floats lie outside 0..1.
    """
    if sample_format == FLOAT:
        return _from_floats(pixels, bits, notes)
    if sample_format == SIGNED:
        notes.append(f"its samples are signed; {-(1 << bits - 1)} is taken as black")
        pixels = by_strips(
            pixels, lambda rows: rows.astype(np.int64) + (1 << bits - 1), _whole_type(bits), pixels.shape[2:]
        )
    if pixels.dtype == np.bool_:
        pixels = pixels.astype(np.uint8)
    if bits in (8, 16):
        return pixels
    if bits > 16:
        notes.append(f"it has {bits} bits a channel; the result has 16")
    dtype = np.dtype(np.uint8 if bits < 8 else np.uint16)
    scale = (255 if bits < 8 else 65535) / ((1 << bits) - 1)
    return by_strips(pixels, lambda rows: np.rint(rows * scale), dtype, pixels.shape[2:])


def _whole_type(bits: int) -> Any:
    return np.uint8 if bits <= 8 else np.uint16 if bits <= 16 else np.uint32


def _from_floats(pixels: Pixels, bits: int, notes: list[str]) -> Pixels:
    low, high = float(np.min(pixels)), float(np.max(pixels))
    if np.isnan(low):
        raise PhotoError(
            "some of its samples are no numbers (NaN); replace them, by 0 for black, and save it again."
        )
    if not (low >= -_SLACK and high <= 1 + _SLACK):
        raise PhotoError(
            f"its samples are floating point from {low:.4g} to {high:.4g}; 0 to 1 was wanted; scale them first."
        )
    notes.append(f"its samples are floating point of {bits} bits; the result has 16")
    return by_strips(
        pixels,
        lambda rows: np.rint(np.clip(rows.astype(np.float64), 0, 1) * 65535),
        np.uint16,
        pixels.shape[2:],
    )


def divide_associated(color: Pixels, alpha: Pixels) -> None:
    """Divide color by alpha in the color's own memory, which undoes premultiplied (associated) alpha.

    Args:
        color: shape (H, W) or (H, W, 3), integers.
        alpha: shape (H, W), of the same type.
    """
    top = np.iinfo(color.dtype).max
    rows = max(1, _STRIP // color.shape[1])
    for start in range(0, len(color), rows):
        part = slice(start, start + rows)
        scale = top / np.maximum(alpha[part].astype(np.float32), 1)
        scale = scale if color.ndim == 2 else scale[..., None]
        color[part] = np.minimum(np.rint(color[part] * scale), top)
