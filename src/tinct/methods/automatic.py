"""Methods that run a paper's network on a photograph alone, without hints or references.

`Automatic` is for networks that give one color a place, `AutomaticDistribution` for networks that give a distribution
over the 313 ab bins. The instances are beside the networks, in `tinct.networks`.
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
    bilinear,
    channels_first,
    exported_network,
    hint_planes,
    mirrored,
    unpadded,
)
from tinct.methods.method import Prediction, Reference, StagedMethod, WeighedReference

Array = NDArray[np.float32]

BIN_STRIDE = 4
"""Working pixels to a cell of the distributions of all these networks."""

UNKNOWN_CONFIDENCE = 0.5
"""Confidence of a network that gives one color and no measure of certainty, 0..1."""


@dataclass(frozen=True, slots=True)
class Output:
    """The outputs of a network for a photograph.

    Attributes:
        padded: height and width of the photograph after padding.
        arrays: the outputs, by name.
    """

    padded: tuple[int, ...]
    arrays: dict[str, NDArray[Any]]

    def resized(self, name: str, size: tuple[int, ...]) -> Array:
        """An output at the size of the photograph before padding.

        Args:
            name: of the output.
            size: height and width of the photograph.
        """
        return self.enlarged(self.arrays[name][0], size)

    def enlarged(self, image: Array, size: tuple[int, ...]) -> Array:
        """A map computed from an output, (h, w, C), at the size of the photograph before padding, (H, W, C)."""
        return unpadded(image, self.padded, (size[0], size[1]))


@dataclass(frozen=True, slots=True)
class Features:
    """Features of a photograph.

    Attributes:
        lightness: CIE L*, shape (H, W), 0..100.
        output: the network's outputs, if they do not depend on hints; else None.
    """

    lightness: Array
    output: Output | None = None


@dataclass(slots=True)
class Matched:
    """A photograph with its hints, and the network's outputs for both.

    Attributes:
        lightness: CIE L*, shape (H, W), 0..100.
        hints: at the same size.
        output: the network's outputs.
        distribution: None until `distribution` computes it.
    """

    lightness: Array
    hints: HintField
    output: Output
    distribution: Distribution | None = None


@dataclass(frozen=True)
class Automatic(StagedMethod):
    """A method that runs a network from lightness to chroma.

    Attributes:
        name, summary, source, working_size: as of `tinct.methods.Method`.
        multiple: working sizes are padded to multiples of it.
        network: name of the exported network, if it differs from the method's.
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
        """The exported network's name in the manifest."""
        return (self.network or self.name,)

    def encode(self, lightness: Array) -> Features:
        """The network's outputs for a photograph."""
        return Features(lightness, self.run(lightness))

    def encode_reference(self, reference: Reference) -> Any:
        """None: the method does not use references."""
        return None

    def recall(self, features: Features, references: Sequence[WeighedReference]) -> dict[str, Array]:
        """The network's further inputs by name: none."""
        return {}

    def match(self, features: Features, recalled: dict[str, Array], hints: HintField) -> Matched:
        """The network's outputs for a photograph, which hints do not change."""
        assert features.output is not None
        return Matched(features.lightness, hints, features.output)

    def decode(self, matched: Matched, *, seed: int = 0) -> Prediction:
        """Predict chroma; neither the seed nor hints change the prediction."""
        ab = matched.output.resized("ab", matched.lightness.shape)
        return Prediction(ab, np.full(matched.lightness.shape, UNKNOWN_CONFIDENCE, np.float32))

    def run(self, lightness: Array, hints: HintField | None = None, **inputs: Array) -> Output:
        """Run the network.

        Args:
            lightness: CIE L*, shape (H, W), 0..100.
            hints: for networks that take hints.
            inputs: further inputs, by name.
        """
        padded = mirrored(np.asarray(lightness, np.float32), self.multiple)
        if hints is not None:
            inputs["hints"] = channels_first(hint_planes(hints, padded.shape))
        network = exported_network(*self.weights)
        return Output(padded.shape, network.run(lightness=channels_first(padded), **inputs))


@dataclass(frozen=True)
class Suggesting(Automatic):
    """A method that runs a network with a distribution over the ab bins among its outputs; it suggests colors."""

    suggests = True

    def distribution(self, matched: Matched) -> Distribution:
        """The probabilities of the 313 bins, at a quarter of the working size.

        The keys of two places are as alike as their distributions overlap: the square roots of the probabilities, over
        cells of nine bins, are unit vectors whose product is the Bhattacharyya coefficient.
        """
        if matched.distribution is None:
            height, width = (-(-n // BIN_STRIDE) for n in matched.lightness.shape)
            p = np.array(matched.output.arrays["probabilities"][0, :height, :width], np.float32)
            p /= np.maximum(p.sum(-1, keepdims=True), np.finfo(np.float32).tiny)
            answered = hint_influence(matched.lightness, matched.hints)[::BIN_STRIDE, ::BIN_STRIDE]
            lightness = bilinear(matched.lightness[..., None], (height, width))[..., 0]
            matched.distribution = Distribution(
                p, np.sqrt(p @ _coarse_bins()), answered, lightness, BIN_STRIDE
            )
        return matched.distribution


@dataclass(frozen=True)
class AutomaticDistribution(Suggesting):
    """A method that runs a network from lightness to a distribution over the ab bins, and takes its annealed mean.

    The option `vividness` goes from the distribution's mean, at 0, to the annealed mean, at 1.

    Attributes:
        temperature: of the annealed mean, above 0; towards 0 the annealed mean becomes the mode.
    """

    temperature: float = TEMPERATURE

    def decode(self, matched: Matched, *, seed: int = 0) -> Prediction:
        """Predict chroma; a seed above 0 asks for another plausible colorization, and hints change nothing."""
        output, size = matched.output, matched.lightness.shape
        p = np.asarray(output.arrays["probabilities"][0], np.float32)
        mean = p @ AB_BINS
        vivid = decode_bins(p, self.temperature, probabilities=True) - mean
        ab = output.enlarged(mean, size)
        if seed:
            ab += output.enlarged(alternative(self.distribution(matched), seed), size)
        return Prediction(ab, output.enlarged(certainty(p), size)[..., 0], output.enlarged(vivid, size))


@cache
def _coarse_bins() -> Array:
    """Which cell of 3 x 3 bins each bin is in: (313, cells), 0 or 1."""
    cells = np.unique(np.rint(AB_BINS / (3 * STEP)).astype(int), axis=0, return_inverse=True)[1].ravel()
    return np.eye(cells.max() + 1, dtype=np.float32)[cells]


def certainty(probabilities: Array) -> Array:
    """The certainty of distributions, from their annealed spread, as of the released network.

    Args:
        probabilities: over the 313 bins, shape (h, w, 313).
    Returns:
        0..1, shape (h, w, 1).
    """
    sharp = np.power(probabilities, np.float32(1 / TEMPERATURE))
    sharp /= np.maximum(sharp.sum(-1, keepdims=True), np.finfo(np.float32).tiny)
    mean = sharp @ AB_BINS
    variance = sharp @ np.square(AB_BINS).sum(1) - np.square(mean).sum(-1)
    sure: Array = 1 / (1 + np.maximum(variance, 0)[..., None] / np.float32(SURE_SPREAD**2))
    return sure


def hint_influence(lightness: Array, hints: HintField) -> Array:
    """How far hints decide the color of each place, shape (H, W), 0..1.

    The influence is that of hints spread over a prediction of confidence one half.
    """
    nothing = np.zeros(lightness.shape, np.float32)
    if not hints:
        return nothing
    half = Prediction(np.zeros((*lightness.shape, 2), np.float32), nothing + np.float32(UNKNOWN_CONFIDENCE))
    sure = spread_hints(lightness, half, hints).confidence
    return np.clip((sure - UNKNOWN_CONFIDENCE) / (1 - UNKNOWN_CONFIDENCE), 0, 1)
