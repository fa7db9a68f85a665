"""Frozen networks, published by others, that some metrics run: their sources, licenses and hashes.

tinct ships none of them. Their files are looked for in a folder that the caller names, in the folders of TINCT_FROZEN
and TINCT_SHARED (its `weights`), and in the user's cache; `fetch` downloads a file from its official source into the
cache.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tinct.errors import WeightsError
from tinct.files import cache_folder, sha256_of_file


@dataclass(frozen=True, slots=True)
class FrozenFile:
    """One file of a frozen network.

    Attributes:
        name: the file's name.
        sha256: of the content in hexadecimal, or as many leading digits as the publisher gives (torch's hub: eight).
        url: the official source; None for a repacked copy, which can be used but not downloaded.
    """

    name: str
    sha256: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class FrozenNetwork:
    """A frozen network.

    Attributes:
        summary: the network, and the metric that runs it.
        license: as the publisher states it.
        files: the same weights in several layouts; any one of them will do.
    """

    summary: str
    license: str
    files: tuple[FrozenFile, ...]


FROZEN: dict[str, FrozenNetwork] = {
    "squeezenet": FrozenNetwork(
        summary="SqueezeNet 1.1 trained on ImageNet: the backbone of LPIPS (squeeze)",
        license="BSD-3-Clause (torchvision)",
        files=(
            FrozenFile(
                "squeezenet1_1-b8a52dc0.pth",
                "b8a52dc049b60e4b6ab68ad0df457362afab8b6304b2febdc1650a5dab4d7e7b",
                "https://download.pytorch.org/models/squeezenet1_1-b8a52dc0.pth",
            ),
            FrozenFile(
                "squeezenet1_1_statedict_f16.npz",
                "f414890cc32604b4fe3867f3f6e63703c32ba1f2fee96413d40bfa7754b3dc89",
            ),
        ),
    ),
    "lpips-heads": FrozenNetwork(
        summary="the linear heads of LPIPS (squeeze), version 0.1",
        license="BSD-2-Clause (richzhang/PerceptualSimilarity)",
        files=(
            FrozenFile(
                "lpips_v0.1_squeeze_heads.pth",
                "4a5350f23600cb79923ce65bb07cbf57dca461329894153e05a1346bd531cf76",
                "https://raw.githubusercontent.com/richzhang/PerceptualSimilarity/master/lpips/weights/v0.1/squeeze.pth",
            ),
        ),
    ),
    "classifier": FrozenNetwork(
        summary="MobileNet-EdgeTPU 1.0 (224, uint8) trained on ImageNet: semantic agreement",
        license="Apache-2.0 (MLCommons mobile models)",
        files=(
            FrozenFile(
                "mobilenet_edgetpu_224_1.0_uint8.tflite",
                "5d63cb8ebd518217794221bbcb929ebb89c5ec37d736429a95650e88f9e904fa",
                "https://github.com/mlcommons/mobile_models/raw/main/v0_7/tflite/mobilenet_edgetpu_224_1.0_uint8.tflite",
            ),
        ),
    ),
    "vgg19": FrozenNetwork(
        summary="VGG-19 trained on ImageNet: the encoder that stylization networks are trained with",
        license="BSD-3-Clause (torchvision)",
        files=(
            FrozenFile(
                "vgg19-dcbb9e9d.pth",
                "dcbb9e9d",
                "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
            ),
            FrozenFile(
                "vgg19_normalised_conv0_to_conv3_4_fp16.npz",
                "d962f513574d1b673182e6ff2755cf82798d231418dc5af94916d99a1d3787bf",
            ),
        ),
    ),
    "inception": FrozenNetwork(
        summary="Inception v3 of 2015-12-05, TensorFlow's weights in PyTorch's layout: FID",
        license="Apache-2.0 (mseitzer/pytorch-fid)",
        files=(
            FrozenFile(
                "pt_inception-2015-12-05-6726825d.pth",
                "6726825d",
                "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",
            ),
        ),
    ),
}
"""The frozen networks, by the names that metrics use."""


def frozen_folder() -> Path:
    """The folder of downloaded networks: `frozen` in the cache folder (`tinct.files.cache_folder`)."""
    return cache_folder() / "frozen"


def locate(name: str, folder: Path | None = None, *, download: bool = False) -> Path:
    """The path of a frozen network's file, after a check of its hash.

    Args:
        name: one of `FROZEN`.
        folder: looked in first; then TINCT_FROZEN, TINCT_SHARED/weights and the user's cache.
        download: download the file from its official source if no folder has it.
    Raises:
        WeightsError: if there is no such network, no folder has a file of it, or a file's hash differs.
    """
    network = _network(name)
    for place in _places(folder):
        for file in network.files:
            path = place / file.name
            if path.is_file():
                _check(path, file)
                return path
    if download:
        return fetch(name)
    source = next(file for file in network.files if file.url)
    raise WeightsError(
        f"{name} is missing; fetch {source.url} as {source.name} into the folder $TINCT_FROZEN."
    )


def fetch(name: str, folder: Path | None = None) -> Path:
    """Download a frozen network from its official source; a file with another hash is not kept.

    Args:
        name: one of `FROZEN`.
        folder: where to keep the file; None is the user's cache.
    Raises:
        WeightsError: if the download fails, or its hash differs.
    """
    from urllib.request import urlopen

    file = next(file for file in _network(name).files if file.url)
    place = folder or frozen_folder()
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place) as scratch:
            partial = Path(scratch) / file.name
            with urlopen(str(file.url), timeout=60) as source, partial.open("wb") as target:
                while block := source.read(1 << 20):
                    target.write(block)
            _check(partial, file)
            partial.replace(place / file.name)
    except OSError as error:
        raise WeightsError(
            f"{file.url} cannot be fetched ({error}); download it yourself as {place / file.name}."
        ) from error
    return place / file.name


def _network(name: str) -> FrozenNetwork:
    try:
        return FROZEN[name]
    except KeyError:
        raise WeightsError(
            f"no frozen network is called {name!r}; choose one of {', '.join(FROZEN)}."
        ) from None


def _places(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        yield Path(folder)
    if named := os.environ.get("TINCT_FROZEN"):
        yield Path(named)
    if shared := os.environ.get("TINCT_SHARED"):
        yield Path(shared) / "weights"
    yield frozen_folder()


def _check(path: Path, file: FrozenFile) -> None:
    found = sha256_of_file(path)
    if not found.startswith(file.sha256):
        raise WeightsError(
            f"{path} has SHA-256 {found[:9]}, not {file.sha256[:9]} as published; delete it and fetch again."
        )
