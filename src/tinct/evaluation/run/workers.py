"""Processes that share tasks; results and their order are those of a single process."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context
from typing import Any, TypeVar

from tinct.errors import EvaluationError, OptionError

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")

_work: Callable[[Any], Any]
"""The function that does the tasks of this process; set when the process begins."""


def check_jobs(jobs: int) -> None:
    """Refuse a number of processes below 1.

    Raises:
        OptionError: if `jobs` is below 1.
    """
    if jobs < 1:
        raise OptionError(f"jobs is {jobs}; give 1 or more processes.")


def each(
    make: Callable[..., Callable[[Item], Outcome]],
    arguments: tuple[Any, ...],
    tasks: Sequence[Item],
    jobs: int,
) -> Iterator[Outcome]:
    """The outcome of each task, in the order of tasks.

    Args:
        make: called with `arguments` once in each process; returns the function that does a task. Must be defined at
            the top of a module if jobs > 1.
        arguments, tasks: must be picklable if jobs > 1.
        jobs: number of processes; 1 works in this process.
    Raises:
        OptionError: if jobs is below 1.
        EvaluationError: if a process ends before its work is done.
    """
    check_jobs(jobs)
    if min(jobs, len(tasks)) <= 1:
        yield from map(make(*arguments), tasks)
        return
    context = get_context("spawn")  # a fork would copy the locked locks of an engine's threads
    others = set(active_children())
    pool = ProcessPoolExecutor(min(jobs, len(tasks)), context, _begin, (make, arguments))
    try:
        yield from pool.map(_do, tasks)
    except BrokenProcessPool:
        raise EvaluationError(
            f"one of {jobs} processes ended, perhaps for want of memory; "
            "give fewer --jobs: the run goes on where it was."
        ) from None
    except BaseException:  # stopped: tasks in work are lost in any case
        pool.shutdown(wait=False, cancel_futures=True)
        for child in set(active_children()) - others:
            child.terminate()
        raise
    finally:
        pool.shutdown()


def _begin(make: Callable[..., Callable[[Any], Any]], arguments: tuple[Any, ...]) -> None:
    global _work
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C for all
    _work = make(*arguments)


def _do(task: Any) -> Any:
    return _work(task)
