"""Kriging: expected colors of a photograph, moved towards what hints say, the more the nearer and the more alike.

The difference of hints and expected colors is regressed on place, lightness and expected color by a Gaussian process,
whose mean is added to what was expected. It neither learns nor follows edges: moved from what is expected without
hints, colors err apart from those of a network that does both; of that network's answer it takes away what is missed at
the hints.
Source: Rasmussen and Williams, Gaussian Processes for Machine Learning, MIT Press, 2006, section 2.2.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tinct.hints.field import HintField, PlacedHint
from tinct.methods.exported import scalar_products

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Covariance:
    """Of the differences from what is expected, at two places of one photograph.

    Attributes:
        reaches: distances, in longer sides of the photograph, over which its equal parts fall to 1 / e.
        shade: difference of lightness, in units of L*, at which it falls to 1 / e.
        color: distance of the expected colors, in units of a* b*, at which it falls to 1 / e: things of one expected
            color err alike.
        noise: variance of a hint about what is true, against that of the difference from what is expected.
        grain: that of a single pixel about its surroundings, by which noise grows; over a hint's area it is averaged.
        most: length in units of a* b* from which on differences count the less the larger they are.
    """

    reaches: tuple[float, ...]
    shade: float
    color: float
    noise: float
    grain: float = 0.0
    most: float = math.inf


FAR = Covariance((0.2, 1.5), 40.0, 30.0, 0.05)
"""For colors that were expected without hints, which a hint may move anywhere. Chosen, as the next one, on held-out
photographs, and what is of color in it on photographs of COCO's training set (docs/experiments.md, "A second opinion
that heeds hints")."""

NEAR = Covariance((0.3,), 40.0, 15.0, 0.003, 0.12, 6.0)
"""For an answer that heeds hints and misses them by little, which is mended around them."""

MOST = 512
"""Hints that are counted; of more, so many in even steps through their order."""

_SQUARE = 32
"""Longest side in pixels of a square whose mean lightness and expected color are those of a hint."""

_SIDE = 64
"""Longer side in cells of the grid on which differences are computed; a finer grid's are enlarged from it."""


def moved_to_hints(expected: Array, lightness: Array, hints: Sequence[PlacedHint]) -> Array:
    """Colors that were expected without hints, moved towards hints.

    Args:
        expected: CIE a*, b*, shape (h, w, 2), on a grid over the photograph.
        lightness: CIE L* of the photograph, shape (H, W), 0..100.
        hints: in pixels of the same photograph; none gives back what was expected.
    """
    if not hints:
        return expected
    counted = _counted(hints)
    scale = np.divide(expected.shape[1::-1], lightness.shape[::-1], dtype=np.float32)
    found = _means(expected, hint_centers(counted) * scale, _radii(counted) * scale.mean())
    wanted = np.array([hint.ab for hint in counted], np.float32) - found
    return np.asarray(expected + _regressed(wanted, found, counted, lightness, expected, FAR), np.float32)


def mended_at_hints(answer: Array, lightness: Array, hints: HintField) -> Array:
    """An answer that heeds hints, without what it misses at them and, the less the farther, at what is alike.

    Args:
        answer: CIE a*, b*, shape (H, W, 2).
        lightness: CIE L* of the photograph, shape (H, W), 0..100.
        hints: in pixels of the same photograph, whose fields may lack padding at its right and lower edges.
    """
    if not hints.points:
        return answer
    counted = _counted(hints.points)
    wanted, found = np.empty((2, len(counted), 2), np.float32)
    for some, row, column in _squares(
        hints.mask.shape, hint_centers(counted), np.maximum(_radii(counted), 1)
    ):
        share = hints.mask[row, column][..., None]
        share = share / np.maximum(share.sum((1, 2), keepdims=True), 1e-6)
        wanted[some] = ((hints.ab[row, column] - answer[row, column]) * share).sum((1, 2))
        found[some] = (answer[row, column] * share).sum((1, 2))
    missed = _regressed(wanted, found, counted, lightness, answer, NEAR)
    return np.add(answer, missed, out=missed)


def _regressed(
    wanted: Array,
    found: Array,
    hints: Sequence[PlacedHint],
    lightness: Array,
    expected: Array,
    covariance: Covariance,
) -> Array:
    """The mean of a Gaussian process of differences from what is expected, of the shape of that.

    Args:
        wanted: differences at hints, shape (N, 2).
        found: what is expected at these, shape (N, 2).
        hints: these N.
        lightness: CIE L* of the photograph, shape (H, W).
        expected: CIE a*, b*, shape (h, w, 2), on a grid over the photograph.
        covariance: of the differences.
    """
    import cv2

    place, radius = hint_centers(hints), _radii(hints)
    longer = np.float32(max(lightness.shape))
    height, width = expected.shape[:2]
    shrunk = min(1.0, _SIDE / max(height, width))
    small = max(1, round(width * shrunk)), max(1, round(height * shrunk))
    shades, colors = (
        np.asarray(cv2.resize(image, small, interpolation=cv2.INTER_AREA), np.float32)
        for image in (lightness, expected)
    )
    far = np.linalg.norm(wanted, axis=1, keepdims=True) / covariance.most
    wanted = wanted / np.maximum(1, far * far)
    here, like = place / longer, _likeness(covariance, _means(lightness, place, radius), found)
    cells, asked = _cells(small, lightness.shape[:2]), _likeness(covariance, shades.ravel(), colors)
    noise = covariance.noise + covariance.grain / np.square(np.maximum(2 * radius, 1))
    own = _product(covariance, (_ones(here), _ones(like)), (here, like)) + np.diag(noise)
    shares = np.linalg.solve(own, wanted).astype(np.float32)
    shared = _product(covariance, (cells, _ones(asked)), (here, like))
    mean = scalar_products(shared, shares.T).reshape(small[1], small[0], 2)
    return np.asarray(cv2.resize(mean, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _counted(hints: Sequence[PlacedHint]) -> list[PlacedHint]:
    """So many of the hints as are counted."""
    if len(hints) <= MOST:
        return list(hints)
    steps = np.linspace(0, len(hints) - 1, MOST).round().astype(int)
    return [hints[index] for index in steps]


def hint_centers(hints: Sequence[PlacedHint]) -> Array:
    """Where hints lie, x and y of their centers from the photograph's upper left corner in pixels: (N, 2)."""
    return np.array([(hint.x + 0.5, hint.y + 0.5) for hint in hints], np.float32)


def _radii(hints: Sequence[PlacedHint]) -> Array:
    return np.array([hint.radius for hint in hints], np.float32)


def _means(image: Array, places: Array, radius: Array) -> Array:
    """Means of an image over the squares of `_squares`, shape (N, ...)."""
    found = np.empty((len(places), *image.shape[2:]), np.float32)
    for some, row, column in _squares(image.shape, places, radius):
        found[some] = image[row, column].mean((1, 2))
    return found


def _squares(
    shape: tuple[int, ...], places: Array, radius: Array
) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.intp], NDArray[np.intp]]]:
    """Squares around N places (N, 2), of these radii (N,) in pixels, `_SQUARE` pixels a side at most.

    Yields:
        Those of one size: which of the N they are, and the rows (n, side, 1) and columns (n, 1, side) of their pixels;
        what lies outside of the image is moved to its edge.
    """
    sides = np.minimum(np.maximum(np.rint(2 * radius), 1), _SQUARE).astype(int)
    for side in set(sides.tolist()):
        some = sides == side
        first = np.floor(places[some]).astype(int) - side // 2
        column, row = (
            np.minimum(np.maximum(first[:, axis, None] + np.arange(side), 0), most - 1)
            for axis, most in enumerate(shape[1::-1])
        )
        yield some, row[:, :, None], column[:, None, :]


@lru_cache(maxsize=64)
def _cells(size: tuple[int, int], shape: tuple[int, int]) -> Array:
    """Centers of a grid's cells in longer sides of a photograph, as `_ones` gives them: (w * h, 4).

    Args:
        size: of the grid, w and h.
        shape: height and width of the photograph.
    """
    across, down = (
        (np.arange(n) + 0.5) / n * side / max(shape) for n, side in zip(size, shape[::-1], strict=True)
    )
    cells = np.stack(np.meshgrid(across, down), -1).reshape(-1, 2).astype(np.float32)
    found = _ones(cells)
    found.flags.writeable = False  # all who ask share it
    return found


def _likeness(covariance: Covariance, shades: Array, colors: Array) -> Array:
    """Lightness and expected color of N places by the lengths over which likeness falls: (N, 3).

    Args:
        covariance: for these lengths.
        shades: CIE L*, shape (N,).
        colors: expected CIE a*, b*, shape (N, 2), or a grid of N.
    """
    found = np.empty((len(shades), 3), np.float32)
    found[:, 0] = shades
    found[:, 1:] = colors.reshape(-1, 2)
    found /= np.array([covariance.shade, covariance.color, covariance.color], np.float32)
    return found


def _product(covariance: Covariance, ones: tuple[Array, Array], others: tuple[Array, Array]) -> Array:
    """Covariance of N places with M others: (N, M), 1 at most.

    Args:
        covariance: of these.
        ones: where they lie in longer sides, and their `_likeness`, both as `_ones` gives them.
        others: the same without that: (M, 2) and (M, 3).
    """
    import cv2

    distance, apart = (_squared_distances(one, other) for one, other in zip(ones, others, strict=True))
    cv2.sqrt(distance, dst=distance)
    np.negative(apart, out=apart)
    found = [cv2.exp(cv2.scaleAdd(distance, -1 / reach, apart)) for reach in covariance.reaches]
    return np.asarray(sum(found[1:], found[0]) / np.float32(len(found)), np.float32)


def _ones(points: Array) -> Array:
    """N points (N, D), their squared lengths and 1, so that a product of matrices gives distances: (N, D + 2)."""
    found = np.empty((len(points), points.shape[1] + 2), np.float32)
    found[:, :-2] = points
    found[:, -2] = np.einsum("ij,ij->i", points, points)
    found[:, -1] = 1
    return found


def _squared_distances(ones: Array, others: Array) -> Array:
    """Squared distances of N points, as `_ones` gives them, from M others (M, D): (N, M)."""
    turned = np.empty((len(others), others.shape[1] + 2), np.float32)
    turned[:, :-2] = -2 * others
    turned[:, -2] = 1
    turned[:, -1] = np.einsum("ij,ij->i", others, others)
    found = scalar_products(ones, turned)
    return np.asarray(np.maximum(found, 0, out=found), np.float32)
