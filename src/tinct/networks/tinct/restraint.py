"""Hints whose colors surprise, kept to what is like their places where hints are few.

A hint moves the colors of a whole photograph: a true one tells of its light and of its film. One whose color is far
from what is expected at its place tells of the thing there, and whoever gave it hardly meant all else. How surprising a
hint may be, and how alike a place must be, was chosen on photographs of COCO's training set and their masks of objects
(docs/experiments.md, "One hint that surprises").
"""

from __future__ import annotations

import numpy as np

from tinct.hints import HintField
from tinct.methods.exported import bilinear, scalar_products
from tinct.networks.semantics.opinion import Opinion
from tinct.networks.tinct.memory import Array, bilinear_at

LEAST_SURPRISE, MOST_SURPRISE = 25.0, 40.0
"""Distance of a hint's color from the expected one, in units of a* b*, up to which a hint is not restrained, and from
which on it is restrained most."""

FEW = 4
"""Colors of hints up to which all count; of more, each is restrained the less, as they tell each other's places apart.
A stroke and several points of one color are one color; what they take of the attention adds up, so that each of n is
restrained 1 + log n times as much."""

ALIKE = 0.5
"""Cosine of two places by the semantic branch from which on a hint at one of them is meant for the other."""

OF_SCORES, OF_MOVES = 12.0, 4.0
"""What a place that is less alike by 1 takes from a hint's score in the attention, and from the logarithm of the share
of what hints move the branch's answer by."""


def restraint(hints: HintField, opinion: Opinion, size: tuple[int, int]) -> Array | None:
    """How far each place is kept from each of N hints.

    Args:
        hints: of the photograph.
        opinion: the semantic branch's, of the photograph with its padding.
        size: height and width of the photograph with its padding.
    Returns:
        Shape (h, w, N) on the grid of the branch's places, 0 where a hint is free to reach, more where the place is
        less like the hint's; None if all hints are free.
    """
    where = np.array([(point.y + 0.5, point.x + 0.5) for point in hints.points], np.float32)
    colors = np.array([point.ab for point in hints.points], np.float32)
    surprise = np.linalg.norm(colors - _at(opinion.ab, where, size), axis=1)
    strength = np.clip((surprise - LEAST_SURPRISE) / (MOST_SURPRISE - LEAST_SURPRISE), 0, 1)
    if not strength.any():
        return None
    _, which, counts = np.unique(colors, axis=0, return_inverse=True, return_counts=True)
    strength *= min(1.0, FEW / len(counts)) * (1 + np.log(counts[which.ravel()]))
    places = opinion.places
    wanted = _unit(_at(places, where, size))
    alike = scalar_products(_unit(places.reshape(-1, places.shape[2])), wanted)
    kept = np.maximum(ALIKE - alike, 0) * strength.astype(np.float32)
    return np.asarray(kept.reshape(*places.shape[:2], len(where)), np.float32)


def restrained_scores(kept: Array, size: tuple[int, int]) -> Array:
    """What is added to the scores of N hints at the places of a grid, shape (height * width, N): 0 or less.

    Args:
        kept: from `restraint`.
        size: height and width of the grid.
    """
    return np.asarray(-OF_SCORES * bilinear(kept, size).reshape(size[0] * size[1], -1), np.float32)


def restrained_moves(kept: Array, size: tuple[int, int]) -> Array:
    """The share of what hints move expected colors by that is left at each place, shape (height, width, 1), 0..1.

    The hint that is freest to reach a place decides for all.

    Args:
        kept: from `restraint`.
        size: height and width of the grid of these places.
    """
    freest = bilinear(kept.min(-1, keepdims=True), size)
    return np.asarray(np.exp(-OF_MOVES * freest), np.float32)


def _at(grid: Array, where: Array, size: tuple[int, int]) -> Array:
    """A map (h, w, C) over a photograph of that height and width at rows and columns (N, 2) in its pixels: (N, C)."""
    y, x = (where[:, axis] * (grid.shape[axis] / np.float32(size[axis])) - np.float32(0.5) for axis in (0, 1))
    return bilinear_at(grid, y, x)


def _unit(vectors: Array) -> Array:
    """Vectors (N, P) at unit length."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6), np.float32)
