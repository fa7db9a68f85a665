"""Laws of PhotoWCT's smoothing; the oracles are the paper's formulas, written out and solved densely."""

from __future__ import annotations

import numpy as np
import pytest

from tinct.errors import ShapeError
from tinct.stylizing import manifold_ranking
from tinct.stylizing.manifold_ranking import ALPHA, EPSILON, matting_affinity, smoothed


def guide_of(height: int, width: int, channels: int = 3, seed: int = 0) -> np.ndarray:
    """Smooth shades with an edge and a little noise, 0..1."""
    y, x = np.mgrid[:height, :width]
    rng = np.random.default_rng(seed)
    planes = [0.4 + 0.2 * np.sin(x / (3 + k)) * np.cos(y / 5) for k in range(channels)]
    edge = 0.3 * (x > width / 2)
    return np.float32(np.stack(planes, 2) + edge[..., None] + rng.normal(0, 0.01, (height, width, channels)))


def dense_affinity(guide: np.ndarray) -> np.ndarray:
    height, width, channels = guide.shape
    flat, whole = guide.reshape(-1, channels).astype(float), np.zeros((height * width,) * 2)
    for y in range(height - 2):
        for x in range(width - 2):
            window = [(y + i) * width + x + j for i in range(3) for j in range(3)]
            apart = flat[window] - flat[window].mean(0)
            inverse = np.linalg.inv(apart.T @ apart / 9 + EPSILON / 9 * np.eye(channels))
            whole[np.ix_(window, window)] += (1 + apart @ inverse @ apart.T) / 9
    return whole


@pytest.mark.parametrize("shape", [(6, 8, 3), (7, 5, 1), (3, 3, 3), (3, 9, 1)])
def test_affinity_is_the_sum_over_windows(shape):
    guide = guide_of(*shape)
    found = matting_affinity(guide).toarray()
    np.testing.assert_allclose(found, dense_affinity(guide), atol=1e-9)
    np.testing.assert_allclose(found, found.T, atol=1e-9)


def test_rows_sum_to_the_number_of_windows():
    found = matting_affinity(guide_of(6, 8)).sum(axis=1).reshape(6, 8)
    assert np.asarray(found)[0, 0] == pytest.approx(1)
    assert np.asarray(found)[2:4, 2:6] == pytest.approx(9)


def test_the_solution_is_the_closed_form(monkeypatch):
    monkeypatch.setattr(manifold_ranking, "TOLERANCE", 1e-10)
    guide, picture = guide_of(7, 9), np.random.default_rng(1).random((7, 9, 2)).astype(np.float32)
    affinity = dense_affinity(guide)
    root = np.sqrt(affinity.sum(1))[:, None]
    ranked = (1 - 0.99) * np.linalg.inv(np.eye(63) - 0.99 * affinity / root / root.T)
    expected = ranked @ (root * picture.reshape(63, 2)) / root
    np.testing.assert_allclose(smoothed(picture, guide, 0.99).reshape(63, 2), expected, atol=1e-6)


def test_without_the_graph_the_picture_stays():
    picture = np.random.default_rng(1).random((7, 9, 2)).astype(np.float32)
    np.testing.assert_allclose(smoothed(picture, guide_of(7, 9), 0), picture, atol=1e-6)


def test_a_constant_picture_stays_constant_up_to_its_border():
    found = smoothed(np.full((20, 30, 3), 0.7, np.float32), guide_of(20, 30))
    np.testing.assert_allclose(found, 0.7, atol=1e-3)


def test_an_affine_change_of_the_photographs_colors_is_kept():
    guide = guide_of(24, 36)
    turned = guide @ np.float32([[0.6, 0.2, 0.0], [0.1, 0.7, 0.1], [0.0, -0.1, 0.9]]) + np.float32(0.05)
    np.testing.assert_allclose(smoothed(turned, guide), turned, atol=5e-3)


def test_noise_goes_and_the_photographs_edge_stays():
    guide = np.full((30, 40, 3), 0.3, np.float32)
    guide[:, 20:] = 0.7
    picture = np.where(np.arange(40)[None, :, None] < 20, 0.2, 0.9) * np.ones((30, 1, 1))
    noisy = np.float32(picture + np.random.default_rng(2).normal(0, 0.1, picture.shape))
    found = smoothed(noisy, guide)
    assert np.abs(found - picture).std() < 0.2 * np.abs(noisy - picture).std()
    assert found[:, 20:].mean() - found[:, :20].mean() > 0.65


def test_smoothing_is_linear():
    guide, rng = guide_of(12, 14), np.random.default_rng(3)
    one, other = rng.random((2, 12, 14, 1)).astype(np.float32)
    both = smoothed(one + 2 * other, guide, ALPHA)
    np.testing.assert_allclose(both, smoothed(one, guide) + 2 * smoothed(other, guide), atol=5e-3)


def test_sizes_that_do_not_fit_are_refused():
    with pytest.raises(ShapeError, match="must be equal"):
        smoothed(np.zeros((5, 6, 3), np.float32), np.zeros((5, 7, 3), np.float32))
    with pytest.raises(ShapeError, match="3x3"):
        smoothed(np.zeros((2, 6, 3), np.float32), np.zeros((2, 6, 3), np.float32))
