"""Dataclasses from tables of TOML or JSON: from a config, or from a manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from tinct.errors import OptionError

T = TypeVar("T")


def dataclass_from(cls: type[T], table: Mapping[str, Any], name: str) -> T:
    """A dataclass from a table; lists become tuples.

    Args:
        cls: the dataclass; its defaults say the types of its fields.
        table: values by name.
        name: of the table, for the error.
    Raises:
        OptionError: if the table has a key that the dataclass has not, or a value of another type.
    """
    known = {field.name: field.default for field in fields(cls)}  # type: ignore[arg-type]
    if unknown := sorted(set(table) - set(known)):
        raise OptionError(f"[{name}] has {unknown[0]!r}, which is not known; it takes {', '.join(known)}.")
    values = {key: _tuple(value) for key, value in table.items()}
    for key, value in values.items():
        if not _is_like(value, known[key]):
            raise OptionError(f"[{name}] has {key} = {value!r}; something like {known[key]!r} is wanted.")
    return cls(**values)


def _is_like(value: Any, default: Any) -> bool:
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    return isinstance(value, (int, float) if isinstance(default, float) else type(default))


def _tuple(value: Any) -> Any:
    return tuple(_tuple(item) for item in value) if isinstance(value, list) else value
