"""Zhang, Isola, Efros: Colorful Image Colorization, ECCV 2016.

Eight blocks of convolutions (the authors' version 2: block 7 is not dilated), each closed by one batch normalization,
that predict a distribution over 313 ab bins at 1/4 of the size. There is no pooling and no skip; size is lost by
stride, and blocks 5 and 6 see far by dilation.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from tinct.color.bins import AB_BIN_COUNT, AB_SCALE, TEMPERATURE
from tinct.networks.graph import Release
from tinct.networks.layers.outputs import (
    Outputs,
    annealed_mean,
    bin_centers,
    he_initialized,
    scaled,
)
from tinct.networks.paper_graph import paper_graphs
from tinct.tables import check_above_zero

Block = tuple[int, int, int, int]

BLOCKS: tuple[Block, ...] = (
    (64, 2, 2, 1),
    (128, 2, 2, 1),
    (256, 3, 2, 1),
    (512, 3, 1, 1),
    (512, 3, 1, 2),
    (512, 3, 1, 2),
    (512, 3, 1, 1),
)
"""Blocks 1 to 7: channels, convolutions, stride of the last of them, dilation of all of them."""

LAST_CHANNELS = 256
"""Of block 8, which doubles the size."""


@dataclass(frozen=True)
class Zhang2016Config:
    """The numbers of the network.

    Attributes:
        width: multiplies the channels of every block; 1 is the paper's.
        blocks: all but the last; fewer of them are the ablations, whose last block stays.
        regression: predict ab itself (the paper's L2 baseline) rather than a distribution.
    Raises:
        OptionError: if a number is out of its range.
    """

    width: float = 1.0
    blocks: tuple[Block, ...] = BLOCKS
    regression: bool = False

    def __post_init__(self) -> None:
        check_above_zero(self, "width", "blocks")


class Zhang2016(nn.Module):
    """L* to a distribution over the ab bins, or to ab, at 1/4 of the size."""

    multiple: ClassVar[int] = 8
    inputs: ClassVar[tuple[str, ...]] = ("lightness",)

    def __init__(self, config: Zhang2016Config | None = None) -> None:
        super().__init__()
        self.config = config = config or Zhang2016Config()
        blocks: OrderedDict[str, nn.Module] = OrderedDict()
        channels = 1
        for number, (outputs, *rest) in enumerate(config.blocks, 1):
            outputs = scaled(outputs, config.width)
            blocks[f"conv{number}"] = block(channels, outputs, *rest)
            channels = outputs
        last = scaled(LAST_CHANNELS, config.width)
        blocks["conv8"] = upsampling_block(channels, last)
        self.blocks = nn.Sequential(blocks)
        he_initialized(self.blocks)
        self.output = nn.Conv2d(last, 2 if config.regression else AB_BIN_COUNT, 1)
        self.centers: Tensor
        self.register_buffer("centers", bin_centers(AB_SCALE), persistent=False)

    def forward(self, lightness: Tensor) -> Outputs:
        """Read a photograph.

        Args:
            lightness: CIE L*, (B, 1, H, W), 0..100; H and W multiples of 8.
        Returns:
            `bins` or, for the L2 baseline, `ab`, at (H/4, W/4).
        """
        found = self.output(self.blocks((lightness - 50) / 100))
        return Outputs(ab=found) if self.config.regression else Outputs(bins=found)

    def colors(self, outputs: Outputs, temperature: float = TEMPERATURE) -> Tensor:
        """One color for each place: a* b* / 110, (B, 2, H/4, W/4)."""
        if outputs.ab is not None:
            return outputs.ab.float()
        assert outputs.bins is not None
        return annealed_mean(outputs.bins, self.centers, temperature)


def block(inputs: int, outputs: int, convolutions: int, stride: int, dilation: int) -> nn.Sequential:
    """3x3 convolutions with ReLU, the last one with the stride, then batch normalization."""
    layers: list[nn.Module] = []
    for index in range(convolutions):
        step = stride if index == convolutions - 1 else 1
        layers += [nn.Conv2d(inputs, outputs, 3, step, dilation, dilation), nn.ReLU(inplace=True)]
        inputs = outputs
    return nn.Sequential(*layers, nn.BatchNorm2d(outputs))


def upsampling_block(inputs: int, outputs: int) -> nn.Sequential:
    """Block 8: a transposed convolution that doubles the size, and two more; without normalization."""
    return nn.Sequential(
        nn.ConvTranspose2d(inputs, outputs, 4, 2, 1),
        nn.ReLU(inplace=True),
        nn.Conv2d(outputs, outputs, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(outputs, outputs, 3, padding=1),
        nn.ReLU(inplace=True),
    )


RELEASE = Release(Zhang2016Config, Zhang2016, paper_graphs)
"""The form in which trained networks become files."""
