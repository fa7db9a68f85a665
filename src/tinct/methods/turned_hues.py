"""References whose hues are turned as a whole: infrared, false colors, a painter's palette.

The semantic branch says which colors it expects of a reference's things. If the reference's own colors would be far
likelier with all hues turned back by one angle, they are turned back, the photograph is answered as beside any other
reference, and the answer is turned: places that the reference does not answer get its palette too. What is taken for
such a turn was chosen on held-out photographs (docs/experiments.md, "Hues turned as a whole").
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinct.color.bins import AB_BIN_COUNT, AB_BINS, encode_bins
from tinct.hints import HintField
from tinct.methods.expectation import at_places, nearest_bins

Array = NDArray[np.float32]

TURNS = 24
"""Angles that are tried, in equal steps over the circle."""

LEAST_TURN = 3
"""Steps by which hues are turned at least: less is another light or another thing."""

LEAST_GAIN, LEAST_TRUSTED_GAIN = 1.25, 0.75
"""What a turn must add to the mean logarithm of the colors' probabilities, in nats, at trust 1 and from trust 2 on."""

OPPOSITE, OPPOSITE_WIDTH = 1.0, 0.5
"""What it must add beyond that at half a circle, and the width of that in radians: sand where water was expected, and
water where sand was, are common, and no turn of hues."""

LEAST_COLORS = 5
"""Colors that a reference must have: of fewer, a single one that is not expected would decide."""

ONE_HUE = 0.95
"""Length of the mean color over the mean chroma from which on nothing is taken for a turn: a tint has one hue, and
tells of nothing but itself."""


class Hues(NamedTuple):
    """How expected a reference's colors are. Each color counts once, however many places have it.

    Attributes:
        likely: mean logarithm of the colors' probabilities with hues turned back by each of `TURNS` angles.
        color: the mean color, a* + i b*.
        chroma: the mean chroma.
        colors: how many colors there are, in bins.
    """

    likely: NDArray[np.float64]
    color: complex
    chroma: float
    colors: int


def hues_of(ab: Array, logarithms: Array) -> Hues:
    """How expected the colors of a reference are.

    Args:
        ab: CIE a*, b*, shape (H, W, 2).
        logarithms: the semantic branch's, of the 313 bins' probabilities at the reference's places, shape (h, w, 313).
    """
    color = at_places(ab, logarithms).ravel()
    bins = nearest_bins(color)
    _, which, counts = np.unique(bins, return_inverse=True, return_counts=True)
    weight = 1 / (len(counts) * counts[which])
    back = np.exp(-2j * np.pi / TURNS * np.arange(TURNS))[:, None]
    likely = logarithms.reshape(len(color), -1)[np.arange(len(color)), nearest_bins(color * back)] @ weight
    return Hues(likely, complex(weight @ color), float(weight @ abs(color)), len(counts))


def turn_of(references: Iterable[tuple[float, Hues]], trust: float = 1.0) -> float:
    """The angle by which the hues of references are turned, in radians, 0..2 pi; 0 if they are not.

    Args:
        references: each behind its weight. Several are asked as one: they have one palette, or none.
        trust: as of `tinct.methods.Reference`; at 0 nothing is taken for turned.
    """
    weighed = [(weight, hues) for weight, hues in references if weight > 0]
    if not trust or max((hues.colors for _, hues in weighed), default=0) < LEAST_COLORS:
        return 0.0
    whole = sum(weight for weight, _ in weighed)
    likely = np.sum([weight * hues.likely for weight, hues in weighed], 0) / whole
    best = int(np.argmax(likely))
    of_one_hue = abs(sum(weight * hues.color for weight, hues in weighed)) >= ONE_HUE * sum(
        weight * hues.chroma for weight, hues in weighed
    )
    if of_one_hue or not LEAST_TURN <= best <= TURNS - LEAST_TURN:
        return 0.0
    angle = 2 * np.pi / TURNS * (best + _top(likely[best - 1], likely[best], likely[(best + 1) % TURNS]))
    opposite = OPPOSITE * np.exp(-(((angle - np.pi) / OPPOSITE_WIDTH) ** 2))
    least = float(np.interp(trust, (1, 2), (LEAST_GAIN, LEAST_TRUSTED_GAIN)))
    # Rounded, as what is found for an angle is kept, and weights that sum to 1 do so to the last digits alone.
    return round(float(angle), 6) if likely[best] - likely[0] >= least + opposite else 0.0


def turned(ab: NDArray[np.floating], angle: float) -> Array:
    """Colors a*, b*, shape (H, W, 2), with their hues turned by an angle in radians."""
    import cv2

    cosine, sine = np.cos(angle), np.sin(angle)
    matrix = np.array([[cosine, -sine], [sine, cosine]], np.float32)
    return np.asarray(cv2.transform(np.asarray(ab, np.float32), matrix), np.float32)


def turned_hints(hints: HintField, angle: float) -> HintField:
    """Hints with the hues of their colors turned by an angle in radians."""
    points = hints.points
    if points:
        colors = turned(np.array([[point.ab for point in points]], np.float32), angle)[0].tolist()
        points = tuple(replace(point, ab=(a, b)) for point, (a, b) in zip(points, colors, strict=True))
    return replace(hints, ab=turned(hints.ab, angle), points=points)


def turned_distribution(probabilities: Array, angle: float) -> Array:
    """A distribution over the bins, shape (h, w, 313), with the hues of its colors turned by an angle in radians."""
    moved = np.zeros((AB_BIN_COUNT, AB_BIN_COUNT), np.float32)
    moved[np.arange(AB_BIN_COUNT), encode_bins(turned(AB_BINS[None], angle)[0], neighbors=1)[0][:, 0]] = 1
    return np.asarray(probabilities @ moved, np.float32)


def _top(before: float, at: float, after: float) -> float:
    """Where the parabola through three values in equal steps is highest, -0.5..0.5 steps from the second."""
    bend = before - 2 * at + after
    return 0.0 if bend >= 0 else float(np.clip((before - after) / (2 * bend), -0.5, 0.5))
