"""Laws of the released network behind its doors: hints, references, choices, sizes, and honest failure."""

from __future__ import annotations

import shutil
import sys
import threading
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data

from tinct import weights
from tinct.cli import run
from tinct.cli.colorize import PREPARING
from tinct.color.bins import AB_SCALE
from tinct.color.difference import ciede2000
from tinct.color.gamut import fit_gamut
from tinct.color.hexcolor import color_to_ab
from tinct.color.lab import rgb_to_lab, rgb_to_lightness
from tinct.colorizing.colorizer import Colorizer, colorize
from tinct.errors import HintError, MethodError, MissingExtraError, OptionError, WeightsError
from tinct.hints import Hint, HintField, place_hints
from tinct.hints.field import PlacedHint
from tinct.inference.opening import drop_compiled_networks
from tinct.inference.openvino_engine import best_precision
from tinct.methods import Reference, WeighedReference, get_method
from tinct.methods.turned_hues import TURNS, Hues
from tinct.networks.tinct import blocks, memory, method, vividness
from tinct.networks.tinct.memory import against_null, maps
from tinct.networks.tinct.method import Tinct, influence
from tinct.networks.tinct.ports import HEADS
from tinct.networks.tinct.stages import Features
from tinct.weights import weights_path


def resized(photo: NDArray, width: int, height: int) -> NDArray:
    return np.asarray(cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA))


ASTRONAUT = resized(data.astronaut(), 240, 200)
GRAY = np.asarray(cv2.cvtColor(ASTRONAUT, cv2.COLOR_RGB2GRAY))
COFFEE = resized(data.coffee(), 180, 120)
POINTS = [(60, 90, "#2060d0"), (130, 150, "#c03040"), (200, 40, "#40a040")]


def chroma(photo: NDArray) -> NDArray:
    return rgb_to_lab(photo)[..., 1:]


def reference(photo: NDArray, weight: float = 1.0) -> Reference:
    lab = rgb_to_lab(photo)
    return Reference(np.ascontiguousarray(lab[..., 0]), np.ascontiguousarray(lab[..., 1:]), weight)


def lightness_of(photo: NDArray) -> NDArray[np.float32]:
    return np.ascontiguousarray(rgb_to_lab(photo)[..., 0])


# Answers


def test_it_colors_by_itself_and_keeps_lightness():
    result = colorize(GRAY)
    assert result.shape == (*GRAY.shape, 3)
    assert np.abs(chroma(result)).mean() > 3
    plain = np.repeat(GRAY[..., None], 3, axis=2)
    half_step = np.abs(rgb_to_lightness(result) - rgb_to_lightness(plain))
    assert np.quantile(half_step, 0.999) < 0.3


def test_the_same_photograph_gives_the_same_bytes_at_any_door():
    colorizer = Colorizer(GRAY)
    first = colorize(GRAY)
    assert np.array_equal(first, colorize(GRAY))
    assert np.array_equal(first, colorizer.like(GRAY))
    colorizer.add_hint(POINTS[0])
    assert not np.array_equal(first, colorizer.like(GRAY))
    colorizer.clear_hints()
    assert np.array_equal(first, colorizer.like(GRAY))


def test_predict_is_all_stages_in_their_order():
    method, lightness = Tinct(), lightness_of(ASTRONAUT)
    hints = place_hints([Hint(*point) for point in POINTS], (240, 200), (240, 200))
    whole = method.predict(lightness, hints, [reference(COFFEE)])
    features, encoded = method.encode(lightness), method.encode_reference(reference(COFFEE))
    recalled = method.recall(features, [WeighedReference(method.attend(features, encoded))])
    apart = method.decode(method.match(features, recalled, hints))
    for name in ("ab", "confidence", "vivid"):
        assert np.array_equal(getattr(whole, name), getattr(apart, name))


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (3, 5), (31, 33), (33, 100), (257, 40)])
def test_every_size_is_answered(shape: tuple[int, int]):
    photo = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    assert colorize(photo, reference=COFFEE, hints=[(0, 0, "#804020")]).shape == (*shape, 3)


def test_padding_hardly_reaches_into_the_photograph():
    """Sizes are padded by mirroring, so a photograph cut to a multiple of 32 looks as it did uncut."""
    method, lightness = Tinct(), lightness_of(ASTRONAUT)[:, :224]
    nothing = HintField.empty(200, 224)
    padded = method.predict(np.ascontiguousarray(lightness), nothing, []).ab
    cut = method.predict(np.ascontiguousarray(lightness[:192]), HintField.empty(192, 224), []).ab
    assert np.abs(padded[:128] - cut[:128]).mean() < 3


@pytest.mark.parametrize("reduced", ["bf16", "int8"])
def test_less_precision_is_close_to_single_precision(reduced: str):
    try:
        best_precision(reduced, {"any.weight": 1.0})
    except OptionError as error:
        pytest.skip(str(error))
    opened = Tinct(precision=reduced)
    assert opened._network("encode").precision == reduced
    if best_precision() == "f32":
        assert {opened._network("decode").precision, opened._branch().precision} == {reduced}
    lightness = lightness_of(ASTRONAUT)
    nothing = HintField.empty(*lightness.shape)
    labs = []
    for precision in (reduced, "f32"):
        found = Tinct(precision=precision).predict(lightness, nothing, [reference(COFFEE)])
        assert found.vivid is not None
        labs.append(np.dstack([lightness, fit_gamut(lightness, found.ab + found.vivid)]))
    assert ciede2000(*labs).mean() < 0.5


# Hints


@pytest.mark.parametrize("vividness", [0.0, 1.0, 2.0])
def test_a_hint_is_met_at_its_pixel(vividness: float):
    result = rgb_to_lab(colorize(GRAY, reference=COFFEE, hints=POINTS, vividness=vividness))
    for x, y, color in POINTS:
        lightness = result[y, x, :1]
        wanted = np.concatenate([lightness, fit_gamut(lightness, color_to_ab(color)[None])[0]])
        assert ciede2000(result[y, x], wanted) < 2


def test_a_hint_reaches_what_looks_like_it():
    field = np.full((96, 192), 60, np.uint8)
    field[:, 96:] = 190
    result = chroma(colorize(field, hints=[(40, 48, "#20a020")], vividness=0))
    near, far = result[:, 8:88].mean((0, 1)), result[:, 104:184].mean((0, 1))
    target = color_to_ab("#20a020")
    assert np.linalg.norm(near - target) < np.linalg.norm(far - target)


def test_a_gray_hint_makes_its_surroundings_more_neutral():
    before = np.linalg.norm(chroma(colorize(GRAY)), axis=-1)
    place = np.unravel_index(cv2.blur(before, (15, 15)).argmax(), before.shape)
    after = np.linalg.norm(chroma(colorize(GRAY, hints=[(int(place[1]), int(place[0]), "#808080")])), axis=-1)
    window = tuple(slice(max(n - 5, 0), n + 6) for n in place)
    assert after[place] < 1
    assert after[window].mean() < 0.5 * before[window].mean()


def test_many_hints_are_nearly_met_before_their_pixels_are_set(monkeypatch):
    """What is missed at them is mended around them, too: elsewhere the answer comes nearer to the truth."""
    truth, own = chroma(ASTRONAUT), lightness_of(ASTRONAUT)
    generator = np.random.default_rng(0)
    points = [(int(generator.integers(3, 237)), int(generator.integers(3, 197))) for _ in range(300)]
    items = tuple(
        PlacedHint(x, y, tuple(truth[y - 2 : y + 3, x - 2 : x + 3].mean((0, 1))), 2.5) for x, y in points
    )
    monkeypatch.setattr(method, "pin_hints", lambda ab, hints: ab)
    network, missed, error = Tinct(), [], []
    features = network.encode(own)
    ab, mask = np.zeros_like(truth), np.zeros_like(own)
    for (x, y), item in zip(points, items, strict=True):
        ab[y - 2 : y + 3, x - 2 : x + 3], mask[y - 2 : y + 3, x - 2 : x + 3] = item.ab, 1
    for mended in (method.mended_at_hints, lambda ab, lightness, hints: ab):
        monkeypatch.setattr(method, "mended_at_hints", mended)
        found = network.decode(network.match(features, None, HintField(ab, mask, items))).ab
        missed.append(np.square((found - ab)[mask > 0]).mean())
        error.append(np.square(found - truth).mean())
    assert missed[0] < 0.9 * missed[1]
    assert error[0] < error[1]


def test_a_reference_counts_as_much_however_finely_it_is_cut(monkeypatch):
    even = Reference(np.full((64, 96), 50, np.float32), np.full((64, 96, 2), 20, np.float32))
    network = Tinct()
    features, found = network.encode(lightness_of(COFFEE)), []
    monkeypatch.setattr(method, "SURELY_SAME", -1)
    cut = patches_asked(network, monkeypatch)
    for most, patches in ((memory.MOST_FINE, 16 * 24), (0, 8 * 12)):
        monkeypatch.setattr(memory, "MOST_FINE", most)
        encoded = network.encode_reference(even)
        attended = network.attend(features, encoded)
        assert cut.pop() == patches
        found.append(sums_of(network, features, [WeighedReference(attended)]))
    # in places of one color patches of 4 and of 8 pixels have the same keys but at the borders
    np.testing.assert_allclose(np.median(found[0][..., 2] / found[1][..., 2]), 1, atol=0.1)


def sums_of(network: Tinct, features: Features, references: list[WeighedReference]) -> memory.Sums:
    recalled = network.recall(features, references)
    assert recalled is not None
    return recalled.sums


def patches_asked(network: Tinct, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many patches the photograph is compared with, at each time from now on."""
    recall, asked = network._network("recall"), []
    run = recall.run

    def counted(**given: np.ndarray) -> dict[str, np.ndarray]:
        asked.append(given["item_ab"].shape[1])
        return run(**given)

    monkeypatch.setattr(recall, "run", counted)
    return asked


@pytest.mark.parametrize(
    ("likeness", "share", "sides"),
    [
        (0.8, 0.0, [4]),
        (0.75, 0.0, [4]),
        (0.7, 0.8, [8, 4]),
        (0.7, 0.6, [8]),
        (0.5, 0.8, [8, 4]),
        (0.4, 0.9, [8]),
    ],
)
def test_a_reference_is_cut_finely_where_it_is_the_same_picture(
    monkeypatch: pytest.MonkeyPatch, likeness: float, share: float, sides: list[int]
) -> None:
    network = Tinct()
    features, encoded = network.encode(lightness_of(ASTRONAUT)), network.encode_reference(reference(COFFEE))
    encoded = replace(encoded, signature=features.opinion.signature * np.float32(likeness + 1e-6))
    monkeypatch.setattr(method, "share_of", lambda sums: share)
    height, width = COFFEE.shape[:2]
    asked = patches_asked(network, monkeypatch)
    network.attend(features, encoded)
    of_each_block = 4 * blocks.CHOSEN
    assert asked == [of_each_block if side == 4 else (height // 8) * (width // 8) for side in sides]


def test_the_share_of_the_attention_is_that_of_the_maps() -> None:
    network = Tinct()
    features, encoded = network.encode(lightness_of(COFFEE)), network.encode_reference(reference(COFFEE))
    sums = network.attend(features, encoded).sums
    taken = memory.share(maps(None, sums, *features.grid(4)))
    assert memory.share_of(sums) == pytest.approx(float(taken.mean()), abs=1e-3)
    assert taken.mean() > 0.9


@pytest.mark.parametrize("portrait", [False, True])
def test_hints_reach_as_far_across_as_down(portrait: bool):
    """Distance is a share of the longer side, whichever that is."""
    keys = np.ones((1, 24, 40, 128), np.float32) / 8
    place = np.array([[[0.3, 0.2]]], np.float32)
    one = {"item_keys": np.ones((1, 1, 128), np.float32) / 8, "item_ab": np.ones((1, 1, 2), np.float32)}
    if portrait:
        keys, place = keys.transpose(0, 2, 1, 3).copy(), place[..., ::-1].copy()
    found = (
        Tinct(precision="f32")
        ._network("match")
        .run(keys=keys, **one, item_bias=np.zeros((1, 1, 1), np.float32), item_place=place)
    )
    taken = found["found"][0, :, :, 2].reshape(2, *keys.shape[1:3])
    height, width = keys.shape[1:3]
    y, x = np.mgrid[:height, :width] + 0.5
    distance = np.hypot(x / 40 - place[0, 0, 0], y / 40 - place[0, 0, 1])
    nearer = np.argsort(distance.ravel())
    for head in taken:
        assert (np.diff(head.ravel()[nearer]) < 1e-5).all()


# References


def test_its_own_colors_as_a_reference_are_found_again():
    alone, helped = (chroma(colorize(GRAY, reference=given)) for given in (None, ASTRONAUT))
    truth = chroma(ASTRONAUT)
    error = [np.linalg.norm(result - truth, axis=-1).mean() for result in (alone, helped)]
    assert error[1] < 0.6 * error[0]


def test_a_weight_of_zero_is_no_reference():
    colorizer = Colorizer(GRAY, [ASTRONAUT, COFFEE])
    colorizer.set_references([ASTRONAUT, COFFEE], weights=[0, 0])
    assert np.array_equal(colorizer.like(GRAY), colorize(GRAY))
    colorizer.set_references([ASTRONAUT, COFFEE], weights=[1, 0])
    assert np.array_equal(colorizer.like(GRAY), colorize(GRAY, reference=ASTRONAUT))


def test_a_heavier_reference_counts_for_more():
    red, blue = (
        np.clip(ASTRONAUT * np.array(tint), 0, 255).astype(np.uint8)
        for tint in ([1.2, 0.7, 0.6], [0.6, 0.7, 1.2])
    )
    colorizer = Colorizer(GRAY, [red, blue])
    found = []
    for weight in (1.0, 0.1, 0.01):
        colorizer.set_references([red, blue], weights=[weight, 1])
        found.append(colorizer.predict().ab[..., 1].mean())
    assert found[0] > found[1] > found[2]


@pytest.mark.parametrize("wrong", [[1], [1, 2], [1, -0.1], [1, float("nan")]])
def test_wrong_weights_are_refused(wrong: list[float]):
    with pytest.raises(OptionError):
        Colorizer(GRAY).set_references([ASTRONAUT, COFFEE], weights=wrong)


def test_attention_apart_equals_attention_together():
    """Against one softmax over null, hints and references, in double precision."""
    random = np.random.default_rng(1)
    scores = random.normal(0, 12, (2, 15, 1 + 3 + 7))
    ab = random.normal(0, 0.3, (11, 2))

    def attended(columns: list[int]) -> NDArray:
        weight = np.exp(scores[..., [0, *columns]] - scores.max(-1, keepdims=True))
        weight /= weight.sum(-1, keepdims=True)
        rest = weight[..., 1:]
        return np.concatenate([rest @ ab[columns], rest.sum(-1, keepdims=True), weight[..., :1]], -1)[None]

    near, far = list(range(1, 4)), list(range(4, 11))
    together = np.exp(scores - scores.max(-1, keepdims=True))
    together /= together.sum(-1, keepdims=True)
    parts = [
        np.concatenate([together[..., c] @ ab[c], together[..., c].sum(-1, keepdims=True)], -1)
        for c in (near, far)
    ]
    wanted = np.concatenate(parts, -1).transpose(0, 2, 1).reshape(1, 12, 3, 5)
    sums = [against_null(attended(each).astype(np.float32)) for each in (near, far)]
    found = maps(*sums, 3, 5)
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    assert not maps(None, None, 3, 5).any()


def test_attention_to_one_part_comes_back_to_the_bit():
    weight = np.exp(np.random.default_rng(2).normal(0, 8, (1, 2, 15, 4)))
    weight /= weight.sum(-1, keepdims=True)
    items = weight[..., 1:].sum(-1, keepdims=True)
    found = np.concatenate([weight[..., 1:3] - 0.3, items, weight[..., :1]], -1).astype(np.float32)
    wanted = found[0, ..., :3].transpose(0, 2, 1).reshape(2, 3, 3, 5)
    alone = np.zeros_like(wanted)
    near, far = (maps(*parts, 3, 5) for parts in ((against_null(found), None), (None, against_null(found))))
    assert np.array_equal(near, np.concatenate([wanted, alone], 1).reshape(1, 12, 3, 5))
    assert np.array_equal(far, np.concatenate([alone, wanted], 1).reshape(1, 12, 3, 5))


# Choices


def test_vividness_adds_color_and_zero_is_the_mean():
    colorizer = Colorizer(GRAY, vividness=0)
    safe = colorizer.predict()
    colorizer.set_options(vividness=1.0)
    daring = colorizer.predict()
    assert np.linalg.norm(daring.ab, axis=-1).mean() > np.linalg.norm(safe.ab, axis=-1).mean()


def test_vividness_recedes_by_the_square_of_what_is_answered_for(monkeypatch: pytest.MonkeyPatch):
    """Where hints take half of the attention, a quarter of the way to what is likely is left."""
    monkeypatch.setattr(
        method, "correction_and_way", lambda its, *_: np.ones((2, *its.detail.shape, 2), np.float32)
    )
    half, none = (lambda maps, value=value: np.full(maps.shape[2:], value, np.float32) for value in (0.5, 0))
    monkeypatch.setattr(method, "shares", lambda maps: (half(maps), none(maps)))
    monkeypatch.setattr(method, "restraint", lambda *_: None)  # all places are alike
    network, lightness = Tinct(), lightness_of(ASTRONAUT)
    hints = place_hints([Hint(*point) for point in POINTS], (240, 200), (240, 200))
    vivid = network.predict(lightness, hints, []).vivid
    assert vivid is not None
    assert np.allclose(vivid, 0.25)


@pytest.mark.parametrize("share", [0.25, 0.9, 1.0])
def test_vividness_lengthens_what_references_say_in_part_where_it_is_not_certain(
    monkeypatch: pytest.MonkeyPatch, share: float
):
    """Only the mean answer's chroma grows, by the square of the uncertainty; what references say alone stays."""
    all_of_it, some = (
        lambda maps, value=value: np.full(maps.shape[2:], value, np.float32) for value in (1, share)
    )
    monkeypatch.setattr(method, "shares", lambda maps: (all_of_it(maps), some(maps)))
    network, lightness = Tinct(), lightness_of(ASTRONAUT)
    features = network.encode(lightness)
    found = network.recall(
        features, [WeighedReference(network.attend(features, network.encode_reference(reference(COFFEE))))]
    )
    matched = network.match(features, found, HintField.empty(*lightness.shape))
    network.decode(matched)
    assert matched.decoded is not None
    for certainty in (0.2, 1.0):
        matched.decoded = matched.decoded._replace(
            certainty=np.full_like(matched.decoded.certainty, certainty)
        )
        prediction = network.decode(matched)
        assert prediction.vivid is not None
        gain = vividness.REFERENCE_GAIN * share * (1 - share**vividness.WHOLE) * (1 - certainty) ** 2
        np.testing.assert_allclose(prediction.vivid, gain * prediction.ab, atol=0.05)
        assert (gain > 0) == (share < 1 and certainty < 1)


def test_a_reference_leaves_results_about_as_colorful_as_no_reference():
    """Beside a reference vividness adds more than a third of what it adds to the mean answer without one."""
    added = []
    for references in ([], [reference(COFFEE)]):
        prediction = Tinct().predict(lightness_of(ASTRONAUT), HintField.empty(200, 240), references)
        assert prediction.vivid is not None
        added.append(
            np.linalg.norm(prediction.ab + prediction.vivid, axis=-1).mean()
            / np.linalg.norm(prediction.ab, axis=-1).mean()
        )
    assert min(added) - 1 > (max(added) - 1) / 3


@pytest.mark.parametrize(
    ("precision", "helped", "most"),
    [("f32", False, 1e-2), ("f32", True, 1e-2), ("auto", False, 1.0), ("auto", True, 4.0)],
)
def test_joined_networks_answer_as_their_parts_one_after_the_other(
    precision: str, helped: bool, most: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As they are on a GPU; attention tells roundings apart. With such sides a reference is looked at twice."""
    lightness = lightness_of(ASTRONAUT)
    hints = place_hints(
        [Hint(60.0, 90.0, "#2060d0")] if helped else [], lightness.shape[::-1], lightness.shape[::-1]
    )
    references = [replace(reference(COFFEE), trust=2.0)] if helped else []
    joined = Tinct(precision=precision).predict(lightness, hints, references)
    monkeypatch.setattr(Tinct, "_joined", lambda self, asked: None)
    parts = Tinct(precision=precision).predict(lightness, hints, references)
    assert joined.vivid is not None
    assert parts.vivid is not None
    assert np.abs(joined.ab - parts.ab).max() < most
    assert np.abs(joined.ab - parts.ab).mean() < most / 5
    assert np.abs(joined.confidence - parts.confidence).max() < most / 10
    assert np.abs(joined.vivid - parts.vivid).mean() < most / 5


def test_a_photograph_that_nobody_helps_is_not_encoded_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Tinct()
    monkeypatch.setattr(network, "_encoded", lambda lightness: pytest.fail("encoded"))
    network.predict(rgb_to_lightness(np.dstack([GRAY] * 3)), HintField.empty(*GRAY.shape), [])


def way_of(features, decoded: method.Decoded) -> np.ndarray:
    """What vividness 1 adds by the network alone, without a second opinion: a plane of a* and one of b*."""
    alone = np.zeros((*features.grid(vividness.VIVID_STRIDE), 1), np.float32)
    nothing = np.repeat(alone, 2, -1)
    return np.moveaxis(vividness.correction_and_way(features.at_eighth, decoded, nothing, alone)[1], -1, 0)


def test_vividness_makes_no_spot():
    """What is far more colorful than all else, in a small part, is brought down to nearly the rest; the rest stays."""
    features = Tinct().encode(np.full((64, 96), 50, np.float32))
    found = method.Decoded(
        np.full((32, 48, 2), (6, 8), np.float32),
        np.full((8, 12, 2), (9, 12), np.float32),
        np.ones((8, 12, 1), np.float32),
        np.zeros((6, 6, 2), np.float32),
    )
    even = way_of(features, found)
    found.annealed[3:5, 4:6] = (18, 24)
    spotted = way_of(features, found)
    common = 10 + vividness.VIVID_GAIN * 5
    chroma_of = np.hypot(6 + spotted[0], 8 + spotted[1])
    assert np.allclose(np.hypot(6 + even[0], 8 + even[1]), common, atol=0.1)
    assert np.allclose(chroma_of[:, :16], common, atol=0.1)
    assert common + 1 < chroma_of.max() < common + vividness.CHROMA_ABOVE_COMMON + 0.5
    found.annealed[:] = (18, 24)  # all of it: nothing is a spot
    assert np.allclose(
        np.hypot(6 + way_of(features, found)[0], 8 + way_of(features, found)[1]),
        10 + vividness.VIVID_GAIN * 20,
        atol=0.2,
    )


def test_vividness_lies_where_the_coarse_way_says(monkeypatch: pytest.MonkeyPatch):
    """Of a way that rises evenly, under even lightness, every cell's mean is what was asked for there."""
    monkeypatch.setattr(vividness, "CHROMA_ABOVE_COMMON", 100.0)
    features = Tinct().encode(np.full((60, 90), 50, np.float32))
    down, across = np.mgrid[-4:4, -6:6].astype(np.float32)
    annealed = np.stack([0.5 * across + 0.2 * down, -0.7 * down], -1)
    found = method.Decoded(
        np.zeros((32, 48, 2), np.float32),
        annealed,
        np.ones((8, 12, 1), np.float32),
        np.zeros((6, 6, 2), np.float32),
    )
    way = way_of(features, found)
    assert way.shape == (2, 64, 96)  # padded
    cells = np.moveaxis(way.reshape(2, 8, 8, 12, 8).mean((2, 4)), 0, -1)
    np.testing.assert_allclose(cells[1:-1, 1:-1], vividness.VIVID_GAIN * annealed[1:-1, 1:-1], atol=1e-4)


def test_suggestions_are_ordered_and_of_the_places_lightness():
    colorizer = Colorizer(GRAY)
    found = colorizer.suggest(60, 90, count=5)
    shares = [one.probability for one in found]
    assert 1 <= len(found) <= 5
    assert shares == sorted(shares, reverse=True)
    assert 0 < sum(shares) <= 1 + 1e-5
    lightness = rgb_to_lightness(np.repeat(GRAY[90:91, 60:61, None], 3, axis=2))[0, 0]
    for one in found:
        rgb = np.array([int(one.color[i : i + 2], 16) for i in (1, 3, 5)], np.uint8)
        assert abs(rgb_to_lightness(rgb[None])[0] - lightness) < 0.5


def test_a_hint_makes_its_color_a_suggestion():
    colorizer = Colorizer(GRAY, hints=[(60, 90, "#2060d0")])
    target = color_to_ab("#2060d0")
    best = min(np.linalg.norm(color_to_ab(one.color) - target) for one in colorizer.suggest(62, 91))
    without = min(np.linalg.norm(color_to_ab(one.color) - target) for one in Colorizer(GRAY).suggest(62, 91))
    assert best <= without + 1


def test_places_to_click_are_in_the_photograph_best_first():
    places = Colorizer(GRAY).where_next(6)
    gains = [place.gain for place in places]
    assert len(places) == 6
    assert gains == sorted(gains, reverse=True)
    assert all(0 <= place.gain <= 1 and 0 <= place.x < 240 and 0 <= place.y < 200 for place in places)


def test_a_hint_where_it_helps_leaves_less_unknown():
    colorizer = Colorizer(GRAY)
    before = colorizer.uncertainty()
    place = colorizer.where_next(1)[0]
    colorizer.add_hint((place.x, place.y, "#a08060"))
    after = colorizer.uncertainty()
    assert before.shape == GRAY.shape
    assert before.min() >= 0
    assert before.max() <= 1
    assert after.mean() < before.mean()


def test_alternatives_differ_come_again_and_honor_hints():
    colorizer = Colorizer(GRAY, hints=POINTS[:1])
    seeds = colorizer.alternatives(3)
    assert len(set(seeds)) == 3
    assert 0 not in seeds
    assert seeds == colorizer.alternatives(3)
    results = [colorizer.predict().ab]
    for seed in seeds:
        colorizer.set_options(seed=seed)
        results.append(colorizer.predict().ab)
        assert np.array_equal(results[-1], colorizer.predict().ab)
        assert np.linalg.norm(results[-1][90, 60] - color_to_ab("#2060d0")) < 1e-3
    apart = [np.linalg.norm(a - b, axis=-1).mean() for i, a in enumerate(results) for b in results[:i]]
    assert min(apart) > 0.5


def test_methods_without_a_distribution_say_so():
    assert get_method("tinct").suggests
    colorizer = Colorizer(GRAY, COFFEE, method="reinhard")
    for ask in (
        lambda: colorizer.suggest(1, 1),
        colorizer.where_next,
        colorizer.uncertainty,
        colorizer.alternatives,
    ):
        with pytest.raises(MethodError, match="reinhard"):
            ask()


def test_choices_outside_of_the_photograph_are_refused():
    colorizer = Colorizer(GRAY)
    with pytest.raises(HintError, match="outside"):
        colorizer.suggest(240, 3)
    for ask in (
        lambda: colorizer.suggest(1, 1, 0),
        lambda: colorizer.where_next(0),
        lambda: colorizer.alternatives(0),
    ):
        with pytest.raises(OptionError, match="count"):
            ask()


def test_a_preview_is_the_result_made_small():
    colorizer = Colorizer(GRAY, hints=POINTS)
    preview = colorizer.preview(120)
    assert preview.shape == (100, 120, 3)
    assert preview.dtype == np.uint8
    small = resized(colorizer.like(GRAY), 120, 100)
    assert ciede2000(rgb_to_lab(preview), rgb_to_lab(small)).mean() < 1.5
    assert colorizer.preview(4000).shape == (*GRAY.shape, 3)


# Failure


@pytest.fixture
def own_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of weights that a test may harm, looked into before the package's own."""
    folder = tmp_path / "weights"
    shutil.copytree(
        Path(weights.__file__).parent, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__")
    )
    monkeypatch.setenv("TINCT_WEIGHTS", str(folder))
    drop_compiled_networks()
    return folder


@pytest.mark.parametrize("part", ["encode", "decode"])
def test_damaged_weights_are_an_error_never_gray(own_weights: Path, part: str, tmp_path: Path, capsys):
    file = own_weights / f"tinct.{part}.onnx"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)
    with pytest.raises(WeightsError, match="sha256"):
        colorize(GRAY)
    source, target = tmp_path / "photo.png", tmp_path / "color.png"
    cv2.imwrite(str(source), GRAY)
    assert run(["colorize", str(source), "-o", str(target)]) == 2
    assert "sha256" in capsys.readouterr().err
    assert not target.exists()


def test_missing_weights_are_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(weights, "_folders", lambda: [tmp_path])
    with pytest.raises(WeightsError, match="missing"):
        colorize(GRAY)


def test_without_the_engine_the_error_names_the_package(monkeypatch: pytest.MonkeyPatch):
    from tinct.inference import openvino_engine

    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.delitem(sys.modules, "tinct.inference.openvino_runtime", raising=False)
    openvino_engine.engine.cache_clear()
    for thread in threading.enumerate():  # what an earlier command line was still loading would be found
        if thread.name == PREPARING:
            thread.join()
    drop_compiled_networks()
    try:
        with pytest.raises(MissingExtraError, match="pip install openvino"):
            colorize(GRAY)
    finally:
        openvino_engine.engine.cache_clear()


def test_trust_weighs_references_against_nothing() -> None:
    """Each step of trust is two logarithms more; at 1 a reference that is alike counts as in training.

    The doubt of one that is not alike counts twice at 0, once at 1 and no more from 2 on.
    """
    tinct, trusts = Tinct(), (0.0, 1.0, 2.0, 3.0)
    features = tinct.encode(lightness_of(ASTRONAUT))
    for photograph in (ASTRONAUT, COFFEE):
        attended = tinct.attend(features, tinct.encode_reference(reference(photograph, weight=0.3)))
        assert (attended.belief == 0) == (photograph is ASTRONAUT)
        found = [np.log(influence(WeighedReference(attended, 0.5, trust))) for trust in trusts]
        wanted = [np.log(0.5) + 2 * (trust - 1) + max(0, 2 - trust) * attended.belief for trust in trusts]
        np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_belief_falls_with_likeness_below_a_half():
    assert [method.belief(likeness) for likeness in (1.0, 0.5, 0.25, 0.0)] == [0, 0, -2, -4]


@pytest.mark.parametrize(
    ("weights", "trust"), [((1.0,), 1.0), ((1.0, 1.0), 1.0), ((0.2, 1.0), 2.5), ((1.0, 0.5), 0.0)]
)
def test_references_attended_to_one_by_one_give_what_one_softmax_over_all_gives(
    weights: tuple[float, ...], trust: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(method, "ROUGHER", 1)
    tinct = Tinct(precision="f32")
    features = tinct.encode(lightness_of(ASTRONAUT))
    encoded = [
        tinct.encode_reference(reference(each)) for each in (COFFEE, COFFEE[::-1], ASTRONAUT)[: len(weights)]
    ]
    given = [
        WeighedReference(tinct.attend(features, each), weight, trust)
        for each, weight in zip(encoded, weights, strict=True)
    ]
    items = [
        each.fine if one.found.likeness >= memory.SURELY_SAME else each.coarse
        for each, one in zip(encoded, given, strict=True)
    ]
    recalled = sums_of(tinct, features, given)
    whole = max(1.0, sum(weights))
    bias = [each.bias + np.log(influence(one) / whole) for each, one in zip(items, given, strict=True)]
    together = tinct._network("recall").run(
        keys=features.view,
        item_keys=np.concatenate([each.keys for each in items])[None],
        item_ab=np.concatenate([each.ab for each in items])[None],
        item_bias=np.concatenate(bias)[None].astype(np.float32),
        places=features.places,
        item_places=np.concatenate([each.described for each in items])[None],
    )
    height, width = features.view.shape[1:3]
    found, wanted = (
        maps(None, recalled, height, width),
        maps(None, against_null(together["found"]), height, width),
    )
    assert np.abs(wanted[0, 3:5] * 110).max() > 5
    np.testing.assert_allclose(found, wanted, atol=5e-5)


@pytest.mark.parametrize("weight", [0.4, 1.0])
def test_a_reference_given_several_times_counts_as_once_at_full_weight(weight: float) -> None:
    """At 0.4 twice is 0.8, and four times no more than one at 1."""
    tinct = Tinct(precision="f32")
    features = tinct.encode(lightness_of(ASTRONAUT))
    attended = tinct.attend(features, tinct.encode_reference(reference(COFFEE)))
    for times in (1, 2, 4):
        recalled = sums_of(tinct, features, [WeighedReference(attended, weight)] * times)
        once = sums_of(tinct, features, [WeighedReference(attended, min(1.0, times * weight))])
        np.testing.assert_allclose(recalled, once, rtol=1e-6)
    assert not np.allclose(once, sums_of(tinct, features, [WeighedReference(attended, 0.3)]), rtol=0.1)


@pytest.mark.parametrize(("size", "at_once"), [((128, 160), 16), ((96, 160), 3), ((192, 64), 2)])
def test_blocks_that_attend_to_all_patches_find_what_the_whole_finds(
    size: tuple[int, int], at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a block's last rows and columns are: of 96 pixels half of the last block is missing."""
    tinct = Tinct(precision="f32")
    features = tinct.encode(lightness_of(cv2.resize(ASTRONAUT, size[::-1])))
    encoded = tinct.encode_reference(reference(cv2.resize(ASTRONAUT, size[::-1])[:-3, :5:-1]))
    count = len(encoded.fours.keys)
    monkeypatch.setattr(blocks, "CHOSEN", count - 1)
    monkeypatch.setattr(blocks, "AT_ONCE", at_once)
    monkeypatch.setattr(method, "blocks_leave_out_half", lambda given: True)
    candidates, asked = tinct._network("candidates"), []
    run = candidates.run

    def counted(**given: np.ndarray) -> dict[str, np.ndarray]:
        asked.append(len(given["keys"]))
        return run(**given)

    monkeypatch.setattr(candidates, "run", counted)
    found = tinct._finely(features, encoded)
    assert sum(asked) == -(-size[0] // 64) * -(-size[1] // 64)
    assert max(asked) <= max(at_once, -(-size[1] // 64))
    wanted = tinct._recalled(features, encoded.fine)
    # Only the least likely patch is left out.
    np.testing.assert_allclose(found, wanted, rtol=5e-3, atol=1e-3)


def test_a_block_attends_to_the_patches_that_its_places_take_most_of() -> None:
    """Where another view of the same picture lies, at an eighth of its patches: hardly less than to all of them."""
    tinct = Tinct(precision="f32")
    large = (256, 256)
    features = tinct.encode(lightness_of(cv2.resize(data.astronaut(), large)))
    encoded = tinct.encode_reference(reference(cv2.resize(data.astronaut()[:, ::-1], large)))
    assert blocks.blocks_leave_out_half(encoded)
    found, wanted = tinct._finely(features, encoded), tinct._recalled(features, encoded.fine)
    shares = [each[..., 3] / (1 + each[..., 3]) for each in (found, wanted)]
    assert shares[1].mean() > 0.9
    assert np.abs(shares[0] - shares[1]).mean() < 0.01
    colors = [each[..., :2] / (1 + each[..., 3:]) for each in (found, wanted)]
    assert np.abs(colors[0] - colors[1]).mean() * AB_SCALE < 0.3


@pytest.mark.parametrize("size", [(128, 160), (132, 164), (6, 2048), (2048, 6)])
def test_the_fine_patches_that_are_chosen_are_those_of_the_fours(size: tuple[int, int]) -> None:
    """Each once, those of a last odd row or column too."""
    height, width = (max(1, side // 4) for side in size)
    keys = np.zeros((-(-size[0] // 4), -(-size[1] // 4), 2), np.float32)
    nothing = np.zeros(1, np.float32)
    given = memory.ReferenceFeatures(
        keys,
        np.zeros((*size, 2), np.float32),
        nothing,
        np.zeros((1, 1, 3), np.float32),
        Hues(np.zeros(TURNS), 0),
    )
    where = np.stack(np.meshgrid(np.arange(height), np.arange(width), indexing="ij"), -1)
    object.__setattr__(given, "fine", replace(given.fine, ab=where.reshape(-1, 2).astype(np.float32)))
    columns = (width + 1) // 2
    taken = np.random.default_rng(0).random((3, (height + 1) // 2 * columns)).astype(np.float32)
    assert blocks.blocks_leave_out_half(given) == (taken.shape[1] >= 2 * blocks.CHOSEN)
    assert len(given.fours.keys) == taken.shape[1]
    chosen = blocks.chosen_items(taken, given)
    for block in range(3):
        most = set(np.argsort(taken[block])[-blocks.CHOSEN :].tolist())
        wanted = [(y, x) for y, x in where.reshape(-1, 2).tolist() if y // 2 * columns + x // 2 in most]
        there = chosen.ab[block][chosen.bias[block] > -100].tolist()
        assert sorted(map(tuple, there)) == sorted(wanted)


@pytest.mark.parametrize("size", [(256, 192), (200, 244), (32, 48)])
def test_what_is_of_one_kind_is_attended_to_at_an_eighth_of_the_size(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A quarter of the places asks, and finds what all of them find."""
    tinct, places = Tinct(), []
    features = tinct.encode(lightness_of(cv2.resize(data.astronaut(), size)))
    encoded = tinct.encode_reference(reference(cv2.resize(data.astronaut()[:, ::-1], size)))
    recall = tinct._network("recall")
    run = recall.run
    monkeypatch.setattr(
        recall, "run", lambda **given: places.append(given["keys"].shape[1:3]) or run(**given)
    )
    found, wanted = tinct._roughly(features, encoded), tinct._recalled(features, encoded.coarse)
    (height, width), whole = places
    assert (2 * height, 2 * width) == whole == features.keys.shape[1:3]
    assert found.shape == wanted.shape
    shares = [each[..., 2] / (1 + each[..., 3]) for each in (found, wanted)]
    assert np.abs(shares[0] - shares[1]).mean() < 0.06
    colors = [each[..., :2] * AB_SCALE / (1 + each[..., 3:]) for each in (found, wanted)]
    assert np.abs(colors[0] - colors[1]).mean() < 0.3 * np.abs(colors[1]).mean()
    assert np.corrcoef(colors[0].ravel(), colors[1].ravel())[0, 1] > 0.9


def test_weights_of_an_older_tinct_attend_to_all_fine_patches(monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without `candidates` has other keys than the one that is installed beside it."""
    tinct = Tinct()
    features, encoded = tinct.encode(lightness_of(ASTRONAUT)), tinct.encode_reference(reference(COFFEE))
    encoded = replace(encoded, signature=features.opinion.signature)
    asked = patches_asked(tinct, monkeypatch)
    places = {"tinct.recall": Path("own") / "tinct.recall.onnx"}
    monkeypatch.setattr(
        method, "weights_path", lambda name, entries: places.get(name, Path("tinct") / f"{name}.onnx")
    )
    tinct.attend(features, encoded)
    assert asked == [(COFFEE.shape[0] // 4) * (COFFEE.shape[1] // 4)]


def test_the_share_that_each_block_gives_to_each_patch_is_that_of_one_softmax() -> None:
    """By NumPy, from the same keys, colors left out."""
    graph_weights = pytest.importorskip(
        "tinct.networks.graph_weights", reason="reading weights needs torch: pip install 'tinct[train]'"
    )
    tinct = Tinct(precision="f32")
    features = tinct.encode(lightness_of(cv2.resize(ASTRONAUT, (128, 128))))
    coarse = tinct.encode_reference(reference(COFFEE)).fours
    cut = blocks.Blocks.of(features.keys[0], features.places[0])
    given = {name: array for name, array in coarse.inputs().items() if name != "item_ab"}
    found = tinct._network("candidates").run(keys=cut.coarse_keys, places=cut.places, **given)["taken"]
    held = graph_weights.read_weights(weights_path("tinct.candidates"))
    temperature, null_key, null_bias = (
        held[f"matcher.{name}"].numpy() for name in ("log_temperature", "null_key", "null_bias")
    )
    alike = cut.places.reshape(len(found), -1, cut.places.shape[-1]) @ coarse.described.T
    wanted = np.zeros_like(found)
    for head, key in enumerate(np.split(np.arange(coarse.keys.shape[1]), HEADS)):
        query = cut.coarse_keys.reshape(len(found), -1, cut.coarse_keys.shape[-1])[..., key]
        query = query * np.exp(temperature[head])
        scores = query @ coarse.keys[:, key].T + alike + coarse.bias
        null = query @ null_key[head] + null_bias[head]
        both = np.concatenate([null[..., None], scores], -1)
        both = np.exp(both - both.max(-1, keepdims=True))
        wanted += (both / both.sum(-1, keepdims=True))[..., 1:].sum(1)
    np.testing.assert_allclose(found, wanted, rtol=1e-2, atol=1e-4)


def test_large_photographs_attend_to_a_reference_some_rows_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scores that are held are bounded, and what is found is the same."""
    tinct = Tinct(precision="f32")
    features = tinct.encode(lightness_of(ASTRONAUT))
    encoded = tinct.encode_reference(reference(COFFEE))
    whole, items = tinct.attend(features, encoded).sums, encoded.coarse
    recall, asked = tinct._network("recall"), []
    run = recall.run

    def counted(**given: np.ndarray) -> dict[str, np.ndarray]:
        asked.append(4 * given["places"].shape[1] * given["places"].shape[2] * (1 + len(items.keys)))
        return run(**given)

    monkeypatch.setattr(method, "MOST_SCORES", 1 << 16)
    monkeypatch.setattr(recall, "run", counted)
    parts = tinct.attend(features, encoded).sums
    assert len(asked) > 3
    assert max(asked) <= 1 << 16
    np.testing.assert_allclose(parts, whole, rtol=1e-4, atol=1e-5)
