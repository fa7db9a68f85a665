"""A space in which textures of different segments lie apart, learned from the segments of references.

Source: Ironi, Cohen-Or, Lischinski, "Colorization by example", Eurographics Symposium on Rendering 2005, section 3: the
feature of a pixel is the discrete cosine transform (DCT) of its neighborhood; a projection is learned by which pixels
of one segment lie close and pixels of different segments far apart.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from tinct.methods.classical.texture import row_blocks

Array = NDArray[np.float32]
Index = NDArray[np.intp]
Double = NDArray[np.float64]

SIDE = 16
"""Side of the neighborhood in pixels."""

MOST_SEGMENTS = 5
"""Upper bound of the number of segments that are found in a reference without a label map."""

SAME_SEGMENT = 12.0
"""Distance in units of a*, b* below which two segments' mean colors are one."""

SMOOTHED = 5
"""Side in pixels of the window whose median colors are segmented: specks go, and no color arises between two areas."""

PAIRS = 4000
"""Number of pairs of pixels within segments, and as many across them, from which the projection is learned."""

LEAST_VARIANCE = 1e-3
"""Share of the largest variance within segments below which a direction is noise; it is raised to this."""

DIMENSIONS = 10
"""Number of dimensions of the learned space."""


def segments(lightness: Array, ab: Array, seed: int) -> Index:
    """Segment a reference without supervision: k-means of median-filtered color, then near colors merged.

    Args:
        lightness: CIE L*, shape (H, W); of no weight, since segments are to differ in what they lend: color.
        ab: CIE a*, b*, shape (H, W, 2).
        seed: of k-means' first centers.
    Returns:
        Number of each pixel's segment, 0 .. at most `MOST_SEGMENTS` - 1, shape (H, W).
    """
    import cv2

    planes = [cv2.medianBlur(np.ascontiguousarray(ab[..., k], np.float32), SMOOTHED) for k in (0, 1)]
    points = np.stack(planes, axis=-1).reshape(-1, 2)
    count = min(MOST_SEGMENTS, len(points))
    cv2.setRNGSeed(seed & 0x7FFFFFFF)
    rule = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 0.1)
    _, label, centers = cv2.kmeans(points, count, np.empty(0), rule, 1, cv2.KMEANS_PP_CENTERS)
    merged = _merged(np.asarray(centers, np.float32), np.bincount(label.ravel(), minlength=count))
    _, numbers = np.unique(merged[label.ravel()], return_inverse=True)
    return np.asarray(numbers.reshape(lightness.shape), np.intp)


def _merged(centers: Array, sizes: Index) -> Index:
    """For each center the number of the one that stands for it: the largest that is near."""
    order = np.argsort(-sizes, kind="stable")
    stands_for = np.arange(len(centers))
    leaders: list[int] = []
    for k in order:
        near = [j for j in leaders if np.linalg.norm(centers[k] - centers[j]) < SAME_SEGMENT]
        stands_for[k] = near[0] if near else k
        leaders += [] if near else [int(k)]
    return stands_for


def coefficients(lightness: Array, y: Index, x: Index) -> Array:
    """Magnitudes of the DCT of the neighborhoods of some pixels, shape (N, 256); magnitudes of all but the mean.

    The paper names the coefficients. Their signs are those of a texture's phase, of which nothing is to depend.
    """
    return _transformed(_neighborhoods(lightness)[y, x])


def project(lightness: Array, projection: Array) -> Array:
    """The place of every pixel in the learned space, shape (H, W, D).

    Args:
        lightness: CIE L*, shape (H, W).
        projection: from `learned_projection`, shape (256, D).
    """
    height, width = lightness.shape
    windows = _neighborhoods(lightness)
    found = np.empty((height, width, projection.shape[1]), np.float32)
    for top, bottom in row_blocks((height, width)):
        block = windows[top:bottom].reshape(-1, SIDE, SIDE)
        found[top:bottom] = (_transformed(block) @ projection).reshape(bottom - top, width, -1)
    return found


def learned_projection(features: Array, label: Index, random: np.random.Generator) -> Array:
    """Learn where textures differ: principal components of differences within segments, then across them.

    Differences of pairs within segments give directions and their variance, by which features are whitened; of the
    differences of pairs across segments the largest components are kept then. This is linear discriminant analysis on
    differences.

    Args:
        features: of sampled pixels, shape (N, K).
        label: their segments, shape (N,).
        random: draws the pairs.
    Returns:
        Shape (K, D), D at most `DIMENSIONS`; distances in the space are in deviations within segments.
    """
    one, other = random.integers(len(label), size=(2, 4 * PAIRS))
    same = label[one] == label[other]
    differences = (features[one] - features[other]).astype(np.float64)
    inner, outer = differences[same][:PAIRS], differences[~same][:PAIRS]
    variance, directions = np.linalg.eigh(_scatter(inner))
    floor = max(variance.max() * LEAST_VARIANCE, 1e-9)
    whitening = directions / np.sqrt(np.maximum(variance, floor))
    apart, axes = np.linalg.eigh(_scatter((outer if len(outer) else inner) @ whitening))
    kept = axes[:, np.argsort(-apart, kind="stable")[:DIMENSIONS]]
    return np.asarray(whitening @ kept, np.float32)


def _scatter(differences: Double) -> Double:
    """Mean of the differences' outer products, shape (K, K); 0 if there are none."""
    return np.asarray(differences.T @ differences / max(len(differences), 1))


def _neighborhoods(lightness: Array) -> Array:
    """The neighborhood of every pixel, continued by reflection: a view, shape (H, W, SIDE, SIDE)."""
    before = SIDE // 2
    padded = np.pad(np.asarray(lightness, np.float32), (before, SIDE - 1 - before), mode="symmetric")
    return np.lib.stride_tricks.sliding_window_view(padded, (SIDE, SIDE))


def _transformed(blocks: Array) -> Array:
    """Magnitudes of the two-dimensional DCT-II of blocks (N, SIDE, SIDE): (N, SIDE²), orthonormal."""
    basis = _cosines()
    whole = np.einsum("nyx,uy,vx->nuv", blocks, basis, basis, optimize=True).reshape(len(blocks), -1)
    whole[:, 1:] = np.abs(whole[:, 1:])
    return np.asarray(whole, np.float32)


@cache
def _cosines() -> Array:
    """Rows of the orthonormal DCT-II."""
    from scipy.fft import dct

    return np.asarray(dct(np.eye(SIDE), axis=0, norm="ortho"), np.float32)
