"""Views of photographs with a frozen network's features of them, computed once and kept in 8 bits on disk."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tinct.networks.layers.efficientnet_lite import Levels
from tinct.training.preparing import Preparing

TOGETHER = 8
"""Views that are computed together."""

LOOKED_AT = 16
"""Times that so many views are looked at before, to know how large each channel's values become."""

ALL_KEPT = ("eighth", "sixteenth", "thirtysecond", "head")
"""Levels that can be kept, the last one averaged over its places."""

_LARGEST = 0.9998
"""Share of a channel's values that 8 bits hold; larger ones are cut off."""


class Seen(NamedTuple):
    """Views and what the frozen network sees in them.

    Attributes:
        levels: the network's features; those that were not kept are empty.
        lightness: L* as given to the network, averaged to 1/4, (B, 1, h, w), 0..100.
        ab: the truth, averaged to 1/4, (B, 2, h, w), a* b* / 110.
    """

    levels: Levels
    lightness: Tensor
    ab: Tensor

    def mirrored(self) -> Seen:
        """The same with left and right exchanged."""
        return Seen(Levels(*(x.flip(-1) for x in self.levels)), self.lightness.flip(-1), self.ab.flip(-1))


Draw = Callable[[int, int], Seen]
"""Draws so many views of a side in pixels, as torch's seed has it."""


class FrozenViews:
    """Views of one size, memory-mapped in a temporary folder that goes with this object.

    Args:
        draw: draws views with their features.
        count: of views.
        side: of the views, in pixels.
        device: where drawn views are wanted.
        kept: the levels that are kept, of `ALL_KEPT`.
        looked_at: counts the views.
    """

    def __init__(
        self,
        draw: Draw,
        count: int,
        side: int,
        device: torch.device,
        kept: Sequence[str] = ALL_KEPT,
        looked_at: Preparing | None = None,
    ) -> None:
        self.device, self.kept = device, tuple(kept)
        self._folder = tempfile.TemporaryDirectory(prefix="tinct-views-")
        shown = [self._named(draw(TOGETHER, side)) for _ in range(LOOKED_AT)]
        self.steps = {name: _step(np.concatenate([each[name] for each in shown])) for name in shown[0]}
        self.count = count
        self._stored = {
            name: np.lib.format.open_memmap(
                Path(self._folder.name) / f"{name}.npy", "w+", np.int8, (count, *values.shape[1:])
            )
            for name, values in shown[0].items()
        }
        for start in range(0, count, TOGETHER):
            found = self._named(draw(min(TOGETHER, count - start), side))
            for name, values in found.items():
                scaled = np.rint(values / self.steps[name]).clip(-127, 127)
                self._stored[name][start : start + len(values)] = scaled.astype(np.int8)
            if looked_at is not None:
                looked_at.add(min(TOGETHER, count - start))

    def draw(self, count: int) -> Seen:
        """Random views, as torch's seed has it."""
        rows = torch.randint(self.count, (count,)).sort().values.numpy()
        found = {
            name: torch.from_numpy(stored[rows].astype(np.float32) * self.steps[name]).to(self.device)
            for name, stored in self._stored.items()
        }
        maps = {name: each.permute(0, 3, 1, 2) for name, each in found.items()}
        none = torch.zeros(count, 0, 1, 1, device=self.device)
        levels = Levels(*(maps.get(name, none) for name in Levels._fields))
        return Seen(levels, maps["lightness"] * 50 + 50, maps["ab"])

    def _named(self, seen: Seen) -> dict[str, NDArray[np.float32]]:
        """What is kept of views, by name, channels last."""
        parts = {name: getattr(seen.levels, name) for name in self.kept}
        if "head" in parts:
            parts["head"] = parts["head"].mean((2, 3), keepdim=True)
        parts |= {"lightness": (seen.lightness - 50) / 50, "ab": seen.ab}
        return {name: part.permute(0, 2, 3, 1).cpu().numpy() for name, part in parts.items()}


def _step(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """What one step of 8 bits is worth in each channel."""
    flat = np.abs(values.reshape(-1, values.shape[-1]))
    return np.asarray(np.quantile(flat, _LARGEST, axis=0) / 127 + 1e-9, np.float32)
