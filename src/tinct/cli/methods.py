"""`tinct methods`: what `-m` takes."""

from __future__ import annotations

import sys

import typer


def register(app: typer.Typer) -> None:
    """Add the verb to the application."""
    app.command("methods")(methods)


def methods() -> None:
    """List the methods that -m takes: what each needs, its working size, and the paper it comes from.

    Of some the weights are not installed: train them and tinct export them, or name their folder in TINCT_WEIGHTS.
    """
    from rich.console import Console
    from rich.table import Table

    from tinct.methods import METHODS, get_method, missing_weights

    table = Table(box=None, pad_edge=False)
    for column in ("method", "needs", "size", "installed", "what it does", "source"):
        table.add_column(column, overflow="fold", no_wrap=column in {"method", "needs", "size", "installed"})
    for name in METHODS:
        method = get_method(name)
        wants = {"reference": method.needs_reference, "hints": method.needs_hints}
        needs = " + ".join(what for what, needed in wants.items() if needed) or "nothing"
        installed = "no" if missing_weights(method) else "yes"
        table.add_row(name, needs, str(method.working_size), installed, method.summary, method.source)
    Console(width=None if sys.stdout.isatty() else 160).print(table)
