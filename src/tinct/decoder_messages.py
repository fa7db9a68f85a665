"""Messages that decoders write to standard error, captured, so that they become notes of a photograph."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any

from tinct.errors import shortened

if TYPE_CHECKING:
    from tinct.photo import Photo

STANDARD_ERROR = 2
"""The file descriptor of standard error."""

_MOST_CAUGHT = 1 << 16
"""Bytes of what decoders say that are looked at."""


@contextmanager
def captured_stderr() -> Iterator[list[str]]:
    """Capture all that is written to the process's standard error; the yielded list has its lines after the block.

    libtiff writes to the descriptor, tifffile through logging and Pillow through warnings; all of them go on, and may
    give a picture with holes. The capture is not for programs with several threads.
    """
    lines: list[str] = []
    try:
        said, saved = _nameless_file(), os.dup(STANDARD_ERROR)
    except OSError:  # there is no place for a file, or no standard error, as services have it
        yield lines
        return
    with said:
        _flush()
        os.dup2(said.fileno(), STANDARD_ERROR)
        try:
            yield lines
        finally:
            _flush()
            os.dup2(saved, STANDARD_ERROR)
            os.close(saved)
            said.seek(0)
            text = said.read(_MOST_CAUGHT).decode(errors="replace")
            lines += [line for line in text.splitlines() if line.strip()]


def read_with_messages(source: Any, **arguments: Any) -> Photo:
    """Read a photograph as `Photo.read` does, with the first message of its decoders as one more note.

    The function is not for programs with several threads.

    Args:
        source: as `Photo.read` takes it.
        arguments: further arguments of `Photo.read`.
    """
    from tinct.photo import Photo

    with captured_stderr() as said:
        photo = Photo.read(source, **arguments)
    if said:
        photo.notes = (*photo.notes, f"it may be damaged: {shortened(said[0].strip(), 120)}")
    return photo


def _nameless_file() -> IO[bytes]:
    """A file of no name: in memory where the system has such, as a container's folders may all be read-only."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("standard-error"), "w+b")
    return TemporaryFile()


def _flush() -> None:
    if sys.stderr is not None:
        with suppress(OSError, ValueError):
            sys.stderr.flush()
