"""Laws on the released networks themselves: no level of any graph is dead.

A level is what a rectifier gives (ReLU, leaky ReLU, ReLU6). Each graph is opened with a factor behind every level, and
fed what methods, `Colorizer.suggest`, `tinct explain` and `tinct.retrieval` feed it for ten photographs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

pytest.importorskip("onnx")

import onnx
from onnx import TensorProto, helper

from tinct.colorizing.colorizer import Colorizer, colorize
from tinct.explaining import explanation
from tinct.hints import Rectangle
from tinct.inference.openvino_engine import OpenVinoNetwork, engine
from tinct.methods import METHODS, get_method
from tinct.networks.tinct.method import Tinct
from tinct.photo import Photo
from tinct.retrieval.descriptor import describe
from tinct.weights import installed, manifest, weights_path

Array = NDArray[Any]
Inputs = dict[str, Array]

RECTIFIERS = {"Relu", "LeakyRelu", "PRelu", "HardSwish"}
PHOTOGRAPHS, SIDE = 10, 96

CONSTANT = 1e-4
"""A channel whose values differ by less than this share of the level's greatest is constant."""

FEWEST_VARYING = 0.1
"""Share of a level's channels that must vary over the places of all photographs together."""

FEWEST_OF_WHOLES = 0.05
"""The same of a level that has one place for a whole photograph: ten photographs are ten values of each channel."""


@pytest.fixture(scope="module")
def photographs(shared) -> list[NDArray[np.uint8]]:
    """Ten photographs, (SIDE, SIDE, 3), of those that are trained on."""
    files = sorted((shared / "data" / "train").rglob("*.webp"))
    chosen = files[:: max(1, len(files) // PHOTOGRAPHS)][:PHOTOGRAPHS]
    return [np.asarray(Image.open(file).convert("RGB").resize((SIDE, SIDE))) for file in chosen]


@pytest.fixture(scope="module")
def fed(photographs) -> dict[str, list[Inputs]]:
    """What each graph is fed, by its file's name, a photograph after the other."""
    found: dict[str, list[Inputs]] = {}
    run = OpenVinoNetwork.run

    def watched(network: OpenVinoNetwork, **arrays: Array) -> dict[str, Array]:
        seen = found.setdefault(network.name, [])
        if len(seen) < 2 * PHOTOGRAPHS:
            seen.append({name: np.array(value) for name, value in arrays.items()})
        return run(network, **arrays)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OpenVinoNetwork, "run", watched)
        patch.setattr(Tinct, "_joined", lambda self, asked: None)  # each file runs by itself
        for name in METHODS:
            method = get_method(name)
            files = [weights_path(each).name for each in method.weights if installed(each)]
            if len(files) == len(method.weights) and any(file not in found for file in files):
                for number, photograph in enumerate(photographs):
                    _colorize(name, photograph, photographs[number - 1])
        for photograph in photographs:
            Colorizer(photograph).suggest(SIDE / 2, SIDE / 2)
            # The same picture is compared by blocks where it has so many patches.
            larger = np.asarray(Image.fromarray(photograph).resize((2 * SIDE, 2 * SIDE)))
            colorize(np.asarray(Image.fromarray(larger).convert("L")), [larger])
            if installed(explanation.NETWORK):
                explanation.explain(photograph)
            describe(Photo.from_array(photograph))
    return found


def _colorize(name: str, photograph: NDArray[np.uint8], reference: NDArray[np.uint8]) -> None:
    method = get_method(name)
    gray = np.asarray(Image.fromarray(photograph).convert("L"))
    hints = [Rectangle((8, 8, 16, 16), "#c83c3c")] if method.needs_hints or method.honors_hints else None
    colorize(gray, [reference] if method.uses_references else None, hints, method=name)


def gated(file: Path) -> tuple[bytes, list[str]]:
    """A graph with a factor behind each level, and the levels as further outputs; the levels' names."""
    model = onnx.load(str(file))
    constants = {n.output[0]: n.attribute[0].t for n in model.graph.node if n.op_type == "Constant"}
    levels, nodes = [], []
    for node in model.graph.node:
        nodes.append(node)
        if node.op_type not in RECTIFIERS and not is_relu6(node, constants):
            continue
        whole, kept = node.output[0], f"{node.output[0]}_before"
        node.output[0] = kept
        nodes.append(helper.make_node("Mul", [kept, f"{whole}_factor"], [whole]))
        model.graph.input.append(helper.make_tensor_value_info(f"{whole}_factor", TensorProto.FLOAT, []))
        model.graph.output.append(helper.make_tensor_value_info(kept, TensorProto.FLOAT, None))
        levels.append(whole)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model.SerializeToString(), levels


def is_relu6(node: onnx.NodeProto, constants: dict[str, onnx.TensorProto]) -> bool:
    """Whether a node clips to 0..6; other clippings keep denominators from 0 and the like."""
    if node.op_type != "Clip" or len(node.input) != 3 or not set(node.input[1:]) <= set(constants):
        return False
    return [float(onnx.numpy_helper.to_array(constants[name])) for name in node.input[1:]] == [0, 6]


def graphs() -> list[str]:
    """The graphs that are installed, by their names in the manifest."""
    return [name for name in manifest() if installed(name)]


@pytest.mark.parametrize("name", graphs())
def test_no_level_of_a_released_graph_is_dead(name, fed):
    """Every level varies over places, and what comes out without it is something else."""
    file = weights_path(name)
    assert file.name in fed, f"nothing runs {name} on these photographs"
    graph, levels = gated(file)
    if not levels:
        return
    compiled = engine().compile_model(engine().read_model(graph), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    outputs = [port.get_any_name() for port in compiled.outputs]
    answers = [out for out in outputs if not out.endswith("_before")]
    ones = {f"{level}_factor": np.float32(1) for level in levels}

    wholes: set[str] = set()
    least: dict[str, Array] = {}
    most: dict[str, Array] = {}
    for inputs in fed[file.name][:PHOTOGRAPHS]:
        found = _run(compiled, outputs, _typed(compiled, inputs) | ones)
        for level in levels:
            maps = channels(found[f"{level}_before"])
            if maps.shape[1] == 1:
                wholes.add(level)
            least[level] = np.minimum(least.get(level, np.inf), maps.min(1))
            most[level] = np.maximum(most.get(level, -np.inf), maps.max(1))
    varying = {
        level: float((most[level] - least[level] > CONSTANT * np.abs(most[level]).max()).mean())
        for level in levels
    }
    dead = {
        level: share
        for level, share in varying.items()
        if share < (FEWEST_OF_WHOLES if level in wholes else FEWEST_VARYING)
    }
    assert not dead, f"{name}: share of channels that vary at all: {dead}"

    inputs = _typed(compiled, fed[file.name][0])
    whole = _run(compiled, outputs, inputs | ones)
    for level in levels:
        without = _run(compiled, outputs, inputs | ones | {f"{level}_factor": np.float32(0)})
        moved = max(_moved(without[answer], whole[answer]) for answer in answers)
        assert moved > 1e-3, f"{name}: without {level} the answer is the same ({moved:.1e} of its deviation)"


def channels(maps: Array) -> Array:
    """Features (B, C, ...) or (B, C) as (C, places of all B)."""
    return np.moveaxis(maps, 1, 0).reshape(maps.shape[1], -1)


def _moved(found: Array, before: Array) -> float:
    """How far an answer is from another, in its deviations."""
    gap = np.abs(found.astype(np.float64) - before).mean()
    return float(gap / max(float(before.std()), 1e-9))


def _typed(compiled: Any, inputs: Inputs) -> Inputs:
    # a port has several names where the engine has left out what changes nothing, as shifting there and back
    known = {
        name: port.get_element_type().to_dtype() for port in compiled.inputs for name in port.get_names()
    }
    return {name: np.ascontiguousarray(value, known[name]) for name, value in inputs.items()}


def _run(compiled: Any, outputs: list[str], inputs: Inputs) -> dict[str, Array]:
    found = compiled(inputs)
    return {name: np.array(found[port]) for name, port in zip(outputs, compiled.outputs, strict=True)}
