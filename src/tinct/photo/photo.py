"""`Photo`: a photograph with its pixels at their own depth, and its file's metadata."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO, UnsupportedOperation
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinct.errors import OutputError, ShapeError, shown
from tinct.photo.area_mean import area_mean, strips
from tinct.photo.arrays import checked, integers, quantize, with_rows_below
from tinct.photo.coloring import Rows, colored_pixels, rows_of
from tinct.photo.formats import FORMATS, Format, named_format, path_format
from tinct.photo.metadata import Metadata
from tinct.photo.provenance import Provenance
from tinct.photo.tint import TINT_TOLERANCE, color_beside_tone, color_off_paper

if TYPE_CHECKING:
    from PIL import Image

    from tinct.photo.reading import Decoded

Array = NDArray[np.float32]
Pixels = NDArray[Any]

DEFAULT_MAX_PIXELS = 250_000_000
"""The most pixels of a file that is decoded; a sheet of A3 at 1200 dpi is just below."""

_TINT_SIZE = 256


class Photo:
    """A photograph, upright.

    Pixels stay as in the file, 8 or 16 bits in the file's own color space; lightness and color are computed by rows on
    demand, so that a scan of 100 megapixels needs no full-size floats.

    An ICC profile defines the colors of the file's pixels. A result keeps the profile, with its pixels in that space,
    if it is a matrix profile that holds all of sRGB (Adobe RGB, Display P3, ProPhoto; sRGB itself); with any other
    profile (gray, CMYK, a scanner's tables) the result is sRGB, with a profile that says so. L* is the same either
    way.

    Attributes:
        height, width: in pixels, after turning as the EXIF orientation says.
        bit_depth: 8 or 16 a channel; 32 for a photograph from a float array.
        alpha: opacity, shape (H, W), of the pixels' own type, or None.
        format: "JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF"..., or None where there was no file.
        path: the file that the photograph was read from, or None.
        provenance: how the photograph was colorized, which a written file records; None for a photograph as it was
            read.
        notes: decisions of reading ("it has 3 pages; the first is used"); writing adds metadata that the format cannot
            hold.
        pages: the number of pictures of full size in the file.
        page: which of them the photograph is, from 1.
    """

    def __init__(self, decoded: Decoded, path: Path | None = None) -> None:
        self._pixels = decoded.pixels
        self._profile = decoded.profile
        self._metadata = decoded.metadata
        self._array_dtype: np.dtype[Any] = decoded.pixels.dtype
        self.alpha = decoded.alpha
        self.format = decoded.format
        self.notes = decoded.notes
        self.pages = decoded.pages
        self.page = 1
        self._own_colors: bool | None = None
        self.provenance: Provenance | None = None
        self.path = path

    @classmethod
    def read(
        cls,
        source: str | PathLike[str] | bytes | BinaryIO,
        *,
        max_pixels: int = DEFAULT_MAX_PIXELS,
        page: int | None = None,
    ) -> Photo:
        """Read a photograph of any format that is read, whatever the file's name.

        Args:
            source: a path, a file's content, or a stream (read to its end).
            max_pixels: files that declare more pixels, or that decode to more bytes than this many pixels of RGB and
                alpha of 16 bits, are refused before anything is decoded.
            page: of a TIFF, from 1, thumbnails not counted; None takes the first, with a note of others.
        Raises:
            PhotoError: if the source is missing, a directory, empty, damaged or not a photograph, or has no such page.
            PhotoTooLargeError: if the photograph has more than `max_pixels` pixels.
        """
        from tinct.photo.reading import decode

        path = Path(source) if isinstance(source, str | PathLike) else None
        photo = cls(decode(source, max_pixels, page), path)
        photo.page = page or 1
        return photo

    @classmethod
    def from_array(cls, array: ArrayLike) -> Photo:
        """A photograph from an array.

        Args:
            array: sRGB, shape (H, W), (H, W, 1), (H, W, 2: gray and alpha), (H, W, 3) or (H, W, 4: RGB and alpha);
                uint8 or uint16 over their whole range, or float in 0..1.
        Raises:
            ShapeError: for any other array, NaN and infinity among them.
        """
        from tinct.photo.pillow_reading import split_alpha
        from tinct.photo.reading import Decoded

        pixels, alpha = split_alpha(checked(array))
        if np.may_share_memory(pixels, np.asarray(array)):  # the caller may write into the array later
            pixels = pixels.copy()
        photo = cls(Decoded(pixels, alpha, None, Metadata(), None))
        given = np.asarray(array).dtype
        photo._array_dtype = (
            given if given.kind == "f" or given == pixels.dtype.newbyteorder("S") else pixels.dtype
        )
        return photo

    @classmethod
    def from_image(cls, image: Image.Image) -> Photo:
        """A photograph from a Pillow image of any mode, with the image's metadata.

        Raises:
            PhotoError: if the image cannot be decoded, or has 32 bits a channel.
        """
        from tinct.photo.reading import decode_pillow

        filename = getattr(image, "filename", "")
        return cls(decode_pillow(image), Path(filename) if isinstance(filename, str) and filename else None)

    @property
    def height(self) -> int:
        """Height in pixels, upright."""
        return int(self._pixels.shape[0])

    @property
    def width(self) -> int:
        """Width in pixels, upright."""
        return int(self._pixels.shape[1])

    @property
    def bit_depth(self) -> int:
        """Bits a channel: 8 or 16; 32 for a photograph from a float array."""
        return int(self._pixels.dtype.itemsize * 8)

    @property
    def eight_bit_srgb(self) -> bool:
        """True if the colored result has sRGB pixels of 8 bits."""
        return self._pixels.dtype == np.uint8 and not self._keeps_profile

    @property
    def _keeps_profile(self) -> bool:
        return self._profile is not None and self._profile.holds_srgb

    def __repr__(self) -> str:
        kind = "gray" if self._pixels.ndim == 2 else "RGB"
        return f"<Photo {self.width}x{self.height} {kind} {self.bit_depth} bit {self.format or 'array'}>"

    def lightness(self, top: int = 0, bottom: int | None = None) -> Array:
        """CIE L* of some rows.

        Args:
            top, bottom: the first row and the one after the last; None is the photograph's end.
        Returns:
            L*, shape (rows, W), float32, 0..100.
        """
        return self._to_lightness(self._pixels[top:bottom])

    def lightness_at(self, places: Sequence[tuple[int, int]]) -> Array:
        """CIE L* of single pixels, without converting their rows.

        Args:
            places: column and row of each.
        Returns:
            L*, shape (N,), float32, 0..100.
        Raises:
            ShapeError: if a place is outside of the photograph.
        """
        if not places:
            return np.zeros(0, np.float32)
        columns, rows = np.array(places).T
        outside = (columns < 0) | (columns >= self.width) | (rows < 0) | (rows >= self.height)
        if outside.any():
            x, y = np.array(places)[outside][0].tolist()
            raise ShapeError(
                f"pixel {x},{y} is outside of the photograph, which is {self.width}x{self.height}."
            )
        return self._to_lightness(self._pixels[rows, columns][None])[0]

    def _to_lightness(self, rows: NDArray[Any]) -> Array:
        """CIE L* of stored pixels, (rows, W) or (rows, W, 3), as (rows, W)."""
        from tinct.color.lab import gray_to_lightness, rgb_to_lightness

        if self._profile is not None:
            return self._profile.to_lightness(rows)
        return gray_to_lightness(rows) if rows.ndim == 2 else rgb_to_lightness(rows)

    def rgb(self, top: int = 0, bottom: int | None = None) -> Array:
        """Encoded sRGB of some rows, shape (rows, W, 3), float32, clipped to 0..1.

        Args:
            top, bottom: the first row and the one after the last; None is the photograph's end.
        """
        rows = self._srgb(top, bottom)
        if rows.dtype.kind == "u":
            rows = rows.astype(np.float32) / np.float32(np.iinfo(rows.dtype).max)
        if rows.ndim == 2:
            rows = np.repeat(rows[..., None], 3, axis=2)
        return np.clip(rows, 0, 1).astype(np.float32, copy=False)

    def working_size(self, size: int) -> tuple[int, int]:
        """Height and width with the longer side brought down to `size`, never up."""
        scale = min(1.0, size / max(self.height, self.width))
        return max(1, round(self.height * scale)), max(1, round(self.width * scale))

    def working_lightness(self, size: int) -> Array:
        """L* at a bounded size, each value the mean over its area.

        Args:
            size: the longer side in pixels, at least 1; the photograph is never enlarged.
        Returns:
            L*, shape (h, w), float32, 0..100.
        """
        return area_mean(self.lightness, (self.height, self.width), self.working_size(size))

    def working_lab(self, size: int) -> Array:
        """CIE Lab at a bounded size, each value the mean over its area.

        Args:
            size: as in `working_lightness`.
        Returns:
            L*, a*, b*, shape (h, w, 3), float32.
        """
        from tinct.color.lab import rgb_to_lab

        def lab(top: int, bottom: int) -> Array:
            return rgb_to_lab(self.rgb(top, bottom))

        return area_mean(lab, (self.height, self.width), self.working_size(size))

    def is_gray(self, tolerance: float = TINT_TOLERANCE) -> bool:
        """True for a black-and-white photograph, toned ones (sepia, cyanotype, yellowed paper) among them.

        A toned photograph's color is a function of its lightness alone: little remains of a*, b* after the subtraction
        of their mean at each lightness.

        Args:
            tolerance: the largest mean of the remainder (CIE a*, b* units) that counts as gray.
        """
        if self._pixels.ndim == 2:
            return True
        lab = self.working_lab(_TINT_SIZE).reshape(-1, 3)
        return color_beside_tone(lab) <= tolerance

    def gives_color(self, tolerance: float = TINT_TOLERANCE) -> bool:
        """True for a photograph that has color apart from a tone, or apart from paper and black, for others to take.

        Args:
            tolerance: the mean of that color (CIE a*, b* units) up to which the photograph has none to give.
        """
        if self._pixels.ndim == 2:
            return False
        size = self.working_size(_TINT_SIZE)
        lab = self.working_lab(_TINT_SIZE).reshape(-1, 3)
        opacity = area_mean(self._opacity, (self.height, self.width), size).reshape(-1)
        return max(color_beside_tone(lab, opacity), color_off_paper(lab, opacity)) > tolerance

    def has_own_colors(self) -> bool:
        """True if the pixels have color apart from a tone, judged quickly by means of encoded values."""
        if self._own_colors is None:
            self._own_colors = self._pixels.ndim == 3 and self._is_colored()
        return self._own_colors

    def _is_colored(self) -> bool:
        import cv2

        from tinct.color.lab import rgb_to_lab

        height, width = self.working_size(_TINT_SIZE)
        small: Pixels = cv2.resize(self._pixels, (width, height), interpolation=cv2.INTER_AREA)
        encoded = small.reshape(height, width, 3) if self._profile is None else self._profile.to_srgb(small)
        return color_beside_tone(rgb_to_lab(encoded).reshape(-1, 3)) > TINT_TOLERANCE

    def _opacity(self, top: int, bottom: int) -> Array:
        """Opacity of some rows, shape (rows, W), 0..1."""
        if self.alpha is None:
            return np.ones((bottom - top, self.width), np.float32)
        largest = 1 if self.alpha.dtype.kind == "f" else np.iinfo(self.alpha.dtype).max
        return np.asarray(self.alpha[top:bottom] / np.float32(largest), np.float32)

    def without_hidden_colors(self) -> Photo:
        """The photograph with the colors of visible places continued into transparent places, which hide any color."""
        from tinct.photo.transparency import without_hidden_colors

        if self.alpha is None:
            return self
        decoded = self._decoded(without_hidden_colors(self._pixels, self.alpha))
        return Photo(decoded, self.path)

    def colored(self, rgb: NDArray[np.generic]) -> Photo:
        """The photograph with other colors.

        Args:
            rgb: sRGB, shape (H, W, 3), float in 0..1.
        Returns:
            A photograph with the same depth, transparency and metadata.
        Raises:
            ShapeError: if the shape does not fit, or a value is not finite.
        """
        return self.colored_by_rows(rows_of(rgb, (self.height, self.width)))

    def colored_by_rows(self, rows: Rows, *, last: bool = False) -> Photo:
        """The photograph with other colors, which a function gives strip by strip.

        Args:
            rows: a function from (top, bottom, L* of these rows) to sRGB, shape (bottom - top, W, 3), float in 0..1;
                for a photograph with `eight_bit_srgb` also uint8. Several threads call the function at once.
            last: True gives the result the memory of this photograph's pixels, where it fits: this photograph must not
                be used again.
        Returns:
            A photograph with the same depth, transparency and metadata.
        Raises:
            ShapeError: if the shape does not fit, or a value is not finite.
        """
        profile = self._profile if self._keeps_profile else None
        pixels = colored_pixels(
            rows,
            self.lightness,
            (self.height, self.width),
            self._pixels.dtype,
            profile,
            self._pixels if last and self._holds_a_result else None,
        )
        metadata = self._metadata if self._keeps_profile else replace(self._metadata, icc=self._srgb_icc())
        photo = Photo(replace(self._decoded(pixels), profile=profile, metadata=metadata), self.path)
        photo._array_dtype = self._array_dtype
        return photo

    @property
    def _holds_a_result(self) -> bool:
        """True if the pixels are an array of their own with three channels, which may be written to."""
        flags = self._pixels.flags
        return self._pixels.ndim == 3 and flags.writeable and flags.c_contiguous

    def extended_below(self, strip: NDArray[np.uint8]) -> Photo:
        """The photograph with rows of gray appended below it, opaque; metadata is kept.

        Args:
            strip: gray, 0 black .. 255 white, shape (h, W).
        Raises:
            ShapeError: if the strip has another width.
        """
        if strip.ndim != 2 or strip.shape[1] != self.width:
            raise ShapeError(f"the strip has shape {strip.shape}; (rows, {self.width}) was wanted.")
        decoded = self._decoded(with_rows_below(self._pixels, strip))
        alpha = None if self.alpha is None else with_rows_below(self.alpha, np.full_like(strip, 255))
        photo = Photo(replace(decoded, alpha=alpha), self.path)
        photo._array_dtype, photo.provenance = self._array_dtype, self.provenance
        return photo

    def write(
        self,
        target: str | PathLike[str] | BinaryIO,
        *,
        overwrite: bool = False,
        format: str | None = None,
        provenance: Provenance | None = None,
    ) -> None:
        """Write the photograph, whole or not at all.

        JPEG is written at quality 95 without chroma subsampling, WebP without loss, TIFF with deflate; 16 bits stay 16
        in PNG and TIFF.

        Args:
            target: a path, or a stream to write bytes to.
            overwrite: True if an existing file may be replaced, the source too.
            format: "png", "jpg", "tif", "webp", "bmp"; None follows the path's suffix, or the source.
            provenance: recorded in EXIF and XMP; None takes the photograph's own.
        Raises:
            OutputError: if the file exists, is the source, cannot be written, or the format is unknown.
        """
        from tinct.photo.writing import write_atomically

        if not isinstance(target, str | PathLike):
            if not hasattr(target, "write"):
                raise OutputError(f"{shown(target)} is neither a path nor a stream that can be written to.")
            content = self.encode(format, provenance)
            try:
                target.write(content)
            except (TypeError, UnsupportedOperation) as error:
                raise OutputError(
                    f"{shown(target)} takes no bytes ({error}); open it with mode 'wb'."
                ) from None
            return
        path = Path(target)
        kind = path_format(path) if format is None else named_format(format)
        write_atomically(
            path,
            lambda stream: self._encode_into(stream, kind.name, provenance),
            source=self.path,
            overwrite=overwrite,
        )

    def encode(self, format: str | None = None, provenance: Provenance | None = None) -> bytes:
        """The bytes of the photograph's file.

        Args:
            format: as for `write`; None takes the source's own, or PNG where tinct does not write that.
            provenance: recorded in EXIF and XMP; None takes the photograph's own.
        Raises:
            OutputError: if the format is unknown, or too small for the photograph.
        """
        if format is None:
            format = self.format if self.format in FORMATS else "PNG"
        stream = BytesIO()
        self._encode_into(stream, named_format(str(format)).name, provenance)
        return stream.getvalue()

    def to_array(self) -> Pixels:
        """The photograph as an sRGB array of the type that it was made from.

        The shape is (H, W) or (H, W, 3), with alpha as one more channel.
        """
        pixels = self._srgb_pixels()
        whole = pixels.copy() if self.alpha is None else np.dstack([pixels, self.alpha])
        return whole.astype(self._array_dtype, copy=False)

    def to_image(self) -> Image.Image:
        """A Pillow image: L, LA, RGB or RGBA of 8 bits (Pillow has no more), with metadata in its `info`."""
        from tinct.photo.writing import as_image

        return as_image(self._pixels, self.alpha, self._metadata)

    def _encode_into(self, stream: BinaryIO, name: str, provenance: Provenance | None) -> None:
        from tinct.photo.writing import encode_into

        provenance = provenance or self.provenance
        pixels, alpha, metadata = self.encodable(FORMATS[name], provenance)
        encode_into(stream, pixels, alpha, metadata, FORMATS[name], provenance)

    def encodable(
        self, kind: Format, provenance: Provenance | None = None
    ) -> tuple[Pixels, Pixels | None, Metadata]:
        """The arguments of a format's writer: integer pixels, alpha or None, and metadata that the format holds.

        Notes of what the format has no place for are added to the photograph's.
        """
        from tinct.photo.writing import fitted, lost_in

        size, srgb = (self.width, self.height), self._profile is None
        stamped = self._metadata.stamped(provenance or self.provenance, size, srgb=srgb, holds=kind.holds)
        metadata = fitted(stamped, kind)
        pixels, alpha = integers(self._pixels), None if self.alpha is None else integers(self.alpha)
        if not kind.metadata:  # nothing would say which colors the pixels are
            pixels = integers(self._srgb_pixels())
        lost = lost_in(pixels, alpha, kind)
        self.notes = tuple(dict.fromkeys((*self.notes, *metadata.notes, *lost)))
        return pixels, alpha, metadata

    def _decoded(self, pixels: Pixels) -> Decoded:
        """What the photograph consists of, with other pixels."""
        from tinct.photo.reading import Decoded

        return Decoded(pixels, self.alpha, self._profile, self._metadata, self.format, self.notes, self.pages)

    def _srgb_pixels(self) -> Pixels:
        """All pixels as sRGB, of their own type; those that are sRGB already are not copied."""
        if self._profile is None:
            return self._pixels
        pixels = np.empty(self._pixels.shape, self._pixels.dtype)
        for top, bottom in strips(self.height, self.width):
            pixels[top:bottom] = quantize(self._srgb(top, bottom), pixels.dtype)
        return pixels

    def _srgb(self, top: int, bottom: int | None) -> Pixels:
        rows = self._pixels[top:bottom]
        return rows if self._profile is None else self._profile.to_srgb(rows)

    def _srgb_icc(self) -> bytes | None:
        from tinct.photo.profiles import srgb_icc

        return self._metadata.icc if self._profile is None else srgb_icc()
