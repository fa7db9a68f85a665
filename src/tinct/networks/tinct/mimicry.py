"""Teaches an encoder to say what the released one says: keys, and what the released decoder takes of a photograph.

Features are compared where the decoder reads them, behind its convolutions of what is at each scale, so that the
encoder may have other numbers (FitNets: Romero et al., ICLR 2015). What is learned at every place of every photograph
is without the noise that colors have, so it takes minutes where colors take hours.
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

KEYS = 2.0
"""Weight of the keys' error, whose parts of unit length have at most 4 by it, against each level's."""


class Mimicry:
    """The losses of an encoder that is to say what the released one says."""

    def __init__(self) -> None:
        entry = manifest()["tinct.encode"]
        file, threads = weights_path("tinct.encode"), torch.get_num_threads()
        self._released = open_network(file, threads=threads, ranges=entry.ranges, device="cpu")

    def losses(self, model: Tinct, lightness: Tensor) -> dict[str, Tensor]:
        """How far keys and features are from the released ones.

        Args:
            model: its decoder is the released one (`tinct.networks.tinct.transplant`).
            lightness: L* as the network is shown it, (B, 1, H, W).
        """
        with torch.no_grad():
            wanted = self._said(lightness)
        features, _ = model.encoder(((lightness - 50) / 50).contiguous(memory_format=torch.channels_last))
        found = shares(model, features)
        errors = {name: relative_error(found[name].float(), wanted[name]) for name in LEVELS}
        keys = F.mse_loss(features.keys.float(), wanted["keys"]) * model.config.key
        return {**errors, "keys": KEYS * keys}

    def _said(self, lightness: Tensor) -> dict[str, Tensor]:
        """What the released `encode` says of a batch, channels first."""
        said = self._released.run(lightness=np.ascontiguousarray(lightness.cpu().numpy()))
        return {
            name: torch.from_numpy(np.array(said[name], np.float32)).permute(0, 3, 1, 2).to(lightness.device)
            for name in (*LEVELS, "keys")
        }


def shares(model: Tinct, features: Features) -> dict[str, Tensor]:
    """What the decoder's convolutions make of features alone, as `tinct.networks.tinct.graphs.EncodeGraph` gives it."""
    decoder: Any = model.decoder
    blocks = (decoder.at2.here, decoder.at4.here, decoder.at8.here, decoder.at16)
    out = {}
    for name, block in zip(LEVELS, blocks, strict=True):
        seen = getattr(features, name)
        out[name] = F.conv2d(seen, block[0].weight[:, : seen.shape[1]], block[1].bias, padding=1)
    return out


def relative_error(found: Tensor, wanted: Tensor) -> Tensor:
    """Mean squared error of each channel against how much it varies, (B, C, h, w); the mean over channels."""
    error = (found - wanted).square().mean((0, 2, 3))
    return (error / wanted.var((0, 2, 3)).clamp_min(1e-3)).mean()
