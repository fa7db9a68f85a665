"""The address space that a process may take (`ulimit -v`), where it is limited: how much is left, and how to need less.

Threads need little memory and much address space, for stacks and for heaps of their own. A library whose thread cannot
be made ends the process without a word, so that a limited process makes few of them.
"""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from pathlib import Path

_ENOUGH, _ENOUGH_A_CORE = 2 << 30, 512 << 20
"""Bytes of address space with which a process of all threads has never been seen to fail, and more for each core."""

_ONE_THREAD = {"TINCT_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}

_ARENA_MAX = -8
"""glibc's M_ARENA_MAX: heaps of 64 MiB of address space each, of which it makes eight for each core."""


def limit() -> int | None:
    """Bytes of address space that the process may take; None without a limit, and on systems that have none."""
    try:
        import resource
    except ImportError:
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if soft == resource.RLIM_INFINITY else soft


def left() -> int | None:
    """Bytes of address space that are left; None where nobody limits them or says how many are taken."""
    most = limit()
    if most is None:
        return None
    try:
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None
    return most - taken


def need_little() -> None:
    """Work with one thread and two heaps where address space is scarce; to be called before NumPy is imported."""
    most = limit()
    if most is None or most >= _ENOUGH + _ENOUGH_A_CORE * (os.cpu_count() or 1):
        return
    for name, value in _ONE_THREAD.items():
        os.environ.setdefault(name, value)
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 2)


def check_left(wanted: int) -> None:
    """See that so many bytes of address space are left.

    Raises:
        MemoryError: if they are not.
    """
    there = left()
    if there is not None and there < wanted:
        raise MemoryError(f"{there >> 20} MiB of address space are left; {wanted >> 20} MiB are needed")


def check_limit(wanted: int) -> None:
    """See that the process may take so many bytes of address space in all.

    Raises:
        MemoryError: if it may not.
    """
    most = limit()
    if most is not None and most < wanted:
        raise MemoryError(f"{most >> 20} MiB of address space are allowed; {wanted >> 20} MiB are needed")
