"""Dense correspondence of a photograph and a reference, both ways, and how alike matched places are (section 4).

Both are seen in gray by EfficientNet-Lite2. Places lie on a grid of 1/8 of each one's size. Every place has a unit
vector at each of five levels; places are matched by those of 1/8 and 1/16 together. The paper finds its maps by Deep
Image Analogy over VGG-19's features, and says that another dense matcher may take its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Index = NDArray[np.intp]

NAMES = ("thirtysecond", "sixteenth", "eighth", "quarter", "half")
"""EfficientNet-Lite2's levels from coarse to fine, in the order of the similarity maps."""

LEVELS = len(NAMES)
"""Number of levels."""

MATCHED = ("eighth", "sixteenth")
"""Levels that places are matched by."""

STRIDE = 8
"""Pixels to a place of the grid."""

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
    """

    grid: tuple[int, int]
    units: tuple[Array, ...]

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
    return Places(grid, tuple(_units(np.asarray(features[name], np.float32), grid) for name in NAMES))


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


def carried(colors: Array, index: Index, grid: tuple[int, int]) -> Array:
    """Colors that a correspondence carries to the photograph: each place's neighbors vote for its color.

    A neighbor proposes what lies beside its own likest place as the place lies beside the neighbor; the mean of all
    proposals that are inside counts.

    Args:
        colors: at the places that the index points to, shape (h, w, C).
        index: for each place of the photograph.
        grid: height and width of the photograph's grid.
    Returns:
        Shape (*grid, C).
    """
    rows, columns = np.divmod(index.reshape(grid), colors.shape[1])
    total, votes = np.zeros((*grid, colors.shape[2]), np.float32), np.zeros((*grid, 1), np.float32)
    for down, right in NEAR:
        here, there = _overlap(grid[0], down), _overlap(grid[1], right)
        from_row = rows[here[1], there[1]] - down
        from_column = columns[here[1], there[1]] - right
        inside = (from_row >= 0) & (from_row < colors.shape[0])
        inside &= (from_column >= 0) & (from_column < colors.shape[1])
        proposed = colors[from_row.clip(0, colors.shape[0] - 1), from_column.clip(0, colors.shape[1] - 1)]
        total[here[0], there[0]] += proposed * inside[..., None]
        votes[here[0], there[0]] += inside[..., None]
    return total / votes


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
        image = np.tensordot(_bilinear(image.shape[0], grid[0]), image, 1)
        image = (_bilinear(image.shape[1], grid[1]) @ image).astype(np.float32)
    rows = image.reshape(-1, features.shape[0])
    rows = rows - rows.mean(0)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6), np.float32)


def _bilinear(length: int, wanted: int) -> Array:
    """The matrix of bilinear enlargement from one length to another, (wanted, length); OpenCV takes 128 channels."""
    at = np.clip((np.arange(wanted) + 0.5) * length / wanted - 0.5, 0, length - 1)
    return np.maximum(0, 1 - np.abs(at[:, None] - np.arange(length))).astype(np.float32)


def _overlap(length: int, offset: int) -> tuple[slice, slice]:
    """Places that have a neighbor at the offset, and these neighbors."""
    here = slice(max(0, -offset), length - max(0, offset))
    return here, slice(here.start + offset, here.stop + offset)
