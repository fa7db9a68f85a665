"""How the released network is trained: a batch of every kind of help, and what each part must answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from tinct.networks.tinct import (
    MAP_CHANNELS_PER_HEAD,
    Memory,
    Tinct,
    TinctConfig,
    hint_items,
    reference_items,
)
from tinct.training import losses, sampling
from tinct.training.sampling import Hints, Pool

ABSENT = -1e4  # score of a memory item that is not there


@dataclass(frozen=True)
class TinctRecipe:
    """The numbers of the training; shares are of photographs in a batch.

    Attributes:
        referenced: share that gets a reference; of these `reference_shares` are itself, related, unrelated.
        hinted: share of the others that gets hints; `hinted_too` of the referenced.
        most_hints: upper end of the log-uniform number of hints.
        recolored: share of the self-referenced whose hues are turned, so that the reference must be believed.
        delta: of the Huber loss, ab / 110.
    """

    referenced: float = 0.4
    reference_shares: tuple[float, float, float] = (0.45, 0.33, 0.22)
    hinted: float = 0.67
    hinted_too: float = 0.2
    most_hints: int = 512
    recolored: float = 0.25
    delta: float = 0.1
    huber: float = 10.0
    log_error: float = 0.25
    bins: float = 0.1
    match: float = 5.0
    scenes: float = 0.03
    objects: float = 0.06
    segments: float = 0.06
    old: bool = True


@dataclass
class Batch:
    """Photographs with their help; the first `referenced` of them have a reference."""

    index: Tensor
    lightness: Tensor
    ab: Tensor
    hints: Hints
    reference_lightness: Tensor
    reference_ab: Tensor
    mode: Tensor
    segments: Tensor | None

    @property
    def referenced(self) -> int:
        """How many have a reference."""
        return len(self.mode)


def draw_batch(pool: Pool, recipe: TinctRecipe, count: int, size: int) -> Batch:
    """A random batch of `count` photographs at `size` square."""
    index = pool.draw(count)
    view = sampling.random_view(pool.sizes[index])
    grid = view.grid(size)
    rgb, lightness, ab = sampling.photographs_at(pool, index, grid)
    segments = sampling.look_at_segments(pool, index, grid, size // 8)
    many = int(count * recipe.referenced)
    other, mode = sampling.choose_references(pool, index[:many], recipe.reference_shares)
    reference_grid = _reference_grid(pool, other, mode, view, size)
    _, reference_lightness, reference_ab = sampling.photographs_at(pool, other, reference_grid)
    turn = _hue_turns(mode, recipe.recolored)
    ab = torch.cat([_turned(ab[:many], turn), ab[many:]])
    reference_ab = _turned(reference_ab, turn)
    shown = sampling.old_lightness(rgb, lightness) if recipe.old else lightness
    return Batch(
        index,
        shown,
        ab,
        _draw_hints(ab, many, recipe),
        sampling.relit(reference_lightness),
        reference_ab,
        mode,
        segments,
    )


def memory_of(keys: Tensor, hints: Hints, references: tuple[Tensor, Tensor] | None, heads: int) -> Memory:
    """Hints, and reference items where given, as one memory."""
    items, colors = hint_items(keys, hints.place, heads), hints.ab
    place, bias = hints.place, (1 - hints.valid) * ABSENT
    is_hint = torch.ones_like(bias)
    if references is not None:
        more, ab = references
        none = torch.zeros_like(ab[..., 0])
        items, colors = torch.cat([items, more.to(items.dtype)], 1), torch.cat([colors, ab], 1)
        place = torch.cat([place, torch.zeros_like(ab)], 1)
        bias, is_hint = torch.cat([bias, none], 1), torch.cat([is_hint, none], 1)
    return Memory(items, colors, place, is_hint, bias)


def forward(model: Tinct, batch: Batch) -> tuple[Tensor, Tensor, Tensor, Tensor, Any]:
    """ab at 1/2, bin logits at 1/4, maps, and the deep features that the training-only heads read."""
    many, count, heads = batch.referenced, len(batch.index), model.config.heads
    shown = (torch.cat([batch.lightness, batch.reference_lightness]) - 50) / 50
    features, deep = model.encoder(shown.contiguous(memory_format=torch.channels_last))
    own = type(features)(*(part[:count] for part in features))
    maps = []
    if many:
        items = reference_items(features.keys[count:], batch.reference_ab, heads)
        few = _first_hints(batch.hints, slice(0, many), 32)
        maps.append(model.matcher(own.keys[:many], memory_of(own.keys[:many], few, items, heads)))
    if many < count:
        rest = _first_hints(batch.hints, slice(many, count), batch.hints.valid.shape[1])
        maps.append(model.matcher(own.keys[many:], memory_of(own.keys[many:], rest, None, heads)))
    joined = torch.cat(maps)
    ab, bins = model.decoder(own, joined, batch.hints.map)
    return ab, bins, joined, deep[:count], own


class TinctTraining:
    """What the loop asks of a network: build it, give its losses, validate it, draw a sheet."""

    name = "tinct"

    def __init__(self, recipe: TinctRecipe, network: TinctConfig, centers: Tensor, prior: Tensor) -> None:
        self.recipe, self.network = recipe, network
        self.centers, self.weights = centers, losses.color_weights(prior)

    def build(self) -> Tinct:
        """A fresh network."""
        return Tinct(self.network)

    def losses(self, model: Tinct, pool: Pool, count: int, size: int) -> dict[str, Tensor]:
        """Weighted losses of one random batch; the loop adds them up."""
        r = self.recipe
        with torch.no_grad(), torch.autocast(pool.weights.device.type, enabled=False):
            batch = draw_batch(pool, r, count, size)
            half = F.avg_pool2d(batch.ab, 2)
            quarter = F.avg_pool2d(half, 2)
            target = losses.soft_bins(quarter, self.centers)
        ab, bins, maps, deep, own = forward(model, batch)
        pooled = deep.mean((2, 3))
        return {
            "huber": r.huber * losses.huber_per_photo(ab, half, r.delta).mean(),
            "log": r.log_error * losses.log_error(ab, half).mean(),
            "bins": r.bins * losses.rebalanced_cross_entropy(bins, target, self.weights),
            "match": r.match * match_loss(maps, quarter, batch, model.config.heads),
            "scenes": r.scenes
            * losses.soft_label_loss(model.scene_head(pooled), _rows(pool.scenes, batch.index)),
            "objects": r.objects
            * losses.soft_label_loss(model.object_head(pooled), _rows(pool.objects, batch.index)),
            "segments": r.segments * losses.segment_loss(model.segment_head(own.eighth), batch.segments),
        }


def match_loss(maps: Tensor, truth: Tensor, batch: Batch, heads: int) -> Tensor:
    """Attended color against the truth where the memory must know it: under hints, and all over a self-reference."""
    parts = maps.float().reshape(len(maps), heads, MAP_CHANNELS_PER_HEAD, *maps.shape[-2:])
    attended = parts[:, :, 0:2] + parts[:, :, 3:5]
    known = F.avg_pool2d(batch.hints.map[:, 2:], 2)
    itself = (batch.mode == sampling.SELF).float()[:, None, None, None]
    known = torch.cat([torch.maximum(known[: batch.referenced], itself.expand_as(known[: batch.referenced])),
                       known[batch.referenced :]])  # fmt: skip
    error = F.huber_loss(attended, truth[:, None].expand_as(attended), delta=0.05, reduction="none").mean(
        (1, 2)
    )
    return (error * known[:, 0]).sum() / known.sum().clamp_min(1)


def own_prior(pool: Pool, centers: Tensor, photographs: int = 1024, size: int = 32) -> Tensor:
    """How often each bin's color occurs in the pool, smoothed as in Zhang 2016: (313,), sums to 1."""
    total = torch.zeros(len(centers), device=centers.device)
    for _ in range(max(1, photographs // 64)):
        index = pool.draw(64)
        grid = sampling.random_view(pool.sizes[index], 1.0).grid(size)
        total += losses.soft_bins(sampling.photographs_at(pool, index, grid)[2], centers).sum((0, 2, 3))
    return total / total.sum()


def predict_rgb(lightness: Tensor, ab: Tensor) -> NDArray[np.uint8]:
    """ab / 110 at any size under full lightness, as 8-bit RGB (B, H, W, 3)."""
    from tinct.training.lab import lab_to_rgb

    full = F.interpolate(ab.float(), size=lightness.shape[-2:], mode="bilinear", align_corners=False)
    rgb = lab_to_rgb(torch.cat([lightness, full * sampling.AB_SCALE], 1))
    out: NDArray[np.uint8] = (rgb * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    return out


def _rows(labels: Tensor | None, index: Tensor) -> Tensor | None:
    return None if labels is None else labels[index].float()


def _draw_hints(ab: Tensor, many: int, recipe: TinctRecipe) -> Hints:
    most = int(
        recipe.most_hints ** (0.5 + 0.5 * float(torch.rand(())))
    )  # cheap steps are many, costly ones few
    rest = len(ab) - many
    counts = torch.cat(
        [
            sampling.random_counts(many, recipe.hinted_too, min(32, most), ab.device),
            sampling.random_counts(rest, recipe.hinted, most, ab.device),
        ]
    )
    hints = sampling.random_hints(ab, counts, max(most, 32))
    noise = torch.randn_like(hints.ab) * (torch.rand(len(ab), 1, 1, device=ab.device) * 0.02)
    return Hints(hints.place, hints.ab + noise, hints.valid, hints.map)


def _first_hints(hints: Hints, rows: slice, most: int) -> Hints:
    return Hints(hints.place[rows, :most], hints.ab[rows, :most], hints.valid[rows, :most], hints.map[rows])


def _reference_grid(pool: Pool, other: Tensor, mode: Tensor, view: sampling.View, size: int) -> Tensor:
    own = sampling.View(*(part[: len(other)] for part in vars(view).values()))
    moved = sampling.moved_view(own).grid(size, sampling.random_bend(len(other), size, other.device))
    fresh = sampling.random_view(pool.sizes[other]).grid(size)
    return torch.where((mode == sampling.SELF)[:, None, None, None], moved, fresh)


def _hue_turns(mode: Tensor, share: float) -> Tensor:
    """Angles for the self-referenced, 0 for the rest."""
    chosen = (mode == sampling.SELF) & (torch.rand(len(mode), device=mode.device) < share)
    return torch.where(chosen, (torch.rand(len(mode), device=mode.device) * 2 - 1) * torch.pi, 0.0)


def _turned(ab: Tensor, angle: Tensor) -> Tensor:
    cos, sin = angle.cos()[:, None, None], angle.sin()[:, None, None]
    a, b = ab.unbind(1)
    return torch.stack([cos * a - sin * b, sin * a + cos * b], 1)
