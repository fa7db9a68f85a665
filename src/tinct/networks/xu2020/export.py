"""From the runs of Xu 2020's parts to the whole network, and to released files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from tinct.networks.tinct.graphs import without_batch_norm
from tinct.networks.xu2020.colorization_network import Xu2020Colorization
from tinct.networks.xu2020.graphs import ColorizationGraph, TransferGraph
from tinct.networks.xu2020.lite_network import LiteTransfer, Xu2020Lite
from tinct.networks.xu2020.network import Xu2020, Xu2020Config
from tinct.networks.xu2020.parts import cut_transfer, examples, free_axes
from tinct.networks.xu2020.transfer_network import Xu2020Transfer
from tinct.training.config import dataclass_from, read_config
from tinct.training.export import Making, add_to_manifest, halve_weights, write_graph
from tinct.training.loop import averaged_state

RELEASED = ("xu2020-transfer", "xu2020-colorization", "xu2020-lite", "xu2020-lite-total")
"""Runs that have a released form; the encoder's is part of the transfer sub-net's."""

Traced = tuple[str, Any, tuple[Tensor, ...], Mapping[str, Mapping[int, str]]]
"""A name, the graph, inputs to trace it with, and their axes that may have any size."""


def trained(name: str, numbers: Mapping[str, Any], state: Mapping[str, Tensor]) -> nn.Module:
    """The network of a run, without what only training needs.

    Args:
        name: of the training, one of `RELEASED`.
        numbers: the table [network] of its config.
        state: its averaged weights.
    """
    config = dataclass_from(Xu2020Config, numbers, "network")
    kinds: dict[str, nn.Module] = {}
    if name == "xu2020-transfer":
        kinds[name] = Xu2020Transfer(config.transfer)
        prefix = "network."
        state = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    elif name == "xu2020-colorization":
        kinds[name] = Xu2020Colorization(config.colorization)
    else:
        kinds[name] = LiteTransfer(config.transfer) if name == "xu2020-lite" else Xu2020Lite(config)
    kinds[name].load_state_dict(dict(state))
    return kinds[name].eval()


def trained_run(run: Path, name: str) -> nn.Module:
    """The network of a run's folder.

    Raises:
        OptionError: if the folder holds no run of that name.
    """
    return trained(name, read_config(run / "config.toml").get("network", {}), averaged_state(run, name))


def assemble(transfer: Path, colorization: Path) -> Xu2020:
    """The whole network from the runs of its sub-nets, which may have any widths.

    Raises:
        OptionError: if a folder holds another run.
    """
    whole = Xu2020(Xu2020Config(0.1, 0.1))
    whole.transfer = trained_run(transfer, "xu2020-transfer")
    colors = trained_run(colorization, "xu2020-colorization")
    assert isinstance(colors, Xu2020Colorization)
    whole.colorization = colors
    return whole.eval()


def export_xu2020(model: nn.Module, folder: Path, name: str) -> dict[str, Path]:
    """Write a sub-net, or both of the whole, as ONNX with half-precision weights.

    Args:
        name: what the files are called. The transfer sub-net is cut where features are matched
            (`tinct.networks.xu2020.parts`), and each part adds its own name, as each sub-net of a whole does; of the
            lighter whole the transfer sub-net keeps its own.
    Returns:
        The files by their names in the manifest.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    folded = without_batch_norm(model.cpu().float()).eval()  # type: ignore[arg-type]
    for part, graph, example, axes in _graphs(folded, name):
        files[part] = folder / f"{part}.onnx"
        write_graph(graph, example, axes, graph.outputs, files[part])
        halve_weights(files[part])
    return files


def release_xu2020(model: nn.Module, name: str, folder: Path, making: Making) -> dict[str, Path]:
    """Export into a weights folder and write the manifest's entries; see `tinct.training.export`."""
    files = export_xu2020(model, folder, name.removesuffix("-total"))
    add_to_manifest(files, folder, making)
    return files


def _graphs(model: nn.Module, name: str) -> Iterator[Traced]:
    """The graphs to write, by the names of their files."""
    if isinstance(model, Xu2020):
        lighter = isinstance(model, Xu2020Lite)
        yield from _graphs(model.transfer, name if lighter else f"{name}-transfer")
        yield from _graphs(model.colorization, f"{name}-colorization")
    elif isinstance(model, Xu2020Transfer):
        parts = cut_transfer(model)
        given = examples(parts)
        for part, cut in parts.items():
            yield f"{name}.{part}", cut, given[part], free_axes(cut)
    else:
        assert isinstance(model, LiteTransfer | Xu2020Colorization)
        lite = isinstance(model, LiteTransfer)
        graph: Any = TransferGraph(model) if lite else ColorizationGraph(model)  # type: ignore[arg-type]
        yield name, graph, graph.example(), graph.free_axes()
