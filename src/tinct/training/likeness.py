"""Relatives by the features of a pretrained network: the likest photographs of a whole pool, compared in gray.

He et al. (Deep Exemplar-based Colorization, SIGGRAPH 2018) find references so; class names are not used.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from tinct.color.lab_torch import rgb_to_lab
from tinct.networks.layers.efficientnet_lite import EfficientNetLite2, take_pretrained
from tinct.training.frozen_backbone import FrozenBackbone
from tinct.training.labels import NOT_RELATED, RELATIVES
from tinct.training.photographs import Photographs

SIDE, BATCH = 160, 16
"""Photographs are squashed to this side, and so many looked at together."""

SAME = 0.98
"""Photographs whose descriptions have a greater cosine are one photograph twice, and no reference of each other."""

Progress = Callable[[int, int], None]


@torch.no_grad()
def descriptions(photographs: Photographs, progress: Progress | None = None) -> NDArray[np.float32]:
    """The last features of EfficientNet-Lite2 for each photograph's lightness, averaged and of unit length.

    Returns:
        Shape (N, 1280).
    """
    backbone = EfficientNetLite2()
    take_pretrained(backbone)
    network = FrozenBackbone(backbone)
    found = []
    for start in range(0, len(photographs.entries), BATCH):
        rows = range(start, min(start + BATCH, len(photographs.entries)))
        lightness = torch.cat([_lightness(photographs, row) for row in rows])
        pooled = network((lightness - 50) / 50, backbone).head.mean((2, 3))
        found.append(F.normalize(pooled, dim=1))
        if progress is not None:
            progress(rows.stop, len(photographs.entries))
    return torch.cat(found).numpy()


def likest(described: NDArray[np.float32], count: int = RELATIVES) -> NDArray[np.int32]:
    """The other photographs with the likest descriptions, likest first: (N, K) indices, -1 where there are no more."""
    total = len(described)
    count = max(1, min(count, total - 1))
    related = np.empty((total, count), np.int32)
    for start in range(0, total, 1024):
        rows = np.arange(start, min(start + 1024, total))
        affinity = described[rows] @ described.T
        affinity[affinity > SAME] = -1
        best = np.argpartition(-affinity, count - 1, axis=1)[:, :count]
        found = np.take_along_axis(affinity, best, 1)
        order = np.argsort(-found, 1, kind="stable")
        best, found = np.take_along_axis(best, order, 1), np.take_along_axis(found, order, 1)
        related[rows] = np.where(found > 0, best, NOT_RELATED)
    return related


def _lightness(photographs: Photographs, row: int) -> torch.Tensor:
    """L* (1, 1, SIDE, SIDE) of one photograph, squashed."""
    height, width = photographs.sizes[row]
    photo = np.array(photographs.pixels[row, :height, :width])
    rgb = torch.from_numpy(photo).permute(2, 0, 1)[None].float() / 255
    squashed = F.interpolate(rgb, size=(SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False)
    return rgb_to_lab(squashed)[:, :1]
