"""OpenVINO on CPUs: compiles an exported network, caches the compiled form on disk, runs the network at any size."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tinct.address_space import check_left
from tinct.allocation import keep_memory
from tinct.errors import OptionError, ShapeError, WeightsError
from tinct.files import writable_cache
from tinct.inference.compiled_networks import compiled_networks
from tinct.inference.disk_cache import checked_entry
from tinct.inference.eight_bits import multiplies_bytes
from tinct.inference.interface import Network, arrays_in_order
from tinct.inference.layout import contiguous
from tinct.inference.model_source import ModelSource, declared_name
from tinct.inference.processor import is_intel_without_amx
from tinct.inference.transpositions import (
    AxisOrders,
    cached_without_transpositions,
    read_without_transpositions,
)
from tinct.threads import allowed_threads, threads

if TYPE_CHECKING:
    import openvino


_ADDRESS_SPACE = 450 << 20
_ADDRESS_SPACE_THREADS, _ADDRESS_SPACE_THREAD = 700 << 20, 128 << 20
"""Bytes of address space that the networks take with one thread, more with several, and more for each: without them
OpenVINO ends the process when a thread cannot be made."""


class OpenVinoNetwork:
    """A network compiled for this machine's CPU; see `Network`. `open_network` opens and shares such networks.

    Args:
        source: what the network is read from.
        precision: "f32", "bf16" or "int8"; convolutions are computed in 8 bits in the last alone.
        threads: CPU threads; None takes all cores.
    Raises:
        WeightsError: if OpenVINO cannot read a file.
    """

    device = "cpu"

    def __init__(
        self,
        source: ModelSource,
        *,
        precision: str = "f32",
        threads: int | None = None,
    ) -> None:
        self.name, self.precision, self._opened = source.name, precision, (source, precision, threads)
        read = source if precision == "int8" else source.unrounded()
        rest = best_precision(source.beside) if precision == "int8" else precision
        self._compiled, before, after = _compile(read, _properties(rest, threads))
        self.inputs = tuple(declared_name(port.get_names()) for port in self._compiled.inputs)
        self.outputs = tuple(declared_name(port.get_names()) for port in self._compiled.outputs)
        self._types = [port.get_element_type().to_dtype() for port in self._compiled.inputs]
        self._shapes = [_declared(port.get_partial_shape()) for port in self._compiled.inputs]
        self._before = [before.get(name) for name in self.inputs]
        self._after = [after.get(name) for name in self.outputs]
        # A compiled network may be shared by threads, a request may not: each run takes one that is idle.
        self._idle: list[openvino.InferRequest] = []
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy, and what is unpickled, is the network that the process has opened, or opens then."""
        return shared_network, self._opened

    def run(self, **arrays: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Run once; see `Network.run`.

        Raises:
            ShapeError: if an input is missing or unknown, or if shapes do not fit the network.
        """
        ordered = arrays_in_order(self.name, self.inputs, arrays)
        converted = [self._converted(index, array) for index, array in enumerate(ordered)]
        request = self._take()
        try:
            # Shared outputs are the request's own: without, `infer` copies all, and `_result` would once more.
            request.infer(converted, share_inputs=True, share_outputs=True)
            return {name: self._result(request, index) for index, name in enumerate(self.outputs)}
        except RuntimeError as error:
            met = ", ".join(f"{n} {_size(a.shape)}" for n, a in zip(self.inputs, ordered, strict=True))
            raise ShapeError(f"{self.name} cannot take {met} ({_first_line(error)}).") from None
        finally:
            with self._lock:
                self._idle.append(request)

    def _take(self) -> openvino.InferRequest:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return self._compiled.create_infer_request()

    def _converted(self, index: int, array: NDArray[Any]) -> NDArray[Any]:
        wanted, order = self._shapes[index], self._before[index]
        turned = array if order is None or array.ndim != len(order) else array.transpose(order)
        if wanted is not None and not _fits(turned.shape, wanted):
            axes = range(len(wanted)) if order is None else np.argsort(order)
            shape = "[" + ",".join("?" if wanted[axis] is None else str(wanted[axis]) for axis in axes) + "]"
            raise ShapeError(f"{self.inputs[index]} is {_size(array.shape)}; {self.name} takes {shape}.")
        return contiguous(turned, self._types[index])

    def _result(self, request: openvino.InferRequest, index: int) -> NDArray[Any]:
        array, order = request.get_output_tensor(index).data.copy(), self._after[index]
        return array if order is None else array.transpose(order)


def shared_network(source: ModelSource, precision: str, threads: int | None) -> Network:
    """The process's one network of a source at a precision that is settled: "f32", "bf16" or "int8"."""
    key = ("openvino", source.sha256, precision, threads)
    return compiled_networks.get(key, lambda: OpenVinoNetwork(source, precision=precision, threads=threads))


def best_precision(precision: str = "auto", in_bytes: bool = False) -> str:
    """The precision to compute in.

    "auto" is int8 for a network with ranges on a CPU that multiplies bytes; else bf16 where the CPU gains by it, else
    f32.

    Args:
        precision: the wish; "int8" gives bf16 or f32, as "auto" does, for a network without ranges.
        in_bytes: True for a network with ranges (`tinct.inference.eight_bits`).
    Raises:
        OptionError: if the CPU does not compute in the wished precision.
    """
    if precision == "f32":
        return precision
    if precision == "int8" and not multiplies_bytes():
        raise OptionError("precision is int8, which this CPU does not compute in; use auto, bf16 or f32.")
    if precision != "bf16" and in_bytes and multiplies_bytes():
        return "int8"
    if precision == "bf16" and not computes_in_bf16():
        raise OptionError("precision is bf16, which this CPU does not compute in; use auto or f32.")
    return "bf16" if precision == "bf16" or gains_by_bf16() else "f32"


@cache
def computes_in_bf16() -> bool:
    """True if this machine's CPU computes in bf16: with AMX or AVX512-BF16.

    Raises:
        MissingExtraError: if OpenVINO cannot be imported.
    """
    return "BF16" in engine().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


@cache
def gains_by_bf16() -> bool:
    """True if this machine's CPU computes faster in bf16 than in f32.

    One of Intel's with AVX512-BF16 and without AMX multiplies no more numbers a second in bf16 than in f32, and
    converts them besides: networks take longer there (docs/experiments.md, "Speed").

    Raises:
        MissingExtraError: if OpenVINO cannot be imported.
    """
    return computes_in_bf16() and not is_intel_without_amx()


@cache
def engine() -> openvino.Core:
    """OpenVINO's core object, one for the process.

    Raises:
        MissingExtraError: if OpenVINO cannot be imported.
        MemoryError: if the process may not take the address space that a network needs.
    """
    from tinct.inference.openvino_runtime import openvino

    keep_memory()
    several = allowed_threads() != 1
    check_left(_ADDRESS_SPACE + several * (_ADDRESS_SPACE_THREADS + threads() * _ADDRESS_SPACE_THREAD))
    core = openvino.Core()
    _first_process()
    # Each process would pin its threads to the machine's first processors, and several processes share these.
    core.set_property("CPU", {"ENABLE_CPU_PINNING": False})
    return core


def forked() -> bool:
    """True in a fork of the process that began to use the engine: a fork has none of the engine's threads."""
    return os.getpid() != _first_process()


@cache
def _first_process() -> int:
    """The process that asked first."""
    return os.getpid()


def _properties(rest: str, threads: int | None) -> dict[str, Any]:
    """The engine's settings; the precision is that of what is not marked to be computed in 8 bits."""
    properties: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": rest}
    count = threads or allowed_threads()
    if count is not None:
        properties |= {"INFERENCE_NUM_THREADS": count, "NUM_STREAMS": 1}
    return properties


def _compile(
    source: ModelSource, properties: dict[str, Any]
) -> tuple[openvino.CompiledModel, AxisOrders, AxisOrders]:
    """Compile, by way of the disk cache where there is one; and the transpositions that are left to NumPy."""
    source.check()
    # The engine knows entries by the file's path, size and time, and takes the old network for a file that
    # was replaced within one tick of the clock; hence a folder for each content, and one path to it.
    folder = writable_cache("openvino", source.sha256[:32])
    if folder is not None:
        try:
            folder = folder.resolve()
            file, before, after = cached_without_transpositions(engine(), source, folder)
            return _compile_in(folder, file, properties), before, after
        except (RuntimeError, OSError, ValueError):
            # A full disk or a damaged entry is no reason to fail: what the file itself is worth shows below.
            shutil.rmtree(folder, ignore_errors=True)
    try:
        model, before, after = read_without_transpositions(engine(), source)
        return engine().compile_model(model, "CPU", properties), before, after
    except RuntimeError as error:
        raise WeightsError(
            f"{source.name} cannot be read as a network ({_first_line(error)}); install it or download it again."
        ) from None


def _compile_in(folder: Path, file: Path, properties: dict[str, Any]) -> openvino.CompiledModel:
    """Compile by way of a folder of the disk cache, from which the compiled form is loaded if it is whole there.

    Raises:
        RuntimeError, OSError: if the file cannot be read, or the compiled form not be written.
    """
    from tinct.inference.openvino_runtime import openvino

    made: list[openvino.CompiledModel] = []

    def compiled(cache: Path) -> openvino.CompiledModel:
        return engine().compile_model(file, "CPU", {**properties, "CACHE_DIR": str(cache)})

    key = json.dumps([openvino.get_version(), engine().get_property("CPU", "FULL_DEVICE_NAME"), properties])
    name = f"compiled-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    entry = checked_entry(folder, name, lambda place: made.append(compiled(place)))
    return made[0] if made else compiled(entry)


def _declared(shape: openvino.PartialShape) -> list[int | None] | None:
    """The sides that a port declares, None for any; None for a port of any number of axes."""
    if not shape.rank.is_static:
        return None
    return [None if side.is_dynamic else side.get_length() for side in shape]


def _fits(shape: tuple[int, ...], wanted: list[int | None]) -> bool:
    return len(shape) == len(wanted) and all(
        side is None or side == n for n, side in zip(shape, wanted, strict=True)
    )


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "a single number"


def _first_line(error: Exception) -> str:
    """The engine's own reason: the last line that is not a source position."""
    lines = [line.strip() for line in str(error).splitlines()]
    told = [line for line in lines if line and not line.startswith(("Exception from", "Check '"))]
    return (told[-1] if told else type(error).__name__)[:200].rstrip(".")
