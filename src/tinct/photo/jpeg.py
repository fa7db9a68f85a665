"""JPEG files (ITU-T T.81): their segments, read before a decoder opens the file.

The metadata is read here, and the decoder gets the other segments, so that no metadata can stop a picture. Scans are
counted, as a decoder goes over all pixels once for each scan, and kinds that the decoder does not know are refused by
name.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tinct.errors import PhotoError
from tinct.photo import ifd, xmp
from tinct.photo.file_metadata import FileMetadata, Limits
from tinct.photo.metadata import SIGNATURE_LEFT_OUT, plausible_dpi
from tinct.photo.xmp_layout import XmpError, read_layout

if TYPE_CHECKING:
    from PIL import Image

EXIF_MARK, XMP_MARK = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
"""The first bytes of APP1 segments with EXIF and with XMP."""

EXTENSION_MARK = b"http://ns.adobe.com/xmp/extension/\0"
"""The first bytes of an APP1 segment with a part of an XMP extension (XMP part 3, 1.1.3.1)."""

PHOTOSHOP_MARK = b"Photoshop 3.0\0"
"""The first bytes of an APP13 segment with Photoshop resources."""
_ICC_MARK, _MPF_MARK = b"ICC_PROFILE\0", b"MPF\0"

_SOF = frozenset((*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0), 0xF7))
_READ = frozenset((0xC0, 0xC1, 0xC2, 0xC9, 0xCA))
_NAMES = {
    0xC3: "lossless",
    0xC5: "hierarchical",
    0xC6: "hierarchical",
    0xC7: "lossless",
    0xCB: "lossless",
    0xF7: "lossless (JPEG-LS)",
}
_SOS, _EOI, _COM, _APP0, _APP14 = 0xDA, 0xD9, 0xFE, 0xE0, 0xEE
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_NUMBER_OF_IMAGES = 0xB001

_FILLER = bytes(range(1, 200)) * 21


@dataclass(slots=True)
class _Segments:
    """A file's markers up to its end.

    Attributes:
        frame: the frame's marker, bits a sample, height, width, number of components.
        scans: how many there are.
        ended: True if the end marker is there.
        said: metadata segments, as (marker, body).
        kept: the spans of everything else.
    """

    frame: tuple[int, int, int, int, int] | None = None
    scans: int = 0
    ended: bool = False
    said: list[tuple[int, bytes]] = field(default_factory=list)
    kept: list[tuple[int, int]] = field(default_factory=list)


def read(data: bytes, limits: Limits) -> tuple[Image.Image | NDArray[np.uint16], FileMetadata]:
    """Open a JPEG for decoding.

    Returns:
        The picture, or the pixels over the whole range of 16 bits if it has 12; and its metadata.
    Raises:
        PhotoError: if no decoder here knows the kind of the JPEG, or the JPEG has too many scans.
        PhotoTooLargeError: if the JPEG exceeds the limits.
    """
    segments = _segments(data)
    if segments.frame is None:
        raise PhotoError("it has no frame of pixels; it is damaged or incomplete; copy or export it again.")
    kind, bits, height, width, components = segments.frame
    if kind not in _READ or bits not in (8, 12) or (bits == 12 and components not in (1, 3)):
        named = f"{bits}-bit JPEG" if kind in _READ else f"{_NAMES.get(kind, 'rare')} JPEG"
        raise PhotoError(f"it is a {named}, which is not read; save it as an 8-bit JPEG or a 16-bit TIFF.")
    limits.check(width, height, components, bits)
    limits.check_scans(segments.scans, width, height)
    found = _metadata(segments.said)
    plain = b"".join(data[start:end] for start, end in segments.kept)
    if bits == 12:
        return _twelve_bits(plain, found), found
    image = _image(plain) if segments.ended else _image_without_end(plain, found)
    _add_density(image, found)
    return image, found


def frame(data: bytes, limits: Limits) -> tuple[int, int, int, int, int]:
    """The frame of a JPEG: marker, bits a sample, height, width, components; the number of its scans is checked.

    Raises:
        PhotoError: if the JPEG has no frame, or too many scans.
    """
    segments = _segments(data)
    if segments.frame is None:
        raise PhotoError("it has no frame of pixels; it is damaged or incomplete; copy or export it again.")
    limits.check_scans(segments.scans, segments.frame[3], segments.frame[2])
    return segments.frame


def _segments(data: bytes) -> _Segments:
    found = _Segments(kept=[(0, 2)])
    place = 2
    while match := _MARKER.search(data, place):
        start, code = match.start(), data[match.start() + 1]
        if code == _EOI:
            found.ended = True
            found.kept.append((place, start + 2))
            break
        if code == 0xD8 or code == 0x01:  # markers without a body
            found.kept.append((place, start + 2))
            place = start + 2
            continue
        body = start + 4
        end = start + 2 + int.from_bytes(data[start + 2 : body], "big")
        _note_segment(found, code, data[body:end])
        is_said = code == _COM or (_APP0 < code <= 0xEF and code != _APP14)
        found.kept.append((place, start if is_said else max(end, body)))
        place = max(end, body)
    else:
        found.kept.append((place, len(data)))
    return found


def _note_segment(found: _Segments, code: int, body: bytes) -> None:
    if code == _SOS:
        found.scans += 1
    elif code in _SOF and found.frame is None and len(body) >= 6:
        found.frame = (code, *struct.unpack_from(">BHHB", body))
    elif code == _COM or _APP0 < code <= 0xEF:
        found.said.append((code, body))


def _twelve_bits(data: bytes, found: FileMetadata) -> NDArray[np.uint16]:
    import imagecodecs

    array = imagecodecs.jpeg8_decode(data)
    found.notes.append("it is a 12-bit JPEG; the result has 16 bits")
    return np.rint(array * np.float32(65535 / 4095)).astype(np.uint16)


def _image(data: bytes) -> Image.Image:
    from PIL.JpegImagePlugin import JpegImageFile

    return JpegImageFile(BytesIO(data))


def _image_without_end(data: bytes, found: FileMetadata) -> Image.Image:
    """The picture of a file that lacks its end marker, if all of its pixels are there.

    A decoder goes on with whatever follows: if it decodes the same with two different endings, it used neither.
    """
    cut = data.rstrip(b"\xff") + b"\xff\xd9"
    filled = data + _FILLER + b"\xff\xd9"
    image = _image(cut)
    if not np.array_equal(np.asarray(image), np.asarray(_image(filled))):
        raise PhotoError("the JPEG ends in the middle; it is incomplete; copy or export it again.")
    found.notes.append("it lacks its end marker, though all pixels are there; it may be damaged")
    return image


def _metadata(segments: list[tuple[int, bytes]]) -> FileMetadata:
    found = FileMetadata()
    exif = [body for code, body in segments if code == 0xE1 and body.startswith(EXIF_MARK)]
    if exif:
        found.exif = ifd.read_block(exif[0] + b"".join(more.removeprefix(EXIF_MARK) for more in exif[1:]))
    found.xmp = _xmp(segments, found)
    resources = [body for code, body in segments if code == 0xED and body.startswith(PHOTOSHOP_MARK)]
    found.iptc = b"".join(body.removeprefix(PHOTOSHOP_MARK) for body in resources) or None
    found.comment = b"\n".join(body.rstrip(b"\0") for code, body in segments if code == _COM) or None
    profile = [body for code, body in segments if code == 0xE2 and body.startswith(_ICC_MARK)]
    found.icc = b"".join(body[14:] for body in sorted(profile, key=lambda body: body[12:13])) or None
    if any(code == 0xEB and body[:2] == b"JP" and b"c2pa" in body for code, body in segments):
        found.notes.append(SIGNATURE_LEFT_OUT)
    for code, body in segments:
        if code == 0xE2 and body.startswith(_MPF_MARK):
            count = ifd.read_block(body.removeprefix(_MPF_MARK)).number(_NUMBER_OF_IMAGES) or 1
            if count > 1:
                found.notes.append(f"it holds {int(count)} pictures; the first is used")
            break
    return found


def _xmp(segments: list[tuple[int, bytes]], found: FileMetadata) -> bytes | None:
    """The packet, with its extension (XMP part 3, 1.1.3.1) joined in: the one that it names, or the only one."""
    packets = [
        body.removeprefix(XMP_MARK) for code, body in segments if code == 0xE1 and body.startswith(XMP_MARK)
    ]
    if not packets:
        return None
    pieces: dict[bytes, dict[int, bytes]] = {}
    for code, body in segments:
        if code == 0xE1 and body.startswith(EXTENSION_MARK) and len(body) >= len(EXTENSION_MARK) + 40:
            head = body[len(EXTENSION_MARK) :]
            pieces.setdefault(head[:32], {})[int.from_bytes(head[36:40], "big")] = head[40:]
    if not pieces:
        return packets[0]
    try:
        named = read_layout(packets[0]).value("xmpNote:HasExtendedXMP").encode()
        parts = pieces.get(named) or (next(iter(pieces.values())) if len(pieces) == 1 else {})
        if parts:
            return xmp.joined(packets[0], b"".join(parts[place] for place in sorted(parts)))
    except XmpError as error:
        found.notes.append(f"the second part of its XMP was left out: {error}")
    return packets[0]


def _add_density(image: Image.Image, found: FileMetadata) -> None:
    """JFIF's resolution, which counts before EXIF's; density 1:1 without a unit says nothing."""
    density, unit = image.info.get("jfif_density"), image.info.get("jfif_unit")
    if unit in (1, 2):
        pair = plausible_dpi(density)
        found.dpi = pair and (pair[0] * (2.54 if unit == 2 else 1), pair[1] * (2.54 if unit == 2 else 1))
    elif unit == 0 and density is not None and density[0] != density[1]:
        found.aspect = plausible_dpi(density)
