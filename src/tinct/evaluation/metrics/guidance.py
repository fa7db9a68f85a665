"""The effect of hints and references: color under hints, reach of hints, gain from a reference.

The field has no published definitions of these metrics; the docstrings state tinct's own in full.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinct.errors import ShapeError
from tinct.evaluation.metrics.error import l2_ab
from tinct.evaluation.photographs.rgb import check_pair
from tinct.hints import HintField

Array = NDArray[np.float32]

ASKED_DISTANCE = 5.0
"""Distance in ab units from a hint's color from which a pixel is asked to change: two just noticeable differences."""

FOLLOWED_SHARE = 0.5
"""Share of the distance from the hint's color that a pixel that follows the hint keeps at most."""


@dataclass(frozen=True, slots=True)
class HintReach:
    """The reach of hints outside themselves.

    Attributes:
        share: pixels outside the hints that follow a hint, as a share of the photograph's pixels, 0..1.
        radius: radius in pixels of a disc whose area is the mean number of pixels, hinted or following, of a hint.
        connected: share of the following pixels that are connected to a hint through following pixels; 1 if no pixel
            follows. The other following pixels are distant places that took the color: the other sleeve, or a stain.
    """

    share: float
    radius: float
    connected: float


def hint_error(lab: Array, hints: HintField) -> float:
    """Mean CIEDE2000 between the result and the hints' colors, over the hinted pixels.

    A hint's color is its hue and chroma at the photograph's lightness, with the chroma reduced to the gamut of sRGB: no
    method can make black yellow.

    Args:
        lab: the result, CIE Lab, shape (H, W, 3).
        hints: hints at the same size, with at least one pixel.
    Returns:
        0 where every hinted pixel has the hint's color; about 2.3 is just noticeable in a photograph.
    Raises:
        ShapeError: if sizes differ or nothing is hinted.
    """
    from tinct.color.difference import ciede2000
    from tinct.color.gamut import fit_gamut

    hinted = _hinted(hints, lab.shape[:2])
    lightness = np.ascontiguousarray(lab[..., 0][hinted])
    wanted = fit_gamut(lightness, np.ascontiguousarray(hints.ab[hinted]))
    asked = np.concatenate([lightness[:, None], wanted], axis=1)
    return float(ciede2000(lab[hinted], asked).mean(dtype=np.float64))


def hint_reach(ab: Array, unhinted_ab: Array, hints: HintField) -> HintReach:
    """The reach of hints: the pixels that moved toward a hint's color, against the same method without hints.

    A pixel outside the hints follows the hint whose color is nearest to the pixel's color in the result, if the pixel's
    color without hints was 5 or more ab units from the hint's color, and the result is at most half as far from it.

    Args:
        ab: the result with hints, CIE a*, b*, shape (H, W, 2).
        unhinted_ab: the same method's result without hints.
        hints: hints at the same size, with at least one pixel.
    Raises:
        ShapeError: if sizes differ or nothing is hinted.
    """
    check_pair(ab, unhinted_ab, channels=2)
    hinted = _hinted(hints, ab.shape[:2])
    follows = _follows(ab, unhinted_ab, np.unique(np.rint(hints.ab[hinted]), axis=0)) & ~hinted
    connected, places = _connected(follows, hinted)
    moved = int(follows.sum())
    area = (moved + int(hinted.sum())) / places
    return HintReach(
        share=moved / follows.size,
        radius=math.sqrt(area / math.pi),
        connected=connected / moved if moved else 1.0,
    )


def _hinted(hints: HintField, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    if hints.mask.shape != shape:
        raise ShapeError(
            f"hints are {hints.mask.shape} but the result is {shape}; place the hints at its size."
        )
    hinted = hints.mask > 0
    if not hinted.any():
        raise ShapeError("the hints mark no pixel; a hint or more is wanted to measure what became of it.")
    return hinted


def _follows(ab: Array, before: Array, colors: Array) -> NDArray[np.bool_]:
    """Pixels that are near to one of the colors, and were far from the same color before."""
    nearest = np.full(ab.shape[:2], np.inf, np.float32)
    distance_before = np.zeros(ab.shape[:2], np.float32)
    for color in colors:
        distance = np.square(ab - color).sum(-1)
        closer = distance < nearest
        nearest[closer] = distance[closer]
        distance_before[closer] = np.square(before[closer] - color).sum(-1)
    asked = distance_before >= ASKED_DISTANCE**2
    return np.asarray(asked & (nearest <= FOLLOWED_SHARE**2 * distance_before))


def _connected(follows: NDArray[np.bool_], hinted: NDArray[np.bool_]) -> tuple[int, int]:
    """Number of following pixels that are connected to a hint, and number of separate hints."""
    import cv2

    areas, label = cv2.connectedComponents((follows | hinted).astype(np.uint8), connectivity=8)
    places = cv2.connectedComponents(hinted.astype(np.uint8), connectivity=8)[0] - 1
    reached = np.zeros(areas, bool)
    reached[label[hinted]] = True
    return int((reached[label] & follows).sum()), places


@dataclass(frozen=True, slots=True)
class ReferenceUse:
    """The effect of a reference on a result.

    Attributes:
        gain: fall of the distance from the truth (`l2_ab`, ab units); negative for a harmful reference, whose cost is
            -gain.
        moved: distance (`l2_ab`, ab units) between the results with and without the reference; 0 is best for an
            unrelated reference.
        direction: cosine of the angle between the change and the way to the truth, -1..1; 0 if nothing changed.
    """

    gain: float
    moved: float
    direction: float


def reference_use(ab: Array, unguided_ab: Array, truth_ab: Array) -> ReferenceUse:
    """Measure the effect of a reference on a result.

    Args:
        ab: the result with the reference, CIE a*, b*, shape (H, W, 2).
        unguided_ab: the same method's result without a reference; zeros for a method that needs a reference.
        truth_ab: the truth.
    Raises:
        ShapeError: if sizes differ.
    """
    check_pair(ab, truth_ab, channels=2)
    check_pair(unguided_ab, truth_ab, channels=2)
    change = (ab - unguided_ab).astype(np.float64).ravel()
    way = (truth_ab - unguided_ab).astype(np.float64).ravel()
    length = np.linalg.norm(change) * np.linalg.norm(way)
    return ReferenceUse(
        gain=l2_ab(unguided_ab, truth_ab) - l2_ab(ab, truth_ab),
        moved=l2_ab(ab, unguided_ab),
        direction=float(change @ way / length) if length > 0 else 0.0,
    )
