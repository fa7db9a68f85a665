"""Scenes and segments of a photograph, by the thesis's network (`tinct.networks.scunet`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinct.explaining.names import SEGMENTS, scene_names

Array = NDArray[np.float32]

NETWORK = "scunet-guides"
"""Name of the network's weights."""

WORKING_SIZE = 160
"""Longer side in pixels at which the network sees a photograph: it learned at 128 square, and knows less at 256."""

MULTIPLE = 16
"""Multiple to which both sides are padded."""

LIKELIEST = 5
"""Scenes that are given."""


class Named(NamedTuple):
    """A class by its name, with its probability or its share of the photograph, 0..1."""

    name: str
    share: float


@dataclass(frozen=True)
class Explanation:
    """What the network takes a photograph for.

    Attributes:
        scenes: the five likeliest of 365 with their probabilities, likeliest first.
        segments: every class that is likeliest somewhere, with its share of the photograph, largest first.
        labels: the likeliest class of each place, an index of `SEGMENTS`, shape (h, w), uint8, at the working size.
    """

    scenes: tuple[Named, ...]
    segments: tuple[Named, ...]
    labels: NDArray[np.uint8]


def explain(photo: Any) -> Explanation:
    """Scenes and segments of a photograph; only its lightness is looked at.

    Args:
        photo: as `tinct.colorize` takes it.
    Raises:
        PhotoError, ShapeError: if the photograph cannot be read.
        WeightsError: if the network is not installed.
    """
    from tinct.methods.exported import channels_first, exported_network, mirrored, unpadded
    from tinct.photo.sources import as_photo

    lightness = as_photo(photo).working_lightness(WORKING_SIZE)
    padded = mirrored(lightness, MULTIPLE)
    outputs = exported_network(NETWORK).run(lightness=channels_first(padded))
    segments = unpadded(outputs["segments"][0], padded.shape, (lightness.shape[0], lightness.shape[1]))
    return explanation_of(outputs["scenes"][0], segments)


def explanation_of(scenes: Array, segments: Array) -> Explanation:
    """The explanation that probabilities give.

    Args:
        scenes: of the scenes, (365,).
        segments: of the segments at each place, (h, w, 32).
    """
    names = scene_names()
    order = np.argsort(-scenes, kind="stable")[:LIKELIEST]
    labels = segments.argmax(-1).astype(np.uint8)
    shares = np.bincount(labels.ravel(), minlength=len(SEGMENTS)) / labels.size
    found = [Named(SEGMENTS[i], float(shares[i])) for i in np.argsort(-shares, kind="stable") if shares[i]]
    return Explanation(tuple(Named(names[i], float(scenes[i])) for i in order), tuple(found), labels)


def agreement() -> Mapping[str, float]:
    """How far the network agrees with the networks that labeled its photographs, on held-out ones; shares, 0..1.

    Returns:
        `scene_top5`, the labeler's likeliest scene is among the five; `scene_top1`, it is the likeliest;
        `scene_commonest`, it is among the five commonest scenes; `segments`, a place has the labeler's class;
        `commonest`, the share of the commonest class. What the manifest lacks is missing.
    """
    from tinct.weights import manifest

    known = manifest().get(NETWORK)
    return dict(known.score) if known else {}
