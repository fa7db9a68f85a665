"""Label maps that a photograph and its reference have in common, for statistics that are matched label by label.

The paper matches features under semantic label maps where these are at hand. Here the places of both photographs are
clustered together, by what EfficientNet-Lite2 sees in gray (the features of `he2018`) and by lightness: a label is then
what is alike in both, and what only one of them has joins the likest label that both have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinct.lazy import lazy
from tinct.methods.exported import at_longer_side, channels_first, exported_network
from tinct.networks.xu2020.feature_statistics import FEWEST_PLACES, Labels

Array = NDArray[np.float32]

FEATURES = "he2018.features"
"""Name of the weights of the network that photographs are seen by."""

SIDE, MULTIPLE = 256, 32
"""Longer side in pixels at which photographs are seen, and what both sides are multiples of."""

COUNT = 16
"""Labels of a photograph and its reference, at most. Chosen, as the weights below, on 48 held-out photographs
(docs/experiments.md, "Xu 2020, alive")."""

LEVELS = {"sixteenth": 1.0, "eighth": 0.5}
"""Levels of the features that places are compared by, and their weights; each channel is taken from its mean over the
photograph, for what is peculiar to whole photographs is not to part their labels, in deviations over both."""

LIGHTNESS, DETAIL = 1 / 25, 0.5
"""Weights of lightness, L* less its mean over the photograph, and of the logarithm of its deviation over 5x5 places."""

PIXELS = 4
"""Pixels, of the photograph as it is seen, to a side of a place."""

SAMPLE, PATIENCE = 4000, 20
"""Places that cluster centers are found by, and the most rounds that this may take."""


@dataclass(frozen=True)
class Seen:
    """A photograph as the features' network sees it.

    Attributes:
        levels: features of `LEVELS`, shape (h, w, channels) each.
        shades: weighted lightness and detail of the places, shape (height, width, 2).
        signature: of the whole photograph, unit length.
    """

    levels: tuple[Array, ...]
    shades: Array
    signature: Array

    @lazy
    def units(self) -> Array:
        """Unit vectors of the places of 1/8 by both levels, each less its mean, shape (places, channels)."""
        import cv2

        height, width = max(level.shape[:2] for level in self.levels)
        parts = []
        for level in self.levels:
            grown = cv2.resize(level - level.mean((0, 1)), (width, height)).reshape(-1, level.shape[2])
            parts.append(grown / np.maximum(np.linalg.norm(grown, axis=1, keepdims=True), 1e-6))
        return np.asarray(np.concatenate(parts, 1) / len(parts) ** 0.5, np.float32)


class CommonLabels(NamedTuple):
    """Label maps of a photograph and of its reference, integers from 0 on, of a shape of their own each.

    Every label is one that both have.
    """

    photograph: Labels
    reference: Labels


def seen(lightness: Array) -> Seen:
    """What the features' network says of a photograph's lightness, L* (H, W) in 0..100.

    Raises:
        WeightsError: if that network is not installed.
    """
    import cv2

    looked_at = at_longer_side(np.asarray(lightness, np.float32), SIDE, MULTIPLE)
    found = exported_network(FEATURES).run(lightness=channels_first(looked_at))
    levels = tuple(
        np.ascontiguousarray(np.asarray(found[name][0], np.float32).transpose(1, 2, 0)) for name in LEVELS
    )
    width, height = looked_at.shape[1] // PIXELS, looked_at.shape[0] // PIXELS
    light, squared = (
        cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA) * LIGHTNESS**power
        for power, plane in ((1, looked_at), (2, looked_at**2))
    )
    mean, mean_square = (cv2.blur(plane, (5, 5), borderType=cv2.BORDER_REFLECT) for plane in (light, squared))
    deviation = np.sqrt(np.maximum(mean_square - mean**2, 0))
    shades = np.stack([light - light.mean(), DETAIL * np.log(deviation + 0.02)], -1)
    return Seen(levels, shades.astype(np.float32), np.asarray(found["signature"][0], np.float32))


def common_labels(photograph: Seen, reference: Seen) -> CommonLabels:
    """Cluster the places of both by k-means; the same for the same photographs.

    Places of clusters that only one of the two has join the nearest cluster that both have. Statistics are matched down
    to places of 1/8 of the working size, of which each cluster needs `FEWEST_PLACES`.
    """
    import cv2

    places = _places(photograph, reference)
    drawn = np.random.default_rng(0).permutation(len(places))[:SAMPLE]
    rule = cv2.TERM_CRITERIA_MAX_ITER + cv2.TERM_CRITERIA_EPS, PATIENCE, 1e-3
    cv2.setRNGSeed(0)
    centers = cv2.kmeans(places[drawn], min(COUNT, len(drawn)), np.empty(0), rule, 1, cv2.KMEANS_PP_CENTERS)[
        2
    ]
    # squared distances, without what all centers have in common
    distances = np.square(centers).sum(1) - 2 * places @ centers.T
    own, other = photograph.shades.shape[:2], reference.shades.shape[:2]
    at, fewest = own[0] * own[1], FEWEST_PLACES * (8 // PIXELS) ** 2
    often = [
        np.bincount(part, minlength=len(centers)) >= fewest for part in np.split(distances.argmin(1), [at])
    ]
    both = np.flatnonzero(np.logical_and(*often))
    labels = (distances[:, both].argmin(1) if len(both) else np.zeros(len(places))).astype(np.int32)
    return CommonLabels(labels[:at].reshape(own), labels[at:].reshape(other))


def _places(photograph: Seen, reference: Seen) -> Array:
    """All places of the one and then of the other as vectors, shape (places, channels)."""
    import cv2

    columns = []
    for number, weight in enumerate(LEVELS.values()):
        both = [each.levels[number] for each in (photograph, reference)]
        channels = both[0].shape[2]
        deviation = np.concatenate([level.reshape(-1, channels) for level in both]).std(0)
        scale = np.float32(weight / np.sqrt(channels)) / np.maximum(deviation, 1e-3)
        grown = [
            cv2.resize((level - level.mean((0, 1))) * scale, each.shades.shape[1::-1]).reshape(-1, channels)
            for each, level in zip((photograph, reference), both, strict=True)
        ]
        columns.append(np.concatenate(grown))
    columns.append(np.concatenate([each.shades.reshape(-1, 2) for each in (photograph, reference)]))
    return np.ascontiguousarray(np.concatenate(columns, 1), np.float32)
