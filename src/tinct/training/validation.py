"""The validation curve: held-out photographs squashed to a square, with every kind of help. Seeded, batched."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from tinct.color.bins import AB_SCALE
from tinct.color.lab_torch import lab_to_rgb
from tinct.networks.tinct.batch import memory_of, turned
from tinct.networks.tinct.network import Features, Tinct, reference_items
from tinct.training.hints import Hints, square_hints
from tinct.training.labels import NOT_RELATED
from tinct.training.pool import Pool
from tinct.training.views import View, photographs_at, whole_view

HINT_COUNTS = (0, 1, 10, 100, 501)
TURN = 2 * math.pi / 3
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


def mean_over(
    held_out: Tensor, chunk: int, figures: Callable[[Tensor], Mapping[str, float]]
) -> dict[str, float]:
    """Means over held-out photographs.

    Args:
        held_out: indices in the pool.
        chunk: photographs at a time.
        figures: gives means over the photographs of a chunk, by name.
    """
    sums: dict[str, float] = {}
    for index in held_out.split(chunk):
        for name, value in figures(index).items():
            sums[name] = sums.get(name, 0.0) + value * len(index)
    return {name: value / len(held_out) for name, value in sums.items()}


def predict(
    model: Tinct,
    features: Features,
    hints: Hints,
    references: Items | None = None,
    likeness: Tensor | float = 0.0,
) -> Tensor:
    """ab / 110 at 1/2 for photographs that were encoded; the likeness to references is added to the scores of these."""
    memory = memory_of(features.keys, hints, references, model.config.heads, likeness)
    return model.decode(features, model.match(features.keys, memory), hints.map)[0]


def result_rgb(lightness: Tensor, ab: Tensor) -> Tensor:
    """ab / 110 at any size under full lightness, as 8-bit sRGB values (B, 3, H, W), 0..255."""
    full = F.interpolate(ab.float(), size=lightness.shape[-2:], mode="bilinear", align_corners=False)
    return (lab_to_rgb(torch.cat([lightness, full * AB_SCALE], 1)) * 255).round()


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
        seen = model.encode((items_lightness - 50) / 50)
        keys, likeness = seen.keys, (features.signature * seen.signature).sum(1, keepdim=True)
        items = reference_items(keys, items_ab, model.config.heads)
        out[name] = psnr(lightness, predict(model, features, none, items, likeness), truth)
        if name == "related":
            angle = torch.full((len(index),), TURN, device=ab.device)
            items = reference_items(keys, turned(items_ab, angle), model.config.heads)
            found = predict(model, features, none, items, likeness)
            out["turned"] = psnr(lightness, found, result_rgb(lightness, turned(ab, angle)))
    return out


def _references(
    pool: Pool, index: Tensor, view: View, size: int, generator: torch.Generator
) -> dict[str, Items]:
    """Lightness and ab of each kind of reference; who has no relative gets an unrelated photograph for one."""
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


def psnr(lightness: Tensor, ab: Tensor, truth: Tensor) -> float:
    """Mean PSNR of ab / 110 under L* against the truth, both as 8-bit sRGB values 0..255, in dB."""
    error = (result_rgb(lightness, ab) - truth).square().mean((1, 2, 3)).clamp_min(1e-2)
    return float((10 * torch.log10(255**2 / error)).mean())
