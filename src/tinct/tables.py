"""Tables: dataclasses from those of TOML or JSON, of a config or a manifest, and the lines of CSV files."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from tinct.errors import OptionError, TinctError

T = TypeVar("T")


def read_csv(file: Path, refusal: type[TinctError]) -> tuple[list[str], list[dict[str, str]]]:
    """The names of the columns of a CSV file, and its lines by these names.

    Args:
        file: in UTF-8, with or without a byte order mark.
        refusal: the kind of error that is raised where the file is no such file.
    Raises:
        OSError: if the file cannot be read.
    """
    try:
        with file.open(newline="", encoding="utf-8-sig") as stream:
            lines = csv.DictReader(stream)
            return list(lines.fieldnames or []), list(lines)
    except (UnicodeError, csv.Error) as error:
        raise refusal(f"{file} is no CSV in UTF-8 ({error}); save it so.") from None


class OneOf:
    """A base of dataclasses of which a table names one by its key `kind`; the other keys are that dataclass's own.

    Attributes:
        kinds: the dataclasses by their names in a table.
    """

    kinds: ClassVar[Mapping[str, type[Any]]]


def dataclass_from(cls: type[T], table: Mapping[str, Any], name: str) -> T:
    """A dataclass from a table; lists become tuples, the table of a field that is `OneOf` becomes one of its kinds.

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
    return cls(**{key: _value(value, known[key], name, key) for key, value in table.items()})


def _value(given: Any, default: Any, name: str, key: str) -> Any:
    """A field's value from a table's.

    Raises:
        OptionError: if the value is of another type than the default.
    """
    if isinstance(default, OneOf):
        return _one_of(default.kinds, given, f"{name}.{key}")
    value = _tuple(given)
    if not _is_like(value, default):
        raise OptionError(f"[{name}] has {key} = {value!r}; something like {default!r} is wanted.")
    return value


def _one_of(kinds: Mapping[str, type[Any]], given: Any, name: str) -> Any:
    keys = dict(given) if isinstance(given, Mapping) else {}
    kind = str(keys.pop("kind", given))
    if kind not in kinds or not isinstance(given, Mapping):
        raise OptionError(f"[{name}] is {given!r}; a table with kind = one of {', '.join(kinds)} is wanted.")
    return dataclass_from(kinds[kind], keys, name)


def _is_like(value: Any, default: Any) -> bool:
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    return isinstance(value, (int, float) if isinstance(default, float) else type(default))


def _tuple(value: Any) -> Any:
    return tuple(_tuple(item) for item in value) if isinstance(value, list) else value
