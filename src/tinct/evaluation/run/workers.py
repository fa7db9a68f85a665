"""Photographs shared among processes: what is found and its order are those of one process."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context
from typing import Any, TypeVar

from tinct.errors import EvaluationError, OptionError

Task = TypeVar("Task")
Found = TypeVar("Found")

_work: Callable[[Any], Any]
"""A process's own, set when it begins."""


def check_jobs(jobs: int) -> None:
    """Refuse a number of processes below 1.

    Raises:
        OptionError: if it is.
    """
    if jobs < 1:
        raise OptionError(f"jobs is {jobs}; give 1 or more processes.")


def each(
    make: Callable[..., Callable[[Task], Found]], arguments: tuple[Any, ...], tasks: Sequence[Task], jobs: int
) -> Iterator[Found]:
    """What a function finds for each task, in the order of tasks.

    Args:
        make: makes the function from `arguments`, once in each process; for more than one process a module's.
        arguments: for more than one process, such as can be pickled.
        tasks: likewise.
        jobs: processes; 1 works in this one.
    Raises:
        OptionError: if jobs is below 1.
        EvaluationError: if a process ends before its work.
    """
    check_jobs(jobs)
    if min(jobs, len(tasks)) <= 1:
        yield from map(make(*arguments), tasks)
        return
    context = get_context("spawn")  # a fork would copy the threads' locks of inference engines
    others = set(active_children())
    pool = ProcessPoolExecutor(min(jobs, len(tasks)), context, _begin, (make, arguments))
    try:
        yield from pool.map(_do, tasks)
    except BrokenProcessPool:
        raise EvaluationError(
            f"one of {jobs} processes ended, perhaps for want of memory; "
            "give fewer --jobs: the run goes on where it was."
        ) from None
    except BaseException:  # stopped: what is being done now would be lost anyway
        pool.shutdown(wait=False, cancel_futures=True)
        for child in set(active_children()) - others:
            child.terminate()
        raise
    finally:
        pool.shutdown()


def _begin(make: Callable[..., Callable[[Any], Any]], arguments: tuple[Any, ...]) -> None:
    global _work
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process answers Ctrl-C for all
    _work = make(*arguments)


def _do(task: Any) -> Any:
    return _work(task)
