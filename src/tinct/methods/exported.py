"""Running exported networks: open them by name, pad inputs to sizes that fit, and say how to get missing weights."""

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
"""The requirement that pip installs the papers' weights by."""

_CHANNELS = 128
"""The most channels of an image that OpenCV resizes."""


def exported_network(name: str) -> Network:
    """Open an exported network by its name in the manifest.

    Raises:
        WeightsError: if the weights are not installed, or are damaged.
    """
    known = manifest()
    if not installed(name, entries=known):
        raise WeightsError(missing_weights_message(name))
    return open_network(weights_path(name, entries=known))


def missing_weights_message(name: str) -> str:
    """One line on how to get missing weights."""
    train = f"tinct train {training_name(name)} --data PHOTOS --out RUN; tinct export RUN"
    if papers_folder():
        return f"the weights {name!r} are not installed; name their folder in TINCT_WEIGHTS, or train them: {train}"
    return f"the weights {name!r} are not installed: pip install '{PAPERS_EXTRA}', or train them: {train}"


def training_name(name: str) -> str:
    """The name that `tinct train` has for the network of an entry of the manifest; a part's name follows a point."""
    return name.partition(".")[0]


def sha256_of(names: Sequence[str]) -> str:
    """One hash of exported files, from the hashes in the manifest: a single file's own, or the hash of several.

    Args:
        names: of the files in the manifest.
    Raises:
        WeightsError: if a file is not installed.
    """
    known = manifest()
    for name in names:
        if not installed(name, entries=known):
            raise WeightsError(missing_weights_message(name))
    hashes = [known[name].sha256 for name in names]
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


def mirrored(image: Array, multiple: int, least: int = 1) -> Array:
    """Pad an image at its right and lower edges by mirroring.

    Args:
        image: shape (H, W) or (H, W, C).
        multiple: both sides become multiples of it.
        least: the least length of a side, in pixels.
    """
    height, width = image.shape[:2]
    below, right = (max(-n % multiple + n, least) - n for n in (height, width))
    return np.pad(image, ((0, below), (0, right), *[(0, 0)] * (image.ndim - 2)), mode="symmetric")


def unpadded(output: NDArray[Any], padded: tuple[int, ...], size: tuple[int, int]) -> Array:
    """A network's output for a padded photograph, enlarged bilinearly and cropped.

    Args:
        output: the output, shape (h, w, C).
        padded: height and width of the padded photograph.
        size: height and width before padding.
    Returns:
        Shape (height, width, C), float32.
    """
    import cv2

    whole = np.ascontiguousarray(output, np.float32)
    if whole.shape[:2] != padded[:2]:
        size_of_all = (padded[1], padded[0])
        whole = np.asarray(cv2.resize(whole, size_of_all, interpolation=cv2.INTER_LINEAR), np.float32)
    return np.ascontiguousarray(whole.reshape(*padded[:2], -1)[: size[0], : size[1]])


def hint_planes(hints: HintField, padded: tuple[int, ...]) -> Array:
    """Hints as a network takes them, shape (H, W, 3): a* and b* times the mask, and the mask; zero in the padding."""
    full = np.zeros((*padded, 3), np.float32)
    row, column = hints.pixels()
    mask = hints.mask[row, column][:, None]
    full[row, column] = np.hstack([hints.ab[row, column] * mask, mask])
    return full


def channels_first(image: Array) -> Array:
    """An image, (H, W) or (H, W, C), as a batch of one, (1, C, H, W), float32."""
    planes = image[None] if image.ndim == 2 else image.transpose(2, 0, 1)
    return np.ascontiguousarray(planes[None], np.float32)


def bilinear(image: NDArray[Any], size: tuple[int, int]) -> Array:
    """A map (h, w, C) with any number of channels at another height and width of the same photograph, bilinearly.

    OpenCV enlarges 128 channels at a time. A matrix product would leave the threads of BLAS waiting in a loop for the
    next one, beside which the engine has half of its cores (docs/experiments.md, "Speed").
    """
    import cv2

    if image.shape[:2] == size:
        return np.asarray(image, np.float32)
    parts = (image[..., start : start + _CHANNELS] for start in range(0, image.shape[2], _CHANNELS))
    resized = (
        cv2.resize(np.ascontiguousarray(part, np.float32), size[::-1], interpolation=cv2.INTER_LINEAR)
        for part in parts
    )
    return np.concatenate([part.reshape(*size, -1) for part in resized], -1)


def scalar_products(ones: Array, others: Array) -> Array:
    """The scalar products of rows (N, D) and rows (M, D): (N, M).

    OpenCV computes them: BLAS leaves its threads waiting, as `bilinear` says.
    """
    import cv2

    nothing = np.zeros((0, 0), np.float32)
    found = cv2.gemm(ones, np.ascontiguousarray(others, np.float32), 1, nothing, 0, flags=cv2.GEMM_2_T)
    return np.asarray(found, np.float32)


def at_longer_side(lightness: Array, longer_side: int, multiple: int) -> Array:
    """A photograph for networks that know things by their size: shrunk or enlarged, whatever its working size.

    Args:
        lightness: CIE L*, shape (H, W).
        longer_side: in pixels of the result.
        multiple: both sides are rounded to multiples of it.
    """
    import cv2

    scale = longer_side / max(lightness.shape)
    height, width = (max(round(n * scale / multiple), 1) * multiple for n in lightness.shape)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(lightness, (width, height), interpolation=how), np.float32)
