"""Laws of what a file says of across, down and places in a picture: it is true of the picture once that is upright."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from test_metadata_kept import GRAY, described, opened, packet, properties, result, saved

from tinct.photo import Photo

EXIF_SPACE = 'xmlns:exif="http://ns.adobe.com/exif/1.0/"'
RESOLUTIONS = {"XResolution": "300/1", "YResolution": "600/1"}
FOCAL = {"FocalPlaneXResolution": "7", "FocalPlaneYResolution": "9"}


def turned_exif(orientation: int) -> bytes:
    """EXIF of a picture with 300 dots an inch across and 600 down, without a unit of the sensor's resolution."""
    exif = Image.Exif()
    exif[0x0112], exif[0x011A], exif[0x011B], exif[0x0128] = orientation, 300, 600, 2
    details = exif.get_ifd(0x8769)
    details[0xA20E], details[0xA20F], details[0xA214] = 7, 9, (2, 3)
    return exif.tobytes()


@pytest.mark.parametrize("as_attributes", [False, True])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_what_is_across_goes_down_where_the_picture_lay_on_its_side(
    orientation: int, as_attributes: bool
) -> None:
    said = {f"tiff:{k}": v for k, v in RESOLUTIONS.items()} | {f"exif:{k}": v for k, v in FOCAL.items()}
    if as_attributes:
        xmp = described("", EXIF_SPACE + "".join(f' {name}="{value}"' for name, value in said.items()))
    else:
        xmp = described("".join(f"<{k}>{v}</{k}>" for k, v in said.items()), EXIF_SPACE)
    written, _ = result(saved("JPEG", exif=turned_exif(orientation), xmp=xmp), "jpg")
    step = -1 if orientation >= 5 else 1
    in_xmp, in_exif = properties(packet(written)), opened(written).getexif()
    for pairs in (RESOLUTIONS, FOCAL):
        assert [in_xmp[name] for name in pairs] == [[value] for value in list(pairs.values())[::step]]
    assert [in_exif[code] for code in (0x011A, 0x011B)] == [300, 600][::step]
    assert [in_exif.get_ifd(0x8769)[code] for code in (0xA20E, 0xA20F)] == [7, 9][::step]


def test_exif_without_a_unit_of_resolution_is_turned_as_well() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x011A], exif[0x011B], exif[0x0128] = 6, 3, 1, 1
    found = opened(result(saved("JPEG", exif=exif.tobytes()), "webp")[0]).getexif()
    assert (found[0x011A], found[0x011B]) == (1, 3)


@pytest.mark.parametrize("orientation", [1, 3, 6])
@pytest.mark.parametrize("name", ["SubjectArea", "SubjectLocation"])
def test_the_subject_in_xmp_is_kept_only_where_the_picture_was_not_turned(
    name: str, orientation: int
) -> None:
    area = f"<exif:{name}><rdf:Seq><rdf:li>2</rdf:li><rdf:li>3</rdf:li></rdf:Seq></exif:{name}>"
    data = saved("JPEG", exif=turned_exif(orientation), xmp=described(area, EXIF_SPACE))
    written, notes = result(data, "jpg")
    assert (name in properties(packet(written))) == (orientation == 1)
    assert any("regions" in note for note in notes) == (orientation != 1)


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_fax_page_that_is_turned_has_its_resolution_turned(orientation: int) -> None:
    """Its pixels are turned by the decoder."""
    stream = io.BytesIO()
    tags = {274: orientation, 282: 204, 283: 98, 296: 2}
    Image.fromarray(GRAY > 127).save(stream, "TIFF", compression="group4", tiffinfo=tags)
    photo = Photo.read(stream.getvalue())
    assert (photo.width, photo.height) == ((6, 9) if orientation == 1 else (9, 6))
    assert photo._metadata.dpi == ((204, 98) if orientation == 1 else (98, 204))
    found = opened(photo.encode("tif")).getexif()
    assert found.get(0x0112, 1) == 1
