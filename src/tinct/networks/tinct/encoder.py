"""The encoder on a pretrained network: its scales from 1/2 to 1/32, joined from coarse to fine.

What each scale of the pyramid gets of the pretrained network passes a 1x1 convolution; what the whole photograph is
about comes from the network's last features, averaged, and so does the photograph's *signature*: the inner product of
two photographs' signatures is added to the score of every item of the one as a reference of the other, so that a
photograph of something else is believed less (He et al., Deep Exemplar-based Colorization, 2018, compare places alone).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinct.networks.layers.blocks import ConvNorm, PlaceAttention, ResidualBlock, upsampled
from tinct.networks.layers.efficientnet_lite import CHANNELS, HEAD, EfficientNetLite2, Levels
from tinct.networks.tinct.features import Features, TinctConfig, unit

LIGHTNESS = 4
"""Values of lightness at each place of 1/2."""

LOG_LENGTH = 0.8
"""Logarithm, at first, of a signature's length: photographs of the same score up to its exponential's square, 5."""


class PyramidEncoder(nn.Module):
    """Lightness to features; see `tinct.networks.tinct.network.Encoder`, whose place it takes."""

    def __init__(self, config: TinctConfig) -> None:
        super().__init__()
        c2, c4, c8, c16, c32 = config.encoder
        p2, p4, p8, p16, p32 = CHANNELS
        self.backbone = EfficientNetLite2()
        self.frozen: Callable[[Tensor, EfficientNetLite2], Levels] | None = None
        self.side2 = nn.Sequential(ConvNorm(p2 + LIGHTNESS, c2), ConvNorm(c2, c2))
        self.side4 = ConvNorm(p4, c4, 1, relu=False)
        self.side8 = ConvNorm(p8, c8, 1, relu=False)
        self.side16 = ConvNorm(p16, c16, 1, relu=False)
        self.side32 = ConvNorm(p32, c32, 1)
        self.about = nn.Sequential(nn.Linear(HEAD, c32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(c32, c32))
        self.context = nn.Sequential(PlaceAttention(c32, c32 // 64), nn.Dropout(0.1))
        self.up16, self.up8 = ConvNorm(c32, c16, 1, relu=False), ConvNorm(c16, c8, 1, relu=False)
        self.up4 = ConvNorm(c8, c4, 1, relu=False)
        self.mix16, self.mix8, self.mix4 = ResidualBlock(c16), ResidualBlock(c8), ResidualBlock(c4)
        size = config.heads * config.key
        self.key4, self.key8 = nn.Conv2d(c4, size, 1), nn.Conv2d(c8, size, 1)
        self.key16, self.key32 = nn.Conv2d(c16, size, 1), nn.Conv2d(c32, size, 1)
        self.signature = nn.Linear(HEAD, config.signature)
        self.signature_length = nn.Parameter(torch.tensor(LOG_LENGTH))
        self.heads = config.heads

    def forward(self, lightness: Tensor) -> tuple[Features, Tensor]:
        """Features of lightness (B, 1, H, W), (L* - 50) / 50, and the deepest features."""
        features, deep = self.features(lightness)
        return features._replace(keys=unit(features.keys, self.heads)), deep

    def features(self, lightness: Tensor) -> tuple[Features, Tensor]:
        """As `forward`, with keys of any length."""
        half, quarter, eighth, sixteenth, deep, head = self.levels(lightness)
        pooled = head.mean((2, 3))
        deep = self.side32(deep)
        deep = self.context(deep + self.about(pooled)[:, :, None, None])
        sixteenth = self.side16(sixteenth)
        sixteenth = self.mix16(F.relu(sixteenth + upsampled(self.up16(deep), sixteenth)))
        eighth = self.side8(eighth)
        eighth = self.mix8(F.relu(eighth + upsampled(self.up8(sixteenth), eighth)))
        quarter = self.side4(quarter)
        quarter = self.mix4(F.relu(quarter + upsampled(self.up4(eighth), quarter)))
        keys16 = self.key16(sixteenth) + upsampled(self.key32(deep), sixteenth)
        keys8 = self.key8(eighth) + upsampled(keys16, eighth)
        keys = self.key4(quarter) + upsampled(keys8, quarter)
        signature = F.normalize(self.signature(pooled), dim=1) * self.signature_length.exp()
        half = self.side2(torch.cat([half, F.pixel_unshuffle(lightness, 2)], 1))
        return Features(keys, half, quarter, eighth, sixteenth, signature), deep

    def levels(self, lightness: Tensor) -> Levels:
        """The levels of the pretrained network, or of `frozen` where that is set.

        In single precision on a CPU, where half of it makes depthwise gradients slow.
        """
        with torch.autocast(lightness.device.type, enabled=lightness.is_cuda):
            if self.frozen is not None:
                return self.frozen(lightness, self.backbone)
            found: Levels = self.backbone(lightness)
        return found


@torch.no_grad()
def start_signature(encoder: PyramidEncoder, lightness: Tensor) -> None:
    """Initialize signatures with the principal components of the backbone's last features of some photographs.

    The cosine of two photographs' deviations from the mean tells related from unrelated ones before any training.

    Args:
        lightness: (N, 1, H, W), (L* - 50) / 50; N is at least the signature's length.
    """
    pooled = torch.cat([encoder.levels(part).head.mean((2, 3)) for part in lightness.split(16)])
    mean = pooled.mean(0)
    components = torch.linalg.svd(pooled - mean, full_matrices=False).Vh[: len(encoder.signature.weight)]
    encoder.signature.weight.copy_(components)
    encoder.signature.bias.copy_(-components @ mean)
