"""Results of tinct among files: by the record that they hold, or by their names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from tinct.photo.formats import SUFFIXES

RECORD = b"colorized by tinct "
"""Bytes that every result of tinct holds, in EXIF, XMP or a text chunk."""

_EDGE = 1 << 16
"""Bytes at a file's beginning and at its end that are searched for the record: formats keep metadata there."""


def is_own_result(path: str) -> bool:
    """True if a file is a result of tinct: the file holds tinct's record, or is named NAME.color beside a NAME."""
    file = Path(path)
    if file.stem.endswith(".color") and _has_source(file):
        return True
    try:
        with file.open("rb") as stream:
            if holds_record(stream.read(_EDGE)):
                return True
            stream.seek(max(_EDGE, os.fstat(stream.fileno()).st_size - _EDGE))
            return holds_record(stream.read(_EDGE))
    except OSError:
        return False  # reading it will say what is wrong


def holds_record(content: bytes) -> bool:
    """True if a file's bytes hold tinct's record near their beginning or their end."""
    return RECORD in content[:_EDGE] or RECORD in content[-_EDGE:]


def _has_source(result: Path) -> bool:
    name = result.stem.removesuffix(".color")
    return any(os.path.isfile(result.with_name(name + suffix)) for suffix in _all_suffixes())


def _all_suffixes() -> Iterator[str]:
    for suffix in SUFFIXES:
        yield suffix
        yield suffix.upper()
