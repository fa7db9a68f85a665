"""Packed photographs and their labels on the device that trains: which is drawn, and which is whose reference."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tinct.errors import PhotoError
from tinct.training.labels import NOT_RELATED, Labels
from tinct.training.photographs import Photographs

SELF, RELATED, UNRELATED = 0, 1, 2
"""Kinds of references."""


@dataclass
class Pool:
    """Packed photographs and labels on a device.

    Attributes:
        pixels: (N, side, side, 3) uint8.
        sizes: (N, 2) float, height and width.
        weights: (N,) how often to draw; 0 for held-out photographs.
        scenes, objects: (N, C) soft labels, or None; segments: (N, 64, 64) or None.
        related: (N, K) indices, -1 where there are no more, or None.
    """

    pixels: Tensor
    sizes: Tensor
    weights: Tensor
    scenes: Tensor | None = None
    objects: Tensor | None = None
    segments: Tensor | None = None
    related: Tensor | None = None

    @classmethod
    def open(cls, photographs: Photographs, labels: Labels | None, device: torch.device) -> Pool:
        """Move a pool to a device (a GPU holds it whole; a CPU reads the memory map as it goes).

        Raises:
            PhotoError: if no photograph can be drawn.
        """
        held_out = photographs.held_out()
        weights = np.array([entry.weight for entry in photographs.entries], np.float32) * ~held_out
        if not weights.any():
            raise PhotoError(
                "no photograph can be drawn: all weigh 0 or are held out; give some of the index a weight."
            )
        pool = cls(_tensor(photographs.pixels), _tensor(photographs.sizes).float(), _tensor(weights))
        if labels is not None:
            for name in ("scenes", "objects", "segments"):
                if (rows := getattr(labels, name)) is not None:
                    setattr(pool, name, _tensor(rows))
            if labels.related is not None:
                pool.related = _tensor(without_held_out(labels.related, held_out)).long()
        for name, value in vars(pool).items():
            if value is not None:
                setattr(pool, name, value.to(device))
        return pool

    def draw(self, count: int) -> Tensor:
        """Indices of photographs, by weight, with replacement."""
        return torch.multinomial(self.weights, count, replacement=True)


def without_held_out(related: NDArray[np.int32], held_out: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Exclude held-out photographs from references as well: remove them from all relatives."""
    there = (related != NOT_RELATED) & ~held_out[related]
    order = np.argsort(~there, axis=1, kind="stable")
    kept = np.where(there, related, NOT_RELATED)
    out: NDArray[np.int32] = np.take_along_axis(kept, order, 1)
    return out


def choose_references(pool: Pool, index: Tensor, shares: tuple[float, float, float]) -> tuple[Tensor, Tensor]:
    """Which photograph is whose reference: (indices, kinds), a kind being SELF, RELATED or UNRELATED.

    Args:
        index: the photographs that get one.
        shares: how often each kind is drawn; photographs without a relative get themselves.
    """
    if len(index) == 0:
        return index, index
    kinds = index.new_tensor(shares, dtype=torch.float)
    kind = torch.multinomial(kinds, len(index), replacement=True)
    other = pool.draw(len(index))
    related = relatives(pool, index)
    kind = torch.where((kind == RELATED) & (related == NOT_RELATED), SELF, kind)
    chosen = torch.where(kind == SELF, index, torch.where(kind == RELATED, related, other))
    return chosen, kind


def relatives(pool: Pool, index: Tensor) -> Tensor:
    """A random relative of each photograph, -1 for photographs without one."""
    if pool.related is None:
        return torch.full_like(index, NOT_RELATED)
    known = (pool.related[index] != NOT_RELATED).sum(1)
    pick = (torch.rand(len(index), device=index.device) * known).long()
    return pool.related[index].gather(1, pick[:, None])[:, 0]


def _tensor(array: NDArray[Any]) -> Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the map is read-only, and nothing here writes
        return torch.from_numpy(array)
