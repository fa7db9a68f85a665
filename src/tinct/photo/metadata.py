"""Metadata of a photograph's file, and the part of it that a result keeps."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from html import escape
from typing import Any

from tinct.photo import ifd, iptc
from tinct.photo.ifd import EXIF_IFD, INTEROP_IFD, Directory
from tinct.photo.provenance import Provenance, new_packet, updated_packet
from tinct.photo.xmp import Corrections
from tinct.photo.xmp_layout import XmpError

PROCESSING_SOFTWARE, ORIENTATION, SOFTWARE, DESCRIPTION = 0x000B, 0x0112, 0x0131, 0x010E
"""EXIF tags of texts and of the orientation."""

X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 0x011A, 0x011B, 0x0128
"""TIFF tags of the resolution."""

COLOR_SPACE, PIXEL_WIDTH, PIXEL_HEIGHT, USER_COMMENT = 0xA001, 0xA002, 0xA003, 0x9286
"""EXIF tags of the pixels, and the user's comment."""

_CODING = (0x9101, 0x9102)
"""EXIF tags of the source's coding: ComponentsConfiguration, CompressedBitsPerPixel."""

_PLACES = (0x9214, 0xA214)
"""EXIF tags of places in the stored picture: SubjectArea, SubjectLocation."""

_FOCAL_PLANE = (0xA20E, 0xA20F)
"""EXIF tags of the sensor's resolution across and down."""

_INTEROP_INDEX, _SRGB_RULE = 1, "R98"
"""EXIF's interoperability tag, and its value for sRGB; R03 is Adobe RGB (DCF 2.0)."""

SIGNATURE_LEFT_OUT = "its Content Credentials (C2PA) sign the photograph as it was, and were left out"
"""The note on a signed manifest, which no result can keep."""

INCH, CENTIMETER = 2, 3
"""TIFF's units of resolution; 1 is none, where only the ratio counts."""

# fmt: off
SOURCE_PIXELS = frozenset((
    254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 277, 278, 279, 280, 281, 284,
    290, 291, 292, 293, 297, 301, 317, 318, 319, 320, 321, 322, 323, 324, 325, 330, 332, 333, 334,
    336, 338, 339, 340, 341, 342, 347, 512, 513, 514, 515, 517, 518, 519, 520, 521, 529, 530,
    531, 532, 559, 700, 32995, 32996, 32997, 32998, 33421, 33422, 33723, 34377, 34675, 37439, 37724,
    50838, 50839, 51123,
    *range(50706, 50742), *range(50778, 50836), *range(50879, 50942), *range(50964, 50976), *range(51008, 51042),
    *range(51041, 51126), *range(52525, 52553),
))
# fmt: on
"""Tags that describe the source's own pixels and are untrue of a result: TIFF 6.0's layout, Photoshop's layers
(37724), DNG's tags (50706 and on), ImageJ's (50838, 50839), MicroManager's (51123); or that are carried in another
way (XMP 700, IPTC 33723 and 34377, ICC 34675)."""

_SHAPES = re.compile(rb"\{\"shape\":|ImageJ=|<\?xml[^<]{0,200}<OME|<OME|MicroManager|SCIFIO=")
"""How descriptions begin that programs wrote for themselves about shapes of arrays."""

_COMMENT_CODES = (b"ASCII\0\0\0", b"UNICODE\0", b"JIS\0\0\0\0\0", bytes(8))


@dataclass(frozen=True, slots=True)
class PngText:
    """A text of a PNG.

    Attributes:
        keyword: in Latin-1.
        text: the text.
        language, translated: of international texts: the language, and the keyword in that language.
    """

    keyword: str
    text: str
    language: str = ""
    translated: str = ""


@dataclass(frozen=True, slots=True)
class Metadata:
    """The metadata that goes from a source's file to its result's.

    Attributes:
        exif: an EXIF block that starts with a TIFF header, orientation reset, or None.
        icc: the ICC profile of the pixels, or None for sRGB without one.
        dpi: resolution across and down, in pixels per inch, or None.
        aspect: resolution across and down without a unit, where only their ratio is known, or None.
        xmp: an XMP packet, or None.
        iptc: the Photoshop resources (TIFF tag 34377) that hold IPTC captions, or None.
        texts: a PNG's texts.
        chunks: a PNG's other chunks that stay true, such as the time, the offset and private ones, as (name, body).
        comment: a JPEG's or GIF's comment, or None.
        turned: True if the pixels were turned upright as EXIF's orientation said.
        sideways: True if width and height changed places by that.
        notes: metadata that could not be kept, one sentence each.
    """

    exif: bytes | None = None
    icc: bytes | None = None
    dpi: tuple[float, float] | None = None
    aspect: tuple[float, float] | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    texts: tuple[PngText, ...] = ()
    chunks: tuple[tuple[bytes, bytes], ...] = ()
    comment: bytes | None = None
    turned: bool = False
    sideways: bool = False
    notes: tuple[str, ...] = ()

    def noted(self, *notes: str) -> Metadata:
        """The metadata with more notes."""
        return replace(self, notes=(*self.notes, *notes))

    def stamped(
        self,
        provenance: Provenance | None,
        size: tuple[int, int],
        *,
        srgb: bool,
        holds: frozenset[str] = frozenset(),
    ) -> Metadata:
        """The metadata of a result, with sizes and color space brought up to date, and the provenance recorded.

        Args:
            provenance: the record of the colorization; None for a photograph that was not colorized.
            size: width and height of the result.
            srgb: True if the result's pixels are sRGB.
            holds: further metadata that the format holds ("texts", "comment", "captions"); the rest goes into XMP and
                EXIF.
        """
        comment = None if "comment" in holds else self.comment or _comment_text(self.texts)
        exif = (
            self._updated_exif(provenance, size, srgb, comment)
            if self.exif or provenance or comment
            else None
        )
        made = replace(self, exif=None if exif is None else ifd.block_bytes(exif))
        corrections = _corrections(size, srgb, provenance is not None, self.turned)
        return made._with_packet(provenance, corrections, holds)

    def _updated_exif(
        self, provenance: Provenance | None, size: tuple[int, int], srgb: bool, comment: bytes | None
    ) -> Directory:
        exif = ifd.read_block(self.exif)
        details = exif.children.get(EXIF_IFD, Directory(exif.order))
        if PIXEL_WIDTH in details.entries or PIXEL_HEIGHT in details.entries:
            details.set_numbers(PIXEL_WIDTH, ifd.LONG, size[:1])
            details.set_numbers(PIXEL_HEIGHT, ifd.LONG, size[1:])
        if srgb and COLOR_SPACE in details.entries:
            details.set_numbers(COLOR_SPACE, ifd.SHORT, (1,))
        if srgb and _INTEROP_INDEX in details.children.get(INTEROP_IFD, Directory()).entries:
            details.children[INTEROP_IFD].set_text(_INTEROP_INDEX, _SRGB_RULE)
        if self.dpi is not None:
            for code, value in zip((X_RESOLUTION, Y_RESOLUTION), self.dpi, strict=True):
                exif.set_numbers(code, ifd.RATIONAL, rational(value))
            exif.set_numbers(RESOLUTION_UNIT, ifd.SHORT, (INCH,))
        if comment:
            _set_comment(exif, comment)
        if provenance is not None:
            _record(exif, provenance)
        return exif

    def _with_packet(
        self, provenance: Provenance | None, corrections: Corrections, holds: frozenset[str]
    ) -> Metadata:
        def more(names: frozenset[str], prefix: str) -> list[str]:
            lines = [] if "captions" in holds else iptc.xmp_properties(self.iptc, names, prefix)
            return lines + ([] if "texts" in holds else _text_properties(self.texts, names, lines, prefix))

        wanted = provenance is not None or bool(more(frozenset(), "rdf"))
        if self.xmp is None:
            return replace(self, xmp=new_packet(provenance, more) if wanted else None)
        try:
            exchanged = _ACROSS_AND_DOWN if self.sideways else ()
            packet = updated_packet(self.xmp, provenance, corrections, more, exchanged)
            updated = replace(self, xmp=packet)
            has_regions = self.turned and any(name in self.xmp for name in _REGION_NAMES)
            return updated.noted(_REGIONS_LEFT_OUT) if has_regions else updated
        except XmpError as error:
            made = replace(self, xmp=new_packet(provenance, more) if wanted else None)
            return made.noted(f"its XMP was left out: {error}")


def _record(exif: Directory, provenance: Provenance) -> None:
    """Program, sentence and comment; the scanner's program goes on as ProcessingSoftware."""
    before = exif.entries.get(SOFTWARE)
    if exif.text(SOFTWARE) and not exif.text(SOFTWARE).startswith(b"tinct ") and before is not None:
        exif.entries.setdefault(PROCESSING_SOFTWARE, before)
    exif.set_text(SOFTWARE, provenance.software)
    if not exif.text(DESCRIPTION):
        exif.set_text(DESCRIPTION, provenance.sentence)
    _set_comment(exif, provenance.sentence.encode())


def _set_comment(exif: Directory, comment: bytes) -> None:
    """Set EXIF's UserComment (EXIF 2.32, 4.6.5) unless it says something already."""
    details = exif.child(EXIF_IFD)
    entry = details.entries.get(USER_COMMENT)
    said = b"" if entry is None else entry.data
    code = next((code for code in _COMMENT_CODES if said.startswith(code)), b"")
    if said.removeprefix(code).strip(b"\0 "):
        return
    if comment.isascii():
        data = b"ASCII\0\0\0" + comment
    else:
        order = "utf-16-le" if exif.order == "<" else "utf-16-be"
        data = b"UNICODE\0" + readable(comment).encode(order)
    details.entries[USER_COMMENT] = ifd.Entry(ifd.UNDEFINED, len(data), data)


def readable(text: bytes) -> str:
    """Text in UTF-8, or in Latin-1 where the bytes are no UTF-8."""
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("latin-1")


def _comment_text(texts: tuple[PngText, ...]) -> bytes | None:
    """What a PNG says under the keyword Comment."""
    return next((text.text.encode("utf-8", "replace") for text in texts if text.keyword == "Comment"), None)


_OTHER_PICTURES = (
    *(f"hdrgm:{name}" for name in ("Version", "BaseRenditionIsHDR", "GainMapMin", "GainMapMax", "Gamma", "OffsetSDR",
                                   "OffsetHDR", "HDRCapacityMin", "HDRCapacityMax")),
    *(f"HDRGainMap:HDRGainMap{name}" for name in ("Version", "Headroom")),
    *(f"GCamera:{kind}{name}" for kind in ("MotionPhoto", "MicroVideo")
      for name in ("", "Version", "Offset", "PresentationTimestampUs")),
    "Container:Directory",
    *(f"GDepth:{name}" for name in ("Format", "Near", "Far", "Mime", "Data", "Units", "MeasureType", "ConfidenceMime",
                                    "Confidence", "Manufacturer", "Model", "Software", "ImageWidth", "ImageHeight")),
    *("GImage:Mime", "GImage:Data"),
)  # fmt: skip
"""Properties of pictures and films that phones put behind or into a photograph, which a result does not have."""

_REGIONS = (
    *("mwg-rs:Regions", "MP:RegionInfo", "iptcExt:ImageRegion"),
    *("exif:SubjectArea", "exif:SubjectLocation"),
)
_REGION_NAMES = tuple(name.rpartition(":")[2].encode() for name in _REGIONS)
_REGIONS_LEFT_OUT = "its XMP names regions of the picture as it lay before it was turned; they were left out"
"""Properties of places in the stored picture, such as faces."""

_ACROSS_AND_DOWN = (
    ("tiff:XResolution", "tiff:YResolution"),
    ("exif:FocalPlaneXResolution", "exif:FocalPlaneYResolution"),
)
"""Pairs of properties that change places where width and height do."""


def _corrections(size: tuple[int, int], srgb: bool, colored: bool, turned: bool) -> Corrections:
    """XMP's statements about the source's pixels, by name, with what is true of the result; None takes one out."""
    width, height = map(str, size)
    stale = ("tiff:BitsPerSample", "tiff:Compression", "tiff:PlanarConfiguration", "tiff:YCbCrSubSampling",
             "tiff:YCbCrPositioning", "tiff:YCbCrCoefficients", "tiff:ReferenceBlackWhite", "tiff:TransferFunction",
             "tiff:WhitePoint", "tiff:PrimaryChromaticities", "tiff:NativeDigest", "exif:NativeDigest",
             "exif:ComponentsConfiguration", "exif:CompressedBitsPerPixel", "xmp:Thumbnails")  # fmt: skip
    color: Corrections = {
        "tiff:SamplesPerPixel": "3",
        "tiff:PhotometricInterpretation": "2",
        "photoshop:ColorMode": "3",
        "photoshop:ICCProfile": "sRGB IEC61966-2.1" if srgb else None,
        "exif:ColorSpace": "1" if srgb else "65535",
        "crs:ConvertToGrayscale": "False",
    }
    return {
        **dict.fromkeys((*stale, *_OTHER_PICTURES, *(_REGIONS if turned else ()))),
        "tiff:Orientation": "1",
        "tiff:ImageWidth": width,
        "tiff:ImageLength": height,
        "exif:PixelXDimension": width,
        "exif:PixelYDimension": height,
        **(color if colored else {}),
    }


_TEXT_PROPERTIES = {"Title": "dc:title", "Description": "dc:description", "Copyright": "dc:rights",
                    "Author": "dc:creator"}  # fmt: skip


def _text_properties(
    texts: tuple[PngText, ...], names: frozenset[str], before: list[str], prefix: str
) -> list[str]:
    """A PNG's own keywords as XMP elements."""
    lines = []
    for name, items in _by_property(texts).items():
        if name in names or any(line.startswith(f"<{name}>") for line in before):
            continue
        form = "Seq" if name == "dc:creator" else "Alt"
        language = "" if form == "Seq" else ' xml:lang="x-default"'
        text = escape("".join(c for c in items[0] if c >= " " or c in "\n\t"))
        lines.append(
            f"<{name}><{prefix}:{form}><{prefix}:li{language}>{text}</{prefix}:li></{prefix}:{form}></{name}>"
        )
    return lines


def _by_property(texts: tuple[PngText, ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for text in texts:
        if (name := _TEXT_PROPERTIES.get(text.keyword)) is not None:
            found.setdefault(name, []).append(text.text)
    return found


def texts_without_place(texts: tuple[PngText, ...]) -> list[str]:
    """Keywords of a PNG's texts that other formats cannot hold."""
    return sorted({text.keyword for text in texts if text.keyword not in (*_TEXT_PROPERTIES, "Comment")})


def carried_exif(directory: Directory) -> bytes | None:
    """The EXIF of a result: a source's EXIF without pixel layout and thumbnail, upright; None if nothing is left."""
    _turn(directory)
    for code in [code for code in directory.entries if code in SOURCE_PIXELS]:
        del directory.entries[code]
    details = directory.children.get(EXIF_IFD, Directory()).entries
    for code in _CODING:
        details.pop(code, None)
    if _SHAPES.match(directory.text(DESCRIPTION)):
        del directory.entries[DESCRIPTION]
    return ifd.block_bytes(directory) if directory.entries or directory.children else None


def _turn(directory: Directory) -> None:
    """Bring what EXIF says of across and down, and of places, to the picture as it lies when it is upright."""
    turned, details = orientation(directory), directory.children.get(EXIF_IFD, Directory()).entries
    if turned > 1:
        for code in _PLACES:
            details.pop(code, None)
    if turned >= 5:
        for entries, pair in ((directory.entries, (X_RESOLUTION, Y_RESOLUTION)), (details, _FOCAL_PLANE)):
            values = [entries.pop(code, None) for code in pair]
            entries.update((code, v) for code, v in zip(pair, values[::-1], strict=True) if v is not None)
    if ORIENTATION in directory.entries:
        directory.set_numbers(ORIENTATION, ifd.SHORT, (1,))


def orientation(directory: Directory) -> int:
    """The EXIF orientation, 1..8; 1 where the tag is missing or has another value."""
    value = directory.number(ORIENTATION)
    return int(value) if value is not None and value in range(2, 9) else 1


def resolution(directory: Directory) -> tuple[tuple[float, float] | None, tuple[float, float] | None]:
    """The resolution of EXIF or TIFF tags: a pair in pixels per inch, or a pair without a unit; None for the other."""
    across, down = directory.number(X_RESOLUTION), directory.number(Y_RESOLUTION)
    unit = directory.number(RESOLUTION_UNIT) if RESOLUTION_UNIT in directory.entries else INCH
    scale = {1: 1.0, INCH: 1.0, CENTIMETER: 2.54}.get(
        int(unit) if unit is not None and math.isfinite(unit) else 0
    )
    if across is None or down is None or scale is None:
        return None, None
    pair = plausible_dpi((across * scale, down * scale))
    return (None, pair) if unit == 1 else (pair, None)


def plausible_dpi(dpi: Any) -> tuple[float, float] | None:
    """A pair of positive, finite numbers, or None."""
    try:
        across, down = (float(v) for v in dpi)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    fine = math.isfinite(across) and math.isfinite(down) and 0 < across < 1e6 and 0 < down < 1e6
    return (across, down) if fine else None


def rational(value: float) -> tuple[int, int]:
    """A positive number below a million as numerator and denominator of 32 bits."""
    from fractions import Fraction

    near = Fraction(value).limit_denominator(4000)
    return (near.numerator, near.denominator) if near else (1, 4000)
