"""Laws of Pierre 2015: candidates, the model and its minimization."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from textured_scene import as_reference, astronaut, error, noise, scene
from tinct.errors import MethodError, ShapeError
from tinct.hints import HintField
from tinct.methods import Reference, get_method
from tinct.methods.classical.candidates import FEATURES, find_candidates
from tinct.methods.classical.pierre import (
    GAMMA,
    LAMBDA,
    choose,
    divergence,
    gradient,
    project_to_ball,
    project_to_simplex,
    squared_distances,
)
from tinct.methods.classical.texture import fourier_rows, gabor_energy, local_statistics, sift_rows


def predict(lab: np.ndarray, *references: Reference, seed: int = 0):
    lightness = np.ascontiguousarray(lab[..., 0])
    return get_method("pierre").predict(lightness, HintField.empty(*lightness.shape), references, seed=seed)


def energy(
    lightness: np.ndarray,
    candidates: np.ndarray,
    chroma: np.ndarray,
    weights: np.ndarray,
    *,
    gamma: float,
    fidelity: float,
) -> float:
    """The value of the model that `choose` minimizes, for the same arguments."""
    edges = gamma * np.square(gradient(lightness[None].astype(np.float64))).sum(axis=(0, 1))
    variation = np.sqrt(edges + np.square(gradient(chroma.astype(np.float64))).sum(axis=(0, 1))).sum()
    return float(
        variation + fidelity / 2 * (weights * squared_distances(chroma, candidates)).sum(dtype=np.float64)
    )


def test_divergence_is_the_negative_adjoint_of_the_gradient():
    planes, field = noise(2, 7, 9).astype(np.float64), noise(2, 2, 7, 9, seed=1).astype(np.float64)
    np.testing.assert_allclose(
        (gradient(planes) * field).sum(), -(planes * divergence(field)).sum(), rtol=1e-12
    )


def test_simplex_projection_is_the_nearest_point_of_the_simplex():
    from scipy.optimize import minimize

    points = 2 * noise(5, 1, 12)
    projected = project_to_simplex(points)
    assert (projected >= 0).all()
    np.testing.assert_allclose(projected.sum(axis=0), 1, atol=1e-6)
    for point, found in zip(points[:, 0].T, projected[:, 0].T, strict=True):
        oracle = minimize(
            lambda w, p=point: np.square(w - p).sum(),
            np.full(5, 0.2),
            method="SLSQP",
            bounds=[(0, 1)] * 5,
            constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
            options={"ftol": 1e-12},
        )
        np.testing.assert_allclose(found, oracle.x, atol=1e-4)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 11])
def test_simplex_projection_lowers_the_largest_by_one_amount_for_any_count(count: int):
    points = noise(count, 4, 30)
    projected = project_to_simplex(points)
    np.testing.assert_allclose(projected.sum(axis=0), 1, atol=1e-5)
    kept = projected > 0
    lowered = np.where(kept, points - projected, np.nan)
    np.testing.assert_allclose(np.nanmax(lowered, axis=0), np.nanmin(lowered, axis=0), atol=1e-5)
    assert (np.where(kept, -np.inf, points) <= np.nanmax(lowered, axis=0) + 1e-5).all()


def test_ball_projection_leaves_what_is_inside_and_normalizes_what_is_not():
    dual = noise(3, 2, 20, 20) * 0.5
    length = np.sqrt(np.square(dual).sum(axis=(0, 1)))
    projected = dual.copy()
    project_to_ball(projected)
    np.testing.assert_allclose(projected, dual / np.maximum(length, 1), rtol=1e-5)


@pytest.mark.parametrize("gamma", [0.0, GAMMA])
def test_with_one_candidate_the_minimum_is_certified_by_its_dual(gamma: float):
    """The problem is then convex: the dual value of any field in the ball is a lower bound of the energy."""
    lightness = 50 + 10 * noise(24, 31)
    candidate = 20 * noise(1, 2, 24, 31, seed=1)
    weights = np.ones((1, 24, 31), np.float32)
    chroma, _ = choose(lightness, candidate, gamma=gamma, fidelity=0.05, iterations=1500, tolerance=0.0)
    primal = energy(lightness, candidate, chroma, weights, gamma=gamma, fidelity=0.05)

    # The optimal field is the normalized gradient, where that is not 0; u - c = div(p) / λ gives the rest.
    slopes = np.concatenate([np.sqrt(gamma) * gradient(lightness[None]), gradient(chroma)]).astype(np.float64)
    field = best_dual(slopes, lightness, candidate[0], gamma, 0.05)
    shrunk = np.square(divergence(field[1:])).sum() / (2 * 0.05)
    data = np.concatenate([np.sqrt(gamma) * gradient(lightness[None]), gradient(candidate[0])])
    bound = (field * data).sum() - shrunk
    assert bound <= primal * (1 + 1e-6)
    assert primal - bound < 2e-3 * primal


def best_dual(slopes, lightness, candidate, gamma, fidelity) -> np.ndarray:
    """Ascend the dual by projected gradient, from the field that the primal answer suggests."""
    field = slopes / np.maximum(np.sqrt(np.square(slopes).sum(axis=(0, 1))), 1e-3)
    project_to_ball(field)
    edges = np.sqrt(gamma) * gradient(lightness[None].astype(np.float64))
    for _ in range(600):
        chroma = candidate + divergence(field[1:]) / fidelity
        field[0] += fidelity / 8 * edges[0]
        field[1:] += fidelity / 8 * gradient(chroma)
        project_to_ball(field)
    return field


def test_uncoupled_minimum_agrees_with_total_variation_denoising():
    restoration = pytest.importorskip("skimage.restoration")
    candidate = np.zeros((1, 2, 32, 32), np.float32)
    candidate[0, 0, 8:24, 8:24] = 40
    candidate[0, 0] += 5 * noise(32, 32)
    chroma, _ = choose(
        np.full((32, 32), 50, np.float32), candidate, gamma=0.0, fidelity=0.1, iterations=2000, tolerance=0.0
    )
    oracle = restoration.denoise_tv_chambolle(
        candidate[0, 0].astype(np.float64), weight=1 / 0.1, eps=1e-9, max_num_iter=3000
    )
    assert np.abs(chroma[0] - oracle).mean() < 0.05
    assert not chroma[1].any()


def test_more_iterations_never_leave_a_higher_energy():
    lab = scene(48)
    lightness = np.ascontiguousarray(lab[..., 0])
    candidates = lab[..., 1:].transpose(2, 0, 1) + 15 * noise(6, 2, 48, 48)
    found = []
    for iterations in (0, 5, 20, 80, 320):
        answer = choose(lightness, candidates, iterations=iterations, tolerance=0.0)
        found.append(energy(lightness, candidates, *answer, gamma=GAMMA, fidelity=LAMBDA))
    assert all(later < earlier * (1 + 1e-4) for earlier, later in pairwise(found))
    assert found[-1] < 0.9 * found[0]


def test_coupling_keeps_an_edge_of_chroma_that_lightness_shares():
    """Weak fidelity blurs a thin bar of color away; with the bar in the lightness it costs little to keep."""
    candidate = np.zeros((1, 2, 32, 32), np.float32)
    candidate[0, 0, :, 14:17] = 30
    flat = np.full((32, 32), 50, np.float32)
    seen = flat.copy()
    seen[:, 14:17] = 70
    kept, lost = (choose(light, candidate, fidelity=0.02, iterations=800)[0] for light in (seen, flat))
    assert kept[0, :, 15].mean() > 15
    assert lost[0, :, 15].mean() < 0.7 * kept[0, :, 15].mean()


def test_weights_stay_in_the_simplex():
    _, weights = choose(50 + noise(16, 16), 20 * noise(8, 2, 16, 16, seed=1))
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(axis=0), 1, atol=1e-5)


def test_candidates_of_another_size_are_refused():
    with pytest.raises(ShapeError, match=r"candidates are .* but lightness is"):
        choose(np.zeros((4, 5), np.float32), np.zeros((3, 2, 5, 4), np.float32))


def test_fourier_magnitudes_equal_those_of_numpy():
    lightness = 50 + 10 * noise(20, 23)
    found = np.concatenate([block for _, _, block in fourier_rows(lightness, 7)])
    spectrum = np.abs(np.fft.fft2(lightness[5:12, 6:13])) / 7
    # Every magnitude of the patch is there, once for its frequency and for its mirror image.
    expected = sorted(np.repeat(found[8, 9], [1] + [2] * 24))
    np.testing.assert_allclose(expected, sorted(spectrum.ravel()), rtol=1e-3)


def test_local_statistics_equal_those_of_the_window():
    lightness = 50 + 10 * noise(20, 23)
    mean, deviation = local_statistics(lightness, 5)
    window = lightness[6:11, 8:13].astype(np.float64)
    np.testing.assert_allclose([mean[8, 10], deviation[8, 10]], [window.mean(), window.std()], rtol=1e-4)


def test_flat_lightness_has_no_texture():
    flat = np.full((40, 30), 63, np.float32)
    assert max(plane.max() for plane in gabor_energy(flat)) < 1e-3
    assert all(not block.any() for _, _, block in sift_rows(flat, 4))


def test_sift_does_not_change_with_lightness_added():
    lightness = 50 + 10 * noise(20, 23)
    pairs = zip(sift_rows(lightness, 4), sift_rows(lightness + 20, 4), strict=True)
    assert all(np.allclose(one[2], other[2], atol=1e-3) for one, other in pairs)


def test_every_candidate_is_a_color_of_the_reference():
    lab, reference = scene(40), scene(33, seed=3)
    palette = {tuple(color) for color in reference[..., 1:].reshape(-1, 2).tolist()}
    candidates = find_candidates(np.ascontiguousarray(lab[..., 0]), [as_reference(reference)], 0)
    assert candidates.ab.shape == (len(FEATURES), 2, 40, 40)
    assert {tuple(color) for color in candidates.ab.transpose(0, 2, 3, 1).reshape(-1, 2).tolist()} <= palette


def test_constant_reference_color_gives_constant_chroma():
    reference = scene()
    reference[..., 1:] = (12, -30)
    np.testing.assert_allclose(
        predict(scene(seed=1), as_reference(reference)).ab, (12, -30) * np.ones((96, 96, 2)), atol=0.01
    )


def test_textures_take_their_own_colors():
    target = scene(seed=1)
    ab = predict(target, as_reference(scene(seed=2)[:, ::-1])).ab
    right = np.linalg.norm(ab - target[..., 1:], axis=-1) < 15
    assert right.mean() > 0.93


def test_a_photograph_recovers_most_of_its_own_chroma():
    lab = astronaut()
    assert error(predict(lab, as_reference(lab)).ab, lab[..., 1:]) < 0.3 * error(0, lab[..., 1:])


def test_regularization_beats_every_single_feature_and_their_mean():
    lab = astronaut()
    lightness = np.ascontiguousarray(lab[..., 0])
    candidates = find_candidates(lightness, [as_reference(lab[:, ::-1])], 0).ab
    answer = error(choose(lightness, candidates)[0].transpose(1, 2, 0), lab[..., 1:])
    singles = [error(one.transpose(1, 2, 0), lab[..., 1:]) for one in candidates]
    assert answer < min(*singles, error(candidates.mean(axis=0).transpose(1, 2, 0), lab[..., 1:]))


def test_a_reference_of_no_weight_changes_nothing():
    target, good = scene(48, seed=1), scene(48, seed=2)
    alone = predict(target, as_reference(good))
    beside = predict(target, as_reference(good), as_reference(astronaut(8), weight=0.0))
    np.testing.assert_array_equal(alone.ab, beside.ab)


def test_the_heavier_of_two_equal_references_gives_its_colors():
    target, one, other = scene(48), scene(48), scene(48)
    other[..., 1:] = (0, 60)
    ab = predict(target, as_reference(one, 0.2), as_reference(other, 1.0)).ab
    assert np.linalg.norm(ab - (0, 60), axis=-1).mean() < 10


def test_confidence_is_higher_for_the_photograph_itself_than_for_another():
    lab = astronaut()
    itself = predict(lab, as_reference(lab)).confidence
    another = predict(lab, as_reference(np.rot90(scene(128)).copy())).confidence
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


def test_every_pixel_of_its_own_photograph_finds_a_sample_of_its_own_color_where_color_follows_lightness():
    """Samples are gathered by blocks of rows, and must still be those whose colors are taken."""
    lightness = np.linspace(5, 95, 150 * 130, dtype=np.float32).reshape(150, 130)
    lightness = np.random.default_rng(0).permuted(lightness, axis=1)
    ab = np.stack([lightness - 50, 50 - lightness], axis=2)
    found = find_candidates(lightness, [Reference(lightness, ab)], seed=0).ab
    apart = np.abs(found[0, 0] - ab[..., 0])
    assert np.quantile(apart, 0.99) < 3


@pytest.mark.parametrize("feature", FEATURES)
def test_a_feature_at_some_pixels_is_that_of_all_pixels(feature):
    lightness = 50 + 10 * noise(110, 90)
    rng = np.random.default_rng(0)
    rows, columns = rng.integers(0, 110, 50), rng.integers(0, 90, 50)
    everywhere = np.concatenate([block for _, _, block in feature.rows(lightness)])
    np.testing.assert_allclose(
        feature.at(lightness, rows, columns), everywhere[rows, columns], rtol=1e-4, atol=1e-3
    )
