"""Tiny random networks of the papers, exported as trained ones are: what tests of their methods run."""

from __future__ import annotations

from pathlib import Path

import torch

from tinct.networks.xu2020.colorization_network import Xu2020Colorization
from tinct.networks.xu2020.export import release_xu2020
from tinct.networks.xu2020.lite_network import LiteTransfer
from tinct.networks.xu2020.network import Xu2020Config
from tinct.networks.xu2020.transfer_network import Xu2020Transfer
from tinct.training.config import read_config, shipped_configs
from tinct.training.export import Making
from tinct.training.export_papers import release_paper
from tinct.training.run import paper_network

WIDTH = 0.0625
SINGLE = (
    "zhang2016",
    "zhang2016-l2",
    "zhang2016-five-blocks",
    "zhang2016-four-blocks",
    "zhang2017",
    "zhang2017-global",
    "scunet",
    "scunet-classregsoft",
    "scunet-regsoft",
    "iizuka2016",
    "larsson2016",
)
"""Methods of one graph, which train under their own names."""

MAKING = Making("nothing: random weights", {"automatic": 1.0}, {"width": WIDTH}, "tinct train NAME", 1)


def tiny_network(name: str) -> torch.nn.Module:
    """One of `SINGLE` with random weights; batch normalizations do something."""
    numbers = read_config(shipped_configs()[name])["network"] | {"width": WIDTH}
    if name == "iizuka2016":
        numbers["global_size"] = 32
    return unsettled(paper_network(name, numbers))


def unsettled(network: torch.nn.Module) -> torch.nn.Module:
    """Other means and variances than those of a network that was never trained."""
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean, -0.2, 0.2)
            torch.nn.init.uniform_(module.running_var, 0.5, 2.0)
    return network.eval()


def tiny_subnets() -> dict[str, torch.nn.Module]:
    """Xu 2020's and the lighter variant's, by the names under which they are exported."""
    width = Xu2020Config(WIDTH, WIDTH)
    return {
        "xu2020-transfer": unsettled(Xu2020Transfer(width.transfer)),
        "xu2020-colorization": unsettled(Xu2020Colorization(width.colorization)),
        "xu2020-lite": unsettled(LiteTransfer(width.transfer)),
    }


def export_all(folder: Path) -> dict[str, torch.nn.Module]:
    """Export every network into a weights folder; returns them by name."""
    torch.manual_seed(0)
    networks = {name: tiny_network(name) for name in SINGLE}
    for name, network in networks.items():
        release_paper(network, name, folder, MAKING)
    for name, network in tiny_subnets().items():
        release_xu2020(network, name, folder, MAKING)
        networks[name] = network
    return networks
