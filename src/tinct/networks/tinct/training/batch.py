"""A batch of photographs with every kind of help, and the network's answer to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from tinct.networks.tinct.network import Features, Memory, Tinct, hint_items, reference_items
from tinct.networks.tinct.training.recipe import TinctRecipe
from tinct.training import views
from tinct.training.hints import Hints, random_counts, random_hints
from tinct.training.lightness import old_lightness, relit
from tinct.training.pool import RELATED, SELF, Pool, choose_references

ABSENT = -1e4
"""Score of a memory item that is not there."""

HINTS_BESIDE_REFERENCE = 32
"""Most hints of a photograph that has a reference as well."""


@dataclass
class Batch:
    """Photographs with their help; the first `referenced` of them have a reference.

    Attributes:
        index: (B,), in the pool.
        lightness: L* as given to the network, (B, 1, size, size), 0..100.
        ab: the truth, (B, 2, size, size), a* b* / 110.
        hints: for all of them, some without any.
        reference_lightness, reference_ab: of the references, (R, 1, size, size) and (R, 2, size, size).
        kind: (R,), SELF, RELATED or UNRELATED.
        segments: classes at 1/8, (B, size / 8, size / 8), or None.
    """

    index: Tensor
    lightness: Tensor
    ab: Tensor
    hints: Hints
    reference_lightness: Tensor
    reference_ab: Tensor
    kind: Tensor
    segments: Tensor | None

    @property
    def referenced(self) -> int:
        """How many have a reference."""
        return len(self.kind)

    def has(self, *kinds: int) -> Tensor:
        """Which photographs have a reference of these kinds, (B,)."""
        found = torch.zeros(len(self.index), dtype=torch.bool, device=self.kind.device)
        found[: self.referenced] = torch.isin(self.kind, self.kind.new_tensor(kinds))
        return found


class Answer(NamedTuple):
    """The network's outputs for a batch.

    Attributes:
        ab: a* b* / 110 at 1/2, (B, 2, h, w).
        bins: logits over the 313 bins at 1/4.
        maps: of attended colors, at 1/4.
        features: of the photographs.
        reference_keys: of the references.
        deep: the encoder's deepest features, which the training-only heads read, at 1/32.
    """

    ab: Tensor
    bins: Tensor
    maps: Tensor
    features: Features
    reference_keys: Tensor
    deep: Tensor


def draw_batch(pool: Pool, recipe: TinctRecipe, count: int, size: int) -> Batch:
    """A random batch of `count` photographs at `size` square."""
    index = pool.draw(count)
    view = views.random_view(pool.sizes[index])
    grid = view.grid(size)
    rgb, lightness, ab = views.photographs_at(pool, index, grid)
    segments = views.look_at_segments(pool, index, grid, size // 8)
    many = int(count * recipe.referenced)
    other, kind = choose_references(pool, index[:many], recipe.reference_shares)
    reference_grid = _reference_grid(pool, other, kind, view, size)
    _, reference_lightness, reference_ab = views.photographs_at(pool, other, reference_grid)
    turn = _hue_turns(kind, recipe)
    ab = torch.cat([turned(ab[:many], turn), ab[many:]])
    return Batch(
        index,
        old_lightness(rgb, lightness) if recipe.old else lightness,
        ab,
        _draw_hints(ab, many, recipe),
        relit(reference_lightness),
        turned(reference_ab, turn),
        kind,
        segments,
    )


def answer(model: Tinct, batch: Batch) -> Answer:
    """The network's answer; photographs and references are read in one pass."""
    count = len(batch.index)
    shown = (torch.cat([batch.lightness, batch.reference_lightness]) - 50) / 50
    features, deep = model.encoder(shown.contiguous(memory_format=torch.channels_last))
    own = Features(*(part[:count] for part in features))
    return _answered(model, batch, own, features.keys[count:], deep[:count])


def answer_from(model: Tinct, batch: Batch, seen: Answer, trust: float = 0.0) -> Answer:
    """Another decoder's and matcher's answer from the same features; `trust` is added to references' scores."""
    return _answered(model, batch, seen.features, seen.reference_keys, seen.deep, trust)


def _answered(
    model: Tinct,
    batch: Batch,
    own: Features,
    reference_keys: Tensor,
    deep: Tensor,
    trust: float = 0.0,
) -> Answer:
    maps = _matched(model, batch, own.keys, reference_keys, trust)
    maps, hint_map = (x.contiguous(memory_format=torch.channels_last) for x in (maps, batch.hints.map))
    ab, bins = model.decoder(own, maps, hint_map)
    return Answer(ab, bins, maps, own, reference_keys, deep)


def memory_of(
    keys: Tensor,
    hints: Hints,
    references: tuple[Tensor, Tensor] | None,
    heads: int,
    trust: float = 0.0,
) -> Memory:
    """Hints, and reference items where given, as one memory.

    Args:
        keys: the photographs' own, in which hints find theirs.
        references: keys and ab of reference items (`tinct.networks.tinct.network.reference_items`).
        trust: added to their scores.
    """
    items, colors = hint_items(keys, hints.place, heads), hints.ab
    bias = (1 - hints.valid) * ABSENT
    if references is not None:
        more, ab = references
        items, colors = torch.cat([items, more.to(items.dtype)], 1), torch.cat([colors, ab], 1)
        bias = torch.cat([bias, torch.zeros_like(ab[..., 0]) + trust], 1)
    return Memory(items, colors, hints.place, bias)


def turned(ab: Tensor, angle: Tensor) -> Tensor:
    """Hues turned by an angle for each photograph: ab (B, 2, H, W), angle (B,) in radians."""
    cos, sin = angle.cos()[:, None, None], angle.sin()[:, None, None]
    a, b = ab.unbind(1)
    return torch.stack([cos * a - sin * b, sin * a + cos * b], 1)


def _matched(model: Tinct, batch: Batch, keys: Tensor, reference_keys: Tensor, trust: float) -> Tensor:
    """Maps of the photographs with references, whose memories are long, and of the others, apart."""
    many, count, heads = batch.referenced, len(batch.index), model.config.heads
    maps = []
    if many:
        items = reference_items(reference_keys, batch.reference_ab, heads)
        few = batch.hints.first(slice(0, many), HINTS_BESIDE_REFERENCE)
        maps.append(model.matcher(keys[:many], memory_of(keys[:many], few, items, heads, trust)))
    if many < count:
        rest = batch.hints.first(slice(many, count), batch.hints.valid.shape[1])
        maps.append(model.matcher(keys[many:], memory_of(keys[many:], rest, None, heads)))
    return torch.cat(maps)


def _draw_hints(ab: Tensor, many: int, recipe: TinctRecipe) -> Hints:
    # cheap steps are many, costly ones few
    most = max(1, int(recipe.most_hints ** (0.5 + 0.5 * float(torch.rand(())))))
    few = min(HINTS_BESIDE_REFERENCE, most)
    counts = torch.cat(
        [
            random_counts(many, recipe.hinted_too, few, ab.device),
            random_counts(len(ab) - many, recipe.hinted, most, ab.device),
        ]
    )
    hints = random_hints(ab, counts, max(most, HINTS_BESIDE_REFERENCE))
    noise = torch.randn_like(hints.ab) * (torch.rand(len(ab), 1, 1, device=ab.device) * 0.02)
    return Hints(hints.place, hints.ab + noise, hints.valid, hints.map)


def _reference_grid(pool: Pool, other: Tensor, kind: Tensor, view: views.View, size: int) -> Tensor:
    """Where references are looked at: the photograph itself, moved and bent, or anywhere in another."""
    own = views.View(*(part[: len(other)] for part in vars(view).values()))
    moved = views.moved_view(own).grid(size, views.random_bend(len(other), size, other.device))
    fresh = views.random_view(pool.sizes[other]).grid(size)
    return torch.where((kind == SELF)[:, None, None, None], moved, fresh)


def _hue_turns(kind: Tensor, recipe: TinctRecipe) -> Tensor:
    """Random angles for a share of the photographs that have themselves or a relative as reference, 0 for the rest."""
    share = kind.new_tensor([0.0, 0.0, 0.0], dtype=torch.float)
    share[SELF], share[RELATED] = recipe.recolored, recipe.recolored_too
    chosen = torch.rand(len(kind), device=kind.device) < share[kind]
    return torch.where(chosen, (torch.rand(len(kind), device=kind.device) * 2 - 1) * torch.pi, 0.0)
