"""Distorting a photograph so that it can be its own reference: copying the color at the same position does not help."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinct.evaluation.photographs.rgb import Image, to_8bit

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Distortion:
    """The ranges from which a distortion is drawn.

    Attributes:
        control_points: number along each side, of the thin-plate spline.
        warp: standard deviation of a control point's shift, as a share of the side.
        rotation: largest angle in degrees, clockwise or counterclockwise.
        crop: least and largest share of each side that is kept.
        flip: probability of a left-right flip.
        gamma: least and largest exponent of the lightness, drawn evenly in its logarithm.
        slope: largest L* by which a linear light brightens one edge and darkens the opposite one.
    """

    control_points: int = 5
    warp: float = 0.03
    rotation: float = 12.0
    crop: tuple[float, float] = (0.7, 0.95)
    flip: float = 0.5
    gamma: tuple[float, float] = (0.7, 1.4)
    slope: float = 15.0


DISTORTION = Distortion()
"""The distortion of the protocol `exemplar-self`."""


def distort(rgb: Image, generator: np.random.Generator) -> Image:
    """Distort a photograph, sRGB, (H, W, 3), uint8, by DISTORTION; the result has the size of the cropped part."""
    import cv2

    height, width = rgb.shape[:2]
    x, y = _warped_grid(height, width, generator)
    if generator.random() < DISTORTION.flip:
        x, y = x[:, ::-1], y[:, ::-1]
    warped = cv2.remap(
        rgb, np.ascontiguousarray(x), np.ascontiguousarray(y), cv2.INTER_LINEAR, None, cv2.BORDER_REFLECT_101
    )
    return relight(np.asarray(warped, np.uint8), generator)


def _warped_grid(height: int, width: int, generator: np.random.Generator) -> tuple[Array, Array]:
    """The x and y in the photograph, in pixels, that each pixel of the cropped, rotated, warped view shows."""
    import cv2

    keep = generator.uniform(*DISTORTION.crop, 2)
    corner = generator.uniform(0, 1, 2) * (1 - keep)
    rows, columns = (max(1, round(side * share)) for side, share in zip((height, width), keep, strict=True))
    coarse = 33  # a thin-plate spline is smooth: this many samples a side, read bilinearly, are plenty
    unit = np.stack(np.meshgrid(np.linspace(0, 1, coarse), np.linspace(0, 1, coarse)), -1).reshape(-1, 2)
    places = _rotated(_thin_plate(unit, generator), generator, width / height)
    grid = (corner[::-1] + places * keep[::-1]).reshape(coarse, coarse, 2) * (width - 1, height - 1)
    dense = cv2.resize(grid.astype(np.float32), (columns, rows), interpolation=cv2.INTER_CUBIC)
    return np.asarray(dense[..., 0], np.float32), np.asarray(dense[..., 1], np.float32)


def _thin_plate(places: NDArray[np.float64], generator: np.random.Generator) -> NDArray[np.float64]:
    from scipy.interpolate import RBFInterpolator

    knots = np.linspace(0, 1, DISTORTION.control_points)
    controls = np.stack(np.meshgrid(knots, knots), -1).reshape(-1, 2)
    shifts = generator.normal(0, DISTORTION.warp, controls.shape)
    return places + RBFInterpolator(controls, shifts, kernel="thin_plate_spline")(places)


def _rotated(
    places: NDArray[np.float64], generator: np.random.Generator, aspect: float
) -> NDArray[np.float64]:
    angle = np.deg2rad(generator.uniform(-DISTORTION.rotation, DISTORTION.rotation))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    scale = np.array([aspect, 1.0])  # turn in pixels, not in shares of two different sides
    return ((places - 0.5) * scale @ turn.T) / scale + 0.5


def relight(rgb: Image, generator: np.random.Generator) -> Image:
    """Change the light: a gamma on L* and a linear slope across the picture; a*, b* stay, within the gamut of sRGB."""
    from tinct.color.gamut import merge_lightness
    from tinct.color.lab import rgb_to_lab

    gamma = np.exp(generator.uniform(*np.log(DISTORTION.gamma)))
    direction, strength = generator.uniform(0, 2 * np.pi), generator.uniform(0, DISTORTION.slope)
    lab = rgb_to_lab(rgb)
    rows, columns = np.linspace(-1, 1, rgb.shape[0])[:, None], np.linspace(-1, 1, rgb.shape[1])[None, :]
    slope = strength * (np.sin(direction) * rows + np.cos(direction) * columns) / np.sqrt(2)
    lightness = np.clip(100 * (lab[..., 0] / 100) ** gamma + slope, 0, 100).astype(np.float32)
    return to_8bit(merge_lightness(lightness, lab[..., 1:]))
