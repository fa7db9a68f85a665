"""Reading photographs: from a file's bytes to upright pixels at their own depth, and what to keep."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from tinct.errors import PhotoError, PhotoTooLargeError, is_out_of_memory
from tinct.photo import png, tiff
from tinct.photo.formats import sniff
from tinct.photo.metadata import (
    ORIENTATION,
    PHOTOSHOP_MARKER,
    Metadata,
    carried_exif,
    exif_dpi,
    parse_exif,
    plausible_dpi,
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
    from collections.abc import Iterator

    from PIL import Image

Pixels = NDArray[Any]

_PLUGINS = {
    "JPEG": ("PIL.JpegImagePlugin", "JpegImageFile"),
    "PNG": ("PIL.PngImagePlugin", "PngImageFile"),
    "WEBP": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "TIFF": ("PIL.TiffImagePlugin", "TiffImageFile"),
    "BMP": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "GIF": ("PIL.GifImagePlugin", "GifImageFile"),
}
"""Pillow's readers, opened directly: Image.open has a pixel limit of its own, far below a large scan's."""

_MODES = {
    "1": "L",
    "La": "LA",
    "RGBa": "RGBA",
    "PA": "RGBA",
    "YCbCr": "RGB",
    "HSV": "RGB",
    "RGBX": "RGB",
}


@dataclass(frozen=True, slots=True)
class Decoded:
    """A photograph as it came out of its file.

    Attributes:
        pixels: shape (H, W) or (H, W, 3), uint8 or uint16, upright, in the profile's color space.
        alpha: shape (H, W), same type, or None.
        profile: what the pixels mean; None for sRGB.
        metadata: what the result's file shall say as well.
        format: "JPEG", "PNG", ... or None where there was no file.
        notes: what the reader decided and a user may want to know, one sentence each.
    """

    pixels: Pixels
    alpha: Pixels | None
    profile: ColorProfile | None
    metadata: Metadata
    format: str | None
    notes: tuple[str, ...] = ()


def decode(source: str | PathLike[str] | bytes | BinaryIO, max_pixels: int) -> Decoded:
    """Decode a file of any supported format.

    Raises:
        PhotoError: if it is missing, a directory, empty, damaged or not a photograph.
        PhotoTooLargeError: if its header declares more than `max_pixels`; nothing was decoded then.
    """
    with _opened(source) as (stream, name):
        head = stream.read(16)
        stream.seek(0)
        if not head:
            raise PhotoError(f"{name} is empty; a photograph was wanted; check that it was copied whole.")
        kind = sniff(head)
        with _damage_named(name, kind):
            if kind == "PNG" and png.is_deep(stream):
                return _with_pixels(_open_image(stream, kind, name, max_pixels), png.read_deep(stream), kind)
            if kind == "TIFF":
                found = tiff.read(stream, lambda width, height: _check_size(width, height, max_pixels, name))
                if found is not None:
                    return _from_tiff(found)
            return decode_image(_open_image(stream, kind, name, max_pixels), kind)


def decode_pillow(image: Image.Image) -> Decoded:
    """Take over an image that somebody opened or made with Pillow.

    Raises:
        PhotoError: if its file is damaged or its mode is of no use.
    """
    with _damage_named("the image", image.format):
        return decode_image(image, image.format)


def decode_image(image: Image.Image, kind: str | None) -> Decoded:
    """Take over a Pillow image of any mode."""
    oriented, orientation, metadata = _image_metadata(image)
    notes = [f"it has {n} frames; the first is used"] if (n := getattr(image, "n_frames", 1)) > 1 else []
    if image.mode in ("CMYK", "LAB"):
        image, note = _converted_to_srgb(image, metadata.icc)
        notes.append(note)
        metadata = replace(metadata, icc=srgb_icc())
    pixels, alpha = image_pixels(image)
    if not oriented:
        pixels, alpha = upright(pixels, orientation), upright(alpha, orientation)
    return _profiled(pixels, alpha, metadata, kind, notes)


def image_pixels(image: Image.Image) -> tuple[Pixels, Pixels | None]:
    """Pixels and alpha of a Pillow image in any mode that has a meaning as a photograph.

    Raises:
        PhotoError: for 32-bit integers beyond 16 bits and for floating point, whose range nobody states.
    """
    mode = image.mode
    if mode == "I" or mode.startswith("I;16"):
        return _deep_gray(image), None
    if mode == "P":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    elif "transparency" in image.info and mode in ("L", "RGB", "1"):
        image = image.convert("RGBA" if mode == "RGB" else "LA")
    elif mode in _MODES:
        image = image.convert(_MODES[mode])
    if image.mode not in ("L", "LA", "RGB", "RGBA"):
        raise PhotoError(
            f"the image is of mode {mode}; 8 or 16 bits a channel were wanted; convert it first."
        )
    array = np.asarray(image)
    return split_alpha(array)


def split_alpha(array: Pixels) -> tuple[Pixels, Pixels | None]:
    """Part (H, W), (H, W, 1..4) into color and alpha, each contiguous."""
    if array.ndim == 2:
        return array, None
    channels = array.shape[2]
    color = array[..., 0] if channels < 3 else array[..., :3]
    alpha = np.ascontiguousarray(array[..., -1]) if channels in (2, 4) else None
    return np.ascontiguousarray(color), alpha


def upright(array: Any, orientation: int) -> Any:
    """Turn pixels as the EXIF orientation 1..8 says (EXIF 2.32, 4.6.4); None stays None."""
    if array is None or orientation not in range(2, 9):
        return array
    if orientation >= 5:
        array = array.swapaxes(0, 1)
    flip_rows = orientation in (3, 4, 7, 8)
    flip_columns = orientation in (2, 3, 6, 7)
    return np.ascontiguousarray(array[:: -1 if flip_rows else 1, :: -1 if flip_columns else 1])


def _image_metadata(image: Image.Image) -> tuple[bool, int, Metadata]:
    """Whether Pillow turns the pixels itself (it does for TIFF), the orientation, and the metadata."""
    iptc = _photoshop_block(image)
    exif = image.getexif()
    orientation = exif.get(ORIENTATION, 1)
    dpi = plausible_dpi(image.info.get("dpi")) or exif_dpi(exif)
    texts = getattr(image, "text", None) if image.format == "PNG" else None
    xmp = image.info.get("xmp")
    metadata = Metadata(
        exif=carried_exif(exif),
        icc=image.info.get("icc_profile") or None,
        dpi=dpi,
        xmp=xmp.encode() if isinstance(xmp, str) else xmp,
        iptc=iptc,
        texts=tuple(
            (k, str(v)) for k, v in (texts or {}).items() if not k.startswith(("XML:com", "Raw prof"))
        ),
        comment=image.info.get("comment") if image.format == "JPEG" else None,
    )
    return image.format == "TIFF", orientation if isinstance(orientation, int) else 1, metadata


def _photoshop_block(image: Image.Image) -> bytes | None:
    """Photoshop's resources, without a JPEG segment's marker in front."""
    if image.format == "TIFF":
        block = image.tag_v2.get(34377)  # type: ignore[attr-defined]
        return block if isinstance(block, bytes) else None
    blocks = [content for marker, content in getattr(image, "applist", []) if marker == "APP13"]
    whole = len(blocks) == 1 and blocks[0].startswith(PHOTOSHOP_MARKER)  # long ones go over several segments
    return blocks[0].removeprefix(PHOTOSHOP_MARKER) if whole else None


def _with_pixels(image: Image.Image, array: Pixels, kind: str) -> Decoded:
    """Pixels read at full depth, the rest from Pillow's view of the same file."""
    _, orientation, metadata = _image_metadata(image)
    pixels, alpha = split_alpha(upright(array, orientation))
    return _profiled(pixels, alpha, metadata, kind, [])


def _from_tiff(found: tiff.TiffPage) -> Decoded:
    exif = parse_exif(None)
    try:
        found.stream.seek(0)
        exif.load_from_fp(found.stream)
        carried = carried_exif(exif)
    except Exception:  # Pillow raises whatever its parsing ran into; the pixels are none the worse
        carried = None
    metadata = Metadata(exif=carried, icc=found.icc, dpi=found.dpi, xmp=found.xmp, iptc=found.iptc)
    pixels, alpha = upright(found.pixels, found.orientation), upright(found.alpha, found.orientation)
    return _profiled(pixels, alpha, metadata, "TIFF", list(found.notes))


def _profiled(
    pixels: Pixels, alpha: Pixels | None, metadata: Metadata, kind: str | None, notes: list[str]
) -> Decoded:
    """Give the pixels their meaning: the profile is kept, or the pixels are converted to sRGB."""
    profile = None
    if metadata.icc is not None:
        try:
            pixels, profile, icc = _interpreted(pixels, metadata.icc, notes)
        except ProfileError as error:
            notes.append(f"{error}; the pixels are taken as sRGB")
            icc = None
        metadata = replace(metadata, icc=icc)
    return Decoded(pixels, alpha, profile, metadata, kind, tuple(notes))


def _interpreted(
    pixels: Pixels, icc: bytes, notes: list[str]
) -> tuple[Pixels, ColorProfile | None, bytes | None]:
    space = color_space(icc)
    if space not in ("RGB", "GRAY") or (space == "GRAY" and pixels.ndim == 3):
        notes.append(f"its ICC profile is for {space}, not for these pixels; they are taken as sRGB")
        return pixels, None, None
    profile = read_profile(icc)
    if profile is None:
        notes.append("its ICC profile is made of tables; the pixels were converted to sRGB")
        rgb = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
        return convert_tables(rgb, icc), None, srgb_icc()
    if profile.is_srgb:
        return pixels, None, icc if space == "RGB" else srgb_icc()
    return pixels, profile, icc


def _converted_to_srgb(image: Image.Image, icc: bytes | None) -> tuple[Image.Image, str]:
    """CMYK and Lab to RGB: through the embedded profile where there is one."""
    from PIL import ImageCms

    srgb = ImageCms.createProfile("sRGB")
    if image.mode == "LAB":
        source: Any = ImageCms.createProfile("LAB")
    elif icc is not None and color_space(icc) == "CMYK":
        source = ImageCms.ImageCmsProfile(BytesIO(icc))
    else:
        return image.convert("RGB"), "it is CMYK without a profile; the colors are a plain guess"
    try:
        converted = ImageCms.profileToProfile(
            image,
            source,
            srgb,
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError):
        return image.convert("RGB"), f"its {image.mode} profile cannot be used; the colors are a plain guess"
    assert converted is not None
    return converted, f"it is {image.mode}; the pixels were converted to sRGB"


def _deep_gray(image: Image.Image) -> Pixels:
    array = np.asarray(image)
    if array.dtype.kind == "i" and (array.min(initial=0) < 0 or array.max(initial=0) > 65535):
        raise PhotoError(
            "the image has 32 bits a channel; 8 or 16 were wanted; save it with 16 bits a channel first."
        )
    return array.astype(np.uint16)


def _open_image(stream: BinaryIO, kind: str | None, name: str, max_pixels: int) -> Image.Image:
    """Read the header, and refuse before decoding what is too large."""
    from PIL import Image

    stream.seek(0)
    try:
        if kind is None:
            image: Image.Image = Image.open(stream)
        else:
            module, plugin = _PLUGINS[kind]
            image = getattr(import_module(module), plugin)(stream)
    except Image.DecompressionBombError as error:
        raise PhotoTooLargeError(
            f"{name} is too large ({error}); scale it down, or read it in Python with more max_pixels."
        ) from error
    except Image.UnidentifiedImageError:
        raise PhotoError(
            f"{name} is not a photograph; JPEG, PNG, WebP, TIFF or BMP was wanted; check what the file is."
        ) from None
    _check_size(*image.size, max_pixels, name)
    return image


def _check_size(width: int, height: int, max_pixels: int, name: str) -> None:
    if width < 1 or height < 1:
        raise PhotoError(f"{name} is {width}x{height}, which is no photograph; check how it was made.")
    if width * height > max_pixels:
        raise PhotoTooLargeError(
            f"{name} is {width}x{height}, {width * height / 1e6:.0f} megapixels; at most "
            f"{max_pixels / 1e6:.0f} are read; scale it down, or read it in Python with more max_pixels."
        )


@contextmanager
def _damage_named(name: str, kind: str | None) -> Iterator[None]:
    """Whatever a decoder raises becomes one line that names the file."""
    try:
        yield
    except PhotoError as error:
        raise error if name in str(error) else PhotoError(f"{name}: {error}") from error.__cause__
    except MemoryError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise MemoryError(str(error)) from error
        said = " ".join(str(error).split()) or type(error).__name__
        raise PhotoError(
            f"{name} starts like a {kind or 'picture'} file but cannot be decoded ({said}); it is damaged or "
            "incomplete; copy or export it again."
        ) from error


@contextmanager
def _opened(source: str | PathLike[str] | bytes | BinaryIO) -> Iterator[tuple[BinaryIO, str]]:
    if isinstance(source, bytes | bytearray | memoryview):
        yield BytesIO(source), f"the image ({len(source)} bytes)"
    elif isinstance(source, str | PathLike):
        path = Path(source)
        with _open_path(path) as stream:
            yield stream, str(path)
    else:
        yield BytesIO(source.read()), str(getattr(source, "name", "the stream"))


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
