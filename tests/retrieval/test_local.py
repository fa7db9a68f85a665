"""Laws of the search's second step: cells find their likest, light counts, and the nearest candidate comes first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from retrieval.retrieval_scene import gray_crop, picture, write_album
from tinct import Photo, retrieve_references
from tinct.cli import run
from tinct.retrieval import local
from tinct.retrieval.local import CELLS, LIGHT, Cells, cells_of, distance


class Seen:
    """Stands for the network: of each cell its four quarters' means."""

    def run(self, lightness: np.ndarray) -> dict[str, np.ndarray]:
        side = lightness.shape[-1] // CELLS // 2
        quarters = lightness.reshape(CELLS, 2, side, CELLS, 2, side).mean((2, 5))
        return {"thirtysecond": quarters.transpose(1, 3, 0, 2).reshape(1, 4, CELLS, CELLS)}


@pytest.fixture(autouse=True)
def _stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINCT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(local, "exported_network", lambda name: Seen())


def random_cells(seed: int) -> Cells:
    rng = np.random.default_rng(seed)
    units, histograms = rng.normal(size=(49, 8)), rng.random((49, 10))
    histograms -= histograms.mean(1, keepdims=True)
    parts = [part / np.linalg.norm(part, axis=1, keepdims=True) for part in (units, histograms)]
    return Cells(*(part.astype(np.float32) for part in parts))


def test_a_photograph_is_at_no_distance_from_itself_however_its_cells_lie():
    own = random_cells(0)
    assert distance(own, own) == pytest.approx(0, abs=1e-5)
    order = np.random.default_rng(1).permutation(49)
    assert distance(own, Cells(own.units[order], own.histograms[order])) == pytest.approx(0, abs=1e-5)
    assert distance(own, random_cells(2)) > 0.2


def test_light_the_other_way_round_costs_its_weight():
    own = random_cells(0)
    opposite = replace(own, histograms=-own.histograms)
    assert distance(own, opposite) == pytest.approx(LIGHT, abs=1e-5)


def test_a_darker_copy_is_farther_than_a_copy():
    image = picture("coffee").convert("L")
    own, copy = cells_of(Photo.from_image(image)), cells_of(Photo.from_image(image.resize((200, 150))))
    darker = cells_of(Photo.from_image(Image.fromarray((np.asarray(image) // 2).astype(np.uint8))))
    assert distance(own, copy) < distance(own, darker)


def test_references_are_ordered_by_their_cells(tmp_path):
    album = write_album(tmp_path / "album")
    plain = retrieve_references(gray_crop("coffee"), album, 4, least=-1)
    ordered = retrieve_references(gray_crop("coffee"), album, 4, least=-1, local=True)
    assert {each.name for each in ordered} == {each.name for each in plain}
    away = [each.distance for each in ordered]
    assert away == sorted(away)
    assert all(each.distance is None for each in plain)
    one = retrieve_references(gray_crop("coffee"), album, 1, least=-1, local=True)
    assert one == ordered[:1]


def test_the_command_line_says_how_far_the_cells_are(tmp_path, capsys):
    album, photo = write_album(tmp_path / "album"), tmp_path / "gray.png"
    Image.fromarray(gray_crop("coffee")).save(photo)
    line = ["colorize", str(photo), "--method", "reinhard", "--reference-cells"]
    assert run(line) == 2
    assert "--reference-from" in capsys.readouterr().err
    assert run([*line, "--reference-from", str(album)]) == 0
    assert "cells 0." in "".join(capsys.readouterr())
