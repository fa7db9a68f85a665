"""Laws of hints' shapes: any kind of number and list is taken, a shape can be hashed, what is no hint is refused."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import tinct
from tinct.errors import HintError

GRAY = np.tile(np.linspace(40, 200, 64).astype(np.uint8), (48, 1))


@pytest.mark.parametrize(
    "hint",
    [
        tinct.Stroke([(1, 1), (9, 9)], "#f00"),
        tinct.Stroke(np.array([[1, 1], [9, 9.5]]), "#f00"),
        tinct.Rectangle([0, 0, 9, 9], "#00f"),
        tinct.Rectangle(np.array([0, 0, 9, 9]), "#00f"),
        tinct.Hint(Fraction(5, 2), Decimal(5), "#f00", np.float32(2)),
    ],
)
def test_any_list_and_number_is_placed_as_tuples_are(hint: Any) -> None:
    assert hash(hint) is not None
    colorizer = tinct.Colorizer(GRAY, method="levin")
    colorizer.add_hint(hint)
    assert np.ptp(colorizer.render().to_array().astype(int), axis=-1).max() > 20


def test_swatches_boxes_may_be_lists() -> None:
    swatch = tinct.Swatch([0, 0, 4, 4], np.array([1, 1, 5, 5]), np.int64(1))
    assert swatch == tinct.Swatch((0, 0, 4, 4), (1, 1, 5, 5), 1)
    assert hash(swatch) == hash(tinct.Swatch((0, 0, 4, 4), (1, 1, 5, 5), 1))


def test_whole_numbers_stay_whole() -> None:
    assert repr(tinct.Hint(5, 6.0, "#f00")) == "Hint(x=5, y=6.0, color='#f00', radius=0.0)"


@pytest.mark.parametrize(
    "make",
    [
        lambda: tinct.Hint("5", 5, "#f00"),
        lambda: tinct.Hint(None, 5, "#f00"),
        lambda: tinct.Hint(10**400, 5, "#f00"),
        lambda: tinct.Hint(1j, 5, "#f00"),
        lambda: tinct.Stroke(((1,),), "#f00"),
        lambda: tinct.Stroke(7, "#f00"),
        lambda: tinct.Stroke("ab", "#f00"),
        lambda: tinct.Rectangle((0, 0, 10), "#f00"),
        lambda: tinct.Rectangle(None, "#f00"),
        lambda: tinct.Swatch((0, 0, 4, 4), (0, 0, 4, 4), 0.5),
        lambda: tinct.Swatch((0, 0, 4, 4), (0, 0, 4, 4), "0"),
        lambda: tinct.HintImage([[1]]),
    ],
)
def test_what_is_no_hint_is_refused_in_one_line(make: Any) -> None:
    with pytest.raises(HintError) as refused:
        make()
    assert "\n" not in str(refused.value)
