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

CANDIDATES = 128
"""Coarse patches of a reference whose fine ones a block attends to. Chosen on photographs of COCO's training set
(docs/experiments.md, "How finely references are cut")."""

AT_ONCE = 32
"""Blocks that attend in one run: their items take 20 MB."""

_FINE = REFERENCE_STRIDE // KEY_STRIDE


@dataclass(frozen=True, slots=True)
class Blocks:
    """A photograph's keys and places by blocks, row after row; edges are repeated where a last block is not whole.

    Attributes:
        rows, columns: of blocks.
        keys: at 1/4, shape (blocks, BLOCK, BLOCK, heads * key).
        coarse_keys: at 1/8, shape (blocks, BLOCK / 2, BLOCK / 2, heads * key).
        places: what the semantic branch sees at 1/8, shape (blocks, BLOCK / 2, BLOCK / 2, P).
    """

    rows: int
    columns: int
    keys: Array
    coarse_keys: Array
    places: Array

    @classmethod
    def of(cls, keys: Array, places: Array) -> Blocks:
        """The blocks of a photograph.

        Args:
            keys: shape (h, w, heads * key), h and w even.
            places: shape (h / 2, w / 2, P).
        """
        rows, columns = (-(-side // BLOCK) for side in keys.shape[:2])
        means = block_means(keys, _FINE)
        coarse = unit(means.reshape(-1, means.shape[2])).reshape(means.shape)
        small = BLOCK // _FINE
        sides = (keys, BLOCK), (coarse, small), (places, small)
        return cls(rows, columns, *(_cut(each, rows, columns, side) for each, side in sides))

    def parts(self) -> Iterator[tuple[slice, dict[str, Array]]]:
        """`AT_ONCE` blocks after the other: which they are, and their keys and places as `recall` takes them."""
        for start in range(0, len(self.keys), AT_ONCE):
            some = slice(start, start + AT_ONCE)
            yield some, {"keys": self.keys[some], "places": self.places[some]}

    def joined(self, found: NDArray[np.float32], size: tuple[int, int]) -> Array:
        """What `recall` gave for all blocks, (blocks, heads, BLOCK * BLOCK, C), as (1, heads, h * w, C).

        Args:
            found: for the blocks, row after row.
            size: h and w of the photograph's keys.
        """
        heads, channels = found.shape[1], found.shape[3]
        grid = found.reshape(self.rows, self.columns, heads, BLOCK, BLOCK, channels).transpose(
            2, 0, 3, 1, 4, 5
        )
        whole = grid.reshape(heads, self.rows * BLOCK, self.columns * BLOCK, channels)
        return whole[:, : size[0], : size[1]].reshape(1, heads, size[0] * size[1], channels)


def are_worthwhile(reference: ReferenceFeatures) -> bool:
    """Whether blocks would leave out half of a reference's fine patches or more."""
    return len(reference.coarse.keys) >= 2 * CANDIDATES


def candidates(taken: Array, reference: ReferenceFeatures) -> Items:
    """The fine patches of a reference that each block attends to.

    Patches beside the last whole coarse patch are no candidates.

    Args:
        taken: of the attention of each block by each of the reference's coarse patches, shape (blocks, M).
        reference: cut into these patches.
    Returns:
        Items with one axis more, the first, for the blocks.
    """
    chosen = np.argpartition(-taken, CANDIDATES, axis=1)[:, :CANDIDATES]
    coarse_columns, fine_columns = (
        reference.ab.shape[1] // stride for stride in (REFERENCE_STRIDE, KEY_STRIDE)
    )
    row, column = np.divmod(np.sort(chosen, axis=1), coarse_columns)
    within = [(y, x) for y in range(_FINE) for x in range(_FINE)]
    each = [(_FINE * row + y) * fine_columns + _FINE * column + x for y, x in within]
    which = np.stack(each, -1).reshape(len(taken), -1)
    fine = reference.fine
    assert fine.described is not None
    return Items(fine.keys[which], fine.ab[which], fine.bias[which], described=fine.described[which])


def _cut(image: Array, rows: int, columns: int, side: int) -> Array:
    """A map as blocks (rows * columns, side, side, C); its edges are repeated where the last blocks lack some."""
    below, right = rows * side - image.shape[0], columns * side - image.shape[1]
    whole = np.pad(image, ((0, below), (0, right), (0, 0)), mode="edge") if below or right else image
    grid = whole.reshape(rows, side, columns, side, -1).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(grid).reshape(rows * columns, side, side, -1)
