"""Engines that run an exported network: OpenVINO on CPUs, PyTorch on GPUs; imported when a network is opened."""

from tinct.inference.interface import Network, TorchSource
from tinct.inference.layout import contiguous
from tinct.inference.model_source import JoinedModels, ModelFile
from tinct.inference.opening import on_gpu, open_joined, open_network

__all__ = [
    "JoinedModels",
    "ModelFile",
    "Network",
    "TorchSource",
    "contiguous",
    "on_gpu",
    "open_joined",
    "open_network",
]
