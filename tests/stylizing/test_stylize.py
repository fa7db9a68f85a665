"""Laws of stylization: what is changed small is carried to the full photograph, and labels keep like with like."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

import tinct
from tinct import weights
from tinct.cli import run
from tinct.errors import OptionError, PhotoError, ShapeError, WeightsError
from tinct.photo import Photo
from tinct.stylizing import cascade
from tinct.stylizing.local_affine import LocalAffine
from tinct.stylizing.stylization import read_labels, stylize, working_rgb

PHOTO = np.ascontiguousarray(data.astronaut()[:240, :320])
STYLE = np.ascontiguousarray(data.coffee()[:200, :300])


# Carrying


def small_of(photo: np.ndarray, size: int = 80) -> np.ndarray:
    return working_rgb(Photo.from_array(photo), size)


def test_no_change_carries_nothing():
    small, full = small_of(PHOTO), PHOTO.astype(np.float32) / 255
    carried = LocalAffine(small, small, full.shape[:2])
    np.testing.assert_allclose(carried.rows(0, 240, full), full, atol=1e-6)


def test_an_affine_change_of_colors_is_carried_exactly():
    matrix = np.float32([[0.6, 0.2, 0.0], [0.1, 0.7, 0.1], [0.0, -0.1, 0.9]])
    turned = partial(np.einsum, "cd,ywd->ywc", matrix)
    small, full = small_of(PHOTO), PHOTO.astype(np.float32) / 255
    carried = LocalAffine(small, turned(small) + 0.05, full.shape[:2], epsilon=1e-7)
    assert np.abs(carried.rows(0, 240, full) - np.clip(turned(full) + 0.05, 0, 1)).mean() < 2e-3


def test_rows_are_the_same_however_they_are_asked_for():
    small, full = small_of(PHOTO), PHOTO.astype(np.float32) / 255
    carried = LocalAffine(small, small[..., ::-1], full.shape[:2])
    whole = carried.rows(0, 240, full)
    parts = [carried.rows(top, top + 48, full[top : top + 48]) for top in range(0, 240, 48)]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-5)


def test_grain_stays_the_photographs_own():
    noise = np.random.default_rng(0).normal(0, 0.02, (240, 320, 1)).astype(np.float32)
    full = np.clip(np.full((240, 320, 3), 0.4, np.float32) + noise, 0, 1)
    small = np.full((60, 80, 3), 0.4, np.float32)
    tinted = LocalAffine(small, small + np.float32([0.2, 0, -0.1]), (240, 320)).rows(0, 240, full)
    np.testing.assert_allclose(tinted - tinted.mean((0, 1)), full - full.mean((0, 1)), atol=1e-4)
    np.testing.assert_allclose((tinted - full).mean((0, 1)), [0.2, 0, -0.1], atol=1e-3)


def test_a_picture_of_another_size_is_refused():
    with pytest.raises(ShapeError, match="must be equal"):
        LocalAffine(small_of(PHOTO), small_of(PHOTO, 64), (240, 320))


# Label maps


def test_colors_of_a_label_map_are_its_labels(tmp_path):
    indices = np.zeros((20, 30), np.uint8)
    indices[:, 15:] = 1
    image = Image.fromarray(indices, "P")
    image.putpalette([200, 0, 0, 0, 0, 200])
    image.save(tmp_path / "map.png")
    image.convert("RGB").save(tmp_path / "rgb.png")
    first, second = read_labels(tmp_path / "map.png"), read_labels(str(tmp_path / "rgb.png"))
    assert np.array_equal(first, second)
    assert first[0, 0] == 200 << 16
    assert first[0, 29] == 200
    assert np.array_equal(read_labels(indices), indices)


def test_what_is_no_label_map_is_refused(tmp_path):
    Image.fromarray(PHOTO).save(tmp_path / "photo.png")
    with pytest.raises(ShapeError, match=r"photo\.png has \d+ colors"):
        read_labels(tmp_path / "photo.png")
    with pytest.raises(ShapeError, match="integers"):
        read_labels(PHOTO.astype(np.float32))
    with pytest.raises(PhotoError, match="cannot be read as a label map"):
        read_labels(tmp_path / "none.png")


def test_label_maps_keep_their_depth_and_are_upright(tmp_path):
    """Labels above 255 are apart, and a map of a photograph that lies on its side is turned as the photograph is."""
    deep = np.repeat(np.array([[1, 300, 301, 65535]], np.uint16), 3, axis=0)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    assert len(np.unique(read_labels(tmp_path / "deep.png"))) == 4
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray((deep % 251).astype(np.uint8)).save(tmp_path / "turned.png", exif=exif.tobytes())
    assert read_labels(tmp_path / "turned.png").shape == (4, 3)


@pytest.mark.skipif(os.name != "posix", reason="needs a shell script on the PATH")
def test_no_program_is_started_for_a_label_map(tmp_path, monkeypatch):
    program = tmp_path / "gs"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(tmp_path / "map.png", "EPS")
    with pytest.raises(PhotoError, match="EPS"):
        read_labels(tmp_path / "map.png")
    assert not (tmp_path / "started").exists()


# The whole, on a tiny random network


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch = pytest.importorskip("torch", reason="the test's network needs torch: pip install 'tinct[train]'")
    pytest.importorskip("onnx", reason="the test's network needs onnx: pip install 'tinct[train]'")
    from paper_weights import release_network, tiny_subnets

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("weights")
    release_network(tiny_subnets()["xu2020-transfer"], "xu2020-transfer", folder)
    return folder


@pytest.fixture
def installed(tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINCT_WEIGHTS", str(tiny))


def test_the_same_kind_and_size_come_back(installed, tmp_path):
    out = tinct.stylize(PHOTO, STYLE, size=64)
    assert out.shape == PHOTO.shape
    assert out.dtype == np.uint8
    assert isinstance(tinct.stylize(Image.fromarray(PHOTO), STYLE, size=64), Image.Image)
    Image.fromarray(PHOTO).save(tmp_path / "photo.png")
    photo = stylize(tmp_path / "photo.png", Image.fromarray(STYLE), size=64)
    assert np.array_equal(photo.to_array(), out)
    assert photo.provenance.method == "xu2020-transfer"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photo.png"]


def test_choices_change_the_picture(installed):
    labels = tuple(np.arange(rgb.shape[1])[None].repeat(rgb.shape[0], 0) // 150 for rgb in (PHOTO, STYLE))
    found = [
        stylize(PHOTO, STYLE, given, size=64, **options).astype(int)
        for given, options in (
            (None, {}),
            (None, {"match": "wct"}),
            (None, {"match": "wct", "cascade": True}),
            (None, {"match": "wct", "cascade": True, "smoothing": "photowct"}),
            (None, {"alpha": 0.4}),
            (labels, {}),
            (labels, {"match": "wct"}),
        )
    ]
    for index, one in enumerate(found):
        assert all(np.abs(one - other).max() > 0 for other in found[:index])


def test_a_cascade_matches_one_level_after_the_other(installed, monkeypatch):
    passes = []

    def recorded(content, style, labels, *, match, places, alpha):
        passes.append((float(content.mean()), places.encoder, places.skips, places.decoder, match, alpha))
        return content + np.float32(0.01)

    monkeypatch.setattr(cascade, "transferred", recorded)
    small = small_of(PHOTO)
    made = cascade.cascaded(small, small_of(STYLE), alpha=0.5)
    np.testing.assert_allclose(made, small + 0.04, atol=1e-5)
    assert [each[1:] for each in passes] == [((level,), (), (), "wct", 0.5) for level in (4, 3, 2, 1)]
    assert np.diff([each[0] for each in passes]) == pytest.approx([0.01] * 3, abs=1e-4)


def test_the_command_line_gives_what_the_library_gives(installed, tmp_path, capsys):
    photo, style, out = (str(tmp_path / name) for name in ("photo.png", "style.png", "out.png"))
    maps = [str(tmp_path / name) for name in ("a.png", "b.png")]
    Image.fromarray(PHOTO).save(photo)
    Image.fromarray(STYLE).save(style)
    for file, rgb in zip(maps, (PHOTO, STYLE), strict=True):
        Image.fromarray(np.uint8(rgb[..., 0] > 128) * 255).save(file)
    line = ["stylize", photo, "-r", style, "--segment", *maps, "--wct", "--size", "64", "-o", out]
    line += ["--cascade", "--smoothing", "photowct"]
    assert run(line) == 0
    options = {"match": "wct", "cascade": True, "smoothing": "photowct"}
    expected = stylize(photo, style, tuple(maps), size=64, **options)
    assert np.array_equal(np.asarray(Image.open(out)), expected.to_array())
    capsys.readouterr()
    assert run(line) == 2  # nothing is written over
    assert "--overwrite" in capsys.readouterr().err


def test_the_command_line_names_the_result_after_the_photograph(installed, tmp_path, capsys):
    photo, style = tmp_path / "street.png", tmp_path / "dusk.png"
    Image.fromarray(PHOTO).save(photo)
    Image.fromarray(STYLE).save(style)
    assert run(["stylize", str(photo), "-r", str(style), "--size", "64"]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "street.stylized.png")
    assert (tmp_path / "street.stylized.png").is_file()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"alpha": 1.5}, "alpha is 1.5"),
        ({"size": 8}, "size is 8"),
        ({"match": "gram"}, "'gram'"),
        ({"smoothing": "guided"}, "'guided'"),
    ],
)
def test_options_out_of_range_are_refused(installed, options, says):
    with pytest.raises(OptionError, match=says):
        stylize(PHOTO, STYLE, **options)


def test_without_weights_it_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(weights, "_folders", lambda: [tmp_path])
    with pytest.raises(WeightsError, match="tinct train xu2020-transfer"):
        stylize(PHOTO, STYLE, size=64)
