"""Writing TIFF: deflate at 8 or 16 bits, one page or several, with every tag of the source that stays true."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from tinct.photo import ifd
from tinct.photo.ifd import EXIF_IFD, GPS_IFD, Directory
from tinct.photo.metadata import Metadata

Pixels = NDArray[Any]
Page = tuple[Pixels, Pixels | None, Metadata]
"""Pixels of shape (H, W) or (H, W, 3), uint8 or uint16; alpha of shape (H, W), not multiplied in, or None; metadata."""

_WRITTEN_BY_TIFFFILE = frozenset({282, 283, 296, 305, EXIF_IFD, GPS_IFD})
_XMP, _RESOURCES = 700, 34377


def write(stream: BinaryIO, pages: Iterable[Page]) -> None:
    """Write a deflate-compressed TIFF.

    Args:
        stream: open for reading and writing, empty.
        pages: one or more; they are taken one after the other.
    """
    import tifffile

    directories: list[dict[int, Directory]] = []
    with tifffile.TiffWriter(stream) as writer:
        for pixels, alpha, metadata in pages:
            directories.append(_write_page(writer, pixels, alpha, metadata))
    for number, children in enumerate(directories):
        for code, child in children.items():
            _append_directory(stream, number, code, child)


def _write_page(
    writer: Any, pixels: Pixels, alpha: Pixels | None, metadata: Metadata
) -> dict[int, Directory]:
    """Write a page, with entries of the next code in place of those for EXIF and GPS, which tifffile does not write."""
    exif = ifd.read_block(metadata.exif)
    array = pixels if alpha is None else np.dstack([pixels, alpha])
    children = {code: exif.children[code] for code in (EXIF_IFD, GPS_IFD) if code in exif.children}
    density = metadata.dpi or metadata.aspect
    writer.write(
        array,
        photometric="rgb" if pixels.ndim == 3 else "minisblack",
        planarconfig="contig" if array.ndim == 3 else None,
        extrasamples=None if alpha is None else ["unassalpha"],
        compression="zlib",
        predictor=True,
        rowsperstrip=max(1, (1 << 18) // (array.nbytes // len(array))),
        resolution=density,
        resolutionunit=None if density is None else "INCH" if metadata.dpi else "NONE",
        iccprofile=metadata.icc,
        software=False,
        metadata=None,
        extratags=_extra_tags(exif, metadata) + [(code + 1, 4, 1, 0, True) for code in children],
        maxworkers=1,
    )
    return children


def _extra_tags(exif: Directory, metadata: Metadata) -> list[tuple[int, int, int, Any, bool]]:
    """Tags as tifffile takes them: code, type, count, value as bytes, True for this page alone."""
    tags = [
        (code, entry.kind, entry.count, _value(exif, entry), True)
        for code, entry in sorted(exif.entries.items())
        if code not in _WRITTEN_BY_TIFFFILE - {305}
    ]
    if metadata.xmp is not None:
        tags.append((_XMP, 1, len(metadata.xmp), metadata.xmp, True))
    if metadata.iptc is not None:
        tags.append((_RESOURCES, 1, len(metadata.iptc), metadata.iptc, True))
    return tags


def _value(directory: Directory, entry: ifd.Entry) -> bytes | tuple[int, ...]:
    """A value as tifffile takes it: bytes in the order of what is written here, or the whole numbers of fractions."""
    data = entry.data if directory.order == "<" else ifd.swapped(entry)
    if entry.kind in (ifd.RATIONAL, ifd.SIGNED_RATIONAL):
        return struct.unpack(f"<{2 * entry.count}{'I' if entry.kind == ifd.RATIONAL else 'i'}", data)
    return data


def _append_directory(stream: BinaryIO, page: int, code: int, child: Directory) -> None:
    """Write an EXIF or GPS directory behind the file and point an entry of the page at it.

    tifffile writes none; it was asked for one of the next code, which no standard uses, to be changed here.
    """
    import tifffile

    stream.seek(0)
    with tifffile.TiffFile(stream) as file:
        if file.is_bigtiff:
            return
        entry = file.pages[page].tags[code + 1].offset  # type: ignore[union-attr]
        order = file.byteorder
    child = ifd.with_byte_order(child, order)
    offset = stream.seek(0, 2)
    if offset % 2:
        offset += stream.write(b"\0")
    stream.write(ifd.directory_bytes(child, offset))
    stream.seek(entry)
    stream.write(struct.pack(f"{order}HHII", code, ifd.LONG, 1, offset))
    stream.seek(0, 2)
