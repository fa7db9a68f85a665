"""The papers' networks that color a photograph by themselves, behind the one protocol.

One class for those that answer one color, one for those that answer a distribution over the 313 ab bins, each with
`tinct.methods.papers` for its literals. The networks are in `tinct.networks`, a file a paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tinct.color.bins import AB_BINS, STEP, TEMPERATURE, decode_bins
from tinct.hints import HintField
from tinct.methods.classical.levin import spread_hints
from tinct.methods.distribution import Distribution, alternative
from tinct.methods.exported import (
    channels_first,
    exported_network,
    hint_planes,
    mirrored,
    sha256_of,
    unpadded,
)
from tinct.methods.method import Prediction, Reference
from tinct.networks.tinct.ports import SURE_SPREAD

Array = NDArray[np.float32]

BIN_STRIDE = 4
"""Working pixels to a cell of the distributions of all these networks."""

UNKNOWN_CONFIDENCE = 0.5
"""Of a network that gives one color and does not say how surely."""


@dataclass(frozen=True)
class Automatic:
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
    needs_reference: ClassVar[bool] = False
    needs_hints: ClassVar[bool] = False
    honors_hints: ClassVar[bool] = False
    uses_references: ClassVar[bool] = False

    @property
    def weights(self) -> tuple[str, ...]:
        """The files that it needs, by their names in the manifest."""
        return (self.network or self.name,)

    @property
    def weights_sha256(self) -> str:
        """The hash of its file."""
        return sha256_of(self.weights)

    def prepare(self) -> None:
        """Open the network; see `tinct.networks.tinct.method.Tinct.prepare`."""
        exported_network(*self.weights)

    def predict(
        self, lightness: Array, hints: HintField, references: Sequence[Reference], *, seed: int = 0
    ) -> Prediction:
        """Predict chroma; hints and references are not looked at."""
        padded, found = self.run(lightness)
        height, width = lightness.shape
        ab = unpadded(found["ab"][0], padded, (height, width))
        return Prediction(ab, np.full(lightness.shape, UNKNOWN_CONFIDENCE, np.float32))

    def run(
        self, lightness: Array, hints: HintField | None = None, **given: Array
    ) -> tuple[tuple[int, ...], dict[str, NDArray[Any]]]:
        """The padded size, and what the network gives for it.

        Args:
            lightness: CIE L*, shape (H, W), 0..100.
            hints: for networks that take them.
            given: further inputs, by name.
        """
        padded = mirrored(np.asarray(lightness, np.float32), self.multiple)
        if hints is not None:
            given["hints"] = channels_first(hint_planes(hints, padded.shape))
        network = exported_network(*self.weights)
        return padded.shape, network.run(lightness=channels_first(padded), **given)


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a photograph before any hint.

    Attributes:
        lightness: CIE L*, shape (H, W).
        given: the network's further inputs, by name.
        found: the padded size and the network's outputs, where hints do not change them; else None.
    """

    lightness: Array
    given: dict[str, Array]
    found: tuple[tuple[int, ...], dict[str, NDArray[Any]]] | None = None


@dataclass(frozen=True)
class AutomaticDistribution(Automatic):
    """A network from lightness to a distribution over the ab bins, read as its annealed mean.

    The option `vividness` goes from the distribution's mean, at 0, to the annealed mean, at 1.

    Attributes:
        temperature: of the annealed mean; towards 0 it is the mode.
    """

    temperature: float = TEMPERATURE

    def predict(
        self, lightness: Array, hints: HintField, references: Sequence[Reference], *, seed: int = 0
    ) -> Prediction:
        """Predict chroma; a seed above 0 asks for another plausible answer."""
        return self.answer(self.look(lightness, references), hints, seed=seed)

    def look(self, lightness: Array, references: Sequence[Reference] = ()) -> Seen:
        """Read a photograph."""
        return Seen(lightness, {}, self.run(lightness))

    def answer(self, seen: Seen, hints: HintField, *, seed: int = 0) -> Prediction:
        """Predict chroma for what was seen; hints are spread over it afterwards."""
        size = seen.lightness.shape[0], seen.lightness.shape[1]
        padded, found = self.found(seen, hints)
        p = np.asarray(found["probabilities"][0], np.float32)
        mean = p @ AB_BINS
        vivid = decode_bins(p, self.temperature, probabilities=True) - mean
        ab = unpadded(mean, padded, size)
        if seed:
            ab += unpadded(alternative(self.distribution(seen, hints), seed), padded, size)
        return Prediction(ab, unpadded(certainty(p), padded, size)[..., 0], unpadded(vivid, padded, size))

    def distribution(self, seen: Seen, hints: HintField) -> Distribution:
        """How likely each of the 313 bins is, at a quarter of the working size.

        Two places are alike as far as their distributions overlap: the roots of the probabilities, over cells of nine
        bins, are unit vectors whose product is the Bhattacharyya coefficient.
        """
        _, found = self.found(seen, hints)
        height, width = (-(-n // BIN_STRIDE) for n in seen.lightness.shape)
        p = np.asarray(found["probabilities"][0], np.float32)[:height, :width]
        p /= np.maximum(p.sum(-1, keepdims=True), np.finfo(np.float32).tiny)
        matched = reach_of(seen.lightness, hints)[::BIN_STRIDE, ::BIN_STRIDE]
        return Distribution(p, np.sqrt(p @ _coarse_bins()), matched, BIN_STRIDE)

    def found(self, seen: Seen, hints: HintField) -> tuple[tuple[int, ...], dict[str, NDArray[Any]]]:
        """The padded size and the network's outputs."""
        assert seen.found is not None
        return seen.found


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
