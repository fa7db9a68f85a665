"""Laws of notes: what was asked for and cannot be had is said, and nothing is said where all is well."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import color
from skimage import data as pictures

from tinct.color.gamut import fit_gamut
from tinct.color.lab import lab_to_rgb
from tinct.colorizing.colorizer import Colorizer
from tinct.colorizing.unmet import doubts, turned_hues, unmet_wishes
from tinct.hints import Hint, HintImage
from tinct.methods.turned_hues import turned
from tinct.networks.xu2020 import method as xu2020
from tinct.photo import Photo

GRAY = Photo.from_array(np.repeat(np.array([[10, 128, 240]], np.uint8), 4, axis=0))


def test_color_that_does_not_exist_at_its_lightness_is_named_with_the_nearest() -> None:
    (note,) = unmet_wishes(GRAY, [Hint(0, 1, "#00ff00")])
    assert "#00ff00" in note
    assert note.count("#") == 2


def test_color_that_exists_is_not_mentioned() -> None:
    assert unmet_wishes(GRAY, [Hint(1, 1, "#8c7a6b"), Hint(2, 2, "#f4f0ea")]) == []


def test_strokes_over_all_are_mentioned() -> None:
    rgba = np.full((10, 10, 4), 255, np.uint8)
    rgba[0, :5, 3] = 0
    (note,) = unmet_wishes(GRAY, [HintImage(rgba)])
    assert "95%" in note


def test_colors_of_the_photograph_are_mentioned() -> None:
    assert unmet_wishes(Photo.from_array(pictures.astronaut()), []) == [
        "it has colors of its own, which are replaced"
    ]
    toned = (np.linspace(0, 1, 64)[:, None, None] * np.ones((64, 64, 1)) * (1, 0.9, 0.75)).astype(np.float32)
    assert unmet_wishes(Photo.from_array(toned), []) == []


ROCKET = pictures.rocket()


@pytest.mark.parametrize("method", ["tinct", "he2018", "xu2020"])
def test_reference_of_something_else_is_named_with_its_likeness(method: str) -> None:
    gray = color.rgb2gray(pictures.astronaut())
    colorizer = Colorizer(gray, [pictures.astronaut()[:, ::-1].copy(), ROCKET], method=method)
    (note,) = colorizer.render().notes
    assert note.startswith("reference 2 does not fit the photograph (likeness ")
    assert colorizer.unmet_wishes() == [note]


def test_reference_is_not_doubted_with_more_trust_or_without_weight() -> None:
    gray = color.rgb2gray(pictures.astronaut())
    colorizer = Colorizer(gray, ROCKET, trust=1.0)
    (note,) = colorizer.unmet_wishes()
    assert note.startswith("the reference does not fit the photograph (likeness ")
    colorizer.set_options(trust=2.0)
    assert colorizer.unmet_wishes() == []
    colorizer.set_options(trust=1.0)
    colorizer.set_references([ROCKET], [0.0])
    assert colorizer.unmet_wishes() == []


def test_method_that_never_doubts_says_nothing_of_references() -> None:
    assert Colorizer(color.rgb2gray(pictures.astronaut()), ROCKET, method="reinhard").unmet_wishes() == []


@pytest.mark.parametrize("method", ["tinct", "he2018", "xu2020"])
def test_the_same_picture_is_never_doubted(method: str) -> None:
    gray, same = color.rgb2gray(pictures.astronaut()), pictures.astronaut()
    for trust in (0.0, 1.0, 3.0):
        assert Colorizer(gray, same, method=method, trust=trust).unmet_wishes() == []


@pytest.mark.parametrize("method", ["tinct", "xu2020"])
def test_turned_hues_are_told_and_followed_unless_nothing_is_trusted(method: str) -> None:
    small = pictures.astronaut()[::2, ::2]
    lab = color.rgb2lab(small)
    lab[..., 1:] = turned(lab[..., 1:], 2 * np.pi / 3)
    given = fit_gamut(lab[..., 0], lab[..., 1:])[:, ::-1]
    reference = (255 * lab_to_rgb(np.concatenate([lab[:, ::-1, :1], given], -1))).round().astype(np.uint8)
    colorizer = Colorizer(color.rgb2gray(small), reference, method=method)
    (note,) = colorizer.render().notes
    assert note.startswith("the reference's hues are turned as a whole (about 1")
    assert colorizer.unmet_wishes() == [note]
    found = colorizer.predict().ab
    colorizer.set_options(trust=0.0)
    assert colorizer.unmet_wishes() == []
    truth = turned(color.rgb2lab(small)[..., 1:], 2 * np.pi / 3)
    errors = [np.linalg.norm(ab - truth, axis=-1).mean() for ab in (found, colorizer.predict().ab)]
    assert errors[0] < errors[1] < np.linalg.norm(truth, axis=-1).mean()


def test_what_turns_the_result_is_not_said_not_to_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """By xu2020 little of a class-mate's colors is shown, and its hues are followed all the same."""
    monkeypatch.setattr(xu2020, "believed", lambda *given: 0.0)
    monkeypatch.setattr(xu2020, "likeness", lambda own, other: 0.3)
    gray, given = color.rgb2gray(ROCKET[::2, ::2]), ROCKET[::2, ::2]
    (note,) = Colorizer(gray, given, method="xu2020").unmet_wishes()
    assert "does not fit the photograph" in note
    monkeypatch.setattr(xu2020, "turn_of", lambda references, trust: 2.0 * bool(references))
    (note,) = Colorizer(gray, given, method="xu2020").unmet_wishes()
    assert "hues are turned as a whole" in note
    monkeypatch.setattr(xu2020, "likeness", lambda own, other: 0.1)
    (note,) = Colorizer(gray, given, method="xu2020").unmet_wishes()
    assert "does not fit the photograph" in note


def test_several_references_are_told_of_as_one() -> None:
    assert turned_hues(0.0, 1) == []
    (note,) = turned_hues(np.pi / 2, 3)
    assert note.startswith("the references' hues are turned as a whole (about 90 degrees")


def test_more_trust_is_not_offered_where_there_is_no_more() -> None:
    assert [note.endswith("more trust takes more") for note in doubts([(0, 0.1)], 1, 1.0)] == [True]
    (note,) = doubts([(0, 0.1)], 1, 3.0)
    assert note.endswith("little of its colors is taken")
