"""Laws of groups: alike photographs are together, blocks and splitting change nothing, strangers are alone."""

from __future__ import annotations

import numpy as np
import pytest

import tinct.retrieval.groups as groups_module
from tinct.retrieval.groups import alike_groups


def bundles(sizes: list[int], spread: float, seed: int = 0) -> tuple[np.ndarray, list[list[int]]]:
    """Unit vectors around as many centers as there are sizes, shuffled, and the groups that they form."""
    draw = np.random.default_rng(seed)
    centers = draw.normal(size=(len(sizes), 256))
    centers /= np.linalg.norm(centers, axis=1, keepdims=True)
    of = np.repeat(np.arange(len(sizes)), sizes)
    vectors = centers[of] + spread * draw.normal(size=(len(of), 256)) / 16
    order = draw.permutation(len(of))
    vectors, of = vectors[order] / np.linalg.norm(vectors[order], axis=1, keepdims=True), of[order]
    wanted = [np.flatnonzero(of == each).tolist() for each, size in enumerate(sizes) if size > 1]
    return vectors.astype(np.float16), sorted(wanted)


def test_bundles_are_groups_and_single_ones_are_in_none():
    vectors, wanted = bundles([5, 1, 2, 1, 9, 30], 0.3)
    assert alike_groups(vectors, 0.8) == wanted


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch, block: int):
    vectors, wanted = bundles([4, 6, 3, 1], 0.3, 1)
    monkeypatch.setattr(groups_module, "_BLOCK", block)
    assert alike_groups(vectors, 0.8) == wanted


def test_what_a_chain_joins_is_cut_where_the_mean_is_low():
    angles = np.linspace(0, np.pi / 2, 10)  # neighbors have a cosine of .985, the ends one of 0
    chain = np.stack([np.cos(angles), np.sin(angles)], 1)
    groups = alike_groups(chain, 0.9)
    assert len(groups) > 1
    for group in groups:
        assert (chain[group] @ chain[group].T).mean() > 0.9


def test_what_is_too_many_to_cluster_is_split(monkeypatch: pytest.MonkeyPatch):
    vectors, wanted = bundles([12, 12], 0.2, 2)
    monkeypatch.setattr(groups_module, "_MOST_CLUSTERED", 12)
    assert alike_groups(vectors, 0.0) == wanted  # all in one part at 0, two of them at a higher likeness


def test_zeros_and_nothing_are_in_no_group():
    assert alike_groups(np.zeros((3, 256), np.float16)) == []
    assert alike_groups(np.zeros((0, 256), np.float16)) == []
