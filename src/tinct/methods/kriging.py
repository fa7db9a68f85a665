"""Kriging: expected colors of a photograph, moved towards what hints say, the more the nearer and the more alike in L*.

The difference of hints and expected colors is regressed on place and lightness by a Gaussian process, whose mean is
added to what was expected. It neither learns nor follows edges, so that it errs apart from a network that does both.
Source: Rasmussen and Williams, Gaussian Processes for Machine Learning, MIT Press, 2006, section 2.2.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tinct.hints.field import PlacedHint

Array = NDArray[np.float32]

NEAR, FAR = 0.2, 1.5
"""Distances, in longer sides of the photograph, over which the two halves of the covariance fall to 1 / e."""

SHADE = 40.0
"""Difference of lightness, in units of L*, at which the covariance falls to 1 / e."""

NOISE = 0.05
"""Variance of a hint about what is true, against that of the difference from what is expected. Chosen with the three
numbers above on held-out photographs (docs/experiments.md, "A second opinion that heeds hints")."""

MOST = 512
"""Hints that are counted; of more, so many in even steps through their order."""

_SIDE = 64
"""Longer side in cells of the grid on which differences are computed; a finer grid's are enlarged from it."""

_AROUND = 6
"""Side in pixels of the square whose mean lightness is that of a hint."""


def moved_to_hints(expected: Array, lightness: Array, hints: Sequence[PlacedHint]) -> Array:
    """Expected colors, moved towards hints.

    Args:
        expected: CIE a*, b*, shape (h, w, 2), on a grid over the photograph.
        lightness: CIE L* of the photograph, shape (H, W), 0..100.
        hints: in pixels of the same photograph; none gives back what was expected.
    """
    import cv2

    if not hints:
        return expected
    steps = np.linspace(0, len(hints) - 1, min(len(hints), MOST)).round().astype(int)
    counted = [hints[index] for index in steps]
    size = np.array(lightness.shape[::-1], np.float32)
    place = np.array([(hint.x + 0.5, hint.y + 0.5) for hint in counted], np.float32)
    column, row = np.clip(place, 0, size - 1).astype(int).T
    shade = np.asarray(cv2.blur(lightness, (_AROUND, _AROUND))[row, column], np.float32)

    height, width = expected.shape[:2]
    shrunk = min(1.0, _SIDE / max(height, width))
    grid = max(1, round(width * shrunk)), max(1, round(height * shrunk))
    coarse = cv2.resize(expected, grid, interpolation=cv2.INTER_AREA).reshape(-1, 2)
    shades = np.asarray(cv2.resize(lightness, grid, interpolation=cv2.INTER_AREA).reshape(-1), np.float32)
    across, down = np.meshgrid(*((np.arange(n) + 0.5) / n for n in grid))
    cells = np.stack([across.ravel(), down.ravel()], 1).astype(np.float32) * size

    inside = np.clip((place / size * grid).astype(int), 0, np.array(grid) - 1)
    wanted = np.array([hint.ab for hint in counted]) - coarse[inside[:, 1] * grid[0] + inside[:, 0]]
    longer = size.max()
    own = _covariance(place / longer, shade, place / longer, shade) + NOISE * np.eye(len(counted))
    shares = np.linalg.solve(own, wanted).astype(np.float32)
    moved = _covariance(cells / longer, shades, place / longer, shade) @ shares
    moved = moved.reshape(grid[1], grid[0], 2)
    return np.asarray(
        expected + cv2.resize(moved, (width, height), interpolation=cv2.INTER_LINEAR), np.float32
    )


def _covariance(places: Array, shades: Array, others: Array, other_shades: Array) -> Array:
    """Of the differences at places (N, 2) in longer sides and of lightness (N,), with those at M others: (N, M)."""
    apart = np.subtract.outer(shades / SHADE, other_shades / SHADE)
    np.square(apart, out=apart)
    distance = np.square(np.subtract.outer(places[:, 0], others[:, 0]))
    distance += np.square(np.subtract.outer(places[:, 1], others[:, 1]))
    np.sqrt(distance, out=distance)
    found = np.exp(distance * np.float32(-1 / NEAR))
    found += np.exp(distance * np.float32(-1 / FAR))
    found *= 0.5 * np.exp(-apart)
    return np.asarray(found, np.float32)
