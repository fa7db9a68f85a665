"""He, Chen, Liao, Sander, Yuan: Deep Exemplar-based Colorization, SIGGRAPH 2018: the colorization sub-net.

The U-Net of Zhang 2017 over lightness, the reference's colors carried to the photograph, and ten maps of how alike the
matched places are (`tinct.networks.he2018.correspondence`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinct.color.bins import AB_SCALE
from tinct.networks.he2018.correspondence import LEVELS
from tinct.networks.layers.efficientnet_lite import CHANNELS
from tinct.networks.layers.outputs import he_initialized, scaled
from tinct.tables import check_above_zero

MAPS = 2 * LEVELS
"""Similarity maps: forward ones from coarse to fine, then backward ones."""

INPUTS = 1 + 2 + MAPS
"""Channels of the first layer's input: L*, the carried a* b*, the maps."""

LARGEST_AB = 100.0
"""Largest a* and b* that the network answers, in their own units."""


@dataclass(frozen=True)
class He2018Config:
    """The numbers of the network; the defaults are the paper's.

    Attributes:
        width: multiplies the channels of every block.
        features: EfficientNet-Lite2's features of the photograph at 1/8, 1/16 and 1/32 enter blocks 4 and 5, the maps
            enter block 4 once more, where they are not squeezed through the first layer, and their means block 5.
        gate: a further output says how far the carried colors count at each place.
    Raises:
        OptionError: if a number is out of its range.
    """

    width: float = 1.0
    features: bool = False
    gate: bool = False

    def __post_init__(self) -> None:
        check_above_zero(self, "width")


class Answer(NamedTuple):
    """What the network answers.

    Attributes:
        ab: a* b* / 110 of its own, (B, 2, H, W).
        gate: logits of the carried colors' share, (B, 1, H, W), or None.
    """

    ab: Tensor
    gate: Tensor | None


class Given(NamedTuple):
    """What the network is given; maps lie on a grid of 1/8 of the photograph's size, colors on one of 1/4.

    Attributes:
        lightness: CIE L*, (B, 1, H, W), 0..100; H and W multiples of 32.
        colors: the reference's a* b* / 110 carried to the photograph, (B, 2, H/4, W/4); zeros without a reference.
        maps: similarities, (B, 10, H/8, W/8), 0..1; zeros without a reference.
        eighth, sixteenth, thirtysecond: EfficientNet-Lite2's features; None for a network that takes none.
    """

    lightness: Tensor
    colors: Tensor
    maps: Tensor
    eighth: Tensor | None = None
    sixteenth: Tensor | None = None
    thirtysecond: Tensor | None = None


class He2018(nn.Module):
    """Lightness, carried colors and similarity maps to a* b* at full size."""

    def __init__(self, config: He2018Config | None = None) -> None:
        super().__init__()
        self.config = config = config or He2018Config()
        c0, c1, c2, c3, c4 = (scaled(channels, config.width) for channels in (32, 64, 128, 256, 512))
        self.conv1, self.down1 = block((INPUTS, c0, c1, c1)), EverySecond(c1)
        self.conv2, self.down2 = block((c1, c2, c2)), EverySecond(c2)
        self.conv3, self.down3 = block((c2, c3, c3, c3)), EverySecond(c3)
        self.conv4 = block((c3, c4, c4, c4))
        self.conv5, self.conv6 = block((c4,) * 4, dilation=2), block((c4,) * 4, dilation=2)
        self.conv7 = block((c4,) * 4)
        self.conv8_up, self.conv3_8 = _doubled(c4, c3), nn.Conv2d(c3, c3, 3, padding=1)
        self.conv8 = block((c3, c3, c3))
        self.conv9_up, self.conv2_9 = _doubled(c3, c2), nn.Conv2d(c2, c2, 3, padding=1)
        self.conv9 = block((c2, c2))
        self.conv10_up, self.conv1_10 = _doubled(c2, c2), nn.Conv2d(c1, c2, 3, padding=1)
        self.conv10 = nn.Sequential(nn.Conv2d(c2, c2, 3, padding=1), nn.LeakyReLU(0.2))
        self.ab = nn.Conv2d(c2, 2, 1)
        he_initialized(self)
        self.guide = Guide(c3, c4) if config.features else None
        self.gate = nn.Conv2d(c2, 1, 1) if config.gate else None

    def forward(self, given: Given) -> Answer:
        """The network's colors and gate; `result` puts them together."""
        lightness = (given.lightness - 50) / 100
        known = upsampled(given.colors, lightness), upsampled(given.maps, lightness)
        conv1 = self.conv1(torch.cat([lightness, *known], 1))
        conv2 = self.conv2(self.down1(conv1))
        conv3 = self.conv3(self.down2(conv2))
        conv4 = self._middle(self.down3(conv3), given)
        conv7 = self.conv7(self.conv6(self.conv5(conv4)))
        conv8 = self.conv8(F.relu(self.conv8_up(conv7) + self.conv3_8(conv3)))
        conv9 = self.conv9(F.relu(self.conv9_up(conv8) + self.conv2_9(conv2)))
        conv10 = self.conv10(F.relu(self.conv10_up(conv9) + self.conv1_10(conv1)))
        ab = torch.tanh(self.ab(conv10)) * (LARGEST_AB / AB_SCALE)
        return Answer(ab, None if self.gate is None else self.gate(conv10))

    def _middle(self, features: Tensor, given: Given) -> Tensor:
        """Block 4 with what the guide adds before and behind it."""
        if self.guide is None:
            found: Tensor = self.conv4(features)
            return found
        before, behind = self.guide(given)
        found = self.conv4(features + before)
        return found + behind


class EverySecond(nn.Module):
    """Halve the size by leaving out, with a factor for each channel: a 1x1 convolution in groups of one, stride 2."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels, 1, 1))

    def forward(self, features: Tensor) -> Tensor:
        """Features (B, C, H/2, W/2); as a convolution it takes several times as long on CPUs."""
        return features[:, :, ::2, ::2] * self.weight


class Guide(nn.Module):
    """EfficientNet-Lite2's features, the maps and their means as addends for blocks 4 and 5, which begin at zero."""

    def __init__(self, before: int, behind: int) -> None:
        super().__init__()
        eighth, sixteenth, thirtysecond = CHANNELS[2:]
        self.eighth, self.sixteenth = _projection(eighth, before), _projection(sixteenth, behind)
        self.thirtysecond = _projection(thirtysecond, behind)
        self.maps, self.means = _silent(MAPS, before), _silent(MAPS, behind)

    def forward(self, given: Given) -> tuple[Tensor, Tensor]:
        """Addends at 1/8 for the inputs of block 4 and of block 5."""
        assert given.eighth is not None
        assert given.sixteenth is not None
        assert given.thirtysecond is not None
        before = self.eighth(given.eighth) + self.maps(given.maps)
        behind = upsampled(self.sixteenth(given.sixteenth), before)
        behind = behind + upsampled(self.thirtysecond(given.thirtysecond), before)
        return before, behind + self.means(given.maps.mean((2, 3), keepdim=True))


def result(answer: Answer, colors: Tensor, present: Tensor | None = None) -> Tensor:
    """a* b* / 110, (B, 2, H, W): carried colors where the gate is open, the network's own elsewhere.

    Args:
        answer: of the network.
        colors: as it was given them.
        present: (B, 1, 1, 1), 1 for photographs that have a reference, 0 for others; None for all.
    """
    if answer.gate is None:
        return answer.ab.float()
    share = torch.sigmoid(answer.gate.float())
    if present is not None:
        share = share * present
    return torch.lerp(answer.ab.float(), upsampled(colors.float(), share), share)


def block(channels: tuple[int, ...], dilation: int = 1) -> nn.Sequential:
    """3x3 convolutions with ReLU, then batch normalization without affine parameters."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(channels):
        layers += [nn.Conv2d(inputs, outputs, 3, 1, dilation, dilation), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.BatchNorm2d(channels[-1], affine=False))


def upsampled(maps: Tensor, like: Tensor) -> Tensor:
    """Bilinear enlargement to the height and width of `like`."""
    return F.interpolate(maps, size=like.shape[-2:], mode="bilinear", align_corners=False)


def _doubled(inputs: int, outputs: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(inputs, outputs, 4, 2, 1)


def _projection(inputs: int, outputs: int) -> nn.Sequential:
    """Features in units of their deviations, then a 1x1 convolution that begins at zero."""
    return nn.Sequential(nn.BatchNorm2d(inputs, affine=False), _silent(inputs, outputs))


def _silent(inputs: int, outputs: int) -> nn.Conv2d:
    """A 1x1 convolution that gives zeros until it is trained."""
    layer = nn.Conv2d(inputs, outputs, 1)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer
