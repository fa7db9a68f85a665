"""Laws of reading: a file gives the pixels that were put into it, or an error that says why not."""

from __future__ import annotations

import io
import struct
import zlib
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from tinct.errors import PhotoError, PhotoTooLargeError, ShapeError, TinctError
from tinct.photo import Photo

RANDOM = np.random.default_rng(7)
GRAY8 = RANDOM.integers(0, 256, (7, 5), np.uint8)
RGB8 = RANDOM.integers(0, 256, (7, 5, 3), np.uint8)
GRAY16 = RANDOM.integers(0, 65536, (7, 5), np.uint16)
RGB16 = RANDOM.integers(0, 65536, (7, 5, 3), np.uint16)
ALPHA16 = RANDOM.integers(1, 65536, (7, 5), np.uint16)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def tiff(array: NDArray[np.generic], **options: object) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, array, metadata=None, **options)
    return stream.getvalue()


def opencv_encoded(suffix: str, array: NDArray[np.generic], *options: int) -> bytes:
    bgr = array if array.ndim == 2 else array[..., [2, 1, 0, 3][: array.shape[2]]]
    return cv2.imencode(suffix, bgr, options)[1].tobytes()


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "WEBP"])
@pytest.mark.parametrize("array", [GRAY8, RGB8], ids=["gray", "rgb"])
def test_lossless_files_give_back_their_pixels(kind: str, array: NDArray[np.uint8]) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    photo = Photo.read(saved(Image.fromarray(array), kind, **options))
    wanted = array if kind != "WEBP" or array.ndim == 3 else np.repeat(array[..., None], 3, axis=2)
    np.testing.assert_array_equal(photo.to_array(), wanted)
    assert (photo.format, photo.bit_depth, photo.width, photo.height) == (kind, 8, 5, 7)


def test_jpeg_gives_what_pillow_decodes() -> None:
    data = saved(Image.fromarray(RGB8), "JPEG")
    np.testing.assert_array_equal(Photo.read(data).to_array(), np.asarray(Image.open(io.BytesIO(data))))


@pytest.mark.parametrize("array", [GRAY16, RGB16, np.dstack([RGB16, ALPHA16])], ids=["gray", "rgb", "rgba"])
def test_png_of_16_bits_keeps_every_bit(array: NDArray[np.uint16]) -> None:
    photo = Photo.read(opencv_encoded(".png", array))
    assert photo.bit_depth == 16
    np.testing.assert_array_equal(photo.to_array(), array)


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("array", [GRAY8, RGB8, GRAY16, RGB16], ids=["gray8", "rgb8", "gray16", "rgb16"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_tiff_keeps_every_bit(array: NDArray[np.generic], compression: str | None, order: str) -> None:
    photometric = "rgb" if array.ndim == 3 else "minisblack"
    photo = Photo.read(tiff(array, compression=compression, photometric=photometric, byteorder=order))
    np.testing.assert_array_equal(photo.to_array(), array)
    assert photo.to_array().dtype.isnative


@pytest.mark.parametrize("compression", [5, 32773], ids=["lzw", "packbits"])
@pytest.mark.parametrize("array", [GRAY8, RGB8, GRAY16, RGB16], ids=["gray8", "rgb8", "gray16", "rgb16"])
def test_tiff_of_opencv_keeps_every_bit(array: NDArray[np.generic], compression: int) -> None:
    data = opencv_encoded(".tif", array, cv2.IMWRITE_TIFF_COMPRESSION, compression)
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        assert file.pages[0].compression == compression
    np.testing.assert_array_equal(Photo.read(data).to_array(), array)


def test_planar_tiff_is_put_together() -> None:
    data = tiff(np.moveaxis(RGB16, -1, 0), photometric="rgb", planarconfig="separate")
    np.testing.assert_array_equal(Photo.read(data).to_array(), RGB16)


@pytest.mark.parametrize("array", [GRAY8, GRAY16], ids=["8", "16"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_tiff_with_white_as_zero_is_not_a_negative(
    array: NDArray[np.generic], compression: str | None
) -> None:
    data = tiff(np.invert(array), photometric="miniswhite", compression=compression)
    np.testing.assert_array_equal(Photo.read(data).to_array(), array)


@pytest.mark.parametrize("array", [GRAY8, GRAY16], ids=["8", "16"])
def test_lzw_tiff_with_white_as_zero_is_not_a_negative(array: NDArray[np.generic]) -> None:
    data = bytearray(opencv_encoded(".tif", np.invert(array), cv2.IMWRITE_TIFF_COMPRESSION, 5))
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        place = file.pages[0].tags[262].valueoffset
    data[place : place + 2] = b"\0\0"
    np.testing.assert_array_equal(Photo.read(bytes(data)).to_array(), array)


def test_tiff_of_one_bit_with_white_as_zero_is_not_a_negative() -> None:
    bits = np.greater(GRAY8, 127)
    data = saved(Image.fromarray(bits), "TIFF", compression="group4")
    np.testing.assert_array_equal(Photo.read(data).to_array(), bits * np.uint8(255))


def test_premultiplied_tiff_is_divided_by_its_alpha() -> None:
    straight = RGB16.astype(np.float64)
    multiplied = np.rint(straight * (ALPHA16 / 65535)[..., None]).astype(np.uint16)
    data = tiff(np.dstack([multiplied, ALPHA16]), photometric="rgb", extrasamples=["assocalpha"])
    photo = Photo.read(data)
    error = np.abs(photo.to_array()[..., :3] - straight)
    assert (error <= 0.51 * 65535 / ALPHA16[..., None] + 0.5).all()
    np.testing.assert_array_equal(photo.alpha, ALPHA16)


def test_first_page_of_many_is_read_and_said() -> None:
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        writer.write(GRAY16, photometric="minisblack", metadata=None)
        writer.write(np.zeros_like(GRAY16), photometric="minisblack", metadata=None)
    photo = Photo.read(stream.getvalue())
    np.testing.assert_array_equal(photo.to_array(), GRAY16)
    assert photo.notes == ("it has 2 pages; the first is used",)


def test_one_bit_is_black_and_white() -> None:
    photo = Photo.read(saved(Image.fromarray(np.greater(GRAY8, 127)), "PNG"))
    np.testing.assert_array_equal(photo.to_array(), np.where(np.greater(GRAY8, 127), 255, 0))


def test_palette_becomes_its_colors_and_transparency() -> None:
    image = Image.fromarray(RGB8).quantize(8)
    image.info["transparency"] = 3
    photo = Photo.read(saved(image, "PNG", transparency=3))
    wanted = np.asarray(image.convert("RGBA"))
    np.testing.assert_array_equal(photo.to_array(), wanted)
    assert set(np.unique(photo.alpha)) == {0, 255}


def test_gray_with_alpha_keeps_both() -> None:
    array = np.dstack([GRAY8, 255 - GRAY8])
    photo = Photo.read(saved(Image.fromarray(array), "PNG"))
    np.testing.assert_array_equal(photo.to_array(), array)
    np.testing.assert_array_equal(photo.alpha, 255 - GRAY8)


def test_transparent_gray_value_becomes_alpha() -> None:
    photo = Photo.read(saved(Image.fromarray(GRAY8), "PNG", transparency=int(GRAY8[0, 0])))
    np.testing.assert_array_equal(photo.alpha == 0, GRAY8[0, 0] == GRAY8)


def test_cmyk_without_a_profile_is_what_pillow_makes_of_it() -> None:
    image = Image.fromarray(RGB8).convert("CMYK")
    photo = Photo.read(saved(image, "TIFF"))
    np.testing.assert_array_equal(photo.to_array(), np.asarray(image.convert("RGB")))
    assert "CMYK" in photo.notes[0]


def test_cmyk_jpeg_is_not_a_negative() -> None:
    image = Image.new("CMYK", (16, 16), (0, 0, 0, 20))
    assert Photo.read(saved(image, "JPEG", quality=95)).lightness().mean() > 90


def test_deep_gray_png_of_pillow_keeps_every_bit() -> None:
    photo = Photo.from_image(Image.fromarray(GRAY16))
    assert photo.bit_depth == 16
    np.testing.assert_array_equal(photo.to_array(), GRAY16)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF"])
def test_orientation_is_applied_as_pillow_applies_it(kind: str, orientation: int) -> None:
    from PIL import ImageOps, features

    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow writes no AVIF")
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"WEBP": {"lossless": True}, "AVIF": {"quality": 100}}.get(kind, {})
    data = saved(Image.fromarray(RGB8), kind, exif=exif.tobytes(), **options)
    wanted = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    np.testing.assert_array_equal(Photo.read(data).to_array(), np.asarray(wanted))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_a_turned_photograph_has_its_resolution_turned(kind: str) -> None:
    """Of 600 dots an inch across and 300 down, 300 are across once it is upright."""
    exif = Image.Exif()
    exif[0x0112] = 6
    data = saved(Image.fromarray(RGB8), kind, exif=exif.tobytes(), dpi=(600, 300))
    found = Image.open(io.BytesIO(Photo.read(data).encode("png"))).info["dpi"]
    assert found == pytest.approx((300, 600), abs=0.02)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("compression", ["lzw", "zlib"])
def test_orientation_of_a_deep_tiff_is_applied(compression: str, orientation: int) -> None:
    """The oracle is Pillow on the same file at 8 bits."""
    shallow = (RGB16 >> 8).astype(np.uint8)
    tag = [(274, "H", 1, orientation, True)]
    oracle = Image.open(io.BytesIO(tiff(shallow, photometric="rgb", extratags=tag)))
    oracle.load()
    if compression == "zlib":
        data = tiff(RGB16, photometric="rgb", compression="zlib", extratags=tag)
    else:
        data = lzw_with_orientation(RGB16, orientation)
    np.testing.assert_array_equal(Photo.read(data).to_array() >> 8, np.asarray(oracle))


def lzw_with_orientation(array: NDArray[np.uint16], orientation: int) -> bytes:
    """OpenCV's LZW file, with a tag of no consequence made into the orientation."""
    data = bytearray(opencv_encoded(".tif", array, cv2.IMWRITE_TIFF_COMPRESSION, 5))
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    entries = [bytes(data[start + 2 + 12 * i : start + 14 + 12 * i]) for i in range(count)]
    entries = [e for e in entries if struct.unpack_from("<H", e)[0] != 274]
    entries.append(struct.pack("<HHIHH", 274, 3, 1, orientation, 0))
    entries.sort(key=lambda e: struct.unpack_from("<H", e)[0])
    data += bytes(len(data) % 2)
    struct.pack_into("<I", data, 4, len(data))
    return bytes(data) + struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)


def test_source_may_be_path_bytes_or_stream(tmp_path: Path) -> None:
    data = saved(Image.fromarray(RGB8), "PNG")
    path = tmp_path / "photo.jpg"  # named wrongly on purpose: the contents decide
    path.write_bytes(data)
    photos = [Photo.read(path), Photo.read(str(path)), Photo.read(data), Photo.read(io.BytesIO(data))]
    assert all(np.array_equal(photo.to_array(), RGB8) for photo in photos)
    assert [photo.path for photo in photos] == [path, path, None, None]
    assert photos[0].format == "PNG"


@pytest.mark.parametrize(
    "array",
    [
        GRAY8,
        RGB8,
        GRAY16,
        RGB16,
        np.dstack([GRAY8, GRAY8]),
        np.dstack([RGB16, ALPHA16]),
        (RGB8 / 255).astype(np.float32),
        RGB8 / 255,
    ],
)
def test_array_comes_back_as_it_went_in(array: NDArray[np.generic]) -> None:
    back = Photo.from_array(array).to_array()
    assert back.dtype == array.dtype
    np.testing.assert_allclose(back, array, atol=0 if array.dtype.kind == "u" else 1e-7)


def test_single_channel_axis_is_gray() -> None:
    np.testing.assert_array_equal(Photo.from_array(GRAY8[..., None]).to_array(), GRAY8)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4, 5), np.uint8),
        np.zeros(4, np.uint8),
        np.zeros((1, 4, 4, 3), np.uint8),
        np.zeros((0, 4), np.uint8),
        np.zeros((4, 4), np.int64),
        np.full((4, 4), np.nan),
        np.full((4, 4, 3), np.inf, np.float32),
        np.full((4, 4), 128.0),
        np.full((4, 4), -0.5),
    ],
)
def test_array_that_is_no_photograph_is_refused_in_one_line(array: NDArray[np.generic]) -> None:
    with pytest.raises(ShapeError) as caught:
        Photo.from_array(array)
    assert "\n" not in str(caught.value)


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


def jpeg_header(width: int, height: int) -> bytes:
    data = bytearray(saved(Image.new("L", (8, 8)), "JPEG"))
    place = data.index(b"\xff\xc0") + 5
    struct.pack_into(">HH", data, place, height, width)
    return bytes(data)


def tiff_header(width: int, height: int) -> bytes:
    data = bytearray(tiff(np.zeros((8, 8), np.uint16), photometric="minisblack"))
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        for tag, value in ((256, width), (257, height)):
            entry = file.pages[0].tags[tag]
            struct.pack_into("<H" if entry.dtype == 3 else "<I", data, entry.valueoffset, value)
    return bytes(data)


@pytest.mark.parametrize("make", [png_header, jpeg_header, tiff_header])
def test_bomb_is_refused_by_its_header(make) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(PhotoTooLargeError, match=r"60000x60000, 3600 megapixels"):
        Photo.read(make(60000, 60000))


def test_limit_can_be_set() -> None:
    data = saved(Image.fromarray(RGB8), "PNG")
    assert Photo.read(data, max_pixels=35).width == 5
    with pytest.raises(PhotoTooLargeError):
        Photo.read(data, max_pixels=34)


def broken_files() -> dict[str, bytes]:
    noise = RANDOM.integers(0, 256, (64, 64, 3), np.uint8)
    image = Image.fromarray(noise)
    halves = {kind: saved(image, kind) for kind in ("JPEG", "PNG", "WEBP", "BMP", "TIFF")}
    halves["PNG16"] = opencv_encoded(".png", noise.astype(np.uint16) * 257)
    halves["TIFF16"] = tiff(noise.astype(np.uint16) * 257, photometric="rgb", compression="zlib")
    halves["TIFF16LZW"] = opencv_encoded(
        ".tif", noise.astype(np.uint16) * 257, cv2.IMWRITE_TIFF_COMPRESSION, 5
    )
    return {
        "empty": b"",
        "text": b"Dear aunt, here is the photograph.",
        "text that starts like a bitmap": b"BMW, the car",
        "zeros": bytes(1000),
        **{f"half a {kind}": data[: len(data) // 2] for kind, data in halves.items()},
        **{f"start of a {kind}": data[:20] for kind, data in halves.items()},
    }


@pytest.mark.parametrize("name", broken_files())
def test_broken_file_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(broken_files()[name])
    with pytest.raises(PhotoError) as caught:
        Photo.read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_flipped_bit_in_a_deep_png_is_found() -> None:
    data = bytearray(opencv_encoded(".png", RGB16))
    data[len(data) // 2] ^= 1
    with pytest.raises(PhotoError, match="damaged"):
        Photo.read(bytes(data))


def test_missing_file_and_directory_are_named(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match="does not exist"):
        Photo.read(tmp_path / "no.jpg")
    with pytest.raises(PhotoError, match="directory"):
        Photo.read(tmp_path)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_random_damage_never_raises_anything_else() -> None:
    """Files with a few bytes changed are read or refused, by name."""
    files = [saved(Image.fromarray(RGB8), kind) for kind in ("JPEG", "PNG", "WEBP", "BMP", "TIFF")]
    files += [opencv_encoded(".png", RGB16), tiff(RGB16, photometric="rgb", compression="zlib")]
    for data in files:
        for seed in range(25):
            random = np.random.default_rng(seed)
            damaged = bytearray(data)
            for place in random.integers(0, len(data), 4):
                damaged[place] = random.integers(0, 256)
            with suppress(TinctError):
                Photo.read(bytes(damaged), max_pixels=1_000_000)


@pytest.mark.shared
def test_old_photographs_are_gray_and_color_ones_are_not(shared: Path) -> None:
    old = sorted((shared / "data" / "legacy").glob("*.jpg"))[:10]
    color = sorted((shared / "data" / "train").rglob("*.webp"))[::400]
    assert old
    assert all(Photo.read(path).is_gray() for path in old)
    assert np.mean([Photo.read(path).is_gray() for path in color]) < 0.05


def test_what_is_no_damage_is_called_by_its_name() -> None:
    imagecodecs = pytest.importorskip("imagecodecs", reason="JPEG-LS is written by imagecodecs")
    with pytest.raises(PhotoError, match="JPEG-LS"):
        Photo.read(imagecodecs.jpegls_encode(np.zeros((20, 30), np.uint8)))
    stream = io.BytesIO()
    tifffile.imwrite(stream, np.array([[0.5, np.nan]], np.float32))
    with pytest.raises(PhotoError, match="NaN"):
        Photo.read(stream.getvalue())


def test_a_pixel_outside_of_the_photograph_is_named() -> None:
    photo = Photo.from_array(np.zeros((20, 30), np.uint8))
    for place in ((30, 0), (0, 20), (-1, 0)):
        with pytest.raises(ShapeError, match=f"{place[0]},{place[1]} is outside"):
            photo.lightness_at([(0, 0), place])
