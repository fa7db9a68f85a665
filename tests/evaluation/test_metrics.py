"""Laws of the metrics that need no network, with scikit-image, brute force and closed forms as oracles."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from tinct.errors import ShapeError
from tinct.evaluation.metrics.colorfulness import colorfulness, colorfulness_difference
from tinct.evaluation.metrics.error import (
    LARGEST_AB_ERROR,
    ab_error_auc,
    ab_error_histogram,
    area_under_curve,
    l2_ab,
    mean_ciede2000,
    nearest_bin,
    psnr,
    rare_color_weights,
    ssim,
)
from tinct.evaluation.metrics.prior import IMAGENET_PRIOR

Array = NDArray[np.float32]


@pytest.fixture(scope="module")
def photograph() -> NDArray[np.uint8]:
    return np.ascontiguousarray(data.astronaut()[100:228, 150:310])


@pytest.fixture(scope="module")
def other(photograph: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same with its colors pulled toward gray and some noise."""
    gray = photograph.mean(2, keepdims=True)
    noise = np.random.default_rng(1).normal(0, 6, photograph.shape)
    return np.clip(gray + 0.4 * (photograph - gray) + noise, 0, 255).astype(np.uint8)


def random_ab(seed: int, shape: tuple[int, int] = (40, 50), spread: float = 30.0) -> Array:
    return np.random.default_rng(seed).normal(0, spread, (*shape, 2)).astype(np.float32)


def test_psnr_is_that_of_scikit_image(photograph: NDArray[np.uint8], other: NDArray[np.uint8]) -> None:
    assert psnr(other, photograph) == pytest.approx(peak_signal_noise_ratio(photograph, other), abs=1e-9)


def test_psnr_of_one_step_everywhere_is_20_log_255() -> None:
    picture = np.full((4, 5, 3), 100, np.uint8)
    assert psnr(picture + np.uint8(1), picture) == pytest.approx(20 * math.log10(255))


def test_psnr_of_black_against_white_is_zero_and_of_equals_infinite() -> None:
    black, white = np.zeros((3, 3, 3), np.uint8), np.full((3, 3, 3), 255, np.uint8)
    assert psnr(black, white) == 0
    assert psnr(white, white) == math.inf


def test_floats_are_measured_as_the_8_bits_they_become(
    photograph: NDArray[np.uint8], other: NDArray[np.uint8]
) -> None:
    as_float, jitter = other.astype(np.float32) / 255, np.float32(0.4 / 255)
    for metric in (psnr, ssim):
        assert metric(as_float + jitter, photograph) == metric(other, photograph)
    assert colorfulness(as_float - jitter) == colorfulness(other)


def test_ssim_is_that_of_scikit_image(photograph: NDArray[np.uint8], other: NDArray[np.uint8]) -> None:
    oracle = structural_similarity(
        photograph, other, channel_axis=2, gaussian_weights=True, use_sample_covariance=False, data_range=255
    )
    assert ssim(other, photograph) == pytest.approx(oracle, abs=2e-6)


def test_ssim_keeps_its_digits_on_nearly_flat_pictures() -> None:
    flat = np.full((32, 32, 3), 250, np.uint8)
    flat[::7, ::5] = 251
    shifted = np.roll(flat, 2, axis=0)
    oracle = structural_similarity(
        flat, shifted, channel_axis=2, gaussian_weights=True, use_sample_covariance=False, data_range=255
    )
    assert ssim(flat, shifted) == pytest.approx(oracle, abs=1e-5)


def test_ssim_of_equals_is_one_and_the_order_is_free(
    photograph: NDArray[np.uint8], other: NDArray[np.uint8]
) -> None:
    assert ssim(photograph, photograph) == pytest.approx(1, abs=1e-6)
    assert ssim(photograph, other) == pytest.approx(ssim(other, photograph), abs=1e-9)


def test_l2_ab_of_a_shift_is_its_length() -> None:
    ab = random_ab(0)
    assert l2_ab(ab + np.float32([3, -4]), ab) == pytest.approx(5, abs=1e-4)


def test_mean_ciede2000_is_that_of_scikit_image(
    photograph: NDArray[np.uint8], other: NDArray[np.uint8]
) -> None:
    from skimage.color import deltaE_ciede2000, rgb2lab

    first, second = (rgb2lab(picture).astype(np.float32) for picture in (other, photograph))
    oracle = deltaE_ciede2000(first, second).mean()
    assert mean_ciede2000(first, second) == pytest.approx(oracle, rel=1e-4)


def brute_force_auc(ab: Array, truth: Array, weights: NDArray[np.float64]) -> float:
    distance = np.linalg.norm(ab.astype(float) - truth, axis=-1)
    curve = [(weights * (distance <= threshold)).sum() / weights.sum() for threshold in range(151)]
    return float(100 * sum((a + b) / 2 for a, b in itertools.pairwise(curve)) / 150)


def test_auc_is_the_area_that_thresholds_one_by_one_give() -> None:
    ab, truth = random_ab(2, spread=50), random_ab(3, spread=50)
    assert ab_error_auc(ab, truth) == pytest.approx(brute_force_auc(ab, truth, np.ones((40, 50))))


def test_rebalanced_auc_weighs_by_the_inverse_prior_of_the_true_color() -> None:
    from tinct.color.bins import AB_BINS

    ab, truth = random_ab(4, spread=25), random_ab(5, spread=25)
    nearest = np.linalg.norm(truth[:, :, None] - AB_BINS, axis=-1).argmin(-1)
    oracle = brute_force_auc(ab, truth, 1 / IMAGENET_PRIOR[nearest])
    assert ab_error_auc(ab, truth, rebalanced=True) == pytest.approx(oracle, abs=1e-3)


@pytest.mark.parametrize("rebalanced", [False, True])
def test_auc_of_truth_is_all_and_of_nothing_near_is_nothing(rebalanced: bool) -> None:
    truth = random_ab(6, spread=20)
    assert ab_error_auc(truth, truth, rebalanced=rebalanced) == pytest.approx(100)
    assert ab_error_auc(truth + 300, truth, rebalanced=rebalanced) == 0


def test_auc_falls_by_a_unit_step_for_each_unit_of_error() -> None:
    truth = np.zeros((2, 2, 2), np.float32)
    for error in (1, 40, 150):
        expected = 100 * (LARGEST_AB_ERROR - error + 0.5) / LARGEST_AB_ERROR
        assert ab_error_auc(truth + np.float32([error, 0]), truth) == pytest.approx(expected)


def test_summed_histograms_pool_the_pixels() -> None:
    pairs = [(random_ab(i), random_ab(i + 10)) for i in range(3)]
    weights = rare_color_weights()
    pooled = sum(ab_error_histogram(ab, truth, weights) for ab, truth in pairs)
    stacked = [np.concatenate([pair[i] for pair in pairs]) for i in range(2)]
    assert area_under_curve(pooled) == pytest.approx(ab_error_auc(*stacked, rebalanced=True))


def test_rare_color_weights_have_mean_one_over_common_photographs() -> None:
    weights = rare_color_weights()
    assert (IMAGENET_PRIOR * weights).sum() == pytest.approx(1, rel=1e-5)
    assert np.allclose(weights * IMAGENET_PRIOR, weights[0] * IMAGENET_PRIOR[0], rtol=1e-5)


def test_nearest_bin_is_the_one_that_brute_force_finds() -> None:
    from tinct.color.bins import AB_BINS

    ab = np.random.default_rng(7).uniform(-128, 128, (3000, 2)).astype(np.float32)
    distance = np.linalg.norm(ab[:, None] - AB_BINS, axis=-1)
    found = distance[np.arange(len(ab)), nearest_bin(ab)]
    assert np.allclose(found, distance.min(1), atol=1e-4)


@pytest.mark.shared
def test_prior_is_the_published_one(shared) -> None:
    published = np.load(shared / "weights" / "ab_bins_313_prior.npy")
    assert np.allclose(IMAGENET_PRIOR, published, rtol=5e-4)


def test_colorfulness_is_the_formula_of_hasler_and_suesstrunk(photograph: NDArray[np.uint8]) -> None:
    red, green, blue = (photograph[..., i].astype(float) for i in range(3))
    rg, yb = red - green, (red + green) / 2 - blue
    oracle = np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean())
    assert colorfulness(photograph) == pytest.approx(oracle, rel=1e-5)


def test_gray_has_no_colorfulness() -> None:
    gray = np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16, 1), 3, axis=2)
    assert colorfulness(gray) == 0


def test_colorfulness_difference_is_negative_for_the_duller(
    photograph: NDArray[np.uint8], other: NDArray[np.uint8]
) -> None:
    assert colorfulness_difference(other, photograph) < 0
    forth = colorfulness_difference(photograph, other)
    assert forth == -colorfulness_difference(other, photograph)


@pytest.mark.parametrize("metric", [psnr, ssim])
def test_sizes_that_differ_are_refused_in_one_line(metric) -> None:
    with pytest.raises(ShapeError, match=r"20x30 but the truth is 30x20; resize"):
        metric(np.zeros((30, 20, 3), np.uint8), np.zeros((20, 30, 3), np.uint8))


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((20, 20), np.uint8),
        np.zeros((20, 20, 4), np.uint8),
        np.zeros((0, 20, 3), np.uint8),
        np.zeros((20, 20, 3), np.int64),
        np.full((20, 20, 3), np.nan, np.float32),
    ],
    ids=["plane", "alpha", "empty", "integers", "nan"],
)
def test_what_is_no_picture_is_refused(picture: NDArray[np.generic]) -> None:
    for measure in (psnr, ssim):
        with pytest.raises(ShapeError):
            measure(picture, picture)
    with pytest.raises(ShapeError):
        colorfulness(picture)


def test_ssim_refuses_what_is_smaller_than_its_window() -> None:
    with pytest.raises(ShapeError, match="11x11"):
        ssim(np.zeros((10, 40, 3), np.uint8), np.zeros((10, 40, 3), np.uint8))


def test_an_empty_histogram_has_no_curve() -> None:
    with pytest.raises(ShapeError):
        area_under_curve(np.zeros(LARGEST_AB_ERROR + 2))
