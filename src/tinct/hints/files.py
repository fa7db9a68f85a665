"""Hints as people write them: `X,Y=#rrggbb` on a command line, JSON, strokes on a transparent PNG."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from os import PathLike
from typing import Any, BinaryIO

import numpy as np

from tinct.color.hexcolor import parse_color
from tinct.errors import ColorError, HintError, PhotoError, PhotoTooLargeError, shown
from tinct.hints.shapes import Hint, HintImage, HintLike, Rectangle, Stroke, Swatch
from tinct.streams import marked_encoding, read_whole

Size = tuple[int, int]

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)"
_POINT = re.compile(rf"\s*({_NUMBER}%?)\s*,\s*({_NUMBER}%?)\s*=\s*(\S+)\s*")
_COORDINATE = re.compile(rf"({_NUMBER})(%?)")
_MAX_IMAGE_PIXELS = 200_000_000
_LARGEST_FILE = 64 << 20
"""Bytes of a file of hints."""

_PAINTED = ("PNG", "WEBP", "TIFF", "GIF", "AVIF", "JXL", "JPEG2000", "HEIC", "PSD")
"""What has transparency and may hold strokes."""


def parse_hint(text: str, photo_size: Size) -> Hint:
    """Read a hint as written on the command line.

    Args:
        text: "X,Y=#rrggbb"; X and Y in pixels, or in percent of the photograph's width and height
            ("50%,30%=#07c": 0% is the first pixel, 100% the last).
        photo_size: width and height of the photograph in pixels.
    Raises:
        HintError: if the text is no hint.
        ColorError: if the color is not #rgb or #rrggbb.
    """
    written = _POINT.fullmatch(text)
    if not written:
        raise HintError(
            f"{shown(text)} is not a hint; write X,Y=#rrggbb in pixels or percent, as 120,80=#aabbcc."
        )
    x, y, color = written.groups()
    parse_color(color)
    return Hint(_coordinate(x, photo_size[0]), _coordinate(y, photo_size[1]), color)


def read_hints(
    source: str | PathLike[str] | bytes | BinaryIO, photo_size: Size, *, max_pixels: int = _MAX_IMAGE_PIXELS
) -> tuple[HintLike, ...]:
    """Read a file of hints.

    A picture is a `HintImage`: transparent, with opaque strokes; a gray stroke keeps neutral. Anything else
    is JSON with any of these lists, coordinates in pixels or, of the photograph, as "50%", boxes as left, top, right,
    bottom::

        {"points": [{"x": 120, "y": 80, "color": "#aabbcc", "radius": 4}],
         "strokes": [{"points": [[10, 10], [90, 40]], "color": "#336699", "width": 6}],
         "rectangles": [{"box": [0, 0, "100%", "20%"], "color": "#88aadd"}],
         "swatches": [{"target_box": [0, 0, 50, 50], "reference_box": [5, 5, 60, 60], "reference": 0}]}

    Where two meet, the later one wins: points come before strokes, these before rectangles, each in their order, unless
    hints have an "order", a number that goes before.

    Args:
        source: a path, the file's bytes, or an open binary file.
        photo_size: width and height of the photograph in pixels.
        max_pixels: pictures that declare more are refused before they are decoded.
    Raises:
        HintError: if the file is missing, or is neither a picture with transparency nor such JSON.
        ColorError: if a color is not #rgb or #rrggbb.
    """
    name, data = _read(source)
    text = _as_utf8(data)
    if text.lstrip()[:1] in (b"{", b"["):
        return _from_json(text, name, photo_size)
    return (_from_image(data, name, max_pixels),)


def contents(path: str | PathLike[str]) -> bytes:
    """The bytes of a file of hints.

    Raises:
        HintError: if the file cannot be read, or has more than 64 MiB.
    """
    try:
        return read_whole(path, _LARGEST_FILE)
    except OSError as error:
        raise HintError(
            f"{path}: cannot be read ({error.strerror}); give a PNG of strokes or a JSON file of hints."
        ) from None


def _read(source: str | PathLike[str] | bytes | BinaryIO) -> tuple[str, bytes]:
    if isinstance(source, bytes):
        return "the hints", source
    if isinstance(source, str | PathLike):
        return str(source), contents(source)
    if not hasattr(source, "read"):
        raise HintError(f"a {type(source).__name__} is no file of hints; give a path, bytes or an open file.")
    name, data = str(getattr(source, "name", "the hints")), source.read()
    if not isinstance(data, bytes):
        raise HintError(f"{name} gives {type(data).__name__}; bytes were wanted; open it with mode 'rb'.")
    return name, data


def _as_utf8(data: bytes) -> bytes:
    """Text as Windows saves it, with a byte order mark or in UTF-16, as plain UTF-8; other bytes as they are."""
    encoding = marked_encoding(data)
    try:
        return data if encoding is None else data.decode(encoding).encode()
    except UnicodeError:
        return data


def _from_image(data: bytes, name: str, max_pixels: int) -> HintImage:
    from tinct.photo import Photo
    from tinct.photo.formats import sniff

    kind = sniff(data[:32])
    if kind is None:
        raise HintError(
            f"{name}: neither a picture nor JSON; give a transparent PNG of strokes or a JSON file of hints."
        )
    try:
        photo = Photo.read(data, max_pixels=max_pixels) if kind in _PAINTED else None
    except PhotoTooLargeError as error:
        raise HintError(f"{name}: is too large for strokes ({_said(error)}); paint a smaller one.") from None
    except PhotoError as error:
        raise HintError(f"{name}: is not read as a picture of strokes: {_said(error)}") from None
    if photo is None or photo.alpha is None:
        raise HintError(
            f"{name}: has no transparency; paint strokes on a transparent layer and save that as PNG."
        )
    if photo.pages > 1 or any("frames" in note for note in photo.notes):
        raise HintError(f"{name}: holds several pictures; save the layer of strokes alone, as PNG.")
    rgba = (
        (np.dstack([photo.rgb(), photo.alpha / np.iinfo(photo.alpha.dtype).max]) * 255)
        .round()
        .astype(np.uint8)
    )
    if rgba[..., 3].min() >= 128:
        raise HintError(
            f"{name}: is opaque everywhere, so it covers the whole photograph; leave the rest transparent."
        )
    return HintImage(rgba)


def _said(error: PhotoError) -> str:
    """What a reader said of bytes, without the name that it gave them."""
    return str(error).partition("): ")[2] or str(error)


def _from_json(data: bytes, name: str, photo_size: Size) -> tuple[HintLike, ...]:
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise HintError(f"{name}: is not JSON ({error}); see tinct.read_hints for its form.") from None
    return hints_from_json(content, photo_size, name)


def hints_from_json(content: Any, photo_size: Size, name: str = "the hints") -> tuple[HintLike, ...]:
    """Hints from JSON's objects and lists, in the form that `read_hints` reads from files.

    Args:
        content: an object of lists, a list of points, or None for no hints.
        photo_size: width and height of the photograph in pixels.
        name: of where the hints come from, for errors.
    Raises:
        HintError: if a hint is malformed.
        ColorError: if a color is not #rgb or #rrggbb.
    """
    if isinstance(content, list | tuple | None):
        content = {"points": content or []}
    if not isinstance(content, dict):
        raise HintError(f"{name}: are not an object of lists; see tinct.read_hints for the form.")
    if unknown := [key for key in content if key not in _READERS]:
        raise HintError(
            f"{name}: has {shown(unknown[0])}, which is not understood; use {', '.join(_READERS)}."
        )
    hints: list[tuple[float, HintLike]] = []
    for kind, (reader, names) in _READERS.items():
        items = content.get(kind, [])
        if not isinstance(items, list | tuple):
            raise HintError(f"{name}: {kind} is not a list; write [...] even for a single one.")
        for number, item in enumerate(items, 1):
            where = f"{name}: number {number} of {kind}"
            hint = _read_item(reader, item, photo_size, where, names)
            hints.append((_order(item, len(hints), where), hint))
    return tuple(hint for _, hint in sorted(hints, key=lambda each: each[0]))


def _order(item: Any, place: int, where: str) -> float:
    """The place of a hint among all: the number that it says, or that of its reading."""
    given = item.get("order", place) if isinstance(item, dict) else place
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise HintError(f"{where} has the order {shown(given)}; a number was wanted.")
    return float(given)


def _read_item(
    reader: Callable[[Any, Size], HintLike], item: Any, photo_size: Size, where: str, known: tuple[str, ...]
) -> HintLike:
    if isinstance(item, dict) and (unknown := [name for name in item if name not in known]):
        raise HintError(
            f"{where} has {shown(unknown[0])}, which is not understood; it has {', '.join(known)}."
        )
    try:
        return reader(item, photo_size)
    except (HintError, ColorError) as error:
        raise type(error)(f"{where}: {error}") from None
    except (KeyError, TypeError, IndexError, AttributeError, ValueError, OverflowError) as error:
        missing = f"has no {error}" if isinstance(error, KeyError) else "is not in the form that is wanted"
        raise HintError(f"{where} {missing}; see tinct.read_hints for the form.") from None


def _point(item: Any, size: Size) -> Hint:
    if isinstance(item, list | tuple):
        item = dict(zip(("x", "y", "color", "radius"), item, strict=False))
    radius = _positive(item.get("radius", 0), "radius")
    return Hint(_coordinate(item["x"], size[0]), _coordinate(item["y"], size[1]), _color(item), radius)


def _stroke(item: Any, size: Size) -> Stroke:
    points = tuple((_coordinate(x, size[0]), _coordinate(y, size[1])) for x, y in map(_pair, item["points"]))
    return Stroke(points, _color(item), _positive(item.get("width", 5), "width"))


def _rectangle(item: Any, size: Size) -> Rectangle:
    return Rectangle(_box(item["box"], size), _color(item))


def _swatch(item: Any, size: Size) -> Swatch:
    reference_box = item["reference_box"]
    if any(isinstance(value, str) for value in reference_box):
        raise HintError("reference_box is in percent; give pixels of the reference.")
    return Swatch(_box(item["target_box"], size), _box(reference_box, size), int(item.get("reference", 0)))


_READERS: dict[str, tuple[Callable[[Any, Size], HintLike], tuple[str, ...]]] = {
    "points": (_point, ("x", "y", "color", "radius", "order")),
    "strokes": (_stroke, ("points", "color", "width", "order")),
    "rectangles": (_rectangle, ("box", "color", "order")),
    "swatches": (_swatch, ("target_box", "reference_box", "reference", "order")),
}
"""By the name of a list, what reads one of its hints, and the names that such a hint has."""


def _box(value: Any, size: Size) -> tuple[float, float, float, float]:
    if not isinstance(value, list | tuple) or len(value) != 4:
        raise HintError(f"{shown(value)} is not a box; give left, top, right, bottom.")
    left, top, right, bottom = (_edge(each, size[i % 2]) for i, each in enumerate(value))
    return left, top, right, bottom


def _pair(value: Any) -> tuple[Any, Any]:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise HintError(f"{shown(value)} is not a point; give [x, y].")
    return value[0], value[1]


def _color(item: Any) -> str:
    parse_color(item["color"])
    color: str = item["color"]
    return color


def _positive(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise HintError(f"{name} is {shown(value)}; it must be a number of pixels, 0 or more.")
    return float(value)


def _coordinate(value: Any, pixels: int) -> float:
    """The center of a pixel: in percent, 0 is the first and 100 the last."""
    number, percent = _number(value)
    return number / 100 * (pixels - 1) if percent else number


def _edge(value: Any, pixels: int) -> float:
    """An edge between pixels: in percent, 0 is before the first and 100 behind the last."""
    number, percent = _number(value)
    return number / 100 * pixels if percent else number


def _number(value: Any) -> tuple[float, bool]:
    if isinstance(value, str) and (written := _COORDINATE.fullmatch(value.strip())):
        return float(written[1]), bool(written[2])
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise HintError(f'{shown(value)} is not a coordinate; give pixels, or percent as "50%".')
    return float(value), False
