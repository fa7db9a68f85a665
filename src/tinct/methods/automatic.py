"""The papers' networks that color a photograph by themselves, behind the one protocol.

One class for those that answer one color, one for those that answer a distribution over the 313 ab bins; the literals
are beside the networks, in `tinct.networks`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinct.color.bins import AB_BINS, STEP, TEMPERATURE, decode_bins
from tinct.hints import HintField
from tinct.methods.classical.levin import spread_hints
from tinct.methods.distribution import SURE_SPREAD, Distribution, alternative
from tinct.methods.exported import (
    channels_first,
    exported_network,
    hint_planes,
    mirrored,
    unpadded,
)
from tinct.methods.method import EncodedReference, Prediction, Reference, StagedMethod

Array = NDArray[np.float32]

BIN_STRIDE = 4
"""Working pixels to a cell of the distributions of all these networks."""

UNKNOWN_CONFIDENCE = 0.5
"""Of a network that gives one color and does not say how surely."""


@dataclass(frozen=True, slots=True)
class Output:
    """What a network gives for a photograph.

    Attributes:
        padded: height and width of the photograph after padding.
        arrays: the network's outputs, by name.
    """

    padded: tuple[int, ...]
    arrays: dict[str, NDArray[Any]]

    def whole(self, name: str, size: tuple[int, ...]) -> Array:
        """An output at the size of the photograph before padding."""
        return self.enlarged(self.arrays[name][0], size)

    def enlarged(self, image: Array, size: tuple[int, ...]) -> Array:
        """What was computed from an output, (h, w, C), at the size of the photograph before padding."""
        return unpadded(image, self.padded, (size[0], size[1]))


@dataclass(frozen=True, slots=True)
class Features:
    """What is known of a photograph before any hint.

    Attributes:
        lightness: CIE L*, shape (H, W).
        output: what the network gives, where hints do not change it; else None.
    """

    lightness: Array
    output: Output | None = None


@dataclass(slots=True)
class Matched:
    """A photograph with its hints, and what the network gives for both.

    Attributes:
        lightness: CIE L*, shape (H, W).
        hints: at the same size.
        output: what the network gives.
        distribution: None until it was asked for.
    """

    lightness: Array
    hints: HintField
    output: Output
    distribution: Distribution | None = None


@dataclass(frozen=True)
class Automatic(StagedMethod):
    """A network from lightness to chroma.

    Attributes:
        name, summary, source, working_size: as of `tinct.methods.Method`.
        multiple: working sizes are padded to multiples of it.
        network: the exported network, where it has another name than the method.
    """

    name: str
    summary: str
    source: str
    multiple: int = 8
    working_size: int = 256
    network: str = ""
    uses_references = False

    @property
    def weights(self) -> tuple[str, ...]:
        """The files that it needs, by their names in the manifest."""
        return (self.network or self.name,)

    def encode(self, lightness: Array) -> Features:
        """Run the network on a photograph."""
        return Features(lightness, self.run(lightness))

    def encode_reference(self, reference: Reference) -> Any:
        """Nothing: references are not looked at."""
        return None

    def recall(self, features: Features, references: Sequence[EncodedReference]) -> dict[str, Array]:
        """The network's further inputs, by name: none."""
        return {}

    def match(self, features: Features, recalled: dict[str, Array], hints: HintField) -> Matched:
        """What the network gave for the photograph, which hints do not change."""
        assert features.output is not None
        return Matched(features.lightness, hints, features.output)

    def decode(self, matched: Matched, *, seed: int = 0) -> Prediction:
        """Predict chroma; seeds and hints do not change it."""
        ab = matched.output.whole("ab", matched.lightness.shape)
        return Prediction(ab, np.full(matched.lightness.shape, UNKNOWN_CONFIDENCE, np.float32))

    def run(self, lightness: Array, hints: HintField | None = None, **given: Array) -> Output:
        """Run the network.

        Args:
            lightness: CIE L*, shape (H, W), 0..100.
            hints: for networks that take them.
            given: further inputs, by name.
        """
        padded = mirrored(np.asarray(lightness, np.float32), self.multiple)
        if hints is not None:
            given["hints"] = channels_first(hint_planes(hints, padded.shape))
        network = exported_network(*self.weights)
        return Output(padded.shape, network.run(lightness=channels_first(padded), **given))


@dataclass(frozen=True)
class AutomaticDistribution(Automatic):
    """A network from lightness to a distribution over the ab bins, read as its annealed mean.

    The option `vividness` goes from the distribution's mean, at 0, to the annealed mean, at 1.

    Attributes:
        temperature: of the annealed mean; towards 0 it is the mode.
    """

    temperature: float = TEMPERATURE
    suggests = True

    def decode(self, matched: Matched, *, seed: int = 0) -> Prediction:
        """Predict chroma; a seed above 0 asks for another plausible answer, hints do not change it."""
        output, size = matched.output, matched.lightness.shape
        p = np.asarray(output.arrays["probabilities"][0], np.float32)
        mean = p @ AB_BINS
        vivid = decode_bins(p, self.temperature, probabilities=True) - mean
        ab = output.enlarged(mean, size)
        if seed:
            ab += output.enlarged(alternative(self.distribution(matched), seed), size)
        return Prediction(ab, output.enlarged(certainty(p), size)[..., 0], output.enlarged(vivid, size))

    def distribution(self, matched: Matched) -> Distribution:
        """How likely each of the 313 bins is, at a quarter of the working size.

        Two places are alike as far as their distributions overlap: the roots of the probabilities, over cells of nine
        bins, are unit vectors whose product is the Bhattacharyya coefficient.
        """
        if matched.distribution is None:
            height, width = (-(-n // BIN_STRIDE) for n in matched.lightness.shape)
            p = np.array(matched.output.arrays["probabilities"][0, :height, :width], np.float32)
            p /= np.maximum(p.sum(-1, keepdims=True), np.finfo(np.float32).tiny)
            answered = reach_of(matched.lightness, matched.hints)[::BIN_STRIDE, ::BIN_STRIDE]
            matched.distribution = Distribution(p, np.sqrt(p @ _coarse_bins()), answered, BIN_STRIDE)
        return matched.distribution


@cache
def _coarse_bins() -> Array:
    """Which cell of 3 x 3 bins each bin is in: (313, cells), 0 or 1."""
    cells = np.unique(np.rint(AB_BINS / (3 * STEP)).astype(int), axis=0, return_inverse=True)[1].ravel()
    return np.eye(cells.max() + 1, dtype=np.float32)[cells]


def certainty(probabilities: Array) -> Array:
    """How sure a distribution (h, w, 313) is, 0..1, (h, w, 1): from its annealed spread, as of the released network."""
    sharp = np.power(probabilities, np.float32(1 / TEMPERATURE))
    sharp /= np.maximum(sharp.sum(-1, keepdims=True), np.finfo(np.float32).tiny)
    mean = sharp @ AB_BINS
    variance = sharp @ np.square(AB_BINS).sum(1) - np.square(mean).sum(-1)
    sure: Array = 1 / (1 + np.maximum(variance, 0)[..., None] / np.float32(SURE_SPREAD**2))
    return sure


def reach_of(lightness: Array, hints: HintField) -> Array:
    """How far hints answer for each place, (H, W), 0..1: where they would spread over a prediction half sure."""
    nothing = np.zeros(lightness.shape, np.float32)
    if not hints:
        return nothing
    half = Prediction(np.zeros((*lightness.shape, 2), np.float32), nothing + np.float32(UNKNOWN_CONFIDENCE))
    sure = spread_hints(lightness, half, hints).confidence
    return np.clip((sure - UNKNOWN_CONFIDENCE) / (1 - UNKNOWN_CONFIDENCE), 0, 1)
