"""He 2018 as a method: match each reference's places, carry its colors, and let the network select and predict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinct.hints import HintField
from tinct.methods.automatic import UNKNOWN_CONFIDENCE
from tinct.methods.exported import channels_first, exported_network, mirrored, unpadded
from tinct.methods.method import DOUBTED, Prediction, Reference, StagedMethod, WeighedReference
from tinct.networks.he2018.card import PAPER
from tinct.networks.he2018.correspondence import (
    LEVELS,
    NAMES,
    STRIDE,
    Places,
    carried,
    correspondence,
    mixed,
    on_grid,
    places,
    similarity_maps,
)

Array = NDArray[np.float32]

WEIGHTS = ("he2018", "he2018.features")
"""Names of the colorization sub-net and of the frozen features."""

SEEN = NAMES[:3]
"""Levels of the photograph that the colorization sub-net takes."""

SIZE_MULTIPLE = 32
"""Sides of photographs and references are mirrored out to multiples of this, in pixels."""

SHARPNESS = 0.05
"""Of several references the one whose place is more alike by this much, as a cosine, counts e times as much there."""

TRUST_STEP = 2.0
"""What a step of trust adds to the gate's logits: at trust 0 a reference counts where the gate is sure of it, at 3
almost everywhere."""

ALIKE, DOUBT = 0.4, 100.0
"""Mean cosine of matched places below which a reference is doubted, and what a cosine of 1 less takes from the logits.
Over 48 training photographs it is 0.40 to 0.45 for the middle half of relatives, 0.36 to 0.40 for that of strangers:
the photograph on the whole tells the two apart better than any place."""


@dataclass(frozen=True)
class Features:
    """A photograph as the features' network sees it.

    Attributes:
        lightness: CIE L*, mirrored out to multiples of 32, shape (H, W).
        size: height and width before that.
        places: unit vectors on the grid of 1/8.
        seen: the levels of `SEEN`, (1, C, h, w) each, by name.
    """

    lightness: Array
    size: tuple[int, int]
    places: Places
    seen: dict[str, NDArray[np.generic]]


@dataclass(frozen=True)
class Known:
    """A reference: its places, and a* b* on its grid, shape (h, w, 2)."""

    places: Places
    ab: Array


@dataclass(frozen=True)
class Attended:
    """A reference's colors carried to a photograph; arrays of the photograph's grid.

    Attributes:
        ab: a* b*, shape (h, w, 2).
        maps: similarities, shape (10, h, w), 0..1.
        cosine: of each place with its likest, shape (h, w), -1..1.
    """

    ab: Array
    maps: Array
    cosine: Array

    def shift(self, trust: float) -> float:
        """What trust in the reference, 0..3, and doubt of one that is not alike add to the gate's logits."""
        return TRUST_STEP * (trust - 1) + DOUBT * min(0.0, self.likeness - ALIKE)

    @property
    def likeness(self) -> float:
        """The mean cosine of matched places, -1..1."""
        return float(self.cosine.mean())


@dataclass(frozen=True)
class Recalled:
    """All references' colors together.

    Attributes:
        ab, maps: as of `Attended`; zeros without a reference.
        shift: what is added to the gate's logits, shape (h, w); None without a reference.
    """

    ab: Array
    maps: Array
    shift: Array | None


@dataclass(frozen=True)
class Stages:
    """What the method finds on its way; arrays of the photograph's size.

    Attributes:
        own: a* b* of the colorization sub-net by itself, shape (H, W, 2).
        carried: a* b* of the references, carried to the photograph.
        gate: their share in the answer, shape (H, W), 0..1; zeros without a reference.
    """

    own: Array
    carried: Array
    gate: Array

    @property
    def ab(self) -> Array:
        """The answer, a* b*, shape (H, W, 2)."""
        return self.own + self.gate[..., None] * (self.carried - self.own)


class Exemplar(StagedMethod):
    """Both sub-nets: similarity and colorization.

    Several references are matched each by itself; at each place the likest counts most. Without a reference the answer
    is what the colorization sub-net predicts from the photograph alone.
    """

    name = "he2018"
    summary = "matches a reference place by place, takes the colors that fit, and predicts the others"
    source = PAPER
    exemplar_based = True
    uses_trust = True

    @property
    def weights(self) -> tuple[str, ...]:
        """The files that it needs, by their names in the manifest."""
        return WEIGHTS

    def encode(self, lightness: Array) -> Features:
        """A photograph's features; lightness is CIE L*, shape (H, W), 0..100.

        Raises:
            WeightsError: if a network is not installed.
        """
        padded, found = _seen(lightness)
        height, width = lightness.shape
        seen = {name: found[name] for name in SEEN}
        return Features(padded, (height, width), _places(padded, found), seen)

    def encode_reference(self, reference: Reference) -> Known:
        """A reference's places and their colors."""
        padded, found = _seen(reference.lightness)
        there = _places(padded, found)
        ab = mirrored(np.asarray(reference.ab, np.float32), SIZE_MULTIPLE)
        return Known(there, on_grid(ab, there.grid))

    def attend(self, features: Features, reference: Known) -> Attended:
        """A reference's colors, carried to where their likest places are, and how alike these are."""
        found = correspondence(features.places, reference.places)
        grid = features.places.grid
        maps = similarity_maps(features.places, reference.places, found)
        return Attended(carried(reference.ab, found.forward, grid), maps, found.cosine.reshape(grid))

    def recall(self, features: Features, references: Sequence[WeighedReference]) -> Recalled:
        """The mean of all references' colors and maps, at each place by their weights and their likeness."""
        used = [each for each in references if each.weight > 0]
        grid = features.places.grid
        if not used:
            return Recalled(np.zeros((*grid, 2), np.float32), np.zeros((2 * LEVELS, *grid), np.float32), None)
        shares = shares_of([each.found.cosine for each in used], [each.weight for each in used])
        planes = [each.found.ab.transpose(2, 0, 1) for each in used]
        shift = mixed(
            [np.full((1, *grid), each.found.shift(each.trust), np.float32) for each in used], shares
        )
        ab = np.ascontiguousarray(mixed(planes, shares).transpose(1, 2, 0))
        return Recalled(ab, mixed([each.found.maps for each in used], shares), shift[0])

    def doubted(self, features: Features, reference: WeighedReference) -> float | None:
        """The mean cosine of matched places, if the gate closes for it; see `Method.doubted`."""
        found: Attended = reference.found
        left = found.shift(max(reference.trust, 1.0))  # less trust is the user's own doubt
        return found.likeness if math.exp(left) <= DOUBTED else None

    def match(self, features: Features, recalled: Recalled, hints: HintField) -> Stages:
        """Run the colorization sub-net; hints are spread over its answer later."""
        outputs = exported_network(self.name).run(
            lightness=channels_first(features.lightness),
            colors=channels_first(recalled.ab),
            maps=recalled.maps[None],
            **features.seen,
        )
        padded, size = features.lightness.shape, features.size
        own, known = (unpadded(each, padded, size) for each in (outputs["ab"][0], recalled.ab))
        if recalled.shift is None:
            return Stages(own, known, np.zeros(size, np.float32))
        logits = unpadded(outputs["gate"][0], padded, size)[..., 0]
        logits += unpadded(recalled.shift[..., None], padded, size)[..., 0]
        return Stages(own, known, np.asarray(1 / (1 + np.exp(-logits)), np.float32))

    def decode(self, matched: Stages, *, seed: int = 0) -> Prediction:
        """The references' colors where the gate is open, the network's own elsewhere; the seed changes nothing."""
        confidence = np.maximum(matched.gate, np.float32(UNKNOWN_CONFIDENCE))
        return Prediction(matched.ab, confidence)

    def stages(self, lightness: Array, references: Sequence[Reference]) -> Stages:
        """All that the method finds on its way to the answer."""
        found: Stages = self.matched(lightness, HintField.empty(*lightness.shape), references)
        return found


def shares_of(cosines: Sequence[Array], weights: Sequence[float]) -> Array:
    """Each reference's share at each place, (N, h, w), which sum to 1: by weight, and the more the likelier."""
    alike = np.stack(cosines) / np.float32(SHARPNESS)
    shares = np.exp(alike - alike.max(0)) * np.asarray(weights, np.float32)[:, None, None]
    # where the likest reference has next to no weight, the shares of all others may vanish in single precision
    shares = np.maximum(shares, np.finfo(np.float32).tiny)
    return np.asarray(shares / shares.sum(0), np.float32)


def _seen(lightness: Array) -> tuple[Array, dict[str, NDArray[np.generic]]]:
    """Lightness mirrored out, and its features by the names of their levels, (1, C, h, w) each."""
    padded = mirrored(np.asarray(lightness, np.float32), SIZE_MULTIPLE)
    return padded, exported_network(WEIGHTS[1]).run(lightness=channels_first(padded))


def _places(padded: Array, found: dict[str, NDArray[np.generic]]) -> Places:
    grid = padded.shape[0] // STRIDE, padded.shape[1] // STRIDE
    return places({name: level[0] for name, level in found.items()}, grid)


HE2018 = Exemplar()
"""The method `he2018`."""
