"""Laws of Ironi 2005: the learned space, the votes, the transfer, and textures that a histogram cannot tell apart."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.fft import dctn

from textured_scene import as_reference, astronaut, error, noise, scene
from tinct.errors import MethodError, ShapeError
from tinct.hints import HintField
from tinct.methods import Reference, get_method
from tinct.methods.classical.ironi import VOTING, Matched, Samples, _sampled, classify, transfer, vote
from tinct.methods.classical.texture_space import coefficients, learned_projection, project, segments

RED, BLUE = np.float32([35, 20]), np.float32([-20, -30])


def stripes(upright: np.ndarray, seed: int, phase: float = 0.0) -> np.ndarray:
    """Upright stripes where told and level ones elsewhere, all of one lightness histogram."""
    y, x = np.indices(upright.shape)
    wave = np.where(upright, x, y)
    shade = 50 + 12 * np.sin(2 * np.pi * wave / 6 + phase)
    return np.float32(shade + noise(*upright.shape, seed=seed))


def colored(upright: np.ndarray) -> np.ndarray:
    return np.where(upright[..., None], RED, BLUE)


def predict(lightness: np.ndarray, *references: Reference, name: str = "ironi", seed: int = 0):
    return get_method(name).predict(lightness, HintField.empty(*lightness.shape), references, seed=seed)


@pytest.fixture(scope="module")
def example() -> tuple[Reference, np.ndarray, np.ndarray]:
    """A reference with upright stripes at the left, and a target with upright ones below a wavy border."""
    y, x = np.mgrid[:80, :110]
    left, below = x < 55, y + 6 * np.sin(x / 9) > 40
    reference = Reference(stripes(left, 0), colored(left))
    return reference, stripes(below, 1, phase=2.0), colored(below)


def test_textures_get_their_own_colors_where_a_histogram_match_cannot_tell_them(example):
    reference, target, truth = example
    found = predict(target, reference)
    assert error(found.ab, truth) < 6
    assert (np.linalg.norm(found.ab - truth, axis=-1) < 20).mean() > 0.88
    assert error(predict(target, reference, name="histogram").ab, truth) > 20


def test_a_label_map_takes_the_place_of_found_segments(example):
    reference, target, truth = example
    labels = np.where(reference.ab[..., 0] > 0, 7, 47)  # any numbers
    mapped = Reference(reference.lightness, reference.ab, labels=labels)
    assert error(predict(target, mapped).ab, truth) < 6
    samples = _sampled(target, [mapped, mapped], np.random.default_rng(0), 0)
    expected = (labels[samples.y, samples.x] == 47) + 2 * samples.reference
    np.testing.assert_array_equal(samples.label, expected)


def test_a_label_map_of_another_size_is_refused(example):
    reference, target, _ = example
    with pytest.raises(ShapeError, match="label map"):
        predict(target, Reference(reference.lightness, reference.ab, labels=np.zeros((4, 4), int)))


def test_a_photograph_colors_itself():
    lab = astronaut()
    found = predict(np.ascontiguousarray(lab[..., 0]), as_reference(lab)).ab
    assert error(found, lab[..., 1:]) < 0.6 * error(0, lab[..., 1:])


def test_segments_are_what_differs_in_color():
    lab = scene()
    found = segments(lab[..., 0], lab[..., 1:], 0)
    assert found.max() == 1
    left = lab[..., 1] > 0
    assert max((left == (found == k)).mean() for k in (0, 1)) > 0.97
    assert segments(lab[..., 0], np.zeros_like(lab[..., 1:]), 0).max() == 0


def test_coefficients_are_magnitudes_of_scipys_transform():
    lightness = np.ascontiguousarray(astronaut()[..., 0])
    y, x = np.array([8, 40, 99]), np.array([20, 8, 77])
    found = coefficients(lightness, y, x)
    for k in range(3):
        block = lightness[y[k] - 8 : y[k] + 8, x[k] - 8 : x[k] + 8].astype(float)
        np.testing.assert_allclose(found[k], np.abs(dctn(block, norm="ortho")).ravel(), atol=1e-2)


def test_every_pixel_is_projected_as_its_coefficients_are():
    lightness = np.ascontiguousarray(scene()[..., 0])
    projection = noise(256, 3, seed=2)
    y, x = np.array([0, 50, 95]), np.array([95, 3, 60])
    expected = coefficients(lightness, y, x) @ projection
    np.testing.assert_allclose(project(lightness, projection)[y, x], expected, rtol=1e-4, atol=1e-2)


def test_the_learned_space_ignores_what_varies_within_segments():
    random = np.random.default_rng(0)
    label = np.arange(600) % 2
    features = noise(600, 6, seed=1)
    features[:, 0] *= 100  # loud, and the same in both
    features[:, 3] += 6 * label  # quiet, and what tells them apart
    places = features @ learned_projection(features, label, random)
    apart = places[label == 1, 0].mean() - places[label == 0, 0].mean()
    assert abs(apart) > 3 * places[label == 0, 0].std()
    assert abs(np.corrcoef(places[:, 0], features[:, 0])[0, 1]) < 0.2


def test_the_nearest_samples_vote_for_the_segment():
    samples = Samples(np.zeros((4, 1), np.float32), np.array([0, 1, 1, 1]), *np.zeros((3, 4), int))
    places = np.float32([[0.0], [0.3], [0.4], [9.0]])
    found = classify(np.zeros((1, 1, 1), np.float32), samples, places)
    assert found.label[0, 0] == 1  # outvotes the one that is nearest
    assert found.sample[0, 0] == 1  # and is represented by its own nearest


def test_a_lone_pixel_is_outvoted_by_its_window():
    label = np.zeros((20, 20), int)
    label[10, 10] = 1
    voted = vote(Matched(label, label, np.ones((20, 20), np.float32)))
    assert (voted.label == 0).all()
    assert voted.share[10, 10] == pytest.approx(1 - 1 / (2 * VOTING + 1) ** 2)
    assert voted.share[0, 0] == pytest.approx(1)


def test_neighbors_propose_what_lies_as_it_lies_to_them():
    color = np.random.default_rng(3).uniform(-50, 50, (30, 40, 2)).astype(np.float32)
    reference = Reference(np.zeros((30, 40), np.float32), color)
    y, x = (axis.ravel() for axis in np.indices((30, 40)))
    samples = Samples(np.zeros((1200, 1), np.float32), np.zeros(1200, int), np.zeros(1200, int), y, x)
    own = np.arange(1200).reshape(30, 40)  # each pixel is matched with its own place
    matched = Matched(np.zeros((30, 40), int), own, np.ones((30, 40), np.float32))
    np.testing.assert_allclose(transfer(matched, matched.label, [reference], samples), color, atol=1e-4)


def test_two_references_are_learned_together(example):
    reference, target, truth = example
    halves = [
        Reference(reference.lightness[:, part], np.ascontiguousarray(reference.ab[:, part]))
        for part in (np.s_[:50], np.s_[60:])
    ]
    assert error(predict(target, *halves).ab, truth) < 10


def test_without_a_reference_it_says_so():
    with pytest.raises(MethodError, match="reference"):
        predict(np.zeros((8, 8), np.float32))
