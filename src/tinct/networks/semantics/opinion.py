"""The semantic branch's opinion of a photograph, as its released file gives it (`tinct.networks.semantics.network`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tinct.inference import Network, TorchSource, open_network
from tinct.lazy import lazy
from tinct.methods.exported import at_longer_side
from tinct.networks.semantics.ports import OUTPUTS
from tinct.weights import manifest, weights_path

if TYPE_CHECKING:
    from torch import nn

Array = NDArray[np.float32]

NAME = "tinct-semantics"
"""The released file's name in the manifest."""

LONGER_SIDE, MULTIPLE = 192, 32
"""The branch looks at a photograph with its longer side of so many pixels, at any working size, and both sides rounded
to multiples of the second number: it was trained at 192 and 224 pixels, and knows things by their size."""


@dataclass(frozen=True)
class Opinion:
    """Colors at places of a coarse grid over the photograph.

    Attributes:
        ab: the mean answer, CIE a*, b*, shape (h, w, 2).
        logarithms: of the 313 bins' probabilities, shape (h, w, 313).
        signature: of the whole photograph, of unit length, shape (S,): the scalar product of two photographs'
            signatures is their likeness.
        places: what is at each place, shape (h, w, P): the scalar product of two places' vectors is what their likeness
            adds to the score of a reference's patch.
    """

    ab: Array
    logarithms: Array
    signature: Array
    places: Array

    @lazy
    def units(self) -> Array:
        """The vectors of `places` at unit length, shape (h * w, P); computed at the first use."""
        return unit_vectors(self.places.reshape(-1, self.places.shape[2]))


def unit_vectors(vectors: Array) -> Array:
    """Vectors (N, P) at unit length; 0 stays 0."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6), np.float32)


def looked_at(lightness: Array) -> Array:
    """A photograph's lightness at the size that the branch looks at; CIE L*, shape (H, W)."""
    return at_longer_side(lightness, LONGER_SIDE, MULTIPLE)


def opinion(lightness: Array, branch: Network) -> Opinion:
    """The branch's opinion of a photograph.

    Args:
        lightness: CIE L*, shape (H, W), 0..100.
        branch: as `open_branch` gives it.
    """
    return opinion_in(branch.run(lightness=looked_at(lightness)[None, None]))


def opinion_in(outputs: Mapping[str, NDArray[Any]], prefix: str = "") -> Opinion:
    """The opinion among a network's outputs for one photograph, by name, each behind a prefix."""
    names = (field.name for field in fields(Opinion))
    return Opinion(*(np.asarray(outputs[prefix + name][0], np.float32) for name in names))


def open_branch(**engine: Any) -> Network:
    """The branch, compiled once for all who ask for it in the same way.

    Args:
        engine: arguments of `tinct.inference.open_network`: device, precision, threads, ranges.
    Raises:
        WeightsError: if the file is missing or damaged.
    """
    path, numbers = weights_path(NAME), manifest()[NAME].network
    source = TorchSource(lambda: _torch_graph(path, numbers), path, ("lightness",), OUTPUTS)
    return open_network(path, torch_source=source, **engine)


def _torch_graph(path: Path, numbers: Any) -> nn.Module:
    from tinct.networks.semantics.released_weights import released_graph

    return released_graph(path, numbers)
