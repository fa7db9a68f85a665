"""Memory that the C library keeps for the next array, and does not give back to the system to ask for it anew."""

from __future__ import annotations

import os
import sys
from functools import cache

KEPT_ARRAY, KEPT = 8 << 20, 64 << 20
"""Bytes up to which an array's memory is kept, and of what is kept in all at the end of the heap. At the working size
of 256 all arrays are smaller; what is larger goes back at once (docs/experiments.md, "Speed")."""

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Numbers of `mallopt`'s parameters M_TRIM_THRESHOLD and M_MMAP_THRESHOLD in glibc's malloc.h."""

_OWN_WISHES = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")
"""Environment variables by which a user says the same; see mallopt(3)."""


@cache
def keep_memory() -> None:
    """Let glibc keep the memory of arrays, once a process; nothing is done elsewhere, or against the user's own wish.

    Every page of memory that comes from the system costs a page fault; an answer had a thousand of them.
    """
    if not sys.platform.startswith("linux") or any(name in os.environ for name in _OWN_WISHES):
        return
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, KEPT_ARRAY)
        mallopt(_TRIM_THRESHOLD, KEPT)
