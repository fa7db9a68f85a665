"""Colors as people write them: #rrggbb and #rgb (CSS Color Module Level 4, section 5.2)."""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tinct.color.lab import rgb_to_lab
from tinct.errors import ColorError, ShapeError, shown

Array = NDArray[np.float32]

_HEX = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})", re.ASCII | re.IGNORECASE)


def parse_color(text: str) -> Array:
    """Read a color.

    Args:
        text: "#rrggbb" or "#rgb", in either case; spaces around it do not count.
    Returns:
        sRGB, shape (3,), float32 in 0..1.
    Raises:
        ColorError: if the text is no such color.
    """
    written = text.strip() if isinstance(text, str) else ""
    if not _HEX.fullmatch(written):
        raise ColorError(f"{shown(text)} is not a color; write it as #rrggbb or #rgb, for example #1e90ff.")
    digits = written[1:]
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    return np.array([int(digits[i : i + 2], 16) for i in (0, 2, 4)], np.float32) / np.float32(255)


def format_color(rgb: NDArray[np.generic]) -> str:
    """Write a color as "#rrggbb".

    Args:
        rgb: sRGB, shape (3,), 0..1; outside of that range it is clipped.
    Raises:
        ShapeError: if the color is not three finite numbers.
    """
    values = np.asarray(rgb, np.float64)
    if values.shape != (3,) or not np.isfinite(values).all():
        raise ShapeError(
            f"rgb is {shown(rgb)}; it must be three finite numbers 0..1; pass one color at a time."
        )
    red, green, blue = np.rint(np.clip(values, 0, 1) * 255).astype(int)
    return f"#{red:02x}{green:02x}{blue:02x}"


def color_to_ab(text: str) -> Array:
    """The chroma of a written color: CIE a*, b*, shape (2,), float32; exactly (0, 0) for a gray.

    Raises:
        ColorError: if the text is not #rrggbb or #rgb.
    """
    if not isinstance(text, str):
        parse_color(text)  # refuses it; the cache could not hold a list
    return np.array(_ab_of(text), np.float32)


@lru_cache(maxsize=4096)
def _ab_of(text: str) -> tuple[float, ...]:
    """a* and b* of a written color; cached, as editing asks for the same few colors repeatedly."""
    return tuple(rgb_to_lab(parse_color(text))[1:].tolist())
