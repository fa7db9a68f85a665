"""Laws of effort: what a file may cost is bounded by what it declares and how long it is, before it is decoded."""

from __future__ import annotations

import gc
import io
import os
import stat
import struct
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from tinct.errors import PhotoError, PhotoTooLargeError
from tinct.photo import Photo, Provenance

GRAY = np.random.default_rng(5).integers(0, 256, (16, 16), np.uint8)


def jpeg(**options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(GRAY).save(stream, "JPEG", **options)
    return stream.getvalue()


def test_jpeg_of_many_scans_is_refused() -> None:
    data = jpeg(progressive=True)
    last = data.rindex(b"\xff\xda")
    assert Photo.read(data).width == 16
    with pytest.raises(PhotoError, match="scans"):
        Photo.read(data[:last] + data[last:-2] * 200 + b"\xff\xd9")


def test_scans_hidden_behind_a_false_end_are_counted() -> None:
    data = jpeg(progressive=True)
    last = data.rindex(b"\xff\xda")
    comment = b"\xff\xfe\0\x06\xff\xd9\xff\xd9"
    with pytest.raises(PhotoError, match="scans"):
        Photo.read(data[:last] + comment + data[last:-2] * 200 + b"\xff\xd9")


@pytest.mark.parametrize("compression", [1, 8])
def test_strips_that_share_bytes_are_refused(compression: int) -> None:
    rows, padding = 400, bytes(200_000)
    block = (zlib.compress(bytes(10)) if compression == 8 else bytes(10)) + padding
    entries = [(256, 10), (257, rows), (258, 8), (259, compression), (262, 1), (277, 1), (278, 1)]
    start = 8 + 2 + 12 * 9 + 4
    table = [struct.pack("<HHII", code, 4, 1, value) for code, value in entries]
    table += [struct.pack("<HHII", 273, 4, rows, start), struct.pack("<HHII", 279, 4, rows, start + 4 * rows)]
    table.sort(key=lambda entry: struct.unpack_from("<H", entry)[0])
    arrays = struct.pack(f"<{rows}I", *[start + 8 * rows] * rows) + struct.pack(
        f"<{rows}I", *[len(block)] * rows
    )
    data = b"II*\0" + struct.pack("<IH", 8, 9) + b"".join(table) + bytes(4) + arrays + block
    with pytest.raises(PhotoError, match="strips"):
        Photo.read(data)


def test_bytes_count_and_not_pixels_alone() -> None:
    stream = io.BytesIO()
    deep = np.zeros((40, 40, 5), np.uint16)
    tifffile.imwrite(
        stream, deep, photometric="rgb", planarconfig="contig", extrasamples=[0, 0], metadata=None
    )
    assert Photo.read(stream.getvalue(), max_pixels=2000).width == 40
    with pytest.raises(PhotoTooLargeError):
        Photo.read(stream.getvalue(), max_pixels=1600)


def test_jpeg_in_a_strip_may_not_be_larger_than_its_strip() -> None:
    stream = io.BytesIO()
    tifffile.imwrite(
        stream, GRAY, photometric="minisblack", compression="jpeg", rowsperstrip=16, metadata=None
    )
    data = bytearray(stream.getvalue())
    place = data.index(b"\xff\xc0") + 5
    struct.pack_into(">HH", data, place, 9000, 9000)
    with pytest.raises(PhotoError, match="9000x9000"):
        Photo.read(bytes(data))


def webp(xmp: bytes) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(GRAY).convert("RGB").save(stream, "WEBP", xmp=xmp)
    return stream.getvalue()


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize(
    "unit", [b"<a:RDF ", b"<?xpacket ", b"<r:Description ", b" ", b':about="', b"<a>", b"<!-- ", b"&a;"]
)
def test_four_times_the_packet_takes_less_than_five_times_as_long(unit: bytes, inside: bool) -> None:
    """The processor's own time for reading and recording, the least of three; a busy machine has three tries.

    What is quadratic takes sixteen times as long at every try.
    """
    head, tail = (
        (b'<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">', b"</r:RDF>")
        if inside
        else (b"", b"")
    )

    def seconds(count: int) -> float:
        data = webp(head + unit * count + tail)
        spent = []
        gc.collect()
        gc.disable()  # what other tests have left alive would be looked through again and again
        try:
            for _ in range(3):
                before = time.process_time()
                Photo.read(data).encode("webp", Provenance("welsh"))
                spent.append(time.process_time() - before)
        finally:
            gc.enable()
        return min(spent)

    few = 200_000 // len(unit)
    assert any(seconds(4 * few) < 5 * seconds(few) + 0.05 for _ in range(3))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<r:li>" * 600 + b"</r:li>" * 600, "deep"),
        (b"<r:Description><r:li/>" + b"<r:li/>" * 11_000 + b"</r:Description>", "properties"),
        (b"<r:Description/>" * 11_000, "properties"),
        (b"<r:li>a</r:li>" * 210_000, "elements"),
    ],
)
def test_a_packet_beyond_what_editors_write_is_left_out_with_a_word(body: bytes, said: str) -> None:
    """The picture is read and recorded all the same."""
    head = b'<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    colored = Photo.read(webp(head + body + b"</r:RDF>")).colored(np.full((16, 16, 3), 0.4, np.float32))
    written = colored.encode("webp", Provenance("welsh"))
    assert any("XMP" in note and said in note for note in colored.notes)
    assert b"welsh" in Image.open(io.BytesIO(written)).info["xmp"]


@pytest.mark.skipif(os.name != "posix", reason="needs a shell script on the PATH")
def test_no_program_is_started_for_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "gs"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    stream = io.BytesIO()
    Image.fromarray(GRAY).save(stream, "EPS")
    for read in (Photo.read, lambda data: Photo.from_image(Image.open(io.BytesIO(data)))):
        with pytest.raises(PhotoError, match="EPS"):
            read(stream.getvalue())
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize(
    ("head", "named"),
    [
        (b"%!PS-Adobe-3.0 EPSF", "EPS"),
        (b"%PDF-1.7", "PDF"),
        (b"II\xbc\x01", "JPEG XR"),
        (b"\0\0\0\x18ftypcrx ", "camera"),
        (b"gimp xcf file", "XCF"),
        (b"P7\nWIDTH 4", "PAM"),
        (b"Pf\n4 4\n-1.0\n", "PFM"),
        (b"\0\0\3\0", "TGA"),
        (b"<!DOCTYPE html>", "a web page"),
        (b"Dear aunt", "not a photograph"),
    ],
)
def test_what_is_not_read_is_called_by_its_name(head: bytes, named: str) -> None:
    with pytest.raises(PhotoError, match=named) as caught:
        Photo.read(head.ljust(200, b"\0"))
    assert "damaged" not in str(caught.value)


def test_jpeg_that_lacks_only_its_end_is_read_and_half_a_one_is_not() -> None:
    data = jpeg(quality=95)
    photo = Photo.read(data[:-2])
    np.testing.assert_array_equal(photo.to_array(), Photo.read(data).to_array())
    assert "end marker" in photo.notes[0]
    with pytest.raises(PhotoError, match="incomplete"):
        Photo.read(data[: len(data) * 3 // 4])


def test_several_pages_are_read_by_number_and_written_into_one_file(tmp_path: Path) -> None:
    from tinct.photo.pages import read_pages, write_pages

    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        writer.write(GRAY[::4, ::4], photometric="minisblack", subfiletype=1, metadata=None)
        for value in (10, 20, 30):
            writer.write(np.full((16, 9), value, np.uint8), photometric="minisblack", metadata=None)
    data = stream.getvalue()
    assert [int(Photo.read(data, page=n).to_array()[0, 0]) for n in (1, 2, 3)] == [10, 20, 30]
    assert Photo.read(data).notes[0] == "it has 3 pages; the first is used"
    for wrong in (0, 4):
        with pytest.raises(PhotoError, match="3 pages"):
            Photo.read(data, page=wrong)
    write_pages(read_pages(data), tmp_path / "all.tif")
    assert [int(photo.to_array()[0, 0]) for photo in read_pages(tmp_path / "all.tif")] == [10, 20, 30]
