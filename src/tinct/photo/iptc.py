"""Photoshop image resources and IPTC captions in them (IPTC-IIM 4.2): those that a result keeps, and as XMP."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from html import escape

_IIM = 0x0404
_STALE = frozenset((1033, 1036, 1039, 1058, 1059, 1060, 1061))
"""Thumbnails of the gray picture, its ICC profile, copies of EXIF and XMP, the hash of the captions."""

_UTF8 = b"\x1b%G"

_SIMPLE = {(2, 105): "photoshop:Headline", (2, 90): "photoshop:City", (2, 101): "photoshop:Country",
           (2, 110): "photoshop:Credit", (2, 115): "photoshop:Source", (2, 40): "photoshop:Instructions",
           (2, 103): "photoshop:TransmissionReference"}  # fmt: skip
_LANGUAGE = {(2, 120): "dc:description", (2, 5): "dc:title", (2, 116): "dc:rights"}
_LISTS = {(2, 25): ("dc:subject", "Bag"), (2, 80): ("dc:creator", "Seq")}


def resources(block: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """The resources of a Photoshop block: identifier, name as stored, body; a damaged block ends at the damage."""
    place = 0
    while block[place : place + 4] == b"8BIM" and place + 12 <= len(block):
        (code,) = struct.unpack_from(">H", block, place + 4)
        named = place + 6 + 1 + block[place + 6]
        named += (named - place - 6) % 2
        if named + 4 > len(block):
            return
        (size,) = struct.unpack_from(">I", block, named)
        body = block[named + 4 : named + 4 + size]
        if len(body) < size:
            return
        yield code, block[place + 6 : named], body
        place = named + 4 + size + size % 2


def carried_resources(block: bytes | None) -> bytes | None:
    """The resources that are true of a result too, as a block; None where none are left."""
    kept = [resource(*each) for each in resources(block or b"") if each[0] not in _STALE]
    return b"".join(kept) or None


def resource(code: int, name: bytes, body: bytes) -> bytes:
    """The bytes of a resource; its name as stored, with its length."""
    return (
        b"8BIM" + struct.pack(">H", code) + name + struct.pack(">I", len(body)) + body + bytes(len(body) % 2)
    )


def as_resources(data: bytes) -> bytes | None:
    """A Photoshop block of `data`, which is such a block or bare IPTC-IIM; None if `data` is neither."""
    if data.startswith(b"Photoshop 3.0\0"):
        data = data.removeprefix(b"Photoshop 3.0\0")
    if data.startswith(b"8BIM"):
        return data
    if not data.startswith(b"\x1c"):
        return None
    return b"8BIM" + struct.pack(">HHI", _IIM, 0, len(data)) + data + bytes(len(data) % 2)


def captions(block: bytes | None) -> dict[tuple[int, int], list[str]]:
    """The texts of IPTC's captions by record and dataset number."""
    found: dict[tuple[int, int], list[bytes]] = {}
    for code, _, body in resources(block or b""):
        for key, value in _datasets(body) if code == _IIM else ():
            found.setdefault(key, []).append(value)
    utf8 = _UTF8 in found.get((1, 90), [])
    return {key: [_decoded(value, utf8) for value in values] for key, values in found.items() if key[0] == 2}


def xmp_properties(block: bytes | None, existing: frozenset[str], prefix: str) -> list[str]:
    """IPTC's captions as XMP elements, by IPTC's own mapping.

    Args:
        block: Photoshop resources, or None.
        existing: the properties that the packet has already, as "dc:title".
        prefix: the packet's prefix of RDF.
    """
    lines = []
    for key, texts in captions(block).items():
        said = [escape("".join(c for c in text if c >= " " or c in "\n\t")) for text in texts]
        if (name := _SIMPLE.get(key)) and name not in existing:
            lines.append(f"<{name}>{said[0]}</{name}>")
        elif (name := _LANGUAGE.get(key)) and name not in existing:
            item = f'<{prefix}:li xml:lang="x-default">{said[0]}</{prefix}:li>'
            lines.append(f"<{name}><{prefix}:Alt>{item}</{prefix}:Alt></{name}>")
        elif key in _LISTS and _LISTS[key][0] not in existing:
            name, form = _LISTS[key]
            items = "".join(f"<{prefix}:li>{each}</{prefix}:li>" for each in said)
            lines.append(f"<{name}><{prefix}:{form}>{items}</{prefix}:{form}></{name}>")
    return lines


def _datasets(body: bytes) -> Iterator[tuple[tuple[int, int], bytes]]:
    place = 0
    while place + 5 <= len(body) and body[place] == 0x1C:
        record, number, size = struct.unpack_from(">BBH", body, place + 1)
        place += 5
        if size & 0x8000:  # an extended dataset: the length of the length
            length = size & 0x7FFF
            if length > 4:
                return
            size = int.from_bytes(body[place : place + length], "big")
            place += length
        if place + size > len(body):
            return
        yield (record, number), body[place : place + size]
        place += size


def _decoded(value: bytes, utf8: bool) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("utf-8" if utf8 else "latin-1", "replace")
