"""Averages over places: the same whatever lies beside what in memory."""

from __future__ import annotations

import numpy as np
import pytest

from tinct.methods.turned_hues import Hues
from tinct.networks.tinct.memory import ReferenceFeatures, block_means
from tinct.networks.tinct.ports import KEY_STRIDE

NO_HUES = Hues(np.zeros(24), 0)


@pytest.mark.parametrize("channels", [1, 2, 4, 5, 64])
@pytest.mark.parametrize("side", [1, 2, 4])
def test_means_over_blocks_are_numpy_s_in_any_order_of_memory(channels: int, side: int) -> None:
    image = np.random.default_rng(0).normal(size=(8, 12, channels)).astype(np.float32)
    expected = image.reshape(8 // side, side, 12 // side, side, channels).mean((1, 3))
    planes = np.ascontiguousarray(image.transpose(2, 0, 1)).transpose(1, 2, 0)
    for given in (image, planes, image.copy("F")):
        np.testing.assert_allclose(block_means(given, side), expected, atol=1e-6)


@pytest.mark.parametrize("grid", [(4, 6), (5, 6), (4, 7), (5, 7)])
def test_fours_are_means_of_what_is_there(grid: tuple[int, int]) -> None:
    generator, (height, width) = np.random.default_rng(1), grid
    keys = generator.normal(size=(height, width, 8)).astype(np.float32)
    ab = generator.normal(size=(height * KEY_STRIDE, width * KEY_STRIDE, 2)).astype(np.float32)
    places = generator.normal(size=(height, width, 3)).astype(np.float32)
    found = ReferenceFeatures(keys, ab, np.zeros(4, np.float32), places, NO_HUES).fours
    assert found.described is not None
    columns, rows = (width + 1) // 2, (height + 1) // 2
    assert len(found.keys) == rows * columns
    fine_ab = ab.reshape(height, KEY_STRIDE, width, KEY_STRIDE, 2).mean((1, 3))
    for row in range(rows):
        for column in range(columns):
            part = np.s_[2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
            at = row * columns + column
            np.testing.assert_allclose(found.ab[at], fine_ab[part].mean((0, 1)), atol=1e-5)
            np.testing.assert_allclose(found.described[at], places[part].mean((0, 1)), atol=1e-5)
