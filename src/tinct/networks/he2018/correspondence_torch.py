"""`tinct.networks.he2018.correspondence` on batches of tensors, for training."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from tinct.networks.he2018.correspondence import FINE, FINE_SHARPNESS, MATCHED, NAMES, NEAR
from tinct.networks.layers.efficientnet_lite import Levels


class Places(NamedTuple):
    """Unit vectors of each level of `NAMES`, (B, places, C), on a grid of 1/8, and of quarters, (B, places, 4, C)."""

    grid: tuple[int, int]
    units: tuple[Tensor, ...]
    quarters: Tensor

    @property
    def keys(self) -> Tensor:
        """Unit vectors that places are matched by, (B, places, C)."""
        return torch.cat([self.units[NAMES.index(name)] for name in MATCHED], 2) / len(MATCHED) ** 0.5


class Correspondence(NamedTuple):
    """For each place the likest of the other picture: (B, places of the photograph), (B, places of the reference)."""

    forward: Tensor
    backward: Tensor


def places(levels: Levels) -> Places:
    """Unit vectors of each level's features on the grid of the level at 1/8, centered over the picture."""
    height, width = levels.eighth.shape[-2:]
    units = tuple(_units(getattr(levels, name), (height, width)) for name in NAMES)
    finer = 2 * height, 2 * width
    parts = [_units(getattr(levels, name), finer) * weight**0.5 for name, weight in FINE.items()]
    return Places(
        (height, width), units, quarters_of(torch.cat(parts, 2).transpose(1, 2).unflatten(2, finer))
    )


def quarters_of(image: Tensor) -> Tensor:
    """An image (B, C, 2 h, 2 w) of quarters of places as (B, h * w, 4, C), from the upper left one by rows."""
    return F.pixel_unshuffle(image, 2).unflatten(1, (-1, 4)).flatten(3).permute(0, 3, 2, 1).contiguous()


def correspondence(photographs: Places, references: Places) -> Correspondence:
    """The likest places both ways."""
    alike = photographs.keys @ references.keys.transpose(1, 2)
    return Correspondence(alike.argmax(2), alike.argmax(1))


def there_and_back(found: Correspondence) -> Tensor:
    """For each place of the photograph the place that its likest place's own likest is, (B, places)."""
    return found.backward.gather(1, found.forward)


def similarity_maps(photographs: Places, references: Places, found: Correspondence) -> Tensor:
    """How alike matched places are, (B, 2 * levels, h, w), 0..1: forward maps, then backward maps."""
    back = there_and_back(found)
    others = [_taken(unit, found.forward) for unit in references.units]
    forward = [(own * other).sum(2) for own, other in zip(photographs.units, others, strict=True)]
    backward = [
        (_taken(own, back) * other).sum(2) for own, other in zip(photographs.units, others, strict=True)
    ]
    return torch.stack(forward + backward, 1).clamp(0, 1).unflatten(2, photographs.grid)


def carried_finely(colors: Tensor, photographs: Places, references: Places, index: Tensor) -> Tensor:
    """Colors (B, C, 2 H, 2 W) of quarters of places that an index (B, places) carries to quarters: (B, C, 2 h, 2 w)."""
    (height, width), (rows_there, columns_there) = photographs.grid, references.grid
    proposed_colors, own = quarters_of(colors), photographs.keys
    rows, columns = (
        part.unflatten(1, (height, width)) for part in (index // columns_there, index % columns_there)
    )
    total, weight = own.new_zeros(()), own.new_zeros(())
    for down, right in NEAR:
        near_row = (torch.arange(height, device=index.device) + down).clamp(0, height - 1)[:, None]
        near_column = (torch.arange(width, device=index.device) + right).clamp(0, width - 1)
        for sign in (1, -1):
            row = rows[:, near_row, near_column] - down
            column = columns[:, near_row, near_column] - sign * right
            inside = (row >= 0) & (row < rows_there) & (column >= 0) & (column < columns_there)
            at = (row.clamp(0, rows_there - 1) * columns_there + column.clamp(0, columns_there - 1)).flatten(
                1
            )
            alike = photographs.quarters @ _taken(references.quarters.flatten(2), at).unflatten(
                2, references.quarters.shape[2:]
            ).transpose(2, 3)
            alike = alike + (own * _taken(references.keys, at)).sum(2)[..., None, None]
            counted = torch.exp((alike - 1 - sum(FINE.values())) / FINE_SHARPNESS)
            counted = counted * inside.flatten(1)[..., None, None]
            there = _taken(proposed_colors.flatten(2), at).unflatten(2, proposed_colors.shape[2:])
            total, weight = total + counted @ there, weight + counted.sum(3, keepdim=True)
    mean = (total / weight).permute(0, 3, 2, 1).flatten(1, 2).unflatten(2, (height, width))
    return F.pixel_shuffle(mean, 2)


def _units(features: Tensor, grid: tuple[int, int]) -> Tensor:
    """One level's unit vectors, (B, places, C)."""
    features = features.float()
    if features.shape[-2] > grid[0]:
        features = F.avg_pool2d(features, features.shape[-2] // grid[0])
    elif features.shape[-2:] != grid:
        features = F.interpolate(features, size=grid, mode="bilinear", align_corners=False)
    rows = features.flatten(2).transpose(1, 2)
    rows = rows - rows.mean(1, keepdim=True)
    return rows / rows.norm(dim=2, keepdim=True).clamp_min(1e-6)


def _taken(rows: Tensor, index: Tensor) -> Tensor:
    """Rows (B, N, C) at an index (B, P): (B, P, C)."""
    return rows.gather(1, index[:, :, None].expand(-1, -1, rows.shape[2]))
