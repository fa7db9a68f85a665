"""Names of what goes into the released network's three graphs and comes out of them; needs no torch."""

from __future__ import annotations

PARTS = ("encode", "match", "decode")

INPUTS: dict[str, tuple[str, ...]] = {
    "encode": ("lightness",),
    "match": ("keys", "hint_keys", "hint_ab", "hint_place", "hint_bias", "ref_keys", "ref_ab", "ref_bias"),
    "decode": ("half", "quarter", "eighth", "sixteenth", "maps", "hint_map"),
}

OUTPUTS: dict[str, tuple[str, ...]] = {
    "encode": ("keys", "half", "quarter", "eighth", "sixteenth"),
    "match": ("maps",),
    "decode": ("ab", "annealed", "certainty", "logits"),
}
