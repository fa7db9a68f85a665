"""Laws of kriging: hints move what is expected near them, of their lightness and of one color, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from tinct.hints.field import HintField, PlacedHint
from tinct.methods.kriging import FAR, MOST, NEAR, _means, mended_at_hints, moved_to_hints

GRAY = np.full((64, 96), 50, np.float32)
NOTHING = np.zeros((8, 12, 2), np.float32)
RED = (40.0, 20.0)


def test_without_hints_what_is_expected_comes_back():
    expected = np.random.default_rng(0).normal(size=(8, 12, 2)).astype(np.float32)
    assert moved_to_hints(expected, GRAY, ()) is expected


def test_hint_is_nearly_met_at_its_place_and_fades_with_distance():
    found = moved_to_hints(NOTHING, GRAY, [PlacedHint(3.5, 3.5, RED)])
    np.testing.assert_allclose(found[0, 0], np.array(RED) / (1 + FAR.noise), rtol=1e-3)
    along = found[0, :, 0]
    assert np.all(np.diff(along) < 0)
    assert 0.1 < along[-1] / along[0] < 0.6
    np.testing.assert_allclose(found[..., 0] * 0.5, found[..., 1], rtol=1e-4)


def test_other_lightness_is_moved_less():
    halves = GRAY.copy()
    halves[:, 48:] = 95
    even, uneven = (
        moved_to_hints(NOTHING, lightness, [PlacedHint(44, 32, RED)]) for lightness in (GRAY, halves)
    )
    np.testing.assert_allclose(uneven[:, :5], even[:, :5], rtol=1e-3)
    assert np.all(uneven[:, 7:, 0] < 0.4 * even[:, 7:, 0])


def test_hints_that_say_what_is_expected_move_nothing():
    expected = np.random.default_rng(1).normal(size=(8, 12, 2)).astype(np.float32) * 20
    hints = [PlacedHint(8 * x + 3.5, 8 * y + 3.5, tuple(expected[y, x])) for x, y in ((2, 3), (9, 6))]
    np.testing.assert_allclose(moved_to_hints(expected, GRAY, hints), expected, atol=1e-4)


def test_order_does_not_count_and_two_that_differ_at_one_place_give_their_mean():
    hints = [PlacedHint(20, 20, RED), PlacedHint(20, 20, (-40.0, 20.0)), PlacedHint(80, 50, (5.0, -30.0))]
    found = moved_to_hints(NOTHING, GRAY, hints)
    np.testing.assert_allclose(found, moved_to_hints(NOTHING, GRAY, hints[::-1]), atol=1e-3)
    alone = moved_to_hints(NOTHING, GRAY, hints[:2])
    np.testing.assert_allclose(alone[2, 2], (0, 20), atol=1.0)


def test_any_number_of_hints_and_any_grid_is_taken():
    generator = np.random.default_rng(2)
    lightness = generator.uniform(0, 100, (400, 1200)).astype(np.float32)
    x, y = generator.uniform(-0.5, 1199.5, 3 * MOST), generator.uniform(-0.5, 399.5, 3 * MOST)
    hints = [PlacedHint(a, b, RED) for a, b in zip(x, y, strict=True)]
    found = moved_to_hints(np.zeros((50, 150, 2), np.float32), lightness, hints)
    assert found.shape == (50, 150, 2)
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.median(found, (0, 1)), RED, rtol=0.1)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (300, 2)])
def test_small_grids_are_taken(shape: tuple[int, int]):
    lightness = np.full((shape[0] * 8, shape[1] * 8), 30, np.float32)
    found = moved_to_hints(np.zeros((*shape, 2), np.float32), lightness, [PlacedHint(2, 2, RED)])
    assert found.shape == (*shape, 2)
    assert np.isfinite(found).all()


def test_of_more_hints_than_are_counted_the_first_and_the_last_are():
    """One more than so many leaves out one, not half of them."""
    far = [PlacedHint(90 + 0.001 * k, 60, (0.0, 0.0)) for k in range(MOST - 1)]
    hints = [PlacedHint(3, 3, RED), *far, PlacedHint(3, 60, RED)]
    found = moved_to_hints(NOTHING, GRAY, hints)
    assert found[0, 0, 0] > 25
    assert found[7, 0, 0] > 25


def field(*hints: PlacedHint) -> HintField:
    """The hints as squares of twice their radius in a field of the photograph's size."""
    ab, mask = np.zeros((64, 96, 2), np.float32), np.zeros((64, 96), np.float32)
    for hint in hints:
        first = [round(at + 0.5 - hint.radius) for at in (hint.y, hint.x)]
        square = tuple(slice(at, at + max(1, round(2 * hint.radius))) for at in first)
        ab[square], mask[square] = hint.ab, 1
    return HintField(ab, mask, hints)


def test_an_answer_that_misses_hints_by_little_is_mended_around_them_the_less_the_farther():
    answer = np.zeros((64, 96, 2), np.float32)
    answer[...] = (7.0, 0.0)
    found = mended_at_hints(answer, GRAY, field(PlacedHint(23.5, 31.5, (10.0, 0.0), 3)))[..., 0]
    assert found[32, 24] == pytest.approx(10, abs=0.7)
    assert np.all(np.diff(found[32, 28:]) <= 1e-4)
    assert found[32, 90] == pytest.approx(7, abs=0.4)


@pytest.mark.parametrize("beside", ["in the answer", "in what is expected"])
def test_what_has_another_color_is_left_as_it_is(beside: str):
    """Beside a sky, whose blue a hint corrects, a roof of the same lightness is not sky."""
    if beside == "in the answer":
        answer = np.zeros((64, 96, 2), np.float32)
        answer[:, 30:] = (40.0, 30.0)
        found = mended_at_hints(answer, GRAY, field(PlacedHint(23.5, 31.5, (3.0, 0.0), 3))) - answer
        assert found[32, 28, 0] > 2
        assert np.abs(found[:, 34:]).max() < 0.05
    else:
        expected = np.zeros((8, 12, 2), np.float32)
        expected[:, 4:] = (60.0, 40.0)
        found = moved_to_hints(expected, GRAY, [PlacedHint(23.5, 31.5, (10.0, 0.0), 3)]) - expected
        assert found[4, 2, 0] > 8
        assert np.abs(found[:, 5:]).max() < 0.2


def test_an_answer_that_meets_its_hints_stays_whatever_these_look_like():
    """A painted patch of two colors is one hint of their mean; its pixels are what is compared."""
    generator = np.random.default_rng(4)
    answer = generator.normal(0, 20, (64, 96, 2)).astype(np.float32)
    mask = (generator.uniform(size=(64, 96)) < 0.3).astype(np.float32)
    mean = tuple(answer[20:36, 20:36][mask[20:36, 20:36] > 0].mean(0))
    hints = HintField(answer * mask[..., None], mask, (PlacedHint(27.5, 27.5, mean, 8),))
    np.testing.assert_allclose(mended_at_hints(answer, GRAY, hints), answer, atol=1e-4)
    assert mended_at_hints(answer, GRAY, HintField.empty(64, 96)) is answer


def test_what_is_missed_by_much_is_left_to_its_own_place():
    """Somebody who paints a small thing red does not want a red ring around it."""
    nothing = np.zeros((64, 96, 2), np.float32)
    moved = [
        mended_at_hints(nothing, GRAY, field(PlacedHint(23.5, 31.5, (red, 0.0), 3))).max()
        for red in (3.0, NEAR.most, 30.0, 90.0)
    ]
    assert 0 < moved[0] < moved[1] <= NEAR.most
    assert moved[1] > moved[2] > moved[3] > 0
    assert moved[3] < 0.5


def test_a_hint_of_one_pixel_moves_less_than_one_of_many():
    nothing = np.zeros((64, 96, 2), np.float32)
    one, many = (
        mended_at_hints(nothing, GRAY, field(PlacedHint(at, 32 - 24 + at, (4.0, 0.0), radius)))
        for at, radius in ((24.0, 0.5), (23.5, 3.0))
    )
    assert 0.8 * many.max() < one.max() < 0.95 * many.max()


def test_means_are_over_each_hints_own_square():
    image = np.random.default_rng(3).normal(size=(10, 12, 2)).astype(np.float32)
    places = np.array([(5.5, 4.5), (0.0, 0.0), (3.2, 8.9)], np.float32)
    found = _means(image, places, np.array([2.0, 30.0, 0.5], np.float32))
    np.testing.assert_allclose(found[0], image[2:6, 3:7].mean((0, 1)), rtol=1e-4)
    assert np.isfinite(found[1]).all()
    assert np.array_equal(found[2], image[8, 3])
