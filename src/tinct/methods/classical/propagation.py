"""Propagation of values from some pixels to all others, along flat lightness and not across its edges.

Source: Levin, Lischinski, Weiss, "Colorization using optimization", ACM Transactions on Graphics 23(3), 2004. Every
pixel takes the weighted mean of its eight neighbors, and a neighbor weighs the more the closer its lightness is. The
means are one sparse linear system, I - W, with the known pixels as boundary values. Small photographs are solved
directly, large ones by BiCGSTAB under algebraic multigrid, never densely.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tinct.errors import ShapeError

if TYPE_CHECKING:
    from scipy.sparse import csc_matrix, csr_matrix

Array = NDArray[np.float32]

VARIANCE_SCALE = 0.6
"""Factor on the window's variance, a constant of the authors' implementation."""
LEAST_BEST_WEIGHT = 0.01
"""Least weight of the neighbor closest in lightness, for which the variance is widened, so that an outlying pixel
still follows a neighbor; a constant of the authors' implementation."""
NOISE_LIGHTNESS = 1.0
"""Deviation in L* that is taken as noise and not as an edge. The authors' floor (variance 2e-6 on a 0..1 scale) is
0.14 L*, below a step of 8 bits."""
LEAST_WEIGHT = 1e-5
"""Lower bound of a weight; a region cut off by weights that underflow would make the system singular."""

DIRECT_LIMIT = 300_000
"""Number of unknowns up to which a direct solve of all fields is faster than multigrid and its factors still fit in
memory."""
SMALL_CORRECTION = 1e-3
"""Share of the solution below which a correction is the last, as the next one would be its square."""
MOST_CORRECTIONS = 2
"""Upper bound of the number of corrections of a direct solution."""

SMALLEST_BLOCK = 8
"""Pixels of a block that nested dissection does not divide further."""
MULTIGRID_TOLERANCE = 1e-4
"""Relative residual at which BiCGSTAB stops."""

MULTIGRID_ITERATIONS = 200
"""Upper bound of the number of BiCGSTAB's iterations."""

NEIGHBORS = tuple((dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0))
"""Offsets (rows, columns) of the eight neighbors of a pixel."""


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
    # In double from here on: far from few hints, rows that sum to 1 in single precision only would add up to
    # another color.
    weight = np.where(inside, np.maximum(weight, LEAST_WEIGHT), 0).astype(np.float64)
    weight /= weight.sum(axis=0)
    offset = np.array([dy * width + dx for dy, dx in NEIGHBORS], np.int32)
    column = np.arange(height * width, dtype=np.int32).reshape(height, width, 1) + offset
    first = np.concatenate([[0], np.cumsum(inside.sum(axis=0, dtype=np.int32))])
    shape = (height * width, height * width)
    row_major = inside.transpose(1, 2, 0)
    return csr_matrix((weight.transpose(1, 2, 0)[row_major], column[row_major], first), shape=shape)


def _neighbor_differences(lightness: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Differences to the eight neighbors, (8, H, W), and which of these neighbors exist."""
    height, width = lightness.shape
    padded = np.pad(np.asarray(lightness, np.float32), 1, mode="edge")
    exists = np.pad(np.ones((height, width), bool), 1)
    windows = [np.s_[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width] for dy, dx in NEIGHBORS]
    difference = np.stack([padded[window] - lightness for window in windows])
    return difference, np.stack([exists[window] for window in windows])


def _tolerated_variance(difference: Array, inside: NDArray[np.bool_]) -> Array:
    """σ² of each pixel's weights, (H, W): the 3×3 variance, within the bounds named at the top."""
    count = 1 + inside.sum(axis=0, dtype=np.float32)
    present = np.where(inside, difference, np.float32(0))
    square = present**2
    variance = square.sum(axis=0) / count - (present.sum(axis=0) / count) ** 2
    closest = np.where(inside, square, np.float32(np.inf)).min(axis=0)
    tolerated = np.maximum(VARIANCE_SCALE * variance, closest / -np.log(LEAST_BEST_WEIGHT))
    return np.asarray(np.maximum(tolerated, NOISE_LIGHTNESS**2), np.float32)


def propagate(
    weights: csr_matrix, known: NDArray[np.bool_], values: Array, screening: Array | None = None
) -> Array:
    """Solve ((1 + S) I - W) u = 0 off the known pixels, with u given on them.

    Args:
        weights: W from `propagation_weights`, of the same H × W pixels.
        known: shape (H, W), True where values are given; at least one unless nothing is asked.
        values: shape (H, W, K): K fields at once; only the pixels that are known count.
        screening: S, shape (H, W), at least 0: pulls u to 0 with the distance from the known; None is no
            pull.
    Returns:
        u, shape (H, W, K), float32, equal to the values where known; 0 everywhere if nothing is known. Each
        field stays within the range of its known values (and 0, where screened).
    """
    u = np.where(known[..., None], values, 0).astype(np.float32).reshape(known.size, -1)
    if known.all() or not known.any():
        return u.reshape(values.shape)
    direct = known.size - np.count_nonzero(known) <= DIRECT_LIMIT
    order = nested_dissection(*known.shape) if direct else np.arange(known.size)
    free = order[~known.ravel()[order]]
    system, boundary = _system(weights, free, u, screening)
    found = (_solve_directly if direct else _solve_by_multigrid)(system, boundary)
    # The maximum principle: what rounding leaves outside the known values' range is not color anybody asked
    # for.
    u[free] = np.clip(found, u.min(axis=0), u.max(axis=0))
    return u.reshape(values.shape)


def _system(
    weights: csr_matrix, free: NDArray[np.intp], u: Array, screening: Array | None
) -> tuple[csc_matrix, NDArray[np.float64]]:
    """The equations of the free pixels, in the order given, and their right sides from the known ones' u."""
    from scipy.sparse import csr_matrix, diags

    rows = weights[free]
    rank = np.full(len(u), -1, np.int32)
    rank[free] = np.arange(len(free), dtype=np.int32)
    column = rank[rows.indices]
    inside = column >= 0
    first = np.concatenate([[0], np.cumsum(inside, dtype=np.int32)])[rows.indptr]
    among = csr_matrix((rows.data[inside], column[inside], first), shape=(len(free), len(free)))
    pull = np.zeros(len(free)) if screening is None else screening.ravel()[free].astype(np.float64)
    return diags(1 + pull, format="csc") - among.tocsc(), np.asarray(rows @ u.astype(np.float64))


@lru_cache(maxsize=8)
def nested_dissection(height: int, width: int) -> NDArray[np.intp]:
    """An order of elimination of a grid's pixels that causes little fill-in, as flat indices, shape (H·W,).

    A line of pixels cuts the grid in two halves that only meet through it; each half comes first, in its own such
    order, and the line last.

    Source: George, "Nested dissection of a regular finite element mesh", SIAM Journal on Numerical Analysis 10(2),
    1973.
    """

    def dissect(block: NDArray[np.intp]) -> list[NDArray[np.intp]]:
        if block.size <= SMALLEST_BLOCK:
            return [block.ravel()]
        if block.shape[0] < block.shape[1]:
            block = block.T
        middle = len(block) // 2
        return [*dissect(block[:middle]), *dissect(block[middle + 1 :]), block[middle]]

    order = np.concatenate(dissect(np.arange(height * width).reshape(height, width)))
    order.flags.writeable = False
    return order


def _solve_directly(system: csc_matrix, boundary: NDArray[np.float64]) -> NDArray[np.float64]:
    """Factorize in single precision, which takes two thirds of the time, and refine in double.

    The unknowns come in the order of elimination.
    """
    from scipy.sparse.linalg import splu

    # The system is diagonally dominant: no pivoting is needed, so that the order may stay symmetric. SuperLU's
    # supernodes and panels gain nothing under this order, and its relaxed supernodes (relax 32) were seen to
    # crash where hints enclose pixels.
    factors = splu(
        system.astype(np.float32),
        permc_spec="NATURAL",
        diag_pivot_thresh=0.0,
        relax=1,
        panel_size=1,
        options={"SymmetricMode": True},
    )
    solution = factors.solve(boundary.astype(np.float32)).astype(np.float64)
    for _ in range(MOST_CORRECTIONS):
        residual = boundary - system @ solution
        correction = factors.solve(residual.astype(np.float32))
        solution += correction
        if np.abs(correction).max() <= SMALL_CORRECTION * np.abs(solution).max():
            break
    return np.asarray(solution)


def _solve_by_multigrid(system: csc_matrix, boundary: NDArray[np.float64]) -> NDArray[np.float64]:
    """BiCGSTAB under one V-cycle of smoothed aggregation an iteration: I - W is an unsymmetric M-matrix."""
    from pyamg import smoothed_aggregation_solver

    # Measured on 512x512: strength 0 needs half the iterations of Ruge-Stueben at a third of its operator
    # complexity.
    hierarchy = smoothed_aggregation_solver(
        system.tocsr(),
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
