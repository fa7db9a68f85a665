"""Whether a method does what it is asked: hints that are there and spread, references that help.

These have no published definition; the ones here are stated in full, so that they can be computed elsewhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinct.errors import ShapeError
from tinct.evaluation.metrics.error import l2_ab
from tinct.evaluation.metrics.picture import check_pair
from tinct.hints import HintField

Array = NDArray[np.float32]

# A pixel is asked to change only if it lies this far from the hint's color without hints (ab units, about two
# just noticeable differences of the ab plane).
ASKED_DISTANCE = 5.0

# And it follows if it comes at least half of that way.
FOLLOWED_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class HintReach:
    """How far hints spread beyond themselves.

    Attributes:
        share: pixels outside the hints that follow one, as a share of the photograph's pixels, 0..1.
        radius: radius in pixels of a disc with a hint's mean share of those pixels and of the hints' own.
        connected: of the pixels that follow, the share that a way over such pixels joins to a hint; 1 if none
            does. What is left jumped to other places: the other sleeve, or a stain.
    """

    share: float
    radius: float
    connected: float


def hint_error(lab: Array, hints: HintField) -> float:
    """Mean CIEDE2000 between the result under the hints and the color that was asked for there.

    The color asked for is the hint's hue and chroma at the photograph's lightness, with its chroma reduced to
    what sRGB can show there: a method is not blamed for a yellow that black cannot have.

    Args:
        lab: the result, CIE Lab, shape (H, W, 3).
        hints: at the same size, with at least one pixel.
    Returns:
        0 where every hinted pixel has its color; 2.3 is about just noticeable in a photograph.
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
    """How far hints spread: which pixels moved toward a hint's color, against the same method without hints.

    A pixel outside the hints follows the hint whose color it ends nearest to, if without hints it was 5 or
    more ab units from that color and with them it is at most half as far.

    Args:
        ab: the result with hints, CIE a*, b*, shape (H, W, 2).
        unhinted_ab: the same method's result without any.
        hints: at the same size, with at least one pixel.
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
    """Pixels that came near the color they end nearest to, and were far from it before."""
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
    """How many following pixels hang together with a hint, and how many separate hints there are."""
    import cv2

    areas, label = cv2.connectedComponents((follows | hinted).astype(np.uint8), connectivity=8)
    places = cv2.connectedComponents(hinted.astype(np.uint8), connectivity=8)[0] - 1
    reached = np.zeros(areas, bool)
    reached[label[hinted]] = True
    return int((reached[label] & follows).sum()), places


@dataclass(frozen=True, slots=True)
class ReferenceUse:
    """What a reference did to a result.

    Attributes:
        gain: by how much it came nearer to the truth, in RMS ab units (`l2_ab`); below 0 it went away from
            it, and -gain is what an unrelated reference costs.
        moved: by how much the result changed at all, in the same units; an unrelated reference should give 0.
        direction: cosine of the angle between the change and the way to the truth, -1..1; 0 if nothing
            changed.
    """

    gain: float
    moved: float
    direction: float


def reference_use(ab: Array, unguided_ab: Array, truth_ab: Array) -> ReferenceUse:
    """What a reference did to a result: helped, hurt, or nothing.

    Args:
        ab: the result with the reference, CIE a*, b*, shape (H, W, 2).
        unguided_ab: the same method's result without it (or plain gray, zeros, for a method that needs one).
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
