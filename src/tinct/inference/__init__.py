"""Engines that run an exported network: OpenVINO on CPUs, PyTorch on GPUs; imported when a network is opened."""

from tinct.inference.interface import Network, TorchSource
from tinct.inference.opening import open_network

__all__ = ["Network", "TorchSource", "open_network"]
