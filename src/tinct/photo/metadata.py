"""What a photograph's file says beside its pixels, and what of it a result may keep."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tinct.photo.provenance import Provenance, merge_xmp

if TYPE_CHECKING:
    from PIL import Image

EXIF_IFD, GPS_IFD = 0x8769, 0x8825
ORIENTATION, SOFTWARE, DESCRIPTION = 0x0112, 0x0131, 0x010E
X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 0x011A, 0x011B, 0x0128
COLOR_SPACE, PIXEL_WIDTH, PIXEL_HEIGHT, USER_COMMENT = 0xA001, 0xA002, 0xA003, 0x9286

PHOTOSHOP_MARKER = b"Photoshop 3.0\0"
"""What a JPEG APP13 segment of Photoshop resources starts with."""

# fmt: off
_PIXEL_LAYOUT = frozenset((
    254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 277, 278, 279, 280, 281, 284,
    290, 291, 292, 293, 301, 317, 318, 319, 320, 321, 322, 323, 324, 325, 330, 332, 333, 334,
    336, 338, 339, 340, 341, 342, 347, 512, 513, 514, 515, 517, 518, 519, 520, 521, 529, 530,
    531, 532, 700, 34377, 34675, 37439, 50838, 50839,
))
# fmt: on
"""TIFF tags that describe the source's own pixel data (TIFF 6.0), or that are carried in another way."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What is carried from the source's file to the result's.

    Attributes:
        exif: an EXIF block that starts with a TIFF header, orientation reset, or None.
        icc: the ICC profile that belongs to the pixels, or None for sRGB without one.
        dpi: resolution across and down, in pixels per inch, or None.
        xmp: an XMP packet, or None.
        iptc: the Photoshop resource block that holds IPTC captions (TIFF tag 34377), or None.
        texts: a PNG file's keywords and texts.
        comment: a JPEG file's comment, or None.
    """

    exif: bytes | None = None
    icc: bytes | None = None
    dpi: tuple[float, float] | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    texts: tuple[tuple[str, str], ...] = ()
    comment: bytes | None = None

    def stamped(self, provenance: Provenance | None, size: tuple[int, int], *, srgb: bool) -> Metadata:
        """The metadata of a result: sizes and color space brought up to date, the provenance recorded.

        Args:
            provenance: how the result was made; None for a photograph that was not colorized.
            size: width and height of the result.
            srgb: True if the result's pixels are sRGB.
        """
        from dataclasses import replace

        exif = exif_block(self._updated_exif(provenance, size, srgb)) if self.exif or provenance else None
        xmp = merge_xmp(self.xmp, provenance) if provenance else self.xmp
        return replace(self, exif=exif, xmp=xmp)

    def _updated_exif(self, provenance: Provenance | None, size: tuple[int, int], srgb: bool) -> Image.Exif:
        exif = parse_exif(self.exif)
        details = exif.get_ifd(EXIF_IFD)
        if PIXEL_WIDTH in details or PIXEL_HEIGHT in details:
            details[PIXEL_WIDTH], details[PIXEL_HEIGHT] = size
        if srgb and COLOR_SPACE in details:
            details[COLOR_SPACE] = 1
        if self.dpi is not None:
            exif[X_RESOLUTION], exif[Y_RESOLUTION] = self.dpi
            exif[RESOLUTION_UNIT] = 2
        if provenance is not None:
            exif[SOFTWARE] = provenance.software
            if not str(exif.get(DESCRIPTION, "")).strip():
                exif[DESCRIPTION] = provenance.sentence
            if not details.get(USER_COMMENT, b"").strip(b"\0 ASCI"):
                details[USER_COMMENT] = b"ASCII\0\0\0" + provenance.sentence.encode("ascii")
                exif._ifds[EXIF_IFD] = details  # get_ifd gives a dictionary of its own where there was none
        return exif


def parse_exif(block: bytes | None) -> Image.Exif:
    """Parse an EXIF block with or without its "Exif" marker; an empty one if it is missing or damaged."""
    from PIL import Image

    exif = Image.Exif()
    if block:
        try:
            exif.load(block)
            exif.get_ifd(EXIF_IFD)
        except Exception:  # Pillow raises whatever its parsing ran into
            return Image.Exif()
    return exif


def carried_exif(exif: Image.Exif) -> bytes | None:
    """The part of a source's EXIF that is true of a result too: no pixel layout, no thumbnail, upright."""
    for tag in [tag for tag in exif if tag in _PIXEL_LAYOUT]:
        del exif[tag]
    if ORIENTATION in exif:
        exif[ORIENTATION] = 1
    return exif_block(exif) if len(exif) else None


def exif_block(exif: Image.Exif) -> bytes:
    """Serialize EXIF from its TIFF header on; tags that cannot be written are left out, the rest is kept."""
    try:
        return _bare(exif.tobytes())
    except Exception:  # a tag with a value that does not fit its type, as damaged files have them
        _drop_unwritable(exif)
    return _bare(exif.tobytes())


def exif_dpi(exif: Image.Exif) -> tuple[float, float] | None:
    """The resolution that EXIF or TIFF tags state, in pixels per inch."""
    unit = {2: 1.0, 3: 2.54}.get(exif.get(RESOLUTION_UNIT, 2))
    try:
        across, down = float(exif[X_RESOLUTION]), float(exif[Y_RESOLUTION])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return None if unit is None else plausible_dpi((across * unit, down * unit))


def plausible_dpi(dpi: Any) -> tuple[float, float] | None:
    """A pair of positive, finite numbers, or None."""
    try:
        across, down = (float(v) for v in dpi)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    fine = math.isfinite(across) and math.isfinite(down) and 0 < across < 1e6 and 0 < down < 1e6
    return (across, down) if fine else None


def _bare(block: bytes) -> bytes:
    return block.removeprefix(b"Exif\0\0")


def _drop_unwritable(exif: Image.Exif) -> None:
    from PIL import Image

    for directory in (EXIF_IFD, GPS_IFD, None):
        values = exif if directory is None else exif.get_ifd(directory)
        for tag, value in list(values.items()):
            alone = Image.Exif()
            if directory is None:
                alone[tag] = value
            else:
                alone._ifds[directory] = {tag: value}
            try:
                alone.tobytes()
            except Exception:
                del values[tag]
