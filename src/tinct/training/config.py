"""Training configs: TOML files whose tables become dataclasses (`tinct.tables`)."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from tinct import networks
from tinct.errors import OptionError

NETWORKS = Path(networks.__file__).parent
"""The folder of the networks; each network's folder holds its configs."""


def shipped_configs() -> dict[str, Path]:
    """The configs that ship with tinct, by their names."""
    return {path.stem: path for path in NETWORKS.glob("*/*.toml")}


TABLES = ("loop", "recipe", "network")
"""The tables of a config."""


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
    if unknown := [name for name in tables if name not in TABLES]:
        raise OptionError(
            f"{file} has a table [{unknown[0]}]; a config has {', '.join(f'[{t}]' for t in TABLES)}."
        )
    return tables
