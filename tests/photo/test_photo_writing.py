"""Laws of writing: what the source's file said is kept, and a file is there whole or not at all."""

from __future__ import annotations

import errno
import io
import os
import stat
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from tinct.errors import OutputError
from tinct.photo import Photo, Provenance, default_output
from tinct.photo.profiles import srgb_icc

RANDOM = np.random.default_rng(11)
GRAY = RANDOM.integers(0, 256, (9, 6), np.uint8)
ALPHA = RANDOM.integers(0, 256, (9, 6), np.uint8)
HASH = "0123456789abcdef" * 4
PROVENANCE = Provenance("welsh", HASH)
FORMATS = ["png", "jpg", "tif", "webp"]
XMP = (
    b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="uuid:1" '
    b'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:creator><rdf:Seq><rdf:li>Aunt Zo\xc3\xab</rdf:li>'
    b'</rdf:Seq></dc:creator></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)


def full_exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F] = "Agfa"
    exif[0x013B] = "Aunt Zoe"
    exif[0x0112] = 6
    exif[0x0131] = "ScanWizard 3"
    exif[0x9C9B] = "Titel\0".encode("utf-16-le")
    exif.get_ifd(0x8769).update(
        {0x9003: "1931:05:06 07:08:09", 0x829A: IFDRational(1, 125), 0xA002: 9, 0xA003: 6}
    )
    exif.get_ifd(0x8825).update({1: "N", 2: (IFDRational(52), IFDRational(30), IFDRational(15, 2))})
    return exif


def saved(kind: str, image: Image.Image | None = None, **options: object) -> bytes:
    stream = io.BytesIO()
    image = Image.fromarray(GRAY) if image is None else image
    image.save(stream, kind, **({"lossless": True} if kind == "WEBP" else {}), **options)
    return stream.getvalue()


def colored(photo: Photo) -> Photo:
    return photo.colored(RANDOM.random((photo.height, photo.width, 3)))


def reopened(photo: Photo, kind: str, provenance: Provenance | None = PROVENANCE) -> Image.Image:
    image = Image.open(io.BytesIO(colored(photo).encode(kind, provenance)))
    image.load()
    return image


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("source", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_exif_travels_from_every_format_to_every_format(source: str, kind: str) -> None:
    exif = reopened(Photo.read(saved(source, exif=full_exif().tobytes())), kind).getexif()
    assert exif[0x010F] == "Agfa"
    assert exif[0x013B] == "Aunt Zoe"
    assert exif.get(0x0112, 1) == 1
    assert exif[0x9C9B] == "Titel\0".encode("utf-16-le")
    details, place = exif.get_ifd(0x8769), exif.get_ifd(0x8825)
    assert details[0x9003] == "1931:05:06 07:08:09"
    assert float(details[0x829A]) == pytest.approx(1 / 125)
    assert (details[0xA002], details[0xA003]) == (9, 6)
    assert [float(v) for v in place[2]] == [52, 30, 7.5]
    assert place[1].strip("\0") == "N"


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("source", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_profile_and_resolution_travel(source: str, kind: str) -> None:
    icc = srgb_icc()
    options: dict[str, object] = {"dpi": (300, 600)}
    if source == "WEBP":
        exif = Image.Exif()
        exif[0x011A], exif[0x011B], exif[0x0128] = 300.0, 600.0, 2
        options = {"exif": exif.tobytes()}
    photo = Photo.read(saved(source, Image.fromarray(GRAY).convert("RGB"), icc_profile=icc, **options))
    image = reopened(photo, kind)
    assert image.info["icc_profile"] == icc
    dpi = image.info.get("dpi") or [image.getexif()[tag] for tag in (0x011A, 0x011B)]
    assert [float(v) for v in dpi] == pytest.approx([300, 600], abs=0.02)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("source", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_xmp_is_kept_and_added_to(source: str, kind: str) -> None:
    if source == "PNG":
        from PIL.PngImagePlugin import PngInfo

        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", XMP.decode())
        data = saved("PNG", pnginfo=info)
    elif source == "TIFF":
        data = tiff(GRAY, extratags=[(700, 1, len(XMP), XMP, True)])
    else:
        data = saved(source, xmp=XMP)
    packet = reopened(Photo.read(data), kind).info["xmp"]
    packet = packet.encode() if isinstance(packet, str) else packet
    root = ElementTree.fromstring(packet.partition(b"?>")[2].rpartition(b"<?xpacket")[0])
    text = ElementTree.tostring(root, "unicode")
    assert "Aunt Zoë" in text
    assert HASH in text
    assert text.count('about="uuid:1"') == 2


def tiff(array: NDArray[np.generic], **options: object) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, array, metadata=None, **options)
    return stream.getvalue()


@pytest.mark.parametrize("kind", FORMATS)
def test_provenance_is_recorded(kind: str) -> None:
    image = reopened(Photo.read(saved("PNG")), kind)
    exif = image.getexif()
    assert exif[0x0131].startswith("tinct ")
    assert "colorized by tinct" in exif[0x010E]
    assert HASH in exif[0x010E]
    assert b"welsh" in exif.get_ifd(0x8769)[0x9286]
    xmp = image.info["xmp"]
    assert HASH in (xmp if isinstance(xmp, str) else xmp.decode())


def test_description_and_comment_of_the_source_are_not_touched() -> None:
    exif = Image.Exif()
    exif[0x010E] = "Grandmother, 1931"
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0ours"
    found = reopened(Photo.read(saved("JPEG", exif=exif.tobytes())), "jpg").getexif()
    assert found[0x010E] == "Grandmother, 1931"
    assert found.get_ifd(0x8769)[0x9286] == b"ASCII\0\0\0ours"
    assert found[0x0131].startswith("tinct ")


def test_coloring_again_replaces_the_record() -> None:
    once = Photo.read(colored(Photo.read(saved("PNG"))).encode("png", Provenance("levin")))
    packet = str(reopened(once, "png").text["XML:com.adobe.xmp"])  # type: ignore[attr-defined]
    assert packet.count("<tinct:Method>") == 1
    assert "<tinct:Method>welsh<" in packet


@pytest.mark.parametrize(
    "packet", [b"<not xml", b"<!DOCTYPE a [<!ENTITY b 'c'>]><rdf:RDF></rdf:RDF>", b"\xff\xfe<\0"]
)
def test_xmp_that_is_damaged_is_replaced(packet: bytes) -> None:
    image = reopened(Photo.read(saved("JPEG", xmp=packet)), "jpg")
    ElementTree.fromstring(image.info["xmp"].partition(b"?>")[2].rpartition(b"<?xpacket")[0])


def test_names_are_escaped_in_xmp() -> None:
    image = reopened(Photo.read(saved("PNG")), "jpg", Provenance("a<b>&'\"é"))
    assert "a<b>" not in image.info["xmp"].decode()
    ElementTree.fromstring(image.info["xmp"].partition(b"?>")[2].rpartition(b"<?xpacket")[0])


def test_captions_and_comments_of_jpeg_travel() -> None:
    block = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x0c\x1c\x02\x78\0\x07caption"
    app13 = b"\xff\xed" + (len(block) + 2).to_bytes(2, "big") + block
    data = saved("JPEG", comment=b"in the attic", extra=app13)
    image = reopened(Photo.read(data), "jpg")
    assert ("APP13", block) in image.applist  # type: ignore[attr-defined]
    assert image.info["comment"] == b"in the attic"
    stored = tifffile.TiffFile(io.BytesIO(colored(Photo.read(data)).encode("tif"))).pages[0].tags[34377].value
    assert bytes(stored) == block.removeprefix(b"Photoshop 3.0\0")


def test_texts_of_png_travel() -> None:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("Title", "Grandmother")
    info.add_itxt("Author", "Ζωή")
    for array in (GRAY, GRAY.astype(np.uint16) * 257):
        photo = Photo.read(saved("PNG", Image.fromarray(array), pnginfo=info))
        image = reopened(photo, "png")
        assert (image.text["Title"], image.text["Author"]) == ("Grandmother", "Ζωή")  # type: ignore[attr-defined]


def test_exif_too_long_for_jpeg_loses_its_largest_value_only() -> None:
    exif = full_exif()
    exif.get_ifd(0x8769)[0x927C] = bytes(70000)
    photo = Photo.read(saved("PNG", exif=exif.tobytes()))
    found = reopened(photo, "jpg").getexif()
    assert found[0x010F] == "Agfa"
    assert 0x927C not in found.get_ifd(0x8769)
    assert len(reopened(photo, "png").getexif().get_ifd(0x8769)[0x927C]) == 70000


@pytest.mark.parametrize("kind", ["png", "tif", "webp"])
@pytest.mark.parametrize("depth", [8, 16])
def test_alpha_travels(kind: str, depth: int) -> None:
    array = np.dstack([GRAY, ALPHA])
    photo = Photo.from_array(array if depth == 8 else array.astype(np.uint16) * 257)
    back = Photo.read(colored(photo).encode(kind))
    scale = 257 if back.bit_depth == 16 else 1
    np.testing.assert_array_equal(back.alpha, ALPHA.astype(np.uint16) * scale)
    assert back.bit_depth == (8 if kind == "webp" else depth)


@pytest.mark.parametrize("kind", ["jpg", "bmp"])
def test_transparent_places_are_white_where_there_is_no_alpha(kind: str) -> None:
    photo = Photo.from_array(np.dstack([np.zeros((16, 16), np.uint8), np.zeros((16, 16), np.uint8)]))
    assert Photo.read(photo.encode(kind)).lightness().min() > 99


@pytest.mark.parametrize("kind", ["png", "tif"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_what_is_written_is_read_back(kind: str, channels: int, dtype: type) -> None:
    array = RANDOM.integers(0, np.iinfo(dtype).max + 1, (13, 7, channels)).astype(dtype)
    photo = Photo.from_array(array)
    back = Photo.read(photo.encode(kind, PROVENANCE)).to_array()
    wanted = photo.to_array()
    np.testing.assert_array_equal(back, wanted)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_deep_photographs_round_to_the_nearest_8_bits(dtype: type) -> None:
    array = np.arange(0, 65536, 257 if dtype == np.uint8 else 13).astype(np.uint16)[None]
    back = Photo.read(Photo.from_array(array).encode("bmp")).to_array()
    np.testing.assert_array_equal(back, np.rint(array / 257))


def test_float_photographs_are_written_with_16_bits() -> None:
    array = RANDOM.random((5, 4, 3)).astype(np.float32)
    back = Photo.read(Photo.from_array(array).encode("png"))
    assert back.bit_depth == 16
    np.testing.assert_allclose(back.to_array() / 65535, array, atol=0.51 / 65535)


def test_pillow_image_goes_in_and_comes_out() -> None:
    image = Image.fromarray(np.dstack([GRAY, GRAY, GRAY, ALPHA]))
    image.info["icc_profile"] = srgb_icc()
    back = Photo.from_image(image).to_image()
    assert back.mode == "RGBA"
    assert back.info["icc_profile"] == srgb_icc()
    np.testing.assert_array_equal(np.asarray(back), np.asarray(image))


@pytest.mark.parametrize("kind", [*FORMATS, "bmp"])
def test_same_photograph_gives_the_same_bytes(kind: str) -> None:
    data = saved("PNG", exif=full_exif().tobytes())
    assert Photo.read(data).encode(kind, PROVENANCE) == Photo.read(data).encode(kind, PROVENANCE)


@pytest.mark.parametrize("kind", [*FORMATS, "bmp"])
def test_file_holds_what_encoding_gives(kind: str, tmp_path: Path) -> None:
    photo = Photo.read(saved("PNG", exif=full_exif().tobytes()))
    photo.write(tmp_path / f"a.{kind}", provenance=PROVENANCE)
    assert (tmp_path / f"a.{kind}").read_bytes() == photo.encode(kind, PROVENANCE)
    assert os.listdir(tmp_path) == [f"a.{kind}"]


def test_source_is_never_overwritten_unasked(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(saved("PNG"))
    (tmp_path / "link.png").symlink_to(path)
    os.link(path, tmp_path / "hard.png")
    photo = Photo.read(path)
    for name in ("a.png", "link.png", "hard.png", "../" + tmp_path.name + "/a.png"):
        with pytest.raises(OutputError, match="source itself"):
            photo.write(tmp_path / name)
    assert path.read_bytes() == saved("PNG")


def test_other_file_is_never_overwritten_unasked(tmp_path: Path) -> None:
    path = tmp_path / "b.png"
    path.write_bytes(b"precious")
    with pytest.raises(OutputError, match="exists"):
        Photo.from_array(GRAY).write(path)
    assert path.read_bytes() == b"precious"
    assert os.listdir(tmp_path) == ["b.png"]


def test_overwriting_follows_the_link_and_keeps_the_mode(tmp_path: Path) -> None:
    path, link = tmp_path / "a.png", tmp_path / "link.png"
    path.write_bytes(saved("PNG"))
    path.chmod(0o640)
    link.symlink_to(path)
    Photo.read(path).write(link, overwrite=True)
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    np.testing.assert_array_equal(Photo.read(path).to_array(), GRAY)


def test_new_file_has_the_mode_that_new_files_have(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    Photo.from_array(GRAY).write(tmp_path / "new.png")
    assert (tmp_path / "new.png").stat().st_mode == (tmp_path / "plain").stat().st_mode


class FullDisk:
    """Stands for os.fsync on a disk with no room left."""

    def __call__(self, handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "old.png"
    old.write_bytes(b"precious")
    monkeypatch.setattr(os, "fsync", FullDisk())
    for name in ("new.png", "old.png"):
        with pytest.raises(OutputError, match="disk is full"):
            Photo.from_array(GRAY).write(tmp_path / name, overwrite=True)
    assert os.listdir(tmp_path) == ["old.png"]
    assert old.read_bytes() == b"precious"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_stream_is_named() -> None:
    with pytest.raises(OSError, match="space"), open("/dev/full", "wb", buffering=0) as stream:
        Photo.from_array(GRAY).write(stream)


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everywhere")
def test_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    with pytest.raises(OutputError, match="permissions"):
        Photo.from_array(GRAY).write(folder / "a.png")


@pytest.mark.parametrize("name", ["no/such/folder/a.png", "a.heic", "a", "folder.png"])
def test_place_that_cannot_be_is_named_in_one_line(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(OutputError) as caught:
        Photo.from_array(GRAY).write(tmp_path / name)
    assert "\n" not in str(caught.value)
    assert os.listdir(tmp_path) == ["folder.png"]


def test_unknown_format_is_named() -> None:
    with pytest.raises(OutputError, match="heic"):
        Photo.from_array(GRAY).encode("heic")


@pytest.mark.parametrize(("kind", "side"), [("webp", 16384), ("jpg", 65501)])
def test_side_too_long_for_a_format_is_named(kind: str, side: int) -> None:
    with pytest.raises(OutputError, match=f"{side}x1"):
        Photo.from_array(np.zeros((1, side), np.uint8)).encode(kind)


def test_stream_gets_the_source_format_unless_told(tmp_path: Path) -> None:
    stream = io.BytesIO()
    Photo.read(saved("JPEG")).write(stream)
    assert Photo.read(stream.getvalue()).format == "JPEG"
    stream = io.BytesIO()
    Photo.from_array(GRAY).write(stream)
    assert Photo.read(stream.getvalue()).format == "PNG"
    Photo.from_array(GRAY).write(tmp_path / "named.png", format="jpg")
    assert Photo.read(tmp_path / "named.png").format == "JPEG"


def test_default_output_is_beside_the_photograph_or_in_the_folder() -> None:
    assert default_output("a/photo.jpg") == Path("a/photo.color.png")
    assert default_output("a/my.photo.tif", "out") == Path("out/my.photo.color.png")
