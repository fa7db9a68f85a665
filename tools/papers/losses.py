"""Loss curves of a training run, like Figures 6.5 and 6.6 of the course report on Xu 2020."""

from __future__ import annotations

from pathlib import Path

from tinct.errors import OutputError
from tinct.evaluation.report.plots import loss_curves
from tinct.training.log import read_log, values_of
from tools.papers.page import Say, Section


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
