"""From trained weights to released files: ONNX graphs of any size with half-precision weights, and safetensors."""

from __future__ import annotations

import copy
import logging
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from tinct.networks.blocks import ConvNorm
from tinct.networks.tinct import AB_SCALE, Features, Memory, Tinct

ONNX_OPSET = 18
ENCODE_OUTPUTS = ("keys", "half", "quarter", "eighth", "sixteenth")
MATCH_INPUTS = ("keys", "hint_keys", "hint_ab", "hint_place", "hint_bias", "ref_keys", "ref_ab", "ref_bias")
DECODE_OUTPUTS = ("ab", "annealed", "certainty", "logits")
BIG = 1024  # weights of fewer numbers stay in single precision


class EncodeGraph(nn.Module):
    """L* (1, 1, H, W), 0..100, to the five feature maps."""

    def __init__(self, model: Tinct) -> None:
        super().__init__()
        self.encoder = model.encoder

    def forward(self, lightness: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.encoder((lightness - 50) / 50)[0])


class MatchGraph(nn.Module):
    """Attention to hints and references given apart, so that distances are only worked out for hints."""

    def __init__(self, model: Tinct) -> None:
        super().__init__()
        self.matcher = model.matcher

    def forward(
        self,
        keys: Tensor,
        hint_keys: Tensor,
        hint_ab: Tensor,
        hint_place: Tensor,
        hint_bias: Tensor,
        ref_keys: Tensor,
        ref_ab: Tensor,
        ref_bias: Tensor,
    ) -> Tensor:
        m, heads = self.matcher, self.matcher.heads
        batch, size, height, width = keys.shape
        query = keys.reshape(batch, heads, size // heads, height * width).transpose(2, 3)
        query = query * m.log_temperature.exp()[:, None, None]
        hints = Memory(hint_keys, hint_ab / AB_SCALE, hint_place, torch.ones_like(hint_bias), hint_bias)
        near = query @ split_heads(hint_keys, heads) + m.item_bias(hints, height, width)
        far = query @ split_heads(ref_keys, heads) + ref_bias[:, None, None]
        null = (query * m.null_key[:, None]).sum(-1, keepdim=True) + m.null_bias[:, None, None]
        weights = torch.softmax(torch.cat([null, near, far], -1), -1)
        count = hint_bias.shape[1]
        found = torch.cat(
            [
                weights[..., 1 : count + 1] @ valued(hint_ab / AB_SCALE),
                weights[..., count + 1 :] @ valued(ref_ab / AB_SCALE),
            ],
            -1,
        )
        return found.transpose(2, 3).reshape(batch, heads * found.shape[-1], height, width)


class DecodeGraph(nn.Module):
    """Features and maps to ab at 1/2 (1, 2, H/2, W/2), and what the distribution says at 1/4.

    `annealed` is the distribution's annealed mean (Zhang 2016, equation 5) in ab units. `certainty` is one less its
    entropy over that of the uniform one, 0..1.
    """

    def __init__(self, model: Tinct, centers: Tensor, temperature: float) -> None:
        super().__init__()
        self.decoder, self.temperature = model.decoder, temperature
        self.centers: Tensor
        self.register_buffer("centers", centers.T[:, :, None, None].clone())

    def forward(
        self,
        half: Tensor,
        quarter: Tensor,
        eighth: Tensor,
        sixteenth: Tensor,
        maps: Tensor,
        hint_map: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        scaled = torch.cat([hint_map[:, :2] / AB_SCALE, hint_map[:, 2:]], 1)
        ab, logits = self.decoder(
            Features(maps, half, quarter, eighth, sixteenth), maps, scaled
        )  # keys are not read
        log_p = torch.log_softmax(logits.float(), 1)
        p = log_p.exp()
        sharp = torch.softmax(log_p / self.temperature, 1)
        annealed = torch.nn.functional.conv2d(sharp, self.centers)
        certainty = 1 + (p * log_p).sum(1, keepdim=True) / float(np.log(p.shape[1]))
        return ab * AB_SCALE, annealed, certainty, logits


def split_heads(keys: Tensor, heads: int) -> Tensor:
    """(B, M, heads * key) to (B, heads, key, M)."""
    batch, count, size = keys.shape
    return keys.reshape(batch, count, heads, size // heads).permute(0, 2, 3, 1)


def valued(ab: Tensor) -> Tensor:
    """(B, M, 2) to (B, 1, M, 3): a, b and 1."""
    return torch.cat([ab, torch.ones_like(ab[..., :1])], -1)[:, None]


def without_batch_norm(model: Tinct) -> Tinct:
    """A copy whose batch normalizations are folded into the convolutions before them."""
    model = copy.deepcopy(model).eval()
    for module in model.modules():
        if isinstance(module, ConvNorm):
            folded = fuse_conv_bn_eval(module[0], module[1])  # type: ignore[type-var, arg-type]
            module[0], module[1] = folded, nn.Identity()
    return model


def export(model: Tinct, centers: Tensor, out: Path, temperature: float = 0.38) -> list[Path]:
    """Write `tinct.encode.onnx`, `tinct.match.onnx` and `tinct.decode.onnx`."""
    model = without_batch_norm(model)
    encode, match, decode = EncodeGraph(model), MatchGraph(model), DecodeGraph(model, centers, temperature)
    lightness = torch.rand(1, 1, 96, 128) * 100
    with torch.no_grad():
        features = encode(lightness)
        size = features[0].shape[1]
        memory: tuple[Tensor, ...] = (
            torch.rand(1, 5, size),
            torch.rand(1, 5, 2),
            torch.rand(1, 5, 2),
            torch.zeros(1, 5),
        )
        memory = (*memory, torch.rand(1, 7, size), torch.rand(1, 7, 2), torch.zeros(1, 7))
        maps = match(features[0], *memory)
    hint_map = torch.zeros(1, 3, 48, 64)
    out.mkdir(parents=True, exist_ok=True)
    return [
        _write(encode, (lightness,), ("lightness",), ENCODE_OUTPUTS, out / "tinct.encode.onnx"),
        _write(match, (features[0], *memory), MATCH_INPUTS, ("maps",), out / "tinct.match.onnx"),
        _write(
            decode,
            (*features[1:], maps, hint_map),
            (*ENCODE_OUTPUTS[1:], "maps", "hint_map"),
            DECODE_OUTPUTS,
            out / "tinct.decode.onnx",
        ),
    ]


def _write(
    graph: nn.Module,
    example: tuple[Tensor, ...],
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    file: Path,
) -> Path:
    axes = {name: _free_axes(name, tensor.ndim) for name, tensor in zip(inputs, example, strict=True)}
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph.eval(),
            example,
            str(file),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes=axes,
            opset_version=ONNX_OPSET,
            dynamo=False,
        )
    halve_weights(file)
    return file


def _free_axes(name: str, rank: int) -> dict[int, str]:
    if rank == 4:
        return {0: "batch", 2: f"{name}_height", 3: f"{name}_width"}
    return {0: "batch", 1: f"{name.split('_')[0]}_count"}


def halve_weights(file: Path) -> None:
    """Store big weights as half precision, cast back where they are used; engines compute as they like."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(str(file))
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or int(np.prod(tensor.dims)) < BIG:
            continue
        name, values = tensor.name, numpy_helper.to_array(tensor).astype(np.float16)
        tensor.CopyFrom(numpy_helper.from_array(values, f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    onnx.save(model, str(file))


def release(
    model: Tinct, centers: Tensor, folder: Path, training_data: str, score: dict[str, float]
) -> dict[str, Path]:
    """Export into the weights folder and write the manifest's entries; returns the files by their names there."""
    import json

    from tinct.weights.checksum import file_sha256

    files = {file.stem: file for file in export(model, centers, folder)}
    manifest = folder / "manifest.json"
    entries = json.loads(manifest.read_text()) if manifest.exists() else {}
    for name, file in files.items():
        entries[name] = {
            "file": file.name,
            "sha256": file_sha256(file),
            "license": "MIT",
            "training_data": training_data,
            "score": score,
        }
    manifest.write_text(json.dumps(entries, indent=2, sort_keys=True) + "\n")
    return files
