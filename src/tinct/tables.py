"""Tables: dataclasses from those of TOML or JSON, of a config or a manifest, and the lines of CSV files."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields
from functools import cache
from io import StringIO
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, ClassVar, TypeVar, get_args, get_origin, get_type_hints

from tinct.errors import OptionError, TinctError, shown
from tinct.streams import text_of

T = TypeVar("T")


def read_csv(file: Path, refusal: type[TinctError]) -> tuple[list[str], list[dict[str, str]]]:
    """The names of the columns of a CSV file, and its lines by these names.

    Args:
        file: in UTF-8, or in the Unicode encoding that a byte order mark says.
        refusal: the kind of error that is raised where the file is no such file.
    Raises:
        OSError: if the file cannot be read.
    """
    try:
        lines = csv.DictReader(StringIO(text_of(file.read_bytes()), newline=""))
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
        cls: the dataclass; its annotations are the types that a table must give: bool, int, float, str, None and
            object, tuples and dicts of these and one or the other of them; all numbers are finite.
        table: values by name.
        name: of the table, for the error.
    Raises:
        OptionError: if the table is none, lacks a key or has one that the dataclass has not, a value of another type,
            or one that the dataclass refuses.
    """
    known, needed = _fields(cls)  # type: ignore[arg-type]
    if not isinstance(table, Mapping):
        raise OptionError(f"[{name}] is {shown(table)}; a table is wanted.")
    if lacking := [key for key in needed if key not in table]:
        raise OptionError(f"[{name}] lacks {lacking[0]!r}; it takes {', '.join(known)}.")
    if unknown := sorted(set(table) - set(known)):
        raise OptionError(f"[{name}] has {unknown[0]!r}, which is not known; it takes {', '.join(known)}.")
    values = {key: _value(value, known[key], name, key) for key, value in table.items()}
    try:
        return cls(**values)
    except OptionError as error:
        raise OptionError(f"[{name}] is refused: {error}") from None


@cache
def _fields(cls: type[Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The types of a dataclass's fields by their names, and the names of those without a default."""
    hints = get_type_hints(cls)
    every = fields(cls)
    needed = [each for each in every if each.default is MISSING and each.default_factory is MISSING]
    return {each.name: hints[each.name] for each in every}, tuple(each.name for each in needed)


def check_above_zero(numbers: object, *names: str) -> None:
    """Refuse a dataclass of which a number, or one of several, is 0 or less.

    Args:
        numbers: the dataclass.
        names: of its attributes, numbers and tuples of numbers.
    Raises:
        OptionError: if a number is 0, negative, or no number.
    """
    _check(numbers, names, lambda number: number > 0, "must be above 0")


def check_from_zero(numbers: object, *names: str) -> None:
    """Refuse a dataclass of which a number, or one of several, is negative; see `check_above_zero`."""
    _check(numbers, names, lambda number: number >= 0, "must be 0 or more")


def check_range(numbers: object, least: float, most: float, *names: str) -> None:
    """Refuse a dataclass of which a number, or one of several, is not in least..most; see `check_above_zero`."""
    _check(numbers, names, lambda number: least <= number <= most, f"must be {least} to {most}")


def check_choice(name: str, value: str, known: Iterable[str]) -> None:
    """Refuse a value that is none of those known.

    Args:
        name: of what has the value, for the error.
        value: the one that was given.
        known: all that there are.
    Raises:
        OptionError: if the value is another one.
    """
    if value not in (names := list(known)):
        raise OptionError(f"{name} is {value!r}; choose one of {', '.join(names)}.")


def _check(numbers: object, names: Sequence[str], fits: Callable[[float], bool], wanted: str) -> None:
    for name in names:
        value = getattr(numbers, name)
        if not all(fits(number) for number in _flat(value)):
            raise OptionError(f"{name} is {value}; it {wanted}.")


def _value(given: Any, hint: Any, name: str, key: str) -> Any:
    """A field's value from a table's.

    Raises:
        OptionError: if the value is of another type than the field.
    """
    if isinstance(hint, type) and issubclass(hint, OneOf):
        return _one_of(hint.kinds, given, f"{name}.{key}")
    value = _tuple(given)
    if not _fits(value, hint):
        raise OptionError(f"[{name}] has {key} = {shown(given)}; {key} = {_form(hint)} is wanted.")
    return value


def _one_of(kinds: Mapping[str, type[Any]], given: Any, name: str) -> Any:
    keys = dict(given) if isinstance(given, Mapping) else {}
    kind = str(keys.pop("kind", given))
    if kind not in kinds or not isinstance(given, Mapping):
        raise OptionError(
            f"[{name}] is {shown(given)}; a table with kind = one of {', '.join(kinds)} is wanted."
        )
    return dataclass_from(kinds[kind], keys, name)


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is of an annotation's type; whole numbers are of 64 bits, as TOML has them."""
    if get_origin(hint) is tuple:
        inner = get_args(hint)
        if not isinstance(value, tuple):
            return False
        if inner[-1] is Ellipsis:
            return all(_fits(each, inner[0]) for each in value)
        return len(value) == len(inner) and all(map(_fits, value, inner))
    if get_origin(hint) is dict:
        key, inner = get_args(hint)
        return isinstance(value, dict) and all(
            _fits(name, key) and _fits(each, inner) for name, each in value.items()
        )
    if isinstance(hint, UnionType):
        return any(_fits(value, each) for each in get_args(hint))
    if hint is object:
        return True
    if type(value) is int and hint in (int, float):
        return -(2**63) <= value < 2**63
    return type(value) is hint and (hint is not float or math.isfinite(value))


_FORMS: dict[Any, str] = {
    bool: "true or false",
    int: "whole number",
    float: "number",
    str: '"text"',
    NoneType: "null",
    object: "value",
}
"""How a message writes what stands for a value of a type."""


def _form(hint: Any) -> str:
    """How a table writes a value of a type: [number, whole number]."""
    if get_origin(hint) is tuple:
        return f"[{', '.join('...' if each is Ellipsis else _form(each) for each in get_args(hint))}]"
    if get_origin(hint) is dict:
        return f"{{{': '.join(map(_form, get_args(hint)))}, ...}}"
    if isinstance(hint, UnionType):
        return " or ".join(map(_form, get_args(hint)))
    return _FORMS[hint]


def _flat(value: Any) -> Iterator[float]:
    for each in value if isinstance(value, tuple) else (value,):
        yield from _flat(each) if isinstance(each, tuple) else (each,)


def _tuple(value: Any) -> Any:
    return tuple(_tuple(item) for item in value) if isinstance(value, list) else value
