"""The demo: scikit-image's own photographs made gray, then colorized by reference and by hints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinct.colorizing.colorizer import Colorizer
from tinct.hints import Hint, HintLike, Stroke
from tinct.methods import METHODS
from tinct.methods.selection import NETWORK_METHOD
from tinct.photo import Photo

Picture = NDArray[np.uint8]

SHEET_HEIGHT = 240
"""Height in pixels of a row of the sheet."""

_MARGIN = 8
_CAPTION = 20

GRAY = "#808080"
"""The color of hints that keep a place gray."""


@dataclass(frozen=True, slots=True)
class Example:
    """One row of the sheet.

    Attributes:
        name: of the row's files.
        caption: one line for people.
        picture: gives the true photograph, shape (H, W, 3), uint8.
        reference: gives a color photograph to take colors from, or None.
        hints: the hints of the colorization.
        method: as `tinct methods` lists them, or None for the best one.
    """

    name: str
    caption: str
    picture: Callable[[], Picture]
    reference: Callable[[], Picture] | None = None
    hints: tuple[HintLike, ...] = ()
    method: str | None = None


def _bundled(name: str, index: int | None = None) -> Callable[[], Picture]:
    """A photograph that lies in scikit-image's own package: nothing is downloaded."""

    def load() -> Picture:
        from skimage import data

        picture: Any = getattr(data, name)()
        return np.asarray(picture if index is None else picture[index], np.uint8)

    return load


def _points(color: str, *places: tuple[int, int], radius: float = 3) -> tuple[Hint, ...]:
    return tuple(Hint(x, y, color, radius) for x, y in places)


ASTRONAUT: tuple[HintLike, ...] = (
    *_points("#e8622c", (91, 286), (80, 423), (300, 300), (205, 330), (130, 480), (318, 285), (220, 470)),
    *_points("#dba88f", (217, 137), (200, 115)),
    *_points("#8a6b3e", (183, 57), (290, 75)),
    *_points("#b9aca4", (343, 114), (110, 114), (480, 100), (340, 220)),
    *_points(GRAY, (217, 229), (377, 446), (394, 206), (257, 400), (480, 350), (172, 480), (160, 200)),
    *_points("#7a5228", (411, 60)),
    *_points("#5a4d9c", (300, 358)),
    Stroke(((148, 362), (196, 398), (160, 402)), "#5a4d9c", 8),
    Stroke(((24, 10), (20, 60), (30, 95), (8, 138)), "#2d2a70", 6),
    *(
        Stroke(line, "#b0283c", 6)
        for line in (((38, 145), (76, 205)), ((7, 255), (29, 304)), ((8, 441), (20, 483)))
    ),
    *(
        Stroke(line, "#d8d0d0", 6)
        for line in (((59, 111), (75, 147)), ((13, 173), (52, 248)), ((5, 339), (15, 385)))
    ),
)
"""Hints for the photograph of the astronaut."""

COFFEE: tuple[HintLike, ...] = (
    *_points("#a52a12", (110, 134), (308, 355), (455, 201), (228, 201), (221, 275), (180, 330), (100, 200)),
    *_points("#b8651e", (281, 134), (250, 150)),
    *_points("#9a4e24", (496, 67), (562, 335), (80, 321), (60, 200), (420, 20), (560, 180), (420, 380)),
    *_points("#e8d8c4", (201, 80), (290, 45), (375, 100)),
    *_points("#3a2416", (60, 20)),
    Stroke(((345, 270), (365, 310), (392, 285)), "#a8a098", 8),
)
"""Hints for the photograph of the cup of coffee."""

CAT: tuple[HintLike, ...] = (
    *_points("#9c9a40", (155, 117), (308, 136), (190, 108)),
    *_points("#a85c4a", (263, 240)),
    *_points("#a17c58", (116, 190), (60, 60), (180, 60), (261, 67), (330, 90)),
    *_points("#c9b7a6", (205, 268), (90, 270), (310, 240)),
    *_points("#b7a39c", (395, 223), (430, 80), (21, 145)),
    *_points("#cf9a92", (356, 45)),
)
"""Hints for the photograph of the cat."""

ROCKET: tuple[HintLike, ...] = (
    *_points("#24406e", (171, 74), (500, 143), (330, 40), (100, 160), (600, 200)),
    *_points("#4a5f80", (414, 274), (243, 257), (560, 330), (110, 320)),
    *_points("#cdbb95", (323, 246), (322, 330)),
    *_points("#f0a236", (364, 396), (150, 377), (193, 394), (433, 397)),
    *_points("#a87b3c", (317, 422)),
)
"""Hints for the photograph of the rocket."""

BLUE: tuple[HintLike, ...] = (
    Stroke(((375, 222), (410, 195), (445, 180)), "#1f55b8", 24),
    Stroke(((380, 228), (450, 222)), "#1f55b8", 16),
    Stroke(((258, 262), (275, 262), (330, 232)), "#1f55b8", 14),
    Stroke(((130, 222), (160, 214), (205, 218), (245, 252)), "#1f55b8", 8),
    Stroke(((530, 280), (560, 276), (600, 288), (630, 303)), "#1f55b8", 12),
)
"""Hints that make the motorcycle blue."""

STEREO = (_bundled("stereo_motorcycle", 0), _bundled("stereo_motorcycle", 1))
"""Functions that give the two photographs of a stereo pair of a motorcycle."""

EXAMPLES = (
    Example("motorcycle", "reference: the other half of a stereo pair", *STEREO),
    Example("motorcycle-gupta", "the same, method gupta", *STEREO, method="gupta"),
    Example("motorcycle-blue", "the same reference, and strokes that want it blue", *STEREO, BLUE),
    Example("astronaut-alone", "nothing given", _bundled("astronaut")),
    Example("astronaut", "points and strokes", _bundled("astronaut"), hints=ASTRONAUT),
    Example("coffee", "points and a stroke", _bundled("coffee"), hints=COFFEE),
    Example("cat", "points", _bundled("cat"), hints=CAT),
    Example("rocket", "points", _bundled("rocket"), hints=ROCKET),
)
"""The rows of the sheet."""


def run_demo(folder: Path, examples: Sequence[Example] = EXAMPLES) -> Path:
    """Colorize the examples and make a sheet of them: gray, colorized, and true.

    Args:
        folder: the folder for the pictures; it is made, and pictures of an earlier demo are replaced.
        examples: the rows of the sheet.
    Returns:
        The path of the sheet.
    """
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    able = [e for e in examples if e.reference or e.hints or NETWORK_METHOD in METHODS]
    rows = [_row(example, *_colorized(example, folder)) for example in able]
    sheet = np.concatenate([_padded(row, max(row.shape[1] for row in rows)) for row in rows])
    path = folder / "sheet.png"
    Image.fromarray(sheet).save(path)
    return path


def _colorized(example: Example, place: Path) -> tuple[Picture, Picture, Picture]:
    """The gray photograph, the result, and the truth; each stage is a file, as a user would have it."""
    truth = example.picture()
    gray = _gray(truth)
    before, after = place / f"{example.name}.png", place / f"{example.name}.color.png"
    Photo.from_array(gray).write(before, overwrite=True)
    reference = None if example.reference is None else example.reference()
    if reference is not None:
        Photo.from_array(reference).write(place / f"{example.name}.reference.png", overwrite=True)
    result = Colorizer(before, reference, example.hints, method=example.method).render()
    result.write(after, overwrite=True)
    return gray, np.asarray(result.to_array(), np.uint8), truth


def _gray(picture: Picture) -> Picture:
    """What black-and-white film would keep: the same L*, no chroma."""
    from tinct.color.gamut import merge_lightness
    from tinct.color.lab import rgb_to_lightness

    lightness = rgb_to_lightness(picture)
    rgb = merge_lightness(lightness, np.zeros((*lightness.shape, 2), np.float32))
    return np.rint(rgb[..., 0] * 255).astype(np.uint8)


def _row(example: Example, gray: Picture, result: Picture, truth: Picture) -> Picture:
    """Before with the hints drawn in, after, and the true photograph, under a caption."""
    from PIL import Image, ImageDraw

    pictures = [Image.fromarray(p) for p in (_with_hints(gray, example.hints), result, truth)]
    width = round(SHEET_HEIGHT * truth.shape[1] / truth.shape[0])
    step = width + _MARGIN
    canvas = Image.new("RGB", (3 * step + _MARGIN, SHEET_HEIGHT + _CAPTION + _MARGIN), "white")
    for i, picture in enumerate(pictures):
        small = picture.resize((width, SHEET_HEIGHT), Image.Resampling.LANCZOS)
        canvas.paste(small, (_MARGIN + i * step, _CAPTION))
    draw = ImageDraw.Draw(canvas)
    for i, text in enumerate((f"{example.name}: before", f"after ({example.caption})", "as it was")):
        draw.text((_MARGIN + i * step, 4), text, fill="black")
    return np.asarray(canvas)


def _with_hints(gray: Picture, hints: Sequence[HintLike]) -> Picture:
    from PIL import Image, ImageDraw

    image = Image.fromarray(np.repeat(gray[..., None], 3, axis=2))
    draw = ImageDraw.Draw(image)
    for hint in hints:
        if isinstance(hint, Hint):
            r = hint.radius + 3
            draw.ellipse((hint.x - r, hint.y - r, hint.x + r, hint.y + r), fill=hint.color, outline="white")
        elif isinstance(hint, Stroke):
            draw.line(list(hint.points), fill=hint.color, width=round(hint.width))
    return np.asarray(image)


def _padded(row: Picture, width: int) -> Picture:
    return np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0)), constant_values=255)
