"""Chroma files: the predicted a* b* of a photograph and its recipe, from which the picture is rendered again.

A chroma file is a zip archive of two members. `recipe.json` records how the colors were predicted (`Recipe`).
`ab.residuals` holds a* and b* at the working size in steps of `tinct.colorizing.rendering.CHROMA_STEP`, as integers:
each is predicted from its left, upper and upper left neighbors (left + upper - upper left, per channel), the
differences are mapped to non-negative numbers (0, -1, 1, -2, ... become 0, 1, 2, 3, ...), and stored as a plane of
high bytes and a plane of low bytes, compressed by LZMA. The lightness comes from the photograph itself.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tinct.colorizing.rendering import CHROMA_STEP, rounded_chroma
from tinct.errors import ChromaError, TinctError, one_line, shown
from tinct.version import __version__

if TYPE_CHECKING:
    from tinct.colorizing.colorizer import Colorizer
    from tinct.photo import Photo

SUFFIX = ".chroma"
"""Suffix of chroma files."""

VERSION = 1
"""Version of the file format."""

LARGEST_MEMBER = 64 << 20
"""Bytes that a member of a chroma file may have, unpacked; the largest working size needs 32 MiB."""

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""Time of all members, so that equal contents give equal bytes."""


@dataclass(frozen=True)
class Recipe:
    """The recipe of a chroma file.

    Attributes:
        photo_sha256: hash of the photograph's file.
        photo: width and height of the photograph in pixels.
        working: width and height of the colors.
        method: the method that predicted.
        weights_sha256: the hash of its weights, or "".
        options: the options by name.
        points: the hints that are points, in pixels of the photograph: their exact color is met at full size. All
            other hints are in the colors already.
        format: the format of the result: png, jpg, tif, webp, or "" for the photograph's own.
        tinct: version of tinct that wrote the file.
        version: of the file format.
    """

    photo_sha256: str
    photo: tuple[int, int]
    working: tuple[int, int]
    method: str
    weights_sha256: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    points: tuple[Mapping[str, Any], ...] = ()
    format: str = ""
    tinct: str = __version__
    version: int = VERSION


def chroma_file(colorizer: Colorizer, photo_sha256: str, format: str = "") -> bytes:
    """The chroma file of a colorizer's present prediction.

    Args:
        colorizer: with photograph, references, hints and options set.
        photo_sha256: hash of the photograph's file.
        format: of the result that `rendered` gives.
    """
    from tinct.colorizing.rendering import uncovered

    ab = rounded_chroma(colorizer.predict().ab)
    said, photo = colorizer.provenance, colorizer.photo
    recipe = Recipe(
        photo_sha256,
        (photo.width, photo.height),
        (ab.shape[1], ab.shape[0]),
        said.method,
        said.weights_sha256 or "",
        asdict(colorizer.options),
        tuple(asdict(hint) for hint in uncovered(list(colorizer.hints.values()), photo)),
        format,
    )
    return packed(recipe, ab)


def packed(recipe: Recipe, ab: NDArray[np.float32]) -> bytes:
    """A chroma file of a recipe and a* b*.

    Args:
        recipe: the recipe.
        ab: shape (h, w, 2), in whole steps of CHROMA_STEP.
    """
    text = json.dumps(asdict(recipe), ensure_ascii=False, sort_keys=True)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content, how in (
            ("recipe.json", text.encode(), zipfile.ZIP_DEFLATED),
            ("ab.residuals", _residuals(ab), zipfile.ZIP_LZMA),
        ):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content, how)
    return stream.getvalue()


def unpacked(content: bytes) -> tuple[Recipe, NDArray[np.float32]]:
    """The recipe and the a* b*, shape (h, w, 2), of a chroma file.

    Raises:
        ChromaError: if the content is not a chroma file, is damaged, or has a later version.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            recipe = _recipe(json.loads(_member(archive, "recipe.json")))
            ab = _from_residuals(_member(archive, "ab.residuals"), recipe.working)
    except ChromaError:
        raise
    except Exception as error:
        said = " ".join(str(error).split())[:100]
        raise ChromaError(
            f"this is not a whole chroma file ({said}); make it again with --store chroma."
        ) from None
    return recipe, ab


def rendered(content: bytes, photo_bytes: bytes) -> tuple[Photo, Recipe]:
    """The photograph in color from its chroma file; encoded, it has the same bytes as a whole run gives.

    Of a file of several pages this is the first one, with a note of the others.

    Args:
        content: the chroma file.
        photo_bytes: the photograph's file, the same that was colorized.
    Raises:
        ChromaError: if the chroma file is damaged or belongs to another photograph.
        PhotoError: if the photograph cannot be read.
    """
    from tinct.colorizing.rendering import render
    from tinct.hints import Hint
    from tinct.options import Options
    from tinct.photo import Photo, Provenance

    recipe, ab = unpacked(content)
    if sha256(photo_bytes).hexdigest() != recipe.photo_sha256:
        raise ChromaError(
            "the chroma file belongs to another photograph; give the one whose colors it holds."
        )
    photo = Photo.read(photo_bytes)
    lightness = photo.working_lightness(max(recipe.working))
    if lightness.shape != ab.shape[:2]:
        raise ChromaError(
            f"the colors are {recipe.working} but the photograph gives {lightness.shape[::-1]}."
        )
    try:
        points, options = [Hint(**point) for point in recipe.points], Options(**recipe.options)
    except (TypeError, TinctError) as error:
        said = one_line(str(error))[:100]
        raise ChromaError(
            f"the recipe of the chroma file is not understood ({said}); it may be a later tinct's."
        ) from None
    on_engine = bool(recipe.weights_sha256)
    result = render(photo, ab, lightness, points, options, on_engine=on_engine)
    result.provenance = Provenance(recipe.method, recipe.weights_sha256 or None)
    return result, recipe


def _residuals(ab: NDArray[np.float32]) -> bytes:
    """The bytes of a* b*, in steps: of each the difference to the plane through its three neighbors above and left.

    The sign of a difference is its last bit. All high bytes come first, then all low bytes.
    """
    steps = np.rint(ab / CHROMA_STEP).astype(np.int32)
    padded = np.pad(steps, ((1, 0), (1, 0), (0, 0)))
    difference = steps - padded[1:, :-1] - padded[:-1, 1:] + padded[:-1, :-1]
    mapped = np.where(difference < 0, -2 * difference - 1, 2 * difference).astype(np.uint16)
    planes = np.moveaxis(mapped, -1, 0).ravel()
    return (planes >> 8).astype(np.uint8).tobytes() + (planes & 255).astype(np.uint8).tobytes()


def _from_residuals(content: bytes, working: tuple[int, int]) -> NDArray[np.float32]:
    """The a* b*, shape (h, w, 2), that `_residuals` packed.

    Raises:
        ChromaError: if there are not as many bytes as the working size, width and height, needs.
    """
    width, height = working
    count = 2 * width * height
    if len(content) != 2 * count:
        raise ChromaError(f"the colors of a chroma file are {len(content)} bytes; {2 * count} were expected.")
    high, low = np.frombuffer(content, np.uint8).reshape(2, count).astype(np.int32)
    mapped = (high << 8 | low).reshape(2, height, width)
    difference = np.where(mapped & 1, -(mapped + 1) // 2, mapped // 2)
    steps = difference.cumsum(axis=1).cumsum(axis=2)
    return np.ascontiguousarray(np.moveaxis(steps, 0, -1) * CHROMA_STEP, np.float32)


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).file_size > LARGEST_MEMBER:
        raise ChromaError(f"{name} of the chroma file is too large; it is not one that tinct wrote.")
    with archive.open(name) as stream:
        content = stream.read(LARGEST_MEMBER + 1)
    if len(content) > LARGEST_MEMBER:
        raise ChromaError(f"{name} of the chroma file is too large; it is not one that tinct wrote.")
    return content


def _recipe(columns: Mapping[str, Any]) -> Recipe:
    """A recipe from its columns; those that this version does not know are left out.

    Raises:
        ChromaError: if the version is later than this tinct's, or a column is not what it should be.
        KeyError, TypeError, ValueError: if one is missing or has another form.
    """
    if columns["version"] > VERSION:
        raise ChromaError(
            f"the chroma file has version {shown(columns['version'])}; this tinct reads up to {VERSION}."
        )
    known = {each.name for each in fields(Recipe)}
    values = {name: value for name, value in columns.items() if name in known}
    for name in ("photo", "working"):
        width, height = values[name]
        if not (type(width) is int and type(height) is int and width > 0 and height > 0):
            raise ChromaError(f"the chroma file has a size of {shown(values[name])}; it is damaged.")
        values[name] = (width, height)
    if max(values["working"]) > 4096:
        raise ChromaError(f"the chroma file's colors are {values['working']}; it is damaged.")
    kinds = {
        "photo_sha256": str,
        "method": str,
        "weights_sha256": str,
        "format": str,
        "options": dict,
        "points": list,
    }
    for name, kind in kinds.items():
        if name in values and not isinstance(values[name], kind):
            raise ChromaError(f"the chroma file's {name} is {shown(values[name])}; it is damaged.")
    if not all(isinstance(point, dict) for point in values.get("points", ())):
        raise ChromaError("the chroma file's points are no points; it is damaged.")
    return Recipe(**{**values, "points": tuple(values.get("points", ()))})
