"""Laws on Xu 2020's released weights: every level and every place of matching counts."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tinct.color.gamut import merge_lightness
from tinct.color.lab import rgb_to_lab
from tinct.methods import Reference, get_method
from tinct.networks.semantics.opinion import NAME as SEMANTICS
from tinct.networks.xu2020 import method as xu2020
from tinct.networks.xu2020 import transfer
from tinct.networks.xu2020.places import EVERYWHERE, LEVELS
from tinct.weights import installed

Array = NDArray[np.float32]

PHOTOGRAPHS, SIDE = 10, 128

LEAST_MOVED = 0.5
"""By how much T_ab must change, on average in units of a* b*, where statistics are not matched at one place."""

LEAST_LOST = 1.0
"""By how many dB reconstruction must fall where one level's path is zeroed."""

PLACES = [(name, level) for name in ("encoder", "skips", "decoder") for level in getattr(EVERYWHERE, name)]

pytestmark = pytest.mark.skipif(
    not all(installed(name) for name in transfer.WEIGHTS), reason="needs the papers' weights"
)


@pytest.fixture(scope="module")
def photographs(shared) -> list[Array]:
    """Ten photographs, sRGB, (SIDE, SIDE, 3), 0..1, of those that are trained on."""
    files = sorted((shared / "data" / "train").rglob("*.webp"))
    chosen = files[7 :: max(1, len(files) // PHOTOGRAPHS)][:PHOTOGRAPHS]
    pictures = [Image.open(file).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX) for file in chosen]
    return [np.asarray(picture, np.float32) / 255 for picture in pictures]


@pytest.fixture(scope="module")
def precolored(photographs) -> list[Array]:
    """The photographs as the transfer sub-net is given them: in colors of the colorization sub-net."""
    lightness = [np.ascontiguousarray(rgb_to_lab(rgb)[..., 0]) for rgb in photographs]
    return [merge_lightness(gray, get_method("xu2020").refine(gray)) for gray in lightness]


@pytest.fixture(scope="module")
def everywhere(photographs, precolored) -> list[Array]:
    """T_ab of each photograph after the next, with statistics matched at all places."""
    return [coarse(*pair) for pair in pairs(photographs, precolored)]


def pairs(photographs: list[Array], precolored: list[Array]) -> list[tuple[Array, Array]]:
    return [(content, photographs[number - 1]) for number, content in enumerate(precolored)]


def coarse(content: Array, style: Array, **how: object) -> Array:
    return rgb_to_lab(transfer.transferred(content, style, **how))[..., 1:]


def psnr(found: Array, truth: Array) -> float:
    return float(-10 * np.log10(np.square(np.clip(found, 0, 1) - truth).mean()))


@pytest.mark.parametrize(("name", "level"), PLACES)
def test_leaving_adain_out_at_any_place_moves_the_chroma(name, level, photographs, precolored, everywhere):
    fewer = tuple(each for each in getattr(EVERYWHERE, name) if each != level)
    places = replace(EVERYWHERE, **{name: fewer})
    found = [coarse(*pair, places=places) for pair in pairs(photographs, precolored)]
    moved = [np.linalg.norm(x - y, axis=-1).mean() for x, y in zip(found, everywhere, strict=True)]
    assert np.mean(moved) >= LEAST_MOVED


@pytest.mark.parametrize("level", [1, 2, 3, 4])
def test_zeroing_any_levels_path_costs_reconstruction(level, photographs):
    lost = []
    for rgb in photographs:
        encoded = transfer._encode(rgb, None)
        whole = psnr(transfer._decode(encoded, None)[0], rgb)
        lost.append(whole - psnr(transfer._decode(without(encoded, level), None)[0], rgb))
    assert np.mean(lost) >= LEAST_LOST


def without(encoded: transfer.Encoded, level: int) -> transfer.Encoded:
    """What the encoder gives the decoder, but zeros of one level: its skips, or conv4_1."""
    if level == 4:
        return encoded._replace(levels=encoded.levels | {4: np.zeros_like(encoded.levels[4])})
    zeros = {name: getattr(encoded, name)[level] * 0 for name in ("pooled", "before")}
    return encoded._replace(**{name: getattr(encoded, name) | {level: zero} for name, zero in zeros.items()})


@pytest.mark.skipif(not installed(SEMANTICS), reason="needs the semantic branch's weights")
def test_what_is_expected_moves_the_answer_beside_class_mates(shared, monkeypatch):
    """The likeness alone decides without the semantic branch, and other pixels of T_ab are shown."""
    method, given = get_method("xu2020"), class_mates(shared / "data")
    found = [method.stages(lightness, [mate]) for lightness, mate in given]
    monkeypatch.setattr(xu2020, "installed", lambda name: name != SEMANTICS and installed(name))
    alone = [method.stages(lightness, [mate]) for lightness, mate in given]
    moved = [np.linalg.norm(x.ab - y.ab, axis=-1).mean() for x, y in zip(found, alone, strict=True)]
    assert all(np.array_equal(x.precolor, y.precolor) for x, y in zip(found, alone, strict=True))
    assert np.mean(moved) >= LEAST_MOVED


def class_mates(data: Path) -> list[tuple[Array, Reference]]:
    """The lightness of ten photographs of scenes that are trained on, each with another of its class."""
    with (data / "train.csv").open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["set"] == "intel"]
    labs = []
    for row in rows[:: max(1, len(rows) // PHOTOGRAPHS)][:PHOTOGRAPHS]:
        mate = next(each for each in rows if each["class"] == row["class"] and each is not row)
        pictures = [
            Image.open(data / each["path"]).convert("RGB").resize((SIDE, SIDE)) for each in (row, mate)
        ]
        labs.append([rgb_to_lab(np.asarray(picture, np.float32) / 255) for picture in pictures])
    parts = [
        [(np.ascontiguousarray(lab[..., 0]), np.ascontiguousarray(lab[..., 1:])) for lab in each]
        for each in labs
    ]
    return [(own[0], Reference(*mate)) for own, mate in parts]


@pytest.mark.parametrize("level", LEVELS)
def test_no_channel_of_the_decoder_is_constant(level, photographs):
    varies = []
    for rgb in photographs:
        features = transfer._decode(transfer._encode(rgb, None), None)[1][level][0]
        varies.append(features.reshape(len(features), -1).std(1) > 1e-3 * features.std())
    assert np.all(np.any(varies, 0))
