"""Laws of the methods that move statistics; oracles are moments, scikit-image, constructed references."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tinct.errors import MethodError
from tinct.hints import HintField
from tinct.methods import Method, Reference, get_method
from tinct.methods.classical import color_statistics as statistics_module
from tinct.methods.classical.color_statistics import HistogramMatching, Reinhard

METHODS = [Reinhard(), HistogramMatching()]
by_name = pytest.mark.parametrize("method", METHODS, ids=[m.name for m in METHODS])


def ramp(height: int = 40, width: int = 60, low: float = 5, high: float = 95) -> np.ndarray:
    return np.broadcast_to(np.linspace(low, high, width, dtype=np.float32), (height, width)).copy()


def reference(
    color: Callable[[np.ndarray], np.ndarray], lightness: np.ndarray | None = None, weight: float = 1.0
) -> Reference:
    lightness = ramp() if lightness is None else lightness
    return Reference(lightness, np.asarray(color(lightness), np.float32), weight)


def flat(a: float, b: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda lightness: np.broadcast_to(np.float32([a, b]), (*lightness.shape, 2)).copy()


def warm_lights(lightness: np.ndarray) -> np.ndarray:
    """Blue shadows, yellow lights."""
    return np.dstack([0 * lightness, lightness - 50])


def predict(method: Method, lightness: np.ndarray, *references: Reference) -> np.ndarray:
    found = method.predict(lightness, HintField.empty(*lightness.shape), references)
    assert found.ab.shape == (*lightness.shape, 2)
    assert found.confidence.shape == lightness.shape
    assert found.ab.dtype == found.confidence.dtype == np.float32
    assert np.isfinite(found.ab).all()
    assert ((found.confidence >= 0) & (found.confidence <= 1)).all()
    return np.asarray(found.ab)


@by_name
def test_a_reference_of_one_color_gives_that_color(method: Method) -> None:
    found = predict(method, ramp(30, 30), reference(flat(20, -30)))
    np.testing.assert_allclose(found, np.broadcast_to(np.float32([20, -30]), found.shape), atol=0.01)


@by_name
def test_a_gray_reference_keeps_everything_neutral(method: Method) -> None:
    assert not predict(method, ramp(), reference(flat(0, 0))).any()


@by_name
def test_a_photograph_is_its_own_best_reference(method: Method) -> None:
    found = predict(method, ramp(), reference(warm_lights))
    assert np.abs(found - warm_lights(ramp())).mean() < 2.5


@by_name
def test_a_darker_print_of_the_reference_takes_the_same_colors(method: Method) -> None:
    dark = ramp(low=10, high=40)
    found = predict(method, dark, reference(warm_lights))
    assert np.abs(found - warm_lights(ramp())).mean() < 2.5


@by_name
def test_colors_are_not_one_flat_tint(method: Method) -> None:
    found = predict(method, ramp(), reference(warm_lights))
    assert found[:, :10, 1].mean() < -20
    assert found[:, -10:, 1].mean() > 20


@by_name
def test_where_each_pixel_of_the_reference_lies_does_not_matter(method: Method) -> None:
    given = reference(warm_lights)
    turned = Reference(given.lightness[:, ::-1].copy(), given.ab[:, ::-1].copy())
    np.testing.assert_allclose(predict(method, ramp(), turned), predict(method, ramp(), given), atol=0.01)


@by_name
def test_a_flat_sky_keeps_one_color(method: Method) -> None:
    target = ramp()
    target[:15] = 80
    sky = predict(method, target, reference(warm_lights))[:2]
    assert np.abs(np.diff(sky, axis=1)).max() < 3


@by_name
def test_the_heavier_reference_counts_more(method: Method) -> None:
    red, blue = reference(flat(40, 20), weight=0.9), reference(flat(0, -40), weight=0.1)
    found = predict(method, ramp(), red, blue).mean(axis=(0, 1))
    np.testing.assert_allclose(found, 0.9 * np.array([40, 20]) + 0.1 * np.array([0, -40]), atol=4)


@by_name
def test_a_reference_of_weight_zero_is_not_seen(method: Method) -> None:
    red, blue = reference(flat(40, 20)), reference(flat(0, -40), weight=0)
    np.testing.assert_array_equal(predict(method, ramp(), red, blue), predict(method, ramp(), red))


@by_name
def test_without_a_reference_it_says_so(method: Method) -> None:
    with pytest.raises(MethodError, match="reference"):
        predict(method, ramp())
    with pytest.raises(MethodError, match="weight above 0"):
        predict(method, ramp(), reference(flat(1, 1), weight=0))


@by_name
@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (3, 2)])
def test_tiny_and_flat_photographs_have_finite_colors(method: Method, shape: tuple[int, int]) -> None:
    predict(method, np.full(shape, 50, np.float32), reference(warm_lights))
    predict(method, ramp(), reference(warm_lights, np.full(shape, 50, np.float32)))


@by_name
def test_it_is_surer_where_a_lightness_has_one_color(method: Method) -> None:
    lightness = ramp()
    ab = warm_lights(lightness)
    ab[::2, 30:, 0], ab[1::2, 30:, 0] = 40, -40
    target = HintField.empty(*lightness.shape)
    confidence = method.predict(lightness, target, [Reference(lightness, ab)]).confidence
    assert confidence[:, :20].mean() > 2 * confidence[:, 40:].mean()


@by_name
def test_the_registry_knows_it(method: Method) -> None:
    assert isinstance(get_method(method.name), type(method))
    assert isinstance(method, Method)


def test_reinhard_depends_on_lightness_alone() -> None:
    rng = np.random.default_rng(0)
    target = ramp(20, 50)
    shuffled = rng.permutation(target.ravel()).reshape(target.shape)
    plain, moved = (predict(Reinhard(), t, reference(warm_lights)) for t in (target, shuffled))
    back = np.interp(shuffled.ravel(), target[0], plain[0, :, 1]).reshape(shuffled.shape)
    np.testing.assert_allclose(moved[..., 1], back, atol=0.05)


def test_reinhard_ends_with_the_mean_and_deviation_of_the_reference() -> None:
    rng = np.random.default_rng(1)
    given = reference(lambda lightness: warm_lights(lightness) + rng.normal(0, 8, (*lightness.shape, 2)))
    found = predict(Reinhard(), ramp(30, 80, 20, 60), given)
    np.testing.assert_allclose(found.mean(axis=(0, 1)), given.ab.mean(axis=(0, 1)), atol=0.01)
    np.testing.assert_allclose(found[..., 1].std(), given.ab[..., 1].std(), rtol=0.01)


def test_reinhard_does_not_make_color_of_noise() -> None:
    """Where lightness says nothing of color, the deviation is not forced on what is left."""
    rng = np.random.default_rng(2)
    given = reference(lambda lightness: rng.normal(0, 30, (*lightness.shape, 2)))
    assert predict(Reinhard(), ramp(), given).std() < 10


def test_histograms_are_specified_as_scikit_image_does() -> None:
    exposure = pytest.importorskip("skimage.exposure")
    rng = np.random.default_rng(3)
    given = reference(lambda lightness: rng.gamma(2, 10, (*lightness.shape, 2)))
    ab = rng.normal(0, 20, (40, 60, 2)).astype(np.float32)
    samples = statistics_module._pool([given], [np.zeros((given.lightness.size, 2))])
    found = statistics_module._with_histograms(ab, samples)
    wanted = np.dstack([exposure.match_histograms(ab[..., k], given.ab[..., k]) for k in range(2)])
    assert np.abs(found - wanted).mean() < 0.05


def test_equal_lightness_in_different_surroundings_may_differ_in_color() -> None:
    """Ranks of the surroundings tell a bright object on dark ground from a bright sky."""
    lightness = np.full((60, 60), 20, np.float32)
    lightness[:30], lightness[44:47, 28:31] = 80, 80
    ab = np.zeros((60, 60, 2), np.float32)
    ab[:30, :, 1], ab[44:47, 28:31, 1] = -40, 40
    found = predict(HistogramMatching(), lightness, Reference(lightness, ab))
    assert found[45, 29, 1] > found[5, 5, 1] + 20
