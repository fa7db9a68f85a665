"""Contact sheets of held-out photographs, drawn while a network trains."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from tinct.networks.tinct import Tinct, reference_items
from tinct.training import sampling
from tinct.training.sampling import Pool
from tinct.training.tinct import memory_of, predict_rgb
from tinct.training.validation import whole_view


@torch.no_grad()
def draw_sheet(model: Tinct, pool: Pool, held_out: Tensor, file: Path, size: int = 160) -> None:
    """Write a sheet, a photograph a row: truth, grey, automatic, 10 hints, related reference and what it gives."""
    index = held_out[:12]
    grid = whole_view(pool.sizes[index]).grid(size)
    rgb, lightness, ab = sampling.photographs_at(pool, index, grid)
    features = model.encode((lightness - 50) / 50)
    generator = torch.Generator().manual_seed(1)
    place = torch.rand(len(index), 10, 2, generator=generator).to(index.device)
    three = torch.full(place.shape[:2], 3, device=index.device)
    some = sampling.reveal(ab, place, three, three, torch.ones_like(three).float(), size)
    none = sampling.reveal(ab, place, three, three, torch.zeros_like(three).float(), size)
    other = pool.related[index, 0] if pool.related is not None else index
    other_grid = whole_view(pool.sizes[other]).grid(size)
    other_rgb, other_lightness, other_ab = sampling.photographs_at(pool, other, other_grid)
    items = reference_items(model.encode((other_lightness - 50) / 50).keys, other_ab, model.config.heads)
    columns = [_eight_bit(rgb), predict_rgb(lightness, torch.zeros_like(ab))]
    for hints, references in ((none, None), (some, None), (none, items)):
        memory = memory_of(features.keys, hints, references, model.config.heads)
        predicted, _ = model.decode(features, model.match(features.keys, memory), hints.map)
        columns.append(predict_rgb(lightness, predicted))
    columns.insert(4, _eight_bit(other_rgb))
    sheet = np.concatenate([np.concatenate(list(column)) for column in columns], 1)
    Image.fromarray(sheet).save(file)


def _eight_bit(rgb: Tensor) -> np.ndarray:
    return (rgb * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
