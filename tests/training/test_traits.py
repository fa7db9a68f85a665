"""Laws of what makes a network what its name says: no config takes it away, and none gives it to another name."""

from __future__ import annotations

from dataclasses import asdict
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="training needs torch: pip install 'tinct[train]'")

from tinct.errors import OptionError
from tinct.networks.card import named
from tinct.tables import dataclass_from
from tinct.training.config import read_config, shipped_configs
from tinct.training.run import TRAININGS, check_tables, keep_config, open_training
from tinct.training.traits import check_traits, with_traits
from training_photographs import photographs

SIZES = ("width", "transfer", "colorization")
"""Keys of [network] that change how large a network is, and not which."""

FREE = {"tinct": ("backbone",)}
"""Keys of shipped configs that are no traits: `tinct` runs with an encoder of its own and with a shared one."""

FAMILIES = [
    (name, other)
    for name, other in permutations(TRAININGS, 2)
    if TRAININGS[name].training == TRAININGS[other].training
]
"""Pairs of names of one training."""


def numbers(name: str, tables: dict[str, Any], table: str = "network") -> dict[str, Any]:
    """The numbers of a network, or of its recipe, that a config gives or leaves as they are."""
    _, network, recipe = named(TRAININGS[name].training).kinds
    kind = network if table == "network" else recipe
    return asdict(dataclass_from(kind, tables.get(table, {}), table))


def shipped(name: str) -> dict[str, Any]:
    return read_config(shipped_configs()[name])


@pytest.mark.parametrize("name", TRAININGS)
def test_a_config_with_a_loop_alone_trains_the_network_that_the_shipped_one_trains(name: str) -> None:
    tables = with_traits(name, {"loop": {"batch": 2}})
    check_tables(name, tables, Path("loop.toml"))
    found, wanted = numbers(name, tables), numbers(name, shipped(name))
    other = {key for key in wanted if found[key] != wanted[key]}
    assert other <= {*SIZES, *FREE.get(name, ())}
    assert tables["loop"] == {"batch": 2}


@pytest.mark.parametrize(("name", "other"), FAMILIES)
def test_names_of_one_training_are_told_apart_by_their_traits_and_no_config_exchanges_them(
    name: str, other: str
) -> None:
    assert TRAININGS[name].traits or TRAININGS[other].traits
    tables = with_traits(name, {})
    assert any(
        numbers(name, tables, table) != numbers(other, with_traits(other, {}), table)
        for table in ("network", "recipe")
    )
    with pytest.raises(OptionError, match=r"^given\.toml: \[\w+\] has .*(leave that out)") as error:
        check_tables(name, _traits_alone(other), Path("given.toml"))
    assert "\n" not in str(error.value)


def _traits_alone(name: str) -> dict[str, dict[str, Any]]:
    """A config of a name's traits; of a name without, the defaults of what tells the others from it."""
    family = [name, *(other for own, other in FAMILIES if own == name)]
    keys = TRAININGS[name].traits or {key for each in family for key in TRAININGS[each].traits}
    tables: dict[str, dict[str, Any]] = {}
    for table, key in (key.split(".") for key in keys):
        tables.setdefault(table, {})[key] = numbers(name, shipped(name), table)[key]
    return tables


@pytest.mark.parametrize("name", [name for name, card in TRAININGS.items() if card.traits])
def test_what_a_name_says_may_be_said_again(name: str) -> None:
    tables = _traits_alone(name)
    check_traits(name, tables)
    assert with_traits(name, tables) == tables


def test_a_run_of_a_variant_is_gone_on_with_whether_its_trait_is_said_or_not(tmp_path: Path) -> None:
    """The config that is kept is the user's, and means the same with the trait as without."""
    out, config = tmp_path / "run", tmp_path / "own.toml"
    config.write_text("[network]\nwidth = 0.125\n")
    keep_config("zhang2016-l2", out, config)
    (out / "checkpoint.pt").touch()
    config.write_text("[network]\nwidth = 0.125\nregression = true\n")
    keep_config("zhang2016-l2", out, config)
    config.write_text("[network]\nwidth = 0.25\n")
    with pytest.raises(OptionError, match="other numbers"):
        keep_config("zhang2016-l2", out, config)


def test_a_training_opened_by_a_variants_name_is_the_variants() -> None:
    from tinct.training.pool import Pool

    pool = Pool.open(photographs(2), None, torch.device("cpu"))
    tables = {"network": {"width": 0.0625}}
    assert open_training("pix2pix-l1", tables, pool).build().discriminator is None
    assert open_training("zhang2017-global", tables, pool).network.global_hints
    with pytest.raises(OptionError, match="makes it zhang2017-global"):
        open_training("zhang2017", {"network": {"global_hints": True}}, pool)


def test_a_number_that_is_no_trait_is_the_users_own(tmp_path: Path) -> None:
    check_tables("pix2pix", {"recipe": {"adversarial": 0.5}}, tmp_path)
    check_tables("zhang2016", {"network": {"blocks": [[8, 1, 2, 1]]}}, tmp_path)
