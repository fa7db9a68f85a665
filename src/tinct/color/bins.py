"""The 313 ab bins of Zhang, Isola, Efros: Colorful Image Colorization, ECCV 2016 (section 2.2 and 2.3).

The grid of step 10 over the colors in gamut. The published set is wider than what sRGB reaches (which touches
261 of these cells, and none beside them), and no distance from the gamut separates it from its neighbors, so
it stands here as the authors released it, column by column.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinct.errors import ShapeError

Array = NDArray[np.float32]

STEP = 10
"""Distance of neighboring bins, in units of a* and of b*."""

AB_SCALE = 110.0
"""What networks divide a* and b* by: the bins' farthest coordinate."""

TEMPERATURE = 0.38
"""Softmax temperature of the annealed mean (section 2.3)."""

_COLUMNS = {
    -90: (50, 90),
    -80: (20, 90),
    -70: (0, 90),
    -60: (-20, 90),
    -50: (-30, 100),
    -40: (-40, 100),
    -30: (-50, 100),
    -20: (-50, 100),
    -10: (-60, 100),
    0: (-70, 100),
    10: (-80, 90),
    20: (-80, 90),
    30: (-90, 90),
    40: (-100, 90),
    50: (-100, 80),
    60: (-110, 80),
    70: (-110, 80),
    80: (-110, 70),
    90: (-110, 70),
    100: (-90, 0),
}
"""a*: lowest and highest b*, both included."""

AB_BINS: Array = np.array(
    [(a, b) for a, (low, high) in _COLUMNS.items() for b in range(low, high + 1, STEP)], np.float32
)
"""Centers of the bins, a* b*, shape (313, 2), sorted by a*, then b*: the order of the authors' file."""
AB_BIN_COUNT = len(AB_BINS)
"""Number of bins: 313."""

AB_BINS.setflags(write=False)


def encode_bins(
    ab: NDArray[np.generic], neighbors: int = 5, sigma: float = 5.0
) -> tuple[NDArray[np.int64], Array]:
    """Spread each color over its nearest bins (soft encoding, section 2.2: 5 neighbors, Gaussian of sigma 5).

    Args:
        ab: CIE a*, b*, shape (..., 2).
        neighbors: how many bins share a color, 1..313; 1 is one-hot.
        sigma: width of the Gaussian in units of ab.
    Returns:
        Indices into `AB_BINS`, shape (..., neighbors), nearest first, and their weights, which sum to 1.
    Raises:
        ShapeError: if the last axis is not 2 long or neighbors is out of range.
    """
    from scipy.spatial import cKDTree

    ab = np.asarray(ab, np.float64)
    if ab.ndim < 1 or ab.shape[-1] != 2:
        raise ShapeError(f"ab has shape {ab.shape}; it must be (..., 2); put a*, b* on the last axis.")
    if not 1 <= neighbors <= len(AB_BINS):
        raise ShapeError(f"neighbors is {neighbors}; it must be 1..{len(AB_BINS)}; the papers use 5 and 10.")
    distance, index = cKDTree(AB_BINS).query(ab.reshape(-1, 2), k=list(range(1, neighbors + 1)))
    # relative to the nearest, so that far outside of the grid the weights do not all vanish
    weight = np.exp((distance[:, :1] ** 2 - distance**2) / (2 * sigma**2))
    weight /= weight.sum(axis=1, keepdims=True)
    shape = (*ab.shape[:-1], neighbors)
    return index.reshape(shape).astype(np.int64), weight.reshape(shape).astype(np.float32)


def decode_bins(
    scores: NDArray[np.generic], temperature: float = TEMPERATURE, *, probabilities: bool = False
) -> Array:
    """The annealed mean of a distribution over the bins (section 2.3, equation 5).

    Args:
        scores: shape (..., 313); logits or log-probabilities, or probabilities (they need not sum to 1).
        temperature: 1 is the mean (safe, dull), towards 0 the mode (vivid, patchy); the paper's is 0.38.
        probabilities: True if `scores` holds probabilities, False for log probabilities.
    Returns:
        CIE a*, b*, shape (..., 2), float32.
    Raises:
        ShapeError: if the last axis is not 313 long or the temperature is not positive.
    """
    scores = np.asarray(scores, np.float32)
    if scores.ndim < 1 or scores.shape[-1] != len(AB_BINS):
        raise ShapeError(f"scores have shape {scores.shape}; it must be (..., {len(AB_BINS)}), bins last.")
    if not temperature > 0:
        raise ShapeError(f"temperature is {temperature}; it must be above 0; 0.38 is the paper's.")
    logits = np.log(np.maximum(scores, np.finfo(np.float32).tiny)) if probabilities else scores
    annealed = np.exp((logits - logits.max(axis=-1, keepdims=True)) / np.float32(temperature))
    annealed /= annealed.sum(axis=-1, keepdims=True)
    ab: Array = annealed @ AB_BINS
    return ab


def rebalancing_weights(prior: NDArray[np.generic], lam: float = 0.5) -> Array:
    """How much each bin counts in the loss, so that rare colors are learned (section 2.2, equation 4).

    Args:
        prior: how often each bin occurs, shape (Q,), >= 0; scaled to sum to 1. The paper smooths it first
            with a Gaussian of sigma 5, which counting with `encode_bins` does as well.
        lam: how much of the uniform distribution is mixed in, 0 (inverse of the prior) .. 1 (all equal).
    Returns:
        Weights, shape (Q,), float32, whose mean over the prior is 1.
    Raises:
        ShapeError: if the prior is not a distribution, or lam is out of range.
    """
    share = np.array(prior, np.float64)
    if share.ndim != 1 or not np.isfinite(share).all() or (share < 0).any() or share.sum() <= 0:
        raise ShapeError(f"prior of shape {share.shape} is no distribution; give counts, one a bin.")
    share /= share.sum()
    if not 0 <= lam <= 1 or (lam == 0 and (share == 0).any()):
        raise ShapeError(
            f"lam is {lam}; it must be 0..1, above 0 where a bin never occurs; the paper's is 0.5."
        )
    weights = 1 / ((1 - lam) * share + lam / len(share))
    return (weights / (share * weights).sum()).astype(np.float32)
