"""The report of a run: one self-contained HTML file; equal runs give equal bytes."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from tinct.evaluation.metrics.table import METRICS
from tinct.evaluation.report.sheets import Sheets
from tinct.evaluation.report.tables import html_cases, html_table
from tinct.evaluation.run.results import Results, write_result

REPORT_FILE = "report.html"
"""Name of the report in a run's folder."""

FEW_PHOTOGRAPHS = 30
"""Number of photographs below which the report warns that they are few."""

BOXED = ("psnr", "ciede2000", "colorfulness_difference", "gain", "palette_distance", "bleeding")
"""Metrics with box plots; the first three of them that the run has are shown."""


def write_report(results: Results, out: Path) -> Path:
    """Write `report.html` into a run's folder, whose thumbnails the report shows.

    Returns:
        The report's file.
    Raises:
        MissingExtraError: if matplotlib is not installed.
        OutputError: if the report cannot be written.
    """
    path = out / REPORT_FILE
    write_result(path, page(results, out))
    return path


def page(results: Results, out: Path) -> str:
    """The report of results as HTML; `out` is the run's folder, with the thumbnails."""
    protocol = results.heading.protocol
    body, css = _runtime(results) if protocol == "runtime" else _photographs(results, out)
    title = f"tinct evaluate {protocol}"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width">'
        f"<style>{STYLE}\n{css}</style></head><body><main><h1>{escape(title)}</h1>\n{_facts(results)}\n{body}\n"
        f"{_provenance(results)}</main></body></html>\n"
    )


def _photographs(results: Results, out: Path) -> tuple[str, str]:
    """Body and style rules for a protocol about photographs: tables, plots and contact sheets."""
    from tinct.evaluation.protocols import get_protocol
    from tinct.evaluation.report import plots

    protocol = get_protocol(results.heading.protocol)
    case = protocol.shown_case
    sheets = Sheets(results, out, case)
    parts = _tables(results, case)
    if protocol.name == "hints":
        parts += [
            _figure(plots.hint_curves(results), "PSNR against revealed points; bands: one standard error")
        ]
    boxed = [m for m in BOXED if any(results.scores(name, case, m) for name in results.methods)][:3]
    caption = "Box plots: median, mean (diamond), quartiles, 5th and 95th percent"
    parts += [_figure(plots.boxes(results, case, boxed), caption)] if boxed else []
    parts += ["<h2>Contact sheets</h2>", sheets.sample() if protocol.has_truth else sheets.sample(None)]
    parts += [sheets.worst_and_best("psnr")] if protocol.has_truth else []
    return "\n".join(parts), sheets.css


def _tables(results: Results, case: str) -> list[str]:
    summary = results.summary()
    metrics = results.heading.metrics
    if results.heading.protocol == "hints":
        parts = [html_cases(results, "psnr", results.cases, "PSNR, dB, by number of revealed points")]
        return [*parts, html_table(_of(summary, case), metrics, f"With {case} revealed points")]
    tables = [html_table(_of(summary, case), metrics, _caption(case))]
    for label in results.cases:
        answered = [method for method, cases in summary.items() if label in cases and method != "gray"]
        if label != case and answered:
            tables.append(html_table(_of(summary, label), metrics, _caption(label)))
    return tables


def _of(summary: dict, case: str) -> dict:
    return {method: cases.get(case, {}) for method, cases in summary.items()}


def _caption(case: str) -> str:
    return {"auto": "Without help", "exemplar": "With the reference"}.get(
        case, case
    ) + ": mean ± standard error"


def _runtime(results: Results) -> tuple[str, str]:
    from tinct.evaluation.report import plots

    baseline = results.heading.parameters["baseline"]
    captions = {
        "seconds": "Seconds (median of runs; a dash: over the time limit, out of memory, or no answer)",
        "ratio": f"Ratio to {baseline} at the same size",
        "peak_megabytes": "Peak memory of the whole process, MB",
    }
    parts = [html_cases(results, metric, results.cases, text) for metric, text in captions.items()]
    return "\n".join([*parts, _figure(plots.times(results), "Seconds against size")]), ""


def _facts(results: Results) -> str:
    heading = results.heading
    measured = len({record.photograph for record in results.records})
    lines = [f"{measured} of {heading.available} photographs, seed {heading.seed}."]
    if measured < FEW_PHOTOGRAPHS and heading.protocol != "runtime":
        lines.append("These are few: differences smaller than about three standard errors say nothing.")
    if results.left_out:
        lines.append(f"{len(results.left_out)} left out: {'; '.join(_reasons(results))}.")
    lines += [f"{names} cannot answer {cases}: a dash stands there." for cases, names in _unanswered(results)]
    lines += _uneven(results)
    return "".join(f"<p>{escape(line)}</p>" for line in lines)


def _reasons(results: Results) -> list[str]:
    """The reasons why photographs were left out, each with a count and without names."""
    counts: dict[str, int] = {}
    for name, why in results.left_out.items():
        reason = why.removeprefix(name).strip().split(";")[0].rstrip(".")
        counts[reason] = counts.get(reason, 0) + 1
    return [f"{count} {reason}" for reason, count in sorted(counts.items())]


def _unanswered(results: Results) -> list[tuple[str, str]]:
    """(cases, methods that cannot answer them); methods with the same cases stand together."""
    together: dict[str, list[str]] = {}
    for method, facts in results.methods.items():
        missing = facts["unanswered"]
        if isinstance(missing, list) and missing:
            answers = any(record.method == method for record in results.records)
            cases = _listed(missing) if answers else "this protocol"
            together.setdefault(cases, []).append(method)
    return [(cases, ", ".join(methods)) for cases, methods in together.items()]


def _uneven(results: Results) -> list[str]:
    """A line for each method that answered fewer photographs than another one."""
    asked = {name: {r.photograph for r in results.records if r.method == name} for name in results.methods}
    most = max(len(names) for names in asked.values())
    return [
        f"{name} answered {len(names)} of {most}: its means are over those."
        for name, names in asked.items()
        if 0 < len(names) < most
    ]


def _listed(cases: Sequence[str]) -> str:
    shown = ", ".join(cases[:4])
    return shown if len(cases) <= 4 else f"{shown} and {len(cases) - 4} more cases"


def _provenance(results: Results) -> str:
    heading = results.heading
    weights = {name: facts.get("weights_sha256") for name, facts in results.methods.items()}
    lines = [f"{name} {number}" for name, number in heading.versions.items()]
    lines += [f"measuring code {heading.code}"]
    lines += [
        f"code of {name} {facts['code']}" for name, facts in results.methods.items() if facts.get("code")
    ]
    lines += [f"weights of {name}: sha256 {digest}" for name, digest in weights.items() if digest]
    meanings = "".join(
        f"<dt>{escape(METRICS[m].title)}</dt><dd>{escape(METRICS[m].meaning)}</dd>" for m in heading.metrics
    )
    about = f"<h2>Metrics</h2><dl>{meanings}</dl><h2>Made with</h2><p>{escape(', '.join(lines))}</p>"
    given = "; ".join(f"{name} {_plain(value)}" for name, value in heading.parameters.items())
    return about + (f"<p>Parameters: {escape(given)}</p>" if given else "")


def _plain(value: object) -> str:
    """A parameter's value as plain text."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(part)}" for name, part in value.items())
    return " ".join(map(_plain, value)) if isinstance(value, list | tuple) else str(value)


def _figure(svg: str, caption: str) -> str:
    return f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>"


STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0; color: #1b1b1b; background: #fff; }
main { max-width: 1500px; margin: 0 auto; padding: 1rem; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; display: block;
overflow-x: auto; font-size: 13px; }
caption { text-align: left; font-size: 15px; font-weight: 600; padding-bottom: .3rem; }
th, td { padding: .25rem .4rem; text-align: right; border-bottom: 1px solid #ddd; white-space: nowrap; }
th:first-child { text-align: left; position: sticky; left: 0; background: #fff; }
td small { display: block; } .cases th, .cases td { padding: .25rem .2rem; font-size: 12px; }
.sheet td, .sheet th { padding: 2px; border: 0; text-align: center; vertical-align: top; }
.sheet th:first-child { position: static; text-align: center; }
.sheet td:last-child { white-space: normal; overflow-wrap: anywhere; min-width: 6em; text-align: left; }
.p { width: 140px; height: 110px; background: #eee center / contain no-repeat; }
figure { margin: 1rem 0; overflow-x: auto; }
figcaption, small { color: #555; font-size: .85em; }
summary { cursor: pointer; font-weight: 600; padding: .3rem 0; }
dt { float: left; clear: left; width: 9em; font-weight: 600; } dd { margin-left: 9.5em; }
"""
"""Style rules of the report."""
