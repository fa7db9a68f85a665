"""Writing photographs: encoding into any format, and replacing files whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from tinct.errors import ExistsError, OutputError, shortened, shown
from tinct.photo import jpeg_writing, png, tiff_writing
from tinct.photo.arrays import integers
from tinct.photo.formats import Format
from tinct.photo.metadata import Metadata, texts_without_place
from tinct.photo.provenance import Provenance
from tinct.unfinished import finish, unfinished_file

if TYPE_CHECKING:
    from PIL import Image

Pixels = NDArray[Any]

_ALLOW = "allow it with --overwrite (overwrite=True)"


def encode_into(
    stream: BinaryIO,
    pixels: Pixels,
    alpha: Pixels | None,
    metadata: Metadata,
    kind: Format,
    provenance: Provenance | None = None,
) -> None:
    """Encode a photograph.

    Args:
        stream: open for reading and writing, empty.
        pixels: shape (H, W) or (H, W, 3), uint8 or uint16; brought to 8 bits where the format holds no more.
        alpha: shape (H, W), same type, or None; laid over white where the format has no transparency.
        metadata: as `fitted` gives it.
        provenance: the record of the colorization, or None.
    Raises:
        OutputError: if the photograph is too large for the format.
    """
    _check_side(pixels, kind)
    if not kind.deep:
        pixels, alpha = to_eight_bits(pixels), None if alpha is None else to_eight_bits(alpha)
    if alpha is not None and not kind.alpha:
        pixels, alpha = _over_white(pixels, alpha), None
    if kind.name == "TIFF":
        tiff_writing.write(stream, [(pixels, alpha, metadata)])
    elif kind.name == "PNG" and pixels.dtype == np.uint16:
        png.write_deep(stream, pixels, alpha, png.metadata_chunks(metadata))
    else:
        _save_with_pillow(stream, pixels, alpha, metadata, kind, provenance)


def fitted(metadata: Metadata, kind: Format) -> Metadata:
    """The metadata that a format holds, with a note of metadata that is left out."""
    if not kind.metadata:
        carried = (metadata.exif, metadata.icc, metadata.xmp, metadata.iptc, metadata.texts, metadata.comment)
        lost = metadata.noted(f"{kind.name} holds no metadata: it was left out; write PNG or TIFF to keep it")
        return lost if any(carried) else metadata
    if "texts" not in kind.holds and (names := texts_without_place(metadata.texts)):
        named = shortened(", ".join(names), 60)
        metadata = metadata.noted(f"{kind.name} has no place for the PNG's texts {named}: they were left out")
    private = sorted({name.decode() for name, _ in metadata.chunks if name != b"tIME"})
    if private and kind.name != "PNG":
        named = shortened(", ".join(private), 60)
        metadata = metadata.noted(
            f"{kind.name} has no place for the PNG's chunks {named}: they were left out"
        )
    if kind.name == "WEBP" and metadata.iptc is not None:
        metadata = metadata.noted("WEBP has no place for IPTC: its captions went into XMP")
    return jpeg_writing.fitted(metadata) if kind.name == "JPEG" else metadata


def lost_in(pixels: Pixels, alpha: Pixels | None, kind: Format) -> list[str]:
    """Notes of depth and transparency that a format has no place for; see `encode_into`."""
    notes = []
    if alpha is not None and not kind.alpha and (alpha < np.iinfo(alpha.dtype).max).any():
        notes.append(
            f"{kind.name} has no transparency: the picture was laid over white; write PNG, TIFF or WebP to keep it"
        )
    if pixels.dtype == np.uint16 and not kind.deep:
        notes.append(f"{kind.name} holds 8 bits: 16 were rounded to them; write PNG or TIFF to keep them")
    return notes


def to_eight_bits(pixels: Pixels) -> NDArray[np.uint8]:
    """uint16 over its whole range rounded to uint8 over its own; uint8 is returned as it is."""
    if pixels.dtype == np.uint8:
        return pixels
    out = np.empty(pixels.shape, np.uint8)
    for top in range(0, len(pixels), 256):
        out[top : top + 256] = (pixels[top : top + 256].astype(np.uint32) + 128) // 257
    return out


def as_image(pixels: Pixels, alpha: Pixels | None, metadata: Metadata) -> Image.Image:
    """A Pillow image of 8 bits (L, LA, RGB or RGBA) with profile, resolution and EXIF in its `info`.

    Args:
        pixels: shape (H, W) or (H, W, 3), integers or floats in 0..1.
        alpha: shape (H, W), or None.
    """
    from PIL import Image

    whole = integers(pixels) if alpha is None else _with_alpha(integers(pixels), integers(alpha))
    image = Image.fromarray(to_eight_bits(whole))
    carried = {"icc_profile": metadata.icc, "dpi": metadata.dpi, "exif": metadata.exif}
    image.info.update({key: value for key, value in carried.items() if value is not None})
    return image


def _save_with_pillow(
    stream: BinaryIO,
    pixels: Pixels,
    alpha: Pixels | None,
    metadata: Metadata,
    kind: Format,
    provenance: Provenance | None,
) -> None:
    from PIL import Image

    image = Image.fromarray(pixels if alpha is None else _with_alpha(pixels, alpha))
    if kind.name == "PNG":
        spliced: Any = png.ChunkInserter(stream, png.metadata_chunks(metadata))
        image.save(spliced, format="PNG", compress_level=2)
    elif kind.name == "JPEG":
        jpeg_writing.save(stream, image, metadata, provenance)
    elif kind.name == "WEBP":
        image.save(stream, format="WEBP", lossless=True, method=2, quality=60, **_metadata_blocks(metadata))
    else:
        image.save(stream, format=kind.name, **({} if metadata.dpi is None else {"dpi": metadata.dpi}))


def _metadata_blocks(metadata: Metadata) -> dict[str, Any]:
    """EXIF, profile and XMP as Pillow's writers take them."""
    exif = None if metadata.exif is None else b"Exif\0\0" + metadata.exif
    blocks = {"exif": exif, "icc_profile": metadata.icc, "xmp": metadata.xmp}
    return {name: block for name, block in blocks.items() if block is not None}


def _with_alpha(pixels: Pixels, alpha: Pixels) -> Pixels:
    return np.dstack([pixels, alpha])


def _over_white(pixels: Pixels, alpha: Pixels) -> Pixels:
    """Composite over white, strip by strip, in encoded values as viewers do."""
    out = np.empty_like(pixels)
    for top in range(0, len(pixels), 256):
        strip = pixels[top : top + 256].astype(np.float32)
        opacity = alpha[top : top + 256].astype(np.float32) / 255
        opacity = opacity if pixels.ndim == 2 else opacity[..., None]
        out[top : top + 256] = np.rint(255 + (strip - 255) * opacity)
    return out


def _check_side(pixels: Pixels, kind: Format) -> None:
    height, width = pixels.shape[:2]
    if kind.largest_side is not None and max(height, width) > kind.largest_side:
        raise OutputError(
            f"the photograph is {width}x{height}, but {kind.name} holds at most {kind.largest_side} pixels "
            "a side; write PNG or TIFF."
        )


def write_atomically(
    path: Path, fill: Callable[[BinaryIO], None], *, source: Path | None, overwrite: bool
) -> None:
    """Write a temporary file, then move it to its place: the file is whole, or does not exist.

    Args:
        path: of the file; a symbolic link is followed, so that the link stays.
        fill: writes the content.
        source: a file that must not be overwritten by accident, also through a link.
        overwrite: True if an existing file, the source among them, may be replaced.
    Raises:
        OutputError: if the file exists, or cannot be written; no temporary file is left.
    """
    check_target(path, source=source, overwrite=overwrite)
    with _os_errors_named(path):
        place = Path(os.path.realpath(path))
    with _os_errors_named(path), unfinished_file(place.parent) as (temporary, stream):
        fill(stream)
        finish(stream)
        _put(temporary, place, overwrite=overwrite)


def check_target(path: Path, *, source: Path | None, overwrite: bool) -> None:
    """Refuse a path for the result before any work is done.

    Raises:
        OutputError: if the path is the source or exists and may not be overwritten, is a directory, a device, a pipe,
            or a link that leads nowhere (which another user may have put there), or is in no folder.
    """
    with _os_errors_named(path):
        if path.is_dir():
            raise OutputError(f"{path} is a directory; a file to write was wanted; name one in it.")
        if not path.parent.is_dir():
            raise OutputError(f"{path.parent} is not a folder; make it first, or write somewhere else.")
        if path.exists() and not path.is_file():
            raise OutputError(f"{path} is a device or a pipe; a file to write was wanted; name another one.")
        if overwrite or not os.path.lexists(path):
            return
        if not path.exists():
            raise OutputError(f"{path} is a link that leads nowhere; write elsewhere, or {_ALLOW}.")
        if source is not None and source.exists() and path.samefile(source):
            raise ExistsError(f"{path} is the source itself; write elsewhere, or {_ALLOW}.")
    raise ExistsError(f"{path} exists already; write elsewhere, or {_ALLOW}.")


def _put(temporary: Path, place: Path, *, overwrite: bool) -> None:
    if overwrite:
        if place.exists():
            with suppress(OSError):
                os.chmod(temporary, place.stat().st_mode & 0o777)
        os.replace(temporary, place)
        return
    try:
        os.link(temporary, place)  # unlike a rename it fails if another process was faster
    except FileExistsError:
        raise ExistsError(f"{place} exists already; write elsewhere, or {_ALLOW}.") from None
    except OSError:  # a file system without hard links
        os.replace(temporary, place)


@contextmanager
def _os_errors_named(path: Path) -> Iterator[None]:
    try:
        yield
    except OutputError:
        raise
    except ValueError as error:
        raise OutputError(f"{shown(str(path))} is no name of a file ({error}); choose another.") from None
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            what, do = "the disk is full", "make room or write elsewhere"
        elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            what, do = f"{path.parent} cannot be written to", "change its permissions or write elsewhere"
        else:
            what, do = error.strerror or str(error), "write elsewhere"
        raise OutputError(f"{path} was not written: {what}; {do}.") from error
