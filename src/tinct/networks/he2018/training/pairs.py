"""Photographs with references, matched: what a training step looks at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from tinct.networks.he2018.correspondence import STRIDE
from tinct.networks.he2018.correspondence_torch import (
    carried_finely,
    correspondence,
    places,
    similarity_maps,
    there_and_back,
)
from tinct.networks.he2018.network import Given
from tinct.networks.layers.efficientnet_lite import Levels
from tinct.training.labels import NOT_RELATED
from tinct.training.lightness import relit, some
from tinct.training.pool import Pool, relatives
from tinct.training.views import moved_view, photographs_at, random_bend, random_view, whole_view

CARRIED, ITSELF, REAL, STRANGE, ALONE = range(5)
"""Kinds of pairs: the truth's own colors, carried to a reference and back (chrominance branch); the photograph itself,
moved and bent; a reference's own colors (perceptual branch); a stranger's colors beside the truth; no reference."""

See = Callable[[Tensor], Levels]
"""Gives EfficientNet-Lite2's levels of L*, (B, 1, H, W), 0..100."""


@dataclass
class Pairs:
    """Photographs with matched references.

    Attributes:
        given: what the network is given.
        ab: the truth, (B, 2, H, W), a* b* / 110.
        kind: of each pair, (B,).
        reference: sRGB of the references, (B, 3, H, W), 0..1.
    """

    given: Given
    ab: Tensor
    kind: Tensor
    reference: Tensor

    @property
    def present(self) -> Tensor:
        """1 for pairs with a reference, 0 for photographs alone, (B, 1, 1, 1)."""
        return (self.kind != ALONE).float()[:, None, None, None]


def draw_pairs(
    pool: Pool, count: int, size: int, shares: tuple[float, ...], strangers: float, see: See
) -> Pairs:
    """Random pairs in random views.

    Args:
        shares: how often each kind is drawn, in their order.
        strangers: share of `CARRIED` and `REAL` pairs whose reference is any photograph, not a relative.
        see: the frozen network.
    """
    index = pool.draw(count)
    kind = torch.multinomial(index.new_tensor(shares, dtype=torch.float), count, replacement=True)
    other = _references(pool, index, kind, strangers)
    view = random_view(pool.sizes[index])
    photograph = photographs_at(pool, index, view.grid(size))
    itself = (kind == ITSELF)[:, None, None, None]
    moved = moved_view(view).grid(size, random_bend(count, size, index.device))
    grid = torch.where(itself, moved, random_view(pool.sizes[other], 0.6).grid(size))
    reference = photographs_at(pool, other, grid)
    seen = torch.where(itself & some(reference[1], 0.5), relit(reference[1]), reference[1])
    return matched(photograph, (reference[0], seen, reference[2]), kind, see)


def held_out_pairs(pool: Pool, index: Tensor, other: Tensor, kind: int, size: int, see: See) -> Pairs:
    """Whole photographs with whole references, squashed; as its own reference a photograph is bent and mirrored."""
    photograph = photographs_at(pool, index, whole_view(pool.sizes[index]).grid(size))
    view, bend = whole_view(pool.sizes[other]), None
    if kind == ITSELF:
        view.mirror, view.width, view.height = -view.mirror, view.width * 0.8, view.height * 0.9
        bend = random_bend(len(index), size, index.device)
    reference = photographs_at(pool, other, view.grid(size, bend))
    return matched(photograph, reference, torch.full_like(index, kind), see)


@torch.no_grad()
def matched(
    photograph: tuple[Tensor, Tensor, Tensor],
    reference: tuple[Tensor, Tensor, Tensor],
    kind: Tensor,
    see: See,
) -> Pairs:
    """Match photographs with references, each given as sRGB, L* and ab / 110 at one size."""
    _, lightness, ab = photograph
    levels = see(torch.cat([lightness, reference[1]]))
    own, theirs = (Levels(*(part[half] for part in levels)) for half in _halves(len(kind)))
    here, there = places(own), places(theirs)
    found = correspondence(here, there)
    maps = similarity_maps(here, there, found)
    quarter = STRIDE // 2
    taken = carried_finely(F.avg_pool2d(reference[2], quarter), here, there, found.forward)
    back = carried_finely(F.avg_pool2d(ab, quarter), here, here, there_and_back(found))
    column = kind[:, None, None, None]
    colors = torch.where(column == CARRIED, back, taken)
    alone = (column != ALONE).float()
    given = Given(
        lightness,
        colors * alone,
        maps * alone,
        own.eighth.float(),
        own.sixteenth.float(),
        own.thirtysecond.float(),
    )
    return Pairs(given, ab, kind, reference[0])


def _references(pool: Pool, index: Tensor, kind: Tensor, strangers: float) -> Tensor:
    """Which photograph is whose reference."""
    drawn, related = pool.draw(len(index)), relatives(pool, index)
    strange = torch.rand(len(index), device=index.device) < strangers
    strange |= (kind == STRANGE) | (related == NOT_RELATED)
    other = torch.where(strange, drawn, related)
    return torch.where(kind == ITSELF, index, other)


def _halves(count: int) -> tuple[slice, slice]:
    return slice(0, count), slice(count, 2 * count)
