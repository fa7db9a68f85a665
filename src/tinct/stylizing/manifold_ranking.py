"""PhotoWCT's smoothing: a picture's colors become smooth wherever the photograph's own colors are.

Source: Li, Liu, Li, Yang, Kautz, "A closed-form solution to photorealistic image stylization", ECCV 2018, section 3.2:
pixels are ranked on a graph (Zhou et al., "Ranking on data manifolds", NeurIPS 2003) whose weights are the matting
affinity of the photograph (Levin, Lischinski, Weiss, "A closed form solution to natural image matting", CVPR 2006). The
code is written from these formulas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tinct.errors import ShapeError

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Array = NDArray[np.float32]
Double = NDArray[np.float64]

ALPHA = 0.9999
"""Share of the graph against the picture itself, 0..1: 1 / (1 + lambda) of the paper."""

EPSILON = 1e-7
"""Variance of the guide, on a scale of 0..1, that a window has at least; it is divided by the window's pixels."""

SIDE = 3
"""Side of the windows in pixels."""

TOLERANCE = 1e-4
"""Relative residual at which the conjugate gradients stop; of colors it leaves less than a step of 8 bits."""

MOST_ITERATIONS = 2000
"""Upper bound of the number of iterations."""


def smoothed(picture: Array, guide: Array, alpha: float = ALPHA) -> Array:
    """Smooth a picture along the guide.

    The paper's closed form, R = (1 - α) (I - αS)⁻¹ Y with S = D^-1/2 W D^-1/2, for R and Y times the root of D: D is 9
    within the photograph and less on its border, where without that factor a constant picture would darken.

    Args:
        picture: Y, shape (H, W, C), any scale.
        guide: the photograph, shape (H, W, G), 0..1: sRGB, or lightness alone.
        alpha: see `ALPHA`; 0 leaves the picture as it is.
    Returns:
        R, of the picture's shape.
    Raises:
        ShapeError: if guide and picture differ in size, or are smaller than 3 x 3.
    """
    if guide.shape[:2] != picture.shape[:2]:
        raise ShapeError(
            f"the picture is {picture.shape[:2]}, the guide {guide.shape[:2]}; they must be equal."
        )
    affinity = matting_affinity(guide)
    degree = np.asarray(affinity.sum(axis=1)).ravel()
    return _solved(affinity, degree, picture, alpha)


def matting_affinity(guide: Array, epsilon: float = EPSILON) -> csr_matrix:
    """W: how much alike two pixels of a window are, summed over the windows that hold both.

    Within a window k of mean μ and covariance Σ, w_ij = (1 + (I_i - μ)ᵀ (Σ + ε/9)⁻¹ (I_j - μ)) / 9. A window's weights
    of one pixel sum to 1, so a row's sum is the number of windows that hold the pixel.

    Args:
        guide: I, shape (H, W, G), 0..1.
        epsilon: ε.
    Returns:
        Shape (H·W, H·W), pixels in row-major order; symmetric; some entries are negative.
    Raises:
        ShapeError: if the guide is smaller than a window.
    """
    height, width = guide.shape[:2]
    if min(height, width) < SIDE:
        raise ShapeError(f"the guide is {height}x{width}; at least {SIDE}x{SIDE} is wanted.")
    weight = _window_weights(np.asarray(guide, np.float64), epsilon)
    reach = 2 * SIDE - 1
    planes = np.zeros((reach, reach, height, width))
    places = [(y, x) for y in range(SIDE) for x in range(SIDE)]
    for i, (y, x) in enumerate(places):
        within = np.s_[y : height - SIDE + 1 + y, x : width - SIDE + 1 + x]
        for j, (to_y, to_x) in enumerate(places):
            planes[to_y - y + SIDE - 1, to_x - x + SIDE - 1][within] += weight[..., i, j]
    return _as_rows(planes)


def _window_weights(guide: Double, epsilon: float) -> Double:
    """w_ij of the windows that lie within, by their upper left pixels: (H - 2, W - 2, 9, 9)."""
    windows = np.lib.stride_tricks.sliding_window_view(guide, (SIDE, SIDE), axis=(0, 1))
    colors = np.moveaxis(windows, 2, -1).reshape(*windows.shape[:2], SIDE * SIDE, -1)
    apart = colors - colors.mean(axis=2, keepdims=True)
    across = apart.swapaxes(-1, -2)
    covariance = (across @ apart + np.eye(guide.shape[2]) * epsilon) / SIDE**2
    return (1 + apart @ np.linalg.solve(covariance, across)) / SIDE**2


def _as_rows(planes: Double) -> csr_matrix:
    """A sparse matrix from the weights of each pixel's neighbors, by their places from it, (5, 5, H, W)."""
    from scipy.sparse import csr_matrix

    reach, _, height, width = planes.shape
    y, x = np.mgrid[:height, :width]
    offset = np.arange(reach) - reach // 2
    rows, columns = y[..., None, None] + offset[:, None], x[..., None, None] + offset
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    first = np.concatenate([[0], np.cumsum(inside.sum(axis=(2, 3)).ravel())])
    parts = planes.transpose(2, 3, 0, 1)[inside], (rows * width + columns)[inside], first
    return csr_matrix(parts, shape=(height * width, height * width))


def _solved(affinity: csr_matrix, degree: Double, picture: Array, alpha: float) -> Array:
    """(D - αW) R = (1 - α) D Y, channel by channel, by conjugate gradients from Y."""
    from scipy.sparse import diags
    from scipy.sparse.linalg import cg

    system = (diags(degree) - alpha * affinity).tocsr()
    scale = diags(1 / system.diagonal())
    wanted = np.asarray(picture, np.float64).reshape(len(degree), -1)
    found = np.empty_like(wanted)
    for k, channel in enumerate(wanted.T):
        target = (1 - alpha) * degree * channel
        found[:, k], _ = cg(system, target, channel, rtol=TOLERANCE, maxiter=MOST_ITERATIONS, M=scale)
    return found.reshape(picture.shape).astype(np.float32)
