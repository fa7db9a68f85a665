"""The parts of the released network that a CPU computes in 8 bits, by what the CPU computes in beside them."""

from __future__ import annotations

from collections.abc import Mapping

from tinct.inference.eight_bits import Ranges
from tinct.networks.semantics.opinion import NAME as SEMANTICS
from tinct.weights import Weights

BESIDE_BF16 = frozenset(("tinct.encode",))
"""The parts that are computed in 8 bits on each CPU that multiplies bytes."""

BESIDE_F32 = frozenset(("tinct.decode", "tinct.distribution", SEMANTICS))
"""The parts that are computed in 8 bits where the CPU does not compute in bf16. Beside bf16 there is little to gain,
and OpenVINO 2026.4 stops at some convolutions in bf16 whose results are to be rounded."""

IN_FULL = frozenset(("model.backbone.stages.0.0.project.0.weight",))
"""Convolutions that are not computed in 8 bits, by the names of their weights. The first one behind the photograph
changes all that the branch says by 4 to 5 % if its input is rounded, all others together by 1.7 %."""

PARTS = BESIDE_BF16 | BESIDE_F32
"""The parts whose ranges are measured."""


def ranges_of(name: str, entries: Mapping[str, Weights]) -> Ranges:
    """The largest inputs of the convolutions of a part that this machine's CPU computes in 8 bits; empty for none.

    Args:
        name: of the part in the manifest.
        entries: the manifest.
    Raises:
        MissingExtraError: if the engine is not installed.
    """
    from tinct.inference.openvino_engine import computes_in_bf16

    in_bytes = name in BESIDE_BF16 or (name in BESIDE_F32 and not computes_in_bf16())
    return entries[name].ranges if in_bytes else {}
