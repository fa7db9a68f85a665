"""What the released network's stages hand on: a photograph's features, and what references and hints add to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinct.color.upsampling import EdgeGuide
from tinct.hints import HintField
from tinct.inference import contiguous
from tinct.lazy import lazy
from tinct.methods.distribution import Distribution
from tinct.methods.exported import bilinear
from tinct.networks.semantics.opinion import Opinion
from tinct.networks.tinct.memory import Sums, block_means
from tinct.networks.tinct.mixing import Decoded
from tinct.networks.tinct.ports import PLACE_STRIDE
from tinct.networks.tinct.restraint import Restraint
from tinct.networks.tinct.vividness import VIVID_STRIDE

Array = NDArray[np.float32]


class Encoded(NamedTuple):
    """The encoder's outputs for a photograph, and the semantic branch's.

    Attributes:
        view: the key of each place, shape (1, H / 4, W / 4, heads * key), as the encoder's maps lie in memory.
        shares: the outputs of `encode` that the decoder takes, by name.
        opinion: the semantic branch's, of the lightness with its padding.
    """

    view: NDArray[Any]
    shares: dict[str, NDArray[Any]]
    opinion: Opinion


@dataclass(frozen=True)
class Features:
    """A photograph's features, computed when the first of them is wanted.

    A photograph that nobody helps is answered by one network from its lightness (`tinct.networks.tinct.joined`), and
    wants none.

    Attributes:
        lightness: CIE L*, mirrored out to multiples of 32, shape (H, W).
        size: height and width before that.
        encode: what computes them.
    """

    lightness: Array
    size: tuple[int, int]
    encode: Callable[[Array], Encoded] = field(repr=False)

    @lazy
    def encoded(self) -> Encoded:
        """The outputs of encoder and branch, computed at the first use."""
        return self.encode(self.lightness)

    @property
    def view(self) -> NDArray[Any]:
        """See `Encoded`."""
        return self.encoded.view

    @property
    def opinion(self) -> Opinion:
        """See `Encoded`."""
        return self.encoded.opinion

    @lazy
    def keys(self) -> NDArray[Any]:
        """The key of each place, shape (1, H / 4, W / 4, heads * key); copied into memory order at the first use."""
        return contiguous(self.view)

    @lazy
    def places(self) -> Array:
        """What the semantic branch sees at each place of 1/8, shape (1, H / 8, W / 8, P)."""
        return contiguous(bilinear(self.opinion.places, self.grid(PLACE_STRIDE))[None])

    @lazy
    def second(self) -> Array:
        """The branch's logarithms as the decoder takes them, shape (1, H / 8, W / 8, 313): 1.3 MB at 256 square."""
        return contiguous(bilinear(self.opinion.logarithms, self.grid(VIVID_STRIDE))[None])

    @lazy
    def at_eighth(self) -> EdgeGuide:
        """The edges along which what is told at 1/8 is enlarged."""
        return self._guide(VIVID_STRIDE)

    @lazy
    def at_half(self) -> EdgeGuide:
        """The edges along which the decoder's answer is enlarged."""
        return self._guide(2)

    def _guide(self, stride: int) -> EdgeGuide:
        return EdgeGuide.of(block_means(self.lightness[..., None], stride)[..., 0], self.lightness)

    def grid(self, stride: int) -> tuple[int, int]:
        """Rows and columns of a map with so many pixels to a place."""
        height, width = self.lightness.shape
        return height // stride, width // stride


class Recalled(NamedTuple):
    """What references of a weight above 0 give a photograph.

    Attributes:
        sums: the attention to all of them, as `against_null` gives it, with their hues turned back.
        turn: the angle by which their hues are turned (`tinct.methods.turned_hues`), 0 if they are not.
    """

    sums: Sums
    turn: float


@dataclass(slots=True)
class Matched:
    """A photograph matched with references and hints, all of them with their hues turned back.

    Attributes:
        features: of the photograph.
        hints: at the working size, as the network sees them.
        maps: of the attention to both, as `tinct.networks.tinct.memory.maps` gives them.
        helped: False if there are neither.
        restraint: how far places are kept from hints; None where nothing is.
        turn: the angle by which the answer is turned; 0 for most.
        given: the hints as they were given.
        decoded: the decoder's outputs; None until it has run.
        distribution: None until it was asked for.
    """

    features: Features
    hints: HintField
    maps: Array
    helped: bool
    restraint: Restraint | None
    turn: float
    given: HintField
    decoded: Decoded | None = None
    distribution: Distribution | None = None

    @property
    def inputs(self) -> dict[str, NDArray[Any]]:
        """The inputs of decoder and distribution that come from features, references and hints, by name."""
        hint_map = _hint_map(self.hints, self.features.lightness.shape)
        return {**self.features.encoded.shares, "maps": self.maps, "hint_map": hint_map}


def _hint_map(hints: HintField, padded: tuple[int, ...]) -> Array:
    """ab times coverage, and coverage, at 1/2: (1, 3, H/2, W/2); of sides that are even."""
    height, width = (side // 2 for side in padded)
    row, column = hints.pixels()
    share = hints.mask[row, column] / 4
    cells = row // 2 * width + column // 2
    planes = (share * hints.ab[row, column, 0], share * hints.ab[row, column, 1], share)
    sums = [np.bincount(cells, plane, height * width) for plane in planes]
    return np.asarray(sums, np.float32).reshape(1, 3, height, width)
