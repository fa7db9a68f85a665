"""Hints kept to what is like their places where hints are few: colors that surprise, and what all take of vividness.

A hint moves the colors of a whole photograph: a true one tells of its light and of its film. One whose color is far
from what is expected at its place tells of the thing there, and whoever gave it hardly meant all else. How surprising a
hint may be, and how alike a place must be, was chosen on photographs of COCO's training set and their masks of objects
(docs/experiments.md, "One hint that surprises"). Whatever its color, a hint answers for what is like its place, and
elsewhere vividness goes on guessing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tinct.hints import HintField
from tinct.methods.exported import bilinear, scalar_products
from tinct.methods.kriging import hint_centers
from tinct.networks.semantics.opinion import Opinion, unit_vectors
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

OF_VIVIDNESS = 5.0
"""The same for the logarithm of the share of hints' attention by which vividness falls."""

MANY = 64
"""Colors of hints up to which places are kept from them: with so many it is a sixteenth, and nothing beyond."""


class Restraint(NamedTuple):
    """How far places are kept from N hints, on the grid of the branch's places.

    Attributes:
        kept: of each hint, shape (h, w, N), 0 where it is free to reach, more where the place is less like its own and
            the more it surprises; None if all are free.
        unlike: by how much less a place is like that of any hint than `ALIKE`, shape (h, w, 1), less where hints are of
            many colors.
    """

    kept: Array | None
    unlike: Array


def restraint(hints: HintField, opinion: Opinion, size: tuple[int, int]) -> Restraint | None:
    """How far each place is kept from each hint.

    Args:
        hints: of the photograph.
        opinion: the semantic branch's, of the photograph with its padding.
        size: height and width of the photograph with its padding.
    Returns:
        None if the hints are of so many colors that nothing is kept from them.
    """
    colors = np.array([point.ab for point in hints.points], np.float32)
    _, which, counts = np.unique(colors, axis=0, return_inverse=True, return_counts=True)
    if len(counts) > MANY:
        return None
    where = hint_centers(hints.points)[:, ::-1]
    alike = scalar_products(opinion.units, unit_vectors(_at(opinion.places, where, size)))
    few = np.float32(min(1, FEW / len(counts)))
    unlike = np.maximum(ALIKE - alike, 0).reshape(*opinion.places.shape[:2], -1) * few
    surprise = np.linalg.norm(colors - _at(opinion.ab, where, size), axis=1)
    strength = np.clip((surprise - LEAST_SURPRISE) / (MOST_SURPRISE - LEAST_SURPRISE), 0, 1)
    strength *= 1 + np.log(counts[which.ravel()])
    kept = unlike * strength.astype(np.float32) if strength.any() else None
    return Restraint(kept, unlike.min(-1, keepdims=True))


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


def answered_where_alike(unlike: Array, size: tuple[int, int]) -> Array:
    """The share of what hints answer for by which vividness falls, shape (height, width), 0..1.

    Args:
        unlike: from `restraint`.
        size: height and width of the grid of these places.
    """
    return np.asarray(np.exp(-OF_VIVIDNESS * bilinear(unlike, size)[..., 0]), np.float32)


def _at(grid: Array, where: Array, size: tuple[int, int]) -> Array:
    """A map (h, w, C) over a photograph of that height and width at rows and columns (N, 2) in its pixels: (N, C)."""
    y, x = (where[:, axis] * (grid.shape[axis] / np.float32(size[axis])) - np.float32(0.5) for axis in (0, 1))
    return bilinear_at(grid, y, x)
