"""The released form of the network: three graphs, as the ONNX files hold them and as a GPU runs them.

Batch normalizations are folded into the convolutions before them. Arrays at the border have the units of the
package (L* 0..100, a* b* as they are); scaling lies inside.
"""

from __future__ import annotations

import copy
import math
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from tinct.errors import WeightsError
from tinct.networks.blocks import ConvNorm
from tinct.networks.ports import PARTS
from tinct.networks.tinct import AB_BIN_COUNT, AB_SCALE, Features, Memory, Tinct, TinctConfig

TEMPERATURE = 0.38
"""Of the annealed mean (Zhang 2016, section 2.3)."""

HALF = ".half"
"""Ending of the names of weights that are stored in half precision."""


class EncodeGraph(nn.Module):
    """L* (B, 1, H, W), 0..100, H and W multiples of 32, to the five feature maps of `Features`."""

    def __init__(self, model: Tinct) -> None:
        super().__init__()
        self.encoder = model.encoder

    def forward(self, lightness: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.encoder((lightness - 50) / 50)[0])


class MatchGraph(nn.Module):
    """Attention to hints and references given apart, so that distances are only worked out for hints.

    Equals `Matcher.forward` on the memory of both; hinted and referenced ab in units of CIE a*, b*.
    """

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
        height, width = keys.shape[2:]
        query, null = self.matcher.query(keys)
        hints = Memory(hint_keys, hint_ab / AB_SCALE, hint_place, torch.ones_like(hint_bias), hint_bias)
        near = query @ self.matcher.split(hint_keys) + self.matcher.item_bias(hints, height, width)
        far = query @ self.matcher.split(ref_keys) + ref_bias[:, None, None]
        weights = torch.softmax(torch.cat([null, near, far], -1), -1)
        first = 1 + hint_bias.shape[1]
        from_hints = weights[..., 1:first] @ _with_one(hint_ab / AB_SCALE).to(weights.dtype)
        from_references = weights[..., first:] @ _with_one(ref_ab / AB_SCALE).to(weights.dtype)
        return self.matcher.maps(torch.cat([from_hints, from_references], -1), height, width)


class DecodeGraph(nn.Module):
    """Features and maps to ab at 1/2 (B, 2, H/2, W/2), and what the distribution says at 1/4.

    `annealed` is the distribution's annealed mean (Zhang 2016, equation 5) in units of ab; `certainty` is one less
    its entropy over that of the uniform one, 0..1.

    Args:
        model: whose decoder this is.
        centers: of the bins, (313, 2); None where weights are loaded afterwards.
    """

    def __init__(self, model: Tinct, centers: Tensor | None = None) -> None:
        super().__init__()
        self.decoder = model.decoder
        self.centers: Tensor
        given = torch.zeros(AB_BIN_COUNT, 2) if centers is None else centers
        self.register_buffer("centers", given.T[:, :, None, None].clone())

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
        unread = maps  # the decoder has no use for keys
        ab, logits = self.decoder(Features(unread, half, quarter, eighth, sixteenth), maps, scaled)
        log_p = torch.log_softmax(logits.float(), 1)
        sharp = torch.softmax(log_p / TEMPERATURE, 1)
        annealed = nn.functional.conv2d(sharp, self.centers)
        certainty = 1 + (log_p.exp() * log_p).sum(1, keepdim=True) / math.log(AB_BIN_COUNT)
        return ab * AB_SCALE, annealed, certainty, logits


def cut(model: Tinct, centers: Tensor | None = None) -> dict[str, nn.Module]:
    """The network as three graphs in evaluation mode, by the names in `PARTS`."""
    model = without_batch_norm(model)
    graphs = (EncodeGraph(model), MatchGraph(model), DecodeGraph(model, centers))
    return {part: graph.eval() for part, graph in zip(PARTS, graphs, strict=True)}


def without_batch_norm(model: Tinct) -> Tinct:
    """A copy whose batch normalizations are folded into the convolutions before them."""
    model = copy.deepcopy(model).eval()
    for module in model.modules():
        if isinstance(module, ConvNorm):
            folded = fuse_conv_bn_eval(module[0], module[1])  # type: ignore[type-var, arg-type]
            module[0], module[1] = folded, nn.Identity()
    return model


def released_graph(part: str, file: Path, config: TinctConfig | None = None) -> nn.Module:
    """Build one graph with the weights that its ONNX file holds, so that a GPU needs no file of its own.

    Args:
        part: "encode", "match" or "decode".
        file: the ONNX file, as `tinct.training.export` writes it.
        config: the network's numbers; None is the released network's.
    Raises:
        WeightsError: if the file cannot be read or holds another network's weights.
    """
    graph = cut(Tinct(config))[part]
    try:
        missing, _ = graph.load_state_dict(read_weights(file), strict=False)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip().rstrip(".")
        raise WeightsError(f"{file} does not fit the network ({reason}); install tinct again.") from None
    if lacking := [name for name in missing if not name.endswith("num_batches_tracked")]:
        raise WeightsError(f"{file} has no weights called {lacking[0]}; install tinct again.")
    return graph


def read_weights(file: Path) -> dict[str, Tensor]:
    """The constants of an ONNX file by name, in single precision.

    Raises:
        WeightsError: if the file cannot be read.
    """
    import openvino

    try:
        operations = openvino.Core().read_model(file).get_ops()
    except RuntimeError:
        raise WeightsError(f"{file} cannot be read as a network; install tinct again.") from None
    constants = {op.get_friendly_name(): op for op in operations if op.get_type_name() == "Constant"}
    return {
        name.removesuffix(HALF): torch.from_numpy(op.data.copy()).float()
        for name, op in constants.items()
        if op.data.dtype.kind == "f"
    }


def _with_one(ab: Tensor) -> Tensor:
    """(B, M, 2) to (B, 1, M, 3): a, b and 1, whose attended sum is the share of attention."""
    return torch.cat([ab, torch.ones_like(ab[..., :1])], -1)[:, None]
