"""A page that colorizes, for a Hugging Face Space or one's own machine: python app.py

Strokes are painted over the photograph; each layer of the editor is what tinct calls a hint image.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from numpy.typing import NDArray

import tinct

Picture = NDArray[np.uint8]

MAX_PIXELS = int(os.environ.get("TINCT_MAX_PIXELS", 30_000_000))
"""Photographs of more pixels are refused: a free Space has 16 GB of memory and two cores."""

COLORS = ["#8c5a3c", "#e0b090", "#b03024", "#e0a030", "#4f7a3a", "#a8c8e8", "#1f55b8", "#6a4a8c", "#808080"]
"""The brush's palette: skin, hair, red, yellow, leaves, sky, blue, violet, and gray, which keeps neutral."""

INTRODUCTION = """# tinct
Drop a black-and-white photograph and press Colorize. Paint strokes where a color is wrong, add color photographs
to take colors from, or both. The result has the photograph's own lightness and resolution."""


def colorize(
    edited: dict[str, Any] | None,
    gallery: list[tuple[str, str | None]] | None,
    vividness: float,
    strength: float,
    trust: float,
) -> tuple[tuple[Picture, Picture], str]:
    """The photograph before and after, and the file of the result with its record of how it was made.

    Args:
        edited: what the editor gives: background, and layers of strokes, RGBA of the same size.
        gallery: files of color photographs, each with its caption.
        vividness, strength, trust: as in `tinct.Options`.
    Raises:
        gradio.Error: the library's one line where something cannot be done.
    """
    try:
        photo = photograph_of(edited)
        references = [tinct.Photo.read(path, max_pixels=MAX_PIXELS) for path, _ in gallery or []]
        options = {"vividness": vividness, "strength": strength, "trust": trust}
        result = tinct.Colorizer(photo, references, strokes_of(edited), **options).render()
    except tinct.TinctError as error:
        raise gr.Error(str(error), print_exception=False) from None
    place = Path(tempfile.mkdtemp(prefix="tinct-")) / "photograph.color.png"
    result.write(place)
    return (photo, np.asarray(result.to_array(), np.uint8)[..., :3]), str(place)


def photograph_of(edited: dict[str, Any] | None) -> Picture:
    """The editor's background, (H, W, 3).

    Raises:
        TinctError: if there is none, or it is too large.
    """
    background = None if edited is None else edited["background"]
    if background is None or not np.asarray(background)[..., -1].any():
        raise tinct.TinctError("there is no photograph yet; drop one on the editor.")
    picture = np.asarray(background, np.uint8)
    if picture.shape[0] * picture.shape[1] > MAX_PIXELS:
        raise tinct.TinctError(f"the photograph has more than {MAX_PIXELS} pixels; give a smaller one.")
    return np.ascontiguousarray(picture[..., :3])


def strokes_of(edited: dict[str, Any]) -> list[tinct.HintImage]:
    """The editor's layers that have strokes, each as a hint image."""
    layers = [np.ascontiguousarray(layer, np.uint8) for layer in edited["layers"]]
    return [tinct.HintImage(layer) for layer in layers if (layer[..., 3] >= 128).any()]


def write_examples(folder: Path) -> list[list[str]]:
    """Gray photographs to try, of scikit-image's, which may be passed on."""
    from PIL import Image
    from skimage import data

    for name in ("astronaut", "coffee", "chelsea", "rocket"):
        Image.fromarray(getattr(data, name)()).convert("L").save(folder / f"{name}.png")
    return [[str(path)] for path in sorted(folder.glob("*.png"))]


def build(examples: list[list[str]]) -> gr.Blocks:
    """The page."""
    with gr.Blocks(title="tinct") as page:
        gr.Markdown(INTRODUCTION)
        with gr.Row():
            with gr.Column():
                brush = gr.Brush(colors=COLORS, default_color=COLORS[0], default_size=10)
                editor = gr.ImageEditor(
                    label="Photograph and strokes", type="numpy", image_mode="RGBA", brush=brush, height=480
                )
                gallery = gr.Gallery(
                    label="References (color photographs)", type="filepath", columns=4, height=160
                )
            with gr.Column():
                before_after = gr.ImageSlider(
                    label="Before and after", type="numpy", format="png", height=480
                )
                file = gr.DownloadButton("Download the result", size="sm")
                vividness = gr.Slider(0, 2, 1, step=0.05, label="Vividness", info="0 is the safe mean")
                strength = gr.Slider(0, 2, 1, step=0.05, label="Strength", info="saturation; 0 is gray")
                trust = gr.Slider(0, 3, 1, step=0.1, label="Trust", info="in references that fit loosely")
                button = gr.Button("Colorize", variant="primary")
        button.click(
            colorize,
            [editor, gallery, vividness, strength, trust],
            [before_after, file],
            api_name="colorize",
        )
        gr.Examples(examples, [editor])
    return page


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as photographs:
        rows = write_examples(Path(photographs))
        build(rows).launch(allowed_paths=[photographs])
