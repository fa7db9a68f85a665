"""The released network's weights, read back from its ONNX files: for a GPU to run, and for training to begin with."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from tinct.errors import WeightsError
from tinct.networks.graph_weights import read_weights, with_weights
from tinct.networks.layers.blocks import ConvNorm
from tinct.networks.tinct.graphs import cut
from tinct.networks.tinct.network import Tinct, TinctConfig
from tinct.tables import dataclass_from
from tinct.weights import manifest, weights_path


def released_graph(part: str, file: Path, config: TinctConfig | None = None) -> nn.Module:
    """Build one graph with the weights that its ONNX file holds, so that a GPU needs no file of its own.

    Args:
        part: one of `PARTS`.
        file: the ONNX file, as `tinct.training.export` writes it.
        config: the network's numbers; None is the released network's.
    Raises:
        WeightsError: if the file cannot be read or holds another network's weights.
    """
    return with_weights(cut(Tinct(config))[part], file)


def take_released(model: Tinct, *, decoder: bool = False) -> None:
    """Give a network's encoder and matcher the released weights, for training to go on from.

    Batch normalizations, which were folded away, stand as the identity: right for parts that are used as they are, in
    evaluation mode.

    Args:
        model: its numbers are the released network's in these parts.
        decoder: give it the decoder as well.
    Raises:
        WeightsError: if the weights are not there, or are another network's.
    """
    parts = ("encode", "match", "decode") if decoder else ("encode", "match")
    files = {part: weights_path(f"tinct.{part}") for part in parts}
    found = {part: read_weights(file) for part, file in files.items()}
    _take(model.encoder, _named(found["encode"], "encoder."), files["encode"], "encoder")
    _take(model.matcher, _named(found["match"], "matcher."), files["match"], "matcher")
    if decoder:
        try:
            whole = _whole_decoder(found["encode"], found["decode"])
        except KeyError as error:
            raise WeightsError(
                f"{files['decode']} has no weights called {error.args[0]}: its decoder is of another structure; "
                "export it with this version."
            ) from None
        _take(model.decoder, whole, files["decode"], "decoder")


def installed_network() -> Tinct:
    """The installed network with its own numbers, in evaluation mode.

    Raises:
        WeightsError: if the weights are not there.
    """
    model = Tinct(dataclass_from(TinctConfig, manifest()["tinct.encode"].network, "network"))
    take_released(model, decoder=True)
    return model.eval()


def _named(weights: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}


def _whole_decoder(encode: dict[str, Tensor], decode: dict[str, Tensor]) -> dict[str, Tensor]:
    """The decoder's weights, with the convolutions that `_part` has cut put together again."""
    same = ("gate.", "ab.", "bins.bias", "mix4.", "mix8.", "mix16.")
    given = {name: value for name, value in decode.items() if name.startswith(same)}
    given["bins.weight"] = decode["bins.weight"][..., None, None]
    given |= {f"at{scale}.coarse.weight": decode[f"coarse{scale}.weight"] for scale in (2, 4, 8)}
    for scale in (2, 4, 8, 16):
        name = f"at{scale}.0" if scale == 16 else f"at{scale}.here.0"
        parts = encode[f"share{scale}.weight"], decode[f"rest{scale}.weight"]
        given[f"{name}.weight"], given[f"{name}.bias"] = torch.cat(parts, 1), encode[f"share{scale}.bias"]
    return given


def _take(module: nn.Module, given: dict[str, Tensor], file: Path, part: str) -> None:
    """Load weights whose batch normalizations were folded away into a module that has them."""
    state = module.state_dict()
    # the folded bias of a ConvNorm's convolution is its normalization's
    given = {
        name if name in state else name.removesuffix("0.bias") + "1.bias": value
        for name, value in given.items()
    }
    for name, block in module.named_modules():
        if isinstance(block, ConvNorm):
            norm = block[1]
            assert isinstance(norm, nn.BatchNorm2d)
            given[f"{name}.1.weight"] = torch.full_like(norm.weight, 1 + norm.eps).sqrt()
    wanted = {
        name for name in state if not name.endswith(("running_mean", "running_var", "num_batches_tracked"))
    }
    if not wanted <= given.keys() <= state.keys() or any(state[n].shape != v.shape for n, v in given.items()):
        raise WeightsError(
            f"{file} does not fit the network's {part}; leave backbone, encoder, blocks, heads and key of [network] as "
            "they are, and for a decoder that goes on its numbers as well."
        )
    module.load_state_dict(state | given)
