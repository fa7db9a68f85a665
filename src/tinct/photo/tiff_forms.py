"""Forms of TIFF that are read: compressions, color models and types of samples; others are refused by name."""

from __future__ import annotations

from typing import Any

from tinct.errors import PhotoError
from tinct.photo import color_models
from tinct.photo.color_models import CIE_LAB, ICC_LAB

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, YCBCR = 0, 1, 2, 3, 5, 6
"""Color models (tag 262)."""

COLOR_SAMPLES = {
    WHITE_IS_ZERO: 1,
    BLACK_IS_ZERO: 1,
    RGB: 3,
    PALETTE: 1,
    CMYK: 4,
    YCBCR: 3,
    CIE_LAB: 3,
    ICC_LAB: 3,
}
"""Samples of the color, by color model; further samples are alpha or of no stated meaning."""

LZW, JPEG, _OLD_JPEG = 5, 7, 6
"""Compressions (tag 259): LZW, and JPEG in the new form and the old one."""

_CCITT = frozenset((2, 3, 4))
DEFLATE = frozenset((8, 32946))
"""Compressions (tag 259) of deflate."""

_DECODED = frozenset((1, LZW, JPEG, 32773, 34712, 34925, 50000, 50001)) | DEFLATE
"""Numbers of compressions (tag 259); those of the last set are decoded by imagecodecs."""

_BITS = {
    color_models.UNSIGNED: frozenset(range(1, 17)) | {32},
    color_models.SIGNED: frozenset((8, 16, 32)),
    color_models.FLOAT: frozenset((16, 32, 64)),
}
"""Bits a sample that are read, by type of sample (tag 339)."""


def bits_of(page: Any) -> int:
    """Bits a sample of a tifffile page, of the deepest channel."""
    bits = page.bitspersample
    return max(bits) if isinstance(bits, tuple) else int(bits)


def is_listed(page: Any) -> bool:
    """True if imagecodecs decodes the form of a page, False if Pillow's libtiff decodes it.

    Raises:
        PhotoError: if neither does, with the form's name.
    """
    bits, kind, samples = page.bitspersample, int(page.sampleformat or 1), page.samplesperpixel
    compression, photometric = int(page.compression), int(page.photometric)
    old = compression == _OLD_JPEG or (photometric == YCBCR and compression != JPEG)
    if (old and bits == 8) or (compression in _CCITT and bits == 1):
        return False
    if old or compression not in _DECODED:
        raise PhotoError(not_read(f"with {_name(page.compression)} compression"))
    if photometric not in COLOR_SAMPLES:
        raise PhotoError(not_read(f"of the color model {_name(page.photometric)}"))
    if page.dtype is None or isinstance(bits, tuple) or bits not in _BITS.get(kind, ()):
        named = {2: "signed ", 3: "floating-point ", 5: "complex ", 6: "complex "}.get(kind, "")
        raise PhotoError(not_read(f"with {named}samples of {bits} bits"))
    _check_model(page, photometric, kind, int(bits), samples)
    return True


def _check_model(page: Any, photometric: int, kind: int, bits: int, samples: int) -> None:
    if samples < COLOR_SAMPLES[photometric]:
        raise PhotoError(
            not_read(f"of the color model {_name(page.photometric)} with {samples} samples a pixel")
        )
    if page.imagedepth != 1:
        raise PhotoError(not_read(f"in {page.imagedepth} layers"))
    whole = photometric in (CIE_LAB, ICC_LAB, CMYK, YCBCR)
    if (whole and (bits not in (8, 16) or kind not in (1, 2))) or (
        photometric == PALETTE and (bits > 16 or kind != 1)
    ):
        raise PhotoError(not_read(f"of the color model {_name(page.photometric)} with {bits} bits a sample"))


def not_read(form: str) -> str:
    """The message that refuses a form of TIFF ("with LZMA compression") and names a form that is read."""
    return f"it is a TIFF {form}, which is not read; save it as gray or RGB of 8 or 16 bits, uncompressed or deflate."


def _name(value: Any) -> str:
    return str(getattr(value, "name", value))
