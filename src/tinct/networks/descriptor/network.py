"""The descriptor's network: the features of EfficientNet-Lite2, averaged over the photograph, without their mean.

Averaged features of a network trained on ImageNet tell what a photograph shows (Babenko and Lempitsky, Aggregating deep
convolutional features for image retrieval, ICCV, 2015). The mean of many photographs' features is subtracted: what
all photographs have in common tells nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinct.networks.graph import Graph
from tinct.networks.layers.efficientnet_lite import CHANNELS, EARLY_STAGES, EfficientNetLite2

SIDE = 224
"""Photographs are squashed to squares of this side, in pixels."""

NUMBERS = CHANNELS[-1]
"""Numbers of a descriptor: the channels of the last block, at 1/32."""


class Descriptor(nn.Module):
    """Lightness to descriptors.

    Args:
        backbone: EfficientNet-Lite2 with its weights for ImageNet.
        mean: of many photographs' `averaged` features, shape (NUMBERS,).
    """

    mean: Tensor

    def __init__(self, backbone: EfficientNetLite2, mean: Tensor) -> None:
        super().__init__()
        self.backbone = backbone
        self.register_buffer("mean", mean)

    def forward(self, lightness: Tensor) -> Tensor:
        """Descriptors (B, NUMBERS) of unit length, of L* (B, 1, SIDE, SIDE) in 0..100."""
        return F.normalize(averaged(self.backbone, lightness) - self.mean, dim=1)


def averaged(backbone: EfficientNetLite2, lightness: Tensor) -> Tensor:
    """The features of photographs at 1/32, averaged over their places and of unit length: (B, NUMBERS).

    Args:
        backbone: with its weights.
        lightness: L* (B, 1, H, W) in 0..100; H and W multiples of 32.
    """
    *_, features = backbone.early((lightness - 50) / 50)
    for stage in backbone.stages[EARLY_STAGES:]:
        features = stage(features)
    return F.normalize(features.mean((2, 3)), dim=1)


def graphs(model: Descriptor) -> Sequence[Graph]:
    """The one graph of the released file."""
    example = (torch.rand(2, 1, SIDE, SIDE) * 100,)
    return [Graph("", model.eval(), example, {"lightness": {0: "batch"}}, ("descriptor",), in_bytes=True)]
