"""Tiny random networks of the papers, exported as trained ones are: what tests of their methods run."""

from __future__ import annotations

from pathlib import Path

import torch

from tinct.networks.xu2020.colorization_network import Xu2020Colorization
from tinct.networks.xu2020.lite_network import LiteTransfer
from tinct.networks.xu2020.network import Xu2020Config
from tinct.networks.xu2020.transfer_network import Xu2020Transfer
from tinct.tables import dataclass_from
from tinct.training.config import read_config, shipped_configs
from tinct.training.export import Making, release
from tinct.training.run import release_of

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
    "xiao2019",
    "pix2pix",
    "pix2pix-l1",
)
"""Methods of one graph, which train under their own names."""

MAKING = Making("nothing: random weights", {"automatic": 1.0}, {"width": WIDTH}, "tinct train NAME", 1)


def tiny_network(name: str) -> torch.nn.Module:
    """One of `SINGLE`, or he2018, with random weights; batch normalizations do something."""
    numbers = read_config(shipped_configs()[name])["network"] | {"width": WIDTH}
    if name == "iizuka2016":
        numbers["global_size"] = 32
    return unsettled(network_of(name, numbers))


def network_of(name: str, numbers: dict[str, object]) -> torch.nn.Module:
    """A network with random weights, of the numbers of a config's table [network]."""
    form = release_of(name)
    return form.network(dataclass_from(form.config, numbers, "network"))


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
    networks = {name: tiny_network(name) for name in SINGLE} | tiny_subnets()
    networks["he2018"] = tiny_network("he2018")
    for name, network in networks.items():
        release_network(network, name, folder)
    return networks


def release_network(network: torch.nn.Module, name: str, folder: Path) -> dict[str, Path]:
    """Export a network into a weights folder, as `tinct export` does with a run of it."""
    return release(release_of(name).graphs(network), name, folder, MAKING)
