"""Runs a tool as a command: options parsed by typer as those of `tinct`, and errors in one line on stderr."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import typer

from tinct.errors import TinctError, one_line

EXIT_BAD_INPUT = 2
"""Exit code where the input is wrong; one line on stderr says what."""

EXIT_INTERRUPTED = 130
"""Exit code of a tool that was stopped by Ctrl-C."""

Command = Callable[..., Any]
"""A function whose parameters are annotated for typer; an integer that it returns is the exit code."""


def run(name: str, *commands: Command, arguments: Sequence[str] | None = None) -> int:
    """Run a tool.

    Args:
        name: of the tool's module in `tools`.
        commands: the tool's function; of several, each is a verb of the tool.
        arguments: words of the command line; None takes those of this process.
    Returns:
        The exit code: 0, EXIT_BAD_INPUT, EXIT_INTERRUPTED, or the command's own.
    """
    app = typer.Typer(
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )
    for command in commands:
        app.command()(_with_one_line_errors(command))
    try:
        app(None if arguments is None else list(arguments), prog_name=f"python -m tools.{name}")
    except SystemExit as end:
        if isinstance(end.code, str):
            say(end.code)
            return EXIT_BAD_INPUT
        return end.code or 0
    return 0


def say(line: str) -> None:
    """Print one line on stderr."""
    typer.echo(line, err=True)


def _with_one_line_errors(command: Command) -> Command:
    @wraps(command)
    def checked(*args: object, **options: object) -> None:
        try:
            code = command(*args, **options)
        except TinctError as error:
            say(one_line(str(error)))
            code = EXIT_BAD_INPUT
        except KeyboardInterrupt:
            say("stopped; the same line goes on where it was.")
            code = EXIT_INTERRUPTED
        if code:
            raise typer.Exit(code)

    return checked
