"""Pierre's method: one of several colors chosen for each pixel by a model that couples chroma to luminance."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from tinct.errors import MethodError, ShapeError
from tinct.hints import HintField
from tinct.methods.classical.candidates import Candidates, find_candidates
from tinct.methods.classical.card import PIERRE
from tinct.methods.classical.texture import row_blocks
from tinct.methods.method import Method, Prediction, Reference

Array = NDArray[np.float32]

GAMMA = 25.0
"""The paper's gamma, the coupling of chroma and luminance; dimensionless, as both are on one scale in Lab as in YUV."""
LAMBDA = 0.02
"""The paper's lambda, the weight of fidelity to the candidates against total variation, per unit of Lab."""
TAU = 8.0
"""Primal step size. SIGMA * TAU * 8 < 1, where 8 bounds the squared norm of the discrete gradient (Chambolle and Pock
2011)."""
SIGMA = 0.99 / (8 * TAU)
"""Dual step size."""
RHO = 0.05
"""Step size of the candidates' weights."""

ITERATIONS = 200
"""Upper bound of the number of iterations."""

TOLERANCE = 0.005
"""Mean change of chroma in an iteration below which the iterations stop."""
SAME_COLOR = 12.0
"""Standard deviation, in ab units, of the Gaussian that says how far a candidate agrees with the chosen color."""
CHROMA_RANGE = 128.0
"""Upper bound of the absolute values of a* and b*."""


class Pierre(Method):
    """Pierre's method: candidates from the references, chosen and regularized by coupled total variation.

    Source: Pierre, Aujol, Bugeau, Papadakis, Ta, "Luminance-chrominance model for image colorization", SIAM Journal on
    Imaging Sciences 8(1), 2015. The model and the algorithm are the paper's, in Lab in place of YUV.
    """

    name = "pierre"
    summary = "chooses among a reference's colors while keeping to the photograph's edges"
    source = PIERRE.paper
    needs_reference = True
    working_size = 256

    def predict(
        self, lightness: Array, hints: HintField, references: Sequence[Reference], *, seed: int = 0
    ) -> Prediction:
        """Take colors from the references.

        Args:
            lightness: CIE L*, shape (H, W), 0..100.
            hints: not used; `Colorizer` spreads them over the prediction.
            references: at least one of a weight above 0. A match in a reference of half the weight must be twice as
                near to be taken.
            seed: of the samples of the references.
        Returns:
            Chroma, and confidence from the number of candidates that agree with it and the nearness of their textures.
        Raises:
            MethodError: if there is no reference of a weight above 0.
        """
        used = [reference for reference in references if reference.weight > 0]
        if not used:
            raise MethodError(
                "pierre takes colors from a reference but got none; give one of weight above 0."
            )
        lightness = np.ascontiguousarray(lightness, np.float32)
        candidates = find_candidates(lightness, used, seed)
        chroma, _ = choose(lightness, candidates.ab)
        return Prediction(np.ascontiguousarray(chroma.transpose(1, 2, 0)), _confidence(chroma, candidates))


def choose(
    lightness: Array,
    candidates: Array,
    *,
    gamma: float = GAMMA,
    fidelity: float = LAMBDA,
    iterations: int = ITERATIONS,
    tolerance: float = TOLERANCE,
) -> tuple[Array, Array]:
    """Minimize the luminance-chrominance model by the paper's primal-dual algorithm.

    The model is TV(u) + λ/2 Σ w_i ||u - c_i||², over chroma u within the range of a*, b* and weights w in the
    simplex, where TV(u) = ∫ √(γ|∇L|² + |∇a|² + |∇b|²): edges of chroma cost less where luminance has one. One
    iteration ascends in the dual of TV, descends in w and in u, and extrapolates u.

    Args:
        lightness: CIE L*, shape (H, W).
        candidates: c, CIE a*, b*, shape (C, 2, H, W).
        gamma: coupling with luminance, 0 (none) and up.
        fidelity: λ, per unit of Lab, above 0.
        iterations: at most so many.
        tolerance: mean change of chroma in an iteration at which to stop.
    Returns:
        u, shape (2, H, W), and w, shape (C, H, W).
    Raises:
        ShapeError: if the candidates' size is not the lightness's.
    """
    if candidates.shape[1:] != (2, *lightness.shape):
        raise ShapeError(
            f"candidates are {candidates.shape} but lightness is {lightness.shape}; give (C, 2, H, W)."
        )
    edges = float(np.sqrt(gamma)) * gradient(lightness[None])
    dual = np.zeros((3, 2, *lightness.shape), np.float32)
    weights = np.full((len(candidates), *lightness.shape), 1 / len(candidates), np.float32)
    chroma = blend(weights, candidates)
    ahead = chroma.copy()
    for _ in range(iterations):
        dual[0] += SIGMA * edges[0]
        dual[1:] += SIGMA * gradient(ahead)
        project_to_ball(dual)
        mean = _reweigh(weights, ahead, candidates, RHO * fidelity)
        descent = divergence(dual[1:]) + fidelity * mean
        pulled = np.asarray((chroma + TAU * descent) / (1 + TAU * fidelity), np.float32)
        np.clip(pulled, -CHROMA_RANGE, CHROMA_RANGE, out=pulled)
        ahead = 2 * pulled - chroma
        moved = float(np.abs(pulled - chroma).mean())
        chroma = pulled
        if moved < tolerance:
            break
    return chroma, weights


def _reweigh(weights: Array, chroma: Array, candidates: Array, step: float) -> Array:
    """Descend in the weights, in place, and return the candidates' blend; by blocks of rows that caches hold."""
    mean = np.empty_like(chroma)
    for top, bottom in row_blocks(chroma.shape[1:]):
        near = candidates[:, :, top:bottom]
        block = weights[:, top:bottom] - step * squared_distances(chroma[:, top:bottom], near)
        weights[:, top:bottom] = project_to_simplex(block)
        mean[:, top:bottom] = blend(weights[:, top:bottom], near)
    return mean


def gradient(planes: Array) -> Array:
    """Forward differences, 0 at the far border: (K, H, W) to (K, 2, H, W), rows first."""
    slope = np.zeros((len(planes), 2, *planes.shape[1:]), planes.dtype)
    np.subtract(planes[:, 1:], planes[:, :-1], out=slope[:, 0, :-1])
    np.subtract(planes[:, :, 1:], planes[:, :, :-1], out=slope[:, 1, :, :-1])
    return slope


def divergence(field: Array) -> Array:
    """The negative adjoint of `gradient`: (K, 2, H, W) to (K, H, W)."""
    total = np.zeros((len(field), *field.shape[2:]), field.dtype)
    total[:, :-1] += field[:, 0, :-1]
    total[:, 1:] -= field[:, 0, :-1]
    total[:, :, :-1] += field[:, 1, :, :-1]
    total[:, :, 1:] -= field[:, 1, :, :-1]
    return total


def project_to_ball(dual: Array) -> None:
    """Bring each pixel's vector of the dual, shape (3, 2, H, W), into the unit ball, in place."""
    length = np.sqrt(np.einsum("kdij,kdij->ij", dual, dual))
    dual /= np.maximum(length, 1)


def project_to_simplex(weights: Array) -> Array:
    """The nearest point of the simplex for each pixel's weights, shape (C, H, W).

    Source: Held, Wolfe, Crowder, "Validation of subgradient optimization", Mathematical Programming 6, 1974:
    all weights are lowered by the largest of the means by which the 1, 2, ... C largest exceed a sum of 1.
    """
    largest = list(weights.copy())
    for i, j in _sorting_network(len(weights)):
        lower = np.minimum(largest[i], largest[j])
        np.maximum(largest[i], largest[j], out=largest[i])
        largest[j] = lower
    total = largest[0] - 1
    excess = total.copy()
    for count, plane in enumerate(largest[1:], 2):
        total += plane
        np.maximum(excess, total * np.float32(1 / count), out=excess)
    lowered = weights - excess
    return np.maximum(lowered, 0, out=lowered)


@cache
def _sorting_network(count: int) -> tuple[tuple[int, int], ...]:
    """Which pairs to compare and exchange in turn to sort: whole planes at once, where np.sort would take pixels.

    Source: Batcher, "Sorting networks and their applications", AFIPS 1968: odd-even merging.
    """
    return tuple(
        (i, i + step)
        for run in (2**k for k in range(count.bit_length()))
        for step in (run >> k for k in range(run.bit_length()))
        for start in range(step % run, count - step, 2 * step)
        for i in range(start, min(start + step, count - step))
        if i // (2 * run) == (i + step) // (2 * run)
    )


def squared_distances(chroma: Array, candidates: Array) -> Array:
    """Squared distances of chroma to candidates, ||u - c_i||², shape (C, H, W)."""
    apart = chroma - candidates
    np.square(apart, out=apart)
    return np.asarray(apart[:, 0] + apart[:, 1])


def blend(weights: Array, candidates: Array) -> Array:
    """The weighted sum of candidates, shape (2, H, W)."""
    return np.asarray(np.einsum("cij,ckij->kij", weights, candidates))


def _confidence(chroma: Array, candidates: Candidates) -> Array:
    agrees = np.exp(-squared_distances(chroma, candidates.ab) / (2 * SAME_COLOR**2))
    return np.asarray((agrees * np.exp(-candidates.cost)).mean(axis=0), np.float32)
