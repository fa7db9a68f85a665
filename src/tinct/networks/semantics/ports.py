"""Names and sizes of the semantic branch's outputs, without torch."""

from __future__ import annotations

OUTPUTS = ("ab", "logarithms", "signature", "places", "eighth", "sixteenth", "thirtysecond")
"""Names of the released file's outputs, in their order; see `tinct.networks.semantics.network.SemanticsGraph`."""

LEVELS = OUTPUTS[4:]
"""Names of those that are the pretrained network's own features."""

PLACE = 48 + 120
"""Length of the vector that says what is at a place: channels of EfficientNet-Lite2 at 1/8 and at 1/16."""
