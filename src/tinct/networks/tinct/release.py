"""The released network's files: its graphs (`tinct.networks.tinct.graphs`), with inputs to trace them."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from tinct.color.bins import AB_BIN_COUNT
from tinct.networks.graph import Graph, Release, pixel_axes
from tinct.networks.layers.efficientnet_lite import CHANNELS
from tinct.networks.layers.outputs import bin_centers
from tinct.networks.semantics.ports import PLACE
from tinct.networks.tinct.graphs import cut
from tinct.networks.tinct.network import Tinct, TinctConfig
from tinct.networks.tinct.ports import INPUTS, MAP_CHANNELS_PER_HEAD, OUTPUTS

CHANNELS_FIRST = ("lightness", "maps", "hint_map")
"""Inputs whose channels stand before height and width."""

IN_BYTES = ("encode",)
"""Parts whose weights are stored in 8 bits: they hold most of the weights. What is computed in 8 bits is another
question (`tinct.networks.tinct.rounding`)."""


def graphs(model: Tinct) -> list[Graph]:
    """The network cut into the graphs of `PARTS`; batch normalizations are folded, training-only heads left out."""
    parts = cut(model.cpu().float(), bin_centers(1.0))
    examples = _examples(parts, shares_a_backbone=bool(model.config.backbone))
    found = []
    for part, graph in parts.items():
        # an encoder of its own is not told what was seen
        given = zip(INPUTS[part], examples[part], strict=False)
        axes = {name: _free_axes(name, tensor.ndim) for name, tensor in given}
        if part == "match":
            axes["item_bias"] = {0: "batch", 1: "places", 2: "items"}
        if part == "candidates":
            for name in ("keys", "places"):
                axes[name][0] = "blocks"
        found.append(Graph(f".{part}", graph, examples[part], axes, OUTPUTS[part], in_bytes=part in IN_BYTES))
    return found


@torch.no_grad()
def _examples(parts: Mapping[str, nn.Module], *, shares_a_backbone: bool) -> dict[str, tuple[Tensor, ...]]:
    """Inputs to trace each graph with; their sizes are all different."""
    lightness = torch.rand(1, 1, 96, 128) * 100
    grids = zip(((20, 28), (10, 14), (5, 7)), CHANNELS[2:], strict=True)
    seen = tuple(torch.rand(1, *grid, count) for grid, count in grids) if shares_a_backbone else ()
    keys, *shares = parts["encode"](lightness, *seen)
    items = (keys, torch.rand(1, 5, keys.shape[-1]), torch.rand(1, 5, 2))
    hints = (*items, torch.zeros(1, 24 * 32, 5), torch.rand(1, 5, 2))
    heads = parts["match"](*hints).shape[1]
    maps = torch.rand(1, heads * MAP_CHANNELS_PER_HEAD, 24, 32)
    decoder = (*shares, maps, torch.zeros(1, 3, 48, 64))
    return {
        "encode": (lightness, *seen),
        "match": hints,
        "candidates": (
            torch.rand(3, 6, 8, keys.shape[-1]),
            items[1],
            torch.zeros(1, 5),
            torch.rand(3, 6, 8, PLACE),
            torch.rand(1, 5, PLACE),
        ),
        "recall": (*items, torch.zeros(1, 5), torch.rand(1, 12, 16, PLACE), torch.rand(1, 5, PLACE)),
        "decode": (*decoder, torch.zeros(1, 12, 16, AB_BIN_COUNT), torch.zeros(1, 12, 16, 1)),
        "distribution": decoder[1:],
    }


def _free_axes(name: str, rank: int) -> dict[int, str]:
    if rank < 4:
        return {0: "batch", 1: "items"}
    if name in CHANNELS_FIRST:
        return pixel_axes(name)
    return {0: "batch", 1: f"{name}_height", 2: f"{name}_width"}


RELEASE = Release(TinctConfig, Tinct, graphs)
"""The form in which trained networks become files."""
