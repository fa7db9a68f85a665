"""What goes into the released network's graphs and comes out of them; needs no torch."""

from __future__ import annotations

PARTS = ("encode", "match", "recall", "decode", "distribution")

_DECODER = ("half", "quarter", "eighth", "sixteenth", "maps", "hint_map")

INPUTS: dict[str, tuple[str, ...]] = {
    "encode": ("lightness",),
    "match": ("keys", "item_keys", "item_ab", "item_bias", "item_place"),
    "recall": ("keys", "item_keys", "item_ab", "item_bias"),
    "decode": _DECODER,
    "distribution": _DECODER[1:],  # nothing at 1/2
}

SIGNATURE = "signature"
"""What says how much photographs have in common; networks without an encoder that knows do not give it."""

OUTPUTS: dict[str, tuple[str, ...]] = {
    "encode": ("keys", "half", "quarter", "eighth", "sixteenth", SIGNATURE),
    "match": ("found",),
    "recall": ("found",),
    "decode": ("ab", "annealed", "certainty"),
    "distribution": ("probabilities",),
}
