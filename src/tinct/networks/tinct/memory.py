"""The color memory: what hints and references remember, and the attention over both from that over each.

Arrays here have channels last; a key is the concatenation of its heads' parts, each of unit length.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinct.hints import HintField

Array = NDArray[np.float32]

HEADS = 2
"""Ways in which the released network compares a place with the memory."""

KEY_STRIDE, REFERENCE_STRIDE = 4, 8
"""Working pixels to a key of the photograph, and to an item of a reference."""

HINT_BIAS = 3.0
"""Added to a hint's score, against the null item's: whoever places a hint means it for more than its own spot.
Chosen on held-out photographs (docs/experiments.md, "References")."""

_LEAST = 1e-30
"""A share of attention below which it is the same to be nothing."""


@dataclass(frozen=True, slots=True)
class Items:
    """Things to attend to.

    Attributes:
        keys: shape (M, heads * key).
        ab: CIE a*, b*, shape (M, 2).
        bias: logarithm of each one's weight, shape (M,).
        place: x and y divided by the longer side, shape (M, 2); None for items without one.
        signature: of the reference that they are patches of, shape (S,).
    """

    keys: Array
    ab: Array
    bias: Array
    place: Array | None = None
    signature: Array = field(default_factory=lambda: np.zeros(0, np.float32))

    def weighed(self, weight: float) -> Items:
        """The same items, each with this weight, above 0."""
        return replace(self, bias=np.full(len(self.keys), np.log(weight), np.float32))

    def inputs(self) -> dict[str, Array]:
        """As the network's graphs take them."""
        named = {"item_keys": self.keys, "item_ab": self.ab, "item_bias": self.bias}
        if self.place is not None:
            named["item_place"] = self.place
        return {name: np.ascontiguousarray(value[None], np.float32) for name, value in named.items()}


def hint_items(keys: NDArray[Any], hints: HintField) -> Items:
    """A memory item for each hint: its place's own key, and a little more weight than in training (`HINT_BIAS`).

    Args:
        keys: of the photograph, padding included, shape (h, w, heads * key).
        hints: placed at the working size.
    """
    x = np.array([point.x for point in hints.points], np.float32) + 0.5
    y = np.array([point.y for point in hints.points], np.float32) + 0.5
    found = _bilinear(keys, y / KEY_STRIDE - 0.5, x / KEY_STRIDE - 0.5)
    ab = np.array([point.ab for point in hints.points], np.float32)
    place = np.stack([x, y], -1) / (KEY_STRIDE * max(keys.shape[:2]))
    return Items(unit(found), ab, np.full(len(x), HINT_BIAS, np.float32), place.astype(np.float32))


def reference_items(keys: NDArray[Any], ab: Array, weight: float = 1.0) -> Items:
    """A memory item for each patch of a reference.

    Args:
        keys: of the reference, padding included, shape (h, w, heads * key).
        ab: CIE a*, b*, shape (H, W, 2), without padding; a last patch that is not whole is left out.
        weight: how much it counts beside others, above 0.
    """
    height, width = (max(n // REFERENCE_STRIDE, 1) for n in ab.shape[:2])
    pooled = block_means(keys, REFERENCE_STRIDE // KEY_STRIDE)[:height, :width]
    short = [(0, max(REFERENCE_STRIDE - n, 0)) for n in ab.shape[:2]]
    whole = np.pad(ab, (*short, (0, 0)), mode="symmetric")[
        : height * REFERENCE_STRIDE, : width * REFERENCE_STRIDE
    ]
    flat = unit(pooled.reshape(height * width, -1))
    colors = block_means(whole, REFERENCE_STRIDE).reshape(-1, 2)
    return Items(flat, colors, np.zeros(len(flat), np.float32)).weighed(weight)


def joined(items: list[Items]) -> Items:
    """Several references as one memory."""
    return Items(*(np.concatenate([getattr(one, name) for one in items]) for name in ("keys", "ab", "bias")))


def maps(near: NDArray[Any] | None, far: NDArray[Any] | None, height: int, width: int) -> Array:
    """What each place attends to, as the decoder takes it.

    Attention to hints and to references was found apart, each beside the null item. Relative to it the weights of
    both are known (share / null's share), so that those of one softmax over all of them follow exactly.

    Args:
        near, far: what `match` and `recall` found, (1, heads, h * w, 4): ab / 110, share, null's share; None is
            an empty memory.
    Returns:
        (1, heads * 6, h, w): for each head ab and share from hints, then from references.
    """
    parts = np.zeros((HEADS, height * width, 6), np.float32)
    given = [found for found in (near, far) if found is not None]
    totals = [1 / np.maximum(found[0, ..., 3:].astype(np.float32), _LEAST) for found in given]
    if len(given) == 2:
        whole = totals[0] + totals[1] - 1
        parts[..., :3] = given[0][0, ..., :3] * (totals[0] / whole)
        parts[..., 3:] = given[1][0, ..., :3] * (totals[1] / whole)
    elif near is not None:
        parts[..., :3] = near[0, ..., :3]
    elif far is not None:
        parts[..., 3:] = far[0, ..., :3]
    return np.ascontiguousarray(parts.transpose(0, 2, 1).reshape(1, HEADS * 6, height, width))


def share(found: NDArray[Any]) -> Array:
    """How much of the attention the memory took, from `maps`: shape (h, w), 0..1; the heads' mean."""
    parts = found[0].reshape(HEADS, 6, *found.shape[2:])
    taken: Array = np.clip((parts[:, 2] + parts[:, 5]).mean(0), 0, 1)
    return taken


def block_means(image: NDArray[Any], side: int) -> Array:
    """Means over blocks of `side` × `side`: (h * side, w * side, C) to (h, w, C)."""
    height, width, channels = image.shape
    if channels <= 4:
        import cv2

        size = (width // side, height // side)
        means = cv2.resize(np.ascontiguousarray(image, np.float32), size, interpolation=cv2.INTER_AREA)
        return np.asarray(means, np.float32).reshape(*size[::-1], channels)
    total = sum(
        np.asarray(image[row::side, column::side], np.float32)
        for row in range(side)
        for column in range(side)
    )
    return np.asarray(total / np.float32(side * side), np.float32)


def unit(keys: Array) -> Array:
    """Scale each head's part of (M, heads * key) to unit length."""
    parts = keys.reshape(len(keys), HEADS, -1)
    scaled = parts / np.maximum(np.linalg.norm(parts, axis=-1, keepdims=True), 1e-4)
    return np.ascontiguousarray(scaled.reshape(len(keys), -1), np.float32)


def _bilinear(keys: NDArray[Any], y: NDArray[Any], x: NDArray[Any]) -> Array:
    """Keys (h, w, C) at fractional rows and columns, clamped to the map: (M, C)."""
    height, width, _ = keys.shape
    y, x = np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)
    y0, x0 = np.minimum(y.astype(int), max(height - 2, 0)), np.minimum(x.astype(int), max(width - 2, 0))
    y1, x1 = np.minimum(y0 + 1, height - 1), np.minimum(x0 + 1, width - 1)
    v, u = (y - y0)[:, None], (x - x0)[:, None]
    top = keys[y0, x0] * (1 - u) + keys[y0, x1] * u
    bottom = keys[y1, x0] * (1 - u) + keys[y1, x1] * u
    return np.asarray(top * (1 - v) + bottom * v, np.float32)
