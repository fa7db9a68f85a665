"""A small album of photographs that scikit-image brings, in color, and gray copies to ask with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

NAMES = ("astronaut", "coffee", "chelsea", "rocket")


def picture(name: str, longer_side: int = 320) -> Image.Image:
    """A color photograph of scikit-image's, of bounded size."""
    image = Image.fromarray(getattr(data, name)())
    image.thumbnail((longer_side, longer_side))
    return image


def write_album(folder: Path) -> Path:
    """NAMES in color as JPEG files, one of them in a folder below, and one gray picture."""
    (folder / "below").mkdir(parents=True)
    for name in NAMES:
        place = folder / "below" if name == "rocket" else folder
        picture(name).save(place / f"{name}.jpg", quality=90)
    picture("coffee").convert("L").save(folder / "gray.jpg", quality=90)
    return folder


def gray_crop(name: str) -> np.ndarray:
    """The middle of one of NAMES, in gray, smaller and darker: shape (H, W), uint8."""
    image = picture(name).convert("L")
    width, height = image.size
    cut = image.crop((width // 12, height // 12, width - width // 12, height - height // 12))
    return (np.asarray(cut.resize((200, 150)), float) * 0.9).astype(np.uint8)
