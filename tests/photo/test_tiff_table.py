"""Every form of TIFF that is read gives the samples that were written; every other one is refused by its name."""

from __future__ import annotations

import io
import struct
import zlib
from itertools import product
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from tinct.errors import PhotoError
from tinct.photo import Photo

RANDOM = np.random.default_rng(17)
HEIGHT, WIDTH = 37, 29
LOSSLESS = [None, "lzw", "zlib", "packbits", "zstd", "lzma"]
PREDICTED = ("lzw", "zlib", "zstd", "lzma")


def samples(bits: int, channels: int, kind: str) -> NDArray[np.generic]:
    """Random samples that use their whole range, shape (H, W) or (H, W, channels)."""
    shape = (HEIGHT, WIDTH) if channels == 1 else (HEIGHT, WIDTH, channels)
    if kind == "float":
        return RANDOM.random(shape).astype(f"f{bits // 8}")
    low, high = (-(1 << bits - 1), 1 << bits - 1) if kind == "int" else (0, 1 << bits)
    dtype = f"{'i' if kind == 'int' else 'u'}{1 if bits <= 8 else 2 if bits <= 16 else 4}"
    return RANDOM.integers(low, high, shape).astype(dtype)


def expected(array: NDArray[Any], bits: int, kind: str, white_is_zero: bool) -> NDArray[np.generic]:
    """Samples over the whole range of 8 or 16 bits."""
    if kind == "float":
        values, top = array.astype(np.float64), 65535
    else:
        values = (array.astype(np.float64) + (1 << bits - 1 if kind == "int" else 0)) / ((1 << bits) - 1)
        top = 255 if bits <= 8 else 65535
    values = 1 - values if white_is_zero else values
    return np.rint(values * top).astype(np.uint8 if top == 255 else np.uint16)


def written(array: NDArray[Any], **options: Any) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, array, metadata=None, **options)
    return stream.getvalue()


DEPTHS = [(8, "uint"), (16, "uint"), (32, "uint"), (8, "int"), (16, "int"), (16, "float"), (32, "float")]
PACKED = [1, 2, 3, 4, 5, 6, 7, 10, 12, 14, 15]
SWITCHES = [
    dict(zip(("planar", "tiled", "big", "predictor", "white"), on, strict=True))
    for on in product((0, 1), repeat=5)
]


@pytest.mark.parametrize("compression", LOSSLESS)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("depth", DEPTHS)
def test_every_form_gives_the_samples_that_were_written(
    depth: tuple[int, str], channels: int, compression: str | None
) -> None:
    """In separate planes or not, tiled or in strips, in both byte orders, predicted or not, with white as 0 or not."""
    bits, kind = depth
    tried = 0
    for on in SWITCHES:
        odd_white = on["white"] and (channels == 3 or kind != "uint")
        if (
            (on["planar"] and channels == 1)
            or odd_white
            or (on["predictor"] and compression not in PREDICTED)
        ):
            continue
        array = samples(bits, channels, kind)
        data = encoded(array, compression, **on)
        wanted, found = expected(array, bits, kind, bool(on["white"])), Photo.read(data).to_array()
        assert found.dtype == wanted.dtype, on
        assert np.abs(found.astype(int) - wanted).max() <= (1 if kind == "float" else 0), on
        tried += 1
    assert tried >= 4


def encoded(
    array: NDArray[Any],
    compression: str | None,
    *,
    planar: int,
    tiled: int,
    big: int,
    predictor: int,
    white: int,
) -> bytes:
    """A file that tifffile itself reads back as it was written."""
    options: dict[str, Any] = {"tile": (16, 16)} if tiled else {"rowsperstrip": 8}
    if array.ndim == 3:
        options["planarconfig"] = "separate" if planar else "contig"
    data = written(
        np.moveaxis(array, -1, 0) if planar else array,
        photometric="miniswhite" if white else "rgb" if array.ndim == 3 else "minisblack",
        byteorder=">" if big else "<",
        predictor=bool(predictor),
        compression=compression,
        **options,
    )
    oracle = tifffile.imread(io.BytesIO(data))
    np.testing.assert_array_equal(np.moveaxis(oracle, 0, -1) if planar else oracle, array)
    return data


@pytest.mark.parametrize("compression", [None, "lzw", "zlib", "packbits"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("bits", PACKED)
def test_packed_samples_are_scaled_to_the_whole_range(
    bits: int, channels: int, compression: str | None
) -> None:
    """Rows begin at whole bytes (TIFF 6.0, section 8)."""
    array = samples(bits, channels, "uint")
    values = array.reshape(HEIGHT, -1)
    digits = (values[..., None] >> np.arange(bits - 1, -1, -1)) & 1
    rows = np.packbits(digits.reshape(HEIGHT, -1).astype(np.uint8), axis=1)
    data = bytearray(
        written(rows, photometric="minisblack", compression=compression, rowsperstrip=HEIGHT, predictor=False)
    )
    changes = {256: WIDTH, 258: bits, 262: 2 if channels == 3 else 1, 277: channels}
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        for code, value in changes.items():
            tag = file.pages[0].tags[code]
            layout = "<H" if tag.dtype == 3 else "<I"
            if code == 258:
                many = struct.pack("<3H", bits, bits, bits)
                struct.pack_into(
                    "<HHII", data, tag.offset, 258, 3, channels, bits if channels == 1 else len(data)
                )
                data += many
            else:
                struct.pack_into(layout, data, tag.valueoffset, value)
    np.testing.assert_array_equal(Photo.read(bytes(data)).to_array(), expected(array, bits, "uint", False))


@pytest.mark.parametrize("compression", [None, "lzw", "zlib"])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize(
    ("photometric", "colors", "extra"),
    [
        ("minisblack", 1, ["unassalpha"]),
        ("minisblack", 1, ["unspecified"]),
        ("rgb", 3, ["unassalpha"]),
        ("rgb", 3, ["unspecified", "unassalpha"]),
        ("rgb", 3, ["unspecified", "unspecified"]),
    ],
)
def test_extra_samples_are_alpha_or_left_out(
    compression: str | None, bits: int, planar: bool, photometric: str, colors: int, extra: list[str]
) -> None:
    """Infrared channels and masks of scanners are extra samples of no stated meaning."""
    array = samples(bits, colors + len(extra), "uint")
    stored = np.moveaxis(array, -1, 0) if planar else array
    config = "separate" if planar else "contig"
    data = written(
        stored, photometric=photometric, extrasamples=extra, planarconfig=config, compression=compression
    )
    photo = Photo.read(data)
    color = photo.to_array()
    if "unassalpha" in extra:
        np.testing.assert_array_equal(photo.alpha, array[..., colors + extra.index("unassalpha")])
        color = color[..., :-1]
    else:
        assert photo.alpha is None
    np.testing.assert_array_equal(color.reshape(HEIGHT, WIDTH, -1), array[..., :colors])


@pytest.mark.parametrize("compression", ["jpeg", "jpeg2000", "webp"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("tiled", [False, True])
def test_pictures_in_strips_and_tiles_are_decoded(compression: str, channels: int, tiled: bool) -> None:
    if compression == "webp" and channels == 1:
        pytest.skip("WebP holds no gray")
    array = samples(8, channels, "uint")
    options: dict[str, Any] = {"tile": (16, 16)} if tiled else {"rowsperstrip": HEIGHT}
    photometric = "rgb" if channels == 3 else "minisblack"
    data = written(array, photometric=photometric, compression=compression, **options)
    np.testing.assert_array_equal(Photo.read(data).to_array(), tifffile.imread(io.BytesIO(data)))


def test_cmyk_of_16_bits_stays_16() -> None:
    array = samples(16, 4, "uint")
    photo = Photo.read(written(array, photometric="separated", extrasamples=()))
    cyan_magenta_yellow, black = array[..., :3] / 65535, array[..., 3:] / 65535
    assert photo.bit_depth == 16
    np.testing.assert_allclose(photo.rgb(), (1 - cyan_magenta_yellow) * (1 - black), atol=1e-4)
    assert "CMYK" in photo.notes[0]


@pytest.mark.parametrize(
    ("photometric", "bits"), [("cielab", 8), ("cielab", 16), ("icclab", 8), ("icclab", 16)]
)
def test_lightness_of_lab_is_what_the_file_says(photometric: str, bits: int) -> None:
    """TIFF 6.0, section 23, and Adobe's technote 4."""
    top = 255 if bits == 8 else 65535 if photometric == "cielab" else 65280
    lightness = RANDOM.integers(0, top + 1, (HEIGHT, WIDTH))
    neutral = 0 if photometric == "cielab" else 128 if bits == 8 else 32768
    array = np.dstack([lightness, *[np.full_like(lightness, neutral)] * 2]).astype(f"u{bits // 8}")
    photo = Photo.read(written(array, photometric=photometric))
    np.testing.assert_allclose(photo.lightness(), lightness * 100 / top, atol=0.26 if bits == 8 else 2e-3)
    assert photo.is_gray()


@pytest.mark.parametrize(
    ("photometric", "neutral", "dtype"), [("cielab", 0, np.int8), ("icclab", 128, np.uint8)]
)
def test_colors_of_lab_are_those_of_littlecms(photometric: str, neutral: int, dtype: type) -> None:
    from skimage.color import lab2rgb

    lab = np.array([[[60, 30, 20], [50, -20, 25], [40, 5, -40]]], np.float64)
    array = np.dstack([np.rint(lab[..., 0] * 2.55), lab[..., 1] + neutral, lab[..., 2] + neutral]).astype(
        np.int16
    )
    data = written(np.repeat(array.astype(np.uint8), 4, axis=0), photometric=photometric)
    np.testing.assert_allclose(Photo.read(data).rgb()[0], lab2rgb(lab, illuminant="D50")[0], atol=0.08)


def test_palette_is_looked_up() -> None:
    image = Image.fromarray(samples(8, 3, "uint")).quantize(16)
    stream = io.BytesIO()
    image.save(stream, "TIFF")
    np.testing.assert_array_equal(Photo.read(stream.getvalue()).to_array(), np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_a_palette_is_looked_up_at_every_depth(bits: int, compression: str | None) -> None:
    """Rows of 32 indices fill whole bytes at each."""
    array = RANDOM.integers(0, 1 << bits, (HEIGHT, 32))
    table = RANDOM.integers(0, 1 << 16, (3, 1 << bits), np.uint16) | 256
    data = bytearray(palette_file(array, bits, table, compression))
    np.testing.assert_array_equal(Photo.read(bytes(data)).to_array(), (table >> 8).T[array])


def palette_file(
    array: NDArray[Any], bits: int, table: NDArray[np.uint16], compression: str | None
) -> bytearray:
    """A TIFF of indices, shape (H, W), and a color map, shape (3, colors)."""
    digits = (array[..., None] >> np.arange(bits - 1, -1, -1)) & 1
    rows = np.packbits(digits.reshape(len(array), -1).astype(np.uint8), axis=1)
    if bits == 16:
        rows = array.astype("<u2").view(np.uint8)
    tag = [(320, 3, table.size, tuple(int(v) for v in table.ravel()), True)]
    data = bytearray(
        written(rows, photometric="minisblack", compression=compression, predictor=False, extratags=tag)
    )
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        for code, value in {256: array.shape[1], 258: bits, 262: 3}.items():
            found = file.pages[0].tags[code]
            struct.pack_into("<H" if found.dtype == 3 else "<I", data, found.valueoffset, value)
    return data


@pytest.mark.parametrize("compression", ["group3", "group4", "tiff_ccitt"])
def test_fax_is_black_and_white(compression: str) -> None:
    bits = samples(8, 1, "uint") > 127
    stream = io.BytesIO()
    Image.fromarray(bits).save(stream, "TIFF", compression=compression)
    np.testing.assert_array_equal(Photo.read(stream.getvalue()).to_array(), bits * np.uint8(255))


@pytest.mark.parametrize("compression", [None, "zlib", "lzw", "packbits"])
def test_strips_without_bytes_are_told(compression: str | None) -> None:
    """A writer that was stopped leaves them so, and a program that saves room where nothing is."""
    array = samples(16, 1, "uint")
    data = bytearray(written(array, compression=compression, rowsperstrip=8))
    assert Photo.read(bytes(data)).notes == ()
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        counts = file.pages[0].tags[279]
        size = 2 if counts.dtype == 3 else 4
        data[counts.valueoffset + size : counts.valueoffset + 3 * size] = bytes(2 * size)
    photo = Photo.read(bytes(data))
    assert "2 of its 5 strips or tiles have no bytes" in photo.notes[0]
    np.testing.assert_array_equal(photo.to_array()[:8], array[:8])


@pytest.mark.parametrize("compression", [None, "zlib", "lzw", "packbits"])
@pytest.mark.parametrize("options", [{"rowsperstrip": HEIGHT}, {"rowsperstrip": 8}, {"tile": (48, 32)}])
def test_a_page_whose_strips_are_all_empty_is_not_a_blank_picture(
    options: dict[str, Any], compression: str | None
) -> None:
    """One strip of plain bytes needs no count, and is read as other programs read it."""
    array = samples(8, 1, "uint")
    data = bytearray(written(array, photometric="minisblack", compression=compression, **options))
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        counts = file.pages[0].tags[325 if "tile" in options else 279]
        size = counts.count * (2 if counts.dtype == 3 else 4)
        data[counts.valueoffset : counts.valueoffset + size] = bytes(size)
    if compression is None and options == {"rowsperstrip": HEIGHT}:
        np.testing.assert_array_equal(Photo.read(bytes(data)).to_array(), array)
        return
    with pytest.raises(PhotoError, match="no bytes; it is incomplete"):
        Photo.read(bytes(data))


def test_full_last_strip_is_read() -> None:
    """Encoders that pad the last strip to the full height are common, and every reader takes their files."""
    array = samples(8, 1, "uint")
    data = bytearray(written(array, compression="zlib", rowsperstrip=8, predictor=False))
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        offsets, counts = file.pages[0].tags[273], file.pages[0].tags[279]
        places, sizes = list(offsets.value), list(counts.value)
        layout = f"<{len(places)}{'H' if counts.dtype == 3 else 'I'}"
        at, at_sizes = offsets.valueoffset, counts.valueoffset
        order = f"<{len(places)}{'H' if offsets.dtype == 3 else 'I'}"
    padded = zlib.compress(np.vstack([array[32:], np.zeros((3, WIDTH), np.uint8)]).tobytes())
    places[-1], sizes[-1] = len(data), len(padded)
    struct.pack_into(order, data, at, *places)
    struct.pack_into(layout, data, at_sizes, *sizes)
    np.testing.assert_array_equal(Photo.read(bytes(data + padded)).to_array(), array)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"photometric": "minisblack", "dtype": np.complex64}, "complex"),
        ({"photometric": "minisblack", "dtype": np.int64}, "64 bits"),
        ({"photometric": "cfa"}, "CFA"),
        ({"photometric": "minisblack", "compression": "lerc"}, "LERC"),
        ({"photometric": "minisblack", "compression": "jpegxl"}, "JPEGXL"),
    ],
)
def test_form_that_is_not_read_is_refused_by_its_name(options: dict[str, Any], named: str) -> None:
    given = dict(options)
    array = np.zeros((HEIGHT, WIDTH), given.pop("dtype", np.uint8))
    with pytest.raises(PhotoError, match=named) as caught:
        Photo.read(written(array, **given))
    assert "damaged" not in str(caught.value)


@pytest.mark.parametrize(("low", "high"), [(0.0, 255.0), (-1.0, 1.0), (0.0, np.inf)])
def test_floats_beyond_one_are_refused(low: float, high: float) -> None:
    array = np.array([[low, high], [0, 0]], np.float32)
    with pytest.raises(PhotoError, match="0 to 1 was wanted"):
        Photo.read(written(array, photometric="minisblack"))


def test_more_samples_than_a_photograph_has_are_refused() -> None:
    array = np.zeros((9, 9, 6), np.uint8)
    with pytest.raises(PhotoError, match="6 samples"):
        Photo.read(written(array, photometric="rgb", extrasamples=["unspecified"] * 3, planarconfig="contig"))
