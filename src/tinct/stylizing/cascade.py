"""PhotoWCT's cascade: statistics are matched at one level after the other, each in a pass of its own.

Source: Li, Liu, Li, Yang, Kautz, "A closed-form solution to photorealistic image stylization", ECCV 2018, section 3.1.
The paper has an auto-encoder for each level, with max pooling and unpooling. Here every pass runs Xu 2020's transfer
sub-net (`tinct.networks.xu2020.transfer`), which pools by means and gives its decoder the skips of the photograph.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinct.networks.xu2020.places import Places
from tinct.networks.xu2020.transfer import Labels, transferred

Array = NDArray[np.float32]

ORDER = (4, 3, 2, 1)
"""Levels in the order of their passes: conv4_1 first, conv1_1 last."""


def cascaded(
    content: Array,
    style: Array,
    labels: tuple[Labels, Labels] | None = None,
    *,
    match: str = "wct",
    alpha: float = 1.0,
) -> Array:
    """The photograph in the style's look, one level of the encoder at a time.

    What a pass matches goes on to the deeper levels and to its level's own skip; the skips above it stay the picture's.

    Args:
        content, style, labels: as `transferred` takes them.
        match: "wct", as the paper has it, or "adain".
        alpha: how far each pass goes, 0..1.
    Returns:
        sRGB, (H, W, 3), float32, clipped to 0..1; not smoothed (`tinct.stylizing.manifold_ranking`).
    Raises:
        WeightsError: if the network is not installed.
        OptionError: if match or alpha is out of range.
    """
    picture = content
    for level in ORDER:
        places = Places((level,), (), ())
        picture = transferred(picture, style, labels, match=match, places=places, alpha=alpha)
    return picture
