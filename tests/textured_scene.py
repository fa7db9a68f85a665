"""Lab pictures for methods that match textures: two synthetic textures, a photograph, and how far an answer is off."""

from __future__ import annotations

import numpy as np
import pytest

from tinct.color.lab import rgb_to_lab
from tinct.methods import Reference


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def scene(size: int = 96, seed: int = 0) -> np.ndarray:
    """Lab of two textures, each in a color of its own, that are alike in mean lightness."""
    y, x = np.mgrid[0:size, 0:size]
    left = x < size // 2 + 8 * np.sin(y / 11)
    stripes = 50 + 12 * np.sin(2 * np.pi * y / 6)
    lab = np.empty((size, size, 3), np.float32)
    lab[..., 0] = np.where(left, stripes, 50) + noise(size, size, seed=seed)
    lab[..., 1:] = np.where(left[..., None], (35.0, 20.0), (-20.0, -30.0))
    return lab


def as_reference(lab: np.ndarray, weight: float = 1.0) -> Reference:
    return Reference(np.ascontiguousarray(lab[..., 0]), np.ascontiguousarray(lab[..., 1:]), weight)


def astronaut(step: int = 4) -> np.ndarray:
    data = pytest.importorskip("skimage.data")
    side = 512 // step
    blocks = data.astronaut().reshape(side, step, side, step, 3)
    return rgb_to_lab((blocks.mean(axis=(1, 3)) / 255).astype(np.float32))


def error(ab: np.ndarray, truth: np.ndarray) -> float:
    return float(np.linalg.norm(ab - truth, axis=-1).mean())
