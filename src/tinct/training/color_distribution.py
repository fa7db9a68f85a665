"""The truth as a distribution over the ab bins, and the loss against that distribution (Zhang 2016, section 2.2)."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from tinct.color.bins import AB_SCALE, STEP
from tinct.networks.layers.outputs import bin_centers
from tinct.training.losses import soft_bins
from tinct.training.pool import Pool
from tinct.training.views import photographs_at, random_view

CELLS = 11
"""Of the bins' grid, to each side of gray."""


class SoftBins(NamedTuple):
    """Colors spread over their nearest bins, nearest first: (B, K, h, w) each; the shares sum to 1 over K."""

    bins: Tensor
    share: Tensor


def soft_encoding(ab: Tensor, neighbors: int = 5, sigma: float = 5.0) -> SoftBins:
    """Spread each color over its nearest bins by a Gaussian of the distance; as `tinct.color.bins.encode_bins`.

    Args:
        ab: a* b* / 110, (B, 2, h, w).
        neighbors: how many bins share a color; sigma: of the Gaussian, in ab units.
    """
    points = ab.float().permute(0, 2, 3, 1) * AB_SCALE
    cell = (points / STEP).round().long().clamp(-CELLS, CELLS) + CELLS
    centers, near = _near(neighbors, ab.device)
    candidates = near[cell[..., 0], cell[..., 1]]
    squared = (points[..., None, :] - centers[candidates]).square().sum(-1)
    nearest = squared.topk(neighbors, -1, largest=False)
    share = torch.softmax(-nearest.values / (2 * sigma**2), -1)
    return SoftBins(candidates.gather(-1, nearest.indices).permute(0, 3, 1, 2), share.permute(0, 3, 1, 2))


@cache
def _near(neighbors: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """The bins' centers, and those that may be among the nearest of a color, by its cell of the bins' grid.

    24 hold the 10 nearest of every color of a cell: asking all 313 took six times as long.
    """
    centers = bin_centers(1.0)
    line = torch.arange(-CELLS, CELLS + 1, dtype=torch.float32) * STEP
    cells = torch.stack(torch.meshgrid(line, line, indexing="ij"), -1)
    count = 24 if neighbors <= 10 else len(centers)
    near = torch.cdist(cells.reshape(-1, 2), centers).topk(count, 1, largest=False).indices
    return centers.to(device), near.reshape(len(line), len(line), count).to(device)


def distribution_loss(logits: Tensor, truth: SoftBins, weights: Tensor | None = None) -> Tensor:
    """Mean cross-entropy; with weights, each place counts by the rarity of its nearest bin (equations 2 and 3).

    Args:
        logits: (B, Q, h, w); the loss is quick where channels lie last.
        weights: (Q,), with a mean of 1 over the prior; None counts all places alike.
    """
    return distribution_loss_per_photo(logits, truth, weights).mean()


def distribution_loss_per_photo(logits: Tensor, truth: SoftBins, weights: Tensor | None = None) -> Tensor:
    """The mean of `distribution_loss` over the places of each photograph, (B,)."""
    bins, share = (part.permute(0, 2, 3, 1) for part in truth)
    likely = F.log_softmax(logits.permute(0, 2, 3, 1).float(), -1).gather(-1, bins)
    loss = -(share * likely).sum(-1)
    return (loss if weights is None else loss * weights[bins[..., 0]]).mean((1, 2))


def own_prior(pool: Pool, photographs: int = 1024, size: int = 16) -> Tensor:
    """How often each bin's color occurs in the pool, smoothed as in Zhang 2016: (313,), sums to 1."""
    centers = bin_centers(1.0).to(pool.weights.device)
    total = torch.zeros(len(centers), device=centers.device)
    for _ in range(max(1, photographs // 64)):
        index = pool.draw(64)
        grid = random_view(pool.sizes[index], 1.0).grid(size)
        total += soft_bins(photographs_at(pool, index, grid)[2], centers).sum((0, 2, 3))
    return total / total.sum()


def histogram(truth: SoftBins, bins: int) -> Tensor:
    """How often each bin occurs in each photograph, (B, Q), sums to 1."""
    index, share = truth.bins.flatten(1), truth.share.flatten(1)
    counts = share.new_zeros(len(share), bins).scatter_add_(1, index, share)
    return counts / counts.sum(1, keepdim=True)
