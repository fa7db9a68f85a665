"""Metadata of a file as its reader found it, and the limits that every reader checks."""

from __future__ import annotations

from dataclasses import dataclass, field

from tinct.errors import PhotoError, PhotoTooLargeError
from tinct.photo import iptc
from tinct.photo.ifd import Directory
from tinct.photo.metadata import Metadata, PngText, carried_exif, orientation, resolution

MOST_SAMPLES = 5
"""Samples a pixel may have: CMYK and transparency."""

_BYTES_A_PIXEL = 8
"""RGB and alpha of 16 bits: `max_pixels` of these are the most bytes that a file may decode to."""

_MOST_SCANS = 100
"""Scans of a JPEG, which libjpeg-turbo's authors name as the bound; encoders make ten or twelve."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a file's size; checked on the header, before anything is decoded.

    Attributes:
        max_pixels: the most pixels, width times height.
    """

    max_pixels: int

    def check(self, width: int, height: int, samples: int = 1, bits: int = 8) -> None:
        """Refuse a photograph that is too large.

        Args:
            width, height: in pixels.
            samples: a pixel.
            bits: a sample.
        Raises:
            PhotoError: if the photograph has no pixels, or more samples than MOST_SAMPLES.
            PhotoTooLargeError: if the photograph has too many pixels, or bytes.
        """
        if width < 1 or height < 1:
            raise PhotoError(f"it is {width}x{height}, which is no photograph; check how it was made.")
        if samples > MOST_SAMPLES:
            raise PhotoError(
                f"it has {samples} samples a pixel; at most {MOST_SAMPLES} are read; export it as RGB."
            )
        bound = self.max_pixels * _BYTES_A_PIXEL
        if width * height > self.max_pixels or width * height * samples * -(-bits // 8) > bound:
            raise PhotoTooLargeError(
                f"it is {width}x{height}, {width * height / 1e6:.4g} megapixels; at most {self.max_pixels / 1e6:.4g} "
                "are read; scale it down, or raise max_pixels, which Python and tinct serve take."
            )

    def check_scans(self, scans: int, width: int, height: int) -> None:
        """Refuse a JPEG with very many scans, as its decoder goes over all pixels once for each scan.

        Raises:
            PhotoError: if the JPEG has more scans than any encoder makes, or more than its size allows.
        """
        most = max(12, min(_MOST_SCANS, 10 * self.max_pixels // max(width * height, 1)))
        if scans > most:
            raise PhotoError(f"it has {scans} scans; at most {most} are read at this size; save it anew.")


@dataclass(slots=True)
class FileMetadata:
    """Metadata of a file.

    Attributes:
        exif: the first directory of its EXIF, or of the TIFF itself.
        icc, xmp, iptc, comment, dpi, aspect, texts, chunks: as in `Metadata`, as found.
        notes: the reader's decisions, one sentence each.
    """

    exif: Directory = field(default_factory=Directory)
    icc: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    comment: bytes | None = None
    dpi: tuple[float, float] | None = None
    aspect: tuple[float, float] | None = None
    texts: list[PngText] = field(default_factory=list)
    chunks: list[tuple[bytes, bytes]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def orientation(self) -> int:
        """The EXIF orientation of the stored pixels, 1..8 (EXIF 2.32, 4.6.4)."""
        return orientation(self.exif)

    def carried(self) -> Metadata:
        """The metadata that a result keeps."""
        dpi, aspect = resolution(self.exif)
        turned, sideways = self.orientation > 1, self.orientation >= 5
        dpi = self.dpi or dpi
        aspect = None if dpi else self.aspect or aspect
        if sideways:
            dpi, aspect = (pair and (pair[1], pair[0]) for pair in (dpi, aspect))
        return Metadata(
            exif=carried_exif(self.exif),
            icc=self.icc or None,
            dpi=dpi,
            aspect=aspect,
            xmp=self.xmp or None,
            iptc=iptc.carried_resources(self.iptc),
            texts=tuple(self.texts),
            chunks=tuple(self.chunks),
            comment=self.comment or None,
            turned=turned,
            sideways=sideways,
        )
