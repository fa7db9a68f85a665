"""The network's graphs and the semantic branch, joined in one network for each thing that a CPU is asked.

Nothing that passes between them is copied, and what nobody asks for is not computed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, NamedTuple

from tinct.inference import JoinedModels, ModelFile, Network, open_joined
from tinct.networks.semantics.opinion import NAME as SEMANTICS
from tinct.networks.semantics.opinion import Opinion
from tinct.networks.semantics.ports import LEVELS
from tinct.networks.tinct.ports import INPUTS, OUTPUTS, SEEN
from tinct.networks.tinct.rounding import ranges_of
from tinct.weights import manifest, weights_path

ALONE, PHOTOGRAPH, REFERENCE = "alone", "photograph", "reference"
"""What a photograph that nobody helps is answered by; what a photograph and what a reference is encoded by."""


OPINION = tuple(field.name for field in fields(Opinion))
"""Outputs of the semantic branch that say what it makes of a photograph."""


class _Joined(NamedTuple):
    """Parts, and what is asked of them and given to them.

    Attributes:
        parts: names of graphs; the semantic branch's is "semantics".
        outputs, zeros, enlarged: see `tinct.inference.JoinedModels`.
    """

    parts: tuple[str, ...]
    outputs: tuple[str, ...]
    zeros: tuple[str, ...] = ()
    enlarged: Mapping[str, str] = {}


LINKS = {
    **{f"encode.{name}": f"semantics.{level}" for name, level in zip(SEEN, LEVELS, strict=True)},
    **{f"decode.{name}": f"encode.{name}" for name in OUTPUTS["encode"] if name in INPUTS["decode"]},
    "decode.second": "semantics.logarithms",
}
"""Inputs of parts that other parts' outputs are given to. An encoder that shares no backbone has some of them not."""

JOINED = {
    ALONE: _Joined(
        ("semantics", "encode", "decode"),
        ("decode.ab", "decode.annealed", "decode.certainty", "semantics.ab"),
        ("decode.maps", "decode.hint_map"),
        {"decode.second": "decode.second_share"},
    ),
    PHOTOGRAPH: _Joined(
        ("semantics", "encode"),
        (
            *(f"encode.{name}" for name in OUTPUTS["encode"]),
            *(f"semantics.{name}" for name in OPINION),
        ),
    ),
    REFERENCE: _Joined(("semantics", "encode"), ("encode.keys", *(f"semantics.{name}" for name in OPINION))),
}
"""The joined networks by name."""


def open_for(asked: str, *, precision: str = "auto", threads: int | None = None) -> Network:
    """Open the joined network for what is asked, a key of `JOINED`; its ports are called "part.port".

    Args:
        precision, threads: see `tinct.inference.open_network`.
    Raises:
        WeightsError: if a file is missing or damaged.
        OptionError: if precision or threads is not available here.
        MissingExtraError: if the engine is not installed.
    """
    known, joined = manifest(), JOINED[asked]
    files = {part: SEMANTICS if part == "semantics" else f"tinct.{part}" for part in joined.parts}
    parts = {
        part: ModelFile(weights_path(name, entries=known), ranges_of(name, known, joined=True))
        for part, name in files.items()
    }
    models = JoinedModels(
        f"tinct's {asked}",
        parts,
        LINKS,
        joined.outputs,
        zeros=joined.zeros,
        enlarged=joined.enlarged,
    )
    return open_joined(models, precision=precision, threads=threads)


def outputs_of(part: str, found: dict[str, Any]) -> dict[str, Any]:
    """The outputs of one part among those of a joined network, by their own names."""
    return {
        name.removeprefix(f"{part}."): array for name, array in found.items() if name.startswith(f"{part}.")
    }
