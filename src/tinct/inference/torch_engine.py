"""PyTorch on GPUs: runs the network from its PyTorch definition and the released weights."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tinct.errors import MissingExtraError, OptionError, ShapeError, WeightsError
from tinct.inference.interface import TorchSource, arrays_in_order

if TYPE_CHECKING:
    from torch import nn

try:
    import torch
except ImportError as missing:
    raise MissingExtraError(
        f"PyTorch cannot be imported ({missing}); a GPU is used through it: pip install 'tinct[train]'."
    ) from None


class TorchNetwork:
    """A module in evaluation mode on one device; see `Network`.

    Args:
        module: with its weights; `forward` takes the inputs in order, and gives one tensor or a tuple of tensors.
        inputs, outputs: names, in that order.
        device: "cuda" or "cpu".
        precision: "auto" is bf16 (autocast) on a GPU that computes in it, else f32.
    Raises:
        OptionError: if there is no GPU, or the device does not compute in bf16 where that is the precision.
    """

    def __init__(
        self,
        module: nn.Module,
        inputs: Sequence[str],
        outputs: Sequence[str],
        *,
        device: str = "cuda",
        precision: str = "auto",
    ) -> None:
        if device == "cuda" and not torch.cuda.is_available():
            raise OptionError("device is cuda, but PyTorch sees no GPU; use device cpu.")
        self.inputs, self.outputs = tuple(inputs), tuple(outputs)
        self.device, self.precision = device, _chosen_precision(device, precision)
        self._module = module.eval().requires_grad_(False).to(device)

    @classmethod
    def from_source(
        cls, source: TorchSource, *, device: str = "cuda", precision: str = "auto"
    ) -> TorchNetwork:
        """Build a network and load its weights.

        Raises:
            WeightsError: if the weights file is missing, is damaged or belongs to another network.
        """
        module = source.build()
        if source.weights.suffix == ".safetensors":
            _load_weights(module, source)
        return cls(module, source.inputs, source.outputs, device=device, precision=precision)

    def run(self, **arrays: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Run once; see `Network.run`.

        Raises:
            ShapeError: if an input is missing or unknown, or if shapes do not fit the network.
        """
        name = type(self._module).__name__
        ordered = [np.ascontiguousarray(a) for a in arrays_in_order(name, self.inputs, arrays)]
        try:
            results = self._forward(ordered)
        except RuntimeError as error:
            met = ", ".join(
                f"{n} {'x'.join(map(str, a.shape))}" for n, a in zip(self.inputs, ordered, strict=True)
            )
            raise ShapeError(
                f"{name} cannot take {met} ({str(error).splitlines()[0].rstrip('.')})."
            ) from None
        return dict(zip(self.outputs, results, strict=True))

    def _forward(self, ordered: list[NDArray[Any]]) -> list[NDArray[Any]]:
        reduced = self.precision == "bf16"
        casting = torch.autocast(self.device, torch.bfloat16) if reduced else nullcontext()
        with torch.inference_mode(), casting:
            tensors = [_single(torch.tensor(array)).to(self.device) for array in ordered]
            results = self._module(*tensors)
        found = results if isinstance(results, (tuple, list)) else (results,)
        return [(r.float() if r.is_floating_point() else r).cpu().numpy() for r in found]


def _single(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.float() if tensor.dtype == torch.float64 else tensor


def _chosen_precision(device: str, precision: str) -> str:
    if precision == "int8":
        raise OptionError("precision is int8, which runs on CPUs alone; use auto, bf16 or f32.")
    has_bf16 = device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    if precision == "auto":
        return "bf16" if has_bf16 else "f32"
    if precision == "bf16" and device == "cuda" and not has_bf16:
        raise OptionError("precision is bf16, which this GPU does not compute in; use auto or f32.")
    return precision


def _load_weights(module: nn.Module, source: TorchSource) -> None:
    try:
        from safetensors.torch import load_file
    except ImportError:
        raise MissingExtraError(
            "safetensors is not installed; weights are kept in it: pip install 'tinct[train]'."
        ) from None
    if not source.weights.is_file():
        raise WeightsError(f"{source.weights} does not exist; install tinct again or download the file.")
    try:
        module.load_state_dict(load_file(source.weights))
    except Exception as error:  # safetensors raises its own class, a wrong network RuntimeError
        reason = str(error).splitlines()[0].rstrip(".:")
        raise WeightsError(
            f"{source.weights} does not fit the network ({reason}); download it again."
        ) from None
