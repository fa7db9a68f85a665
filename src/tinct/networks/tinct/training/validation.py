"""The released network's validation: held-out photographs squashed to a square, with every kind of help, seeded."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from tinct.networks.tinct.network import Features, Tinct, reference_items
from tinct.networks.tinct.training.batch import memory_of, turned
from tinct.training.hints import Hints, square_hints
from tinct.training.labels import NOT_RELATED
from tinct.training.pool import Pool
from tinct.training.validation import mean_over, psnr, result_rgb
from tinct.training.views import View, photographs_at, whole_view

HINT_COUNTS = (0, 1, 10, 100, 501)
"""Numbers of 6x6 patches on the validation curve."""

TURN = 2 * math.pi / 3
"""Angle by which hues are turned, in radians."""

Items = tuple[Tensor, Tensor]


@torch.no_grad()
def validate(
    model: Tinct, pool: Pool, held_out: Tensor, size: int = 256, chunk: int = 32
) -> dict[str, float]:
    """Mean PSNR (8-bit RGB, dB) on held-out photographs squashed to `size` square.

    Returns:
        `gray`; `hints0` (automatic) to `hints501`, with so many 6x6 patches; `self`, `related` and `unrelated`, by
        the reference; `turned`, where the hues of photograph and relative are turned alike, by a third of a circle;
        and `vividness`, the automatic result's mean chroma against the truth's.
    """
    generator = torch.Generator().manual_seed(0)
    return mean_over(held_out, chunk, lambda index: _one_chunk(model, pool, index, size, generator))


def predict(
    model: Tinct,
    features: Features,
    hints: Hints,
    references: Items | None = None,
) -> Tensor:
    """ab / 110 at 1/2 for encoded photographs."""
    memory = memory_of(features.keys, hints, references, model.config.heads)
    return model.decode(features, model.match(features.keys, memory), hints.map)[0]


def _one_chunk(
    model: Tinct, pool: Pool, index: Tensor, size: int, generator: torch.Generator
) -> dict[str, float]:
    view = whole_view(pool.sizes[index])
    rgb, lightness, ab = photographs_at(pool, index, view.grid(size))
    features, truth = model.encode((lightness - 50) / 50), (rgb * 255).round()
    place = torch.randn(len(index), HINT_COUNTS[-1], 2, generator=generator).to(index.device) * 0.25 + 0.5
    out = {"gray": psnr(lightness, torch.zeros_like(ab), truth)}
    for count in HINT_COUNTS:
        found = predict(model, features, square_hints(ab, place, count))
        out[f"hints{count}"] = psnr(lightness, found, truth)
        if count == 0:
            out["vividness"] = float(found.norm(dim=1).mean() / ab.norm(dim=1).mean())
    none = square_hints(ab, place, 0)
    for name, (items_lightness, items_ab) in _references(pool, index, view, size, generator).items():
        keys = model.encode((items_lightness - 50) / 50).keys
        items = reference_items(keys, items_ab, model.config.heads)
        out[name] = psnr(lightness, predict(model, features, none, items), truth)
        if name == "related":
            angle = torch.full((len(index),), TURN, device=ab.device)
            items = reference_items(keys, turned(items_ab, angle), model.config.heads)
            found = predict(model, features, none, items)
            out["turned"] = psnr(lightness, found, result_rgb(lightness, turned(ab, angle)))
    return out


def _references(
    pool: Pool, index: Tensor, view: View, size: int, generator: torch.Generator
) -> dict[str, Items]:
    """Lightness and ab of each kind of reference; photographs without a relative get an unrelated one instead."""
    count, device = len(index), index.device
    moved = _moved(view, generator)
    other = torch.randint(0, len(pool.sizes), (count,), generator=generator).to(device)
    knots = torch.rand(count, 2, 5, 5, generator=generator).to(device) * 0.12 - 0.06
    bend = F.interpolate(knots, size=(size, size), mode="bicubic", align_corners=True)
    chosen = {"self": (index, moved.grid(size, bend))}
    if pool.related is not None:
        first = pool.related[index, 0]
        related = torch.where(first == NOT_RELATED, other, first)
        chosen["related"] = (related, whole_view(pool.sizes[related]).grid(size))
    chosen["unrelated"] = (other, whole_view(pool.sizes[other]).grid(size))
    return {name: photographs_at(pool, who, grid)[1:] for name, (who, grid) in chosen.items()}


def _moved(view: View, generator: torch.Generator) -> View:
    def draw(low: float, high: float) -> Tensor:
        drawn = torch.rand(len(view.angle), generator=generator) * (high - low) + low
        return drawn.to(view.angle.device)

    return View(
        view.center_x + draw(-0.08, 0.08) * view.width,
        view.center_y + draw(-0.08, 0.08) * view.height,
        view.width * draw(0.75, 0.95),
        view.height * draw(0.75, 0.95),
        draw(-0.15, 0.15),
        -view.mirror,
    )
