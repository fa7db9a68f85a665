"""From the papers' trained networks to released files: one ONNX graph each, of any size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from tinct.networks.paper_graph import PaperGraph
from tinct.networks.tinct.graphs import without_batch_norm
from tinct.training.export import Making, add_to_manifest, halve_weights, write_graph

TRACED_SIDE = 64


def export_paper(model: nn.Module, file: Path) -> PaperGraph:
    """Write one of the papers' networks as ONNX with half-precision weights; returns the graph that was written.

    Args:
        model: the trained network; batch normalizations that follow a convolution are folded into it.
    """
    folded: Any = without_batch_norm(model.cpu().float())  # type: ignore[arg-type]
    graph = PaperGraph(folded)
    write_graph(graph, graph.example(TRACED_SIDE), graph.free_axes(), graph.outputs, file)
    halve_weights(file)
    return graph


def release_paper(model: nn.Module, name: str, folder: Path, making: Making) -> dict[str, Path]:
    """Export into a weights folder as `NAME.onnx` and write the manifest's entry; see `tinct.training.export`."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {name: folder / f"{name}.onnx"}
    export_paper(model, files[name])
    add_to_manifest(files, folder, making)
    return files
