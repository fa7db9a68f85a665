"""Decoding of uploaded files in processes with limits of time and memory, so that no file holds the server up.

A decoder in a thread cannot be stopped, and may hold the interpreter's lock. A process can be killed: by the server
when its client leaves, when the server ends, or when other requests wait; by the system when the process computes for
too long or takes too much memory.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar, copy_context
from functools import cache
from time import monotonic
from typing import IO, Any, TypeVar

from tinct.errors import PhotoError
from tinct.hints import HintLike
from tinct.photo import Photo
from tinct.web import decoder_worker
from tinct.web.settings import default_workers
from tinct.web.worker_pool import EXTRA_DECODERS, BusyError

Result = TypeVar("Result")

DECODE_SECONDS = 20.0
"""Seconds of computing that one file may take to decode."""

WALL_FACTOR = 3.0
"""Wall-clock seconds that all files of a request may take, in units of DECODE_SECONDS: other processes compute as
well."""

PATIENCE_SECONDS = 3.0
"""Seconds after which a decoding may be stopped because other requests wait."""

_START = "import sys; sys.path[:] = sys.argv[1:]; from tinct.web.decoder_worker import main; main()"
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")


class DecodingTask:
    """The decoding of one request: its time limits, and the process that works for it.

    Args:
        seconds: of computing, for each file; by the clock, all files together may take WALL_FACTOR times as long.
    """

    def __init__(self, seconds: float = DECODE_SECONDS) -> None:
        self._seconds, self._deadline = seconds, monotonic() + seconds * WALL_FACTOR
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
        clock = threading.Timer(max(self._deadline - monotonic(), 0.0), self.cancel)
        try:
            with self._lock:
                self._process = process
                if self._reason:
                    process.kill()
            clock.start()
            kind, what = process.decode(name, content, arguments, self._seconds)
            kept = True
        except (OSError, EOFError):
            raise self._ended() from None
        finally:
            clock.cancel()
            with self._lock:
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

    def _ended(self) -> Exception:
        if self._reason == "busy":
            return BusyError(60)
        if self._reason == "disconnected":
            return PhotoError("nobody waits for it any more.")
        return PhotoError(
            "takes too long to decode, or too much memory; save it again, or send a smaller one."
        )


_current_task: ContextVar[DecodingTask | None] = ContextVar("task", default=None)


def read_photo(content: bytes, max_pixels: int) -> Photo:
    """Decode a photograph within the running task, or within a task of its own.

    Raises:
        PhotoError, MemoryError, BusyError: as `DecodingTask.decode`.
    """
    found: Photo = (_current_task.get() or DecodingTask()).decode("photo", content, max_pixels=max_pixels)
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


class DecoderProcess:
    """A decoding process. One thread at a time may call `decode`, any thread may call `kill`."""

    def __init__(self) -> None:
        environment = os.environ | dict.fromkeys(_THREADS, "1")
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,  # Ctrl-C is for the server, which ends its processes itself
        )
        self._is_ready = False

    def decode(self, name: str, content: bytes, arguments: dict[str, Any], seconds: float) -> tuple[str, Any]:
        """Send a file and wait for the answer.

        Args:
            name: of the function, as in `tinct.web.decoder_worker.TASKS`.
            content: the file.
            arguments: further arguments of the function.
            seconds: of computing, after which the system ends the process.
        Returns:
            The kind of the answer and its value; see `tinct.web.decoder_worker.load_answer`.
        Raises:
            OSError, EOFError: if the process has ended.
        """
        if not self._is_ready:
            self._answer()
            self._is_ready = True
        decoder_worker.send(_stream(self._process.stdin), [pickle.dumps((name, arguments, seconds)), content])  # type: ignore[arg-type]
        return decoder_worker.load_answer(self._answer())

    @property
    def is_alive(self) -> bool:
        """False once the process has ended."""
        return self._process.poll() is None

    def kill(self) -> None:
        """Kill the process, without waiting for its end."""
        self._process.kill()

    def close(self) -> None:
        """Kill the process, wait for its end, and close its pipes."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                _stream(stream).close()

    def _answer(self) -> list[bytearray]:
        parts = decoder_worker.receive(_stream(self._process.stdout))  # type: ignore[arg-type]
        if not parts:
            raise EOFError
        return parts


class DecoderPool:
    """The decoding processes of this program: as many as are in use, and some idle ones.

    Args:
        idle_limit: how many idle processes are kept.
    """

    def __init__(self, idle_limit: int) -> None:
        self._idle_limit = idle_limit
        self._lock = threading.Lock()
        self._idle: list[DecoderProcess] = []
        self._tasks: dict[DecodingTask, DecoderProcess] = {}

    def acquire(self, task: DecodingTask) -> DecoderProcess:
        """A process for a task: an idle one, or a new one."""
        with self._lock:
            while self._idle:
                process = self._idle.pop()
                if process.is_alive:
                    break
                process.close()
            else:
                process = DecoderProcess()
            self._tasks[task] = process
            return process

    def release(self, task: DecodingTask, process: DecoderProcess | None) -> None:
        """Take a task's process back.

        Args:
            task: the task that acquired the process.
            process: the process, or None if it cannot be used any more.
        """
        with self._lock:
            own = self._tasks.pop(task, None)
            if process is not None and process.is_alive and len(self._idle) < self._idle_limit:
                self._idle.append(process)
                return
        if own is not None:
            own.close()

    def warm_up(self) -> None:
        """Start a process before the first file comes."""
        task = DecodingTask()
        self.release(task, self.acquire(task))

    def cancel_longest(self, seconds: float = PATIENCE_SECONDS) -> None:
        """Cancel the task that has run longest, if it has run longer than `seconds`; for requests that wait."""
        with self._lock:
            oldest = min(self._tasks, key=lambda task: task.started, default=None)
        if oldest is not None and monotonic() - oldest.started > seconds:
            oldest.cancel("busy")

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


def _stream(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None
    return stream
