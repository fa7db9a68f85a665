"""`tinct demo`: a first look, without a photograph at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the verb to the application."""
    app.command("demo")(demo)


def demo(
    out_dir: Annotated[
        Path, typer.Option("--out-dir", metavar="DIR", help="Folder for the pictures.")
    ] = Path("demo"),
) -> None:
    """Colorize scikit-image's photographs by reference and by hints, and show them before and after.

    Nothing is downloaded: the photographs lie in scikit-image's package.
    """
    from tinct.demo import run_demo

    typer.echo("colorizing scikit-image's photographs by reference and by hints (about half a minute)")
    sheet = run_demo(out_dir)
    typer.echo(f"pictures, gray and in color: {out_dir.resolve()}")
    typer.echo(f"before and after, side by side: {sheet.resolve()}")
    motorcycle = out_dir / "motorcycle"
    typer.echo(f"try one yourself: tinct colorize {motorcycle}.png -r {motorcycle}.reference.png -o mine.png")
