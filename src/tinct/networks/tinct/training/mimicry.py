"""Distillation of the installed encoder: keys, and the features that the installed decoder takes of a photograph.

An encoder that shares a pretrained network begins with the installed encoder's own layers, and with what a linear
regression of the installed encoder's deeper features on the pretrained network's finds. Features are compared behind
the decoder's convolutions at each scale (FitNets: Romero et al., ICLR 2015). The targets lack the noise that colors
have, so that training takes minutes where colors take hours.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinct.errors import OptionError
from tinct.inference import open_network
from tinct.networks.layers.blocks import smoothly_upsampled
from tinct.networks.tinct.encoder import Encoder, SharingEncoder, beside16, beside32, in_deviations
from tinct.networks.tinct.network import Features, Tinct
from tinct.networks.tinct.ports import SEEN
from tinct.networks.tinct.training.looking import Look
from tinct.weights import manifest, weights_path

LEVELS = ("quarter", "eighth", "sixteenth")
"""Outputs of `encode` that are compared: what the decoder takes below 1/2, where the layers are the installed ones."""

WEIGHTS = {"quarter": 2.0, "eighth": 1.0, "sixteenth": 1.0}
"""Weights of the levels' errors."""

KEYS = 2.0
"""Weight of the keys' error; the error of keys of unit length is at most 4."""

RIDGE, DEEPEST_RIDGE = 0.02, 0.1
"""Ridge of the regressions in units of the inputs' variance, at 1/8 and 1/16 and at 1/32."""


class Mimicry:
    """The losses of an encoder that learns the installed encoder's outputs.

    Args:
        look: gives what the semantic branch's pretrained network sees.
    """

    def __init__(self, look: Look) -> None:
        entry, self._look = manifest()["tinct.encode"], look
        file, threads = weights_path("tinct.encode"), torch.get_num_threads()
        self._installed = open_network(file, threads=threads, ranges=entry.ranges, device="cpu")

    def losses(self, model: Tinct, lightness: Tensor) -> dict[str, Tensor]:
        """How far keys and features are from the installed ones.

        Args:
            model: its decoder is the installed one.
            lightness: L* as given to the network, (B, 1, H, W).
        """
        with torch.no_grad():
            wanted = self._said(lightness)
        features, _ = model.encoder(((lightness - 50) / 50).contiguous(memory_format=torch.channels_last))
        found = shares(model, features)
        errors = {
            name: weight * relative_error(found[name].float(), wanted[name])
            for name, weight in WEIGHTS.items()
        }
        keys = F.mse_loss(features.keys.float(), wanted["keys"]) * model.config.key
        return {**errors, "keys": KEYS * keys}

    def _said(self, lightness: Tensor) -> dict[str, Tensor]:
        """The outputs of the installed `encode` for a batch, channels first."""
        if SEEN[0] in self._installed.inputs:
            given = self._look.inputs(lightness)
        else:
            given = {"lightness": np.ascontiguousarray(lightness.cpu().numpy())}
        said = self._installed.run(**given)
        return {
            name: torch.from_numpy(np.array(said[name], np.float32)).permute(0, 3, 1, 2).to(lightness.device)
            for name in (*LEVELS, "keys")
        }


@torch.no_grad()
def begin_with(encoder: SharingEncoder, installed: Encoder, lightness: Tensor) -> None:
    """Give an encoder the layers that it has in common with the installed one, and regress the others.

    Args:
        installed: in evaluation mode.
        lightness: of some photographs, (L* - 50) / 50, (N, 1, H, W).
    Raises:
        OptionError: if the two encoders differ in other layers too.
    """
    given, own = installed.state_dict(), encoder.state_dict()
    fitting = {name: value for name, value in given.items() if name in own and own[name].shape == value.shape}
    if left := [name for name in own.keys() - fitting.keys() if not name.startswith("side")]:
        raise OptionError(
            f"the installed encoder has no {min(left)} of this size; leave encoder and heads as they are."
        )
    encoder.load_state_dict(own | fitting)
    if isinstance(installed, SharingEncoder):
        return
    encoder.eval()
    assert encoder.look is not None
    seen = [in_deviations(encoder.look(part)) for part in lightness.split(1)]
    shown = [_on_the_way(installed, part) for part in lightness.split(1)]
    bare = [encoder.down8(quarter) for quarter, *_ in shown]
    _regress(encoder.side8, [s.eighth for s in seen], bare, [way[1] for way in shown], RIDGE)
    joined = [
        F.relu(x + smoothly_upsampled(encoder.side8(s.eighth), x)) for x, s in zip(bare, seen, strict=True)
    ]
    bare = [encoder.down16(x) for x in joined]
    _regress(encoder.side16, [beside16(s) for s in seen], bare, [way[2] for way in shown], RIDGE)
    deepest = [way[3] for way in shown]
    nothing = [torch.zeros_like(x) for x in deepest]
    _regress(encoder.side32, [beside32(s) for s in seen], nothing, deepest, DEEPEST_RIDGE)


def _on_the_way(encoder: Encoder, shown: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The features of an encoder of its own on the way down, at 1/4, 1/8, 1/16 and 1/32."""
    quarter = encoder.down4(encoder.stem(shown))
    return quarter, *encoder.below(quarter, None)


def _regress(
    side: nn.Conv2d, seen: list[Tensor], bare: list[Tensor], wanted: list[Tensor], ridge: float
) -> None:
    """Set a 1x1 convolution of what was seen to what is wanted beyond bare features, by ridge regression."""
    rows = [
        smoothly_upsampled(x, y).permute(0, 2, 3, 1).flatten(0, 2) for x, y in zip(seen, bare, strict=True)
    ]
    targets = [(y - x).permute(0, 2, 3, 1).flatten(0, 2) for x, y in zip(bare, wanted, strict=True)]
    inputs, outputs = torch.cat(rows).double(), torch.cat(targets).double()
    mean, deviation, offset = inputs.mean(0), inputs.std(0).clamp_min(1e-6), outputs.mean(0)
    inputs = (inputs - mean) / deviation
    square = inputs.T @ inputs / len(inputs) + ridge * torch.eye(inputs.shape[1], dtype=torch.double)
    found = torch.linalg.solve(square, inputs.T @ (outputs - offset) / len(inputs)) / deviation[:, None]
    side.weight.copy_(found.T[:, :, None, None])
    assert side.bias is not None
    side.bias.copy_(offset - mean @ found)


def shares(model: Tinct, features: Features) -> dict[str, Tensor]:
    """The decoder's convolutions of features alone, as `tinct.networks.tinct.graphs.EncodeGraph` gives them."""
    decoder: Any = model.decoder
    blocks = (decoder.at4.here, decoder.at8.here, decoder.at16)
    out = {}
    for name, block in zip(LEVELS, blocks, strict=True):
        seen = getattr(features, name)
        out[name] = F.conv2d(seen, block[0].weight[:, : seen.shape[1]], block[1].bias, padding=1)
    return out


def relative_error(found: Tensor, wanted: Tensor) -> Tensor:
    """Mean squared error of each channel over the channel's variance, (B, C, h, w); the mean over channels."""
    error = (found - wanted).square().mean((0, 2, 3))
    return (error / wanted.var((0, 2, 3)).clamp_min(1e-3)).mean()
