"""Laws of what pixels mean: lightness, ICC profiles, rounding, area means, and what counts as gray."""

from __future__ import annotations

import io
import struct
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageCms
from skimage import color as oracle
from skimage import data as pictures

from tinct.color.gamut import merge_lightness
from tinct.color.lab import rgb_to_lab, rgb_to_lightness
from tinct.errors import ShapeError
from tinct.photo import Photo
from tinct.photo.arrays import quantize
from tinct.photo.profiles import read_profile, srgb_icc

HALF_STEP = (
    0.5 * np.diff(rgb_to_lightness(np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1))).max()
)
"""Half the L* between two neighboring 8-bit grays, where it is widest (at L* 8)."""

ADOBE_RGB = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
DISPLAY_P3 = ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06))
NARROW = ((0.60, 0.34), (0.31, 0.56), (0.17, 0.10))
D65, D50 = (0.3127, 0.3290), (0.3457, 0.3585)


def xyz(x: float, y: float) -> NDArray[np.float64]:
    return np.array([x / y, 1, (1 - x - y) / y])


def matrix_profile(primaries: tuple[tuple[float, float], ...], gamma: float) -> bytes:
    """An ICC version 2 display profile, written after the standard and not after our reader."""
    columns = np.stack([xyz(*p) for p in primaries], axis=1)
    colorants = columns * np.linalg.solve(columns, xyz(*D65))
    cone = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    white = np.array([0.9642, 1.0, 0.8249])
    adapt = np.linalg.inv(cone) @ np.diag((cone @ white) / (cone @ xyz(*D65))) @ cone
    colorants = adapt @ colorants
    tags = {
        name: b"XYZ \0\0\0\0" + struct.pack(">3i", *np.rint(column * 65536).astype(int))
        for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), colorants.T, strict=True)
    }
    tags[b"wtpt"] = b"XYZ \0\0\0\0" + struct.pack(">3i", *np.rint(white * 65536).astype(int))
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), gamma_curve(gamma))
    return assembled(tags, b"RGB ")


def gray_profile(gamma: float) -> bytes:
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    return assembled({b"kTRC": gamma_curve(gamma), b"wtpt": white}, b"GRAY")


def gamma_curve(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"


def assembled(tags: dict[bytes, bytes], space: bytes) -> bytes:
    text = b"test\0"
    tags = tags | {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(78),
        b"cprt": b"text\0\0\0\0" + text,
    }
    table, body, start = b"", b"", 132 + 12 * len(tags)
    for name, tag in tags.items():
        tag += bytes(-len(tag) % 4)
        table += name + struct.pack(">II", start + len(body), len(tag))
        body += tag
    head = struct.pack(">I4sI4s4s4s", start + len(body), b"lcms", 0x02400000, b"mntr", space, b"XYZ ")
    head += (
        struct.pack(">6H", 2024, 1, 1, 0, 0, 0)
        + b"acsp"
        + bytes(28)
        + struct.pack(">3i", 63190, 65536, 54061)
    )
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


@lru_cache
def table_profile() -> bytes:
    """sRGB whose curves and matrix are hidden: only tables are left, as in a scanner's profile (lut8Type)."""
    grid = 9
    steps = np.linspace(0, 255, grid).round().astype(np.uint8)
    points = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1).reshape(1, -1, 3)
    lab = ImageCms.createProfile("LAB", 5003)
    image = ImageCms.profileToProfile(
        Image.fromarray(points), ImageCms.createProfile("sRGB"), lab, outputMode="LAB"
    )
    assert image is not None
    values = np.asarray(image).reshape(-1, 3).copy()
    values[:, 1:] ^= 0x80  # Pillow's LAB is signed, the profile's is offset
    straight = bytes(range(256)) * 3
    one = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    tag = b"mft1\0\0\0\0" + bytes((3, 3, grid, 0)) + one + straight + values.tobytes() + straight
    profile = bytearray(
        assembled({b"A2B0": tag, b"wtpt": b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)}, b"RGB ")
    )
    profile[12:16], profile[20:24] = b"scnr", b"Lab "
    return bytes(profile)


def encoded(array: NDArray[np.generic], icc: bytes, kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, kind, icc_profile=icc)
    return stream.getvalue()


def random_colors(shape: tuple[int, ...], seed: int = 3) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_lightness_is_that_of_scikit_image(dtype: type) -> None:
    """To the rounding of its matrix."""
    rgb = random_colors((40, 50, 3))
    array = (
        rgb / np.float32(255)
        if dtype == np.float32
        else rgb.astype(dtype) * dtype(np.iinfo(dtype).max // 255)
    )
    np.testing.assert_allclose(Photo.from_array(array).lightness(), oracle.rgb2lab(rgb)[..., 0], atol=6e-3)


def test_lightness_of_rows_is_rows_of_lightness() -> None:
    photo = Photo.from_array(random_colors((50, 31, 3)))
    whole = photo.lightness()
    np.testing.assert_array_equal(photo.lightness(10, 25), whole[10:25])
    np.testing.assert_array_equal(photo.lightness(45), whole[45:])


@pytest.mark.parametrize("kind", ["gray", "gray 16 bit", "color", "float", "profile"])
def test_lightness_of_single_pixels_is_that_of_their_rows(kind: str) -> None:
    rgb = random_colors((20, 31, 3))
    photo = {
        "gray": lambda: Photo.from_array(rgb[..., 0]),
        "gray 16 bit": lambda: Photo.from_array(rgb[..., 0].astype(np.uint16) * 257),
        "color": lambda: Photo.from_array(rgb),
        "float": lambda: Photo.from_array(rgb / np.float32(255)),
        "profile": lambda: Photo.read(encoded(rgb, matrix_profile(ADOBE_RGB, 2.2))),
    }[kind]()
    places = [(0, 0), (30, 19), (7, 3), (7, 3)]
    wanted = np.array([photo.lightness(y, y + 1)[0, x] for x, y in places])
    np.testing.assert_allclose(photo.lightness_at(places), wanted, atol=1e-4)
    assert photo.lightness_at([]).shape == (0,)


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    dtype=st.sampled_from([np.uint8, np.uint16, np.float32]),
    channels=st.sampled_from([1, 3]),
    seed=st.integers(0, 2**32 - 1),
)
def test_lightness_is_untouched_by_coloring(
    height: int, width: int, dtype: type, channels: int, seed: int
) -> None:
    """Half an 8-bit step whatever the colors, the sizes and the depth; a 257th of it at 16 bits."""
    random = np.random.default_rng(seed)
    array = random.random((height, width, channels)).astype(np.float32)
    photo = Photo.from_array(quantize(array, np.dtype(dtype)))
    ab = random.uniform(-110, 110, (height, width, 2)).astype(np.float32)
    colored = photo.colored_by_rows(lambda top, bottom, lightness: merge_lightness(lightness, ab[top:bottom]))
    error = np.abs(colored.lightness() - photo.lightness()).max()
    assert error <= (HALF_STEP if dtype == np.uint8 else HALF_STEP / 257 + 6e-3)
    assert colored.bit_depth == photo.bit_depth


def test_rounding_to_8_bits_costs_less_than_half_a_step_of_lightness() -> None:
    """At every gray, in every hue; a step is 100/255."""
    gray = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 600, axis=1)
    angle = np.linspace(0, 2 * np.pi, 600)
    photo = Photo.from_array(gray)
    for chroma in (4, 15, 40, 100):
        ab = np.broadcast_to(chroma * np.stack([np.cos(angle), np.sin(angle)], -1), (256, 600, 2))
        colored = photo.colored(merge_lightness(photo.lightness(), ab))
        assert np.abs(colored.lightness() - photo.lightness()).max() < 0.5 * 100 / 255
        assert np.hypot(*(rgb_to_lab(colored.rgb()) - rgb_to_lab(photo.rgb()))[..., 1:].T).max() < chroma + 5


def test_colors_of_another_lightness_are_left_alone() -> None:
    """The color layer at L* 50, and whatever else is meant to differ."""
    photo = Photo.from_array(random_colors((40, 40)))
    rgb = random_colors((40, 40, 3), seed=9)
    away = np.abs(rgb_to_lightness(rgb) - photo.lightness()) > 0.3
    kept = photo.colored(rgb / np.float32(255)).to_array()
    np.testing.assert_array_equal(kept[away], rgb[away])


def test_gray_stays_exactly_neutral() -> None:
    for dtype, top in ((np.uint8, 255), (np.uint16, 65535)):
        gray = np.arange(top + 1, dtype=dtype).reshape(256, -1)
        photo = Photo.from_array(gray)
        same = photo.colored_by_rows(
            lambda t, b, lightness: merge_lightness(lightness, np.zeros((*lightness.shape, 2)))
        )
        np.testing.assert_array_equal(same.to_array(), np.repeat(gray[..., None], 3, axis=2))


def test_colors_may_come_whole_or_by_rows() -> None:
    photo = Photo.from_array(random_colors((33, 20)))
    rgb = random_colors((33, 20, 3)) / np.float32(255)
    by_rows = photo.colored_by_rows(lambda top, bottom, lightness: rgb[top:bottom])
    np.testing.assert_array_equal(photo.colored(rgb).to_array(), by_rows.to_array())
    assert np.abs(by_rows.to_array().astype(int) - random_colors((33, 20, 3))).max() <= 2


@pytest.mark.parametrize(
    "rgb", [np.zeros((4, 5, 3), np.float32), np.zeros((5, 4), np.float32), np.full((5, 4, 3), np.nan)]
)
def test_colors_that_do_not_fit_are_refused(rgb: NDArray[np.generic]) -> None:
    with pytest.raises(ShapeError):
        Photo.from_array(np.zeros((5, 4), np.uint8)).colored(rgb)


@pytest.mark.parametrize("primaries", [ADOBE_RGB, DISPLAY_P3, NARROW], ids=["adobe", "p3", "narrow"])
@pytest.mark.parametrize("gamma", [1.0, 1.8, 2.2])
def test_matrix_profile_means_what_littlecms_says(primaries: tuple, gamma: float) -> None:
    icc = matrix_profile(primaries, gamma)
    rgb = random_colors((30, 30, 3))
    photo = Photo.read(encoded(rgb, icc))
    ours = photo.rgb()
    lcms = ImageCms.profileToProfile(
        Image.fromarray(rgb), ImageCms.ImageCmsProfile(io.BytesIO(icc)), ImageCms.createProfile("sRGB")
    )
    assert lcms is not None
    assert np.abs(ours * 255 - np.asarray(lcms)).max() < 1.6
    inside = ((ours > 0) & (ours < 1)).all(axis=2)
    np.testing.assert_allclose(photo.lightness()[inside], rgb_to_lightness(ours)[inside], atol=2e-3)


@pytest.mark.parametrize("gamma", [1.0, 1.8, 2.2])
def test_gray_profile_means_what_its_curve_says(gamma: float) -> None:
    gray = np.arange(256, dtype=np.uint8).reshape(16, 16)
    photo = Photo.read(encoded(gray, gray_profile(gamma)))
    luminance = (gray / 255) ** (round(gamma * 256) / 256)
    wanted = np.where(luminance > 216 / 24389, 116 * np.cbrt(luminance) - 16, luminance * 24389 / 27)
    np.testing.assert_allclose(photo.lightness(), wanted, atol=5e-3)


@pytest.mark.parametrize("primaries", [ADOBE_RGB, DISPLAY_P3], ids=["adobe", "p3"])
@pytest.mark.parametrize("depth", [8, 16])
def test_wide_profile_stays_and_so_does_lightness(primaries: tuple, depth: int) -> None:
    icc = matrix_profile(primaries, 2.2)
    gray = np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16, 1), 3, axis=2)
    photo = Photo.read(encoded(gray, icc))
    if depth == 16:
        photo = deep_copy(gray, icc)
    ab = np.random.default_rng(1).uniform(-60, 60, (16, 16, 2)).astype(np.float32)
    colored = photo.colored_by_rows(lambda t, b, lightness: merge_lightness(lightness, ab[t:b]))
    back = Photo.read(colored.encode("png"))
    assert Image.open(io.BytesIO(back.encode("png"))).info["icc_profile"] == icc
    assert np.abs(back.lightness() - photo.lightness()).max() < (1.5 * HALF_STEP if depth == 8 else 0.05)
    if depth == 16:
        wanted = rgb_to_lab(merge_lightness(photo.lightness(), ab))
        assert np.abs(rgb_to_lab(back.rgb()) - wanted).max() < 0.5


def deep_copy(gray: NDArray[np.uint8], icc: bytes) -> Photo:
    import tifffile

    stream = io.BytesIO()
    tifffile.imwrite(stream, gray.astype(np.uint16) * 257, photometric="rgb", iccprofile=icc, metadata=None)
    return Photo.read(stream.getvalue())


@pytest.mark.parametrize("icc", [gray_profile(1.8), matrix_profile(NARROW, 2.2)], ids=["gray", "narrow"])
def test_profile_that_cannot_hold_the_colors_becomes_srgb(icc: bytes) -> None:
    gray = np.arange(256, dtype=np.uint8).reshape(16, 16)
    photo = Photo.read(encoded(gray, icc))
    colored = photo.colored_by_rows(
        lambda t, b, lightness: merge_lightness(lightness, np.full((*lightness.shape, 2), 30.0))
    )
    back = Photo.read(colored.encode("png"))
    assert Image.open(io.BytesIO(colored.encode("png"))).info["icc_profile"] == srgb_icc()
    assert np.abs(back.lightness() - photo.lightness()).max() <= HALF_STEP


def test_table_profile_is_converted_by_littlecms() -> None:
    icc = table_profile()
    assert read_profile(icc) is None
    rgb = random_colors((30, 30, 3))
    lcms = ImageCms.profileToProfile(
        Image.fromarray(rgb),
        ImageCms.ImageCmsProfile(io.BytesIO(icc)),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    photo = Photo.read(encoded(rgb, icc))
    np.testing.assert_allclose(photo.to_array(), np.asarray(lcms), atol=1)  # another build of LittleCMS
    assert "converted to sRGB" in photo.notes[0]
    deep = deep_copy(rgb, icc).to_array()
    assert np.abs(deep / 257 - np.asarray(lcms).astype(float)).max() < 4


def test_srgb_profile_changes_nothing() -> None:
    rgb = random_colors((9, 9, 3))
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photo = Photo.read(encoded(rgb, icc))
    np.testing.assert_array_equal(photo.lightness(), rgb_to_lightness(rgb))
    assert Image.open(io.BytesIO(photo.encode("png"))).info["icc_profile"] == icc


@pytest.mark.parametrize("icc", [b"no profile", bytes(200), srgb_icc()[:200], gray_profile(2.2)])
def test_profile_that_does_not_fit_is_dropped_and_said(icc: bytes) -> None:
    rgb = random_colors((9, 9, 3))
    photo = Photo.read(encoded(rgb, icc, "TIFF"))
    np.testing.assert_array_equal(photo.to_array(), rgb)
    assert "sRGB" in photo.notes[0]
    assert "icc_profile" not in Image.open(io.BytesIO(photo.encode("png"))).info


def test_srgb_profile_has_the_same_bytes_at_all_times() -> None:
    srgb_icc.cache_clear()
    first = srgb_icc()
    srgb_icc.cache_clear()
    assert first == srgb_icc()
    profile = read_profile(first)
    assert profile is not None
    assert profile.is_srgb


def area_means(plane: NDArray[np.float32], height: int, width: int) -> NDArray[np.float64]:
    """The mean over each cell of a grid, by the overlap of every pixel with every cell."""

    def overlaps(count: int, cells: int) -> NDArray[np.float64]:
        edges = np.linspace(0, count, cells + 1)
        pixels = np.arange(count)
        part = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
        return np.clip(part, 0, None) * cells / count

    down, across = overlaps(plane.shape[0], height), overlaps(plane.shape[1], width)
    return np.einsum("ij,jk...,lk->il...", down, plane.astype(np.float64), across)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (97, 53), (301, 7), (1, 200), (200, 1), (30, 31)])
@pytest.mark.parametrize("size", [1, 16, 29])
def test_working_lightness_is_the_mean_over_each_area(height: int, width: int, size: int) -> None:
    photo = Photo.from_array(random_colors((height, width)))
    photo_size = photo.working_size(size)
    assert max(photo_size) == size
    np.testing.assert_allclose(
        photo.working_lightness(size), area_means(photo.lightness(), *photo_size), atol=2e-3
    )


def test_working_lab_is_the_mean_over_each_area() -> None:
    photo = Photo.from_array(random_colors((97, 53, 3)))
    lab = photo.working_lab(20)
    np.testing.assert_allclose(lab, area_means(rgb_to_lab(photo.rgb()), 20, 11), atol=5e-3)
    np.testing.assert_allclose(lab[..., 0], photo.working_lightness(20), atol=1e-3)


def test_working_size_never_enlarges() -> None:
    photo = Photo.from_array(random_colors((20, 30)))
    np.testing.assert_array_equal(photo.working_lightness(512), photo.lightness())


def test_toned_photograph_is_gray_and_color_one_is_not() -> None:
    astronaut = pictures.astronaut()
    gray = oracle.rgb2gray(astronaut)
    sepia = np.clip(np.stack([gray**0.8, gray * 0.86, gray**1.3 * 0.7], axis=-1), 0, 1)
    noise = np.random.default_rng(0).normal(0, 0.01, sepia.shape)
    yellow_paper = np.clip(0.1 + 0.85 * np.stack([gray, gray * 0.97, gray * 0.8], -1) + noise, 0, 1)
    assert Photo.from_array((gray * 255).astype(np.uint8)).is_gray()
    assert Photo.from_array(np.repeat(gray[..., None], 3, axis=2)).is_gray()
    assert Photo.from_array(sepia).is_gray()
    assert Photo.from_array(yellow_paper).is_gray()
    assert not Photo.from_array(astronaut).is_gray()
    assert not Photo.from_array(pictures.coffee()).is_gray()


@pytest.mark.parametrize("depth", [8, 16])
def test_gray_profile_over_lab_gives_lightness(depth: int) -> None:
    """In a gray profile whose connection space is Lab the curve gives L* (ICC.1:2022, F.2)."""
    icc = bytearray(
        assembled({b"kTRC": b"curv\0\0\0\0\0\0\0\0", b"wtpt": b"XYZ \0\0\0\0" + bytes(12)}, b"GRAY")
    )
    icc[20:24] = b"Lab "
    top = 2**depth - 1
    gray = np.linspace(0, top, 256).round().astype(f"u{depth // 8}").reshape(16, 16)
    stream = io.BytesIO()
    Image.fromarray(gray).save(stream, "PNG", icc_profile=bytes(icc))
    photo = Photo.read(stream.getvalue())
    np.testing.assert_allclose(photo.lightness(), gray / top * 100, atol=5e-3)
    assert photo.notes == ()


def gray_table_profile(with_curve: bool) -> bytes:
    """Gray of tables alone (lut8Type, one channel to Lab): L* is the value, neutral; with a false curve beside it."""
    values = np.stack([np.arange(256), np.full(256, 128), np.full(256, 128)], axis=1).astype(np.uint8)
    one = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    straight = bytes(range(256))
    tag = b"mft1\0\0\0\0" + bytes((1, 3, 255, 0)) + one + straight + values[:255].tobytes() + straight * 3
    tags = {b"A2B0": tag, b"wtpt": b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)}
    profile = bytearray(assembled(tags | ({b"kTRC": gamma_curve(1.0)} if with_curve else {}), b"GRAY"))
    profile[12:16], profile[20:24] = b"prtr", b"Lab "
    return bytes(profile)


@pytest.mark.parametrize("with_curve", [False, True])
@pytest.mark.parametrize("depth", [8, 16])
def test_gray_profile_of_tables_is_converted_by_littlecms(depth: int, with_curve: bool) -> None:
    gray = (np.linspace(0, 2**depth - 1, 256).round()).astype(f"u{depth // 8}").reshape(16, 16)
    icc = gray_table_profile(with_curve)
    stream = io.BytesIO()
    Image.fromarray(gray).save(stream, "PNG", icc_profile=icc)
    photo = Photo.read(stream.getvalue())
    lcms = ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(io.BytesIO(icc)),
        ImageCms.createProfile("sRGB"),
        "L",
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    shallow = gray if depth == 8 else (gray // 257).astype(np.uint8)
    wanted = rgb_to_lightness(np.asarray(ImageCms.applyTransform(Image.fromarray(shallow), lcms)))
    assert np.abs(photo.lightness() - wanted).max() < 0.7
    assert len(photo.notes) == 1


@pytest.mark.parametrize("curve", ["falling", "flat", "wild"])
def test_profile_whose_curve_is_no_light_is_dropped(curve: str) -> None:
    tables = {"falling": [65535, 0], "flat": [9, 9], "wild": [0, 65535, 0, 65535]}
    tag = b"curv\0\0\0\0" + struct.pack(f">I{len(tables[curve])}H", len(tables[curve]), *tables[curve])
    photo = Photo.read(encoded(random_colors((9, 9)), assembled({b"kTRC": tag}, b"GRAY")))
    assert "taken as sRGB" in photo.notes[0]
    np.testing.assert_array_equal(photo.to_array(), random_colors((9, 9)))


def test_hidden_colors_and_paper_do_not_count() -> None:
    from tinct.errors import ReferencePhotoError
    from tinct.photo.sources import reference_photo

    astronaut = pictures.astronaut()[::4, ::4]
    page = np.full((460, 640, 3), 252, np.uint8)
    page[100:228, 100:228] = astronaut
    assert reference_photo(page, 0).width == 640
    pink = np.zeros((100, 100, 4), np.uint8)
    pink[..., :3] = (255, 0, 160)
    pink[40:70, 40:70, :3], pink[40:70, 40:70, 3] = astronaut[:30, :30], 255
    colors = reference_photo(pink, 0).working_lab(64)[..., 1:]
    assert np.hypot(colors[..., 0], colors[..., 1]).max() < 60
    pink[40:70, 40:70, :3] = 120
    with pytest.raises(ReferencePhotoError, match="gray"):
        reference_photo(pink, 0)
    with pytest.raises(ReferencePhotoError, match="gray"):
        reference_photo(np.full((460, 640, 3), 252, np.uint8), 0)


@pytest.mark.parametrize("icc", [gray_profile(1.8), matrix_profile(ADOBE_RGB, 2.2)], ids=["gray", "adobe"])
def test_photograph_goes_to_another_process_with_its_profile(icc: bytes) -> None:
    import pickle

    array = random_colors((9, 9) if icc[16:20] == b"GRAY" else (9, 9, 3))
    photo = Photo.read(encoded(array, icc))
    back = pickle.loads(pickle.dumps(photo))
    np.testing.assert_array_equal(back.lightness(), photo.lightness())
    assert back.encode("png") == photo.encode("png")


def jpeg2000(array: NDArray[np.uint8], icc: bytes) -> bytes:
    """A JPEG 2000 whose color specification is a restricted ICC profile, as Photoshop and Kakadu write it."""
    plain = encoded(array, b"", "JPEG2000")
    place, outer = plain.index(b"colr") - 4, plain.index(b"jp2h") - 4
    size = int.from_bytes(plain[place : place + 4], "big")
    box = struct.pack(">I4s3B", 11 + len(icc), b"colr", 2, 0, 0) + icc
    grown = int.from_bytes(plain[outer : outer + 4], "big") + len(box) - size
    return plain[:outer] + struct.pack(">I", grown) + plain[outer + 4 : place] + box + plain[place + size :]


def test_the_profile_of_a_jpeg_2000_counts_as_that_of_a_png() -> None:
    rgb, icc = np.ascontiguousarray(pictures.astronaut()[::16, ::16]), matrix_profile(ADOBE_RGB, 1.8)
    photo = Photo.read(jpeg2000(rgb, icc))
    np.testing.assert_array_equal(photo.rgb(), Photo.read(encoded(rgb, icc)).rgb())
    assert np.abs(photo.rgb() - rgb / 255).max() > 0.02
    assert photo._metadata.icc == icc


@pytest.mark.parametrize(
    ("points", "says"), [((1, 13), None), ((12, 13), "was applied"), ((9, 16), "coded as PQ")]
)
def test_the_code_points_of_an_avif_are_read(points: tuple[int, int], says: str | None) -> None:
    pytest.importorskip("PIL.AvifImagePlugin")
    rgb = np.ascontiguousarray(pictures.astronaut()[::16, ::16])
    data = bytearray(encoded(rgb, b"", "AVIF"))
    plain = Photo.read(bytes(data)).rgb()
    struct.pack_into(">2H", data, data.index(b"colrnclx") + 8, *points)
    photo = Photo.read(bytes(data))
    assert [note for note in photo.notes if says and says in note] == list(photo.notes)
    assert bool(photo.notes) == (says is not None)
    assert (np.abs(photo.rgb() - plain).max() > 0.02) == (points == (12, 13))
