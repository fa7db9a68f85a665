"""Zhang 2017 behind the one protocol: local hints, a distribution that suggests colors, and global hints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tinct.color.bins import AB_BINS, encode_bins
from tinct.color.gamut import merge_lightness
from tinct.hints import HintField
from tinct.methods.automatic import BIN_STRIDE, UNKNOWN_CONFIDENCE, AutomaticDistribution, Seen, reach_of
from tinct.methods.classical.levin import pin_hints
from tinct.methods.distribution import alternative
from tinct.methods.exported import unpadded
from tinct.methods.method import Prediction, Reference
from tinct.networks.zhang2017.card import PAPER

Array = NDArray[np.float32]

NEIGHBORS, SIGMA = 10, 5.0
"""Of the soft encoding of global histograms, as in training."""


@dataclass(frozen=True)
class LocalHints(AutomaticDistribution):
    """The local-hints network: it colors from lightness and hints at once, and regresses one color."""

    honors_hints: ClassVar[bool] = True

    def look(self, lightness: Array, references: Sequence[Reference] = ()) -> Seen:
        """Read a photograph; the network itself runs at each answer."""
        return Seen(lightness, {})

    def answer(self, seen: Seen, hints: HintField, *, seed: int = 0) -> Prediction:
        """Predict chroma for what was seen, with these hints."""
        size = seen.lightness.shape[0], seen.lightness.shape[1]
        padded, found = self.found(seen, hints)
        ab = unpadded(found["ab"][0], padded, size)
        if seed:
            ab += unpadded(alternative(self.distribution(seen, hints), seed), padded, size)
        sure = np.maximum(reach_of(seen.lightness, hints), np.float32(UNKNOWN_CONFIDENCE))
        return Prediction(pin_hints(ab, hints), sure)

    def found(self, seen: Seen, hints: HintField) -> tuple[tuple[int, ...], dict[str, NDArray[Any]]]:
        """The padded size and the network's outputs."""
        return self.run(seen.lightness, hints, **seen.given)


@dataclass(frozen=True)
class GlobalHints(LocalHints):
    """The global-hints network: local hints, and a reference's ab histogram and mean saturation."""

    uses_references: ClassVar[bool] = True

    def look(self, lightness: Array, references: Sequence[Reference] = ()) -> Seen:
        """Read a photograph and what its references' colors are on the whole."""
        return Seen(lightness, {"global_hints": global_hints(references)[None]})


def global_hints(references: Sequence[Reference]) -> Array:
    """What the network takes of references (316,): the ab histogram, 1, mean saturation, 1; zeros without any.

    Several count by their weights.
    """
    given = [reference for reference in references if reference.weight > 0]
    if not given:
        return np.zeros(len(AB_BINS) + 3, np.float32)
    each = [np.concatenate([histogram(one.ab), [1, mean_saturation(one), 1]]) for one in given]
    return np.average(each, axis=0, weights=[one.weight for one in given]).astype(np.float32)


def histogram(ab: Array) -> Array:
    """The soft-encoded ab histogram of a photograph (H, W, 2) at 1/4 of its size, (313,); it sums to 1."""
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

ZHANG2017_GLOBAL = GlobalHints(
    name="zhang2017-global",
    summary="the same, and takes a reference's color histogram and saturation on the whole",
    source=PAPER,
)
