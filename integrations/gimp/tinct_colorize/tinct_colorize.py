#!/usr/bin/env python3
"""Colors > Colorize with tinct: a layer of color over the selected photograph, by the program `tinct`.

GIMP 3 brings its own Python, so the library is not imported here: the photograph and the strokes are written as
PNG, `tinct colorize --chroma-only` makes the layer of color, and that is inserted in the mode LCh Color.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("GimpUi", "3.0")
from gi.repository import Gimp, GimpUi, Gio, GLib, GObject  # noqa: E402

__version__ = "0.1.0"

PROCEDURE = "plug-in-tinct-colorize"
LAYER_NAME = "tinct"
SECONDS = 600
"""After which the program is taken to hang."""

OWN_VARIABLES = ("PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "GI_TYPELIB_PATH")
"""What GIMP's bundles set for their own Python and libraries, and another program must not see."""


class TinctError(Exception):
    """One line for the person: what was met, what was wanted, what to do."""


def find_program(name: str) -> str:
    """The path of the program, looked for as it is written, then where pipx and uv put programs.

    Raises:
        TinctError: if it is nowhere.
    """
    places = [
        os.environ.get("PATH", ""),
        str(Path.home() / ".local" / "bin"),
        "/opt/homebrew/bin",
        "/usr/local/bin",
    ]
    found = shutil.which(os.path.expanduser(name), path=os.pathsep.join(places))
    if found is None:
        raise TinctError(
            f"{name}: no such program; run `pipx install tinct`, or give its path in the dialog."
        )
    return found


def command(
    program: str, photograph: str, result: str, strokes: str | None, reference: str | None, options: dict
) -> list:
    """The command line that makes the layer of color."""
    line = [program, "colorize", photograph, "--chroma-only", "-o", result]
    line += ["--hints", strokes] if strokes else []
    line += ["-r", reference] if reference else []
    for name, value in options.items():
        line += [f"--{name}", f"{value:g}"]
    return line


def run_program(line: list) -> None:
    """Run it, without GIMP's own variables and without a window on Windows.

    Raises:
        TinctError: with the program's own line, if it fails.
    """
    environment = {name: value for name, value in os.environ.items() if name not in OWN_VARIABLES}
    flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    try:
        done = subprocess.run(
            line,
            env=environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            creationflags=flags,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise TinctError(f"{line[0]} did not run: {error}") from None
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"it ended with code {done.returncode} and said nothing."]
        own = [each for each in said if each.startswith("tinct:")]
        raise TinctError((own or said)[-1])


def write_layer(layer: Gimp.Layer, frame: Gimp.Layer, precision: Gimp.Precision, path: Path) -> None:
    """Write a layer's pixels as PNG, cut to the place of another layer; its opacity, mode and mask do not count."""
    image = layer.get_image()
    kind = Gimp.ImageBaseType.GRAY if layer.is_gray() else Gimp.ImageBaseType.RGB
    alone = Gimp.Image.new_with_precision(frame.get_width(), frame.get_height(), kind, image.get_precision())
    try:
        if image.get_color_profile() is not None:
            alone.set_color_profile(image.get_color_profile())
        copy = Gimp.Layer.new_from_drawable(layer, alone)
        alone.insert_layer(copy, None, 0)
        if copy.get_mask() is not None:
            copy.remove_mask(Gimp.MaskApplyMode.DISCARD)
        copy.set_visible(True)
        copy.set_opacity(100)
        copy.set_mode(Gimp.LayerMode.NORMAL)
        (_, x, y), (_, left, top) = layer.get_offsets(), frame.get_offsets()
        copy.set_offsets(0, 0)
        copy.resize(frame.get_width(), frame.get_height(), x - left, y - top)
        if alone.get_precision() != precision:
            alone.convert_precision(precision)
        Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, alone, Gio.File.new_for_path(str(path)), None)
    finally:
        alone.delete()


def chosen(drawables: list, strokes: Gimp.Layer | None) -> tuple:
    """The photograph and the strokes: of two selected layers the upper one is strokes.

    Raises:
        TinctError: if it is not clear which is which.
    """
    layers = [each for each in drawables if isinstance(each, Gimp.Layer) and each != strokes]
    if len(layers) == 2 and strokes is None:
        upper, lower = sorted(layers, key=lambda layer: layer.get_image().get_item_position(layer))
        layers, strokes = [lower], upper
    if len(layers) != 1:
        raise TinctError(
            f"{len(layers)} layers are selected; select the photograph, and at most a layer of strokes."
        )
    if strokes is not None and not strokes.has_alpha():
        raise TinctError(
            f"the layer {strokes.get_name()!r} has no transparency; paint strokes on a transparent layer."
        )
    return layers[0], strokes


def add_color(
    image: Gimp.Image, photograph: Gimp.Layer, strokes: Gimp.Layer | None, config: Gimp.ProcedureConfig
) -> None:
    """Insert a layer of color, in the mode LCh Color, right above the photograph."""
    reference = config.get_property("reference")
    options = {name: config.get_property(name) for name in ("vividness", "strength", "trust")}
    program = find_program(config.get_property("program"))
    with tempfile.TemporaryDirectory(prefix="tinct-") as folder:
        paths = {name: Path(folder) / f"{name}.png" for name in ("photograph", "strokes", "color")}
        write_layer(photograph, photograph, Gimp.Precision.U16_NON_LINEAR, paths["photograph"])
        if strokes is not None:
            write_layer(strokes, photograph, Gimp.Precision.U8_NON_LINEAR, paths["strokes"])
        run_program(
            command(
                program,
                str(paths["photograph"]),
                str(paths["color"]),
                str(paths["strokes"]) if strokes is not None else None,
                reference.get_path() if reference is not None else None,
                options,
            )
        )
        if image.get_base_type() == Gimp.ImageBaseType.GRAY:
            image.convert_rgb()
        color = Gimp.file_load_layer(
            Gimp.RunMode.NONINTERACTIVE, image, Gio.File.new_for_path(str(paths["color"]))
        )
    color.set_name(LAYER_NAME)
    image.insert_layer(color, photograph.get_parent(), image.get_item_position(photograph))
    _, left, top = photograph.get_offsets()
    color.set_offsets(left, top)
    color.set_mode(Gimp.LayerMode.LCH_COLOR)
    if strokes is not None:
        strokes.set_visible(False)


class TinctColorize(Gimp.PlugIn):
    """The plug-in as GIMP asks for it."""

    def do_query_procedures(self):
        return [PROCEDURE]

    def do_set_i18n(self, name):
        return False

    def do_create_procedure(self, name):
        procedure = Gimp.ImageProcedure.new(self, name, Gimp.PDBProcType.PLUGIN, self.run, None)
        procedure.set_image_types("RGB*, GRAY*")
        procedure.set_sensitivity_mask(
            Gimp.ProcedureSensitivityMask.DRAWABLE | Gimp.ProcedureSensitivityMask.DRAWABLES
        )
        procedure.set_menu_label("Colorize with _tinct...")
        procedure.add_menu_path("<Image>/Colors/")
        procedure.set_documentation(
            "Color for a black-and-white photograph",
            "Inserts a layer of color over the selected photograph, from strokes, a reference, or by itself.",
            name,
        )
        procedure.set_attribution("tinct", "MIT licence", "2026")
        self.add_arguments(procedure)
        return procedure

    def add_arguments(self, procedure):
        flags = GObject.ParamFlags.READWRITE
        procedure.add_layer_argument(
            "strokes", "_Strokes", "Transparent layer with strokes of color", True, flags
        )
        procedure.add_file_argument(
            "reference",
            "_Reference",
            "Color photograph to take colors from",
            Gimp.FileChooserAction.OPEN,
            True,
            None,
            flags,
        )
        procedure.add_double_argument(
            "vividness", "_Vividness", "0 is the safe mean, 2 daring", 0, 2, 1, flags
        )
        procedure.add_double_argument("strength", "S_aturation", "0 is gray, 1 as predicted", 0, 2, 1, flags)
        procedure.add_double_argument("trust", "_Trust", "In a reference that fits loosely", 0, 3, 1, flags)
        procedure.add_string_argument("program", "_Program", "tinct's program, or its path", "tinct", flags)

    def run(self, procedure, run_mode, image, drawables, config, data):
        if run_mode == Gimp.RunMode.INTERACTIVE and not self.ask(procedure, config):
            return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, None)
        image.undo_group_start()
        try:
            photograph, strokes = chosen(drawables, config.get_property("strokes"))
            Gimp.progress_init("Colorizing")
            add_color(image, photograph, strokes, config)
        except TinctError as error:
            return procedure.new_return_values(Gimp.PDBStatusType.EXECUTION_ERROR, GLib.Error(str(error)))
        finally:
            image.undo_group_end()
        Gimp.displays_flush()
        return procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, None)

    def ask(self, procedure, config):
        """The dialog; False if the person leaves it."""
        GimpUi.init(PROCEDURE)
        dialog = GimpUi.ProcedureDialog.new(procedure, config, "Colorize with tinct")
        dialog.fill(None)
        answer = dialog.run()
        dialog.destroy()
        return answer


if __name__ == "__main__":
    Gimp.main(TinctColorize.__gtype__, sys.argv)
