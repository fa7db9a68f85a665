"""The largest inputs of a released network's convolutions, with which CPUs compute them in 8 bits."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from tinct.color.bins import AB_SCALE
from tinct.errors import OptionError
from tinct.hints import Hint, HintField, place_hints
from tinct.inference.eight_bits import Ranges, convolutions
from tinct.inference.openvino_engine import engine
from tinct.methods import Reference, WeighedReference
from tinct.networks.semantics.opinion import NAME as SEMANTICS
from tinct.networks.semantics.opinion import looked_at
from tinct.networks.tinct.method import Tinct
from tinct.networks.tinct.rounding import IN_FULL, ROUNDED
from tinct.networks.tinct.training.looking import Look
from tinct.networks.tinct.vividness import VIVID_STRIDE
from tinct.training.automatic import Batch, draw_batch
from tinct.training.export import write_manifest
from tinct.training.photographs import Photographs
from tinct.training.pool import Pool
from tinct.weights import MANIFEST_FILE, read_manifest

BATCH, SIZE = 8, 256
"""Photographs a batch, and their sides in pixels."""

HELP = (0, 1, 0, 10, "itself", 100, "another", 10)
"""The help that one photograph after the other is decoded with: so many hints, or a reference."""

Inputs = Mapping[str, NDArray[np.float32]]


def measure(weights: Path, packed: Path, count: int = 512) -> dict[str, Ranges]:
    """Measure on photographs that are not held out, half of them as old ones, and write the ranges into the manifest.

    Args:
        weights: a folder of weights, as `tinct export` writes it.
        packed: what `tinct data pack` wrote.
        count: of photographs.
    Returns:
        The ranges of each part in the folder that has some (`tinct.networks.tinct.rounding.ROUNDED`).
    Raises:
        WeightsError: if the folder has no manifest.
        OptionError: if it has no such part.
    """
    manifest = weights / MANIFEST_FILE
    entries = read_manifest(manifest)
    found: dict[str, Ranges] = {}
    pool = Pool.open(Photographs.load(packed), None, torch.device("cpu"))
    with _taken_from(weights):
        for name in sorted(ROUNDED & entries.keys()):
            torch.manual_seed(0)
            batches = (draw_batch(pool, BATCH, SIZE, old=True) for _ in range(0, count, BATCH))
            found[name] = largest_inputs(weights / entries[name].file, _inputs(name, batches))
    if not found:
        raise OptionError(
            f"{manifest} has none of {', '.join(sorted(ROUNDED))}; export a run of tinct there first."
        )
    content = json.loads(manifest.read_text(encoding="utf-8"))
    for name, ranges in found.items():
        content[name]["ranges"] = ranges
    write_manifest(content, manifest)
    return found


def largest_inputs(file: Path, batches: Iterable[Inputs]) -> dict[str, float]:
    """The largest input of each convolution whose inputs are never negative, by the name of its weights.

    Those of `tinct.networks.tinct.rounding.IN_FULL` are left out.

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
        if low >= 0 < high and name not in IN_FULL
    }


@contextmanager
def _taken_from(weights: Path) -> Iterator[None]:
    """While it lasts, weights are looked for in this folder first."""
    before = os.environ.get("TINCT_WEIGHTS")
    os.environ["TINCT_WEIGHTS"] = str(weights)
    try:
        yield
    finally:
        if before is None:
            del os.environ["TINCT_WEIGHTS"]
        else:
            os.environ["TINCT_WEIGHTS"] = before


def _inputs(name: str, batches: Iterable[Batch]) -> Iterator[Inputs]:
    """The inputs of a part for photographs."""
    if name == SEMANTICS:
        for batch in batches:
            for lightness in batch.lightness.numpy():
                yield {"lightness": looked_at(lightness[0])[None, None]}
    elif name == "tinct.encode":
        look = Look(torch.device("cpu"))
        for batch in batches:
            yield look.inputs(batch.lightness)
    else:
        yield from _decoder_inputs(batches)


def _decoder_inputs(batches: Iterable[Batch]) -> Iterator[Inputs]:
    """The inputs of decoder and distribution, with all kinds of help."""
    method, rng = Tinct(device="cpu", precision="f32"), np.random.default_rng(0)
    help_of_all = cycle(HELP)
    for batch in batches:
        truth = batch.ab.permute(0, 2, 3, 1).numpy() * AB_SCALE
        lightness = batch.lightness[:, 0].numpy()
        pictures = (255 * batch.rgb.permute(0, 2, 3, 1)).round().byte().numpy()
        for i in range(len(truth)):
            given, hints, references = next(help_of_all), HintField.empty(SIZE, SIZE), []
            if isinstance(given, int):
                hints = _hints(pictures[i], given, rng)
            else:
                other = i if given == "itself" else (i + 1) % len(truth)
                flip = np.ascontiguousarray
                references = [Reference(flip(lightness[other, :, ::-1]), flip(truth[other, :, ::-1]))]
            features = method.encode(lightness[i])
            attended = [method.attend(features, method.encode_reference(each)) for each in references]
            recalled = method.recall(features, [WeighedReference(each) for each in attended])
            rows, columns = features.grid(VIVID_STRIDE)
            yield {
                **method.match(features, recalled, hints).inputs,
                "second": features.second,
                "second_share": np.zeros((1, rows, columns, 1), np.float32),
            }


def _hints(picture: NDArray[np.uint8], count: int, rng: np.random.Generator) -> HintField:
    """So many hints of 7x7 pixels, of the picture's own colors there."""
    means = cv2.blur(picture, (7, 7))
    places = rng.integers(0, SIZE, (count, 2))
    points = [Hint(int(x), int(y), "#" + bytes(means[y, x]).hex(), radius=3) for y, x in places]
    return place_hints(points, (SIZE, SIZE), (SIZE, SIZE))
