"""The graphs of a network for export: each becomes one ONNX file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from torch import Tensor, nn

Axes = Mapping[str, Mapping[int, str]]
"""The inputs' names in order, and for each its axes that may have any size, by name."""


class Graph(NamedTuple):
    """One graph of a network; arrays at its border have the units of the package.

    Attributes:
        part: what its file's name adds to the network's, as ".encode"; "" for the only or main graph.
        module: the graph, in evaluation mode.
        example: inputs to trace the graph with, in order; their free sizes are not kept.
        axes: the inputs' names and free axes.
        outputs: the outputs' names.
        license: SPDX name of the weights' license.
        in_bytes: whether its file holds weights in 8 bits, with a scale for each output channel, in place of 16.
    """

    part: str
    module: nn.Module
    example: tuple[Tensor, ...]
    axes: Axes
    outputs: tuple[str, ...]
    license: str = "MIT"
    in_bytes: bool = False


class Release(NamedTuple):
    """How a trained network becomes files.

    Attributes:
        config: the dataclass of the network's numbers, which a training config's table [network] gives.
        network: makes the network from its numbers.
        graphs: cuts the trained network into graphs.
        prefix: of the network's weights in a run's state, where the run has others that only training needs.
        name: what the files are called; "" for the name of the training.
    """

    config: type[Any]
    network: Callable[[Any], nn.Module]
    graphs: Callable[[Any], Sequence[Graph]]
    prefix: str = ""
    name: str = ""


def pixel_axes(name: str = "") -> dict[int, str]:
    """The free axes of planes (B, C, H, W), called after an input where inputs differ in size."""
    before = f"{name}_" if name else ""
    return {0: "batch", 2: f"{before}height", 3: f"{before}width"}
