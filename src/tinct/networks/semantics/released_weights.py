"""The semantic branch in PyTorch with the weights of its released file, for a GPU to run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from tinct.networks.graph_weights import with_weights
from tinct.networks.layers.blocks import without_batch_norm
from tinct.networks.semantics.network import Semantics, SemanticsConfig, SemanticsGraph
from tinct.tables import dataclass_from


def released_graph(file: Path, numbers: Mapping[str, Any]) -> nn.Module:
    """The graph of a file, as `tinct.training.export` writes it.

    Args:
        numbers: the network's, as the manifest has them.
    Raises:
        WeightsError: if the file cannot be read or holds another network's weights.
    """
    model = Semantics(dataclass_from(SemanticsConfig, numbers, "network"))
    return with_weights(SemanticsGraph(without_batch_norm(model)), file)
