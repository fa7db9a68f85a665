"""Xiao 2019 as a method: a reference's ab histogram says which colors there are, the pyramid where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinct.color.bins import AB_BINS
from tinct.hints import HintField
from tinct.methods.automatic import AutomaticDistribution, Features, Matched
from tinct.methods.method import Reference, WeighedReference
from tinct.networks.xiao2019.card import PAPER
from tinct.networks.zhang2017.method import histogram

Array = NDArray[np.float32]

TEMPERATURE = 0.5
"""Of the annealed mean. On 48 held-out photographs after their own histograms 0.5 has 24.46 dB and nine tenths of the
truth's chroma, 0.38 has 24.48 and less chroma, 1 has 24.11 and all of it."""


@dataclass(frozen=True)
class ByHistogram(AutomaticDistribution):
    """The pyramid, which takes lightness and the mean histogram of all references, or none."""

    exemplar_based = True
    uses_references = True

    def encode(self, lightness: Array) -> Features:
        """The photograph unchanged: the network runs when references are known."""
        return Features(lightness)

    def encode_reference(self, reference: Reference) -> Array:
        """A reference's ab histogram, shape (313,), whose sum is 1; a palette's likewise."""
        return histogram(reference.ab)

    def recall(self, features: Features, references: Sequence[WeighedReference]) -> dict[str, Array]:
        """The network's further input: the numbers of its references."""
        return {"reference": reference_numbers(references)[None]}

    def match(self, features: Features, recalled: dict[str, Array], hints: HintField) -> Matched:
        """The network's outputs for a photograph and its references, which hints do not change."""
        return Matched(features.lightness, hints, self.run(features.lightness, None, **recalled))


def reference_numbers(references: Sequence[WeighedReference]) -> Array:
    """The mean of references' histograms by their weights, and 1, shape (314,); zeros where none counts."""
    given = [reference for reference in references if reference.weight > 0]
    if not given:
        return np.zeros(len(AB_BINS) + 1, np.float32)
    mean = np.average([one.found for one in given], axis=0, weights=[one.weight for one in given])
    return np.append(mean, 1).astype(np.float32)


XIAO2019 = ByHistogram(
    name="xiao2019",
    summary="follows the colors of a reference or palette, by their histogram alone; colors by itself too",
    source=PAPER,
    multiple=64,
    temperature=TEMPERATURE,
)
"""The method of the paper's network."""
