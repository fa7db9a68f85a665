"""The colorization sub-net of Xu et al., CVPR 2020: ten feature blocks and an output block on L, sampled ab and a mask.

Its shape is that of Zhang et al., Real-Time User-Guided Image Colorization, SIGGRAPH 2017, whose code the sampling
follows as well. With an empty ab map it colors by itself (the pre-color); with a sampled one it carries the samples
to where they belong.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinct.color.bins import AB_SCALE
from tinct.errors import OptionError, ShapeError
from tinct.networks.layers.vgg19 import scaled
from tinct.networks.xu2020.places import PROBABILITY

MULTIPLE = 8
"""Sides of a photograph are padded to multiples of it."""

LARGEST_PATCH = 9
"""The longest side of a revealed patch, in pixels."""

MOST_POINTS = 64
"""A geometric number with p = 1/8 is larger once in five thousand times."""

SAMPLINGS = ("pixels", "points")
"""Values of the argument `sampling` of `sampled`."""


class FeatureBlock(nn.Sequential):
    """3x3 convolutions, each with ReLU, and a batch normalization after the last."""

    def __init__(self, inputs: int, outputs: int, convolutions: int, dilation: int = 1) -> None:
        layers: list[nn.Module] = []
        for index in range(convolutions):
            first = inputs if index == 0 else outputs
            layers += [nn.Conv2d(first, outputs, 3, padding=dilation, dilation=dilation), nn.ReLU()]
        super().__init__(*layers, nn.BatchNorm2d(outputs))


class UpsamplingBlock(nn.Module):
    """A 4x4 transposed convolution that doubles the size, joined by a shortcut, then 3x3 convolutions.

    Args:
        inputs, shortcut, outputs: channels from below, from the block of that size, and out.
        convolutions: 3x3 convolutions behind the joint.
        last: True for the tenth block: leaky ReLU at its end and no normalization.
    """

    def __init__(
        self, inputs: int, shortcut: int, outputs: int, convolutions: int, *, last: bool = False
    ) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1)
        self.shortcut = nn.Conv2d(shortcut, outputs, 3, padding=1)
        layers: list[nn.Module] = [nn.ReLU()]
        for _ in range(convolutions):
            layers += [nn.Conv2d(outputs, outputs, 3, padding=1), nn.ReLU()]
        if last:
            layers[-1] = nn.LeakyReLU(0.2)
        else:
            layers.append(nn.BatchNorm2d(outputs))
        self.body = nn.Sequential(*layers)

    def forward(self, features: Tensor, shortcut: Tensor) -> Tensor:
        """Features at twice the size, of coarse ones and of the shortcut's."""
        mixed: Tensor = self.body(self.up(features) + self.shortcut(shortcut))
        return mixed


class Xu2020Colorization(nn.Module):
    """Ten feature blocks (blocks 5 and 6 dilated by 2) and one output block.

    Args:
        width: multiplies channels; 1.0 is the paper's.
    """

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        c64, c128, c256, c512 = (scaled(channels, width) for channels in (64, 128, 256, 512))
        self.block1 = FeatureBlock(4, c64, 2)
        self.block2 = FeatureBlock(c64, c128, 2)
        self.block3 = FeatureBlock(c128, c256, 3)
        self.block4 = FeatureBlock(c256, c512, 3)
        self.block5 = FeatureBlock(c512, c512, 3, dilation=2)
        self.block6 = FeatureBlock(c512, c512, 3, dilation=2)
        self.block7 = FeatureBlock(c512, c512, 3)
        self.block8 = UpsamplingBlock(c512, c256, c256, 2)
        self.block9 = UpsamplingBlock(c256, c128, c128, 1)
        self.block10 = UpsamplingBlock(c128, c64, c128, 1, last=True)
        self.output = nn.Conv2d(c128, 2, 1)

    def forward(self, lightness: Tensor, ab: Tensor, mask: Tensor) -> Tensor:
        """Predict chroma.

        Args:
            lightness: L*, (B, 1, H, W), 0..100, any size.
            ab: a* b* / 110 where known, else 0, (B, 2, H, W).
            mask: 1 where ab is known, else 0, (B, 1, H, W).
        Returns:
            a* b* / 110, (B, 2, H, W), within -1..1.
        """
        height, width = lightness.shape[-2:]
        seen = torch.cat([(lightness - 50) / 100, ab, mask - 0.5], 1)
        seen = F.pad(seen, (0, -width % MULTIPLE, 0, -height % MULTIPLE), mode="replicate")
        return self.blocks(seen)[..., :height, :width]

    def blocks(self, seen: Tensor) -> Tensor:
        """All blocks, of inputs that are scaled and whose sides are multiples of 8."""
        full = self.block1(seen)
        half = self.block2(full[..., ::2, ::2])
        quarter = self.block3(half[..., ::2, ::2])
        x = self.block4(quarter[..., ::2, ::2])
        x = self.block7(self.block6(self.block5(x)))
        x = self.block10(self.block9(self.block8(x, quarter), half), full)
        return torch.tanh(self.output(x))


def weighted_huber(
    predicted: Tensor, truth: Tensor, mask: Tensor, weight: float = 10.0, delta: float = 1.0
) -> Tensor:
    """L_h((1 + lambda M) F(x), (1 + lambda M) y), the mean Huber loss with more regard for what is known.

    Args:
        predicted, truth: a* b* / 110, (B, 2, H, W); compared in units of a* b*, so that delta is one such unit.
        mask: M, (B, 1, H, W), 1 where ab was given.
        weight: lambda.
    """
    regard = (1 + weight * mask) * AB_SCALE
    return F.huber_loss(predicted.float() * regard, truth.float() * regard, delta=delta)


def empty(ab: Tensor) -> tuple[Tensor, Tensor]:
    """No ab at all: zeros (B, 2, H, W) and a mask of zeros (B, 1, H, W)."""
    return torch.zeros_like(ab), torch.zeros_like(ab[:, :1])


def sampled(
    ab: Tensor,
    sampling: str = "pixels",
    probability: float = PROBABILITY,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Keep some of an ab map, at random.

    The paper says that ab is "randomly sampled" with p = 0.125. That is the name and value of a parameter in the code
    of Zhang 2017 where it ends a geometric count of points; read plainly it is the share of pixels. Both are here.

    Args:
        ab: (B, 2, H, W).
        sampling: "pixels", each kept with the probability; or "points", square patches of 1 to 9 pixels around the
            center that show the mean under them, whose number is geometric with the probability.
        probability: above 0, at most 1.
        generator: on the CPU, for a draw that can be repeated.
    Returns:
        ab where it was kept, else 0, and the mask (B, 1, H, W).
    Raises:
        OptionError: if the sampling is another or the probability is out of range.
    """
    if sampling not in SAMPLINGS or not 0 < probability <= 1:
        raise OptionError(
            f"sampling is {sampling!r} with p = {probability}; pixels or points with p above 0, at most 1, is wanted."
        )
    if ab.ndim != 4 or ab.shape[1] != 2:
        raise ShapeError(f"ab has shape {tuple(ab.shape)}; (B, 2, H, W) is wanted.")
    if sampling == "points":
        return _points(ab, probability, generator)
    mask = (_uniform(ab, (len(ab), 1, *ab.shape[-2:]), generator) < probability).to(ab.dtype)
    return ab * mask, mask


def _points(ab: Tensor, probability: float, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
    """Patches one after another, each over all photographs at once; later ones cover earlier ones."""
    batch, _, height, width = ab.shape
    counts = _geometric(_uniform(ab, (batch,), generator), probability)
    out, mask = empty(ab)
    rows = torch.arange(height, device=ab.device)[None, :, None]
    columns = torch.arange(width, device=ab.device)[None, None, :]
    for point in range(int(counts.max())):
        top, left, side = _patch(ab, generator)
        inside = (rows >= top) & (rows < top + side) & (columns >= left) & (columns < left + side)
        inside = (inside & (point < counts)[:, None, None])[:, None].to(ab.dtype)
        mean = (ab * inside).sum((2, 3), keepdim=True) / inside.sum((2, 3), keepdim=True).clamp_min(1)
        out, mask = torch.where(inside > 0, mean, out), torch.maximum(mask, inside)
    return out, mask


def _patch(ab: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor, Tensor]:
    """Top, left and side of one patch for each photograph, (B, 1, 1) each, wholly inside."""
    batch, _, height, width = ab.shape
    side = (_uniform(ab, (batch,), generator) * LARGEST_PATCH).long() + 1
    side = side.clamp_max(min(height, width))
    normal = torch.randn((batch, 2), generator=generator).to(ab.device) / 4 + 0.5
    top = (normal[:, 0] * (height - side + 1)).long().clamp_min(0).minimum(height - side)
    left = (normal[:, 1] * (width - side + 1)).long().clamp_min(0).minimum(width - side)
    return top[:, None, None], left[:, None, None], side[:, None, None]


def _geometric(uniform: Tensor, probability: float) -> Tensor:
    """Failures before the first success, from uniform numbers in 0..1."""
    if probability == 1:
        return torch.zeros_like(uniform).long()
    drawn = torch.log1p(-uniform) / math.log1p(-probability)
    return drawn.floor().long().clamp_max(MOST_POINTS)


def _uniform(like: Tensor, shape: tuple[int, ...], generator: torch.Generator | None) -> Tensor:
    """Uniform numbers, drawn on the CPU where a generator is given so that they do not depend on the device."""
    if generator is not None:
        return torch.rand(shape, generator=generator).to(like.device)
    return torch.rand(shape, device=like.device)
