"""Yatziv's method: each pixel blends the colors of the strokes that are nearest along its lightness."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tinct.errors import MethodError, ShapeError
from tinct.hints import HintField
from tinct.methods.classical.card import YATZIV
from tinct.methods.classical.intrinsic_distance import NONE, NearestColors, nearest_colors
from tinct.methods.method import Method, Prediction, Reference

Array = NDArray[np.float32]

BLENDING = 2.0
"""b of the weight W(r) = r^-b: 1 blends far, 6 has nearly hard borders, the paper's range as it is cited. Chosen on
training photographs, with `NEAREST` (docs/experiments.md, "Chrominance blending")."""

NEAREST = 5
"""Number of nearest colors that a pixel blends, which bounds the work for any number of strokes."""

SURE_DISTANCE = 25.0
"""Intrinsic distance in L* over which confidence falls to 1 / e."""


class Yatziv(Method):
    """Yatziv's method: chrominance blending by intrinsic distance.

    Source: Yatziv, Sapiro, "Fast image and video colorization using chrominance blending", IEEE Transactions on Image
    Processing 15(5), 2006. Two things differ: a step on flat lightness has a small length (`STEP_COST`), and shortest
    paths are found by Dijkstra's algorithm, n log n, where the paper's queue of buckets is linear in the pixels; both
    are independent of the number of strokes.
    """

    name = "yatziv"
    summary = "blends for each place the colors of the strokes nearest along its lightness"
    source = YATZIV.paper
    needs_hints = True
    uses_references = False
    honors_hints = True
    working_size = 384

    def predict(
        self, lightness: Array, hints: HintField, references: Sequence[Reference], *, seed: int = 0
    ) -> Prediction:
        """Blend the hints' colors over the whole photograph.

        Args:
            lightness: CIE L*, shape (H, W), 0..100.
            hints: at least one hinted pixel, at the same size; pixels of one a*, b* are strokes of one color.
            references: not used.
            seed: not used, the method has no random choices.
        Returns:
            Chroma equal to the hints where they lie. Confidence is 1 at hints and falls with the intrinsic distance.
        Raises:
            MethodError: if there is no hint.
            ShapeError: if lightness and hints differ in size.
        """
        if not hints:
            raise MethodError("yatziv blends hints but got none; add a point or a stroke of color.")
        if hints.mask.shape != lightness.shape:
            raise ShapeError(
                f"hints are {hints.mask.shape} but lightness is {lightness.shape}; "
                "place the hints at the working size."
            )
        known = hints.mask > 0
        colors, label = np.unique(hints.ab[known], axis=0, return_inverse=True)
        labels = np.full(lightness.shape, NONE, np.int64)
        labels[known] = label.ravel()
        near = nearest_colors(lightness, labels, min(NEAREST, len(colors)))
        ab = np.where(known[..., None], hints.ab, blend(near, colors))
        confidence = np.exp(-near.distance[0] / SURE_DISTANCE)
        return Prediction(ab.astype(np.float32), confidence.astype(np.float32))


def blend(near: NearestColors, colors: Array, blending: float = BLENDING) -> Array:
    """The mean of each pixel's nearest colors, weighted by W(r) = r^-b (Yatziv 2006).

    Args:
        near: distances and labels, shape (K, H, W).
        colors: CIE a*, b* by label, shape (N, 2).
        blending: b.
    Returns:
        a*, b*, shape (H, W, 2). At a distance of 0 it is the first label's color.
    """
    # Over the nearest distance, so that no weight overflows; the weights' ratios stay.
    nearest = np.maximum(near.distance[0], np.finfo(np.float32).tiny)
    weight = np.maximum(near.distance / nearest, 1) ** -blending
    weight[1:, near.distance[0] == 0] = 0
    weight[near.label == NONE] = 0
    mixed = np.einsum("khw,khwc->hwc", weight, colors[near.label].astype(np.float64))
    return np.asarray(mixed / weight.sum(axis=0)[..., None], np.float32)
