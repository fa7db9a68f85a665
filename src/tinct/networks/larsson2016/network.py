"""Larsson, Maire, Shakhnarovich: Learning Representations for Automatic Colorization, ECCV 2016.

A VGG-16 over lightness, its fully connected layers made convolutions; at each place the hypercolumn of all of its
layers (12,417 channels) goes through one hidden layer to two distributions of 32 bins, over hue and over chroma.

Two things differ. The paper's hue and chroma are those of HSL, under its own lightness; here they are the polar
coordinates of CIE a* b*, so that L* stays as it is. The paper begins with VGG-16 as trained on ImageNet; here the
layers begin with having learned to predict what another network for ImageNet sees
(`tinct.networks.larsson2016.layers_training`), and every convolution has a batch normalization, which folds away.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinct.color.bins import AB_SCALE
from tinct.networks.graph import Release
from tinct.networks.layers.blocks import ConvNorm
from tinct.networks.layers.hypercolumns import HypercolumnLayer
from tinct.networks.layers.outputs import Outputs, expectation, scaled
from tinct.networks.paper_graph import paper_graphs
from tinct.tables import check_above_zero

STAGES = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
"""VGG-16's stages: channels and convolutions; each but the first begins with 2x2 max pooling."""

CONNECTED = (4096, 7), (4096, 1)
"""conv_fc6 and conv_fc7, at 1/32: channels and kernel."""

HIDDEN = 1024
"""Channels of the hidden layer."""

BINS = 32
"""Bins of hue, and of chroma."""

MAX_CHROMA = 136.0
"""Upper end of the chroma bins, in ab units; the most colorful sRGB color (blue) has 133.8."""

FADING = 0.03
"""Length of the mean hue vector under which chroma fades out (section 3.3)."""


@dataclass(frozen=True)
class Larsson2016Config:
    """The numbers of the network.

    Attributes:
        width: multiplies the channels of every layer; 1 is the paper's.
    Raises:
        OptionError: if a number is out of its range.
    """

    width: float = 1.0

    def __post_init__(self) -> None:
        check_above_zero(self, "width")


class Larsson2016(nn.Module):
    """L* to distributions over hue and chroma at 1/4."""

    multiple: ClassVar[int] = 32
    inputs: ClassVar[tuple[str, ...]] = ("lightness",)

    def __init__(self, config: Larsson2016Config | None = None) -> None:
        super().__init__()
        self.config = config = config or Larsson2016Config()
        channels, strides, layers, inputs = [1], [1], [], 1
        for index, (count, convolutions) in enumerate(STAGES):
            outputs = scaled(count, config.width)
            layers += [ConvNorm(inputs if i == 0 else outputs, outputs) for i in range(convolutions)]
            channels += [outputs] * convolutions
            strides += [2**index] * convolutions
            inputs = outputs
        for count, kernel in CONNECTED:
            outputs = scaled(count, config.width)
            layers.append(ConvNorm(inputs, outputs, kernel))
            channels.append(outputs)
            strides.append(2 ** len(STAGES))
            inputs = outputs
        self.layers = nn.ModuleList(layers)
        self.strides = tuple(strides)
        hidden = scaled(HIDDEN, config.width)
        self.hypercolumn = HypercolumnLayer(channels, strides, hidden)
        self.hue, self.chroma = nn.Conv2d(hidden, BINS, 1), nn.Conv2d(hidden, BINS, 1)

    def forward(self, lightness: Tensor) -> Outputs:
        """Read a photograph.

        Args:
            lightness: CIE L*, (B, 1, H, W), 0..100; H and W multiples of 32.
        Returns:
            `hue` and `chroma` at (H/4, W/4).
        """
        hidden = self.hypercolumn(self.features(lightness))
        return Outputs(hue=self.hue(hidden), chroma=self.chroma(hidden))

    def features(self, lightness: Tensor) -> list[Tensor]:
        """The lightness as given to the first layer, and the features of each layer; see `forward`."""
        features = [lightness / 100 - 0.5]
        for layer, before, stride in zip(self.layers, self.strides[:-1], self.strides[1:], strict=True):
            given = F.max_pool2d(features[-1], 2) if stride > before else features[-1]
            features.append(layer(given))
        return features

    def colors(self, outputs: Outputs) -> Tensor:
        """The circular mean of hue and the median of chroma, faded where hue is open: a* b* / 110, (B, 2, h, w)."""
        assert outputs.hue is not None
        assert outputs.chroma is not None
        angles = hue_centers(outputs.hue)
        mean = expectation(torch.softmax(outputs.hue.float(), 1), angles)
        length = (mean.square().sum(1, keepdim=True) + 1e-12).sqrt()
        chroma = median_chroma(outputs.chroma) * (length / FADING).clamp_max(1)
        return mean / length * chroma / AB_SCALE


def hue_centers(like: Tensor) -> Tensor:
    """Unit vectors (a*, b*) of the hue bins, (32, 2)."""
    angle = (torch.arange(BINS, device=like.device) + 0.5) * (2 * math.pi / BINS)
    return torch.stack([angle.cos(), angle.sin()], 1)


def median_chroma(logits: Tensor) -> Tensor:
    """The median of a distribution over the chroma bins, taken as even within each: ab units, (B, 1, h, w)."""
    share = torch.softmax(logits.float(), 1)
    below = share.cumsum(1) - share
    # how much of each bin lies under the median: all of it, none, or a part
    part = ((0.5 - below) / share.clamp_min(1e-12)).clamp(0, 1)
    return part.sum(1, keepdim=True) * (MAX_CHROMA / BINS)


RELEASE = Release(Larsson2016Config, Larsson2016, paper_graphs)
"""The form in which trained networks become files."""
