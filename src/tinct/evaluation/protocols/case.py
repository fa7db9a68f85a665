"""A case: one question that a protocol puts to a method about one photograph."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tinct.errors import ShapeError
from tinct.evaluation.photographs.sets import Photograph
from tinct.hints import HintField, PlacedHint, Rectangle
from tinct.methods.method import Reference

Array = NDArray[np.float32]
Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Patch:
    """A square of the photograph whose mean true chroma is revealed.

    Attributes:
        left, top, side: in pixels of the case.
        lab: mean CIE Lab of the truth under it.
    """

    left: int
    top: int
    side: int
    lab: tuple[float, float, float]

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns that it covers."""
        return slice(self.top, self.top + self.side), slice(self.left, self.left + self.side)

    def rectangle(self) -> Rectangle:
        """The same as a user would give it: a filled box of an 8-bit color."""
        box = (self.left, self.top, self.left + self.side, self.top + self.side)
        return Rectangle(box, _hex_color(self.lab))


@dataclass(frozen=True, slots=True)
class Case:
    """What a method is given, and what it is measured against.

    Attributes:
        label: which of the protocol's cases this is ("auto", "exemplar", "10" revealed points, ...).
        photograph: which photograph it was made from.
        lightness: CIE L*, shape (H, W), 0..100: all that a method sees of the photograph.
        truth: sRGB, shape (H, W, 3), uint8, or None where nobody knows it.
        patches: revealed chroma; a later patch lies over an earlier one.
        references: color photographs, sRGB, each (h, w, 3), uint8.
    """

    label: str
    photograph: Photograph
    lightness: Array
    truth: Image | None = None
    patches: tuple[Patch, ...] = ()
    references: tuple[Image, ...] = ()

    def gray(self) -> Image:
        """The photograph as a method is given it, sRGB, shape (H, W, 3), uint8."""
        from tinct.color.gamut import merge_lightness

        chroma = np.zeros((*self.lightness.shape, 2), np.float32)
        return to_8bit(merge_lightness(self.lightness, chroma))

    def hint_field(self) -> HintField:
        """The patches as a method's `predict` takes them, exact to the float, at the case's own size."""
        ab = np.zeros((*self.lightness.shape, 2), np.float32)
        mask = np.zeros(self.lightness.shape, np.float32)
        for patch in self.patches:
            ab[patch.window], mask[patch.window] = patch.lab[1:], 1
        return HintField(ab, mask, tuple(_placed(patch) for patch in self.patches))

    def reference_arrays(self) -> tuple[Reference, ...]:
        """The references as a method's `predict` takes them, at their own sizes."""
        return tuple(_reference(rgb) for rgb in self.references)


def make_case(label: str, photograph: Photograph, truth: Image) -> Case:
    """A case without help from a true color photograph, sRGB, shape (H, W, 3), uint8."""
    from tinct.color.lab import rgb_to_lightness

    if truth.ndim != 3 or truth.shape[2] != 3:
        raise ShapeError(f"{photograph.name} is {truth.shape}; sRGB of shape (H, W, 3) is wanted.")
    return Case(label, photograph, rgb_to_lightness(truth.astype(np.float32) / 255), truth)


def to_8bit(rgb: Array) -> Image:
    """Round float sRGB 0..1 to 8 bits; values outside are clipped."""
    return np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8)


def _placed(patch: Patch) -> PlacedHint:
    middle = (patch.side - 1) / 2
    return PlacedHint(patch.left + middle, patch.top + middle, patch.lab[1:], patch.side / 2)


def _reference(rgb: Image) -> Reference:
    from tinct.color.lab import rgb_to_lab

    lab = rgb_to_lab(rgb.astype(np.float32) / 255)
    return Reference(np.ascontiguousarray(lab[..., 0]), np.ascontiguousarray(lab[..., 1:]))


@lru_cache(maxsize=4096)
def _hex_color(lab: tuple[float, float, float]) -> str:
    from tinct.color.hexcolor import format_color
    from tinct.color.lab import lab_to_rgb

    return format_color(np.clip(lab_to_rgb(np.asarray(lab, np.float32)), 0, 1))
