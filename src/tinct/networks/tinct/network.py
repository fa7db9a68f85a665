"""The released network: automatic colorization, references and hints in one, in parts that editing runs apart.

`encode` reads lightness once per photograph. `match` lets every place of the photograph attend to a memory of colors:
each hint and each patch of each reference is an item with a key (what the place looks like) and a color; a learned
*null* item takes the attention of places that nothing fits. `decode` turns the features and the attended colors into
chroma; it and `match` are all that runs again when a hint is added.

Colors inside the network are CIE a*, b* divided by 110; lightness is (L* - 50) / 50.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinct.color.bins import AB_BIN_COUNT
from tinct.networks.layers.blocks import ConvNorm, Joint, ResidualBlock, smoothly_upsampled
from tinct.networks.tinct.encoder import Encoder, Seen, SharingEncoder
from tinct.networks.tinct.features import Features, TinctConfig, unit
from tinct.networks.tinct.ports import KEY_STRIDE, MAP_CHANNELS_PER_HEAD, REFERENCE_STRIDE


class Memory(NamedTuple):
    """The color memory, M items for each photograph of the batch; the first K of them are hints.

    Attributes:
        keys: (B, M, heads * key), each head's part of unit length.
        ab: (B, M, 2), a* b* / 110.
        place: (B, K, 2), of the hints, x and y divided by the longer side; a reference's patches have none.
        bias: (B, M), added to the score: log of a weight, or a large negative number for "not there".
    """

    keys: Tensor
    ab: Tensor
    place: Tensor
    bias: Tensor


class Matcher(nn.Module):
    """Attention from every place to the memory; see `Memory`."""

    def __init__(self, config: TinctConfig) -> None:
        super().__init__()
        heads = config.heads
        self.heads = heads
        self.log_temperature = nn.Parameter(torch.full((heads,), 2.5))
        self.log_reach = nn.Parameter(torch.linspace(1.0, 3.5, heads))  # score lost over one longer side
        self.hint_bias = nn.Parameter(torch.zeros(heads))
        self.null_key = nn.Parameter(torch.zeros(heads, config.key))
        self.null_bias = nn.Parameter(torch.zeros(heads))

    def forward(self, keys: Tensor, memory: Memory) -> Tensor:
        """Maps (B, heads * 6, h, w): for each head ab and share of attention from hints, then from references."""
        height, width = keys.shape[2:]
        query, null = self.query(keys)
        scores = query @ self.split(memory.keys) + memory.bias[:, None, None]
        hints = memory.place.shape[1]
        to_hints, to_references = scores.split([hints, scores.shape[-1] - hints], -1)
        to_hints = to_hints + self.nearness(memory.place, height, width)
        weights = torch.softmax(torch.cat([to_hints, to_references, null], -1), -1)
        return self.maps(weights @ self.values(memory).to(weights.dtype), height, width)

    def query(self, keys: Tensor) -> tuple[Tensor, Tensor]:
        """The query of each place, (B, heads, h * w, key), temperature included, and its score for the null item."""
        batch, size, height, width = keys.shape
        query = keys.reshape(batch, self.heads, size // self.heads, height * width).transpose(2, 3)
        query = query * self.log_temperature.exp()[:, None, None]
        null = (query * self.null_key[:, None]).sum(-1, keepdim=True) + self.null_bias[:, None, None]
        return query, null

    def split(self, keys: Tensor) -> Tensor:
        """Items' keys (B, M, heads * key) by head, (B, heads, key, M)."""
        batch, count, size = keys.shape
        return keys.reshape(batch, count, self.heads, size // self.heads).permute(0, 2, 3, 1)

    def maps(self, found: Tensor, height: int, width: int) -> Tensor:
        """The attended values of each place, (B, heads, h * w, 6), as maps (B, heads * 6, h, w)."""
        return found.transpose(2, 3).reshape(-1, self.heads * MAP_CHANNELS_PER_HEAD, height, width)

    def nearness(self, place: Tensor, height: int, width: int) -> Tensor:
        """The bias of each place's score for each hint, which falls with the distance: (B, heads, h * w, K)."""
        here = places(height, width, place)[None, :, None]
        across, down = (here[..., axis] - place[:, None, :, axis] for axis in (0, 1))
        distance = (across.square() + down.square() + 1e-6).sqrt()
        reach = self.log_reach.exp()[:, None, None]
        return self.hint_bias[:, None, None] - reach * distance[:, None]

    @staticmethod
    def values(memory: Memory) -> Tensor:
        """Colors of the memory's items, (B, 1, M + 1, 6).

        ab and 1 stand in the first three columns for hints, in the last three for references; the null item, which
        stands last, has none.
        """
        value = torch.cat([memory.ab, torch.ones_like(memory.bias)[..., None]], -1)
        hint = (torch.arange(value.shape[1], device=value.device) < memory.place.shape[1])[:, None]
        return F.pad(torch.cat([value * hint, value * ~hint], -1), (0, 0, 0, 1))[:, None]


class Decoder(nn.Module):
    """Features, attended colors and the hints themselves to chroma at 1/2 and a distribution at 1/4."""

    def __init__(self, config: TinctConfig) -> None:
        super().__init__()
        c2, c4, c8, c16, _ = config.encoder
        d2, d4, d8, d16 = config.decoder
        maps = config.heads * MAP_CHANNELS_PER_HEAD
        self.heads = config.heads
        self.at16, self.mix16 = ConvNorm(c16 + 2 * maps, d16), ResidualBlock(d16)
        self.at8, self.mix8 = Joint(d16, c8 + maps, d8), ResidualBlock(d8)
        self.at4, self.mix4 = Joint(d8, c4 + maps + 3, d4), ResidualBlock(d4)
        self.at2 = Joint(d4, c2 + 3, d2)
        self.gate = nn.Conv2d(d4, config.heads, 1)
        self.ab = nn.Conv2d(d2, 2, 3, padding=1)
        self.bins = nn.Conv2d(d4, AB_BIN_COUNT, 1)

    def forward(self, features: Features, maps: Tensor, hint_map: Tensor) -> tuple[Tensor, Tensor]:
        """ab at 1/2, in units of AB_SCALE, and scores of the bins at 1/4."""
        maps8, hint4 = F.avg_pool2d(maps, 2), F.avg_pool2d(hint_map, 2)
        maps16 = F.avg_pool2d(maps8, 2)
        mood = maps16.mean((2, 3), keepdim=True).expand_as(maps16)
        x = self.mix16(self.at16(torch.cat([features.sixteenth, maps16, mood], 1)))
        x = self.mix8(self.at8(x, torch.cat([features.eighth, maps8], 1)))
        x = self.mix4(self.at4(x, torch.cat([features.quarter, maps, hint4], 1)))
        bins, base = self.bins(x), self.base(maps, self.gate(x))
        x = self.at2(x, torch.cat([features.half, hint_map], 1))
        return self.ab(x) + smoothly_upsampled(base, x), bins

    def base(self, maps: Tensor, gate: Tensor) -> Tensor:
        """The heads' attended colors, mixed place by place: (B, 2, h, w)."""
        batch, _, height, width = maps.shape
        parts = maps.reshape(batch, self.heads, MAP_CHANNELS_PER_HEAD, height, width)
        attended = parts[:, :, 0:2] + parts[:, :, 3:5]
        return (attended * torch.softmax(gate, 1)[:, :, None]).sum(1)


class Tinct(nn.Module):
    """The three parts, and the heads that only training uses."""

    def __init__(self, config: TinctConfig | None = None) -> None:
        super().__init__()
        config = config or TinctConfig()
        self.config = config
        self.encoder = SharingEncoder(config) if config.backbone else Encoder(config)
        self.matcher, self.decoder = Matcher(config), Decoder(config)
        deep = config.encoder[4]
        self.scene_head = nn.Linear(deep, config.scenes)
        self.object_head = nn.Linear(deep, config.objects)
        self.segment_head = nn.Conv2d(config.encoder[2], config.segments, 1)

    def encode(self, lightness: Tensor, seen: Seen | None = None) -> Features:
        """Read a photograph.

        Args:
            lightness: (B, 1, H, W), (L* - 50) / 50; H and W multiples of 32.
            seen: what a pretrained network saw in it; see `SharingEncoder`.
        """
        features: Features = self.encoder(lightness, seen)[0]
        return features

    def match(self, keys: Tensor, memory: Memory) -> Tensor:
        """Attend to the memory: maps (B, heads * 6, H/4, W/4)."""
        maps: Tensor = self.matcher(keys, memory)
        return maps

    def decode(self, features: Features, maps: Tensor, hint_map: Tensor) -> tuple[Tensor, Tensor]:
        """Predict chroma.

        Args:
            features: from `encode`.
            maps: from `match`.
            hint_map: (B, 3, H/2, W/2): hinted ab / 110 times coverage, and coverage 0..1.
        Returns:
            ab / 110 at 1/2, (B, 2, H/2, W/2), and logits over the 313 bins at 1/4, (B, 313, H/4, W/4).
        """
        ab, bins = self.decoder(features, maps, hint_map)
        return ab, bins


def places(height: int, width: int, like: Tensor) -> Tensor:
    """Centers of a map's cells as x, y divided by the longer side: (h * w, 2)."""
    longer = max(height, width)
    y = (torch.arange(height, device=like.device, dtype=like.dtype) + 0.5) / longer
    x = (torch.arange(width, device=like.device, dtype=like.dtype) + 0.5) / longer
    grid_y, grid_x = torch.meshgrid(y, x, indexing="ij")
    return torch.stack([grid_x, grid_y], -1).reshape(height * width, 2)


def reference_items(keys: Tensor, ab: Tensor, heads: int) -> tuple[Tensor, Tensor]:
    """A reference as memory: its keys at 1/8 (B, M, heads * key) and ab / 110 averaged there (B, M, 2).

    Args:
        keys: from `encode` of the reference's lightness, at 1/4.
        ab: (B, 2, H, W), a* b* / 110, at full working size.
    """
    pooled = unit(F.avg_pool2d(keys, REFERENCE_STRIDE // KEY_STRIDE), heads)
    colors = F.avg_pool2d(ab, REFERENCE_STRIDE)
    return pooled.flatten(2).transpose(1, 2), colors.flatten(2).transpose(1, 2)


def hint_items(keys: Tensor, place: Tensor, heads: int) -> Tensor:
    """Keys of hints: the photograph's own keys at their places, (B, M, heads * key).

    Args:
        keys: from `encode`, (B, heads * key, h, w).
        place: (B, M, 2), x and y divided by the longer side.
    """
    height, width = keys.shape[-2:]
    longer = max(height, width)
    scale = place.new_tensor([longer / width, longer / height])
    grid = (place * scale * 2 - 1)[:, None].to(keys.dtype)
    found = F.grid_sample(keys, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return unit(found, heads)[:, :, 0].transpose(1, 2)
