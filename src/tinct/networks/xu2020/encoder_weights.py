"""Where an encoder of style transfer gets its weights: a published VGG-19, or a student of it that was trained here."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from tinct.networks.graph_weights import read_weights
from tinct.networks.layers.vgg19 import VGG19, layers_of
from tinct.networks.xu2020.places import PARTS
from tinct.networks.xu2020.released import RELEASED
from tinct.training.checkpoint import averaged_state
from tinct.weights import weights_path
from tinct.weights.frozen import locate
from tinct.weights.state_dict import read_state_dict

TEACHER = "vgg19"
"""Name of the teacher's weights."""

STUDENT = "xu2020-encoder"
"""Name of the encoder's weights, which a training wrote."""


def encoder_weights(source: str) -> dict[str, Tensor]:
    """Weights by layer.

    Args:
        source: "vgg19" for the published network, wherever `tinct.weights.frozen` finds it (layers that its file
            lacks are left out); "none" for no weights; "released" for the encoder that is installed with the package's
            networks; or the folder of a run of `xu2020-encoder`.
    Raises:
        WeightsError: if the published network is not on this machine, or its file is damaged.
        OptionError: if the folder holds no such run.
    """
    if source == "none":
        return {}
    if source == TEACHER:
        return layers_of(read_state_dict(locate(TEACHER)))
    if source == RELEASED:
        return _released()
    return _student(averaged_state(Path(source), STUDENT))


def teacher(last: str = "conv4_1") -> tuple[VGG19, tuple[str, ...]]:
    """The published VGG-19, frozen, and the layers of it that have weights, as far as `last`."""
    network = VGG19(1.0, last)
    lacking = network.load(encoder_weights(TEACHER))
    known = tuple(name for name in network.names if name not in lacking)
    return network.requires_grad_(False).eval(), known


def _released() -> dict[str, Tensor]:
    """The weights of the installed encoder, read back out of its graphs."""
    files = [weights_path(f"xu2020-transfer.{part}") for part in PARTS if part.startswith("encode")]
    found = {name: value for file in files for name, value in read_weights(file).items()}
    return {name.removeprefix("encoder."): value for name, value in found.items()}


def _student(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """conv4_1 is left out where nothing has shown it what to see; then the decoder's training makes it."""
    prefix = "encoder."
    inner = {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
    if {"maps.conv4_1.weight", "seen.weight"} & set(state):
        return inner
    return {name: value for name, value in inner.items() if not name.startswith("conv4_1")}
