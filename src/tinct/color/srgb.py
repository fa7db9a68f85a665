"""The sRGB transfer function and primaries (IEC 61966-2-1), on arrays of any size."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import cast

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

BLOCK = 1 << 15
"""Pixels that are converted at once: the dozen planes of a block stay in the processor's cache."""

_KNEE_ENCODED = np.float32(0.04045)
KNEE_LINEAR = np.float32(0.04045 / 12.92)
"""Linear light below which the transfer function is a straight line."""


def _rgb_to_xyz_matrix() -> NDArray[np.float64]:
    """Linear sRGB to XYZ from the chromaticities of the primaries and of D65 (IEC 61966-2-1, table 1)."""
    primaries = np.array([[0.64, 0.33], [0.30, 0.60], [0.15, 0.06]])
    white = np.array([0.3127, 0.3290])
    columns = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in primaries]).T
    white_xyz = np.array([white[0] / white[1], 1.0, (1 - white.sum()) / white[1]])
    matrix: NDArray[np.float64] = columns * np.linalg.solve(columns, white_xyz)
    return matrix


RGB_TO_XYZ = _rgb_to_xyz_matrix()
"""Matrix from linear sRGB to CIE XYZ (IEC 61966-2-1)."""

WHITE = RGB_TO_XYZ.sum(axis=1)
"""XYZ of white, the sum of the matrix's rows: any other white point would tint the grays."""

RGB_TO_WHITE_XYZ = RGB_TO_XYZ / WHITE[:, None]
"""Linear sRGB to X/Xn, Y/Yn, Z/Zn; each row sums to 1."""

WHITE_XYZ_TO_RGB = np.linalg.inv(RGB_TO_WHITE_XYZ)
"""Inverse of RGB_TO_WHITE_XYZ."""


def decode_srgb(encoded: NDArray[np.generic]) -> Array:
    """Undo the sRGB transfer function.

    Args:
        encoded: any shape; float in 0..1, or uint8 or uint16 over their whole range (read from a table).
    Returns:
        Linear light, same shape, float32. Values below 0 go on linearly, above 1 along the power law.
    """
    if encoded.dtype in (np.uint8, np.uint16):
        return look_up(_decode_table(encoded.dtype.name), encoded)
    s = encoded.astype(np.float32, copy=False)
    bright = np.maximum(s, _KNEE_ENCODED)
    bright += np.float32(0.055)
    bright *= np.float32(1 / 1.055)
    linear = power(bright, 2.4)
    dark = np.minimum(s - _KNEE_ENCODED, 0)  # zero above the knee, so no branch is needed
    dark *= np.float32(1 / 12.92)
    linear += dark
    return linear


def encode_srgb(linear: Array) -> Array:
    """Apply the sRGB transfer function.

    Args:
        linear: any shape, float32; 0 is black, 1 is white.
    Returns:
        Same shape, float32. Values below 0 go on linearly, above 1 along the power law; nothing is clipped.
    """
    encoded = power(np.maximum(linear, KNEE_LINEAR), 1 / 2.4)
    encoded *= np.float32(1.055)
    encoded -= np.float32(0.055)
    dark = np.minimum(linear - KNEE_LINEAR, 0)
    dark *= np.float32(12.92)
    encoded += dark
    return encoded


@lru_cache(maxsize=2)
def _decode_table(dtype: str) -> Array:
    top = np.iinfo(dtype).max
    table = decode_srgb(np.linspace(0, 1, top + 1, dtype=np.float64))
    table.setflags(write=False)
    return table


def look_up(table: Array, values: NDArray[np.generic]) -> Array:
    """Values of a table at uint8 or uint16 indices, same shape; for uint8 by OpenCV, three times as fast as NumPy."""
    if values.dtype != np.uint8 or not values.size:
        return table[values]
    from cv2 import LUT

    return cast(Array, LUT(np.ascontiguousarray(values).reshape(1, -1), table)).reshape(values.shape)


def power(base: Array, exponent: float) -> Array:
    """Raise positive float32 values to a power, to about 1e-6 relative.

    OpenCV's is vectorized on every processor (NumPy's only where AVX-512 is). The length is padded so that
    a value's result never depends on where in the array it lies.
    """
    from cv2 import pow as cv_pow

    flat = np.ascontiguousarray(base).reshape(-1)
    missing = -flat.size % 32
    if missing:
        flat = np.concatenate([flat, np.ones(missing, np.float32)])
    if not flat.size:
        return np.empty(base.shape, np.float32)
    raised = cast(Array, cv_pow(flat, exponent)).reshape(-1)
    return raised[: flat.size - missing].reshape(base.shape)


def blocks(count: int) -> Iterator[slice]:
    """Slices that cut `count` pixels into blocks."""
    for start in range(0, count, BLOCK):
        yield slice(start, min(start + BLOCK, count))
