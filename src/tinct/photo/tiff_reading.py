"""TIFF (TIFF 6.0 and its supplements): which picture of the file, and its pixels at full depth.

tifffile reads the directories and imagecodecs decodes. What they may get is listed: compressions, color models,
types of samples; everything else is refused by its own name. Fax pages and old forms of 8 bits are libtiff's, through
Pillow, as it says when codes are damaged.
"""

from __future__ import annotations

import logging
import zlib
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from tinct.errors import PhotoError
from tinct.photo import color_models, ifd
from tinct.photo.color_models import CIE_LAB, ICC_LAB
from tinct.photo.file_metadata import FileMetadata, Limits
from tinct.photo.ifd import Directory
from tinct.photo.metadata import ORIENTATION, SOURCE_PIXELS
from tinct.photo.tiff_segments import check_segment

Pixels = NDArray[Any]

logging.getLogger("tifffile").addHandler(logging.NullHandler())  # else it prints where nobody set up logging

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _CMYK, _YCBCR = 0, 1, 2, 3, 5, 6
_COLORS = {
    _WHITE_IS_ZERO: 1,
    _BLACK_IS_ZERO: 1,
    _RGB: 3,
    _PALETTE: 1,
    _CMYK: 4,
    _YCBCR: 3,
    CIE_LAB: 3,
    ICC_LAB: 3,
}
"""Samples that make the color, by color model; further ones are alpha or of no stated meaning."""

_JPEG, _OLD_JPEG = 7, 6
_CCITT = frozenset((2, 3, 4))
_DEFLATE = frozenset((8, 32946))
_DECODED = frozenset((1, 5, _JPEG, 32773, 34712, 34925, 50000, 50001)) | _DEFLATE
_ASSOCIATED, _UNASSOCIATED = 1, 2
_REDUCED, _MASK = 1, 4
"""Bits of NewSubfileType (tag 254)."""

_MOST_PAGES = 1000
_SLACK = 1 << 16
"""Bytes by which strips may exceed the file that they lie in, as encoders pad them."""

_BITS = {
    color_models.UNSIGNED: frozenset(range(1, 17)) | {32},
    color_models.SIGNED: frozenset((8, 16, 32)),
    color_models.FLOAT: frozenset((16, 32, 64)),
}


@dataclass(frozen=True, slots=True)
class TiffPicture:
    """A page's pixels as stored, not yet turned.

    Attributes:
        pixels: shape (H, W) or (H, W, 3), uint8 or uint16; sRGB, or what the ICC profile in `found` says.
        alpha: shape (H, W), or None.
        found: what the page says beside its pixels.
        pages: how many pictures of full resolution the file has.
    """

    pixels: Pixels
    alpha: Pixels | None
    found: FileMetadata
    pages: int


def read(stream: BinaryIO, limits: Limits, page: int | None) -> TiffPicture:
    """Read a page of a TIFF.

    Args:
        page: 1 is the first picture of full resolution; None takes that and notes what is left out.
    Raises:
        PhotoError: if the page is not there, or of a kind that is not read.
        PhotoTooLargeError: if it is too large.
    """
    import tifffile

    places, passed_over = _pictures(stream)
    number = _chosen(page, len(places))
    stream.seek(0)
    with tifffile.TiffFile(stream) as file:
        handle = file.filehandle
        handle.seek(places[number - 1])
        chosen = tifffile.TiffPage(file, 0)
        limits.check(chosen.imagewidth, chosen.imagelength, chosen.samplesperpixel, _depth(chosen))
        _check_storage(chosen, limits, handle.size)
        found = _metadata(stream, places[number - 1], handle.size, file.byteorder, file.is_bigtiff)
        if page is None and len(places) > 1:
            found.notes.append(f"it has {len(places)} pages; the first is used")
        if passed_over and page is None:
            found.notes.append("its first page is a reduced copy and was passed over")
        if not _is_read(chosen):
            pixels, alpha = _read_by_pillow(stream, places[number - 1], limits, found)
        else:
            pixels, alpha = _interpreted(chosen, _decoded(chosen, limits), found)
    return TiffPicture(pixels, alpha, found, len(places))


def _read_by_pillow(
    stream: BinaryIO, place: int, limits: Limits, found: FileMetadata
) -> tuple[Pixels, Pixels | None]:
    from tinct.photo.pillow_reading import image_pixels, open_image

    chain = [offset for offset, _ in ifd.read_chain(stream, _MOST_PAGES)]
    if place not in chain:
        raise PhotoError(_refusal("whose picture is a part of another page"))
    image = open_image(stream, "TIFF", limits)
    image.seek(chain.index(place))
    limits.check(*image.size)
    pixels, alpha = image_pixels(image, found)
    found.exif.entries.pop(ORIENTATION, None)  # Pillow turns the pixels itself
    return pixels, alpha


def _pictures(stream: BinaryIO) -> tuple[list[int], bool]:
    """Where the directories of full-size pictures begin, and True if the file begins with another kind."""
    chain = ifd.read_chain(stream, _MOST_PAGES)
    if not chain:
        raise PhotoError("it is a TIFF without a page; it is damaged or incomplete; copy or export it again.")
    whole = [offset for offset, kinds in chain if not _is_reduced(kinds)]
    if not whole:
        below = [int(place) for _, kinds in chain for place in kinds.numbers(330)][:_MOST_PAGES]
        whole = [offset for offset in below if not _is_reduced(_kinds(stream, offset))]
    return (whole, whole[0] != chain[0][0]) if whole else ([offset for offset, _ in chain], False)


def _kinds(stream: BinaryIO, offset: int) -> Directory:
    stream.seek(0)
    head = stream.read(4)
    order = "<" if head[:2] == b"II" else ">"
    return ifd.read_directory(
        stream, order, offset, 1 << 16, big=b"+" in head[2:4], without=SOURCE_PIXELS - {254, 255}
    )


def _is_reduced(kinds: Directory) -> bool:
    """True for thumbnails and masks (tag 254), and by the older tag 255."""
    kind = kinds.number(254)
    if kind is not None:
        return bool(int(kind) & (_REDUCED | _MASK))
    return kinds.number(255) == 2


def _chosen(page: int | None, count: int) -> int:
    if page is not None and not 1 <= page <= count:
        raise PhotoError(
            f"it has {count} page{'s' * (count > 1)}, and page {page} was asked for; name one that is there."
        )
    return page or 1


def _depth(page: Any) -> int:
    bits = page.bitspersample
    return max(bits) if isinstance(bits, tuple) else int(bits)


def _is_read(page: Any) -> bool:
    """True if the page is of a listed form, False if it is Pillow's.

    Raises:
        PhotoError: if nobody reads it, by its name.
    """
    bits, kind, samples = page.bitspersample, int(page.sampleformat or 1), page.samplesperpixel
    compression, photometric = int(page.compression), int(page.photometric)
    old = compression == _OLD_JPEG or (photometric == _YCBCR and compression != _JPEG)
    if (old and bits == 8) or (compression in _CCITT and bits == 1):
        return False
    if old or compression not in _DECODED:
        raise PhotoError(_refusal(f"with {_name(page.compression)} compression"))
    if photometric not in _COLORS:
        raise PhotoError(_refusal(f"of the color model {_name(page.photometric)}"))
    if page.dtype is None or isinstance(bits, tuple) or bits not in _BITS.get(kind, ()):
        named = {2: "signed ", 3: "floating-point ", 5: "complex ", 6: "complex "}.get(kind, "")
        raise PhotoError(_refusal(f"with {named}samples of {bits} bits"))
    _check_model(page, photometric, kind, int(bits), samples)
    return True


def _check_model(page: Any, photometric: int, kind: int, bits: int, samples: int) -> None:
    if samples < _COLORS[photometric]:
        raise PhotoError(
            _refusal(f"of the color model {_name(page.photometric)} with {samples} samples a pixel")
        )
    if page.imagedepth != 1:
        raise PhotoError(_refusal(f"in {page.imagedepth} layers"))
    whole = photometric in (CIE_LAB, ICC_LAB, _CMYK, _YCBCR)
    if (whole and (bits not in (8, 16) or kind not in (1, 2))) or (
        photometric == _PALETTE and (bits > 16 or kind != 1)
    ):
        raise PhotoError(_refusal(f"of the color model {_name(page.photometric)} with {bits} bits a sample"))


def _refusal(what: str) -> str:
    return f"it is a TIFF {what}, which is not read; save it as gray or RGB of 8 or 16 bits, uncompressed or deflate."


def _name(value: Any) -> str:
    return str(getattr(value, "name", value))


def _check_storage(page: Any, limits: Limits, size: int) -> None:
    """Refuse tiles far beyond the picture, and strips that share bytes, whose work no file's size bounds."""
    if page.is_tiled:
        limits.check(page.tilewidth, page.tilelength, page.samplesperpixel, _depth(page))
    if sum(page.databytecounts) > size + _SLACK:
        raise PhotoError(
            "its strips hold more bytes than the file; it is damaged or incomplete; copy or export it again."
        )


def _decoded(page: Any, limits: Limits) -> Pixels:
    """Pixels of shape (H, W, samples)."""
    shape = (page.imagelength, page.imagewidth, page.samplesperpixel)
    if page.compression == 1 and page.is_contiguous:
        array = page.asarray(maxworkers=1).reshape(page.shaped)
    else:
        array = np.empty(page.shaped, page.dtype)
        _fill(page, array, limits)
    planes = array[:, 0]  # separate planes, height, width, samples side by side
    if page.planarconfig == 2 and shape[2] > 1:
        return np.ascontiguousarray(np.moveaxis(planes[..., 0], 0, -1))
    return np.asarray(planes.reshape(shape))


def _fill(page: Any, array: Pixels, limits: Limits) -> None:
    """Decode strips or tiles one after the other into an array of shape `page.shaped`."""
    tables = (
        {"jpegtables": page.jpegtables, "jpegheader": page.jpegheader} if page.compression == _JPEG else {}
    )
    handle, filled = page.parent.filehandle, 0
    for index, (offset, count) in enumerate(zip(page.dataoffsets, page.databytecounts, strict=False)):
        handle.seek(offset)
        packed = handle.read(count) if count else None
        if packed is not None and len(packed) < count:
            raise PhotoError(
                "a strip of the TIFF ends in the middle; it is incomplete; copy or export it again."
            )
        if packed is not None:
            packed = _bounded(page, index, packed, limits)
        segment, (plane, depth, top, left, _), shape = page.decode(packed, index, **tables)
        if plane >= array.shape[0] or top >= array.shape[2]:
            break
        place = array[plane, depth, top : top + shape[1], left : left + shape[2]]
        place[...] = page.nodata if segment is None else segment[0, : place.shape[0], : place.shape[1]]
        filled += place.size
    if filled < array.size:
        raise PhotoError("strips of the TIFF are missing; it is incomplete; copy or export it again.")


def _bounded(page: Any, index: int, packed: bytes, limits: Limits) -> bytes:
    """A segment that decodes to no more than its part of the image."""
    rows, columns = (
        (page.tilelength, page.tilewidth) if page.is_tiled else (page.rowsperstrip, page.imagewidth)
    )
    samples = page.samplesperpixel if page.planarconfig == 1 else 1
    if not page.is_tiled:
        strips = -(-page.imagelength // rows)
        rows = min(rows, page.imagelength - index % strips * rows)
    check_segment(int(page.compression), packed, rows, columns, samples, limits)
    if page.compression not in _DEFLATE:
        return packed
    most = rows * -(-columns * samples * _depth(page) // 8)
    inflater = zlib.decompressobj()
    try:
        plain = inflater.decompress(packed, most)
    except zlib.error:
        return packed  # the decoder says what is wrong with it
    return packed if inflater.eof else zlib.compress(plain, 0)  # an encoder padded the last strip


def _metadata(stream: BinaryIO, offset: int, size: int, order: str, big: bool) -> FileMetadata:
    said = ifd.read_directory(
        stream, order, offset, size, big=big, without=SOURCE_PIXELS - {34675, 700, 33723, 34377}
    )
    found = FileMetadata(exif=said)
    found.icc, found.xmp, found.iptc = (_bytes(said, code) for code in (34675, 700, 34377))
    captions = _bytes(said, 33723)
    if found.iptc is None and captions is not None:
        from tinct.photo.iptc import as_resources

        swapped = captions if captions[:1] == b"\x1c" else _swapped(captions)
        found.iptc = as_resources(swapped)
    return found


def _swapped(data: bytes) -> bytes:
    """Bytes of LONG values the other way round, as writers of the other byte order left IPTC."""
    return np.frombuffer(data[: len(data) // 4 * 4], np.uint32).byteswap().tobytes()


def _bytes(said: Directory, code: int) -> bytes | None:
    entry = said.entries.get(code)
    return None if entry is None else entry.data


def _interpreted(page: Any, array: Pixels, found: FileMetadata) -> tuple[Pixels, Pixels | None]:
    """Color and alpha in the unsigned types; extra samples of no stated meaning are dropped."""
    photometric, bits = int(page.photometric), int(page.bitspersample)
    kind = int(page.sampleformat or 1)
    if photometric in (CIE_LAB, ICC_LAB):
        kind = color_models.UNSIGNED
        array = array.view(np.uint16 if bits == 16 else np.uint8) if array.dtype.kind == "i" else array
    if photometric == _PALETTE:
        return _looked_up(page, array[..., 0]), None
    array = color_models.unsigned(array, bits, kind, found.notes)
    colors = _COLORS[photometric]
    color, alpha = array[..., :colors], _alpha(page, array, colors)
    color = np.ascontiguousarray(color if colors > 1 else color[..., 0])
    if photometric == _WHITE_IS_ZERO:
        np.invert(color, out=color)
    if alpha is not None and _alpha_kind(page) == _ASSOCIATED and photometric in (_BLACK_IS_ZERO, _RGB):
        color = color_models.associated_divided(color, alpha)
    return _as_rgb(color, photometric, found), alpha


def _as_rgb(color: Pixels, photometric: int, found: FileMetadata) -> Pixels:
    from tinct.photo.profiles import srgb_icc

    if photometric == _CMYK:
        color, note = color_models.cmyk_to_srgb(color, found.icc)
        found.notes.append(note)
        found.icc = srgb_icc()
    elif photometric in (CIE_LAB, ICC_LAB):
        color = color_models.lab_to_srgb(color, photometric)
        found.notes.append("it is CIE Lab; the pixels were converted to sRGB")
        found.icc = srgb_icc()
    return color


def _alpha_kind(page: Any) -> int | None:
    return next((int(kind) for kind in page.extrasamples if int(kind) in (_ASSOCIATED, _UNASSOCIATED)), None)


def _alpha(page: Any, array: Pixels, colors: int) -> Pixels | None:
    for index, kind in enumerate(page.extrasamples):
        if int(kind) in (_ASSOCIATED, _UNASSOCIATED) and colors + index < array.shape[2]:
            return np.ascontiguousarray(array[..., colors + index])
    return None


def _looked_up(page: Any, indices: Pixels) -> Pixels:
    """A palette's colors; maps of programs that wrote bytes into the 16-bit entries are taken as bytes."""
    if page.colormap is None:
        raise PhotoError(_refusal("with a palette that is missing"))
    table = np.asarray(page.colormap).reshape(3, -1).T
    table = (table >> 8 if table.max(initial=0) > 255 else table).astype(np.uint8)
    if int(indices.max(initial=0)) >= len(table):
        raise PhotoError(
            "its palette lacks colors that its pixels name; it is damaged; copy or export it again."
        )
    return table[indices]
