"""What the installed semantic branch's pretrained network sees in a batch, for the encoder that shares it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from tinct.networks.semantics.opinion import LONGER_SIDE, MULTIPLE, open_branch
from tinct.networks.semantics.ports import LEVELS
from tinct.networks.tinct.encoder import Seen
from tinct.networks.tinct.ports import INPUTS

WORKING_SIDE = 256
"""Longer side in pixels of the photographs that the branch looks at with `LONGER_SIDE` pixels."""


class Look:
    """Gives what the branch's pretrained network sees; without gradients, as the branch is not trained here.

    Args:
        device: that the network is trained on; the branch runs there too.
    """

    def __init__(self, device: torch.device) -> None:
        kind: Any = device.type
        self._branch = open_branch(device=kind, threads=torch.get_num_threads())

    def __deepcopy__(self, memo: object) -> Look:
        """The same: a network that is copied goes on to ask the one branch."""
        return self

    @torch.no_grad()
    def __call__(self, shown: Tensor) -> Seen:
        """What is seen in squares (B, 1, side, side), (L* - 50) / 50.

        They are looked at about as much smaller as the branch does it: with one of the two nearest sides that fit.
        """
        with torch.autocast(shown.device.type, enabled=False):
            side = looked_at(shown.shape[-1])
            smaller = F.interpolate(
                50 * shown.float() + 50, size=(side, side), mode="bilinear", antialias=True
            )
            found = self._branch.run(lightness=np.ascontiguousarray(smaller.cpu().numpy()))
            maps = (torch.from_numpy(np.array(found[level], np.float32)) for level in LEVELS)
            return Seen(*(each.permute(0, 3, 1, 2).to(shown.device) for each in maps))

    def inputs(self, lightness: Tensor) -> dict[str, NDArray[np.float32]]:
        """The inputs of `encode` by name, of squares of L*, (B, 1, side, side)."""
        seen = (level.permute(0, 2, 3, 1) for level in self((lightness - 50) / 50))
        given = zip(INPUTS["encode"], (lightness, *seen), strict=True)
        return {name: np.ascontiguousarray(value.cpu().numpy()) for name, value in given}


def looked_at(side: int) -> int:
    """The side in pixels that the branch looks at squares of this side with, by chance the next smaller or larger."""
    exact = side * LONGER_SIDE / WORKING_SIDE / MULTIPLE
    least, most = max(1, int(np.floor(exact))), max(1, int(np.ceil(exact)))
    return MULTIPLE * int(torch.randint(least, most + 1, ()))
