"""Dense correspondence of a photograph and a reference, both ways, and how alike matched places are (section 4).

Both are seen in gray by EfficientNet-Lite2. Places lie on a grid of 1/8 of each one's size. Every place has a unit
vector at each of five levels; places are matched by those of 1/8 and 1/16 together. The four quarters of each place
then look for their likest quarters near the match, by the levels of 1/4 and 1/2. The paper finds its maps by Deep Image
Analogy over VGG-19's features, from coarse to fine as well, and says that another dense matcher may take its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinct.methods.exported import bilinear

Array = NDArray[np.float32]
Index = NDArray[np.intp]

NAMES = ("thirtysecond", "sixteenth", "eighth", "quarter", "half")
"""EfficientNet-Lite2's levels from coarse to fine, in the order of the similarity maps."""

SIGNATURE = "signature"
"""What the features' network calls its vector of the whole photograph."""

LEVELS = len(NAMES)
"""Number of levels."""

MATCHED = ("eighth", "sixteenth")
"""Levels that places are matched by."""

STRIDE = 8
"""Pixels to a place of the grid."""

FINE = {"quarter": 1.0, "half": 0.5}
"""Levels by which quarters of places are compared, and the weights of their cosines beside that of the places' own."""

FINE_SHARPNESS = 0.15
"""By how much more alike a quarter must be, summed over `FINE` and the places' cosine, to count e times as much.
Chosen, as weights and candidates, on 12 held-out photographs (docs/experiments.md, "He 2018: colors of quarters")."""

ROWS = 512
"""Places of the photograph that are compared with all of the reference's at a time, which bounds the memory."""

NEAR = tuple((row, column) for row in (-1, 0, 1) for column in (-1, 0, 1))
"""Offsets of a place's neighbors that vote for its color, the place itself among them."""


@dataclass(frozen=True)
class Places:
    """A picture's places as unit vectors.

    Attributes:
        grid: height and width of the grid.
        units: for each level of `NAMES`, shape (places, channels); zeros where a level is flat.
        quarters: of each place, from its upper left one by rows, unit vectors of `FINE` times the roots of the weights,
            joined: shape (h, w, 4, channels).
    """

    grid: tuple[int, int]
    units: tuple[Array, ...]
    quarters: Array

    @property
    def keys(self) -> Array:
        """Unit vectors that places are matched by, shape (places, channels)."""
        matched = [self.units[NAMES.index(name)] for name in MATCHED]
        return np.concatenate(matched, 1) / np.float32(np.sqrt(len(MATCHED)))


@dataclass(frozen=True)
class Correspondence:
    """Which place of the one is whose likest.

    Attributes:
        forward: for each place of the photograph the likest of the reference, shape (places of the photograph,).
        backward: for each place of the reference the likest of the photograph, shape (places of the reference,).
        cosine: of each place of the photograph with its likest, likewise.
    """

    forward: Index
    backward: Index
    cosine: Array


def places(features: Mapping[str, NDArray[np.generic]], grid: tuple[int, int]) -> Places:
    """Unit vectors of each level's features on the grid, centered over the picture.

    Args:
        features: of the levels of `NAMES`, each (C, h, w).
        grid: height and width of the grid.
    """
    units = tuple(_units(np.asarray(features[name], np.float32), grid) for name in NAMES)
    finer = 2 * grid[0], 2 * grid[1]
    parts = [
        _units(np.asarray(features[name], np.float32), finer) * np.float32(weight**0.5)
        for name, weight in FINE.items()
    ]
    return Places(grid, units, quarters_of(np.concatenate(parts, 1).reshape(*finer, -1)))


def quarters_of(image: Array) -> Array:
    """An image (2 h, 2 w, C) of quarters of places as (h, w, 4, C), each place's from its upper left one by rows."""
    height, width = image.shape[0] // 2, image.shape[1] // 2
    blocks = image.reshape(height, 2, width, 2, -1).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(blocks.reshape(height, width, 4, -1))


def correspondence(photograph: Places, reference: Places) -> Correspondence:
    """The likest places both ways; of equally alike ones the first."""
    own, other = photograph.keys, reference.keys
    forward = np.empty(len(own), np.intp)
    cosine = np.empty(len(own), np.float32)
    backward, best = np.zeros(len(other), np.intp), np.full(len(other), -np.inf, np.float32)
    for start in range(0, len(own), ROWS):
        rows = slice(start, start + ROWS)
        alike = own[rows] @ other.T
        forward[rows] = alike.argmax(1)
        cosine[rows] = alike.max(1)
        there = alike.argmax(0)
        found = alike[there, np.arange(len(other))]
        better = found > best
        backward[better], best[better] = there[better] + start, found[better]
    return Correspondence(forward, backward, cosine)


def similarity_maps(photograph: Places, reference: Places, found: Correspondence) -> Array:
    """How alike matched places are, shape (2 * LEVELS, h, w), 0..1: forward maps, then backward maps.

    A forward map compares a place with its likest place in the reference; a backward map compares that place of the
    reference with its own likest place in the photograph.
    """
    back = found.backward[found.forward]
    maps = [
        np.einsum("pc,pc->p", own[at], other[found.forward])
        for at in (slice(None), back)
        for own, other in zip(photograph.units, reference.units, strict=True)
    ]
    return np.clip(np.stack(maps), 0, 1).reshape(-1, *photograph.grid).astype(np.float32)


def carried_finely(colors: Array, photograph: Places, reference: Places, found: Correspondence) -> Array:
    """Colors that a correspondence carries to the quarters of the photograph's places.

    A neighbor of a place proposes what lies beside its own likest place as the place lies beside the neighbor, and what
    lies there in a mirror. Of all quarters of what is proposed those that are alike count, each by the exponential of
    its likeness.

    Args:
        colors: of the reference at the quarters of its places, shape (2 H, 2 W, C).
        photograph, reference: matched with one another.
        found: the correspondence.
    Returns:
        Shape (2 h, 2 w, C).
    """
    (height, width), (rows_there, columns_there) = photograph.grid, reference.grid
    proposed_colors, own = quarters_of(colors), photograph.keys.reshape(height, width, -1)
    other = reference.keys.reshape(rows_there, columns_there, -1)
    rows, columns = np.divmod(found.forward.reshape(height, width), columns_there)
    total = np.zeros((height, width, 4, colors.shape[2]), np.float32)
    weight = np.zeros((height, width, 4, 1), np.float32)
    most = 1 + sum(FINE.values())
    for down, right in NEAR:
        near = np.ix_(
            np.clip(np.arange(height) + down, 0, height - 1), np.clip(np.arange(width) + right, 0, width - 1)
        )
        for sign in (1, -1):
            row, column = rows[near] - down, columns[near] - sign * right
            inside = (row >= 0) & (row < rows_there) & (column >= 0) & (column < columns_there)
            there = row.clip(0, rows_there - 1), column.clip(0, columns_there - 1)
            alike = photograph.quarters @ reference.quarters[there].swapaxes(2, 3)
            alike += np.einsum("hwc,hwc->hw", own, other[there])[..., None, None]
            counted = (
                np.exp((alike - np.float32(most)) / np.float32(FINE_SHARPNESS)) * inside[..., None, None]
            )
            total += counted @ proposed_colors[there]
            weight += counted.sum(3, keepdims=True)
    mean = total / weight
    return np.ascontiguousarray(
        mean.reshape(height, width, 2, 2, -1).transpose(0, 2, 1, 3, 4).reshape(2 * height, 2 * width, -1)
    )


def on_grid(image: Array, grid: tuple[int, int]) -> Array:
    """Means of an image (H, W) or (H, W, C) over the grid's places; H and W are multiples of the grid's."""
    height, width = grid
    blocks = image.reshape(height, image.shape[0] // height, width, image.shape[1] // width, -1)
    return np.asarray(blocks.mean((1, 3)), np.float32)


def mixed(parts: Sequence[Array], shares: Array) -> Array:
    """The mean of arrays (C, h, w) by their shares (N, h, w), which sum to 1 at each place."""
    return np.asarray(sum(part * share for part, share in zip(parts, shares, strict=True)), np.float32)


def _units(features: Array, grid: tuple[int, int]) -> Array:
    """One level's unit vectors, (places, C)."""
    image = np.ascontiguousarray(features.transpose(1, 2, 0))
    if image.shape[0] > grid[0]:
        image = on_grid(image, grid)
    elif image.shape[:2] != grid:
        image = bilinear(image, grid)
    rows = image.reshape(-1, features.shape[0])
    rows = rows - rows.mean(0)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6), np.float32)
