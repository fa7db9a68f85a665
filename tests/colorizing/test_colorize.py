"""Laws of the one path: what goes in comes out of the same kind, hints win, and doors agree."""

from __future__ import annotations

import inspect
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from PIL import Image
from skimage import data

import tinct
from installed_methods import EVERY_METHOD
from tinct.color.difference import ciede2000
from tinct.color.gamut import fit_gamut
from tinct.color.hexcolor import color_to_ab
from tinct.color.lab import rgb_to_lab, rgb_to_lightness
from tinct.colorizing.colorizer import Colorizer, colorize
from tinct.errors import ColorError, HintError, MethodError, OptionError, PhotoError, ReferencePhotoError
from tinct.hints import Hint, HintField, HintImage, Rectangle, Stroke, Swatch
from tinct.methods import METHODS, Method, Prediction, get_method
from tinct.methods.selection import choose_method
from tinct.photo import Photo

RED, GREEN = "#b43c32", "#3c9650"


@pytest.fixture(scope="module")
def color() -> np.ndarray:
    return np.ascontiguousarray(data.coffee()[:160, 100:340])


@pytest.fixture(scope="module")
def gray(color) -> np.ndarray:
    return np.rint(color @ [0.2126, 0.7152, 0.0722]).astype(np.uint8)


@pytest.fixture
def png(gray, tmp_path) -> Path:
    path = tmp_path / "photo.png"
    Image.fromarray(gray).save(path)
    return path


class Painter(Method):
    """A method that paints everything one color, counts its calls and remembers what it was given."""

    name: ClassVar[str] = "painter"
    summary: ClassVar[str] = "paints"
    source: ClassVar[str] = "this test"
    needs_reference: ClassVar[bool] = False
    needs_hints: ClassVar[bool] = False
    honors_hints: ClassVar[bool] = False
    working_size: ClassVar[int] = 64
    uses_swatches: ClassVar[bool] = True
    calls: ClassVar[list[Any]] = []

    def predict(self, lightness, hints, references, *, seed=0):
        self.calls.append((lightness, hints, references, seed))
        ab = np.zeros((*lightness.shape, 2), np.float32) + np.float32([10, 20])
        return Prediction(ab, np.full(lightness.shape, 0.5, np.float32))


@pytest.fixture
def painter(monkeypatch) -> type[Painter]:
    monkeypatch.setitem(METHODS, "painter", f"{__name__}:Painter")
    Painter.calls.clear()
    return Painter


def test_the_same_kind_comes_back(gray, png, painter):
    image = Image.fromarray(gray)
    assert isinstance(colorize(png, method="painter"), Photo)
    assert isinstance(colorize(str(png), method="painter"), Photo)
    assert isinstance(colorize(Photo.read(png), method="painter"), Photo)
    assert isinstance(colorize(image, method="painter"), Image.Image)
    assert isinstance(colorize(png.read_bytes(), method="painter"), bytes)
    for dtype in (np.uint8, np.uint16, np.float32, np.float64):
        scale = {np.uint8: 1, np.uint16: 257}.get(dtype, 1 / 255)
        out = colorize((gray.astype(np.float64) * scale).astype(dtype), method="painter")
        assert out.dtype == dtype
        assert out.shape == (*gray.shape, 3)


def test_all_kinds_give_the_same_pixels(gray, png, painter):
    array = colorize(gray, method="painter")
    np.testing.assert_array_equal(colorize(png, method="painter").to_array(), array)
    np.testing.assert_array_equal(np.asarray(colorize(Image.fromarray(gray), method="painter")), array)
    encoded = colorize(png.read_bytes(), method="painter")
    np.testing.assert_array_equal(np.asarray(Image.open(BytesIO(encoded))), array)


def test_bytes_keep_their_format(gray, painter):
    stream = BytesIO()
    Image.fromarray(gray).save(stream, "JPEG", quality=95)
    assert Image.open(BytesIO(colorize(stream.getvalue(), method="painter"))).format == "JPEG"


def test_alpha_passes_through(gray, painter):
    alpha = np.arange(gray.size, dtype=np.uint8).reshape(gray.shape)
    out = colorize(np.dstack([gray, gray, gray, alpha]), method="painter")
    np.testing.assert_array_equal(out[..., 3], alpha)


def test_a_path_writes_nothing(png, painter):
    before = png.read_bytes()
    colorize(png, method="painter")
    assert [p.name for p in png.parent.iterdir()] == ["photo.png"]
    assert png.read_bytes() == before


def test_bytes_of_a_tiff_keep_all_pages_as_the_command_line_does(gray, tmp_path):
    """Hints are for every page, and in percent for pages of other sizes."""
    import tifffile

    from tinct.cli import run

    photo, hints, out = (tmp_path / name for name in ("pages.tif", "hints.json", "out.tif"))
    with tifffile.TiffWriter(photo) as writer:
        for page in (gray, 255 - gray[:80, :90]):
            writer.write(page, photometric="minisblack", metadata=None)
    hints.write_text('{"points": [{"x": "50%", "y": "90%", "color": "#3366aa", "radius": 3}]}')
    assert run(["colorize", str(photo), "--hints", str(hints), "-m", "levin", "-o", str(out)]) == 0
    assert colorize(photo.read_bytes(), hints=hints, method="levin") == out.read_bytes()
    assert colorize(bytearray(photo.read_bytes()), hints=hints, method="levin") == out.read_bytes()


def test_same_input_options_and_seed_give_the_same_bytes(gray, color):
    one, other = (colorize(gray, color, [(30, 30, RED)], method="welsh", seed=3) for _ in range(2))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("method", EVERY_METHOD)
def test_every_method_answers_through_the_path(method, gray, color):
    chosen = get_method(method)
    reference = color[:, ::-1] if chosen.needs_reference else None
    hints = [(30, 30, RED), (200, 100, GREEN)] if chosen.needs_hints else None
    out = colorize(gray, reference, hints, method=method, size=64)
    lab = rgb_to_lab(out)
    assert np.hypot(lab[..., 1], lab[..., 2]).mean() > 3


@pytest.mark.parametrize("method", EVERY_METHOD)
def test_a_hint_is_met_exactly_with_every_method(method, gray, color):
    reference = color if get_method(method).uses_references else None
    big = np.asarray(Image.fromarray(gray).resize((960, 640), Image.Resampling.BICUBIC))
    hints = [Hint(101, 97, RED), Hint(500, 333, GREEN), Hint(731, 600, "#808080"), Hint(0, 639, "#5064c8")]
    lab = rgb_to_lab(colorize(big, reference, hints, method=method, size=64))
    lightness = rgb_to_lightness(np.repeat(big[..., None], 3, axis=2))
    for hint in hints:
        at = int(hint.y), int(hint.x)
        wanted = [lightness[at], *fit_gamut(lightness[at], color_to_ab(hint.color))]
        assert ciede2000(lab[at], np.array(wanted)) < 2


@pytest.mark.parametrize("method", ["levin", "tinct"])
@pytest.mark.parametrize(
    "over",
    [
        Rectangle((100, 100, 300, 300), GREEN),
        Stroke(((100, 200), (300, 200)), GREEN, 80),
        Stroke(((200, 200),), GREEN, 80),
        Hint(200, 200, GREEN, 40),
        HintImage(np.full((40, 60, 4), (60, 150, 80, 255), np.uint8)),
    ],
)
def test_a_point_that_is_painted_over_leaves_no_trace(method, over, gray):
    large = np.repeat(np.repeat(gray, 3, 0), 3, 1)
    alone, both = Colorizer(large, method=method), Colorizer(large, method=method)
    alone.add_hint(over)
    both.add_hint(Hint(205, 203, RED))
    both.add_hint(over)
    np.testing.assert_array_equal(both.render().to_array(), alone.render().to_array())
    np.testing.assert_array_equal(both.preview(256), alone.preview(256))
    both.add_hint(Hint(205, 203, RED))  # over it, it shows
    assert (both.render().to_array() != alone.render().to_array()).any()


def test_neighboring_points_keep_their_own_colors(gray, painter):
    hints = [Hint(100, 80, RED), Hint(103, 80, GREEN), Hint(101, 83, "#3246c8")]
    lab = rgb_to_lab(colorize(gray, None, hints, method="painter", size=32))
    for hint in hints:
        got, wanted = lab[int(hint.y), int(hint.x)], color_to_ab(hint.color)
        assert ciede2000(got, np.array([got[0], *fit_gamut(got[0], wanted)])) < 2


def test_a_hint_spreads_into_its_surroundings_and_not_over_an_edge(painter):
    picture = np.full((80, 120), 90, np.uint8)
    picture[:, 60:] = 170
    lab = rgb_to_lab(colorize(picture, None, [(20, 40, GREEN)], method="painter"))
    green = color_to_ab(GREEN)
    base = np.float32([10, 20])
    near, far = lab[30:50, 10:30, 1:], lab[:, 70:, 1:]
    assert np.linalg.norm(near - green, axis=-1).max() < 0.35 * np.linalg.norm(base - green)
    assert np.linalg.norm(far - base, axis=-1).max() < 0.35 * np.linalg.norm(base - green)


@pytest.mark.parametrize("method", ["reinhard", "histogram", "welsh", "gupta", "pierre"])
def test_hints_win_over_every_reference_method(method, gray, color):
    plain = rgb_to_lab(colorize(gray, color, method=method, size=64))
    hinted = rgb_to_lab(
        colorize(gray, color, [Stroke(((10, 10), (60, 20)), "#2850c8", 8)], method=method, size=64)
    )
    blue = color_to_ab("#2850c8")
    before, after = (np.linalg.norm(lab[12:20, 30:50, 1:] - blue, axis=-1).mean() for lab in (plain, hinted))
    assert after < 0.35 * before


def test_strength_scales_chroma_down_to_neutral(gray, painter):
    full, half = (rgb_to_lab(colorize(gray, method="painter", strength=s)) for s in (1.0, 0.5))
    middle = (full[..., 0] > 30) & (full[..., 0] < 80)
    np.testing.assert_allclose(half[middle, 1:], full[middle, 1:] / 2, atol=1.2)  # a step of blue is 1 of b*
    none = colorize(gray, method="painter", strength=0.0)
    np.testing.assert_array_equal(none, np.repeat(gray[..., None], 3, axis=2))


def test_strength_above_one_saturates_and_keeps_lightness(gray, painter):
    full, strong = (rgb_to_lab(colorize(gray, method="painter", strength=s)) for s in (1.0, 1.5))
    middle = (full[..., 0] > 40) & (full[..., 0] < 70)
    grown = np.linalg.norm(strong[middle, 1:], axis=-1) / np.linalg.norm(full[middle, 1:], axis=-1)
    assert 1.3 < np.median(grown) <= 1.55
    np.testing.assert_allclose(strong[..., 0], full[..., 0], atol=0.5)


def test_chroma_only_has_one_lightness(gray, painter):
    lightness = rgb_to_lightness(colorize(gray, method="painter", chroma_only=True))
    np.testing.assert_allclose(lightness, 50, atol=0.3)


def test_size_is_what_the_method_sees(gray, painter):
    colorize(gray, method="painter")
    colorize(gray, method="painter", size=48)
    assert [call[0].shape for call in painter.calls] == [(43, 64), (32, 48)]


def test_several_references_reach_the_method(gray, color, painter):
    colorize(gray, [color, Image.fromarray(color[:80])], method="painter")
    assert [ref.lightness.shape for ref in painter.calls[0][2]] == [(43, 64), (21, 64)]


def test_swatches_reach_the_method_in_working_pixels(gray, color, painter):
    swatch = Swatch((0, 0, 120, 80), (0, 0, 240, 160))
    colorize(gray, color, [swatch], method="painter", size=60)
    (call,) = painter.calls
    assert call[1].swatches == (Swatch((0, 0, 30, 20), (0, 0, 60, 40)),)


def test_swatches_choose_the_method_that_uses_them(gray, color):
    swatch = Swatch((0, 0, 120, 80), (0, 0, 240, 160))
    assert Colorizer(gray, color, [swatch]).method.name == "welsh"
    with pytest.raises(MethodError, match="gupta makes no use of swatches"):
        colorize(gray, color, [swatch], method="gupta")


@pytest.mark.parametrize(
    ("given", "name"),
    [((True, False), "gupta"), ((True, True), "gupta"), ((False, True), "levin")],
)
def test_the_method_follows_what_is_given(given, name, monkeypatch):
    monkeypatch.delitem(METHODS, "tinct", raising=False)
    assert choose_method(None, *given).name == name


def test_without_anything_to_go_by_it_says_so(gray, monkeypatch):
    monkeypatch.delitem(METHODS, "tinct", raising=False)
    with pytest.raises(MethodError, match="neither a reference nor a hint"):
        colorize(gray)


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"method": "welsh"}, MethodError, "welsh takes its colors from a reference"),
        ({"method": "levin"}, MethodError, "levin spreads hints"),
        ({"method": "vivid"}, MethodError, "no method is called 'vivid'"),
        ({"hints": [(240, 0, RED)]}, HintError, "outside the photograph of 240x160"),
        ({"hints": [(1, 1, "red")]}, ColorError, "'red'"),
        ({"hints": [(1, 1, RED)], "size": 5}, OptionError, "size is 5"),
        ({"hints": [(1, 1, RED)], "size": "64"}, OptionError, "size is '64'"),
        ({"hints": [(1, 1, RED)], "size": 64.5}, OptionError, "size is 64.5"),
        ({"hints": [(1, 1, RED)], "strength": 2.5}, OptionError, "strength is 2.5"),
        ({"hints": [(1, 1, RED)], "strength": None}, OptionError, "strength is None"),
        ({"hints": [(1, 1, RED)], "vividness": float("nan")}, OptionError, "vividness is nan"),
        ({"hints": [(1, 1, RED)], "seed": -1}, OptionError, "seed is -1"),
        ({"hints": [(1, 1, RED)], "method": 3}, OptionError, "method is 3"),
        ({"hints": [(1, 1, RED, -3)]}, HintError, "radius of -3"),
        ({"hints": [(1, 1, RED)], "sise": 64}, OptionError, "'sise' is not an option"),
        ({"hints": [(1, 1, RED)], "reference": "nothing.jpg"}, PhotoError, r"nothing\.jpg"),
    ],
)
def test_what_cannot_be_done_is_named(arguments, error, says, gray):
    with pytest.raises(error, match=says) as raised:
        colorize(gray, **arguments)
    assert "\n" not in str(raised.value)


def test_a_reference_that_levin_would_ignore_is_refused(gray, color):
    with pytest.raises(MethodError, match="no use of a reference"):
        colorize(gray, color, [(1, 1, RED)], method="levin")


@pytest.mark.parametrize("tint", [(1, 1, 1), (1.0, 0.85, 0.62)])
def test_a_gray_or_toned_reference_is_refused(gray, tint):
    reference = np.clip(gray[..., None] * np.float32(tint), 0, 255).astype(np.uint8)
    with pytest.raises(ReferencePhotoError, match="reference 1 is gray"):
        colorize(gray, reference)


@pytest.mark.parametrize("photo", [None, 7, object(), [1, 2]])
def test_what_is_not_a_photograph_is_named(photo):
    with pytest.raises(PhotoError):
        colorize(photo, hints=[(0, 0, RED)])


def test_editing_step_by_step_equals_doing_it_at_once(gray, color):
    at_once = colorize(gray, color, [(50, 50, RED), Rectangle((0, 0, 20, 20), GREEN)], method="reinhard")
    colorizer = Colorizer(method="reinhard")
    colorizer.set_photo(gray)
    colorizer.set_references([color])
    number = colorizer.add_hint((10, 100, "#0000ff"))
    colorizer.add_hint((50, 50, RED))
    colorizer.predict()
    colorizer.remove_hint(number)
    colorizer.add_hint(Rectangle((0, 0, 20, 20), GREEN))
    np.testing.assert_array_equal(colorizer.render().to_array(), at_once)


def test_an_edit_does_not_ask_the_method_again(gray, painter):
    colorizer = Colorizer(gray, method="painter")
    for place in (10, 40, 70):
        colorizer.add_hint((place, place, RED))
        colorizer.predict()
    colorizer.clear_hints()
    colorizer.predict()
    assert len(painter.calls) == 1
    assert not painter.calls[0][1]


def test_what_changes_the_answer_asks_the_method_again(gray, color, painter):
    colorizer = Colorizer(gray, method="painter")
    changes = [
        lambda: colorizer.set_options(seed=1),
        lambda: colorizer.set_options(size=40),
        lambda: colorizer.set_references(color),
        lambda: colorizer.set_photo(gray[:100]),
    ]
    colorizer.predict()
    for n, change in enumerate(changes):
        change()
        colorizer.predict()
        assert len(painter.calls) == n + 2


def test_a_new_photograph_drops_the_hints(gray, painter):
    colorizer = Colorizer(gray, hints=[(200, 100, RED)], method="painter")
    colorizer.set_photo(gray[:50, :50])
    assert colorizer.hints == {}
    assert colorizer.render().width == 50


def test_a_refused_hint_leaves_no_trace(gray):
    colorizer = Colorizer(gray)
    with pytest.raises(HintError):
        colorizer.add_hint((1000, 1000, RED))
    with pytest.raises(HintError, match="no hint number 5"):
        colorizer.remove_hint(5)
    assert colorizer.hints == {}


def test_without_a_photograph_it_says_so():
    with pytest.raises(PhotoError, match="set_photo"):
        Colorizer(method="levin").add_hint((1, 1, RED))


def test_hints_are_read_from_a_file(gray, png, tmp_path, painter):
    path = tmp_path / "hints.json"
    path.write_text('{"points": [{"x": "50%", "y": "50%", "color": "#b43c32"}]}')
    by_file = colorize(png, hints=path, method="painter").to_array()
    np.testing.assert_array_equal(by_file, colorize(gray, None, [(119.5, 79.5, RED)], method="painter"))


def test_a_written_result_says_how_it_was_made(png, tmp_path, painter):
    path = tmp_path / "out.png"
    colorize(png, method="painter").write(path)
    assert b"method painter" in path.read_bytes()
    assert b"method painter" in colorize(png.read_bytes(), method="painter")


def test_the_function_can_be_called_however_it_was_imported():
    assert callable(tinct.colorize)
    assert inspect.signature(tinct.Colorizer)
    assert HintField.empty(2, 3).mask.shape == (2, 3)
