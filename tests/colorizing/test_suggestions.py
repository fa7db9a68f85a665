"""Laws of what somebody who edits chooses from: places to click, and the map they are the peaks of."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from skimage import data

from installed_methods import EVERY_METHOD
from tinct.colorizing.colorizer import Colorizer
from tinct.methods.distribution import LEAST_DISTANCE, visible

GRAY = np.asarray(
    cv2.resize(cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2GRAY), (240, 200), interpolation=cv2.INTER_AREA)
)


def test_places_to_click_lie_apart():
    places = Colorizer(GRAY).where_next(6)
    apart = [math.dist((p.x, p.y), (q.x, q.y)) for i, p in enumerate(places) for q in places[:i]]
    assert len(places) == 6
    assert min(apart) > 0.9 * LEAST_DISTANCE * 240


def test_the_first_place_is_the_top_of_the_map():
    colorizer = Colorizer(GRAY)
    place, gains = colorizer.where_next(1)[0], colorizer.gains()
    there = gains[round(place.y), round(place.x)]
    assert gains.shape == GRAY.shape
    assert there >= np.percentile(gains, 98)
    assert there == pytest.approx(place.gain, rel=0.1)


def test_a_hint_lowers_the_map_where_it_is():
    colorizer = Colorizer(GRAY)
    place, before = colorizer.where_next(1)[0], colorizer.gains()
    colorizer.add_hint((place.x, place.y, "#a08060"))
    there = round(place.y), round(place.x)
    after = colorizer.gains()
    assert after[there] / after.max() < before[there] / before.max()


@pytest.mark.parametrize("frame", [0, 255])
@pytest.mark.parametrize(
    "method", [each for each in EVERY_METHOD if each.values[0] in ("tinct", "zhang2016")]
)
def test_no_click_is_wanted_where_no_color_can_be_seen(method, frame):
    framed = np.full((240, 240), frame, np.uint8)
    framed[40:-40, 40:-40] = cv2.resize(GRAY, (160, 160), interpolation=cv2.INTER_AREA)
    colorizer = Colorizer(framed, method=method)
    unsure = colorizer.uncertainty()
    far = len(unsure) // 12
    unsure[far:-far, far:-far] = 0
    assert unsure.max() < 0.02
    for place in colorizer.where_next(5):
        assert 30 < place.x < 210
        assert 30 < place.y < 210


def test_a_spread_counts_in_full_where_srgb_has_colors_and_not_at_black_and_white():
    levels = np.linspace(0, 100, 101, dtype=np.float32)
    share = visible(levels)
    assert share[[0, 100]] == pytest.approx([0, 0], abs=1e-3)
    assert (share[15:91] == 1).all()
    assert (np.diff(share[:50]) >= 0).all()
    assert (np.diff(share[50:]) <= 0).all()


def test_a_preview_differs_from_the_exact_picture_by_what_no_eye_sees():
    hints = [(60, 90, "#c03020"), (130, 150, "#2060d0")]
    preview = Colorizer(GRAY, hints=hints).preview(240).astype(int)
    exact = np.asarray(Colorizer(GRAY, hints=hints).like(GRAY)).astype(int)
    difference = np.abs(preview - exact)
    assert difference.mean() < 1
    assert np.percentile(difference, 99) < 12


@pytest.mark.parametrize("options", [{"strength": 0.0}, {"strength": 0.5}, {"chroma_only": True}])
def test_a_preview_follows_the_options_as_the_exact_picture_does(options):
    preview = Colorizer(GRAY, **options).preview(240).astype(int)
    exact = np.asarray(Colorizer(GRAY, **options).like(GRAY)).astype(int)
    assert np.abs(preview - exact).mean() < 1
