"""The descriptor of a photograph: a unit vector whose scalar product with another's is their likeness.

The network is EfficientNet-Lite2 on the lightness (`tinct.networks.descriptor.network`); docs/models/descriptor.md
says how well descriptors tell related photographs from unrelated ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from tinct.inference import Network, open_network
from tinct.photo import Photo
from tinct.photo.borders import picture_within
from tinct.photo.fading import unfaded
from tinct.photo.picture import LOOKED_AT
from tinct.weights import manifest, weights_path

Array = NDArray[np.float32]

NAME = "descriptor"
"""The released file's name in the manifest."""

SIDE = 224
"""Side in pixels of the squares that photographs are squashed to."""

NUMBERS = 352
"""Length of a descriptor."""

_LONGEST = 4
"""A photograph is looked at with its longer side at most so many times `SIDE`; panoramas lose width."""


def describe(photo: Photo) -> Array:
    """The descriptor of a photograph, shape (NUMBERS,), of unit length.

    Raises:
        WeightsError: if the network's file is missing or damaged.
    """
    found: Array = describe_all([squashed(photo)])[0]
    return found


def describe_all(squares: Sequence[Array]) -> Array:
    """The descriptors of squashed lightness, shape (N, NUMBERS); arguments as `squashed` gives them."""
    outputs = _network().run(lightness=np.stack(squares)[:, None])
    return np.asarray(outputs[NAME], np.float32)


def squashed(photo: Photo) -> Array:
    """The lightness of a photograph, L* 0..100, squashed to (SIDE, SIDE): of the picture in it, and not faded.

    Borders are left out, and tones that span little are spread (`tinct.photo.borders`,
    `tinct.photo.fading`).
    """
    ratio = max(photo.width, photo.height) / min(photo.width, photo.height)
    longest = math.ceil(SIDE * min(ratio, _LONGEST))
    picture = picture_within(photo.working_lightness(LOOKED_AT))
    if picture is not None:
        longest = picture.longer_side_of_whole(longest, (photo.height, photo.width))
    lightness = photo.working_lightness(longest)
    if picture is not None:
        lightness = lightness[picture.inner(lightness.shape)]
    smaller = min(lightness.shape) >= SIDE
    how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    shown = unfaded(np.ascontiguousarray(lightness))
    return np.asarray(cv2.resize(shown, (SIDE, SIDE), interpolation=how), np.float32)


def network_sha256() -> str:
    """The hash of the network's file: descriptors of different files cannot be compared.

    Raises:
        WeightsError: if the manifest has no such file.
    """
    weights_path(NAME)
    return manifest()[NAME].sha256


def _network() -> Network:
    # single precision everywhere: an index is compared with descriptors that another machine may have computed
    return open_network(weights_path(NAME), device="cpu", precision="f32")
