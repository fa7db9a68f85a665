"""Losses of colors, distributions and labels."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from tinct.color.bins import AB_SCALE, rebalancing_weights
from tinct.training.labels import UNLABELED

BIN_SIGMA = 5.0
"""Of the Gaussian of the soft encoding, in ab units (Zhang 2016, section 2.2)."""


def huber_per_photo(predicted: Tensor, truth: Tensor, delta: float) -> Tensor:
    """Mean Huber loss of each photograph, (B,)."""
    return F.huber_loss(predicted.float(), truth, delta=delta, reduction="none").mean((1, 2, 3))


def log_error(predicted: Tensor, truth: Tensor, floor: float = 2.0 / AB_SCALE) -> Tensor:
    """Log of each photograph's mean squared error, (B,): the PSNR loss of Chen et al. (HINet, CVPRW 2021) in ab.

    `floor` keeps photographs that are already right to that many units (ab / 110) from taking over.
    """
    return torch.log((predicted.float() - truth).square().mean((1, 2, 3)) + floor**2)


def l2(predicted: Tensor, truth: Tensor) -> Tensor:
    """Half the squared distance between colors, its mean over all places (Zhang 2016, equation 1)."""
    return (predicted.float() - truth).square().sum(1).mean() / 2


def soft_bins(ab: Tensor, centers: Tensor) -> Tensor:
    """Soft encoding of ab / 110 (B, 2, h, w) over all of the 313 bins, (B, 313, h, w), for losses over all of them.

    `tinct.training.color_distribution.soft_encoding` gives the nearest bins alone, for losses that gather those.
    Zhang 2016 keeps the five nearest bins; a Gaussian of 5 units on a grid of 10 leaves next to nothing beyond them.
    """
    points = ab.permute(0, 2, 3, 1) * AB_SCALE
    squared = points.square().sum(-1, keepdim=True) - 2 * points @ centers.T + centers.square().sum(1)
    return torch.softmax(-squared / (2 * BIN_SIGMA**2), -1).permute(0, 3, 1, 2)


def rebalanced_cross_entropy(logits: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """Cross-entropy with each place weighted by the rarity of its color (Zhang 2016, equations 2-4)."""
    place = torch.einsum("bqhw,q->bhw", target, weights)
    loss = -(target * F.log_softmax(logits.float(), 1)).sum(1)
    return (loss * place).sum() / place.sum().clamp_min(1e-6)


def color_weights(prior: Tensor, mix: float = 0.5) -> Tensor:
    """`tinct.color.bins.rebalancing_weights` of a prior (Q,), on its device."""
    return torch.from_numpy(rebalancing_weights(prior.double().cpu().numpy(), mix)).to(prior.device)


def soft_label_loss(logits: Tensor, labels: Tensor | None) -> Tensor:
    """Cross-entropy with soft labels; photographs without labels (rows of zeros) do not count."""
    if labels is None:
        return logits.sum() * 0
    known = labels.sum(1)
    loss = -(labels * F.log_softmax(logits.float(), 1)).sum(1)
    return loss.sum() / known.sum().clamp_min(1)


def segment_loss(logits: Tensor, labels: Tensor | None) -> Tensor:
    """Cross-entropy over segment classes; unlabeled places do not count."""
    if labels is None:
        return logits.sum() * 0
    loss = F.cross_entropy(logits.float(), labels, ignore_index=UNLABELED, reduction="sum")
    return loss / (labels != UNLABELED).sum().clamp_min(1)


def one_place_of_four() -> Any:
    """Index of every second row and column, which ones by chance: the distribution's loss costs most."""
    row, column = torch.randint(2, (2,)).tolist()
    return (..., slice(row, None, 2), slice(column, None, 2))


def in_deviations(maps: Tensor) -> Tensor:
    """Maps (B, C, h, w) with each channel in units of its own deviation."""
    maps = maps.float()
    return maps / maps.std((0, 2, 3), keepdim=True).clamp_min(1e-3)


def unexplained(found: Tensor, wanted: Tensor) -> Tensor:
    """Mean squared error over the variance of what is wanted."""
    found, wanted = found.float(), wanted.float()
    variance = (wanted - wanted.mean((0, 2, 3), keepdim=True)).square().mean()
    return F.mse_loss(found, wanted) / variance.clamp_min(1e-8)
