"""The outputs of the papers' networks, and the reading of one color out of a distribution over the ab bins."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from tinct.color.bins import AB_BINS, TEMPERATURE


class Outputs(NamedTuple):
    """The outputs of one network; None for those that the network does not predict.

    Attributes:
        ab: a* b* / 110, (B, 2, h, w).
        bins: logits over the 313 ab bins, (B, 313, h, w).
        scenes: logits over scene classes, (B, C).
        segments: logits over segment classes, (B, C, h, w).
        hue, chroma: logits over hue and chroma bins, (B, K, h, w).
    """

    ab: Tensor | None = None
    bins: Tensor | None = None
    scenes: Tensor | None = None
    segments: Tensor | None = None
    hue: Tensor | None = None
    chroma: Tensor | None = None


def annealed_mean(logits: Tensor, centers: Tensor, temperature: float = TEMPERATURE) -> Tensor:
    """The mean of the sharpened distribution (Zhang 2016, equation 5): 1 is the mean, towards 0 the mode.

    Args:
        logits: (B, Q, h, w).
        centers: of the bins, (Q, 2), in any unit.
    Returns:
        (B, 2, h, w), in the unit of the centers.
    """
    return expectation(torch.softmax(logits.float() / temperature, 1), centers)


def expectation(share: Tensor, values: Tensor) -> Tensor:
    """The mean of values (Q, 2) under a distribution (B, Q, h, w): (B, 2, h, w), in single precision throughout."""
    with torch.autocast(share.device.type, enabled=False):
        return torch.einsum("bqhw,qc->bchw", share.float(), values.float())


def scaled(channels: int, width: float) -> int:
    """A layer's channels at a width: a multiple of 8, as fast kernels want, and at least 8."""
    return max(8, round(channels * width / 8) * 8)


def he_initialized(module: nn.Module) -> None:
    """Initialize convolutions for ReLUs, in place (He et al., Delving Deep into Rectifiers, ICCV 2015)."""
    for layer in module.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def bin_centers(scale: float) -> Tensor:
    """The 313 ab bins divided by `scale`, (313, 2)."""
    return torch.from_numpy(AB_BINS.copy()).float() / scale
