"""Laws of hint fidelity, hint reach and reference use, on results whose answer is known by construction."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from tinct.color.gamut import fit_gamut
from tinct.errors import ShapeError
from tinct.evaluation.metrics.guidance import hint_error, hint_reach, reference_use
from tinct.hints import HintField

Array = NDArray[np.float32]
RED, BLUE = np.float32([60, 40]), np.float32([20, -60])


def hint_field(*places: tuple[slice, slice, Array], shape: tuple[int, int] = (40, 60)) -> HintField:
    field = HintField.empty(*shape)
    for rows, columns, color in places:
        field.ab[rows, columns] = color
        field.mask[rows, columns] = 1
    return field


def disc(shape: tuple[int, int], center: tuple[int, int], radius: float) -> NDArray[np.bool_]:
    y, x = np.ogrid[: shape[0], : shape[1]]
    return np.hypot(y - center[0], x - center[1]) <= radius


HINT = (slice(19, 22), slice(29, 32), RED)


def test_a_hint_that_is_obeyed_has_no_error() -> None:
    field = hint_field(HINT)
    lab = np.concatenate([np.full((40, 60, 1), 50, np.float32), field.ab], axis=2)
    assert hint_error(lab, field) == pytest.approx(0, abs=1e-3)


def test_a_hint_beyond_the_gamut_asks_for_what_the_lightness_can_show() -> None:
    field = hint_field((slice(0, 2), slice(0, 2), np.float32([0, 90])))
    dark = np.full((40, 60), 5, np.float32)
    lab = np.dstack([dark, fit_gamut(dark, field.ab)])
    assert hint_error(lab, field) == pytest.approx(0, abs=1e-2)


def test_hint_error_counts_only_what_is_hinted() -> None:
    field = hint_field(HINT)
    lab = np.concatenate([np.full((40, 60, 1), 50, np.float32), field.ab], axis=2)
    elsewhere = lab.copy()
    elsewhere[field.mask == 0, 1:] = BLUE
    assert hint_error(elsewhere, field) == hint_error(lab, field)
    ignored = lab.copy()
    ignored[..., 1:] = 0
    assert hint_error(ignored, field) > 20


def test_a_hint_that_stays_where_it_is_reaches_nothing() -> None:
    field = hint_field(HINT)
    reach = hint_reach(field.ab, np.zeros_like(field.ab), field)
    assert reach.share == 0
    assert reach.radius == pytest.approx(math.sqrt(9 / math.pi))
    assert reach.connected == 1


def test_a_hint_that_fills_a_disc_has_its_radius() -> None:
    field = hint_field(HINT)
    ab = np.zeros((40, 60, 2), np.float32)
    ab[disc((40, 60), (20, 30), 12)] = RED
    reach = hint_reach(ab, np.zeros_like(ab), field)
    assert reach.radius == pytest.approx(12, abs=0.3)
    assert reach.share == pytest.approx((math.pi * 144 - 9) / 2400, abs=0.01)
    assert reach.connected == 1


def test_two_hints_that_fill_a_disc_each_have_the_radius_of_one() -> None:
    field = hint_field((slice(20, 21), slice(15, 16), RED), (slice(20, 21), slice(45, 46), BLUE))
    ab = np.zeros((40, 60, 2), np.float32)
    ab[disc((40, 60), (20, 15), 8)] = RED
    ab[disc((40, 60), (20, 45), 8)] = BLUE
    assert hint_reach(ab, np.zeros_like(ab), field).radius == pytest.approx(8, abs=0.3)


def test_color_that_jumps_elsewhere_is_not_connected() -> None:
    field = hint_field(HINT)
    ab = field.ab.copy()
    ab[2:5, 2:5] = RED
    ab[22:25, 29:32] = RED
    assert hint_reach(ab, np.zeros_like(ab), field).connected == pytest.approx(0.5)


def test_half_of_the_way_follows_and_less_does_not() -> None:
    field = hint_field(HINT)
    before = np.zeros((40, 60, 2), np.float32)
    assert hint_reach(np.broadcast_to(0.51 * RED, before.shape), before, field).share > 0.99
    assert hint_reach(np.broadcast_to(0.49 * RED, before.shape), before, field).share == 0


def test_what_had_the_color_already_was_not_moved_by_the_hint() -> None:
    field = hint_field(HINT)
    already = np.broadcast_to(RED + 1, (40, 60, 2)).astype(np.float32)
    assert hint_reach(np.broadcast_to(RED, (40, 60, 2)), already, field).share == 0


def test_no_hints_and_other_sizes_are_refused() -> None:
    ab = np.zeros((40, 60, 2), np.float32)
    with pytest.raises(ShapeError, match="mark no pixel"):
        hint_reach(ab, ab, HintField.empty(40, 60))
    with pytest.raises(ShapeError, match="place the hints"):
        hint_reach(ab, ab, hint_field(HINT, shape=(50, 60)))
    with pytest.raises(ShapeError):
        hint_error(np.zeros((40, 60, 3), np.float32), HintField.empty(40, 60))


def test_a_reference_that_gives_the_truth_gains_the_whole_error() -> None:
    rng = np.random.default_rng(0)
    truth, without = (rng.normal(0, 20, (20, 30, 2)).astype(np.float32) for _ in range(2))
    use = reference_use(truth, without, truth)
    assert use.gain == pytest.approx(use.moved, rel=1e-5)
    assert use.direction == pytest.approx(1)


def test_a_reference_that_is_left_alone_neither_helps_nor_costs() -> None:
    rng = np.random.default_rng(1)
    truth, without = (rng.normal(0, 20, (20, 30, 2)).astype(np.float32) for _ in range(2))
    use = reference_use(without, without, truth)
    assert (use.gain, use.moved, use.direction) == (0, 0, 0)


def test_a_reference_that_leads_away_costs_what_it_moves() -> None:
    rng = np.random.default_rng(2)
    truth = rng.normal(0, 20, (20, 30, 2)).astype(np.float32)
    without = truth * np.float32(0.5)
    use = reference_use(without - (truth - without), without, truth)
    assert use.gain == pytest.approx(-use.moved, rel=1e-5)
    assert use.direction == pytest.approx(-1)
