"""Where Xu 2020's transfer sub-net matches features, and the sizes it takes; needs no torch."""

from __future__ import annotations

from dataclasses import dataclass

from tinct.errors import OptionError

LEVELS = (1, 2, 3)
"""Scales that have a skip: the full one, 1/2 and 1/4. The encoder has a fourth, at 1/8."""

MULTIPLE, SMALLEST = 8, 16
"""Sides are padded to a multiple of 8; reflection padding at 1/8 needs two places."""

PARTS = ("encode1", "encode2", "encode3", "encode4", "decode3", "decode2", "decode1", "output")
"""The graphs that the sub-net is released as: it is cut wherever features may be matched."""


PROBABILITY, LITE_PROBABILITY = 0.125, 0.01
"""Share of the coarse chroma's pixels that the colorization sub-net is shown; the report on the lighter variant masks
with a probability of 0.99."""


@dataclass(frozen=True)
class Places:
    """Where features are matched, by level (1 is the full size): each place can be switched on its own.

    Attributes:
        encoder: after conv{i}_1, of levels 1 to 4.
        skips: on the pooled features that the decoder is given, of levels 1 to 3.
        decoder: on the decoder's features, of levels 1 to 3, against those that it makes of the reference.
    Raises:
        OptionError: if a level does not exist.
    """

    encoder: tuple[int, ...] = (1, 2, 3, 4)
    skips: tuple[int, ...] = LEVELS
    decoder: tuple[int, ...] = LEVELS

    def __post_init__(self) -> None:
        for name, most in (("encoder", 4), ("skips", 3), ("decoder", 3)):
            if wrong := [level for level in getattr(self, name) if not 1 <= level <= most]:
                raise OptionError(f"{name} has level {wrong[0]}; levels are 1 to {most}.")


EVERYWHERE = Places()
"""Statistics matched in encoder, skips and decoder, as in the paper."""

ENCODER_ONLY = Places(decoder=())
"""Statistics matched in the encoder and its skips only (Figure 5); the skips are features of the encoder."""

DECODER_ONLY = Places(encoder=(), skips=())
"""Statistics matched in the decoder only (Figure 5)."""

NOWHERE = Places((), (), ())
"""Figure 5's (b), (c) and (d), and plain reconstruction. The skips are features of the encoder and go with it."""

STYLIZATION = Places((1, 2), (1,), ())
"""The places of `tinct stylize`, whose answer keeps the network's lightness: matched at deeper levels or in the decoder
as well, dark things get bright rims and skies clouds in the released network."""
