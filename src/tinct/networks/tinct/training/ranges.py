"""The largest inputs of a released network's convolutions, with which CPUs compute them in 8 bits."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from tinct.errors import OptionError
from tinct.inference.eight_bits import Ranges, convolutions
from tinct.inference.openvino_engine import engine
from tinct.networks.tinct.training.looking import Look
from tinct.training.automatic import draw_batch
from tinct.training.export import write_manifest
from tinct.training.photographs import Photographs
from tinct.training.pool import Pool
from tinct.weights import MANIFEST_FILE, read_manifest

NAME = "tinct.encode"
"""The file that is measured: most of the released network's parameters. The parts after the encoder work on colors,
where rounding to 8 bits shows."""

BATCH, SIZE = 8, 256
"""Photographs a batch, and their sides in pixels."""


def measure(weights: Path, packed: Path, count: int = 512) -> Ranges:
    """Measure on photographs that are not held out, half of them as old ones, and write the ranges into the manifest.

    Args:
        weights: a folder of weights, as `tinct export` writes it.
        packed: what `tinct data pack` wrote.
        count: of photographs.
    Raises:
        WeightsError: if the folder has no manifest.
        OptionError: if it has no such network.
    """
    manifest = weights / MANIFEST_FILE
    entry = read_manifest(manifest).get(NAME)
    if entry is None:
        raise OptionError(f"{manifest} has no {NAME}; export a run of tinct there first.")
    pool = Pool.open(Photographs.load(packed), None, torch.device("cpu"))
    torch.manual_seed(0)
    look = Look(pool.weights.device)
    drawn = (look.inputs(draw_batch(pool, BATCH, SIZE, old=True).lightness) for _ in range(0, count, BATCH))
    ranges = largest_inputs(weights / entry.file, drawn)
    content = json.loads(manifest.read_text(encoding="utf-8"))
    content[NAME]["ranges"] = ranges
    write_manifest(content, manifest)
    return ranges


def largest_inputs(file: Path, batches: Iterable[Mapping[str, NDArray[np.float32]]]) -> dict[str, float]:
    """The largest input of each convolution whose inputs are never negative, by the name of its weights.

    Args:
        file: a network.
        batches: its inputs by name, batch after batch; inputs that it does not have are passed over.
    """
    from tinct.inference.openvino_runtime import openvino

    model = engine().read_model(file)
    found = dict(convolutions(model))
    names = list(found)
    inner = openvino.Model([node.input_value(0) for node in found.values()], model.get_parameters())
    compiled = engine().compile_model(inner, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    least, largest = np.zeros(len(names)), np.zeros(len(names))
    inputs = {name for port in model.inputs for name in port.get_names()}
    for batch in batches:
        values = compiled({name: value for name, value in batch.items() if name in inputs})
        for i in range(len(names)):
            least[i], largest[i] = min(least[i], values[i].min()), max(largest[i], values[i].max())
    return {
        name: round(float(high), 3)
        for name, low, high in zip(names, least, largest, strict=True)
        if low >= 0 < high
    }
