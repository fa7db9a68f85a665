"""Names of the semantic branch's outputs, without torch."""

from __future__ import annotations

OUTPUTS = ("ab", "logarithms", "signature")
"""Names of the released file's outputs, in their order; see `tinct.networks.semantics.network.SemanticsGraph`."""
