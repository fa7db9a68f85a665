"""Kriging: expected colors of a photograph, moved towards what hints say, the more the nearer and the more alike in L*.

The difference of hints and expected colors is regressed on place and lightness by a Gaussian process, whose mean is
added to what was expected. It neither learns nor follows edges: moved from what is expected without hints, colors err
apart from those of a network that does both; of that network's answer it takes away what is missed at the hints.
Source: Rasmussen and Williams, Gaussian Processes for Machine Learning, MIT Press, 2006, section 2.2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinct.hints.field import PlacedHint

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Covariance:
    """Of the differences from what is expected, at two places of one photograph.

    Attributes:
        reaches: distances, in longer sides of the photograph, over which its equal parts fall to 1 / e.
        shade: difference of lightness, in units of L*, at which it falls to 1 / e.
        noise: variance of a hint about what is true, against that of the difference from what is expected.
        grain: that of a single pixel about its surroundings, by which noise grows; over a hint's area it is averaged.
        most: length in units of a* b* from which on differences count the less the larger they are.
    """

    reaches: tuple[float, ...]
    shade: float
    noise: float
    grain: float = 0.0
    most: float = math.inf


FAR = Covariance((0.2, 1.5), 40.0, 0.05)
"""For colors that were expected without hints, which a hint may move anywhere. Chosen, as the next one, on held-out
photographs (docs/experiments.md, "A second opinion that heeds hints")."""

NEAR = Covariance((0.06,), 40.0, 0.003, 0.12, 6.0)
"""For an answer that heeds hints and misses them by little, which is mended around them."""

MOST = 512
"""Hints that are counted; of more, so many in even steps through their order."""

_SQUARE = 32
"""Longest side in pixels of a square whose mean lightness and expected color are those of a hint."""

_SIDE = 64
"""Longer side in cells of the grid on which differences are computed; a finer grid's are enlarged from it."""


def moved_to_hints(
    expected: Array, lightness: Array, hints: Sequence[PlacedHint], covariance: Covariance = FAR
) -> Array:
    """Expected colors, moved towards hints.

    Args:
        expected: CIE a*, b*, shape (h, w, 2), on a grid over the photograph, which may be its pixels.
        lightness: CIE L* of the photograph, shape (H, W), 0..100.
        hints: in pixels of the same photograph; none gives back what was expected.
        covariance: how far and to what lightness a difference reaches.
    """
    import cv2

    if not hints:
        return expected
    steps = np.linspace(0, len(hints) - 1, min(len(hints), MOST)).round().astype(int)
    counted = [hints[index] for index in steps]
    size = np.array(lightness.shape[::-1], np.float32)
    place = np.array([(hint.x + 0.5, hint.y + 0.5) for hint in counted], np.float32)
    radius = np.array([hint.radius for hint in counted], np.float32)
    shade = _means(lightness, place, radius)

    height, width = expected.shape[:2]
    shrunk = min(1.0, _SIDE / max(height, width))
    grid = max(1, round(width * shrunk)), max(1, round(height * shrunk))
    shades = np.asarray(cv2.resize(lightness, grid, interpolation=cv2.INTER_AREA).reshape(-1), np.float32)
    across, down = np.meshgrid(*((np.arange(n) + 0.5) / n for n in grid))
    cells = np.stack([across.ravel(), down.ravel()], 1).astype(np.float32) * size

    scale = np.array((width, height), np.float32) / size
    wanted = np.array([hint.ab for hint in counted]) - _means(expected, place * scale, radius * scale.mean())
    far = np.linalg.norm(wanted, axis=1, keepdims=True) / covariance.most
    wanted /= np.maximum(1, far * far)
    place, cells = place / size.max(), cells / size.max()
    noise = covariance.noise + covariance.grain / np.square(np.maximum(2 * radius, 1))
    own = _product(covariance, place, shade, place, shade) + np.diag(noise)
    shares = np.linalg.solve(own, wanted).astype(np.float32)
    moved = _product(covariance, cells, shades, place, shade) @ shares
    moved = moved.reshape(grid[1], grid[0], 2)
    return np.asarray(
        expected + cv2.resize(moved, (width, height), interpolation=cv2.INTER_LINEAR), np.float32
    )


def _means(image: Array, places: Array, radius: Array) -> Array:
    """Means of an image over squares around N places (N, 2), in its pixels, of these radii (N,): shape (N, ...).

    Squares have `_SQUARE` pixels a side at most.
    """
    side = np.clip(np.rint(2 * radius), 1, _SQUARE).astype(int)
    found = np.empty((len(places), *image.shape[2:]), np.float32)
    for length in np.unique(side):
        here = side == length
        first = np.floor(places[here]).astype(int) - length // 2
        column, row = (
            np.clip(first[:, axis, None] + np.arange(length), 0, most - 1)
            for axis, most in enumerate(image.shape[1::-1])
        )
        found[here] = image[row[:, :, None], column[:, None, :]].mean((1, 2))
    return found


def _product(
    covariance: Covariance, places: Array, shades: Array, others: Array, other_shades: Array
) -> Array:
    """Covariance of N places (N, 2), in longer sides, and their lightness (N,), with M others: (N, M), 1 at most."""
    apart = np.subtract.outer(shades / covariance.shade, other_shades / covariance.shade)
    np.square(apart, out=apart)
    distance = np.square(np.subtract.outer(places[:, 0], others[:, 0]))
    distance += np.square(np.subtract.outer(places[:, 1], others[:, 1]))
    np.sqrt(distance, out=distance)
    found = sum(np.exp(distance * np.float32(-1 / reach)) for reach in covariance.reaches)
    return np.asarray(found * np.exp(-apart) / len(covariance.reaches), np.float32)
