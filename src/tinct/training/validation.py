"""The validation curve: held-out photographs squashed to a square, with every kind of help. Seeded, batched."""

from __future__ import annotations

import torch
from torch import Tensor

from tinct.networks.tinct import Tinct, reference_items
from tinct.training import sampling
from tinct.training.lab import lab_to_rgb
from tinct.training.sampling import AB_SCALE, Hints, Pool
from tinct.training.tinct import memory_of

HINT_COUNTS = (0, 1, 10, 100, 501)


@torch.no_grad()
def validate(
    model: Tinct, pool: Pool, held_out: Tensor, size: int = 256, chunk: int = 32
) -> dict[str, float]:
    """Mean PSNR (8-bit RGB, dB) on held-out photographs: grey, automatic, with hints, with references.

    Also `vividness`: mean chroma of the automatic result against the truth's.
    """
    generator = torch.Generator().manual_seed(0)
    sums: dict[str, float] = {}
    for start in range(0, len(held_out), chunk):
        index = held_out[start : start + chunk]
        for name, value in _one_chunk(model, pool, index, size, generator).items():
            sums[name] = sums.get(name, 0.0) + value * len(index)
    return {name: value / len(held_out) for name, value in sums.items()}


def whole_view(sizes: Tensor) -> sampling.View:
    """The whole photograph, squashed."""
    height, width = sizes.unbind(1)
    zero = torch.zeros_like(width)
    return sampling.View(width / 2, height / 2, width, height, zero, zero + 1)


def _one_chunk(
    model: Tinct, pool: Pool, index: Tensor, size: int, generator: torch.Generator
) -> dict[str, float]:
    device, count = index.device, len(index)
    view = whole_view(pool.sizes[index])
    rgb, lightness, ab = sampling.photographs_at(pool, index, view.grid(size))
    features = model.encode((lightness - 50) / 50)
    truth = (rgb * 255).round()

    def score(memory_hints: Hints, references: tuple[Tensor, Tensor] | None = None) -> tuple[float, Tensor]:
        memory = memory_of(features.keys, memory_hints, references, model.config.heads)
        predicted, _ = model.decode(features, model.match(features.keys, memory), memory_hints.map)
        return _psnr(lightness, predicted, truth), predicted

    place = torch.randn(count, HINT_COUNTS[-1], 2, generator=generator).to(device) * 0.25 + 0.5
    three, out = torch.full(place.shape[:2], 3, device=device), {}
    for most in HINT_COUNTS:
        shown = max(most, 1)
        valid = torch.full((count, shown), float(most > 0), device=device)
        before = three[:, :shown]
        hints = sampling.reveal(ab, place[:, :shown].clamp(0, 0.999), before, before - 1, valid, size)
        out[f"hints{most}"], predicted = score(hints)
        if most == 0:
            none, out["vividness"] = hints, float(predicted.norm(dim=1).mean() / ab.norm(dim=1).mean())
    out["gray"] = _psnr(lightness, torch.zeros_like(ab), truth)
    for name, other, other_view in _references(pool, index, view, generator):
        bend = torch.zeros(count, 2, size, size, device=device)
        if name == "self":
            knots = torch.rand(count, 2, 5, 5, generator=generator).to(device) * 0.12 - 0.06
            bend = torch.nn.functional.interpolate(
                knots, size=(size, size), mode="bicubic", align_corners=True
            )
        _, other_l, other_ab = sampling.photographs_at(pool, other, other_view.grid(size, bend))
        items = reference_items(model.encode((other_l - 50) / 50).keys, other_ab, model.config.heads)
        out[name], _ = score(none, items)
    return out


def _references(
    pool: Pool, index: Tensor, view: sampling.View, generator: torch.Generator
) -> list[tuple[str, Tensor, sampling.View]]:
    def draw(low: float, high: float) -> Tensor:
        return (torch.rand(len(index), generator=generator) * (high - low) + low).to(index.device)

    moved = sampling.View(
        view.center_x + draw(-0.08, 0.08) * view.width,
        view.center_y + draw(-0.08, 0.08) * view.height,
        view.width * draw(0.75, 0.95),
        view.height * draw(0.75, 0.95),
        draw(-0.15, 0.15),
        -view.mirror,
    )
    out = [("self", index, moved)]
    if pool.related is not None:
        related = pool.related[index, 0]
        out.append(("related", related, whole_view(pool.sizes[related])))
    other = torch.randint(0, len(pool.sizes), (len(index),), generator=generator).to(index.device)
    return [*out, ("unrelated", other, whole_view(pool.sizes[other]))]


def _psnr(lightness: Tensor, ab: Tensor, truth: Tensor) -> float:
    full = torch.nn.functional.interpolate(
        ab.float(), size=lightness.shape[-2:], mode="bilinear", align_corners=False
    )
    rgb = (lab_to_rgb(torch.cat([lightness, full * AB_SCALE], 1)) * 255).round()
    error = (rgb - truth).square().mean((1, 2, 3)).clamp_min(1e-2)
    return float((10 * torch.log10(255**2 / error)).mean())
