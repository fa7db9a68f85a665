"""What a network is read from: one exported file, or several whose outputs are inputs of others, joined in one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar

import numpy as np

from tinct.errors import WeightsError
from tinct.inference.eight_bits import Ranges, to_eight_bits
from tinct.inference.zeros import remove_zeros
from tinct.weights.checksum import file_sha256

if TYPE_CHECKING:
    from openvino import Core, Model, Node, Output

T = TypeVar("T")


@dataclass(frozen=True)
class ModelFile:
    """One exported network.

    Attributes:
        path: an ONNX file with its weights inside, or an OpenVINO IR file (.xml beside its .bin).
        ranges: the largest input of each convolution that may be computed in 8 bits, by the name of its weights.
        beside: the precision of all else where some are: "f32", "bf16", or "auto", the best that the CPU computes in.
    """

    path: Path
    ranges: Ranges = field(default_factory=dict)
    beside: str = "auto"

    @property
    def name(self) -> str:
        """What errors call the network."""
        return self.path.name

    @property
    def in_bytes(self) -> bool:
        """True if some of its convolutions may be computed in 8 bits."""
        return bool(self.ranges)

    @cached_property
    def sha256(self) -> str:
        """The hash of the network: of an ONNX file, or of an IR file and its .bin, and of its ranges and `beside`.

        Raises:
            WeightsError: if a file is missing.
        """
        sha256 = file_sha256(self.path)
        if self.path.suffix == ".xml":
            sha256 += file_sha256(self.path.with_suffix(".bin"))
        if not self.ranges:
            return sha256
        told = json.dumps([dict(self.ranges), self.beside], sort_keys=True)
        return hashlib.sha256((sha256 + told).encode()).hexdigest()

    def unrounded(self) -> ModelFile:
        """The same network with nothing in 8 bits."""
        return ModelFile(self.path)

    def check(self) -> None:
        """Refuse a file that is cut short or no network.

        Raises:
            WeightsError: if it is.
        """
        if self.path.suffix == ".onnx":
            check_onnx(self.path)

    def read(self, core: Core) -> Model:
        """The model, with its convolutions marked that are computed in 8 bits.

        Raises:
            RuntimeError: if OpenVINO cannot read the file.
        """
        model = core.read_model(self.path)
        if self.ranges:
            to_eight_bits(model, self.ranges)
        return model


@dataclass(frozen=True)
class JoinedModels:
    """Several networks as one, so that nothing that passes between them is copied, and what nobody asks for not made.

    Ports are called "part.port", as in "encode.half".

    Attributes:
        name: what errors call the whole.
        parts: the networks by name, in the order of their run.
        links: by the name of an input, the output of an earlier part that it is given. Inputs that are not named are
            inputs of the whole.
        outputs: names of the whole's outputs, in their order.
        zeros: inputs that are always 0 everywhere, and are no inputs of the whole: what they alone are needed for is
            not computed (`tinct.inference.zeros`).
        enlarged: of the inputs in `links`, those that are given their output at another height and width, bilinearly:
            that of an input of the whole. Both have their channels last.
    """

    name: str
    parts: Mapping[str, ModelFile]
    links: Mapping[str, str]
    outputs: tuple[str, ...]
    zeros: tuple[str, ...] = ()
    enlarged: Mapping[str, str] = field(default_factory=dict)

    @property
    def beside(self) -> str:
        """The precision of what is not in 8 bits; see `ModelFile`."""
        return "auto"

    @property
    def in_bytes(self) -> bool:
        """True if some convolutions of a part may be computed in 8 bits."""
        return any(part.in_bytes for part in self.parts.values())

    @cached_property
    def sha256(self) -> str:
        """The hash of the whole: of its parts, and of how they are joined.

        Raises:
            WeightsError: if a file is missing.
        """
        hashes = {name: part.sha256 for name, part in self.parts.items()}
        told = json.dumps(
            [hashes, dict(self.links), self.outputs, self.zeros, dict(self.enlarged)], sort_keys=True
        )
        return hashlib.sha256(told.encode()).hexdigest()

    def unrounded(self) -> JoinedModels:
        """The same networks with nothing in 8 bits."""
        parts = {name: part.unrounded() for name, part in self.parts.items()}
        return replace(self, parts=parts)

    def check(self) -> None:
        """Refuse files that are cut short or no networks.

        Raises:
            WeightsError: if one is.
        """
        for part in self.parts.values():
            part.check()

    def read(self, core: Core) -> Model:
        """The model of the whole.

        Raises:
            RuntimeError: if OpenVINO cannot read a file.
            WeightsError: if a part has no port that a link or an output names.
        """
        from tinct.inference.openvino_runtime import openvino
        from tinct.inference.openvino_runtime import opset13 as op

        inputs: dict[str, Node] = {}
        made: dict[str, Output] = {}
        for name, part in self.parts.items():
            model = part.read(core)
            own = {f"{name}.{declared_name(p.output(0).get_names())}": p for p in model.get_parameters()}
            made |= {
                f"{name}.{declared_name(r.output(0).get_names())}": r.input_value(0)
                for r in model.get_results()
            }
            for port, parameter in own.items():
                if port in self.links:
                    source = self._known(made, self.links[port])
                    if port in self.enlarged:
                        like = self._known(own | inputs, self.enlarged[port])
                        source = _enlarged(source, like)
                    for reader in list(parameter.output(0).get_target_inputs()):
                        reader.replace_source_output(source)
                else:
                    inputs[port] = parameter
        results = [op.result(self._known(made, port)) for port in self.outputs]
        model = openvino.Model(results, list(inputs.values()), self.name)
        remove_zeros(model, [inputs[port] for port in self.zeros])
        # Names are given once all is joined and removed: two parts may call an input and an output alike.
        for port, result in zip(self.outputs, results, strict=True):
            result.input_value(0).set_names({port})
        for port, parameter in inputs.items():
            parameter.output(0).set_names({port})
        return model

    def _known(self, made: Mapping[str, T], port: str) -> T:
        if port not in made:
            raise WeightsError(
                f"{self.name} is joined at {port}, which is not there; export the network again."
            )
        return made[port]


def _enlarged(image: Output, like: Node) -> Output:
    """An image (B, h, w, C) at the height and width of another, (B, H, W, any), bilinearly."""
    from tinct.inference.openvino_runtime import opset13 as op

    def constant(*values: int) -> Node:
        return op.constant(np.array(values, np.int64))

    size = op.gather(op.shape_of(like), constant(1, 2), op.constant(np.int64(0)))
    planes = op.transpose(image, constant(0, 3, 1, 2))
    larger = op.interpolate(
        planes, size, "linear_onnx", "sizes", coordinate_transformation_mode="half_pixel", axes=constant(2, 3)
    )
    return op.transpose(larger, constant(0, 2, 3, 1)).output(0)


ModelSource = ModelFile | JoinedModels
"""What an engine reads a network from."""


def declared_name(names: set[str]) -> str:
    """The name of a port as its file declares it, among `names`.

    Fusing layers may add names of inner values to a port; exporters write those with a slash.
    """
    ordered = sorted(names)
    return next((name for name in ordered if "/" not in name), ordered[0])


def check_onnx(path: Path) -> None:
    """Refuse a file that is truncated or no ONNX, before the engine tries its other formats and prints errors.

    A model is one protobuf message: field after field, each with its length, to the file's last byte
    (https://protobuf.dev/programming-guides/encoding).

    Raises:
        WeightsError: if the file is not such a message.
    """
    size = path.stat().st_size
    with open(path, "rb") as file:
        while file.tell() < size:
            wire_type = _varint(file) & 7
            if wire_type == 0:
                _varint(file)
            elif wire_type == 2:
                file.seek(_varint(file), 1)
            else:
                break
        if size == 0 or file.tell() != size:
            raise WeightsError(
                f"{path} is cut short or is not an ONNX file; install it or download it again."
            )


def _varint(file: BinaryIO) -> int:
    value = shift = 0
    while (byte := file.read(1)) and shift < 64:
        value |= (byte[0] & 0x7F) << shift
        shift += 7
        if byte[0] < 0x80:
            break
    return value
