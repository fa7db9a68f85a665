"""Distillation of the released encoder: keys, and the features that the released decoder takes of a photograph.

Features are compared behind the decoder's convolutions at each scale, so that the encoder may have other channels
(FitNets: Romero et al., ICLR 2015). The targets lack the noise that colors have, so that training takes minutes where
colors take hours.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from tinct.inference import open_network
from tinct.networks.tinct.network import Features, Tinct
from tinct.weights import manifest, weights_path

LEVELS = ("half", "quarter", "eighth", "sixteenth")
"""Outputs of `encode` that the decoder takes."""

KEYS = 2.0
"""Weight of the keys' error against each level's; the error of keys of unit length is at most 4."""


class Mimicry:
    """The losses of an encoder that learns the released encoder's outputs."""

    def __init__(self) -> None:
        entry = manifest()["tinct.encode"]
        file, threads = weights_path("tinct.encode"), torch.get_num_threads()
        self._released = open_network(file, threads=threads, ranges=entry.ranges, device="cpu")

    def losses(self, model: Tinct, lightness: Tensor) -> dict[str, Tensor]:
        """How far keys and features are from the released ones.

        Args:
            model: its decoder is the released one (`take_released_decoder`).
            lightness: L* as given to the network, (B, 1, H, W).
        """
        with torch.no_grad():
            wanted = self._said(lightness)
        features, _ = model.encoder(((lightness - 50) / 50).contiguous(memory_format=torch.channels_last))
        found = shares(model, features)
        errors = {name: relative_error(found[name].float(), wanted[name]) for name in LEVELS}
        keys = F.mse_loss(features.keys.float(), wanted["keys"]) * model.config.key
        return {**errors, "keys": KEYS * keys}

    def _said(self, lightness: Tensor) -> dict[str, Tensor]:
        """The outputs of the released `encode` for a batch, channels first."""
        said = self._released.run(lightness=np.ascontiguousarray(lightness.cpu().numpy()))
        return {
            name: torch.from_numpy(np.array(said[name], np.float32)).permute(0, 3, 1, 2).to(lightness.device)
            for name in (*LEVELS, "keys")
        }


def shares(model: Tinct, features: Features) -> dict[str, Tensor]:
    """The decoder's convolutions of features alone, as `tinct.networks.tinct.graphs.EncodeGraph` gives them."""
    decoder: Any = model.decoder
    blocks = (decoder.at2.here, decoder.at4.here, decoder.at8.here, decoder.at16)
    out = {}
    for name, block in zip(LEVELS, blocks, strict=True):
        seen = getattr(features, name)
        out[name] = F.conv2d(seen, block[0].weight[:, : seen.shape[1]], block[1].bias, padding=1)
    return out


def relative_error(found: Tensor, wanted: Tensor) -> Tensor:
    """Mean squared error of each channel over the channel's variance, (B, C, h, w); the mean over channels."""
    error = (found - wanted).square().mean((0, 2, 3))
    return (error / wanted.var((0, 2, 3)).clamp_min(1e-3)).mean()
