"""Values spread from some pixels to all others, along flat lightness and not across its edges.

Source: Levin, Lischinski, Weiss, "Colorization using optimization", ACM Transactions on Graphics 23(3),
2004. Every pixel takes the weighted mean of its eight neighbors, and a neighbor weighs the more the closer
its lightness is. That is one sparse linear system, I - W, with the known pixels as boundary values. Small
photographs are solved directly, large ones by BiCGSTAB under algebraic multigrid, never densely.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tinct.errors import ShapeError

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Array = NDArray[np.float32]

# Constants of the authors' implementation: the window's variance is scaled by 0.6, and widened until the
# neighbor closest in lightness weighs at least 0.01, so that an outlying pixel still follows somebody.
VARIANCE_SCALE = 0.6
LEAST_BEST_WEIGHT = 0.01
# One L* of noise is not an edge. The authors' floor (variance 2e-6 on a 0..1 scale) is 0.14 L*, below the
# steps of 8 bits.
NOISE_LIGHTNESS = 1.0
# A region cut off by weights that underflow would make the system singular.
LEAST_WEIGHT = 1e-5

# Up to about this many unknowns a direct solve of all fields is faster than multigrid, and its factors
# still small.
DIRECT_LIMIT = 300_000
MULTIGRID_TOLERANCE = 1e-4
MULTIGRID_ITERATIONS = 200

NEIGHBORS = tuple((dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0))


def propagation_weights(lightness: Array) -> csr_matrix:
    """Weigh each pixel's neighbors by how close their lightness is (Levin 2004, equation 2).

    Args:
        lightness: CIE L*, shape (H, W), 0..100.
    Returns:
        W, shape (H·W, H·W), pixels in row-major order: at most eight entries a row, positive, summing to 1.
        Row r holds exp(-(L(r) - L(s))² / σ²(r)) before normalization, σ² from the variance of the 3×3
        window around r. A single pixel has no neighbor: its W is 0.
    Raises:
        ShapeError: if lightness has not two axes, or no pixels.
    """
    from scipy.sparse import csr_matrix

    if lightness.ndim != 2 or not lightness.size:
        raise ShapeError(f"lightness is {lightness.shape}; give (H, W), one pixel at least.")
    if lightness.size == 1:
        return csr_matrix((1, 1))
    height, width = lightness.shape
    difference, inside = _neighbor_differences(lightness)
    weight = np.exp(-(difference**2) / _tolerated_variance(difference, inside))
    weight = np.where(inside, np.maximum(weight, LEAST_WEIGHT), 0)
    weight /= weight.sum(axis=-1, keepdims=True)
    offset = np.array([dy * width + dx for dy, dx in NEIGHBORS], np.int32)
    column = np.arange(height * width, dtype=np.int32).reshape(height, width, 1) + offset
    first = np.concatenate([[0], np.cumsum(inside.sum(axis=-1, dtype=np.int32))])
    shape = (height * width, height * width)
    return csr_matrix((weight[inside].astype(np.float64), column[inside], first), shape=shape)


def _neighbor_differences(lightness: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Differences to the eight neighbors, (H, W, 8), and which of these neighbors exist."""
    height, width = lightness.shape
    padded = np.pad(np.asarray(lightness, np.float32), 1, mode="edge")
    exists = np.pad(np.ones((height, width), bool), 1)
    difference = np.empty((height, width, len(NEIGHBORS)), np.float32)
    inside = np.empty((height, width, len(NEIGHBORS)), bool)
    for k, (dy, dx) in enumerate(NEIGHBORS):
        window = np.s_[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]
        difference[..., k] = padded[window] - lightness
        inside[..., k] = exists[window]
    return difference, inside


def _tolerated_variance(difference: Array, inside: NDArray[np.bool_]) -> Array:
    """σ² of each pixel's weights, (H, W, 1): the 3×3 variance, within the bounds named at the top."""
    count = 1 + inside.sum(axis=-1, keepdims=True)
    present = np.where(inside, difference, 0)
    mean = present.sum(axis=-1, keepdims=True) / count
    variance = (present**2).sum(axis=-1, keepdims=True) / count - mean**2
    closest = np.where(inside, difference**2, np.inf).min(axis=-1, keepdims=True)
    tolerated = np.maximum(VARIANCE_SCALE * variance, closest / -np.log(LEAST_BEST_WEIGHT))
    return np.asarray(np.maximum(tolerated, NOISE_LIGHTNESS**2), np.float32)


def propagate(
    weights: csr_matrix, known: NDArray[np.bool_], values: Array, screening: Array | None = None
) -> Array:
    """Solve ((1 + S) I - W) u = 0 off the known pixels, with u given on them.

    Args:
        weights: W from `propagation_weights`, N = H·W pixels.
        known: shape (N,), True where values are given; at least one unless nothing is asked.
        values: shape (N, K): K fields at once; only the rows that are known count.
        screening: S, shape (N,), at least 0: pulls u to 0 with the distance from the known; None is no pull.
    Returns:
        u, shape (N, K), float32, equal to the values where known; 0 everywhere if nothing is known. Each
        field stays within the range of its known values (and 0, where screened).
    """
    from scipy.sparse import identity

    u = np.zeros(values.shape, np.float32)
    u[known] = values[known]
    free, fixed = np.flatnonzero(~known), np.flatnonzero(known)
    if not len(free) or not len(fixed):
        return u
    rows = weights[free]
    system = identity(len(free), format="csr") - rows[:, free]
    if screening is not None:
        system.setdiag(1 + np.asarray(screening, np.float64)[free])
    boundary = rows[:, fixed] @ values[fixed].astype(np.float64)
    solve = _solve_directly if len(free) <= DIRECT_LIMIT else _solve_by_multigrid
    low, high = np.minimum(values[fixed].min(axis=0), 0), np.maximum(values[fixed].max(axis=0), 0)
    # The maximum principle: what rounding leaves outside the known values' range is not color anybody asked
    # for.
    u[free] = np.clip(solve(system, boundary), low, high)
    return u


def _solve_directly(system: csr_matrix, boundary: NDArray[np.float64]) -> NDArray[np.float64]:
    """Factorize in single precision, which takes two thirds of the time, and refine in double."""
    from scipy.sparse.linalg import splu

    # The system is diagonally dominant: no pivoting is needed, so that the ordering may stay symmetric.
    factors = splu(
        system.tocsc().astype(np.float32),
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )
    solution = factors.solve(boundary.astype(np.float32)).astype(np.float64)
    for _ in range(2):
        residual = boundary - system @ solution
        solution += factors.solve(residual.astype(np.float32))
    return np.asarray(solution)


def _solve_by_multigrid(system: csr_matrix, boundary: NDArray[np.float64]) -> NDArray[np.float64]:
    """BiCGSTAB under one V-cycle of smoothed aggregation an iteration: I - W is an unsymmetric M-matrix."""
    from pyamg import smoothed_aggregation_solver

    # Measured on 512x512: strength 0 needs half the iterations of Ruge-Stueben at a third of its operator
    # complexity.
    hierarchy = smoothed_aggregation_solver(
        system,
        symmetry="nonsymmetric",
        strength=("symmetric", {"theta": 0.0}),
        smooth=("jacobi", {"omega": 4 / 3, "degree": 1}),
        presmoother=("gauss_seidel", {"sweep": "forward"}),
        postsmoother=("gauss_seidel", {"sweep": "backward"}),
        max_coarse=300,
    )
    columns = [
        hierarchy.solve(column, tol=MULTIGRID_TOLERANCE, accel="bicgstab", maxiter=MULTIGRID_ITERATIONS)
        if column.any()
        else np.zeros_like(column)
        for column in boundary.T
    ]
    return np.stack(columns, axis=1)
