"""Xu 2020 in stages: pre-color, transfer against each reference, sample the coarse chroma, refine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from tinct.color.gamut import merge_lightness
from tinct.color.lab import rgb_to_lab
from tinct.hints import HintField
from tinct.lazy import lazy
from tinct.methods.automatic import UNKNOWN_CONFIDENCE
from tinct.methods.expectation import expectation
from tinct.methods.exported import channels_first, exported_network
from tinct.methods.method import DOUBTED, Prediction, Reference, StagedMethod, WeighedReference
from tinct.methods.turned_hues import Hues, hues_of, turn_of, turned
from tinct.networks.semantics.opinion import NAME as SEMANTICS
from tinct.networks.semantics.opinion import open_branch, opinion
from tinct.networks.xu2020 import transfer
from tinct.networks.xu2020.card import LITE_PAPER, PAPER
from tinct.networks.xu2020.feature_statistics import Labels
from tinct.networks.xu2020.label_maps import FEATURES, Seen, common_labels, seen
from tinct.networks.xu2020.likeness import believed, fit, likeness, shown_share, turns
from tinct.networks.xu2020.places import (
    DECODER_ONLY,
    ENCODER_ONLY,
    EVERYWHERE,
    LITE_PROBABILITY,
    PROBABILITY,
    Places,
)
from tinct.weights import installed

Array = NDArray[np.float32]

COLORIZATION = "xu2020-colorization"
"""Name of the weights of the colorization sub-net."""

LITE, LITE_COLORIZATION = "xu2020-lite", "xu2020-lite-colorization"
"""Names of the weights of the lighter variant's two sub-nets."""


@dataclass(frozen=True)
class Features:
    """A photograph, and what is found of it when it is first asked for.

    Attributes:
        lightness: CIE L*, shape (H, W), 0..100.
        method: what finds it.
    """

    lightness: Array
    method: Exemplar = field(repr=False)

    @lazy
    def precolor(self) -> Array:
        """a* b* without any reference, shape (H, W, 2)."""
        return self.method.refine(self.lightness)

    @lazy
    def content(self) -> Array:
        """The pre-colored photograph, sRGB 0..1, shape (H, W, 3)."""
        return merge_lightness(self.lightness, self.precolor)

    @lazy
    def seen(self) -> Seen | None:
        """What it is compared with references by; None where it is not."""
        return self.method.look(self.lightness)

    @lazy
    def logarithms(self) -> Array | None:
        """The semantic branch's, of the bins' probabilities; None without the branch."""
        return self.method.logarithms(self.lightness)


@dataclass(frozen=True)
class Known:
    """A reference, and what is found of it when it is first asked for.

    Attributes:
        reference: at its working size.
        method: what finds it.
    """

    reference: Reference
    method: Exemplar = field(repr=False)

    @lazy
    def seen(self) -> Seen | None:
        """What it is compared with photographs by; None where it is not."""
        return self.method.look(self.reference.lightness)

    @lazy
    def hues(self) -> Hues | None:
        """How expected its colors are; None without the semantic branch."""
        lightness = np.asarray(self.reference.lightness, np.float32)
        logarithms = self.method.logarithms(lightness)
        return None if logarithms is None else hues_of(lightness, self.reference.ab, logarithms)


@dataclass(frozen=True)
class Attended:
    """A photograph beside a reference, and what is found of both when it is first asked for.

    Attributes:
        photograph, known: these two.
        turn: the angle in radians by which the reference's hues are turned back first.
    """

    photograph: Features
    known: Known
    turn: float = 0.0

    @lazy
    def coarse(self) -> Array:
        """The coarse chroma that the transfer finds, a* b*, shape (H, W, 2)."""
        reference = self.known.reference
        if self.turn:
            reference = replace(reference, ab=turned(reference.ab, -self.turn))
        return self.photograph.method.transfer(self.photograph, reference, self.known.seen)

    @lazy
    def likeness(self) -> float | None:
        """How alike photograph and reference are as wholes; None where they are not compared."""
        own, other = self.photograph.seen, self.known.seen
        return None if own is None or other is None else likeness(own, other)

    @lazy
    def believed(self) -> float:
        """How far the coarse chroma is believed, 0..1; see `tinct.networks.xu2020.likeness.believed`."""
        own, other, logarithms = self.photograph.seen, self.known.seen, self.photograph.logarithms
        assert own is not None
        assert other is not None
        if logarithms is None:
            return believed(fit(own, other))
        gained = expectation(self.coarse, logarithms) - expectation(self.photograph.precolor, logarithms)
        return believed(fit(own, other), gained)

    def turned_back(self, turn: float) -> Attended:
        """The same, the reference's hues turned back by an angle in radians; that of the last angle is kept."""
        if turn == self.turn:
            return self
        kept: Attended | None = self.__dict__.get("_turned_back")
        if kept is None or kept.turn != turn:
            kept = self.__dict__["_turned_back"] = replace(self, turn=turn)
        return kept


@dataclass(frozen=True, slots=True)
class Recalled:
    """What all references of a weight above 0 give.

    Attributes:
        coarse: a* b* that the transfer found, shape (H, W, 2): their mean by weight and by how much of each is shown.
        share: of its pixels that the colorization sub-net is shown, 0..1.
        turn: the angle in radians by which the references' hues were turned back.
    """

    coarse: Array
    share: float
    turn: float


@dataclass(frozen=True, slots=True)
class Matched:
    """A photograph, and what its references give; None without any."""

    photograph: Features
    recalled: Recalled | None


@dataclass(frozen=True, slots=True)
class Stages:
    """What the sub-nets hand on (Figure 4 of the paper); arrays of the photograph's size.

    Attributes:
        precolor: a* b* without any reference.
        coarse: a* b* that the transfer found, the references' mean by weight and by how much of each is shown; the
            pre-color where there is no reference. Beside references of turned hues it is turned as `ab` is.
        shown: the pixels of it that the colorization sub-net sees, (H, W), bool.
        ab: the answer.
    """

    precolor: Array
    coarse: Array
    shown: NDArray[np.bool_]
    ab: Array


@dataclass(frozen=True)
class Exemplar(StagedMethod):
    """Both sub-nets.

    Several references each give a coarse chroma map; these are averaged by weight, and by how far each is believed.
    Without a reference the answer is the pre-color, the colorization sub-net's from an empty ab map.

    Attributes:
        name, summary, source, working_size: as of `tinct.methods.Method`.
        matching: "adain" or "wct".
        places: where features are matched.
        by_label: statistics are matched label by label (`tinct.networks.xu2020.label_maps`); else over the whole
            photograph.
    """

    name: str
    summary: str
    source: str
    matching: str = "adain"
    places: Places = EVERYWHERE
    by_label: bool = True
    working_size: int = 256
    exemplar_based = True
    uses_trust = True

    @property
    def weights(self) -> tuple[str, ...]:
        """The files that it needs, by their names in the manifest."""
        # The branch is no part of the paper: a folder of one's own weights need not have it.
        branch = (SEMANTICS,) if installed(SEMANTICS) else ()
        return (self.colorization, *transfer.WEIGHTS, FEATURES, *branch)

    @property
    def colorization(self) -> str:
        """The colorization sub-net's name in the manifest."""
        return COLORIZATION

    def encode(self, lightness: Array) -> Features:
        """See `Method.encode`; networks are asked when their answers are wanted."""
        return Features(np.asarray(lightness, np.float32), self)

    def encode_reference(self, reference: Reference) -> Known:
        """See `Method.encode_reference`."""
        return Known(reference, self)

    def attend(self, features: Features, reference: Known) -> Attended:
        """See `Method.attend`."""
        return Attended(features, reference)

    def recall(self, features: Features, references: Sequence[WeighedReference]) -> Recalled | None:
        """The mean of all references' coarse chroma; see `Method.recall`.

        Raises:
            WeightsError: if a network is not installed.
        """
        used = [each for each in references if each.weight > 0]
        if not used:
            return None
        turn = self.turn_of_hues(features, used)
        found = [each.found.turned_back(turn) for each in used]
        shares = np.array(
            [one.weight * self.share(each, one.trust) for one, each in zip(used, found, strict=True)]
        )
        coarse = np.average(np.stack([each.coarse for each in found]), axis=0, weights=shares)
        return Recalled(
            coarse.astype(np.float32), float(shares.sum() / sum(one.weight for one in used)), turn
        )

    def match(self, features: Features, recalled: Recalled | None, hints: HintField) -> Matched:
        """See `Method.match`; hints are spread over the answer later."""
        return Matched(features, recalled)

    def decode(self, matched: Matched, *, seed: int = 0) -> Prediction:
        """Predict chroma; the seed says which pixels of the coarse chroma are shown to the colorization sub-net.

        Raises:
            WeightsError: if a network is not installed.
        """
        ab = self.refined(matched, seed=seed).ab
        return Prediction(ab, np.full(ab.shape[:2], UNKNOWN_CONFIDENCE, np.float32))

    def stages(self, lightness: Array, references: Sequence[Reference], *, seed: int = 0) -> Stages:
        """All that `predict` finds on its way; it raises the same."""
        matched: Matched = self.matched(lightness, HintField.empty(*lightness.shape), references)
        return self.refined(matched, seed=seed)

    def refined(self, matched: Matched, *, seed: int = 0) -> Stages:
        """All that the sub-nets hand on; see `decode`."""
        photograph, recalled = matched.photograph, matched.recalled
        precolor, size = photograph.precolor, photograph.lightness.shape
        if recalled is None:
            return Stages(precolor, precolor, np.zeros(size, bool), precolor)
        shown = np.random.default_rng(seed).random(size) < recalled.share
        coarse, ab = recalled.coarse, self.refine(photograph.lightness, recalled.coarse, shown)
        if recalled.turn:
            coarse, ab = turned(coarse, recalled.turn), turned(ab, recalled.turn)
        return Stages(precolor, coarse, shown, ab)

    def look(self, lightness: Array) -> Seen | None:
        """What photograph and references are compared by; None where they are not."""
        return seen(lightness)

    def logarithms(self, lightness: Array) -> Array | None:
        """The semantic branch's, of the bins' probabilities, shape (h, w, 313); None where it is not installed."""
        if SEMANTICS not in self.weights:
            return None
        # The branch runs where the sub-nets are run.
        return opinion(lightness, open_branch(device="cpu")).logarithms

    def share(self, found: Attended, trust: float) -> float:
        """Share of a reference's coarse chroma that the colorization sub-net is shown: least of one not believed."""
        return shown_share(found.believed, trust)

    def transfer(self, photograph: Features, reference: Reference, other: Seen | None) -> Array:
        """A reference's coarse chroma, a* b*, (H, W, 2).

        Args:
            photograph: what takes it.
            reference: what gives it.
            other: of `look`, of the reference.
        """
        labels, own = None, photograph.seen
        if self.by_label and own is not None and other is not None:
            common = common_labels(own, other)
            labels = common.photograph, common.reference
        return rgb_to_lab(self.stylized(photograph.content, reference, labels))[..., 1:]

    def doubted(self, features: Features, reference: WeighedReference) -> float | None:
        """The likeness, if little of the reference is shown for it; see `Method.doubted`.

        The reference is asked about as if there were no other.

        Raises:
            WeightsError: if a network is not installed.
        """
        if not self.uses_trust or self.turn_of_hues(features, [replace(reference, weight=1.0)]):
            return None
        found: Attended = reference.found
        left = self.share(found, max(reference.trust, 1.0))  # less trust is the user's own doubt
        return None if left > DOUBTED * PROBABILITY else found.likeness

    def turn_of_hues(self, features: Features, references: Sequence[WeighedReference]) -> float:
        """See `Method.turn_of_hues`; of references that are related, or trusted.

        It is 0 where the semantic branch, which tells it, is not installed.

        Raises:
            WeightsError: if a network is not installed.
        """
        trust = max((each.trust for each in references), default=0.0)
        if not trust or features.seen is None:
            return 0.0
        alike = [each for each in references if turns(each.found.likeness, each.trust)]
        told = [(each.weight, each.found.known.hues) for each in alike]
        return turn_of([(weight, hues) for weight, hues in told if hues is not None], trust)

    def stylized(
        self, content: Array, reference: Reference, labels: tuple[Labels, Labels] | None = None
    ) -> Array:
        """sRGB, (H, W, 3), of the transfer sub-net for a pre-colored photograph.

        Args:
            content: sRGB, (H, W, 3).
            labels: of content and reference, (., .) at any size, to match statistics label by label.
        """
        style = merge_lightness(reference.lightness, reference.ab)
        return transfer.transferred(content, style, labels, match=self.matching, places=self.places)

    def refine(
        self, lightness: Array, ab: Array | None = None, mask: NDArray[np.bool_] | None = None
    ) -> Array:
        """a* b*, (H, W, 2), of the colorization sub-net from chroma that is known where `mask` is; None is nowhere."""
        hints = np.zeros((*lightness.shape, 3), np.float32)
        if ab is not None and mask is not None:
            hints[mask, :2], hints[mask, 2] = ab[mask], 1
        network = exported_network(self.colorization)
        found = network.run(lightness=channels_first(lightness), hints=channels_first(hints))
        return np.asarray(found["ab"][0], np.float32)


@dataclass(frozen=True)
class LiteExemplar(Exemplar):
    """The course report's variant: AdaIN between encoder and decoder only, and 1 % of the coarse chroma shown."""

    uses_trust = False

    def look(self, lightness: Array) -> Seen | None:
        """Nothing: the report shows as much of any reference."""
        return None

    def share(self, found: Attended, trust: float) -> float:
        """Share of the coarse chroma's pixels that the colorization sub-net is shown: the report's."""
        return LITE_PROBABILITY

    @property
    def weights(self) -> tuple[str, ...]:
        """The files that it needs, by their names in the manifest."""
        return (self.colorization, LITE)

    @property
    def colorization(self) -> str:
        """The sub-net that was fine-tuned on what this transfer makes; the whole network's where it was not."""
        return LITE_COLORIZATION if installed(LITE_COLORIZATION) else COLORIZATION

    def stylized(
        self, content: Array, reference: Reference, labels: tuple[Labels, Labels] | None = None
    ) -> Array:
        """sRGB, (H, W, 3), of the transfer sub-net, which knows no labels, for a pre-colored photograph."""
        style = merge_lightness(reference.lightness, reference.ab)
        height, width = content.shape[:2]
        given = {"content": content, "style": style}
        arrays = {name: channels_first(transfer.extended(rgb)) for name, rgb in given.items()}
        rgb = exported_network(LITE).run(**arrays)["rgb"][0]
        return np.ascontiguousarray(rgb.transpose(1, 2, 0)[:height, :width], np.float32)


XU2020 = Exemplar(
    name="xu2020",
    summary="transfers a reference's look onto a pre-colored photograph, then refines its colors",
    source=PAPER,
)
"""The method `xu2020`."""

XU2020_WCT = Exemplar(
    name="xu2020-wct",
    summary="the same, with whitening and coloring in place of AdaIN",
    source=PAPER,
    matching="wct",
)
"""The method `xu2020-wct`."""

XU2020_WHOLE = Exemplar(
    name="xu2020-whole",
    summary="an ablation: statistics matched over whole photographs, not label by label",
    source=PAPER,
    by_label=False,
)
"""The method `xu2020-whole`."""

XU2020_ENCODER_ADAIN = Exemplar(
    name="xu2020-encoder-adain",
    summary="an ablation (Figure 5): statistics matched in the encoder only",
    source=PAPER,
    places=ENCODER_ONLY,
)
"""The method `xu2020-encoder-adain`."""

XU2020_DECODER_ADAIN = Exemplar(
    name="xu2020-decoder-adain",
    summary="an ablation (Figure 5): statistics matched in the decoder only",
    source=PAPER,
    places=DECODER_ONLY,
)
"""The method `xu2020-decoder-adain`."""

XU2020_LITE = LiteExemplar(
    name="xu2020-lite",
    summary="a lighter variant: statistics matched between encoder and decoder only",
    source=LITE_PAPER,
)
"""The method `xu2020-lite`."""
