"""Xu 2020 behind the one protocol: pre-color, transfer against the reference, sample the coarse chroma, refine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tinct.color.gamut import merge_lightness
from tinct.color.lab import rgb_to_lab
from tinct.hints import HintField
from tinct.methods.automatic import UNKNOWN_CONFIDENCE
from tinct.methods.exported import channels_first, exported_network
from tinct.methods.method import DOUBTED, Method, Prediction, Reference, WeighedReference
from tinct.methods.turned_hues import Hues, hues_of, turn_of, turned
from tinct.networks.semantics.opinion import NAME as SEMANTICS
from tinct.networks.semantics.opinion import open_branch, opinion
from tinct.networks.xu2020 import transfer
from tinct.networks.xu2020.card import LITE_PAPER, PAPER
from tinct.networks.xu2020.feature_statistics import Labels
from tinct.networks.xu2020.label_maps import FEATURES, Seen, common_labels, seen
from tinct.networks.xu2020.likeness import fit, likeness, shown_share, turns
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
class Exemplar(Method):
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

    def predict(
        self, lightness: Array, hints: HintField, references: Sequence[Reference], *, seed: int = 0
    ) -> Prediction:
        """Predict chroma; the seed says which pixels of the coarse chroma are shown to the colorization sub-net.

        Raises:
            WeightsError: if a network is not installed.
        """
        ab = self.stages(lightness, references, seed=seed).ab
        return Prediction(ab, np.full(lightness.shape, UNKNOWN_CONFIDENCE, np.float32))

    def stages(self, lightness: Array, references: Sequence[Reference], *, seed: int = 0) -> Stages:
        """All that `predict` finds on its way; it raises the same."""
        used = [reference for reference in references if reference.weight > 0]
        lightness = np.asarray(lightness, np.float32)
        precolor = self.refine(lightness)
        if not used:
            return Stages(precolor, precolor, np.zeros(lightness.shape, bool), precolor)
        content = merge_lightness(lightness, precolor)
        own, others = self.look(lightness), [self.look(one.lightness) for one in used]
        if turn := self.turn(own, used, others):
            used = [replace(one, ab=turned(one.ab, -turn)) for one in used]
        both = list(zip(used, others, strict=True))
        coarse = np.stack([self.transfer(content, own, *each) for each in both])
        shares = np.array([one.weight * self.share(own, one, other) for one, other in both])
        share = shares.sum() / sum(one.weight for one in used)
        mean = np.average(coarse, axis=0, weights=shares).astype(np.float32)
        shown = np.random.default_rng(seed).random(lightness.shape) < share
        ab = self.refine(lightness, mean, shown)
        if turn:
            mean, ab = turned(mean, turn), turned(ab, turn)
        return Stages(precolor, mean, shown, ab)

    def look(self, lightness: Array) -> Seen | None:
        """What photograph and references are compared by; None where they are not."""
        return seen(lightness)

    def turn(self, own: Seen | None, references: Sequence[Reference], others: Sequence[Seen | None]) -> float:
        """The angle by which references that are alike have their hues turned (`tinct.methods.turned_hues`); 0 mostly.

        It is 0 where the semantic branch, which tells it, is not installed.

        Args:
            own, others: of `look`, of the photograph and of the references.
        """
        trust = max(one.trust for one in references)
        if own is None or not trust or SEMANTICS not in self.weights:
            return 0.0
        alike = [
            (one.weight, _hues(one))
            for one, other in zip(references, others, strict=True)
            if other is not None and turns(likeness(own, other), one.trust)
        ]
        return turn_of(alike, trust)

    def share(self, own: Seen | None, reference: Reference, other: Seen | None) -> float:
        """Share of a reference's coarse chroma that the colorization sub-net is shown: least of one that is not alike.

        Args:
            own, other: of `look`, of the photograph and of the reference.
        """
        assert own is not None
        assert other is not None
        return shown_share(fit(own, other), reference.trust)

    def transfer(self, content: Array, own: Seen | None, reference: Reference, other: Seen | None) -> Array:
        """A reference's coarse chroma, a* b*, (H, W, 2).

        Args:
            content: the pre-colored photograph, sRGB (H, W, 3).
            own, other: of `look`, of the photograph and of the reference.
        """
        labels = None
        if self.by_label and own is not None and other is not None:
            common = common_labels(own, other)
            labels = common.photograph, common.reference
        return rgb_to_lab(self.stylized(content, reference, labels))[..., 1:]

    def doubted(self, features: Array, reference: WeighedReference) -> float | None:
        """The likeness, if little of the reference is shown for it; see `Method.doubted`.

        Raises:
            WeightsError: if a network is not installed.
        """
        if not self.uses_trust:
            return None
        given: Reference = replace(reference.found, weight=1.0, trust=reference.trust)
        own, other = seen(features), seen(given.lightness)
        left = shown_share(fit(own, other), max(reference.trust, 1.0))  # less trust is the user's own doubt
        if left > DOUBTED * PROBABILITY or self.turn(own, [given], [other]):
            return None
        return likeness(own, other)

    def turn_of_hues(self, features: Array, references: Sequence[WeighedReference]) -> float:
        """See `Method.turn_of_hues`; of references that are related, or trusted.

        Raises:
            WeightsError: if a network is not installed.
        """
        given = [replace(each.found, weight=each.weight, trust=each.trust) for each in references]
        return self.turn(self.look(features), given, [self.look(each.lightness) for each in given])

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


def _hues(reference: Reference) -> Hues:
    """How expected the reference's colors are by the semantic branch, which is asked where the sub-nets are run."""
    lightness = np.asarray(reference.lightness, np.float32)
    return hues_of(reference.ab, opinion(lightness, open_branch(device="cpu")).logarithms)


@dataclass(frozen=True)
class LiteExemplar(Exemplar):
    """The course report's variant: AdaIN between encoder and decoder only, and 1 % of the coarse chroma shown."""

    uses_trust = False

    def look(self, lightness: Array) -> Seen | None:
        """Nothing: the report shows as much of any reference."""
        return None

    def share(self, own: Seen | None, reference: Reference, other: Seen | None) -> float:
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
