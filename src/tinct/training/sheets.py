"""Contact sheets of held-out photographs, drawn while a network trains."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from tinct.networks.tinct.network import Tinct, reference_items
from tinct.training.hints import square_hints
from tinct.training.labels import NOT_RELATED
from tinct.training.pool import Pool
from tinct.training.validation import predict, result_rgb
from tinct.training.views import photographs_at, whole_view

ROWS, HINTS = 12, 10


@torch.no_grad()
def draw_sheet(model: Tinct, pool: Pool, held_out: Tensor, file: Path, size: int = 160) -> None:
    """Write a sheet, a photograph a row: truth, gray, automatic, 10 hints, a reference, and what it gives.

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


def write_sheet(columns: list[Tensor], file: Path) -> None:
    """Write columns of pictures, each (B, 3, H, W), 0..255, side by side."""
    pictures = [column.round().byte().permute(0, 2, 3, 1).cpu().numpy() for column in columns]
    sheet = np.concatenate([np.concatenate(list(column)) for column in pictures], 1)
    Image.fromarray(sheet).save(file)
