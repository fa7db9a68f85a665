"""PyArrow: its modules where it is installed, and files that its threads may read."""

from __future__ import annotations

from typing import Any

from tinct.errors import MissingExtraError


def arrow() -> tuple[Any, Any]:
    """The modules pyarrow and pyarrow.parquet.

    Raises:
        MissingExtraError: if pyarrow is not installed.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise MissingExtraError("archives need fsspec and pyarrow: pip install 'tinct[archive]'.") from None
    return pyarrow, parquet


def arrow_stream(content: bytes) -> Any:
    """A file's content as a stream in Arrow's own memory.

    Threads of Arrow let go of what they read when they end, which may be after Python has: were that an object of
    Python, the process would be aborted.
    """
    pyarrow, _ = arrow()
    memory = pyarrow.allocate_buffer(len(content))
    pyarrow.FixedSizeBufferWriter(memory).write(content)
    return pyarrow.BufferReader(memory)
