"""Groups of alike photographs: agglomerative clustering of their descriptors, average linkage, with a threshold.

Photographs that no chain of likenesses above the threshold joins are never in one group, whatever the linkage; so the
pairs above the threshold are found first, a block of rows at a time, and only what they join is clustered.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

GROUP_LIKENESS = 0.75
"""The mean cosine of descriptors between two groups from which the two are one: docs/models/descriptor.md, "Groups"."""

_BLOCK = 1024
"""Rows that are compared with all others at a time."""

_MOST_CLUSTERED = 4096
"""Photographs that are clustered at a time, which takes 64 MiB of distances; more are split at a higher likeness."""

_STEP = 0.02
"""By how much that likeness is higher."""


def alike_groups(descriptors: NDArray[np.floating], least: float = GROUP_LIKENESS) -> list[list[int]]:
    """Groups of two or more rows whose descriptors are alike, in order of their first rows.

    Args:
        descriptors: of unit length, shape (N, C); rows of zeros are in no group.
        least: the mean cosine between two groups from which they are one.
    """
    groups: list[list[int]] = []
    for part in _joined(descriptors, np.arange(len(descriptors)), least):
        groups += _clustered(descriptors, part, least)
    return sorted(groups)


def _joined(
    descriptors: NDArray[np.floating], rows: NDArray[np.intp], least: float
) -> list[NDArray[np.intp]]:
    """Rows in parts that chains of likenesses of at least `least` join; parts of one row are left out."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    own = descriptors[rows].astype(np.float32)
    pairs = []
    for start in range(0, len(own), _BLOCK):
        first, second = np.nonzero(own[start : start + _BLOCK] @ own.T >= least)
        pairs.append(np.stack([first + start, second]))
    joined = np.concatenate(pairs, 1) if pairs else np.zeros((2, 0), np.intp)
    graph = coo_array((np.ones(joined.shape[1], bool), joined), shape=(len(own), len(own)))
    _, labels = connected_components(graph, directed=False)
    order = np.argsort(labels, kind="stable")
    parts = np.split(rows[order], np.flatnonzero(np.diff(labels[order])) + 1)
    return [part for part in parts if len(part) > 1]


def _clustered(descriptors: NDArray[np.floating], rows: NDArray[np.intp], least: float) -> list[list[int]]:
    """The groups within rows that are joined by a chain."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import pdist

    if len(rows) > _MOST_CLUSTERED:
        higher = least + _STEP
        return [
            group
            for part in _joined(descriptors, rows, higher)
            for group in _clustered(descriptors, part, higher)
        ]
    tree = linkage(pdist(descriptors[rows].astype(np.float64), "sqeuclidean") / 2, "average")
    labels = fcluster(tree, 1 - least, "distance")
    groups = [rows[labels == label].tolist() for label in np.unique(labels)]
    return [group for group in groups if len(group) > 1]
