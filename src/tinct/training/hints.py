"""Random hints for training: patches anywhere and along strokes, batched."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass
class Hints:
    """Hints for a batch: M for each photograph, some of them empty.

    Attributes:
        place: (B, M, 2), x and y divided by the size; ab: (B, M, 2); valid: (B, M), 1 or 0.
        map: (B, 3, H/2, W/2): ab times coverage, coverage.
    """

    place: Tensor
    ab: Tensor
    valid: Tensor
    map: Tensor

    def first(self, rows: slice, most: int) -> Hints:
        """Some photographs' hints, at most so many in the memory; their maps keep all."""
        return Hints(self.place[rows, :most], self.ab[rows, :most], self.valid[rows, :most], self.map[rows])


def random_counts(batch: int, share: float, most: int, device: torch.device) -> Tensor:
    """Hints for each photograph: none but for `share` of them, else log-uniform 1..most."""
    log = torch.rand(batch, device=device) * math.log(most + 1)
    counts = log.exp().floor().clamp(1, most)
    return counts * (torch.rand(batch, device=device) < share)


def random_hints(ab: Tensor, counts: Tensor, most: int) -> Hints:
    """Square patches of 1..10 pixels that reveal the mean truth under them.

    After Zhang et al. 2017, section 3.2: half of the photographs have them around the center, with a standard
    deviation of a quarter of the side; the other half anywhere. 15 % have them along strokes.

    Args:
        ab: the truth, (B, 2, size, size), a* b* / 110.
        counts: how many each photograph gets, (B,).
        most: how many there is room for, M.
    """
    batch, size, device = ab.shape[0], ab.shape[-1], ab.device
    center = torch.randn(batch, most, 2, device=device) * 0.25 + 0.5
    anywhere = torch.rand(batch, most, 2, device=device)
    place = torch.where(torch.rand(batch, 1, 1, device=device) < 0.5, center, anywhere)
    place = torch.where(torch.rand(batch, 1, 1, device=device) < 0.15, _along_strokes(place), place)
    half = torch.randint(0, 5, (batch, most), device=device)
    valid = (torch.arange(most, device=device)[None] < counts[:, None]).float()
    return reveal(ab, place.clamp(0, 0.999), half, half + torch.randint_like(half, 0, 2), valid, size)


def square_hints(ab: Tensor, place: Tensor, count: int) -> Hints:
    """The 6x6 patches of the published sweep (Zhang 2017) at the first `count` places; with 0, one that is not there.

    Args:
        ab: the truth, (B, 2, size, size), a* b* / 110.
        place: (B, M, 2), x and y divided by the size.
    """
    place = place[:, : max(count, 1)].clamp(0, 0.999)
    three = torch.full(place.shape[:2], 3, device=ab.device)
    valid = torch.full(place.shape[:2], float(count > 0), device=ab.device)
    return reveal(ab, place, three, three - 1, valid, ab.shape[-1])


def reveal(ab: Tensor, place: Tensor, before: Tensor, after: Tensor, valid: Tensor, size: int) -> Hints:
    """Hints whose patches reach `before` pixels left and up of their pixel and `after` pixels right and down."""
    x0, y0, x1, y1 = patch_boxes(place, before, after, size)
    colors = box_means(ab, x0, y0, x1, y1)
    center = torch.stack([(x0 + x1) / 2, (y0 + y1) / 2], -1) / size
    hint_map = painted(colors, valid, x0, y0, x1, y1, size)
    return Hints(center, colors, valid, F.avg_pool2d(hint_map, 2))


def patch_boxes(
    place: Tensor, before: Tensor, after: Tensor, size: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Edges x0, y0, x1, y1 of the patches of `reveal`, in pixels, the last two beyond the patch, cut at the border."""
    pixel = (place * size).long().clamp(0, size - 1)
    x0, y0 = (pixel[..., 0] - before).clamp_min(0), (pixel[..., 1] - before).clamp_min(0)
    x1, y1 = (pixel[..., 0] + after + 1).clamp_max(size), (pixel[..., 1] + after + 1).clamp_max(size)
    return x0, y0, x1, y1


def _along_strokes(place: Tensor, run: int = 6) -> Tensor:
    """Every `run` hints lie on a straight stroke from the first of them."""
    index = torch.arange(place.shape[1], device=place.device)
    group, step = index // run * run, index % run / run
    direction = (torch.rand_like(place) - 0.5) * 0.4
    return place[:, group] + direction[:, group] * step[None, :, None]


def box_means(ab: Tensor, x0: Tensor, y0: Tensor, x1: Tensor, y1: Tensor) -> Tensor:
    """Means of boxes, (B, M, 2), from a summed-area table (Crow 1984)."""
    # in double precision: a single pixel is the difference of sums over the whole picture
    total = F.pad(ab.double().cumsum(2).cumsum(3), (1, 0, 1, 0))
    side = total.shape[-1]

    def at(y: Tensor, x: Tensor) -> Tensor:
        return total.flatten(2).gather(2, (y * side + x)[:, None].expand(-1, 2, -1))

    sums = at(y1, x1) - at(y0, x1) - at(y1, x0) + at(y0, x0)
    return (sums / ((x1 - x0) * (y1 - y0))[:, None]).transpose(1, 2).to(ab.dtype)


def painted(
    colors: Tensor, valid: Tensor, x0: Tensor, y0: Tensor, x1: Tensor, y1: Tensor, size: int
) -> Tensor:
    """Boxes painted onto (B, 3, size, size): mean ab times coverage, coverage. Overlaps are averaged."""
    values = torch.cat([colors, torch.ones_like(valid)[..., None]], -1) * valid[..., None]
    side = size + 1
    canvas = torch.zeros(len(colors), 3, side * side, device=colors.device)
    for y, x, sign in ((y0, x0, 1), (y1, x1, 1), (y0, x1, -1), (y1, x0, -1)):
        canvas.scatter_add_(2, (y * side + x)[:, None].expand(-1, 3, -1), sign * values.transpose(1, 2))
    canvas = canvas.view(-1, 3, side, side).cumsum(2).cumsum(3)[..., :size, :size]
    count = canvas[:, 2:].round()
    return torch.cat([canvas[:, :2] / count.clamp_min(1) * (count > 0), (count > 0).float()], 1)
