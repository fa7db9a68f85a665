"""Loss curves of a training run, like Figures 6.5 and 6.6 of the course report on Xu 2020."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinct.errors import OutputError
from tinct.evaluation.report.plots import COLORS, panels
from tinct.training.log import read_log, values_of
from tools.papers.page import Say, Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FEW_POINTS = 50
"""Number of a curve's points below which each point is marked."""

WIDE_RANGE = 30
"""Factor between the largest and the least value of a curve above which its axis is logarithmic."""


def losses(run: Path, out: Path, say: Say) -> Section | None:
    """Write the loss curves of a run, `losses-RUN.png`.

    Args:
        run: folder of a run of `tinct train`.
        out: folder of the picture.
        say: is told the reason if there are no curves.
    Returns:
        The section; None if the run has no log that can be read.
    Raises:
        OutputError: if the picture cannot be written.
    """
    try:
        training, validation = (read_log(run / "log.jsonl", kind) for kind in ("training", "validation"))
    except (ValueError, KeyError, OSError) as error:
        say(f"the loss curves of {run}: log.jsonl cannot be read ({error}).")
        return None
    if not training and not validation:
        say(f"the loss curves of {run}: there is no log.jsonl with a line in it.")
        return None
    file = out / f"losses-{run.resolve().name}.png"
    try:
        out.mkdir(parents=True, exist_ok=True)
        loss_curves(training, validation).savefig(file, dpi=110, metadata={"Software": None})
    except OSError as error:
        raise OutputError(f"{file} cannot be written ({error}); give another --out.") from None
    steps = max(line["step"] for line in (*training, *validation))
    last = values_of((validation or training)[-1])
    text = (
        f"{steps} steps, logged {len(training)} times, validated {len(validation)} times; at last "
        + ", ".join(f"{name} {value:g}" for name, value in last.items())
    )
    return Section(f"Loss curves: {run.resolve().name}", f"{text}.", (file,))


def loss_curves(training: Sequence[Mapping[str, Any]], validation: Sequence[Mapping[str, Any]]) -> Figure:
    """The logged values of a training run (`tinct.training.log.read_log`) against the step, a panel for each."""
    curves = [(name, "training", points) for name, points in _curves(training).items()]
    curves += [(name, "validation", points) for name, points in _curves(validation).items()]
    figure, drawn = panels(len(curves), height=2.6, across=4)
    for axes, (name, kind, points) in zip(drawn, curves, strict=True):
        marker = "o" if len(points) < FEW_POINTS else ""
        axes.plot(*zip(*points, strict=True), color=COLORS[kind == "validation"], marker=marker, markersize=3)
        axes.set_title(f"{kind}: {name}", fontsize=10)
        axes.set_xlabel("step")
        values = [value for _, value in points]
        if min(values) > 0 and max(values) > WIDE_RANGE * min(values):
            axes.set_yscale("log")
    return figure


def _curves(lines: Sequence[Mapping[str, Any]]) -> dict[str, list[tuple[float, float]]]:
    """Name of a logged value -> its (step, value) points, without values that are not finite."""
    found: dict[str, list[tuple[float, float]]] = {}
    for line in lines:
        for name, value in values_of(line).items():
            if math.isfinite(value):
                found.setdefault(name, []).append((line["step"], value))
    return found
