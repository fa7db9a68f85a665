"""Black and white borders around a picture: a film's rebate, the paper around a print, a scanner's lid.

A network that sees them takes the picture for a thing on a black or white ground. A border is a strip along a side of
the photograph, of one tone near black or near white but for letters and notches, whose inner edge is straight.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

BLACK = 12.0
"""CIE L* up to which a strip may be a black border."""

WHITE = {2: 92.0, 3: 88.0, 4: 72.0}
"""CIE L* from which on strips along so many sides may be white borders: what is on all four is paper that has aged."""

ALIKE = 8.0
"""Greatest difference from a border's tone, in units of L*, within it and between borders of one photograph."""

OUTERMOST = 3
"""Rows or columns along a side, after the first, whose median is the border's tone."""

UNIFORM = 0.75
"""Share of their pixels that must be of that tone."""

ENDED = 6
"""Pixels in a row, most of them of other tones, at which a border has ended."""

STRAIGHT, APART = 0.45, 2.0
"""Share of a side's length along which the border must end within so many pixels of a straight line."""

STEEPEST = 0.06
"""Greatest slope of that line."""

DEEPEST, THINNEST = 0.27, 0.012
"""Shares of the photograph's height or width that a border has at most and at least."""

LEAST_LEFT = 0.35
"""Share of the photograph that must be left of it."""

LOOKED_AT = 256
"""Pixels on the longer side at which borders are looked for."""

STEP = 4
"""Pixels in whose steps borders are cut off, as networks answer for cells of so many."""

Region = tuple[slice, slice]
"""Rows and columns of a grid."""


class Picture(NamedTuple):
    """What is left of a photograph without borders: rows top to bottom and columns left to right, 0..1 of its sides."""

    top: float
    bottom: float
    left: float
    right: float

    def part(self, inner: Picture) -> Picture:
        """A picture within this one, whose rows and columns are shares of this one's, in shares of the whole."""
        height, width = self.bottom - self.top, self.right - self.left
        return Picture(
            self.top + inner.top * height,
            self.top + inner.bottom * height,
            self.left + inner.left * width,
            self.left + inner.right * width,
        )

    def longer_side_of_whole(self, size: int, whole: tuple[int, int]) -> int:
        """The longer side at which a photograph of this height and width has a picture of `size` pixels."""
        height, width = whole
        share = max((self.bottom - self.top) * height, (self.right - self.left) * width) / max(whole)
        return round(size / share)

    def region(self, size: tuple[int, int]) -> Region:
        """Rows and columns of the picture on a grid of that height and width; the first ones are multiples of `STEP`.

        So that no line of the picture is lost, up to that many less one of the border are left.
        """
        height, width = size
        return (
            slice(_down(self.top * height), math.ceil(self.bottom * height)),
            slice(_down(self.left * width), math.ceil(self.right * width)),
        )


def picture_within(lightness: Array) -> Picture | None:
    """The picture within black or white borders, and within one more border in these: a film's rebate in white paper.

    Two sides with borders of one tone are wanted, as a horizon under a white sky is straight too.

    Args:
        lightness: CIE L* of a photograph, shape (h, w), 0..100, with `LOOKED_AT` pixels on the longer side.
    Returns:
        None if there are no borders.
    """
    outer = _within_one_border(lightness)
    if outer is None:
        return None
    height, width = lightness.shape
    rows, columns = (
        slice(round(first * side), round(last * side))
        for first, last, side in ((outer.top, outer.bottom, height), (outer.left, outer.right, width))
    )
    inner = _within_one_border(lightness[rows, columns])
    return outer if inner is None else outer.part(inner)


def _within_one_border(lightness: Array) -> Picture | None:
    height, width = lightness.shape
    if min(height, width) < 2 * ENDED / DEEPEST:
        return None
    found = [_border(side) for side in (lightness, lightness[::-1], lightness.T, lightness.T[::-1])]
    for white in (False, True):
        tones = [tone for depth, tone in found if depth and (tone > BLACK) == white]
        middle = float(np.median(tones or [0]))
        alike = [tone for tone in tones if abs(tone - middle) <= ALIKE]
        if len(alike) < min(WHITE) or (white and min(alike) < WHITE[len(alike)]):
            continue
        top, bottom, left, right = (depth if tone in alike else 0 for depth, tone in found)
        rows, columns = height - top - bottom, width - left - right
        if rows * columns >= LEAST_LEFT * height * width:
            return Picture(top / height, 1 - bottom / height, left / width, 1 - right / width)
    return None


def _border(lines: Array) -> tuple[int, float]:
    """The border along the first row of an image.

    Args:
        lines: CIE L*, shape (n, m), from outside to inside.
    Returns:
        Its depth in rows, 0 for none, and its tone.
    """
    outer = lines[1 : 1 + OUTERMOST]
    tone = float(np.median(outer))
    if BLACK < tone < min(WHITE.values()) or (np.abs(outer - tone) <= ALIKE).mean() < UNIFORM:
        return 0, tone
    count, length = lines.shape
    other = np.abs(lines[: int(count * DEEPEST) + ENDED] - tone) > ALIKE
    # Of ENDED pixels in a row all but one are of other tones.
    sums = np.cumsum(np.pad(other, ((1, 0), (0, 0))), 0)
    ended = sums[ENDED:] - sums[:-ENDED] >= ENDED - 1
    at, first = np.flatnonzero(ended.any(0)), ended.argmax(0)
    at = at[first[at] > 0]
    halves = [at[at < length / 2], at[at >= length / 2]]
    if len(at) < STRAIGHT * length or min(map(len, halves)) < STRAIGHT * length / 4:
        return 0, tone
    (x1, y1), (x2, y2) = ((float(np.median(half)), float(np.median(first[half]))) for half in halves)
    slope = (y2 - y1) / max(x2 - x1, 1)
    on_line = np.abs(first[at] - (y1 + slope * (at - x1))) <= APART
    ends = y1 - slope * x1, y1 + slope * (length - 1 - x1)
    if on_line.sum() < STRAIGHT * length or abs(slope) > STEEPEST or min(ends) < 1:
        return 0, tone
    depth = math.ceil(max(ends)) + 1
    return (depth if THINNEST * count <= depth <= DEEPEST * count else 0), tone


def _down(position: float) -> int:
    return int(position) // STEP * STEP
