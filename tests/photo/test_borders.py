"""Borders: what is one, what only looks like one, and how exactly its inner edge is found."""

from __future__ import annotations

import csv

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from skimage import data

from tinct.photo import Photo
from tinct.photo.borders import picture_within
from tinct.photo.picture import LOOKED_AT, STEP, Picture

Array = NDArray[np.float32]


def seen(gray: NDArray[np.uint8]) -> Picture | None:
    """The picture within a gray photograph's borders."""
    return picture_within(Photo.from_array(gray).working_lightness(LOOKED_AT))


def scene(height: int = 400, width: int = 520) -> NDArray[np.uint8]:
    """A photograph without borders, and neither black nor white at its edges."""
    gray = 60 + 0.6 * (data.coffee() @ np.array([0.2126, 0.7152, 0.0722]))
    return np.rint(cv2.resize(gray[60:, 40:], (width, height), interpolation=cv2.INTER_AREA)).astype(np.uint8)


def bordered(
    picture: NDArray[np.uint8], tone: int, widths: tuple[int, int, int, int], grain: float = 2.0
) -> NDArray[np.uint8]:
    """A photograph within borders of these widths in pixels: above, below, left and right of it."""
    top, bottom, left, right = widths
    height, width = picture.shape
    generator = np.random.default_rng(5)
    whole = generator.normal(tone, grain, (height + top + bottom, width + left + right))
    whole = np.clip(np.rint(whole), 0, 255).astype(np.uint8)
    whole[top : top + height, left : left + width] = picture
    return whole


def edges(picture: Picture) -> tuple[float, float, float, float]:
    """The heights and columns that a picture reaches: top, bottom, left, right."""
    return *picture.rows, *picture.columns


def check_edges(whole: NDArray[np.uint8], widths: tuple[int, int, int, int]) -> None:
    """The picture within these borders is found to a line and a half of those that are looked at."""
    found = seen(whole)
    assert found is not None
    height, width = whole.shape
    line = max(whole.shape) / LOOKED_AT
    wanted = (widths[0], height - widths[1], widths[2], width - widths[3])
    for share, side, edge in zip(edges(found), (height, height, width, width), wanted, strict=True):
        assert abs(share * side - edge) <= 1.5 * line


@pytest.mark.parametrize("tone", [3, 16, 236, 252])
@pytest.mark.parametrize(
    "widths", [(30, 40, 25, 60), (0, 0, 30, 30), (40, 0, 0, 50), (12, 12, 12, 12), (0, 45, 45, 0)]
)
def test_the_inner_edge_of_borders_is_found(tone, widths):
    check_edges(bordered(scene(), tone, widths), widths)


@pytest.mark.parametrize("tone", [40, 205])
@pytest.mark.parametrize("widths", [(40, 40, 40, 40), (30, 0, 45, 60), (0, 0, 60, 50)])
def test_gray_mounts_are_found_on_three_sides_or_left_and_right(tone, widths):
    check_edges(bordered(scene(), tone, widths), widths)


def test_a_mount_that_a_lamp_lights_unevenly_is_found():
    whole = bordered(scene() // 2, 150, (50, 45, 60, 40)).astype(float)
    whole += np.linspace(-10, 10, whole.shape[1])
    check_edges(np.rint(whole).clip(0, 255).astype(np.uint8), (50, 45, 60, 40))


def test_a_films_black_rebate_in_white_paper_is_left_out_too():
    rebate = bordered(scene(), 8, (25, 25, 30, 30))
    whole = bordered(rebate, 250, (50, 45, 60, 55))
    check_edges(whole, (75, 70, 90, 85))
    check_edges(bordered(np.full_like(rebate, 120), 250, (50, 45, 60, 55)), (50, 45, 60, 55))


def test_letters_and_notches_in_a_border_do_not_hide_it():
    whole = bordered(scene(), 8, (60, 50, 40, 45))
    cv2.putText(whole, "33480-E", (180, 40), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 240, 3)
    for column in range(100, 500, 130):
        cv2.circle(whole, (column, whole.shape[0] - 6), 12, 250, -1)
    found = seen(whole)
    assert found is not None
    assert edges(found)[0] * whole.shape[0] == pytest.approx(60, abs=4)
    assert edges(found)[3] * whole.shape[1] == pytest.approx(whole.shape[1] - 45, abs=4)


@pytest.mark.parametrize("tone", [4, 250])
@pytest.mark.parametrize("degrees", [-2.5, -1.5, 0.7, 1.5])
def test_of_a_print_that_lies_askew_nothing_is_lost(tone, degrees):
    widths = (70, 70, 70, 70)
    whole = bordered(scene(), tone, widths, grain=0)
    shown = bordered(np.full(scene().shape, 255, np.uint8), 0, widths, grain=0)
    middle = whole.shape[1] / 2, whole.shape[0] / 2
    turn = cv2.getRotationMatrix2D(middle, degrees, 1)

    def turned(image: NDArray[np.uint8], outside: int) -> NDArray[np.uint8]:
        size = image.shape[::-1]
        return np.asarray(
            cv2.warpAffine(image, turn, size, borderMode=cv2.BORDER_CONSTANT, borderValue=outside)
        )

    found = seen(turned(whole, tone))
    assert found is not None
    truth, mask = turned(shown, 0) > 127, found.mask(whole.shape)
    assert (truth & ~mask).sum() < 0.005 * truth.sum()
    assert (mask & ~truth).sum() < 0.02 * truth.sum()
    rows, columns = found.inner(whole.shape)
    assert truth[rows, columns].mean() > 0.999
    outer = np.zeros_like(truth)
    outer[found.region(whole.shape)] = True
    assert not (truth & ~outer).any()


@pytest.mark.parametrize("tone", [4, 252])
def test_a_tower_that_reaches_beyond_a_straight_edge_is_a_part_of_the_picture(tone):
    whole = bordered(scene(), tone, (70, 60, 50, 50))
    whole[40:70, 200:290] = scene()[100:130, 200:290]
    found = seen(whole)
    assert found is not None
    assert edges(found)[0] * whole.shape[0] <= 41
    assert found.mask(whole.shape)[42:, 200:290][:200].all()


@pytest.mark.parametrize(("tone", "fewest"), [(250, 2), (240, 2), (224, 3), (190, 3)])
def test_paper_that_has_aged_is_a_border_on_more_sides(tone, fewest):
    """Off white is also the color of walls and skies, above and below a picture."""
    for sides in (2, 3, 4):
        widths = tuple(40 if side < sides else 0 for side in range(4))
        assert (seen(bordered(scene(), tone, widths)) is not None) == (sides >= fewest)


def test_a_side_of_another_tone_hides_no_border_on_two_others():
    whole = bordered(scene(), 250, (40, 40, 0, 0))
    whole = bordered(whole, 215, (0, 0, 40, 0))
    found = seen(whole)
    assert found is not None
    assert edges(found)[2] == 0
    assert edges(found)[0] > 0.05


def sky_over_sea() -> NDArray[np.uint8]:
    whole = scene()
    whole[:90] = 254
    return whole


def night() -> NDArray[np.uint8]:
    """Black sky and black sides around a lit wall, whose edge is uneven."""
    whole, generator = scene(), np.random.default_rng(1)
    for axis in (0, 1):
        depth = generator.integers(10, 100, whole.shape[1 - axis])
        lines = whole if axis == 0 else whole.T
        lines[np.arange(len(lines))[:, None] < depth] = 4
    return whole


def a_thing_on_white() -> NDArray[np.uint8]:
    whole = np.full((400, 520), 252, np.uint8)
    return cv2.ellipse(whole, (260, 200), (170, 130), 0, 0, 360, 90, -1)


def a_thing_on_gray() -> NDArray[np.uint8]:
    return np.where(a_thing_on_white() > 200, np.uint8(140), np.uint8(70))


def a_road_between_walls() -> NDArray[np.uint8]:
    """A horizon's gray strips above and below."""
    return bordered(scene(), 120, (60, 60, 0, 0))


@pytest.mark.parametrize(
    "picture", [scene, sky_over_sea, night, a_thing_on_white, a_thing_on_gray, a_road_between_walls]
)
def test_what_only_looks_like_a_border_is_none(picture):
    assert seen(picture()) is None


@pytest.mark.parametrize("size", [(1, 1), (20, 20), (8, 300), (64, 400)])
@pytest.mark.parametrize("tone", [0, 255])
def test_a_photograph_of_one_tone_has_no_picture(size, tone):
    assert seen(np.full(size, tone, np.uint8)) is None


def test_a_thin_picture_is_not_taken_for_what_is_left():
    assert seen(bordered(scene(60, 520), 0, (150, 150, 0, 0))) is None


def test_a_region_begins_at_whole_cells_and_loses_no_line_of_the_picture():
    picture = Picture((0.1, 0.1), (0.913, 0.913), (0.07, 0.07))
    for height, width in ((192, 256), (199, 277), (33, 47)):
        rows, columns = picture.region((height, width))
        assert rows.start % STEP == columns.start % STEP == 0
        assert 0 <= 0.1 * height - rows.start < STEP + 1
        assert 0 <= rows.stop - 0.913 * height < 2
        assert columns.stop == width
        mask, inner = picture.mask((height, width)), picture.inner((height, width))
        assert not mask[: rows.start].any()
        assert not mask[rows.stop :].any()
        assert mask[inner].all()


def test_a_mask_grown_by_some_cells_has_these_around_the_picture():
    picture = Picture((0.25, 0.25), (0.75, 0.75), (0.25, 0.25), (0.75, 0.75))
    mask, grown = picture.mask((40, 80)), picture.mask((40, 80), 2)
    assert mask.sum() == 20 * 40
    assert grown.sum() == 24 * 44
    assert (mask <= grown).all()


def test_few_of_the_photographs_that_are_trained_on_have_borders(shared):
    """Most are of cameras and cut. 21 of 3,227 others have borders, of which two at most are walls."""
    with (shared / "data" / "train.csv").open(newline="") as stream:
        paths = [row["path"] for row in csv.DictReader(stream)][1::40]
    found = [
        path
        for path in paths
        if seen(np.asarray(Image.open(shared / "data" / path).convert("L"))) is not None
    ]
    assert len(paths) > 400
    assert len(found) <= 0.015 * len(paths)


def test_films_of_the_thirties_have_black_borders(shared):
    files = sorted((shared / "data" / "legacy").rglob("*.*"))
    found = [file for file in files if seen(np.asarray(Image.open(file).convert("L"))) is not None]
    assert 10 <= len(found) <= 25
