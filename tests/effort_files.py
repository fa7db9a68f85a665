"""Files of every parser's kind of content, of a number of parts: what is dear must grow no faster than the file."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image, ImageCms

GRAY = np.random.default_rng(5).integers(0, 256, (16, 16), np.uint8)
RDF = b'<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'


def saved(kind: str, array: Any = GRAY, **options: Any) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, kind, **options)
    return stream.getvalue()


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG with more chunks behind its header."""
    data = saved("PNG")
    more = [struct.pack(">I", len(b)) + k + b + struct.pack(">I", zlib.crc32(k + b)) for k, b in chunks]
    return data[:33] + b"".join(more) + data[33:]


def jpeg(*segments: tuple[int, bytes]) -> bytes:
    """A JPEG with more segments behind its start."""
    data = saved("JPEG")
    more = [struct.pack(">BBH", 0xFF, code, len(body) + 2) + body for code, body in segments]
    return data[:2] + b"".join(more) + data[2:]


def photoshop(block: bytes) -> tuple[tuple[int, bytes], ...]:
    """APP13 segments of a Photoshop block, cut where each is full."""
    mark = b"Photoshop 3.0\0"
    return tuple((0xED, mark + block[at : at + 65_000]) for at in range(0, len(block), 65_000))


def resource(code: int, body: bytes, name: bytes = b"\0\0") -> bytes:
    return (
        b"8BIM" + struct.pack(">H", code) + name + struct.pack(">I", len(body)) + body + bytes(len(body) % 2)
    )


def raw_iptc(block: bytes) -> bytes:
    """A PNG with a Photoshop block as ImageMagick writes it."""
    text = b"\niptc\n%8d\n%s\n" % (len(block), block.hex().encode())
    return png((b"zTXt", b"Raw profile type iptc\0\0" + zlib.compress(text)))


def exif(entries: list[tuple[int, int, int, int]], behind: bytes = b"") -> bytes:
    """An EXIF block of one directory: tag, type, count, value or place."""
    table = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries) & 0xFFFF) + table + bytes(4) + behind


def icc(tags: list[tuple[bytes, int, int]], behind: bytes, at: int) -> bytes:
    """An ICC profile with further tags and the bytes that they point at."""
    plain = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    (count,) = struct.unpack_from(">I", plain, 128)
    table = plain[132 : 132 + 12 * count]
    moved = b"".join(
        struct.pack(">4sII", name, place + 12 * len(tags), size)
        for name, place, size in struct.iter_unpack(">4sII", table)
    )
    more = b"".join(struct.pack(">4sII", *tag) for tag in tags)
    body = plain[132 + 12 * count :]
    data = plain[:128] + struct.pack(">I", count + len(tags)) + moved + more + body + behind
    return struct.pack(">I", len(data)) + data[4:]


def curves(count: int) -> bytes:
    """A matrix profile whose curve has so many points."""
    plain = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    (tags,) = struct.unpack_from(">I", plain, 128)
    curve = (
        b"curv" + bytes(4) + struct.pack(">I", count) + np.linspace(0, 65535, count).astype(">u2").tobytes()
    )
    for number in range(tags):
        at = 132 + 12 * number
        if plain[at : at + 4] in (b"rTRC", b"gTRC", b"bTRC"):
            struct.pack_into(">II", plain, at + 4, len(plain), len(curve))
    data = bytes(plain) + curve
    return struct.pack(">I", len(data)) + data[4:]


def tiff_pages(count: int, step: int, entries: int = 1) -> bytes:
    """A TIFF with so many further directories, each `step` bytes behind the one before."""
    page = saved("TIFF")
    data = bytearray(page + bytes(len(page) % 2))
    (first,) = struct.unpack_from("<I", data, 4)
    (own,) = struct.unpack_from("<H", data, first)
    start = len(data)
    struct.pack_into("<I", data, first + 2 + 12 * own, start)
    data += bytes(step * count + 2 + 12 * entries + 4)
    for number in range(count):
        at = start + step * number
        struct.pack_into("<H", data, at, entries)
        if step >= 2 + 12 * entries + 4:
            struct.pack_into("<HHII", data, at + 2, 254, 4, 1, 0)
            struct.pack_into("<I", data, at + 2 + 12 * entries, at + step if number + 1 < count else 0)
    return bytes(data)


def overlapping_pages(count: int) -> bytes:
    """A TIFF whose directories lie over each other: each claims eight times as many entries as there are of them."""
    page = saved("TIFF")
    data = bytearray(page + bytes(len(page) % 2))
    (first,) = struct.unpack_from("<I", data, 4)
    (own,) = struct.unpack_from("<H", data, first)
    start, entries = len(data), min(8 * count, 4096)
    struct.pack_into("<I", data, first + 2 + 12 * own, start)
    long = 2 + 12 * entries
    data += bytes(14 * count + long + 4)
    for number in range(count):
        at = start + 14 * number
        struct.pack_into("<H", data, at, entries)
        struct.pack_into("<I", data, at + long, at + 14 if number + 1 < count else 0)
    return bytes(data)


def sub_directories(count: int) -> bytes:
    """A TIFF whose one page is a thumbnail and names the same large directory again and again."""
    pixels = 8 + 2 + 12 * 10 + 4
    place = pixels + 256
    entries = [(254, 4, 1, 1), (256, 3, 1, 16), (257, 3, 1, 16), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1),
               (273, 4, 1, pixels), (278, 3, 1, 16), (279, 4, 1, 256), (330, 4, count, place)]  # fmt: skip
    block = exif(entries, GRAY.tobytes())
    target = place + 4 * count
    entries_below = min(4 * count, 4096)
    body = struct.pack("<H", entries_below) + struct.pack("<HHII", 254, 4, 1, 1) * entries_below + bytes(4)
    return block + struct.pack("<I", target) * count + body


def strips(count: int) -> bytes:
    """A TIFF of so many rows, each a strip."""
    start = 8 + 2 + 12 * 9 + 4
    entries = [(256, 4, 1, 8), (257, 4, 1, count), (258, 3, 1, 8), (259, 3, 1, 8), (262, 3, 1, 1),
               (273, 4, count, start), (277, 3, 1, 1), (278, 4, 1, 1), (279, 4, count, start + 4 * count)]  # fmt: skip
    row = zlib.compress(bytes(8))
    places = np.arange(count, dtype="<u4") * len(row) + start + 8 * count
    sizes = np.full(count, len(row), "<u4")
    return exif(entries, places.tobytes() + sizes.tobytes() + row * count)


def webp(*chunks: tuple[bytes, bytes]) -> bytes:
    """A WebP in the extended form with more chunks at its end."""
    plain = saved("WEBP", np.dstack([GRAY] * 3), exif=exif([]))
    more = b"".join(k + struct.pack("<I", len(b)) + b + bytes(len(b) % 2) for k, b in chunks)
    data = plain + more
    return data[:4] + struct.pack("<I", len(data) - 8) + data[8:]


def gif(block: bytes) -> bytes:
    """A GIF with extension blocks before its picture."""
    data = saved("GIF")
    place = data.index(b"\x2c", 13 + 3 * (2 << (data[10] & 7)))
    return data[:place] + block + data[place:]


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + kind + body


def avif(*boxes: bytes) -> bytes:
    """An AVIF with more boxes behind its first."""
    data = saved("AVIF", np.dstack([GRAY] * 3))
    size = int.from_bytes(data[:4], "big")
    return data[:size] + data[size:] + b"".join(boxes)


def jxl(*boxes: bytes) -> bytes:
    """A JPEG XL in boxes, with more before its code stream."""
    import imagecodecs

    stream = imagecodecs.jpegxl_encode(GRAY, usecontainer=False)
    head = box(b"JXL ", b"\r\n\x87\n") + box(b"ftyp", b"jxl \0\0\0\0jxl ")
    return head + b"".join(boxes) + box(b"jxlc", stream)


def psd(resources: bytes, layers: bytes = b"") -> bytes:
    head = b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 1, 16, 16, 8, 1)
    return (head + bytes(4) + struct.pack(">I", len(resources)) + resources + struct.pack(">I", len(layers)) + layers
            + b"\0\0" + GRAY.tobytes())  # fmt: skip


def layers(count: int) -> bytes:
    """A Photoshop file's section of so many layers of one pixel."""
    one = (
        struct.pack(">4i", 0, 0, 1, 1)
        + struct.pack(">HhI", 1, 0, 3)
        + b"8BIMnorm\xff\0\0\0"
        + struct.pack(">I", 12)
    )
    records = (one + bytes(12)) * count
    pixels = struct.pack(">HB", 0, 9) * count
    body = struct.pack(">h", count) + records + pixels
    body += bytes(-len(body) % 4)
    return struct.pack(">I", len(body)) + body


def extensions(count: int) -> bytes:
    """A JPEG with a packet and parts of so many different extensions, none of which is well-formed."""
    mark = b"http://ns.adobe.com/xmp/extension/\0"
    packet = b"http://ns.adobe.com/xap/1.0/\0" + RDF + b"<r:Description/>" * (40 * count) + b"</r:RDF>"
    parts = [(0xE1, mark + b"%032d" % n + struct.pack(">II", 9, 0) + b"<a></b>") for n in range(count)]
    return jpeg((0xE1, packet), *parts)


_KEYWORD = b"\x1c\x02\x19\0\3key"
_FRAME = b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0"

FILES: dict[str, tuple[Callable[[int], bytes], int]] = {
    "exif: entries": (lambda n: png((b"eXIf", exif([(1000 + k % 60_000, 4, 1, k) for k in range(n)]))), 10_000),
    "exif: entries of the same bytes": (
        lambda n: png((b"eXIf", exif([(1000 + k, 7, 20_000, 8) for k in range(4000)], bytes(n)))), 100_000),
    "exif: numbers": (lambda n: png((b"eXIf", exif([(282, 5, n, 26)], bytes(8 * n)))), 20_000),
    "iptc: keywords": (lambda n: raw_iptc(resource(0x0404, _KEYWORD * n)), 10_000),
    "iptc: kinds": (lambda n: raw_iptc(resource(0x0404, b"".join(
        b"\x1c%c%c\0\1k" % (k >> 8 & 255, k & 255) for k in range(n)))), 10_000),
    "photoshop: resources": (lambda n: jpeg(*photoshop(resource(1, b"") * n)), 10_000),
    "photoshop: captions": (lambda n: raw_iptc(resource(0x0404, _KEYWORD) * n), 6000),
    "photoshop: psd": (lambda n: psd(resource(1, b"") * n), 20_000),
    "psd: layers": (lambda n: psd(b"", layers(n)), 2000),
    "icc: tags": (lambda n: png((b"iCCP", b"k\0\0" + zlib.compress(icc([(b"desc", 200, 100)] * n, b"", 0)))), 5000),
    "icc: points": (lambda n: png((b"iCCP", b"k\0\0" + zlib.compress(curves(n)))), 50_000),
    "icc: segments": (lambda n: jpeg(*[(0xE2, b"ICC_PROFILE\0" + bytes((k % 256, 255)) + bytes(9)) for k in range(n)]),
                      10_000),
    "png: texts": (lambda n: png(*[(b"tEXt", b"k\0text")] * n), 5000),
    "png: packed texts": (lambda n: png(*[(b"zTXt", b"k\0\0" + zlib.compress(bytes(9000)))] * n), 2000),
    "png: languages": (lambda n: png(*[(b"iTXt", b"k\0\0\0de\0t\0text")] * n), 5000),
    "png: unknown": (lambda n: png(*[(b"abCd", b"")] * n), 20_000),
    "png: pixels in pieces": (lambda n: png(*[(b"IDAT", b"")] * n), 20_000),
    "png: raw profiles": (lambda n: png(*[(b"tEXt", b"Raw profile type xmp\0\nxmp\n1\n00")] * n), 5000),
    "jpeg: comments": (lambda n: jpeg(*[(0xFE, b"said")] * n), 10_000),
    "jpeg: packets": (lambda n: jpeg(*[(0xE1, b"http://ns.adobe.com/xap/1.0/\0<a/>")] * n), 5000),
    "jpeg: extensions": (extensions, 20),
    "jpeg: tables": (lambda n: jpeg(*[(0xDB, b"\0" + bytes(range(1, 65)))] * n), 5000),
    "jpeg: fill": (lambda n: saved("JPEG")[:2] + b"\xff" * n + saved("JPEG")[2:], 500_000),
    "jpeg: restarts": (lambda n: saved("JPEG")[:-2] + b"\xff\xd0" * n + b"\xff\xd9", 100_000),
    "jpeg: pictures": (lambda n: jpeg((0xE2, b"MPF\0" + exif([(0xB001, 4, 1, 9)] * min(n, 4000)))), 1000),
    "tiff: pages": (lambda n: tiff_pages(n, 18), 500),
    "tiff: pages over each other": (overlapping_pages, 100),
    "tiff: directories below": (sub_directories, 200),
    "tiff: strips": (strips, 1000),
    "webp: chunks": (lambda n: webp(*[(b"abcd", b"")] * n), 10_000),
    "webp: packets": (lambda n: webp(*[(b"XMP ", b"<a/>")] * n), 10_000),
    "gif: comments": (lambda n: gif(b"\x21\xfe\x01a\0" * n), 5000),
    "gif: pieces of a comment": (lambda n: gif(b"\x21\xfe" + b"\x01a" * n + b"\0"), 100_000),
    "gif: frames": (lambda n: saved("GIF")[:-1] + _FRAME * n + b";", 5000),
    "gif: applications": (lambda n: gif(b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0" * n), 5000),
    "avif: boxes": (lambda n: avif(*[box(b"free", b"")] * n), 20_000),
    "jxl: boxes": (lambda n: jxl(*[box(b"free", b"")] * n), 20_000),
    "jxl: pieces": (lambda n: jxl(*[box(b"jxlp", struct.pack(">I", k)) for k in range(n)]), 20_000),
    "ppm: comments": (lambda n: b"P5\n" + b"#a\n" * n + b"16 16\n255\n" + GRAY.tobytes(), 50_000),
    "ppm: plain": (lambda n: b"P2\n16 %d\n255\n" % n + b"7 " * (16 * n), 2000),
    "ppm: plain with comments": (lambda n: b"P2\n16 16\n255\n" + b"#a\n" * n + b"7 " * 256, 50_000),
    "ppm: plain spaces": (lambda n: b"P2\n16 16\n255\n" + b" " * n + b"7 " * 256, 500_000),
    "bmp: palette": (lambda n: saved("BMP")[:54] + bytes(n) + GRAY.tobytes(), 100_000),
    "jp2: boxes": (lambda n: saved("JPEG2000", np.dstack([GRAY] * 3))[:12] + box(b"free", b"") * n
                   + saved("JPEG2000", np.dstack([GRAY] * 3))[12:], 20_000),
}  # fmt: skip
"""For each kind of part: a function that makes a file with so many parts, and a number of them."""
