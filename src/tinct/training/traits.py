"""What makes a network what its name says: keys that a config of one's own gets, and may not give otherwise."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from tinct.errors import OptionError, shortened
from tinct.networks import CARDS
from tinct.networks.card import Card, named
from tinct.tables import dataclass_from
from tinct.training.config import read_config, shipped_configs

Tables = Mapping[str, Mapping[str, Any]]


def with_traits(network: str, tables: Tables) -> dict[str, dict[str, Any]]:
    """The tables of a config, with the traits of a network where they leave these out.

    Args:
        network: a name of a card with a training.
        tables: of a config, as they were given.
    """
    whole = {name: dict(table) for name, table in tables.items()}
    if traits := CARDS[network].traits:
        shipped = _shipped(network)
        for table, name in (key.split(".") for key in traits):
            if name in shipped[table]:  # else its default is the trait
                whole.setdefault(table, {}).setdefault(name, shipped[table][name])
    return whole


def check_traits(network: str, tables: Tables) -> None:
    """Refuse a config that makes another network of this one than its name says.

    Args:
        network: a name of a card with a training.
        tables: of a config, with its traits.
    Raises:
        OptionError: if it has the traits of another name of the same training, or not all of this one's; or if a table
            has an unknown key, or a value of another type or out of its range.
    """
    card = CARDS[network]
    for other in CARDS.values():
        if other.training == card.training and other != card and (traits := _traits(other)):
            found = _values(card, tables, traits)
            if found == traits != _values(card, _shipped(network), traits):
                raise OptionError(
                    f"{_said(found)}, which makes it {other.name}; train {other.name}, or leave that out."
                )
    traits = _traits(card)
    found = _values(card, tables, traits)
    for key, value in traits.items():
        if found[key] != value:
            raise OptionError(f"{_said({key: found[key]})}; {network} has {_form(value)}: leave that out.")


def _traits(card: Card) -> dict[str, Any]:
    """The values of a card's traits, by key: those of the config that ships by its name."""
    return _values(card, _shipped(card.name), card.traits) if card.traits else {}


def _shipped(network: str) -> Tables:
    return read_config(shipped_configs()[network])


def _values(card: Card, tables: Tables, keys: Iterable[str]) -> dict[str, Any]:
    """What a config gives to keys, or leaves as the default."""
    _, numbers, recipe = named(card.training).kinds
    kinds = {"recipe": recipe, "network": numbers}
    whole = {name: dataclass_from(kind, tables.get(name, {}), name) for name, kind in kinds.items()}
    return {key: getattr(whole[key.split(".")[0]], key.split(".")[1]) for key in keys}


def _said(values: Mapping[str, Any]) -> str:
    """Keys with their values, as an error says them: [network] has regression = true."""
    parts = ((*key.split("."), _form(value)) for key, value in values.items())
    return " and ".join(f"[{table}] has {name} = {value}" for table, name, value in parts)


def _form(value: Any) -> str:
    """A value as a config writes it, shortened."""
    return shortened(json.dumps(value), 60)
