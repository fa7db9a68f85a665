"""From trained weights to released files: ONNX graphs of any size with weights in 16 or 8 bits, and the manifest."""

from __future__ import annotations

import json
import logging
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tinct.errors import OptionError, TrainingError
from tinct.files import write_whole
from tinct.inference.interface import BYTES, HALF, SCALE
from tinct.networks.graph import Graph, Release
from tinct.tables import dataclass_from
from tinct.weights import MANIFEST_FILE, read_manifest
from tinct.weights.checksum import file_sha256

ONNX_OPSET = 18
"""Version of ONNX's operators that files are written in."""

SMALL = 1024
"""Weights of fewer numbers stay in single precision."""


def export(graphs: Sequence[Graph], name: str, folder: Path) -> dict[str, Path]:
    """Write a network's graphs as ONNX files with weights in half precision, or in 8 bits where a graph asks for it.

    Args:
        name: what the files are called; each graph adds its part.
        folder: made if need be.
    Returns:
        The files by their names in the manifest.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for graph in graphs:
        files[name + graph.part] = file = folder / f"{name}{graph.part}.onnx"
        write_graph(graph, file)
        if graph.in_bytes:
            store_in_bytes(file)
        else:
            halve_weights(file)
    return files


@dataclass(frozen=True)
class Making:
    """How weights were made, as the manifest states; see `tinct.weights.Weights`.

    Attributes:
        training_data: the photographs trained on, in a line.
        score: metric -> figure, under the protocol that the model card names.
        network: the numbers of the network that differ from its defaults.
        command: the line that trained them.
        steps: for how long.
    """

    training_data: str
    score: Mapping[str, float] = field(default_factory=dict)
    network: Mapping[str, Any] = field(default_factory=dict)
    command: str = ""
    steps: int = 0


def release(graphs: Sequence[Graph], name: str, folder: Path, making: Making) -> dict[str, Path]:
    """Export into a weights folder and write the manifest's entries; returns the files by their names there."""
    _entries(folder / MANIFEST_FILE)  # a damaged one is refused before any file is replaced
    files = export(graphs, name, folder)
    add_to_manifest(files, folder, making, {name + graph.part: graph.license for graph in graphs})
    return files


def trained(form: Release, numbers: Mapping[str, Any], state: Mapping[str, Tensor]) -> nn.Module:
    """The network of a run, without the parts that only training needs, in evaluation mode.

    Args:
        form: the network's.
        numbers: the table [network] of the run's config.
        state: the run's averaged weights.
    Raises:
        OptionError: if the network has no such numbers, or the weights are of a network with others.
    """
    model = form.network(dataclass_from(form.config, numbers, "network"))
    prefix = form.prefix
    own = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    try:
        model.load_state_dict(own)
    except RuntimeError:
        raise OptionError(
            "the run's weights are of a network with other numbers than [network] in its config; mend the config."
        ) from None
    return model.eval()


def add_to_manifest(
    files: Mapping[str, Path], folder: Path, making: Making, licenses: Mapping[str, str]
) -> None:
    """Write the manifest's entries of files by their names, with their licenses; those of other files stay.

    Raises:
        WeightsError: if the folder's manifest is damaged.
        TrainingError: if a score is no number.
    """
    manifest = folder / MANIFEST_FILE
    entries = _entries(manifest)
    stated = {name: value for name, value in asdict(making).items() if value}
    wrong = [name for name, value in (stated.get("score") or {}).items() if not math.isfinite(value)]
    if wrong:
        raise TrainingError(
            f"the run's score {wrong[0]} is no number: its weights are of no use; train it again."
        )
    for name, file in files.items():
        own = {"file": file.name, "sha256": file_sha256(file), "license": licenses[name]}
        entries[name] = own | {"training_data": making.training_data} | stated
    write_manifest(entries, manifest)


def _entries(manifest: Path) -> dict[str, Any]:
    """The entries of a manifest as they stand in it; none if there is no such file."""
    if not manifest.exists():
        return {}
    read_manifest(manifest)  # refuses a damaged one
    entries: dict[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))
    return entries


def write_manifest(entries: Mapping[str, Any], manifest: Path) -> None:
    """Write a manifest's entries by name, atomically."""
    write_whole(manifest, json.dumps(entries, indent=2, sort_keys=True) + "\n")


def write_graph(graph: Graph, file: Path) -> None:
    """Write an ONNX file of one graph, as it is."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), torch.no_grad():
        # the tracing exporter is deprecated; the other writes no free sizes here
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph.module,
            graph.example,
            str(file),
            input_names=list(graph.axes),
            output_names=list(graph.outputs),
            dynamic_axes={name: dict(free) for name, free in graph.axes.items()},
            opset_version=ONNX_OPSET,
            dynamo=False,
            # a folded constant loses the name by which `released_graph` finds it
            do_constant_folding=False,
        )


def halve_weights(file: Path) -> None:
    """Store big weights as half precision, cast back where they are used; engines compute as they like."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(str(file))
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or int(np.prod(tensor.dims)) < SMALL:
            continue
        name, values = tensor.name, numpy_helper.to_array(tensor).astype(np.float16)
        tensor.CopyFrom(numpy_helper.from_array(values, name + HALF))
        casts.append(helper.make_node("Cast", [name + HALF], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    onnx.save(model, str(file))


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
        tensor.CopyFrom(numpy_helper.from_array(stored, name + BYTES))
        added.append(numpy_helper.from_array(scale.astype(np.float32), name + SCALE))
        inputs = [name + BYTES, name + SCALE]
        nodes.append(helper.make_node("DequantizeLinear", inputs, [name], axis=0))
    model.graph.initializer.extend(added)
    kept = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*nodes, *kept])
    onnx.checker.check_model(model)
    onnx.save(model, str(file))
