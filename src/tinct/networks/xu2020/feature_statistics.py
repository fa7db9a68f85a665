"""Giving features the statistics of others: AdaIN and WCT, over all places or label by label, on arrays.

The same as `tinct.networks.xu2020.feature_statistics_torch`, which trains, without torch. Features are (C, h, w).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tinct.errors import OptionError

Array = NDArray[np.float32]
Labels = NDArray[np.integer]
Match = Callable[[Array, Array], Array]

MATCHES = ("adain", "wct")
"""Ways to match the statistics of features."""

FEWEST_PLACES = 10
"""A label that covers fewer places of a feature map, in either photograph, has no statistics worth matching."""

EPSILON = 1e-5
"""Added to variances, and, times the greatest of them, the least eigenvalue that WCT whitens."""


def matching(how: str = "adain", alpha: float = 1.0, labels: tuple[Labels, Labels] | None = None) -> Match:
    """The function (content, style) -> content with the style's statistics.

    Args:
        how: "adain" (Huang and Belongie, ICCV 2017) or "wct" (Li et al., NeurIPS 2017).
        alpha: 0 leaves features as they are, 1 matches them fully.
        labels: label maps of content and style, integers (H, W) at any size, to match label by label; a label on
            fewer than `FEWEST_PLACES` places in either keeps what it has.
    Raises:
        OptionError: if `how` is another, or alpha outside 0..1.
    """
    if how not in MATCHES:
        raise OptionError(f"features are matched by {how!r}; choose {' or '.join(MATCHES)}.")
    if not 0 <= alpha <= 1:
        raise OptionError(f"alpha is {alpha:g}; it must be 0 (its own statistics) to 1 (fully matched).")
    one = _adain if how == "adain" else _wct

    def match(content: Array, style: Array) -> Array:
        x, y = content.reshape(len(content), -1), style.reshape(len(style), -1)
        found = one(x, y) if labels is None else _by_label(one, content, style, *labels)
        mixed = x + np.float32(alpha) * (found - x)
        return np.ascontiguousarray(mixed.reshape(content.shape), np.float32)

    return match


def nearest(labels: Labels, height: int, width: int) -> Labels:
    """A label map at another size: at each place the label nearest to its center."""
    rows = ((np.arange(height) + 0.5) * (labels.shape[0] / height)).astype(int)
    columns = ((np.arange(width) + 0.5) * (labels.shape[1] / width)).astype(int)
    return labels[rows[:, None], columns]


def _by_label(
    one: Match, content: Array, style: Array, content_labels: Labels, style_labels: Labels
) -> Array:
    x, y = content.reshape(len(content), -1), style.reshape(len(style), -1)
    here, there = (
        nearest(labels, *features.shape[1:]).ravel()
        for labels, features in ((content_labels, content), (style_labels, style))
    )
    out = x.copy()
    for label in np.unique(here):
        places, source = here == label, there == label
        if min(places.sum(), source.sum()) >= FEWEST_PLACES:
            out[:, places] = one(x[:, places], y[:, source])
    return out


def _adain(content: Array, style: Array) -> Array:
    """sigma(y) (x - mu(x)) / sigma(x) + mu(y), channel by channel of (C, N) and (C, M)."""
    mean, deviation = _moments(content)
    style_mean, style_deviation = _moments(style)
    return (content - mean) * (style_deviation / deviation) + style_mean


def _wct(content: Array, style: Array) -> Array:
    """The style's mean and whole covariance between channels; in double precision, for variances differ much."""
    x, y = content.astype(np.float64), style.astype(np.float64)
    style_mean = y.mean(1, keepdims=True)
    x, y = x - x.mean(1, keepdims=True), y - style_mean
    transform = _power(y @ y.T / y.shape[1], 0.5) @ _power(x @ x.T / x.shape[1], -0.5)
    return np.asarray(transform @ x + style_mean, np.float32)


def _moments(features: Array) -> tuple[Array, Array]:
    mean = features.mean(1, keepdims=True, dtype=np.float64)
    variance = np.square(features - mean).mean(1, keepdims=True)
    return mean.astype(np.float32), np.sqrt(variance + EPSILON).astype(np.float32)


def _power(covariance: NDArray[np.float64], exponent: float) -> NDArray[np.float64]:
    """A power of a covariance over the directions in which there is any variance to speak of."""
    values, vectors = np.linalg.eigh(covariance)
    kept = values > EPSILON * max(values.max(), 1e-12)
    powered = np.where(kept, np.maximum(values, 1e-30) ** exponent, 0.0)
    powers: NDArray[np.float64] = vectors * powered @ vectors.T
    return powers
