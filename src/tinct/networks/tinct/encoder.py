"""The encoders of the network: one of its own, and one that shares the semantic branch's pretrained network.

The released network has the second: its own layers see the photograph down to 1/4, which edges, hints and matching
need, and below that they join what EfficientNet-Lite2 saw for the semantic branch, which runs for each photograph
anyway. The first, of residual blocks down to 1/32, is what the second was taught by
(`tinct.networks.tinct.training.mimicry`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinct.networks.layers.blocks import (
    ConvNorm,
    GlobalContext,
    PlaceAttention,
    ResidualBlock,
    smoothly_upsampled,
    stage,
    upsampled,
)
from tinct.networks.layers.efficientnet_lite import CHANNELS
from tinct.networks.tinct.features import Features, TinctConfig, unit

OWN_BLOCKS = 1
"""Residual blocks at 1/8 and at 1/16 of the encoder that shares a pretrained network."""


SPREADS = (7.0, 7.0, 3.5)
"""What the pretrained network's channels at 1/8, 1/16 and 1/32 are divided by: about their standard deviations."""


class Seen(NamedTuple):
    """The pretrained network's features of a photograph at its 1/8, 1/16 and 1/32.

    Each is (B, C, h, w) of a grid over the photograph that need not be the encoder's: the semantic branch looks at
    photographs of any size at the size that it knows.
    """

    eighth: Tensor
    sixteenth: Tensor
    thirtysecond: Tensor


class Encoder(nn.Module):
    """Lightness to features: a residual pyramid down to 1/32 and back up to 1/4, keys fused from three scales."""

    def __init__(self, config: TinctConfig) -> None:
        super().__init__()
        c2, c4, c8, c16, c32 = config.encoder
        n2, n4, n8, n16, n32 = self.blocks(config)
        self.stem = nn.Sequential(ConvNorm(1, c2, 5, 2), *(ResidualBlock(c2) for _ in range(n2)))
        self.down4, self.down8 = stage(c2, c4, n4), stage(c4, c8, n8)
        self.down16 = stage(c8, c16, n16)
        self.make_deepest(c16, c32, n32)
        self.context = nn.Sequential(PlaceAttention(c32, c32 // 64), GlobalContext(c32), nn.Dropout(0.1))
        self.up16 = nn.Sequential(ConvNorm(c32, c16, 1), nn.Dropout(0.1))
        self.up8, self.up4 = ConvNorm(c16, c8, 1), ConvNorm(c8, c4, 1)
        self.mix16, self.mix8, self.mix4 = ResidualBlock(c16), ResidualBlock(c8), ResidualBlock(c4)
        size = config.heads * config.key
        self.key4 = nn.Conv2d(c4, size, 3, padding=1)
        self.key8, self.key16 = nn.Conv2d(c8, size, 1), nn.Conv2d(c16, size, 1)
        self.heads = config.heads

    def blocks(self, config: TinctConfig) -> tuple[int, int, int, int, int]:
        """Residual blocks at each scale."""
        return config.blocks

    def make_deepest(self, sixteenth: int, deepest: int, blocks: int) -> None:
        """Make the layers at 1/32 behind so many channels at 1/16."""
        self.down32 = stage(sixteenth, deepest, blocks)

    def forward(self, lightness: Tensor, seen: Seen | None = None) -> tuple[Features, Tensor]:
        """Features of lightness (B, 1, H, W), (L* - 50) / 50, and the deepest features.

        Args:
            seen: what a pretrained network saw in it, for the encoder that shares one.
        """
        features, deep = self.features(lightness, seen)
        return features._replace(keys=unit(features.keys, self.heads)), deep

    def features(self, lightness: Tensor, seen: Seen | None = None) -> tuple[Features, Tensor]:
        """As `forward`, with keys of any length."""
        half = self.stem(lightness)
        quarter = self.down4(half)
        eighth, sixteenth, deep = self.below(quarter, seen)
        deep = self.context(deep)
        sixteenth = self.mix16(sixteenth + upsampled(self.up16(deep), sixteenth))
        eighth = self.mix8(eighth + upsampled(self.up8(sixteenth), eighth))
        quarter = self.mix4(quarter + upsampled(self.up4(eighth), quarter))
        keys = (
            self.key4(quarter)
            + upsampled(self.key8(eighth), quarter)
            + upsampled(self.key16(sixteenth), quarter)
        )
        return Features(keys, half, quarter, eighth, sixteenth), deep

    def below(self, quarter: Tensor, seen: Seen | None) -> tuple[Tensor, Tensor, Tensor]:
        """Features at 1/8, 1/16 and 1/32 of those at 1/4, on the way down."""
        eighth = self.down8(quarter)
        sixteenth = self.down16(eighth)
        return eighth, sixteenth, self.down32(sixteenth)


class SharingEncoder(Encoder):
    """Lightness, and what the semantic branch's pretrained network saw in it, to features.

    Attributes:
        look: gives what that network sees in lightness (B, 1, H, W), (L* - 50) / 50, where `forward` is not told; set
            by the training.
    """

    def __init__(self, config: TinctConfig) -> None:
        super().__init__(config)
        _, _, c8, c16, c32 = config.encoder
        _, _, p8, p16, p32 = CHANNELS
        self.side8, self.side16 = nn.Conv2d(p8, c8, 1), nn.Conv2d(p8 + p16, c16, 1)
        self.side32 = nn.Conv2d(p16 + p32, c32, 1)
        self.look: Callable[[Tensor], Seen] | None = None

    def blocks(self, config: TinctConfig) -> tuple[int, int, int, int, int]:
        """Residual blocks at each scale."""
        n2, n4 = config.blocks[:2]
        return n2, n4, OWN_BLOCKS, OWN_BLOCKS, 0

    def make_deepest(self, sixteenth: int, deepest: int, blocks: int) -> None:
        """Make nothing: what is at 1/32 comes from the pretrained network."""

    def features(self, lightness: Tensor, seen: Seen | None = None) -> tuple[Features, Tensor]:
        """As `forward`, with keys of any length."""
        if seen is None:
            assert self.look is not None, "nobody looks for this encoder"
            seen = self.look(lightness)
        return super().features(lightness, seen)

    def below(self, quarter: Tensor, seen: Seen | None) -> tuple[Tensor, Tensor, Tensor]:
        """Features at 1/8, 1/16 and 1/32: those of the layers here and those of the pretrained network, added."""
        assert seen is not None
        seen = in_deviations(seen)
        eighth = self.down8(quarter)
        eighth = F.relu(eighth + smoothly_upsampled(self.side8(seen.eighth), eighth))
        sixteenth = self.down16(eighth)
        sixteenth = F.relu(sixteenth + smoothly_upsampled(self.side16(beside16(seen)), sixteenth))
        coarse = F.avg_pool2d(sixteenth[:, :1], 2)
        return eighth, sixteenth, F.relu(smoothly_upsampled(self.side32(beside32(seen)), coarse))


def in_deviations(seen: Seen) -> Seen:
    """The features divided by `SPREADS`."""
    return Seen(*(level / spread for level, spread in zip(seen, SPREADS, strict=True)))


def beside16(seen: Seen) -> Tensor:
    """What `SharingEncoder.side16` is given: the features at 1/16, and those at 1/8 averaged to that."""
    return torch.cat([F.avg_pool2d(seen.eighth, 2), seen.sixteenth], 1)


def beside32(seen: Seen) -> Tensor:
    """What `SharingEncoder.side32` is given: the features at 1/32, and those at 1/16 averaged to that."""
    return torch.cat([F.avg_pool2d(seen.sixteenth, 2), seen.thirtysecond], 1)
