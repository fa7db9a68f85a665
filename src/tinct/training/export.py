"""From trained weights to released files: ONNX graphs of any size with half-precision weights, and the manifest."""

from __future__ import annotations

import json
import logging
import os
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tinct.networks.tinct.graphs import cut
from tinct.networks.tinct.network import MAP_CHANNELS_PER_HEAD, Tinct
from tinct.networks.tinct.ports import HALF, INPUTS, OUTPUTS
from tinct.weights import MANIFEST_FILE
from tinct.weights.checksum import file_sha256

ONNX_OPSET = 18
CHANNELS_FIRST = ("lightness", "maps", "hint_map")
"""Inputs whose channels stand before height and width."""

SMALL = 1024
"""Weights of fewer numbers stay in single precision."""


def export(model: Tinct, centers: Tensor, out: Path) -> list[Path]:
    """Write a graph for each of `PARTS`, `tinct.PART.onnx`.

    Args:
        model: the trained network; its batch normalizations are folded, its training-only heads left out.
        centers: of the ab bins, (313, 2).
        out: the folder, made if need be.
    """
    graphs = cut(model.cpu().float(), centers.cpu())
    examples = _examples(graphs)
    out.mkdir(parents=True, exist_ok=True)
    files = []
    for part, graph in graphs.items():
        files.append(out / f"tinct.{part}.onnx")
        given = zip(INPUTS[part], examples[part], strict=True)
        axes = {name: _free_axes(name, tensor.ndim) for name, tensor in given}
        write_graph(graph, examples[part], axes, OUTPUTS[part], files[-1])
        halve_weights(files[-1])
    return files


@dataclass(frozen=True)
class Making:
    """How weights were made, as the manifest states it; see `tinct.weights.Weights`.

    Attributes:
        training_data: what they were trained on, in a line.
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


def release(model: Tinct, centers: Tensor, folder: Path, making: Making) -> dict[str, Path]:
    """Export into a weights folder and write the manifest's entries; returns the files by their names there."""
    files = {file.stem: file for file in export(model, centers, folder)}
    add_to_manifest(files, folder, making)
    return files


def add_to_manifest(files: Mapping[str, Path], folder: Path, making: Making) -> None:
    """Write the manifest's entries of files by their names; those of other files stay."""
    manifest = folder / MANIFEST_FILE
    entries = json.loads(manifest.read_text()) if manifest.exists() else {}
    stated = {name: value for name, value in asdict(making).items() if value}
    for name, file in files.items():
        own = {"file": file.name, "sha256": file_sha256(file), "license": "MIT"}
        entries[name] = own | {"training_data": making.training_data} | stated
    write_manifest(entries, manifest)


def write_manifest(entries: Mapping[str, Any], manifest: Path) -> None:
    """Write a manifest's entries by name, atomically."""
    part = manifest.with_suffix(".part")
    part.write_text(json.dumps(entries, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    os.replace(part, manifest)


def _examples(graphs: Mapping[str, nn.Module]) -> dict[str, tuple[Tensor, ...]]:
    """Inputs to trace each graph with; their sizes, all different, are not kept."""
    lightness = torch.rand(1, 1, 96, 128) * 100
    with torch.no_grad():
        keys, *shares = graphs["encode"](lightness)
        items = (keys, torch.rand(1, 5, keys.shape[-1]), torch.rand(1, 5, 2), torch.zeros(1, 5))
        heads = graphs["match"](*items, torch.rand(1, 5, 2)).shape[1]
    maps = torch.rand(1, heads * MAP_CHANNELS_PER_HEAD, 24, 32)
    decoder = (*shares, maps, torch.zeros(1, 3, 48, 64))
    return {
        "encode": (lightness,),
        "match": (*items, torch.rand(1, 5, 2)),
        "recall": items,
        "decode": decoder,
        "distribution": decoder[1:],
    }


def write_graph(
    graph: nn.Module,
    example: tuple[Tensor, ...],
    axes: Mapping[str, Mapping[int, str]],
    outputs: tuple[str, ...],
    file: Path,
) -> None:
    """Write an ONNX file.

    Args:
        example: inputs to trace with.
        axes: for each input, in order, its name and its axes that may have any size, by name.
        outputs: names.
    """
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter(
            "ignore"
        )  # the tracing exporter is deprecated; the other writes no free sizes here
        torch.onnx.export(
            graph,
            example,
            str(file),
            input_names=list(axes),
            output_names=list(outputs),
            dynamic_axes={name: dict(free) for name, free in axes.items()},
            opset_version=ONNX_OPSET,
            dynamo=False,
            # a folded constant loses the name by which `released_graph` finds it
            do_constant_folding=False,
        )


def _free_axes(name: str, rank: int) -> dict[int, str]:
    if rank < 4:
        return {0: "batch", 1: "items"}
    row, column = (2, 3) if name in CHANNELS_FIRST else (1, 2)
    return {0: "batch", row: f"{name}_height", column: f"{name}_width"}


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
