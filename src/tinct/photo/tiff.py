"""TIFF (TIFF 6.0 and its supplements): what Pillow cannot read or write at full depth.

tifffile reads uncompressed, deflate and PackBits files; LZW at 16 bits is left to OpenCV. Everything else
(JPEG, CCITT, palettes, CMYK, Lab) is 8-bit, and Pillow's.
"""

from __future__ import annotations

import logging
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from tinct.errors import PhotoError
from tinct.photo.metadata import EXIF_IFD, GPS_IFD, Metadata, parse_exif, plausible_dpi

Pixels = NDArray[Any]

logging.getLogger("tifffile").addHandler(logging.NullHandler())  # else it prints where nobody set up logging

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB = 0, 1, 2
_LZW, _PACKBITS = 5, 32773
_DECODED_HERE = frozenset({1, 8, 32946, 32773})
_ASSOCIATED, _UNASSOCIATED = 1, 2
_MOST_SAMPLES = 16
_SEGMENT_SLACK = 1 << 16
"""Bytes that encoders may pad a strip with."""
_WRITTEN_BY_TIFFFILE = frozenset({282, 283, 296, 305, EXIF_IFD, GPS_IFD})


@dataclass(frozen=True, slots=True)
class TiffPage:
    """A page's pixels, as stored (not yet turned), and its tags."""

    pixels: Pixels
    alpha: Pixels | None
    orientation: int
    icc: bytes | None
    dpi: tuple[float, float] | None
    xmp: bytes | None
    iptc: bytes | None
    stream: BinaryIO
    notes: tuple[str, ...]


def read(stream: BinaryIO, check_size: Callable[[int, int], None]) -> TiffPage | None:
    """Read the first page of a gray or RGB TIFF; None where Pillow does as well.

    Args:
        check_size: called with width and height before anything is decoded.
    Raises:
        PhotoError: for depths that no photograph has (32 bits, floating point).
    """
    import tifffile

    stream.seek(0)
    with tifffile.TiffFile(stream) as file:
        page = file.pages[0]
        assert isinstance(page, tifffile.TiffPage)
        check_size(page.imagewidth, page.imagelength)
        _check_storage(page, check_size)
        bits = page.bitspersample
        if bits not in (8, 16) and page.photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB) and bits > 8:
            raise PhotoError(
                f"the TIFF has {bits} bits a channel; 8 or 16 were wanted; save it with 16 first."
            )
        if page.photometric not in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB) or page.dtype not in (
            np.uint8,
            np.uint16,
        ):
            return None
        array = _decoded(page, stream)
        if array is None:
            return None
        return _page(page, array, len(file.pages), stream)


def _decoded(page: Any, stream: BinaryIO) -> Pixels | None:
    """Pixels of shape (H, W) or (H, W, samples), or None if only Pillow decodes them."""
    if page.compression in _DECODED_HERE:
        _check_segments(page, stream)
        array = page.asarray(maxworkers=1)
        if page.planarconfig == 2 and page.samplesperpixel > 1:
            array = np.moveaxis(array, 0, -1)
        shape = (page.imagelength, page.imagewidth, page.samplesperpixel)
        return np.asarray(array.reshape(shape[: 2 if page.samplesperpixel == 1 else 3]))
    if page.compression == _LZW and page.dtype == np.uint16:
        return _decoded_by_opencv(page, stream)
    if page.dtype == np.uint16:
        raise PhotoError(
            f"the TIFF is 16-bit with {page.compression.name} compression, which cannot be read at full "
            "depth; save it uncompressed, or with LZW or deflate."
        )
    return None


def _check_storage(page: Any, check_size: Callable[[int, int], None]) -> None:
    """Refuse what makes an image of few pixels take much memory: many samples, many layers, tiles beyond it."""
    if page.samplesperpixel > _MOST_SAMPLES or page.imagedepth != 1:
        raise PhotoError(
            f"the TIFF has {page.samplesperpixel} samples a pixel in {page.imagedepth} layers, which no photograph "
            "has; export it as RGB."
        )
    if page.is_tiled:
        check_size(page.tilewidth, page.tilelength)


def _check_segments(page: Any, stream: BinaryIO) -> None:
    """Refuse strips that hold more than their part of the image: deflate packs 1032 bytes into one."""
    if page.compression == 1:
        return
    rows, columns = (
        (page.tilelength, page.tilewidth)
        if page.is_tiled
        else (min(page.rowsperstrip, page.imagelength), page.imagewidth)
    )
    samples = page.samplesperpixel if page.planarconfig == 1 else 1
    limit = rows * ((columns * samples * page.bitspersample + 7) // 8) + _SEGMENT_SLACK
    for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
        stream.seek(offset)
        packed = stream.read(count)
        if (_runs_beyond if page.compression == _PACKBITS else _inflates_beyond)(packed, limit):
            raise PhotoError("a strip of the TIFF holds far more than its part of the image; it is damaged.")


def _inflates_beyond(packed: bytes, limit: int) -> bool:
    """True if a zlib stream holds more than `limit` bytes; nothing of it is kept."""
    inflater, held = zlib.decompressobj(), 0
    try:
        while held <= limit and not inflater.eof:
            piece = inflater.decompress(packed, 1 << 20)
            if not piece:
                break
            held, packed = held + len(piece), inflater.unconsumed_tail
    except zlib.error:
        return False  # the decoder will say so
    return held > limit


def _runs_beyond(packed: bytes, limit: int) -> bool:
    """True if PackBits (TIFF 6.0, section 9) holds more than `limit` bytes."""
    place = held = 0
    while place < len(packed) and held <= limit:
        code = packed[place]
        place += 2 if code > 128 else code + 2 if code < 128 else 1
        held += 257 - code if code > 128 else code + 1 if code < 128 else 0
    return held > limit


def _decoded_by_opencv(page: Any, stream: BinaryIO) -> Pixels:
    import cv2

    from tinct.photo.png import swap_red_and_blue

    stream.seek(0)
    array: Any = cv2.imdecode(np.frombuffer(stream.read(), np.uint8), cv2.IMREAD_UNCHANGED)
    if array is None or array.dtype != np.uint16:
        raise PhotoError("the TIFF's LZW data cannot be decoded; it is damaged; copy or export it again.")
    if array.ndim == 3:
        swap_red_and_blue(array)
    return np.asarray(array)


def _page(page: Any, array: Pixels, pages: int, stream: BinaryIO) -> TiffPage:
    color, alpha = _split(page, array)
    if page.photometric == _WHITE_IS_ZERO:
        color = np.invert(color)
    turned_already = page.compression == _LZW and page.dtype == np.uint16  # OpenCV turns what it reads
    orientation = _tag(page, 274)
    return TiffPage(
        pixels=color,
        alpha=alpha,
        orientation=orientation if isinstance(orientation, int) and not turned_already else 1,
        icc=_bytes(page, 34675),
        dpi=_resolution(page),
        xmp=_bytes(page, 700),
        iptc=_bytes(page, 34377),
        stream=stream,
        notes=(f"it has {pages} pages; the first is used",) if pages > 1 else (),
    )


def _split(page: Any, array: Pixels) -> tuple[Pixels, Pixels | None]:
    """Color and alpha; associated alpha is divided out, extra samples of no stated meaning are dropped."""
    colors = 3 if page.photometric == _RGB else 1
    if array.ndim == 2:
        return array, None
    color = np.ascontiguousarray(array[..., :colors])
    extra = tuple(int(e) for e in page.extrasamples)
    alpha = None
    for index, kind in enumerate(extra):
        if kind in (_ASSOCIATED, _UNASSOCIATED) and array.shape[2] > colors + index:
            alpha = np.ascontiguousarray(array[..., colors + index])
            if kind == _ASSOCIATED:
                color = _divided(color, alpha)
            break
    return (color if colors == 3 else color[..., 0]), alpha


def _divided(color: Pixels, alpha: Pixels) -> Pixels:
    """Undo the multiplication by alpha, strip by strip."""
    top = np.iinfo(color.dtype).max
    out = np.empty_like(color)
    rows = max(1, (1 << 20) // color.shape[1])
    for start in range(0, len(color), rows):
        part = slice(start, start + rows)
        scale = top / np.maximum(alpha[part].astype(np.float32), 1)
        out[part] = np.minimum(np.rint(color[part] * scale[..., None]), top)
    return out


def _tag(page: Any, code: int) -> Any:
    tag = page.tags.get(code)
    return None if tag is None else tag.value


def _bytes(page: Any, code: int) -> bytes | None:
    value = _tag(page, code)
    if isinstance(value, str):
        value = value.encode()
    return bytes(value) if isinstance(value, bytes | bytearray) and value else None


def _resolution(page: Any) -> tuple[float, float] | None:
    across, down = _tag(page, 282), _tag(page, 283)
    unit = {2: 1.0, 3: 2.54}.get(int(_tag(page, 296) or 2))
    try:
        return None if unit is None else plausible_dpi([unit * a / b for a, b in (across, down)])
    except (TypeError, ZeroDivisionError):
        return None


def write(stream: BinaryIO, pixels: Pixels, alpha: Pixels | None, metadata: Metadata) -> None:
    """Write a deflate-compressed TIFF of 8 or 16 bits.

    Args:
        stream: open for reading and writing, empty.
        pixels: shape (H, W) or (H, W, 3), uint8 or uint16.
        alpha: shape (H, W), same type, not multiplied in, or None.
    """
    import tifffile

    exif = parse_exif(metadata.exif)
    array = pixels if alpha is None else np.dstack([pixels, alpha])
    directories = [tag for tag in (EXIF_IFD, GPS_IFD) if exif.get_ifd(tag)]
    tifffile.imwrite(
        stream,
        array,
        photometric="rgb" if pixels.ndim == 3 else "minisblack",
        planarconfig="contig" if array.ndim == 3 else None,
        extrasamples=None if alpha is None else ["unassalpha"],
        compression="zlib",
        predictor=True,
        rowsperstrip=max(1, (1 << 18) // (array.nbytes // len(array))),
        resolution=metadata.dpi,
        resolutionunit="INCH" if metadata.dpi else None,
        iccprofile=metadata.icc,
        software=str(exif.get(305, "")) or False,
        metadata=None,
        extratags=_extra_tags(exif, metadata) + [(tag + 1, 4, 1, 0, True) for tag in directories],
        maxworkers=1,
    )
    for tag in directories:
        _append_directory(stream, tag, exif.get_ifd(tag))


def _extra_tags(exif: Any, metadata: Metadata) -> list[tuple[int, int, int, Any, bool]]:
    tags = [_extra_tag(tag, exif[tag]) for tag in sorted(exif) if tag not in _WRITTEN_BY_TIFFFILE]
    if metadata.xmp is not None:
        tags.append((700, 1, len(metadata.xmp), metadata.xmp, True))
    if metadata.iptc is not None:
        tags.append((34377, 1, len(metadata.iptc), metadata.iptc, True))
    return [tag for tag in tags if tag is not None]


def _extra_tag(code: int, value: Any) -> tuple[int, int, int, Any, bool] | None:
    """A tag as tifffile takes it: code, data type (2 ASCII, 3 SHORT, 4 LONG, 7 UNDEFINED), count, value."""
    if isinstance(value, str):
        text = value.encode("utf-8", "replace") + b"\0"
        return (code, 2, len(text), text, True)
    if isinstance(value, bytes) and value:
        return (code, 7 if code < 0x9C9B or code > 0x9C9F else 1, len(value), value, True)
    if isinstance(value, int) and 0 <= value < 1 << 32:
        return (code, 3 if value < 1 << 16 else 4, 1, value, True)
    if isinstance(value, tuple) and value and all(isinstance(v, int) and 0 <= v < 1 << 32 for v in value):
        return (code, 3 if max(value) < 1 << 16 else 4, len(value), value, True)
    return None


def _append_directory(stream: BinaryIO, tag: int, values: dict[int, Any]) -> None:
    """Write an EXIF or GPS directory behind the file and point an entry of the page at it.

    tifffile writes none; it was asked for one of the next code, which no standard uses, to be changed here.
    """
    import tifffile
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    stream.seek(0)
    with tifffile.TiffFile(stream) as file:
        if file.is_bigtiff:
            return
        entry = file.pages[0].tags[tag + 1].offset  # type: ignore[union-attr]
        order = file.byteorder
    directory = ImageFileDirectory_v2(ifh=(b"II*\0" if order == "<" else b"MM\0*") + bytes(4), group=tag)
    for key, value in values.items():
        directory[key] = value
    offset = stream.seek(0, 2)
    if offset % 2:
        offset += stream.write(b"\0")
    stream.write(directory.tobytes(offset))
    stream.seek(entry)
    stream.write(struct.pack(f"{order}HHII", tag, 4, 1, offset))  # code, LONG, one value, where it is
    stream.seek(0, 2)
