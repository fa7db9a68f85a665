"""Intrinsic distances in a photograph: the change of lightness along a path, and the nearest colors by them.

Source: Yatziv, Sapiro, "Fast image and video colorization using chrominance blending", IEEE Transactions on Image
Processing 15(5), 2006. The paper measures distances by a queue of buckets in one pass over the photograph; here the
shortest paths are SciPy's (Dijkstra's algorithm), one search for each rank, however many colors there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Array = NDArray[np.float32]
Index = NDArray[np.int64]

STEP_COST = 0.1
"""Length in L* of one pixel's step where lightness does not change. The paper has no such term: on flat lightness all
colors would then be equally near. Chosen on 24 training photographs (docs/experiments.md, "Chrominance blending")."""

NONE = -1
"""Label of a rank at which no further color is reached."""

_OFFSETS = ((0, 1), (1, 0), (1, 1), (1, -1))
"""Half of the eight neighbors; each pair of neighbors is one pair of edges."""


@dataclass(frozen=True, slots=True)
class NearestColors:
    """The nearest colors of each pixel, nearest first.

    Attributes:
        distance: intrinsic distance to the nearest stroke of the color, in L*, shape (K, H, W); infinite where there
            is no such color.
        label: number of the color, shape (K, H, W); `NONE` where there is no such color. No label is twice at a pixel.
    """

    distance: NDArray[np.float64]
    label: Index


@dataclass(frozen=True, slots=True)
class _Edges:
    """The directed edges between neighbors: from, to (flat indices), and length in L*, shape (E,) each."""

    start: Index
    end: Index
    length: NDArray[np.float64]


def nearest_colors(lightness: Array, label: Index, count: int, step_cost: float = STEP_COST) -> NearestColors:
    """Find the nearest colors of every pixel along shortest paths, each color once.

    The r-th nearest color of a pixel comes from a neighbor: it is the neighbor's nearest color that is not among the
    pixel's r - 1 nearer ones. If it is among the neighbor's first r - 1, its distance is known, and else it is the
    neighbor's own r-th. So each rank is one search over the pixels, and time does not depend on the number of colors.

    Args:
        lightness: CIE L*, shape (H, W).
        label: number of the color where a stroke lies, `NONE` elsewhere, shape (H, W).
        count: K, the number of ranks, at least 1.
        step_cost: see `STEP_COST`; above 0.
    """
    edges = _edges(np.asarray(lightness, np.float64), step_cost)
    flat = label.ravel()
    first = np.where(flat == NONE, np.inf, 0.0)
    distance, found = _search(edges, np.arange(len(edges.start)), first, flat)
    distances, labels = [distance], [found]
    for _ in range(1, count):
        onward, start, begins = _next_rank(edges, np.stack(distances), np.stack(labels))
        distance, found = _search(edges, onward, start, begins)
        distances.append(distance)
        labels.append(found)
    shape = (count, *lightness.shape)
    return NearestColors(np.stack(distances).reshape(shape), np.stack(labels).reshape(shape))


def _edges(lightness: NDArray[np.float64], step_cost: float) -> _Edges:
    """Both directions between all pairs of the eight-neighborhood; length |ΔL| + step cost times pixels."""
    height, width = lightness.shape
    number = np.arange(height * width, dtype=np.int64).reshape(height, width)
    starts, ends, lengths = [], [], []
    for dy, dx in _OFFSETS:
        here = np.s_[: height - dy, max(0, -dx) : width - max(0, dx)]
        there = np.s_[dy:, max(0, dx) : width + min(0, dx)]
        starts.append(number[here].ravel())
        ends.append(number[there].ravel())
        climbed = np.abs(lightness[here] - lightness[there]).ravel()
        lengths.append(climbed + step_cost * np.hypot(dy, dx))
    one, other, length = np.concatenate(starts), np.concatenate(ends), np.concatenate(lengths)
    return _Edges(np.concatenate([one, other]), np.concatenate([other, one]), np.concatenate([length] * 2))


def _next_rank(
    edges: _Edges, distances: NDArray[np.float64], labels: Index
) -> tuple[Index, NDArray[np.float64], Index]:
    """How the next rank's search begins, from the ranks known, shape (r, N).

    Returns:
        The edges along which the next rank goes on from pixel to pixel, shape (E',); and for each pixel the least
        distance at which a color of a neighbor's known ranks enters, and that color, shape (N,).
    """
    pixels = distances.shape[1]
    waiting, enters = np.arange(len(edges.start)), np.full(pixels, np.inf)
    color = np.full(pixels, NONE, np.int64)
    for rank in range(len(labels)):
        offered = labels[rank, edges.start[waiting]]
        new = (offered != labels[:, edges.end[waiting]]).all(axis=0) & (offered != NONE)
        chosen = waiting[new]
        ends = edges.end[chosen]
        lengths = distances[rank, edges.start[chosen]] + edges.length[chosen]
        order = np.lexsort((lengths, ends))
        places, firsts = np.unique(ends[order], return_index=True)
        best = order[firsts]
        nearer = lengths[best] < enters[places]
        enters[places[nearer]], color[places[nearer]] = lengths[best][nearer], offered[new][best][nearer]
        waiting = waiting[~new]
    return waiting, enters, color


def _search(
    edges: _Edges, used: Index, enters: NDArray[np.float64], color: Index
) -> tuple[NDArray[np.float64], Index]:
    """Shortest paths from the pixels at which a color enters: each pixel's distance and color, shape (N,)."""
    pixels = len(enters)
    inside = np.flatnonzero(np.isfinite(enters))
    if not len(inside):
        return np.full(pixels, np.inf), np.full(pixels, NONE, np.int64)
    distance, before = _shortest_paths(
        np.concatenate([edges.start[used], np.full(len(inside), pixels)]),
        np.concatenate([edges.end[used], inside]),
        np.concatenate([edges.length[used], enters[inside]]),
        pixels,
    )
    origin = np.where((before == pixels) | (before < 0), np.arange(pixels), before)
    while (origin[origin] != origin).any():
        origin = origin[origin]
    return distance, np.where(np.isfinite(distance), color[origin], NONE)


def _shortest_paths(
    start: Index, end: Index, length: NDArray[np.float64], source: int
) -> tuple[NDArray[np.float64], Index]:
    """Distances from the node `source`, the last one, and the node before each on its path, of all other nodes."""
    from scipy.sparse.csgraph import dijkstra

    graph = _graph(start, end, length, source + 1)
    distance, before = dijkstra(graph, indices=source, return_predecessors=True)
    return distance[:-1], before[:-1].astype(np.int64)


def _graph(start: Index, end: Index, length: NDArray[np.float64], nodes: int) -> csr_matrix:
    """The edges as rows; built by hand, as SciPy's own conversion would add up what it takes for duplicates."""
    from scipy.sparse import csr_matrix

    order = np.argsort(start, kind="stable")
    first = np.concatenate([[0], np.cumsum(np.bincount(start, minlength=nodes))])
    parts = length[order], end[order].astype(np.int32), first.astype(np.int32)
    return csr_matrix(parts, shape=(nodes, nodes))
