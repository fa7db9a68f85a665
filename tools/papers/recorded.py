"""Finished runs of `auto-256`, read in place of measuring again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tinct.errors import EvaluationError
from tinct.evaluation.run.contestants import Contestant
from tinct.evaluation.run.results import Results, read_results
from tools.papers.page import Say
from tools.results_table import together

PROTOCOL = "auto-256"
"""The protocol that the tables are of."""


def recorded(files: Sequence[Path], contestants: Sequence[Contestant], say: Say) -> Results:
    """The joined results of runs of `auto-256` on the same photographs.

    A method that was recorded with other weights than those that are installed is left out, which `say` is told.

    Args:
        files: results files, or folders of runs.
        contestants: the methods that are installed.
        say: takes a line about each that is left out.
    Raises:
        EvaluationError: if a file cannot be read, is of another protocol, or the runs cannot share a table.
    """
    runs = [read_results(file) for file in files]
    for file, results in zip(files, runs, strict=True):
        if results.heading.protocol != PROTOCOL:
            raise EvaluationError(f"{file} is a run of {results.heading.protocol}; give runs of {PROTOCOL}.")
    tables = together(runs)
    if len(tables) != 1:
        raise EvaluationError(
            f"the runs make {len(tables)} tables; give runs of one seed on the same photographs, each method once."
        )
    results = tables[0].results
    weights = {contestant.name: contestant.weights_sha256 for contestant in contestants}
    stale = {
        name
        for name, facts in results.methods.items()
        if name in weights and facts.get("weights_sha256") != weights[name]
    }
    for name in sorted(stale):
        say(f"{name} is left out: its record is of other weights than those that are installed.")
    methods = {name: facts for name, facts in results.methods.items() if name not in stale}
    records = tuple(record for record in results.records if record.method not in stale)
    return replace(results, methods=methods, records=records, whole={})
