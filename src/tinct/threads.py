"""The number of threads that work on a photograph, and work shared among threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

MOST_THREADS = 8
"""The most threads that work on one photograph."""


def threads() -> int:
    """The number of threads that work on a photograph.

    `TINCT_THREADS` if it is set, else the number of cores, at most MOST_THREADS.
    """
    return allowed_threads() or min(os.cpu_count() or 1, MOST_THREADS)


def allowed_threads() -> int | None:
    """The number of threads that `TINCT_THREADS` allows this process; None if it is not set to a number above 0."""
    said = os.environ.get("TINCT_THREADS", "")
    return int(said) if said.isdigit() and int(said) > 0 else None


def each_in_threads(work: Callable[[T], None], items: Sequence[T]) -> None:
    """Call `work` for each item in `threads()` threads.

    Raises:
        Exception: the first error of `work`, after all calls have ended.
    """
    workers = min(len(items), threads())
    if workers < 2:
        for item in items:
            work(item)
        return
    with ThreadPoolExecutor(workers) as pool:
        for done in [pool.submit(work, item) for item in items]:
            done.result()
