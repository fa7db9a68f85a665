"""Laws of Levin's propagation and of hints over other methods' answers; the oracle is a dense solve."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tinct.errors import MethodError, ShapeError
from tinct.hints import HintField
from tinct.methods import Method, Prediction, get_method
from tinct.methods.classical import propagation
from tinct.methods.classical.levin import Levin, spread_hints
from tinct.methods.classical.propagation import propagate, propagation_weights


def random_lightness(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Smooth shading with a few edges and some noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    shade = 40 + 20 * np.sin(x / 5) * np.cos(y / 7) + 25 * (x + y > width * 0.8)
    return np.asarray(np.clip(shade + rng.normal(0, 1, (height, width)), 0, 100), np.float32)


def two_halves(height: int = 40, width: int = 60) -> np.ndarray:
    lightness = np.full((height, width), 30, np.float32)
    lightness[:, width // 2 :] = 80
    return lightness


def dots(
    height: int, width: int, *placed: tuple[int, int, tuple[float, float]], radius: int = 1
) -> HintField:
    field = HintField.empty(height, width)
    for y, x, ab in placed:
        window = np.s_[max(0, y - radius) : y + radius + 1, max(0, x - radius) : x + radius + 1]
        field.ab[window], field.mask[window] = ab, 1
    return field


def dense_system(lightness: np.ndarray) -> np.ndarray:
    """I - W as the authors' code writes it, one pixel and one window at a time."""
    height, width = lightness.shape
    system = np.eye(lightness.size)
    for y in range(height):
        for x in range(width):
            window = [
                (j, i)
                for j in range(max(0, y - 1), min(height, y + 2))
                for i in range(max(0, x - 1), min(width, x + 2))
            ]
            around = [p for p in window if p != (y, x)]
            square = np.array([(float(lightness[p]) - float(lightness[y, x])) ** 2 for p in around])
            variance = np.var([float(lightness[p]) for p in window])
            tolerated = max(0.6 * variance, square.min() / -np.log(0.01), propagation.NOISE_LIGHTNESS**2)
            weight = np.maximum(np.exp(-square / tolerated), propagation.LEAST_WEIGHT)
            for p, w in zip(around, weight / weight.sum(), strict=True):
                system[y * width + x, p[0] * width + p[1]] = -w
    return system


@pytest.mark.parametrize("shape", [(9, 13), (1, 7), (7, 1), (2, 2)])
def test_weights_equal_the_authors_windows(shape: tuple[int, int]) -> None:
    lightness = random_lightness(*shape)
    found = np.eye(lightness.size) - propagation_weights(lightness).toarray()
    np.testing.assert_allclose(found, dense_system(lightness), atol=1e-5)


@pytest.mark.parametrize("direct_limit", [10**9, 0], ids=["direct", "multigrid"])
@pytest.mark.parametrize("screening", [None, 0.01])
def test_propagation_equals_the_dense_solve(
    direct_limit: int, screening: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(propagation, "DIRECT_LIMIT", direct_limit)
    monkeypatch.setattr(propagation, "MULTIGRID_TOLERANCE", 1e-8)
    lightness = random_lightness(23, 31, seed=3)
    rng = np.random.default_rng(1)
    known = np.zeros(lightness.shape, bool)
    known.ravel()[rng.choice(lightness.size, 6, replace=False)] = True
    values = rng.uniform(-60, 60, (*lightness.shape, 2)).astype(np.float32)

    system = dense_system(lightness)
    if screening is not None:
        system += screening * np.eye(lightness.size)
    system[known.ravel()] = np.eye(lightness.size)[known.ravel()]
    wanted = np.linalg.solve(system, np.where(known[..., None], values, 0).reshape(-1, 2))

    pull = None if screening is None else np.full(lightness.shape, screening, np.float32)
    found = propagate(propagation_weights(lightness), known, values, pull)
    np.testing.assert_array_equal(found[known], values[known])
    found = found.reshape(-1, 2)
    np.testing.assert_allclose(found, wanted, atol=0.02)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (37, 2), (23, 31), (64, 64)])
def test_nested_dissection_orders_every_pixel_once_and_cuts_last(shape: tuple[int, int]) -> None:
    order = propagation.nested_dissection(*shape)
    np.testing.assert_array_equal(np.sort(order), np.arange(shape[0] * shape[1]))
    if min(shape) > 8:
        cut = order[-min(shape) :]
        assert len(set(cut // shape[1])) == 1 or len(set(cut % shape[1])) == 1


def test_multigrid_agrees_with_the_direct_solve_at_its_own_tolerance(monkeypatch: pytest.MonkeyPatch) -> None:
    lightness = random_lightness(90, 120, seed=5)
    hints = dots(90, 120, (10, 10, (40, 20)), (80, 100, (-30, 10)), (45, 20, (0, -50)))
    direct = Levin().predict(lightness, hints, []).ab
    monkeypatch.setattr(propagation, "DIRECT_LIMIT", 0)
    multigrid = Levin().predict(lightness, hints, []).ab
    assert np.abs(direct - multigrid).max() < 0.5


def test_scribbles_keep_their_colors_exactly() -> None:
    lightness = random_lightness(30, 40)
    hints = dots(30, 40, (5, 5, (30, -20)), (20, 30, (-10, 50)), (15, 16, (0, 0)))
    found = Levin().predict(lightness, hints, []).ab
    np.testing.assert_array_equal(found[hints.mask > 0], hints.ab[hints.mask > 0])


def test_colors_stay_between_those_asked_for() -> None:
    hints = dots(30, 40, (5, 5, (30, -20)), (20, 30, (10, 50)))
    found = Levin().predict(random_lightness(30, 40), hints, []).ab
    assert found[..., 0].min() >= 10 - 1e-3
    assert found[..., 0].max() <= 30 + 1e-3


def test_a_gray_scribble_keeps_everything_neutral() -> None:
    found = Levin().predict(random_lightness(30, 40), dots(30, 40, (5, 5, (0, 0))), []).ab
    assert not found.any()


def test_one_color_fills_the_photograph() -> None:
    found = Levin().predict(random_lightness(30, 40), dots(30, 40, (5, 5, (30, -20))), []).ab
    np.testing.assert_allclose(found, np.broadcast_to(np.float32([30, -20]), found.shape), atol=0.05)


def test_an_edge_of_lightness_stops_color() -> None:
    found = Levin().predict(two_halves(), dots(40, 60, (20, 4, (50, 0)), (20, 55, (-50, 0))), []).ab
    assert found[:, :29, 0].min() > 45
    assert found[:, 31:, 0].max() < -45


def test_confidence_falls_with_distance_and_over_edges() -> None:
    lightness = two_halves()
    confidence = Levin().predict(lightness, dots(40, 60, (20, 20, (50, 0))), []).confidence
    assert confidence[20, 20] == 1
    assert 1 > confidence[20, 25] > confidence[20, 29] > 2 * confidence[20, 31] >= 0


def test_confidence_of_a_large_photograph_stops_at_edges_too() -> None:
    lightness = np.kron(two_halves(), np.ones((6, 6), np.float32))  # 240 by 360: found at half size
    confidence = Levin().predict(lightness, dots(240, 360, (120, 120, (50, 0))), []).confidence
    assert confidence[120, 120] == confidence.max() == 1
    assert confidence[120, 150] > confidence[120, 176] > 2 * confidence[120, 184]


def test_mirrored_photographs_get_mirrored_colors() -> None:
    lightness, hints = random_lightness(20, 31), dots(20, 31, (5, 5, (30, -20)), (12, 25, (-10, 50)))
    mirrored = replace(hints, ab=hints.ab[:, ::-1].copy(), mask=hints.mask[:, ::-1].copy())
    found = Levin().predict(lightness, hints, []).ab
    again = Levin().predict(lightness[:, ::-1].copy(), mirrored, []).ab
    np.testing.assert_allclose(again[:, ::-1], found, atol=0.01)


def test_extreme_lightness_has_finite_colors() -> None:
    for lightness in (
        np.zeros((16, 16)),
        np.full((16, 16), 100.0),
        100.0 * (np.indices((16, 16)).sum(0) % 2),
    ):
        found = Levin().predict(lightness.astype(np.float32), dots(16, 16, (8, 8, (30, -20))), [])
        assert np.isfinite(found.ab).all()
        assert np.isfinite(found.confidence).all()


def test_a_region_cut_off_on_all_sides_still_gets_a_color() -> None:
    lightness = np.full((30, 30), 10, np.float32)
    lightness[10:20, 10:20] = 95
    found = Levin().predict(lightness, dots(30, 30, (2, 2, (30, -20))), []).ab
    np.testing.assert_allclose(found[15, 15], [30, -20], atol=0.5)


def test_levin_without_hints_says_so() -> None:
    with pytest.raises(MethodError, match="hint"):
        Levin().predict(random_lightness(8, 8), HintField.empty(8, 8), [])


def test_sizes_that_differ_are_refused() -> None:
    with pytest.raises(ShapeError, match="working size"):
        Levin().predict(random_lightness(8, 9), dots(8, 8, (4, 4, (1, 1))), [])
    with pytest.raises(ShapeError, match="working size"):
        spread_hints(random_lightness(8, 8), flat_prediction(8, 9), dots(8, 8, (4, 4, (1, 1))))


def test_levin_keeps_the_protocol() -> None:
    assert isinstance(get_method("levin"), Method)


def flat_prediction(
    height: int, width: int, ab: tuple[float, float] = (10, 10), sure: float = 1.0
) -> Prediction:
    return Prediction(
        np.broadcast_to(np.float32(ab), (height, width, 2)).copy(), np.full((height, width), sure, np.float32)
    )


def test_without_hints_a_prediction_comes_back_untouched() -> None:
    prediction = flat_prediction(20, 20)
    found = spread_hints(random_lightness(20, 20), prediction, HintField.empty(20, 20))
    np.testing.assert_array_equal(found.ab, prediction.ab)
    np.testing.assert_array_equal(found.confidence, prediction.confidence)


@pytest.mark.parametrize("sure", [0.0, 0.3, 1.0])
def test_hints_win_where_they_lie(sure: float) -> None:
    rng = np.random.default_rng(0)
    noisy = Prediction(
        rng.uniform(-50, 50, (40, 60, 2)).astype(np.float32), np.full((40, 60), sure, np.float32)
    )
    hints = dots(40, 60, (10, 10, (60, -20)), (30, 50, (0, 0)))
    found = spread_hints(random_lightness(40, 60), noisy, hints)
    np.testing.assert_array_equal(found.ab[hints.mask > 0], hints.ab[hints.mask > 0])
    assert (found.confidence[hints.mask > 0] == 1).all()


def test_over_an_empty_base_hints_spread_as_levin() -> None:
    lightness = random_lightness(30, 40)
    hints = dots(30, 40, (5, 5, (30, -20)), (20, 30, (-10, 50)))
    found = spread_hints(lightness, flat_prediction(30, 40, (0, 0), sure=0), hints).ab
    np.testing.assert_allclose(found, Levin().predict(lightness, hints, []).ab, atol=0.02)


def test_hints_rule_their_neighborhood_and_leave_the_far_side_alone() -> None:
    lightness = np.full((200, 300), 50, np.float32)
    hints = dots(200, 300, (100, 40, (60, -20)))
    found = spread_hints(lightness, flat_prediction(200, 300), hints).ab
    np.testing.assert_allclose(
        found[97:104, 37:44], np.broadcast_to(np.float32([60, -20]), (7, 7, 2)), atol=0.5
    )
    np.testing.assert_allclose(found[:, 280:], np.full((200, 20, 2), 10), atol=0.5)


def test_hints_stop_at_an_edge_of_lightness() -> None:
    found = spread_hints(two_halves(), flat_prediction(40, 60), dots(40, 60, (20, 22, (60, 10)))).ab
    near, across = found[20, 28, 0] - 10, found[20, 33, 0] - 10
    assert near > 40
    assert across < near / 2


def test_hints_reach_farther_where_the_method_is_unsure() -> None:
    lightness = np.full((100, 150), 50, np.float32)
    hints = dots(100, 150, (50, 20, (60, 10)))
    reach = [
        (spread_hints(lightness, flat_prediction(100, 150, sure=sure), hints).ab[..., 0] > 35).sum()
        for sure in (1.0, 0.5, 0.1)
    ]
    assert reach[0] < reach[1] < reach[2]


def test_a_hint_that_agrees_with_a_sure_prediction_changes_nothing() -> None:
    rng = np.random.default_rng(2)
    lightness = random_lightness(40, 60)
    prediction = Prediction(
        rng.uniform(-20, 20, (40, 60, 2)).astype(np.float32), np.ones((40, 60), np.float32)
    )
    hints = HintField.empty(40, 60)
    hints.mask[20, 30], hints.ab[20, 30] = 1, prediction.ab[20, 30]
    found = spread_hints(lightness, prediction, hints).ab
    np.testing.assert_allclose(found, prediction.ab, atol=0.02)


def test_everything_hinted_is_everything_kept() -> None:
    rng = np.random.default_rng(3)
    hints = HintField(rng.uniform(-50, 50, (12, 9, 2)).astype(np.float32), np.ones((12, 9), np.float32))
    for found in (
        Levin().predict(random_lightness(12, 9), hints, []),
        spread_hints(random_lightness(12, 9), flat_prediction(12, 9), hints),
    ):
        np.testing.assert_array_equal(found.ab, hints.ab)
