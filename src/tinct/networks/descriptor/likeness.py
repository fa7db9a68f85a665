"""The descriptor of lightness: a unit vector whose scalar product with another's is the likeness of two photographs.

The network is EfficientNet-Lite2 on the lightness (`tinct.networks.descriptor.network`); docs/models/descriptor.md
says how well descriptors tell related photographs from unrelated ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from tinct.inference import Network, open_network
from tinct.weights import manifest, weights_path

Array = NDArray[np.float32]

NAME = "descriptor"
"""The released file's name in the manifest."""

SIDE = 224
"""Side in pixels of the squares that photographs are squashed to."""

NUMBERS = 352
"""Length of a descriptor."""


def describe_all(squares: Sequence[Array], *, threads: int | None = None) -> Array:
    """The descriptors of squashed lightness, shape (N, NUMBERS), each of unit length.

    Args:
        squares: lightness as `squashed` gives it.
        threads: CPU threads; None takes all cores.
    Raises:
        WeightsError: if the network's file is missing or damaged.
    """
    outputs = _network(threads).run(lightness=np.stack(squares)[:, None])
    return np.asarray(outputs[NAME], np.float32)


def squashed(lightness: Array) -> Array:
    """Lightness, L* 0..100, shape (h, w), squashed to (SIDE, SIDE)."""
    how = cv2.INTER_AREA if min(lightness.shape) >= SIDE else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(lightness, (SIDE, SIDE), interpolation=how), np.float32)


def network_sha256() -> str:
    """The hash of the network's file: descriptors of different files cannot be compared.

    Raises:
        WeightsError: if the manifest has no such file.
    """
    weights_path(NAME)
    return manifest()[NAME].sha256


def _network(threads: int | None) -> Network:
    # single precision everywhere: an index is compared with descriptors that another machine may have computed
    return open_network(weights_path(NAME), device="cpu", precision="f32", threads=threads)
