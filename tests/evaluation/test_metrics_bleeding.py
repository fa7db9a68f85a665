"""Laws of the bleeding score, on edges whose place is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data

from tinct.color.lab import rgb_to_lab
from tinct.errors import ShapeError
from tinct.evaluation.metrics.bleeding import bleeding

Array = NDArray[np.float32]


def step(column: int, low: float, high: float) -> Array:
    plane = np.full((40, 80), low, np.float32)
    plane[:, column:] = high
    return plane


def colored(column: int) -> Array:
    return np.dstack([step(column, -20, 40), step(column, 10, -30)])


def test_color_that_changes_where_lightness_does_has_not_bled() -> None:
    assert bleeding(colored(40), step(40, 30, 70)) == 0


def test_color_that_changes_elsewhere_has_bled_altogether() -> None:
    assert bleeding(colored(50), step(40, 30, 70)) == pytest.approx(1, abs=0.1)
    assert bleeding(colored(40), np.full((40, 80), 50, np.float32)) == pytest.approx(1, abs=0.1)


def test_color_that_takes_no_notice_of_lightness_scores_one() -> None:
    ab = np.random.default_rng(0).normal(0, 30, (200, 200, 2)).astype(np.float32)
    lightness = np.random.default_rng(1).uniform(45, 55, (200, 200)).astype(np.float32)
    assert bleeding(ab, lightness) == pytest.approx(1, abs=0.05)


def test_rounding_of_a_nearly_gray_result_is_no_bleeding() -> None:
    noise = np.random.default_rng(0).uniform(-0.01, 0.01, (40, 80, 2)).astype(np.float32)
    assert bleeding(noise, step(40, 30, 70)) < 0.2


def test_no_chroma_edge_is_no_bleeding() -> None:
    assert bleeding(np.full((40, 80, 2), 17, np.float32), step(40, 30, 70)) == 0


def test_bleeding_grows_with_blur() -> None:
    lightness = step(40, 30, 70)
    scores = [bleeding(cv2.GaussianBlur(colored(40), (0, 0), sigma), lightness) for sigma in (0.5, 2, 4, 8)]
    assert scores == sorted(scores)
    assert scores[0] < 0.05
    assert scores[-1] > 0.5


def test_bleeding_does_not_depend_on_direction_or_on_which_side_is_which() -> None:
    lightness = data.coffee()[:200, :300].astype(np.float32).mean(2) / 2.55
    ab = cv2.GaussianBlur(rgb_to_lab(data.coffee()[:200, :300])[..., 1:], (0, 0), 3)
    score = bleeding(ab, lightness)
    assert 0 < score < 1
    assert bleeding(ab.transpose(1, 0, 2), lightness.T) == pytest.approx(score, rel=1e-4)
    assert bleeding(-ab[:, ::-1], 100 - lightness[:, ::-1]) == pytest.approx(score, rel=1e-4)


def test_a_photograph_bleeds_more_with_its_color_blurred() -> None:
    for photograph in (data.astronaut(), data.coffee()):
        lab = rgb_to_lab(photograph)
        scores = [bleeding(lab[..., 1:], lab[..., 0])]
        for sigma in (4, 8, 16):
            scores.append(bleeding(cv2.GaussianBlur(lab[..., 1:], (0, 0), sigma), lab[..., 0]))
        assert scores == sorted(scores)
        assert scores[2] > 1.1 * scores[0]


def test_sizes_that_differ_are_refused() -> None:
    with pytest.raises(ShapeError, match="are wanted"):
        bleeding(np.zeros((4, 5, 2), np.float32), np.zeros((5, 4), np.float32))
