"""What a training step sees: views of photographs, old-photograph lightness, hints, references. Batched tensors all.

Everything runs on the device of the pool, so that a GPU never waits for a CPU.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from tinct.training.lab import lightness_of_luminance, linear_rgb, rgb_to_lab
from tinct.training.labels import UNLABELED, Labels
from tinct.training.photographs import Photographs

AB_SCALE = 110.0
SELF, RELATED, UNRELATED = 0, 1, 2


@dataclass
class Pool:
    """Packed photographs and labels on a device.

    Attributes:
        pixels: (N, side, side, 3) uint8.
        sizes: (N, 2) float, height and width.
        weights: (N,) how often to draw; 0 for held-out photographs.
        scenes, objects: (N, C) soft labels, or None; segments: (N, 64, 64) or None; related: (N, K) or None.
    """

    pixels: Tensor
    sizes: Tensor
    weights: Tensor
    scenes: Tensor | None = None
    objects: Tensor | None = None
    segments: Tensor | None = None
    related: Tensor | None = None

    @classmethod
    def open(cls, photographs: Photographs, labels: Labels | None, device: torch.device) -> Pool:
        """Move a pool to a device (a GPU holds it whole; a CPU reads the memory map as it goes)."""
        weights = torch.tensor([e.weight for e in photographs.entries])
        weights[torch.from_numpy(photographs.held_out())] = 0
        pool = cls(
            torch.from_numpy(photographs.pixels), torch.from_numpy(photographs.sizes).float(), weights.float()
        )
        if labels is not None:
            pool.scenes, pool.objects = torch.from_numpy(labels.scenes), torch.from_numpy(labels.objects)
            pool.segments, pool.related = (
                torch.from_numpy(labels.segments),
                torch.from_numpy(labels.related).long(),
            )
        for name, value in vars(pool).items():
            if value is not None:
                setattr(pool, name, value.to(device))
        return pool

    def draw(self, count: int) -> Tensor:
        """Indices of photographs, by weight, with replacement."""
        return torch.multinomial(self.weights, count, replacement=True)


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


def moved_view(view: View) -> View:
    """The same place seen from elsewhere: shifted, scaled, turned, perhaps mirrored."""
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


def old_lightness(rgb: Tensor, lightness: Tensor) -> Tensor:
    """What an old photograph might have made of the scene: film response, contrast, faded blacks, blur, grain.

    Args:
        rgb: (B, 3, H, W) sRGB; lightness: its L*, (B, 1, H, W). Half of the batch stays as it is.
    """
    chosen = lambda share: (uniform(lightness, 0, 1) < share)[:, None, None, None]  # noqa: E731
    amount = lambda low, high: uniform(lightness, low, high)[:, None, None, None]  # noqa: E731
    response = torch.rand(rgb.shape[0], 3, device=rgb.device) + 0.05
    response = response / response.sum(1, keepdim=True)
    film = lightness_of_luminance((linear_rgb(rgb) * response[:, :, None, None]).sum(1, keepdim=True))
    old = torch.where(chosen(0.4), film, lightness) / 100
    old = torch.where(chosen(0.5), old.clamp_min(1e-4) ** amount(-0.4, 0.4).exp(), old)
    low, high = amount(0, 0.2), amount(0.8, 1)
    old = torch.where(chosen(0.5), low + (high - low) * old, old)
    soft = F.avg_pool2d(F.pad(old, (1, 1, 1, 1), mode="replicate"), 3, 1)
    old = torch.where(chosen(0.3), soft, old)
    grain = F.avg_pool2d(F.pad(torch.randn_like(old), (1, 1, 1, 1), mode="replicate"), 3, 1) * 2
    grain = torch.where(chosen(0.5), grain, torch.randn_like(old))
    old = torch.where(chosen(0.4), old + grain * amount(0, 0.06), old)
    return torch.where(chosen(0.5), lightness, old.clamp(0, 1) * 100)


def relit(lightness: Tensor) -> Tensor:
    """Another light on the same scene: L* (B, 1, H, W) through a random gamma and range."""
    amount = lambda low, high: uniform(lightness, low, high)[:, None, None, None]  # noqa: E731
    bent = (lightness / 100).clamp_min(1e-4) ** amount(-0.35, 0.35).exp()
    return ((amount(0, 0.08) + bent * amount(0.85, 1.0)) * 100).clamp(0, 100)


def photographs_at(pool: Pool, index: Tensor, grid: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """sRGB, L* (B, 1, H, W) and ab / 110 (B, 2, H, W) under a view."""
    rgb = look(pool, index, grid)
    lab = rgb_to_lab(rgb)
    return rgb, lab[:, :1], lab[:, 1:] / AB_SCALE


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


def random_counts(batch: int, share: float, most: int, device: torch.device) -> Tensor:
    """Hints for each photograph: none but for `share` of them, else log-uniform 1..most."""
    counts = (
        (torch.rand(batch, device=device) * torch.log(torch.tensor(most + 1.0))).exp().floor().clamp(1, most)
    )
    return counts * (torch.rand(batch, device=device) < share)


def random_hints(ab: Tensor, counts: Tensor, most: int) -> Hints:
    """Patches of 1..9 pixels that reveal the mean truth under them, as in Zhang 2017; 15 % lie along strokes."""
    batch, size, device = ab.shape[0], ab.shape[-1], ab.device
    center = torch.randn(batch, most, 2, device=device) * 0.25 + 0.5
    anywhere = torch.rand(batch, most, 2, device=device)
    place = torch.where((torch.rand(batch, 1, 1, device=device) < 0.5), center, anywhere)
    place = torch.where((torch.rand(batch, 1, 1, device=device) < 0.15), _along_strokes(place), place)
    half = torch.randint(0, 5, (batch, most), device=device)
    valid = (torch.arange(most, device=device)[None] < counts[:, None]).float()
    return reveal(ab, place.clamp(0, 0.999), half, half + torch.randint_like(half, 0, 2), valid, size)


def reveal(ab: Tensor, place: Tensor, before: Tensor, after: Tensor, valid: Tensor, size: int) -> Hints:
    """Hints whose patches reach `before` pixels left and up of their pixel and `after` pixels right and down."""
    pixel = (place * size).long().clamp(0, size - 1)
    x0, y0 = (pixel[..., 0] - before).clamp_min(0), (pixel[..., 1] - before).clamp_min(0)
    x1, y1 = (pixel[..., 0] + after + 1).clamp_max(size), (pixel[..., 1] + after + 1).clamp_max(size)
    colors = _box_means(ab, x0, y0, x1, y1)
    center = torch.stack([(x0 + x1) / 2, (y0 + y1) / 2], -1) / size
    hint_map = _painted(colors, valid, x0, y0, x1, y1, size)
    return Hints(center, colors, valid, F.avg_pool2d(hint_map, 2))


def _along_strokes(place: Tensor, run: int = 6) -> Tensor:
    most = place.shape[1]
    group = torch.arange(most, device=place.device) // run
    step = torch.arange(most, device=place.device) % run / run
    direction = (torch.rand_like(place) - 0.5) * 0.4
    return place[:, group * run] + direction[:, group * run] * step[None, :, None]


def _box_means(ab: Tensor, x0: Tensor, y0: Tensor, x1: Tensor, y1: Tensor) -> Tensor:
    total = F.pad(ab.float().cumsum(2).cumsum(3), (1, 0, 1, 0))
    side = total.shape[-1]
    at = lambda y, x: total.flatten(2).gather(2, (y * side + x)[:, None].expand(-1, 2, -1))  # noqa: E731
    sums = at(y1, x1) - at(y0, x1) - at(y1, x0) + at(y0, x0)
    return (sums / ((x1 - x0) * (y1 - y0))[:, None]).transpose(1, 2)


def _painted(
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


def choose_references(pool: Pool, index: Tensor, shares: tuple[float, float, float]) -> tuple[Tensor, Tensor]:
    """Which photograph is whose reference: (indices, mode), mode being SELF, RELATED or UNRELATED."""
    mode = torch.multinomial(index.new_tensor(shares, dtype=torch.float), len(index), replacement=True)
    other = pool.draw(len(index))
    if pool.related is not None:
        pick = torch.randint(0, pool.related.shape[1], (len(index), 1), device=index.device)
        related = pool.related[index].gather(1, pick)[:, 0]
    else:
        mode = torch.where(mode == RELATED, SELF, mode)
        related = index
    return torch.where(mode == SELF, index, torch.where(mode == RELATED, related, other)), mode


__all__ = ["UNLABELED", "Hints", "Pool", "View", "old_lightness", "random_hints", "random_view", "reveal"]
