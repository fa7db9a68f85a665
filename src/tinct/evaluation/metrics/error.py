"""How far a colorized photograph is from the true one, pixel by pixel.

All figures are per photograph; a table's figure is the mean over photographs, unless a histogram is summed
first.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tinct.errors import ShapeError
from tinct.evaluation.metrics.picture import Picture, check_pair, to_8bit
from tinct.evaluation.metrics.prior import IMAGENET_PRIOR

Array = NDArray[np.float32]

# Zhang et al. 2016, section 3.1: thresholds 0..150 in steps of one.
LARGEST_AB_ERROR = 150

# Wang et al. 2004, section III.C.
SSIM_WINDOW, SSIM_SIGMA, SSIM_K1, SSIM_K2 = 11, 1.5, 0.01, 0.03


def psnr(result: Picture, truth: Picture) -> float:
    """Peak signal-to-noise ratio on 8-bit sRGB: 10 log10(255^2 / MSE), MSE over all pixels and channels.

    Args:
        result, truth: shape (H, W, 3), uint8, or float 0..1 which is rounded to 8 bits first.
    Returns:
        decibels; infinity if the two are equal. 22.8 dB is typical of a gray photograph against its truth.
    Raises:
        ShapeError: if the two cannot be compared.
    """
    check_pair(result, truth)
    difference = to_8bit(result).astype(np.int16) - to_8bit(truth)
    squared = float(np.square(difference, dtype=np.int32).mean(dtype=np.float64))
    return math.inf if squared == 0 else 10 * math.log10(255**2 / squared)


def ssim(result: Picture, truth: Picture) -> float:
    """Structural similarity (Wang et al. 2004) on 8-bit sRGB: the mean over R, G and B of each channel's map.

    Window Gaussian 11x11 with sigma 1.5, K1 = 0.01, K2 = 0.03, weighted (not sample) covariance, the 5 pixels
    next to the border left out: scikit-image's `structural_similarity` with `gaussian_weights=True,
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
    # Around mid gray and in units of the range: float32 variances keep their digits.
    x: Array = to_8bit(result).astype(np.float32) / np.float32(255) - np.float32(0.5)
    y: Array = to_8bit(truth).astype(np.float32) / np.float32(255) - np.float32(0.5)
    mean_x, mean_y = _window_mean(x), _window_mean(y)
    # Two variances are only ever needed as their sum.
    variances = _window_mean(x * x + y * y) - mean_x * mean_x - mean_y * mean_y
    covariance = _window_mean(x * y) - mean_x * mean_y
    mean_x += 0.5
    mean_y += 0.5
    c1, c2 = SSIM_K1**2, SSIM_K2**2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x * mean_x + mean_y * mean_y + c1)
    structure = (2 * covariance + c2) / (variances + c2)
    return float((luminance * structure).mean(dtype=np.float64))


def _window_mean(plane: Array) -> Array:
    """Weighted mean in each whole window: no pixel outside the picture takes part."""
    import cv2

    margin = SSIM_WINDOW // 2
    blurred = cv2.GaussianBlur(plane, (SSIM_WINDOW, SSIM_WINDOW), SSIM_SIGMA)
    return np.asarray(blurred[margin:-margin, margin:-margin])


def l2_ab(ab: Array, truth_ab: Array) -> float:
    """Root mean square of the Euclidean distance in the ab plane.

    The figure that does not depend on the photograph's size; see `l2_ab_per_pixel` for the one that does.

    Args:
        ab, truth_ab: CIE a*, b*, shape (H, W, 2).
    Returns:
        >= 0, in units of a* and b*.
    Raises:
        ShapeError: if the two cannot be compared.
    """
    check_pair(ab, truth_ab, channels=2)
    return math.sqrt(float(_squared_ab_error(ab, truth_ab).mean(dtype=np.float64)))


def l2_ab_per_pixel(ab: Array, truth_ab: Array) -> float:
    """The Euclidean norm of the whole ab error over the number of pixels: ||ab - truth|| / (H W).

    The column "L2_ab" of the semantic-guides thesis (Nguyen-Quynh et al., IEEE Access 2020) falls with the
    square root of the photographs' pixels (Places365 at 256x256 : COCO : ImageNet : DIV2K as 1 : 1/2 : 1/1.7
    : 1/6), which this figure does and no mean does. Its constant factor is not published: compare orders, not
    numbers.

    Args, Raises: as `l2_ab`.
    """
    return l2_ab(ab, truth_ab) / math.sqrt(ab.shape[0] * ab.shape[1])


def mean_ciede2000(lab: Array, truth_lab: Array) -> float:
    """Mean CIEDE2000 color difference over all pixels (CIE 142-2001).

    Args:
        lab, truth_lab: CIE Lab, shape (H, W, 3), D65.
    Returns:
        >= 0; about 1 is just noticeable side by side.
    Raises:
        ShapeError: if the two cannot be compared.
    """
    from tinct.color.difference import ciede2000

    check_pair(lab, truth_lab)
    return float(ciede2000(lab, truth_lab).mean(dtype=np.float64))


def ab_error_histogram(ab: Array, truth_ab: Array, bin_weights: Array | None = None) -> NDArray[np.float64]:
    """How much weight of pixels has which ab error, in unit steps: a histogram that can be summed.

    Summing the histograms of many photographs before `area_under_curve` pools their pixels, as Zhang et al.
    do.

    Args:
        ab, truth_ab: CIE a*, b*, shape (H, W, 2).
        bin_weights: one weight for each of the 313 bins, by which a pixel counts according to its true color
            (`rare_color_weights`); None counts all alike.
    Returns:
        shape (152,): the weight of errors in [0], (0, 1], (1, 2], ..., (149, 150] and above 150.
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
        histogram: from `ab_error_histogram`, or a sum of such.
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
        rebalanced: weigh pixels inversely to how common their true color is (`rare_color_weights`).
    Raises:
        ShapeError: if the two cannot be compared.
    """
    weights = rare_color_weights() if rebalanced else None
    return area_under_curve(ab_error_histogram(ab, truth_ab, weights))


def rare_color_weights(prior: NDArray[np.float64] = IMAGENET_PRIOR) -> Array:
    """Weights of the 313 bins for the class-rebalanced curve: 1 / p, with a mean of 1 under p.

    Zhang et al. 2016, equation 4 with lambda = 0, as their section 3.1 states for the metric (training uses
    1/2). The rarest bin counts thirty million times the commonest: one photograph's figure says little, take
    many.

    Args:
        prior: how often each bin occurs, shape (313,), > 0.
    """
    from tinct.color.bins import rebalancing_weights

    return rebalancing_weights(prior, lam=0)


def nearest_bin(ab: Array) -> NDArray[np.intp]:
    """Index of the nearest of the 313 bins (`tinct.color.bins.AB_BINS`), exact.

    The bins lie on a grid of step 10, so rounding finds them; only colors whose grid point is no bin are
    searched.

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
