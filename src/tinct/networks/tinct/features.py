"""The numbers of the released network, and the features that its encoders give of a photograph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor
from torch.nn import functional as F

from tinct.networks.tinct.ports import HEADS
from tinct.tables import check_above_zero, check_from_zero


@dataclass(frozen=True)
class TinctConfig:
    """The numbers of the network; channels at 1/2, 1/4, 1/8, 1/16 and 1/32 of the working size.

    Attributes:
        encoder: channels of the encoder's five scales.
        blocks: residual blocks at each of them; of an encoder that shares a backbone, those at 1/2 and 1/4 count.
        decoder: channels of the decoder at 1/2, 1/4, 1/8 and 1/16.
        heads: ways of comparing a place with the memory, each with its own key, temperature and reach.
        key: length of each head's key.
        backbone: "tinct-semantics" for an encoder that shares the pretrained network of the branch of that name
            (`tinct.networks.tinct.encoder`); "" is one by itself.
        scenes, segments, objects: sizes of the training-only heads that teach the encoder what is where.
    Raises:
        OptionError: if a number is out of its range.
    """

    encoder: tuple[int, int, int, int, int] = (32, 64, 128, 256, 384)
    blocks: tuple[int, int, int, int, int] = (1, 2, 3, 4, 2)
    decoder: tuple[int, int, int, int] = (32, 64, 64, 128)
    heads: int = HEADS
    key: int = 64
    backbone: str = "tinct-semantics"
    scenes: int = 365
    segments: int = 32
    objects: int = 1001

    def __post_init__(self) -> None:
        check_above_zero(self, "encoder", "decoder", "heads", "key", "scenes", "segments", "objects")
        check_from_zero(self, "blocks")


class Features(NamedTuple):
    """The features of a photograph: keys at 1/4, and features at 1/2, 1/4, 1/8 and 1/16."""

    keys: Tensor
    half: Tensor
    quarter: Tensor
    eighth: Tensor
    sixteenth: Tensor


def unit(keys: Tensor, heads: int) -> Tensor:
    """Scale each head's part of (B, heads * key, h, w) to unit length at every place."""
    batch, size, height, width = keys.shape
    parts = keys.float().reshape(batch, heads, size // heads, height, width)
    return F.normalize(parts, dim=2, eps=1e-4).reshape(batch, size, height, width).to(keys.dtype)
