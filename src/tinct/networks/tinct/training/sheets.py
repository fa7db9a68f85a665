"""Contact sheets of held-out photographs, drawn while the released network trains."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from tinct.networks.tinct.network import Tinct, reference_items
from tinct.networks.tinct.training.validation import predict
from tinct.training.hints import square_hints
from tinct.training.labels import NOT_RELATED
from tinct.training.pool import Pool
from tinct.training.sheets import ROWS, write_sheet
from tinct.training.validation import result_rgb
from tinct.training.views import photographs_at, whole_view

HINTS = 10
"""Hints of the sheet's column with some."""


@torch.no_grad()
def draw_sheet(model: Tinct, pool: Pool, held_out: Tensor, file: Path, size: int = 160) -> None:
    """Write a sheet, a photograph a row: truth, gray, automatic, 10 hints, a reference, its result.

    The reference is the likest relative, or the next photograph of the sheet where there is none.
    """
    index = held_out[:ROWS]
    rgb, lightness, ab = photographs_at(pool, index, whole_view(pool.sizes[index]).grid(size))
    other = _references(pool, index)
    other_rgb, other_lightness, other_ab = photographs_at(
        pool, other, whole_view(pool.sizes[other]).grid(size)
    )
    features = model.encode((lightness - 50) / 50)
    keys = model.encode((other_lightness - 50) / 50).keys
    items = reference_items(keys, other_ab, model.config.heads)
    place = torch.rand(len(index), HINTS, 2, generator=torch.Generator().manual_seed(1)).to(index.device)
    none, some = square_hints(ab, place, 0), square_hints(ab, place, HINTS)
    columns = [
        rgb * 255,
        result_rgb(lightness, torch.zeros_like(ab)),
        result_rgb(lightness, predict(model, features, none)),
        result_rgb(lightness, predict(model, features, some)),
        other_rgb * 255,
        result_rgb(lightness, predict(model, features, none, items)),
    ]
    write_sheet(columns, file)


def _references(pool: Pool, index: Tensor) -> Tensor:
    following = index.roll(-1)
    if pool.related is None:
        return following
    first = pool.related[index, 0]
    return torch.where(first == NOT_RELATED, following, first)
