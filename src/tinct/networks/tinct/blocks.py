"""Blocks of a photograph's places, each of which attends to the likeliest patches of a finely cut reference alone.

A place of the photograph finds what fits it in a small part of another view of the same picture, and so do the places
around it. Coarse patches tell which part that is, at a quarter of the photograph's places and a quarter of the patches
(`tinct.networks.tinct.graphs.CandidatesGraph`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinct.networks.tinct.memory import Items, ReferenceFeatures, block_means, unit
from tinct.networks.tinct.ports import KEY_STRIDE, REFERENCE_STRIDE

Array = NDArray[np.float32]

BLOCK = 16
"""Places at 1/4 to a block's side."""

CHOSEN = 128
"""Coarse patches of a reference whose fine ones a block attends to. Chosen on photographs of COCO's training set
(docs/experiments.md, "How finely references are cut")."""

AT_ONCE = 16
"""Blocks that attend in one run, unless a row has more: as many as 256 pixels square have."""

_FINE_PER_COARSE = REFERENCE_STRIDE // KEY_STRIDE
"""Fine patches along a coarse one's side; places at 1/4 along one at 1/8, too."""


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
        means = block_means(keys, _FINE_PER_COARSE)
        coarse = unit(means.reshape(-1, means.shape[2])).reshape(means.shape)
        small = BLOCK // _FINE_PER_COARSE
        sides = (keys, BLOCK), (coarse, small), (places, small)
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
        yield Blocks.of(keys[top:below], places[top // _FINE_PER_COARSE : below // _FINE_PER_COARSE])


def blocks_leave_out_half(reference: ReferenceFeatures) -> bool:
    """Whether blocks would attend to half of a reference's fine patches or less, and coarse patches tell which."""
    return len(reference.coarse.keys) >= 2 * CHOSEN and min(reference.ab.shape[:2]) >= REFERENCE_STRIDE


def chosen_items(taken: Array, reference: ReferenceFeatures) -> Items:
    """The fine patches of a reference that each block attends to, of the coarse ones that it takes most of.

    Patches beside the last whole coarse patch are never chosen.

    Args:
        taken: how much of each block's attention each coarse patch takes, shape (blocks, M).
        reference: of these M coarse patches.
    Returns:
        Items with one axis more, the first, for the blocks.
    """
    chosen = np.sort(np.argpartition(-taken, CHOSEN, axis=1)[:, :CHOSEN], axis=1)
    width = reference.ab.shape[1]
    row, column = np.divmod(chosen, width // REFERENCE_STRIDE)
    within = [(y, x) for y in range(_FINE_PER_COARSE) for x in range(_FINE_PER_COARSE)]
    which = np.stack(
        [
            (_FINE_PER_COARSE * row + y) * (width // KEY_STRIDE) + _FINE_PER_COARSE * column + x
            for y, x in within
        ],
        -1,
    ).reshape(len(taken), -1)
    fine = reference.fine
    assert fine.described is not None
    return Items(fine.keys[which], fine.ab[which], fine.bias[which], described=fine.described[which])


def _cut(image: Array, rows: int, columns: int, side: int) -> Array:
    """A map as blocks (rows * columns, side, side, C); its edges are repeated where the last blocks lack some."""
    below, right = rows * side - image.shape[0], columns * side - image.shape[1]
    whole = np.pad(image, ((0, below), (0, right), (0, 0)), mode="edge") if below or right else image
    grid = whole.reshape(rows, side, columns, side, -1).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(grid).reshape(rows * columns, side, side, -1)
