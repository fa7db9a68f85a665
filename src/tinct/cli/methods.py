"""`tinct methods`: the methods that `-m` takes."""

from __future__ import annotations

import sys

import typer


def register(app: typer.Typer) -> None:
    """Add the command `methods` to the application."""
    app.command("methods")(methods)


def methods() -> None:
    """List the methods that -m takes: what each needs, its working size, and the paper it comes from.

    Where the weights of some are not installed, a line after the list says what installs them.
    """
    from rich.console import Console
    from rich.table import Table

    from tinct.methods import METHODS, get_method
    from tinct.networks import CARDS

    missing = [name for name in METHODS if get_method(name).missing_weights()]
    table = Table(box=None, pad_edge=False)
    for column in ("method", "needs", "size", "installed", "what it does", "source"):
        table.add_column(column, overflow="fold", no_wrap=column in {"method", "needs", "size", "installed"})
    for name in METHODS:
        method = get_method(name)
        wants = {"reference": method.needs_reference, "hints": method.needs_hints}
        needs = " + ".join(what for what, needed in wants.items() if needed) or "nothing"
        installed = "no" if name in missing else "yes"
        note = CARDS[name].note if name in CARDS else ""
        summary = f"{method.summary} ({note})" if note else method.summary
        table.add_row(name, needs, str(method.working_size), installed, summary, method.source)
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    if missing:
        typer.echo(_how_to_install(missing))


def _how_to_install(missing: list[str]) -> str:
    """One line about the methods whose weights are not installed."""
    from tinct.methods.exported import PAPERS_EXTRA
    from tinct.weights import papers_folder

    train = "tinct train, then tinct export; or set TINCT_WEIGHTS to a folder that has the weights"
    how = train if papers_folder() else f"pip install '{PAPERS_EXTRA}'"
    return f"not installed: {how} ({', '.join(missing)})"
