"""Blocks of a photograph's places, each of which attends to the likeliest patches of a finely cut reference alone.

A place of the photograph finds what fits it in a small part of another view of the same picture, and so do the places
around it. Fours of patches tell which part that is, at a quarter of the photograph's places
(`tinct.networks.tinct.graphs.CandidatesGraph`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinct.networks.tinct.memory import Items, ReferenceFeatures, pooled_keys
from tinct.networks.tinct.ports import KEY_STRIDE, PLACE_STRIDE

Array = NDArray[np.float32]

BLOCK = 16
"""Places at 1/4 to a block's side."""

CHOSEN = 128
"""Fours of a reference's fine patches that a block attends to. Chosen on photographs of COCO's training set
(docs/experiments.md, "How finely references are cut")."""

AT_ONCE = 16
"""Blocks that attend in one run, unless a row has more: as many as 256 pixels square have."""

_NOTHING = -1e4
"""Bias of what is not there."""

_RATIO = PLACE_STRIDE // KEY_STRIDE
"""Places at 1/4 along one at 1/8."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """Some rows of a photograph's blocks, one after the other; where a last block is not whole, edges are repeated.

    Attributes:
        size: height and width of the places at 1/4 that are not repeated.
        columns: of blocks.
        keys: at 1/4, shape (blocks, BLOCK, BLOCK, heads * key).
        coarse_keys: at 1/8, shape (blocks, BLOCK / 2, BLOCK / 2, heads * key).
        places: what the semantic branch sees at 1/8, shape (blocks, BLOCK / 2, BLOCK / 2, P).
    """

    size: tuple[int, int]
    columns: int
    keys: Array
    coarse_keys: Array
    places: Array

    @classmethod
    def of(cls, keys: Array, places: Array) -> Blocks:
        """The blocks of places.

        Args:
            keys: shape (h, w, heads * key), h and w even.
            places: shape (h / 2, w / 2, P).
        """
        height, width = keys.shape[:2]
        rows, columns = -(-height // BLOCK), -(-width // BLOCK)
        small = BLOCK // _RATIO
        sides = (keys, BLOCK), (pooled_keys(keys, _RATIO), small), (places, small)
        return cls((height, width), columns, *(_cut(each, rows, columns, side) for each, side in sides))

    def put_together(self, found: Array) -> Array:
        """What `recall` gave for these blocks, (blocks, heads, BLOCK * BLOCK, C), as a map (heads, h, w, C)."""
        heads, channels = found.shape[1], found.shape[3]
        rows = len(found) // self.columns
        grid = found.reshape(rows, self.columns, heads, BLOCK, BLOCK, channels).transpose(2, 0, 3, 1, 4, 5)
        whole = grid.reshape(heads, rows * BLOCK, self.columns * BLOCK, channels)
        return whole[:, : self.size[0], : self.size[1]]


def rows_of_blocks(keys: Array, places: Array) -> Iterator[Blocks]:
    """A photograph's blocks, as many rows at once as have no more than `AT_ONCE` blocks, or one row.

    Args:
        keys, places: see `Blocks.of`.
    """
    step = BLOCK * max(1, AT_ONCE // -(-keys.shape[1] // BLOCK))
    for top in range(0, len(keys), step):
        below = top + step
        yield Blocks.of(keys[top:below], places[top // _RATIO : below // _RATIO])


def blocks_leave_out_half(reference: ReferenceFeatures) -> bool:
    """Whether blocks would attend to about half of a reference's fine patches or less."""
    height, width = reference.fine_grid
    return -(-height // 2) * -(-width // 2) >= 2 * CHOSEN


def chosen_items(taken: Array, reference: ReferenceFeatures) -> Items:
    """The fine patches of a reference that each block attends to: those of the fours that it takes most of.

    Args:
        taken: how much of each block's attention each of the reference's fours takes, shape (blocks, M).
        reference: of these M fours.
    Returns:
        Items with one axis more, the first, for the blocks. What a four lacks at an edge has a bias of `_NOTHING`.
    """
    chosen = np.sort(np.argpartition(-taken, CHOSEN, axis=1)[:, :CHOSEN], axis=1)
    height, width = reference.fine_grid
    row, column = np.divmod(chosen, (width + 1) // 2)
    within = [(2 * row + y, 2 * column + x) for y in range(2) for x in range(2)]
    there = np.stack([(y < height) & (x < width) for y, x in within], -1).reshape(len(taken), -1)
    which = np.stack([np.minimum(y, height - 1) * width + np.minimum(x, width - 1) for y, x in within], -1)
    which = which.reshape(len(taken), -1)
    fine = reference.fine
    assert fine.described is not None
    bias = np.where(there, fine.bias[which], np.float32(_NOTHING))
    return Items(fine.keys[which], fine.ab[which], bias, described=fine.described[which])


def _cut(image: Array, rows: int, columns: int, side: int) -> Array:
    """A map as blocks (rows * columns, side, side, C); its edges are repeated where the last blocks lack some."""
    below, right = rows * side - image.shape[0], columns * side - image.shape[1]
    whole = np.pad(image, ((0, below), (0, right), (0, 0)), mode="edge") if below or right else image
    grid = whole.reshape(rows, side, columns, side, -1).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(grid).reshape(rows * columns, side, side, -1)
