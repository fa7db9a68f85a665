"""Writes the results of several runs as one Markdown page: `python -m tools.results_table RUN... -o PAGE`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from tinct.evaluation.metrics.table import METRICS
from tinct.evaluation.protocols import PROTOCOLS, get_protocol
from tinct.evaluation.protocols.hint_sweep import COUNTS, PUBLISHED_PSNR
from tinct.evaluation.report import FEW_PHOTOGRAPHS
from tinct.evaluation.report.tables import columns_of, markdown_cases, markdown_table
from tinct.evaluation.run.results import Results, ordered, read_results, write_result
from tools.command import run

ORDER = (*PROTOCOLS, "runtime")
"""Names of the protocols, in the order of the page."""

SHOWN_COUNTS = ("0", "1", "2", "5", "10", "20", "50", "100", "200", "501")
"""Numbers of revealed points that the table of `hints` shows."""

INTRODUCTION = """\
# Results

Means ± standard errors over photographs; the best of each column is bold; a dash stands where a method cannot
answer. Protocols and metrics are explained in [benchmark.md](benchmark.md). Compare only within one table:
the same network's PSNR differs by 3 to 6 dB between evaluators. This page is written by
`python -m tools.benchmark DATA --page docs/results.md`, which runs every protocol, or from runs that are
there by `python -m tools.results_table RUN... -o docs/results.md`; each table says on how many photographs.
"""
"""The page before its tables."""


def results_page(runs: Sequence[Results]) -> str:
    """The page of runs, in the order of the protocols; runs of one question whose methods differ share a table."""
    in_order = sorted(runs, key=lambda results: ORDER.index(results.heading.protocol))
    return INTRODUCTION + "".join(_section(table) for table in together(in_order)) + _meanings(in_order)


@dataclass(frozen=True)
class Table:
    """One table of the page.

    Attributes:
        results: the joined results of the table's runs; a metric that a method's run did not measure is missing.
        note: one line if the runs were measured by different code, else "".
    """

    results: Results
    note: str = ""


def together(runs: Sequence[Results]) -> list[Table]:
    """The tables of runs: equal protocol, seed, photographs and parameters share one if their methods differ."""
    groups: list[list[Results]] = []
    for results in runs:
        fitting = (group for group in groups if all(_fit(results, other) for other in group))
        group = next(fitting, None)
        groups.append([results]) if group is None else group.append(results)
    return [Table(_joined(group), _code_note(group)) for group in groups]


def _fit(one: Results, other: Results) -> bool:
    return not one.heading.differences(other.heading, code=False) and not set(one.methods) & set(
        other.methods
    )


def _joined(group: Sequence[Results]) -> Results:
    if len(group) == 1:
        return group[0]
    metrics = dict.fromkeys(name for results in group for name in results.heading.metrics)
    heading = replace(group[0].heading, metrics=tuple(metrics))
    methods = {name: facts for results in group for name, facts in results.methods.items()}
    records = [record for results in group for record in results.records]
    left_out = {name: why for results in group for name, why in results.left_out.items()}
    whole: dict[str, dict[str, dict[str, dict[str, float]]]] = {}
    for results in group:
        for case, figures in results.whole.items():
            whole.setdefault(case, {}).update(figures)
    return Results(heading, methods, ordered(records, heading, list(methods)), left_out, whole)


def _code_note(group: Sequence[Results]) -> str:
    """A line that names each method's measuring code, if the runs have more than one; else ""."""
    by_code: dict[str, list[str]] = {}
    for results in group:
        by_code.setdefault(results.heading.code, []).extend(results.methods)
    if len(by_code) == 1:
        return ""
    parts = [f"{', '.join(methods)} by {code}" for code, methods in by_code.items()]
    return f"Measured by different code, which may matter: {'; '.join(parts)}."


def _section(table: Table) -> str:
    results, heading = table.results, table.results.heading
    if heading.protocol == "runtime":
        return _runtime(results)
    protocol = get_protocol(heading.protocol)
    text = f"\n## {heading.protocol}: {protocol.summary}\n\n{_counted(results)}\n\n"
    text += f"{table.note}\n\n" if table.note else ""
    if heading.protocol == "hints":
        counts = [count for count in SHOWN_COUNTS if count in results.cases]
        published = [f"{PUBLISHED_PSNR[COUNTS.index(int(count))]:.2f}" for count in counts]
        line = f"| *siggraph17, published, on ImageNet* | {' | '.join(published)} |"
        psnr = markdown_cases(results, "psnr", counts)
        text += f"PSNR in dB by number of revealed points:\n\n{psnr}\n{line}\n\nWith 10 revealed points:\n\n"
    return text + markdown_table(columns_of(results, protocol.shown_case), heading.metrics) + "\n"


def _runtime(results: Results) -> str:
    baseline = results.heading.parameters["baseline"]
    text = "\n## runtime: seconds, ratio and memory at five sizes\n"
    for metric, title in (
        ("seconds", "Seconds, median (on the machine that wrote this page)"),
        ("ratio", f"Ratio to {baseline} at the same size"),
        ("peak_megabytes", "Peak memory of the process, MB"),
    ):
        text += f"\n{title}:\n\n{markdown_cases(results, metric, results.cases)}\n"
    return text


def _counted(results: Results) -> str:
    """The number of photographs of a table, and the number left out."""
    measured = len({record.photograph for record in results.records})
    left_out = len(results.left_out)
    text = f"{measured} photographs of {results.heading.available}, seed {results.heading.seed}"
    text += f"; {left_out} left out." if left_out else "."
    return text + (" These are few: small differences say nothing." if measured < FEW_PHOTOGRAPHS else "")


def _meanings(runs: Sequence[Results]) -> str:
    names = dict.fromkeys(name for results in runs for name in results.heading.metrics)
    lines = [f"- **{METRICS[name].title}**: {METRICS[name].meaning}." for name in names]
    return "\n## What the columns say\n\n" + "\n".join(lines) + "\n"


Runs = Annotated[list[Path], typer.Argument(help="results.json files or their folders.")]
Output = Annotated[Path, typer.Option("-o", "--output", help="The page.")]


def results_table(runs: Runs, output: Output) -> None:
    """Write the results of runs as one Markdown page."""
    write_result(output, results_page([read_results(path) for path in runs]))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tool and return the exit code."""
    return run("results_table", results_table, arguments=arguments)


if __name__ == "__main__":
    sys.exit(main())
