"""Laws of hints: none is lost, none leaves its place, and what is malformed is named."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from tinct.color.hexcolor import color_to_ab
from tinct.errors import ColorError, HintError
from tinct.hints import (
    Hint,
    HintImage,
    Rectangle,
    Stroke,
    Swatch,
    as_hints,
    parse_hint,
    place_hints,
    read_hints,
)

RED, BLUE = "#c83232", "#3246c8"


@given(
    photo=st.tuples(st.integers(1, 4000), st.integers(1, 4000)),
    working=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    place=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    radius=st.floats(0, 300),
)
@settings(max_examples=100, deadline=None)
def test_a_point_colors_the_working_pixel_that_holds_it(photo, working, place, radius):
    x, y = (min(round(p * (n - 1)), n - 1) for p, n in zip(place, photo, strict=True))
    field = place_hints([Hint(x, y, RED, radius)], photo, working)
    # in whole numbers; on the line between two working pixels both hold it
    columns, rows = (
        {(2 * at + 1) * small // (2 * large), ((2 * at + 1) * small - 1) // (2 * large)}
        for at, small, large in ((x, working[0], photo[0]), (y, working[1], photo[1]))
    )
    assert any(field.mask[row, column] for row in rows for column in columns)
    assert field.mask.shape == (working[1], working[0])
    np.testing.assert_array_equal(
        field.ab[field.mask > 0], np.tile(color_to_ab(RED), (int(field.mask.sum()), 1))
    )
    assert not field.ab[field.mask == 0].any()


def test_a_disk_covers_its_area():
    field = place_hints([Hint(100, 100, RED, 40)], (200, 200), (200, 200))
    assert field.mask.sum() == pytest.approx(np.pi * 40**2, rel=0.02)


@pytest.mark.parametrize("end", [(99, 99), (99, 0), (99, 37), (3, 99)])
def test_a_thin_stroke_stays_connected_when_it_shrinks(end):
    from skimage.measure import label

    field = place_hints([Stroke(((0, 0), end), RED, 1)], (100, 100), (23, 23))
    assert label(field.mask > 0, connectivity=2).max() == 1
    assert field.mask[0, 0] == 1
    assert field.mask[int(end[1] * 0.23), int(end[0] * 0.23)] == 1


def test_a_stroke_covers_what_skimage_draws():
    from skimage.draw import polygon2mask

    field = place_hints([Stroke(((20, 30), (70, 60)), RED, 8)], (100, 100), (100, 100))
    along = np.array([50, 30]) / np.hypot(50, 30)
    across = np.array([-along[1], along[0]]) * 4
    corners = [
        np.add(p, s * across)[::-1] for p, s in [((20, 30), 1), ((20, 30), -1), ((70, 60), -1), ((70, 60), 1)]
    ]
    inside = polygon2mask((100, 100), np.array(corners))
    assert np.all(field.mask[inside] == 1)


def test_a_rectangle_covers_the_pixels_it_names():
    field = place_hints([Rectangle((10, 20, 30, 25), BLUE)], (100, 50), (100, 50))
    expected = np.zeros((50, 100))
    expected[20:25, 10:30] = 1
    np.testing.assert_array_equal(field.mask, expected)


@pytest.mark.parametrize("hint", [Rectangle((11, 11, 12, 12), RED), Stroke(((11, 11),), RED, 0)])
def test_what_is_smaller_than_a_working_pixel_still_counts(hint):
    field = place_hints([hint], (1000, 1000), (10, 10))
    assert field.mask.sum() == 1
    assert field.mask[0, 0] == 1


def test_the_later_hint_wins():
    field = place_hints([Rectangle((0, 0, 10, 10), RED), Hint(5, 5, BLUE)], (10, 10), (10, 10))
    np.testing.assert_array_equal(field.ab[5, 5], color_to_ab(BLUE))
    np.testing.assert_array_equal(field.ab[0, 0], color_to_ab(RED))


IMAGE = HintImage(np.full((10, 10, 4), (0, 0, 255, 255), np.uint8))


@pytest.mark.parametrize(
    "hidden", [Hint(5, 5, RED, 2), Rectangle((3, 3, 8, 8), RED), Stroke(((3, 5), (7, 5)), RED, 2)]
)
@pytest.mark.parametrize("over", [Rectangle((0, 0, 10, 10), BLUE), Stroke(((0, 5), (9, 5)), BLUE, 12), IMAGE])
def test_a_hint_that_is_painted_over_is_no_item(hidden, over):
    assert (
        place_hints([hidden, over], (10, 10), (10, 10)).points
        == place_hints([over], (10, 10), (10, 10)).points
    )


def test_of_a_hint_that_is_painted_over_in_part_the_rest_is_an_item():
    field = place_hints([Rectangle((0, 0, 10, 10), RED), Rectangle((5, 0, 10, 10), BLUE)], (10, 10), (10, 10))
    assert [(item.x, item.y) for item in field.points] == [(2, 4.5), (7, 4.5)]
    assert [item.ab for item in field.points] == [pytest.approx(color_to_ab(c)) for c in (RED, BLUE)]
    disk = place_hints([Hint(5, 5, RED, 3), Rectangle((5, 0, 10, 10), BLUE)], (10, 10), (10, 10)).points[0]
    assert disk.x < 4
    assert disk.ab == pytest.approx(color_to_ab(RED))


def test_a_hint_image_that_is_smaller_than_the_working_size_has_no_gaps():
    rgba = np.zeros((4, 6, 4), np.uint8)
    rgba[1:3, 2:4] = (200, 50, 50, 255)
    field = place_hints([HintImage(rgba)], (600, 400), (90, 60))
    expected = np.zeros((60, 90))
    expected[15:45, 30:60] = 1
    np.testing.assert_array_equal(field.mask, expected)


def test_a_hint_image_that_is_painted_on_later_stays_as_it_was():
    rgba = np.full((10, 10, 4), (255, 0, 0, 255), np.uint8)
    image = HintImage(rgba)
    rgba[:] = 0
    assert place_hints([image], (10, 10), (10, 10)).mask.all()


def test_a_gray_hint_is_a_hint():
    field = place_hints([(5, 5, "#808080")], (10, 10), (10, 10))
    assert field
    assert not field.ab.any()
    assert field.points[0].ab == (0, 0)


def test_a_long_stroke_becomes_several_items_that_cover_it():
    field = place_hints([Stroke(((0, 50), (99, 50)), RED, 2)], (100, 100), (100, 100))
    assert len(field.points) > 4
    xs = sorted(item.x for item in field.points)
    assert max(np.diff(xs)) <= 17
    assert all(item.ab == pytest.approx(tuple(color_to_ab(RED)), abs=1e-4) for item in field.points)


def test_a_point_is_one_item_at_its_exact_place():
    (item,) = place_hints([Hint(10, 20, RED)], (100, 100), (50, 50)).points
    assert (item.x, item.y, item.radius) == (4.75, 9.75, 0.5)


def test_swatches_come_in_working_pixels_of_their_own_image():
    swatch = Swatch((10, 10, 30, 20), (0, 0, 100, 50), 1)
    field = place_hints([swatch], (100, 50), (50, 25), [((8, 8), (8, 8)), ((200, 100), (100, 50))])
    assert field.swatches == (Swatch((5, 5, 15, 10), (0, 0, 50, 25), 1),)
    assert not field


def test_a_swatch_keeps_one_pixel_at_least():
    (swatch,) = place_hints(
        [Swatch((0, 0, 1, 1), (99, 99, 100, 100))], (100, 100), (5, 5), [((100, 100), (5, 5))]
    ).swatches
    assert swatch.target_box == (0, 0, 1, 1)
    assert swatch.reference_box == (4, 4, 5, 5)


def painted(size: tuple[int, int], *lines: tuple[tuple[int, ...], str, int]) -> HintImage:
    image = Image.new("RGBA", size)
    draw = ImageDraw.Draw(image)
    for line, color, width in lines:
        draw.line(line, color, width)
    return HintImage(np.asarray(image))


def test_painted_strokes_keep_their_places_and_colors():
    image = painted((400, 200), ((20, 40, 380, 40), RED, 9), ((20, 160, 380, 160), "#808080", 9))
    field = place_hints([image], (400, 200), (100, 50))
    assert set(np.flatnonzero(field.mask.any(axis=1))) <= {8, 9, 10, 11, 38, 39, 40, 41}
    np.testing.assert_allclose(field.ab[10, 50], color_to_ab(RED), atol=1e-3)
    assert field.mask[40, 50] == 1
    assert not field.ab[40, 50].any()


def test_a_painted_line_of_one_pixel_survives():
    field = place_hints([painted((1000, 800), ((0, 0, 999, 799), RED, 1))], (1000, 800), (50, 40))
    assert field.mask.any(axis=0).all()


def test_a_painted_picture_may_have_another_size_of_the_same_proportions():
    image = painted((200, 100), ((10, 50, 190, 50), RED, 6))
    field = place_hints([image], (4000, 2000), (100, 50))
    np.testing.assert_allclose(field.ab[25, 50], color_to_ab(RED), atol=1e-3)
    with pytest.raises(HintError, match="same proportions"):
        place_hints([image], (100, 200), (50, 100))


@pytest.mark.parametrize(
    ("hint", "says"),
    [
        ((100, 5, RED), "outside the photograph of 100x50"),
        ((-1, 5, RED), "outside"),
        ((5, 50, RED), "outside"),
        ((float("nan"), 5, RED), "not a number"),
        (Rectangle((100, 0, 120, 10), RED), "outside"),
        (Rectangle((5, 5, 5, 9), RED), "empty"),
        (Stroke((), RED), "no points"),
        (Stroke(((500, 500), (600, 600)), RED), "outside"),
        (Stroke(((5, float("inf")),), RED), "not a number"),
        (Stroke(((5, 5), (1e308, 5)), RED), "coordinate 1e\\+308, which no photograph has"),
        (Rectangle((-1e200, -1e200, 1e200, 1e200), RED), "which no photograph has"),
        (Swatch((0, 0, 5, 5), (0, 0, 5, 5), 1), "names reference 1"),
        (HintImage(np.zeros((50, 100, 4), np.uint8)), "transparent everywhere"),
    ],
)
def test_what_cannot_be_placed_is_named(hint, says):
    with pytest.raises(HintError, match=says) as error:
        place_hints([hint], (100, 50), (20, 10))
    assert "\n" not in str(error.value)


def test_a_stroke_may_begin_outside():
    assert place_hints([Stroke(((-20, 10), (20, 10)), RED)], (100, 50), (100, 50)).mask[10, 0] == 1


def test_a_malformed_color_is_named():
    with pytest.raises(ColorError, match="mauve"):
        place_hints([(5, 5, "mauve")], (100, 50), (20, 10))


@pytest.mark.parametrize("bad", [(1, 2), "1,2=#fff", 7, [("a", "b", "#fff")], [object()], (1, 2, 3)])
def test_what_is_not_a_hint_is_named(bad):
    with pytest.raises(HintError):
        as_hints(bad)


@pytest.mark.parametrize(
    ("text", "x", "y"),
    [
        ("120,80=#aabbcc", 120, 80),
        ("0%,100%=#abc", 0, 49),
        ("50%,10=#aabbcc", 49.5, 10),
        (" 1.5 , 2.25 = #ABC ", 1.5, 2.25),
        (".5,3.=#abc", 0.5, 3),
    ],
)
def test_a_hint_is_read_in_pixels_and_percent(text, x, y):
    hint = parse_hint(text, (100, 50))
    assert (hint.x, hint.y) == (pytest.approx(x), pytest.approx(y))


@pytest.mark.parametrize(
    "text", ["", "1,2", "1=#fff", "1,2,3=#fff", "a,b=#fff", "1;2=#fff", "nan,1=#fff", "1e3,1=#fff"]
)
def test_a_malformed_hint_is_named(text):
    with pytest.raises(HintError, match="is not a hint"):
        parse_hint(text, (100, 50))


def test_json_holds_every_kind(tmp_path: Path):
    content: dict[str, Any] = {
        "points": [{"x": 1, "y": "50%", "color": "#fff", "radius": 2}, [3, 4, "#000"]],
        "strokes": [{"points": [[0, 0], ["100%", 10]], "color": RED, "width": 3}],
        "rectangles": [{"box": ["0%", 0, "100%", 5], "color": BLUE}],
        "swatches": [{"target_box": [0, 0, 5, 5], "reference_box": [1, 2, 3, 4], "reference": 1}],
    }
    path = tmp_path / "hints.json"
    path.write_text(json.dumps(content))
    assert read_hints(path, (101, 51)) == (
        Hint(1, 25, "#fff", 2),
        Hint(3, 4, "#000"),
        Stroke(((0, 0), (100, 10)), RED, 3),
        Rectangle((0, 0, 101, 5), BLUE),
        Swatch((0, 0, 5, 5), (1, 2, 3, 4), 1),
    )


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"{", "is not JSON"),
        (b'{"dots": []}', "'dots'"),
        (b'{"points": {}}', "not a list"),
        (b'{"points": [{"x": 1, "y": 2}]}', "no 'color'"),
        (b'{"points": [{"x": "left", "y": 2, "color": "#fff"}]}', "not a coordinate"),
        (b'{"points": [7]}', "number 1 of points"),
        (b'{"points": [{"x": 1, "y": 2, "color": "#fff", "radius": -1}]}', "radius"),
        (b'{"strokes": [{"points": [[1]], "color": "#fff"}]}', "not a point"),
        (b'{"rectangles": [{"box": [1, 2, 3], "color": "#fff"}]}', "not a box"),
        (b'{"swatches": [{"target_box": [0,0,1,1], "reference_box": ["0%",0,1,1]}]}', "percent"),
        (b"not a picture", "neither a picture nor JSON"),
        (b"", "neither a picture nor JSON"),
    ],
)
def test_a_file_of_hints_that_is_not_understood_is_named(data, says):
    with pytest.raises(HintError, match=says) as error:
        read_hints(data, (100, 50))
    assert "\n" not in str(error.value)


def test_a_missing_file_of_hints_is_named(tmp_path: Path):
    with pytest.raises(HintError, match=r"nothing.json: cannot be read"):
        read_hints(tmp_path / "nothing.json", (10, 10))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_a_transparent_picture_is_read_in_any_mode(mode):
    image = Image.new("RGBA", (20, 10))
    image.putpixel((3, 4), (128, 128, 128, 255))
    stream = io.BytesIO()
    if mode == "P":
        image = image.quantize(4)
    image.convert(mode).save(stream, "PNG")
    (hint,) = read_hints(stream.getvalue(), (20, 10))
    assert isinstance(hint, HintImage)
    assert place_hints([hint], (20, 10), (20, 10)).mask.sum() == 1


def test_a_picture_without_transparency_is_refused():
    stream = io.BytesIO()
    Image.new("RGB", (20, 10)).save(stream, "PNG")
    with pytest.raises(HintError, match="no transparency"):
        read_hints(stream.getvalue(), (20, 10))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_json_as_windows_saves_it_is_read(encoding: str) -> None:
    text = '{"points": [{"x": 3, "y": 4, "color": "#aabbcc"}]}'
    data = text.encode(encoding)
    data = b"\xfe\xff" + data if encoding == "utf-16-be" else data
    (hint,) = read_hints(data, (80, 64))
    assert (hint.x, hint.y, hint.color) == (3, 4, "#aabbcc")


def picture_file(kind: str, array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, kind)
    return stream.getvalue()


def test_strokes_without_transparency_are_called_that() -> None:
    white = np.full((9, 9, 4), 255, np.uint8)
    for data in (picture_file("JPEG", white[..., :3]), picture_file("PNG", white[..., :3])):
        with pytest.raises(HintError, match="no transparency"):
            read_hints(data, (9, 9))
    with pytest.raises(HintError, match="opaque everywhere"):
        read_hints(picture_file("PNG", white), (9, 9))


def test_long_values_are_cut_in_messages() -> None:
    with pytest.raises(HintError) as caught:
        read_hints(('{"points": [{"x": "' + "é" * 5000 + '", "y": 1, "color": "#abc"}]}').encode(), (9, 9))
    assert len(str(caught.value)) <= 200


@pytest.mark.parametrize(
    ("kind", "item", "wrong"),
    [
        ("points", {"x": 1, "y": 2, "color": RED, "raduis": 3}, "raduis"),
        ("strokes", {"points": [[1, 2]], "color": RED, "Width": 3}, "Width"),
        ("rectangles", {"box": [0, 0, 5, 5], "color": RED, "radius": 3}, "radius"),
        ("swatches", {"target_box": [0, 0, 5, 5], "reference_box": [0, 0, 5, 5], "weight": 1}, "weight"),
    ],
)
def test_a_name_that_a_hint_does_not_have_is_said(kind: str, item: dict[str, Any], wrong: str):
    with pytest.raises(HintError, match=f"number 1 of {kind} has '{wrong}', which is not understood"):
        read_hints(json.dumps({kind: [item]}).encode(), (20, 20))


def test_hints_of_a_file_are_in_the_order_that_they_say():
    box = {"box": [0, 0, 20, 20], "color": BLUE, "order": 0}
    written = {"points": [{"x": 5, "y": 5, "color": RED, "order": 1}], "rectangles": [box]}
    hints = read_hints(json.dumps(written).encode(), (20, 20))
    assert [type(hint) for hint in hints] == [Rectangle, Hint]
    np.testing.assert_allclose(place_hints(hints, (20, 20), (20, 20)).ab[5, 5], color_to_ab(RED), atol=1e-4)
    del written["points"][0]["order"], box["order"]
    assert [type(hint) for hint in read_hints(json.dumps(written).encode(), (20, 20))] == [Hint, Rectangle]
    for wrong in ("first", True, None, 1e400):
        box["order"] = wrong
        with pytest.raises(HintError, match="order"):
            read_hints(json.dumps(written).encode(), (20, 20))


def strokes(kind: str, pages: int = 1) -> bytes:
    """Pictures of one opaque stroke on nothing, in a file of a format."""
    rgba = np.zeros((12, 16, 4), np.uint8)
    rgba[4:6, 3:9] = (60, 140, 90, 255)
    stream = io.BytesIO()
    more = (
        {"save_all": True, "append_images": [Image.fromarray(rgba[::-1].copy())] * (pages - 1)}
        if pages > 1
        else {}
    )
    Image.fromarray(rgba).save(stream, kind, **more)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG2000"])
def test_strokes_are_read_from_formats_with_transparency(kind: str) -> None:
    (hint,) = read_hints(strokes(kind), (16, 12))
    assert isinstance(hint, HintImage)
    assert np.argwhere(hint.rgba[..., 3]).min(axis=0).tolist() == [4, 3]


@pytest.mark.parametrize("kind", ["TIFF", "GIF", "WEBP"])
def test_strokes_in_several_pictures_are_refused(kind: str) -> None:
    """Programs save layers as pages: all but the first would be lost without a word."""
    with pytest.raises(HintError, match="several pictures; save the layer of strokes alone"):
        read_hints(strokes(kind, pages=2), (16, 12))
