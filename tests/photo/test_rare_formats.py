"""Laws of formats that are seldom scans: their depth, their tones and their metadata are those of the file."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from photoshop_files import photoshop_file, resource
from PIL import Image
from skimage import data as pictures
from test_photo_color import ADOBE_RGB, matrix_profile

from tinct.errors import PhotoError, PhotoTooLargeError
from tinct.photo import Photo
from tinct.photo.formats import READ_SUFFIXES
from tinct.photo.profiles import srgb_icc

RGB8 = np.ascontiguousarray(pictures.astronaut()[:96:2, 100:228:2])
STEP = (np.arange(64) % 64).astype(np.uint16)[:, None]
RGB16 = (RGB8.astype(np.uint16) * 256) + STEP
RGB16[0, 0], RGB16[0, 1] = 65535, 0
GRAY16, GRAY8 = np.ascontiguousarray(RGB16[..., 1]), np.ascontiguousarray(RGB8[..., 1])
ALPHA16 = np.where(GRAY16 > 30000, 65535, 20000).astype(np.uint16)
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Label="cellar"/></rdf:RDF></x:xmpmeta>'
)
CAPTION = b"\x1c\x02\x78\0\x08The barn"


def scaled(bits: int) -> NDArray[np.uint16]:
    """Values of so many bits, as 16 bits hold them."""
    return np.rint((RGB16 >> (16 - bits)) * (65535 / ((1 << bits) - 1))).astype(np.uint16)


def netpbm(largest: int, plain: bool) -> bytes:
    values = np.rint(RGB16 * (largest / 65535)).astype(">u2")
    head = f"P{3 if plain else 6}\n# a scan\n{RGB16.shape[1]} {RGB16.shape[0]} # wide\n{largest}\n".encode()
    return head + (" ".join(map(str, values.ravel())).encode() if plain else values.tobytes())


@pytest.mark.parametrize("form", ["jp2", "j2k"])
@pytest.mark.parametrize("bits", [10, 12, 16])
def test_colors_of_a_jpeg_2000_keep_their_depth_and_their_white(bits: int, form: str) -> None:
    data = imagecodecs.jpeg2k_encode(RGB16 >> (16 - bits), level=0, bitspersample=bits, codecformat=form)
    photo = Photo.read(bytes(data))
    assert photo.bit_depth == 16
    np.testing.assert_array_equal(photo.to_array(), scaled(bits))


@pytest.mark.parametrize("array", [np.dstack([GRAY16, ALPHA16]), np.dstack([RGB16, ALPHA16])])
def test_transparency_of_a_deep_jpeg_2000_is_read(array: NDArray[np.uint16]) -> None:
    np.testing.assert_array_equal(
        Photo.read(bytes(imagecodecs.jpeg2k_encode(array, level=0))).to_array(), array
    )


def test_what_a_jpeg_2000_decodes_to_is_limited_by_the_code_stream_that_is_decoded() -> None:
    """Another box may hold the header of a small picture."""
    data = bytes(imagecodecs.jpeg2k_encode(RGB16, level=0))
    small = bytes(imagecodecs.jpeg2k_encode(RGB16[:2, :2], level=0, codecformat="j2k"))
    place = data.index(b"jp2c") - 4
    decoy = struct.pack(">I4s", 8 + len(small), b"free") + small
    with pytest.raises(PhotoTooLargeError):
        Photo.read(data[:place] + decoy + data[place:], max_pixels=1000)


@pytest.mark.parametrize("array", [GRAY8, GRAY16])
def test_a_jpeg_2000_without_some_of_its_tiles_is_refused(array: NDArray[Any]) -> None:
    """Decoders leave them black."""
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "JPEG2000", tile_size=(16, 16), no_jp2=True)
    data = stream.getvalue()
    assert Photo.read(data).width == 64
    parts = [place for place in range(len(data)) if data[place : place + 4] == b"\xff\x90\0\x0a"]
    with pytest.raises(PhotoError, match="7 of the 12 tiles"):
        Photo.read(data[: parts[5]] + b"\xff\xd9")


def test_metadata_of_a_jpeg_2000_is_kept() -> None:
    exif = Image.Exif()
    exif[0x013B] = "Jane"
    marks = {"be7acfcb97a942e89c71999491e3afac": XMP, "33c7a4d2b81d4723a0baf1a3e097ad38": CAPTION,
             b"JpgTiffExif->JP2".hex(): exif.tobytes()}  # fmt: skip
    boxes = b"".join(
        struct.pack(">I4s", 24 + len(body), b"uuid") + bytes.fromhex(mark) + body
        for mark, body in marks.items()
    )
    written = Photo.read(bytes(imagecodecs.jpeg2k_encode(GRAY16, level=0)) + boxes).encode("tif")
    for said in (b"Jane", b"cellar", b"The barn"):
        assert said in written


@pytest.mark.parametrize("bits", [10, 12])
@pytest.mark.parametrize("alpha", [False, True])
def test_colors_of_an_avif_keep_their_depth(bits: int, alpha: bool) -> None:
    array = np.dstack([RGB16, ALPHA16]) if alpha else RGB16
    data = imagecodecs.avif_encode(array >> (16 - bits), bitspersample=bits, level=100)
    photo = Photo.read(bytes(data))
    assert photo.bit_depth == 16
    np.testing.assert_array_equal(photo.to_array()[..., :3], scaled(bits))
    assert (photo.alpha is not None) == alpha


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("largest", [300, 1000, 65535])
def test_colors_of_a_ppm_keep_their_depth(largest: int, plain: bool) -> None:
    stored = np.rint(RGB16 * (largest / 65535))
    photo = Photo.read(netpbm(largest, plain))
    np.testing.assert_array_equal(photo.to_array(), np.rint(stored * (65535 / largest)))


@pytest.mark.parametrize("plain", [False, True])
def test_damaged_deep_ppm_is_refused_by_what_is_wrong(plain: bool) -> None:
    data = netpbm(1000, plain)
    with pytest.raises(PhotoError, match="incomplete"):
        Photo.read(data[: len(data) // 2])
    with pytest.raises(PhotoError, match="beyond 1000, its white"):
        Photo.read(data[:-4] + (b" 9999" if plain else b"\xff\xff\xff\xff"))


def test_further_pictures_of_a_netpbm_file_are_told() -> None:
    stream = io.BytesIO()
    Image.fromarray(GRAY8).save(stream, "PPM")
    assert Photo.read(stream.getvalue()).notes == ()
    assert "several pictures" in Photo.read(stream.getvalue() * 2).notes[0]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("bits", [8, 16])
def test_a_psd_is_read_at_its_depth(bits: int, packed: bool) -> None:
    rgb = RGB8 if bits == 8 else RGB16
    planes = list(np.moveaxis(rgb, 2, 0))
    photo = Photo.read(photoshop_file(3, planes, bits=bits, packed=packed))
    np.testing.assert_array_equal(photo.to_array(), rgb)
    np.testing.assert_array_equal(
        Photo.read(photoshop_file(1, planes[1:2], bits=bits)).to_array(), rgb[..., 1]
    )


@pytest.mark.parametrize("mode", ["bitmap", "indexed", "cmyk", "lab"])
def test_tones_of_a_psd_are_those_of_its_mode(mode: str) -> None:
    if mode == "bitmap":
        wanted = np.where(GRAY8 < 128, np.uint8(0), np.uint8(255))
        data = photoshop_file(0, [GRAY8 < 128], bits=1)
    elif mode == "indexed":
        palette = bytes(range(255, -1, -1)) * 3
        wanted, data = np.repeat(255 - GRAY8[..., None], 3, 2), photoshop_file(2, [GRAY8], palette=palette)
    elif mode == "cmyk":
        image = Image.fromarray(RGB8).convert("CMYK")
        wanted = np.asarray(image.convert("RGB"))
        data = photoshop_file(4, list(255 - np.moveaxis(np.asarray(image), 2, 0)))
    else:
        wanted = np.asarray(Image.new("RGB", (64, 48), (119, 119, 119)))[..., 0]  # L* 50
        data = photoshop_file(9, [np.full((48, 64), value, np.uint8) for value in (128, 128, 128)])
    np.testing.assert_allclose(
        Photo.read(data).to_array().astype(int), wanted, atol=1 if mode == "lab" else 0
    )


@pytest.mark.parametrize(
    ("layers", "is_alpha"),
    [
        (b"", False),
        (struct.pack(">Ih", 2, 1), False),
        (struct.pack(">Ih", 2, -1), True),
        (struct.pack(">II", 0, 0) + b"8BIMLr16" + struct.pack(">Ihh", 4, -1, 0), True),
        (
            struct.pack(">II", 0, 0) + b"8BIMPatt" + struct.pack(">I", 4) + b"1234" + b"8BIMMt16" + bytes(4),
            True,
        ),
    ],
)
def test_a_channel_of_a_psd_is_transparency_only_if_the_file_says_so(layers: bytes, is_alpha: bool) -> None:
    """Else the channel is a selection that somebody saved."""
    planes = [*np.moveaxis(RGB16, 2, 0), ALPHA16]
    photo = Photo.read(photoshop_file(3, planes, bits=16, layers=layers))
    assert (photo.alpha is not None) == is_alpha
    np.testing.assert_array_equal(photo.to_array()[..., :3], RGB16)


def test_metadata_of_a_psd_is_kept() -> None:
    exif = Image.Exif()
    exif[0x013B] = "Jane"
    dots = struct.pack(">IHHIHH", 300 << 16, 1, 1, 600 << 16, 1, 1)
    said = {1005: dots, 1028: CAPTION, 1058: exif.tobytes()[6:], 1060: XMP, 1039: srgb_icc()}
    blocks = b"".join(resource(code, body) for code, body in said.items())
    written = Photo.read(photoshop_file(1, [GRAY8], resources=blocks)).encode("tif")
    for text in (b"Jane", b"cellar", b"The barn"):
        assert text in written
    assert Image.open(io.BytesIO(written)).info["dpi"] == (300, 600)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"resources": resource(1057, struct.pack(">IB", 1, 0))}, "without a merged picture"),
        ({"bits": 32}, "32 bits a channel"),
    ],
)
def test_a_psd_that_is_not_read_is_refused_by_what_it_is(options: dict[str, Any], named: str) -> None:
    with pytest.raises(PhotoError, match=named) as caught:
        Photo.read(photoshop_file(1, [GRAY8], **options))
    assert "damaged" not in str(caught.value)


@pytest.mark.parametrize("packed", [False, True])
def test_a_psd_that_ends_early_is_refused(packed: bool) -> None:
    data = photoshop_file(3, list(np.moveaxis(RGB16, 2, 0)), bits=16, packed=packed)
    for end in (20, 30, 60, len(data) // 2, len(data) - 1):
        with pytest.raises(PhotoError, match="incomplete"):
            Photo.read(data[:end])


@pytest.fixture(scope="module")
def adobe_rgb() -> bytes:
    return matrix_profile(ADOBE_RGB, 2.2)


def bmp_with_profile(icc: bytes) -> bytes:
    """A BMP of version 5 with an embedded profile, as ImageMagick writes it."""
    height, width = RGB8.shape[:2]
    pixels = RGB8[::-1, :, ::-1].tobytes()
    header = struct.pack("<IiiHHIIiiII", 124, width, height, 1, 24, 0, len(pixels), 2835, 2835, 0, 0)
    header += bytes(16) + b"DEBM" + bytes(48) + struct.pack("<4I", 4, 124 + len(pixels), len(icc), 0)
    whole = 14 + len(header) + len(pixels) + len(icc)
    return b"BM" + struct.pack("<IHHI", whole, 0, 0, 14 + len(header)) + header + pixels + icc


def test_the_profile_of_a_bmp_counts_as_that_of_a_png(adobe_rgb: bytes) -> None:
    stream = io.BytesIO()
    Image.fromarray(RGB8).save(stream, "PNG", icc_profile=adobe_rgb)
    photo = Photo.read(bmp_with_profile(adobe_rgb))
    np.testing.assert_array_equal(photo.lightness(), Photo.read(stream.getvalue()).lightness())
    assert not np.array_equal(photo.lightness(), Photo.from_array(RGB8).lightness())


def test_a_bmp_that_is_written_has_srgb_pixels(adobe_rgb: bytes) -> None:
    """It holds no profile that could say anything else."""
    stream = io.BytesIO()
    Image.fromarray(RGB8).save(stream, "PNG", icc_profile=adobe_rgb)
    photo = Photo.read(stream.getvalue())
    back = Photo.read(photo.encode("bmp"))
    assert np.abs(back.rgb() - photo.rgb()).max() <= 0.5 / 255 + 1e-6


def test_xmp_of_a_gif_is_kept() -> None:
    stream = io.BytesIO()
    Image.fromarray(GRAY8).save(stream, "GIF")
    data = stream.getvalue()
    place = data.index(b"\x2c", 13 + 3 * (2 << (data[10] & 7)))
    block = b"\x21\xff\x0bXMP DataXMP" + XMP + bytes((1, *range(255, -1, -1), 0))
    assert b"cellar" in Photo.read(data[:place] + block + data[place:]).encode("png")


@pytest.mark.parametrize(
    "name", ["scan.JFIF", "scan.pbm", "scan.pnm", "scan.jpf", "scan.jpx", "scan.hif", "scan.mpo"]
)
def test_files_in_a_folder_are_found_by_every_usual_suffix(name: str) -> None:
    assert Path(name).suffix.lower() in READ_SUFFIXES
