"""Laws of the 313 ab bins, of palettes and of their distances."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from tinct.color.bins import AB_BINS, decode_bins, encode_bins, rebalancing_weights
from tinct.color.lab import rgb_to_lab
from tinct.color.palettes import ab_histogram, histogram_distance, palette, palette_distance
from tinct.errors import ShapeError


@pytest.mark.shared
def test_bins_are_the_published_ones(shared: Path) -> None:
    published = np.load(shared / "weights" / "ab_bins_313.npy")
    assert (published == AB_BINS).all()


def test_bins_are_313_grid_points_in_order() -> None:
    assert AB_BINS.shape == (313, 2)
    assert not (AB_BINS % 10).any()
    assert (np.lexsort((AB_BINS[:, 1], AB_BINS[:, 0])) == np.arange(313)).all()


def test_bins_hold_every_srgb_color() -> None:
    steps = np.linspace(0, 1, 33, dtype=np.float32)
    rgb = np.stack(np.meshgrid(steps, steps, steps), axis=-1)
    cells = np.rint(rgb_to_lab(rgb)[..., 1:].reshape(-1, 2) / 10) * 10
    known = {tuple(center) for center in AB_BINS.tolist()}
    assert {tuple(cell) for cell in cells.tolist()} <= known


def test_encoding_agrees_with_brute_force() -> None:
    ab = np.random.default_rng(0).normal(0, 45, (400, 2))
    index, weight = encode_bins(ab, neighbors=5, sigma=5)
    squared = ((ab[:, None] - AB_BINS[None].astype(np.float64)) ** 2).sum(-1)
    nearest = np.argsort(squared, axis=1)[:, :5]
    assert (index == nearest).all()
    gaussian = np.exp(-np.take_along_axis(squared, nearest, 1) / 50) + 1e-300
    expected = gaussian / gaussian.sum(1, keepdims=True)
    near = squared.min(axis=1) < 500  # farther away the textbook formula underflows
    np.testing.assert_allclose(weight[near], expected[near], atol=1e-6)
    np.testing.assert_allclose(weight.sum(1), 1, atol=1e-6)


def test_decoding_undoes_encoding() -> None:
    ab = np.random.default_rng(1).uniform(-40, 40, (30, 20, 2)).astype(np.float32)
    index, weight = encode_bins(ab, neighbors=10)
    distribution = np.zeros((30, 20, 313), np.float32)
    np.put_along_axis(distribution, index, weight, axis=-1)
    np.testing.assert_allclose(decode_bins(distribution, 1.0, probabilities=True), ab, atol=2.0)
    np.testing.assert_array_equal(encode_bins(AB_BINS, neighbors=1)[0][:, 0], np.arange(313))


def test_annealing_goes_from_the_mean_to_the_mode() -> None:
    logits = np.random.default_rng(2).normal(0, 3, (50, 313)).astype(np.float32)
    soft = np.exp(logits - logits.max(-1, keepdims=True))
    soft /= soft.sum(-1, keepdims=True)
    np.testing.assert_allclose(decode_bins(logits, 1.0), soft @ AB_BINS, atol=1e-3)
    np.testing.assert_allclose(decode_bins(logits, 1e-3), AB_BINS[logits.argmax(-1)], atol=0.5)
    powers = soft.astype(np.float64) ** (1 / 0.38)
    expected = powers @ AB_BINS / powers.sum(-1, keepdims=True)
    np.testing.assert_allclose(decode_bins(logits), expected, atol=1e-3)
    np.testing.assert_allclose(decode_bins(soft, probabilities=True), expected, atol=1e-3)
    np.testing.assert_allclose(decode_bins(logits + 1000), decode_bins(logits), atol=1e-2)


def test_rebalancing_has_mean_one_and_favors_the_rare() -> None:
    prior = np.random.default_rng(3).pareto(1.0, 313)
    weights = rebalancing_weights(prior)
    assert (weights * prior / prior.sum()).sum() == pytest.approx(1, abs=1e-5)
    assert (np.diff(weights[np.argsort(prior)]) <= 0).all()
    np.testing.assert_allclose(rebalancing_weights(prior, lam=1), 1, atol=1e-6)
    inverse = rebalancing_weights(prior, lam=0) * prior
    np.testing.assert_allclose(inverse, inverse[0], rtol=1e-5)


def test_misfit_bins_are_refused_by_name() -> None:
    with pytest.raises(ShapeError, match="313"):
        decode_bins(np.zeros((4, 312)))
    with pytest.raises(ShapeError, match="temperature"):
        decode_bins(np.zeros(313), 0)
    with pytest.raises(ShapeError, match=r"\(\.\.\., 2\)"):
        encode_bins(np.zeros((4, 3)))
    with pytest.raises(ShapeError, match="distribution"):
        rebalancing_weights(np.zeros(313))
    with pytest.raises(ShapeError, match="lam"):
        rebalancing_weights(np.eye(313)[0], lam=0)


def test_palette_finds_the_colors_of_a_flag() -> None:
    flag = np.zeros((20, 30, 3), np.float32)
    flag[:, :15] = 30, 40, -60
    flag[:, 15:24] = 90, 0, 0
    flag[:, 24:] = 50, 70, 50
    centers, shares = palette(flag, 3, seed=4)
    np.testing.assert_allclose(centers, [[30, 40, -60], [90, 0, 0], [50, 70, 50]], atol=1e-4)
    np.testing.assert_allclose(shares, [0.5, 0.3, 0.2], atol=1e-6)
    assert len(palette(flag, 8)[0]) == 3


def test_palette_is_deterministic_and_sums_to_one() -> None:
    lab = np.random.default_rng(6).normal([50, 0, 0], 20, (60, 60, 3)).astype(np.float32)
    first, second = palette(lab, 6, seed=1), palette(lab, 6, seed=1)
    assert (first[0] == second[0]).all()
    assert first[1].sum() == pytest.approx(1, abs=1e-6)
    assert (np.diff(first[1]) <= 0).all()
    mean = (first[0] * first[1][:, None]).sum(0)
    np.testing.assert_allclose(mean, lab.reshape(-1, 3).mean(0), atol=1e-2)


def test_palette_distance_is_the_earth_movers() -> None:
    rng = np.random.default_rng(7)
    x, y = rng.normal(0, 30, 7), rng.normal(10, 30, 5)
    u, v = rng.random(7), rng.random(5)
    on_a_line = palette_distance((x[:, None], u), (y[:, None], v))
    assert on_a_line == pytest.approx(wasserstein_distance(x, y, u, v), rel=1e-6)


def test_palette_distance_is_a_metric() -> None:
    rng = np.random.default_rng(8)
    p, q, r = ((rng.normal(0, 40, (k, 3)), rng.random(k)) for k in (4, 6, 3))
    assert palette_distance(p, p) == pytest.approx(0, abs=1e-9)
    assert palette_distance(p, q) == pytest.approx(palette_distance(q, p))
    assert palette_distance(p, r) <= palette_distance(p, q) + palette_distance(q, r) + 1e-9
    moved = (p[0] + [3, 4, 0], p[1])
    assert palette_distance(p, moved) == pytest.approx(5)


def test_histogram_distance_runs_from_equal_to_disjoint() -> None:
    ab = np.random.default_rng(9).normal(0, 10, (40, 40, 2))
    here, there = ab_histogram(ab), ab_histogram(ab * 0.2 + [80, 60])
    assert here.sum() == pytest.approx(1, abs=1e-5)
    assert histogram_distance(here, here) == 0
    assert histogram_distance(here, there) == pytest.approx(1, abs=1e-3)
    assert 0 < histogram_distance(here, ab_histogram(ab + 5)) < 1
