"""Welsh's method: colors taken from the place of a reference that is most alike in lightness and local contrast."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tinct.errors import MethodError, shown
from tinct.hints import HintField, Swatch
from tinct.methods.classical.card import WELSH
from tinct.methods.classical.color_statistics import counted_references
from tinct.methods.classical.texture import local_statistics, remap_lightness, row_blocks, square_distances
from tinct.methods.method import Method, Prediction, Reference

Array = NDArray[np.float32]
Box = tuple[slice, slice]

WINDOW = 5
"""Side of the window in pixels whose deviation of lightness is compared (5 in the paper)."""
DEVIATION_SHARE = 0.5
"""Weight of the deviation beside lightness (equal in the paper)."""
SAMPLES = 200
"""Number of samples of a reference on a jittered grid (about 200 in the paper)."""
SWATCH_SAMPLES = 50
"""Number of samples of a swatch (about 50 in the paper)."""
TEXTURE_SAMPLES = 200
"""Number of colored pixels of each swatch that the rest of the photograph is compared with."""
MOST_CONFIDENCE = 0.5
"""Upper bound of the confidence of a match."""
UNSURE_DISTANCE = 8.0
"""Distance (L* and its deviation, weighted) at which confidence is 1/e of its bound."""
RIVALS = 8
"""Number of samples nearest in lightness whose chroma is compared to judge a match."""
UNSURE_CHROMA = 12.0
"""Deviation of the rivals' chroma at which confidence is halved."""


class Welsh(Method):
    """Welsh's method: each pixel takes the color of the sample that is closest in lightness and local contrast.

    Source: Welsh, Ashikhmin, Mueller, "Transferring color to greyscale images", ACM Transactions on Graphics 21(3),
    2002: section 3.1 for the global procedure, section 3.2 for swatches.
    """

    name = "welsh"
    summary = "takes each color from where the reference is as bright and as textured"
    source = WELSH.paper
    needs_reference = True
    uses_swatches = True
    working_size = 384

    def predict(
        self, lightness: Array, hints: HintField, references: Sequence[Reference], *, seed: int = 0
    ) -> Prediction:
        """Match every pixel to samples of the references, or to swatches where the user paired some.

        Args:
            lightness: CIE L*, shape (H, W), 0..100.
            hints: only swatches are used: each target box takes colors from its own reference box, and the rest of the
                photograph takes colors from the target box with the most similar texture. `Colorizer` spreads points
                and strokes over the prediction.
            references: at least one; a reference's weight is its share of the samples.
            seed: of the samples' places within the cells of their grid.
        Returns:
            Chroma that occurs in the references, and confidence from the distances of the matches.
        Raises:
            MethodError: if there is no reference of a weight above 0, or a swatch names a reference that is not given.
        """
        counted_references(self.name, references)
        lightness = np.ascontiguousarray(lightness, np.float32)
        random = np.random.default_rng(seed)
        if hints.swatches:
            return _color_from_swatches(lightness, hints.swatches, references, random)
        samples = [_sample(reference, lightness, random) for reference in references if reference.weight > 0]
        features, ab = (np.concatenate(part) for part in zip(*samples, strict=True))
        target = _features(lightness)
        nearest, distance = match(target, features)
        sure = _confidence(distance) / (1 + (_ambiguity(features, ab)[nearest] / UNSURE_CHROMA) ** 2)
        return Prediction(ab[nearest], sure)


def match(target: Array, samples: Array) -> tuple[NDArray[np.intp], Array]:
    """The nearest sample of every pixel, through a k-d tree.

    Args:
        target: features, shape (..., K).
        samples: features of the samples, shape (S, K), at least one.
    Returns:
        Indices of the nearest samples and the Euclidean distances to them, shape (...).
    """
    from scipy.spatial import cKDTree

    distance, nearest = cKDTree(samples).query(target.reshape(-1, target.shape[-1]))
    return nearest.reshape(target.shape[:-1]), distance.astype(np.float32).reshape(target.shape[:-1])


def jittered_grid(
    shape: tuple[int, ...], count: int, random: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """About `count` places, one at random in each cell of a grid of nearly square cells, as row and column indices."""
    height, width = shape
    rows = int(np.clip(round(np.sqrt(count * height / width)), 1, min(height, count)))
    columns = int(np.clip(round(count / rows), 1, width))
    top, left = np.arange(rows + 1) * height // rows, np.arange(columns + 1) * width // columns
    y = top[:-1, None] + random.random((rows, columns)) * np.diff(top)[:, None]
    x = left[:-1] + random.random((rows, columns)) * np.diff(left)
    return y.astype(np.intp).ravel(), x.astype(np.intp).ravel()


def _features(lightness: Array) -> Array:
    """Lightness and its deviation in the window, each times the root of its share: shape (H, W, 2)."""
    _, deviation = local_statistics(lightness, WINDOW)
    return np.dstack(
        [
            lightness * np.float32(np.sqrt(1 - DEVIATION_SHARE)),
            deviation * np.float32(np.sqrt(DEVIATION_SHARE)),
        ]
    )


def _sample(reference: Reference, target: Array, random: np.random.Generator) -> tuple[Array, Array]:
    """Features and chroma of a reference's samples, its lightness remapped to the target's."""
    features = _features(remap_lightness(reference.lightness, target))
    place = jittered_grid(reference.lightness.shape, max(1, round(SAMPLES * reference.weight)), random)
    return features[place], reference.ab[place]


def _ambiguity(features: Array, ab: Array) -> Array:
    """Deviation of chroma among the samples that look most like each sample: shape (S,)."""
    from scipy.spatial import cKDTree

    rivals = np.arange(1, min(RIVALS, len(features)) + 1)
    _, nearest = cKDTree(features).query(features, rivals)
    return np.asarray(np.sqrt(ab[nearest].var(axis=1).sum(axis=-1)), np.float32)


def _confidence(distance: Array) -> Array:
    return np.asarray(MOST_CONFIDENCE * np.exp(-distance / UNSURE_DISTANCE), np.float32)


def _color_from_swatches(
    lightness: Array, swatches: Sequence[Swatch], references: Sequence[Reference], random: np.random.Generator
) -> Prediction:
    """Color the target boxes from their reference boxes, then the rest from the boxes (section 3.2)."""
    patches = _patches(lightness)
    ab, distance = np.zeros((*lightness.shape, 2), np.float32), np.zeros(lightness.shape, np.float32)
    colored = np.zeros(lightness.shape, bool)
    for swatch in swatches:
        box = _slices(swatch.target_box, lightness.shape)
        ab[box], distance[box] = _color_box(lightness, box, swatch, references, random)
        colored[box] = True
    chosen = [_sample_box(_slices(s.target_box, lightness.shape), TEXTURE_SAMPLES, random) for s in swatches]
    y, x = (np.concatenate(axis) for axis in zip(*chosen, strict=True))
    for top, bottom in row_blocks(lightness.shape):
        nearest, apart = _nearest_patch(patches[top:bottom], patches[y, x])
        rest = ~colored[top:bottom]
        ab[top:bottom][rest] = ab[y, x][nearest][rest]
        distance[top:bottom][rest] = apart[rest]
    return Prediction(ab, _confidence(distance))


def _color_box(
    lightness: Array, box: Box, swatch: Swatch, references: Sequence[Reference], random: np.random.Generator
) -> tuple[Array, Array]:
    """Chroma and match distance in one target box; lightness is remapped between the two boxes alone."""
    if not 0 <= swatch.reference < len(references):
        raise MethodError(
            f"a swatch names reference {shown(swatch.reference)}, but {len(references)} were given; "
            "references count from 0."
        )
    reference = references[swatch.reference]
    source = _slices(swatch.reference_box, reference.lightness.shape)
    # Both deviations are those in the whole photographs: a window may look over the rim of its box.
    target_features, features = _features(lightness)[box], _features(reference.lightness)[source]
    features = _remap_features(features, target_features)
    place = jittered_grid(features.shape[:2], SWATCH_SAMPLES, random)
    nearest, distance = match(target_features, features[place])
    return reference.ab[source][place][nearest], distance


def _remap_features(features: Array, target: Array) -> Array:
    """Lightness remapped as `remap_lightness` does, the deviation scaled by the same factor."""
    remapped = features.copy()
    remapped[..., 0] = remap_lightness(features[..., 0], target[..., 0])
    spread = features[..., 0].std()
    if spread > 0:
        remapped[..., 1] *= remapped[..., 0].std() / spread
    return remapped


def _sample_box(
    box: Box, count: int, random: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    rows, columns = box
    y, x = jittered_grid((rows.stop - rows.start, columns.stop - columns.start), count, random)
    return y + rows.start, x + columns.start


def _slices(box: tuple[float, float, float, float], shape: tuple[int, ...]) -> Box:
    """A box as row and column slices, cut to the image and at least one pixel wide and high."""
    left, top, right, bottom = box
    return _span(top, bottom, shape[0]), _span(left, right, shape[1])


def _span(low: float, high: float, size: int) -> slice:
    start = min(max(round(low), 0), size - 1)
    return slice(start, min(max(round(high), start + 1), size))


def _patches(lightness: Array) -> Array:
    """The lightness of the window around every pixel: a view, shape (H, W, WINDOW, WINDOW)."""
    padded = np.pad(lightness, WINDOW // 2, mode="symmetric")
    return np.lib.stride_tricks.sliding_window_view(padded, (WINDOW, WINDOW))


def _nearest_patch(patches: Array, samples: Array) -> tuple[NDArray[np.intp], Array]:
    """The sample with the least sum of squared differences, and the root mean square difference to it."""
    size = WINDOW * WINDOW
    squares = square_distances(patches.reshape(-1, size), samples.reshape(-1, size))
    nearest = squares.argmin(axis=1)
    apart = np.sqrt(np.take_along_axis(squares, nearest[:, None], axis=1) / size)
    return nearest.reshape(patches.shape[:2]), apart.astype(np.float32).reshape(patches.shape[:2])
