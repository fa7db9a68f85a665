"""The validation that all trainings share: means over held-out photographs, and how well their colors are met."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from tinct.color.bins import AB_SCALE
from tinct.color.difference import psnr_of
from tinct.color.lab_torch import lab_to_rgb


def mean_over(
    held_out: Tensor, chunk: int, figures: Callable[[Tensor], Mapping[str, float]]
) -> dict[str, float]:
    """Means over held-out photographs.

    Args:
        held_out: indices in the pool.
        chunk: photographs at a time.
        figures: gives means over the photographs of a chunk, by name.
    """
    sums: dict[str, float] = {}
    for index in held_out.split(chunk):
        for name, value in figures(index).items():
            sums[name] = sums.get(name, 0.0) + value * len(index)
    return {name: value / len(held_out) for name, value in sums.items()}


def result_rgb(lightness: Tensor, ab: Tensor) -> Tensor:
    """ab / 110 at any size under full lightness, as 8-bit sRGB values (B, 3, H, W), 0..255."""
    full = F.interpolate(ab.float(), size=lightness.shape[-2:], mode="bilinear", align_corners=False)
    return (lab_to_rgb(torch.cat([lightness, full * AB_SCALE], 1)) * 255).round()


def psnr(lightness: Tensor, ab: Tensor, truth: Tensor) -> float:
    """Mean PSNR of ab / 110 under L* against the truth, both as 8-bit sRGB values 0..255, in dB.

    A photograph's squared error counts as 0.01 at least, so that equal pictures do not make the mean infinite.
    """
    error = (result_rgb(lightness, ab) - truth).square().mean((1, 2, 3)).clamp_min(1e-2)
    return float(psnr_of(error.cpu().numpy()).mean())
