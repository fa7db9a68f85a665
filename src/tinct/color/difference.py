"""Differences of colors: CIEDE2000 (CIE 142-2001), as Sharma, Wu and Dalal write it, and PSNR.

The CIEDE2000 Color-Difference Formula: Implementation Notes, Supplementary Test Data, and Mathematical
Observations. Color Research and Application 30 (1), 2005.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def psnr_of(squared_error: NDArray[np.generic] | float, largest: float = 255.0) -> Array:
    """Peak signal-to-noise ratio: 10 log10(largest^2 / squared_error).

    Args:
        squared_error: mean squared errors, of any shape, 0 or more.
        largest: the largest value of a channel.
    Returns:
        Decibels, of the same shape, float64; infinity for an error of 0.
    """
    with np.errstate(divide="ignore"):
        return np.asarray(10 * np.log10(largest**2 / np.asarray(squared_error, np.float64)))


def ciede2000(lab1: NDArray[np.generic], lab2: NDArray[np.generic]) -> Array:
    """How different two colors look; about 1 is just noticeable side by side.

    The parametric factors kL, kC, kH are 1. Computed in float64: the hue terms cancel badly in float32.

    Args:
        lab1, lab2: CIE Lab, shapes (..., 3) that broadcast.
    Returns:
        The difference, shape (...), float64, >= 0; symmetric, and 0 for equal colors.
    """
    first, second = np.broadcast_arrays(np.asarray(lab1, np.float64), np.asarray(lab2, np.float64))
    chroma1, hue1, chroma2, hue2 = _stretched_polar(first, second)
    delta_l = second[..., 0] - first[..., 0]
    delta_c = chroma2 - chroma1
    turn = _hue_turn(hue1, hue2, chroma1 * chroma2 == 0)
    delta_h = 2 * np.sqrt(chroma1 * chroma2) * np.sin(turn / 2)

    mean_c = (chroma1 + chroma2) / 2
    mean_hue = _mean_hue(hue1, hue2, chroma1 * chroma2 == 0)
    l50 = ((first[..., 0] + second[..., 0]) / 2 - 50) ** 2
    term_l = delta_l / (1 + 0.015 * l50 / np.sqrt(20 + l50))
    term_c = delta_c / (1 + 0.045 * mean_c)
    term_h = delta_h / (1 + 0.015 * mean_c * _hue_weight(mean_hue))
    squared = term_l**2 + term_c**2 + term_h**2 + _rotation(mean_c, mean_hue) * term_c * term_h
    difference: Array = np.sqrt(np.maximum(squared, 0))
    return difference


def _stretched_polar(first: Array, second: Array) -> tuple[Array, Array, Array, Array]:
    """C' and h' (radians, 0..2 pi) of both, with a* stretched near gray (Sharma, equations 2-7)."""
    mean = (np.hypot(first[..., 1], first[..., 2]) + np.hypot(second[..., 1], second[..., 2])) / 2
    stretch = 1.5 - 0.5 * np.sqrt(mean**7 / (mean**7 + 25.0**7))
    polar: list[Array] = []
    for lab in (first, second):
        a, b = stretch * lab[..., 1], lab[..., 2]
        polar += [np.hypot(a, b), np.arctan2(b, a) % (2 * np.pi)]
    return polar[0], polar[1], polar[2], polar[3]


def _hue_turn(hue1: Array, hue2: Array, gray: NDArray[np.bool_]) -> Array:
    """The signed way from one hue to the other, the short way round (equation 10)."""
    turn = hue2 - hue1
    turn = np.where(turn > np.pi, turn - 2 * np.pi, turn)
    turn = np.where(turn < -np.pi, turn + 2 * np.pi, turn)
    return np.where(gray, 0.0, turn)


def _mean_hue(hue1: Array, hue2: Array, gray: NDArray[np.bool_]) -> Array:
    """The hue halfway (equation 14); the sum where one of the two is gray and has no hue."""
    total = hue1 + hue2
    far = np.abs(hue1 - hue2) > np.pi
    across = np.where(total < 2 * np.pi, total + 2 * np.pi, total - 2 * np.pi)
    return np.where(gray, total, np.where(far, across, total) / 2)


def _hue_weight(hue: Array) -> Array:
    """T (equation 15)."""
    weight: Array = (
        1
        - 0.17 * np.cos(hue - np.radians(30))
        + 0.24 * np.cos(2 * hue)
        + 0.32 * np.cos(3 * hue + np.radians(6))
        - 0.20 * np.cos(4 * hue - np.radians(63))
    )
    return weight


def _rotation(chroma: Array, hue: Array) -> Array:
    """R_T: chroma and hue differences interact among the blues (equations 16, 17, 21)."""
    angle = np.radians(30) * np.exp(-(((np.degrees(hue) - 275) / 25) ** 2))
    rotation: Array = -2 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7)) * np.sin(2 * angle)
    return rotation
