"""Laws of the section on Figures 10 and 11: every variant is scored, and what is missing is said."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tools.papers import stylization as module


def write_pair(folder: Path) -> None:
    """A photograph and a style, both half light and half dark, whose halves are labels."""
    generator = np.random.default_rng(0)
    row = {"id": "1"}
    for kind, light in (("target", (200, 180, 160)), ("reference", (90, 140, 220))):
        rgb = np.full((64, 80, 3), light, np.uint8)
        rgb[:, :40] //= 3
        rgb = np.clip(rgb + generator.integers(-9, 10, rgb.shape), 0, 255).astype(np.uint8)
        labels = np.zeros((64, 80, 3), np.uint8)
        labels[:, 40:] = 255
        for name, picture in ((kind, rgb), (f"{kind}_labels", labels)):
            Image.fromarray(picture).save(folder / f"{name}.png")
            row[name] = f"{name}.png"
    with (folder / "pairs.csv").open("w", newline="") as stream:
        table = csv.DictWriter(stream, row)
        table.writeheader()
        table.writerow(row)


def test_every_variant_has_a_row_and_a_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variant that gives the style back keeps the least structure and has the style's colors."""
    write_pair(tmp_path)
    asked = []

    def picture(photo, style, labels, match, photowct):  # type: ignore[no-untyped-def]
        asked.append((match, photowct, labels is not None))
        return style if match == "wct" else photo

    monkeypatch.setattr(module, "network_picture", picture)
    monkeypatch.setattr(module, "smoothed", lambda made, photo: photo)
    monkeypatch.setattr(module, "feature_statistics", lambda say: None)
    said: list[str] = []
    section = module.stylization(tmp_path, tmp_path, said.append)
    assert section
    assert not said
    assert asked == list(module.VARIANTS.values())
    rows = {
        line.split("|")[1].strip(): line.split("|")[2:-1] for line in section.text.splitlines() if "|" in line
    }
    assert (
        len(rows) == 2 + 1 + 2 * len(module.VARIANTS) + 2
    )  # head, rule, untouched, and two variants smoothed
    head = [cell.strip() for cell in rows[""]]
    assert head == ["structure", "style, colors", "style, colors by label", "time"]
    untouched = [float(cell) for cell in rows["the photograph itself"][:3]]
    assert untouched[0] == 1
    for name in module.VARIANTS:
        kept, colors, by_label = (float(cell) for cell in rows[f"{name}: network's picture"][:3])
        if name.startswith("AdaIN"):
            assert [kept, colors, by_label] == untouched
        else:
            assert kept < 1
            assert colors < 0.1 < untouched[1]
            assert by_label < 0.1 < untouched[2]
    assert float(rows[module.BASELINE][3]) == 1
    sheet = np.asarray(Image.open(section.pictures[0]))
    assert sheet.shape[1] > (2 + len(module.VARIANTS)) * 64


def test_without_pairs_or_weights_a_line_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    assert module.stylization(tmp_path, tmp_path, said.append) is None
    assert "pairs.csv is not there" in said[0]
    write_pair(tmp_path)
    monkeypatch.setenv("TINCT_WEIGHTS", str(tmp_path))
    monkeypatch.setattr("tinct.methods.exported.installed", lambda *name, **more: False)
    monkeypatch.setattr("tinct.weights.installed", lambda *name, **more: False)
    monkeypatch.setattr(module, "feature_statistics", lambda say: None)
    assert module.stylization(tmp_path, tmp_path, said.append) is None
    assert "xu2020-transfer" in said[1]
