"""Descriptors of the neighborhood of each pixel of a gray photograph, for methods that match by texture.

All take lightness, shape (H, W), float32, and continue it by reflection over the edges. Descriptors with many channels
come in blocks of rows, so that a photograph of megapixels never stands in memory a hundred times.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Index = NDArray[np.intp]

GABOR_ORIENTATIONS = 8
"""Number of orientations of the Gabor filters."""

GABOR_SCALES = 5
"""Number of scales of the Gabor filters."""

GABOR_WAVELENGTH = 4.0
"""Shortest wavelength in pixels; each scale doubles it (octave spacing, as Manjunath and Ma 1996)."""
SIFT_CELLS = 4
"""Number of cells along a side of a SIFT descriptor."""

SIFT_ORIENTATIONS = 8
"""Number of gradient orientations of a SIFT cell."""

SIFT_NOISE = 1.0
"""Gradient mass, in L* a pixel, that a descriptor is normalized against: below it there is only noise to describe."""
BLOCK_PIXELS = 1 << 13
"""Pixels of a block of rows; at 128 channels a block is 4 MiB, which fits in the processor's cache."""


def gabor_energy(lightness: Array) -> Iterator[Array]:
    """Magnitudes of complex Gabor filters, 8 orientations at each of 5 scales an octave apart.

    Each coarser scale runs the same small kernels on a photograph of half the size, so that all five cost
    little more than the finest.

    Source: Manjunath, Ma, "Texture features for browsing and retrieval of image data", PAMI 18(8), 1996.

    Yields:
        40 planes, shape (H, W), in L*: a sinusoid of amplitude A at a filter's frequency answers about A / 2.
    """
    import cv2

    height, width = lightness.shape
    kernels = _gabor_kernels()
    level = np.ascontiguousarray(lightness, np.float32)
    for _ in range(GABOR_SCALES):
        for real, imaginary in kernels:
            even = cv2.filter2D(level, cv2.CV_32F, real, borderType=cv2.BORDER_REFLECT)
            odd = cv2.filter2D(level, cv2.CV_32F, imaginary, borderType=cv2.BORDER_REFLECT)
            yield _resize(np.hypot(even, odd), height, width)
        level = _half(level)


def sift_rows(lightness: Array, cell: int) -> Iterator[tuple[int, int, Array]]:
    """Upright SIFT descriptors around every pixel: 4 × 4 cells of 8 gradient orientations.

    Source: Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 60(2), 2004, section 6,
    with the square root of Arandjelović, Zisserman, "Three things everyone should know", CVPR 2012, in place
    of clipping: Euclidean distances are then Hellinger distances of the histograms.

    Args:
        lightness: CIE L*, shape (H, W).
        cell: side of one of the 16 cells, in pixels.
    Yields:
        Top row, bottom row (exclusive) and their descriptors, shape (rows, W, 128), of norm at most 1; 0
        where flat.
    """
    maps, corners = _sift_cells(lightness, cell)
    width = lightness.shape[1]
    for top, bottom in row_blocks(lightness.shape):
        yield (
            top,
            bottom,
            _sift([maps[top + y : bottom + y, x : x + width] for y in corners for x in corners]),
        )


def sift_at(lightness: Array, rows: Index, columns: Index, *, cell: int) -> Array:
    """The descriptors of `sift_rows` around some pixels only, shape (N, 128)."""
    maps, corners = _sift_cells(lightness, cell)
    return _sift([maps[rows + y, columns + x] for y in corners for x in corners])


def fourier_rows(lightness: Array, size: int) -> Iterator[tuple[int, int, Array]]:
    """Magnitudes of the discrete Fourier transform of the patch around every pixel.

    Args:
        lightness: CIE L*, shape (H, W).
        size: side of the patch, odd.
    Yields:
        Top row, bottom row (exclusive) and the (size² + 1) / 2 magnitudes that differ (the others are their
        mirror images), shape (rows, W, D), in L*: divided by size, so that patches keep their Euclidean
        distances' scale.
    """
    windows = _windows(lightness, size)
    for top, bottom in row_blocks(lightness.shape):
        magnitude = _magnitudes(windows[top:bottom].reshape(-1, size * size), size)
        yield top, bottom, magnitude.reshape(bottom - top, -1, magnitude.shape[1])


def fourier_at(lightness: Array, rows: Index, columns: Index, *, size: int) -> Array:
    """The magnitudes of `fourier_rows` around some pixels only, shape (N, D)."""
    return _magnitudes(_windows(lightness, size)[rows, columns].reshape(-1, size * size), size)


def local_statistics(lightness: Array, size: int) -> tuple[Array, Array]:
    """Mean and standard deviation of the size × size window around every pixel, shape (H, W) each, in L*."""
    import cv2

    # Centered first: the variance of bright, flat windows would drown in the rounding of their squares.
    centered = lightness - np.float32(lightness.mean())
    mean = cv2.blur(centered, (size, size), borderType=cv2.BORDER_REFLECT)
    square = cv2.sqrBoxFilter(centered, cv2.CV_32F, (size, size), borderType=cv2.BORDER_REFLECT)
    deviation = np.sqrt(np.maximum(square - mean * mean, 0))
    return mean + np.float32(lightness.mean()), deviation


def remap_lightness(reference: Array, target: Array) -> Array:
    """Shift and scale a reference's lightness to the target's mean and deviation, by a factor of at most 2.

    Source: Hertzmann, Jacobs, Oliver, Curless, Salesin, "Image analogies", SIGGRAPH 2001, section 3.4.
    """
    scale = np.clip((target.std() + 1) / (reference.std() + 1), 0.5, 2)
    remapped = (reference - reference.mean()) * scale + target.mean()
    return np.asarray(remapped, np.float32)


def square_distances(a: Array, b: Array) -> Array:
    """Squared Euclidean distances between rows, shape (len(a), len(b))."""
    center = b.mean(axis=0)
    a, b = a - center, b - center
    squares = a @ (-2 * b.T)
    squares += np.square(a).sum(axis=1)[:, None]
    squares += np.square(b).sum(axis=1)
    return np.maximum(squares, 0, out=squares)


def mean_square_distance(a: Array, b: Array, floor: float) -> np.float32:
    """The mean of all squared distances between rows of a and b, computed from moments; at least floor²."""
    apart = np.square(a.mean(axis=0) - b.mean(axis=0)).sum()
    return np.float32(max(float(a.var(axis=0).sum() + b.var(axis=0).sum() + apart), floor**2))


def row_blocks(shape: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """Cut rows into blocks of about BLOCK_PIXELS: (top, bottom), bottom exclusive."""
    height, width = shape[:2]
    rows = max(1, BLOCK_PIXELS // width)
    for top in range(0, height, rows):
        yield top, min(top + rows, height)


def _gabor_kernels() -> list[tuple[Array, Array]]:
    """Even and odd kernels of the finest scale; without a mean, so that flat regions answer 0."""
    sigma = 0.56 * GABOR_WAVELENGTH  # a bandwidth of one octave
    reach = int(np.ceil(3 * sigma))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float64)
    window = np.exp(-(x * x + y * y) / (2 * sigma * sigma))
    window /= window.sum()
    kernels = []
    for angle in np.arange(GABOR_ORIENTATIONS) * np.pi / GABOR_ORIENTATIONS:
        phase = 2 * np.pi / GABOR_WAVELENGTH * (x * np.cos(angle) + y * np.sin(angle))
        even = window * np.cos(phase)
        even -= window * even.sum()
        kernels.append((even.astype(np.float32), (window * np.sin(phase)).astype(np.float32)))
    return kernels


def _half(level: Array) -> Array:
    import cv2

    height, width = ((side + 1) // 2 for side in level.shape)
    return np.asarray(cv2.resize(level, (width, height), interpolation=cv2.INTER_AREA), np.float32)


def _resize(plane: Array, height: int, width: int) -> Array:
    import cv2

    if plane.shape == (height, width):
        return plane
    return np.asarray(cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _orientation_maps(lightness: Array, cell: int) -> Array:
    """Gradient magnitude shared among the two nearest of 8 orientations, gathered over a cell; (H, W, 8)."""
    import cv2

    # One axis may be a single pixel long, where there is no gradient.
    dy, dx = (np.gradient(lightness, axis=k) if lightness.shape[k] > 1 else lightness * 0 for k in (0, 1))
    turn = np.arctan2(dy, dx) * (SIFT_ORIENTATIONS / (2 * np.pi))
    magnitude = np.hypot(dy, dx)
    maps = np.empty((*lightness.shape, SIFT_ORIENTATIONS), np.float32)
    for k in range(SIFT_ORIENTATIONS):
        away = np.abs((turn - k + SIFT_ORIENTATIONS / 2) % SIFT_ORIENTATIONS - SIFT_ORIENTATIONS / 2)
        share = (magnitude * np.maximum(1 - away, 0)).astype(np.float32)
        maps[..., k] = cv2.GaussianBlur(share, (0, 0), cell / 2, borderType=cv2.BORDER_REFLECT)
    return maps


def _sift_cells(lightness: Array, cell: int) -> tuple[Array, list[int]]:
    """Orientation maps, padded, and how far the 4 rows (and columns) of cells lie from a pixel in them."""
    reach = (SIFT_CELLS * cell) // 2 + 1
    around = ((reach, reach), (reach, reach), (0, 0))
    maps = np.pad(_orientation_maps(lightness, cell), around, mode="symmetric")
    return maps, [(2 * k - SIFT_CELLS + 1) * cell // 2 + reach for k in range(SIFT_CELLS)]


def _sift(cells: list[Array]) -> Array:
    histogram = np.concatenate(cells, axis=-1)
    histogram /= histogram.sum(axis=-1, keepdims=True) + np.float32(SIFT_NOISE * SIFT_CELLS**2)
    return np.sqrt(histogram, out=histogram)


def _windows(lightness: Array, size: int) -> Array:
    padded = np.pad(lightness, size // 2, mode="symmetric")
    return np.lib.stride_tricks.sliding_window_view(padded, (size, size))


def _magnitudes(patches: Array, size: int) -> Array:
    parts = patches @ _fourier_basis(size)
    # Not np.hypot, whose care for overflow costs more than the transform.
    np.square(parts, out=parts)
    count = parts.shape[1] // 2
    magnitude = parts[:, :count] + parts[:, count:]
    return np.asarray(np.sqrt(magnitude, out=magnitude))


@cache
def _fourier_basis(size: int) -> Array:
    """Cosines and then sines, (size², 2 D), of one frequency out of each pair of mirror images."""
    frequencies = [(u, v) for u in range(size) for v in range(size) if (u, v) <= (-u % size, -v % size)]
    y, x = (axis.ravel() for axis in np.mgrid[0:size, 0:size])
    phase = np.stack([2 * np.pi / size * (u * y + v * x) for u, v in frequencies], axis=1)
    return (np.concatenate([np.cos(phase), np.sin(phase)], axis=1) / size).astype(np.float32)
