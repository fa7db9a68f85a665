"""`tinct export`: files that methods run, written from a training run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command `export` to the application."""
    app.command("export")(export)


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder that `tinct train` wrote.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="DIR",
            help="Folder for the weights [the one that TINCT_WEIGHTS names, or the user's own].",
        ),
    ] = None,
    trained_on: Annotated[
        str, typer.Option("--trained-on", help="What the photographs were, for the manifest.")
    ] = "not stated",
) -> None:
    """Write a run's averaged weights as ONNX files with their manifest; the run gets them as safetensors as well.

    Methods find them at once: those in the folder that TINCT_WEIGHTS names come first, then the user's own, then those
    that are installed with tinct. To try a run before that, give another folder and name it in TINCT_WEIGHTS.

    tinct export runs/mine --trained-on "our archive, 4,000 photographs"

    tinct export runs/mine --out /tmp/trial && TINCT_WEIGHTS=/tmp/trial tinct colorize scan.tif -m zhang2016
    """
    from tinct.training.run import export_run

    for name, file in export_run(run, out, trained_on).items():
        typer.echo(f"{name}: {file}")
