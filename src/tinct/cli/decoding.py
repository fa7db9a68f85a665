"""What decoders write to standard error by themselves, caught, so that the command line can say it in its own way."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile

STANDARD_ERROR = 2


@contextmanager
def decoders_caught() -> Iterator[list[str]]:
    """Catch what is written to the process's standard error meanwhile; the list has its lines afterwards.

    libtiff writes to the descriptor, tifffile through logging and Pillow through warnings; all of them go on
    and may give a picture with holes, so what they say is worth a line. Not for programs with several threads.
    """
    lines: list[str] = []
    try:
        saved = os.dup(STANDARD_ERROR)
    except OSError:  # closed, as services have it
        yield lines
        return
    with TemporaryFile() as said:
        sys.stderr.flush()
        os.dup2(said.fileno(), STANDARD_ERROR)
        try:
            yield lines
        finally:
            sys.stderr.flush()
            os.dup2(saved, STANDARD_ERROR)
            os.close(saved)
            said.seek(0)
            lines += [line for line in said.read().decode(errors="replace").splitlines() if line.strip()]
