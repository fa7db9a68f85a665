"""Netpbm's formats (PBM, PGM, PPM), with colors of more than 8 bits, which Pillow rounds to 8."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from tinct.errors import PhotoError
from tinct.photo.color_models import by_strips
from tinct.photo.file_metadata import FileMetadata, Limits
from tinct.photo.pillow_reading import image_metadata, image_pixels, open_image

Pixels = NDArray[Any]

_HEAD = 1 << 16
"""Bytes in which the header has to end, comments among them."""

_FIELD = re.compile(rb"(?:\s|#[^\r\n]*[\r\n])*(\d+)")
_PLAIN = frozenset((b"P1", b"P2", b"P3"))
_CHANNELS = {b"P3": 3, b"P6": 3}
_COMMENT = re.compile(rb"#[^\r\n]*[\r\n]?")


@dataclass(frozen=True, slots=True)
class _Header:
    """A file's header.

    Attributes:
        magic: the first two bytes.
        width, height: in pixels.
        largest: the value of white.
        end: where the samples begin.
    """

    magic: bytes
    width: int
    height: int
    largest: int
    end: int


def read(stream: BinaryIO, limits: Limits) -> tuple[Pixels, Pixels | None, FileMetadata]:
    """Read the first picture of a file.

    Returns:
        The pixels, shape (H, W) or (H, W, 3), uint8 or uint16; no alpha; the metadata.
    Raises:
        PhotoError: if the picture is damaged or incomplete.
        PhotoTooLargeError: if the picture exceeds the limits.
    """
    image = open_image(stream, "PPM", limits)
    found = image_metadata(image)
    stream.seek(0)
    head = stream.read(_HEAD)
    header = _header(head)
    comments = _COMMENT.findall(head[: header.end]) if header is not None else []
    found.comment = b"\n".join(comment[1:].strip() for comment in comments) or None
    if header is None or header.magic not in _CHANNELS or header.largest < 256:
        pixels, alpha = image_pixels(image, found)
    else:
        limits.check(header.width, header.height, 3, 16)
        pixels, alpha = _deep_color(stream, header), None
    if header is not None and _has_more(stream, header):
        found.notes.append("it holds several pictures; the first is used")
    return pixels, alpha, found


def _header(head: bytes) -> _Header | None:
    """The header; None if it is damaged, which Pillow says."""
    place = 2
    numbers: list[int] = []
    for _ in range(2 if head[:2] in (b"P1", b"P4") else 3):
        found = _FIELD.match(head, place)
        if found is None or len(found[1]) > 9:
            return None
        numbers.append(int(found[1]))
        place = found.end()
    return _Header(head[:2], numbers[0], numbers[1], (*numbers, 1)[2], place + 1)


def _deep_color(stream: BinaryIO, header: _Header) -> NDArray[np.uint16]:
    """Samples of RGB scaled to 16 bits, shape (H, W, 3)."""
    count = header.width * header.height * 3
    stream.seek(header.end)
    if header.magic in _PLAIN:
        samples = _numbers(_COMMENT.sub(b"", stream.read()))[:count]
    else:
        data = stream.read(2 * count)
        samples = np.frombuffer(data[: len(data) // 2 * 2], ">u2")
    if len(samples) < count:
        raise PhotoError("the PPM ends in the middle; it is incomplete; copy or export it again.")
    if samples.min() < 0 or samples.max() > header.largest:
        raise PhotoError(f"some of its samples are beyond {header.largest}, its white; it is damaged.")
    scale = 65535 / header.largest
    shaped = samples.reshape(header.height, header.width, 3)
    return by_strips(shaped, lambda rows: np.rint(rows * scale), np.uint16, (3,))


def _numbers(text: bytes) -> NDArray[np.int64]:
    """The whole numbers of a text, up to the next picture.

    Raises:
        PhotoError: if something else is among them.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return np.fromstring(text.partition(b"P")[0], np.int64, sep=" ")
        except (DeprecationWarning, ValueError):
            raise PhotoError(
                "the PPM has samples that are no numbers; it is damaged; copy it again."
            ) from None


def _has_more(stream: BinaryIO, header: _Header) -> bool:
    """True if another picture follows one that is stored as bytes."""
    row = header.width * _CHANNELS.get(header.magic, 1) * (2 if header.largest > 255 else 1)
    row = -(-header.width // 8) if header.magic == b"P4" else row
    if header.magic in _PLAIN:
        return False
    stream.seek(header.end + row * header.height)
    following = stream.read(3)
    return following[:1] == b"P" and following[1:2] in b"123456" and following[2:].isspace()
