"""The descriptor of a photograph (`tinct.networks.descriptor.likeness`), whatever its size and shape."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tinct.networks.descriptor import likeness
from tinct.networks.descriptor.likeness import SIDE, describe_all
from tinct.photo import Photo

Array = NDArray[np.float32]

_LONGEST = 4
"""A photograph is looked at with its longer side at most so many times `SIDE`; panoramas lose width."""


def describe(photo: Photo) -> Array:
    """The descriptor of a photograph, of unit length.

    Raises:
        WeightsError: if the network's file is missing or damaged.
    """
    found: Array = describe_all([squashed(photo)])[0]
    return found


def squashed(photo: Photo) -> Array:
    """The lightness of a photograph, L* 0..100, squashed to (SIDE, SIDE)."""
    ratio = max(photo.width, photo.height) / min(photo.width, photo.height)
    return likeness.squashed(photo.working_lightness(math.ceil(SIDE * min(ratio, _LONGEST))))
