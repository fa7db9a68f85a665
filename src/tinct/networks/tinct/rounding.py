"""The parts of the released network that a CPU computes in 8 bits, by what the CPU computes in beside them."""

from __future__ import annotations

from collections.abc import Mapping

from tinct.inference.eight_bits import Ranges
from tinct.networks.semantics.opinion import NAME as SEMANTICS
from tinct.weights import Weights

BESIDE_BF16 = frozenset(("tinct.encode",))
"""The parts that are computed in 8 bits on each CPU that multiplies bytes."""

BESIDE_F32 = frozenset(("tinct.decode", "tinct.distribution", SEMANTICS))
"""The parts that are computed in 8 bits where all else is in single precision: OpenVINO 2026.4 stops at some
convolutions in bf16 whose results are to be rounded."""

BY_ITSELF = frozenset(("tinct.decode", "tinct.distribution"))
"""Those of them that have single precision beside them where they run by themselves, whatever the CPU computes in. On
an AMD EPYC (Zen 4) they then take four fifths of their time in bf16; with AMX that was not measured."""

IN_FULL = frozenset(
    (
        "model.backbone.stages.0.0.project.0.weight",
        *(f"rest{stride}.weight" for stride in (2, 4, 8, 16)),
    )
)
"""Convolutions that are not computed in 8 bits, by the names of their weights. The first one behind the photograph
changes the branch's a* b* by 4 % of what varies in them if its input is rounded, all others together by 1 %; the
decoder's that are given colors would clip them."""

ROUNDED = BESIDE_BF16 | BESIDE_F32
"""The parts whose ranges are measured, by their names in the manifest."""


def beside(name: str) -> str:
    """The precision of what is not in 8 bits of a part that runs by itself: "f32" or "auto"."""
    return "f32" if name in BY_ITSELF else "auto"


def ranges_of(name: str, entries: Mapping[str, Weights], *, joined: bool = False) -> Ranges:
    """The largest inputs of the convolutions of a part that are computed in 8 bits where the CPU multiplies bytes.

    The mapping is empty for a part that this machine's CPU computes in another precision.

    Args:
        name: of the part in the manifest.
        entries: the manifest.
        joined: True if the part is joined with others, whose precision it has.
    Raises:
        MissingExtraError: if the engine is not installed.
    """
    from tinct.inference.openvino_engine import gains_by_bf16

    by_itself = name in BY_ITSELF and not joined
    in_bytes = name in BESIDE_BF16 or by_itself or (name in BESIDE_F32 and not gains_by_bf16())
    return entries[name].ranges if in_bytes else {}
