"""What vividness adds to the mean answer: the way to what is likely, or more of the chroma that references say."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinct.color.upsampling import EdgeGuide
from tinct.methods.distribution import SURE_SPREAD
from tinct.networks.tinct.memory import block_means
from tinct.networks.tinct.mixing import Decoded

Array = NDArray[np.float32]

VIVID_STRIDE = 8
"""Working pixels to a cell of the annealed mean."""

VIVID_GAIN, DARING_SPREAD = 2.05, 20.0
"""Share of the way from the mean answer to the annealed mean that vividness 1 goes: the first number where the
distribution is narrow, half of that number where the standard deviation is the second, in ab units. Chosen with the two
below on held-out photographs and by eye (docs/experiments.md, "Vividness")."""

CHROMA_TIMES, CHROMA_ABOVE = 2.0, 10.0
"""Bound of the annealed mean's chroma: so many times the mean answer's, plus so many ab units. The bound keeps away
blotches of a color that the mean answer has nothing of."""

COMMON_SHARE, CHROMA_ABOVE_COMMON = 0.9, 2.0
"""Bound of the chroma that vividness 1 reaches: what so large a share of the photograph's cells stays below, plus so
many ab units. A color that is stronger than all others of a photograph, in a small part of it, is more often a spot
than a thing (docs/experiments.md, "Vividness")."""

REFERENCE_GAIN, WHOLE = 2.8, 8
"""Share of its own chroma by which vividness 1 lengthens the mean answer where references have all the attention and
nothing is certain, times the square of the uncertainty; and the power of the share of the attention that references
have in the whole photograph, which is taken from it. Where they have less, the answer is a mean of several colors,
which is dull, and its hue is known; what comes from another view of the same picture is not. Chosen on held-out
photographs (docs/experiments.md, "Vividness")."""


def correction_and_way(
    guide: EdgeGuide, decoded: Decoded, second: Array, share: Array
) -> tuple[Array, Array]:
    """The correction of the mean answer by the second opinion, and the chroma that vividness 1 adds, along edges.

    Args:
        guide: lightness of the photograph, mirrored out to the padded working size, and at 1 / `VIVID_STRIDE` of it.
        decoded: of the photograph.
        second: the branch's mean answer at 1 / `VIVID_STRIDE`, shape (h, w, 2), and its share, shape (h, w, 1).
    Returns:
        Both at the padded working size, shape (H, W, 2).
    """
    import cv2

    own = block_means(decoded.ab, VIVID_STRIDE // 2)
    correction = share * (second - own)
    mean = own + correction
    annealed = np.asarray(decoded.annealed, np.float32)
    bound = CHROMA_TIMES * _norm(mean) + CHROMA_ABOVE
    annealed = annealed * np.minimum(1, bound / np.maximum(_norm(annealed), 1e-3))
    # certainty is 1 / (1 + variance / SURE_SPREAD squared)
    variance = SURE_SPREAD**2 * (1 / np.maximum(np.asarray(decoded.certainty, np.float32), 1e-3) - 1)
    far = (annealed - mean) * (np.float32(VIVID_GAIN) / (1 + variance / DARING_SPREAD**2))
    way = _without_spots(mean, np.asarray(far, np.float32))
    both = guide.along_edges(np.concatenate([correction, way], -1))
    # OpenCV takes the planes apart: NumPy copies pairs of numbers one by one, in ten times as long.
    first, last = np.empty((2, *both.shape[:2], 2), np.float32)
    cv2.mixChannels([both], [first, last], [0, 0, 1, 1, 2, 2, 3, 3])
    return first, last


def _without_spots(mean: Array, way: Array) -> Array:
    """The way from the mean answer, (h, w, 2), as far as chroma stays below the bound that most cells give."""
    own, reached = _norm(mean), _norm(mean + way)
    bound = np.maximum(np.quantile(reached, COMMON_SHARE) + CHROMA_ABOVE_COMMON, own)
    short = (bound - own) / np.maximum(reached - own, 1e-3)
    return np.asarray(way * np.where(reached > bound, np.clip(short, 0, 1), 1), np.float32)


def lengthened(references: Array, certainty: Array) -> Array:
    """Share of its chroma that vividness 1 adds to the mean answer; references' share of attention, certainty: 0..1."""
    gain = REFERENCE_GAIN * (1 - float(references.mean()) ** WHOLE)
    return np.float32(gain) * references * np.square(1 - certainty)


def _norm(ab: Array) -> Array:
    return np.hypot(ab[..., :1], ab[..., 1:])


def in_pairs(image: Array) -> Array:
    """An image (H, W) twice, as factors of a* and b*: (H, W, 2). NumPy repeats numbers in place one by one."""
    import cv2

    return np.asarray(cv2.merge([image, image]), np.float32)
