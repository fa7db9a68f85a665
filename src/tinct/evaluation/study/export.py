"""A study's outcomes as files: tables as CSV, box plots as SVG, and one self-contained HTML page."""

from __future__ import annotations

import csv
from html import escape
from io import StringIO
from pathlib import Path

import numpy as np

from tinct.errors import MissingExtraError
from tinct.evaluation.run.results import write_result
from tinct.evaluation.study.analysis import Outcome, chance, outcomes, preferred_over
from tinct.evaluation.study.votes import Vote, VoteFile

TITLES = {
    "preference": ("User preference", "preferred"),
    "real": ("Taken for real against the true photograph", "fooled"),
    "real-single": ("Called real", "called real"),
}
"""Kind of a study -> title of the page, and the word for a trial that a method won."""

COLUMNS = ("method", "asked", "won", "share", "low", "high", "participants", "photographs")
"""Columns of `table.csv`."""

STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; } .wide { overflow-x: auto; }
th, td { padding: .3rem .8rem; text-align: right; border-bottom: 1px solid #8888; }
th:first-child { text-align: left; } svg { max-width: 100%; height: auto; background: #fff; }
"""
"""Style rules of the page."""


def export(votes: VoteFile, out: Path) -> list[Path]:
    """Write `votes.csv`, `table.csv`, `boxplots.svg` and `study.html` into a folder; equal votes give equal bytes.

    Raises:
        EvaluationError: if there are no votes, or `votes` is not a file of votes.
        MissingExtraError: if matplotlib is not installed.
        OutputError: if a file cannot be written.
    """
    kind, methods, given = votes.kind, votes.methods, votes.votes()
    found = outcomes(kind, methods, given)
    plot = box_plots(kind, found, chance(kind, given))
    content = {
        "votes.csv": votes_csv(given),
        "table.csv": table_csv(found),
        "boxplots.svg": plot,
        "study.html": report(kind, found, given, plot),
    }
    for name, text in content.items():
        write_result(out / name, text)
    return [out / name for name in content]


def table_csv(outcomes: list[Outcome]) -> str:
    """One row for each method; shares and the 95 % interval in 0..1."""
    rows = []
    for o in outcomes:
        shares = map(_four, (o.share, *(o.interval or (None, None))))
        rows.append((o.method, o.asked, o.won, *shares, len(o.by_participant), len(o.by_photograph)))
    return _csv(COLUMNS, rows)


def votes_csv(votes: list[Vote]) -> str:
    """One row for each answer; `shown` has the methods in the order of their places."""
    rows = [(v.participant, v.photograph, " | ".join(v.shown), v.chosen, v.milliseconds) for v in votes]
    return _csv(("participant", "photograph", "shown", "chosen", "milliseconds"), rows)


def box_plots(kind: str, outcomes: list[Outcome], guessing: float) -> str:
    """Box plots over participants and over photographs, as SVG.

    The plots follow Xu 2020, figure 9: mean (yellow line), quartiles (box), extremes (black lines), guessing (dotted).

    Raises:
        MissingExtraError: if matplotlib is not installed.
    """
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError(
            f"the plots of a study need matplotlib ({error}): pip install 'tinct[study]'."
        ) from None

    title, verb = TITLES[kind]
    with matplotlib.rc_context(
        {"svg.hashsalt": "tinct", "svg.fonttype": "none", "font.family": "sans-serif"}
    ):
        figure = Figure(figsize=(max(7.0, 1.6 * len(outcomes) + 3), 4.2), layout="constrained")
        figure.suptitle(title)
        for axes, what in zip(figure.subplots(1, 2, sharey=True), ("participant", "photograph"), strict=True):
            shares = [np.array(getattr(o, f"by_{what}")) * 100 for o in outcomes]
            _draw_boxes(axes, shares, [o.method for o in outcomes], guessing * 100)
            axes.set_title(f"over {len(max(shares, key=len))} {what}s", fontsize="medium")
        figure.axes[0].set_ylabel(f"{verb} (% of trials)")
        stream = StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return stream.getvalue()


def _draw_boxes(axes, shares: list[np.ndarray], names: list[str], guessing: float) -> None:  # type: ignore[no-untyped-def]
    mean = {"color": "#e6a700", "linewidth": 2.5, "linestyle": "-"}
    box = {"facecolor": "#d9d9d9", "edgecolor": "black"}
    axes.boxplot(
        shares, whis=(0, 100), showmeans=True, meanline=True, meanprops=mean, boxprops=box,
        medianprops={"linewidth": 0}, patch_artist=True, widths=0.5,
    )  # fmt: skip
    axes.axhline(guessing, color="black", linestyle=":", linewidth=1)
    axes.set_ylim(-3, 103)
    crowded = sum(map(len, names)) > 30
    axes.set_xticks(
        range(1, len(names) + 1), names, rotation=30 if crowded else 0, ha="right" if crowded else "center"
    )


def report(kind: str, outcomes: list[Outcome], votes: list[Vote], plot: str) -> str:
    """The HTML page: table, box plots and, for a preference, the pairwise counts."""
    title, verb = TITLES[kind]
    people = len({vote.participant for vote in votes})
    head = "".join(f"<th scope=col>{c}" for c in ("method", "asked", verb, "share", "95 % interval"))
    svg = plot[plot.index("<svg") :]
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style>\n<h1>{title}</h1>\n"
        f"<p>{len(votes)} votes of {people} participants; "
        f"guessing gives {_percent(chance(kind, votes))}.</p>\n"
        f'<div class="wide"><table><tr>{head}</tr>\n{"".join(map(_row, outcomes))}</table></div>\n'
        f'<figure aria-label="Box plots: mean (yellow), quartiles, extremes">{svg}</figure>\n'
        f"{_pairwise(outcomes, votes) if kind == 'preference' else ''}</html>\n"
    )


def _row(outcome: Outcome) -> str:
    low_high = " to ".join(map(_percent, outcome.interval)) if outcome.interval else "-"
    cells = (outcome.asked, outcome.won, _percent(outcome.share), low_high)
    return f"<tr><th scope=row>{escape(outcome.method)}" + "".join(f"<td>{c}" for c in cells) + "</tr>\n"


def _pairwise(found: list[Outcome], votes: list[Vote]) -> str:
    names = [outcome.method for outcome in found]
    counts = preferred_over(votes, names)
    head = "<th>" + "".join(f"<th scope=col>{escape(name)}" for name in names)
    rows = [
        f"<tr><th scope=row>{escape(name)}"
        + "".join(f"<td>{'' if i == j else n}" for j, n in enumerate(counts[i]))
        for i, name in enumerate(names)
    ]
    return f'<h2>Row preferred where column was shown</h2>\n<div class="wide"><table><tr>{head}\n' + (
        "\n".join(rows) + "</table></div>\n"
    )


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def _four(share: float | None) -> str:
    return "" if share is None else f"{share:.4f}"


def _csv(head: tuple[str, ...], rows: list[tuple]) -> str:
    stream = StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return stream.getvalue()
