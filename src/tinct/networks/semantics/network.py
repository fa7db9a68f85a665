"""The semantic branch: colors of a photograph from the features of EfficientNet-Lite2, which ImageNet made.

The encoder of the released network learned all it knows from photographs in color, and knows those by heart; this
branch sees things as a network does that was taught a thousand kinds of them on a million photographs, so that the
two err apart (docs/experiments.md, "A second opinion").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinct.color.bins import AB_BIN_COUNT, AB_SCALE
from tinct.errors import OptionError
from tinct.networks.graph import Graph, Release, pixel_axes
from tinct.networks.layers.blocks import (
    ConvNorm,
    PlaceAttention,
    ResidualBlock,
    smoothly_upsampled,
    upsampled,
    without_batch_norm,
)
from tinct.networks.layers.efficientnet_lite import (
    CHANNELS,
    HEAD,
    EfficientNetLite2,
    Levels,
    skip_blocks,
)
from tinct.networks.semantics.ports import OUTPUTS, PLACE
from tinct.tables import check_above_zero, check_range

PLACE_WEIGHTS = {"eighth": 5.0, "sixteenth": 15.0}
"""What a cosine of 1 of the features at 1/8 and at 1/16 adds to the score of a reference's patch. Chosen on held-out
photographs (docs/experiments.md, "What is alike")."""

STRIDE = 8
"""Pixels of the photograph to one of the branch's colors."""

_LIGHTNESS = 4
"""Values of lightness at each of these: the means of the quarters of its cell."""

HEAD_CHANNELS = 64
"""Channels of each head of the attention at 1/32."""


@dataclass(frozen=True)
class SemanticsConfig:
    """The numbers of the branch.

    Attributes:
        channels: at 1/32, 1/16 and 1/8.
        dropout: share of channels and of features of the whole photograph that training leaves out.
    Raises:
        OptionError: if a number is out of its range.
    """

    channels: tuple[int, int, int] = (256, 128, 64)
    dropout: float = 0.12

    def __post_init__(self) -> None:
        check_above_zero(self, "channels")
        check_range(self, 0, 1, "dropout")
        if self.channels[0] % HEAD_CHANNELS:
            raise OptionError(
                f"channels are {self.channels}; the first must be a multiple of {HEAD_CHANNELS}."
            )


class Answer(NamedTuple):
    """The branch's answer at 1/8.

    Attributes:
        ab: a* b* / 110, (B, 2, h, w).
        features: behind the distribution's last convolution `Branch.bins`, (B, C, h, w).
    """

    ab: Tensor
    features: Tensor


class Branch(nn.Module):
    """Features of the pretrained network to colors: from coarse to fine, with the whole photograph's content added."""

    def __init__(self, config: SemanticsConfig) -> None:
        super().__init__()
        c32, c16, c8 = config.channels
        _, _, p8, p16, p32 = CHANNELS
        self.side32 = ConvNorm(p32, c32, 1)
        self.about = nn.Sequential(
            nn.Linear(HEAD, c32), nn.ReLU(), nn.Dropout(config.dropout), nn.Linear(c32, c32)
        )
        self.context = nn.Sequential(PlaceAttention(c32, c32 // HEAD_CHANNELS), nn.Dropout(config.dropout))
        self.side16, self.up16 = ConvNorm(p16, c16, 1, relu=False), ConvNorm(c32, c16, 1, relu=False)
        self.side8, self.up8 = (
            ConvNorm(p8 + _LIGHTNESS, c8, 1, relu=False),
            ConvNorm(c16, c8, 1, relu=False),
        )
        self.mix16, self.mix8 = ResidualBlock(c16), ResidualBlock(c8)
        self.ab, self.bins = nn.Conv2d(c8, 2, 1), nn.Conv2d(c8, AB_BIN_COUNT, 1)
        self.drop = nn.Dropout2d(config.dropout)
        nn.init.zeros_(self.ab.weight)
        nn.init.zeros_(self.ab.bias)  # type: ignore[arg-type]

    def forward(self, levels: Levels, lightness: Tensor) -> Answer:
        """Colors of a photograph.

        Args:
            levels: of the pretrained network.
            lightness: (L* - 50) / 50, averaged to 1/4.
        """
        deep = self.side32(self.drop(levels.thirtysecond))
        deep = self.context(deep + self.about(levels.head.mean((2, 3)))[:, :, None, None])
        sixteenth = self.side16(self.drop(levels.sixteenth))
        sixteenth = self.mix16(F.relu(sixteenth + upsampled(self.up16(deep), sixteenth)))
        eighth = torch.cat([self.drop(levels.eighth), F.pixel_unshuffle(lightness, 2)], 1)
        eighth = self.side8(eighth)
        eighth = self.mix8(F.relu(eighth + smoothly_upsampled(self.up8(sixteenth), eighth)))
        return Answer(self.ab(eighth), eighth)


class Semantics(nn.Module):
    """The pretrained network and the branch on it.

    The pretrained network stays as it is unless `train_late` says otherwise.

    Attributes:
        frozen: runs the pretrained network in another way, as `tinct.training.frozen_backbone` does; None for
            PyTorch's.
        mean: of many photographs' averaged features, (352,), which their signatures leave out.
        spread: for each channel at 1/8 and at 1/16, mean and deviation over many photographs' places, (2, `PLACE`).
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, config: SemanticsConfig | None = None) -> None:
        super().__init__()
        self.late = False
        self.backbone = EfficientNetLite2().requires_grad_(False).eval()
        self.branch = Branch(config or SemanticsConfig())
        self.frozen: Callable[[Tensor, EfficientNetLite2], Levels] | None = None
        self.register_buffer("mean", torch.zeros(CHANNELS[-1]))
        self.register_buffer("spread", torch.stack([torch.zeros(PLACE), torch.ones(PLACE)]))

    def forward(self, lightness: Tensor) -> Answer:
        """Colors of lightness, L* (B, 1, H, W), 0..100, H and W multiples of 32."""
        shown = (lightness - 50) / 50
        answer: Answer = self.branch(self.levels(shown), F.avg_pool2d(shown, 4))
        return answer

    def train_late(self, skipped: float) -> None:
        """Let the pretrained network's stages below 1/8 be trained too; for `skipped` see `skip_blocks`."""
        self.late = True
        self.backbone.requires_grad_(True).train_early(False)
        skip_blocks(self.backbone, skipped)

    def levels(self, shown: Tensor) -> Levels:
        """The pretrained network's features of (L* - 50) / 50."""
        if self.frozen is not None:
            return self.frozen(shown, self.backbone)
        found: Levels = self.backbone(shown)
        return found

    def described(self, levels: Levels) -> Tensor:
        """What is at each place of 1/8, (B, `PLACE`, h, w): the features at two scales, of unit length, weighed."""
        parts = []
        for level, mean, deviation in zip(
            (levels.eighth, levels.sixteenth),
            *(each.split(CHANNELS[2:4]) for each in self.spread),
            strict=True,
        ):
            whitened = (level - mean[:, None, None]) / deviation[:, None, None]
            parts.append(F.normalize(smoothly_upsampled(whitened, levels.eighth), dim=1))
        weights = [PLACE_WEIGHTS[name] ** 0.5 for name in ("eighth", "sixteenth")]
        return torch.cat([weight * part for weight, part in zip(weights, parts, strict=True)], 1)

    def train(self, mode: bool = True) -> Semantics:
        """As every module's, but a pretrained network that is not trained stays in evaluation mode."""
        super().train(mode)
        if not self.late:
            self.backbone.eval()
        return self


def averaged(levels: Levels) -> Tensor:
    """The features at 1/32, averaged over their places and of unit length, (B, 352)."""
    return F.normalize(levels.thirtysecond.mean((2, 3)), dim=1)


class SemanticsGraph(nn.Module):
    """The released form: of L* (B, 1, H, W), 0..100, H and W multiples of 32, all that the branch knows at 1/8.

    Outputs, channels last: a* b* (B, h, w, 2); logarithms of the 313 bins' probabilities (B, h, w, 313); the
    photograph's signature (B, 352), of unit length; what is at each place (B, h, w, `PLACE`); and the pretrained
    network's features at 1/8, 1/16 and 1/32, for the encoder that shares that network.
    """

    def __init__(self, model: Semantics) -> None:
        super().__init__()
        self.model = model

    def forward(self, lightness: Tensor) -> tuple[Tensor, ...]:
        """The graph's outputs of its inputs; see the class."""
        shown = (lightness - 50) / 50
        levels = self.model.backbone(shown)
        answer = self.model.branch(levels, F.avg_pool2d(shown, 4))
        logits = self.model.branch.bins(answer.features).permute(0, 2, 3, 1)
        signature = F.normalize(averaged(levels) - self.model.mean, dim=1)
        ab = answer.ab.permute(0, 2, 3, 1) * AB_SCALE
        places = self.model.described(levels).permute(0, 2, 3, 1)
        shared = (levels.eighth, levels.sixteenth, levels.thirtysecond)
        last = (level.permute(0, 2, 3, 1) for level in shared)
        return ab, torch.log_softmax(logits, -1), signature, places, *last


def graphs(model: Semantics) -> Sequence[Graph]:
    """The one graph of the released file, whose weights are a pretrained network's and this project's."""
    graph = SemanticsGraph(without_batch_norm(model.cpu().float())).eval()
    example = (torch.rand(1, 1, 64, 96) * 100,)
    license_of_both = "Apache-2.0 AND MIT"
    return [Graph("", graph, example, {"lightness": pixel_axes()}, OUTPUTS, license_of_both, in_bytes=True)]


RELEASE = Release(SemanticsConfig, Semantics, graphs)
"""The form in which the trained network becomes a file."""
