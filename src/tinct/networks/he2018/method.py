"""He 2018 as a method: match each reference's places, carry its colors, and let the network select and predict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinct.errors import WeightsError
from tinct.hints import HintField
from tinct.lazy import lazy
from tinct.methods.automatic import UNKNOWN_CONFIDENCE
from tinct.methods.exported import (
    at_longer_side,
    channels_first,
    exported_network,
    mirrored,
    unpadded,
)
from tinct.methods.method import DOUBTED, Prediction, Reference, StagedMethod, WeighedReference
from tinct.networks.he2018.card import PAPER
from tinct.networks.he2018.correspondence import (
    LEVELS,
    NAMES,
    SIGNATURE,
    STRIDE,
    Places,
    carried_finely,
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

FITS, DOUBT = 0.53, 70.0
"""Fit of a reference below which it is doubted, and what power of e each unit of fit below that takes from its
influence; see `belief`. Chosen, as the numbers below, on held-out photographs, and no higher than references of the
style transfer pairs are followed with (docs/experiments.md, "He 2018: whom the gate is open for")."""

OF_WHOLES, MAYBE_SAME, SURELY_SAME = 0.15, 0.46, 0.51
"""What the likeness of signatures counts beside the mean cosine of matched places, and the sums of both from which on a
reference shows the same thing in part and in full; see `same_thing`."""

LOOKED_AT = 256
"""Longer side in pixels at which a photograph's signature is taken, at any working size: what things are is told by
their size, too."""

SURE = 0.99
"""Share of the network's own colors beside references from which on its answer without them is not needed."""


@dataclass(frozen=True)
class Features:
    """A photograph as the features' network sees it.

    Attributes:
        lightness: CIE L*, mirrored out to multiples of 32, shape (H, W).
        size: height and width before that.
        places: unit vectors on the grid of 1/8.
        seen: the levels of `SEEN`, (1, C, h, w) each, by name.
        signature: of the whole photograph, unit length.
    """

    lightness: Array
    size: tuple[int, int]
    places: Places
    seen: dict[str, NDArray[np.generic]]
    signature: Array

    @lazy
    def alone(self) -> Array:
        """a* b* of the colorization sub-net without a reference, of the padded photograph, shape (H, W, 2)."""
        return _answer(self, _nothing(self.places.grid))[0]


@dataclass(frozen=True)
class Known:
    """A reference: its places, a* b* at their quarters, shape (2 h, 2 w, 2), and its signature, of unit length."""

    places: Places
    ab: Array
    signature: Array


@dataclass(frozen=True)
class Attended:
    """A reference's colors carried to a photograph; arrays of the photograph's grid of places.

    Attributes:
        ab: a* b* at quarters of places, shape (2 h, 2 w, 2).
        maps: similarities, shape (10, h, w), 0..1.
        cosine: of each place with its likest, shape (h, w), -1..1.
        likeness: of the signatures, -1..1; about 0 for a photograph of something else.
    """

    ab: Array
    maps: Array
    cosine: Array
    likeness: float

    @property
    def fit(self) -> float:
        """How far the reference is of the photograph's kind: the mean cosine and a fifth of the likeness.

        It is 0.47 to 0.67 for eight of ten references that are related and 0.32 to 0.46 for unrelated ones.
        """
        return float(self.cosine.mean()) + self.likeness / 5


@dataclass(frozen=True)
class Recalled:
    """All references' colors together.

    Attributes:
        ab, maps: as of `Attended`; zeros without a reference.
        shift: what trust adds to the gate's logits, shape (h, w); None without a reference.
        belief: in the references whose colors these are, shape (h, w), 0..1; ones without a reference.
        same: how far they show the same thing, likewise; see `same_thing`.
    """

    ab: Array
    maps: Array
    shift: Array | None
    belief: Array
    same: Array


@dataclass(frozen=True)
class Stages:
    """What the method finds on its way; arrays of the photograph's size.

    Attributes:
        own: a* b* of the colorization sub-net by itself, shape (H, W, 2); beside references that are doubted, and where
            little of them fits, in part what it says without them.
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
        return Features(padded, (height, width), _places(padded, found), seen, _signature(lightness, found))

    def encode_reference(self, reference: Reference) -> Known:
        """A reference's places and their colors."""
        padded, found = _seen(reference.lightness)
        there = _places(padded, found)
        ab = mirrored(np.asarray(reference.ab, np.float32), SIZE_MULTIPLE)
        return Known(there, on_grid(ab, _finer(there.grid)), _signature(reference.lightness, found))

    def attend(self, features: Features, reference: Known) -> Attended:
        """A reference's colors, carried to where their likest places are, and how alike these are."""
        found = correspondence(features.places, reference.places)
        grid = features.places.grid
        maps = similarity_maps(features.places, reference.places, found)
        ab = carried_finely(reference.ab, features.places, reference.places, found)
        return Attended(ab, maps, found.cosine.reshape(grid), float(features.signature @ reference.signature))

    def recall(self, features: Features, references: Sequence[WeighedReference]) -> Recalled:
        """The mean of all references' colors and maps, at each place by weight, belief and likeness."""
        used = [each for each in references if each.weight > 0]
        grid = features.places.grid
        if not used:
            return _nothing(grid)
        beliefs = [belief(each.found.fit, each.trust) for each in used]
        same = [same_thing(each.found, each.trust) for each in used]
        weights = [each.weight * told for each, told in zip(used, beliefs, strict=True)]
        shares = shares_of([each.found.cosine for each in used], weights)
        planes = [each.found.ab.transpose(2, 0, 1) for each in used]
        of_quarters = shares.repeat(2, 1).repeat(2, 2)
        shift, told, alike = (
            mixed([np.full((1, *grid), each, np.float32) for each in numbers], shares)[0]
            for numbers in ([TRUST_STEP * (each.trust - 1) for each in used], beliefs, same)
        )
        ab = np.ascontiguousarray(mixed(planes, of_quarters).transpose(1, 2, 0))
        return Recalled(ab, mixed([each.found.maps for each in used], shares), shift, told, alike)

    def doubted(self, features: Features, reference: WeighedReference) -> float | None:
        """The likeness of the signatures, if little of the reference is believed; see `Method.doubted`."""
        found: Attended = reference.found
        told = belief(found.fit, max(reference.trust, 1.0))  # less trust is the user's own doubt
        return found.likeness if told <= DOUBTED else None

    def match(self, features: Features, recalled: Recalled, hints: HintField) -> Stages:
        """Run the colorization sub-net; hints are spread over its answer later.

        The sub-net's own colors see the carried ones also where its gate is closed to these. So beside a reference that
        shows something else they count by the gate's mean, and what it says without a reference counts for the rest.
        """
        padded, size = features.lightness.shape, features.size

        def grown(maps: Array) -> Array:
            return unpadded(maps, padded, size)

        known = grown(recalled.ab)
        if recalled.shift is None:
            return Stages(grown(features.alone), known, np.zeros(size, np.float32))
        own, logits = (grown(each) for each in _answer(features, recalled))
        gate = 1 / (1 + np.exp(-(logits + grown(recalled.shift[..., None]))))
        told, same = (grown(each[..., None]) for each in (recalled.belief, recalled.same))
        share = told * (same + (1 - same) * gate.mean())
        if share.min() < SURE:
            alone = grown(features.alone)
            own = alone + share * (own - alone)
        return Stages(own, known, np.asarray((told * gate)[..., 0], np.float32))

    def decode(self, matched: Stages, *, seed: int = 0) -> Prediction:
        """The references' colors where the gate is open, the network's own elsewhere; the seed changes nothing."""
        confidence = np.maximum(matched.gate, np.float32(UNKNOWN_CONFIDENCE))
        return Prediction(matched.ab, confidence)

    def stages(self, lightness: Array, references: Sequence[Reference]) -> Stages:
        """All that the method finds on its way to the answer."""
        found: Stages = self.matched(lightness, HintField.empty(*lightness.shape), references)
        return found


def belief(fit: float, trust: float) -> float:
    """How far a reference is believed, 0..1, by its fit and the trust in it, 0..3.

    Trust takes the doubt's share away: at 2 and above none is left, and at 0 it counts twice.
    """
    return math.exp(-DOUBT * max(0.0, FITS - fit) * max(0.0, 2 - trust))


def same_thing(found: Attended, trust: float) -> float:
    """How far a reference shows the same thing as the photograph, 0..1: another view of it, or one that fits as well.

    Trust takes the doubt's share away, as from `belief`: at 2 and above all references do.
    """
    alike = float(found.cosine.mean()) + OF_WHOLES * found.likeness
    same = (alike - MAYBE_SAME) / (SURELY_SAME - MAYBE_SAME)
    return min(1.0, max(0.0, same, trust - 1))


def shares_of(cosines: Sequence[Array], weights: Sequence[float]) -> Array:
    """Each reference's share at each place, (N, h, w), which sum to 1: by weight, and the more the likelier."""
    alike = np.stack(cosines) / np.float32(SHARPNESS)
    shares = np.exp(alike - alike.max(0)) * np.asarray(weights, np.float32)[:, None, None]
    # where the likest reference has next to no weight, the shares of all others may vanish in single precision
    shares = np.maximum(shares, np.finfo(np.float32).tiny)
    return np.asarray(shares / shares.sum(0), np.float32)


def _seen(lightness: Array) -> tuple[Array, dict[str, NDArray[np.generic]]]:
    """Lightness mirrored out; its features by the names of their levels, (1, C, h, w) each, and its signature."""
    padded = mirrored(np.asarray(lightness, np.float32), SIZE_MULTIPLE)
    return padded, exported_network(WEIGHTS[1]).run(lightness=channels_first(padded))


def _answer(features: Features, recalled: Recalled) -> tuple[Array, Array]:
    """The colorization sub-net's a* b*, (H, W, 2), and the gate's logits, (H, W, 1), of the padded photograph."""
    outputs = exported_network(WEIGHTS[0]).run(
        lightness=channels_first(features.lightness),
        colors=channels_first(recalled.ab),
        maps=recalled.maps[None],
        **features.seen,
    )
    return outputs["ab"][0], outputs["gate"][0]


def _finer(grid: tuple[int, int]) -> tuple[int, int]:
    """The grid of quarters of places."""
    return 2 * grid[0], 2 * grid[1]


def _nothing(grid: tuple[int, int]) -> Recalled:
    """What is recalled without a reference."""
    none, maps = np.zeros((*_finer(grid), 2), np.float32), np.zeros((2 * LEVELS, *grid), np.float32)
    everywhere = np.ones(grid, np.float32)
    return Recalled(none, maps, None, everywhere, everywhere)


def _signature(lightness: Array, found: dict[str, NDArray[np.generic]]) -> Array:
    """A photograph's signature, of unit length.

    Args:
        lightness: at the working size; at another longer side than `LOOKED_AT` it is looked at once more.
        found: what the features' network says of it at the working size.
    Raises:
        WeightsError: if that network gives no signature.
    """
    if SIGNATURE not in found:
        raise WeightsError(f"the weights {WEIGHTS[1]} are of an older tinct; install tinct-papers again.")
    if max(lightness.shape) != LOOKED_AT:
        looked_at = at_longer_side(lightness, LOOKED_AT, SIZE_MULTIPLE)
        found = exported_network(WEIGHTS[1]).run(lightness=channels_first(looked_at))
    return np.asarray(found[SIGNATURE][0], np.float32)


def _places(padded: Array, found: dict[str, NDArray[np.generic]]) -> Places:
    grid = padded.shape[0] // STRIDE, padded.shape[1] // STRIDE
    return places({name: found[name][0] for name in NAMES}, grid)


HE2018 = Exemplar()
"""The method `he2018`."""
