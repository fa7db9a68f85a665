"""A decoding process: files go to it and pictures come back; it can be killed, and be given a lower priority."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
from contextlib import suppress
from time import monotonic
from typing import IO, Any

from tinct.web import decoder_worker

LOWERED = 7
"""What a lower priority adds to a process's niceness: next to a busy process it has a sixth of a processor."""

_START = "import sys; sys.path[:] = sys.argv[1:]; from tinct.web.decoder_worker import main; main()"
_CPU_CLOCK = 2
"""Linux's number for the clock that counts what a process's threads have computed (clock_getcpuclockid(3))."""

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")


class DecoderProcess:
    """A decoding process. One thread at a time may call `decode`, any thread may call `kill`.

    The process is of the server's session: the system shares processors among sessions before it looks at priorities
    (Linux's autogroups).

    Attributes:
        is_lowered: True while the process has a lower priority than the server.
    """

    def __init__(self) -> None:
        environment = os.environ | dict.fromkeys(_THREADS, "1")
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            process_group=0,  # Ctrl-C is for the server, which ends its processes itself
        )
        self._is_ready, self._began = False, monotonic()
        self._computed, self._before = 0.0, float("inf")  # in all, and before the file of now
        self.is_lowered = False

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
        self._before = float("inf")
        if not self._is_ready:
            self._answer()
            self._is_ready = True
        self._before = self._all_computed()
        decoder_worker.send(_stream(self._process.stdin), [pickle.dumps((name, arguments, seconds)), content])  # type: ignore[arg-type]
        return decoder_worker.load_answer(self._answer())

    @property
    def spent(self) -> float:
        """Processor seconds that the file of now, or the last one, took; by the clock on other systems than Linux."""
        return max(0.0, self._all_computed() - self._before)

    def _all_computed(self) -> float:
        now = monotonic() - self._began
        if sys.platform.startswith("linux"):
            now = self._computed
            with suppress(OSError):  # the process has ended
                now = time.clock_gettime((~self._process.pid << 3) | _CPU_CLOCK)
        self._computed = now
        return now

    def lower(self) -> None:
        """Have the process compute at a lower priority than the server, where the system has priorities."""
        self.is_lowered = self.is_lowered or self._prioritized(LOWERED)

    def restore(self) -> bool:
        """Give the process the server's priority again; False if the system does not let it."""
        self.is_lowered = self.is_lowered and not self._prioritized(0)
        return not self.is_lowered

    def _prioritized(self, lowered: int) -> bool:
        with suppress(AttributeError, OSError):
            own = os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PGRP, self._process.pid, own + lowered)
            return True
        return False

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


def _stream(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None
    return stream
