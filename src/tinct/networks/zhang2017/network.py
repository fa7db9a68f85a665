"""Zhang, Zhu, Isola, Geng, Lin, Yu, Efros: Real-Time User-Guided Image Colorization with Learned Deep Priors, 2017.

A U-Net over lightness and local hints; a side branch reads a distribution of colors off its features, from which colors
are suggested; the global-hints network adds what the whole photograph's colors are to block 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinct.color.bins import AB_BIN_COUNT
from tinct.networks.graph import Release
from tinct.networks.layers.hypercolumns import HypercolumnLayer
from tinct.networks.layers.outputs import Outputs, he_initialized, scaled
from tinct.networks.paper_graph import paper_graphs
from tinct.networks.zhang2016.network import block
from tinct.tables import check_above_zero

GLOBAL_HINTS = AB_BIN_COUNT + 3
"""Length of the global hints: the ab histogram, 1 where there is one, mean saturation, 1 where there is one."""

HYPERCOLUMN = 384
"""Channels of the two-layer classifier's first layer, which the paper does not state."""

STRIDES = (1, 2, 4, 8, 8, 8, 8, 4)
"""Pixels of the photograph to one of blocks 1 to 8."""


@dataclass(frozen=True)
class Zhang2017Config:
    """The numbers of the network.

    Attributes:
        width: multiplies the channels of every block; 1 is the paper's.
        global_hints: take an ab histogram and a mean saturation as well.
    Raises:
        OptionError: if a number is out of its range.
    """

    width: float = 1.0
    global_hints: bool = False

    def __post_init__(self) -> None:
        check_above_zero(self, "width")


class MainBranch(nn.Module):
    """Blocks 1 to 10: (L, hint ab, hint mask) to features at every scale; skips from block 3, 2 and 1."""

    def __init__(self, width: float) -> None:
        super().__init__()
        c1, c2, c3, c4 = (scaled(channels, width) for channels in (64, 128, 256, 512))
        self.conv1, self.conv2 = block(4, c1, 2, 1, 1), block(c1, c2, 2, 1, 1)
        self.conv3, self.conv4 = block(c2, c3, 3, 1, 1), block(c3, c4, 3, 1, 1)
        self.conv5, self.conv6 = block(c4, c4, 3, 1, 2), block(c4, c4, 3, 1, 2)
        self.conv7 = block(c4, c4, 3, 1, 1)
        self.conv8_up, self.conv3_8 = _doubled(c4, c3), nn.Conv2d(c3, c3, 3, padding=1)
        self.conv8 = block(c3, c3, 2, 1, 1)
        self.conv9_up, self.conv2_9 = _doubled(c3, c2), nn.Conv2d(c2, c2, 3, padding=1)
        self.conv9 = block(c2, c2, 1, 1, 1)
        self.conv10_up, self.conv1_10 = _doubled(c2, c2), nn.Conv2d(c1, c2, 3, padding=1)
        self.conv10 = nn.Sequential(nn.Conv2d(c2, c2, 3, padding=1), nn.LeakyReLU(0.2))
        he_initialized(self)

    def forward(self, x: Tensor, guide: Tensor | None) -> tuple[list[Tensor], Tensor]:
        """Features of blocks 1 to 8, and of block 10; `guide` (B, C, 1, 1) is added to block 4's."""
        conv1 = self.conv1(x)
        conv2 = self.conv2(_every_second(conv1))
        conv3 = self.conv3(_every_second(conv2))
        conv4 = self.conv4(_every_second(conv3))
        if guide is not None:
            conv4 = conv4 + guide
        conv5 = self.conv5(conv4)
        conv6 = self.conv6(conv5)
        conv7 = self.conv7(conv6)
        conv8 = self.conv8(F.relu(self.conv8_up(conv7) + self.conv3_8(conv3)))
        conv9 = self.conv9(F.relu(self.conv9_up(conv8) + self.conv2_9(conv2)))
        conv10 = self.conv10(F.relu(self.conv10_up(conv9) + self.conv1_10(conv1)))
        return [conv1, conv2, conv3, conv4, conv5, conv6, conv7, conv8], conv10


class Zhang2017(nn.Module):
    """L* and hints to ab at full size, and a distribution over the ab bins at 1/4."""

    multiple: ClassVar[int] = 8

    def __init__(self, config: Zhang2017Config | None = None) -> None:
        super().__init__()
        self.config = config = config or Zhang2017Config()
        c1, c2, c3, c4 = (scaled(channels, config.width) for channels in (64, 128, 256, 512))
        self.main = MainBranch(config.width)
        self.ab = nn.Conv2d(c2, 2, 1)
        hidden = scaled(HYPERCOLUMN, config.width)
        self.hypercolumn = HypercolumnLayer((c1, c2, c3, c4, c4, c4, c4, c3), STRIDES, hidden)
        self.bins = nn.Conv2d(hidden, AB_BIN_COUNT, 1)
        self.guide = _guide(c4) if config.global_hints else None

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs of `forward`."""
        return ("lightness", "hints", "global_hints")[: 3 if self.config.global_hints else 2]

    def forward(self, lightness: Tensor, hints: Tensor, global_hints: Tensor | None = None) -> Outputs:
        """Read a photograph with hints.

        Args:
            lightness: CIE L*, (B, 1, H, W), 0..100; H and W multiples of 8.
            hints: (B, 3, H, W): hinted a* b* / 110 where there is a hint, else 0; 1 where there is one, else 0.
            global_hints: (B, 316), see `GLOBAL_HINTS`; zeros for none. Only the global-hints network takes them.
        Returns:
            `ab` at (H, W) and `bins` at (H/4, W/4). No gradient goes from the bins into the main branch, as in the
            paper: suggesting colors must not cost the colorization anything.
        """
        guide = None
        if self.guide is not None:
            given = (
                lightness.new_zeros(len(lightness), GLOBAL_HINTS) if global_hints is None else global_hints
            )
            guide = self.guide(given[:, :, None, None])
        features, last = self.main(torch.cat([(lightness - 50) / 100, hints], 1), guide)
        bins = self.bins(self.hypercolumn([maps.detach() for maps in features]))
        return Outputs(ab=torch.tanh(self.ab(last)), bins=bins)

    def colors(self, outputs: Outputs) -> Tensor:
        """a* b* / 110, (B, 2, H, W)."""
        assert outputs.ab is not None
        return outputs.ab.float()


def _every_second(maps: Tensor) -> Tensor:
    """Halve the size as the authors do: by leaving out."""
    return maps[:, :, ::2, ::2]


def _doubled(inputs: int, outputs: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(inputs, outputs, 4, 2, 1)


def _guide(channels: int) -> nn.Sequential:
    """Four 1x1 convolutions over the global hints (section 3.3)."""
    layers: list[nn.Module] = []
    inputs = GLOBAL_HINTS
    for _ in range(4):
        layers += [nn.Conv2d(inputs, channels, 1), nn.ReLU(inplace=True)]
        inputs = channels
    guide = nn.Sequential(*layers)
    he_initialized(guide)
    return guide


RELEASE = Release(Zhang2017Config, Zhang2017, paper_graphs)
"""The form in which trained networks become files."""
