"""Errors of a colorized photograph against the true one, pixel by pixel.

Each function measures one photograph; a table's value is the mean over photographs, unless histograms are summed first.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tinct.color.difference import psnr_of
from tinct.errors import ShapeError
from tinct.evaluation.metrics.prior import IMAGENET_PRIOR
from tinct.evaluation.photographs.rgb import Picture, check_pair, to_8bit

Array = NDArray[np.float32]

LARGEST_AB_ERROR = 150
"""Largest threshold of the cumulative ab-error curve, whose steps are one unit (Zhang et al. 2016, section 3.1)."""

SSIM_WINDOW, SSIM_SIGMA, SSIM_K1, SSIM_K2 = 11, 1.5, 0.01, 0.03
"""Side of the window and standard deviation of its weights, in pixels; K1, K2 (Wang et al. 2004, section III.C)."""


def psnr(result: Picture, truth: Picture) -> float:
    """Peak signal-to-noise ratio on 8-bit sRGB: 10 log10(255^2 / MSE), MSE over all pixels and channels.

    Args:
        result, truth: shape (H, W, 3), uint8, or float 0..1 which is rounded to 8 bits first.
    Returns:
        Decibels; infinity for equal pictures. 22.8 dB is typical of a gray photograph against its truth.
    Raises:
        ShapeError: if the two cannot be compared.
    """
    check_pair(result, truth)
    difference = to_8bit(result).astype(np.int16) - to_8bit(truth)
    return float(psnr_of(np.square(difference, dtype=np.int32).mean(dtype=np.float64)))


def ssim(result: Picture, truth: Picture) -> float:
    """Structural similarity (Wang et al. 2004) on 8-bit sRGB: the mean over R, G and B of each channel's map.

    The window is Gaussian, 11x11, sigma 1.5; K1 = 0.01, K2 = 0.03; the covariance is weighted (not the sample's); the 5
    pixels next to the border are left out: scikit-image's `structural_similarity` with `gaussian_weights=True,
    use_sample_covariance=False, channel_axis=2`.

    Args:
        result, truth: shape (H, W, 3), at least 11x11, uint8, or float 0..1 which is rounded to 8 bits first.
    Returns:
        -1..1, 1 for equal pictures.
    Raises:
        ShapeError: if the two cannot be compared or are smaller than the window.
    """
    check_pair(result, truth)
    if min(result.shape[:2]) < SSIM_WINDOW:
        raise ShapeError(f"the pictures are {result.shape[1]}x{result.shape[0]}; SSIM needs 11x11 or more.")
    # Values around mid gray, in units of the range: variances keep their digits in float32.
    x: Array = to_8bit(result).astype(np.float32) / np.float32(255) - np.float32(0.5)
    y: Array = to_8bit(truth).astype(np.float32) / np.float32(255) - np.float32(0.5)
    mean_x, mean_y = _window_mean(x), _window_mean(y)
    # The formula needs only the sum of the two variances.
    variances = _window_mean(x * x + y * y) - mean_x * mean_x - mean_y * mean_y
    covariance = _window_mean(x * y) - mean_x * mean_y
    mean_x += 0.5
    mean_y += 0.5
    c1, c2 = SSIM_K1**2, SSIM_K2**2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x * mean_x + mean_y * mean_y + c1)
    structure = (2 * covariance + c2) / (variances + c2)
    return float((luminance * structure).mean(dtype=np.float64))


def _window_mean(plane: Array) -> Array:
    """Weighted mean in each window that lies inside the picture."""
    import cv2

    margin = SSIM_WINDOW // 2
    blurred = cv2.GaussianBlur(plane, (SSIM_WINDOW, SSIM_WINDOW), SSIM_SIGMA)
    return np.asarray(blurred[margin:-margin, margin:-margin])


def l2_ab(ab: Array, truth_ab: Array) -> float:
    """Root mean square of the Euclidean distance in the ab plane, independent of the photograph's size.

    Args:
        ab, truth_ab: CIE a*, b*, shape (H, W, 2).
    Returns:
        >= 0, in units of a* and b*.
    Raises:
        ShapeError: if the two cannot be compared.
    """
    check_pair(ab, truth_ab, channels=2)
    return math.sqrt(float(_squared_ab_error(ab, truth_ab).mean(dtype=np.float64)))


def mean_ciede2000(lab: Array, truth_lab: Array) -> float:
    """Mean CIEDE2000 color difference over all pixels (CIE 142-2001).

    Args:
        lab, truth_lab: CIE Lab, shape (H, W, 3), D65.
    Returns:
        >= 0; a difference of about 1 is just noticeable side by side.
    Raises:
        ShapeError: if the two cannot be compared.
    """
    from tinct.color.difference import ciede2000

    check_pair(lab, truth_lab)
    return float(ciede2000(lab, truth_lab).mean(dtype=np.float64))


def ab_error_histogram(ab: Array, truth_ab: Array, bin_weights: Array | None = None) -> NDArray[np.float64]:
    """Histogram of the pixels' ab errors, in unit steps.

    Summing the histograms of several photographs before `area_under_curve` pools their pixels, as Zhang et al. do.

    Args:
        ab, truth_ab: CIE a*, b*, shape (H, W, 2).
        bin_weights: weight of a pixel by the bin of its true color, shape (313,), as `rare_color_weights` gives; None
            weighs all pixels alike.
    Returns:
        Shape (152,): the weight of errors in [0], (0, 1], (1, 2], ..., (149, 150] and above 150.
    Raises:
        ShapeError: if the two cannot be compared.
    """
    check_pair(ab, truth_ab, channels=2)
    distance = np.sqrt(_squared_ab_error(ab, truth_ab))
    step = np.ceil(np.minimum(distance, LARGEST_AB_ERROR + 1)).astype(np.intp).ravel()
    weights = None if bin_weights is None else bin_weights[nearest_bin(truth_ab)].ravel()
    return np.bincount(step, weights, minlength=LARGEST_AB_ERROR + 2).astype(np.float64)


def area_under_curve(histogram: NDArray[np.float64]) -> float:
    """Area under the cumulative ab-error curve, thresholds 0..150 (Zhang et al. 2016, table 1 "AuC").

    Args:
        histogram: from `ab_error_histogram`, or a sum of such histograms.
    Returns:
        0..100 %, by the trapezoidal rule over unit steps; 100 if every pixel is exact.
    Raises:
        ShapeError: if the histogram is of another length or empty.
    """
    total = float(histogram.sum())
    if histogram.shape != (LARGEST_AB_ERROR + 2,) or total <= 0:
        raise ShapeError(
            f"the histogram has shape {histogram.shape} and sum {total}; ab_error_histogram makes one."
        )
    within = np.cumsum(histogram[:-1]) / total
    area = within.sum() - (within[0] + within[-1]) / 2
    return 100 * float(area) / LARGEST_AB_ERROR


def ab_error_auc(ab: Array, truth_ab: Array, *, rebalanced: bool = False) -> float:
    """Area under the cumulative ab-error curve of one photograph, 0..100 %.

    Args:
        ab, truth_ab: CIE a*, b*, shape (H, W, 2).
        rebalanced: weigh each pixel by its true color (`rare_color_weights`).
    Raises:
        ShapeError: if the two cannot be compared.
    """
    weights = rare_color_weights() if rebalanced else None
    return area_under_curve(ab_error_histogram(ab, truth_ab, weights))


def rare_color_weights(prior: NDArray[np.float64] = IMAGENET_PRIOR) -> Array:
    """Weights of the 313 bins for the class-rebalanced curve: 1 / p, with a mean of 1 under p.

    Source: Zhang et al. 2016, equation 4 with lambda = 0, as section 3.1 of the paper states for the metric (training
    uses 1/2). The rarest bin weighs thirty million times the commonest: the value of one photograph says little.

    Args:
        prior: p, probability of each bin, shape (313,), > 0.
    """
    from tinct.color.bins import rebalancing_weights

    return rebalancing_weights(prior, lam=0)


def nearest_bin(ab: Array) -> NDArray[np.intp]:
    """Index of the nearest of the 313 bins (`tinct.color.bins.AB_BINS`), exact.

    The bins lie on a grid of step 10: rounding finds the nearest grid point, and only colors whose grid point is no
    bin are compared with all bins.

    Args:
        ab: CIE a*, b*, shape (..., 2).
    """
    from tinct.color.bins import AB_BINS

    table = np.full((27, 27), -1, np.intp)
    corner = np.rint(AB_BINS / 10).astype(int) + 13
    table[corner[:, 0], corner[:, 1]] = np.arange(len(AB_BINS))
    cell = np.clip(np.rint(ab / 10).astype(np.intp) + 13, 0, 26)
    index = table[cell[..., 0], cell[..., 1]]
    outside = index < 0
    if outside.any():
        difference = ab[outside][:, None] - AB_BINS
        index[outside] = np.square(difference).sum(-1).argmin(-1)
    return index


def _squared_ab_error(ab: Array, truth_ab: Array) -> Array:
    difference = ab - truth_ab
    return np.asarray(difference[..., 0] ** 2 + difference[..., 1] ** 2)
