"""Xiao et al.: Example-Based Colourization via Dense Encoding Pyramids, Computer Graphics Forum 39(1), 2020.

A pyramid of levels, each of twice the size of the one below, predicts a distribution over the 313 ab bins at a
quarter of its size. Every level takes lightness and the reference's ab histogram; every level but the first also takes
what the level below answered. All levels share one set of weights: only the batch statistics are each level's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinct.color.bins import AB_BIN_COUNT, AB_SCALE
from tinct.networks.graph import Release
from tinct.networks.layers.outputs import Outputs, annealed_mean, bin_centers, he_initialized, scaled
from tinct.networks.paper_graph import paper_graphs
from tinct.tables import check_above_zero

REFERENCE = AB_BIN_COUNT + 1
"""Numbers that describe a reference: its histogram over the ab bins, whose sum is 1, and 1; zeros for no reference."""

HISTOGRAM_SCALE = 10.0
"""What a histogram is multiplied by before its first convolution, so that its largest entries are about 1."""

REFERENCE_SCALE, BELOW_SCALE = 0.3, 1.0
"""Scales, at the start, of the reference's and of the lower level's features, beside those they are added to."""

SLOPE = 0.1
"""Of the densely connected convolutions' leaky units below zero. The paper's are plain: three quarters and more of such
units ended constant over all photographs."""

SIGMA = 5.0
"""Of the Gaussian by which the lower level's answer is encoded over the bins, in ab units."""

TEMPERATURE = 0.5
"""Softmax temperature at which a level's answer is read for the level above."""


@dataclass(frozen=True)
class Xiao2019Config:
    """The numbers of the network.

    Attributes:
        width: multiplies the channels of every layer; 1 is the paper's.
        levels: of the pyramid; each has twice the size of the one below.
    Raises:
        OptionError: if a number is out of its range.
    """

    width: float = 1.0
    levels: int = 3

    def __post_init__(self) -> None:
        check_above_zero(self, "width", "levels")


class LevelNorm(nn.ModuleList):
    """Batch normalization without parameters, with statistics of its own for each level of the pyramid."""

    def __init__(self, channels: int, levels: int) -> None:
        super().__init__(nn.BatchNorm2d(channels, affine=False) for _ in range(levels))

    def forward(self, features: Tensor, level: int) -> Tensor:
        """Features of the same shape, of a level counted from 0."""
        normalized: Tensor = self[level](features)
        return normalized


class DenseBlock(nn.Module):
    """A residual dense block: three 3x3 convolutions, each of all before it, a 1x1 of all, and the input added."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv2d(channels * count, channels, 3, padding=1) for count in (1, 2, 3)
        )
        self.fusion = nn.Conv2d(4 * channels, channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Features of the same shape."""
        return features + self.fusion(densely(self.convolutions, features))


class DenseEncoder(nn.Module):
    """Encodes values over the bins: three convolutions, densely connected, a 1x1 of all, and the first one added.

    Args:
        inputs, channels: of the values and of the features.
        kernels: sides of the three convolutions.
    """

    def __init__(self, inputs: int, channels: int, kernels: tuple[int, int, int]) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, channels, kernels[0], padding=kernels[0] // 2)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(channels * count, channels, kernel, padding=kernel // 2)
            for count, kernel in ((1, kernels[1]), (2, kernels[2]))
        )
        self.fusion = nn.Conv2d(3 * channels, channels, 1)

    def forward(self, values: Tensor) -> Tensor:
        """Features (B, channels, h, w), 0 or more, of values (B, inputs, h, w)."""
        first = F.relu(self.first(values))
        return F.relu(first + self.fusion(densely(self.convolutions, first)))


class Xiao2019(nn.Module):
    """L* and a reference's histogram to a distribution over the ab bins at a quarter of the size."""

    inputs: ClassVar[tuple[str, ...]] = ("lightness", "reference")

    def __init__(self, config: Xiao2019Config | None = None) -> None:
        super().__init__()
        self.config = config = config or Xiao2019Config()
        c1, c2, c3, c4 = (scaled(channels, config.width) for channels in (64, 128, 256, 512))
        self.blocks = nn.ModuleList(
            [
                _convolutions(1, c1, 2, 2),
                _convolutions(c1, c2, 2, 2),
                _convolutions(c2, c3, 3, 2),
                _convolutions(c3, c4, 3, 1),
                _dense_block(c4, 2),
                _dense_block(c4, 2),
                _dense_block(c4, 1),
            ]
        )
        self.norms = nn.ModuleList(LevelNorm(channels, config.levels) for channels in (c1, c2, c3, *[c4] * 4))
        self.last = _last_block(c4, c3)
        self.reference = DenseEncoder(REFERENCE, c4, (1, 1, 1))
        self.reference_norm = nn.BatchNorm1d(c4)
        self.below = DenseEncoder(AB_BIN_COUNT, c4, (1, 3, 3))
        self.below_norm = nn.BatchNorm2d(c4)
        he_initialized(self)
        self.output = nn.Conv2d(c3, AB_BIN_COUNT, 1)
        nn.init.constant_(self.reference_norm.weight, REFERENCE_SCALE)
        nn.init.constant_(self.below_norm.weight, BELOW_SCALE)
        for module in self.modules():
            if isinstance(module, DenseBlock):
                module.fusion.weight.data.mul_(0.1)  # begins near the identity
        self.centers: Tensor
        self.register_buffer("centers", bin_centers(AB_SCALE), persistent=False)

    @property
    def multiple(self) -> int:
        """What height and width must be multiples of."""
        return int(8 * 2 ** (self.config.levels - 1))

    def forward(self, lightness: Tensor, reference: Tensor | None = None) -> Outputs:
        """Read a photograph.

        Args:
            lightness: CIE L*, (B, 1, H, W), 0..100; H and W multiples of `multiple`.
            reference: (B, 314), see `REFERENCE`; None for no reference.
        Returns:
            `bins` at (H/4, W/4): the mean of all levels' distributions, as logits. In the paper it is the last level's
            alone; on 24 held-out photographs the mean is nearer to the truth, by 3 % without a reference.
        """
        if reference is None:
            reference = lightness.new_zeros(len(lightness), REFERENCE)
        vector = self.encode_reference(reference)
        below: Tensor | None = None
        found = []
        for level in range(self.config.levels):
            small = shrunk(lightness, self.config.levels - 1 - level)
            below = self.answer(small, vector, below, level)
            found.append(torch.softmax(below.float(), 1))
        assert below is not None
        size = below.shape[-2:]
        enlarged = [F.interpolate(each, size=size, mode="bilinear", align_corners=False) for each in found]
        return Outputs(bins=torch.stack(enlarged).mean(0).clamp_min(1e-9).log())

    def encode_reference(self, reference: Tensor) -> Tensor:
        """A reference's features, (B, C, 1, 1), of its numbers (B, 314)."""
        scale = reference.new_full((REFERENCE,), HISTOGRAM_SCALE)
        scale[-1] = 1
        found = self.reference((reference * scale)[:, :, None, None]).flatten(1)
        # of vectors: of maps of one place OpenVINO 2026.4 in bf16 leaves a normalization out
        return self.reference_norm(found)[:, :, None, None]  # type: ignore[no-any-return]

    def answer(self, lightness: Tensor, reference: Tensor, below: Tensor | None, level: int) -> Tensor:
        """The logits of one level.

        Args:
            lightness: CIE L* at the level's size, (B, 1, h, w).
            reference: its features, (B, C, 1, 1).
            below: logits of the level below, (B, 313, h/8, w/8); None for the first level.
            level: counted from 0.
        Returns:
            (B, 313, h/4, w/4).
        """
        features = (lightness - 50) / 100
        for number, (block, norm) in enumerate(zip(self.blocks, self.norms, strict=True), 1):
            features = norm(block(features), level)
            if number == 4:
                features = features + reference
            if number == 5 and below is not None:
                features = features + self.below_norm(self.below(self.encoded(below)))
        logits: Tensor = self.output(self.last(features))
        return logits

    def encoded(self, below: Tensor) -> Tensor:
        """A level's answer as one color a place, spread over the bins: the same shape, sums to 1.

        No gradient passes: in the paper the level below is trained first, and stays.
        """
        ab = annealed_mean(below.detach(), self.centers, TEMPERATURE)
        with torch.autocast(below.device.type, enabled=False):
            # of differences, which stay exact near a bin where engines compute in bf16
            a, b = (ab[:, i : i + 1] - self.centers[:, i][:, None, None] for i in range(2))
            return torch.softmax((a.square() + b.square()) * (-0.5 * (AB_SCALE / SIGMA) ** 2), 1)

    def colors(self, outputs: Outputs, temperature: float = TEMPERATURE) -> Tensor:
        """One color for each place: a* b* / 110, (B, 2, H/4, W/4)."""
        assert outputs.bins is not None
        return annealed_mean(outputs.bins, self.centers, temperature)


def densely(convolutions: Sequence[nn.Module] | nn.ModuleList, features: Tensor) -> Tensor:
    """Features and what each convolution gives of all before it, with leaky units, side by side."""
    for convolution in convolutions:
        features = torch.cat([features, F.leaky_relu(convolution(features), SLOPE)], 1)
    return features


def shrunk(image: Tensor, halvings: int) -> Tensor:
    """An image at 1 / 2**halvings of its size, by area means."""
    return F.avg_pool2d(image, 2**halvings) if halvings else image


def _convolutions(inputs: int, outputs: int, count: int, stride: int, dilation: int = 1) -> nn.Sequential:
    """3x3 convolutions with ReLU, the last one with the stride."""
    layers: list[nn.Module] = []
    for index in range(count):
        step = stride if index == count - 1 else 1
        layers += [nn.Conv2d(inputs, outputs, 3, step, dilation, dilation), nn.ReLU(inplace=True)]
        inputs = outputs
    return nn.Sequential(*layers)


def _dense_block(channels: int, dilation: int) -> nn.Sequential:
    """Blocks 5 to 7: a convolution, a residual dense block without dilation, two convolutions."""
    first = _convolutions(channels, channels, 1, 1, dilation)
    return nn.Sequential(*first, DenseBlock(channels), *_convolutions(channels, channels, 2, 1, dilation))


def _last_block(inputs: int, outputs: int) -> nn.Sequential:
    """Block 8: a transposed convolution that doubles the size, and two more; without normalization."""
    doubled = nn.ConvTranspose2d(inputs, outputs, 4, 2, 1)
    return nn.Sequential(doubled, nn.ReLU(inplace=True), *_convolutions(outputs, outputs, 2, 1))


RELEASE = Release(Xiao2019Config, Xiao2019, paper_graphs)
"""The form in which trained networks become files."""
