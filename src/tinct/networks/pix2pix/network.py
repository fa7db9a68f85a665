"""Isola, Zhu, Zhou, Efros: Image-to-Image Translation with Conditional Adversarial Networks, CVPR 2017.

The generator is a U-Net of eight levels, the discriminator judges patches of 70 pixels; layers are those of the paper's
appendix 6.1. Where the paper normalizes by a batch's own statistics, in testing too, each photograph is normalized by
its own (instance normalization, the same at the batch of 1 that a method runs). As in the paper's errata the coarsest
level, which may be one place large, is not normalized, and neither is what the decoder makes of it: of one place the
transposed convolution makes four, whose normalized values would be the same whatever the one place says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinct.networks.graph import Graph, Release
from tinct.networks.layers.outputs import Outputs, scaled
from tinct.networks.paper_graph import paper_graphs
from tinct.tables import check_above_zero

ENCODER = (64, 128, 256, 512, 512, 512, 512, 512)
"""Channels of the generator's levels, from 1/2 of the size to 1/256."""

DECODER = (512, 512, 512, 512, 256, 128, 64)
"""Channels that the generator's decoder gives each level, from 1/128 of the size to 1/2."""

DROPPED_LEVELS = 3
"""Levels of the decoder, from the coarsest on, with dropout."""

DROPOUT = 0.5
"""Share of channels' values that dropout sets to zero."""

DISCRIMINATOR = (64, 128, 256, 512)
"""Channels of the discriminator's layers, which see 70 pixels together."""

SLOPE = 0.2
"""Slope below zero of the leaky rectifiers in encoder and discriminator."""

DEVIATION = 0.02
"""Standard deviation of the weights at the start."""


@dataclass(frozen=True)
class Pix2PixConfig:
    """The numbers of the network.

    Attributes:
        width: multiplies the channels of every level; 1 is the paper's.
    Raises:
        OptionError: if a number is out of its range.
    """

    width: float = 1.0

    def __post_init__(self) -> None:
        check_above_zero(self, "width")


class Pix2Pix(nn.Module):
    """The generator: L* to ab, at full size."""

    multiple: ClassVar[int] = 2 ** len(ENCODER)
    inputs: ClassVar[tuple[str, ...]] = ("lightness",)

    def __init__(self, config: Pix2PixConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or Pix2PixConfig()
        fine = [scaled(count, config.width) for count in ENCODER]
        coarse = [scaled(count, config.width) for count in DECODER]
        deepest = len(fine) - 1
        self.down = nn.ModuleList(
            _halving(inputs, outputs, normalized=0 < level < deepest)
            for level, (inputs, outputs) in enumerate(zip([1, *fine[:-1]], fine, strict=True))
        )
        skips = [0, *fine[-2::-1]]
        inputs_up = [own + skip for own, skip in zip([fine[-1], *coarse], skips, strict=True)]
        self.up = nn.ModuleList(
            _doubling(inputs, outputs, normalized=level > 0, dropped=level < DROPPED_LEVELS)
            for level, (inputs, outputs) in enumerate(zip(inputs_up, coarse, strict=False))
        )
        self.output = nn.ConvTranspose2d(inputs_up[-1], 2, 4, 2, 1)
        initialized(self)

    def forward(self, lightness: Tensor) -> Outputs:
        """Read a photograph.

        Args:
            lightness: CIE L*, (B, 1, H, W), 0..100; H and W multiples of 256.
        Returns:
            `ab` at (H, W), which the hyperbolic tangent keeps within a* b* of -110..110.
        """
        levels = [self.down[0](shown(lightness))]
        for down in self.down[1:]:
            levels.append(down(F.leaky_relu(levels[-1], SLOPE)))
        decoded = levels.pop()
        for up in self.up:
            decoded = torch.cat([up(F.relu(decoded)), levels.pop()], 1)
        return Outputs(ab=torch.tanh(self.output(F.relu(decoded)).float()))

    def colors(self, outputs: Outputs) -> Tensor:
        """a* b* / 110, (B, 2, H, W)."""
        assert outputs.ab is not None
        return outputs.ab


class Discriminator(nn.Module):
    """The judge of patches of 70 pixels: L* and ab together to a logit for each patch, real above 0."""

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        first, *rest = (scaled(count, width) for count in DISCRIMINATOR)
        layers: list[nn.Module] = [nn.Conv2d(3, first, 4, 2, 1), nn.LeakyReLU(SLOPE, inplace=True)]
        inputs = first
        for outputs in rest:
            stride = 1 if outputs is rest[-1] else 2
            layers += [nn.Conv2d(inputs, outputs, 4, stride, 1, bias=False), normalization(outputs)]
            layers += [nn.LeakyReLU(SLOPE, inplace=True)]
            inputs = outputs
        self.layers = nn.Sequential(*layers, nn.Conv2d(inputs, 1, 4, 1, 1))
        initialized(self)

    def forward(self, lightness: Tensor, ab: Tensor) -> Tensor:
        """The logits (B, 1, H / 8 - 2, W / 8 - 2).

        Args:
            lightness: CIE L*, (B, 1, H, W), 0..100.
            ab: a* b* / 110, (B, 2, H, W).
        """
        logits: Tensor = self.layers(torch.cat([shown(lightness), ab], 1))
        return logits.float()


def shown(lightness: Tensor) -> Tensor:
    """L* of 0..100 as the networks see it, -1..1."""
    return (lightness - 50) / 50


def normalization(channels: int) -> nn.InstanceNorm2d:
    """Normalization of each photograph by its own statistics, with a scale and a shift for each channel."""
    return nn.InstanceNorm2d(channels, affine=True)


def initialized(module: nn.Module) -> None:
    """Initialize in place: weights from N(0, 0.02), scales from N(1, 0.02), shifts and biases zero."""
    for layer in module.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(layer.weight, 0, DEVIATION)
        elif isinstance(layer, nn.InstanceNorm2d):
            nn.init.normal_(layer.weight, 1, DEVIATION)
        else:
            continue
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def _halving(inputs: int, outputs: int, *, normalized: bool) -> nn.Sequential:
    """A 4x4 convolution that halves the size; the rectifier before it is the caller's."""
    convolution = nn.Conv2d(inputs, outputs, 4, 2, 1, bias=not normalized)
    return nn.Sequential(convolution, *([normalization(outputs)] if normalized else []))


def _doubling(inputs: int, outputs: int, *, normalized: bool, dropped: bool) -> nn.Sequential:
    """A 4x4 transposed convolution that doubles the size; the rectifier before it is the caller's."""
    layers: list[nn.Module] = [nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=not normalized)]
    layers += [normalization(outputs)] if normalized else []
    return nn.Sequential(*layers, *([nn.Dropout(DROPOUT)] if dropped else []))


def graphs(model: Pix2Pix) -> list[Graph]:
    """The generator's graph, as of the papers' other networks, with weights in 8 bits: a few kernels hold most."""
    return [graph._replace(in_bytes=True) for graph in paper_graphs(model)]


RELEASE = Release(Pix2PixConfig, Pix2Pix, graphs, prefix="generator.")
"""The form in which trained networks become files: the generator alone."""
