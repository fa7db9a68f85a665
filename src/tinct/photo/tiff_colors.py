"""Color models of TIFF, converted to gray or RGB, with their alpha."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinct.errors import PhotoError
from tinct.photo import color_models
from tinct.photo.arrays import first_channels
from tinct.photo.color_models import CIE_LAB, ICC_LAB
from tinct.photo.file_metadata import FileMetadata
from tinct.photo.tiff_forms import BLACK_IS_ZERO, CMYK, COLOR_SAMPLES, PALETTE, RGB, WHITE_IS_ZERO, not_read

Pixels = NDArray[Any]

_ASSOCIATED, _UNASSOCIATED = 1, 2
"""Kinds of alpha (tag 338)."""


def color_and_alpha(page: Any, array: Pixels, metadata: FileMetadata) -> tuple[Pixels, Pixels | None]:
    """Color and alpha in the unsigned types; extra samples of no stated meaning are dropped.

    Args:
        page: a tifffile page.
        array: its samples, shape (H, W, samples).
        metadata: takes notes and the profile of the result.
    Returns:
        Gray or RGB, shape (H, W) or (H, W, 3), and alpha, shape (H, W), or None.
    """
    photometric, bits = int(page.photometric), int(page.bitspersample)
    kind = int(page.sampleformat or 1)
    if photometric in (CIE_LAB, ICC_LAB):
        kind = color_models.UNSIGNED
        array = array.view(np.uint16 if bits == 16 else np.uint8) if array.dtype.kind == "i" else array
    if photometric == PALETTE:
        return _looked_up(page, array[..., 0]), None
    array = color_models.unsigned(array, bits, kind, metadata.notes)
    colors = COLOR_SAMPLES[photometric]
    alpha = _alpha(page, array, colors)
    color = first_channels(array, colors)
    if photometric == WHITE_IS_ZERO:
        np.invert(color, out=color)
    if alpha is not None and _alpha_kind(page) == _ASSOCIATED and photometric in (BLACK_IS_ZERO, RGB):
        color_models.divide_associated(color, alpha)
    return _as_rgb(color, photometric, metadata), alpha


def _as_rgb(color: Pixels, photometric: int, found: FileMetadata) -> Pixels:
    from tinct.photo.profiles import srgb_icc

    if photometric == CMYK:
        color, note = color_models.cmyk_to_srgb(color, found.icc)
        found.notes.append(note)
        found.icc = srgb_icc()
    elif photometric in (CIE_LAB, ICC_LAB):
        color = color_models.lab_to_srgb(color, photometric)
        found.notes.append("it is CIE Lab; the pixels were converted to sRGB")
        found.icc = srgb_icc()
    return color


def _alpha_kind(page: Any) -> int | None:
    return next((int(kind) for kind in page.extrasamples if int(kind) in (_ASSOCIATED, _UNASSOCIATED)), None)


def _alpha(page: Any, array: Pixels, colors: int) -> Pixels | None:
    for index, kind in enumerate(page.extrasamples):
        if int(kind) in (_ASSOCIATED, _UNASSOCIATED) and colors + index < array.shape[2]:
            alpha: Pixels = array[..., colors + index].copy()
            return alpha
    return None


def _looked_up(page: Any, indices: Pixels) -> Pixels:
    """A palette's colors; maps of programs that wrote bytes into the 16-bit entries are taken as bytes."""
    if page.colormap is None:
        raise PhotoError(not_read("with a palette that is missing"))
    table = np.asarray(page.colormap).reshape(3, -1).T
    table = (table >> 8 if table.max(initial=0) > 255 else table).astype(np.uint8)
    if int(indices.max(initial=0)) >= len(table):
        raise PhotoError(
            "its palette lacks colors that its pixels name; it is damaged; copy or export it again."
        )
    return table[
        indices.astype(np.uint8) if indices.dtype == np.bool_ else indices
    ]  # truth values would be a mask
