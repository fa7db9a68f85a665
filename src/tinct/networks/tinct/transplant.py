"""The released decoder and matcher behind another encoder: what they take of a photograph is learned anew."""

from __future__ import annotations

import torch

from tinct.networks.tinct.graphs import _named, _take, _whole_decoder, read_weights
from tinct.networks.tinct.network import Tinct
from tinct.weights import weights_path


def take_released_decoder(model: Tinct) -> None:
    """Give a network the released matcher and decoder, but for the convolutions of its own encoder's features.

    Batch normalizations, which were folded away, stand as the identity: the decoder is to stay in evaluation mode.

    Raises:
        WeightsError: if the weights are not there, or the network's decoder or keys have other numbers.
    """
    files = {part: weights_path(f"tinct.{part}") for part in ("encode", "match", "decode")}
    found = {part: read_weights(file) for part, file in files.items()}
    matcher = _named(found["match"], "matcher.")
    if model.config.signature:
        matcher["reference_bias"] = model.matcher.reference_bias.detach()
    _take(model.matcher, matcher, files["match"], "matcher")
    given, own = _whole_decoder(found["encode"], found["decode"]), model.decoder.state_dict()
    for scale, channels in zip((2, 4, 8, 16), model.config.encoder, strict=False):
        name = "at16.0.weight" if scale == 16 else f"at{scale}.here.0.weight"
        rest = found["decode"][f"rest{scale}.weight"]
        given[name] = torch.cat([own[name][:, :channels], rest], 1)
    _take(model.decoder, given, files["decode"], "decoder")
