"""The losses of both branches (section 5): chrominance, perceptual, and those of the gate."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from tinct.color.bins import AB_SCALE
from tinct.color.lab_torch import lab_to_rgb
from tinct.networks.layers.efficientnet_lite import EfficientNetLite2

RIGHT = 8.0
"""Distance from the truth, in units of a* b*, below which a carried color is right."""

SATURATED = 20.0
"""Chroma of the truth, in units of a* b*, at which `saturation` adds itself once to a place's weight."""


def smooth_l1(found: Tensor, wanted: Tensor) -> Tensor:
    """0.5 d^2 below one unit of a* b*, d - 0.5 above, summed over both: (B, H, W)."""
    gap = (found.float() - wanted) * AB_SCALE
    return F.smooth_l1_loss(gap, torch.zeros_like(gap), reduction="none").sum(1)


def place_weights(ab: Tensor, saturation: float) -> Tensor:
    """How much each place counts, (B, H, W): more where the truth is colorful, as gray places are many."""
    return 1 + saturation * length(ab)[:, 0] * (AB_SCALE / SATURATED)


def gate_loss(gate: Tensor, colors: Tensor, ab: Tensor) -> Tensor:
    """Cross-entropy of the gate with whether the carried color is right, (B,).

    Args:
        gate: logits, (B, 1, H, W).
        colors: carried a* b* / 110 on the grid; ab: the truth, at full size.
    """
    grid = colors.shape[-2], colors.shape[-1]
    small = F.adaptive_avg_pool2d(ab, grid)
    right = (length(colors - small) * AB_SCALE < RIGHT).float()
    logits = F.adaptive_avg_pool2d(gate.float(), grid)
    return F.binary_cross_entropy_with_logits(logits, right, reduction="none").mean((1, 2, 3))


def perceptual_loss(backbone: EfficientNetLite2, lightness: Tensor, found: Tensor, wanted: Tensor) -> Tensor:
    """Squared distance of unit features at 1/16 and 1/32 between two colorings, (B,), 0..4.

    Args:
        backbone: EfficientNet-Lite2 for photographs in color, frozen.
        lightness: L*, (B, 1, H, W).
        found, wanted: a* b* / 110.
    """
    with torch.no_grad():
        truth = backbone.color_levels(_rgb(lightness, wanted))
    seen = backbone.color_levels(_rgb(lightness, found))
    return torch.stack([_distance(one, other) for one, other in zip(seen, truth, strict=True)]).sum(0)


def length(maps: Tensor) -> Tensor:
    """Length of each place's vector, (B, 1, H, W) of (B, C, H, W); `Tensor.norm` over channels is slow on CPUs."""
    return (maps.square().sum(1, keepdim=True) + 1e-12).sqrt()


def _rgb(lightness: Tensor, ab: Tensor) -> Tensor:
    return lab_to_rgb(torch.cat([lightness, ab.float() * AB_SCALE], 1))


def _distance(one: Tensor, other: Tensor) -> Tensor:
    one, other = (each.float() / length(each.float()).clamp_min(1e-6) for each in (one, other))
    return (one - other).square().sum(1).mean((1, 2))
