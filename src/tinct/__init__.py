"""tinct colorizes black-and-white photographs: from a reference photograph, from points and strokes of color.

The names below are the public ones. A name is imported when it is first used, so that `import tinct` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tinct.version import __version__

if TYPE_CHECKING:
    from tinct.colorizing.colorizer import Colorizer, colorize
    from tinct.errors import TinctError
    from tinct.hints import Hint, HintImage, Rectangle, Stroke, Swatch, parse_hint, read_hints
    from tinct.methods import METHODS, Prediction, get_method
    from tinct.options import Options
    from tinct.photo import Photo, Provenance
    from tinct.retrieval.references import Retrieved, retrieve_references
    from tinct.stylizing.stylization import stylize


__all__ = [
    "METHODS",
    "Colorizer",
    "Hint",
    "HintImage",
    "Options",
    "Photo",
    "Prediction",
    "Provenance",
    "Rectangle",
    "Retrieved",
    "Stroke",
    "Swatch",
    "TinctError",
    "__version__",
    "colorize",
    "get_method",
    "parse_hint",
    "read_hints",
    "retrieve_references",
    "stylize",
]

_HOMES = {
    "tinct.colorizing.colorizer": ("Colorizer", "colorize"),
    "tinct.errors": ("TinctError",),
    "tinct.hints": ("Hint", "HintImage", "Rectangle", "Stroke", "Swatch", "parse_hint", "read_hints"),
    "tinct.methods": ("METHODS", "Prediction", "get_method"),
    "tinct.options": ("Options",),
    "tinct.photo": ("Photo", "Provenance"),
    "tinct.retrieval.references": ("Retrieved", "retrieve_references"),
    "tinct.stylizing.stylization": ("stylize",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'tinct' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
