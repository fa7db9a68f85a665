"""Sizes of the released network and the inputs and outputs of its graphs, without torch."""

from __future__ import annotations

SIZE_MULTIPLE = 32
"""Working sizes are padded to multiples of this: the encoder halves five times."""

KEY_STRIDE, REFERENCE_STRIDE, PLACE_STRIDE = 4, 8, 8
"""Working pixels to a key of the photograph, to an item of a reference in training (`memory.reference_items` cuts
those of the same picture finer), and to a place at which the semantic branch's features are compared."""

HEADS = 2
"""Heads of the released network's attention."""

MAP_CHANNELS_PER_HEAD = 6
"""Channels of a head's map: a*, b* and the share of attention, from hints and then from references."""

PARTS = ("encode", "match", "candidates", "recall", "decode", "distribution")
"""The graphs that the network is cut into, in the order of their use."""

_DECODER = ("half", "quarter", "eighth", "sixteenth", "maps", "hint_map")

SEEN = ("seen_eighth", "seen_sixteenth", "seen_thirtysecond")
"""Names of the inputs of `encode` that say what the semantic branch's pretrained network saw. An encoder of its own has
none of them."""

INPUTS: dict[str, tuple[str, ...]] = {
    "encode": ("lightness", *SEEN),
    "match": ("keys", "item_keys", "item_ab", "item_bias", "item_place"),
    "candidates": ("keys", "item_keys", "item_bias", "places", "item_places"),
    "recall": ("keys", "item_keys", "item_ab", "item_bias", "places", "item_places"),
    "decode": (*_DECODER, "second", "second_share"),
    "distribution": _DECODER[1:],  # nothing at 1/2
}
"""Names of each graph's inputs, in their order."""

OUTPUTS: dict[str, tuple[str, ...]] = {
    "encode": ("keys", "half", "quarter", "eighth", "sixteenth"),
    "match": ("found",),
    "candidates": ("taken",),
    "recall": ("found",),
    "decode": ("ab", "annealed", "certainty"),
    "distribution": ("probabilities",),
}
"""Names of each graph's outputs, in their order."""
