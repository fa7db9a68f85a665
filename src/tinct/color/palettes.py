"""Palettes (a few colors and their shares) of photographs, and distances of palettes and of ab histograms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinct.color.bins import AB_BINS, encode_bins
from tinct.errors import ShapeError

Array = NDArray[np.float32]

_CELL = 4.0
"""Side of the Lab cells whose pixels are counted before clustering, so that its time does not grow with the pixels."""

_ROUNDS = 60


def palette(lab: NDArray[np.generic], count: int, seed: int = 0) -> tuple[Array, Array]:
    """The colors that a photograph is made of: weighted k-means in Lab over its color histogram.

    Starts from k-means++ (Arthur and Vassilvitskii, 2007); each cell stands with its own mean color.

    Args:
        lab: CIE Lab, shape (..., 3).
        count: how many colors, 1 or more; fewer come back where the photograph has fewer.
        seed: of the random start.
    Returns:
        Centers in Lab, shape (k, 3), and their shares of the pixels, shape (k,), sum 1; largest first.
    Raises:
        ShapeError: if lab is empty, not finite or not (..., 3), or count is below 1.
    """
    pixels = np.asarray(lab, np.float32)
    if pixels.ndim < 1 or pixels.shape[-1] != 3 or not pixels.size or not np.isfinite(pixels).all():
        raise ShapeError(f"lab has shape {pixels.shape}; it must be (..., 3), finite and not empty.")
    if count < 1:
        raise ShapeError(f"count is {count}; it must be 1 or more colors.")
    colors, weights = _histogram_colors(pixels.reshape(-1, 3))
    centers = _spread_start(colors, weights, min(count, len(colors)), np.random.default_rng(seed))
    centers, shares = _lloyd(colors, weights, centers)
    order = np.argsort(-shares, kind="stable")
    return centers[order].astype(np.float32), shares[order].astype(np.float32)


def palette_distance(
    first: tuple[NDArray[np.generic], NDArray[np.generic]],
    second: tuple[NDArray[np.generic], NDArray[np.generic]],
) -> float:
    """The earth mover's distance: how far, on the average, a pixel's color must move (Rubner et al., 2000).

    Args:
        first, second: centers, shape (k, C), and shares, shape (k,), as `palette` gives them; k may differ.
    Returns:
        The distance in units of the centers (Euclidean Lab, or ab if only these are given), >= 0.
    Raises:
        ShapeError: if the shapes do not fit.
    """
    from scipy.optimize import linprog

    (colors1, shares1), (colors2, shares2) = (_weighted_colors(*each) for each in (first, second))
    if colors1.shape[1] != colors2.shape[1]:
        raise ShapeError(
            f"centers have {colors1.shape[1]} and {colors2.shape[1]} channels; give both the same."
        )
    cost = np.linalg.norm(colors1[:, None] - colors2[None], axis=-1)
    n, m = cost.shape
    leaves = np.kron(np.eye(n), np.ones((1, m)))
    arrives = np.kron(np.ones((1, n)), np.eye(m))
    # one of the n + m sums follows from the others; left in, rounding could make the system infeasible
    solution = linprog(
        cost.ravel(),
        A_eq=np.vstack([leaves, arrives[:-1]]),
        b_eq=np.concatenate([shares1, shares2[:-1]]),
        method="highs",
    )
    return max(float(solution.fun), 0.0)


def ab_histogram(ab: NDArray[np.generic]) -> Array:
    """How often each of the 313 bins occurs, softly (`tinct.color.bins.encode_bins`).

    Args:
        ab: CIE a*, b*, shape (..., 2), not empty.
    Returns:
        Frequencies, shape (313,), float32, which sum to 1.
    """
    index, weight = encode_bins(ab)
    counts = np.bincount(index.ravel(), weight.ravel(), minlength=len(AB_BINS))
    return (counts / counts.sum()).astype(np.float32)


def histogram_distance(first: NDArray[np.generic], second: NDArray[np.generic]) -> float:
    """The Hellinger distance of two distributions over the same bins: 0 equal .. 1 without overlap.

    Raises:
        ShapeError: if the shapes differ.
    """
    p, q = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if p.shape != q.shape:
        raise ShapeError(f"histograms have shapes {p.shape} and {q.shape}; count both over the same bins.")
    difference = np.sqrt(p / p.sum()) - np.sqrt(q / q.sum())
    return float(np.sqrt(0.5 * (difference**2).sum()))


def _histogram_colors(pixels: Array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The mean color of each occupied Lab cell and its share of the pixels."""
    cells = np.floor(pixels / _CELL).astype(np.int64)
    cells -= cells.min(axis=0)
    size = cells.max(axis=0) + 1
    _, index = np.unique(np.ravel_multi_index(tuple(cells.T), tuple(size)), return_inverse=True)
    counts = np.bincount(index).astype(np.float64)
    sums = [np.bincount(index, pixels[:, channel].astype(np.float64)) for channel in range(3)]
    return np.stack(sums, axis=1) / counts[:, None], counts / counts.sum()


def _spread_start(
    colors: NDArray[np.float64], weights: NDArray[np.float64], count: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """k-means++: each further start is drawn by its squared distance from those already taken."""
    chosen = [int(rng.choice(len(colors), p=weights))]
    nearest = ((colors - colors[chosen[0]]) ** 2).sum(axis=1)
    while len(chosen) < count and (chance := nearest * weights).sum() > 0:
        chosen.append(int(rng.choice(len(colors), p=chance / chance.sum())))
        nearest = np.minimum(nearest, ((colors - colors[chosen[-1]]) ** 2).sum(axis=1))
    return colors[chosen]


def _lloyd(
    colors: NDArray[np.float64], weights: NDArray[np.float64], centers: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Assign and average until nothing changes; a center that loses all its colors stays where it is."""
    assigned = np.full(len(colors), -1)
    shares = weights
    for _ in range(_ROUNDS):
        nearest = ((colors[:, None] - centers[None]) ** 2).sum(axis=-1).argmin(axis=1)
        if (nearest == assigned).all():
            break
        assigned = nearest
        shares = np.bincount(assigned, weights, minlength=len(centers)).astype(np.float64)
        for channel in range(3):
            sums = np.bincount(assigned, weights * colors[:, channel], minlength=len(centers))
            centers[:, channel] = np.where(shares > 0, sums / np.maximum(shares, 1e-300), centers[:, channel])
    return centers[shares > 0], shares[shares > 0]


def _weighted_colors(
    centers: NDArray[np.generic], shares: NDArray[np.generic]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    colors: NDArray[np.float64] = np.array(centers, np.float64)
    weights: NDArray[np.float64] = np.array(shares, np.float64)
    if colors.ndim != 2 or weights.shape != colors.shape[:1] or not weights.sum() > 0:
        raise ShapeError(f"centers {colors.shape}, shares {weights.shape} are no palette; want (k, C), (k,).")
    return colors, np.asarray(weights / weights.sum())
