"""The summary of several runs as one Markdown page:
`python -m tinct.evaluation.results_table RUN... -o PAGE`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tinct.errors import TinctError
from tinct.evaluation.protocols import PROTOCOLS, get_protocol
from tinct.evaluation.protocols.hint_sweep import COUNTS, PUBLISHED_PSNR
from tinct.evaluation.report import FEW
from tinct.evaluation.report.tables import columns_of, markdown_cases, markdown_table
from tinct.evaluation.results import Results, read_results, write_atomically
from tinct.evaluation.scores import METRICS

ORDER = (*PROTOCOLS, "runtime")
SHOWN_COUNTS = ("0", "1", "2", "5", "10", "20", "50", "100", "200", "501")

INTRODUCTION = """\
# Results

Means ± standard errors over photographs; the best of each column is bold; a dash stands where a method cannot
answer. Protocols and metrics are explained in [benchmark.md](benchmark.md). Compare only within one table:
the same network's PSNR differs by 3 to 6 dB between evaluators. This page is written by
`python -m tinct.evaluation.benchmark DATA --page docs/results.md`, which runs every protocol, or from runs that are
there by `python -m tinct.evaluation.results_table RUN... -o docs/results.md`; each table says on how many photographs.
"""


def results_page(runs: Sequence[Results]) -> str:
    """All runs on one page, in the order of the protocols."""
    ordered = sorted(runs, key=lambda results: ORDER.index(results.heading.protocol))
    return INTRODUCTION + "".join(_section(results) for results in ordered) + _meanings(ordered)


def _section(results: Results) -> str:
    heading = results.heading
    if heading.protocol == "runtime":
        return _runtime(results)
    protocol = get_protocol(heading.protocol)
    text = f"\n## {heading.protocol}: {protocol.summary}\n\n{_counted(results)}\n\n"
    if heading.protocol == "hints":
        counts = [count for count in SHOWN_COUNTS if count in results.cases]
        published = [f"{PUBLISHED_PSNR[COUNTS.index(int(count))]:.2f}" for count in counts]
        line = f"| *siggraph17, published, on ImageNet* | {' | '.join(published)} |"
        table = markdown_cases(results, "psnr", counts)
        text += f"PSNR in dB by number of revealed points:\n\n{table}\n{line}\n\nWith 10 revealed points:\n\n"
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
    """How many photographs a table stands on."""
    measured = len({record.photograph for record in results.records})
    left_out = len(results.left_out)
    text = f"{measured} photographs of {results.heading.available}, seed {results.heading.seed}"
    text += f"; {left_out} left out." if left_out else "."
    return text + (" These are few: small differences say nothing." if measured < FEW else "")


def _meanings(runs: Sequence[Results]) -> str:
    names = dict.fromkeys(name for results in runs for name in results.heading.metrics)
    lines = [f"- **{METRICS[name].title}**: {METRICS[name].meaning}." for name in names]
    return "\n## What the columns say\n\n" + "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page; 2 and one line on stderr where a run cannot be read."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path, help="results.json files or their folders")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the page")
    asked = parser.parse_args(arguments)
    try:
        write_atomically(asked.output, results_page([read_results(run) for run in asked.runs]))
    except TinctError as error:
        sys.stderr.write(f"results_table: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
