"""The command line: parse, call, print.

Each group of verbs is a module of this package with a function `register(app)` that adds its commands. These
modules import only the standard library and typer at their top, so that `tinct --help` answers at once; what
a command needs is imported when it runs.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec

import typer

import tinct
from tinct.errors import TinctError

VERBS = (
    "colorize",
    "stylize",
    "methods",
    "demo",
    "evaluate",
    "study",
    "weights",
    "serve",
    "video",
    "data",
    "train",
    "export",
)
"""Modules of verbs in the order of the help page; one that this installation lacks is passed over."""

_USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]
"""click's UsageError, which newer typer carries inside itself and no longer takes from click."""

HELP = (
    "Colorize black-and-white photographs, from a reference photograph or from points and strokes of color."
)

EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130


def build_app() -> typer.Typer:
    """The application with every verb that is there."""
    app = typer.Typer(
        name="tinct",
        help=HELP,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )
    app.callback()(_root)
    for verb in VERBS:
        module = f"{__name__}.{verb}"
        if find_spec(module):
            import_module(module).register(app)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 2 bad input (one line on stderr says which), 130 interrupted."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run the command line; what went wrong is one line on stderr, and the exit code is returned."""
    try:
        code = build_app()(list(arguments) or ["--help"], prog_name="tinct", standalone_mode=False)
    except TinctError as error:
        return complain(str(error))
    except _USAGE_ERROR as error:
        return complain(_usage(error))
    except (KeyboardInterrupt, typer.Abort):
        complain("stopped; photographs already written stay.")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        return EXIT_BAD_INPUT
    return code if isinstance(code, int) else 0


def complain(message: str) -> int:
    """Print one line on stderr and return the exit code for bad input."""
    typer.echo(f"tinct: {' '.join(message.split())}", err=True)
    return EXIT_BAD_INPUT


def _usage(error: Exception) -> str:
    """A usage error in one line, with the help page that says what would be right."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "tinct"
    text = error.format_message() if hasattr(error, "format_message") else str(error)
    return f"{text.strip().rstrip('.')}; see {command} --help."


def _root(
    version: bool = typer.Option(
        False,
        "--version",
        help="Print the version and leave.",
        is_eager=True,
        callback=lambda on: _version(on),
    ),
) -> None:
    """Colorize black-and-white photographs: from a reference photograph, from points and strokes of color."""


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tinct {tinct.__version__}")
        raise typer.Exit
