"""TIFF (TIFF 6.0 and its supplements): the choice of a picture in the file, and its pixels at full depth.

tifffile reads the directories and imagecodecs decodes the forms that `tiff_forms` lists: compressions, color models,
types of samples; all others are refused by name. Fax pages and old forms of 8 bits are decoded by libtiff through
Pillow, which reports damaged codes.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from tinct.errors import PhotoError
from tinct.photo import ifd
from tinct.photo.file_metadata import FileMetadata, Limits
from tinct.photo.ifd import Directory
from tinct.photo.metadata import SOURCE_PIXELS
from tinct.photo.tiff_colors import color_and_alpha
from tinct.photo.tiff_forms import bits_of, is_listed, not_read
from tinct.photo.tiff_segments import check_storage, decoded

Pixels = NDArray[Any]

logging.getLogger("tifffile").addHandler(logging.NullHandler())  # else it prints where nobody set up logging

_REDUCED, _MASK = 1, 4
"""Bits of NewSubfileType (tag 254)."""

_MOST_PAGES = 1000
"""Directories of a file that are read; a file of more is refused."""


@dataclass(frozen=True, slots=True)
class TiffPicture:
    """A page's pixels.

    Attributes:
        pixels: shape (H, W) or (H, W, 3), uint8 or uint16; sRGB, or in the color space of the ICC profile in `found`.
        alpha: shape (H, W), or None.
        found: the page's metadata.
        pages: the number of pictures of full resolution in the file.
        turned: True if the decoder has turned the pixels upright.
    """

    pixels: Pixels
    alpha: Pixels | None
    found: FileMetadata
    pages: int
    turned: bool


def read(stream: BinaryIO, limits: Limits, page: int | None) -> TiffPicture:
    """Read a page of a TIFF; Pillow, and no other decoder, turns its pixels upright.

    Args:
        stream: open for reading.
        limits: of the picture's size.
        page: 1 is the first picture of full resolution; None takes that, with a note of others.
    Raises:
        PhotoError: if the page is not there, or of a kind that is not read.
        PhotoTooLargeError: if the page exceeds the limits.
    """
    import tifffile

    chain_notes: list[str] = []
    places, passed_over = _pictures(stream, chain_notes)
    number = _chosen(page, len(places))
    stream.seek(0)
    with tifffile.TiffFile(stream) as file:
        handle = file.filehandle
        handle.seek(places[number - 1])
        chosen = tifffile.TiffPage(file, 0)
        limits.check(chosen.imagewidth, chosen.imagelength, chosen.samplesperpixel, bits_of(chosen))
        check_storage(chosen, limits, handle.size)
        found = _metadata(stream, places[number - 1], handle.size, file.byteorder, file.is_bigtiff)
        found.notes += chain_notes
        if page is None and len(places) > 1:
            found.notes.append(f"it has {len(places)} pages; the first is used")
        if passed_over and page is None:
            found.notes.append("its first page is a reduced copy and was passed over")
        by_pillow = not is_listed(chosen)
        if by_pillow:
            pixels, alpha = _read_by_pillow(stream, places[number - 1], limits, found)
        else:
            pixels, alpha = color_and_alpha(chosen, decoded(chosen, limits, found.notes), found)
    return TiffPicture(pixels, alpha, found, len(places), by_pillow)


def _read_by_pillow(
    stream: BinaryIO, place: int, limits: Limits, found: FileMetadata
) -> tuple[Pixels, Pixels | None]:
    from tinct.photo.pillow_reading import image_pixels, open_image

    chain = [offset for offset, _ in ifd.read_chain(stream, _MOST_PAGES, [])]
    if place not in chain:
        raise PhotoError(not_read("whose picture is a part of another page"))
    image = open_image(stream, "TIFF", limits)
    image.seek(chain.index(place))
    limits.check(*image.size)
    return image_pixels(image, found)


def _pictures(stream: BinaryIO, notes: list[str]) -> tuple[list[int], bool]:
    """Where the directories of full-size pictures begin, and True if the file begins with another kind.

    Args:
        stream: open for reading.
        notes: takes notes on the list of pages.
    Raises:
        PhotoError: if pages are missing, or there are too many.
    """
    chain = ifd.read_chain(stream, _MOST_PAGES, notes)
    if not chain:
        raise PhotoError("it is a TIFF without a page; it is damaged or incomplete; copy or export it again.")
    whole = [offset for offset, kinds in chain if not _is_reduced(kinds)]
    if not whole:
        places = [place for _, kinds in chain for place in kinds.numbers(330)]
        below = ifd.read_kinds(stream, places, _MOST_PAGES)
        whole = [offset for offset, kinds in below if not _is_reduced(kinds)]
    return (whole, whole[0] != chain[0][0]) if whole else ([offset for offset, _ in chain], False)


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
