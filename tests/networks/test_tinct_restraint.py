"""Laws of hints that surprise: they color what they lie on, and hardly all else; true ones reach as far as before."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data

from tinct.color.lab import rgb_to_lab
from tinct.hints import HintField
from tinct.hints.field import PlacedHint
from tinct.networks.semantics.opinion import Opinion
from tinct.networks.tinct import method
from tinct.networks.tinct.method import Tinct
from tinct.networks.tinct.restraint import (
    ALIKE,
    FEW,
    LEAST_SURPRISE,
    MANY,
    MOST_SURPRISE,
    answered_where_alike,
    restrained_moves,
    restrained_scores,
    restraint,
)

Array = NDArray[np.float32]
SIZE = (64, 96)
DULL, LOUD = (LEAST_SURPRISE - 1, 0.0), (MOST_SURPRISE + 1, 0.0)


def hints(*colors: tuple[float, float], x: float = 20.0) -> HintField:
    """Hints of these colors, side by side from x on."""
    points = tuple(PlacedHint(x + n, 30.0, color, 3) for n, color in enumerate(colors))
    return replace(HintField.empty(*SIZE), points=points)


@pytest.fixture
def halves() -> Opinion:
    """A photograph that is expected to be gray, whose right half is of another kind than the left one."""
    places = np.zeros((8, 12, 4), np.float32)
    places[:, :6, 0] = places[:, 6:, 1] = 3
    return Opinion(
        np.zeros((8, 12, 2), np.float32), np.zeros((8, 12, 313), np.float32), np.ones(1, np.float32), places
    )


def kept_from(given: HintField, photograph: Opinion) -> Array | None:
    found = restraint(given, photograph, SIZE)
    assert found is not None
    return found.kept


def test_a_hint_near_what_is_expected_is_free(halves: Opinion):
    assert kept_from(hints(DULL), halves) is None
    halves.ab[:] = LOUD
    assert kept_from(hints(LOUD), halves) is None


def test_a_surprising_hint_is_kept_to_what_is_like_its_place(halves: Opinion):
    kept = kept_from(hints(LOUD), halves)
    assert kept is not None
    assert kept.shape == (8, 12, 1)
    assert not kept[:, :5].any()
    np.testing.assert_allclose(kept[:, 7:], ALIKE, atol=1e-6)
    scores = restrained_scores(kept, (16, 24)).reshape(16, 24)
    assert not scores[:, :10].any()
    assert (scores[:, 14:] < -2).all()
    moves = restrained_moves(kept, (8, 12))
    np.testing.assert_allclose(moves[:, :5], 1)
    assert (moves[:, 7:] < 0.2).all()


def test_restraint_grows_with_surprise(halves: Opinion):
    found = [
        kept_from(hints((surprise, 0.0)), halves)
        for surprise in (27.0, 32.0, 37.0, MOST_SURPRISE, MOST_SURPRISE + 40)
    ]
    most = [each.max() for each in found if each is not None]
    assert np.all(np.diff(most) >= 0)
    assert most[0] < most[1] < most[2] < most[3] == most[4]


def test_the_more_colors_the_freer_and_a_stroke_is_one(halves: Opinion):
    """Many colors tell each other's places apart; the points of one stroke do not, and add up."""
    lone, stroke = (kept_from(hints(*[LOUD] * count), halves) for count in (1, 12))
    assert lone is not None
    assert stroke is not None
    np.testing.assert_allclose(stroke, (1 + np.log(12)) * np.repeat(lone, 12, -1), rtol=1e-5)
    many = kept_from(hints(*[(LOUD[0] + n, 0.0) for n in range(4 * FEW)]), halves)
    assert many is not None
    np.testing.assert_allclose(many[..., 0], lone[..., 0] / 4, atol=1e-6)


def test_beside_a_free_hint_what_is_expected_moves_freely(halves: Opinion):
    kept = kept_from(hints(LOUD, DULL), halves)
    assert kept is not None
    assert kept[..., 0].any()
    assert not kept[..., 1].any()
    np.testing.assert_array_equal(restrained_moves(kept, (8, 12)), 1)


@pytest.mark.parametrize("color", [DULL, LOUD])
def test_vividness_falls_where_places_are_like_the_hints(halves: Opinion, color: tuple[float, float]):
    found = restraint(hints(color), halves, SIZE)
    assert found is not None
    share = answered_where_alike(found.unlike, (16, 24))
    np.testing.assert_allclose(share[:, :10], 1)
    assert (share[:, 14:] < 0.2).all()


def test_nothing_is_kept_from_hints_of_many_colors(halves: Opinion):
    assert restraint(hints(*[(LOUD[0] + n, 0.0) for n in range(MANY)]), halves, SIZE) is not None
    assert restraint(hints(*[(LOUD[0] + n, 0.0) for n in range(MANY + 1)]), halves, SIZE) is None


# The released network


def small(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(photo, (256, 192), interpolation=cv2.INTER_AREA))


ASTRONAUT, ROCKET, COFFEE = (small(photo) for photo in (data.astronaut(), data.rocket(), data.coffee()))
TEAL, RED = np.array([-45.0, -30.0]), np.array([60.0, 45.0])
THINGS = {
    "suit": (ASTRONAUT, 120, 160, TEAL),
    "rocket": (ROCKET, 128, 150, RED),
    "cup": (COFFEE, 160, 90, TEAL),
}
"""A photograph, x and y of a place on a thing in it, and a color that the thing hardly has: CIE a*, b*."""


def squares(lightness: Array, *placed: tuple[int, int, NDArray[np.floating]]) -> HintField:
    """Hints of 6 x 6 pixels around these x and y."""
    field = HintField.empty(*lightness.shape)
    for x, y, color in placed:
        field.ab[y - 3 : y + 3, x - 3 : x + 3] = color
        field.mask[y - 3 : y + 3, x - 3 : x + 3] = 1
    points = tuple(PlacedHint(x - 0.5, y - 0.5, (float(ab[0]), float(ab[1])), 3) for x, y, ab in placed)
    return replace(field, points=points)


def moved(photo: NDArray[np.uint8], *placed: tuple[int, int, NDArray[np.floating]]) -> Array:
    """By how much hints move the mean answer, shape (H, W, 2)."""
    lightness = np.ascontiguousarray(rgb_to_lab(photo)[..., 0])
    tinct = Tinct(precision="f32")
    features = tinct.encode(lightness)
    answers = [
        tinct.decode(tinct.match(features, None, hinted)).ab
        for hinted in (squares(lightness, *placed), HintField.empty(*lightness.shape))
    ]
    return np.asarray(answers[0] - answers[1], np.float32)


def reach(change: Array, x: int, y: int) -> tuple[float, float]:
    """The change's mean length around the hint and farther than three tenths of the longer side from it."""
    down, across = np.mgrid[: change.shape[0], : change.shape[1]]
    distance = np.hypot(across - x, down - y) / max(change.shape)
    length = np.linalg.norm(change, axis=-1)
    return float(length[distance < 0.05].mean()), float(length[distance > 0.3].mean())


@pytest.mark.parametrize(("photo", "x", "y", "color"), THINGS.values(), ids=THINGS)
def test_one_loud_hint_colors_its_thing_and_leaves_most_else_alone(
    photo: NDArray[np.uint8], x: int, y: int, color: Array, monkeypatch: pytest.MonkeyPatch
):
    here, far = reach(moved(photo, (x, y, color)), x, y)
    monkeypatch.setattr(method, "restraint", lambda *_: None)
    here_before, far_before = reach(moved(photo, (x, y, color)), x, y)
    assert here > 0.9 * here_before
    assert far < 0.65 * far_before


def test_one_true_hint_does_not_make_the_rest_dull():
    lightness, truth = np.split(rgb_to_lab(COFFEE), [1], -1)
    lightness = np.ascontiguousarray(lightness[..., 0])
    table = squares(lightness, (60, 40, truth[37:43, 57:63].mean((0, 1))))
    tinct = Tinct(precision="f32")
    features = tinct.encode(lightness)
    strength = []
    for given in (table, HintField.empty(*lightness.shape)):
        vivid = tinct.decode(tinct.match(features, None, given)).vivid
        assert vivid is not None
        strength.append(reach(vivid, 60, 40)[1])
    assert strength[0] > 0.8 * strength[1]


def test_a_stroke_leaves_as_much_alone_as_a_point():
    stroke = [(x, 160, TEAL) for x in range(60, 150, 6)]
    (_, far), (_, far_of_one) = (
        reach(moved(ASTRONAUT, *placed), 120, 160) for placed in (stroke, [(120, 160, TEAL)])
    )
    assert far < 1.25 * far_of_one


def test_true_hints_reach_as_far_as_they_did(monkeypatch: pytest.MonkeyPatch):
    photo = ASTRONAUT
    truth = rgb_to_lab(photo)[..., 1:]
    random = np.random.default_rng(0)
    spots = [
        (int(x), int(y))
        for x, y in zip(random.integers(6, 250, 20), random.integers(6, 186, 20), strict=True)
    ]
    placed = [(x, y, truth[y - 3 : y + 3, x - 3 : x + 3].mean((0, 1))) for x, y in spots]
    change = moved(photo, *placed)
    monkeypatch.setattr(method, "restraint", lambda *_: None)
    assert np.abs(change - moved(photo, *placed)).mean() < 0.3
