"""The released network as a method: automatic, from references, from hints, and any mix of these.

The photograph and each reference are encoded once (`encode`), and the photograph attends to each reference once
(`recall`); another hint, weight or trust runs `match` and `decode` again. See `tinct.networks.tinct.network`
for the network, `tinct.networks.tinct.graphs` for how it is cut, and docs/models/tinct.md for its training and scores.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tinct.errors import WeightsError
from tinct.hints import HintField
from tinct.inference import Network, TorchSource, on_gpu, open_network
from tinct.inference.eight_bits import Ranges
from tinct.methods.classical.levin import pin_hints
from tinct.methods.distribution import Distribution, alternative
from tinct.methods.exported import bilinear, mirrored
from tinct.methods.kriging import mended_at_hints, moved_to_hints
from tinct.methods.method import DOUBTED, Prediction, Reference, StagedMethod, WeighedReference
from tinct.methods.turned_hues import hues_of, turn_of, turned, turned_distribution, turned_hints
from tinct.networks.semantics.opinion import NAME as SEMANTICS
from tinct.networks.semantics.opinion import looked_at, open_branch, opinion, opinion_in
from tinct.networks.semantics.ports import LEVELS
from tinct.networks.tinct.blocks import blocks_leave_out_half, chosen_items, rows_of_blocks
from tinct.networks.tinct.card import PAPER
from tinct.networks.tinct.joined import ALONE, PHOTOGRAPH, REFERENCE, open_for, outputs_of
from tinct.networks.tinct.memory import (
    MAYBE_SAME,
    SHARE_OF_SAME,
    SURELY_SAME,
    Attended,
    Items,
    ReferenceFeatures,
    Sums,
    against_null,
    block_means,
    hint_items,
    maps,
    pooled_keys,
    share_of,
    shares,
)
from tinct.networks.tinct.mixing import Decoded, averaged, share_of_distribution, share_of_mean
from tinct.networks.tinct.ports import (
    HEADS,
    INPUTS,
    KEY_STRIDE,
    OUTPUTS,
    PLACE_STRIDE,
    SEEN,
    SIZE_MULTIPLE,
)
from tinct.networks.tinct.restraint import (
    answered_where_alike,
    restrained_moves,
    restrained_scores,
    restraint,
)
from tinct.networks.tinct.rounding import beside, ranges_of
from tinct.networks.tinct.stages import Encoded, Features, Matched, Recalled
from tinct.networks.tinct.vividness import VIVID_STRIDE, correction_and_way, in_pairs, lengthened
from tinct.weights import manifest, weights_path

if TYPE_CHECKING:
    from torch import nn

Array = NDArray[np.float32]

MOST_SCORES = 1 << 23
"""Scores of a photograph's places for a reference's items that are held at a time: 32 MiB, and half of that for what
the branch adds to them."""

ROUGHER = 2
"""Places at 1/4 along one at which a photograph is compared with a reference that does not show the same picture: four
times as fast, and on held-out photographs no worse (docs/experiments.md, "How finely references are cut")."""

REFERENCE_TRUST = float(np.exp(2))
"""Factor of a reference's weight beside the null item for each step of trust; at trust 1 as in training.

Gains and costs on held-out photographs: docs/experiments.md, "References"."""


ALIKE, DOUBT_SLOPE = 0.5, 8.0
"""Likeness of the signatures of photograph and reference below which the reference is doubted, and what is taken from
the scores of its patches for each unit of likeness below that. Chosen on held-out photographs (docs/experiments.md,
"Whom to believe"): most photographs of another kind of scene have a likeness below 0.2."""


class Tinct(StagedMethod):
    """One compact network that colors by itself, from references, from hints, and from any mix of these."""

    name = "tinct"
    summary = "the released network: by itself, from references, from hints, and any mix"
    source = PAPER
    uses_trust = True
    honors_hints = True
    suggests = True
    sees_restored = True

    def __init__(self, *, device: str = "auto", precision: str = "auto", threads: int | None = None) -> None:
        self._engine: dict[str, Any] = {"device": device, "precision": precision, "threads": threads}
        self._networks: dict[str, Network] = {}

    def prepare(self, *, helped: bool = False) -> None:
        """Open the parts that a photograph needs; a thread may do it while the photograph is being read.

        Args:
            helped: whether there will be hints or references.
        Raises:
            WeightsError: if a file is missing or not the one that the manifest names.
            MissingExtraError: if the engine is not installed.
        """
        if helped and self._joined(PHOTOGRAPH):
            self._network("decode")
        elif not self._joined(ALONE):
            for part in ("encode", "decode"):
                self._network(part)
            self._branch()

    @property
    def weights(self) -> tuple[str, ...]:
        """The network's parts and the semantic branch, in the order of their names."""
        return (SEMANTICS, *sorted(f"tinct.{part}" for part in OUTPUTS))

    def encode(self, lightness: Array) -> Features:
        """The features of a photograph, computed when they are wanted; lightness is CIE L*, shape (H, W), 0..100."""
        padded = mirrored(np.asarray(lightness, np.float32), SIZE_MULTIPLE)
        height, width = lightness.shape
        return Features(padded, (height, width), self._encoded)

    def encode_reference(self, reference: Reference) -> ReferenceFeatures:
        """What is known of a reference whatever photograph it is for; weight and trust count later."""
        lightness = np.asarray(reference.lightness, np.float32)
        padded = mirrored(lightness, SIZE_MULTIPLE)
        if network := self._joined(REFERENCE):
            found = network.run(**_given(padded))
            keys, seen = found["encode.keys"], opinion_in(found, "semantics.")
        else:
            encoded = self._encoded(padded)
            keys, seen = encoded.view, encoded.opinion
        if padded.shape != lightness.shape:
            seen = opinion(lightness, self._branch())
        hues = hues_of(lightness, reference.ab, seen.logarithms)
        return ReferenceFeatures(keys[0], reference.ab, seen.signature, seen.places, hues)

    def attend(self, features: Features, reference: ReferenceFeatures) -> Attended:
        """The attention of each place to the patches of a reference; weight and trust count later."""
        likeness = float(np.dot(features.opinion.signature, reference.signature))
        same = likeness >= SURELY_SAME
        if not same:
            sums = self._roughly(features, reference)
            same = likeness >= MAYBE_SAME and share_of(sums) >= SHARE_OF_SAME
        if same:
            sums = self._finely(features, reference)
        return Attended(sums, belief(likeness), likeness, reference.hues)

    def _roughly(self, features: Features, reference: ReferenceFeatures) -> Sums:
        """The attention of places at 1/8 to the patches of a reference, enlarged: what is of one kind fits loosely."""
        keys = pooled_keys(features.keys[0], ROUGHER)[None]
        places = block_means(features.places[0], ROUGHER)[None]
        found = self._found(keys, places, reference.coarse)[0]
        height, width = keys.shape[1:3]
        maps_of_heads = found.reshape(HEADS, height, width, -1).transpose(1, 2, 0, 3)
        large = _enlarged(maps_of_heads.reshape(height, width, -1), ROUGHER)
        large = large.reshape(*large.shape[:2], HEADS, -1).transpose(2, 0, 1, 3)
        return against_null(large.reshape(1, HEADS, -1, large.shape[3]))

    def _finely(self, features: Features, reference: ReferenceFeatures) -> Sums:
        """The attention of each place to the fine patches of a reference; see `tinct.networks.tinct.blocks`."""
        if not reference.may_be_fine:
            return self._recalled(features, reference.coarse)
        if not blocks_leave_out_half(reference) or not self._candidates_are_of_recall:
            return self._recalled(features, reference.fine)
        fours, found = reference.fours.inputs(), []
        del fours["item_ab"]
        for some in rows_of_blocks(features.keys[0], features.places[0]):
            asked = self._network("candidates").run(keys=some.coarse_keys, places=some.places, **fours)
            items = chosen_items(asked["taken"], reference).inputs()
            given = self._network("recall").run(keys=some.keys, places=some.places, **items)["found"]
            found.append(some.put_together(given))
        whole = np.concatenate(found, 1)
        return against_null(whole.reshape(1, len(whole), -1, whole.shape[3]))

    @cached_property
    def _candidates_are_of_recall(self) -> bool:
        """Whether both parts lie in one folder: one of weights that an older tinct exported has no `candidates`."""
        known = manifest()
        folders = {weights_path(f"tinct.{part}", entries=known).parent for part in ("candidates", "recall")}
        return len(folders) == 1

    def _recalled(self, features: Features, chosen: Items) -> Sums:
        """The attention of each place to a reference's items, as `against_null` gives it."""
        return against_null(self._found(features.keys, features.places, chosen))

    def _found(self, keys: Array, places: Array, chosen: Items) -> NDArray[Any]:
        """What `recall` gives for keys (1, h, w, heads * key) and places (1, h / 2, w / 2, P)."""
        recall, items = self._network("recall"), chosen.inputs()
        # What is alike is a number for each place and item: of large photographs, some rows at a time.
        rows = max(1, MOST_SCORES // (4 * places.shape[2] * len(chosen.keys)))
        if rows >= places.shape[1]:
            return recall.run(keys=keys, places=places, **items)["found"]
        ratio = PLACE_STRIDE // KEY_STRIDE
        parts = [
            recall.run(
                keys=keys[:, ratio * start : ratio * (start + rows)],
                places=places[:, start : start + rows],
                **items,
            )["found"]
            for start in range(0, places.shape[1], rows)
        ]
        return np.concatenate(parts, 2)

    def doubted(self, features: Features, reference: WeighedReference) -> float | None:
        """The likeness of the signatures, if doubt takes most of the reference's influence; see `Method.doubted`."""
        return reference.found.likeness if _told(reference) <= DOUBTED else None

    def turn_of_hues(self, features: Features, references: Sequence[WeighedReference]) -> float:
        """See `Method.turn_of_hues`; a doubted reference turns nothing, as it is of something else."""
        believed = [each for each in references if _told(each) > DOUBTED]
        trust = max((each.trust for each in believed), default=0.0)
        return turn_of(((each.weight, each.found.hues) for each in believed), trust)

    def recall(self, features: Features, references: Sequence[WeighedReference]) -> Recalled | None:
        """What all references of a weight above 0 give; None where there is none.

        Weights that sum to more than 1 are divided by their sum: several references share what one has beside the null
        item, and what several have in common counts, where each for itself would be believed the more the more there
        are (docs/experiments.md, "Several references").
        """
        counted = [each for each in references if each.weight > 0]
        if not counted:
            return None
        whole = max(1.0, sum(each.weight for each in counted))
        sums = np.asarray(sum(influence(each) / whole * each.found.sums for each in counted))
        turn = self.turn_of_hues(features, counted)
        if turn:
            sums[..., :2] = turned(sums[..., :2], -turn)
        return Recalled(sums, turn)

    def match(self, features: Features, recalled: Recalled | None, hints: HintField) -> Matched:
        """The attention to references and hints, and all else that the decoder needs."""
        far, turn = (None, 0.0) if recalled is None else recalled
        given, hints = hints, turned_hints(hints, -turn) if turn else hints
        near, restrained, grid = None, None, features.grid(KEY_STRIDE)
        if hints.points:
            height, width = features.lightness.shape
            restrained = restraint(hints, features.opinion, (height, width))
            kept = None if restrained is None else restrained.kept
            scores = None if kept is None else restrained_scores(kept, grid)
            items = hint_items(features.keys[0], hints, scores).inputs()
            near = against_null(self._network("match").run(keys=features.keys, **items)["found"])
        helped = recalled is not None or bool(hints)
        return Matched(features, hints, maps(near, far, *grid), helped, restrained, turn, given)

    def decode(self, matched: Matched, *, seed: int = 0) -> Prediction:
        """Predict chroma; a seed above 0 gives another plausible colorization, the same seed the same one."""
        features = matched.features
        taken, from_references = shares(matched.maps)
        if matched.decoded is None:
            share_of_second = block_means(
                share_of_distribution(taken, from_references), VIVID_STRIDE // KEY_STRIDE
            )
            matched.decoded = self._decoded(matched, share_of_second)
        decoded = matched.decoded
        height, width = features.size
        answered = _enlarged(taken, KEY_STRIDE)
        certainty = _enlarged(decoded.certainty, VIVID_STRIDE)
        mean_share = block_means(share_of_mean(taken, from_references), VIVID_STRIDE // KEY_STRIDE)
        second = _heeding_hints(bilinear(decoded.second, mean_share.shape[:2]), matched)
        correction, vivid = correction_and_way(features.at_eighth, decoded, second, mean_share)
        ab = features.at_half.along_edges(decoded.ab)
        ab += correction
        ab = mended_at_hints(ab, features.lightness, matched.hints)
        if matched.helped:
            # The more hints and references answer for, the less is guessed: by the square of what they leave.
            answered_for = answered
            if matched.restraint is not None:
                alike = answered_where_alike(matched.restraint.unlike, taken.shape[:2])
                answered_for = _enlarged(from_references + (taken - from_references) * alike, KEY_STRIDE)
            vivid *= in_pairs(np.square(1 - answered_for))
        if from_references.any():
            vivid += ab * in_pairs(lengthened(_enlarged(from_references, KEY_STRIDE), certainty))
        if matched.turn:
            ab, vivid = turned(ab, matched.turn), turned(vivid, matched.turn)
        ab, certainty = ab[:height, :width], certainty[:height, :width]
        if seed:
            moved = alternative(self.distribution(matched), seed)
            ab = ab + _enlarged(moved, KEY_STRIDE)[:height, :width]
        return Prediction(
            pin_hints(ab, matched.given),
            np.maximum(certainty, answered[:height, :width]),
            vivid[:height, :width],
        )

    def _decoded(self, matched: Matched, share_of_second: Array) -> Decoded:
        """The answer of decoder and branch; of one network if nothing helps, even if the features are there already.

        The two differ by rounding, and a photograph without help has one answer.
        """
        features, share = matched.features, share_of_second[None]
        alone = None if matched.helped else self._joined(ALONE)
        if alone is None:
            found = self._network("decode").run(**matched.inputs, second=features.second, second_share=share)
            second = features.opinion.ab
        else:
            both = alone.run(**_given(features.lightness), **{"decode.second_share": share})
            found, second = outputs_of("decode", both), both["semantics.ab"][0]
        return Decoded(found["ab"][0], found["annealed"][0], found["certainty"][0], second)

    def distribution(self, matched: Matched) -> Distribution:
        """How likely each of the 313 bins is, at a quarter of the working size.

        The distribution is cut to the cells that the photograph touches: padding is not asked about.
        """
        if matched.distribution is None:
            features, inputs = matched.features, matched.inputs
            height, width = (-(-n // KEY_STRIDE) for n in features.size)
            wanted = {name: inputs[name] for name in INPUTS["distribution"]}
            own = np.asarray(self._network("distribution").run(**wanted)["probabilities"][0], np.float32)
            taken, from_references = shares(matched.maps)
            second = bilinear(features.opinion.logarithms, own.shape[:2])
            p = averaged(own, second, share_of_distribution(taken, from_references))
            if matched.turn:
                p = turned_distribution(p, matched.turn)
            keys = np.asarray(features.keys[0, :height, :width], np.float32) / np.float32(np.sqrt(HEADS))
            lightness = block_means(features.lightness[..., None], KEY_STRIDE)[..., 0]
            cut = slice(height), slice(width)
            matched.distribution = Distribution(p[cut], keys, taken[cut], lightness[cut], KEY_STRIDE)
        return matched.distribution

    def _encoded(self, lightness: Array) -> Encoded:
        """The outputs of `encode` and of the branch; an encoder that shares no backbone is not told what that saw."""
        if network := self._joined(PHOTOGRAPH):
            found = network.run(**_given(lightness))
            outputs, seen = outputs_of("encode", found), opinion_in(found, "semantics.")
        else:
            looked = self._branch().run(lightness=looked_at(lightness)[None, None])
            encoder, given = self._network("encode"), {"lightness": lightness[None, None]}
            for name, level in zip(SEEN, LEVELS, strict=True):
                if name not in encoder.inputs:
                    continue
                if level not in looked:
                    raise WeightsError(f"the weights {SEMANTICS!r} are of an older tinct; export them again.")
                given[name] = looked[level]
            outputs, seen = encoder.run(**given), opinion_in(looked)
        return Encoded(outputs.pop("keys"), outputs, seen)

    def _joined(self, asked: str) -> Network | None:
        """The joined network for what is asked; None on a GPU, which runs the parts one after the other."""
        if on_gpu(self._engine["device"]):
            return None
        if asked not in self._networks:
            engine = {name: value for name, value in self._engine.items() if name != "device"}
            self._networks[asked] = open_for(asked, **engine)
        return self._networks[asked]

    def _branch(self) -> Network:
        """The semantic branch, looked up once like the network's parts."""
        if SEMANTICS not in self._networks:
            self._networks[SEMANTICS] = open_branch(**self._engine, ranges=self._ranges(SEMANTICS))
        return self._networks[SEMANTICS]

    def _network(self, part: str) -> Network:
        """A part of the network; looking up whose weights are installed costs more than `match`, and is done once."""
        if part not in self._networks:
            name = f"tinct.{part}"
            known = manifest()
            path = weights_path(name, entries=known)
            self._networks[part] = open_network(
                path,
                torch_source=_torch_source(part, path),
                ranges=self._ranges(name),
                beside=beside(name),
                **self._engine,
            )
        return self._networks[part]

    def _ranges(self, name: str) -> Ranges:
        """The ranges by which a part is computed in 8 bits; a GPU has no use for them."""
        return {} if on_gpu(self._engine["device"]) else ranges_of(name, manifest())


def _heeding_hints(second: Array, matched: Matched) -> Array:
    """The branch's mean answer, a* b* (h, w, 2), moved to the hints as far as they are not kept from its places."""
    moved = moved_to_hints(second, matched.features.lightness, matched.hints.points)
    if matched.restraint is None or matched.restraint.kept is None:
        return moved
    return second + (moved - second) * restrained_moves(matched.restraint.kept, second.shape[:2])


def _given(lightness: Array) -> dict[str, NDArray[Any]]:
    """What a joined network is given of a photograph of CIE L*, shape (H, W)."""
    return {
        "semantics.lightness": looked_at(lightness)[None, None],
        "encode.lightness": lightness[None, None],
    }


def influence(reference: WeighedReference) -> float:
    """The influence of a reference beside the null item.

    Its weight, times `REFERENCE_TRUST` for each step of trust above 1, times the exponential of the belief in it. Trust
    takes the belief's share away: at 2 and above none is left, and at 0 it counts twice.
    """
    return reference.weight * REFERENCE_TRUST ** (reference.trust - 1) * _told(reference)


def _told(reference: WeighedReference) -> float:
    """The share of a reference's influence that doubt leaves, 0..1."""
    found: Attended = reference.found
    return math.exp(found.belief * max(0.0, 2 - reference.trust))


def belief(likeness: float) -> float:
    """What is added to the scores of a reference's patches, by the likeness of the signatures, -1..1: 0 or less.

    Places that fit well have scores far above the null item's, and keep the reference's colors all the same.
    """
    return -DOUBT_SLOPE * max(0.0, ALIKE - likeness)


def _torch_source(part: str, path: Path) -> TorchSource:
    """How a GPU runs the same file: PyTorch's own form of the graph, with the weights that the file holds."""
    numbers = manifest()[f"tinct.{part}"].network

    def build() -> nn.Module:
        from tinct.networks.tinct.network import TinctConfig
        from tinct.networks.tinct.released_weights import released_graph
        from tinct.tables import dataclass_from

        return released_graph(part, path, dataclass_from(TinctConfig, numbers, "network"))

    alone = part == "encode" and numbers.get("backbone") == ""  # not stated is the released one's
    return TorchSource(build, path, INPUTS[part][:1] if alone else INPUTS[part], OUTPUTS[part])


def _enlarged(image: NDArray[Any], times: int) -> Array:
    """(h, w) or (h, w, C) to `times` its size, bilinearly; a single channel comes back as (H, W)."""
    import cv2

    size = (image.shape[1] * times, image.shape[0] * times)
    whole = np.ascontiguousarray(image, np.float32)
    return np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_LINEAR), np.float32)
