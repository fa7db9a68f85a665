"""The released form of the network: its graphs, as the ONNX files hold them and as a GPU runs them.

Batch normalizations are folded into the convolutions before them. Arrays at the border have the units of the
package (L* 0..100, a* b* as they are) and channels last; scaling lies inside. The graphs together equal `Tinct`, but
for patches that blocks leave out, and are cut so that little runs again for a hint:

- the decoder's 3x3 convolution at each scale is linear, so the part that sees the photograph's features alone is done
  in `encode`, once per photograph;
- hints and references are attended to apart (`match` per hint, `recall` once per reference), each beside the
  null item, from whose share the attention over all together follows (`tinct.networks.tinct.memory.against_null`);
- of a reference that is cut finely, a block of places attends to the patches that `candidates` names alone
  (`tinct.networks.tinct.blocks`);
- the mean of the distribution is taken at 1/8, the distribution itself, at 1/4, only on demand.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinct.color.bins import AB_BIN_COUNT, AB_SCALE, TEMPERATURE
from tinct.methods.distribution import SURE_SPREAD
from tinct.networks.layers.blocks import ConvNorm, Joint, smoothly_upsampled, without_batch_norm
from tinct.networks.tinct.encoder import Seen
from tinct.networks.tinct.network import Tinct, TinctConfig
from tinct.networks.tinct.ports import PARTS


class EncodeGraph(nn.Module):
    """L* (B, 1, H, W), 0..100, H and W multiples of 32, to keys at 1/4 and the photograph's share of the decoder.

    An encoder that shares the semantic branch's pretrained network is also given what that saw: `Seen`, with channels
    last. Keys are (B, H/4, W/4, heads * key), each head's part of unit length; the shares, of the decoder's
    convolution of what is at each scale, (B, h, w, C) at 1/2, 1/4, 1/8 and 1/16.
    """

    def __init__(self, model: Tinct) -> None:
        super().__init__()
        self.encoder = model.encoder
        decoder = model.decoder
        c2, c4, c8, c16, _ = model.config.encoder
        self.share2 = _part(_here(decoder.at2), 0, c2, bias=True)
        self.share4 = _part(_here(decoder.at4), 0, c4, bias=True)
        self.share8 = _part(_here(decoder.at8), 0, c8, bias=True)
        self.share16 = _part(_here(decoder.at16), 0, c16, bias=True)
        self.same_head: Tensor
        self.register_buffer("same_head", _same_head(model.config))

    def forward(self, lightness: Tensor, *given: Tensor) -> tuple[Tensor, ...]:
        """The graph's outputs of its inputs; see the class."""
        seen = Seen(*(channels_first(level) for level in given)) if given else None
        keys, half, quarter, eighth, sixteenth = self.encoder.features((lightness - 50) / 50, seen)[0]
        # The squares' sum over each head as a convolution: no change of layout, where a reshape would cost two.
        length = F.conv2d(keys * keys, self.same_head).clamp_min(1e-8).rsqrt()
        shares = self.share2(half), self.share4(quarter), self.share8(eighth), self.share16(sixteenth)
        return tuple(channels_last(maps) for maps in (keys * length, *shares))


class AttendGraph(nn.Module):
    """Attention of places to items and to the null item, in the plain form that engines fuse.

    `match` and `recall` give (B, heads, h * w, 4): attended a and b (/ 110), the items' share of attention, and the
    null item's. Items: keys (B, M, heads * key), ab (B, M, 2) in units of CIE a* b*; a reference's have a bias
    (B, M), hints one for each place and a place of their own (B, M, 2).
    """

    def __init__(self, model: Tinct) -> None:
        super().__init__()
        self.matcher = model.matcher

    def items(self, item_keys: Tensor) -> Tensor:
        """Keys of the null item and of the items by head, times each head's temperature, (B, heads, key, 1 + M)."""
        null = self.matcher.null_key.reshape(1, 1, -1).expand_as(item_keys[:, :1])
        by_head = self.matcher.split(torch.cat([null, item_keys], 1))
        return by_head * self.matcher.log_temperature.exp()[:, None, None]


class MatchGraph(AttendGraph):
    """Attention to hints; the score of a hint falls with the distance from its place.

    The bias of hints is (B, h * w, M), or (B, 1, M) where all places have the same.
    """

    def forward(
        self, keys: Tensor, item_keys: Tensor, item_ab: Tensor, item_bias: Tensor, item_place: Tensor
    ) -> Tensor:
        """The graph's outputs of its inputs; see the class."""
        matcher, (batch, height, width, _) = self.matcher, keys.shape
        x, y = _centers(height, width, item_place)
        across, down = (x - item_place[:, None, :, 0]).square(), (y - item_place[:, None, :, 1]).square()
        squared = across[:, None] + down[:, :, None] + 1e-6
        distance = squared.sqrt().reshape(batch, 1, height * width, -1)
        reach = matcher.log_reach.exp()[:, None, None]
        bias = matcher.hint_bias[:, None, None] - reach * distance + item_bias[:, None]
        null = matcher.null_bias[None, :, None, None].expand(batch, -1, height * width, 1)
        query = keys.reshape(batch, height * width, matcher.heads, -1).transpose(1, 2)
        weights = torch.softmax(query @ self.items(item_keys) + torch.cat([null, bias], -1), -1)
        return weights @ _values(item_ab, matcher.heads).to(weights.dtype)


class ReferenceGraph(AttendGraph):
    """Attention to references, which have no place: by keys, and by what the semantic branch sees at both places.

    Its vectors are `places` at 1/8 (B, h / 2, w / 2, P) and `item_places` (B, M, P); their scalar products are added to
    the scores of both heads.
    """

    def __init__(self, model: Tinct) -> None:
        super().__init__(model)
        self.matcher = copy.deepcopy(model.matcher)
        del self.matcher.log_reach, self.matcher.hint_bias  # of hints alone: the file does not hold them

    def biased(self, item_keys: Tensor, item_bias: Tensor) -> Tensor:
        """Keys of the null item and of the items by head, and their bias behind: (B, heads, key + 1, 1 + M).

        Where the bias goes with the keys, none need be made for each place.
        """
        bias = item_bias[:, None].expand(-1, self.matcher.heads, -1)
        null = self.matcher.null_bias[None, :, None].expand_as(bias[..., :1])
        return torch.cat([self.items(item_keys), torch.cat([null, bias], 2)[:, :, None]], 2)

    @staticmethod
    def alike(places: Tensor, item_places: Tensor) -> Tensor:
        """What the branch adds to the scores of the null item, 0, and of the items, (B, h / 2 * w / 2, 1 + M)."""
        found = places.flatten(1, 2) @ item_places.transpose(1, 2)
        return torch.cat([torch.zeros_like(found[..., :1]), found], -1)


class CandidatesGraph(ReferenceGraph):
    """How much of the attention of each block of places each item has: (blocks, M), summed over places and heads.

    Keys are of places at 1/8, (blocks, h, w, heads * key), as are `places`; the items are the same for all blocks.
    """

    def forward(
        self, keys: Tensor, item_keys: Tensor, item_bias: Tensor, places: Tensor, item_places: Tensor
    ) -> Tensor:
        """The graph's outputs of its inputs; see the class."""
        heads, (blocks, height, width, _) = self.matcher.heads, keys.shape
        query = keys.reshape(blocks, height * width, heads, -1).transpose(1, 2)
        alike = self.alike(places, item_places)[:, None]
        weights = torch.softmax(_with_one(query) @ self.biased(item_keys, item_bias) + alike, -1)
        # A product with ones, as engines are slow at sums over such axes.
        return (torch.ones_like(query[..., :1]).transpose(2, 3) @ weights).sum((1, 2))[:, 1:]


class RecallGraph(ReferenceGraph):
    """Attention to references of all places at 1/4; see `AttendGraph` and `ReferenceGraph`."""

    def forward(
        self,
        keys: Tensor,
        item_keys: Tensor,
        item_ab: Tensor,
        item_bias: Tensor,
        places: Tensor,
        item_places: Tensor,
    ) -> Tensor:
        """The graph's outputs of its inputs; see the class."""
        heads, (batch, height, width, size) = self.matcher.heads, keys.shape
        # The four places at 1/4 of one at 1/8 ask apart: what the branch sees, the same for all, is not repeated.
        grid = (batch, height // 2, 2, width // 2, 2, heads, size // heads)
        query = keys.reshape(grid).permute(0, 5, 2, 4, 1, 3, 6).reshape(batch * heads, 4, -1, grid[-1])
        items = self.biased(item_keys, item_bias).flatten(0, 1)[:, None]
        alike = self.alike(places, item_places)[:, None].expand(-1, heads, -1, -1).flatten(0, 1)[:, None]
        weights = torch.softmax(_with_one(query) @ items + alike, -1)
        values = _values(item_ab, heads).to(weights.dtype).flatten(0, 1)[:, None]
        found = (weights @ values).reshape(batch, heads, 2, 2, height // 2, width // 2, 4)
        return found.permute(0, 1, 4, 2, 5, 3, 6).reshape(batch, heads, height * width, 4)


class DecoderGraph(nn.Module):
    """The decoder up to its features at 1/4, without the part that `EncodeGraph` has computed.

    Inputs: the shares of `EncodeGraph`, maps (B, heads * 6, H/4, W/4) and the hint map (B, 3, H/2, W/2), ab times
    coverage and coverage.
    """

    def __init__(self, model: Tinct) -> None:
        super().__init__()
        decoder, (_, c4, c8, c16, _) = model.decoder, model.config.encoder
        self.rest16, self.rest8 = _part(_here(decoder.at16), c16), _part(_here(decoder.at8), c8)
        self.rest4 = _part(_here(decoder.at4), c4)
        self.coarse8, self.coarse4 = decoder.at8.coarse, decoder.at4.coarse
        self.mix16, self.mix8, self.mix4 = decoder.mix16, decoder.mix8, decoder.mix4

    def at_quarter(
        self, quarter: Tensor, eighth: Tensor, sixteenth: Tensor, maps: Tensor, hint_map: Tensor
    ) -> Tensor:
        """Features at 1/4; channels first, as the maps inside are. The hint map's ab is divided by 110."""
        maps8, hint4 = F.avg_pool2d(maps, 2), F.avg_pool2d(hint_map, 2)
        maps16 = F.avg_pool2d(maps8, 2)
        mood = maps16.mean((2, 3), keepdim=True).expand_as(maps16)
        x = self.mix16(F.relu(sixteenth + self.rest16(torch.cat([maps16, mood], 1))))
        below = smoothly_upsampled(self.coarse8(x), eighth)
        x = self.mix8(F.relu(eighth + self.rest8(maps8) + below))
        below = smoothly_upsampled(self.coarse4(x), quarter)
        x = self.mix4(F.relu(quarter + self.rest4(torch.cat([maps, hint4], 1)) + below))
        return x


class DecodeGraph(DecoderGraph):
    """ab at 1/2 (B, H/2, W/2, 2); at 1/8 the distribution's annealed mean (…, 2) and its certainty (…, 1), 0..1.

    Inputs beside those of `DecoderGraph`: logarithms of the probabilities that a second opinion gives the bins
    (B, H/8, W/8, 313), and the share of that opinion (B, H/8, W/8, 1), 0..1. The logarithms of the two distributions
    are averaged with these weights, so that what both hold likely counts.

    Args:
        model: whose decoder this is.
        centers: of the bins, (313, 2); None where weights are loaded afterwards.
    """

    def __init__(self, model: Tinct, centers: Tensor | None = None) -> None:
        super().__init__(model)
        self.gate, self.ab, self.base = model.decoder.gate, model.decoder.ab, model.decoder.base
        self.rest2 = _part(_here(model.decoder.at2), model.config.encoder[0])
        self.coarse2 = model.decoder.at2.coarse
        self.bins = _bins(model)
        self.moments: Tensor
        given = torch.zeros(AB_BIN_COUNT, 2) if centers is None else centers
        self.register_buffer("moments", torch.cat([given, given.square().sum(1, keepdim=True)], 1))

    def forward(
        self,
        half: Tensor,
        quarter: Tensor,
        eighth: Tensor,
        sixteenth: Tensor,
        maps: Tensor,
        hint_map: Tensor,
        second: Tensor,
        second_share: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The graph's outputs of its inputs; see the class."""
        half, quarter, eighth, sixteenth = (channels_first(x) for x in (half, quarter, eighth, sixteenth))
        hint_map = _scaled(hint_map)
        x = self.at_quarter(quarter, eighth, sixteenth, maps, hint_map)
        base = self.base(maps, self.gate(x))
        eighth = F.avg_pool2d(x, 2)
        # The bins' scores lack the logarithm of their sum, which is the same for all bins of a place.
        own = self.bins(channels_last(eighth))
        sharp = torch.softmax((own + second_share * (second - own)) / TEMPERATURE, -1)
        moments = sharp @ self.moments
        annealed = moments[..., :2]
        variance = moments[..., 2:] - annealed.square().sum(-1, keepdim=True)
        certainty = 1 / (1 + variance.clamp_min(0) / SURE_SPREAD**2)
        x = F.relu(half + self.rest2(hint_map) + smoothly_upsampled(self.coarse2(x), half))
        return channels_last(self.ab(x) + smoothly_upsampled(base, x)) * AB_SCALE, annealed, certainty


class DistributionGraph(DecoderGraph):
    """The same inputs, but for the share at 1/2, to probabilities of the 313 bins at 1/4, (B, H/4, W/4, 313)."""

    def __init__(self, model: Tinct) -> None:
        super().__init__(model)
        self.bins = _bins(model)

    def forward(
        self,
        quarter: Tensor,
        eighth: Tensor,
        sixteenth: Tensor,
        maps: Tensor,
        hint_map: Tensor,
    ) -> Tensor:
        """The graph's outputs of its inputs; see the class."""
        quarter, eighth, sixteenth = (channels_first(x) for x in (quarter, eighth, sixteenth))
        x = self.at_quarter(quarter, eighth, sixteenth, maps, _scaled(hint_map))
        return torch.softmax(self.bins(channels_last(x)), -1)


def cut(model: Tinct, centers: Tensor | None = None) -> dict[str, nn.Module]:
    """The network as graphs in evaluation mode, by the names in `PARTS`."""
    model = without_batch_norm(model)
    graphs: tuple[nn.Module, ...] = (
        EncodeGraph(model),
        MatchGraph(model),
        CandidatesGraph(model),
        RecallGraph(model),
        DecodeGraph(model, centers),
        DistributionGraph(model),
    )
    return {part: graph.eval() for part, graph in zip(PARTS, graphs, strict=True)}


def channels_last(maps: Tensor) -> Tensor:
    """(B, C, h, w) to (B, h, w, C)."""
    return maps.permute(0, 2, 3, 1)


def channels_first(maps: Tensor) -> Tensor:
    """(B, h, w, C) to (B, C, h, w)."""
    return maps.permute(0, 3, 1, 2)


def _here(block: ConvNorm | Joint) -> nn.Conv2d:
    """The 3x3 convolution at one of the decoder's scales, with its batch normalization folded in."""
    conv = (block.here if isinstance(block, Joint) else block)[0]
    assert isinstance(conv, nn.Conv2d)
    return conv


def _part(conv: nn.Conv2d, first: int, last: int | None = None, *, bias: bool = False) -> nn.Conv2d:
    """The part of a convolution that sees some of its input channels; one of the parts has the bias."""
    weight = conv.weight[:, first:last].detach().clone()
    part = nn.Conv2d(weight.shape[1], weight.shape[0], 3, padding=1, bias=bias)
    part.weight = nn.Parameter(weight)
    if bias and conv.bias is not None:
        part.bias = nn.Parameter(conv.bias.detach().clone())
    return part


def _bins(model: Tinct) -> nn.Linear:
    """The decoder's 1x1 convolution to the bins as a linear layer, so that a softmax finds its values in a row."""
    conv = model.decoder.bins
    linear = nn.Linear(conv.in_channels, conv.out_channels)
    linear.weight = nn.Parameter(conv.weight[:, :, 0, 0].detach().clone())
    assert conv.bias is not None
    linear.bias = nn.Parameter(conv.bias.detach().clone())
    return linear


def _same_head(config: TinctConfig) -> Tensor:
    """1 where two of a key's channels are of the same head: (heads * key, heads * key, 1, 1)."""
    return torch.block_diag(*(torch.ones(config.key, config.key) for _ in range(config.heads)))[
        ..., None, None
    ]


def _with_one(query: Tensor) -> Tensor:
    """A query (..., key) with a 1 behind, which takes the bias of items (`ReferenceGraph.biased`)."""
    return torch.cat([query, torch.ones_like(query[..., :1])], -1)


def _values(item_ab: Tensor, heads: int) -> Tensor:
    """The attended values, (B, heads, 1 + M, 4): a, b (/ 110), 1 and 0 for an item; 0, 0, 0 and 1 for null."""
    ab = item_ab / AB_SCALE
    values = torch.cat([ab, torch.ones_like(ab[..., :1]), torch.zeros_like(ab[..., :1])], -1)
    null = torch.cat([torch.zeros_like(values[:, :1, :3]), torch.ones_like(values[:, :1, :1])], -1)
    return torch.cat([null, values], 1)[:, None].expand(-1, heads, -1, -1)


def _centers(height: int, width: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Centers of a map's columns (1, w, 1) and rows (1, h, 1), divided by its longer side.

    The longer side is computed by tensors: `max` of two sizes would be settled by the example that is traced.
    """
    x, y = (torch.arange(n, device=like.device, dtype=like.dtype) + 0.5 for n in (width, height))
    longer = torch.maximum(x[-1:], y[-1:]) + 0.5
    return (x / longer)[None, :, None], (y / longer)[None, :, None]


def _scaled(hint_map: Tensor) -> Tensor:
    return torch.cat([hint_map[:, :2] / AB_SCALE, hint_map[:, 2:]], 1)
