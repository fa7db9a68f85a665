"""TIFF directories (TIFF 6.0, section 2), as EXIF blocks and TIFF files hold them: every value is kept as its bytes.

Values of unexpected types, text in UTF-8 where the standard says ASCII, and private tags are all kept unread. Reading
is bounded by the bytes of the file: entries that share bytes many times over are left out.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np

from tinct.errors import PhotoError

ASCII, SHORT, LONG, RATIONAL, UNDEFINED, SIGNED_RATIONAL = 2, 3, 4, 5, 7, 10
"""TIFF's numbers of value types."""

_UNITS = {
    1: "B",
    2: "s",
    3: "H",
    4: "I",
    5: "II",
    6: "b",
    7: "s",
    8: "h",
    9: "i",
    10: "ii",
    11: "f",
    12: "d",
    13: "I",
}
_BIG_UNITS = {16: "Q", 17: "q", 18: "Q"}
_SIZES = {kind: struct.calcsize("<" + unit) for kind, unit in (_UNITS | _BIG_UNITS).items()}

EXIF_IFD, GPS_IFD, INTEROP_IFD = 0x8769, 0x8825, 0xA005
"""Tags that point at the EXIF, GPS and interoperability directories."""

_CHILDREN = (EXIF_IFD, GPS_IFD, INTEROP_IFD)

_MOST_ENTRIES = 4096
"""Entries that one directory may have; tifffile's own limit."""

_WITHOUT_NEXT = "it ends where the place of its next page would be; if it was cut there, pages are missing"
_ALONE = "it names a second page, which is not there; if it was cut short, pages are missing"
_ROUND = "its list of pages leads back to an earlier one, and was read up to there; it may be damaged"
"""Notes on lists of pages that end in an unusual way."""

_SIZE = frozenset((256, 257))
"""Tags of a picture's width and height, which every picture has."""

_KINDS = frozenset((254, 255, 330))
"""Tags of a directory's kind of picture: NewSubfileType, SubfileType, SubIFDs."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A value of a directory.

    Attributes:
        kind: TIFF's number of the type (2 ASCII, 3 SHORT, ...).
        count: the number of values.
        data: their bytes, in the directory's byte order.
    """

    kind: int
    count: int
    data: bytes


@dataclass(slots=True)
class Directory:
    """A directory.

    Attributes:
        order: byte order of its values, "<" or ">".
        entries: values by tag.
        children: the EXIF, GPS and interoperability directories, by the tag that points at them.
    """

    order: str = "<"
    entries: dict[int, Entry] = field(default_factory=dict)
    children: dict[int, Directory] = field(default_factory=dict)

    def child(self, code: int) -> Directory:
        """The directory that a tag points at; an empty one is added where there is none."""
        return self.children.setdefault(code, Directory(self.order))

    def numbers(self, code: int) -> tuple[float, ...]:
        """A tag's values as numbers, whatever their type; empty where the tag is missing, text, or divides by 0."""
        entry = self.entries.get(code)
        unit = None if entry is None else _UNITS.get(entry.kind)
        if entry is None or unit is None or unit == "s" or entry.count > _MOST_ENTRIES:
            return ()
        values = struct.unpack(self.order + unit * entry.count, entry.data)
        if len(unit) == 1:
            return values
        pairs = list(zip(values[::2], values[1::2], strict=True))
        return () if any(b == 0 for _, b in pairs) else tuple(a / b for a, b in pairs)

    def number(self, code: int) -> float | None:
        """A tag's first value as a number, or None."""
        return next(iter(self.numbers(code)), None)

    def text(self, code: int) -> bytes:
        """A tag's bytes without padding around them; empty where the tag is missing."""
        entry = self.entries.get(code)
        return b"" if entry is None else entry.data.strip(b"\0 \t\r\n")

    def set_text(self, code: int, text: str) -> None:
        """Set an ASCII tag; letters beyond ASCII are written as UTF-8, as other programs do."""
        data = text.encode() + b"\0"
        self.entries[code] = Entry(ASCII, len(data), data)

    def set_numbers(self, code: int, kind: int, values: Iterable[int]) -> None:
        """Set a tag of integers.

        Args:
            code: the tag.
            kind: TIFF's number of the type; of RATIONAL, the values are numerator and denominator by turns.
            values: the integers.
        """
        found = tuple(values)
        count = len(found) // len(_UNITS[kind])
        self.entries[code] = Entry(kind, count, struct.pack(self.order + _UNITS[kind] * count, *found))


def read_block(block: bytes | None) -> Directory:
    """The first directory of an EXIF block, with or without its "Exif" marker; an empty one if the block is damaged."""
    bare = (block or b"").removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(bare[:2])
    if order is None or len(bare) < 8:
        return Directory()
    from io import BytesIO

    return read_directory(BytesIO(bare), order, struct.unpack_from(order + "I", bare, 4)[0], len(bare))


def read_directory(
    stream: BinaryIO,
    order: str,
    offset: int,
    budget: int,
    *,
    big: bool = False,
    without: frozenset[int] = frozenset(),
) -> Directory:
    """Read a directory and the directories that it points at.

    Args:
        stream: open for reading, with the TIFF header at its start.
        order: byte order, "<" or ">".
        offset: of the directory, in bytes.
        budget: bytes of all values together; further values are left out.
        big: True for BigTIFF.
        without: tags that are not read, such as the places of strips.
    """
    return _Reader(stream, order, budget, big, without).read(offset, _CHILDREN)


def read_chain(stream: BinaryIO, most: int, notes: list[str]) -> list[tuple[int, Directory]]:
    """The directories of a TIFF in their order, each with its offset and the tags of its kind of picture.

    Args:
        stream: open for reading.
        most: the most directories that are read.
        notes: takes a note of a chain that does not end as it should, though nothing of it is known to be missing.
    Returns:
        Offsets, and directories with only the tags 254, 255 (kinds of pictures) and 330 (further directories); empty
        where not even the first can be read.
    Raises:
        PhotoError: if a directory behind the second cannot be read, there are more than `most`, or they have more bytes
            than the file together, as they lie over each other.
    """
    stream.seek(0)
    head = stream.read(16)
    order = "<" if head[:2] == b"II" else ">"
    big = head[2:4] in (b"+\0", b"\0+")
    if len(head) < 16:
        return []
    offset = struct.unpack_from(order + ("Q" if big else "I"), head, 8 if big else 4)[0]
    found: dict[int, Directory] = {}
    left = stream.seek(0, 2)
    while offset and offset not in found:
        if len(found) == most:
            raise PhotoError(_too_many(most))
        reader = _Reader(stream, order, 1 << 16, big, only=_KINDS | _SIZE)
        directory = reader.read(offset, ())
        left -= reader.taken
        is_picture = left >= 0 and reader.is_whole and directory.entries.keys() >= _SIZE
        if not found and not reader.is_whole:
            return []
        # Some programs leave any number where a single page's list ends.
        if len(found) == 1 and not is_picture:
            notes.append(_ALONE)
            break
        if found and not is_picture:
            raise PhotoError(_broken_off(left < 0))
        for tag in _SIZE & directory.entries.keys():
            del directory.entries[tag]
        found[offset], offset = directory, reader.next_offset
        if offset is None:
            notes.append(_WITHOUT_NEXT)
    if offset in found:
        notes.append(_ROUND)
    return list(found.items())


def read_kinds(stream: BinaryIO, offsets: Iterable[float], most: int) -> list[tuple[int, Directory]]:
    """Directories at some offsets of a TIFF, each with the tags of its kind of picture, as of `read_chain`.

    Args:
        stream: open for reading.
        offsets: of the directories; each is read once, and 0 is none.
        most: the most directories that are read.
    Raises:
        PhotoError: as `read_chain`.
    """
    stream.seek(0)
    head = stream.read(4)
    order = "<" if head[:2] == b"II" else ">"
    left = stream.seek(0, 2)
    found = []
    places = [place for place in dict.fromkeys(int(each) for each in offsets) if place]
    if len(places) > most:
        raise PhotoError(_too_many(most))
    for offset in places:
        reader = _Reader(stream, order, 1 << 16, b"+" in head[2:4], only=_KINDS)
        found.append((offset, reader.read(offset, ())))
        left -= reader.taken
        if left < 0 or not reader.is_whole:
            raise PhotoError(_broken_off(left < 0))
    return found


def _too_many(most: int) -> str:
    """The message that refuses a file of more directories than are read."""
    return (
        f"it has more than {most} pages, thumbnails counted, which is not read; split it into smaller files."
    )


def _broken_off(overlap: bool) -> str:
    """The message that refuses a file whose directories lie over each other, or of which one cannot be read."""
    met = "the entries of its pages lie over each other" if overlap else "the list of its pages breaks off"
    return f"{met}; it is damaged or incomplete; copy or export it again."


class _Reader:
    """Reads directories until its budget of bytes is used up.

    Attributes:
        next_offset: where the directory says that the next one begins, 0 for none; None if the file ends there.
        taken: the bytes of the directories that were read, without their values.
        is_whole: True if the directory that was read last has entries, no more than are read, and all of them.
    """

    def __init__(
        self,
        stream: BinaryIO,
        order: str,
        budget: int,
        big: bool,
        without: frozenset[int] = frozenset(),
        only: frozenset[int] | None = None,
    ) -> None:
        self._stream, self._order, self._left = stream, order, budget
        self._without, self._only = without, only
        self._head, self._entry, self._inline = ("Q", "HHQ8s", 8) if big else ("H", "HHI4s", 4)
        self._seen: set[int] = set()
        self.next_offset: int | None = 0
        self.taken, self.is_whole = 0, False

    def read(self, offset: int, children: tuple[int, ...]) -> Directory:
        found = Directory(self._order)
        if offset in self._seen:
            return found
        self._seen.add(offset)
        for code, kind, count, data in self._raw(offset):
            if code in children:
                place = struct.unpack(self._order + ("Q" if self._inline == 8 else "I"), data)[0]
                found.children[code] = self.read(place, (INTEROP_IFD,) if code == EXIF_IFD else ())
                continue
            known = code in found.entries or code in self._without
            if known or (self._only is not None and code not in self._only):
                continue
            entry = self._value(kind, count, data)
            if entry is not None:
                found.entries[code] = entry
        return found

    def _raw(self, offset: int) -> Iterable[tuple[int, int, int, bytes]]:
        self._stream.seek(min(offset, 1 << 62))
        self.is_whole = False
        head = self._stream.read(struct.calcsize("=" + self._head))
        if len(head) < struct.calcsize("=" + self._head):
            return ()
        stated = struct.unpack(self._order + self._head, head)[0]
        count = min(stated, _MOST_ENTRIES)
        layout = struct.Struct(self._order + self._entry)
        body = self._stream.read(count * layout.size)
        behind = self._stream.read(self._inline)
        self.taken += len(head) + len(body) + len(behind)
        self.is_whole = 0 < stated == count and len(body) == count * layout.size
        self.next_offset = None
        if len(behind) == self._inline:
            self.next_offset = struct.unpack(self._order + ("Q" if self._inline == 8 else "I"), behind)[0]
        return list(layout.iter_unpack(body[: len(body) - len(body) % layout.size]))

    def _value(self, kind: int, count: int, data: bytes) -> Entry | None:
        size = count * _SIZES.get(kind, 0)
        if size == 0 or size > self._left:
            return None
        if size > self._inline:
            self._stream.seek(
                min(struct.unpack(self._order + ("Q" if self._inline == 8 else "I"), data)[0], 1 << 62)
            )
            data = self._stream.read(size)
        self._left -= size
        return self._classic(kind, count, data[:size]) if len(data) >= size else None

    def _classic(self, kind: int, count: int, data: bytes) -> Entry | None:
        """Without BigTIFF's types: 64-bit numbers that fit become LONG, others are left out."""
        if kind in _UNITS:
            return Entry(kind, count, data)
        values = struct.unpack(self._order + _BIG_UNITS[kind] * count, data)
        if not all(0 <= value < 1 << 32 for value in values):
            return None
        return Entry(LONG, count, struct.pack(f"{self._order}{count}I", *values))


def block_bytes(directory: Directory) -> bytes:
    """The bytes of an EXIF block, which begins with a TIFF header."""
    mark = b"II*\0" if directory.order == "<" else b"MM\0*"
    return mark + struct.pack(directory.order + "I", 8) + directory_bytes(directory, 8)


def directory_bytes(directory: Directory, offset: int) -> bytes:
    """The bytes of a directory, its values and its children at an offset of a file; their number is even."""
    order = directory.order
    children = {code: child for code, child in directory.children.items() if child.entries or child.children}
    codes = sorted({*directory.entries, *children})
    table, behind = bytearray(struct.pack(order + "H", len(codes))), bytearray()
    place = offset + 2 + 12 * len(codes) + 4
    for code in codes:
        if code in children:
            table += struct.pack(order + "HHII", code, LONG, 1, place + len(behind))
            behind += directory_bytes(children[code], place + len(behind))
            continue
        entry = directory.entries[code]
        table += struct.pack(order + "HHI", code, entry.kind, entry.count)
        if len(entry.data) <= 4:
            table += entry.data.ljust(4, b"\0")
        else:
            table += struct.pack(order + "I", place + len(behind))
            behind += entry.data + bytes(len(entry.data) % 2)
    return bytes(table + bytes(4) + behind)


def with_byte_order(directory: Directory, order: str) -> Directory:
    """The directory in another byte order; values of type UNDEFINED stay as they are."""
    if directory.order == order:
        return directory
    entries = {
        code: Entry(entry.kind, entry.count, swapped(entry)) for code, entry in directory.entries.items()
    }
    children = {code: with_byte_order(child, order) for code, child in directory.children.items()}
    return Directory(order, entries, children)


def swapped(entry: Entry) -> bytes:
    """A value's bytes in the other byte order."""
    width = struct.calcsize("=" + _UNITS[entry.kind][0])
    return entry.data if width == 1 else np.frombuffer(entry.data, f"u{width}").byteswap().tobytes()
