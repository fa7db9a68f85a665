"""Decoding of uploaded files in processes with limits of time and memory, so that no file holds the server up.

A decoder in a thread cannot be stopped, and may hold the interpreter's lock. A process can be killed: by the server
when its client leaves, when the server ends, or when other requests wait; by the system when the process computes for
too long or takes too much memory. A process also has a priority of its own: what is dear to decode is decoded at a
lower one, so that it takes from the processors what others leave.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from functools import cache
from time import monotonic
from typing import Any, TypeVar

from tinct.errors import PhotoError
from tinct.hints import HintLike
from tinct.photo import Photo
from tinct.web.decoder_process import DecoderProcess
from tinct.web.settings import default_workers
from tinct.web.worker_pool import EXTRA_DECODERS, BusyError

Result = TypeVar("Result")

DECODE_SECONDS = 20.0
"""Seconds of computing that one file may take to decode."""

WALL_FACTOR = 3.0
"""Wall-clock seconds that all files of a request may take, in units of DECODE_SECONDS: other processes compute as
well."""

PATIENCE_SECONDS = 3.0
"""Seconds of computing after which a decoding may be stopped because other requests wait; WALL_FACTOR times as many by
the clock."""

SLICE_SECONDS = 0.1
"""Seconds of computing after which a decoding goes on at a lower priority: a photograph of ten megapixels takes about
as long."""

_LOWERED_KEPT = 2
"""Idle processes at a lower priority that are kept; the system seldom lets a priority be raised again."""


class DecodingTask:
    """The decoding of one request: its time limits, and the process that works for it.

    Args:
        seconds: of computing, for each file; by the clock, all files together may take WALL_FACTOR times as long.
        lowered: True has all of it computed at a lower priority, not only what takes longer than SLICE_SECONDS.
    Attributes:
        started: when, by the clock.
        lowered: as given.
        files, pixels: how many were decoded so far.
        refused: True once a photograph could not be decoded.
    """

    def __init__(self, seconds: float = DECODE_SECONDS, *, lowered: bool = False) -> None:
        self._seconds, self._deadline = seconds, monotonic() + seconds * WALL_FACTOR
        self.lowered = lowered
        self._spent = 0.0  # on files that are done
        self.files = self.pixels = 0
        self.refused = False
        self._lock = threading.Lock()
        self._process: DecoderProcess | None = None
        self._reason = ""
        self.started = monotonic()

    def run(self, work: Callable[[], Result]) -> Result:
        """Call `work`; all files that `work` decodes count for this task."""

        def within_task() -> Result:
            _current_task.set(self)
            return work()

        return copy_context().run(within_task)

    def decode(self, name: str, content: bytes, **arguments: Any) -> Any:
        """Decode a file in a process; blocks.

        Args:
            name: of the function, as in `tinct.web.decoder_worker.TASKS`.
            content: the file.
            arguments: further arguments of the function.
        Raises:
            PhotoError: if the file cannot be decoded, or took too long.
            HintError: if a file of hints cannot be understood.
            MemoryError: if decoding took too much memory.
            BusyError: if the task was cancelled because other requests wait.
        """
        process, kept = decoder_pool().acquire(self), False
        self.files += 1
        watch = _Watch(self, self._deadline)
        try:
            with self._lock:
                self._process = process
                if self._reason:
                    process.kill()
            watch.start()
            kind, what = process.decode(name, content, arguments, self._seconds)
            kept = True
            self.pixels += what.width * what.height if isinstance(what, Photo) else 0
        except (OSError, EOFError):
            raise self._ended() from None
        finally:
            watch.stop()
            with self._lock:
                self._spent += process.spent
                self._process = None
            decoder_pool().release(self, process if kept else None)
        return _checked(kind, what)

    def cancel(self, reason: str = "timeout") -> None:
        """Kill the task's process, now and whenever the task starts another.

        Args:
            reason: "timeout", "busy" (other requests wait) or "disconnected" (the client left).
        """
        with self._lock:
            self._reason = self._reason or reason
            if self._process is not None:
                self._process.kill()

    @property
    def spent(self) -> float:
        """The processor seconds that the task's files took so far."""
        with self._lock:
            return self._spent + (self._process.spent if self._process is not None else 0.0)

    def lower(self) -> None:
        """Have the rest of the file computed at a lower priority."""
        with self._lock:
            if self._process is not None:
                self._process.lower()

    def _ended(self) -> Exception:
        if self._reason == "busy":
            return BusyError(60)
        if self._reason == "disconnected":
            return PhotoError("nobody waits for it any more.")
        return PhotoError(
            "takes too long to decode, or too much memory; save it again, or send a smaller one."
        )


class _Watch:
    """A timer beside a decoding: lowers its priority after a slice of computing, and ends it at its deadline."""

    def __init__(self, task: DecodingTask, deadline: float) -> None:
        self._task, self._deadline, self._stopped = task, deadline, False
        self._timer = threading.Timer(SLICE_SECONDS, self._slice_is_over)
        self._since = task.spent

    def start(self) -> None:
        """Begin to watch."""
        self._timer.daemon = True
        self._timer.start()

    def stop(self) -> None:
        """Watch no more."""
        self._stopped = True
        self._timer.cancel()

    def _slice_is_over(self) -> None:
        left = SLICE_SECONDS - (self._task.spent - self._since)
        until_end = self._deadline - monotonic()
        if left <= 0:
            self._task.lower()
            self._again(until_end, self._task.cancel)
        else:
            self._again(min(left, until_end), self._slice_is_over if left < until_end else self._task.cancel)

    def _again(self, seconds: float, then: Callable[[], None]) -> None:
        self._timer = threading.Timer(max(seconds, 0.01), then)
        self.start()
        if self._stopped:
            self._timer.cancel()


_current_task: ContextVar[DecodingTask | None] = ContextVar("task", default=None)


def read_photo(content: bytes, max_pixels: int) -> Photo:
    """Decode a photograph within the running task, or within a task of its own.

    Raises:
        PhotoError, MemoryError, BusyError: as `DecodingTask.decode`.
    """
    task = _current_task.get() or DecodingTask()
    try:
        found: Photo = task.decode("photo", content, max_pixels=max_pixels)
    except PhotoError:
        task.refused = True
        raise
    return found


def read_hints(content: bytes, photo_size: tuple[int, int], max_pixels: int) -> tuple[HintLike, ...]:
    """Decode a file of hints within the running task, or within a task of its own.

    Args:
        content: the file.
        photo_size: width and height of the photograph in pixels.
        max_pixels: the most pixels that a picture of strokes may have.
    Raises:
        PhotoError, HintError, MemoryError, BusyError: as `DecodingTask.decode`.
    """
    task = _current_task.get() or DecodingTask()
    found: tuple[HintLike, ...] = task.decode("hints", content, photo_size=photo_size, max_pixels=max_pixels)
    return found


class DecoderPool:
    """The decoding processes of this program: as many as are in use, and some idle ones.

    Args:
        idle_limit: how many idle processes are kept.
    """

    def __init__(self, idle_limit: int) -> None:
        self._idle_limit = idle_limit
        self._lock = threading.Lock()
        self._idle: list[DecoderProcess] = []
        self._restores = False  # whether a lowered priority could be raised again
        self._tasks: dict[DecodingTask, DecoderProcess] = {}

    def acquire(self, task: DecodingTask) -> DecoderProcess:
        """A process for a task: an idle one, or a new one."""
        with self._lock:
            process = self._idle_process(task.lowered) or DecoderProcess()
            self._tasks[task] = process
        if task.lowered:
            process.lower()
        return process

    def release(self, task: DecodingTask, process: DecoderProcess | None) -> None:
        """Take a task's process back.

        Args:
            task: the task that acquired the process.
            process: the process, or None if it cannot be used any more.
        """
        if process is not None and process.is_lowered:
            self._restores = process.restore()
        with self._lock:
            own = self._tasks.pop(task, None)
            if process is not None and process.is_alive and self._has_room(process):
                self._idle.append(process)
                return
        if own is not None:
            own.close()

    def _idle_process(self, lowered: bool) -> DecoderProcess | None:
        """An idle process of a priority; where the system lets a priority be raised again, any does."""
        for process in reversed(list(self._idle)):
            if process.is_lowered == lowered or self._restores:
                self._idle.remove(process)
                if process.is_alive:
                    return process
                process.close()
        return None

    def _has_room(self, process: DecoderProcess) -> bool:
        alike = sum(each.is_lowered == process.is_lowered for each in self._idle)
        return alike < (_LOWERED_KEPT if process.is_lowered else self._idle_limit)

    def warm_up(self) -> None:
        """Start a process before the first file comes."""
        task = DecodingTask()
        self.release(task, self.acquire(task))

    def cancel_longest(self, seconds: float = PATIENCE_SECONDS) -> None:
        """Cancel the task that has run longest, if it has computed longer than `seconds`; for requests that wait.

        Args:
            seconds: of computing; by the clock, a task may run WALL_FACTOR times as long.
        """
        with self._lock:
            tasks = list(self._tasks)
        long = [
            task
            for task in tasks
            if task.spent > seconds or monotonic() - task.started > seconds * WALL_FACTOR
        ]
        if long:
            min(long, key=lambda task: task.started).cancel("busy")

    def close(self) -> None:
        """Cancel all tasks and end all processes."""
        with self._lock:
            idle, self._idle = self._idle, []
            tasks = list(self._tasks)
        for task in tasks:
            task.cancel("disconnected")
        for process in idle:
            process.close()


@cache
def decoder_pool() -> DecoderPool:
    """The pool of decoding processes, one for the whole program."""
    return DecoderPool(default_workers() + EXTRA_DECODERS)


def _checked(kind: str, what: Any) -> Any:
    if kind == "found":
        return what
    if kind == "refused":
        error, message = what
        raise error(message)
    if kind == "memory":
        raise MemoryError
    raise RuntimeError(f"a decoder failed: {what}")
