"""The errors that tinct raises, by name.

Every message says in one line what was met, what was wanted and what to do: the command line prints the message as it
stands and exits with code 2.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator

LONGEST_LINE = 200
"""Characters of an error's line; the middle of a longer line is left out."""

_NO_MEMORY = (
    "bad_alloc",
    "can't alloc",
    "can't start new thread",
    "cannot allocate",
    "failed to alloc",
    "failed to map segment",
    "insufficient memory",
    "mmap failed",
)
"""What libraries say that were refused memory and do not raise MemoryError."""


class TinctError(Exception):
    """Base class of all errors that tinct raises on purpose."""


class PhotoError(TinctError):
    """A photograph cannot be read: missing, a directory, empty, truncated, not an image, an unsupported kind."""


class PhotoTooLargeError(PhotoError):
    """A photograph's header declares more pixels than the limit; nothing was decoded."""


class ShapeError(TinctError, ValueError):
    """An array's shape, type or values do not fit: wrong number of axes, sizes that differ, NaN or infinity."""


class ColorError(TinctError, ValueError):
    """A color is not written as #rgb or #rrggbb."""


class HintError(TinctError, ValueError):
    """A hint lies outside the photograph, is malformed, or its file cannot be understood."""


class ReferencePhotoError(TinctError, ValueError):
    """A reference photograph has no color to give."""


class OptionError(TinctError, ValueError):
    """An option is out of its range, or two options contradict each other."""


class MethodError(TinctError, ValueError):
    """The method is unknown, or cannot predict from the given references and hints."""


class ProjectError(TinctError, ValueError):
    """A project file cannot be understood, or a file that it names is missing or has another hash."""


class OutputError(TinctError, OSError):
    """The result cannot be written: it would overwrite the source, the folder is not writable, the disk is full."""


class ExistsError(OutputError):
    """The result is not written, as a file of its name is there that may not be replaced."""


class WeightsError(TinctError):
    """A weights file is missing, damaged, or not the one that the manifest names."""


class EvaluationError(TinctError, ValueError):
    """Photographs cannot be used for measuring, a protocol is unknown, or results files do not fit each other."""


class TrainingError(TinctError):
    """A training run failed: its loss is no longer a number."""


class MissingExtraError(TinctError, ImportError):
    """An optional part is not installed; the message names the pip line that installs it."""


class StorageError(TinctError, OSError):
    """A file of an archive cannot be read, written or listed, for a reason that may pass."""


class ManifestError(TinctError, ValueError):
    """A manifest of a batch is missing, malformed, or names a photograph twice."""


class ChromaError(TinctError, ValueError):
    """A chroma file is damaged, or belongs to another photograph."""


def one_line(message: str) -> str:
    """A message as one line of at most LONGEST_LINE characters: no line breaks, no control characters of a terminal."""
    visible = "".join(
        each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in " ".join(message.split())
    )
    return shortened(visible, LONGEST_LINE)


def of_bytes(count: int) -> str:
    """The name that messages give to a photograph of so many bytes, which has no other."""
    return f"the image ({count} bytes)"


def of_file(name: str, message: str) -> str:
    """A message about a photograph that was read from bytes, with its file's name in place of `of_bytes`."""
    told = re.match(r"the image \(\d+ bytes\)", message)
    return f"{name}{message[told.end() :]}" if told else f"{name}: {message}"


def shortened(text: str, limit: int) -> str:
    """A text of at most `limit` characters: its beginning and its end, as the end of a message says what to do."""
    if len(text) <= limit:
        return text
    end = limit * 2 // 5
    return f"{text[: limit - end - 3]} … {text[-end:]}"


def shown(value: object) -> str:
    """A value in a message as Python's `repr` gives it, shortened."""
    return shortened(repr(value), 60)


def is_out_of_memory(error: BaseException) -> bool:
    """True if an error, or one of its causes, says that memory could not be allocated."""
    return any(_lacks_memory(each) for each in _causes(error))


def _lacks_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    said = "" if isinstance(error, TinctError) else str(error).lower()
    return any(words in said for words in _NO_MEMORY)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error, and those that it was raised from or while handling."""
    seen: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is not None and each not in seen:
            seen.append(each)
            waiting += [each.__cause__, each.__context__]
            yield each
