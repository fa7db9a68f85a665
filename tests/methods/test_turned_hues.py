"""Laws of references whose hues are turned as a whole: what is taken for a turn, and what a turn does to an answer."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import data

from tinct.color.bins import AB_BINS
from tinct.color.lab import rgb_to_lab
from tinct.hints import Hint, HintField, place_hints
from tinct.methods.method import Prediction, Reference, WeighedReference
from tinct.methods.turned_hues import (
    LEAST_COLORS,
    TURNS,
    Hues,
    hues_of,
    turn_of,
    turned,
    turned_distribution,
    turned_hints,
)
from tinct.networks.semantics.opinion import opinion
from tinct.networks.tinct.method import Tinct
from tinct.networks.xu2020.method import XU2020

THIRD = 2 * np.pi / 3
PALETTE = np.array([[45, 30], [-35, 35], [5, -40], [15, 20], [0, 0], [-10, -15]], np.float32)
"""Expected colors of six parts of a reference."""


def expecting(palette: np.ndarray = PALETTE) -> tuple[np.ndarray, np.ndarray]:
    """A reference of six columns, a* b* (60, 120, 2), and what a branch says of it: each column's color likeliest."""
    columns = np.repeat(palette, 4, 0)
    distance = np.linalg.norm(columns[:, None] - AB_BINS[None], axis=-1)
    scores = -np.square(distance / 15) / 2
    logarithms = scores - np.log(np.exp(scores).sum(1, keepdims=True))
    ab = np.repeat(np.repeat(columns, 5, 0)[None], 60, 0)
    return ab.astype(np.float32), np.repeat(logarithms[None], 12, 0).astype(np.float32)


def hues(ab: np.ndarray, logarithms: np.ndarray) -> Hues:
    """Of a reference as light everywhere."""
    return hues_of(np.full(ab.shape[:2], 50, np.float32), ab, logarithms)


@pytest.mark.parametrize("angle", [60, 90, 120, 170, 200, 250, 300])
def test_the_angle_by_which_all_hues_are_turned_is_found(angle: int) -> None:
    ab, logarithms = expecting()
    found = turn_of([(1.0, hues(turned(ab, np.radians(angle)), logarithms))])
    assert np.degrees(found) == pytest.approx(angle, abs=6)


@pytest.mark.parametrize("angle", [0, 20, 340])
def test_expected_hues_and_another_light_are_no_turn(angle: int) -> None:
    ab, logarithms = expecting()
    assert turn_of([(1.0, hues(turned(ab, np.radians(angle)), logarithms))]) == 0


def test_a_tint_a_gray_reference_and_one_large_thing_of_another_color_are_no_turn() -> None:
    ab, logarithms = expecting()
    blue = np.full_like(ab, 0) + np.array([8, -30], np.float32)
    assert turn_of([(1.0, hues(blue, logarithms))]) == 0
    assert turn_of([(1.0, hues(np.zeros_like(ab), logarithms))]) == 0
    sky = ab.copy()
    sky[:50] = [8, -40]
    assert turn_of([(1.0, hues(sky, logarithms))]) == 0


def one_hue(things: float, stains: float, *, apart: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A scene in browns, lightness and a* b*, and what a branch says of it: each place's color likeliest.

    Args:
        things: by how much of it the chroma differs from thing to thing, of 5 pixels.
        stains: the same over the whole picture, evenly.
        apart: angle in radians between the hues of the left and the right half.
    """
    rng = np.random.default_rng(4)
    lightness = cv2.resize(rng.uniform(20, 80, (30, 30)), (120, 120)).astype(np.float32)
    wide = 1 + stains * np.linspace(-1, 1, 120)[None].repeat(120, 0)
    drawn = rng.choice([-1.0, 1.0], (24, 24))
    small = 1 + things * drawn
    chroma = (8 + lightness * 0.75) * wide * cv2.resize(small, (120, 120), interpolation=cv2.INTER_NEAREST)
    hue = np.where(np.arange(120) < 60, 1.04 - apart / 2, 1.04 + apart / 2)[None].repeat(120, 0)
    ab = (chroma[..., None] * np.stack([np.cos(hue), np.sin(hue)], -1)).astype(np.float32)
    places = cv2.resize(ab, (24, 24), interpolation=cv2.INTER_AREA)
    scores = -np.square(np.linalg.norm(places[..., None, :] - AB_BINS, axis=-1) / 30) / 2
    logarithms = scores - np.log(np.exp(scores).sum(-1, keepdims=True))
    return lightness, ab, logarithms.astype(np.float32)


@pytest.mark.parametrize(
    ("things", "stains", "apart", "tint"),
    [
        (0.0, 0.0, 0.0, True),  # a tone
        (0.0, 0.6, 0.0, True),  # in the picture as a whole a third of its chroma is no function of lightness
        (0.05, 0.0, 0.0, True),
        (0.2, 0.0, 0.0, False),
        (0.2, 0.6, 0.0, False),
        (0.05, 0.0, 0.5, True),
        (0.05, 0.0, 0.8, False),  # two hues, and each of them a tone
    ],
)
def test_a_tint_is_of_one_hue_and_a_tone_within_its_parts(
    things: float, stains: float, apart: float, tint: bool
) -> None:
    lightness, ab, logarithms = one_hue(things, stains, apart=apart)
    assert hues_of(lightness, turned(ab, THIRD), logarithms).tint == tint


def test_a_scene_of_one_hue_may_be_turned() -> None:
    lightness, ab, logarithms = one_hue(0.2, 0.0)
    found = hues_of(lightness, turned(ab, THIRD), logarithms)
    assert np.degrees(turn_of([(1.0, found)])) == pytest.approx(120, abs=6)


SIDES = np.clip(np.abs(np.arange(TURNS) - 8), 0, 8) / 8
"""How far each angle is from 120 degrees: 0 there, 1 from none and from 240 degrees on."""


def as_plain(plain: float, *, colors: int = 9, tint: bool = False) -> Hues:
    """Of a reference that is as plainly turned by 120 degrees."""
    gains = np.linspace(0, 12, 100_001)
    spread = np.minimum(gains * (1 - SIDES).std(), 2.0)
    gain = gains[np.argmin(np.abs(gains / (spread + 0.7) - plain))]
    return Hues(gain * (1 - SIDES), colors, tint)


@pytest.mark.parametrize("trust", [0.0, 0.5, 1.0, 1.5, 2.0, 3.0])
def test_more_trust_takes_less_evidence_and_none_takes_nothing(trust: float) -> None:
    least = np.interp(trust, (1, 2), (0.9, 0.75))
    assert (turn_of([(1.0, as_plain(least + 0.02))], trust) > 0) == (trust > 0)
    assert turn_of([(1.0, as_plain(least - 0.02))], trust) == 0
    assert turn_of([(1.0, as_plain(1.78, tint=True))], trust) == 0
    assert (turn_of([(1.0, as_plain(1.82, tint=True))], trust) > 0) == (trust > 0)


@pytest.mark.parametrize("step", range(TURNS))
def test_less_than_an_eighth_of_a_circle_is_another_light(step: int) -> None:
    found = Hues(np.roll(40 * (1 - SIDES), step - 8), 9)
    assert (turn_of([(1.0, found)]) > 0) == (3 <= step <= TURNS - 3)


def test_a_turn_is_as_plain_as_other_angles_are_unlikely() -> None:
    """Where many angles are likelier than none, the likeliest is no turn."""
    peak = as_plain(1.2)
    assert turn_of([(1.0, peak)]) > 0
    unsure = np.where(np.arange(TURNS) % 2, -4.0, 0.0)
    unsure[[0, 8]] = -peak.likely[8], 0.01
    assert turn_of([(1.0, peak._replace(likely=unsure))]) == 0
    assert turn_of([(1.0, peak._replace(likely=40 * unsure))]) > 0  # more spread than the most counts no more


def test_several_references_are_asked_as_one() -> None:
    ab, logarithms = expecting()
    plain, other = hues(ab, logarithms), hues(turned(ab, THIRD), logarithms)
    third = pytest.approx(120, abs=6)
    assert np.degrees(turn_of([(0.5, other), (0.5, other)])) == third
    assert turn_of([(1.0, plain), (0.2, other)]) == 0
    assert turn_of([(0.0, other)]) == turn_of([]) == 0
    for unlike in (plain._replace(tint=True), plain._replace(colors=LEAST_COLORS - 1)):
        assert turn_of([(1.0, unlike), (0.001, other)]) == 0
        assert np.degrees(turn_of([(0.001, unlike), (1.0, other)])) == third
    assert turn_of([(1.0, other._replace(colors=LEAST_COLORS - 1))]) == 0
    assert np.degrees(turn_of([(1.0, other._replace(colors=LEAST_COLORS))])) == third
    for share, found in ((0.1, True), (0.9, False)):
        both = [(share, as_plain(1.2, tint=True)), (1 - share, as_plain(1.2))]
        assert (turn_of(both) > 0) == found


@pytest.mark.parametrize("angle", [45, 90, 120, 200])
def test_a_distribution_is_turned_with_its_colors(angle: int) -> None:
    """Each bin's whole probability goes to the bin nearest to its turned color, of those that sRGB has."""
    p = np.eye(313, dtype=np.float32)[None]
    found = turned_distribution(p, np.radians(angle))
    np.testing.assert_allclose(found.sum(-1), np.ones((1, 313)), atol=1e-5)
    away = np.linalg.norm(found[0] @ AB_BINS - turned(AB_BINS[None], np.radians(angle))[0], axis=1)
    assert away[np.linalg.norm(AB_BINS, axis=1) < 40].max() < 7.1


def test_a_few_places_of_an_unexpected_color_are_no_turn() -> None:
    """A lawn with one flower."""
    ab, logarithms = expecting(np.repeat(PALETTE[1:2], 6, 0))
    ab[:5, :5] = [40, -45]
    assert turn_of([(1.0, hues(ab, logarithms))], trust=2.0) == 0


def test_hints_are_turned_in_map_and_points() -> None:
    hints = place_hints([Hint(10.0, 12.0, "#c04030"), Hint(40.0, 30.0, "#3060c0")], (64, 48), (64, 48))
    there = turned_hints(hints, THIRD)
    for before, after in zip(hints.points, there.points, strict=True):
        assert np.hypot(*after.ab) == pytest.approx(np.hypot(*before.ab), rel=1e-5)
        change = np.angle(complex(*after.ab) / complex(*before.ab)) % (2 * np.pi)
        assert change == pytest.approx(THIRD, abs=1e-4)
    back = turned_hints(there, -THIRD)
    np.testing.assert_allclose(back.ab, hints.ab, atol=1e-4)
    np.testing.assert_array_equal(there.mask, hints.mask)
    nothing = turned_hints(HintField(hints.ab, hints.mask), THIRD)
    np.testing.assert_array_equal(nothing.ab, there.ab)
    assert nothing.points == ()


def lab(rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    found = rgb_to_lab(cv2.resize(rgb, (192, 192), interpolation=cv2.INTER_AREA)).astype(np.float32)
    return np.ascontiguousarray(found[..., 0]), np.ascontiguousarray(found[..., 1:])


@pytest.mark.parametrize("shape", [(192, 192), (100, 150)])
def test_the_branch_is_asked_of_the_reference_without_its_padding(shape: tuple[int, int]) -> None:
    given, colors = (each[: shape[0], : shape[1]] for each in lab(data.astronaut()))
    tinct = Tinct(device="cpu")
    found = tinct.encode_reference(Reference(given, colors)).hues
    wanted = hues_of(given, colors, opinion(given, tinct._branch()).logarithms)
    np.testing.assert_allclose(found.likely, wanted.likely, atol=0.05)
    assert found.colors == wanted.colors
    assert found.tint == wanted.tint


@pytest.mark.parametrize("things", [0.0, 0.3])
def test_a_reference_of_one_hue_is_told_from_a_tint_at_any_size(things: float) -> None:
    """By both methods: each hands on the reference's own lightness, without its padding."""
    lightness, ab, _ = (each[:100, :118] for each in one_hue(things, 0.0))
    reference = Reference(np.ascontiguousarray(lightness), np.ascontiguousarray(ab))
    assert Tinct(device="cpu").encode_reference(reference).hues.tint == (things == 0)
    of_xu2020 = XU2020.encode_reference(reference).hues
    assert of_xu2020 is not None
    assert of_xu2020.tint == (things == 0)


def answered(
    tinct: Tinct, angle: float, hints: HintField | None = None, *, trust: float = 1.0, other: bool = False
) -> Prediction:
    """A photograph beside itself, mirrored, or beside another one, whose hues are turned by an angle."""
    lightness, ab = lab(data.astronaut())
    given, colors = lab(data.rocket()) if other else (lightness[:, ::-1].copy(), ab[:, ::-1].copy())
    features = tinct.encode(lightness)
    attended = tinct.attend(features, tinct.encode_reference(Reference(given, turned(colors, angle))))
    recalled = tinct.recall(features, [WeighedReference(attended, trust=trust)])
    return tinct.decode(tinct.match(features, recalled, hints or HintField.empty(192, 192)))


def test_beside_a_reference_of_turned_hues_the_whole_answer_is_turned() -> None:
    """What the reference does not answer for as well: the answer is that beside plain hues, turned."""
    tinct = Tinct()
    plain, found = answered(tinct, 0), answered(tinct, THIRD)
    for wanted, there, most in ((plain.ab, found.ab, 0.1), (plain.vivid, found.vivid, 0.5)):
        assert wanted is not None
        assert there is not None
        away = np.linalg.norm(there - turned(wanted, THIRD), axis=-1)
        assert away.mean() < most * np.linalg.norm(wanted, axis=-1).mean()


def test_a_hint_beside_turned_hues_has_its_own_color() -> None:
    tinct = Tinct()
    hints = place_hints([Hint(60.0, 150.0, "#2050d0")], (192, 192), (192, 192))
    without, found = (answered(tinct, THIRD, each).ab for each in (None, hints))
    row, column = hints.pixels()
    np.testing.assert_allclose(found[row, column], hints.ab[row, column], atol=0.01)
    before, after = (
        np.linalg.norm(ab[148:153, 58:63] - np.array(hints.points[0].ab), axis=-1).mean()
        for ab in (without, found)
    )
    assert after < 0.85 * before


def test_a_doubted_reference_turns_nothing_until_it_is_trusted() -> None:
    tinct = Tinct()
    alone, doubted, trusted = (
        answered(tinct, angle, trust=trust, other=True).ab
        for angle, trust in ((0, 1), (THIRD, 1), (THIRD, 2))
    )
    scale = np.linalg.norm(alone, axis=-1).mean()
    assert np.linalg.norm(doubted - alone, axis=-1).mean() < 0.5 * scale
    assert np.linalg.norm(trusted - turned(alone, THIRD), axis=-1).mean() < 0.5 * scale


def test_the_distribution_beside_turned_hues_is_that_of_the_answer() -> None:
    tinct = Tinct()
    lightness, ab = lab(data.astronaut())
    features = tinct.encode(lightness)
    reference = Reference(lightness[:, ::-1].copy(), turned(ab[:, ::-1].copy(), THIRD))
    attended = tinct.attend(features, tinct.encode_reference(reference))
    matched = tinct.match(
        features, tinct.recall(features, [WeighedReference(attended, 0.3)]), HintField.empty(192, 192)
    )
    means = tinct.distribution(matched).probabilities @ AB_BINS
    answer = cv2.resize(tinct.decode(matched).ab, (48, 48), interpolation=cv2.INTER_AREA)
    assert np.corrcoef(means.ravel(), answer.ravel())[0, 1] > 0.9
