"""Laws of tables: a value that a dataclass does not take is refused by the name of its table and key."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tinct.errors import OptionError
from tinct.tables import check_above_zero, check_from_zero, check_range, dataclass_from


@dataclass(frozen=True)
class Numbers:
    rate: float = 0.1
    steps: int = 5
    name: str = ""
    sizes: tuple[tuple[float, int], ...] = ()
    betas: tuple[float, float] = (0.9, 0.99)

    def __post_init__(self) -> None:
        check_above_zero(self, "steps", "sizes")
        check_from_zero(self, "rate")
        check_range(self, 0, 1, "betas")


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("rate", "high", "rate = number"),
        ("rate", float("nan"), "rate = number"),
        ("rate", float("inf"), "rate = number"),
        ("rate", [0.1], "rate = number"),
        ("steps", 1.0, "steps = whole number"),
        ("steps", True, "steps = whole number"),
        ("steps", 10**30, "steps = whole number"),
        ("name", ["a"], 'name = "text"'),
        ("name", {"kind": "a"}, 'name = "text"'),
        ("sizes", ["a", "b"], "sizes = [[number, whole number], ...]"),
        ("sizes", [[0.5, 64.5]], "sizes = [[number, whole number], ...]"),
        ("sizes", [[0.5]], "sizes = [[number, whole number], ...]"),
        ("sizes", [0.5, 64], "sizes = [[number, whole number], ...]"),
        ("sizes", "[]", "sizes = [[number, whole number], ...]"),
        ("betas", [0.9], "betas = [number, number]"),
        ("betas", [0.9, float("nan")], "betas = [number, number]"),
    ],
)
def test_a_value_of_another_type_is_refused_and_its_form_said(key: str, value: object, wanted: str) -> None:
    with pytest.raises(OptionError) as error:
        dataclass_from(Numbers, {key: value}, "loop")
    assert str(error.value).startswith(f"[loop] has {key} = ")
    assert f"{wanted} is wanted" in str(error.value)


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("steps", 0, "above 0"),
        ("rate", -0.1, "0 or more"),
        ("betas", [0.9, 1.5], "0 to 1"),
        ("sizes", [[0.5, 64], [1.0, -64]], "above 0"),
    ],
)
def test_a_number_out_of_its_range_is_refused_with_its_table(key: str, value: object, wanted: str) -> None:
    with pytest.raises(OptionError, match=rf"^\[loop\] .*\b{key} is .*{wanted}"):
        dataclass_from(Numbers, {key: value}, "loop")


def test_whole_numbers_are_numbers_and_lists_may_be_empty() -> None:
    table = {"rate": 1, "sizes": [[1, 32]], "betas": [0, 1]}
    assert dataclass_from(Numbers, table, "loop") == Numbers(1, sizes=((1, 32),), betas=(0, 1))
    assert dataclass_from(Numbers, {"sizes": []}, "loop") == Numbers()
