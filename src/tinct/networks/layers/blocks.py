"""Convolution blocks that the compact networks share. Normalization is by batch, so that it folds away at export."""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

M = TypeVar("M", bound=nn.Module)


class ConvNorm(nn.Sequential):
    """Convolution, batch normalization and, unless told otherwise, ReLU; keeps or divides the size by `stride`."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1, *, relu: bool = True
    ) -> None:
        layers: list[nn.Module] = [
            nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(outputs),
        ]
        super().__init__(*layers, *([nn.ReLU(inplace=True)] if relu else []))


def without_batch_norm(model: M) -> M:
    """A copy, in evaluation mode, whose batch normalizations are folded into the convolutions before them."""
    model = copy.deepcopy(model).eval()
    for module in model.modules():
        if isinstance(module, ConvNorm) and isinstance(module[1], nn.BatchNorm2d):
            folded = fuse_conv_bn_eval(module[0], module[1])  # type: ignore[type-var, arg-type]
            module[0], module[1] = folded, nn.Identity()
    return model


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions around an identity (He et al., Deep Residual Learning, CVPR 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        last = ConvNorm(channels, channels, relu=False)
        nn.init.zeros_(last[1].weight)  # type: ignore[arg-type]  # starts as the identity
        self.body = nn.Sequential(ConvNorm(channels, channels), last)

    def forward(self, features: Tensor) -> Tensor:
        """Features of the same shape."""
        return F.relu(features + self.body(features), inplace=True)


def stage(inputs: int, outputs: int, blocks: int) -> nn.Sequential:
    """Halve the size, then `blocks` residual blocks."""
    return nn.Sequential(ConvNorm(inputs, outputs, 3, 2), *(ResidualBlock(outputs) for _ in range(blocks)))


def upsampled(features: Tensor, like: Tensor) -> Tensor:
    """Nearest-neighbor enlargement to the height and width of `like`."""
    return F.interpolate(features, size=like.shape[-2:], mode="nearest")


def smoothly_upsampled(features: Tensor, like: Tensor) -> Tensor:
    """Bilinear enlargement to the height and width of `like`."""
    return F.interpolate(features, size=like.shape[-2:], mode="bilinear", align_corners=False)


class Joint(nn.Module):
    """A 3x3 convolution of features at one scale, plus enlarged features of a coarser scale.

    The coarser features pass a 1x1 convolution before they are enlarged. A 3x3 convolution of enlarged features would
    see little more, as they are smooth, at 36 times the multiplications.
    """

    def __init__(self, coarse: int, here: int, outputs: int) -> None:
        super().__init__()
        self.coarse = nn.Conv2d(coarse, outputs, 1, bias=False)
        self.here = ConvNorm(here, outputs, relu=False)

    def forward(self, coarse: Tensor, here: Tensor) -> Tensor:
        """Features (B, outputs, h, w) of coarser ones and of those at this scale."""
        found = self.here(here)
        return F.relu(found + smoothly_upsampled(self.coarse(coarse), found), inplace=True)


class GlobalContext(nn.Module):
    """Adds one vector of the whole photograph to every place: mean pooling, two linear layers, broadcast addition."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Linear(channels, channels), nn.ReLU(inplace=True), nn.Linear(channels, channels)
        )
        for parameter in self.mlp[2].parameters():
            nn.init.zeros_(parameter)

    def forward(self, features: Tensor) -> Tensor:
        """Features of the same shape."""
        pooled: Tensor = self.mlp(features.mean((2, 3)))
        return features + pooled[:, :, None, None]


class PlaceAttention(nn.Module):
    """Self-attention between the places of a coarse map, with a residual; no position code, so any size will do."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.BatchNorm2d(channels)
        self.qkv = nn.Conv2d(channels, 3 * channels, 1)
        self.out = nn.Conv2d(channels, channels, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)  # type: ignore[arg-type]

    def forward(self, features: Tensor) -> Tensor:
        """Features of the same shape."""
        batch, channels, height, width = features.shape
        qkv = self.qkv(self.norm(features)).reshape(
            batch, 3, self.heads, channels // self.heads, height * width
        )
        query, key, value = (part.transpose(-1, -2) for part in qkv.unbind(1))
        scores = query @ key.transpose(-1, -2) * (channels // self.heads) ** -0.5
        mixed = torch.softmax(scores, -1) @ value
        return features + self.out(mixed.transpose(-1, -2).reshape(batch, channels, height, width))
