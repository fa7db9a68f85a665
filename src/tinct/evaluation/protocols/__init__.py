"""Protocols: the cases that contestants answer for each photograph, and the truth of each."""

from __future__ import annotations

from pathlib import Path

from tinct.errors import EvaluationError
from tinct.evaluation.protocols.automatic import Auto, Auto256, Legacy
from tinct.evaluation.protocols.case import Case, Patch
from tinct.evaluation.protocols.exemplar import (
    ExemplarClass,
    ExemplarRetrieved,
    ExemplarSelf,
    ExemplarTurned,
    ExemplarUnrelated,
    Pairs,
)
from tinct.evaluation.protocols.hint_sweep import HintSweep
from tinct.evaluation.protocols.protocol import Protocol

__all__ = ["PROTOCOLS", "Case", "Patch", "Protocol", "get_protocol"]

PROTOCOLS: dict[str, type[Protocol]] = {
    protocol.name: protocol
    for protocol in (
        Auto,
        Auto256,
        HintSweep,
        ExemplarSelf,
        ExemplarClass,
        ExemplarTurned,
        ExemplarUnrelated,
        ExemplarRetrieved,
        Pairs,
        Legacy,
    )
}
"""Every protocol about photographs; `runtime` (`tinct.evaluation.run.runtime`) measures time and memory instead."""


def get_protocol(name: str, references: Path | None = None) -> Protocol:
    """The protocol of a name.

    Args:
        name: as `PROTOCOLS` has it.
        references: folder of color photographs, for `exemplar-retrieved`.
    Raises:
        EvaluationError: if no protocol has that name, or the protocol retrieves no references.
    """
    if name not in PROTOCOLS:
        raise EvaluationError(
            f"no protocol is called {name!r}; choose one of {', '.join((*PROTOCOLS, 'runtime'))}."
        )
    if references is None:
        return PROTOCOLS[name]()
    if name != ExemplarRetrieved.name:
        raise EvaluationError(f"the protocol {name!r} retrieves no references; leave the folder out.")
    return ExemplarRetrieved(references)
