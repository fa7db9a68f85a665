"""Names of the 365 scenes and of the 32 segments that networks learned."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

SEGMENTS = (
    "other",
    *("wall", "building", "sky", "floor", "tree", "ceiling", "road", "bed", "windowpane", "grass", "cabinet"),
    *(
        "sidewalk",
        "person",
        "earth",
        "door",
        "table",
        "mountain",
        "plant",
        "curtain",
        "chair",
        "car",
        "water",
    ),
    *("painting", "sofa", "shelf", "house", "sea", "mirror", "rug", "field", "armchair"),
)
"""The 31 commonest classes of ADE20K (Zhou et al., Scene Parsing through ADE20K Dataset, CVPR 2017), and all others."""

PLACES_FILE = "places365.txt"
"""Name of the file with the 365 scenes of Places (Zhou et al., IEEE TPAMI 2018), a line each, in their published order.

The file is that of TensorFlow Datasets, `image_classification/categories_places365.txt` (Apache-2.0)."""


@cache
def scene_names() -> tuple[str, ...]:
    """Names of the 365 scenes in order, in words: "soccer field", "diner, outdoor"."""
    text = (files(__package__) / PLACES_FILE).read_text(encoding="utf-8")
    return tuple(line.replace("_", " ").replace("/", ", ") for line in text.splitlines())
