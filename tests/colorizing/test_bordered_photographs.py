"""Photographs with borders: the network is shown the picture alone, and borders stay gray."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data

from tinct import Colorizer, colorize
from tinct.color.lab import rgb_to_lab
from tinct.hints import HintImage

TOP, BOTTOM, LEFT, RIGHT = 36, 20, 44, 28
"""Widths of the borders in pixels: multiples of 4 at the working size, which is the photograph's own."""

HEIGHT, WIDTH = 200, 256


def picture() -> NDArray[np.uint8]:
    gray = 40 + 0.7 * (data.astronaut() @ np.array([0.2126, 0.7152, 0.0722]))
    return np.rint(cv2.resize(gray, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)).astype(np.uint8)


@pytest.fixture(params=[4, 105, 251], ids=["black", "gray", "white"])
def bordered(request) -> NDArray[np.uint8]:
    size = HEIGHT + TOP + BOTTOM, WIDTH + LEFT + RIGHT
    whole = np.full(size, request.param, np.uint8)
    whole[TOP:-BOTTOM, LEFT:-RIGHT] = picture()
    return whole


def ab_of(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(rgb_to_lab(rgb)[..., 1:], np.float32)


def far(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(np.linalg.norm(one - other, axis=-1).mean())


def inside(image: NDArray[np.generic]) -> NDArray[np.generic]:
    return image[TOP:-BOTTOM, LEFT:-RIGHT]


def test_the_picture_gets_the_colors_that_it_has_without_borders(bordered):
    alone, found = ab_of(colorize(picture())), ab_of(colorize(bordered))
    assert np.linalg.norm(alone, axis=-1).mean() > 8
    seen_whole = ab_of(_with_borders(bordered))
    assert far(inside(found), alone) < 0.6 * far(inside(seen_whole), alone)


def _with_borders(whole: NDArray[np.uint8], *hints: object) -> NDArray[np.uint8]:
    """In color by the method as it answers a photograph without borders."""
    colorizer = Colorizer(whole, hints=list(hints))
    colorizer._stages.picture = lambda photo: None  # type: ignore[method-assign]
    return np.asarray(colorizer.render().to_array())


def test_borders_stay_gray_and_are_sure(bordered):
    found, prediction = ab_of(colorize(bordered)), Colorizer(bordered).predict()
    outside = np.ones(bordered.shape, bool)
    outside[TOP - 2 : -BOTTOM + 2, LEFT - 2 : -RIGHT + 2] = False
    assert np.abs(found[outside]).max() < 1.5
    height, width = prediction.confidence.shape
    small = cv2.resize(outside.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA) == 1
    assert (prediction.confidence[small] == 1).all()
    assert (prediction.ab[small] == 0).all()


def test_the_picture_is_colored_to_its_edge(bordered):
    large = cv2.resize(bordered, None, fx=4, fy=4, interpolation=cv2.INTER_NEAREST)
    chroma = np.linalg.norm(ab_of(colorize(large)), axis=-1)
    edges = {
        "above": chroma.T[4 * LEFT + 200 : 4 * LEFT + 700, 4 * TOP :],
        "left": chroma[4 * TOP + 200 : 4 * TOP + 600, 4 * LEFT :],
        "right": chroma[4 * TOP + 200 : 4 * TOP + 600, : -4 * RIGHT][:, ::-1],
        "below": chroma.T[4 * LEFT + 200 : 4 * LEFT + 700, : -4 * BOTTOM][:, ::-1],
    }
    for name, lines in edges.items():
        assert lines[:, :3].mean() > 0.4 * lines[:, 12:24].mean(), name


def test_the_means_of_a_prediction_are_of_the_picture(bordered):
    alone, found = Colorizer(picture()).predict(), Colorizer(bordered).predict()
    assert found.mean_confidence == pytest.approx(alone.mean_confidence, abs=0.06)
    assert found.mean_chroma == pytest.approx(alone.mean_chroma, rel=0.25)
    assert found.mean_confidence < found.confidence.mean() - 0.05
    assert alone.mean_confidence == pytest.approx(alone.confidence.mean())


def test_a_faded_picture_is_spread_within_borders_too(bordered):
    faded = bordered.copy()
    inside(faded)[:] = np.rint(100 + 0.3 * picture()).astype(np.uint8)
    alone = ab_of(colorize(np.ascontiguousarray(inside(faded))))
    found = ab_of(colorize(faded))
    assert np.linalg.norm(alone, axis=-1).mean() > 8
    assert far(inside(found), alone) < 0.5 * np.linalg.norm(alone, axis=-1).mean()


def test_a_hint_at_the_pictures_very_edge_is_in_the_picture(bordered):
    large = cv2.resize(bordered, None, fx=4, fy=4, interpolation=cv2.INTER_NEAREST)
    height, width = large.shape
    middle = (4 * LEFT + width - 4 * RIGHT) // 2, (4 * TOP + height - 4 * BOTTOM) // 2
    for x, y in (
        (4 * LEFT, middle[1]),
        (width - 4 * RIGHT - 1, middle[1]),
        (middle[0], 4 * TOP),
        (middle[0], height - 4 * BOTTOM - 1),
    ):
        assert Colorizer(large, hints=[(x, y, "#804020")])._inputs().picture is not None
    for x, y in ((4 * LEFT - 24, middle[1]), (middle[0], height - 4 * BOTTOM + 24)):
        assert Colorizer(large, hints=[(x, y, "#804020")])._inputs().picture is None


def test_the_picture_is_seen_at_the_working_size(bordered):
    assert max(Colorizer(bordered).predict().ab.shape) == pytest.approx(max(bordered.shape), abs=4)
    large = cv2.resize(bordered, None, fx=3, fy=3, interpolation=cv2.INTER_NEAREST)
    for size, longest in ((None, 256), (128, 128), (2048, 2048)):
        rows, columns = Colorizer(large, size=size)._inputs().region
        found = max(rows.stop - rows.start, columns.stop - columns.start)
        assert found == pytest.approx(min(longest, 3 * max(HEIGHT, WIDTH)), abs=10)


def test_methods_of_papers_see_the_photograph_as_it_is(bordered):
    reference = np.asarray(data.coffee())
    assert Colorizer(bordered, reference, method="welsh")._inputs().picture is None
    assert Colorizer(bordered, reference)._inputs().picture is not None


def test_a_hint_counts_at_its_place(bordered):
    x, y = LEFT + 60, TOP + 150
    for hint in ((x, y, "#2f6fb0"), HintImage(_painted(bordered.shape, x, y))):
        colorizer = Colorizer(bordered, hints=[hint])
        assert colorizer._inputs().picture is not None
        found = np.asarray(colorizer.render().to_array())
        wanted, before = ab_of(np.array([[[0x2F, 0x6F, 0xB0]]], np.uint8))[0, 0], ab_of(colorize(bordered))
        assert np.linalg.norm(ab_of(found)[y, x] - wanted) < 0.6 * np.linalg.norm(before[y, x] - wanted)
        alone = ab_of(colorize(picture(), hints=[(x - LEFT, y - TOP, "#2f6fb0")]))
        seen_whole = ab_of(_with_borders(bordered, hint))
        assert far(inside(ab_of(found)), alone) < 0.75 * far(inside(seen_whole), alone)


def _painted(size: tuple[int, ...], x: int, y: int) -> NDArray[np.uint8]:
    rgba = np.zeros((*size, 4), np.uint8)
    rgba[y - 2 : y + 3, x - 2 : x + 3] = 0x2F, 0x6F, 0xB0, 255
    return rgba


def test_who_colors_a_border_takes_it_for_a_part_of_the_picture(bordered):
    colorizer = Colorizer(bordered)
    assert colorizer._inputs().picture is not None
    number = colorizer.add_hint((6, 6, "#804020"))
    assert colorizer._inputs().picture is None
    assert np.array_equal(colorizer.predict().ab, _predicted_whole(bordered))
    colorizer.remove_hint(number)
    assert np.array_equal(colorizer.predict().ab, Colorizer(bordered).predict().ab)


def _predicted_whole(whole: NDArray[np.uint8]) -> NDArray[np.float32]:
    colorizer = Colorizer(whole, hints=[(6, 6, "#804020")])
    colorizer._stages.picture = lambda photo: None  # type: ignore[method-assign]
    return colorizer.predict().ab


def test_a_reference_colors_the_picture_as_it_does_without_borders(bordered):
    reference = np.asarray(data.astronaut())[:, ::-1]
    alone, found = (ab_of(colorize(each, reference)) for each in (picture(), bordered))
    assert far(inside(found), alone) < 2.5


def test_another_photograph_has_borders_of_its_own(bordered):
    colorizer = Colorizer(bordered)
    colorizer.predict()
    colorizer.set_photo(picture())
    assert colorizer._inputs().picture is None
    assert np.array_equal(colorizer.predict().ab, Colorizer(picture()).predict().ab)


# What the distribution says


def test_no_place_in_a_border_is_proposed(bordered):
    places = Colorizer(bordered).where_next(5)
    assert len(places) == 5
    for place in places:
        assert LEFT - 4 <= place.x < LEFT + WIDTH + 4
        assert TOP - 4 <= place.y < TOP + HEIGHT + 4


def test_beside_a_sloping_edge_nothing_is_asked():
    whole = np.full((320, 400), 250, np.uint8)
    whole[60:260, 70:326] = picture()
    turn = cv2.getRotationMatrix2D((200, 160), 1.5, 1)
    size = whole.shape[::-1]
    turned = cv2.warpAffine(whole, turn, size, borderMode=cv2.BORDER_CONSTANT, borderValue=250)
    colorizer = Colorizer(turned)
    found = colorizer._inputs().picture
    assert found is not None
    near = found.mask(turned.shape, 8)
    places = colorizer.where_next(8)
    assert all(near[int(place.y), int(place.x)] for place in places)
    far = ~found.mask(colorizer.uncertainty().shape, 8)
    assert colorizer.uncertainty()[far].max() < 0.05


def test_a_hint_that_counts_as_in_the_picture_moves_it(bordered):
    """A pixel or two beyond the edge, as the edge is not known more exactly."""
    before = ab_of(colorize(bordered))
    height, width = bordered.shape
    y = (TOP + height - BOTTOM) // 2
    for x in range(width - RIGHT - 2, width - RIGHT + 5):
        colorizer = Colorizer(bordered, hints=[(x, y, "#c02020")])
        near = ab_of(np.asarray(colorizer.render().to_array()))[y - 10 : y + 10, width - RIGHT - 30 : -RIGHT]
        moved = far(near, before[y - 10 : y + 10, width - RIGHT - 30 : -RIGHT])
        assert colorizer._inputs().picture is None or moved > 5, x


def test_places_and_colors_are_those_of_the_picture(bordered):
    own, whole = Colorizer(picture()), Colorizer(bordered)
    alone, found = own.uncertainty(), whole.uncertainty()
    full = cv2.resize(found, bordered.shape[::-1], interpolation=cv2.INTER_LINEAR)

    def agreement(down: int, right: int) -> float:
        moved = inside(np.roll(full, (down, right), (0, 1)))
        return float(np.corrcoef(moved.ravel(), alone.ravel())[0, 1])

    best = agreement(0, 0)
    assert best > 0.8
    assert all(agreement(*by) < best for by in ((6, 0), (-6, 0), (0, 6), (0, -6)))
    likely, colors = own.suggest(100, 80), whole.suggest(100 + LEFT, 80 + TOP)
    assert colors[0].probability == pytest.approx(likely[0].probability, abs=0.15)
    assert colors[0].color != whole.suggest(4, 4)[0].color
    assert whole.suggest(4, 4)[0].probability > 0.99


def test_maps_of_uncertainty_and_gain_cover_the_photograph(bordered):
    colorizer = Colorizer(bordered)
    size = colorizer.predict().ab.shape[:2]
    for found in (colorizer.uncertainty(), colorizer.gains()):
        assert found.shape == size
        assert np.abs(found[:16, :]).max() < 0.05
        assert inside(found).mean() > 3 * found[:16].mean()


def test_alternatives_color_the_picture_alone(bordered):
    colorizer = Colorizer(bordered)
    seed = colorizer.alternatives(1)[0]
    colorizer.set_options(seed=seed)
    found = colorizer.predict().ab
    assert np.abs(found[:16]).max() == 0
    assert far(found, Colorizer(bordered).predict().ab) > 1


@pytest.mark.parametrize("tone", [4, 251])
def test_a_reference_counts_without_its_borders(tone):
    colors = np.asarray(data.astronaut())[::2, ::2][:, ::-1].copy()
    colors = (40 + 0.7 * colors.astype(float)).astype(np.uint8)
    whole = np.full((256 + 60, 256 + 80, 3), tone, np.uint8)
    whole[24 : 24 + 256, 36 : 36 + 256] = colors
    alone, found = (ab_of(colorize(picture(), each)) for each in (colors, whole))
    without = ab_of(colorize(picture()))
    assert far(found, alone) < 0.35 * far(without, alone)
    welsh = [colorize(picture(), each, method="reinhard") for each in (colors, whole)]
    assert not np.array_equal(*welsh)
