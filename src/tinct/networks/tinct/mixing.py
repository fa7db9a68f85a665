"""The semantic branch's share in the answer, beside what references and hints have taken of the attention."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

SECOND, POWER_OF_HINTS, POWER_OF_REFERENCES = 0.4, 6, 2
"""Share of the semantic branch's opinion in the answer where nothing else is known, and the powers of what hints and
what references leave of the attention, by which its distribution's share falls. Chosen on held-out photographs
(docs/experiments.md, "A second opinion" and "An encoder that shares the branch's network")."""

SECOND_BESIDE_HINTS = 0.2
"""Share of the branch's mean answer, moved to hints (`tinct.methods.kriging`), where hints have all the attention.
Chosen on held-out photographs (docs/experiments.md, "A second opinion that heeds hints")."""


class Decoded(NamedTuple):
    """What decoder and branch answer, channels last, without the axis of the batch.

    Attributes:
        ab: the mean answer at 1/2, CIE a*, b*.
        annealed, certainty: see `tinct.networks.tinct.graphs.DecodeGraph`.
        second: the branch's mean answer, on its own grid.
    """

    ab: NDArray[Any]
    annealed: NDArray[Any]
    certainty: NDArray[Any]
    second: NDArray[Any]


def share_of_distribution(taken: Array, from_references: Array) -> Array:
    """The share of the branch's distribution, shape (h, w, 1).

    Args:
        taken, from_references: of the attention, shape (h, w), as `tinct.networks.tinct.memory.shares` gives them.
    """
    beside = SECOND * (1 - _from_hints(taken, from_references)) ** POWER_OF_HINTS
    return _beside_references(beside, from_references)


def share_of_mean(taken: Array, from_references: Array) -> Array:
    """The share of the branch's mean answer, which heeds hints; arguments and shape as of `share_of_distribution`."""
    beside = SECOND + (SECOND_BESIDE_HINTS - SECOND) * _from_hints(taken, from_references)
    return _beside_references(beside, from_references)


def _from_hints(taken: Array, from_references: Array) -> Array:
    return np.maximum(taken - from_references, 0)


def _beside_references(share: Array, from_references: Array) -> Array:
    return np.asarray(share * (1 - from_references) ** POWER_OF_REFERENCES, np.float32)[..., None]


def averaged(own: Array, second: Array, share_of_second: Array) -> Array:
    """The distribution (h, w, 313) whose logarithms are the weighted mean of two distributions' logarithms.

    Args:
        own: probabilities.
        second: logarithms of probabilities.
        share_of_second: the weight of the latter, 0..1.
    """
    logarithms = np.log(np.maximum(own, 1e-12))
    logarithms += share_of_second * (second - logarithms)
    p = np.exp(logarithms - logarithms.max(-1, keepdims=True))
    return np.asarray(p / p.sum(-1, keepdims=True), np.float32)
