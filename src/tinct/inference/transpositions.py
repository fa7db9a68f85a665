"""Removal of transpositions at a network's inputs and outputs: NumPy changes strides, where the engine would copy.

Exported networks take and give maps with their channels last, and compute with channels first. OpenVINO transposes
such an output of any size by its slowest kernel: for the released network's keys that took a third of the time of
`encode`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tinct.inference.disk_cache import checked_entry
from tinct.inference.model_source import ModelSource, declared_name

if TYPE_CHECKING:
    from openvino import Core, Model, Node

_NETWORK, _ORDERS = "network.xml", "orders.json"

AxisOrders = dict[str, list[int]]
"""The order of a transposition's axes, by the name of the input or output that the transposition stood at."""


def read_without_transpositions(core: Core, source: ModelSource) -> tuple[Model, AxisOrders, AxisOrders]:
    """Read a network and remove the transpositions at its inputs and outputs; see `remove_transpositions`.

    Args:
        core: OpenVINO.
        source: what the network is read from.
    Returns:
        The model, and the axis orders of its inputs and of its outputs.
    Raises:
        RuntimeError: if a file cannot be read.
    """
    model = source.read(core)
    return model, *remove_transpositions(model)


def cached_without_transpositions(
    core: Core, source: ModelSource, folder: Path
) -> tuple[Path, AxisOrders, AxisOrders]:
    """The network without transpositions as a file in a cache folder, written at the first call.

    The engine opens a file faster than a model in memory.

    Args:
        core: OpenVINO.
        source: what the network is read from.
        folder: the cache folder; it exists.
    Returns:
        The file, and the axis orders of the network's inputs and of its outputs.
    Raises:
        RuntimeError, OSError, ValueError: if the network cannot be read, or the file cannot be written.
    """
    from tinct.inference.openvino_runtime import openvino

    def write(made: Path) -> None:
        model, *orders = read_without_transpositions(core, source)
        openvino.save_model(model, made / _NETWORK, compress_to_fp16=False)
        (made / _ORDERS).write_text(json.dumps(orders), encoding="utf-8")

    kept = checked_entry(folder, "cut", write)
    before, after = json.loads((kept / _ORDERS).read_text(encoding="utf-8"))
    return kept / _NETWORK, before, after


def remove_transpositions(model: Model) -> tuple[AxisOrders, AxisOrders]:
    """Remove, in place, the transpositions that a model begins or ends with.

    Returns:
        The axis orders of inputs and of outputs: the caller does `array.transpose(order)` to inputs before a run, and
            to outputs after the run.
    """
    before = {name: order for port in list(model.get_parameters()) for name, order in _cut_input(model, port)}
    after = {name: order for result in model.get_results() for name, order in _cut_output(result)}
    model.validate_nodes_and_infer_types()
    return before, after


def _cut_input(model: Model, parameter: Node) -> list[tuple[str, list[int]]]:
    from tinct.inference.openvino_runtime import openvino
    from tinct.inference.openvino_runtime import opset13 as op

    readers = [target.get_node() for target in parameter.output(0).get_target_inputs()]
    orders = [_order(reader) for reader in readers]
    if not orders or orders[0] is None or any(order != orders[0] for order in orders):
        return []
    names, shape = parameter.output(0).get_names(), parameter.get_partial_shape()
    turned = op.parameter(
        openvino.PartialShape([shape[axis] for axis in orders[0]]), parameter.get_element_type()
    )
    turned.output(0).set_names(names)
    for reader in readers:
        for target in reader.output(0).get_target_inputs():
            target.replace_source_output(turned.output(0))
    place = model.get_parameter_index(parameter)
    model.replace_parameter(place, turned)
    return [(declared_name(names), orders[0])]


def _cut_output(result: Node) -> list[tuple[str, list[int]]]:
    source = result.input_value(0)
    order = _order(source.get_node())
    if order is None or len(source.get_target_inputs()) > 1:
        return []
    names, inner = source.get_names(), source.get_node().input_value(0)
    result.input(0).replace_source_output(inner)
    inner.set_names(names | inner.get_names())
    return [(declared_name(names), order)]


def _order(node: Node) -> list[int] | None:
    """The axes of a transposition, None for any other node."""
    if node.get_type_name() != "Transpose":
        return None
    constant = node.input_value(1).get_node()
    if constant.get_type_name() != "Constant":
        return None
    return [int(axis) for axis in constant.get_data().reshape(-1)]
