"""The start from Zhang 2017, whose U-Net is the paper's too, or from released weights of He 2018."""

from __future__ import annotations

import torch
from torch import Tensor

from tinct.errors import OptionError
from tinct.networks.graph_weights import read_weights
from tinct.networks.he2018.network import He2018
from tinct.weights import weights_path

ZHANG2017 = "zhang2017"
"""The network that is started from, by the name of its released weights."""

RELEASED = "released"
"""The start from the weights of He 2018 that are installed."""

CONSUMERS = {
    "conv1": ("conv2.0", "conv1_10"),
    "conv2": ("conv3.0", "conv2_9"),
    "conv3": ("conv4.0", "conv3_8"),
    "conv4": ("conv5.0",),
    "conv5": ("conv6.0",),
    "conv6": ("conv7.0",),
    "conv7": ("conv8_up",),
    "conv8": ("conv9_up",),
    "conv9": ("conv10_up",),
}
"""Which layers take what the last batch normalization of a block of Zhang 2017 gives."""

TAPS = 4
"""Taps of a 4x4 kernel of stride 2 that meet at one pixel."""


def started(model: He2018, weights: dict[str, Tensor]) -> None:
    """Give a fresh network the weights of Zhang 2017's main branch, in place.

    Its batch normalizations have factors and offsets, which go into the layers behind them. The first layer hands
    lightness and carried colors on as they are, so that Zhang 2017's own first layer, now the second, sees what it saw.
    Carried colors without its mask say little to it.

    Args:
        weights: of the released graph of zhang2017 (`tinct.networks.graph_weights.read_weights`).
    Raises:
        OptionError: if the widths differ.
    """
    theirs = {key.removeprefix("model.").removeprefix("main."): value for key, value in weights.items()}
    state = model.state_dict()
    found = {name: value for name, value in theirs.items() if name in state and not name.startswith("conv1.")}
    found |= {f"conv1.4.{kind}": theirs[f"conv1.2.{kind}"] for kind in ("weight", "bias")}
    for kind in ("running_mean", "running_var"):
        found[f"conv1.6.{kind}"] = theirs[f"conv1.4.{kind}"]
    found |= _first_layers(state, theirs)
    for block, layers in CONSUMERS.items():
        norm = max(key for key in theirs if key.startswith(f"{block}.") and key.endswith(".running_mean"))
        factor, offset = (theirs[norm.replace("running_mean", kind)] for kind in ("weight", "bias"))
        for layer in layers:
            _fold(found, layer, factor, offset)
    if wrong := [name for name, value in found.items() if value.shape != state[name].shape]:
        raise OptionError(f"{wrong[0]} has another shape in zhang2017's weights; train at their width.")
    model.load_state_dict(state | found)


def gone_on_with(model: He2018, weights: dict[str, Tensor]) -> None:
    """Give a fresh network the weights of an exported one, in place.

    The guide's two layers that are added to one another had one bias for both, as they began and were trained alike;
    the export holds it once.

    Args:
        weights: of the released graph of he2018 (`tinct.networks.graph_weights.read_weights`).
    Raises:
        OptionError: if the network differs.
    """
    found = {key.removeprefix("model."): value for key, value in weights.items()}
    if "guide.maps.bias" not in found and "guide.eighth.1.bias" in found:
        found["guide.maps.bias"] = found["guide.eighth.1.bias"]
    state = model.state_dict()
    lacking = [key for key in state if key not in found and not key.endswith("num_batches_tracked")]
    wrong = [key for key in found if key not in state or found[key].shape != state[key].shape]
    if lacking or wrong:
        raise OptionError(
            f"the released weights of he2018 are of another network ({(wrong + lacking)[0]} does not fit); "
            f"train with the [network] of he2018.toml."
        )
    model.load_state_dict(state | found)


def he2018_weights() -> dict[str, Tensor]:
    """The released weights of He 2018's colorization sub-net.

    Raises:
        WeightsError: if these are not installed.
    """
    return read_weights(weights_path("he2018"))


def zhang2017_weights() -> dict[str, Tensor]:
    """The released weights of Zhang 2017.

    Raises:
        WeightsError: if these are not installed.
    """
    return read_weights(weights_path(ZHANG2017))


def _first_layers(state: dict[str, Tensor], theirs: dict[str, Tensor]) -> dict[str, Tensor]:
    """conv1.0 and conv1.2: L*, a* and b* with both signs, as rectifiers pass one sign alone; then their conv1.0."""
    first, second = state["conv1.0.weight"].clone(), theirs["conv1.0.weight"]
    if len(first) < 6:
        raise OptionError(f"the first layer has {len(first)} channels; zhang2017's start takes 6 or more.")
    behind = second.new_zeros(len(second), len(first), 3, 3)
    first[:6], first[6:, :3] = 0, 0
    for channel in range(3):
        for sign in (1, -1):
            at = 2 * channel + (sign < 0)
            first[at, channel, 1, 1] = sign
            behind[:, at] = sign * second[:, channel]
    behind[:, 6:] = 0.1 * state["conv1.2.weight"][: len(second), 6:]
    return {
        "conv1.0.weight": first,
        "conv1.0.bias": torch.zeros_like(state["conv1.0.bias"]),
        "conv1.2.weight": behind,
        "conv1.2.bias": theirs["conv1.0.bias"],
    }


def _fold(found: dict[str, Tensor], layer: str, factor: Tensor, offset: Tensor) -> None:
    """Let a layer take what comes before a normalization's factor and offset; exact but at the photograph's border."""
    weight, bias = found[f"{layer}.weight"], found[f"{layer}.bias"]
    if layer.endswith("_up"):
        found[f"{layer}.bias"] = bias + (weight * offset[:, None, None, None]).sum((0, 2, 3)) / TAPS
        found[f"{layer}.weight"] = weight * factor[:, None, None, None]
    else:
        found[f"{layer}.bias"] = bias + (weight * offset[:, None, None]).sum((1, 2, 3))
        found[f"{layer}.weight"] = weight * factor[:, None, None]
