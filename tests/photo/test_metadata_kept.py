"""Laws of what a file says beside its pixels: nothing is lost without a word, and nothing is untrue afterwards."""

from __future__ import annotations

import io
import struct
import zlib
from xml.etree import ElementTree

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tinct.photo import Photo, Provenance
from tinct.version import __version__

GRAY = np.random.default_rng(5).integers(0, 256, (9, 6), np.uint8)
PROVENANCE = Provenance("zhang2017", "0123456789abcdef" * 4)
FORMATS = ["png", "jpg", "tif", "webp"]
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
TIFF_NAMESPACE = "http://ns.adobe.com/tiff/1.0/"
EXTENSION = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"


def saved(kind: str, array: NDArray[np.generic] = GRAY, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, kind, **({"lossless": True} if kind == "WEBP" else {}), **options)
    return stream.getvalue()


def tiff(**options: object) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, GRAY, photometric="minisblack", metadata=None, **options)
    return stream.getvalue()


def result(data: bytes, kind: str) -> tuple[bytes, tuple[str, ...]]:
    """The file of the colored photograph, and its notes."""
    photo = Photo.read(data)
    colored = photo.colored(np.full((photo.height, photo.width, 3), 0.5))
    return colored.encode(kind, PROVENANCE), colored.notes


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def packet(data: bytes) -> str:
    xmp = opened(data).info["xmp"]
    return xmp if isinstance(xmp, str) else xmp.decode()


def described(properties: str, attributes: str = "") -> bytes:
    """An XMP packet with these properties as elements and attributes of its one description."""
    spaces = f'xmlns:tiff="{TIFF_NAMESPACE}" xmlns:photoshop="{PHOTOSHOP}" xmlns:e="{EXTENSION}"'
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}"><rdf:Description rdf:about="" {spaces} '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/" {attributes}>{properties}</rdf:Description></rdf:RDF></x:xmpmeta>'
    ).encode()


def properties(text: str) -> dict[str, list[str]]:
    """All properties of a packet by their local names, elements and attributes alike."""
    body = text[text.index("<x:xmpmeta") : text.index("</x:xmpmeta>") + len("</x:xmpmeta>")]
    found: dict[str, list[str]] = {}
    for description in ElementTree.fromstring(body).iter(f"{{{RDF}}}Description"):
        pairs = [*description.attrib.items(), *((e.tag, "".join(e.itertext())) for e in description)]
        for name, value in pairs:
            found.setdefault(name.rpartition("}")[2], []).append(value)
    return found


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("source", ["JPEG", "TIFF"])
def test_letters_of_exif_stay_the_bytes_they_are(source: str, kind: str) -> None:
    exif = Image.Exif()
    exif[0x013B] = b"J\xc3\xbcrgen"
    block = exif.tobytes().replace(b"\x07\x00\x07\0\0\0", b"\x02\x00\x07\0\0\0")
    data = (
        saved("JPEG", exif=block)
        if source == "JPEG"
        else tiff(extratags=[(315, 2, 8, b"J\xc3\xbcrgen\0", True)])
    )
    written, _ = result(data, kind)
    assert "Jürgen".encode() in written


@pytest.mark.parametrize("kind", FORMATS)
def test_packet_is_upright_where_the_pixels_are(kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    for xmp in (described("", 'tiff:Orientation="6"'), described("<tiff:Orientation>6</tiff:Orientation>")):
        written, _ = result(saved("JPEG", exif=exif.tobytes(), xmp=xmp), kind)
        assert properties(packet(written))["Orientation"] == ["1"]
        assert opened(written).getexif().get(0x0112, 1) == 1


def test_packet_says_what_is_true_of_the_result() -> None:
    stale = "<photoshop:ColorMode>1</photoshop:ColorMode><tiff:BitsPerSample><rdf:Seq/></tiff:BitsPerSample>"
    xmp = described(
        stale, 'tiff:ImageWidth="99" tiff:PhotometricInterpretation="1" photoshop:ICCProfile="Dot Gain"'
    )
    found = properties(packet(result(saved("JPEG", xmp=xmp), "png")[0]))
    assert found["ColorMode"] == ["3"]
    assert found["ImageWidth"] == ["6"]
    assert found["PhotometricInterpretation"] == ["2"]
    assert found["ICCProfile"] == ["sRGB IEC61966-2.1"]
    assert "BitsPerSample" not in found


def test_pictures_behind_the_photograph_are_no_longer_told_of() -> None:
    """Phones put gain maps, films and depth behind a photograph; the result has none of them."""
    spaces = (
        'xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" xmlns:C="http://ns.google.com/photos/1.0/container/" '
        'xmlns:G="http://ns.google.com/photos/1.0/camera/" xmlns:D="http://ns.google.com/photos/1.0/depthmap/" '
    )
    xmp = described(
        "<C:Directory><rdf:Seq/></C:Directory><D:Format>RangeInverse</D:Format>",
        spaces + 'hdrgm:Version="1.0" G:MotionPhoto="1" G:MicroVideoOffset="9" G:BurstID="7"',
    )
    found = properties(packet(result(saved("JPEG", xmp=xmp), "jpg")[0]))
    assert not {"Version", "MotionPhoto", "MicroVideoOffset", "Directory", "Format"} & {*found} - {"Version"}
    assert found["Version"] == [__version__]
    assert found["BurstID"] == ["7"]


@pytest.mark.parametrize("orientation", [1, 6])
def test_places_in_the_picture_are_kept_only_where_it_was_not_turned(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif.get_ifd(0x8769)[0xA214] = (2, 3)
    space = 'xmlns:m="http://www.metadataworkinggroup.com/schemas/regions/"'
    xmp = described('<m:Regions rdf:parseType="Resource"><m:RegionList/></m:Regions>', space)
    written, notes = result(saved("JPEG", exif=exif.tobytes(), xmp=xmp), "jpg")
    assert ("Regions" in properties(packet(written))) == (orientation == 1)
    assert (0xA214 in opened(written).getexif().get_ifd(0x8769)) == (orientation == 1)
    assert any("regions" in note for note in notes) == (orientation != 1)


def test_exif_names_one_color_space() -> None:
    """Cameras write R03 for Adobe RGB; a result without such a profile is sRGB."""
    exif = Image.Exif()
    details = exif.get_ifd(0x8769)
    details[0xA001], details[0x9101] = 65535, b"\1\2\3\0"
    details[0xA005] = {1: "R03"}
    written = opened(result(saved("JPEG", exif=exif.tobytes()), "jpg")[0]).getexif()
    assert written.get_ifd(0x8769)[0xA001] == 1
    assert written.get_ifd(0xA005)[1] == "R98"
    assert 0x9101 not in written.get_ifd(0x8769)


def png_with(*chunks: tuple[bytes, bytes]) -> bytes:
    plain = saved("PNG")
    more = [struct.pack(">I", len(b)) + k + b + struct.pack(">I", zlib.crc32(k + b)) for k, b in chunks]
    return plain[:33] + b"".join(more) + plain[33:]


def test_private_chunks_are_kept_if_their_names_say_that_they_may_be() -> None:
    data = png_with((b"prVt", b"shelf 7"), (b"piXL", b"of the gray pixels"))
    written, notes = result(data, "png")
    assert (b"shelf 7" in written, b"of the gray pixels" in written, notes) == (True, False, ())
    assert any("prVt" in note for note in result(data, "tif")[1])


def test_signatures_of_the_source_are_told_to_be_left_out() -> None:
    plain = saved("JPEG")
    segment = b"\xff\xeb" + struct.pack(">H", 22) + b"JP\0\1jumb\0c2pa".ljust(20, b"\0")
    for data in (png_with((b"caBX", b"jumb c2pa")), plain[:2] + segment + plain[2:]):
        written, notes = result(data, "png")
        assert b"jumb" not in written
        assert any("Content Credentials" in note for note in notes)


def test_xmp_that_old_programs_put_into_a_text_of_a_png_is_kept() -> None:
    body = b"http://ns.adobe.com/xap/1.0/\0" + described("", 'photoshop:City="Bern"')
    info = PngInfo()
    info.add_text("Raw profile type APP1", f"\nAPP1\n{len(body):8}\n{body.hex()}\n")
    assert properties(packet(result(saved("PNG", pnginfo=info), "tif")[0]))["City"] == ["Bern"]


def test_comments_of_a_pgm_are_kept() -> None:
    data = b"P5\n# the barn\n6 9 # 1910\n255\n" + GRAY.tobytes()
    assert opened(result(data, "jpg")[0]).info["comment"] == b"the barn\n1910"


def test_source_type_of_the_gray_photograph_moves_to_its_parent() -> None:
    print_type = "http://cv.iptc.org/newscodes/digitalsourcetype/print"
    for xmp in (
        described(f"<e:DigitalSourceType>{print_type}</e:DigitalSourceType>"),
        described("", f'e:DigitalSourceType="{print_type}"'),
        described(f'<e:DigitalSourceType rdf:resource="{print_type}"/>'),
    ):
        once, _ = result(saved("JPEG", xmp=xmp), "jpg")
        for written in (once, result(once, "jpg")[0]):
            found = properties(packet(written))
            assert [value.rpartition("/")[2] for value in found["DigitalSourceType"]] == [
                "compositeWithTrainedAlgorithmicMedia"
            ]
            assert found["DerivedFrom"] == [print_type]
            assert found["AISystemUsed"] == ["tinct"]
            assert PROVENANCE.weights_sha256 in found["AISystemVersionUsed"][0]


def test_description_is_appended_to_and_not_replaced() -> None:
    text = '<dc:description><rdf:Alt><rdf:li xml:lang="x-default">Zoë &amp; Max</rdf:li></rdf:Alt></dc:description>'
    once, _ = result(saved("JPEG", xmp=described(text)), "jpg")
    twice, _ = result(once, "jpg")
    for written in (once, twice):
        assert properties(packet(written))["description"] == [f"Zoë & Max [{PROVENANCE.sentence}]"]


@pytest.mark.parametrize("kind", ["png", "webp"])
def test_captions_go_on_where_there_is_no_place_for_iptc(kind: str) -> None:
    block = (
        b"8BIM\x04\x04\0\0\0\0\0\x1e\x1c\x02\x78\0\x07caption\x1c\x02\x19\0\x03one\x1c\x02\x19\0\x03two\0\0\0"
    )
    body = b"Photoshop 3.0\0" + block
    written, _ = result(saved("JPEG", extra=b"\xff\xed" + struct.pack(">H", len(body) + 2) + body), kind)
    assert properties(packet(written))["description"] == [f"caption [{PROVENANCE.sentence}]"]
    assert properties(packet(written))["subject"] == ["onetwo"]
    if kind == "png":
        back, _ = result(written, "tif")
        stored = tifffile.TiffFile(io.BytesIO(back)).pages[0].tags[34377].value
        assert b"caption" in bytes(stored)


def test_comment_of_a_jpeg_goes_on_everywhere() -> None:
    data = saved("JPEG", comment="Zoë im Garten".encode())
    assert opened(result(data, "png")[0]).text["Comment"] == "Zoë im Garten"  # type: ignore[attr-defined]
    assert opened(result(data, "jpg")[0]).info["comment"] == "Zoë im Garten".encode()
    for kind in ("tif", "webp"):
        said = opened(result(data, kind)[0]).getexif().get_ifd(0x8769)[0x9286]
        assert said[:8] == b"UNICODE\0"
        assert said[8:].decode("utf-16-le") == "Zoë im Garten"


@pytest.mark.parametrize("size", [70_000, 900_000])
def test_packet_of_any_size_is_kept(size: int) -> None:
    text = f"<photoshop:History>{'x' * size}</photoshop:History>"
    data = saved("PNG", pnginfo=with_xmp(described(text)))
    for kind in FORMATS:
        back = Photo.read(result(data, kind)[0])._metadata.xmp or b""
        assert back.count(b"x" * size) == 1
        assert b"tinct:Method" in back


def with_xmp(xmp: bytes) -> PngInfo:
    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", xmp.decode())
    return info


def test_private_tags_of_a_tiff_stay_and_statements_about_its_pixels_go() -> None:
    tags = [
        (65000, 5, 1, (1, 3), True),
        (65002, 12, 2, (0.5, 1e-9), True),
        (33550, 12, 3, (1.0, 2.0, 0.0), True),
        (37724, 7, 4, b"8BIM", True),
        (50706, 1, 4, (1, 4, 0, 0), True),
    ]
    written, _ = result(tiff(extratags=tags, software="SilverFast", description='{"shape": [9, 6]}'), "tif")
    page = tifffile.TiffFile(io.BytesIO(written)).pages[0]
    assert (page.tags[65000].value, page.tags[65002].value) == ((1, 3), (0.5, 1e-9))
    assert page.tags[33550].value == (1.0, 2.0, 0.0)
    assert not {37724, 50706} & set(page.tags.keys())
    assert page.tags[0x000B].value == "SilverFast"
    assert "shape" not in page.description


def test_resolution_without_a_unit_keeps_its_ratio() -> None:
    data = tiff(resolution=(3, 1), resolutionunit="none")
    page = tifffile.TiffFile(io.BytesIO(result(data, "tif")[0])).pages[0]
    assert (page.tags[282].value, page.tags[283].value, page.tags[296].value) == ((3, 1), (1, 1), 1)
    jpeg = opened(result(data, "jpg")[0])
    assert (jpeg.info["jfif_density"], jpeg.info["jfif_unit"]) == ((3, 1), 0)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    found, place = [], 8
    while place < len(data):
        (length,) = struct.unpack_from(">I", data, place)
        found.append((data[place + 4 : place + 8], data[place + 8 : place + 8 + length]))
        place += 12 + length
    return found


def test_chunks_of_a_png_that_stay_true_are_kept() -> None:
    said = [
        (b"tIME", struct.pack(">H5B", 1931, 5, 6, 7, 8, 9)),
        (b"pHYs", struct.pack(">IIB", 3, 1, 0)),
        (b"oFFs", struct.pack(">iiB", 5, -7, 0)),
        (b"iTXt", b"Title\0\0\0en\0\0Grandmother"),
        (b"iTXt", "Title\0\0\0de\0Titel\0Großmutter".encode()),
    ]
    data = saved("PNG")
    written, _ = result(data[:33] + b"".join(chunk(*each) for each in said) + data[33:], "png")
    assert [each for each in said if each not in chunks(written)] == []


@pytest.mark.parametrize("depth", [8, 16])
def test_gamma_of_a_png_is_applied(depth: int) -> None:
    """A linear ramp is as light as its own luminance says."""
    top = 2**depth - 1
    ramp = np.linspace(0, top, 256).round().astype(f"u{depth // 8}").reshape(16, 16)
    plain = Photo.from_array(ramp).encode("png")
    luminance = ramp / top
    lightness = np.where(luminance > 216 / 24389, 116 * np.cbrt(luminance) - 16, luminance * 24389 / 27)
    for said in (chunk(b"gAMA", struct.pack(">I", 100000)), chunk(b"cICP", bytes((1, 8, 0, 1)))):
        photo = Photo.read(plain[:33] + said + plain[33:])
        np.testing.assert_allclose(photo.lightness(), lightness, atol=0.25 if depth == 8 else 2e-3)
    srgb = chunk(b"sRGB", b"\0") + chunk(b"gAMA", struct.pack(">I", 100000))
    np.testing.assert_array_equal(Photo.read(plain[:33] + srgb + plain[33:]).to_array(), ramp)


def test_transparent_value_of_a_deep_gray_png_becomes_alpha() -> None:
    deep = GRAY.astype(np.uint16) * 257
    plain = Photo.from_array(deep).encode("png")
    value = struct.pack(">H", int(deep[0, 0]))
    photo = Photo.read(plain[:33] + chunk(b"tRNS", value) + plain[33:])
    np.testing.assert_array_equal(photo.alpha == 0, deep == deep[0, 0])


@pytest.mark.parametrize("kind", range(1, 14))
@pytest.mark.parametrize(
    "tag", [0x0112, 0x011A, 0x0128, 0x010E, 0x0131, 0x9286, 0xA001, 0xA002, 0x8769, 0x8825]
)
def test_any_type_and_value_of_a_tag_leaves_the_picture_alone(tag: int, kind: int) -> None:
    for count, order in ((1, "<"), (3, ">"), (0, "<")):
        entry = struct.pack(order + "HHI", tag, kind, count) + b"\xff\xfe\x01\x80"
        mark = b"II*\0" if order == "<" else b"MM\0*"
        block = mark + struct.pack(order + "IH", 8, 1) + entry + bytes(4) + b"\xc3\x28\xff\x00" * 40
        data = saved("JPEG", exif=b"Exif\0\0" + block)
        assert sorted((Photo.read(data).width, Photo.read(data).height)) == [6, 9]
        for target in FORMATS:
            opened(result(data, target)[0])


def test_notes_say_what_a_format_has_no_place_for() -> None:
    info = PngInfo()
    info.add_text("Shelf", "12")
    assert any("Shelf" in note for note in result(saved("PNG", pnginfo=info), "jpg")[1])
    assert any("metadata" in note for note in result(saved("JPEG", comment=b"attic"), "bmp")[1])
    assert result(saved("JPEG"), "png")[1] == ()
