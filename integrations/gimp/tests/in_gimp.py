"""Run inside GIMP 3's Python console: a photograph, strokes, the plug-in, and the picture that GIMP shows.

The environment names a folder (TINCT_GIMP_FOLDER) with photograph.png and, maybe, strokes.png; the layers after the
call are written as layers.json, the merged picture as shown.png, and an error as error.txt.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from gi.repository import Gimp, Gio

FOLDER = Path(os.environ["TINCT_GIMP_FOLDER"])


def file(name):
    return Gio.File.new_for_path(str(FOLDER / name))


def photograph():
    image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, file("photograph.png"))
    layer = image.get_layers()[0]
    if os.environ.get("TINCT_GIMP_MOVED"):
        image.resize(image.get_width() + 40, image.get_height() + 30, 25, 15)
    return image, layer


def call(image, layer, strokes):
    procedure = Gimp.get_pdb().lookup_procedure("plug-in-tinct-colorize")
    config = procedure.create_config()
    config.set_property("run-mode", Gimp.RunMode.NONINTERACTIVE)
    config.set_property("image", image)
    config.set_core_object_array("drawables", [layer])
    config.set_property("program", os.environ["TINCT_GIMP_PROGRAM"])
    if strokes is not None:
        config.set_property("strokes", strokes)
    result = procedure.run(config)
    if result.index(0) != Gimp.PDBStatusType.SUCCESS:
        (FOLDER / "error.txt").write_text(Gimp.get_pdb().get_last_error())


def main():
    image, layer = photograph()
    strokes = None
    if (FOLDER / "strokes.png").exists():
        image.convert_rgb()
        strokes = Gimp.file_load_layer(Gimp.RunMode.NONINTERACTIVE, image, file("strokes.png"))
        image.insert_layer(strokes, None, 0)
        _, left, top = layer.get_offsets()
        strokes.set_offsets(left, top)
    call(image, layer, strokes)
    layers = [
        {
            "name": each.get_name(),
            "mode": each.get_mode().value_nick,
            "visible": each.get_visible(),
            "offsets": list(each.get_offsets())[1:],
            "size": [each.get_width(), each.get_height()],
        }
        for each in image.get_layers()
    ]
    merged = image.duplicate()
    merged.merge_visible_layers(Gimp.MergeType.CLIP_TO_IMAGE)
    Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, merged, file("shown.png"), None)
    Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image, file("layers.xcf"), None)
    (FOLDER / "layers.json").write_text(json.dumps({"gimp": Gimp.version(), "layers": layers}))


main()
