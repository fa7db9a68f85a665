"""Running a batch: the rows of the manifest that the ledger has not settled, on worker processes that may die."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from pathlib import PurePosixPath
from typing import Any

from tinct.archive.entry import DONE, FAILED, REFUSED, SETTLED, SKIPPED, Entry
from tinct.archive.ledger import Ledger, Settled
from tinct.archive.row import Row, with_leaders
from tinct.archive.storage import Store, sweep
from tinct.archive.worker import Job, Worker
from tinct.colorizing.batch import SAME

MOST_ATTEMPTS = 2
"""Attempts at a photograph in one run, if its worker process ends while it works on the photograph."""

Tell = Callable[[Entry], None]


@dataclass(frozen=True)
class Counts:
    """Numbers of photographs of a run.

    Attributes:
        planned: rows of the shard.
        settled: rows that an earlier run had settled.
        statuses: status -> number of rows of this run.
        refused: rows among the settled that were refused.
        differing: rows among the settled whose results are of other options, hints or references, or in another format,
            than this run would give them.
    """

    planned: int
    settled: int
    statuses: dict[str, int]
    refused: int = 0
    differing: int = 0

    @property
    def failed(self) -> int:
        """Number of rows of this run that failed."""
        return sum(count for status, count in self.statuses.items() if status not in (DONE, SKIPPED))


def run_batch(
    rows: Iterable[Row],
    job: Job,
    *,
    shard: tuple[int, int] = (0, 1),
    jobs: int = 1,
    retry_refused: bool = False,
    stamps: Mapping[int, str] | None = None,
    tell: Tell | None = None,
    stop: Callable[[], bool] | None = None,
) -> Counts:
    """Colorize the photographs of a manifest that the ledger has not settled.

    Each result is written under a deterministic key before its row enters the ledger, so a run that is killed at any
    moment can be started again: what was in flight is done again with the same result, and nothing else.

    Args:
        rows: of the manifest.
        job: the settings that all photographs share.
        shard: (index, count): only rows whose id modulo count is index; a group goes by its leader's id.
        jobs: worker processes; each takes its share of the processor's cores.
        retry_refused: True tries rows again that were refused.
        stamps: by id, what the photographs' files are known by: a row whose file had another stamp is done again.
        tell: is called with each entry.
        stop: ends the run when it returns True after a photograph.
    Raises:
        ManifestError: if a group names no photograph of the manifest.
        StorageError: if the ledger cannot be read or written.
    """
    out = Store(job.out)
    ledger = Ledger(out)
    ledger.recover()
    sweep(out)
    planned = [row for row in with_shared_options(rows, job) if row.in_shard(shard)]
    waiting, before = unsettled(planned, ledger, job, retry_refused=retry_refused, stamps=stamps)
    statuses: dict[str, int] = {}
    if waiting:
        ledger.begin()
    try:
        for made in colorized(waiting, job, jobs):
            entry = replace(made, stamp=(stamps or {}).get(made.id, ""))
            ledger.append(entry)
            statuses[entry.status] = statuses.get(entry.status, 0) + 1
            if tell is not None:
                tell(entry)
            if stop is not None and stop():
                break
    finally:
        ledger.flush()
    return replace(before, statuses=statuses)


def with_shared_options(rows: Iterable[Row], job: Job) -> list[Row]:
    """Rows with the options that all photographs of the job share, where a row has none of its own, and with leaders.

    Raises:
        ManifestError: if a group names no photograph of the manifest.
    """
    return with_leaders(
        row if row.project else replace(row, options={**job.options, **row.options}) for row in rows
    )


def unsettled(
    rows: Sequence[Row],
    ledger: Ledger,
    job: Job,
    *,
    retry_refused: bool = False,
    stamps: Mapping[int, str] | None = None,
) -> tuple[list[Row], Counts]:
    """The rows that the ledger has not settled, or whose result is no longer there: manifest without ledger.

    Args:
        rows: of the manifest, as `with_shared_options` gives them.
        ledger: of the output.
        job: the settings that all photographs share; `again` counts rows as not settled that were passed over.
        retry_refused: True counts refused rows as not settled.
        stamps: by id, what the photographs' files are known by, see `Ledger.settled`.
    Returns:
        These rows, and the numbers of a run that does nothing.
    Raises:
        StorageError: if the ledger cannot be read, or the output cannot be listed.
    """
    reopened = {status for status, wanted in ((REFUSED, retry_refused), (SKIPPED, job.again)) if wanted}
    settled = ledger.settled([status for status in SETTLED if status not in reopened], stamps)
    kept = [(row, settled[row.id]) for row in rows if row.id in settled]
    refused = sum(each.status == REFUSED for _, each in kept)
    differing = sum(each.status == DONE and _differs(row, each, job) for row, each in kept)
    waiting = [row for row in rows if row.id not in settled]
    return waiting, Counts(len(rows), len(kept), {}, refused, differing)


def _differs(row: Row, settled: Settled, job: Job) -> bool:
    """True if a result that is there is not what this run would make of the row."""
    suffix, is_chroma = PurePosixPath(settled.output).suffix, job.store == "chroma"
    return (
        (suffix == ".chroma") != is_chroma
        or (not is_chroma and job.format not in (SAME, suffix[1:]))
        or settled.options_sha256 not in ("", row.options_sha256)
    )


def colorized(rows: Iterable[Row], job: Job, jobs: int) -> Iterator[Entry]:
    """Entries of photographs in the order in which they are finished, from `jobs` processes."""
    waiting = deque((row, 1) for row in rows)
    crew = [_Process(job, jobs) for _ in range(min(jobs, len(waiting)))]
    try:
        for process in crew:
            process.give(*waiting.popleft())
        while any(process.row is not None for process in crew):
            ready = wait([process.connection for process in crew if process.row is not None])
            for process in [each for each in crew if each.connection in ready]:
                entry = process.take()
                if entry is None:
                    row, attempt = process.lost()
                    process.restart()
                    if attempt < MOST_ATTEMPTS:
                        waiting.appendleft((row, attempt + 1))
                    else:
                        message = "its process ended while it was colorized; it may need too much memory."
                        yield Entry(row.id, row.uri, FAILED, message, options_sha256=row.options_sha256)
                else:
                    yield entry
                if waiting:
                    process.give(*waiting.popleft())
    finally:
        for process in crew:
            process.end()


class _Process:
    """A worker process, the pipe to it, and the row that it works on."""

    def __init__(self, job: Job, jobs: int) -> None:
        self._job, self._jobs = job, jobs
        self.row: Row | None = None
        self._attempt = 0
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, other = context.Pipe()
        with _WithoutMain():
            self._process = context.Process(target=_work, args=(self._job, self._jobs, other), daemon=True)
            self._process.start()
        other.close()

    def give(self, row: Row, attempt: int) -> None:
        """Let the process colorize a photograph."""
        self.row, self._attempt = row, attempt
        with suppress(OSError):  # it has ended: `take` finds out
            self.connection.send(row)

    def take(self) -> Entry | None:
        """The entry of the photograph that was given, or None if the process has ended."""
        try:
            entry: Entry = self.connection.recv()
        except (EOFError, OSError):
            return None
        self.row = None
        return entry

    def lost(self) -> tuple[Row, int]:
        """The photograph during which the process ended, and which attempt it was."""
        assert self.row is not None
        row, self.row = self.row, None
        return row, self._attempt

    def restart(self) -> None:
        """Replace a process that has ended."""
        self.end()
        self._start()

    def end(self) -> None:
        """Let the process end: at once when it is idle, else it is terminated."""
        busy = self.row is not None
        self.connection.close()
        if busy:
            self._process.terminate()
        self._process.join(5)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _work(job: Job, jobs: int, connection: Connection) -> None:
    """The worker process: colorizes what comes through the pipe until the other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    share_cores(jobs)
    worker = Worker(job)
    with suppress(EOFError, OSError):
        while True:
            connection.send(worker.process(connection.recv()))


def share_cores(jobs: int) -> None:
    """Limit the threads of this process to its share of the cores among `jobs` processes."""
    count = max((os.cpu_count() or 1) // jobs, 1)
    os.environ["TINCT_THREADS"] = os.environ["OMP_NUM_THREADS"] = str(count)
    import cv2

    cv2.setNumThreads(count)


class _WithoutMain:
    """Keeps a spawned process from importing the program that started it: the worker needs tinct alone."""

    def __enter__(self) -> None:
        self._main: Any = sys.modules["__main__"]
        self._kept = {
            name: getattr(self._main, name) for name in ("__file__", "__spec__") if hasattr(self._main, name)
        }
        for name in self._kept:
            setattr(self._main, name, None)

    def __exit__(self, *_: object) -> None:
        for name, value in self._kept.items():
            setattr(self._main, name, value)
