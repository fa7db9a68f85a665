"""File formats: how they are recognized, which suffixes their files have, what they can hold."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from tinct.errors import OutputError


@dataclass(frozen=True, slots=True)
class Format:
    """A file format that tinct writes.

    Attributes:
        name: Pillow's name of the format.
        suffixes: of its files; the first is the usual one.
        deep: True if the format holds 16 bits a channel.
        alpha: True if the format holds transparency.
        largest_side: the most pixels of a side, or None where only the 32-bit size fields limit it.
        holds: further metadata that the format holds beside EXIF and XMP: "texts", "comment", "captions" (IPTC).
        metadata: True if the format holds EXIF, XMP and a profile.
    """

    name: str
    suffixes: tuple[str, ...]
    deep: bool
    alpha: bool
    largest_side: int | None = None
    holds: frozenset[str] = frozenset()
    metadata: bool = True


FORMATS = {
    f.name: f
    for f in (
        Format("PNG", (".png",), deep=True, alpha=True, holds=frozenset(("texts", "comment"))),
        Format(
            "JPEG",
            (".jpg", ".jpeg", ".jpe", ".jfif"),
            False,
            False,
            65500,
            frozenset(("comment", "captions")),
        ),
        Format("TIFF", (".tif", ".tiff"), deep=True, alpha=True, holds=frozenset(("captions",))),
        Format("WEBP", (".webp",), deep=False, alpha=True, largest_side=16383),
        Format("BMP", (".bmp", ".dib"), deep=False, alpha=False, metadata=False),
    )
}
"""The formats that are written, by name."""

SUFFIXES = {suffix: f for f in FORMATS.values() for suffix in f.suffixes}
"""The formats that are written, by suffix."""

READ_SUFFIXES = frozenset(
    (
        *SUFFIXES,
        *(".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx"),
        *(".avif", ".jxl", ".heic", ".heif", ".hif", ".mpo", ".psd"),
        *(".pgm", ".ppm", ".pbm", ".pnm", ".gif", ".apng", ".btf", ".tf8"),
    )
)
"""Suffixes of photographs in a folder."""


READ = "JPEG, PNG, WebP, TIFF, BMP, GIF, JPEG 2000, AVIF, JPEG XL, HEIC, PSD or PGM"
"""The formats that are read, for messages."""

_SIGNATURES = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"BM", "BMP"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG2000"),
    (b"\xff\x4f\xff\x51", "JPEG2000"),
    (b"8BPS\0\1", "PSD"),
    (b"\xff\x0a", "JXL"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JXL"),
)

_NOT_READ = (
    (b"%!PS", "EPS"),
    (b"\xc5\xd0\xd3\xc6", "EPS"),
    (b"%PDF", "PDF"),
    (b"II\xbc", "JPEG XR"),
    (b"8BPS\0\2", "PSB"),
    (b"P7\n", "PAM"),
    (b"PF\n", "PFM"),
    (b"Pf\n", "PFM"),
    (b"\x8aMNG", "MNG"),
    (b"\x8bJNG", "JNG"),
    (b"FLIF", "FLIF"),
    (b"BPG\xfb", "BPG"),
    (b"icns", "ICNS"),
    (b"\0\0\2\0", "TGA or CUR"),
    (b"\0\0\3\0", "TGA"),
    (b"\0\0\x0a\0", "TGA"),
    (b"\xd7\xcd\xc6\x9a", "WMF"),
    (b"\x1a\x45\xdf\xa3", "a film"),
    (b"\xd0\xcf\x11\xe0", "an Office document"),
    (b"<!DOCTYPE", "a web page"),
    (b"<!doctype", "a web page"),
    (b"<html", "a web page"),
    (b"gimp xcf", "XCF (GIMP)"),
    (b"v/1\1", "OpenEXR"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"IIRO", "a camera's raw (Olympus)"),
    (b"IIU\0", "a camera's raw (Panasonic)"),
    (b"FUJIFILMCCD-RAW", "a camera's raw (Fujifilm)"),
    (b"AT&TFORM", "DjVu"),
    (b"\0\0\1\0", "ICO"),
    (b"<svg", "SVG"),
    (b"\n\x05\x01", "PCX"),
    (b"\x59\xa6\x6a\x95", "Sun raster"),
    (b"\x01\xda", "SGI"),
    (b"DDS ", "DDS"),
    (b"qoif", "QOI"),
    (b"SIMPLE  =", "FITS"),
    (b"PK\3\4", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"{", "JSON"),
)

_BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), "HEIC"),
    **dict.fromkeys((b"avif", b"avis"), "AVIF"),
    b"crx ": "a camera's raw (Canon)",
}


def sniff(head: bytes) -> str | None:
    """The format of a file by its first 32 bytes, whatever its name; None if the format is not read."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp":
        kind = _brand(head)
        return kind if kind in ("HEIC", "AVIF") else None
    if head[:1] == b"P" and head[1:2] in b"123456" and head[2:3].isspace():
        return "PPM"
    return next((kind for mark, kind in _SIGNATURES if head.startswith(mark)), None)


def unsupported_format(head: bytes) -> str | None:
    """The name of a known format that is not read, by the first 32 bytes of a file; None if the format is not known."""
    if head[4:8] == b"ftyp":
        return _brand(head) or "a film"
    return next((name for mark, name in _NOT_READ if head.startswith(mark)), None)


def _brand(head: bytes) -> str | None:
    """What an ISO base media file is by its major brand, or by the first that it is compatible with."""
    brands = [head[8:12], *(head[i : i + 4] for i in range(16, 32, 4))]
    found = [_BRANDS[brand] for brand in brands if brand in _BRANDS]
    return "AVIF" if "AVIF" in found else next(iter(found), None)


def named_format(name: str) -> Format:
    """The format of a name ("png", "jpg", ".tif", "TIFF").

    Raises:
        OutputError: if tinct does not write the format.
    """
    word = name.strip().lower().lstrip(".")
    found = SUFFIXES.get(f".{word}") or FORMATS.get(word.upper())
    if found is None:
        raise OutputError(
            f"{name!r} is not a format that tinct writes; choose one of {', '.join(sorted(SUFFIXES))}."
        )
    return found


def path_format(path: Path) -> Format:
    """The format of a path, by its suffix.

    Raises:
        OutputError: if the path has no suffix, or one whose format tinct does not write.
    """
    found = SUFFIXES.get(path.suffix.lower())
    if found is None:
        met = f"ends in {path.suffix!r}" if path.suffix else "has no suffix"
        raise OutputError(
            f"{path} {met}, from which no format follows; end it in one of {', '.join(sorted(SUFFIXES))}."
        )
    return found


def default_output(path: str | PathLike[str], out_dir: str | PathLike[str] | None = None) -> Path:
    """The path of the result where the user named none: `photo.jpg` gives `photo.color.png`.

    The format is always PNG, which holds 8 and 16 bits, transparency and all metadata without loss.

    Args:
        path: the photograph.
        out_dir: the folder for the result; None means beside the photograph.
    """
    path = Path(path)
    return (path.parent if out_dir is None else Path(out_dir)) / f"{path.stem}.color.png"
