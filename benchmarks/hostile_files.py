"""Twenty hostile files for `benchmarks/serve.py --attacks FOLDER`: `python benchmarks/hostile_files.py [FOLDER]`.

Seventeen cost a decoder little, as it bounds or refuses them: padded XMP, hundreds of scans, strips that share their
bytes, 16 samples a pixel, odd tags, texts and profiles that inflate. Three keep a processor busy for up to half a
second each: 120,000 elements of XMP, 100,000 nested ones, 90 scans of 4 megapixels.
"""

from __future__ import annotations

import argparse
import io
import struct
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

HEAVY = ("elements.webp", "nested.webp", "scans-90.jpg")
"""Names of the three that keep a processor busy."""

GRAY = np.random.default_rng(3).integers(0, 256, (64, 64), np.uint8)
_RDF = b'<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
_UNITS = {"rdf": b"<a:RDF ", "processing": b"<?xpacket ", "description": b"<r:Description ", "space": b" ",
          "about": b':about="', "comment": b"<!-- "}  # fmt: skip


def saved(image: Any, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def webp(xmp: bytes) -> bytes:
    return saved(Image.fromarray(GRAY).convert("RGB"), "WEBP", xmp=xmp)


def progressive(side: int, scans: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    image = Image.new("L", (side, side), 90)
    data = saved(image, "JPEG", progressive=True, quality=1)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * (scans - data.count(b"\xff\xda") + 1) + b"\xff\xd9"


def with_chunk(kind: bytes, body: bytes) -> bytes:
    """A PNG with one more chunk."""
    data = saved(Image.fromarray(GRAY), "PNG")
    more = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return data[:33] + more + data[33:]


def tiff(
    width: int, height: int, strips: int, block: bytes, *, samples: int = 1, deflated: bool = False
) -> bytes:
    """A TIFF all of whose strips are the same bytes."""
    places = {273: strips, 279: strips}
    tags = {
        256: width,
        257: height,
        258: 8,
        259: 8 if deflated else 1,
        262: 1,
        277: samples,
        278: -(-height // strips),
    }
    start = 8 + 2 + 12 * (len(tags) + 2) + 4
    entries = [struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items()]
    entries += [
        struct.pack("<HHII", tag, 4, count, start + 4 * strips * number)
        for number, (tag, count) in enumerate(places.items())
    ]
    entries.sort(key=lambda entry: struct.unpack_from("<H", entry)[0])
    arrays = struct.pack("<I", start + 8 * strips) * strips + struct.pack("<I", len(block)) * strips
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + b"".join(entries) + bytes(4) + arrays + block


def odd_comment(kind: str) -> bytes:
    """A picture whose EXIF comment is a text where bytes are expected."""
    block = Image.Exif()
    block.get_ifd(0x8769)[0x9286] = "a text"
    return saved(Image.fromarray(GRAY), kind, exif=block.tobytes())


def files() -> Iterator[tuple[str, bytes]]:
    """Names and contents."""
    for name, unit in _UNITS.items():
        yield f"padded-{name}.webp", webp(_RDF + unit * (400_000 // len(unit)) + b"</r:RDF>")
    yield "scans-200.jpg", progressive(64, 200)
    yield "scans-900.jpg", progressive(64, 900)
    yield "shared-strips.tif", tiff(10, 4000, 4000, bytes(10) + bytes(100_000))
    yield (
        "shared-deflated.tif",
        tiff(10, 4000, 4000, zlib.compress(bytes(10)) + bytes(100_000), deflated=True),
    )
    yield (
        "samples-16.tif",
        tiff(3000, 3000, 1, zlib.compress(bytes(3000 * 3000 * 16), 1), samples=16, deflated=True),
    )
    yield "odd.jpg", odd_comment("JPEG")
    yield "odd.tif", odd_comment("TIFF")
    bomb = zlib.compress(bytes(200_000_000), 9)
    yield "text.png", with_chunk(b"zTXt", b"k\0\0" + bomb)
    yield "profile.png", with_chunk(b"iCCP", b"k\0\0" + bomb)
    yield "half.png", saved(Image.fromarray(GRAY), "PNG")[:900]
    yield "noise.jpg", b"\xff\xd8\xff" + np.random.default_rng(4).bytes(100_000)
    yield (
        HEAVY[0],
        webp(
            _RDF + b'<r:Description r:about=""><r:li/>' + b"<r:li/>" * 120_000 + b"</r:Description></r:RDF>"
        ),
    )
    yield HEAVY[1], webp(_RDF + b"<r:li>" * 100_000 + b"</r:li>" * 100_000 + b"</r:RDF>")
    yield HEAVY[2], progressive(2000, 90)


def main() -> int:
    """Write the files into a folder, build/hostile unless the command line names another."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, default=Path("build/hostile"), metavar="FOLDER")
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files():
        (folder / name).write_bytes(content)
        sys.stdout.write(f"{name} {len(content)} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
