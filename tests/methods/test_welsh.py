"""Laws of Welsh's matching; the oracle is brute force over the same samples."""

from __future__ import annotations

import numpy as np
import pytest

from tinct.errors import MethodError
from tinct.hints import HintField, Swatch
from tinct.methods import Method, Prediction, Reference, get_method
from tinct.methods.classical import welsh
from tinct.methods.classical.welsh import Welsh, jittered_grid, match


def noisy(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 100, (height, width)).astype(np.float32)


def striped(height: int = 48, width: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Smooth left half, checkered right half of the same mean; red and blue."""
    lightness = np.full((height, width), 50, np.float32)
    checker = np.indices((height, width)).sum(axis=0) % 2 * 2 - 1
    lightness[:, width // 2 :] += 15 * checker[:, width // 2 :]
    ab = np.zeros((height, width, 2), np.float32)
    ab[:, : width // 2], ab[:, width // 2 :] = (40, 20), (0, -40)
    return lightness, ab


def predict(
    lightness: np.ndarray, *references: Reference, seed: int = 0, swatches: tuple[Swatch, ...] = ()
) -> Prediction:
    empty = HintField.empty(*lightness.shape)
    hints = HintField(empty.ab, empty.mask, swatches=swatches)
    found = Welsh().predict(lightness, hints, references, seed=seed)
    assert found.ab.shape == (*lightness.shape, 2)
    assert found.confidence.shape == lightness.shape
    assert found.ab.dtype == found.confidence.dtype == np.float32
    assert ((found.confidence >= 0) & (found.confidence <= 1)).all()
    return found


def brute_deviation(lightness: np.ndarray) -> np.ndarray:
    padded = np.pad(lightness.astype(np.float64), 2, mode="symmetric")
    height, width = lightness.shape
    return np.array([[padded[y : y + 5, x : x + 5].std() for x in range(width)] for y in range(height)])


def test_colors_equal_brute_force_over_the_same_samples() -> None:
    target, source = noisy(17, 23), noisy(19, 13, seed=1)
    rng = np.random.default_rng(2)
    ab = rng.uniform(-60, 60, (19, 13, 2)).astype(np.float32)
    found = predict(target, Reference(source, ab), seed=7).ab

    scale = np.clip((target.std() + 1) / (source.std() + 1), 0.5, 2)
    remapped = (source - source.mean()) * scale + target.mean()
    y, x = jittered_grid(source.shape, welsh.SAMPLES, np.random.default_rng(7))
    deviation, own = brute_deviation(remapped)[y, x], brute_deviation(target)
    for row in range(17):
        for column in range(23):
            cost = (
                0.5 * (remapped[y, x] - target[row, column]) ** 2 + 0.5 * (deviation - own[row, column]) ** 2
            )
            best = np.flatnonzero(cost <= cost.min() + 1e-3)
            assert any((ab[y[k], x[k]] == found[row, column]).all() for k in best)


def test_the_tree_finds_the_nearest() -> None:
    rng = np.random.default_rng(0)
    target, samples = (
        rng.normal(size=(9, 11, 2)).astype(np.float32),
        rng.normal(size=(50, 2)).astype(np.float32),
    )
    nearest, distance = match(target, samples)
    every = np.linalg.norm(target[:, :, None] - samples, axis=-1)
    np.testing.assert_array_equal(nearest, every.argmin(axis=-1))
    np.testing.assert_allclose(distance, every.min(axis=-1), rtol=1e-5)


@pytest.mark.parametrize(("height", "width"), [(100, 150), (1, 500), (500, 1), (3, 3), (1, 1)])
def test_samples_lie_one_in_each_cell(height: int, width: int) -> None:
    y, x = jittered_grid((height, width), 200, np.random.default_rng(0))
    assert len(y) == len(x)
    assert len(y) <= 220
    assert len(y) >= min(height * width, 180)
    assert ((y >= 0) & (y < height) & (x >= 0) & (x < width)).all()
    assert len({*zip(y.tolist(), x.tolist(), strict=True)}) == len(y)


def test_texture_tells_apart_what_lightness_does_not() -> None:
    lightness, ab = striped()
    found = predict(lightness, Reference(lightness, ab)).ab
    assert (np.abs(found - ab).max(axis=-1) < 1).mean() > 0.9


def test_every_color_occurs_in_a_reference() -> None:
    first, second = noisy(20, 20, 1), noisy(15, 25, 2)
    rng = np.random.default_rng(3)
    references = [
        Reference(L, rng.uniform(-50, 50, (*L.shape, 2)).astype(np.float32)) for L in (first, second)
    ]
    palette = {tuple(c) for r in references for c in r.ab.reshape(-1, 2).tolist()}
    found = predict(noisy(30, 30, 4), *references).ab
    assert {tuple(c) for c in found.reshape(-1, 2).tolist()} <= palette


def test_the_same_seed_gives_the_same_colors_and_another_others() -> None:
    reference = Reference(
        noisy(60, 60, 1), np.random.default_rng(1).uniform(-50, 50, (60, 60, 2)).astype(np.float32)
    )
    first, again, other = (predict(noisy(30, 30), reference, seed=s).ab for s in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_weights_are_shares_of_the_samples() -> None:
    ones = np.ones((60, 60, 2), np.float32)
    target = noisy(60, 60)
    found = predict(
        target, Reference(noisy(60, 60, 1), 30 * ones, 1.0), Reference(noisy(60, 60, 2), -30 * ones, 0.25)
    ).ab
    share = (found[..., 0] > 0).mean()
    assert 0.65 < share < 0.95


def test_a_reference_of_weight_zero_is_not_seen() -> None:
    ones = np.ones((30, 30, 2), np.float32)
    found = predict(
        noisy(30, 30), Reference(noisy(30, 30, 1), 30 * ones), Reference(noisy(30, 30, 2), -30 * ones, 0.0)
    )
    assert (found.ab == 30).all()


def test_confidence_falls_where_nothing_alike_was_found_or_much_was() -> None:
    lightness, ab = striped()
    ab[:, 32:] = np.random.default_rng(0).uniform(-50, 50, (48, 32, 2))
    confidence = predict(lightness, Reference(lightness, ab)).confidence
    assert confidence[:, :28].mean() > 2 * confidence[:, 36:].mean()
    spot = lightness.copy()
    spot[10:20, 5:15] = 100
    confidence = predict(spot, Reference(lightness, ab)).confidence
    assert confidence[12:18, 7:13].max() < confidence[30:, 5:15].min()


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (30, 1), (2, 3)])
def test_tiny_photographs_have_colors(shape: tuple[int, int]) -> None:
    lightness, ab = striped()
    predict(np.full(shape, 50, np.float32), Reference(lightness, ab))
    found = predict(lightness, Reference(np.full(shape, 50, np.float32), np.full((*shape, 2), 9, np.float32)))
    assert (found.ab == 9).all()


def test_swatches_color_their_boxes_and_what_is_textured_like_them() -> None:
    lightness, _ = striped()
    # In the reference, smooth is green; its checkered half is pink.
    source, ab = striped()
    ab[:, :32], ab[:, 32:] = (-40, 30), (40, 0)
    swapped = (
        Swatch((4, 4, 20, 20), (36, 4, 60, 40)),
        Swatch((40, 4, 60, 20), (4, 4, 28, 40)),
    )
    found = predict(lightness, Reference(source, ab), swatches=swapped).ab
    assert (found[4:20, 4:20] == (40, 0)).all()
    assert (found[4:20, 40:60] == (-40, 30)).all()
    assert ((found[2:-2, 2:29] == (40, 0)).all(axis=-1)).mean() > 0.95
    assert ((found[2:-2, 35:-2] == (-40, 30)).all(axis=-1)).mean() > 0.95


def test_swatches_may_name_different_references() -> None:
    lightness, ab = striped()
    green = Reference(lightness, np.full_like(ab, -30))
    found = predict(
        lightness,
        Reference(lightness, ab),
        green,
        swatches=(
            Swatch((0, 0, 20, 20), (0, 0, 20, 20)),
            Swatch((44, 0, 64, 20), (0, 0, 64, 48), reference=1),
        ),
    ).ab
    assert (found[:20, :20] == (40, 20)).all()
    assert (found[:20, 44:] == -30).all()


def test_a_swatch_of_one_pixel_is_enough() -> None:
    lightness, ab = striped()
    found = predict(
        lightness, Reference(lightness, ab), swatches=(Swatch((63, 47, 64, 48), (0, 0, 1, 1)),)
    ).ab
    assert (found == (40, 20)).all()


def test_swatch_patches_equal_brute_force() -> None:
    lightness = noisy(12, 14)
    patches = welsh._patches(lightness)
    samples = patches[[2, 5, 9], [3, 11, 7]]
    nearest, apart = welsh._nearest_patch(patches, samples)
    padded = np.pad(lightness, 2, mode="symmetric").astype(np.float64)
    for y in range(12):
        for x in range(14):
            squares = ((samples - padded[y : y + 5, x : x + 5]) ** 2).sum(axis=(1, 2))
            assert nearest[y, x] == squares.argmin()
            assert apart[y, x] == pytest.approx(np.sqrt(squares.min() / 25), abs=0.05)


def test_without_what_it_needs_it_says_so() -> None:
    lightness, ab = striped()
    with pytest.raises(MethodError, match="reference"):
        predict(lightness)
    with pytest.raises(MethodError, match="count from 0"):
        predict(
            lightness, Reference(lightness, ab), swatches=(Swatch((0, 0, 9, 9), (0, 0, 9, 9), reference=1),)
        )


def test_welsh_keeps_the_protocol() -> None:
    assert isinstance(get_method("welsh"), Method)
