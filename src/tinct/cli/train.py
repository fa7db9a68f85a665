"""`tinct train`: trains a network on photographs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer


def register(app: typer.Typer) -> None:
    """Add the command `train` to the application."""
    app.command("train")(train)


Network = Annotated[
    str,
    typer.Argument(help="The network to train: tinct, or one of the papers (docs/training.md lists them)."),
]
Data = Annotated[
    Path, typer.Option("--data", help="Folder of photographs, index CSV, or what `tinct data pack` wrote.")
]
Out = Annotated[
    Path, typer.Option("--out", metavar="DIR", help="Folder of the run; one that is there goes on.")
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="FILE", help="TOML, or a shipped one's name [the run's own, or the network's]."
    ),
]
LabelsFile = Annotated[
    Path | None, typer.Option("--labels", metavar="FILE", help="What `tinct data labels` wrote.")
]
Device = Annotated[str | None, typer.Option(help="cpu or cuda [a GPU where one is].")]
StopAfter = Annotated[
    float | None,
    typer.Option(
        "--stop-after", metavar="SECONDS", help="Checkpoint and leave after so long, from the first step on."
    ),
]
Workers = Annotated[int, typer.Option(help="Threads that decode photographs for packing.")]


def train(
    network: Network,
    data: Data,
    out: Out,
    config: Config = None,
    labels: LabelsFile = None,
    device: Device = None,
    stop_after: StopAfter = None,
    workers: Workers = 2,
) -> None:
    """Train a network, or go on with a run that was stopped.

    The run's folder gets checkpoint.pt, log.jsonl (and TensorBoard's files, where it is installed), and a sheet of
    held-out photographs at each validation. Several processes: torchrun --nproc-per-node N -m tinct train ...

    tinct train tinct --data photos/ --out runs/mine

    tinct train tinct --data index.csv --config small.toml --out runs/small --stop-after 3600
    """
    from tinct.training.run import train as run

    stop = math.inf if stop_after is None else stop_after
    run(network, data, out, config, labels, device, stop, workers, tell=_tell)


def _tell(line: Mapping[str, Any]) -> None:
    """A line of the log, or of what is made before the first step, short."""
    from tinct.training.log import values_of
    from tinct.training.preparing import PREPARING

    if line["kind"] == PREPARING:
        done = f"{line['what']}: {line['done']} of {line['of']}"
        typer.echo(f"{PREPARING:<10} {done}  {line['seconds']:.0f} s")
        return
    head = f"{line['kind']:<10} step {line['step']:>7}  {line['seconds']:>8.0f} s"
    figures = (f"{name} {value:.4g}" for name, value in values_of(line).items())
    typer.echo(f"{head}  {'  '.join(figures)}")
