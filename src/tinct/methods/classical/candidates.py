"""Several colors for each pixel, one from each of several texture features (Bugeau 2014, Pierre 2015)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tinct.methods.classical.texture import (
    fourier_at,
    fourier_rows,
    local_statistics,
    mean_square_distance,
    remap_lightness,
    row_blocks,
    sift_at,
    sift_rows,
)
from tinct.methods.method import Reference

Array = NDArray[np.float32]
Blocks = Iterator[tuple[int, int, Array]]
Index = NDArray[np.intp]
Search = tuple[Callable[[Array], tuple[NDArray[np.intp], NDArray[np.float64]]], int]
"""A search: from points, shape (N, D), to the indices of the nearest samples and their squared distances; and the
number of samples."""

REFERENCE_SAMPLES = 2048
"""Number of reference pixels that are compared with; one in 32 at 256 x 256."""
COMPONENTS = 16
"""Number of principal components, over the references' samples, that a feature is reduced to."""
LIGHTNESS_IN_SIFT = 0.02
"""Weight of one L* beside a SIFT descriptor, whose norm is at most 1."""
SEARCH_SLACK = 1.0
"""Tolerance of the tree search: a match may be farther than the nearest by the factor 1 + SEARCH_SLACK. Measured: 0.2
% farther on average, found 4 times faster."""
POINTS_AT_ONCE = 512
"""Number of points compared with all samples at a time, so that their distances stay in the processor's cache."""
LEAST_COST = 0.05
"""Added to a match's relative cost before the reference's weight multiplies the cost; without it an exact twin would
cost nothing at any weight."""
LEAST_SCALE = 1e-4
"""Mean squared distance, in the feature's unit, below which all samples look alike and no match is better than
another."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """C colors for every pixel.

    Attributes:
        ab: CIE a*, b*, shape (C, 2, H, W).
        cost: squared distance of each candidate's feature over its mean for chance pairs, shape (C, H, W).
    """

    ab: Array
    cost: Array


def find_candidates(lightness: Array, references: Sequence[Reference], seed: int) -> Candidates:
    """Find for each pixel the color of the nearest reference pixel, once in each of eight features.

    Source: Bugeau, Ta, Papadakis, "Variational exemplar-based image colorization", TIP 23(1), 2014: standard
    deviation, Fourier magnitudes and a SIFT-like descriptor (there SURF), each of patches of several sizes.
    The sizes and the search (over a jittered sample of the references and the principal components of the
    features) are ours.

    Args:
        lightness: CIE L*, shape (H, W), 0..100.
        references: at least one, of weights above 0; of two equal matches the heavier reference's is taken.
        seed: of the jitter.
    """
    sources = [_Source.sample(r, lightness, REFERENCE_SAMPLES // len(references), seed) for r in references]
    heaviest = max(reference.weight for reference in references)
    prices = [(heaviest / reference.weight) ** 2 for reference in references]
    colors = np.concatenate([source.ab for source in sources])
    height, width = lightness.shape
    ab = np.empty((len(FEATURES), 2, height, width), np.float32)
    cost = np.empty((len(FEATURES), height, width), np.float32)
    for k, feature in enumerate(FEATURES):
        known = [feature.at(source.lightness, source.rows, source.columns) for source in sources]
        chosen, cost[k] = _nearest(feature, lightness, known, prices)
        ab[k] = colors[chosen].transpose(2, 0, 1)
    return Candidates(ab, cost)


@dataclass(frozen=True, slots=True)
class Feature:
    """A texture feature, computed for all pixels or for some.

    Attributes:
        rows: yields the feature of all pixels by blocks of rows: top, bottom (exclusive), and an array (rows, W, D).
        at: gives the feature of the pixels at given rows and columns, shape (N, D).
    """

    rows: Callable[[Array], Blocks]
    at: Callable[[Array, Index, Index], Array]


def _statistics(lightness: Array, size: int) -> Array:
    mean, deviation = local_statistics(lightness, size)
    # Deviations are several times smaller than lightness and say as much.
    return np.stack([mean, 2 * deviation], axis=2)


def _statistics_rows(lightness: Array, size: int) -> Blocks:
    features = _statistics(lightness, size)
    for top, bottom in row_blocks(lightness.shape):
        yield top, bottom, features[top:bottom]


def _statistics_at(lightness: Array, rows: Index, columns: Index, *, size: int) -> Array:
    return np.asarray(_statistics(lightness, size)[rows, columns])


def _sift_and_lightness_rows(lightness: Array, cell: int) -> Blocks:
    mean = local_statistics(lightness, 3)[0] * np.float32(LIGHTNESS_IN_SIFT)
    for top, bottom, descriptors in sift_rows(lightness, cell):
        yield top, bottom, np.concatenate([descriptors, mean[top:bottom, :, None]], axis=2)


def _sift_and_lightness_at(lightness: Array, rows: Index, columns: Index, *, cell: int) -> Array:
    mean = local_statistics(lightness, 3)[0] * np.float32(LIGHTNESS_IN_SIFT)
    return np.concatenate(
        [sift_at(lightness, rows, columns, cell=cell), mean[rows, columns][:, None]], axis=1
    )


SIFT_FEATURES: tuple[Feature, ...] = tuple(
    Feature(partial(_sift_and_lightness_rows, cell=cell), partial(_sift_and_lightness_at, cell=cell))
    for cell in (3, 6)
)
"""SIFT features at two cell sizes. SIFT varies in so many directions that a tree visits most samples: comparing with
all of them is exact and takes a third of the time."""
FEATURES: tuple[Feature, ...] = (
    *(Feature(partial(_statistics_rows, size=k), partial(_statistics_at, size=k)) for k in (3, 5, 7)),
    *(Feature(partial(fourier_rows, size=k), partial(fourier_at, size=k)) for k in (7, 9, 11)),
    *SIFT_FEATURES,
)
"""The eight features: local statistics, Fourier magnitudes and SIFT, each at several sizes."""


@dataclass(frozen=True, slots=True)
class _Source:
    """A reference's lightness, brought to the target's, and the pixels of it that are compared with."""

    lightness: Array
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    ab: Array

    @classmethod
    def sample(cls, reference: Reference, lightness: Array, count: int, seed: int) -> _Source:
        """One pixel at random from each of about `count` cells of a grid (jittered sampling, Welsh 2002)."""
        height, width = reference.lightness.shape
        step = max(1.0, float(np.sqrt(height * width / max(count, 1))))
        corners = np.meshgrid(np.arange(0, height, step), np.arange(0, width, step), indexing="ij")
        jitter = np.random.default_rng(seed).uniform(0, step, (2, corners[0].size))
        rows, columns = (
            np.minimum(corner.ravel() + shift, side - 1).astype(np.intp)
            for corner, shift, side in zip(corners, jitter, (height, width), strict=True)
        )
        remapped = remap_lightness(reference.lightness, lightness)
        return cls(remapped, rows, columns, reference.ab[rows, columns])


def _nearest(
    feature: Feature, lightness: Array, known: Sequence[Array], prices: Sequence[float]
) -> tuple[NDArray[np.intp], Array]:
    """For each pixel the sample of the lowest squared distance times price, and that distance, relative.

    Samples are counted through all sources; distances are relative to their mean over all pixels and samples.
    """
    center, basis = _principal_components(np.concatenate(known))
    samples = [np.asarray((part - center) @ basis, np.float32) for part in known]
    together = np.concatenate(samples)
    search = _all_search if feature in SIFT_FEATURES else _tree_search
    searches = [search(part) for part in samples]
    floor = LEAST_COST * float(mean_square_distance(together, together, 0.0))
    chosen, nearest = np.empty(lightness.shape, np.intp), np.empty(lightness.shape, np.float32)
    scale = 0.0
    for top, bottom, block in feature.rows(lightness):
        points = np.asarray((block.reshape(-1, block.shape[2]) - center) @ basis, np.float32)
        found, squares = _cheapest(points, searches, prices, floor)
        chosen[top:bottom] = found.reshape(bottom - top, -1)
        nearest[top:bottom] = squares.reshape(bottom - top, -1)
        scale += float(mean_square_distance(points, together, 0.0)) * len(points) / lightness.size
    return chosen, nearest / np.float32(max(scale, LEAST_SCALE))


def _cheapest(
    points: Array, searches: Sequence[Search], prices: Sequence[float], floor: float
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    chosen, squares = np.zeros(len(points), np.intp), np.zeros(len(points))
    lowest = np.full(len(points), np.inf)
    first = 0
    for (search, count), price in zip(searches, prices, strict=True):
        found, square = search(points)
        cost = (square + floor) * price
        better = cost < lowest
        lowest[better] = cost[better]
        chosen[better], squares[better] = first + found[better], square[better]
        first += count
    return chosen, squares


def _tree_search(samples: Array) -> Search:
    from scipy.spatial import cKDTree

    tree = cKDTree(samples)

    def search(points: Array) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        distance, found = tree.query(points, eps=SEARCH_SLACK, workers=-1)
        return found, distance**2

    return search, len(samples)


def _all_search(samples: Array) -> Search:
    # |s|² - 2 p·s orders the samples as their distances from p do, and is one matrix product.
    compare = np.concatenate([-2 * samples, np.square(samples).sum(axis=1, keepdims=True)], axis=1).T.copy()

    def search(points: Array) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        extended = np.pad(points, ((0, 0), (0, 1)), constant_values=1)
        found = np.concatenate(
            [
                (extended[first : first + POINTS_AT_ONCE] @ compare).argmin(axis=1)
                for first in range(0, len(points), POINTS_AT_ONCE)
            ]
        )
        return found, np.square(points - samples[found]).sum(axis=1).astype(np.float64)

    return search, len(samples)


def _principal_components(known: Array) -> tuple[Array, Array]:
    """Mean, shape (D,), and the directions of largest variance, shape (D, at most COMPONENTS)."""
    center = known.mean(axis=0)
    _, vectors = np.linalg.eigh(np.cov(known - center, rowvar=False, bias=True).astype(np.float64))
    return center, vectors[:, ::-1][:, :COMPONENTS].astype(np.float32)
