"""PNG (ISO/IEC 15948:2004 and its third edition): chunks are read here, pixels by libpng.

libpng comes with imagecodecs and Pillow.

Decoders get only the chunks that pixels need, so that no text or profile can stop a picture.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from io import SEEK_END
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from tinct.errors import PhotoError
from tinct.photo import ifd, iptc
from tinct.photo.file_metadata import FileMetadata
from tinct.photo.metadata import SIGNATURE_LEFT_OUT, Metadata, PngText, plausible_dpi, readable

SIGNATURE = b"\x89PNG\r\n\x1a\n"
"""The first bytes of a PNG."""

_HEADER_END = len(SIGNATURE) + 25
_INCH = 0.0254
_NEEDED = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"))
_SAID = frozenset((b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"iCCP", b"gAMA", b"cHRM", b"sRGB", b"cICP", b"pHYs", b"tIME",
                   b"oFFs", b"acTL", b"caBX"))  # fmt: skip
_KEPT = frozenset((b"tIME", b"oFFs"))
_FRAMES = frozenset((b"fcTL", b"fdAT"))
_MOST_PRIVATE = 1000
"""Private chunks that are carried."""
_XMP_MARK = b"http://ns.adobe.com/xap/1.0/\0"
_LARGEST_TEXT = 16 << 20
_LARGEST_SAID = 64 << 20
"""Bytes that one text or profile, and that all of them, may hold when they are inflated."""


def read_chunks(stream: BinaryIO) -> tuple[bytearray, dict[bytes, list[bytes]], list[str]]:
    """Split a file into the chunks that a decoder needs and the metadata chunks, and verify every checksum.

    Returns:
        A file with only the chunks that pixels need; the bodies of the other known chunks by name; notes.
    Raises:
        PhotoError: if a needed chunk is damaged, or the end is missing.
    """
    said: dict[bytes, list[bytes]] = {}
    notes: list[str] = []
    needed, filled, left = bytearray(stream.seek(0, SEEK_END)), len(SIGNATURE), _LARGEST_SAID
    needed[:filled] = SIGNATURE
    stream.seek(filled)
    while (chunk := _chunk_into(stream, needed, filled)) is not None:
        kind, length, fine = chunk
        if kind in _NEEDED or (kind == kind.upper() and not fine):
            if not fine:
                name = kind.decode("latin-1")
                raise PhotoError(f"the PNG's {name!r} chunk is damaged; copy or export it again.")
            filled += length + 12
        elif (kind in _SAID or _is_safe_to_copy(kind)) and fine and length <= left:
            left -= length
            said.setdefault(kind, []).append(bytes(needed[filled + 8 : filled + 8 + length]))
        elif kind in _SAID:
            notes.append(
                f"the PNG's {kind.decode('latin-1')} chunk is damaged or too large, and was left out"
            )
        if kind == b"IEND":
            del needed[filled:]
            return needed, said, list(dict.fromkeys(notes))
    raise PhotoError("the PNG ends in the middle; it is incomplete; copy or export it again.")


def _is_safe_to_copy(kind: bytes) -> bool:
    """True for a chunk whose name says that it stays true whatever is done to the pixels (PNG, 5.4)."""
    return kind.isalpha() and kind[:1].islower() and kind[3:].islower() and kind not in _FRAMES


def _chunk_into(stream: BinaryIO, whole: bytearray, place: int) -> tuple[bytes, int, bool] | None:
    """Read a chunk into a place of an array, without a copy of its own, as a chunk may be as large as the file.

    Returns:
        The chunk's name, its body's bytes, and True if its checksum fits; None if the file ends in it.
    """
    head = stream.read(8)
    if len(head) < 8:
        return None
    length, kind = struct.unpack(">I4s", head)
    if place + length + 12 > len(whole):
        return None
    with memoryview(whole) as view, view[place : place + length + 12] as there:
        there[:8] = head
        if stream.readinto(there[8:]) < length + 4:  # type: ignore[attr-defined]
            return None
        fine = zlib.crc32(there[4:-4]) == int.from_bytes(there[-4:], "big")
    return kind, length, fine


def header(data: bytes | bytearray) -> tuple[int, int, int, int]:
    """Width, height, bits a sample and samples a pixel.

    Raises:
        PhotoError: if the header is missing.
    """
    if len(data) < 33 or data[12:16] != b"IHDR":
        raise PhotoError("the PNG has no header; it is damaged; copy or export it again.")
    width, height, bits, kind = struct.unpack_from(">IIBB", data, 16)
    return width, height, bits, {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(kind, 1)


def decode_deep(needed: bytearray) -> NDArray[np.uint16]:
    """Decode 16 bits to (H, W) or (H, W, 2..4), RGB order; a transparent gray or color becomes alpha."""
    import imagecodecs

    return np.asarray(imagecodecs.png_decode(needed))


def metadata(chunks: dict[bytes, list[bytes]], notes: list[str]) -> FileMetadata:
    """The metadata in the chunks beside the pixels.

    Args:
        chunks: the chunks' bodies by name.
        notes: of `read_chunks`.
    """
    found = FileMetadata(notes=list(notes))
    found.chunks = [(kind, body) for kind in sorted(_KEPT) for body in chunks.get(kind, [])[:1]]
    private = [(kind, body) for kind in chunks if kind not in _SAID for body in chunks[kind]]
    found.chunks += private[:_MOST_PRIVATE]
    found.notes += [SIGNATURE_LEFT_OUT] if b"caBX" in chunks else []
    found.exif = ifd.read_block(chunks.get(b"eXIf", [None])[0])
    if b"iCCP" in chunks:
        _, _, packed = chunks[b"iCCP"][0].partition(b"\0")
        found.icc = _inflated(packed[1:], _LARGEST_TEXT) or None
        found.notes += [] if found.icc else ["its ICC profile is damaged; the pixels are taken as sRGB"]
    for body in chunks.get(b"pHYs", [])[:1]:
        if len(body) == 9:
            across, down, unit = struct.unpack(">IIB", body)
            pair = plausible_dpi((across, down))
            found.dpi = plausible_dpi((across * _INCH, down * _INCH)) if unit == 1 else None
            found.aspect = pair if unit == 0 else None
    _add_texts(chunks, found)
    frames = chunks.get(b"acTL", [b""])[0]
    if len(frames) == 8 and (count := int.from_bytes(frames[:4], "big")) > 1:
        found.notes.append(f"it has {count} frames; the first is used")
    return found


def _add_texts(said: dict[bytes, list[bytes]], found: FileMetadata) -> None:
    left = _LARGEST_SAID
    for kind in (b"tEXt", b"zTXt", b"iTXt"):
        for body in said.get(kind, []):
            text = _text(kind, body, min(left, _LARGEST_TEXT))
            if text is None:
                found.notes.append(
                    f"a text of the PNG ({kind.decode()}) is damaged or too large, and was left out"
                )
                continue
            left -= len(text.text)
            if text.keyword == "XML:com.adobe.xmp":
                found.xmp = found.xmp or text.text.encode("utf-8", "surrogateescape")
            elif text.keyword.startswith("Raw profile type "):
                _add_raw_profile(text, found)
            else:
                found.texts.append(text)
    found.notes[:] = dict.fromkeys(found.notes)


def _text(kind: bytes, body: bytes, most: int) -> PngText | None:
    keyword, _, rest = body.partition(b"\0")
    name = keyword.decode("latin-1")
    if kind == b"tEXt":
        return PngText(name, rest.decode("latin-1"))
    if kind == b"zTXt":
        plain = _inflated(rest[1:], most)
        return None if plain is None else PngText(name, plain.decode("latin-1"))
    packed, rest = rest[:1] == b"\1", rest[2:]
    language, _, rest = rest.partition(b"\0")
    translated, _, rest = rest.partition(b"\0")
    inflated = _inflated(rest, most) if packed else rest
    if inflated is None:
        return None
    return PngText(
        name,
        inflated.decode("utf-8", "surrogateescape"),
        language.decode("latin-1"),
        translated.decode("utf-8", "replace"),
    )


def _inflated(packed: bytes, most: int) -> bytes | None:
    """A zlib stream's contents; None if it is damaged or holds more than `most` bytes."""
    inflater = zlib.decompressobj()
    try:
        plain = inflater.decompress(packed, most)
    except zlib.error:
        return None
    return plain if inflater.eof else None


def _add_raw_profile(text: PngText, found: FileMetadata) -> None:
    """ImageMagick's and exiftool's way to keep foreign metadata: its kind, its length, and its bytes as hex."""
    parts = text.text.split(maxsplit=2)
    try:
        body = bytes.fromhex(parts[2]) if len(parts) == 3 else b""
    except ValueError:
        return
    kind = text.keyword.removeprefix("Raw profile type ").lower()
    if kind in ("iptc", "8bim"):
        found.iptc = found.iptc or iptc.as_resources(body)
    elif kind == "xmp":
        found.xmp = found.xmp or body
    elif kind == "app1" and body.startswith(_XMP_MARK):
        found.xmp = found.xmp or body.removeprefix(_XMP_MARK)
    elif kind in ("exif", "app1") and body.startswith(b"Exif\0\0") and not found.exif.entries:
        found.exif = ifd.read_block(body)
    elif kind == "icc":
        found.icc = found.icc or body


def metadata_chunks(metadata: Metadata) -> list[tuple[bytes, bytes]]:
    """The chunks that go between the header and the pixels."""
    chunks = list(metadata.chunks)
    if metadata.icc is not None:
        chunks.append((b"iCCP", b"ICC Profile\0\0" + zlib.compress(metadata.icc)))
    if metadata.dpi is not None:
        chunks.append((b"pHYs", struct.pack(">IIB", *(round(v / _INCH) for v in metadata.dpi), 1)))
    elif metadata.aspect is not None:
        chunks.append((b"pHYs", struct.pack(">IIB", *_whole_ratio(metadata.aspect), 0)))
    if metadata.exif is not None:
        chunks.append((b"eXIf", metadata.exif))
    chunks += [_text_chunk(text) for text in metadata.texts]
    if metadata.comment is not None:
        chunks.append(_text_chunk(PngText("Comment", readable(metadata.comment))))
    if metadata.iptc is not None:
        chunks.append(_raw_profile(b"iptc", metadata.iptc))
    if metadata.xmp is not None:
        chunks.append((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + metadata.xmp))
    return chunks


def _whole_ratio(pair: tuple[float, float]) -> tuple[int, int]:
    """Two whole numbers in the same ratio."""
    scale = 1 if all(float(v).is_integer() for v in pair) else 1000
    return max(1, round(pair[0] * scale)), max(1, round(pair[1] * scale))


def _text_chunk(text: PngText) -> tuple[bytes, bytes]:
    keyword = text.keyword.encode("latin-1", "replace")[:79]
    if not text.language and not text.translated and len(text.text) < 1 << 20:
        try:
            return b"tEXt", keyword + b"\0" + text.text.encode("latin-1")
        except UnicodeEncodeError:
            pass
    head = keyword + b"\0\0\0" + text.language.encode("latin-1", "replace") + b"\0"
    return b"iTXt", head + text.translated.encode() + b"\0" + text.text.encode("utf-8", "surrogateescape")


def _raw_profile(kind: bytes, body: bytes) -> tuple[bytes, bytes]:
    digits = body.hex().encode()
    lines = b"\n".join(digits[i : i + 72] for i in range(0, len(digits), 72))
    text = b"\n%s\n%8d\n%s\n" % (kind, len(body), lines)
    return b"zTXt", b"Raw profile type %s\0\0" % kind + zlib.compress(text)


def write_deep(
    stream: BinaryIO,
    pixels: NDArray[np.uint16],
    alpha: NDArray[np.uint16] | None,
    chunks: list[tuple[bytes, bytes]],
) -> None:
    """Write a 16-bit PNG by strips of rows, so that no second copy of the pixels is made.

    Args:
        pixels: shape (H, W) or (H, W, 3), RGB order.
        alpha: shape (H, W), or None.
        chunks: further chunks, between the header and the pixels, as (name, body).
    """
    height, width = pixels.shape[:2]
    kind = (2 if pixels.ndim == 3 else 0) + (4 if alpha is not None else 0)
    stream.write(SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)))
    for name, body in chunks:
        stream.write(chunk(name, body))
    for packed in _packed_rows(pixels, alpha):
        stream.write(chunk(b"IDAT", packed))
    stream.write(chunk(b"IEND", b""))


def _packed_rows(pixels: NDArray[np.uint16], alpha: NDArray[np.uint16] | None) -> Iterator[bytes]:
    """Deflated strips of rows, each filtered by the row above (filter type 2)."""
    packer = zlib.compressobj(2, zlib.DEFLATED, 15, 9, zlib.Z_RLE)
    rows = max(1, (1 << 19) // pixels.shape[1])
    above = None
    for top in range(0, len(pixels), rows):
        strip = pixels[top : top + rows]
        if alpha is not None:
            strip = np.dstack([strip, alpha[top : top + rows]])
        plain = strip.astype(">u2").reshape(len(strip), -1).view(np.uint8)
        filtered = np.empty((len(plain), 1 + plain.shape[1]), np.uint8)
        filtered[:, 0] = 2
        np.subtract(plain[1:], plain[:-1], out=filtered[1:, 1:])
        filtered[0, 1:] = plain[0] if above is None else plain[0] - above
        above = plain[-1].copy()
        if packed := packer.compress(filtered.data):
            yield packed
    yield packer.flush()


def chunk(kind: bytes, body: bytes) -> bytes:
    """The bytes of a chunk: length, name, body, checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))


class ChunkInserter:
    """A stream for a PNG writer, which inserts chunks behind the header.

    Args:
        stream: takes the PNG.
        chunks: as (name, body).
    """

    def __init__(self, stream: BinaryIO, chunks: list[tuple[bytes, bytes]]) -> None:
        self._stream = stream
        self._head: bytes | None = b""
        self._between = b"".join(chunk(kind, body) for kind, body in chunks)

    def write(self, data: bytes) -> int:
        """Pass bytes on to the stream, with the chunks behind the header's last byte."""
        if self._head is None:
            return self._stream.write(data)
        self._head += bytes(data)
        if len(self._head) >= _HEADER_END:
            self._stream.write(self._head[:_HEADER_END] + self._between + self._head[_HEADER_END:])
            self._head = None
        return len(data)

    def flush(self) -> None:
        """Flush the stream."""
        self._stream.flush()
