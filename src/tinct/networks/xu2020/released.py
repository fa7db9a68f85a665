"""The released sub-nets as PyTorch modules, for training to go on from: weights read back out of their graphs."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from tinct.errors import WeightsError
from tinct.networks.graph_weights import read_weights
from tinct.networks.xu2020.places import PARTS
from tinct.training.checkpoint import averaged_state
from tinct.weights import weights_path

RELEASED = "released"
"""The source of weights that stands for those that are installed."""

COLORIZATION, TRANSFER = "xu2020-colorization", "xu2020-transfer"
"""Names of the sub-nets, of their runs and of their files."""


def take_released_colorization(network: nn.Module, source: str = RELEASED) -> None:
    """Give a colorization sub-net the released weights, or those of a run.

    Args:
        source: "released", or the folder of a run of `xu2020-colorization`.
    Raises:
        WeightsError: if the weights are not installed, or the network has another width.
        OptionError: if the folder holds no such run.
    """
    if source == RELEASED:
        found = read_weights(weights_path(COLORIZATION))
        own = {key.removeprefix("model."): value for key, value in found.items() if key.startswith("model.")}
    else:
        own = averaged_state(Path(source), COLORIZATION)
    _take(network, own, COLORIZATION)


def take_released_transfer(network: nn.Module, source: str = RELEASED) -> None:
    """Give a transfer sub-net the released weights, or those of a run; arguments and exceptions as above."""
    own: dict[str, Tensor] = {}
    if source == RELEASED:
        for part in PARTS:
            found = read_weights(weights_path(f"{TRANSFER}.{part}"))
            own |= {_name_in_network(part, name): value for name, value in found.items()}
    else:
        state = averaged_state(Path(source), TRANSFER)
        own = {
            key.removeprefix("network."): value for key, value in state.items() if key.startswith("network.")
        }
    _take(network, own, TRANSFER)


def _name_in_network(part: str, name: str) -> str:
    """What a weight of a part (`tinct.networks.xu2020.parts`) is called in the whole transfer sub-net."""
    if part.startswith("encode"):
        return name
    kind = name.rpartition(".")[2]
    if part == "output":
        return f"decoder.conv1_1.{kind}"
    level = int(part.removeprefix("decode"))
    if name.startswith("into"):
        return f"decoder.conv{level + 1}_1.{kind}"
    last = {3: 4, 2: 2, 1: 2}[level]
    return f"decoder.conv{level}_{last - int(name.split('.')[1])}.{kind}"


def _take(network: nn.Module, weights: dict[str, Tensor], name: str) -> None:
    try:
        missing, _ = network.load_state_dict(weights, strict=False)
    except RuntimeError:
        raise WeightsError(
            f"the weights of {name} have another width than the network; write theirs in [network]."
        ) from None
    if lacking := [each for each in missing if not each.endswith("num_batches_tracked")]:
        raise WeightsError(f"the weights of {name} have none called {lacking[0]}; install them again.")
