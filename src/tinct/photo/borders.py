"""Black, white and gray borders around a picture: a film's rebate, the paper around a print, a mount, a scanner's lid.

A network that sees them takes the picture for a thing on a black or white ground, or colors a mount like a wall. A
border is a strip along a side of the photograph, of one tone but for letters and notches, whose inner edge is straight;
of a gray one more is asked.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinct.photo.picture import Picture

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

GRAY_STRAIGHT, GRAY_APART = {2: 0.6, 3: 0.5, 4: 0.45}, 12.0
"""The same as `STRAIGHT` for a gray mount on so many sides, and the greatest difference of the sides' tones, as lamps
light them unevenly. Two sides are left and right: a horizon lies between gray strips above and below."""

REACHING, BROAD = 0.75, 0.08
"""What reaches from the picture into a border has other tones at this share of its pixels, letters less; along so much
of a side's length it is a part of the picture, to which the border ends."""

LEAST_LEFT = 0.35
"""Share of the photograph that must be left of it."""


class _Wanted(NamedTuple):
    """What a strip must be to be a border.

    Attributes:
        alike: greatest difference from its tone at which pixels within it are of that tone.
        apart: the same for what may reach from the picture into it: a mount has shades.
        uniform, straight, thinnest, steepest: as `UNIFORM`, `STRAIGHT`, `THINNEST`, `STEEPEST`.
    """

    alike: float
    apart: float
    uniform: float
    straight: float
    thinnest: float
    steepest: float


BLACK_OR_WHITE = _Wanted(ALIKE, ALIKE, UNIFORM, STRAIGHT, THINNEST, STEEPEST)
"""A black or white border's strip."""

GRAY = _Wanted(5.0, GRAY_APART, 0.9, 0.3, 0.03, 0.03)
"""A gray mount's strip beside others; of these more is straight (`GRAY_STRAIGHT`)."""


def picture_within(lightness: Array) -> Picture | None:
    """The picture within borders, and within one more border in these: a film's rebate in white paper.

    Two sides with borders of one tone are wanted, as a horizon under a white sky is straight too.

    Args:
        lightness: CIE L* of a photograph, shape (h, w), 0..100, with `LOOKED_AT` pixels on the longer side.
    Returns:
        None if there are no borders.
    """
    outer = _within_one_border(lightness)
    if outer is None:
        return None
    top, bottom, left, right = outer.within(lightness.shape)
    inner = _within_one_border(lightness[top:bottom, left:right])
    edges = outer if inner is None else outer.with_inner(inner, lightness.shape)
    return edges.picture(lightness.shape)


class _Edge(NamedTuple):
    """The straight inner edge of a border, in pixels.

    Attributes:
        depth: from the photograph's side, at the first pixel along it.
        slope: by how much the edge is deeper at the next pixel.
    """

    depth: float
    slope: float

    def ends(self, length: int) -> tuple[float, float]:
        """Depths at both ends of a side of so many pixels."""
        return self.depth, self.depth + self.slope * length


class _Edges(NamedTuple):
    """The edges of a picture seen from above, below, left and right; None where there is no border."""

    top: _Edge | None
    bottom: _Edge | None
    left: _Edge | None
    right: _Edge | None

    def within(self, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """The rows from and to which, and the columns from and to which there is nothing of the border."""
        height, width = size
        lengths = width, width, height, height
        depths = [
            0 if edge is None else math.ceil(max(edge.ends(n))) + 1
            for edge, n in zip(self, lengths, strict=True)
        ]
        return depths[0], height - depths[1], depths[2], width - depths[3]

    def with_inner(self, inner: _Edges, size: tuple[int, int]) -> _Edges:
        """The edges of a picture within this one, found in what lies within this one in a photograph of that size."""
        height, width = size
        top, bottom, left, right = self.within(size)
        moved = ((top, left), (height - bottom, left), (left, top), (width - right, top))
        return _Edges(
            *(
                own if other is None else _Edge(other.depth + across - other.slope * along, other.slope)
                for own, other, (across, along) in zip(self, inner, moved, strict=True)
            )
        )

    def picture(self, size: tuple[int, int]) -> Picture:
        """The same in shares of a photograph of that size."""
        height, width = size
        sides = ((height, width), (height, width), (width, height), (width, height))
        lines = []
        for number, (edge, (across, along)) in enumerate(zip(self, sides, strict=True)):
            first, last = (0.0, 0.0) if edge is None else edge.ends(along)
            ends = max(first / across, 0.0), max(last / across, 0.0)
            lines.append((1 - ends[0], 1 - ends[1]) if number % 2 else ends)
        return Picture(*lines)


class _Strip(NamedTuple):
    """A strip along a side of a photograph.

    Attributes:
        tone: CIE L*.
        edge: its straight inner edge, if it has one.
        straight: share of the side's length along which that edge was seen.
    """

    tone: float
    edge: _Edge | None = None
    straight: float = 0.0


def _within_one_border(lightness: Array) -> _Edges | None:
    if min(lightness.shape) < 2 * ENDED / DEEPEST:
        return None
    sides = lightness, lightness[::-1], lightness.T, lightness.T[::-1]
    strips = [_black_or_white_strip(side) for side in sides]
    if any(strip.edge for strip in strips):
        for borders in (_black(strips), _white(strips)):
            if found := _left_of(lightness, strips, borders):
                return found
    # Few photographs have even gray edges; to look for the others' ends would take longer than all else here.
    if not _may_be_mounted(
        [
            strip.tone > BLACK and _uniform(side, strip.tone) >= GRAY.uniform
            for side, strip in zip(sides, strips, strict=True)
        ]
    ):
        return None
    strips = [_gray_strip(side) for side in sides]
    return _left_of(lightness, strips, _gray(strips))


def _left_of(lightness: Array, strips: list[_Strip], borders: list[bool]) -> _Edges | None:
    """What the strips that are borders leave of a photograph; None if none is, or hardly anything is left."""
    edges = _Edges(*(strip.edge if border else None for strip, border in zip(strips, borders, strict=True)))
    top, bottom, left, right = edges.within(lightness.shape)
    enough = (bottom - top) * (right - left) >= LEAST_LEFT * lightness.size
    return edges if any(borders) and enough else None


def _black(strips: list[_Strip]) -> list[bool]:
    """Which of the strips above, below, left and right are black borders."""
    return _alike(strips, [strip.edge is not None and strip.tone <= BLACK for strip in strips], ALIKE)


def _white(strips: list[_Strip]) -> list[bool]:
    """Which of the strips are white borders; the more there are, the darker they may be."""
    alike = _alike(strips, [strip.edge is not None and strip.tone > BLACK for strip in strips], ALIKE)
    tones = [strip.tone for strip, is_alike in zip(strips, alike, strict=True) if is_alike]
    return alike if tones and min(tones) >= WHITE[len(tones)] else [False] * len(strips)


def _gray(strips: list[_Strip]) -> list[bool]:
    """Which of the strips are a gray mount's."""
    for count, straight in sorted(GRAY_STRAIGHT.items(), reverse=True):
        sure = _alike(strips, [strip.straight >= straight for strip in strips], GRAY_APART)
        if sum(sure) >= count and _may_be_mounted(sure):
            tone = float(
                np.median([strip.tone for strip, is_sure in zip(strips, sure, strict=True) if is_sure])
            )
            return [strip.edge is not None and abs(strip.tone - tone) <= GRAY_APART for strip in strips]
    return [False] * len(strips)


def _may_be_mounted(sides: list[bool]) -> bool:
    """Whether a mount may be on such sides: on three or on all, or on the left and on the right."""
    return sum(sides) > 2 or sides[2:] == [True, True]


def _alike(strips: list[_Strip], chosen: list[bool], apart: float) -> list[bool]:
    """Which of the chosen strips have tones at most so far from their median; none where that is fewer than two."""
    middle = float(
        np.median([strip.tone for strip, is_chosen in zip(strips, chosen, strict=True) if is_chosen] or [0])
    )
    alike = [
        is_chosen and abs(strip.tone - middle) <= apart
        for strip, is_chosen in zip(strips, chosen, strict=True)
    ]
    return alike if sum(alike) >= min(WHITE) else [False] * len(strips)


def _black_or_white_strip(lines: Array) -> _Strip:
    """The strip along the first row of an image, if black or white; `lines` as of `_strip`."""
    tone = _tone(lines)
    if BLACK < tone < min(WHITE.values()):
        return _Strip(tone)
    return _strip(lines, BLACK_OR_WHITE)


def _gray_strip(lines: Array) -> _Strip:
    """The strip along the first row of an image, as of a gray mount; `lines` as of `_strip`."""
    tone = _tone(lines)
    return _Strip(tone) if tone <= BLACK else _strip(lines, GRAY)


def _tone(lines: Array) -> float:
    return float(np.median(lines[1 : 1 + OUTERMOST]))


def _uniform(lines: Array, tone: float) -> float:
    """The share of the outermost pixels that are of a tone."""
    return float((np.abs(lines[1 : 1 + OUTERMOST] - tone) <= ALIKE).mean())


def _strip(lines: Array, wanted: _Wanted) -> _Strip:
    """The strip along the first row of an image.

    Args:
        lines: CIE L*, shape (n, m), from outside to inside.
        wanted: what it must be.
    """
    tone, (count, length) = _tone(lines), lines.shape
    if _uniform(lines, tone) < wanted.uniform:
        return _Strip(tone)
    _, begun, first = _other_tones(lines, tone, wanted.alike)
    at = np.flatnonzero(begun & (first > 0))
    halves = [at[at < length / 2], at[at >= length / 2]]
    if len(at) < wanted.straight * length or min(map(len, halves)) < wanted.straight * length / 4:
        return _Strip(tone)
    (x1, y1), (x2, y2) = ((float(np.median(half)), float(np.median(first[half]))) for half in halves)
    slope = (y2 - y1) / max(x2 - x1, 1)
    line = y1 + slope * (np.arange(length) - x1)
    near = at[np.abs(first[at] - line[at]) <= APART]
    on_line = len(near) / length
    if on_line < wanted.straight:
        return _Strip(tone)
    slope, depth = np.polyfit(near, first[near], 1).tolist()
    line = depth + slope * np.arange(length)
    if abs(slope) > wanted.steepest or min(line[0], line[-1]) < 1:
        return _Strip(tone)
    edge = _Edge(depth + 1 - _reaching(lines, tone, wanted.apart, line), slope)
    fits = wanted.thinnest * count <= sum(edge.ends(length)) / 2 <= DEEPEST * count
    return _Strip(tone, edge, on_line) if fits and min(edge.ends(length)) >= 1 else _Strip(tone)


def _other_tones(
    lines: Array, tone: float, apart: float
) -> tuple[NDArray[np.intp], NDArray[np.bool_], NDArray[np.intp]]:
    """Where tones that differ by more than `apart` from a border's begin.

    Args:
        lines: CIE L*, shape (n, m), from outside to inside.
    Returns:
        How many pixels above each row are of other tones, shape (rows + 1, m); and of each column whether these begin,
        and in which row: the border's last one, as of `ENDED` pixels in a row all but one must be of other tones.
    """
    other = np.abs(lines[: int(len(lines) * DEEPEST) + ENDED] - tone) > apart
    sums = np.cumsum(np.pad(other, ((1, 0), (0, 0))), 0)
    ended = sums[ENDED:] - sums[:-ENDED] >= ENDED - 1
    return sums, ended.any(0), ended.argmax(0)


def _reaching(lines: Array, tone: float, apart: float, line: NDArray[np.float64]) -> float:
    """By how many pixels a broad part of the picture reaches beyond a straight edge.

    Args:
        lines, tone, apart: as of `_other_tones`.
        line: row in which the border's edge was found, of each column.
    """
    sums, begun, first = _other_tones(lines, tone, apart)
    columns, rows = np.arange(len(line)), np.rint(line).astype(int)
    rows = np.minimum(rows, len(sums) - 1)
    depth = rows - first
    filled = sums[rows, columns] - sums[np.minimum(first, rows), columns]
    reaches = begun & (depth > 2 * APART) & (filled >= REACHING * depth)
    # Runs of columns; a run is as long as it is without gaps.
    edges = np.flatnonzero(np.diff(np.pad(reaches, 1).astype(np.int8)))
    runs = [(start, stop) for start, stop in edges.reshape(-1, 2) if stop - start >= BROAD * len(line)]
    return max((float(np.median((line - first)[start:stop])) + APART for start, stop in runs), default=0.0)
