"""How alike a photograph and a reference are, and how much of the transferred chroma the refinement is therefore shown.

Both are seen in gray, by conv4_1: each place of the one has a likest place of the other. Likeness is measured as in the
bidirectional matching of He et al., Deep Exemplar-based Colorization, SIGGRAPH 2018; the paper of Xu et al. shows an
eighth of the pixels of every reference.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinct.color.gamut import merge_lightness
from tinct.networks.xu2020 import transfer
from tinct.networks.xu2020.places import PROBABILITY

Array = NDArray[np.float32]

SIDE = 96
"""Height and width, in pixels, of the photographs that are compared."""

LEAST_SHOWN = 0.0025
"""Share of pixels that is shown of a reference that is not alike: at 256 pixels as many as the sparsest in training."""

STRANGE, ALIKE = 0.84, 0.88
"""Likeness from which down a reference is shown least, and up most. On held-out photographs it is 0.78 for strangers,
0.82 for relatives and 0.90 for the photograph itself mirrored; between these two limits a reference costs least
there (docs/experiments.md, "Xu 2020, alive")."""


def described(lightness: Array) -> Array:
    """Unit vectors of conv4_1 of a photograph's lightness, L* (H, W) in 0..100: shape (places, channels)."""
    import cv2

    small = cv2.resize(np.asarray(lightness, np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    gray = merge_lightness(small, np.zeros((SIDE, SIDE, 2), np.float32))
    features = transfer.deepest(gray)[0].reshape(-1, (SIDE // 8) ** 2).T
    return np.asarray(
        features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-6), np.float32
    )


def likeness(one: Array, other: Array) -> float:
    """The mean cosine of each place with its likest place, both ways: 0..1.

    Args:
        one, other: of `described`.
    """
    cosines = one @ other.T
    return float((cosines.max(0).mean() + cosines.max(1).mean()) / 2)


def shown_share(alike: float, trust: float = 1.0) -> float:
    """Share of the transferred chroma's pixels that the refinement is shown.

    Args:
        alike: of `likeness`.
        trust: as of `tinct.methods.Reference`; at 3 any reference is shown as much as the likest.
    """
    fits = np.clip((alike - STRANGE) / (ALIKE - STRANGE), 0, 1)
    followed = np.clip(fits + (trust - 1) / 2, 0, 1)
    return float(LEAST_SHOWN * (PROBABILITY / LEAST_SHOWN) ** followed)
