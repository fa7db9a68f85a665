"""Suggestions for editing: likely colors of a place, places where a hint helps most, other colorizations.

The functions behind `Colorizer.suggest`, `where_next`, `uncertainty` and `alternatives` read a method's
`Distribution`; positions are in pixels of the photograph.
"""

from __future__ import annotations

from numbers import Integral, Real

import numpy as np
from numpy.typing import NDArray

from tinct.errors import HintError, OptionError, shown
from tinct.hints.window import Scale
from tinct.methods.distribution import (
    Alternatives,
    Distribution,
    Place,
    Suggestion,
    gain_map,
    likely_colors,
    next_places,
    probabilities_at,
    subsampled,
)
from tinct.photo import Photo

Array = NDArray[np.float32]

WIDEST_SPREAD = 25.0
"""Standard deviation in ab units that counts as complete uncertainty; 3 % of held-out photographs' places exceed it."""

_GRID = 16
"""Places on the longer side at which candidates are compared."""

_CANDIDATES = 4
"""Seeds that are tried for each alternative that is wanted."""


def suggest(distribution: Distribution, photo: Photo, x: float, y: float, count: int) -> list[Suggestion]:
    """Likely colors of a place, likeliest first, each at the place's own lightness.

    Args:
        distribution: of the method.
        photo: the photograph.
        x, y: in its pixels.
        count: at most how many.
    Raises:
        HintError: if the place is outside the photograph.
        OptionError: if count is below 1.
    """
    from tinct.color.gamut import merge_lightness
    from tinct.color.hexcolor import format_color

    _check_count(count)
    if not all(isinstance(each, Real) for each in (x, y)):
        raise HintError(f"({shown(x)}, {shown(y)}) is no place; give pixels of the photograph as numbers.")
    if not (-0.5 <= x < photo.width - 0.5 and -0.5 <= y < photo.height - 0.5):
        raise HintError(
            f"({x:g}, {y:g}) lies outside the photograph of {photo.width}x{photo.height} pixels; "
            "ask for a place inside."
        )
    row, column = round(y), round(x)
    lightness = photo.lightness(row, row + 1)[0, column]
    found: dict[str, float] = {}
    height, width = distribution.matched.shape
    column_at, row_at = Scale((photo.width, photo.height), (width, height)).point(x, y)
    p = probabilities_at(distribution, row_at, column_at)
    for ab, probability in likely_colors(p, count):
        color = format_color(merge_lightness(lightness, ab))
        found[color] = found.get(color, 0.0) + probability  # in the dark many colors are one
    return [Suggestion(color, probability) for color, probability in found.items()]


def where_next(distribution: Distribution, photo: Photo, count: int) -> list[Place]:
    """Places where one hint would help most, best first, each by the uncertainty that those before it leave.

    Raises:
        OptionError: if count is below 1.
    """
    _check_count(count)
    height, width = distribution.matched.shape
    scale = Scale((width, height), (photo.width, photo.height))
    places = []
    for row, column, gain in next_places(distribution, count):
        x, y = scale.point(column, row)
        places.append(Place(min(max(x, 0.0), photo.width - 1.0), min(max(y, 0.0), photo.height - 1.0), gain))
    return places


def gains(distribution: Distribution, size: tuple[int, int]) -> Array:
    """The share of the uncertainty that one hint at each working pixel would remove, shape `size`, 0..1."""
    import cv2

    coarse = gain_map(distribution)
    whole = (n * distribution.stride for n in distribution.matched.shape[::-1])
    smooth = cv2.resize(coarse, tuple(whole), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(np.clip(smooth, 0, 1)[: size[0], : size[1]], np.float32)


def uncertainty(distribution: Distribution, size: tuple[int, int]) -> Array:
    """The uncertainty of each working pixel's color, shape `size`, 0 (known) .. 1 (any color is likely)."""
    import cv2

    height, width = (n * distribution.stride for n in distribution.matched.shape)
    share = np.clip(distribution.spread / np.float32(WIDEST_SPREAD), 0, 1)
    whole = np.asarray(cv2.resize(share, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    return np.ascontiguousarray(whole.reshape(height, width)[: size[0], : size[1]])


def alternatives(distribution: Distribution, count: int) -> list[int]:
    """Seeds of colorizations that differ much from the likeliest one and from each other; always the same ones.

    Raises:
        OptionError: if count is below 1.
    """
    _check_count(count)
    seeds = range(1, _CANDIDATES * count + 1)
    distribution = subsampled(distribution, max(1, max(distribution.matched.shape) // _GRID))
    moved = dict(zip(seeds, Alternatives(distribution).differences(seeds), strict=True))
    apart = {seed: _distance(ab, np.zeros_like(ab)) for seed, ab in moved.items()}
    chosen: list[int] = []
    while len(chosen) < count:
        best = max((seed for seed in seeds if seed not in chosen), key=lambda seed: (apart[seed], -seed))
        chosen.append(best)
        apart = {seed: min(apart[seed], _distance(ab, moved[best])) for seed, ab in moved.items()}
    return chosen


def _distance(first: Array, second: Array) -> float:
    return float(np.linalg.norm(first - second, axis=-1).mean())


def _check_count(count: int) -> None:
    if not isinstance(count, Integral) or count < 1:
        raise OptionError(f"count is {shown(count)}; it must be a whole number, 1 or more.")
