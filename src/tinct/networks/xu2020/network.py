"""Xu et al., Stylization-Based Architecture for Fast Deep Exemplar Colorization, CVPR 2020: both sub-nets together.

Pre-color with an empty ab map, transfer against the reference, sample the coarse ab map, refine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from tinct.color.bins import AB_SCALE
from tinct.color.lab_torch import lab_to_rgb, rgb_to_lab
from tinct.errors import ShapeError
from tinct.networks.xu2020.colorization_network import (
    Xu2020Colorization,
    empty,
    sampled,
)
from tinct.networks.xu2020.places import PROBABILITY
from tinct.networks.xu2020.transfer_network import EVERYWHERE, Places, Xu2020Transfer
from tinct.tables import check_above_zero


@dataclass(frozen=True)
class Xu2020Config:
    """The networks' sizes.

    Attributes:
        transfer, colorization: multiply the channels of the sub-nets; 1.0 is the paper's.
    Raises:
        OptionError: if a number is out of its range.
    """

    transfer: float = 1.0
    colorization: float = 1.0

    def __post_init__(self) -> None:
        check_above_zero(self, "transfer", "colorization")


@dataclass(frozen=True)
class Following:
    """How the reference is followed.

    Attributes:
        match: "adain" or "wct".
        places: where features are matched.
        sampling, probability: how much of the coarse ab map is kept (`.colorization_network.sampled`).
    """

    match: str = "adain"
    places: Places = EVERYWHERE
    sampling: str = "pixels"
    probability: float = PROBABILITY


class Steps(NamedTuple):
    """What each step made: Figure 4's (b), (c) and (d). All a* b* / 110, (B, 2, H, W).

    Attributes:
        precolor: by the colorization sub-net alone, from an empty ab map.
        coarse: T_ab, what the transfer sub-net made of the pre-colored photograph and the reference.
        mask: which of it was kept, (B, 1, H, W).
        ab: the answer.
    """

    precolor: Tensor
    coarse: Tensor
    mask: Tensor
    ab: Tensor


class Xu2020(nn.Module):
    """Transfer and colorization sub-net.

    Attributes:
        following: how the reference is followed unless told otherwise.
    """

    following: ClassVar[Following] = Following()

    def __init__(self, config: Xu2020Config | None = None) -> None:
        super().__init__()
        self.config = config or Xu2020Config()
        self.transfer: nn.Module = Xu2020Transfer(self.config.transfer)
        self.colorization = Xu2020Colorization(self.config.colorization)

    def precolor(self, lightness: Tensor) -> Tensor:
        """a* b* / 110 from L* (B, 1, H, W), 0..100, alone."""
        ab: Tensor = self.colorization(lightness, *empty(lightness.expand(-1, 2, -1, -1)))
        return ab

    def coarse(
        self,
        lightness: Tensor,
        ab: Tensor,
        reference: Tensor,
        labels: tuple[Tensor, Tensor] | None,
        following: Following,
    ) -> Tensor:
        """T_ab: the chroma of the pre-colored photograph once it looks like the reference."""
        content = lab_to_rgb(torch.cat([lightness, ab * AB_SCALE], 1))
        found = self.stylize(content, reference, labels, following)
        return rgb_to_lab(found.clamp(0, 1))[:, 1:] / AB_SCALE

    def stylize(
        self, content: Tensor, style: Tensor, labels: tuple[Tensor, Tensor] | None, following: Following
    ) -> Tensor:
        """sRGB of the transfer sub-net, not clipped."""
        found: Tensor = self.transfer(content, style, labels, match=following.match, places=following.places)
        return found

    def forward(
        self,
        lightness: Tensor,
        reference: Tensor,
        labels: tuple[Tensor, Tensor] | None = None,
        following: Following | None = None,
        generator: torch.Generator | None = None,
    ) -> Steps:
        """Colorize after references.

        Args:
            lightness: L*, (B, 1, H, W), 0..100, at least 16 x 16.
            reference: sRGB, (B, 3, h, w), 0..1, at any size of its own.
            labels: integers (B, ., .) of photograph and reference, to match statistics per label.
            following: how; None is the network's own way.
            generator: for the sampling; None draws anew at each call.
        Raises:
            ShapeError: if a shape does not fit.
        """
        if lightness.ndim != 4 or lightness.shape[1] != 1 or reference.ndim != 4 or reference.shape[1] != 3:
            raise ShapeError(
                f"lightness is {tuple(lightness.shape)}, reference {tuple(reference.shape)}; "
                "(B, 1, H, W) and (B, 3, h, w) are wanted."
            )
        following = following or self.following
        precolor = self.precolor(lightness)
        coarse = self.coarse(lightness, precolor, reference, labels, following)
        kept, mask = sampled(coarse, following.sampling, following.probability, generator)
        return Steps(precolor, coarse, mask, self.colorization(lightness, kept, mask))

    @torch.no_grad()
    def predict(
        self,
        lightness: Tensor,
        reference: Tensor,
        labels: tuple[Tensor, Tensor] | None = None,
        following: Following | None = None,
        seed: int = 0,
    ) -> Tensor:
        """a*, b* in their own units, (B, 2, H, W): `forward`'s answer, the same for the same seed."""
        self.eval()
        generator = torch.Generator().manual_seed(seed)
        return self(lightness, reference, labels, following, generator).ab * AB_SCALE
