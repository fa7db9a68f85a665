"""Laws of the order of memory: the values stay, whatever the order was."""

from __future__ import annotations

import numpy as np
import pytest

from tinct.inference import contiguous


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize(
    "shape", [(1, 5, 7, 3), (5, 7, 3), (2, 5, 7, 3), (1, 1, 1, 1), (1, 0, 7, 3), (4, 3), (6,)]
)
def test_values_stay_in_any_order_of_axes(shape: tuple[int, ...], dtype: str) -> None:
    lying = np.random.default_rng(0).random(shape).astype(dtype)
    orders = [tuple(range(len(shape)))]
    if len(shape) >= 3:
        before = tuple(range(len(shape) - 3))
        orders += [
            (*before, *(len(before) + axis for axis in last)) for last in ((2, 0, 1), (1, 2, 0), (2, 1, 0))
        ]
    for order in orders:
        view = lying.transpose(order)
        for wanted in (None, np.float32):
            found = contiguous(view, wanted)
            assert found.flags.c_contiguous
            assert found.dtype == (wanted or dtype)
            assert found.shape == view.shape
            np.testing.assert_array_equal(found, view.astype(found.dtype))


def test_an_array_that_lies_right_is_not_copied() -> None:
    array = np.zeros((1, 4, 5, 6), np.float32)
    assert contiguous(array) is array
