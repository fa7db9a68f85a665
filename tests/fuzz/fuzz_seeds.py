"""Small sound files of every kind that is read, to be damaged, from other programs' writers."""

from __future__ import annotations

import io
import json
import struct
import zlib
from typing import Any

import imagecodecs
import numpy as np
import tifffile
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

RANDOM = np.random.default_rng(20261128)
_RAMP = np.add.outer(np.arange(30) * 5, np.arange(40) * 2).astype(np.uint8)
GRAY = (_RAMP + RANDOM.integers(0, 12, _RAMP.shape, np.uint8)).astype(np.uint8)
RGB = np.dstack([GRAY, GRAY[::-1], 255 - GRAY])
ALPHA = np.where(_RAMP > 90, 255, 0).astype(np.uint8)

XMP = (
    b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/" tiff:Orientation="6">'
    b'<dc:description><rdf:Alt><rdf:li xml:lang="x-default">Zo\xc3\xab</rdf:li></rdf:Alt></dc:description>'
    b"</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end='w'?>"
)
RESOURCES = b"8BIM\x04\x04\0\0\0\0\0\x18\x1c\x02\x78\0\x07caption\x1c\x02\x19\0\x03key\x1c\x02"


def exif() -> bytes:
    """An EXIF block with text, numbers, a comment and a place."""
    block = Image.Exif()
    block[0x010F], block[0x0112], block[0x0131], block[0x011A] = "Agfa", 6, "ScanWizard", 300.0
    block.get_ifd(0x8769).update({0x9286: b"ASCII\0\0\0said", 0xA002: 40, 0x829A: (1, 125)})
    block.get_ifd(0x8825).update({1: "N"})
    return block.tobytes()


def profile(kind: str = "sRGB") -> bytes:
    """LittleCMS's own sRGB or Lab profile."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(kind)).tobytes()  # type: ignore[arg-type]


def saved(array: Any, kind: str, **options: Any) -> bytes:
    """A file as Pillow writes it."""
    stream = io.BytesIO()
    image = array if isinstance(array, Image.Image) else Image.fromarray(array)
    image.save(stream, kind, **options)
    return stream.getvalue()


def tiff(array: Any, **options: Any) -> bytes:
    """A file as tifffile writes it."""
    stream = io.BytesIO()
    tifffile.imwrite(stream, array, metadata=None, **options)
    return stream.getvalue()


def photographs() -> dict[str, bytes]:
    """Photographs by name."""
    return _jpegs() | _pngs() | _tiffs() | _others()


def _jpegs() -> dict[str, bytes]:
    block = b"Photoshop 3.0\0" + RESOURCES
    app13 = b"\xff\xed" + (len(block) + 2).to_bytes(2, "big") + block
    return {
        "gray.jpg": saved(GRAY, "JPEG"),
        "progressive.jpg": saved(RGB, "JPEG", progressive=True),
        "cmyk.jpg": saved(Image.fromarray(RGB).convert("CMYK"), "JPEG"),
        "full.jpg": saved(
            RGB,
            "JPEG",
            exif=b"Exif\0\0" + exif(),
            xmp=XMP,
            icc_profile=profile(),
            comment=b"attic",
            extra=app13,
        ),
        "12bit.jpg": imagecodecs.jpeg8_encode(GRAY.astype(np.uint16) * 16, bitspersample=12),
        "restart.jpg": saved(RGB, "JPEG", restart_marker_rows=1),
    }


def _pngs() -> dict[str, bytes]:
    info = PngInfo()
    info.add_text("Title", "Grandmother")
    info.add_itxt("Title", "Großmutter", lang="de", zip=True)
    info.add_itxt("XML:com.adobe.xmp", XMP.decode())
    info.add(b"tIME", struct.pack(">H5B", 1931, 5, 6, 7, 8, 9))
    info.add(b"gAMA", struct.pack(">I", 100000))
    palette = Image.fromarray(RGB).quantize(16)
    deep = imagecodecs.png_encode(RGB.astype(np.uint16) * 257)
    return {
        "gray.png": saved(GRAY, "PNG"),
        "bits.png": saved(Image.fromarray(GRAY).convert("1"), "PNG"),
        "palette.png": saved(palette, "PNG", transparency=3),
        "full.png": saved(RGB, "PNG", pnginfo=info, exif=exif(), dpi=(300, 300)),
        "profile.png": saved(np.dstack([RGB, ALPHA]), "PNG", icc_profile=profile()),
        "deep.png": deep,
        "deepgray.png": imagecodecs.png_encode(np.dstack([GRAY, ALPHA]).astype(np.uint16) * 257),
        "raw.png": with_chunk(saved(GRAY, "PNG"), b"zTXt", _raw_profile(b"iptc", RESOURCES)),
        "coded.png": with_chunk(deep, b"cICP", bytes((9, 8, 0, 1))),
    }


def with_chunk(png: bytes, kind: bytes, body: bytes) -> bytes:
    """A PNG with one more chunk behind its header."""
    checksum = struct.pack(">I", zlib.crc32(kind + body))
    return png[:33] + struct.pack(">I", len(body)) + kind + body + checksum + png[33:]


def _raw_profile(kind: bytes, body: bytes) -> bytes:
    text = b"\n%s\n%8d\n%s\n" % (kind, len(body), body.hex().encode())
    return b"Raw profile type %s\0\0" % kind + zlib.compress(text)


def _tiffs() -> dict[str, bytes]:
    deep, deep_rgb = GRAY.astype(np.uint16) * 257, RGB.astype(np.uint16) * 257
    planes = np.moveaxis(deep_rgb, -1, 0)
    tags = [
        (700, 1, len(XMP), XMP, True),
        (34377, 7, len(RESOURCES), RESOURCES, True),
        (65000, 5, 1, (1, 3), True),
    ]
    pages = io.BytesIO()
    with tifffile.TiffWriter(pages) as writer:
        writer.write(GRAY[::2, ::2], photometric="minisblack", subfiletype=1, metadata=None)
        writer.write(GRAY, photometric="minisblack", metadata=None)
    lab = np.dstack([deep, np.zeros_like(deep), np.zeros_like(deep)])
    return {
        "plain.tif": tiff(GRAY),
        "deflate.tif": tiff(deep_rgb, photometric="rgb", compression="zlib", predictor=True),
        "lzw.tif": tiff(deep, compression="lzw", predictor=True, rowsperstrip=7),
        "planar.tif": tiff(planes, photometric="rgb", planarconfig="separate", compression="lzw"),
        "tiles.tif": tiff(RGB, photometric="rgb", tile=(16, 16), compression="zlib"),
        "packbits.tif": tiff(GRAY, compression="packbits"),
        "jpeg.tif": tiff(RGB, photometric="rgb", compression="jpeg"),
        "jpeg2000.tif": tiff(RGB, photometric="rgb", compression="jpeg2000"),
        "webp.tif": tiff(RGB, photometric="rgb", compression="webp"),
        "zstd.tif": tiff(deep, compression="zstd"),
        "lzma.tif": tiff(deep, compression="lzma"),
        "float.tif": tiff(GRAY.astype(np.float32) / 255, compression="zlib", predictor=3),
        "signed.tif": tiff(GRAY.astype(np.int8), photometric="minisblack"),
        "big.tif": tiff(GRAY, bigtiff=True, byteorder=">"),
        "lab.tif": tiff(lab, photometric="cielab"),
        "cmyk.tif": tiff(np.dstack([deep_rgb, deep]), photometric="separated", extrasamples=()),
        "alpha.tif": tiff(np.dstack([deep, deep]), extrasamples=["assocalpha"], compression="lzw"),
        "full.tif": tiff(RGB, photometric="rgb", iccprofile=profile(), extratags=tags, resolution=(300, 300)),
        "pages.tif": pages.getvalue(),
        "fax.tif": saved(Image.fromarray(GRAY).convert("1"), "TIFF", compression="group4"),
        "palette.tif": saved(Image.fromarray(RGB).quantize(16), "TIFF"),
        "old.tif": saved(RGB, "TIFF", compression="jpeg"),
    }


def _others() -> dict[str, bytes]:
    frames = [Image.fromarray(GRAY), Image.fromarray(255 - GRAY)]
    deep = RGB.astype(np.uint16) * 257
    return {
        "lossy.webp": saved(RGB, "WEBP", exif=exif(), xmp=XMP),
        "lossless.webp": saved(np.dstack([RGB, ALPHA]), "WEBP", lossless=True),
        "film.webp": saved(frames[0], "WEBP", save_all=True, append_images=frames[1:]),
        "gray.bmp": saved(GRAY, "BMP"),
        "color.bmp": saved(RGB, "BMP"),
        "film.gif": saved(frames[0], "GIF", save_all=True, append_images=frames[1:], comment=b"attic"),
        "color.jp2": saved(RGB, "JPEG2000"),
        "deep.jp2": bytes(
            imagecodecs.jpeg2k_encode(np.dstack([deep, ALPHA.astype(np.uint16) * 257]), level=0)
        ),
        "tiles.jp2": saved(GRAY, "JPEG2000", tile_size=(16, 16)),
        "gray.avif": saved(RGB, "AVIF", exif=exif()),
        "deep.avif": bytes(imagecodecs.avif_encode(deep >> 6, bitspersample=10, level=90)),
        "deep.ppm": b"P6 40 30 65535\n" + deep.astype(">u2").tobytes(),
        "plain.ppm": b"P3 40 30 1000\n" + b" ".join(b"%d" % (3 * int(value)) for value in RGB.ravel()),
        "deep.jxl": imagecodecs.jpegxl_encode(GRAY.astype(np.uint16) * 257, lossless=True),
        "gray.pgm": saved(GRAY, "PPM"),
        "plain.pgm": b"P2 # attic\n40 30\n255\n" + b" ".join(b"%d" % value for value in GRAY.ravel()),
        "gray.psd": _photoshop(),
        "packed.psd": _packed_photoshop(),
    }


def _packed_photoshop() -> bytes:
    """A Photoshop file of 16 bits with packed rows, whose layers say that it is transparent."""
    head = b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 4, *GRAY.shape, 16, 3) + bytes(8)
    layers = bytes(8) + b"8BIMMt16" + bytes(4)
    planes = np.moveaxis(np.dstack([RGB, ALPHA]), 2, 0).astype(">u2") * 257
    rows = [imagecodecs.packbits_encode(row.tobytes()) for plane in planes for row in plane]
    packed = struct.pack(f">H{len(rows)}H", 1, *map(len, rows)) + b"".join(rows)
    return head + struct.pack(">I", len(layers)) + layers + packed


def _photoshop() -> bytes:
    """A Photoshop file with resources, no layers and raw samples."""
    head = b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 1, *GRAY.shape, 8, 1) + bytes(4)
    resources = b"8BIM\x04\x04\0\0\0\0\0\x0c\x1c\x02\x78\0\x07caption"
    return head + struct.pack(">I", len(resources)) + resources + bytes(4) + b"\0\0" + GRAY.tobytes()


def hints() -> dict[str, bytes]:
    """Files of hints by name."""
    strokes = np.dstack([RGB, ALPHA])
    said = {
        "points": [{"x": 12, "y": "50%", "color": "#aabbcc", "radius": 4}],
        "strokes": [{"points": [[10, 10], [9, 4]], "color": "#336699", "width": 6}],
        "rectangles": [{"box": [0, 0, "100%", "20%"], "color": "#88aadd"}],
        "swatches": [{"target_box": [0, 0, 5, 5], "reference_box": [5, 5, 6, 6], "reference": 0}],
    }
    return {
        "strokes.hint.png": saved(strokes, "PNG"),
        "strokes.hint.webp": saved(strokes, "WEBP", lossless=True),
        "strokes.hint.tif": tiff(strokes, photometric="rgb", extrasamples=["unassalpha"], compression="zlib"),
        "strokes.hint.gif": saved(Image.fromarray(strokes).quantize(16), "GIF", transparency=0),
        "hints.json": json.dumps(said).encode(),
        "windows.json": json.dumps(said).encode("utf-16"),
    }


def projects() -> dict[str, bytes]:
    """Project files by name."""
    photo = {"name": "a.png", "sha256": "0" * 64, "width": 40, "height": 30}
    said = {
        "version": 1,
        "photo": photo,
        "references": [{"name": "b.jpg", "sha256": "1" * 64, "weight": 0.5}],
        "hints": {"points": [{"x": 1, "y": 2, "color": "#abc"}]},
        "options": {"method": "welsh", "strength": 1.0, "size": 64, "seed": 3},
        "made_with": {"tinct": "0.1.0", "method": "welsh", "weights_sha256": None},
    }
    return {"project.json": json.dumps(said).encode()}


def manifests() -> dict[str, bytes]:
    """Manifests of weights by name."""
    entry = {
        "file": "a.onnx",
        "sha256": "0" * 64,
        "license": "MIT",
        "training_data": "COCO",
        "ranges": {"w": 1.5},
    }
    return {"manifest.json": json.dumps({"a.b": entry}).encode()}


def profiles() -> dict[str, bytes]:
    """ICC profiles by name."""
    return {"srgb.icc": profile(), "lab.icc": profile("LAB")}


def packets() -> dict[str, bytes]:
    """XMP packets by name."""
    return {"packet.xmp": XMP}


def blocks() -> dict[str, bytes]:
    """EXIF blocks by name."""
    return {"block.exif": exif()}


KINDS = {
    "photo": photographs,
    "hints": hints,
    "project": projects,
    "manifest": manifests,
    "icc": profiles,
    "xmp": packets,
    "exif": blocks,
}
"""What a file is tried as, and the sound files of that kind."""
