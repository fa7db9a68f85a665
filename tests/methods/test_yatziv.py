"""Laws of Yatziv 2006: intrinsic distances by an oracle, blending, and the work that hints cost."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse.csgraph import floyd_warshall

from tinct.errors import MethodError, ShapeError
from tinct.hints import HintField
from tinct.methods import get_method
from tinct.methods.classical import intrinsic_distance
from tinct.methods.classical.intrinsic_distance import NONE, NearestColors, nearest_colors
from tinct.methods.classical.yatziv import blend

RED, BLUE = (50.0, 30.0), (-20.0, -40.0)


def noisy(height: int, width: int, seed: int = 0) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    shade = 50 + 20 * np.sin(x / 5) * np.cos(y / 7)
    return (shade + np.random.default_rng(seed).normal(0, 2, (height, width))).astype(np.float32)


def dots(height: int, width: int, *placed: tuple[int, int, tuple[float, float]]) -> HintField:
    field = HintField.empty(height, width)
    for y, x, ab in placed:
        field.ab[y, x], field.mask[y, x] = ab, 1
    return field


def random_dots(height: int, width: int, count: int, seed: int = 0) -> HintField:
    rng = np.random.default_rng(seed)
    places = rng.choice(height * width, count, replace=False)
    return dots(
        height,
        width,
        *(
            (int(p) // width, int(p) % width, tuple(ab))
            for p, ab in zip(places, rng.uniform(-50, 50, (count, 2)), strict=True)
        ),
    )


def predict(lightness: np.ndarray, hints: HintField) -> np.ndarray:
    return get_method("yatziv").predict(lightness, hints, []).ab


def all_distances(lightness: np.ndarray, step_cost: float) -> np.ndarray:
    """Distances between all pairs of pixels, by Floyd and Warshall."""
    height, width = lightness.shape
    length = np.full((lightness.size, lightness.size), np.inf)
    for y, x in np.ndindex(height, width):
        for j, i in np.ndindex(height, width):
            if 0 < max(abs(y - j), abs(x - i)) == 1:
                climbed = abs(float(lightness[y, x]) - float(lightness[j, i]))
                length[y * width + x, j * width + i] = climbed + step_cost * np.hypot(y - j, x - i)
    return floyd_warshall(length)


@pytest.mark.parametrize(
    ("shape", "colors", "count"), [((7, 11), 9, 4), ((9, 8), 3, 3), ((1, 20), 6, 3), ((5, 5), 2, 5)]
)
def test_nearest_colors_are_those_of_all_pairs(shape, colors, count):
    lightness, rng = noisy(*shape), np.random.default_rng(1)
    label = np.full(lightness.size, NONE)
    places = rng.choice(lightness.size, 2 * colors, replace=False)
    label[places] = np.arange(2 * colors) % colors
    apart = all_distances(lightness, 0.3)
    by_color = np.stack([apart[:, label == k].min(axis=1) for k in range(colors)])
    order = np.argsort(by_color, axis=0)[:count]
    expected = np.full((count, lightness.size), np.inf)
    expected[: len(order)] = np.take_along_axis(by_color, order, 0)
    found = nearest_colors(lightness, label.reshape(shape), count, 0.3)
    np.testing.assert_allclose(found.distance.reshape(count, -1), expected, rtol=1e-9)
    np.testing.assert_array_equal(found.label.reshape(count, -1)[: len(order)], order)
    assert (found.label[len(order) :] == NONE).all()


def test_hints_have_their_exact_color():
    hints = random_dots(40, 60, 80)
    found = get_method("yatziv").predict(noisy(40, 60), hints, [])
    known = hints.mask > 0
    np.testing.assert_array_equal(found.ab[known], hints.ab[known])
    assert (found.confidence[known] == 1).all()
    assert (found.confidence[~known] < 1).all()


def test_colors_go_round_an_edge_and_not_across_it():
    lightness = np.full((40, 60), 30, np.float32)
    lightness[:36, 30] = 95  # a wall with a gap at its foot
    hints = dots(40, 60, (5, 26, RED), (38, 55, BLUE))
    found = predict(lightness, hints)
    near_the_wall = found[5, 33]  # seven pixels from red across the wall, thirty-nine from blue
    assert np.linalg.norm(near_the_wall - BLUE) < np.linalg.norm(near_the_wall - RED)
    open_field = predict(np.full((40, 60), 30, np.float32), hints)[5, 33]
    assert np.linalg.norm(open_field - RED) < 3


def test_one_color_is_everywhere():
    found = predict(noisy(30, 40), dots(30, 40, (3, 4, RED), (20, 30, RED)))
    np.testing.assert_allclose(found, np.broadcast_to(np.float32(RED), (30, 40, 2)), atol=1e-4)


def test_the_order_of_colors_changes_nothing():
    hints = random_dots(40, 60, 30)
    mirrored = HintField(-hints.ab, hints.mask)  # the same strokes, numbered from the other end
    np.testing.assert_allclose(predict(noisy(40, 60), mirrored), -predict(noisy(40, 60), hints), atol=1e-3)


def test_mirrored_photographs_get_mirrored_colors():
    lightness, hints = noisy(40, 60), random_dots(40, 60, 30)
    mirrored = HintField(hints.ab[:, ::-1].copy(), hints.mask[:, ::-1].copy())
    again = predict(lightness[:, ::-1].copy(), mirrored)
    np.testing.assert_allclose(again[:, ::-1], predict(lightness, hints), atol=1e-3)


def test_weights_are_powers_of_the_distance():
    near = NearestColors(np.array([2.0, 3.0]).reshape(2, 1, 1), np.array([1, 0]).reshape(2, 1, 1))
    found = blend(near, np.float32([RED, BLUE]), 4)[0, 0]
    share = 2.0**-4 / (2.0**-4 + 3.0**-4)
    np.testing.assert_allclose(found, share * np.array(BLUE) + (1 - share) * np.array(RED), rtol=1e-5)


def test_more_hints_are_no_more_work(monkeypatch):
    search = intrinsic_distance._shortest_paths
    work: list[int] = []

    def counted(start, *rest):
        work.append(len(start))
        return search(start, *rest)

    monkeypatch.setattr(intrinsic_distance, "_shortest_paths", counted)
    totals = []
    for count in (10, 20, 501):
        work.clear()
        predict(noisy(60, 80), random_dots(60, 80, count))
        totals.append(sum(work))
    assert totals[1] < 1.1 * totals[0]
    assert totals[2] < 1.1 * totals[0]


def test_yatziv_without_hints_says_so():
    with pytest.raises(MethodError, match="hint"):
        predict(noisy(8, 8), HintField.empty(8, 8))


def test_sizes_that_differ_are_refused():
    with pytest.raises(ShapeError, match="working size"):
        predict(noisy(8, 9), dots(8, 8, (4, 4, RED)))
