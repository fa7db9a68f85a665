"""Giving one photograph's features the statistics of another's: AdaIN, WCT, over all places or label by label.

The twin on tensors, for training, of `tinct.networks.xu2020.feature_statistics`, which runs without torch.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from tinct.errors import OptionError
from tinct.networks.xu2020.feature_statistics import EPSILON, FEWEST_PLACES

Match = Callable[[Tensor, Tensor], Tensor]


def adain(content: Tensor, style: Tensor) -> Tensor:
    """Adaptive instance normalization: sigma(y) (x - mu(x)) / sigma(x) + mu(y), channel by channel.

    Args:
        content, style: features (B, C, h, w); heights and widths may differ.
    Returns:
        (B, C, h, w) with the style's mean and standard deviation in each channel of each photograph. A channel
        that is constant becomes the style's mean.
    Source: Huang and Belongie, Arbitrary Style Transfer in Real-Time with AdaIN, ICCV 2017, equation 8.
    """
    mean, deviation = _moments(content)
    style_mean, style_deviation = _moments(style)
    return (content - mean) / deviation * style_deviation + style_mean


def wct(content: Tensor, style: Tensor) -> Tensor:
    """Whitening and coloring transform: the style's mean and whole covariance between channels.

    Singular values come from the eigendecomposition, which for a covariance is the same; in double precision,
    for their spread is wide.

    Args:
        content, style: features (B, C, h, w); heights and widths may differ.
    Source: Li et al., Universal Style Transfer via Feature Transforms, NeurIPS 2017, equations 2 and 3.
    """
    pairs = zip(content.flatten(2), style.flatten(2), strict=True)
    return torch.stack([_whitened_and_colored(x, y) for x, y in pairs]).reshape(content.shape)


def adain_by_label(content: Tensor, style: Tensor, content_labels: Tensor, style_labels: Tensor) -> Tensor:
    """AdaIN with a mean and deviation for each label.

    Args:
        content, style: features (B, C, h, w).
        content_labels, style_labels: integers (B, H, W) at any size; the nearest is taken.
    Returns:
        (B, C, h, w). Labels on fewer than `FEWEST_PLACES` places in either photograph keep what they have, as in
        Li et al., A Closed-form Solution to Photorealistic Image Stylization, ECCV 2018.
    """
    masks, style_masks = _masks(content, content_labels, style, style_labels)
    mean, deviation, many = _moments_under(content, masks)
    style_mean, style_deviation, style_many = _moments_under(style, style_masks)
    scale = style_deviation / deviation
    shift = style_mean - mean * scale
    both = (many & style_many).to(masks.dtype)[:, None]
    # one scale and one shift for each place: those of its label, or none at all
    scale, shift = (scale * both) @ masks + (1 - both) @ masks, (shift * both) @ masks
    return (content.flatten(2) * scale + shift).reshape(content.shape)


def wct_by_label(content: Tensor, style: Tensor, content_labels: Tensor, style_labels: Tensor) -> Tensor:
    """WCT with a mean and covariance for each label; arguments and exceptions as in `adain_by_label`."""
    masks, style_masks = _masks(content, content_labels, style, style_labels)
    out = content.flatten(2).clone()
    for row, here, source, there in zip(out, masks.bool(), style.flatten(2), style_masks.bool(), strict=True):
        for places, style_places in zip(here, there, strict=True):
            if min(int(places.sum()), int(style_places.sum())) >= FEWEST_PLACES:
                row[:, places] = _whitened_and_colored(row[:, places], source[:, style_places])
    return out.reshape(content.shape)


def matching(how: str, content_labels: Tensor | None = None, style_labels: Tensor | None = None) -> Match:
    """The function (content, style) -> content with the style's statistics.

    Args:
        how: "adain" or "wct".
        content_labels, style_labels: integers (B, H, W), to take statistics per label; both or none.
    Raises:
        OptionError: if `how` is another, or only one photograph has labels.
    """
    if how not in ("adain", "wct"):
        raise OptionError(f"features are matched by {how!r}; choose adain or wct.")
    if (content_labels is None) != (style_labels is None):
        raise OptionError("only one of the two photographs has labels; give both label maps, or none.")
    if content_labels is None or style_labels is None:
        return adain if how == "adain" else wct
    by_label = adain_by_label if how == "adain" else wct_by_label
    return lambda content, style: by_label(content, style, content_labels, style_labels)


def gram_matrix(features: Tensor) -> Tensor:
    """Uncentered covariance of channels over C h w, (B, C, C) of (B, C, h, w).

    Source: Johnson et al., Perceptual Losses for Real-Time Style Transfer, ECCV 2016, equation 3.
    """
    flat = features.flatten(2)
    return flat @ flat.transpose(1, 2) / (flat.shape[1] * flat.shape[2])


def _moments(features: Tensor) -> tuple[Tensor, Tensor]:
    mean = features.mean((2, 3), keepdim=True)
    variance = (features - mean).square().mean((2, 3), keepdim=True)
    return mean, (variance + EPSILON).sqrt()


def _moments_under(features: Tensor, masks: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Means and deviations (B, C, K) of features under masks (B, K, N), and (B, K) whether there are places enough."""
    flat, counts = features.flatten(2), masks.sum(2)
    share = masks.transpose(1, 2) / counts.clamp_min(1)[:, None]
    mean = flat @ share
    variance = (flat - mean @ masks).square() @ share
    return mean, (variance + EPSILON).sqrt(), counts >= FEWEST_PLACES


def _masks(
    content: Tensor, content_labels: Tensor, style: Tensor, style_labels: Tensor
) -> tuple[Tensor, Tensor]:
    """Where each of the K labels of both photographs is, (B, K, h * w), 0 or 1, at the size of the features."""
    known = torch.unique(torch.cat([content_labels.flatten(), style_labels.flatten()]))
    pair = (content, content_labels), (style, style_labels)
    found = (_nearest(labels, features)[:, None] == known[:, None] for features, labels in pair)
    here, there = (masks.to(content.dtype) for masks in found)
    return here, there


def _nearest(labels: Tensor, features: Tensor) -> Tensor:
    """Labels at the size of the features, (B, h * w)."""
    # exact: integers of label maps are far below 2^53
    small = F.interpolate(labels[:, None].double(), size=features.shape[-2:], mode="nearest-exact")
    return small[:, 0].flatten(1).to(labels.dtype)


def _whitened_and_colored(content: Tensor, style: Tensor) -> Tensor:
    """(C, N) features with the mean and covariance of (C, M) others."""
    x, y = content.double(), style.double()
    style_mean = y.mean(1, keepdim=True)
    x, y = x - x.mean(1, keepdim=True), y - style_mean
    white = _power(x @ x.T / x.shape[1], -0.5)
    color = _power(y @ y.T / y.shape[1], 0.5)
    return (color @ (white @ x) + style_mean).to(content.dtype)


def _power(covariance: Tensor, exponent: float) -> Tensor:
    """A power of a covariance over the directions in which there is any variance to speak of."""
    values, vectors = torch.linalg.eigh(covariance)
    kept = values > EPSILON * values.max().clamp_min(1e-12)
    powered = torch.where(kept, values.clamp_min(1e-30) ** exponent, 0.0)
    return vectors * powered @ vectors.T
