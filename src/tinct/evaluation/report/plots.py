"""Plots of a report as SVG text: curves with error bands, box plots, times; equal results give equal bytes."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tinct.errors import MissingExtraError
from tinct.evaluation.metrics.table import METRICS
from tinct.evaluation.protocols.hint_sweep import COUNTS, PUBLISHED_PSNR
from tinct.evaluation.run.results import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STYLE: Any = {
    "svg.hashsalt": "tinct",  # element ids are random without a salt
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
}
"""Settings of matplotlib."""

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8c6d31", "#7f7f7f")
"""Colors of lines: the palette of Okabe & Ito, whose colors color-blind readers can tell apart, and two more."""


def boxes(results: Results, case: str, metrics: Sequence[str]) -> str:
    """Box plots, a panel for each metric: median, mean (diamond), quartiles, whiskers at 5th and 95th percentile."""
    figure, drawn = panels(len(metrics), height=0.45 * len(results.methods) + 1.2)
    for axes, metric in zip(drawn, metrics, strict=True):
        scores = {m: list(results.scores(m, case, metric).values()) for m in results.methods}
        answered = {method: values for method, values in scores.items() if values}
        axes.boxplot(
            list(answered.values())[::-1],
            orientation="horizontal",
            tick_labels=list(answered)[::-1],
            whis=(5, 95),
            widths=0.6,
            showmeans=True,
            showfliers=False,
            medianprops={"color": COLORS[1]},
            meanprops={
                "marker": "D",
                "markersize": 4,
                "markerfacecolor": COLORS[0],
                "markeredgecolor": COLORS[0],
            },
        )
        axes.set_xlabel(METRICS[metric].title)
    return _svg(figure)


def hint_curves(results: Results) -> str:
    """PSNR against the number of revealed points, with bands of one standard error, and the published curve."""
    figure, (axes,) = panels(1, width=7.2, height=4.4)
    answering = [method for method, cases in results.summary().items() if cases]
    for color, method in zip(_cycle(len(answering)), answering, strict=True):
        _curve(axes, results.summary()[method], method, color)
    axes.plot(COUNTS, PUBLISHED_PSNR, "--", color="#555555", label="siggraph17, published (ImageNet)")
    axes.set_xscale("symlog", linthresh=1)
    ticks = [0, 1, 2, 5, 10, 20, 50, 100, 200, 500]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.set_xlabel("revealed points")
    axes.set_ylabel("PSNR, dB")
    axes.legend(frameon=False, fontsize=9)
    return _svg(figure)


def _curve(axes: Axes, cases: Mapping[str, Mapping[str, Mapping[str, float]]], name: str, color: str) -> None:
    points = [(int(label), row["psnr"]) for label, row in cases.items() if "psnr" in row]
    counts = [count for count, _ in points]
    means = [figures["mean"] for _, figures in points]
    errors = [figures["standard_error"] for _, figures in points]
    axes.plot(counts, means, "-o", color=color, markersize=3, label=name)
    low = [mean - error for mean, error in zip(means, errors, strict=True)]
    high = [mean + error for mean, error in zip(means, errors, strict=True)]
    axes.fill_between(counts, low, high, color=color, alpha=0.2, linewidth=0)


def times(results: Results) -> str:
    """Seconds against pixels, both logarithmic, a line for each method."""
    from tinct.evaluation.run.timing_process import SIZES

    figure, (axes,) = panels(1, width=7.2, height=4.4)
    for color, method in zip(_cycle(len(results.methods)), results.methods, strict=True):
        found = {case: list(results.scores(method, case, "seconds").values()) for case in results.cases}
        points = [
            (SIZES[case][0] * SIZES[case][1] / 1e6, values[0]) for case, values in found.items() if values
        ]
        if points:
            axes.loglog(*zip(*points, strict=True), "-o", color=color, markersize=4, label=method)
    axes.set_xlabel("megapixels")
    axes.set_ylabel("seconds")
    if axes.lines:
        axes.legend(frameon=False, fontsize=9)
    return _svg(figure)


def panels(
    count: int, width: float = 3.6, height: float = 3.0, across: int | None = None
) -> tuple[Figure, list[Axes]]:
    """A figure and its panels.

    Args:
        count: number of panels.
        width, height: of a panel, in inches.
        across: panels in a row; None puts all into one row.
    Raises:
        MissingExtraError: if matplotlib is not installed.
    """
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError:
        line = "pip install 'tinct[evaluate]'"
        raise MissingExtraError(
            f"the report needs matplotlib, which is not installed; {line} brings it."
        ) from None
    with matplotlib.rc_context(STYLE):
        columns = min(count, across or count)
        rows = -(-count // columns)
        figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
        return figure, [figure.add_subplot(rows, columns, index + 1) for index in range(count)]


def _svg(figure: Figure) -> str:
    import matplotlib

    stream = io.StringIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    return re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)


def _cycle(count: int) -> list[str]:
    return [COLORS[index % len(COLORS)] for index in range(count)]
