"""The process of the command line: standard streams that are missing or have no reader, SIGTERM, and its end."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import IO, Any

import typer

EXIT_BAD_INPUT = 2
"""Exit code for bad input."""

EXIT_INTERRUPTED = 130
"""Exit code for Ctrl-C: 128 + SIGINT, as shells report it."""

EXIT_TERMINATED = 143
"""Exit code for SIGTERM: 128 + SIGTERM, as shells report it."""

EXIT_READER_LEFT = 141
"""Exit code where nobody reads standard output any more: 128 + SIGPIPE, as shells report it."""

_NAMES = ("stdin", "stdout", "stderr")

_closed: set[str] = set()


class Terminated(BaseException):
    """The process received SIGTERM. The class is no KeyboardInterrupt, as typer gives that an exit code of its own."""


class ReaderLeft(BaseException):
    """Nobody reads standard output any more, as in `tinct ... | head`.

    The class is no Exception, which is a failure of one photograph, and no reason to leave out others.
    """


def open_missing_streams() -> None:
    """Open those of the descriptors 0, 1 and 2 that are closed, as the next file opened would take their numbers.

    Libraries write to descriptor 2: a service without standard error would have their messages in the photograph that
    is being written.
    """
    for number, name in enumerate(_NAMES):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:  # descriptors are given out in order, so that this is not met with
                os.dup2(opened, number)
                os.close(opened)
        if getattr(sys, name) is None:
            _closed.add(name)
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w"))  # noqa: SIM115


def is_closed(name: str) -> bool:
    """True if a standard stream ("stdin", "stdout", "stderr") was closed when the process began."""
    return name in _closed


def echo(line: str) -> OSError | None:
    """Print a line on standard output.

    Returns:
        None, or the error if the line could not be printed; all later output is then discarded.
    Raises:
        ReaderLeft: if nobody reads standard output any more.
    """
    try:
        typer.echo(line)
    except BrokenPipeError:
        discard_output(sys.stdout)
        raise ReaderLeft from None
    except OSError as error:
        discard_output(sys.stdout)
        return error
    return None


def announce(line: str) -> None:
    """Print a server's line on standard output; the server answers as well where nobody reads the line."""
    with suppress(ReaderLeft):
        echo(line)


def is_of_printing(error: BaseException) -> bool:
    """True for what the system says of standard output: typer and rich print there, and write no other files."""
    frames = list(traceback.walk_tb(error.__traceback__))
    module = frames[-1][0].f_globals.get("__name__", "") if frames else ""
    return isinstance(error, OSError) and str(module).partition(".")[0] in ("typer", "rich")


def discard_output(stream: IO[Any]) -> None:
    """Discard all later output of a stream, so that the interpreter's flush at its end cannot fail."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


@contextmanager
def termination_interrupts() -> Iterator[None]:
    """Make SIGTERM stop the work within the block as Ctrl-C does, with one line; partial files are removed."""
    if threading.current_thread() is not threading.main_thread() or (
        signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    ):
        yield
        return
    signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated


def join_threads(code: int) -> int:
    """Wait until all threads have ended, and flush the standard streams.

    A thread in an engine's code would abort the process at the interpreter's end, and an exit code of 2 would become
    134 or 139.

    Args:
        code: the exit code.
    Returns:
        The exit code.
    """
    try:
        for thread in threading.enumerate():
            if thread is not threading.current_thread() and not thread.daemon:
                thread.join()
        for stream in (sys.stdout, sys.stderr):
            _flush(stream)
    except KeyboardInterrupt:
        os._exit(EXIT_INTERRUPTED)
    return code


def _flush(stream: IO[Any]) -> None:
    try:
        stream.flush()
    except (OSError, ValueError):
        discard_output(stream)
