"""Simulated lightness of old photographs, so that networks work on scans and not only on desaturated color."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from tinct.color.lab_torch import lightness_of_luminance, linear_rgb


def old_lightness(rgb: Tensor, lightness: Tensor) -> Tensor:
    """The lightness of the scene in a simulated old photograph: film response, contrast, faded blacks, blur, grain.

    Args:
        rgb: sRGB, (B, 3, H, W), 0..1.
        lightness: its L*, (B, 1, H, W), 0..100.
    Returns:
        L*, (B, 1, H, W), 0..100; half of the photographs, drawn at random, stay as they are.
    """
    old = torch.where(some(lightness, 0.4), film_lightness(rgb), lightness) / 100
    gamma = _amount(lightness, -0.4, 0.4).exp()
    old = torch.where(some(lightness, 0.5), old.clamp_min(1e-4) ** gamma, old)
    low, high = _amount(lightness, 0, 0.2), _amount(lightness, 0.8, 1)
    old = torch.where(some(lightness, 0.5), low + (high - low) * old, old)
    old = torch.where(some(lightness, 0.3), _soft(old), old)
    noise = torch.randn_like(old)
    grain = torch.where(some(lightness, 0.5), 2 * _soft(noise), noise)
    old = torch.where(some(lightness, 0.4), old + grain * _amount(lightness, 0, 0.06), old)
    return torch.where(some(lightness, 0.5), lightness, old.clamp(0, 1) * 100)


def film_lightness(rgb: Tensor) -> Tensor:
    """L* of a film that sees red, green and blue in random shares: (B, 1, H, W) of (B, 3, H, W)."""
    response = torch.rand(rgb.shape[0], 3, 1, 1, device=rgb.device) + 0.05
    response = response / response.sum(1, keepdim=True)
    return lightness_of_luminance((linear_rgb(rgb) * response).sum(1, keepdim=True))


def relit(lightness: Tensor) -> Tensor:
    """Another light on the same scene: L* (B, 1, H, W) through a random gamma and range."""
    bent = (lightness / 100).clamp_min(1e-4) ** _amount(lightness, -0.35, 0.35).exp()
    low, range_ = _amount(lightness, 0, 0.08), _amount(lightness, 0.85, 1.0)
    return ((low + bent * range_) * 100).clamp(0, 100)


def _amount(like: Tensor, low: float, high: float) -> Tensor:
    """A uniform number for each photograph, (B, 1, 1, 1)."""
    return torch.rand(like.shape[0], 1, 1, 1, device=like.device) * (high - low) + low


def some(like: Tensor, share: float) -> Tensor:
    """True for a random share of the photographs, (B, 1, 1, 1)."""
    return torch.rand(like.shape[0], 1, 1, 1, device=like.device) < share


def _soft(image: Tensor) -> Tensor:
    """Means of 3x3 pixels."""
    return F.avg_pool2d(F.pad(image, (1, 1, 1, 1), mode="replicate"), 3, 1)
