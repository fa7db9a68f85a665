"""Points that later hints are painted over: where two hints meet, the later one wins."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tinct.hints.checking import OPAQUE
from tinct.hints.shapes import Hint, HintImage, HintLike, Rectangle, Stroke
from tinct.hints.window import Size

Places = NDArray[np.float64]
Covered = NDArray[np.bool_]


def covered_points(hints: Sequence[HintLike], places: Sequence[tuple[int, int]], photo_size: Size) -> Covered:
    """Which points lie under a later hint that has an extent.

    Args:
        hints: of a photograph, in their order.
        places: column and row of the pixel of each `Hint` among them, in their order.
        photo_size: width and height of the photograph.
    Returns:
        True for those, shape (P,).
    """
    order = np.array([number for number, hint in enumerate(hints) if isinstance(hint, Hint)], int)
    at = np.array(places, np.float64).reshape(-1, 2)
    covered = np.zeros(len(at), bool)
    for number, hint in enumerate(hints):
        if (earlier := order < number).any():
            covered[earlier] |= _covers(hint, at[earlier], photo_size)
    return covered


def _covers(hint: HintLike, places: Places, photo_size: Size) -> Covered:
    """True for the pixels (P, 2), x and y of their centers, that a hint covers."""
    x, y = places.T
    match hint:
        case Hint() if hint.radius > 0:
            return np.hypot(x - hint.x, y - hint.y) <= hint.radius
        case Rectangle():
            left, top, right, bottom = hint.box
            return (x + 0.5 >= left) & (x + 0.5 < right) & (y + 0.5 >= top) & (y + 0.5 < bottom)
        case Stroke():
            return _near_line(places, np.array(hint.points, np.float64), max(hint.width / 2, 0.5))
        case HintImage():
            height, width = hint.rgba.shape[:2]
            column = ((x + 0.5) * width / photo_size[0]).astype(int)
            row = ((y + 0.5) * height / photo_size[1]).astype(int)
            opaque = hint.rgba[np.minimum(row, height - 1), np.minimum(column, width - 1), 3] >= OPAQUE
            return np.asarray(opaque, bool)
    return np.zeros(len(places), bool)


def _near_line(places: Places, points: Places, reach: float) -> Covered:
    """True for the places (P, 2) that are within reach of a line through points (S, 2)."""
    inside = np.zeros(len(places), bool)
    close = (places >= points.min(0) - reach).all(1) & (places <= points.max(0) + reach).all(1)
    for number in np.flatnonzero(close):
        begin, way = (points[:-1], np.diff(points, axis=0)) if len(points) > 1 else (points, points * 0)
        length = np.maximum((way * way).sum(1), 1e-12)
        along = np.clip(((places[number] - begin) * way).sum(1) / length, 0, 1)
        apart = begin + along[:, None] * way - places[number]
        inside[number] = (np.hypot(*apart.T) <= reach).any()
    return inside
