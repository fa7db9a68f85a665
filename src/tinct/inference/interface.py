"""The interface of a network, whichever engine runs it: arrays in by name, arrays out by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from tinct.errors import ShapeError

if TYPE_CHECKING:
    from torch import nn

HALF = ".half"
"""Ending of the names of weights that are stored in half precision in an exported file."""

BYTES, SCALE = ".bytes", ".scale"
"""Endings of the names of weights that are stored in 8 bits, and of what a step is worth in each output channel."""


@runtime_checkable
class Network(Protocol):
    """A network that is ready to run. Several threads may call it at once.

    Attributes:
        inputs, outputs: names, in the file's order.
        device: "cpu" or "cuda".
        precision: of the computation, "f32", "bf16" or "int8"; inputs and outputs have the types that the file
            declares.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    device: str
    precision: str

    def run(self, **arrays: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Run once.

        Args:
            arrays: an array for each input, batch x channel x height x width; converted to the declared type.
        Returns:
            A fresh array for each output.
        Raises:
            ShapeError: if an input is missing or unknown, or if shapes do not fit the network.
        """
        ...


@dataclass(frozen=True, slots=True)
class TorchSource:
    """The PyTorch form of a network, for machines with a GPU.

    Attributes:
        build: makes the module; its `forward` takes the inputs in order and gives one tensor or a tuple.
        weights: the file with the module's weights: safetensors, or the exported network itself, which `build` then
            reads.
        inputs, outputs: names, in the order of `forward`'s arguments and results.
    """

    build: Callable[[], nn.Module]
    weights: Path
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def arrays_in_order(
    name: str, inputs: tuple[str, ...], arrays: dict[str, NDArray[Any]]
) -> list[NDArray[Any]]:
    """Arrays in the order of a network's inputs.

    Args:
        name: of the network, for the error.
        inputs: the names of the inputs.
        arrays: by name.
    Raises:
        ShapeError: if an input is missing or unknown.
    """
    if set(arrays) != set(inputs):
        given = ", ".join(sorted(arrays)) or "nothing"
        raise ShapeError(f"{name} was given {given}; it takes {', '.join(inputs)}.")
    return [np.asarray(arrays[key]) for key in inputs]
