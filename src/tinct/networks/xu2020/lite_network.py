"""A lighter Xu 2020, as a course report of 2021 built it: AdaIN only between encoder and decoder, batch normalization.

The report (Noorzad, Rokni Lamoki, Elahi: Exemplar Colorization) keeps VGG-19 to conv4_1 with average pooling and the
colorization sub-net, and simplifies the decoder: units of 3x3 convolution, batch normalization and ReLU, in four
slices, each of which takes the enlarged features from below and the encoder's convolution feature of that size.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tinct.errors import OptionError, ShapeError
from tinct.networks.layers.blocks import ConvNorm, upsampled
from tinct.networks.layers.vgg19 import VGG19, scaled
from tinct.networks.xu2020.feature_statistics_torch import adain
from tinct.networks.xu2020.network import Following, Xu2020, Xu2020Config
from tinct.networks.xu2020.places import LITE_PROBABILITY
from tinct.networks.xu2020.transfer_network import EVERYWHERE, padded

SKIPS = ("conv1_2", "conv2_2", "conv3_4")
"""Layers of the encoder whose features the decoder takes."""


class LiteDecoder(nn.Module):
    """Four slices; channels as the encoder's, backwards. The last convolution gives sRGB and stands alone."""

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        c1, c2, c3, c4 = (scaled(channels, width) for channels in (64, 128, 256, 512))
        self.slice4 = ConvNorm(c4, c3)
        self.slice3 = nn.Sequential(
            ConvNorm(2 * c3, c3), ConvNorm(c3, c3), ConvNorm(c3, c3), ConvNorm(c3, c2)
        )
        self.slice2 = nn.Sequential(ConvNorm(2 * c2, c2), ConvNorm(c2, c1))
        self.slice1 = nn.Sequential(ConvNorm(2 * c1, c1), nn.Conv2d(c1, 3, 3, padding=1))

    def forward(self, deepest: Tensor, skips: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """sRGB, not clipped, of conv4_1 and of conv1_2, conv2_2, conv3_4."""
        x: Tensor = self.slice4(deepest)
        for part, skip in zip((self.slice3, self.slice2, self.slice1), reversed(skips), strict=True):
            x = part(torch.cat([upsampled(x, skip), skip], 1))
        return x


class LiteTransfer(nn.Module):
    """Encoder, AdaIN, decoder."""

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        self.encoder, self.decoder = VGG19(width), LiteDecoder(width)

    def forward(self, content: Tensor, style: Tensor | None = None) -> Tensor:
        """The photograph with the style's look; without a style, its reconstruction.

        Args:
            content, style: sRGB, (B, 3, ., .), 0..1, any sizes from 16 x 16.
        Returns:
            sRGB, (B, 3, H, W), not clipped.
        Raises:
            ShapeError: if one is smaller, or contents and styles are not equally many.
        """
        height, width = content.shape[-2:]
        found = self.encoder.features(padded(content), (*SKIPS, "conv4_1"))
        deepest = found["conv4_1"]
        if style is not None:
            if len(style) != len(content):
                raise ShapeError(f"{len(content)} photographs have {len(style)} styles; give each its own.")
            deepest = adain(deepest, self.encoder.features(padded(style), ("conv4_1",))["conv4_1"])
        rgb: Tensor = self.decoder(deepest, tuple(found[name] for name in SKIPS))
        return rgb[..., :height, :width]


class Xu2020Lite(Xu2020):
    """The lighter transfer sub-net and the same colorization sub-net, shown 1 % of T_ab."""

    following = Following(probability=LITE_PROBABILITY)

    def __init__(self, config: Xu2020Config | None = None) -> None:
        super().__init__(config)
        self.transfer = LiteTransfer(self.config.transfer)

    def stylize(
        self, content: Tensor, style: Tensor, labels: tuple[Tensor, Tensor] | None, following: Following
    ) -> Tensor:
        """sRGB of the transfer sub-net, not clipped.

        Raises:
            OptionError: if it is asked for what only the whole network can: labels, WCT, other places.
        """
        if labels is not None or following.match != "adain" or following.places != EVERYWHERE:
            raise OptionError(
                "xu2020-lite matches by AdaIN at one place; for labels, wct or places use xu2020."
            )
        found: Tensor = self.transfer(content, style)
        return found
