"""Laws of `tinct explain`: shares are of all places, the picture shows them, and what is said is in the manifest."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

torch = pytest.importorskip("torch", reason="the tests' networks need torch: pip install 'tinct[train]'")
pytest.importorskip("onnx", reason="the tests' networks need onnx: pip install 'tinct[train]'")

from paper_weights import MAKING, WIDTH, network_of, unsettled
from tinct import weights
from tinct.cli import run
from tinct.color.lab import rgb_to_lab
from tinct.explaining import explanation
from tinct.explaining.drawing import LEGEND, drawn, palette
from tinct.explaining.explanation import NETWORK, explain, explanation_of
from tinct.explaining.names import SEGMENTS, scene_names
from tinct.methods.exported import exported_network
from tinct.training.export import release
from tinct.training.run import release_of

PHOTO = np.ascontiguousarray(data.astronaut()[:200, :240])
SCORE = {"scene_top5": 0.42, "scene_top1": 0.17, "scene_commonest": 0.15, "segments": 0.61, "commonest": 0.23}


@pytest.fixture(scope="module")
def guides(tmp_path_factory: pytest.TempPathFactory) -> tuple[torch.nn.Module, Path]:
    """A tiny network with random weights, and the folder that it is exported to."""
    torch.manual_seed(0)
    network = unsettled(network_of(NETWORK, {"width": WIDTH}))
    folder = tmp_path_factory.mktemp("weights")
    release(release_of(NETWORK).graphs(network), NETWORK, folder, replace(MAKING, score=SCORE))
    return network, folder


@pytest.fixture
def installed(guides: tuple[torch.nn.Module, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "_folders", lambda: [guides[1]])


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    file = tmp_path / "photo.png"
    Image.fromarray(PHOTO).save(file)
    return file


def test_names_are_as_many_as_the_classes():
    assert len(set(scene_names())) == 365
    assert scene_names()[310] == "soccer field"  # as the thesis prints it
    assert len(set(SEGMENTS)) == 32


def test_the_likeliest_scenes_come_first_and_shares_are_of_all_places():
    generator = np.random.default_rng(0)
    scenes = generator.dirichlet(np.ones(365)).astype(np.float32)
    segments = np.zeros((4, 6, 32), np.float32)
    segments[:3, :, 3] = segments[3, :4, 10] = segments[3, 4:, 13] = 1
    found = explanation_of(scenes, segments)
    assert [name for name, _ in found.scenes] == [scene_names()[i] for i in np.argsort(-scenes)[:5]]
    assert [share for _, share in found.scenes] == sorted(scenes, reverse=True)[:5]
    assert found.segments == (("sky", 18 / 24), ("grass", 4 / 24), ("person", 2 / 24))
    assert found.labels.shape == (4, 6)


def test_the_exported_network_answers_as_torch_does(guides, installed):
    photo = np.ascontiguousarray(PHOTO[:112, :160])  # neither shrunk nor padded
    lightness = np.ascontiguousarray(rgb_to_lab(photo)[..., 0])[None, None]
    found = exported_network(NETWORK).run(lightness=lightness)
    with torch.no_grad():
        outputs = guides[0](torch.from_numpy(lightness))
    scenes, segments = torch.softmax(outputs.scenes, 1), torch.softmax(outputs.segments, 1)
    np.testing.assert_allclose(found["scenes"], scenes, atol=1e-4)
    np.testing.assert_allclose(found["segments"], segments.permute(0, 2, 3, 1), atol=2e-3)
    assert explain(photo).scenes == explanation_of(found["scenes"][0], found["segments"][0]).scenes


def test_color_is_not_looked_at(installed):
    gray = np.repeat(np.asarray(Image.fromarray(PHOTO).convert("L"))[..., None], 3, 2)
    assert explain(gray).segments == explain(gray[..., 0]).segments


def test_any_size_can_be_explained(installed):
    for (height, width), size in {(1, 1): (1, 1), (33, 17): (33, 17), (7, 640): (2, 160)}.items():
        found = explain(np.full((height, width, 3), 90, np.uint8))
        assert sum(share for _, share in found.segments) == pytest.approx(1)
        assert found.labels.shape == size


def test_the_picture_has_each_segment_s_color_over_the_photograph():
    segments = np.zeros((50, 60, 32), np.float32)
    segments[:20, :, 3] = segments[20:, :40, 10] = segments[20:, 40:, 13] = 1
    found = explanation_of(np.full(365, 1 / 365, np.float32), segments)
    sheet = np.asarray(Image.open(io.BytesIO(drawn(PHOTO, found)))).astype(int)
    assert sheet.shape[1] == PHOTO.shape[1] + LEGEND
    for label, place in {3: np.s_[:80, :240], 10: np.s_[80:200, :160], 13: np.s_[80:200, 160:240]}.items():
        shown, own = sheet[place], palette()[label].astype(float)
        tint = (shown - shown.mean(-1, keepdims=True)).mean((0, 1))
        np.testing.assert_allclose(tint, 0.55 * (own - own.mean()), atol=1)
        gray = np.asarray(Image.fromarray(PHOTO).convert("L"))[place].astype(float)
        assert np.corrcoef(shown.sum(-1).ravel(), gray.ravel())[0, 1] > 0.95
    assert len({tuple(color) for color in palette()}) == len(SEGMENTS)


def test_the_command_prints_text_or_json_and_draws(
    photo: Path, installed, capsys: pytest.CaptureFixture[str]
):
    assert run(["explain", str(photo)]) == 0
    text = capsys.readouterr().out
    found = explain(PHOTO)
    assert f"{found.scenes[0].share:5.2f}  {found.scenes[0].name}" in text
    assert "is among the five in 42% and the first in 17%" in text
    assert "(the five commonest scenes would have 15%)" in text
    assert "at 61% of the places (the commonest class would have 23%)" in text
    sheet = photo.with_name("sheet.png")
    assert run(["explain", str(photo), "--json", "--out", str(sheet)]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["agreement"] == SCORE
    assert [one["name"] for one in answer["scenes"]] == [name for name, _ in found.scenes]
    before = sheet.read_bytes()
    assert run(["explain", str(photo), "--out", str(sheet)]) == 2
    assert sheet.read_bytes() == before == drawn(PHOTO, found)
    assert "--overwrite" in capsys.readouterr().err


def test_without_weights_one_line_says_what_to_do(photo: Path, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(weights, "_folders", lambda: [tmp_path])
    monkeypatch.setattr(weights, "_packages", lambda: [])
    assert run(["explain", str(photo)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert NETWORK in line
    assert explanation.agreement() == {}


@pytest.mark.skipif(
    not weights.installed(NETWORK), reason="needs tinct[papers], which holds the released guides"
)
def test_the_released_guides_know_more_than_the_commonest_classes():
    stated = explanation.agreement()
    assert stated["scene_top5"] > 2 * stated["scene_commonest"]
    assert stated["segments"] > 1.5 * stated["commonest"]
    photos = (data.astronaut(), data.coffee(), data.rocket())
    found = [explain(photo) for photo in photos]
    assert len({one.scenes[0].name for one in found}) == len(photos)
    assert found[0].segments[0].name == "person"  # an astronaut's portrait
    assert all(len(one.segments) > 2 for one in found)
