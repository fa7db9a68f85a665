"""Fréchet distance between two sets of pictures, from the features of a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinct.errors import ShapeError

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Gaussian:
    """Mean, shape (D,), and covariance, shape (D, D), of the features of `count` pictures."""

    mean: Array
    covariance: Array
    count: int


def gaussian(features: NDArray[Any]) -> Gaussian:
    """Fit a Gaussian to features.

    Args:
        features: shape (N, D), one picture a row, N >= 2.
    Returns:
        Mean and unbiased covariance (divisor N - 1), as in the reference implementation of FID.
    Raises:
        ShapeError: if there are fewer than two rows or a value is not finite.
    """
    features = np.asarray(features, np.float64)
    if features.ndim != 2 or len(features) < 2:
        raise ShapeError(
            f"features have shape {features.shape}; (pictures, figures) with two or more is wanted."
        )
    if not np.isfinite(features).all():
        raise ShapeError(
            "features hold NaN or infinity; finite figures are wanted; look at the network's input."
        )
    mean = features.mean(0)
    centered = features - mean
    return Gaussian(mean, centered.T @ centered / (len(features) - 1), len(features))


def frechet_distance(first: Gaussian, second: Gaussian) -> float:
    """Squared Fréchet distance of two Gaussians: ||m1 - m2||^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)).

    Source: Dowson & Landau 1982; with Inception's features the distance is FID, Heusel et al. 2017. The trace of the
    root is the sum of the roots of the eigenvalues of the symmetric C1^(1/2) C2 C1^(1/2): no complex square root
    arises, and no constant needs to be added to the diagonals where there are fewer pictures than features.

    Returns:
        >= 0. Few pictures bias the distance upwards: compare only sets of equal size, and with published values
        only sets of the published size (5,000 or more).
    Raises:
        ShapeError: if the two have different numbers of features.
    """
    if first.mean.shape != second.mean.shape:
        raise ShapeError(
            f"features of {len(first.mean)} and {len(second.mean)} figures; take both from the same network."
        )
    root = _symmetric_root(first.covariance)
    eigenvalues = np.linalg.eigvalsh(root @ second.covariance @ root)
    cross = np.sqrt(np.maximum(eigenvalues, 0)).sum()
    offset = np.square(first.mean - second.mean).sum()
    spread = np.trace(first.covariance) + np.trace(second.covariance) - 2 * cross
    return max(float(offset + spread), 0.0)


def _symmetric_root(matrix: Array) -> Array:
    values, vectors = np.linalg.eigh(matrix)
    root: Array = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    return root
