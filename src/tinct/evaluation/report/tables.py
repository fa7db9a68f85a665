"""Tables of results as HTML and Markdown: the best of each column in bold, a dash where a method has no value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from tinct.evaluation.metrics.table import METRICS
from tinct.evaluation.run.results import Results

DASH = "\N{EN DASH}"
"""Stands in place of a missing value."""

Columns = Mapping[str, Mapping[str, Mapping[str, float]]]
"""method -> metric -> {"mean", "standard_error", "count"}."""


def columns_of(results: Results, case: str) -> Columns:
    """The summary of one case of results."""
    return {method: cases.get(case, {}) for method, cases in results.summary().items()}


def shown_metrics(columns: Columns, metrics: Sequence[str]) -> list[str]:
    """The metrics of which at least one method has a value."""
    return [metric for metric in metrics if any(metric in row for row in columns.values())]


def best(columns: Columns, metric: str) -> set[str]:
    """The methods with the best mean, rounded as printed; none if the metric ranks nothing or one method answers."""
    digits, better = METRICS[metric].digits, METRICS[metric].better
    ranked = {name: row for name, row in columns.items() if name != "gray" or not METRICS[metric].of_color}
    means = {name: round(row[metric]["mean"], digits) for name, row in ranked.items() if metric in row}
    if not better or len(means) < 2:
        return set()
    rank = {"higher": lambda m: -m, "lower": lambda m: m, "zero": abs}[better]
    leading = min(rank(mean) for mean in means.values())
    return {name for name, mean in means.items() if rank(mean) == leading}


def cell_text(columns: Columns, method: str, metric: str, *, error: bool = True) -> str:
    """Mean ± standard error with the metric's digits, or a dash; for a metric of the whole run value and count."""
    figures = columns[method].get(metric)
    if figures is None:
        return DASH
    digits = METRICS[metric].digits
    text = f"{figures['mean']:.{digits}f}"
    if "standard_error" not in figures:
        return f"{text} ({figures['count']})"
    return f"{text} ± {figures['standard_error']:.{digits}f}" if error and figures["count"] > 1 else text


def html_table(columns: Columns, metrics: Sequence[str], caption: str) -> str:
    """A table as HTML, with a row for each method."""
    names = shown_metrics(columns, metrics)
    bold = {metric: best(columns, metric) for metric in names}
    head = "".join(f'<th title="{escape(METRICS[m].meaning)}">{escape(heading(m))}</th>' for m in names)
    rows = "".join(
        f"<tr><th>{escape(method)}</th>{''.join(_html_cell(columns, method, m, bold[m]) for m in names)}</tr>"
        for method in columns
    )
    return f"<table><caption>{escape(caption)}</caption><tr><th></th>{head}</tr>{rows}</table>"


def _html_cell(columns: Columns, method: str, metric: str, bold: set[str]) -> str:
    mean, _, more = cell_text(columns, method, metric).partition(" ")  # error or count on a second line
    text = f"<b>{mean}</b>" if method in bold else mean
    return f"<td>{text} <small>{more}</small></td>" if more else f"<td>{text}</td>"


def markdown_table(columns: Columns, metrics: Sequence[str]) -> str:
    """A table as Markdown, with a row for each method."""
    names = shown_metrics(columns, metrics)
    bold = {metric: best(columns, metric) for metric in names}
    lines = ["| method | " + " | ".join(heading(m) for m in names) + " |", "|---|" + "--:|" * len(names)]
    for method in columns:
        cells = [cell_text(columns, method, m) for m in names]
        cells = [f"**{c}**" if method in bold[m] else c for c, m in zip(cells, names, strict=True)]
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def heading(metric: str) -> str:
    """A column's head: the metric's title with an arrow toward better values."""
    arrow = {"higher": " ↑", "lower": " ↓", "zero": " →0", "": ""}[METRICS[metric].better]
    return METRICS[metric].title + arrow


def case_rows(results: Results, metric: str, cases: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """One metric, a column for each case: (head, rows of cells); a leading asterisk marks the best of a column."""
    per_case = {case: columns_of(results, case) for case in cases}
    rows = []
    for method in results.methods:
        cells = []
        for case in cases:
            text = cell_text(per_case[case], method, metric, error=False)
            cells.append("*" + text if method in best(per_case[case], metric) else text)
        rows.append([method, *cells])
    return ["method", *cases], rows


def html_cases(results: Results, metric: str, cases: Sequence[str], caption: str) -> str:
    """One metric, a column for each case, as HTML."""
    head, rows = case_rows(results, metric, cases)
    top = "".join(f"<th>{escape(text)}</th>" for text in ("", *head[1:]))
    body = "".join(f"<tr><th>{escape(row[0])}</th>{''.join(map(_marked_html, row[1:]))}</tr>" for row in rows)
    return f'<table class="cases"><caption>{escape(caption)}</caption><tr>{top}</tr>{body}</table>'


def markdown_cases(results: Results, metric: str, cases: Sequence[str]) -> str:
    """One metric, a column for each case, as Markdown."""
    head, rows = case_rows(results, metric, cases)
    lines = ["| " + " | ".join(head) + " |", "|---|" + "--:|" * len(cases)]
    lines += ["| " + " | ".join([row[0], *map(_marked_markdown, row[1:])]) + " |" for row in rows]
    return "\n".join(lines)


def _marked_html(cell: str) -> str:
    return f"<td><b>{cell[1:]}</b></td>" if cell.startswith("*") else f"<td>{cell}</td>"


def _marked_markdown(cell: str) -> str:
    return f"**{cell[1:]}**" if cell.startswith("*") else cell
