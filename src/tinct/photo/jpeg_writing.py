"""Segments of a JPEG that is written: EXIF, XMP of any length, captions, comments, each in pieces of 64 KiB."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, BinaryIO

from tinct.photo import ifd, xmp
from tinct.photo.ifd import Directory
from tinct.photo.jpeg import EXTENSION_MARK, PHOTOSHOP_MARK, XMP_MARK
from tinct.photo.metadata import Metadata
from tinct.photo.provenance import Provenance, new_packet
from tinct.photo.xmp_layout import read_layout

if TYPE_CHECKING:
    from PIL import Image

_SEGMENT = 65533 - 32
"""Bytes that one segment holds beside its own name."""

_JFIF_UNIT = 13


def fitted(metadata: Metadata) -> Metadata:
    """The metadata that fits into segments; the largest EXIF values are left out if all do not fit, with a note.

    XMP that does not fit goes into an extension (XMP part 3, 1.1.3.1), which `save` writes behind tinct's own record.
    """
    metadata, left_out = _with_short_exif(metadata)
    if left_out:
        metadata = metadata.noted(f"{left_out} EXIF values are too large for JPEG and were left out")
    if metadata.comment is not None and len(metadata.comment) > _SEGMENT:
        metadata = metadata.noted("its comment is too large for JPEG and was cut")
    return metadata


def packets(packet: bytes, provenance: Provenance | None) -> tuple[bytes, bytes | None]:
    """An XMP packet that fits into a segment, and the extension that holds the rest, or None.

    Args:
        packet: the whole packet.
        provenance: recorded in the packet if there is an extension.
    """
    if len(packet) <= _SEGMENT - len(XMP_MARK):
        return packet, None
    extension = xmp.edited(read_layout(packet), {}, "", lambda _: "")
    mark = hashlib.md5(extension, usedforsecurity=False).hexdigest().upper()
    return new_packet(provenance, None, extended=mark), extension


def save(stream: BinaryIO, image: Image.Image, metadata: Metadata, provenance: Provenance | None) -> None:
    """Write an image at quality 95 without chroma subsampling.

    Args:
        stream: open for reading and writing, empty.
        image: L or RGB.
        metadata: as `fitted` gives it.
        provenance: for the packet that an extension belongs to.
    """
    options: dict[str, Any] = {"quality": 95, "subsampling": 0, "extra": b""}
    if metadata.dpi is not None:
        options["dpi"] = metadata.dpi
    if metadata.exif is not None:
        options["exif"] = b"Exif\0\0" + metadata.exif
    if metadata.icc is not None:
        options["icc_profile"] = metadata.icc
    if metadata.xmp is not None:
        packet, extension = packets(metadata.xmp, provenance)
        options["extra"] += _segment(0xE1, XMP_MARK + packet) + _extension_segments(extension)
    if metadata.iptc is not None:
        pieces = _pieces(metadata.iptc)
        options["extra"] += b"".join(_segment(0xED, PHOTOSHOP_MARK + piece) for piece in pieces)
    if metadata.comment is not None:
        options["comment"] = metadata.comment[:_SEGMENT]
    image.save(stream, format="JPEG", **options)
    if metadata.dpi is None and metadata.aspect is not None:
        _set_aspect(stream, metadata.aspect)


def _extension_segments(extension: bytes | None) -> bytes:
    if extension is None:
        return b""
    mark = hashlib.md5(extension, usedforsecurity=False).hexdigest().upper().encode()
    size, found, place = len(extension).to_bytes(4, "big"), b"", 0
    for piece in _pieces(extension):
        found += _segment(0xE1, EXTENSION_MARK + mark + size + place.to_bytes(4, "big") + piece)
        place += len(piece)
    return found


def _pieces(data: bytes) -> list[bytes]:
    most = _SEGMENT - 100
    return [data[i : i + most] for i in range(0, len(data), most)]


def _segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body


def _set_aspect(stream: BinaryIO, aspect: tuple[float, float]) -> None:
    """Put a ratio without a unit into the JFIF segment, which Pillow writes first."""
    scale = min(1.0, 65535 / max(aspect))
    across, down = (max(1, round(v * scale)) for v in aspect)
    stream.seek(_JFIF_UNIT)
    stream.write(b"\0" + across.to_bytes(2, "big") + down.to_bytes(2, "big"))
    stream.seek(0, 2)


def _with_short_exif(metadata: Metadata) -> tuple[Metadata, int]:
    from dataclasses import replace

    block, left_out = metadata.exif, 0
    while block is not None and len(block) > _SEGMENT:
        exif = ifd.read_block(block)
        found = _largest(exif)
        if found is None:
            return replace(metadata, exif=None), left_out
        del found[0].entries[found[1]]
        left_out += 1
        block = ifd.block_bytes(exif)
    return replace(metadata, exif=block), left_out


def _largest(directory: Directory) -> tuple[Directory, int] | None:
    """The directory, this one or below, that holds the largest value, and that value's tag."""
    candidates = [directory, *directory.children.values()]
    candidates += [below for child in directory.children.values() for below in child.children.values()]
    sizes = [(len(entry.data), code, owner) for owner in candidates for code, entry in owner.entries.items()]
    return max(
        ((owner, code) for _, code, owner in sizes), key=lambda o: len(o[0].entries[o[1]].data), default=None
    )
