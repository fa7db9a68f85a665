"""The process of the command line: standard streams that may be missing, and an end that waits for its threads."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import IO, Any

import typer

EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143
"""128 + SIGTERM, as shells report it."""

_NAMES = ("stdin", "stdout", "stderr")

_closed: set[str] = set()


class Terminated(BaseException):
    """The process was told to end (SIGTERM); no KeyboardInterrupt, as typer makes these an exit code of its own."""


def open_missing_streams() -> None:
    """Open what is closed of the descriptors 0, 1 and 2, as the next file opened would get its number.

    Libraries write to descriptor 2: without this, a service without standard error would have their complaints
    in the photograph that is being written.
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
        None, or why it could not be printed; what is printed afterwards is dropped, and nothing fails for it.
    """
    try:
        typer.echo(line)
    except OSError as error:
        drop_output(sys.stdout)
        return error
    return None


def drop_output(stream: IO[Any]) -> None:
    """Send what is still to come on a stream nowhere, so that the interpreter does not fail at it when it ends."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


@contextmanager
def termination_interrupts() -> Iterator[None]:
    """Have SIGTERM stop the work as Ctrl-C does: what is half written is removed, and one line says so."""
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


def ended(code: int) -> int:
    """Wait until no thread computes any more, and hand the exit code on.

    The interpreter takes its threads' ground away when it ends; a thread in an engine's code then aborts the
    process, and an exit code of 2 becomes 134 or 139.
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
        drop_output(stream)
