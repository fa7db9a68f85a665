"""The program of a decoding process: requests come on standard input, answers go to standard output.

The server may kill the process at any moment; see `tinct.web.decoding`. A message is a count of parts, the size of
each part in bytes (64-bit little-endian integers), then the parts.
"""

from __future__ import annotations

import os
import pickle
import struct
import sys
import time
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any, BinaryIO

from tinct.errors import TinctError, is_out_of_memory

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

_HEAD = struct.Struct("<Q")

_MEMORY_BESIDE = 512 << 20
"""Bytes of memory that one request may take beside its pixels."""

_BYTES_A_PIXEL = 24
"""Bytes of memory for each pixel that may be declared: RGBA of 16 bits, decoded, sorted and handed on."""

_LARGEST_KEPT = 64 << 20
"""Bytes of an answer after which the process ends, so that its memory goes back to the system."""


def read_photo(content: bytes, max_pixels: int) -> Any:
    """Read a photograph; the notes name what its decoders printed on standard error."""
    from tinct.decoder_messages import read_with_messages

    return read_with_messages(content, max_pixels=max_pixels)


def read_hints(content: bytes, photo_size: tuple[int, int], max_pixels: int) -> Any:
    """Read a file of hints: JSON, or strokes on a transparent picture."""
    from tinct.hints import read_hints as read

    return read(content, photo_size, max_pixels=max_pixels)


TASKS: dict[str, Callable[..., Any]] = {"photo": read_photo, "hints": read_hints}
"""The functions that a request may name; each takes the bytes of a file first."""


def main() -> None:
    """Answer requests until standard input ends."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(2, 1)  # what a library prints must not be taken for an answer
    import tinct.photo.reading  # noqa: F401 (loaded before the first request)

    send(answers, [b"ready"])
    while parts := receive(requests):
        name, arguments, seconds = pickle.loads(parts[0])
        _limit(seconds, arguments["max_pixels"])
        answer = _answer_to(name, parts[1], arguments)
        send(answers, answer)
        if sum(len(part) for part in answer) > _LARGEST_KEPT:
            return


def send(stream: BinaryIO, parts: Sequence[Any]) -> None:
    """Send a message of several parts.

    Args:
        stream: a pipe.
        parts: bytes-like objects.
    Raises:
        OSError: if the other process has closed the pipe.
    """
    sizes = [memoryview(part).nbytes for part in parts]
    stream.write(_HEAD.pack(len(parts)) + b"".join(map(_HEAD.pack, sizes)))
    for part in parts:
        stream.write(memoryview(part).cast("B"))
    stream.flush()


def receive(stream: BinaryIO) -> list[bytearray]:
    """Receive a message: its parts, or an empty list if the other process has closed the pipe."""
    head = stream.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return []
    sizes = [_HEAD.unpack(stream.read(_HEAD.size))[0] for _ in range(_HEAD.unpack(head)[0])]
    parts = []
    for size in sizes:
        part = bytearray(size)
        if _fill(stream, part) < size:
            return []
        parts.append(part)
    return parts


def _fill(stream: BinaryIO, part: bytearray) -> int:
    view, done = memoryview(part), 0
    while done < len(part) and (count := stream.readinto(view[done:])):  # type: ignore[attr-defined]
        done += count
    return done


def _limit(seconds: float, max_pixels: int) -> None:
    """Have the system end this process once it computed for so long, and refuse memory beyond what is needed."""
    if resource is None or not sys.platform.startswith("linux"):
        return
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time() + seconds + 1), most))
    with open("/proc/self/statm", encoding="ascii") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (now + _MEMORY_BESIDE + _BYTES_A_PIXEL * max_pixels, most))


def _answer_to(name: str, content: bytearray, arguments: dict[str, Any]) -> list[Any]:
    buffers: list[pickle.PickleBuffer] = []
    try:
        found = TASKS[name](bytes(content), **arguments)
        body = pickle.dumps(("found", found), 5, buffer_callback=buffers.append)
        return [body, *(buffer.raw() for buffer in buffers)]
    except Exception as error:
        if is_out_of_memory(error):
            return [pickle.dumps(("memory", None))]
        if isinstance(error, TinctError):
            return [pickle.dumps(("refused", (type(error), str(error))))]
        return [pickle.dumps(("failed", f"{type(error).__name__}: {error}"))]


def load_answer(parts: Sequence[Any]) -> tuple[str, Any]:
    """Read an answer of `main`.

    The process is a part of the server, so that its pickles are trusted; the process bounds time and memory, and is no
    sandbox.

    Returns:
        The kind, "found", "refused", "memory" or "failed", and its value: the result, the error's type and message,
        None, or a message.
    """
    kind, what = pickle.load(BytesIO(parts[0]), buffers=parts[1:])
    return kind, what
