"""A case: one question that a protocol puts to a contestant about one photograph."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tinct.errors import ShapeError
from tinct.evaluation.photographs.rgb import Image, to_8bit
from tinct.evaluation.photographs.sets import Photograph
from tinct.hints import HintField, PlacedHint, Rectangle
from tinct.methods.method import Reference

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Patch:
    """A square of the photograph whose mean true color is revealed to the contestant.

    Attributes:
        left, top, side: in pixels of the case.
        lab: mean CIE Lab of the truth in the square.
    """

    left: int
    top: int
    side: int
    lab: tuple[float, float, float]

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the square."""
        return slice(self.top, self.top + self.side), slice(self.left, self.left + self.side)

    def rectangle(self) -> Rectangle:
        """The patch as a hint that a user could give: a filled box of an 8-bit color."""
        box = (self.left, self.top, self.left + self.side, self.top + self.side)
        return Rectangle(box, _hex_color(self.lab))


@dataclass(frozen=True, slots=True)
class Case:
    """A question to a contestant about one photograph, and the truth that its answer is compared with.

    Attributes:
        label: name of the case within its protocol ("auto", "exemplar", "10" revealed points, ...).
        photograph: the photograph that the case is made from.
        lightness: CIE L*, shape (H, W), 0..100: all that a contestant sees of the photograph.
        truth: sRGB, shape (H, W, 3), uint8, or None where the true colors are unknown.
        patches: revealed colors; a later patch covers an earlier one.
        references: color photographs, sRGB, each (h, w, 3), uint8.

    The arrays become read-only: all contestants are asked about the same ones.
    """

    label: str
    photograph: Photograph
    lightness: Array
    truth: Image | None = None
    patches: tuple[Patch, ...] = ()
    references: tuple[Image, ...] = ()

    def __post_init__(self) -> None:
        for array in (self.lightness, self.truth, *self.references):
            if array is not None:
                array.setflags(write=False)

    def gray(self) -> Image:
        """The photograph's lightness without color, sRGB, shape (H, W, 3), uint8."""
        from tinct.color.gamut import merge_lightness

        chroma = np.zeros((*self.lightness.shape, 2), np.float32)
        return to_8bit(merge_lightness(self.lightness, chroma))

    def hint_field(self) -> HintField:
        """The patches as the `predict` of a method takes hints, at the case's own size, colors not rounded."""
        ab = np.zeros((*self.lightness.shape, 2), np.float32)
        mask = np.zeros(self.lightness.shape, np.float32)
        for patch in self.patches:
            ab[patch.window], mask[patch.window] = patch.lab[1:], 1
        return HintField(ab, mask, tuple(_placed(patch) for patch in self.patches))

    def reference_arrays(self) -> tuple[Reference, ...]:
        """The references as the `predict` of a method takes them, at their own sizes."""
        return tuple(_reference(rgb) for rgb in self.references)


def make_case(label: str, photograph: Photograph, truth: Image) -> Case:
    """The case without help of a true color photograph, sRGB, shape (H, W, 3), uint8.

    Raises:
        ShapeError: if `truth` has another shape.
    """
    from tinct.color.lab import rgb_to_lightness

    if truth.ndim != 3 or truth.shape[2] != 3:
        raise ShapeError(f"{photograph.name} is {truth.shape}; sRGB of shape (H, W, 3) is wanted.")
    return Case(label, photograph, rgb_to_lightness(truth), truth)


def _placed(patch: Patch) -> PlacedHint:
    middle = (patch.side - 1) / 2
    return PlacedHint(patch.left + middle, patch.top + middle, patch.lab[1:], patch.side / 2)


def _reference(rgb: Image) -> Reference:
    from tinct.color.lab import rgb_to_lab

    lab = rgb_to_lab(rgb)
    return Reference(np.ascontiguousarray(lab[..., 0]), np.ascontiguousarray(lab[..., 1:]))


@lru_cache(maxsize=4096)
def _hex_color(lab: tuple[float, float, float]) -> str:
    from tinct.color.hexcolor import format_color
    from tinct.color.lab import lab_to_rgb

    return format_color(np.clip(lab_to_rgb(np.asarray(lab, np.float32)), 0, 1))
