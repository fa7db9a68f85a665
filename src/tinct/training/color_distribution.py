"""The truth as a distribution over the ab bins, and what is minimized against it (Zhang 2016, section 2.2)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from tinct.networks.tinct import AB_SCALE


class SoftBins(NamedTuple):
    """Colors spread over their nearest bins, nearest first: (B, K, h, w) each; the shares sum to 1 over K."""

    bins: Tensor
    share: Tensor


def soft_encoding(ab: Tensor, centers: Tensor, neighbors: int = 5, sigma: float = 5.0) -> SoftBins:
    """Spread each color over its nearest bins by a Gaussian of the distance; as `tinct.color.bins.encode_bins`.

    Args:
        ab: a* b* / 110, (B, 2, h, w).
        centers: of the bins, (Q, 2), in ab units.
        neighbors: how many bins share a color; sigma: of the Gaussian, in ab units.
    """
    points = ab.float().permute(0, 2, 3, 1) * AB_SCALE
    # half precision would round squared distances by tens: more than there is between neighboring bins
    with torch.autocast(ab.device.type, enabled=False):
        squared = points.square().sum(-1, keepdim=True) - 2 * points @ centers.T + centers.square().sum(1)
    nearest = squared.topk(neighbors, -1, largest=False)
    share = torch.softmax(-nearest.values / (2 * sigma**2), -1)
    return SoftBins(nearest.indices.permute(0, 3, 1, 2), share.permute(0, 3, 1, 2))


def distribution_loss(logits: Tensor, truth: SoftBins, weights: Tensor | None = None) -> Tensor:
    """Mean cross-entropy; with weights, each place counts by the rarity of its nearest bin (equations 2 and 3).

    Args:
        logits: (B, Q, h, w).
        weights: (Q,), with a mean of 1 over the prior; None counts all places alike.
    """
    likely = F.log_softmax(logits.float(), 1).gather(1, truth.bins)
    loss = -(truth.share * likely).sum(1)
    return (loss if weights is None else loss * weights[truth.bins[:, 0]]).mean()


def histogram(truth: SoftBins, bins: int) -> Tensor:
    """How often each bin occurs in each photograph, (B, Q), sums to 1."""
    index, share = truth.bins.flatten(1), truth.share.flatten(1)
    counts = share.new_zeros(len(share), bins).scatter_add_(1, index, share)
    return counts / counts.sum(1, keepdim=True)
