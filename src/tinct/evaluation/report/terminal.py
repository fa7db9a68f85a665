"""Tables of results for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from tinct.evaluation.metrics.table import METRICS
from tinct.evaluation.report.compare import Difference
from tinct.evaluation.report.tables import best, case_rows, cell_text, columns_of, heading, shown_metrics
from tinct.evaluation.run.results import Results


def summary_table(results: Results) -> Table:
    """Means ± standard errors, a row for each method; for `hints` and `runtime` one metric, a column for each case."""
    if results.heading.protocol in ("hints", "runtime"):
        metric = "psnr" if results.heading.protocol == "hints" else "seconds"
        return _cases(results, metric)
    from tinct.evaluation.protocols import get_protocol

    columns = columns_of(results, get_protocol(results.heading.protocol).shown_case)
    metrics = shown_metrics(columns, results.heading.metrics)
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for metric in metrics:
        table.add_column(heading(metric), justify="right")
    for method in columns:
        cells = [cell_text(columns, method, metric) for metric in metrics]
        bold = [
            f"[bold]{c}[/]" if method in best(columns, m) else c for c, m in zip(cells, metrics, strict=True)
        ]
        table.add_row(method, *bold)
    return table


def _cases(results: Results, metric: str) -> Table:
    cases = [case for i, case in enumerate(results.cases) if len(results.cases) <= 10 or i % 3 == 0]
    head, rows = case_rows(results, metric, cases)
    table = Table(box=None, pad_edge=False, title=METRICS[metric].title, title_justify="left")
    for index, text in enumerate(head):
        table.add_column(text, justify="right" if index else "left")
    for row in rows:
        table.add_row(row[0], *(f"[bold]{c[1:]}[/]" if c.startswith("*") else c for c in row[1:]))
    return table


def difference_table(differences: Sequence[Difference]) -> Table:
    """Paired differences with their intervals: a row for each method, case and metric."""
    table = Table(box=None, pad_edge=False)
    for text in ("method", "case", "metric"):
        table.add_column(text)
    for text in ("photographs", "A", "B", "B - A", "95 % interval", "B wins", "B is"):
        table.add_column(text, justify="right")
    for d in differences:
        digits = METRICS[d.metric].digits + 1
        names = d.method_a if d.method_a == d.method_b else f"{d.method_a} → {d.method_b}"
        interval = f"{d.low:+.{digits}f} .. {d.high:+.{digits}f}"
        figures = [f"{d.mean_a:.{digits}f}", f"{d.mean_b:.{digits}f}", f"{d.mean:+.{digits}f}", interval]
        wins = "" if d.wins is None else f"{d.wins:.0%}"
        table.add_row(names, d.case, heading(d.metric), str(d.count), *figures, wins, d.verdict)
    return table
