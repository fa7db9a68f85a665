"""Removal of what a network computes from inputs that are 0: engines of any size cannot, as they know no shapes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tinct.errors import WeightsError

if TYPE_CHECKING:
    from openvino import Model, Node

_LINEAR = frozenset(
    (
        "AvgPool",
        "Broadcast",
        "Convert",
        "Convolution",
        "Divide",
        "GroupConvolution",
        "Interpolate",
        "ReduceMean",
        "ReduceSum",
        "Reshape",
        "Slice",
        "Split",
        "Squeeze",
        "StridedSlice",
        "Tile",
        "Transpose",
        "Unsqueeze",
        "VariadicSplit",
    )
)
"""Operations whose answer to an image of zeros is zeros, whatever their other inputs are."""

_SUMS = frozenset(("Add", "Concat"))
"""Operations whose answer is 0 where all inputs are."""

_PRODUCTS = frozenset(("MatMul", "Multiply"))
"""Operations whose answer is 0 where either input is."""


def remove_zeros(model: Model, parameters: Iterable[Node]) -> None:
    """Remove, in place, inputs that are 0 everywhere, and all that is 0 because they are.

    A sum with such a value becomes its other summand, which is taken to have the sum's shape: a zero that would widen
    the other by broadcasting is not foreseen.

    Args:
        model: whose inputs they are.
        parameters: these inputs.
    Raises:
        WeightsError: if a zero reaches an operation that is not foreseen here, or a result.
    """
    zero = {parameter.get_name() for parameter in parameters}
    if not zero:
        return
    removed = [each for each in model.get_parameters() if each.get_name() in zero]
    for node in model.get_ordered_ops():
        given = [node.input_value(index) for index in range(node.get_input_size())]
        are_zero = [each.get_node().get_name() in zero for each in given]
        kind = node.get_type_name()
        if not any(are_zero):
            continue
        if kind in _PRODUCTS or (kind in _LINEAR and are_zero[0]) or (kind in _SUMS and all(are_zero)):
            zero.add(node.get_name())
        elif kind == "Add":
            kept = given[are_zero.index(False)]
            for reader in list(node.output(0).get_target_inputs()):
                reader.replace_source_output(kept)
        elif kind != "ShapeOf":
            raise WeightsError(
                f"{node.get_friendly_name()}, a {kind}, is given zeros, which is not foreseen."
            )
    for parameter in removed:
        model.remove_parameter(parameter)
    model.validate_nodes_and_infer_types()
