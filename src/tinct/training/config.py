"""Training configs: TOML files whose tables become dataclasses."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from tinct import networks
from tinct.errors import OptionError

NETWORKS = Path(networks.__file__).parent
"""The folder of the networks; each network's folder holds its configs."""
T = TypeVar("T")


def shipped_configs() -> dict[str, Path]:
    """The configs that ship with tinct, by their names."""
    return {path.stem: path for path in NETWORKS.glob("*/*.toml")}


def read_config(file: Path) -> dict[str, dict[str, Any]]:
    """Read a TOML config.

    Raises:
        OptionError: if it is missing or not TOML, or has something beside tables.
    """
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError:
        shipped = ", ".join(sorted(shipped_configs()))
        raise OptionError(f"no config {file}; give a TOML file (shipped with tinct: {shipped}).") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OptionError(f"{file} is not TOML: {error}.") from None
    if stray := [name for name, value in tables.items() if not isinstance(value, dict)]:
        raise OptionError(f"{file} has {stray[0]!r} outside of a table; put it under [loop] or another.")
    return tables


def dataclass_from(cls: type[T], table: Mapping[str, Any], name: str) -> T:
    """A dataclass from a TOML table; lists become tuples.

    Args:
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
