"""Standard input as a photograph or a list of photographs, and standard output as the place of a result."""

from __future__ import annotations

import sys
from io import BytesIO

from tinct.cli.process import ReaderLeft, discard_output, is_closed
from tinct.errors import OptionError, OutputError, PhotoError
from tinct.streams import STANDARD_STREAM

_LARGEST_LIST = 64 << 20
"""Bytes of a list of photographs."""


class StandardInput(BytesIO):
    """Standard input as a stream with a name that people know."""

    name = "standard input"

    def __init__(self) -> None:
        if is_closed("stdin"):
            raise PhotoError("standard input is closed; name a file, or send one.")
        super().__init__(sys.stdin.buffer.read())


def check_standard_output() -> None:
    """Refuse a standard output that is closed, or that somebody looks at.

    Raises:
        OutputError: if it is.
    """
    if is_closed("stdout"):
        raise OutputError("standard output is closed; send it somewhere, or give -o FILE.")
    if sys.stdout.isatty():
        raise OutputError("the result would go to the terminal; redirect it, or give -o FILE.")


def send(result: bytes) -> None:
    """Write a result to standard output.

    Raises:
        ReaderLeft: if nobody reads it.
        OutputError: if it cannot be written.
    """
    try:
        sys.stdout.buffer.write(result)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise ReaderLeft from None
    except OSError as error:
        discard_output(sys.stdout)
        raise OutputError(
            f"the result could not be written to standard output ({error.strerror}); send it elsewhere."
        ) from None


def names_from(file: str) -> list[str]:
    """The names in a list of photographs: a file, or - for standard input.

    Raises:
        OptionError: if the list cannot be read.
    """
    from tinct.colorizing.name_list import listed_names
    from tinct.streams import read_whole

    if file == STANDARD_STREAM:
        return listed_names(b"" if is_closed("stdin") else sys.stdin.buffer.read())
    try:
        return listed_names(read_whole(file, _LARGEST_LIST))
    except OSError as error:
        raise OptionError(f"{file} cannot be read ({error.strerror}); give a list of files.") from None
