"""Laws on Xiao 2019's released weights: the reference's colors are followed, and every level of the pyramid counts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tinct.color.lab import rgb_to_lab
from tinct.color.palettes import ab_histogram, histogram_distance
from tinct.hints import HintField
from tinct.inference import open_network
from tinct.inference.openvino_engine import computes_in_bf16
from tinct.methods import Reference, WeighedReference, get_method
from tinct.methods.automatic import Features
from tinct.networks.xiao2019.method import XIAO2019
from tinct.weights import installed, weights_path

Array = NDArray[np.float32]

PHOTOGRAPHS, SIDE = 20, 256

pytestmark = pytest.mark.skipif(not installed("xiao2019"), reason="needs the papers' weights")


@pytest.fixture(scope="module")
def photographs(shared) -> list[Array]:
    """Photographs that are not trained on, in color, CIE Lab, (SIDE, SIDE, 3)."""
    files = sorted((shared / "data" / "test").glob("*/**/*.*"))
    chosen = files[3 :: max(1, len(files) // (2 * PHOTOGRAPHS))]
    labs = (rgb_to_lab(read(file)) for file in chosen)
    return [lab for lab in labs if np.linalg.norm(lab[..., 1:], axis=-1).mean() > 8][:PHOTOGRAPHS]


def read(file: Path) -> NDArray[np.uint8]:
    return np.asarray(Image.open(file).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX))


def reference(lab: Array) -> Reference:
    return Reference(np.ascontiguousarray(lab[..., 0]), np.ascontiguousarray(lab[..., 1:]))


def turned(lab: Array) -> Array:
    """With all hues turned by a right angle."""
    return np.stack([lab[..., 0], -lab[..., 2], lab[..., 1]], -1)


def answer(lab: Array, *references: Array) -> Array:
    """The method's a* b* for a photograph's lightness after references in Lab, (SIDE, SIDE, 2)."""
    lightness = np.ascontiguousarray(lab[..., 0])
    given = [reference(each) for each in references]
    found = get_method("xiao2019").predict(lightness, HintField.empty(*lightness.shape), given)
    assert found.vivid is not None
    return found.ab + found.vivid


@pytest.fixture(scope="module")
def alone(photographs) -> list[Array]:
    """The answers without a reference."""
    return [answer(lab) for lab in photographs]


@pytest.fixture(scope="module")
def after_own(photographs) -> list[Array]:
    """The answers after the photographs' own histograms."""
    return [answer(lab, lab) for lab in photographs]


@pytest.fixture(scope="module")
def after_others(photographs) -> list[Array]:
    """The answers after other photographs, alike only by chance."""
    return [answer(lab, photographs[number - 1]) for number, lab in enumerate(photographs)]


def distance(found: Array, truth: Array) -> float:
    return float(np.linalg.norm(found - truth, axis=-1).mean())


def likeness_gap(found: Array, lab: Array) -> float:
    """The Hellinger distance of an answer's ab histogram from a photograph's, 0..1."""
    return histogram_distance(ab_histogram(found), ab_histogram(lab[..., 1:]))


def test_a_reference_brings_the_answers_histogram_nearer(photographs, alone, after_others):
    """On average by a tenth of the scale, and in most photographs: not in those whose answer was near before."""
    without, after = (
        [likeness_gap(found, photographs[number - 1]) for number, found in enumerate(answers)]
        for answers in (alone, after_others)
    )
    nearer = np.array(without) - after
    assert nearer.mean() > 0.1
    assert (nearer > 0).mean() > 0.5


def test_references_of_different_palettes_give_different_answers_like_their_own(photographs):
    """After each of two references that differ most, the answer is nearer to it than to the other."""
    gaps = np.array(
        [
            [np.linalg.norm(mean_color(x[..., 1:]) - mean_color(y[..., 1:])) for y in photographs]
            for x in photographs
        ]
    )
    first, second = np.unravel_index(gaps.argmax(), gaps.shape)
    one, other = photographs[first], photographs[second]
    right = 0
    for lab in photographs:
        after_one, after_other = answer(lab, one), answer(lab, other)
        right += likeness_gap(after_one, one) < likeness_gap(after_one, other)
        right += likeness_gap(after_other, other) < likeness_gap(after_other, one)
        apart = mean_color(after_one) - mean_color(after_other)
        assert apart @ (mean_color(one[..., 1:]) - mean_color(other[..., 1:])) > 0
    assert right >= 0.9 * 2 * len(photographs)


def mean_color(ab: Array) -> Array:
    return ab.reshape(-1, 2).mean(0)


def test_leaving_the_histogram_out_changes_the_answer(photographs, alone, after_own):
    moved = [distance(x, y) for x, y in zip(alone, after_own, strict=True)]
    assert np.mean(moved) > 2
    assert np.min(moved) > 0.3


def test_the_truths_histogram_makes_the_answer_better(photographs, alone, after_own):
    lost, left = (
        np.array([distance(found, lab[..., 1:]) for found, lab in zip(answers, photographs, strict=True)])
        for answers in (alone, after_own)
    )
    assert left.mean() < 0.7 * lost.mean()
    assert (left < lost).mean() >= 0.9


def test_a_reference_in_turned_hues_turns_the_answer(photographs, after_own):
    """By 60 degrees or more after a turn of 90, on average and in most photographs."""
    angles = []
    for lab, before in zip(photographs, after_own, strict=True):
        after = answer(lab, turned(lab))
        a, b = (each[..., 0] + 1j * each[..., 1] for each in (before, after))
        angles.append(np.degrees(np.angle((np.conj(a) * b).sum())))
    assert np.mean(angles) >= 60
    assert (np.array(angles) >= 60).mean() >= 0.7


def test_an_unrelated_reference_costs_no_more_than_a_match_of_statistics(photographs, alone, after_others):
    """Half more than no reference: it is followed. Mean and deviation of the reference, matched, cost more."""
    matched = [reinhard(found, photographs[number - 1][..., 1:]) for number, found in enumerate(alone)]
    cost = [
        np.mean([distance(found, lab[..., 1:]) for found, lab in zip(answers, photographs, strict=True)])
        for answers in (alone, after_others, matched)
    ]
    assert cost[1] < 1.5 * cost[0]
    assert cost[1] < cost[2]


def reinhard(found: Array, wanted: Array) -> Array:
    """An answer with the mean and the deviation of other a* b*."""
    deviations = wanted.std((0, 1)) / (found.std((0, 1)) + 1e-3)
    return (found - mean_color(found)) * deviations + mean_color(wanted)


def test_a_palette_is_followed_as_a_photograph_is(photographs, alone):
    """Swatches of five colors as a picture: the answers move toward them."""
    blue = np.full((40, 40, 3), 50, np.float32)
    for column, color in enumerate(((5, -45), (15, -60), (0, -20), (0, 0), (-10, -30))):
        blue[:, 8 * column : 8 * column + 8, 1:] = color
    found = [
        mean_color(answer(lab, blue))[1] - mean_color(before)[1]
        for lab, before in zip(photographs, alone, strict=True)
    ]
    assert np.mean(found) < -5
    assert np.max(found) < 0


# The pyramid


@pytest.fixture(scope="module")
def pyramid() -> Callable[..., Array]:
    """Runs the graph with a factor on what each level takes from the one below."""
    onnx = pytest.importorskip("onnx")
    from tinct.inference.openvino_engine import engine

    model = onnx.load(str(weights_path("xiao2019")))
    nodes = []
    joins = []
    for node in model.graph.node:
        nodes.append(node)
        if node.op_type == "BatchNormalization" and "below_norm" in node.name:
            whole, kept = node.output[0], f"{node.output[0]}_before"
            node.output[0] = kept
            factor = f"join{len(joins)}"
            nodes.append(onnx.helper.make_node("Mul", [kept, factor], [whole]))
            model.graph.input.append(onnx.helper.make_tensor_value_info(factor, onnx.TensorProto.FLOAT, []))
            joins.append(factor)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    compiled = engine().compile_model(
        engine().read_model(model.SerializeToString()), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )

    def run(lab: Array, without: int | None) -> Array:
        given = {name: np.float32(number != without) for number, name in enumerate(joins)}
        numbers = XIAO2019.recall(
            Features(lab[..., 0]), [WeighedReference(XIAO2019.encode_reference(reference(lab)))]
        )
        lightness = np.ascontiguousarray(lab[..., 0])[None, None]
        found = compiled({"lightness": lightness, **numbers, **given})
        return np.array(found["ab"])[0]

    assert len(joins) == 2
    return run


@pytest.mark.parametrize(("level", "least"), [(1, 2.0), (2, 1.0)])
def test_each_level_changes_the_answer_of_those_above(level, least, photographs, pyramid):
    """What a level hands up is zeroed: the answer changes, for the worse."""
    moved, worse = [], []
    for lab in photographs:
        truth = rescaled(lab[..., 1:])
        whole, without = pyramid(lab, None), pyramid(lab, level - 1)
        moved.append(distance(whole, without))
        worse.append(distance(without, truth) - distance(whole, truth))
    assert np.mean(moved) > least
    assert np.mean(worse) > 0.05


def rescaled(ab: Array) -> Array:
    """Means over the squares that the pyramid's last level answers for."""
    return ab.reshape(SIDE // 4, 4, SIDE // 4, 4, 2).mean((1, 3))


def test_an_engine_that_computes_in_bf16_answers_alike(photographs):
    """Maps of one place lost their normalization there (`Xiao2019.encode_reference`): 6 units of a* b*."""
    if not computes_in_bf16():
        pytest.skip("this processor does not compute in bf16")
    for lab in photographs[:3]:
        numbers = XIAO2019.recall(
            Features(lab[..., 0]), [WeighedReference(XIAO2019.encode_reference(reference(lab)))]
        )
        lightness = np.ascontiguousarray(lab[..., 0])[None, None]
        half, single = (
            open_network(weights_path("xiao2019"), precision=precision).run(lightness=lightness, **numbers)[
                "ab"
            ]
            for precision in ("bf16", "f32")
        )
        assert distance(half, single) < 0.5
