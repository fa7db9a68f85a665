"""Nguyen-Quynh, Kim, Do: Image Colorization Using the Global Scene-Context Style and Pixel-Wise Semantic Segmentation.

IEEE Access 2020, and the thesis behind it. One encoder-decoder (the U-Net of Ronneberger et al., MICCAI 2015, padded to
keep the size, with batch normalization) and four branches that teach it: scenes from the encoder's end; ab itself, the
distribution of ab and segments from the decoder's. The thesis's slides name the branches, their labels and losses, not
their layers: how deep each branch is was decided here.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinct.color.bins import AB_BIN_COUNT, AB_SCALE, TEMPERATURE
from tinct.errors import OptionError
from tinct.networks.graph import Release
from tinct.networks.layers.blocks import ConvNorm
from tinct.networks.layers.outputs import Outputs, annealed_mean, bin_centers, scaled
from tinct.networks.paper_graph import paper_graphs
from tinct.tables import check_above_zero

CHANNELS = (64, 128, 256, 512, 1024)
"""Of the U-Net's five scales, from full size to 1/16."""

BRANCHES = ("scenes", "segments", "bins", "ab")
"""What the network can predict. The thesis's ablations: ab and bins (RegSoft), with scenes (ClassRegSoft), with
segments as well (SegClassRegSoft)."""


@dataclass(frozen=True)
class ScunetConfig:
    """The numbers of the network.

    Attributes:
        width: multiplies the channels of every scale; 1 is the U-Net's.
        branches: of `BRANCHES`, which there are.
        scenes, segments: sizes of these branches.
    Raises:
        OptionError: if a branch is not known, none of them gives a color, or a number is not above 0.
    """

    width: float = 1.0
    branches: tuple[str, ...] = BRANCHES
    scenes: int = 365
    segments: int = 32

    def __post_init__(self) -> None:
        check_above_zero(self, "width", "scenes", "segments")
        if unknown := sorted(set(self.branches) - set(BRANCHES)):
            raise OptionError(f"no branch {unknown[0]!r}; there are {', '.join(BRANCHES)}.")
        if not {"bins", "ab"} & set(self.branches):
            raise OptionError("branches give no color; one of them must be bins or ab.")


class Scunet(nn.Module):
    """L* to ab at full size, bins and segments at 1/4, scenes."""

    multiple: ClassVar[int] = 16
    inputs: ClassVar[tuple[str, ...]] = ("lightness",)

    def __init__(self, config: ScunetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or ScunetConfig()
        channels = tuple(scaled(count, config.width) for count in CHANNELS)
        pairs = tuple(pairwise(channels))
        self.first = _two(1, channels[0])
        self.down = nn.ModuleList(_two(fine, coarse) for fine, coarse in pairs)
        self.up = nn.ModuleList(nn.ConvTranspose2d(coarse, fine, 2, 2) for fine, coarse in pairs)
        self.mix = nn.ModuleList(_two(2 * fine, fine) for fine, _ in pairs)
        sizes = {"scenes": config.scenes, "segments": config.segments, "bins": AB_BIN_COUNT, "ab": 2}
        self.branches = nn.ModuleDict()
        for name in config.branches:
            self.branches[name] = branch(name, channels, sizes[name])
        self.centers: Tensor
        self.register_buffer("centers", bin_centers(AB_SCALE), persistent=False)

    def forward(self, lightness: Tensor) -> Outputs:
        """Read a photograph.

        Args:
            lightness: CIE L*, (B, 1, H, W), 0..100; H and W multiples of 16.
        Returns:
            `ab` at (H, W), `bins` and `segments` at (H/4, W/4), `scenes`; None for branches there are not.
        """
        encoded, decoded = self.encode_decode((lightness - 50) / 50)
        found = {name: part(encoded if name == "scenes" else decoded) for name, part in self.branches.items()}
        return Outputs(**found)

    def encode_decode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The encoder's last features, at 1/16, and the decoder's, at full size (X_enc and X_map)."""
        scales = [self.first(x)]
        for down in self.down:
            scales.append(down(F.max_pool2d(scales[-1], 2)))
        encoded = x = scales.pop()
        for up, mix in zip(reversed(self.up), reversed(self.mix), strict=True):
            x = mix(torch.cat([scales.pop(), up(x)], 1))
        return encoded, x

    def colors(self, outputs: Outputs, temperature: float = TEMPERATURE) -> Tensor:
        """a* b* / 110: from the distribution where there is one (the thesis's result), else the regression's."""
        if outputs.bins is not None:
            return annealed_mean(outputs.bins, self.centers, temperature)
        assert outputs.ab is not None
        return outputs.ab.float()


def _two(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(ConvNorm(inputs, outputs), ConvNorm(outputs, outputs))


def branch(name: str, channels: tuple[int, ...], outputs: int) -> nn.Sequential:
    """A fresh branch: "scenes" reads the encoder's last features, the others the decoder's.

    Args:
        name: one of `BRANCHES`.
        channels: of the network's five scales.
        outputs: how many numbers the branch predicts for the photograph or for each place.
    """
    if name == "scenes":
        return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels[-1], outputs))
    if name == "ab":
        return nn.Sequential(nn.Conv2d(channels[0], outputs, 1))
    # classes are predicted at 1/4, at which labels are given
    half, quarter = ConvNorm(channels[0], channels[1], 3, 2), ConvNorm(channels[1], channels[2], 3, 2)
    return nn.Sequential(half, quarter, nn.Conv2d(channels[2], outputs, 1))


RELEASE = Release(ScunetConfig, Scunet, paper_graphs)
"""The form in which trained networks become files."""
