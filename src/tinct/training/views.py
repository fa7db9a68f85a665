"""Views of photographs for a training step, batched, on the device of the pool.

A view is a box of a photograph, turned and mirrored, squashed to a square.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from tinct.color.bins import AB_SCALE
from tinct.color.lab_torch import rgb_to_lab
from tinct.training.pool import Pool


@dataclass
class View:
    """Where in each photograph to look: a box, turned and mirrored. All (B,) tensors, in pixels and radians."""

    center_x: Tensor
    center_y: Tensor
    width: Tensor
    height: Tensor
    angle: Tensor
    mirror: Tensor

    def grid(self, size: int, bend: Tensor | None = None) -> Tensor:
        """Pixel coordinates (B, size, size, 2) of the view's samples; `bend` is added in units of half the box."""
        line = (torch.arange(size, device=self.angle.device) + 0.5) / size * 2 - 1
        v, u = torch.meshgrid(line, line, indexing="ij")
        u, v = u.expand(len(self.angle), size, size), v.expand(len(self.angle), size, size)
        if bend is not None:
            u, v = u + bend[:, 0], v + bend[:, 1]
        u = u * self.mirror[:, None, None]
        cos, sin = self.angle.cos()[:, None, None], self.angle.sin()[:, None, None]
        x, y = u * (self.width / 2)[:, None, None], v * (self.height / 2)[:, None, None]
        return torch.stack(
            [
                self.center_x[:, None, None] + cos * x - sin * y,
                self.center_y[:, None, None] + sin * x + cos * y,
            ],
            -1,
        )


def uniform(like: Tensor, low: float, high: float) -> Tensor:
    """One random number for each element of `like`."""
    return torch.rand(like.shape[0], device=like.device) * (high - low) + low


def random_view(sizes: Tensor, whole: float = 0.3) -> View:
    """A random box: the whole photograph with probability `whole`, else 35..100 % of its area at a changed aspect."""
    height, width = sizes.unbind(1)
    area = torch.where(uniform(sizes, 0, 1) < whole, 1.0, uniform(sizes, 0.35, 1.0))
    stretch = torch.where(area >= 1, 1.0, (uniform(sizes, -0.3, 0.3)).exp())
    box_height = (height * (area * stretch).sqrt()).minimum(height)
    box_width = (width * (area / stretch).sqrt()).minimum(width)
    x = box_width / 2 + uniform(sizes, 0, 1) * (width - box_width)
    y = box_height / 2 + uniform(sizes, 0, 1) * (height - box_height)
    mirror = torch.where(uniform(sizes, 0, 1) < 0.5, 1.0, -1.0)
    return View(x, y, box_width, box_height, torch.zeros_like(x), mirror)


def whole_view(sizes: Tensor) -> View:
    """The whole photograph, squashed."""
    height, width = sizes.unbind(1)
    zero = torch.zeros_like(width)
    return View(width / 2, height / 2, width, height, zero, zero + 1)


def moved_view(view: View) -> View:
    """A view near another one: shifted, scaled, turned, perhaps mirrored."""
    like = view.center_x
    scale = uniform(like, -0.35, 0.35).exp()
    stretch = uniform(like, -0.15, 0.15).exp()
    return View(
        view.center_x + uniform(like, -0.15, 0.15) * view.width,
        view.center_y + uniform(like, -0.15, 0.15) * view.height,
        view.width * scale * stretch,
        view.height * scale / stretch,
        uniform(like, -0.3, 0.3),
        view.mirror * torch.where(uniform(like, 0, 1) < 0.5, 1.0, -1.0),
    )


def random_bend(count: int, size: int, device: torch.device, strength: float = 0.12) -> Tensor:
    """A smooth random displacement field (B, 2, size, size) in units of half the view (thin-plate-like)."""
    amount = torch.rand(count, 1, 1, 1, device=device) * strength
    knots = (torch.rand(count, 2, 5, 5, device=device) * 2 - 1) * amount
    return F.interpolate(knots, size=(size, size), mode="bicubic", align_corners=True)


def look(pool: Pool, index: Tensor, grid: Tensor) -> Tensor:
    """Sample photographs at pixel coordinates: sRGB (B, 3, size, size) in 0..1; outside, the edge is mirrored."""
    side = pool.pixels.shape[1]
    inside = _reflected(grid, pool.sizes[index])
    pixels = pool.pixels[index].permute(0, 3, 1, 2).float() / 255
    return F.grid_sample(
        pixels, inside / side * 2 - 1, mode="bilinear", padding_mode="border", align_corners=False
    )


def look_at_segments(pool: Pool, index: Tensor, grid: Tensor, size: int) -> Tensor | None:
    """Segment classes (B, size, size) under the view, 255 where unknown; None if the pool has none."""
    if pool.segments is None:
        return None
    inside = _reflected(grid, pool.sizes[index])
    share = inside / pool.sizes[index].flip(1)[:, None, None] * 2 - 1
    coarse = F.interpolate(share.permute(0, 3, 1, 2), size=(size, size), mode="area").permute(0, 2, 3, 1)
    labels = pool.segments[index][:, None].float()
    return F.grid_sample(labels, coarse, mode="nearest", padding_mode="border", align_corners=False)[
        :, 0
    ].long()


def _reflected(grid: Tensor, sizes: Tensor) -> Tensor:
    limit = sizes.flip(1)[:, None, None]
    folded = torch.remainder(grid, 2 * limit)
    folded = torch.minimum(folded, 2 * limit - folded)
    return torch.minimum(folded.clamp_min(0.5), limit - 0.5)


def photographs_at(pool: Pool, index: Tensor, grid: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """sRGB, L* (B, 1, H, W) and ab / 110 (B, 2, H, W) under a view."""
    rgb = look(pool, index, grid)
    lab = rgb_to_lab(rgb)
    return rgb, lab[:, :1], lab[:, 1:] / AB_SCALE
