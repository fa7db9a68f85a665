"""`tinct demo`: colorized examples, made of photographs that scikit-image brings."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from shutil import which
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command `demo` to the application."""
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
    photo, reference = f"{motorcycle}.png", f"{motorcycle}.reference.png"
    typer.echo(f"try one yourself: {_program()} colorize {photo} -r {reference} -o mine.png")


def _program() -> str:
    """The word that starts tinct here: its name, or its path where the virtual environment is not activated."""
    if which("tinct"):
        return "tinct"
    return os.path.relpath(sys.argv[0]) if Path(sys.argv[0]).is_file() else f"{sys.executable} -m tinct"
