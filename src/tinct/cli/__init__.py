"""The command line: commands parse arguments, call the library, and print.

Each group of commands is a module of this package with a function `register(app)` that adds its commands. These
modules import only the standard library, typer and modules of tinct without further imports at their top, so that
`tinct --help` answers at once; a command imports its needs when it runs.
"""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

import typer
import typer.core

from tinct.address_space import check_limit, need_little
from tinct.cli.process import (
    EXIT_BAD_INPUT,
    EXIT_INTERRUPTED,
    EXIT_READER_LEFT,
    EXIT_TERMINATED,
    ReaderLeft,
    Terminated,
    discard_output,
    is_of_printing,
    join_threads,
    open_missing_streams,
)
from tinct.errors import TinctError, is_out_of_memory, one_line, shortened
from tinct.version import __version__

VERBS = (
    "colorize",
    "stylize",
    "explain",
    "methods",
    "demo",
    "batch",
    "watch",
    "render",
    "evaluate",
    "study",
    "serve",
    "data",
    "train",
    "export",
)
"""Modules of commands in the order of the help page."""

_USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]
"""click's UsageError, which newer typer carries inside itself and no longer takes from click."""

HELP = (
    "Colorize black-and-white photographs, from a reference photograph or from points and strokes of color."
)
"""The help page's first line."""


_LEAST = 320 << 20
"""The least limit of address space, in bytes; below, imports of OpenBLAS or OpenVINO may end the process."""


_FILES = frozenset(("FILE", "FOLDER", "DIR", "URI", "STYLE", "PHOTO_MAP STYLE_MAP", "CSV", "NPZ", "POOL"))
"""How the help page calls what an option takes that names a file, a folder or a URI."""


_PLACES = frozenset(
    (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EDQUOT, errno.ENOTDIR, errno.ENAMETOOLONG)
)
"""What the system says of a place that cannot be written to or read, which is no defect of tinct."""


def build_app() -> typer.Typer:
    """The application with all commands."""
    app = typer.Typer(
        name="tinct",
        help=HELP,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )
    app.callback()(_root)
    for verb in VERBS:
        import_module(f"{__name__}.{verb}").register(app)
    _refuse_repeated_files(app)
    return app


def _refuse_repeated_files(app: typer.Typer) -> None:
    """Let all commands refuse an option that names a file and is given twice: one of the two would be ignored."""
    for command in app.registered_commands:
        command.cls = Command
    for group in app.registered_groups:
        if group.typer_instance is not None:
            _refuse_repeated_files(group.typer_instance)


class Command(typer.core.TyperCommand):
    """A command whose options for files, folders and URIs are given once, unless they take several."""

    def make_parser(self, ctx: Any) -> Any:
        """The parser of the command's arguments."""
        parser: Any = super().make_parser(ctx)
        parse = parser.parse_args

        def parse_args(args: list[str]) -> Any:
            values, rest, order = parse(args=args)
            for parameter in order:
                if _names_a_file(parameter) and order.count(parameter) > 1:
                    raise typer.BadParameter("it is given twice; give it once", ctx, parameter)
            return values, rest, order

        parser.parse_args = parse_args
        return parser


def _names_a_file(parameter: Any) -> bool:
    """True for an option that takes one file, folder or URI."""
    single = not (getattr(parameter, "multiple", False) or parameter.param_type_name == "argument")
    return single and parameter.metavar in _FILES


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 2 bad input (one line on stderr), 130 interrupted, 141 not read."""
    open_missing_streams()
    need_little()
    sys.exit(join_threads(run(sys.argv[1:] if arguments is None else arguments)))


def run(arguments: Sequence[str]) -> int:
    """Run the command line; an error is one line on stderr.

    Returns:
        The exit code.
    """
    try:
        check_limit(_LEAST)
        code = build_app()(list(arguments) or ["--help"], prog_name="tinct", standalone_mode=False)
    except _USAGE_ERROR as error:
        return report_bad_input(_usage(error))
    except (KeyboardInterrupt, Terminated, typer.Abort) as error:
        return report_interruption(error)
    except SystemExit as error:
        if not isinstance(error.__context__, BrokenPipeError):  # by which newer typer, and rich, leave
            return error.code if isinstance(error.code, int) else EXIT_BAD_INPUT
        return end_unread()
    except (ReaderLeft, BrokenPipeError):
        return end_unread()
    except Exception as error:
        return report_bad_input(error_message(error))
    return report_interruption() if code == EXIT_INTERRUPTED else code if isinstance(code, int) else 0


def report_bad_input(message: str) -> int:
    """Print one line on stderr.

    Returns:
        The exit code for bad input.
    """
    print_note(message)
    return EXIT_BAD_INPUT


def print_note(message: str) -> None:
    """Print one line on stderr."""
    with suppress(OSError):
        typer.echo(f"tinct: {one_line(message)}", err=True)


def error_message(error: Exception) -> str:
    """The line for an error; the error's traceback is printed before if TINCT_TRACEBACK is set.

    Args:
        error: one of the library's own, a lack of memory, or a defect of tinct.
    """
    if os.environ.get("TINCT_TRACEBACK"):
        traceback.print_exception(error)
    if is_out_of_memory(error):
        return "there is not enough memory; close other programs, or give a smaller photograph."
    if isinstance(error, TinctError):
        return str(error)
    if isinstance(error, OSError) and is_of_printing(error):
        discard_output(sys.stdout)
        return f"standard output cannot be written to ({error.strerror}); send it elsewhere. Files that were made stay."
    if isinstance(error, OSError) and error.errno in _PLACES and error.filename:
        return f"{error.filename}: {(error.strerror or 'it cannot be used').lower()}; name another place, or mend it."
    return f"failed unexpectedly ({type(error).__name__}: {shortened(str(error), 80)}); please report it."


def report_interruption(error: BaseException | None = None) -> int:
    """Print that the work was stopped.

    Args:
        error: `Terminated` for SIGTERM; anything else for Ctrl-C.
    Returns:
        The exit code.
    """
    print_note("stopped; photographs already written stay.")
    return EXIT_TERMINATED if isinstance(error, Terminated) else EXIT_INTERRUPTED


def end_unread() -> int:
    """End without an error line where nobody reads standard output any more, as programs do that SIGPIPE ends.

    Returns:
        The exit code.
    """
    discard_output(sys.stdout)
    return EXIT_READER_LEFT


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
        typer.echo(f"tinct {__version__}")
        raise typer.Exit
