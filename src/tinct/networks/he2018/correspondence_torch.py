"""`tinct.networks.he2018.correspondence` on batches of tensors, for training."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from tinct.networks.he2018.correspondence import MATCHED, NAMES, NEAR
from tinct.networks.layers.efficientnet_lite import Levels


class Places(NamedTuple):
    """Unit vectors of each level of `NAMES`, (B, places, C), on a grid of 1/8."""

    grid: tuple[int, int]
    units: tuple[Tensor, ...]

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
    return Places((height, width), tuple(_units(getattr(levels, name), (height, width)) for name in NAMES))


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


def carried(colors: Tensor, index: Tensor, grid: tuple[int, int]) -> Tensor:
    """Colors (B, C, h, w) that an index (B, places) carries to a grid, as neighbors vote: (B, C, *grid)."""
    height, width = colors.shape[-2:]
    rows, columns = (index // width).unflatten(1, grid), (index % width).unflatten(1, grid)
    far = -4 * (height + width)
    rows, columns = (F.pad(part, (1, 1, 1, 1), value=far) for part in (rows, columns))
    flat = colors.flatten(2)
    total = votes = flat.new_zeros(())
    for down, right in NEAR:
        here = (..., slice(1 + down, 1 + down + grid[0]), slice(1 + right, 1 + right + grid[1]))
        row, column = rows[here] - down, columns[here] - right
        inside = ((row >= 0) & (row < height) & (column >= 0) & (column < width))[:, None]
        at = (row.clamp(0, height - 1) * width + column.clamp(0, width - 1)).flatten(1)
        proposed = flat.gather(2, at[:, None].expand(-1, flat.shape[1], -1)).unflatten(2, grid)
        total, votes = total + proposed * inside, votes + inside
    return total / votes


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
