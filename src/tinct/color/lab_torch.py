"""sRGB and CIE Lab on tensors, channels first; the same numbers as `tinct.color.lab`."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tinct.color.srgb import RGB_TO_WHITE_XYZ, WHITE_XYZ_TO_RGB

EPSILON, KAPPA = 216 / 24389, 24389 / 27
"""Constants of CIE L* (CIE 15:2004, section 8.2.1): the largest ratio of the linear part, and its slope."""


def linear_rgb(rgb: Tensor) -> Tensor:
    """Undo the sRGB transfer curve (IEC 61966-2-1)."""
    return torch.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055).clamp_min(1e-6) ** 2.4)


def lightness_of_luminance(luminance: Tensor) -> Tensor:
    """CIE L* (0..100) of relative luminance 0..1."""
    return 116 * _compress(luminance) - 16


def rgb_to_lab(rgb: Tensor) -> Tensor:
    """(B, 3, H, W) sRGB 0..1 to L* 0..100, a*, b*; the white point is RGB (1, 1, 1)."""
    x, y, z = _compress(_mixed(RGB_TO_WHITE_XYZ, linear_rgb(rgb.float()))).unbind(1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], 1)


def lab_to_rgb(lab: Tensor) -> Tensor:
    """The way back, clipped to 0..1 (as the papers' figures are measured)."""
    lightness, a, b = lab.float().unbind(1)
    y = (lightness + 16) / 116
    xyz = _expand(torch.stack([y + a / 500, y, y - b / 200], 1))
    linear = _mixed(WHITE_XYZ_TO_RGB, xyz).clamp(0, 1)
    return torch.where(
        linear <= 0.0031308, 12.92 * linear, 1.055 * linear.clamp_min(1e-6) ** (1 / 2.4) - 0.055
    )


def _mixed(matrix: NDArray[np.float64], planes: Tensor) -> Tensor:
    """A 3x3 matrix at every place, in single precision even where products are otherwise halved: colors show it."""
    with torch.autocast(planes.device.type, enabled=False):
        return torch.einsum("cd,bdhw->bchw", planes.new_tensor(matrix), planes)


def _compress(t: Tensor) -> Tensor:
    return torch.where(t > EPSILON, t.clamp_min(1e-6) ** (1 / 3), (KAPPA * t + 16) / 116)


def _expand(f: Tensor) -> Tensor:
    return torch.where(f > 6 / 29, f**3, (116 * f - 16) / KAPPA)
