"""Odd inputs, each made from its number alone: mutations of sound files, and well-formed files of any values."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any

from fuzz_seeds import GRAY, KINDS, RESOURCES, XMP, exif, profile, saved, tiff, with_chunk

_INTERESTING = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_KIND_WEIGHTS = {"photo": 80, "hints": 6, "project": 3, "manifest": 2, "icc": 4, "xmp": 3, "exif": 4}


@cache
def _seeds() -> dict[str, list[tuple[str, bytes]]]:
    return {kind: list(make().items()) for kind, make in KINDS.items()}


def make_input(seed: int, number: int) -> tuple[str, str, bytes]:
    """An input: what it is tried as, a name, and its bytes; a third of them typed, the others mutations."""
    random = Random(f"{seed}/{number}")
    if random.random() < 1 / 3:
        kind, name, data = random.choice(_TYPED)(random)
        return kind, f"typed-{name}", data
    kind = random.choices(list(_KIND_WEIGHTS), list(_KIND_WEIGHTS.values()))[0]
    name, data = random.choice(_seeds()[kind])
    other = random.choice(_seeds()[kind])[1]
    return kind, name, mutated(data, other, random)


def mutated(data: bytes, other: bytes, random: Random) -> bytes:
    """A file with one to a dozen changes; half of the PNGs get right checksums again."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 3, 5, 12))):
        random.choice(_CHANGES)(changed, other, random)
    if changed[:4] == b"\x89PNG" and random.random() < 0.6:
        return _with_checksums(bytes(changed))
    return bytes(changed)


def _place(data: bytearray, random: Random) -> int:
    """A place, more often near the start, where headers are."""
    most = len(data) if random.random() < 0.5 else min(len(data), 400)
    return random.randrange(most) if most else 0


def _flip(data: bytearray, other: bytes, random: Random) -> None:
    if data:
        data[_place(data, random)] ^= 1 << random.randrange(8)


def _set(data: bytearray, other: bytes, random: Random) -> None:
    if data:
        data[_place(data, random)] = random.choice((0, 255, 128, random.randrange(256)))


def _number(data: bytearray, other: bytes, random: Random) -> None:
    layout = random.choice(("<H", ">H", "<I", ">I"))
    place = _place(data, random)
    size = struct.calcsize(layout)
    if place + size <= len(data):
        value = random.choice(_INTERESTING) & ((1 << 8 * size) - 1)
        struct.pack_into(layout, data, place, value)


def _delete(data: bytearray, other: bytes, random: Random) -> None:
    place = _place(data, random)
    del data[place : place + random.choice((1, 2, 4, 12, 100))]


def _double(data: bytearray, other: bytes, random: Random) -> None:
    place, size = _place(data, random), random.choice((1, 4, 12, 64, 300))
    data[place:place] = data[place : place + size] * random.choice((1, 1, 3))


def _cut(data: bytearray, other: bytes, random: Random) -> None:
    del data[_place(data, random) :]


def _splice(data: bytearray, other: bytes, random: Random) -> None:
    place, start = _place(data, random), random.randrange(max(len(other), 1))
    size = random.choice((4, 16, 100, 1000))
    data[place : place + size] = other[start : start + size]


_CHANGES: tuple[Callable[[bytearray, bytes, Random], None], ...] = (
    _flip, _flip, _set, _set, _number, _number, _number, _delete, _double, _cut, _splice)  # fmt: skip


def _with_checksums(data: bytes) -> bytes:
    out, place = bytearray(data[:8]), 8
    while place + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        body = data[place + 4 : place + 8 + length]
        out += data[place : place + 4] + body + struct.pack(">I", zlib.crc32(body))
        place += 12 + length
    return bytes(out)


def _value(random: Random) -> bytes:
    """Bytes of a metadata value."""
    return random.choice(
        (b"", b"\0", b"J\xc3\xbcrgen\0", b"\xff\xfe\0d", random.randbytes(random.choice((1, 8, 70))))
    )


_TAGS = (
    *(
        254,
        256,
        257,
        258,
        259,
        262,
        266,
        270,
        273,
        274,
        277,
        278,
        279,
        282,
        283,
        284,
        296,
        305,
        306,
        315,
        317,
        320,
        322,
    ),
    *(
        323,
        324,
        325,
        330,
        332,
        338,
        339,
        340,
        347,
        529,
        530,
        700,
        33432,
        33550,
        33723,
        34377,
        34665,
        34675,
        34853,
        37510,
    ),
    *(36864, 37121, 40961, 40962, 40963, 40965, 37724, 50706, 65000),
)
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}


def random_block(random: Random, order: str = "<") -> bytes:
    """An EXIF block: well-formed entries of any type and any values, some pointing at further directories."""
    entries, behind = [], b""
    codes = sorted(random.sample(_TAGS, random.randrange(1, 14)))
    start = 8 + 2 + 12 * len(codes) + 4
    for code in codes:
        kind = random.choice(list(_SIZES))
        count = random.choice((0, 1, 1, 2, 3, 9, 70000)) if random.random() < 0.9 else 1
        size = min(_SIZES[kind] * count, 900)
        body = (_value(random) * 300)[:size].ljust(size, b"\1")
        if code in (34665, 34853, 40965):
            kind, count, body = 4, 1, struct.pack(order + "I", random.choice((8, 0, start, 1 << 31)))
        if len(body) > 4:
            body, behind = struct.pack(order + "I", start + len(behind)), behind + body
        entries.append(struct.pack(order + "HHI", code, kind, count) + body.ljust(4, b"\0"))
    mark = b"II*\0" if order == "<" else b"MM\0*"
    body = struct.pack(order + "H", len(entries)) + b"".join(entries) + bytes(4)
    return mark + struct.pack(order + "I", 8) + body + behind


def _typed_exif(random: Random) -> tuple[str, str, bytes]:
    block = random_block(random, random.choice("<>"))
    kind = random.choice(("JPEG", "PNG", "WEBP"))
    options: dict[str, Any] = {"exif": b"Exif\0\0" + block if kind == "JPEG" else block}
    return "photo", f"exif.{kind.lower()}", saved(GRAY if kind != "WEBP" else _rgb(), kind, **options)


def _rgb() -> Any:
    import numpy as np

    return np.dstack([GRAY] * 3)


def _typed_tiff(random: Random) -> tuple[str, str, bytes]:
    """A page with tags of any type and value beside its own."""
    tags = []
    for code in random.sample(_TAGS[-22:], random.randrange(1, 7)):
        kind = random.choice((1, 2, 3, 4, 5, 7, 10, 12))
        count = random.choice((1, 2, 5))
        body = (_value(random) * 60)[: _SIZES[kind] * count].ljust(_SIZES[kind] * count, b"\2")
        tags.append((code, kind, count, body, True))
    data = bytearray(tiff(GRAY, photometric="minisblack", extratags=tags))
    for _ in range(random.choice((0, 0, 1, 2))):
        _entry_changed(data, random)
    return "photo", "tags.tif", bytes(data)


def _entry_changed(data: bytearray, random: Random) -> None:
    """Another type, count or value in one entry of the first directory."""
    (offset,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, offset)
    place = offset + 2 + 12 * random.randrange(count)
    layout, at = random.choice((("<H", 2), ("<I", 4), ("<I", 8), ("<H", 8), ("<H", 0)))
    value = random.choice(
        (*range(12), *_INTERESTING, 40, 30, 1200, 5, 7, 8, 34712, 50000, random.choice(_TAGS))
    )
    struct.pack_into(layout, data, place + at, value & (0xFFFF if layout == "<H" else 0xFFFFFFFF))


def _typed_icc(random: Random) -> tuple[str, str, bytes]:
    """A profile of well-formed tags whose curves and numbers are any."""
    space = random.choice((b"GRAY", b"RGB ", b"CMYK", b"Lab "))
    names = [b"kTRC"] if space == b"GRAY" else [b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC"]
    names += random.sample([b"A2B0", b"wtpt", b"desc", b"kTRC"], random.randrange(3))
    table, body, start = b"", b"", 132 + 12 * len(names)
    for name in names:
        tag = _colorant(random) if name.endswith(b"XYZ") else _curve(random)
        table += name + struct.pack(">II", start + len(body), random.choice((len(tag), len(tag), 1 << 30)))
        body += tag + bytes(-len(tag) % 4)
    head = struct.pack(
        ">I4sI4s4s4s",
        start + len(body),
        b"lcms",
        0x02400000,
        b"mntr",
        space,
        random.choice((b"XYZ ", b"Lab ")),
    )
    head = head.ljust(36, b"\0") + b"acsp"
    return "icc", "typed.icc", head.ljust(128, b"\0") + struct.pack(">I", len(names)) + table + body


def _colorant(random: Random) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(
        ">3i", *(random.choice((0, 65536, 28000, -9000, 1 << 30)) for _ in range(3))
    )


def _curve(random: Random) -> bytes:
    if random.random() < 0.5:
        count = random.choice((0, 1, 2, 5, 300))
        values = [random.choice((0, 65535, 256, 512, random.randrange(65536))) for _ in range(count)]
        return b"curv\0\0\0\0" + struct.pack(f">I{count}H", random.choice((count, count, 1 << 31)), *values)
    kind = random.randrange(6)
    numbers = [
        random.choice((0, 65536, 144179, -65536, 1 << 30, random.randrange(1 << 18))) for _ in range(7)
    ]
    return b"para\0\0\0\0" + struct.pack(">HH7i", kind, 0, *numbers)


def _typed_png(random: Random) -> tuple[str, str, bytes]:
    """A PNG with well-formed chunks of any contents."""
    data = saved(GRAY, "PNG") if random.random() < 0.6 else dict(_seeds()["photo"])["deep.png"]
    kinds = (b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"iCCP", b"gAMA", b"cHRM", b"sRGB", b"cICP", b"pHYs", b"tIME", b"oFFs",
             b"acTL", b"tRNS", b"sBIT", b"PLTE", b"fcTL", b"abCd")  # fmt: skip
    bodies = (
        lambda: random.randbytes(random.choice((0, 1, 4, 7, 9, 32, 200))),
        lambda: (
            b"Raw profile type "
            + random.choice((b"iptc", b"exif", b"xmp", b"icc"))
            + b"\0\0"
            + zlib.compress(_raw(random))
        ),
        lambda: b"XML:com.adobe.xmp\0\0\0\0\0" + mutated(XMP, XMP, random),
        lambda: b"ICC\0\0" + zlib.compress(mutated(profile(), profile(), random)),
        lambda: random_block(random),
        lambda: struct.pack(">I", random.choice(_INTERESTING)) * random.choice((1, 2, 8)),
    )
    for _ in range(random.randrange(1, 5)):
        data = with_chunk(data, random.choice(kinds), random.choice(bodies)())
    return "photo", "chunks.png", data


def _raw(random: Random) -> bytes:
    body = random.choice((RESOURCES, XMP, b"Exif\0\0" + exif(), b"\x1c\x02\x78\xff\xff"))
    return b"\niptc\n %d\n%s" % (
        random.choice((len(body), 0, 1 << 40)),
        mutated(body, XMP, random).hex().encode(),
    )


def _typed_jpeg(random: Random) -> tuple[str, str, bytes]:
    """A JPEG with well-formed segments of any contents."""
    data, segments = saved(GRAY, "JPEG"), b""
    heads = (b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0", b"MPF\0",
             b"Photoshop 3.0\0", b"ICC_PROFILE\0\1\1", b"Adobe\0", b"JFIF\0", b"")  # fmt: skip
    bodies = (
        lambda: random_block(random),
        lambda: mutated(XMP, XMP, random),
        lambda: bytes(40) + XMP,
        lambda: mutated(RESOURCES, RESOURCES, random),
        lambda: mutated(profile(), profile(), random),
        lambda: random.randbytes(20),
    )
    for _ in range(random.randrange(1, 5)):
        body = (random.choice(heads) + random.choice(bodies)())[:65000]
        segments += (
            bytes((0xFF, random.choice((0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xFE))))
            + struct.pack(">H", len(body) + 2)
            + body
        )
    return "photo", "segments.jpg", data[:2] + segments + data[2:]


_JSON_VALUES = (
    None,
    True,
    0,
    -1,
    1.5,
    1e308,
    10**30,
    "",
    "50%",
    "#abc",
    "nan",
    [],
    {},
    [[1, 2]],
    float("nan"),
    "é" * 300,
)


def _typed_json(random: Random) -> tuple[str, str, bytes]:
    """A project, hints or a manifest with a value of another type in some places; or a deep nest."""
    kind = random.choice(("project", "hints", "manifest"))
    if random.random() < 0.05:
        return kind, "nest.json", random.choice((b"[", b'{"a":')) * random.choice((10, 3000, 100000))
    said = json.loads(
        next(data for name, data in _seeds()[kind] if name in ("project.json", "hints.json", "manifest.json"))
    )
    for _ in range(random.randrange(1, 4)):
        said = _changed(said, random)
    return kind, "typed.json", json.dumps(said).encode()


def _changed(said: Any, random: Random) -> Any:
    if random.random() < 0.25 or not isinstance(said, dict | list) or not said:
        return random.choice(_JSON_VALUES)
    if isinstance(said, dict):
        key = random.choice(list(said))
        if random.random() < 0.1:
            return {each: value for each, value in said.items() if each != key}
        return said | {key: _changed(said[key], random)}
    place = random.randrange(len(said))
    return [*said[:place], _changed(said[place], random), *said[place + 1 :]]


_TYPED: tuple[Callable[[Random], tuple[str, str, bytes]], ...] = (
    _typed_exif, _typed_tiff, _typed_icc, _typed_png, _typed_jpeg, _typed_json)  # fmt: skip
