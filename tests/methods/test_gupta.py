"""Laws of Gupta 2012: superpixels, the cascade, the vote, and what comes of them."""

from __future__ import annotations

import numpy as np
import pytest

from textured_scene import as_reference, astronaut, error, noise, scene
from tinct.errors import MethodError
from tinct.hints import HintField
from tinct.methods import Reference, get_method
from tinct.methods.classical.gupta import CASCADE, describe, match, vote
from tinct.methods.classical.texture import (
    gabor_energy,
    local_statistics,
    mean_square_distance,
    square_distances,
)


def predict(lab: np.ndarray, *references: Reference, seed: int = 0):
    lightness = np.ascontiguousarray(lab[..., 0])
    return get_method("gupta").predict(lightness, HintField.empty(*lightness.shape), references, seed=seed)


def test_every_pixel_is_of_a_superpixel_and_every_center_of_its_own():
    superpixels = describe(scene()[..., 0])
    assert np.array_equal(np.unique(superpixels.labels), np.arange(len(superpixels.centers)))
    assert np.array_equal(
        superpixels.labels.ravel()[superpixels.centers], np.arange(len(superpixels.centers))
    )


def test_features_are_the_means_over_their_superpixel():
    lightness = np.ascontiguousarray(astronaut()[..., 0])
    superpixels = describe(lightness)
    planes = {"intensity": lightness, "deviation": local_statistics(lightness, 5)[1]}
    planes["gabor"] = next(iter(gabor_energy(lightness)))
    for name, plane in planes.items():
        for k in (0, 17, len(superpixels.centers) - 1):
            expected = plane[superpixels.labels == k].mean(dtype=np.float64)
            assert superpixels.features[name][k, 0] == pytest.approx(expected, rel=1e-4, abs=1e-4)


def test_neighbors_mean_is_over_the_superpixels_that_touch():
    lightness = np.ascontiguousarray(scene(40)[..., 0])
    superpixels = describe(lightness)
    labels, own = superpixels.labels, superpixels.features["intensity"][:, 0]
    k = int(labels[20, 20])
    inside = labels == k
    grown = np.zeros_like(inside)
    grown[1:] |= inside[:-1]
    grown[:-1] |= inside[1:]
    grown[:, 1:] |= inside[:, :-1]
    grown[:, :-1] |= inside[:, 1:]
    touching = set(labels[grown & ~inside].tolist())
    expected = np.mean([own[j] for j in touching])
    assert superpixels.features["intensity"][k, 1] == pytest.approx(expected, rel=1e-5)


def test_features_are_172_numbers_as_in_the_paper():
    assert sum(values.shape[1] for values in describe(scene()[..., 0]).features.values()) == 172


def test_superpixels_of_a_reference_keep_to_its_edges_of_color():
    lab = scene()
    lab[..., 0] = 50
    labels = describe(lab[..., 0], lab[..., 1:]).labels
    count = np.bincount(labels.ravel())
    left = np.bincount(labels.ravel(), lab[..., 1].ravel() > 0) / count
    mixed = count[(left > 0.05) & (left < 0.95)].sum() / labels.size
    assert mixed < 0.05


def test_distances_equal_brute_force():
    a, b = 50 + noise(9, 4), 50 + noise(7, 4, seed=1)
    brute = np.square(a[:, None] - b[None]).sum(axis=2)
    np.testing.assert_allclose(square_distances(a, b), brute, atol=1e-4)
    assert mean_square_distance(a, b, 0.0) == pytest.approx(brute.mean(), rel=1e-4)


def test_superpixels_match_themselves_at_no_cost():
    superpixels = describe(astronaut()[..., 0])
    chosen, cost = match(superpixels, superpixels)
    assert np.array_equal(chosen, np.arange(len(chosen)))
    assert cost.max() < 1e-3


def test_cascade_equals_its_definition():
    """Each feature keeps the nearer half of what is left; the cheapest of the last is taken."""
    target, reference = describe(scene(40)[..., 0]), describe(astronaut(8)[..., 0])
    chosen, cost = match(target, reference)
    for k in range(0, len(chosen), 7):
        left, total = np.arange(len(reference.centers)), np.zeros(len(reference.centers))
        for name, weight, floor in CASCADE:
            one, all_ = target.features[name].astype(np.float64), reference.features[name].astype(np.float64)
            pairs = np.square(one[:, None] - all_[None]).sum(axis=2)
            distance = pairs[k] / max(pairs.mean(), floor**2)
            total += weight * distance
            left = left[np.argsort(distance[left])[: int(np.ceil(len(left) / 2))]]
        assert total[left].min() == pytest.approx(cost[k], rel=1e-2)
        assert total[chosen[k]] == pytest.approx(cost[k], rel=1e-2)


def test_vote_corrects_a_lone_wrong_color_and_leaves_the_rest():
    superpixels = describe(np.full((64, 64), 50, np.float32))
    ab = np.full((len(superpixels.centers), 2), 20, np.float32)
    ab[11] = (-40, 30)
    corrected, support = vote(superpixels, ab, np.ones(len(ab), np.float32), 0)
    np.testing.assert_allclose(corrected, 20, atol=1e-4)
    assert support[11] < support.max() / 2 + 1e-6


def test_vote_listens_to_the_more_certain():
    superpixels = describe(np.full((64, 64), 50, np.float32))
    ab = np.full((len(superpixels.centers), 2), -30, np.float32)
    weight = np.full(len(ab), 0.01, np.float32)
    ab[::3], weight[::3] = 30, 1.0
    corrected, _ = vote(superpixels, ab, weight, 0)
    assert (corrected[:, 0] > 0).mean() > 0.9


def test_constant_reference_color_gives_constant_chroma():
    reference = scene()
    reference[..., 1:] = (12, -30)
    ab = predict(scene(seed=1), as_reference(reference)).ab
    np.testing.assert_allclose(ab, (12, -30) * np.ones((96, 96, 2)), atol=0.02)


def test_textures_take_their_own_colors():
    target = scene(seed=1)
    ab = predict(target, as_reference(scene(seed=2)[:, ::-1])).ab
    right = np.linalg.norm(ab - target[..., 1:], axis=-1) < 15
    assert right.mean() > 0.85


def test_a_photograph_recovers_most_of_its_own_chroma():
    lab = astronaut()
    assert error(predict(lab, as_reference(lab)).ab, lab[..., 1:]) < 0.4 * error(0, lab[..., 1:])


def test_chroma_stays_within_the_reference_s():
    reference = astronaut(8)
    ab = predict(scene(), as_reference(reference)).ab
    low, high = reference[..., 1:].min(axis=(0, 1)), reference[..., 1:].max(axis=(0, 1))
    assert (ab >= np.minimum(low, 0) - 0.01).all()
    assert (ab <= np.maximum(high, 0) + 0.01).all()


def test_a_reference_of_no_weight_changes_nothing():
    target, good = scene(48, seed=1), scene(48, seed=2)
    alone = predict(target, as_reference(good))
    beside = predict(target, as_reference(good), as_reference(astronaut(8), weight=0.0))
    np.testing.assert_array_equal(alone.ab, beside.ab)


def test_the_heavier_of_two_equal_references_gives_its_colors():
    target, one, other = scene(48), scene(48), scene(48)
    other[..., 1:] = (0, 60)
    ab = predict(target, as_reference(one, 0.1), as_reference(other, 1.0)).ab
    assert np.linalg.norm(ab - (0, 60), axis=-1).mean() < 10


def test_each_half_finds_the_reference_that_knows_it():
    target = scene(seed=1)
    halves = scene(seed=2)
    ab = predict(target, as_reference(halves[:, :36]), as_reference(halves[:, 60:])).ab
    assert (np.linalg.norm(ab - target[..., 1:], axis=-1) < 15).mean() > 0.85


def test_confidence_is_higher_for_the_photograph_itself_than_for_another():
    lab = astronaut()
    itself = predict(lab, as_reference(lab)).confidence
    another = predict(lab, as_reference(scene(128))).confidence
    assert 0 <= another.min() <= itself.max() <= 1
    assert another.mean() < 0.8 * itself.mean()


def test_same_seed_gives_the_same_bytes():
    lab, reference = scene(48), as_reference(astronaut(8))
    first, second = (predict(lab, reference, seed=7) for _ in range(2))
    assert first.ab.tobytes() == second.ab.tobytes()
    assert first.confidence.tobytes() == second.confidence.tobytes()


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (2, 3), (5, 90)])
def test_any_shape_gets_finite_chroma(shape: tuple[int, int]):
    lightness = np.clip(50 + 20 * noise(*shape), 0, 100)
    for light in (lightness, np.zeros(shape, np.float32)):
        lab = np.dstack([light, np.zeros((*shape, 2), np.float32)])
        answer = predict(lab, as_reference(scene(16)), as_reference(scene(16)[:1, :1]))
        assert answer.ab.shape == (*shape, 2)
        assert answer.ab.dtype == answer.confidence.dtype == np.float32
        assert np.isfinite(answer.ab).all()


def test_without_a_reference_it_says_so():
    with pytest.raises(MethodError, match="reference"):
        predict(scene(16))
    with pytest.raises(MethodError, match="weight"):
        predict(scene(16), as_reference(scene(16), 0.0))
