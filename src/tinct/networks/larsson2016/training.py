"""How `tinct.networks.larsson2016.network` is trained: cross-entropy of hue and chroma (section 3.2)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from tinct.color.bins import AB_SCALE
from tinct.networks.larsson2016.layers_training import start_from
from tinct.networks.larsson2016.network import BINS, MAX_CHROMA, Larsson2016, Larsson2016Config
from tinct.networks.layers.outputs import Outputs
from tinct.tables import check_from_zero
from tinct.training.automatic import LABEL_STRIDE, AutomaticTraining, Batch
from tinct.training.pool import Pool


@dataclass(frozen=True)
class Larsson2016Recipe:
    """The numbers of the losses.

    Attributes:
        hue: weight of the hue beside chroma, the paper's lambda; a place counts by its chroma, 0..1 of the highest.
        old: half of the photographs get the lightness of old ones.
        start: the folder of a run of `larsson2016-layers`, with whose layers training begins; "" for fresh ones.
    Raises:
        OptionError: if a number is out of its range.
    """

    hue: float = 5.0
    old: bool = False
    start: str = ""

    def __post_init__(self) -> None:
        check_from_zero(self, "hue")


class Larsson2016Training(AutomaticTraining):
    """The training of the network."""

    kinds = (Larsson2016, Larsson2016Config, Larsson2016Recipe)

    def build(self) -> Larsson2016:
        """A fresh network, or one with taught layers."""
        model = Larsson2016(self.network)
        if self.recipe.start:
            start_from(model, Path(self.recipe.start))
        return model

    def compare(self, outputs: Outputs, batch: Batch, pool: Pool) -> dict[str, Tensor]:
        """The paper's divergences, less the truth's own entropy, which nothing can change."""
        assert outputs.hue is not None
        assert outputs.chroma is not None
        a, b = (batch.ab_at(LABEL_STRIDE) * AB_SCALE).unbind(1)
        chroma = torch.hypot(a, b)
        turn = torch.atan2(b, a) / (2 * math.pi)
        hue = linear_cross_entropy(outputs.hue, turn * BINS - 0.5, circular=True)
        height = linear_cross_entropy(outputs.chroma, chroma / MAX_CHROMA * BINS - 0.5)
        return {
            "hue": self.recipe.hue * (hue * (chroma / MAX_CHROMA)).mean(),
            "chroma": height.mean(),
        }


def linear_cross_entropy(logits: Tensor, position: Tensor, circular: bool = False) -> Tensor:
    """Cross-entropy where the truth lies between the centers of two bins and belongs to both by nearness: (B, h, w).

    Args:
        logits: (B, K, h, w).
        position: in bins, (B, h, w), a whole number being a bin's center.
        circular: the last bin's neighbor is the first; otherwise positions beyond the ends are clamped.
    """
    bins = logits.shape[1]
    if not circular:
        position = position.clamp(0, bins - 1)
    low = position.floor()
    high = low + 1 if circular else (low + 1).clamp_max(bins - 1)
    index = torch.stack([low, high], 1).long() % bins
    share = torch.stack([low + 1 - position, position - low], 1)
    return -(F.log_softmax(logits.float(), 1).gather(1, index) * share).sum(1)
