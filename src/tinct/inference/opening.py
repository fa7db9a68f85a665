"""Opening networks: the choice of an engine."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from tinct.errors import OptionError
from tinct.inference.compiled_networks import compiled_networks
from tinct.inference.eight_bits import Ranges
from tinct.inference.interface import Network, TorchSource
from tinct.inference.model_source import JoinedModels, ModelFile, ModelSource
from tinct.weights.checksum import file_sha256

DEVICES = ("auto", "cpu", "cuda")
"""Values of `open_network`'s argument `device`."""

PRECISIONS = ("auto", "f32", "bf16", "int8")
"""Values of `open_network`'s argument `precision`."""


def open_network(
    path: Path | str,
    *,
    device: str = "auto",
    precision: str = "auto",
    threads: int | None = None,
    torch_source: TorchSource | None = None,
    ranges: Ranges | None = None,
    beside: str = "auto",
) -> Network:
    """Open a network; a network that is compiled already is returned at once.

    Networks are kept process-wide by the content of their file, precision, device and threads: two paths to the same
    bytes share one network, and a file that changed is compiled anew.

    Args:
        path: an ONNX file with its weights inside, or an OpenVINO IR file (.xml beside its .bin).
        device: "cpu" (OpenVINO), "cuda" (PyTorch), or "auto": "cuda" if there are a GPU and a `torch_source`.
        precision: "auto" takes int8 for a network with ranges where the CPU multiplies bytes (AVX2), else bf16
            where the hardware is faster in it (AMX, AVX512-BF16 of AMD, a GPU), else f32.
        threads: CPU threads; None takes all cores.
        torch_source: needed for "cuda".
        ranges: the largest input of each convolution that a CPU may compute in 8 bits, by the name of its weights.
        beside: the precision of all else where some are; see `tinct.inference.model_source.ModelFile`.
    Raises:
        WeightsError: if the file is missing or damaged.
        OptionError: if device, precision or threads is not available here.
        MissingExtraError: if the engine is not installed.
    """
    _check_options(device, precision, threads)
    if device == "cuda" and torch_source is None:
        raise OptionError("device is cuda, but this network has no PyTorch form; use device cpu.")
    if torch_source is not None and on_gpu(device):
        return _open_torch(torch_source, precision)
    return _open_openvino(ModelFile(Path(path), ranges or {}, beside), precision, threads)


def open_joined(models: JoinedModels, *, precision: str = "auto", threads: int | None = None) -> Network:
    """Open networks that are joined in one, on the CPU; see `open_network` for the other arguments and errors.

    Raises:
        WeightsError: if a file is missing or damaged, or has no port where the networks are joined.
    """
    _check_options("cpu", precision, threads)
    return _open_openvino(models, precision, threads)


def on_gpu(device: str) -> bool:
    """True if `open_network` takes the GPU at this wish, for a network that has a form for it."""
    return device == "cuda" or (device == "auto" and has_gpu())


def has_gpu() -> bool:
    """True if PyTorch is installed and sees a CUDA GPU; torch is imported only where an NVIDIA driver is loaded."""
    if "torch" not in sys.modules and not (_nvidia_driver_is_loaded() and importlib.util.find_spec("torch")):
        return False
    import torch

    return bool(torch.cuda.is_available())


def drop_compiled_networks() -> None:
    """Drop all compiled networks from memory."""
    compiled_networks.clear()


def _open_openvino(source: ModelSource, precision: str, threads: int | None) -> Network:
    from tinct.inference.openvino_engine import best_precision, shared_network

    return shared_network(source, best_precision(precision, source.in_bytes), threads)


def _open_torch(source: TorchSource, precision: str) -> Network:
    from tinct.inference.torch_engine import TorchNetwork

    key = ("torch", file_sha256(source.weights), precision, source.inputs, source.outputs)
    return compiled_networks.get(
        key, lambda: TorchNetwork.from_source(source, device="cuda", precision=precision)
    )


def _check_options(device: str, precision: str, threads: int | None) -> None:
    if device not in DEVICES:
        raise OptionError(f"device is {device!r}; choose one of {', '.join(DEVICES)}.")
    if precision not in PRECISIONS:
        raise OptionError(f"precision is {precision!r}; choose one of {', '.join(PRECISIONS)}.")
    if threads is not None and threads < 1:
        raise OptionError(f"threads is {threads}; give at least 1, or leave it out for all cores.")


def _nvidia_driver_is_loaded() -> bool:
    if sys.platform == "win32":
        return Path(r"C:\Windows\System32\nvcuda.dll").is_file()
    return (
        Path("/proc/driver/nvidia").is_dir() or Path("/dev/nvidiactl").exists() or Path("/dev/dxg").exists()
    )
