"""The transfer sub-net of Xu et al., Stylization-Based Architecture for Fast Deep Exemplar Colorization, CVPR 2020.

One pass through a VGG-19 encoder and a symmetrical decoder. The features of the photograph take on the statistics
of the reference's features at the same place: after each encoder level, on the pooled skips, and in the decoder.
With a photograph in color it is photorealistic stylization; with a pre-colored one it gives a coarse chroma map.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinct.errors import OptionError, ShapeError
from tinct.networks.layers.blocks import upsampled
from tinct.networks.layers.vgg19 import VGG19, scaled
from tinct.networks.xu2020.feature_statistics_torch import Match, matching
from tinct.networks.xu2020.places import (
    DECODER_ONLY,
    ENCODER_ONLY,
    EVERYWHERE,
    LEVELS,
    MULTIPLE,
    NOWHERE,
    SMALLEST,
    Places,
)

__all__ = [
    "DECODER_ONLY",
    "ENCODER_ONLY",
    "EVERYWHERE",
    "LEVELS",
    "NOWHERE",
    "Encoded",
    "Guide",
    "Places",
    "TransferDecoder",
    "Xu2020Transfer",
    "padded",
]

BETWEEN = {1: ("conv1_2",), 2: ("conv2_2",), 3: ("conv3_2", "conv3_3", "conv3_4")}
"""Layers of a level after its conv{i}_1; the last of them is its skip, and is pooled."""


SLOPE = 0.2
"""Of the decoder's leaky ReLU below zero."""


class Encoded(NamedTuple):
    """What the encoder makes of a photograph.

    Attributes:
        deepest: conv4_1, at 1/8.
        levels: conv1_1, conv2_1, conv3_1, conv4_1 as the next layer sees them.
        pooled: of levels 1 to 3, at 1/2, 1/4 and 1/8.
        before: the features before each pooling (conv1_2, conv2_2, conv3_4), at 1, 1/2 and 1/4.
    """

    deepest: Tensor
    levels: tuple[Tensor, ...]
    pooled: tuple[Tensor, ...]
    before: tuple[Tensor, ...]


class Guide(NamedTuple):
    """The reference and how to follow it.

    Attributes:
        encoded: what the encoder makes of the reference.
        decoded: the decoder's features of it, by level.
        match: (content, style) -> content with the style's statistics.
        places: where.
        alpha: 0 leaves features as they are, 1 matches them fully.
    """

    encoded: Encoded
    decoded: dict[int, Tensor]
    match: Match
    places: Places = EVERYWHERE
    alpha: float = 1.0

    def applied(self, content: Tensor, style: Tensor) -> Tensor:
        """Content features with the style's statistics, in single precision, for means of many squares need it."""
        with torch.autocast(content.device.type, enabled=False):
            own = content.float()
            matched = self.match(own, style.float())
            return (matched if self.alpha == 1 else own.lerp(matched, self.alpha)).to(content.dtype)


class TransferDecoder(nn.Module):
    """The encoder mirrored: nearest-neighbor enlargement, 3x3 convolutions with reflection padding and leaky ReLU.

    At each scale the decoder's features are joined by the pooled skip, enlarged, and by the features before that
    pooling. Units of ReLU died in it, all of level 3 among them; leaky units cannot.
    """

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        c1, c2, c3, c4 = (scaled(channels, width) for channels in (64, 128, 256, 512))
        self.conv4_1 = _conv(c4, c3)
        self.conv3_4, self.conv3_3, self.conv3_2 = _conv(3 * c3, c3), _conv(c3, c3), _conv(c3, c3)
        self.conv3_1 = _conv(c3, c2)
        self.conv2_2, self.conv2_1 = _conv(3 * c2, c2), _conv(c2, c1)
        self.conv1_2, self.conv1_1 = _conv(3 * c1, c1), _conv(c1, 3)

    def forward(self, encoded: Encoded, guide: Guide | None = None) -> tuple[Tensor, dict[int, Tensor]]:
        """sRGB as it comes, unclipped (B, 3, H, W), and the features of levels 3, 2, 1."""
        x, found = activated(self.conv4_1(encoded.deepest)), {}
        between = {3: (self.conv3_4, self.conv3_3, self.conv3_2), 2: (self.conv2_2,), 1: (self.conv1_2,)}
        last = {3: self.conv3_1, 2: self.conv2_1, 1: self.conv1_1}
        for level in reversed(LEVELS):
            skip = encoded.before[level - 1]
            x = torch.cat([upsampled(x, skip), upsampled(encoded.pooled[level - 1], skip), skip], 1)
            for conv in between[level]:
                x = activated(conv(x))
            if guide is not None and level in guide.places.decoder:
                x = guide.applied(x, guide.decoded[level])
            found[level] = x
            x = last[level](x) if level == 1 else activated(last[level](x))
        return x, found


class Xu2020Transfer(nn.Module):
    """Encoder and decoder.

    Args:
        width: multiplies channels; 1.0 is the paper's, and what VGG-19's published weights fit.
    """

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        self.encoder, self.decoder = VGG19(width), TransferDecoder(width)

    def forward(
        self,
        content: Tensor,
        style: Tensor | None = None,
        labels: tuple[Tensor, Tensor] | None = None,
        *,
        match: str = "adain",
        places: Places = EVERYWHERE,
        alpha: float = 1.0,
    ) -> Tensor:
        """The photograph with the style's look; without a style, its reconstruction.

        Args:
            content: sRGB, (B, 3, H, W), 0..1, any size from 16 x 16.
            style: the same of the references, at any size of their own.
            labels: integers (B, H, W) of content and style, at any size, to take statistics per label.
            match: "adain" or "wct".
            places: where features are matched.
            alpha: how far, 0..1.
        Returns:
            sRGB, (B, 3, H, W), not clipped.
        Raises:
            ShapeError: if a photograph is smaller than 16 x 16, or contents and styles are not equally many.
            OptionError: if `match` is another, or alpha outside 0..1.
        """
        if not 0 <= alpha <= 1:
            raise OptionError(f"alpha is {alpha}; it must be 0 (its own statistics) to 1 (fully matched).")
        height, width = content.shape[-2:]
        whole = padded(content)
        if style is None:
            return self.decoder(self.encode(whole))[0][..., :height, :width]
        if len(style) != len(content):
            raise ShapeError(f"{len(content)} photographs have {len(style)} styles; give each its own.")
        if labels is not None:
            labels = _extended(labels[0], content, whole), _extended(labels[1], style, padded(style))
        guide = self.guide(padded(style), matching(match, *(labels or ())), places, alpha)
        return self.decoder(self.encode(whole, guide), guide)[0][..., :height, :width]

    def guide(self, style: Tensor, match: Match, places: Places = EVERYWHERE, alpha: float = 1.0) -> Guide:
        """Read a reference (B, 3, H, W), sides multiples of 8, once for any number of photographs."""
        encoded = self.encode(style)
        return Guide(encoded, self.decoder(encoded)[1] if places.decoder else {}, match, places, alpha)

    def encode(self, rgb: Tensor, guide: Guide | None = None) -> Encoded:
        """Features of sRGB (B, 3, H, W), sides multiples of 8; matched to the guide's at its places."""
        x = self._entered(1, self.encoder.run(self.encoder.conv0(rgb), ("conv1_1",)), guide)
        levels, pooled, before = [x], [], []
        for level in LEVELS:
            before.append(self.encoder.run(x, BETWEEN[level]))
            down = F.avg_pool2d(before[-1], 2)
            x = self._entered(level + 1, self.encoder.run(down, (f"conv{level + 1}_1",)), guide)
            if guide is not None and level in guide.places.skips:
                down = guide.applied(down, guide.encoded.pooled[level - 1])
            pooled.append(down)
            levels.append(x)
        return Encoded(x, tuple(levels), tuple(pooled), tuple(before))

    def _entered(self, level: int, features: Tensor, guide: Guide | None) -> Tensor:
        if guide is None or level not in guide.places.encoder:
            return features
        return guide.applied(features, guide.encoded.levels[level - 1])


def activated(features: Tensor) -> Tensor:
    """The decoder's leaky ReLU."""
    return F.leaky_relu(features, SLOPE)


def _conv(inputs: int, outputs: int) -> nn.Conv2d:
    conv = nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="reflect")
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    nn.init.zeros_(conv.bias)  # type: ignore[arg-type]
    return conv


def padded(rgb: Tensor) -> Tensor:
    """Sides brought to multiples of 8 by repeating the last row and column."""
    height, width = rgb.shape[-2:]
    if min(height, width) < SMALLEST:
        raise ShapeError(
            f"a photograph is {height}x{width}; at least {SMALLEST}x{SMALLEST} is wanted, enlarge it."
        )
    return F.pad(rgb, (0, -width % MULTIPLE, 0, -height % MULTIPLE), mode="replicate")


def _extended(labels: Tensor, rgb: Tensor, whole: Tensor) -> Tensor:
    """Labels (B, H, W) brought to the photograph's size and padded as it was, so that they still lie on it."""
    small = F.interpolate(labels[:, None].double(), size=rgb.shape[-2:], mode="nearest-exact")
    more = whole.shape[-1] - rgb.shape[-1], whole.shape[-2] - rgb.shape[-2]
    return F.pad(small, (0, more[0], 0, more[1]), mode="replicate")[:, 0].to(labels.dtype)
