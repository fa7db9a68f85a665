"""The color memory: items of hints and references, and attention over all of them from the attention over each part.

Arrays here have channels last; a key is the concatenation of its heads' parts, each of unit length.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinct.hints import HintField
from tinct.inference import contiguous
from tinct.lazy import lazy
from tinct.methods.exported import bilinear
from tinct.methods.turned_hues import Hues
from tinct.networks.tinct.ports import HEADS, KEY_STRIDE, MAP_CHANNELS_PER_HEAD, REFERENCE_STRIDE

Array = NDArray[np.float32]
Sums = NDArray[np.float64]

HINT_BIAS = 3.0
"""Added to a hint's score, against the null item's: a hint is usually meant for more than its own place.
Chosen on held-out photographs (docs/experiments.md, "References")."""

LIKENESS = 7.0
"""What the likeness of two places by the semantic branch must add to a score for the reference to gain by it. Chosen on
held-out photographs (docs/experiments.md, "What is alike")."""

MOST_FINE = 8192
"""Patches of `KEY_STRIDE` pixels up to which a reference's items may be these: twice as many as at 256 square. To ask
the fours of more (`tinct.networks.tinct.blocks`) takes too long."""

SURELY_SAME, MAYBE_SAME, SHARE_OF_SAME = 0.75, 0.5, 0.7
"""Fine patches serve the same picture alone: the likeness of signatures from which on it is taken for that at once; the
likeness from which on it may be; and the share of the attention that coarse patches then have if it is. Chosen on
held-out photographs (docs/experiments.md, "How finely references are cut")."""

_MAX_SIDE = 1 << 14
"""Rows that OpenCV is given at once: it counts some sides in 16 bits."""

_LEAST = 1e-30
"""Attention below this share is treated as this share, so that it can be divided by."""


@dataclass(frozen=True, slots=True)
class Items:
    """Items of the color memory, or, with one axis more before the others, those of several blocks of places.

    Attributes:
        keys: shape (M, heads * key).
        ab: CIE a*, b*, shape (M, 2).
        bias: added to the scores of each, shape (M,) or, of hints, (h * w or 1, M): what hints have more
            (`HINT_BIAS`), less what keeps them from a place (`tinct.networks.tinct.restraint`), and what references'
            patches must gain by their likeness (`LIKENESS`), less where patches are many because they are small.
        place: x and y divided by the longer side, shape (M, 2); None for items without one.
        described: what the semantic branch sees at each patch of a reference, shape (M, P); None for hints.
    """

    keys: Array
    ab: Array
    bias: Array
    place: Array | None = None
    described: Array | None = None

    def inputs(self) -> dict[str, Array]:
        """The items as inputs of the network's graphs, by name."""
        named = {"item_keys": self.keys, "item_ab": self.ab, "item_bias": self.bias}
        if self.place is not None:
            named["item_place"] = self.place
        if self.described is not None:
            named["item_places"] = self.described
        several = self.ab.ndim == 3
        return {
            name: np.ascontiguousarray(value if several else value[None], np.float32)
            for name, value in named.items()
        }


def hint_items(keys: NDArray[Any], hints: HintField, restrained: Array | None = None) -> Items:
    """A memory item for each hint: its place's own key, and a little more weight than in training (`HINT_BIAS`).

    Args:
        keys: of the photograph, padding included, shape (h, w, heads * key).
        hints: placed at the working size.
        restrained: added to their scores at each place, shape (h * w, M); None is nothing.
    """
    x = np.array([point.x for point in hints.points], np.float32) + 0.5
    y = np.array([point.y for point in hints.points], np.float32) + 0.5
    found = bilinear_at(keys, y / KEY_STRIDE - 0.5, x / KEY_STRIDE - 0.5)
    ab = np.array([point.ab for point in hints.points], np.float32)
    place = np.stack([x, y], -1) / (KEY_STRIDE * max(keys.shape[:2]))
    bias = np.full((1, len(x)), HINT_BIAS, np.float32)
    if restrained is not None:
        bias = bias + restrained
    return Items(unit(found), ab, bias, place.astype(np.float32))


@dataclass(frozen=True)
class ReferenceFeatures:
    """What is known of a reference whatever photograph it is for.

    Attributes:
        keys: padding included, shape (h, w, heads * key).
        ab: CIE a*, b*, shape (H, W, 2), without padding; a last patch that is not whole is left out.
        signature, places: the semantic branch's, of the reference without padding
            (`tinct.networks.semantics.opinion.Opinion`).
        hues: how expected the reference's colors are.
    """

    keys: NDArray[Any]
    ab: Array
    signature: Array
    places: Array
    hues: Hues

    @property
    def may_be_fine(self) -> bool:
        """True if there are no more than `MOST_FINE` patches of `KEY_STRIDE` pixels."""
        return self.ab[..., 0].size <= MOST_FINE * KEY_STRIDE**2

    @lazy
    def fine(self) -> Items:
        """Items of patches of `KEY_STRIDE` pixels."""
        return reference_items(self.keys, self.ab, self.places, KEY_STRIDE)

    @lazy
    def coarse(self) -> Items:
        """Items of patches of `REFERENCE_STRIDE` pixels."""
        return reference_items(self.keys, self.ab, self.places, REFERENCE_STRIDE)

    @property
    def fine_grid(self) -> tuple[int, int]:
        """Rows and columns of the patches of `KEY_STRIDE` pixels."""
        height, width = (max(side // KEY_STRIDE, 1) for side in self.ab.shape[:2])
        return height, width

    @lazy
    def fours(self) -> Items:
        """Items of 2 x 2 fine patches each, of fewer at the right and lower edges, row after row: of all of them.

        `coarse` leaves out what is not whole.
        """
        fine, (height, width) = self.fine, self.fine_grid
        assert fine.described is not None
        keys, ab, described = (
            block_means(_even(values.reshape(height, width, -1)), 2).reshape(-1, values.shape[1])
            for values in (fine.keys, fine.ab, fine.described)
        )
        return Items(unit(keys), ab, np.full(len(keys), -LIKENESS, np.float32), described=described)


def reference_items(keys: NDArray[Any], ab: Array, places: Array, stride: int) -> Items:
    """A memory item for each patch of a reference; see `ReferenceFeatures` for the other arguments.

    Args:
        stride: pixels of a patch's side, `KEY_STRIDE` or `REFERENCE_STRIDE`.
    """
    height, width = (max(n // stride, 1) for n in ab.shape[:2])
    pooled = block_means(keys, stride // KEY_STRIDE)[:height, :width]
    short = [(0, max(stride - n, 0)) for n in ab.shape[:2]]
    whole = np.pad(ab, (*short, (0, 0)), mode="symmetric")[: height * stride, : width * stride]
    flat = unit(pooled.reshape(height * width, -1))
    colors = block_means(whole, stride).reshape(-1, 2)
    described = bilinear(places, (height, width)).reshape(height * width, -1)
    crowd = 2 * np.log(REFERENCE_STRIDE / stride)  # smaller patches are more, and each counts the less
    bias = np.full(len(flat), -LIKENESS - crowd, np.float32)
    return Items(flat, colors, bias, described=described)


@dataclass(frozen=True, slots=True)
class Attended:
    """The attention of each place of a photograph to one reference.

    Attributes:
        sums: as `against_null` gives them.
        belief: what is added to the scores of the reference's items: `tinct.networks.tinct.method.belief`.
        likeness: the inner product of the signatures of photograph and reference, -1..1.
        hues: how expected the reference's colors are.
    """

    sums: Sums
    belief: float
    likeness: float
    hues: Hues


def against_null(found: NDArray[Any]) -> Sums:
    """Attention to a part of the memory, relative to that of the null item, so that parts add up.

    A softmax divides each score's exponential by the sum of all; over the null item's that sum cancels. What several
    parts give together follows from the sum of theirs (`maps`), and a weight on a whole part is a factor.

    Args:
        found: what `match` or `recall` gave, (1, heads, places, 4): ab / 110, the items' share, null's share.
    Returns:
        (heads, places, 4): the first three over null's share, and all that is not null over it. In double precision, a
        single part comes back from `maps` as it was, to the bit.
    """
    planes = np.array(np.moveaxis(found[0], -1, 0), np.float64, order="C")
    null = np.maximum(planes[3], _LEAST)
    np.subtract(1, null, out=planes[3])
    planes /= null
    return np.moveaxis(planes, 0, -1)


def maps(near: Sums | None, far: Sums | None, height: int, width: int) -> Array:
    """Attended colors as maps for the decoder: one softmax over hints, references and the null item.

    Args:
        near, far: attention to hints and to references, from `against_null`; None is an empty memory.
    Returns:
        (1, heads * 6, h, w): for each head ab and share from hints, then from references.
    """
    parts = np.zeros((HEADS, MAP_CHANNELS_PER_HEAD, height * width), np.float32)
    whole = 1 + sum(each[..., 3] for each in (near, far) if each is not None)
    for given, first in ((near, 0), (far, 3)):
        if given is not None:
            for channel in range(3):
                np.divide(given[..., channel], whole, out=parts[:, first + channel], casting="same_kind")
    return parts.reshape(1, HEADS * MAP_CHANNELS_PER_HEAD, height, width)


def share_of(sums: Sums) -> float:
    """The mean share of the attention that one part of the memory takes beside the null item, 0..1."""
    taken = sums[..., 3]
    return float((taken / (1 + taken)).mean())


def share(found: NDArray[Any]) -> Array:
    """How much of the attention the memory took, from `maps`: shape (h, w), 0..1; the heads' mean."""
    return shares(found)[0]


def shares(found: NDArray[Any]) -> tuple[Array, Array]:
    """How much of the attention hints and references took together, and references alone, from `maps`.

    Returns:
        Two arrays of shape (h, w), 0..1; the heads' means.
    """
    parts = found[0].reshape(HEADS, MAP_CHANNELS_PER_HEAD, *found.shape[2:])
    taken: Array = np.clip((parts[:, 2] + parts[:, 5]).mean(0), 0, 1)
    references: Array = np.clip(parts[:, 5].mean(0), 0, 1)
    return taken, references


def block_means(image: NDArray[Any], side: int) -> Array:
    """Means over blocks of `side` × `side`: (h * side, w * side, C) to (h, w, C)."""
    if side == 1:
        return contiguous(image, np.float32)
    height, width, channels = image.shape
    if channels <= 4:
        import cv2

        size = (width // side, height // side)
        means = cv2.resize(np.ascontiguousarray(image, np.float32), size, interpolation=cv2.INTER_AREA)
        return np.asarray(means, np.float32).reshape(*size[::-1], channels)
    if image.flags.c_contiguous:
        return _row_means(image, side)
    return contiguous(_plane_means(image.transpose(2, 0, 1), side).transpose(1, 2, 0))


def _even(image: Array) -> Array:
    """A map (h, w, C) whose last row and column are repeated where their number is odd."""
    odd = [side % 2 for side in image.shape[:2]]
    return np.pad(image, [(0, odd[0]), (0, odd[1]), (0, 0)], mode="edge") if any(odd) else image


def pooled_keys(keys: NDArray[Any], side: int) -> Array:
    """Keys of blocks of `side` x `side` places: (h * side, w * side, heads * key) to (h, w, heads * key)."""
    means = block_means(keys, side)
    return unit(means.reshape(-1, means.shape[2])).reshape(means.shape)


def _row_means(image: NDArray[Any], side: int) -> Array:
    """`block_means` of many channels that lie beside each other in memory."""
    height, width, channels = image.shape
    grid = image.reshape(height // side, side, width // side, side, channels)
    means = np.zeros((height // side, width // side, channels), np.float32)
    for y in range(side):
        for x in range(side):
            means += grid[:, y, :, x]
    means *= np.float32(1 / side**2)
    return means


def _plane_means(planes: NDArray[Any], side: int) -> Array:
    """Means over blocks of `side` × `side`: (C, h * side, w * side) to (C, h, w)."""
    import cv2

    channels, height, width = planes.shape
    whole = contiguous(planes, np.float32)
    means = np.empty((channels, height // side, width // side), np.float32)
    count = max(1, _MAX_SIDE // height)
    for first in range(0, channels, count):
        given, taken = (each[first : first + count] for each in (whole, means))
        taken.reshape(-1, taken.shape[2])[:] = cv2.resize(
            given.reshape(-1, width),
            (taken.shape[2], taken.shape[0] * taken.shape[1]),
            interpolation=cv2.INTER_AREA,
        )
    return means


def unit(keys: Array) -> Array:
    """Scale each head's part of (M, heads * key) to unit length."""
    parts = keys.reshape(len(keys) * HEADS, -1)
    length = np.sqrt(np.einsum("ij,ij->i", parts, parts))
    scaled = np.divide(parts, np.maximum(length, 1e-4)[:, None], dtype=np.float32)
    return np.asarray(scaled.reshape(len(keys), -1), np.float32)


def bilinear_at(keys: NDArray[Any], y: NDArray[Any], x: NDArray[Any]) -> Array:
    """Keys (h, w, C) at fractional rows and columns, clamped to the map: (M, C)."""
    height, width, _ = keys.shape
    y, x = np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)
    y0, x0 = np.minimum(y.astype(int), max(height - 2, 0)), np.minimum(x.astype(int), max(width - 2, 0))
    y1, x1 = np.minimum(y0 + 1, height - 1), np.minimum(x0 + 1, width - 1)
    v, u = (y - y0)[:, None], (x - x0)[:, None]
    top = keys[y0, x0] * (1 - u) + keys[y0, x1] * u
    bottom = keys[y1, x0] * (1 - u) + keys[y1, x1] * u
    return np.asarray(top * (1 - v) + bottom * v, np.float32)
