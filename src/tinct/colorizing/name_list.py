"""Lists of photographs' names, as people and programs write them."""

from __future__ import annotations

import os
from collections.abc import Sequence

from tinct.errors import OptionError
from tinct.streams import marked_encoding


def listed_names(content: bytes) -> list[str]:
    """File names of a list: one a line, or ended by zero bytes as `find -print0` gives them.

    A byte order mark says in which Unicode encoding the list is: PowerShell writes UTF-16. Without one, names are the
    bytes of the list.

    Raises:
        OptionError: if the list is damaged, or looks like UTF-16 without a byte order mark.
    """
    content = _without_mark(content)
    parts = content.split(b"\0") if b"\0" in content else content.splitlines()
    named = [part for part in parts if part.strip()]
    if b"\0" in content:
        _check_ended_by_zeros([part for part in parts if part])
    return [os.fsdecode(part) for part in named]


def _without_mark(content: bytes) -> bytes:
    """A list's bytes as file names have them, without a byte order mark."""
    encoding = marked_encoding(content)
    if encoding is None:
        return content
    try:
        return os.fsencode(content.decode(encoding))
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        raise OptionError(
            f"the list of photographs is no {encoding} ({error.reason}); save it as UTF-8."
        ) from None


def _check_ended_by_zeros(parts: Sequence[bytes]) -> None:
    """Refuse a list in which zero bytes end single bytes, as those of UTF-16 do."""
    if len(parts) > 1 and 2 * sum(len(part) == 1 for part in parts) > len(parts):
        raise OptionError(
            "the list of photographs has zero bytes after single letters, like UTF-16 without a byte order mark; "
            "save it as UTF-8."
        )
