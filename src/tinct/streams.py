"""Reading paths that may be pipes or devices, whole and up to a limit of bytes; byte order marks of texts."""

from __future__ import annotations

import codecs
import errno
import os
import stat
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import BinaryIO

STANDARD_STREAM = "-"
"""Name of standard input and output in place of a path."""

LARGEST_PIPE = 2 << 30
"""Bytes that are read from a pipe at most, as a pipe does not tell its length."""


def open_rewindable(path: str | PathLike[str], limit: int = LARGEST_PIPE) -> BinaryIO:
    """Open a file for reading; a pipe is read whole into memory, as decoders seek.

    Raises:
        OSError: if the path cannot be opened, is a device (which may never end), or is a pipe of more than `limit`
            bytes.
    """
    file = Path(path).open("rb")  # noqa: SIM115
    mode = os.fstat(file.fileno()).st_mode
    if stat.S_ISREG(mode):
        return file
    with file:
        if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
            raise OSError(errno.EINVAL, "it is a device, not a file", str(path))
        return BytesIO(_bounded(file, limit, path))


def read_whole(path: str | PathLike[str], limit: int) -> bytes:
    """The content of a file or a pipe.

    Raises:
        OSError: if the path cannot be opened, is a device, or has more than `limit` bytes.
    """
    with open_rewindable(path, limit) as file:
        return _bounded(file, limit, path)


def _bounded(file: BinaryIO, limit: int, path: str | PathLike[str]) -> bytes:
    content = file.read(limit + 1)
    if len(content) > limit:
        raise OSError(errno.EFBIG, f"it has more than {limit >> 20} MiB", str(path))
    return content


_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks and what they say; the mark of UTF-16 LE begins that of UTF-32 LE, which comes first."""


def marked_encoding(content: bytes) -> str | None:
    """The Unicode encoding that a text's byte order mark says; None without a mark."""
    return next((encoding for mark, encoding in _MARKS if content.startswith(mark)), None)


def text_of(content: bytes) -> str:
    """A text in the Unicode encoding that its byte order mark says, and in UTF-8 without one.

    Raises:
        UnicodeError: if the bytes are no such text.
    """
    return content.decode(marked_encoding(content) or "utf-8")
