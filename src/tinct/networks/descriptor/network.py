"""The descriptor's network: the features of EfficientNet-Lite2, averaged over the photograph and projected.

Averaged features of a network trained on ImageNet tell what a photograph shows (Babenko and Lempitsky, Aggregating deep
convolutional features for image retrieval, ICCV, 2015). The mean of many photographs' features is subtracted and the
principal components are kept, which takes away what all photographs have in common.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinct.networks.graph import Graph
from tinct.networks.layers.efficientnet_lite import HEAD, EfficientNetLite2

SIDE = 160
"""Photographs are squashed to squares of this side, in pixels."""

NUMBERS = 256
"""Numbers of a descriptor."""


class Descriptor(nn.Module):
    """Lightness to descriptors.

    Args:
        backbone: EfficientNet-Lite2 with its weights for ImageNet.
        mean: of the averaged features of many photographs, shape (HEAD,).
        components: their first principal components, orthonormal rows, shape (NUMBERS, HEAD).
    """

    def __init__(self, backbone: EfficientNetLite2, mean: Tensor, components: Tensor) -> None:
        super().__init__()
        self.backbone = backbone
        self.project = nn.Linear(HEAD, len(components))
        with torch.no_grad():
            self.project.weight.copy_(components)
            self.project.bias.copy_(-components @ mean)

    def forward(self, lightness: Tensor) -> Tensor:
        """Descriptors (B, NUMBERS) of unit length, of L* (B, 1, SIDE, SIDE) in 0..100."""
        averaged = self.backbone((lightness - 50) / 50).head.mean((2, 3))
        return F.normalize(self.project(F.normalize(averaged, dim=1)), dim=1)


def principal_components(features: Tensor, count: int = NUMBERS) -> tuple[Tensor, Tensor]:
    """The mean of features (N, C), and their first `count` principal components as rows (count, C).

    Each row's largest number is positive, so that equal features give equal components.
    """
    mean = features.mean(0)
    centered = (features - mean).double()
    values, vectors = torch.linalg.eigh(centered.T @ centered)
    rows = vectors[:, values.argsort(descending=True)[:count]].T
    signs = rows.gather(1, rows.abs().argmax(1, keepdim=True)).sign()
    return mean, (rows * signs).float()


def graphs(model: Descriptor) -> Sequence[Graph]:
    """The one graph of the released file."""
    example = (torch.rand(2, 1, SIDE, SIDE) * 100,)
    return [Graph("", model.eval(), example, {"lightness": {0: "batch"}}, ("descriptor",))]
