"""Reading photographs: from a file's bytes to upright pixels at their own depth, with the metadata of the result."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from tinct.errors import (
    LONGEST_LINE,
    MissingExtraError,
    PhotoError,
    PhotoTooLargeError,
    is_out_of_memory,
    of_bytes,
    shortened,
)
from tinct.photo import (
    avif,
    coded_color,
    extra_formats,
    headers,
    jpeg,
    jpeg2000,
    png,
    ppm,
    psd,
    tiff_reading,
)
from tinct.photo.file_metadata import FileMetadata, Limits
from tinct.photo.formats import READ, sniff, unsupported_format
from tinct.photo.metadata import Metadata
from tinct.photo.pillow_reading import (
    image_metadata,
    image_pixels,
    open_image,
    own_alpha_split,
    split_alpha,
    transparent_gray,
)
from tinct.photo.profiles import (
    ColorProfile,
    ProfileError,
    color_space,
    convert_tables,
    read_profile,
    srgb_icc,
)
from tinct.streams import open_rewindable

if TYPE_CHECKING:
    from PIL import Image

Pixels = NDArray[Any]

_OWN_READERS = {"AVIF": avif.read, "JPEG2000": jpeg2000.read, "PPM": ppm.read, "PSD": psd.read}
"""Readers of formats whose depth or metadata Pillow does not keep."""

_LONGEST_REASON = 60
"""Letters of what a decoder says: damaged files have pages to say."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded photograph.

    Attributes:
        pixels: shape (H, W) or (H, W, 3), uint8 or uint16, upright, in the profile's color space.
        alpha: shape (H, W), same type, or None.
        profile: the pixels' color profile; None for sRGB.
        metadata: of the result's file.
        format: "JPEG", "PNG", ... or None where there was no file.
        notes: the reader's decisions, one sentence each.
        pages: the number of pictures of full size in the file.
    """

    pixels: Pixels
    alpha: Pixels | None
    profile: ColorProfile | None
    metadata: Metadata
    format: str | None
    notes: tuple[str, ...] = ()
    pages: int = 1


def decode(
    source: str | PathLike[str] | bytes | BinaryIO, max_pixels: int, page: int | None = None
) -> Decoded:
    """Decode a file of any supported format.

    Args:
        source: a path, a file's content, or a stream.
        max_pixels: files that declare more pixels are refused before they are decoded.
        page: of a TIFF, from 1, thumbnails not counted; None takes the first, with a note of others.
    Raises:
        PhotoError: if the source is missing, a directory, empty, damaged or not a photograph, or has no such page.
        PhotoTooLargeError: if the header declares more than `max_pixels` pixels; nothing was decoded then.
    """
    with _opened(source) as (stream, name):
        head = stream.read(32)
        stream.seek(0)
        if not head:
            raise PhotoError(f"{name} is empty; a photograph was wanted; check that it was copied whole.")
        kind = sniff(head)
        with damage_named(name, kind):
            if kind is None:
                raise PhotoError(_unknown(head))
            limits = Limits(max_pixels)
            if kind == "TIFF":
                picture = tiff_reading.read(stream, limits, page)
                arrays = (picture.pixels, picture.alpha)
                return _finished(*arrays, picture.found, kind, turned=picture.turned, pages=picture.pages)
            if page not in (None, 1):
                raise PhotoError(f"it has one picture, and page {page} was asked for; leave the page out.")
            return _read_single(stream, kind, limits)


def _unknown(head: bytes) -> str:
    name = unsupported_format(head)
    if name is not None:
        return f"it is {name}, which tinct does not read; convert it to PNG or TIFF."
    return f"it is not a photograph; {READ} was wanted; check what the file is."


def _read_single(stream: BinaryIO, kind: str, limits: Limits) -> Decoded:
    """Read a format that holds one picture, or whose first is taken."""
    if kind == "PNG":
        return _read_png(stream, limits)
    if kind in ("HEIC", "JXL"):
        reader = extra_formats.read_heic if kind == "HEIC" else extra_formats.read_jpeg_xl
        array, found, profile = reader(stream, limits)
        pixels, alpha = split_alpha(array)
        return _finished(coded_color.through_profile(profile, pixels), alpha, found, kind, turned=True)
    if kind == "JPEG":
        picture, found = jpeg.read(stream.read(), limits)
        if isinstance(picture, np.ndarray):
            return _finished(picture, None, found, kind)
        return _finished(*image_pixels(picture, found), found, kind)
    if kind in _OWN_READERS:
        return _finished(*_OWN_READERS[kind](stream, limits), kind)
    image = open_image(stream, kind, limits)
    found = image_metadata(image)
    pixels, alpha = image_pixels(image, found)
    if kind == "BMP":
        found.icc = headers.bmp_icc(stream)
    elif kind == "GIF":
        found.xmp = headers.gif_xmp(stream)
    return _finished(pixels, alpha, found, kind)


def _read_png(stream: BinaryIO, limits: Limits) -> Decoded:
    needed, said, notes = png.read_chunks(stream)
    width, height, bits, samples = png.header(needed)
    limits.check(width, height, samples, bits)
    found = png.metadata(said, notes)
    if bits == 16:
        array = png.decode_deep(needed)
        needed.clear()
        pixels, alpha = own_alpha_split(array)
    else:
        file = BytesIO(needed)
        needed.clear()
        image = open_image(file, "PNG", limits)
        pixels, alpha = image_pixels(image, found, transparent_gray(image))
        file.close()
    profile = coded_color.png_profile(said, found.notes)
    found.icc = found.icc if profile is None else None
    return _finished(coded_color.through_profile(profile, pixels), alpha, found, "PNG")


def decode_pillow(image: Image.Image) -> Decoded:
    """Decode an image that a caller opened or made with Pillow.

    Raises:
        PhotoError: if the image's file is damaged, its mode has no meaning as a photograph, or decoding would start a
            program.
    """
    if not hasattr(image, "format"):
        raise PhotoError(f"a {type(image).__name__} is no Pillow image; open one with PIL.Image.open.")
    if not (image.width and image.height):
        raise PhotoError(
            f"it is {image.width}x{image.height}, which is no photograph; check how it was made."
        )
    with damage_named("the image", image.format):
        if image.format == "EPS":
            raise PhotoError("it is EPS, which tinct does not read; convert it to PNG or TIFF.")
        try:
            return _from_image(image, image.format)
        except ValueError as error:
            if "closed" not in str(error):
                raise
            raise PhotoError(
                "it was closed before its pixels were read; call its load() first, or open it again."
            ) from None


def _from_image(image: Image.Image, kind: str | None) -> Decoded:
    """Take over a Pillow image of any mode."""
    transparent = transparent_gray(image)  # before the metadata, for whose texts Pillow decodes the pixels
    found = image_metadata(image)
    return _finished(*image_pixels(image, found, transparent), found, kind, turned=image.format == "TIFF")


def _finished(
    pixels: Pixels,
    alpha: Pixels | None,
    found: FileMetadata,
    kind: str | None,
    *,
    turned: bool = False,
    pages: int = 1,
) -> Decoded:
    """Turn the pixels upright, and give them their meaning.

    Args:
        turned: True if the decoder has turned them.
    """
    if not turned:
        pixels, alpha = upright(pixels, found.orientation), upright(alpha, found.orientation)
    metadata, profile, notes = found.carried(), None, found.notes
    if metadata.icc is not None:
        try:
            pixels, profile, icc = _interpreted(pixels, metadata.icc, notes)
        except ProfileError as error:
            notes.append(f"{error}; the pixels are taken as sRGB")
            icc = None
        metadata = replace(metadata, icc=icc)
    return Decoded(pixels, alpha, profile, metadata, kind, tuple(dict.fromkeys(notes)), pages)


def upright(array: Any, orientation: int) -> Any:
    """Turn pixels as the EXIF orientation 1..8 says (EXIF 2.32, 4.6.4); None stays None."""
    if array is None or orientation not in range(2, 9):
        return array
    if orientation >= 5:
        array = array.swapaxes(0, 1)
    flip_rows = orientation in (3, 4, 7, 8)
    flip_columns = orientation in (2, 3, 6, 7)
    return np.ascontiguousarray(array[:: -1 if flip_rows else 1, :: -1 if flip_columns else 1])


def _interpreted(
    pixels: Pixels, icc: bytes, notes: list[str]
) -> tuple[Pixels, ColorProfile | None, bytes | None]:
    """What the profile makes of the pixels: they keep it, or are converted to sRGB."""
    space = color_space(icc)
    if space not in ("RGB", "GRAY") or (space == "GRAY" and pixels.ndim == 3):
        notes.append(f"its ICC profile is for {space}, not for these pixels; they are taken as sRGB")
        return pixels, None, None
    profile = read_profile(icc)
    if profile is None:
        rgb = pixels if pixels.ndim == 3 or space == "GRAY" else np.repeat(pixels[..., None], 3, axis=2)
        converted = convert_tables(rgb, icc)
        notes.append("its ICC profile is made of tables; the pixels were converted to sRGB")
        return converted, None, srgb_icc()
    if profile.is_srgb:
        return pixels, None, icc if space == "RGB" else srgb_icc()
    return pixels, profile, icc


@contextmanager
def damage_named(name: str, kind: str | None) -> Iterator[None]:
    """Turn any error of a decoder within the block into a `PhotoError` of one line that names the file.

    Args:
        name: of the file.
        kind: the format's name, or None.
    """
    try:
        yield
    except (PhotoError, MissingExtraError) as error:
        said = _visible(str(error))
        message = said if name in said else f"{name}: {said}"
        kept = PhotoTooLargeError if isinstance(error, PhotoTooLargeError) else PhotoError
        raise kept(shortened(message, max(LONGEST_LINE, len(name) + 120))) from error.__cause__
    except MemoryError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise MemoryError(str(error)) from error
        said = shortened(_visible(str(error)) or type(error).__name__, _LONGEST_REASON)
        raise PhotoError(
            f"{name} looks like {kind or 'a picture'} but cannot be decoded ({said}); it is damaged; copy it anew."
        ) from error


def _visible(text: str) -> str:
    """Text as one line without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in " ".join(text.split()))


@contextmanager
def _opened(source: str | PathLike[str] | bytes | BinaryIO) -> Iterator[tuple[BinaryIO, str]]:
    """The source as a stream that can be read from any place, and its name for messages."""
    if isinstance(source, bytes | bytearray | memoryview):
        yield BytesIO(source), of_bytes(len(source))
    elif isinstance(source, str | PathLike):
        path = Path(source)
        with _open_path(path) as stream:
            yield stream, str(path)
    else:
        name = str(getattr(source, "name", "the stream"))
        try:
            data = source.read()
        except (OSError, ValueError) as error:  # closed, or open for writing alone
            raise PhotoError(f"{name} cannot be read ({error}); open it with mode 'rb'.") from None
        if not isinstance(data, bytes | bytearray | memoryview):
            raise PhotoError(
                f"{name} gives {type(data).__name__}; bytes were wanted; open it with mode 'rb'."
            )
        yield BytesIO(data), name


def _open_path(path: Path) -> BinaryIO:
    try:
        if path.is_dir():
            raise PhotoError(f"{path} is a directory; a photograph was wanted; name the files in it.")
        return open_rewindable(path)
    except FileNotFoundError:
        raise PhotoError(f"{path} does not exist; a photograph was wanted; check the path.") from None
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise PhotoError(f"{path} cannot be opened ({said}); check its permissions and its path.") from error
