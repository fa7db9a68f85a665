"""The file formats: how they are recognized, what their files are called, what they can hold."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from tinct.errors import OutputError


@dataclass(frozen=True, slots=True)
class Format:
    """A file format that tinct writes.

    Attributes:
        name: as Pillow knows it.
        suffixes: what its files end in; the first is the usual one.
        deep: True if it holds 16 bits a channel.
        alpha: True if it holds transparency.
        largest_side: pixels that one side may have, or None where only the 32-bit size fields limit it.
    """

    name: str
    suffixes: tuple[str, ...]
    deep: bool
    alpha: bool
    largest_side: int | None = None


FORMATS = {
    f.name: f
    for f in (
        Format("PNG", (".png",), deep=True, alpha=True),
        Format("JPEG", (".jpg", ".jpeg", ".jpe"), deep=False, alpha=False, largest_side=65500),
        Format("TIFF", (".tif", ".tiff"), deep=True, alpha=True),
        Format("WEBP", (".webp",), deep=False, alpha=True, largest_side=16383),
        Format("BMP", (".bmp", ".dib"), deep=False, alpha=False),
    )
}
SUFFIXES = {suffix: f for f in FORMATS.values() for suffix in f.suffixes}


def sniff(head: bytes) -> str | None:
    """Recognize a file by its first 16 bytes, whatever it is called; None if it is none of the known ones."""
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "TIFF"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head.startswith(b"BM"):
        return "BMP"
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "GIF"
    return None


def named_format(name: str) -> Format:
    """The format that a name ("png", "jpg", ".tif", "TIFF") stands for.

    Raises:
        OutputError: if tinct does not write it.
    """
    word = name.strip().lower().lstrip(".")
    found = SUFFIXES.get(f".{word}") or FORMATS.get(word.upper())
    if found is None:
        raise OutputError(
            f"{name!r} is not a format that tinct writes; choose one of {', '.join(sorted(SUFFIXES))}."
        )
    return found


def path_format(path: Path) -> Format:
    """The format that a path's suffix stands for.

    Raises:
        OutputError: if it has none, or one that tinct does not write.
    """
    found = SUFFIXES.get(path.suffix.lower())
    if found is None:
        met = f"ends in {path.suffix!r}" if path.suffix else "has no suffix"
        raise OutputError(
            f"{path} {met}, from which no format follows; end it in one of {', '.join(sorted(SUFFIXES))}."
        )
    return found


def default_output(path: str | PathLike[str], out_dir: str | PathLike[str] | None = None) -> Path:
    """Where the result for a photograph goes when nobody said: `photo.jpg` gives `photo.color.png`.

    Always PNG: it holds 8 and 16 bits, transparency and all metadata, and loses nothing.

    Args:
        path: the photograph.
        out_dir: the folder for the result; None means beside the photograph.
    """
    path = Path(path)
    return (path.parent if out_dir is None else Path(out_dir)) / f"{path.stem}.color.png"
