"""References whose hues are turned as a whole: infrared, false colors, a painter's palette.

The semantic branch says which colors it expects of a reference's things. If the reference's own colors would be plainly
likelier with all hues turned back by one angle, they are turned back, the photograph is answered as beside any other
reference, and the answer is turned: places that the reference does not answer get its palette too. What is taken for
such a turn was chosen on held-out and training photographs; that no more should be than at first, by rows of the test
set as well (docs/experiments.md, "Hues turned as a whole").
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinct.color.bins import AB_BIN_COUNT, AB_BINS, encode_bins
from tinct.hints import HintField
from tinct.methods.expectation import at_places, logarithms_of, nearest_bins
from tinct.photo.tint import color_beside_tone

Array = NDArray[np.float32]

TURNS = 24
"""Angles that are tried, in equal steps over the circle."""

LEAST_TURN = 3
"""Steps by which hues are turned at least: less is another light or another thing."""

PLAIN, PLAIN_TRUSTED = 0.9, 0.75
"""How plain a turn must be at trust 1, and from trust 2 on: what it adds to the mean logarithm of the colors'
probabilities, over the spread of these means: their standard deviation over all angles, `MOST_SPREAD` at most, and
`CHANCE`. A thing that may have many colors is likelier at some other angle as well, and not by much more than at
others."""

PLAIN_TINT = 1.8
"""How plain a turn must be if tints alone tell of it: of stained and compressed tints that are not refused as gray one
in a hundred is as plain, of photographs of one hue that are turned every other one."""

CHANCE, MOST_SPREAD = 0.7, 2.0
"""Nats that are added to the standard deviation, as angles of a pale reference hardly differ but by chance; and nats
from which on a larger one counts no more."""

LEAST_COLORS = 5
"""Colors that a reference must have: of fewer, a single one that is not expected would decide."""

ONE_HUE = 0.95
"""Length of the mean color over the mean chroma from which on a reference has one hue."""

STAINS, STAINS_SHARE = 1.0, 0.07
"""A reference of one hue is a tint, stains and all, if its color beside its tone (`tinct.photo.tint.color_beside_tone`)
is less than `STAINS` units of a* b* plus `STAINS_SHARE` of its mean chroma, on average over `_PARTS` x `_PARTS` parts,
each judged by itself: within a part a stain is even, and a thing of another color is not. Chosen on tints that were
made stained or compressed, and on photographs of one hue (docs/experiments.md, "Hues turned as a whole")."""

_SMALL, _PARTS = 64, 4
"""Side in pixels at which a reference of one hue is asked whether it is a tint, and parts along that side."""


class Hues(NamedTuple):
    """How expected a reference's colors are. Each color counts once, however many places have it.

    Attributes:
        likely: mean logarithm of the colors' probabilities with hues turned back by each of `TURNS` angles.
        colors: how many colors there are, in bins.
        tint: True if these have one hue, or none, and are nearly a function of lightness within each part of the
            reference.
    """

    likely: NDArray[np.float64]
    colors: int
    tint: bool = False


def hues_of(lightness: Array, ab: Array, logarithms: Array) -> Hues:
    """How expected the colors of a reference are.

    Args:
        lightness: CIE L*, shape (H, W), 0..100.
        ab: CIE a*, b*, shape (H, W, 2).
        logarithms: the semantic branch's, of the 313 bins' probabilities at the reference's places, shape (h, w, 313).
    """
    color = at_places(ab, logarithms).ravel()
    _, which, counts = np.unique(nearest_bins(color), return_inverse=True, return_counts=True)
    weight = 1 / (len(counts) * counts[which])
    back = np.exp(-2j * np.pi / TURNS * np.arange(TURNS))[:, None]
    likely = logarithms_of(color * back, logarithms) @ weight
    of_one_hue = bool(abs(weight @ color) >= ONE_HUE * (weight @ abs(color)))
    return Hues(likely, len(counts), of_one_hue and _is_tint(lightness, ab))


def turn_of(references: Iterable[tuple[float, Hues]], trust: float = 1.0) -> float:
    """The angle by which the hues of references are turned, in radians, 0..2 pi; 0 if they are not.

    Args:
        references: each behind its weight. Several are asked as one: they have one palette, or none. One of them must
            have `LEAST_COLORS` colors, and the more of the weight tints have, the plainer must the turn be.
        trust: as of `tinct.methods.Reference`; at 0 nothing is taken for turned.
    """
    weighed = [(weight, hues) for weight, hues in references if weight > 0]
    if not trust or max((hues.colors for _, hues in weighed), default=0) < LEAST_COLORS:
        return 0.0
    whole = sum(weight for weight, _ in weighed)
    likely = np.sum([weight * hues.likely for weight, hues in weighed], 0) / whole
    tints = sum(weight for weight, hues in weighed if hues.tint) / whole
    best = int(np.argmax(likely))
    if not LEAST_TURN <= best <= TURNS - LEAST_TURN:
        return 0.0
    angle = 2 * np.pi / TURNS * (best + _top(likely[best - 1], likely[best], likely[(best + 1) % TURNS]))
    plain = (likely[best] - likely[0]) / (min(float(likely.std()), MOST_SPREAD) + CHANCE)
    least = tints * PLAIN_TINT + (1 - tints) * float(np.interp(trust, (1, 2), (PLAIN, PLAIN_TRUSTED)))
    # Rounded, as what is found for an angle is kept, and weights that sum to 1 do so to the last digits alone.
    return round(float(angle), 6) if plain >= least else 0.0


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


def _is_tint(lightness: Array, ab: Array) -> bool:
    """Whether colors of one hue are a tint: within parts of the reference hardly any are no function of lightness."""
    import cv2

    whole = np.asarray(np.dstack([lightness, ab]), np.float32)
    lab = np.asarray(cv2.resize(whole, (_SMALL, _SMALL), interpolation=cv2.INTER_AREA), np.float32)
    side = _SMALL // _PARTS
    parts = lab.reshape(_PARTS, side, _PARTS, side, 3).swapaxes(1, 2).reshape(-1, side * side, 3)
    beside = np.mean([color_beside_tone(part) for part in parts])
    return bool(beside < STAINS + STAINS_SHARE * np.hypot(lab[..., 1], lab[..., 2]).mean())


def _top(before: float, at: float, after: float) -> float:
    """Where the parabola through three values in equal steps is highest, -0.5..0.5 steps from the second."""
    bend = before - 2 * at + after
    return 0.0 if bend >= 0 else float(np.clip((before - after) / (2 * bend), -0.5, 0.5))
