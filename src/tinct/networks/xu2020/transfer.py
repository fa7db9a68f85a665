"""Xu 2020's transfer sub-net: a photograph takes on the statistics of another's features, level by level.

The network's parts run on the inference engine, and features are matched between them
(`tinct.networks.xu2020.feature_statistics`): so AdaIN or WCT, label maps, and the places of matching are
arguments. See `tinct.networks.xu2020.transfer_network`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinct.methods.exported import channels_first, exported_network
from tinct.networks.xu2020.feature_statistics import Labels, Match, matching, nearest
from tinct.networks.xu2020.places import EVERYWHERE, LEVELS, MULTIPLE, PARTS, SMALLEST, Places

Array = NDArray[np.float32]

NAME = "xu2020-transfer"
"""What `tinct train` calls the sub-net; its parts are "xu2020-transfer.PART"."""

WEIGHTS = tuple(f"{NAME}.{part}" for part in PARTS)
"""Names of the weights of the transfer sub-net's parts."""


class Encoded(NamedTuple):
    """What the encoder makes of a photograph, by level; each (1, C, h, w).

    Attributes:
        levels: conv1_1 to conv4_1, matched where they are.
        pooled, before: the skips of levels 1 to 3: after and before pooling.
    """

    levels: dict[int, Array]
    pooled: dict[int, Array]
    before: dict[int, Array]


@dataclass(frozen=True, slots=True)
class Guide:
    """The reference's features, and how to follow them."""

    encoded: Encoded
    decoded: dict[int, Array]
    match: Match
    places: Places

    def applied(self, content: Array, style: Array) -> Array:
        """Content features with the style's statistics."""
        return self.match(content[0], style[0])[None]


def transferred(
    content: Array,
    style: Array,
    labels: tuple[Labels, Labels] | None = None,
    *,
    match: str = "adain",
    places: Places = EVERYWHERE,
    alpha: float = 1.0,
) -> Array:
    """The photograph in the style's look.

    Args:
        content, style: sRGB, (H, W, 3), 0..1, any sizes.
        labels: integers, (H, W) at any size, of content and style, to match statistics label by label.
        match: "adain" or "wct".
        places: where features are matched.
        alpha: how far, 0..1.
    Returns:
        sRGB, (H, W, 3), float32, clipped to 0..1.
    Raises:
        WeightsError: if the network is not installed.
        OptionError: if match or alpha is out of range.
    """
    whole, reference = extended(content), extended(style)
    if labels is not None:
        labels = _extended_labels(labels[0], content), _extended_labels(labels[1], style)
    following = matching(match, alpha, labels)
    encoded = _encode(reference, None)
    decoded = _decode(encoded, None)[1] if places.decoder else {}
    guide = Guide(encoded, decoded, following, places)
    rgb, _ = _decode(_encode(whole, guide), guide)
    height, width = content.shape[:2]
    return np.clip(rgb[:height, :width], 0, 1)


def deepest(rgb: Array) -> Array:
    """conv4_1 of a photograph, sRGB (H, W, 3), 0..1: shape (1, C, H / 8, W / 8), sides rounded up."""
    return _encode(extended(rgb), None).levels[4]


def extended(rgb: Array) -> Array:
    """Sides brought to multiples of 8, and to 16 at least, by repeating the last row and column."""
    return np.pad(rgb, [*_missing(rgb), (0, 0)], mode="edge")


def _missing(image: NDArray[Any]) -> list[tuple[int, int]]:
    return [(0, max(n + -n % MULTIPLE, SMALLEST) - n) for n in image.shape[:2]]


def _extended_labels(labels: Labels, rgb: Array) -> Labels:
    """Labels at the photograph's size, extended as it is, so that they still lie on it."""
    return np.pad(nearest(labels, *rgb.shape[:2]), _missing(rgb), mode="edge")


def _encode(rgb: Array, guide: Guide | None) -> Encoded:
    found = Encoded({}, {}, {})
    features = _run("encode1", rgb=channels_first(rgb))["encoded"]
    found.levels[1] = features = _entered(1, features, guide)
    for level in LEVELS:
        below = _run(f"encode{level + 1}", features=features)
        found.levels[level + 1] = features = _entered(level + 1, below["encoded"], guide)
        pooled = below["pooled"]
        if guide is not None and level in guide.places.skips:
            pooled = guide.applied(pooled, guide.encoded.pooled[level])
        found.pooled[level], found.before[level] = pooled, below["before"]
    return found


def _entered(level: int, features: Array, guide: Guide | None) -> Array:
    if guide is None or level not in guide.places.encoder:
        return features
    return guide.applied(features, guide.encoded.levels[level])


def _decode(encoded: Encoded, guide: Guide | None) -> tuple[Array, dict[int, Array]]:
    """sRGB (H, W, 3), unclipped, and the features of levels 3, 2, 1."""
    features, found = encoded.levels[max(encoded.levels)], {}
    for level in reversed(LEVELS):
        skips = {"pooled": encoded.pooled[level], "before": encoded.before[level]}
        features = _run(f"decode{level}", features=features, **skips)["decoded"]
        if guide is not None and level in guide.places.decoder:
            features = guide.applied(features, guide.decoded[level])
        found[level] = features
    return _run("output", features=features)["rgb"][0].transpose(1, 2, 0), found


def _run(part: str, **arrays: Array) -> dict[str, NDArray[Any]]:
    return exported_network(f"{NAME}.{part}").run(**arrays)
