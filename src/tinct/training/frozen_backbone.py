"""A pretrained network that is not trained, run by OpenVINO: a quarter of PyTorch's time on a CPU."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from tinct.inference.openvino_engine import best_precision, engine
from tinct.networks.layers.efficientnet_lite import EfficientNetLite2, Levels

_SIDE = 64
"""Side in pixels of the input that the network is traced with; other sizes run as well."""


class FrozenBackbone:
    """The network's levels, without gradients through the layers that are not trained; see `EfficientNetLite2.forward`.

    Args:
        backbone: with its weights, on a CPU.
        early: True to compute levels to 1/8 so and leave the rest to the network that is trained.
    """

    def __init__(self, backbone: EfficientNetLite2, *, early: bool = False) -> None:
        self.early = early
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter(
                "ignore"
            )  # the tracing exporter is deprecated; the other writes no free sizes
            file = Path(folder) / "backbone.onnx"
            axes = {"lightness": {0: "batch", 2: "height", 3: "width"}}
            torch.onnx.export(
                (_Early(backbone) if early else backbone).eval(),
                (torch.zeros(1, 1, _SIDE, _SIDE),),
                str(file),
                input_names=["lightness"],
                dynamic_axes=axes,
                opset_version=18,
                dynamo=False,
            )
            threads = {"INFERENCE_NUM_THREADS": torch.get_num_threads()}
            hints = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": best_precision()}
            self._compiled = engine().compile_model(engine().read_model(file), "CPU", hints | threads)

    def __call__(self, lightness: Tensor, backbone: EfficientNetLite2) -> Levels:
        """Levels of (L* - 50) / 50, those below 1/8 by `backbone` if only the early ones are frozen."""
        levels = self.frozen_levels(lightness)
        return backbone.late(*levels) if self.early else Levels(*levels)

    def frozen_levels(self, lightness: Tensor) -> list[Tensor]:
        """The frozen levels of (L* - 50) / 50: all, or those at 1/2, 1/4 and 1/8."""
        found = self._compiled(np.ascontiguousarray(lightness.detach().numpy()))
        return [
            torch.from_numpy(found[i].copy()).contiguous(memory_format=torch.channels_last)
            for i in range(len(found))
        ]


class _Early(nn.Module):
    def __init__(self, backbone: EfficientNetLite2) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, lightness: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.backbone.early(lightness)
