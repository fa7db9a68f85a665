"""Ironi's method: textures are classified by a segmented reference, and what is surest becomes scribbles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinct.errors import ShapeError
from tinct.hints import HintField
from tinct.methods.classical.card import IRONI
from tinct.methods.classical.color_statistics import counted_references
from tinct.methods.classical.propagation import propagate, propagation_weights
from tinct.methods.classical.texture import remap_lightness
from tinct.methods.classical.texture_space import coefficients, learned_projection, project, segments
from tinct.methods.classical.welsh import jittered_grid
from tinct.methods.method import Method, Prediction, Reference

Array = NDArray[np.float32]
Index = NDArray[np.intp]

SAMPLES = 2500
"""Number of sampled pixels of all references together."""

NEIGHBORS = 9
"""k of the k nearest samples that vote for a pixel's segment in the learned space."""

VOTING = 4
"""Pixels that a window of the vote in the photograph reaches to each side."""

SURE = 0.9
"""Share of a window's votes from which a pixel becomes a scribble. With two segments every pixel has a half."""

LEAST_SCRIBBLES = 0.05
"""Share of the pixels that become scribbles at least, the surest ones."""

MOST_CONFIDENCE = 0.5
"""Upper bound of the confidence of a transfer."""

UNSURE_DISTANCE = 4.0
"""Distance in the learned space at which confidence is 1 / e of its bound."""


class Ironi(Method):
    """Ironi's method: supervised classification of textures, image space voting, micro-scribbles, optimization.

    Source: Ironi, Cohen-Or, Lischinski, "Colorization by example", Eurographics Symposium on Rendering 2005. Where a
    reference has no label map its segments come from k-means of its median-filtered colors; the features are magnitudes
    (`tinct.methods.classical.texture_space`). The paper's text was not at hand: the sizes of its windows, k and the
    threshold of a scribble are ours.
    """

    name = "ironi"
    summary = "learns a reference's textures by its segments and colors what it recognizes"
    source = IRONI.paper
    needs_reference = True
    working_size = 256

    def predict(
        self, lightness: Array, hints: HintField, references: Sequence[Reference], *, seed: int = 0
    ) -> Prediction:
        """Take colors from the segments of the references.

        Args:
            lightness: CIE L*, shape (H, W), 0..100.
            hints: not used; `Colorizer` spreads them over the prediction.
            references: at least one of a weight above 0; a reference's weight is its share of the samples. Its
                `labels` are its segments, if it has any.
            seed: of the samples, of the pairs that are learned from, and of unsupervised segments.
        Returns:
            Chroma, and confidence from the votes and the distances in the learned space.
        Raises:
            MethodError: if there is no reference of a weight above 0.
            ShapeError: if a reference's labels are not of its size.
        """
        used = counted_references(self.name, references)
        lightness = np.ascontiguousarray(lightness, np.float32)
        random = np.random.default_rng(seed)
        samples = _sampled(lightness, used, random, seed)
        projection = learned_projection(samples.features, samples.label, random)
        matched = classify(project(lightness, projection), samples, samples.features @ projection)
        voted = vote(matched)
        ab = transfer(matched, voted.label, used, samples)
        return _spread(lightness, ab, voted)


@dataclass(frozen=True, slots=True)
class Samples:
    """Sampled pixels of the references.

    Attributes:
        features: shape (N, K).
        label: segments, shape (N,); segments of different references have different numbers.
        reference, y, x: where a sample is, shape (N,) each.
    """

    features: Array
    label: Index
    reference: Index
    y: Index
    x: Index


@dataclass(frozen=True, slots=True)
class Matched:
    """For each pixel the segment that its nearest samples vote for, and the nearest sample of that segment.

    Attributes:
        label, sample: shape (H, W).
        weight: exp(-distance) to that sample, shape (H, W), 0..1.
    """

    label: Index
    sample: Index
    weight: Array


@dataclass(frozen=True, slots=True)
class Voted:
    """The segment of each pixel after its surroundings have voted.

    Attributes:
        label: shape (H, W).
        share: of the votes, shape (H, W), 0..1.
        weight: mean weight of the votes, shape (H, W).
    """

    label: Index
    share: Array
    weight: Array


def _sampled(
    lightness: Array, references: Sequence[Reference], random: np.random.Generator, seed: int
) -> Samples:
    """Features and segments of the references' samples, their lightness remapped to the photograph's."""
    total = sum(reference.weight for reference in references)
    parts, first = [], 0
    for number, reference in enumerate(references):
        label = _segments_of(reference, seed)
        count = max(1, round(SAMPLES * reference.weight / total))
        y, x = jittered_grid(reference.lightness.shape, count, random)
        features = coefficients(remap_lightness(reference.lightness, lightness), y, x)
        parts.append((features, label[y, x] + first, np.full(len(y), number), y, x))
        first += int(label.max()) + 1
    return Samples(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _segments_of(reference: Reference, seed: int) -> Index:
    """A reference's label map as numbers from 0, or segments that are found in it."""
    if reference.labels is None:
        return segments(reference.lightness, reference.ab, seed)
    if reference.labels.shape != reference.lightness.shape:
        raise ShapeError(
            f"labels are {reference.labels.shape} but the reference is {reference.lightness.shape}; "
            "bring the label map to the reference's size."
        )
    _, numbers = np.unique(reference.labels, return_inverse=True)
    return np.asarray(numbers.reshape(reference.labels.shape), np.intp)


def classify(places: Array, samples: Samples, sample_places: Array) -> Matched:
    """The segment of each pixel by its nearest samples in the learned space.

    Args:
        places: of the photograph's pixels, shape (H, W, D).
        samples: N samples.
        sample_places: their places, shape (N, D).
    """
    from scipy.spatial import cKDTree

    count = min(NEIGHBORS, len(sample_places))
    flat = places.reshape(-1, places.shape[-1])
    distance, nearest = cKDTree(sample_places).query(flat, range(1, count + 1))
    labels = samples.label[nearest]
    votes = (labels[:, :, None] == labels[:, None, :]).sum(axis=2)
    # The first of equals is the nearest: most votes, then the least distance.
    rows, leader = np.arange(len(flat)), votes.argmax(axis=1)
    shape = places.shape[:2]
    weight = np.exp(-distance[rows, leader] / UNSURE_DISTANCE).astype(np.float32)
    return Matched(
        labels[rows, leader].reshape(shape), nearest[rows, leader].reshape(shape), weight.reshape(shape)
    )


def vote(matched: Matched) -> Voted:
    """Let each pixel's window vote: a neighbor's vote for its segment weighs by how near its sample is."""
    weight = np.maximum(matched.weight, np.finfo(np.float32).tiny)
    whole = _summed(weight)
    best, label = np.zeros_like(weight), matched.label.copy()
    for k in np.unique(matched.label):
        share = _summed(np.where(matched.label == k, weight, 0)) / whole
        better = share > best
        best[better], label[better] = share[better], k
    return Voted(label, np.minimum(best, 1), whole / _summed(np.ones_like(weight)))


def transfer(matched: Matched, label: Index, references: Sequence[Reference], samples: Samples) -> Array:
    """Colors from the matched places: a pixel's neighbors of its segment propose what lies as it lies to them.

    A neighbor q of p, matched with the place M(q) of a reference, proposes for p the color at M(q) + p - q; proposals
    are weighted as votes are.

    Args:
        matched: from `classify`.
        label: segments after the vote, shape (H, W).
        references: those that were sampled.
        samples: their samples.
    Returns:
        a*, b*, shape (H, W, 2).
    """
    heights, widths = (np.array([r.lightness.shape[axis] for r in references]) for axis in (0, 1))
    starts = np.concatenate([[0], np.cumsum(heights * widths)[:-1]])
    colors = np.concatenate([np.asarray(r.ab, np.float32).reshape(-1, 2) for r in references])
    owner, y, x = (values[matched.sample] for values in (samples.reference, samples.y, samples.x))
    total, mixed = np.zeros(label.shape, np.float32), np.zeros((*label.shape, 2), np.float32)
    for dy, dx in np.ndindex(2 * VOTING + 1, 2 * VOTING + 1):
        here, there = _shifted(label.shape, dy - VOTING, dx - VOTING)
        if not label[here].size:
            continue
        source = owner[there]
        row = np.clip(y[there] - (dy - VOTING), 0, heights[source] - 1)
        column = np.clip(x[there] - (dx - VOTING), 0, widths[source] - 1)
        weight = matched.weight[there] * (matched.label[there] == label[here])
        mixed[here] += weight[..., None] * colors[starts[source] + row * widths[source] + column]
        total[here] += weight
    return np.asarray(mixed / np.maximum(total, np.finfo(np.float32).tiny)[..., None], np.float32)


def _shifted(shape: tuple[int, ...], dy: int, dx: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """The pixels that have a neighbor at this offset, and these neighbors."""
    spans = [
        (slice(max(0, -by), max(0, side - max(0, by))), slice(max(0, by), max(0, side + min(0, by))))
        for side, by in zip(shape, (dy, dx), strict=True)
    ]
    return (spans[0][0], spans[1][0]), (spans[0][1], spans[1][1])


def _summed(plane: Array) -> Array:
    """Sums over the windows of the vote, cut at the border of the photograph."""
    import cv2

    side = 2 * VOTING + 1
    whole = cv2.boxFilter(plane, cv2.CV_32F, (side, side), normalize=False, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(whole, np.float32)


def _spread(lightness: Array, ab: Array, voted: Voted) -> Prediction:
    """Micro-scribbles where the votes are surest, spread by optimization."""
    sure = voted.share * voted.weight * np.float32(MOST_CONFIDENCE)
    enough = np.quantile(voted.share, 1 - LEAST_SCRIBBLES)
    known = voted.share >= min(SURE, float(enough))
    values = np.concatenate([ab, sure[..., None]], axis=2)
    spread = propagate(propagation_weights(lightness), known, values)
    return Prediction(np.ascontiguousarray(spread[..., :2]), np.clip(spread[..., 2], 0, 1))
