"""Pictures of 8 bits through Pillow: the decoders that are used, by name, and an opened image's metadata and pixels."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from tinct.errors import PhotoError
from tinct.photo import color_models, headers, ifd, iptc
from tinct.photo.arrays import first_channels
from tinct.photo.color_models import CIE_LAB
from tinct.photo.file_metadata import FileMetadata, Limits
from tinct.photo.metadata import PngText, plausible_dpi

if TYPE_CHECKING:
    from PIL import Image

Pixels = NDArray[Any]

_PLUGINS = {
    "WEBP": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "TIFF": ("PIL.TiffImagePlugin", "TiffImageFile"),
    "BMP": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "GIF": ("PIL.GifImagePlugin", "GifImageFile"),
    "PNG": ("PIL.PngImagePlugin", "PngImageFile"),
    "JPEG2000": ("PIL.Jpeg2KImagePlugin", "Jpeg2KImageFile"),
    "AVIF": ("PIL.AvifImagePlugin", "AvifImageFile"),
    "PPM": ("PIL.PpmImagePlugin", "PpmImageFile"),
}
"""Pillow's readers, opened directly: Image.open has a pixel limit of its own, far below a large scan's, and knows
formats whose readers start programs (EPS runs Ghostscript)."""

_SIZES: dict[str, Callable[[bytes], headers.Size]] = {
    "WEBP": headers.webp_size,
    "JPEG2000": headers.jpeg2000_size,
}

_PLAIN = (b"P1", b"P2", b"P3")
_COMMENT = re.compile(rb"#[^\r\n]*[\r\n]?")
"""What PPM's plain formats may have between their numbers; Pillow takes out one at a time, and copies the rest."""

_MODES = {
    "1": "L",
    "La": "LA",
    "RGBa": "RGBA",
    "PA": "RGBA",
    "YCbCr": "RGB",
    "HSV": "RGB",
    "RGBX": "RGB",
}


def open_image(stream: BinaryIO, kind: str, limits: Limits) -> Image.Image:
    """Open a file and read its header; a picture that is too large is refused before it is decoded.

    Args:
        stream: open for reading.
        kind: the format's name.
        limits: of the picture's size.
    Raises:
        PhotoTooLargeError: if the picture exceeds the limits.
    """
    if kind in _SIZES:
        stream.seek(0)
        limits.check(*_SIZES[kind](stream.read(1 << 20)))
    stream.seek(0)
    if kind == "PPM" and stream.read(2) in _PLAIN:
        stream = BytesIO(_COMMENT.sub(b"", _whole(stream)))
    stream.seek(0)
    module, plugin = _PLUGINS[kind]
    image: Image.Image = getattr(import_module(module), plugin)(stream)
    limits.check(*image.size)
    return image


def opened_formats() -> list[str]:
    """The formats that `PIL.Image.open` is given, where it is used: no reader of them starts a program."""
    from PIL import Image

    Image.init()
    return [name for name in ("JPEG", *_PLUGINS) if name in Image.OPEN]


def _whole(stream: BinaryIO) -> bytes:
    stream.seek(0)
    return stream.read()


def image_metadata(image: Image.Image) -> FileMetadata:
    """The metadata of an image; parts that cannot be understood are left out."""
    found = FileMetadata(exif=_exif(image))
    info = image.info
    found.icc = _as_bytes(info.get("icc_profile"))
    found.dpi = plausible_dpi(info.get("dpi")) if image.format != "TIFF" else None
    found.xmp = _as_bytes(info.get("xmp"))
    found.comment = _as_bytes(info.get("comment")) if image.format in ("JPEG", "GIF") else None
    if image.format == "PNG":
        found.texts = [
            PngText(
                str(key),
                str(value),
                str(getattr(value, "lang", "") or ""),
                str(getattr(value, "tkey", "") or ""),
            )
            for key, value in getattr(image, "text", {}).items()
            if not str(key).startswith(("XML:com", "Raw prof"))
        ]
    found.iptc = _photoshop_block(image)
    if many := _frames(image):
        found.notes.append(f"it has {many} frames; the first is used")
    return found


def _exif(image: Image.Image) -> ifd.Directory:
    """EXIF as the file has it; where Pillow only has it parsed, as Pillow writes it."""
    block = image.info.get("exif")
    if not isinstance(block, bytes):
        try:
            block = image.getexif().tobytes()
        except Exception:  # Pillow raises whatever its parsing ran into
            block = None
    return ifd.read_block(block)


def _as_bytes(value: Any) -> bytes | None:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    return value if isinstance(value, bytes) and value else None


def _photoshop_block(image: Image.Image) -> bytes | None:
    """Photoshop's resources, without a JPEG segment's marker in front."""
    if image.format == "TIFF":
        return _as_bytes(getattr(image, "tag_v2", {}).get(34377))
    blocks = [content for marker, content in getattr(image, "applist", []) if marker == "APP13"]
    parts = [iptc.as_resources(block) for block in blocks if block.startswith(b"Photoshop 3.0\0")]
    return b"".join(part for part in parts if part) or None


def _frames(image: Image.Image) -> str:
    """How many frames there are, if more than one; GIF's are not counted, as that reads the whole file."""
    if image.format == "GIF":
        return "several" if getattr(image, "is_animated", False) else ""
    count = getattr(image, "n_frames", 1)
    return str(count) if isinstance(count, int) and count > 1 and image.format != "PSD" else ""


def transparent_gray(image: Image.Image) -> int | None:
    """The gray that a PNG declares transparent (tRNS), in the range of Pillow's samples; None where there is none.

    Pillow scales samples of 1, 2 and 4 bits to 8, and leaves this value as the file has it. Once an image is decoded it
    no longer says how many bits there were, and 8 are assumed.
    """
    value = image.info.get("transparency")
    if image.format != "PNG" or not isinstance(value, int) or image.mode in ("P", "RGB"):
        return None
    undecoded = getattr(image, "tile", None)
    stored = undecoded[0][3] if undecoded else image.mode
    bits = {"1": 1, "L;2": 2, "L;4": 4, "L": 8}.get(str(stored), 16)
    top = (1 << bits) - 1
    return (value & top) * (max(top, 255) // top)


def image_pixels(
    image: Image.Image, metadata: FileMetadata, transparent: int | None = None
) -> tuple[Pixels, Pixels | None]:
    """Pixels and alpha of an image in any mode that has a meaning as a photograph.

    Args:
        image: opened by Pillow.
        metadata: takes notes, and the profile of pixels that were converted to sRGB.
        transparent: what `transparent_gray` said before the image was decoded.
    Raises:
        PhotoError: for 32-bit integers beyond 16 bits and for floating point, whose range no file states.
    """
    mode = image.mode
    if mode in ("CMYK", "LAB"):
        return _converted(image, metadata), None
    if mode == "I" or mode.startswith("I;16"):
        return _with_transparent(_deep_gray(image), transparent)
    if transparent is not None:
        return _with_transparent(np.asarray(image.convert("L")), transparent)
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
    return split_alpha(np.asarray(image))


def _with_transparent(gray: Pixels, transparent: int | None) -> tuple[Pixels, Pixels | None]:
    """Gray, and an alpha that is 0 where the gray is the transparent one; None where none is."""
    if transparent is None:
        return gray, None
    opaque = gray.dtype.type(np.iinfo(gray.dtype).max)
    return gray, np.where(gray == transparent, gray.dtype.type(0), opaque)


def split_alpha(array: Pixels) -> tuple[Pixels, Pixels | None]:
    """Color and alpha of an array (H, W) or (H, W, 1..4), each contiguous; alpha is None where there is none."""
    if array.ndim == 2:
        return array, None
    channels = array.shape[2]
    color = array[..., 0] if channels < 3 else array[..., :3]
    alpha = np.ascontiguousarray(array[..., -1]) if channels in (2, 4) else None
    return np.ascontiguousarray(color), alpha


def own_alpha_split(array: Pixels) -> tuple[Pixels, Pixels | None]:
    """What `split_alpha` gives, in the memory of an array that nobody else uses."""
    if array.ndim == 2:
        return array, None
    channels = array.shape[2]
    alpha = (
        array[..., -1].copy() if channels in (2, 4) else None
    )  # of one pixel, a slice is contiguous already
    return first_channels(array, 1 if channels < 3 else 3), alpha


def _converted(image: Image.Image, found: FileMetadata) -> Pixels:
    from tinct.photo.profiles import srgb_icc

    array = np.asarray(image)
    if image.mode == "LAB":
        pixels, note = (
            color_models.lab_to_srgb(array, CIE_LAB),
            "it is CIE Lab; the pixels were converted to sRGB",
        )
    else:
        pixels, note = color_models.cmyk_to_srgb(array, found.icc)
    found.notes.append(note)
    found.icc = srgb_icc()
    return pixels


def _deep_gray(image: Image.Image) -> Pixels:
    array = np.asarray(image)
    if array.dtype.kind == "i" and (array.min(initial=0) < 0 or array.max(initial=0) > 65535):
        raise PhotoError(
            "the image has 32 bits a channel; 8 or 16 were wanted; save it with 16 bits a channel first."
        )
    return array.astype(np.uint16)
