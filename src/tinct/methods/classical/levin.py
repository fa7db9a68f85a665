"""Levin's method: colors spread from scribbles by optimization, alone or over another method's prediction.

The linear system that spreads colors is in `tinct.methods.classical.propagation`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tinct.errors import MethodError, ShapeError
from tinct.hints import HintField
from tinct.methods.classical.card import LEVIN
from tinct.methods.classical.propagation import propagate, propagation_weights
from tinct.methods.method import Method, Prediction, Reference

Array = NDArray[np.float32]

REACH = 0.18
"""Distance over which a hint acts on a confident prediction, as a share of the longer side. Chosen on COCO objects
(train2017) whose chroma was shifted and which one to three dots should correct, by the overlap of the changed region
with the object. Stopping at edges of the predicted chroma, at edges of lightness beyond what the weights do, or where
a place looks unlike the hinted one, gained nothing."""
FULL_INFLUENCE = 0.25
"""Influence from which on a hint alone decides the color, 0..1."""

DIFFUSIVITY = 0.375
"""Diffusion coefficient of I - W on flat lightness: it equals -0.375 times the Laplacian, since the mean of dx
squared over the eight neighbors is 6/8."""

LEAST_SIDE = 96
"""Shorter side in pixels down to which the reach of hints is computed at half size."""

PIN_SIGMA = 1.5
"""Standard deviation, in working pixels, of the correction that pins a hint's exact color where a method has spread
the hint itself."""

_PIN_REACH = math.ceil(4 * PIN_SIGMA)
"""Pixels from a hint that the correction reaches: OpenCV's kernel for single precision ends there."""


class Levin(Method):
    """Levin's method: scribbles spread by optimization.

    Source: Levin, Lischinski, Weiss, "Colorization using optimization", ACM Transactions on Graphics 23(3), 2004,
    equations 1 and 2, with the weights of the authors' published implementation.
    """

    name = "levin"
    summary = "spreads colored points and strokes until edges of lightness stop them"
    source = LEVIN.paper
    needs_hints = True
    uses_references = False
    honors_hints = True
    working_size = 384

    def predict(
        self, lightness: Array, hints: HintField, references: Sequence[Reference], *, seed: int = 0
    ) -> Prediction:
        """Spread the hints over the whole photograph.

        Args:
            lightness: CIE L*, shape (H, W), 0..100.
            hints: at least one hinted pixel, at the same size.
            references: not used.
            seed: not used, the method has no random choices.
        Returns:
            Chroma equal to the hints where they lie. Confidence is 1 at hints and falls with the distance, slowly
            through flat regions and fast over edges, down to 0 where color only seeped in.
        Raises:
            MethodError: if there is no hint.
            ShapeError: if lightness and hints differ in size.
        """
        if not hints:
            raise MethodError("levin spreads hints but got none; add a point or a stroke of color.")
        _check_sizes(lightness, hints)
        known = _hinted(hints)
        chroma = propagate(propagation_weights(lightness), known, hints.ab)
        return Prediction(chroma, _influence(lightness, known))


def spread_hints(lightness: Array, prediction: Prediction, hints: HintField) -> Prediction:
    """Give hints their exact color and spread them into their surroundings, over a method's prediction.

    The change that a hint makes (its residual against the prediction) spreads as Levin's colors do and fades where the
    prediction is confident and far, or behind an edge of lightness. Where the prediction is not confident, the hint's
    own color takes the place of the changed prediction, and reaches farther; over a prediction of confidence 0 the
    result is exactly that of Levin's method.

    Source: Levin 2004 for the spreading; the fading is the screened form of the same system, (I - W + S) u = 0 with u
    = 1 at hints, whose screening S is the root of the prediction's confidence over the square of the reach.

    Args:
        lightness: CIE L*, shape (H, W), 0..100.
        prediction: chroma and confidence at the same size.
        hints: the user's hints, at the same size; without hints the prediction is returned unchanged.
    Returns:
        Chroma equal to the hints where they lie, and to the prediction far away; confidence raised to 1 at hints.
    Raises:
        ShapeError: if the three differ in size.
    """
    _check_sizes(lightness, hints)
    if prediction.ab.shape != hints.ab.shape or prediction.confidence.shape != hints.mask.shape:
        raise ShapeError(
            f"prediction is {prediction.ab.shape[:2]} but hints are {hints.mask.shape}; "
            "bring both to the working size."
        )
    if not hints:
        return prediction
    influence, color, before = _reach_of_hints(lightness, prediction, hints)
    share = _fade(influence)[..., None]
    sure = np.clip(prediction.confidence, 0, 1)[..., None]
    # Two answers for a place that a hint reaches: the hint's own color, and the prediction changed as at
    # the hint.
    changed = color + sure * (prediction.ab - before)
    ab = share * changed + (1 - share) * prediction.ab
    ab = np.where(hints.mask[..., None] > 0, hints.ab, ab)
    confidence = np.maximum(prediction.confidence, share[..., 0])
    return Prediction(ab.astype(np.float32), confidence.astype(np.float32))


def pin_hints(ab: Array, hints: HintField) -> Array:
    """Correct the remaining error at hints, exactly there and fading within a few working pixels.

    Args:
        ab: CIE a*, b*, shape (H, W, 2), of a method that spreads hints itself.
        hints: at the same size.
    """
    if not hints:
        return ab
    import cv2

    moved = np.array(ab, np.float32, order="C")
    row, column = hints.pixels()
    # What is farther from all hints than the correction reaches stays as it is.
    part = tuple(
        slice(max(each.min() - _PIN_REACH, 0), each.max() + _PIN_REACH + 1) for each in (row, column)
    )
    near = moved[part]
    residual = np.zeros((*near.shape[:2], 3), np.float32)
    wanted, shares = hints.ab[row, column], hints.mask[row, column, None]
    found = np.hstack([(wanted - moved[row, column]) * shares, shares])
    residual[row - part[0].start, column - part[1].start] = found
    blurred = cv2.GaussianBlur(residual, (0, 0), PIN_SIGMA, borderType=cv2.BORDER_REFLECT)
    touched = np.divmod(np.flatnonzero(cv2.extractChannel(blurred, 2) > 0), near.shape[1])
    pull = blurred[touched]
    share = pull[:, 2:]
    weight = np.minimum(share * np.float32(2 * np.pi * PIN_SIGMA**2), 1) / np.maximum(share, 1e-6)
    near[touched] += weight * pull[:, :2]
    moved[row, column] = wanted
    return moved


def _reach_of_hints(lightness: Array, prediction: Prediction, hints: HintField) -> tuple[Array, Array, Array]:
    """How much hints count (H, W), their color and the chroma predicted under them (H, W, 2), spread."""
    known = _hinted(hints)
    ones = np.ones_like(lightness)
    fields = np.dstack([ones, hints.ab, prediction.ab])
    spread = propagate(propagation_weights(lightness), known, fields, _screening(prediction.confidence))
    # Screening pulls all fields to 0 alike: over the first, which was 1, they are weighted means of the
    # hints'.
    mean = spread[..., 1:] / np.maximum(spread[..., :1], 1e-6)
    within = np.clip(mean, fields[known, 1:].min(axis=0), fields[known, 1:].max(axis=0))
    maps = np.asarray(within, np.float32)
    return spread[..., 0], maps[..., :2], maps[..., 2:]


def _influence(lightness: Array, known: NDArray[np.bool_]) -> Array:
    """1 at hints, falling with the distance, shape (H, W); at half size where that still shows what is where."""
    height, width = lightness.shape
    if min(height, width) < 2 * LEAST_SIDE:
        ones = np.ones_like(lightness)
        return propagate(propagation_weights(lightness), known, ones[..., None], _screening(ones))[..., 0]
    import cv2

    half = ((width + 1) // 2, (height + 1) // 2)
    touched = cv2.resize(known.astype(np.float32), half, interpolation=cv2.INTER_AREA) > 0
    smaller = np.asarray(cv2.resize(lightness, half, interpolation=cv2.INTER_AREA), np.float32)
    coarse = _influence(smaller, touched)
    influence = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.where(known, 1, influence), np.float32)


def _hinted(hints: HintField) -> NDArray[np.bool_]:
    return np.asarray(hints.mask > 0)


def _screening(confidence: Array) -> Array:
    """S of ((1 + S) I - W) u = 0: on flat lightness u falls e-fold within the reach where sure."""
    reach = REACH * max(confidence.shape)
    # The root, because methods that are hardly ever sure still hold a photograph together against one click.
    return np.asarray(DIFFUSIVITY * np.sqrt(np.clip(confidence, 0, 1)) / reach**2, np.float32)


def _fade(influence: Array) -> Array:
    """1 where hints rule alone, 0 where they are out of reach, smooth between."""
    t = np.clip(influence / FULL_INFLUENCE, 0, 1)
    return t * t * (3 - 2 * t)


def _check_sizes(lightness: Array, hints: HintField) -> None:
    if hints.mask.shape != lightness.shape or hints.ab.shape != (*lightness.shape, 2):
        raise ShapeError(
            f"hints are {hints.mask.shape} but lightness is {lightness.shape}; "
            "place the hints at the working size."
        )
