"""The second step of He et al. 2018's search for references: likely ones compared cell by cell, in content and light.

The descriptor knows what photographs show on the whole; here each of 7 x 7 cells of the photograph looks for its likest
cell of a candidate, and the cells' lightness must be distributed alike, as lightness stays and only chroma is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinct.methods.exported import exported_network
from tinct.networks.he2018.method import WEIGHTS
from tinct.photo import Photo
from tinct.photo.reduced import read_reduced
from tinct.retrieval.descriptor import SIDE, squashed

Array = NDArray[np.float32]

FEATURES, LEVEL = WEIGHTS[1], "thirtysecond"
"""The network that cells are seen by, and the level at which a photograph of `SIDE` pixels has 7 x 7 places."""

CELLS = 7
"""Cells along each side."""

BINS = 10
"""Bins of a cell's histogram of lightness."""

LIGHT = 0.25
"""Weight of the lightness beside the features."""

LOOKED_AT = 24
"""Candidates that are compared; the paper compares at most 200."""


@dataclass(frozen=True)
class Cells:
    """A photograph's cells.

    Attributes:
        units: unit vectors of the features, centered over the photograph, shape (49, C).
        histograms: of lightness, less their mean and of unit length, shape (49, BINS).
    """

    units: Array
    histograms: Array


def cells_of(photo: Photo) -> Cells:
    """A photograph's cells, seen in gray.

    Raises:
        WeightsError: if the network is not installed.
    """
    lightness = squashed(photo)
    found = exported_network(FEATURES).run(lightness=lightness[None, None])[LEVEL]
    features = np.asarray(found[0], np.float32).reshape(found.shape[1], -1).T
    side = SIDE // CELLS
    blocks = lightness.reshape(CELLS, side, CELLS, side).transpose(0, 2, 1, 3).reshape(CELLS**2, -1)
    counts = np.stack([np.histogram(block, BINS, (0, 100))[0] for block in blocks]).astype(np.float32)
    return Cells(_unit(features - features.mean(0)), _unit(counts - counts.mean(1, keepdims=True)))


def distance(own: Cells, other: Cells) -> float:
    """How unlike a candidate is, 0..2.25: of each cell's likest one the features, and a quarter of the lightness.

    Args:
        own: of the photograph that asks.
        other: of the candidate.
    """
    cosines = own.units @ other.units.T
    likest = cosines.argmax(1)
    correlation = (own.histograms * other.histograms[likest]).sum(1)
    unlike = 1 - cosines.max(1).mean()
    return float(unlike + LIGHT * (1 - correlation).mean() / 2)


def distances(photo: Photo, names: Sequence[str], read: Callable[[str], bytes]) -> list[float]:
    """How unlike each candidate is to a photograph, see `distance`.

    Args:
        photo: the photograph that asks.
        names: of the candidates.
        read: gives the content of a candidate's file by its name.
    Raises:
        WeightsError: if the network is not installed.
        PhotoError: if a candidate cannot be read.
    """
    own = cells_of(photo)
    return [distance(own, cells_of(read_reduced(read(name), SIDE))) for name in names]


def _unit(rows: Array) -> Array:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6), np.float32)
