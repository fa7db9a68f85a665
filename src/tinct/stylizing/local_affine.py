"""Local affine maps of color, which carry a network's change of a small picture to the photograph's full size.

A network's small picture lacks the photograph's detail and adds a little of its own. Within a window the picture's
colors are taken as an affine map of the photograph's (He, Sun, Tang: Guided Image Filtering, PAMI 2013, section 3.5,
with all three channels as the guide; the model by which Luan et al., Deep Photo Style Transfer, CVPR 2017, keep
results photographic). The maps are smooth, so they are enlarged (He, Sun: Fast Guided Filter, 2015) and applied to the
full photograph: edges, grain and lettering are the photograph's own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinct.errors import ShapeError

Array = NDArray[np.float32]

RADIUS_SHARE = 1 / 128
"""Radius of a window in the small picture's longer sides: 4 pixels of 512. Wider ones keep a little more of the
photograph's edges and blur what has a border: towers against the sky, labels (docs/experiments.md, "Stylization")."""

EPSILON = 1e-4
"""Variance of color (sRGB, 0..1) below which a window says nothing about how colors change with each other."""

_AT_ONCE = 4
"""Channels that OpenCV enlarges fastest together."""


class LocalAffine:
    """Maps from the photograph's colors to a picture's, fitted at a small size and applied at the full size.

    The change is what is fitted, so that a window without contrast keeps the photograph's own grain.

    Args:
        guide: the photograph, sRGB, shape (h, w, 3), 0..1.
        picture: the network's picture of the photograph, sRGB, shape (h, w, 3), 0..1.
        size: height and width of the full photograph.
        epsilon: see `EPSILON`.
    Raises:
        ShapeError: if guide and picture differ in size.
    """

    def __init__(self, guide: Array, picture: Array, size: tuple[int, int], epsilon: float = EPSILON) -> None:
        if guide.shape != picture.shape:
            raise ShapeError(f"the picture is {picture.shape}, the guide {guide.shape}; they must be equal.")
        self.size = size
        radius = max(1, round(max(guide.shape[:2]) * RADIUS_SHARE))
        self._maps = _fitted(guide, picture, radius, epsilon)

    def rows(self, top: int, bottom: int, rgb: Array) -> Array:
        """Rows of the full photograph in the picture's colors.

        Args:
            top, bottom: the rows, bottom exclusive.
            rgb: the photograph's own rows, sRGB, shape (bottom - top, W, 3), 0..1.
        Returns:
            sRGB of the same shape, clipped to 0..1.
        """
        maps = self._enlarged(top, bottom)
        changed = np.einsum("ywcd,ywd->ywc", maps[..., :3], rgb) + maps[..., 3]
        return np.clip(rgb + changed, 0, 1).astype(np.float32, copy=False)

    def _enlarged(self, top: int, bottom: int) -> Array:
        """The maps of full rows, bilinearly: (rows, W, 3, 4)."""
        import cv2

        height = len(self._maps)
        at = np.clip((np.arange(top, bottom) + 0.5) * height / self.size[0] - 0.5, 0, height - 1)
        above = np.minimum(at.astype(int), max(height - 2, 0))
        below, share = np.minimum(above + 1, height - 1), (at - above).astype(np.float32)[:, None, None]
        mixed = self._maps[above] * (1 - share) + self._maps[below] * share
        full = (self.size[1], bottom - top)
        parts = [
            cv2.resize(
                np.ascontiguousarray(mixed[..., i : i + _AT_ONCE]), full, interpolation=cv2.INTER_LINEAR
            )
            for i in range(0, mixed.shape[-1], _AT_ONCE)
        ]
        return np.stack(parts, 2).astype(np.float32, copy=False)


def _fitted(guide: Array, picture: Array, radius: int, epsilon: float) -> Array:
    """For each place the map of the change: (h, w, 12), three rows of a 3 x 4 matrix."""
    side = 2 * radius + 1
    own, change = np.asarray(guide, np.float32), np.asarray(picture - guide, np.float32)
    mean, mean_change = _box(own, side), _box(change, side)
    products = own[..., :, None] * own[..., None, :]
    covariance = _box(products, side) - mean[..., :, None] * mean[..., None, :]
    crossed = (
        _box(own[..., :, None] * change[..., None, :], side) - mean[..., :, None] * mean_change[..., None, :]
    )
    slope = np.linalg.solve(covariance + epsilon * np.eye(3, dtype=np.float32), crossed)
    offset = mean_change - np.einsum("ywdc,ywd->ywc", slope, mean)
    whole = np.concatenate([slope.swapaxes(-1, -2), offset[..., None]], -1)
    return _box(whole, side).reshape(*guide.shape[:2], -1)


def _box(planes: Array, side: int) -> Array:
    """Means over squares, plane by plane: (h, w, ...) of the same shape."""
    import cv2

    flat = planes.reshape(*planes.shape[:2], -1)
    means = [
        cv2.blur(np.ascontiguousarray(flat[..., i]), (side, side), borderType=cv2.BORDER_REFLECT)
        for i in range(flat.shape[-1])
    ]
    return np.stack(means, -1).astype(np.float32, copy=False).reshape(planes.shape)
