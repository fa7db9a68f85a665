"""Zhang 2017 as methods: local hints, a distribution that suggests colors, and global hints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinct.color.bins import AB_BINS, encode_bins
from tinct.color.gamut import merge_lightness
from tinct.hints import HintField
from tinct.methods.automatic import (
    BIN_STRIDE,
    UNKNOWN_CONFIDENCE,
    Features,
    Matched,
    Suggesting,
    hint_influence,
)
from tinct.methods.classical.levin import pin_hints
from tinct.methods.distribution import alternative
from tinct.methods.method import Prediction, Reference, WeighedReference
from tinct.networks.zhang2017.card import PAPER

Array = NDArray[np.float32]

NEIGHBORS, SIGMA = 10, 5.0
"""Of the soft encoding of global histograms, as in training."""


@dataclass(frozen=True)
class LocalHints(Suggesting):
    """The local-hints network, which regresses one color from lightness and hints together."""

    honors_hints = True

    def encode(self, lightness: Array) -> Features:
        """The photograph unchanged: the network runs when hints are known."""
        return Features(lightness)

    def match(self, features: Features, recalled: dict[str, Array], hints: HintField) -> Matched:
        """Run the network on a photograph and its hints."""
        return Matched(features.lightness, hints, self.run(features.lightness, hints, **recalled))

    def decode(self, matched: Matched, *, seed: int = 0) -> Prediction:
        """Predict chroma; a seed above 0 asks for another plausible answer."""
        output, size = matched.output, matched.lightness.shape
        ab = output.resized("ab", size)
        if seed:
            ab += output.enlarged(alternative(self.distribution(matched), seed), size)
        sure = np.maximum(hint_influence(matched.lightness, matched.hints), np.float32(UNKNOWN_CONFIDENCE))
        return Prediction(pin_hints(ab, matched.hints), sure)


@dataclass(frozen=True)
class GlobalHints(LocalHints):
    """The global-hints network: local hints, and a reference's ab histogram and mean saturation."""

    uses_references = True

    def encode_reference(self, reference: Reference) -> Array:
        """A reference's ab histogram, 1, mean saturation and 1, shape (316,)."""
        return np.concatenate([histogram(reference.ab), [1, mean_saturation(reference), 1]])

    def recall(self, features: Features, references: Sequence[WeighedReference]) -> dict[str, Array]:
        """The network's further input: the global hints of its references."""
        return {"global_hints": global_hints(references)[None]}


def global_hints(references: Sequence[WeighedReference]) -> Array:
    """The mean of references' global hints by their weights, shape (316,); zeros where none counts."""
    given = [reference for reference in references if reference.weight > 0]
    if not given:
        return np.zeros(len(AB_BINS) + 3, np.float32)
    each = [one.found for one in given]
    return np.average(each, axis=0, weights=[one.weight for one in given]).astype(np.float32)


def histogram(ab: Array) -> Array:
    """The soft-encoded ab histogram of a photograph (H, W, 2) at 1/4 of its size, (313,), whose sum is 1."""
    import cv2

    size = (max(ab.shape[1] // BIN_STRIDE, 1), max(ab.shape[0] // BIN_STRIDE, 1))
    small = np.asarray(cv2.resize(np.ascontiguousarray(ab), size, interpolation=cv2.INTER_AREA))
    index, share = encode_bins(small.reshape(-1, 2), NEIGHBORS, SIGMA)
    counted = np.bincount(index.ravel(), share.ravel(), len(AB_BINS))
    return np.asarray(counted / counted.sum(), np.float32)


def mean_saturation(reference: Reference) -> float:
    """Mean saturation of HSV (Smith 1978), 0..1."""
    rgb = merge_lightness(reference.lightness, reference.ab)
    highest, lowest = rgb.max(-1), rgb.min(-1)
    return float(((highest - lowest) / np.maximum(highest, 1e-6)).mean())


ZHANG2017 = LocalHints(
    name="zhang2017",
    summary="by itself and from hints, and suggests colors: the local-hints network",
    source=PAPER,
)
"""The method of the local-hints network."""

ZHANG2017_GLOBAL = GlobalHints(
    name="zhang2017-global",
    summary="the same, and takes a reference's color histogram and saturation on the whole",
    source=PAPER,
)
"""The method of the global-hints network."""
