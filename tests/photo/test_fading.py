"""Faded photographs, and those that only have few tones."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data

from tinct.photo import Photo
from tinct.photo.fading import FADED, MOST, unfaded

Array = NDArray[np.float32]


def scene() -> Array:
    return Photo.from_array(np.asarray(data.astronaut())).working_lightness(256)


def span(lightness: Array) -> float:
    low, high = np.percentile(lightness, (1, 99))
    return float(high - low)


def test_a_photograph_of_usual_tones_stays_the_same_array():
    lightness = scene()
    assert unfaded(lightness) is lightness


@pytest.mark.parametrize(("factor", "darkest"), [(0.5, 30), (0.3, 40), (0.3, 5), (0.35, 60), (0.55, 20)])
def test_the_tones_of_a_faded_photograph_are_spread(factor, darkest):
    faded = darkest + factor * scene()
    found = unfaded(faded)
    assert span(found) == pytest.approx(FADED, abs=2)
    assert found.dtype == np.float32
    assert 0 <= found.min() <= found.max() <= 100
    # which of two is lighter stays as it was, but for what is clipped
    inner = (found > 1) & (found < 99)
    assert np.corrcoef(faded[inner], found[inner])[0, 1] > 0.9999


def test_tones_come_nearer_to_the_middle():
    for darkest in (2, 60):
        faded = darkest + 0.3 * scene()
        before, after = (abs(np.median(each) - 50) for each in (faded, unfaded(faded)))
        assert after < before


def test_what_is_less_and_less_faded_is_spread_less_and_less():
    """Without a jump where it is no longer faded."""
    whole = scene()
    gaps = []
    for factor in np.linspace(0.4, 1.0, 61):
        faded = np.asarray(50 + factor * (whole - 50), np.float32)
        gaps.append(np.abs(unfaded(faded) - faded).mean())
    assert max(gaps) > 3
    assert np.max(np.abs(np.diff(gaps))) < 1
    assert gaps[-1] == 0


@pytest.mark.parametrize("tone", [0.0, 50.0, 100.0])
def test_a_blank_sheet_stays_blank(tone):
    generator = np.random.default_rng(2)
    sheet = np.clip(generator.normal(tone, 0.7, (120, 160)), 0, 100).astype(np.float32)
    found = unfaded(sheet)
    assert found.std() <= MOST * sheet.std() + 1e-3
    flat = np.full((3, 3), tone, np.float32)
    assert np.ptp(unfaded(flat)) == 0
    assert np.isfinite(unfaded(flat)).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (2, 2)])
def test_any_size_has_tones(size):
    assert unfaded(np.full(size, 30, np.float32)).shape == size
