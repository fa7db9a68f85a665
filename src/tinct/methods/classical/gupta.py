"""Gupta's method: colors matched superpixel by superpixel, corrected by a vote of neighbors, then spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tinct.errors import MethodError
from tinct.hints import HintField
from tinct.methods.classical.card import GUPTA
from tinct.methods.classical.propagation import propagate, propagation_weights
from tinct.methods.classical.texture import (
    GABOR_ORIENTATIONS,
    GABOR_SCALES,
    gabor_energy,
    local_statistics,
    mean_square_distance,
    remap_lightness,
    sift_rows,
    square_distances,
)
from tinct.methods.method import Method, Prediction, Reference

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Array = NDArray[np.float32]
Index = NDArray[np.intp]

SUPERPIXEL_AREA = 24
"""Pixels of a superpixel; superpixels grow where there would be more than MOST_SUPERPIXELS."""
MOST_SUPERPIXELS = 3000
"""Upper bound of the number of superpixels of a photograph."""

COMPACTNESS = 0.2
"""SLIC's balance of place against lightness; larger values make squarer superpixels."""

SIFT_CELL = 4
"""Side of a SIFT cell in pixels."""

DEVIATION_WINDOW = 5
"""Side in pixels of the window whose standard deviation of lightness is a feature."""

CASCADE = (("gabor", 0.2, 1.0), ("sift", 0.5, 0.1), ("intensity", 0.2, 3.0), ("deviation", 0.1, 0.5))
"""The feature cascade: for each feature in order, its name, its weight in a match's cost, and the spread (root mean
square, in the feature's own unit) below which differences are noise."""
SHARE_KEPT = 0.5
"""Share of the candidates that a step of the cascade keeps."""

EXCLUDED = np.float32(1e30)
"""Squared distance of excluded candidates; larger than that of any two features."""
MATCHED_AT_ONCE = 128
"""Number of superpixels matched at a time, so that their distances stay in the processor's cache."""

LEAST_COST = 0.05
"""Added to a match's cost before the reference's weight multiplies the cost; without it an exact twin would cost
nothing at any weight."""

GROUP_SIZE = 15
"""Mean number of superpixels in a group of the vote."""
SAME_COLOR = 10.0
"""Standard deviation, in ab units, of the Gaussian that says how far two colors are one opinion; beyond twice it they
are two."""
GROUPING_ROUNDS = 10
"""Iterations of the k-means that makes the groups of the vote."""

LEAST_TRUSTED = 0.2
"""Quantile of confidence below which matches do not become scribbles."""


class Gupta(Method):
    """Gupta's method: superpixels, cascaded feature matching, image space voting, scribbles.

    Source: Gupta, Chia, Rajan, Ng, Huang, "Image colorization using similar images", ACM Multimedia 2012. Three parts
    differ: superpixels are SLIC (Achanta 2012), not geometric flow; upright SIFT takes the place of SURF, which no
    free build of OpenCV has, with the same 128 numbers; the groups that vote come from k-means on place and features
    together, not from mean shift and then k-means in each segment.
    """

    name = "gupta"
    summary = "matches superpixels of a reference by texture and lets their neighbors vote"
    source = GUPTA.paper
    needs_reference = True
    working_size = 256

    def predict(
        self, lightness: Array, hints: HintField, references: Sequence[Reference], *, seed: int = 0
    ) -> Prediction:
        """Take colors from the references.

        Args:
            lightness: CIE L*, shape (H, W), 0..100.
            hints: not used; `Colorizer` spreads them over the prediction.
            references: at least one of a weight above 0. A match in a reference of half the weight must cost half as
                much to be taken.
            seed: of the groups of the vote.
        Returns:
            Chroma, and confidence from the costs of the matches and the votes for them.
        Raises:
            MethodError: if there is no reference of a weight above 0.
        """
        used = [reference for reference in references if reference.weight > 0]
        if not used:
            raise MethodError("gupta takes colors from a reference but got none; give one of weight above 0.")
        target = describe(lightness)
        ab, cost = _match_all(target, lightness, used)
        ab, support = vote(target, ab, np.exp(-cost), seed)
        confidence = np.exp(-cost) * support
        return _spread(lightness, target, ab, confidence.astype(np.float32))


@dataclass(frozen=True, slots=True)
class Superpixels:
    """The N superpixels of a photograph.

    Attributes:
        labels: number of each pixel's superpixel, 0..N-1, shape (H, W).
        centers: the pixel of each superpixel that is nearest to its mean place, as a flat index, shape (N,).
        features: by name of the cascade's steps, shape (N, D): `gabor` and `sift` averaged over the superpixel,
            `intensity` and `deviation` of the superpixel and of its neighbors' mean.
    """

    labels: NDArray[np.int32]
    centers: Index
    features: dict[str, Array]


def describe(lightness: Array, ab: Array | None = None) -> Superpixels:
    """Cut a photograph into superpixels and describe each by 172 numbers, as in the paper.

    Args:
        lightness: CIE L*, shape (H, W), 0..100; the features are computed from it.
        ab: CIE a*, b*, shape (H, W, 2), of a reference, whose superpixels then keep to edges of color as well; or
            None.
    """
    lightness = np.ascontiguousarray(lightness, np.float32)
    labels = _segment(lightness, ab)
    count = int(labels.max()) + 1
    area = np.bincount(labels.ravel(), minlength=count).astype(np.float32)

    def average(plane: Array) -> Array:
        return (np.bincount(labels.ravel(), plane.ravel(), count) / area).astype(np.float32)

    gabor = np.empty((count, GABOR_ORIENTATIONS * GABOR_SCALES), np.float32)
    for k, plane in enumerate(gabor_energy(lightness)):
        gabor[:, k] = average(plane)
    intensity = average(lightness)
    deviation = average(local_statistics(lightness, DEVIATION_WINDOW)[1])
    features = {
        "gabor": gabor,
        "sift": _average_sift(lightness, labels, area),
        "intensity": _with_neighbors(labels, intensity),
        "deviation": _with_neighbors(labels, deviation),
    }
    return Superpixels(labels, _centers(labels, area), features)


def match(target: Superpixels, reference: Superpixels) -> tuple[Index, Array]:
    """Find for each superpixel of the target one of the reference, by a cascade that halves the choice.

    Each feature in turn keeps the nearer half of the remaining candidates; the cheapest of the last ones is taken.
    Squared distances are divided by their mean over all pairs, so that 1 is a chance match.

    Returns:
        Indices into the reference, shape (N,), and the costs of the matches, weighted over the features, shape (N,): 0
        for a twin, about 1 for chance.
    """
    count = len(target.centers)
    chosen, cost = np.empty(count, np.intp), np.empty(count, np.float32)
    scales = [
        mean_square_distance(target.features[k], reference.features[k], floor) for k, _, floor in CASCADE
    ]
    for first in range(0, count, MATCHED_AT_ONCE):
        rows = slice(first, first + MATCHED_AT_ONCE)
        total = np.zeros((len(cost[rows]), len(reference.centers)), np.float32)
        left, dropped = np.ones(total.shape, bool), np.zeros_like(total)
        for (feature, weight, _), scale in zip(CASCADE, scales, strict=True):
            distance = square_distances(target.features[feature][rows], reference.features[feature])
            distance += dropped
            left = _best_share(distance, left)
            np.multiply(~left, EXCLUDED, out=dropped)
            distance *= weight / scale
            total += distance
        total += dropped
        chosen[rows] = total.argmin(axis=1)
        cost[rows] = total.min(axis=1)
    return chosen, cost


def vote(target: Superpixels, ab: Array, weight: Array, seed: int) -> tuple[Array, Array]:
    """Correct the colors of superpixels that their group contradicts (image space voting).

    Args:
        target: N superpixels; they are grouped by place and features.
        ab: the color that each superpixel was matched with, shape (N, 2).
        weight: of each superpixel's vote, shape (N,), above 0.
        seed: of the groups.
    Returns:
        Colors, shape (N, 2): the mean of a group's majority in place of a contradicted color. And each color's share
        of its group's votes, shape (N,), 0..1.
    """
    group = _groups(target, seed)
    corrected, support = ab.copy(), np.empty(len(ab), np.float32)
    for k in range(group.max() + 1):
        members = np.flatnonzero(group == k)
        if len(members):
            corrected[members], support[members] = _majority(ab[members], weight[members])
    return corrected, support


def _majority(ab: Array, weight: Array) -> tuple[Array, Array]:
    alike = np.exp(-square_distances(ab, ab) / (2 * SAME_COLOR**2))
    share = alike @ weight / weight.sum()
    leader = int(share.argmax())
    follows = np.square(ab - ab[leader]).sum(axis=1) < (2 * SAME_COLOR) ** 2
    if weight[follows].sum() <= weight.sum() / 2:
        return ab, share
    opinion = np.average(ab[follows], axis=0, weights=weight[follows])
    return np.where(follows[:, None], ab, opinion), np.where(follows, share, share[leader] / 2)


def _match_all(target: Superpixels, lightness: Array, references: Sequence[Reference]) -> tuple[Array, Array]:
    """The cheapest match over all references, their weights considered: ab, shape (N, 2), and cost."""
    heaviest = max(reference.weight for reference in references)
    best = np.full(len(target.centers), np.inf, np.float32)
    colors, costs = np.zeros((len(best), 2), np.float32), np.zeros_like(best)
    for reference in references:
        source = describe(remap_lightness(reference.lightness, lightness), reference.ab)
        area = np.bincount(source.labels.ravel())
        planes = (reference.ab[..., k].ravel() for k in (0, 1))
        means = np.stack([np.bincount(source.labels.ravel(), plane) / area for plane in planes], axis=1)
        chosen, cost = match(target, source)
        price = (cost + LEAST_COST) * np.float32(heaviest / reference.weight)
        better = price < best
        best[better], costs[better] = price[better], cost[better]
        colors[better] = means[chosen[better]]
    return colors, costs


def _spread(lightness: Array, target: Superpixels, ab: Array, confidence: Array) -> Prediction:
    """Micro-scribbles at the centers of the trusted superpixels, spread by optimization."""
    if lightness.size < 2:
        return Prediction(ab[target.labels], confidence[target.labels])
    trusted = confidence >= np.quantile(confidence, LEAST_TRUSTED)
    known = np.zeros(lightness.shape, bool)
    known.ravel()[target.centers[trusted]] = True
    values = np.zeros((*lightness.shape, 3), np.float32)
    values.reshape(-1, 3)[target.centers] = np.column_stack([ab, confidence])
    spread = propagate(propagation_weights(lightness), known, values)
    return Prediction(np.ascontiguousarray(spread[..., :2]), np.clip(spread[..., 2], 0, 1))


def _segment(lightness: Array, ab: Array | None) -> NDArray[np.int32]:
    from skimage.segmentation import slic

    planes = lightness[..., None] if ab is None else np.concatenate([lightness[..., None], ab], axis=2)
    span = float(np.ptp(planes))
    wanted = min(max(1, lightness.size // SUPERPIXEL_AREA), MOST_SUPERPIXELS)
    if span == 0 or wanted == 1:
        planes = np.zeros_like(planes)
        span = 1.0
    # SLIC scales what it gets to 0..1 by its extremes; compactness is given on a scale of 100 units of Lab.
    labels = slic(
        planes.astype(np.float64),
        n_segments=wanted,
        compactness=COMPACTNESS * 100 / max(span, 20.0),
        channel_axis=-1,
        convert2lab=False,
        start_label=0,
    )
    present = np.bincount(labels.ravel()) > 0
    return np.asarray((np.cumsum(present) - 1).astype(np.int32)[labels])


def _average_sift(lightness: Array, labels: NDArray[np.int32], area: Array) -> Array:
    total: Array | None = None
    for top, bottom, descriptors in sift_rows(lightness, SIFT_CELL):
        part = _members(labels[top:bottom].ravel(), len(area)) @ descriptors.reshape(-1, descriptors.shape[2])
        total = part if total is None else total + part
    assert total is not None  # a photograph has at least one row
    return np.asarray(total / area[:, None], np.float32)


def _members(owner: NDArray[np.int32] | Index, count: int) -> csr_matrix:
    """The matrix, shape (count, len(owner)), that sums what rows belong to the same owner."""
    from scipy.sparse import csc_matrix

    ones = np.ones(len(owner), np.float32)
    return csc_matrix((ones, owner, np.arange(len(owner) + 1)), (count, len(owner))).tocsr()


def _with_neighbors(labels: NDArray[np.int32], values: Array) -> Array:
    """Each superpixel's value and the mean of its neighbors' (its own where it has none), shape (N, 2)."""
    sides = [(labels[1:], labels[:-1]), (labels[:, 1:], labels[:, :-1])]
    sides += [(b, a) for a, b in sides]
    # A pair is one number, as rows of two sort many times slower.
    pairs = np.concatenate([(a.astype(np.int64) * len(values) + b)[a != b] for a, b in sides])
    one, other = np.divmod(np.unique(pairs), len(values))
    count = np.bincount(one, minlength=len(values))
    total = np.bincount(one, values[other], len(values))
    around = np.where(count > 0, total / np.maximum(count, 1), values)
    return np.stack([values, around], axis=1).astype(np.float32)


def _places(labels: NDArray[np.int32], area: Array) -> Array:
    """Mean row and column of each superpixel, shape (N, 2)."""
    axes = np.indices(labels.shape).reshape(2, -1)
    return np.stack([np.bincount(labels.ravel(), axis) / area for axis in axes], axis=1).astype(np.float32)


def _centers(labels: NDArray[np.int32], area: Array) -> Index:
    flat = labels.ravel()
    pixels = np.indices(labels.shape).reshape(2, -1).T
    distance = np.square(pixels - _places(labels, area)[flat]).sum(axis=1)
    order = np.lexsort((distance, flat))
    first = np.searchsorted(flat[order], np.arange(len(area)))
    return np.asarray(order[first], np.intp)


def _groups(target: Superpixels, seed: int) -> Index:
    """Group superpixels by k-means on place, lightness and texture, all at comparable scales."""
    area = np.bincount(target.labels.ravel()).astype(np.float32)
    groups = max(1, len(area) // GROUP_SIZE)
    places = _places(target.labels, area)
    columns = [places / np.float32(np.sqrt(target.labels.size / groups))]
    for feature, weight, floor in CASCADE:
        values = target.features[feature]
        spread = max(float(np.sqrt(values.var(axis=0).sum())), floor)
        columns.append(values * np.float32(np.sqrt(weight) * 2 / spread))
    points = np.concatenate(columns, axis=1)
    centers = points[np.random.default_rng(seed).choice(len(points), groups, replace=False)]
    for _ in range(GROUPING_ROUNDS):
        group = square_distances(points, centers).argmin(axis=1)
        members = _members(group, groups)
        size = np.bincount(group, minlength=groups)[:, None].astype(np.float32)
        # A group that lost its last member keeps its center.
        centers = np.where(size > 0, members @ points / np.maximum(size, 1), centers)
    return np.asarray(group, np.intp)


def _best_share(distance: Array, left: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which of each row's candidates that are left, the nearest ones, are among their nearest half (at least one)."""
    keep = np.maximum(1, np.ceil(np.count_nonzero(left, axis=1) * SHARE_KEPT).astype(np.intp))
    limit = np.partition(distance, np.unique(keep) - 1, axis=1)[np.arange(len(distance)), keep - 1]
    return np.asarray(distance <= limit[:, None])
