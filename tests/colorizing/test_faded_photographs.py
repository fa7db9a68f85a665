"""Faded photographs: the network sees their tones spread, and the result keeps the lightness that they have."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data

from tinct import Colorizer, colorize
from tinct.color.lab import rgb_to_lab
from tinct.photo.fading import unfaded


@pytest.fixture(scope="module")
def faded() -> NDArray[np.uint8]:
    """A photograph of which a third of the contrast is left."""
    gray = data.astronaut()[::2, ::2] @ np.array([0.2126, 0.7152, 0.0722])
    return np.rint(105 + 0.3 * gray).astype(np.uint8)


def test_the_method_is_shown_spread_tones(faded, monkeypatch):
    colorizer, shown = Colorizer(faded), []
    encode = colorizer.method.encode
    monkeypatch.setattr(
        colorizer.method, "encode", lambda lightness: shown.append(lightness) or encode(lightness)
    )
    colorizer.predict()
    (seen,) = shown
    own = colorizer._working_lightness()
    assert np.array_equal(seen, unfaded(own))
    assert np.ptp(seen) > 1.5 * np.ptp(own)


def test_the_result_keeps_the_lightness_of_the_photograph(faded):
    found = rgb_to_lab(colorize(faded))
    own = rgb_to_lab(np.dstack([faded] * 3))
    assert np.abs(found[..., 0] - own[..., 0]).max() < 0.6
    assert np.linalg.norm(found[..., 1:], axis=-1).mean() > 4


def test_colors_are_nearer_to_the_truth_than_by_the_faded_tones(faded, monkeypatch):
    truth = rgb_to_lab(data.astronaut()[::2, ::2])[..., 1:]

    def error() -> float:
        found = rgb_to_lab(colorize(faded))[..., 1:]
        return float(np.linalg.norm(found - truth, axis=-1).mean())

    spread = error()
    monkeypatch.setattr("tinct.colorizing.stages.unfaded", lambda lightness: lightness)
    assert spread < error()


def test_methods_of_papers_see_the_photograph_as_it_is(faded, monkeypatch):
    asked = []
    monkeypatch.setattr("tinct.colorizing.stages.unfaded", lambda lightness: asked.append(1) or lightness)
    Colorizer(faded, np.asarray(data.coffee()), method="reinhard").predict()
    assert not asked
    Colorizer(faded).predict()
    assert asked
