"""Decoding of what was sent, in processes that can be ended: no file holds the server longer than its budget.

A decoder in a thread cannot be stopped, and may hold the interpreter's lock. A process can: by the server when its
client leaves, when it ends itself, or when others wait; by the system when it computed for too long or wants too much
memory.
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
from tinct.web.worker_pool import DECODED_BESIDE, BusyError

Result = TypeVar("Result")

DECODE_SECONDS = 20.0
"""Seconds of computing that one file may take to decode."""

WALL_FACTOR = 3.0
"""How much longer than that all files of a request may take by the clock, as others compute as well."""

PATIENCE_SECONDS = 3.0
"""Seconds after which a decoding may be ended for the sake of those that wait."""

_START = "import sys; sys.path[:] = sys.argv[1:]; from tinct.web.decoder_worker import main; main()"
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")


class DecodingTask:
    """One request's decoding: what it may still take, and the process that works for it.

    Args:
        seconds: of computing, for each of its files; by the clock, all together may take three times as long.
    """

    def __init__(self, seconds: float = DECODE_SECONDS) -> None:
        self._seconds, self._deadline = seconds, monotonic() + seconds * WALL_FACTOR
        self._lock = threading.Lock()
        self._process: DecoderProcess | None = None
        self._why = ""
        self.started = monotonic()

    def run(self, work: Callable[[], Result]) -> Result:
        """Do work whose files are decoded on this task's account."""

        def on_this_account() -> Result:
            _current_task.set(self)
            return work()

        return copy_context().run(on_this_account)

    def ask(self, name: str, content: bytes, **given: Any) -> Any:
        """Have a file decoded; blocks.

        Raises:
            PhotoError, HintError: if it cannot be, or took too long.
            MemoryError: if it took too much.
            BusyError: if it was ended because others wait.
        """
        process, kept = decoder_pool().acquire(self), False
        clock = threading.Timer(max(self._deadline - monotonic(), 0.0), self.end)
        try:
            with self._lock:
                self._process = process
                if self._why:
                    process.kill()
            clock.start()
            kind, what = process.ask(name, content, given, self._seconds)
            kept = True
        except (OSError, EOFError):
            raise self._ended() from None
        finally:
            clock.cancel()
            with self._lock:
                self._process = None
            decoder_pool().release(self, process if kept else None)
        return _checked(kind, what)

    def end(self, why: str = "long") -> None:
        """End it: "long" for too long, "busy" for the sake of others, "left" for a client that left."""
        with self._lock:
            self._why = self._why or why
            if self._process is not None:
                self._process.kill()

    def _ended(self) -> Exception:
        if self._why == "busy":
            return BusyError(60)
        if self._why == "left":
            return PhotoError("nobody waits for it any more.")
        return PhotoError(
            "takes too long to decode, or too much memory; save it again, or send a smaller one."
        )


_current_task: ContextVar[DecodingTask | None] = ContextVar("task", default=None)


def read_photo(content: bytes, max_pixels: int) -> Photo:
    """Decode a photograph on the account of the task that is running, or on its own.

    Raises:
        PhotoError, MemoryError, BusyError: as `DecodingTask.ask`.
    """
    found: Photo = (_current_task.get() or DecodingTask()).ask("photo", content, max_pixels=max_pixels)
    return found


def read_hints(content: bytes, photo_size: tuple[int, int], max_pixels: int) -> tuple[HintLike, ...]:
    """Decode a file of hints; see `read_photo`."""
    task = _current_task.get() or DecodingTask()
    found: tuple[HintLike, ...] = task.ask("hints", content, photo_size=photo_size, max_pixels=max_pixels)
    return found


class DecoderProcess:
    """A process that decodes; `ask` may be called by one thread at a time, `kill` by any."""

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

    def ask(self, name: str, content: bytes, given: dict[str, Any], seconds: float) -> tuple[str, Any]:
        """Send a request and wait for the answer.

        Raises:
            OSError, EOFError: if the process has ended.
        """
        if not self._is_ready:
            self._answer()
            self._is_ready = True
        decoder_worker.send(_stream(self._process.stdin), [pickle.dumps((name, given, seconds)), content])  # type: ignore[arg-type]
        return decoder_worker.loaded(self._answer())

    @property
    def is_alive(self) -> bool:
        """False once it has ended."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def close(self) -> None:
        """End it, and wait until it is gone."""
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
    """The processes of this program that decode: as many as are needed at once, and some that wait for work.

    Args:
        kept: how many idle ones are kept.
    """

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._lock = threading.Lock()
        self._idle: list[DecoderProcess] = []
        self._tasks: dict[DecodingTask, DecoderProcess] = {}

    def acquire(self, task: DecodingTask) -> DecoderProcess:
        """A process for a task."""
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
        """The task's process, or None if it is of no use any more."""
        with self._lock:
            own = self._tasks.pop(task, None)
            if process is not None and process.is_alive and len(self._idle) < self._kept:
                self._idle.append(process)
                return
        if own is not None:
            own.close()

    def warm_up(self) -> None:
        """Start a process before it is needed."""
        task = DecodingTask()
        self.release(task, self.acquire(task))

    def cancel_longest(self, seconds: float = PATIENCE_SECONDS) -> None:
        """End the longest decoding for those that wait, if it has taken longer than so many seconds."""
        with self._lock:
            oldest = min(self._tasks, key=lambda task: task.started, default=None)
        if oldest is not None and monotonic() - oldest.started > seconds:
            oldest.end("busy")

    def close(self) -> None:
        """End all."""
        with self._lock:
            idle, self._idle = self._idle, []
            turns = list(self._tasks)
        for task in turns:
            task.end("left")
        for process in idle:
            process.close()


@cache
def decoder_pool() -> DecoderPool:
    """The processes that decode, one set for the program, as compiled networks are."""
    return DecoderPool(default_workers() + DECODED_BESIDE)


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
