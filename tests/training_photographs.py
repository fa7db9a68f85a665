"""Synthetic photographs to train on, and small pools of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tinct.training.photographs import Entry, Photographs

SIDE = 48


def colored(seed: int, height: int = SIDE, width: int = SIDE) -> NDArray[np.uint8]:
    """Four areas of different hue under a smooth shading."""
    generator = np.random.default_rng(seed)
    corners = generator.uniform(30, 225, (2, 2, 3)).astype(np.float32)
    corners += np.array([[[80, 0, -60], [-60, 60, 0]], [[0, -70, 80], [60, 40, -80]]], np.float32)
    rows, columns = np.arange(height) * 2 // height, np.arange(width) * 2 // width
    shade = np.linspace(0.7, 1.1, width)[None, :, None]
    return np.clip(corners[rows][:, columns] * shade, 0, 255).astype(np.uint8)


def gray(seed: int) -> NDArray[np.uint8]:
    """A photograph without color."""
    return np.repeat(colored(seed).mean(-1, keepdims=True), 3, -1).astype(np.uint8)


def sepia(seed: int) -> NDArray[np.uint8]:
    """A photograph of one tint."""
    return np.clip(gray(seed) * np.array([1.08, 0.86, 0.62]), 0, 255).astype(np.uint8)


def write(file: Path, pixels: NDArray[np.uint8]) -> Path:
    """Write a PNG."""
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(file)
    return file


def photographs(count: int = 24, weights: dict[int, float] | None = None) -> Photographs:
    """A pool as `pack` makes it; odd ones are not square, and two classes alternate in pairs."""
    pixels = np.zeros((count, SIDE, SIDE, 3), np.uint8)
    sizes = np.zeros((count, 2), np.int32)
    for i in range(count):
        height = SIDE if i % 2 == 0 else 40
        photo = colored(i, height)
        pixels[i] = np.pad(photo, ((0, SIDE - height), (0, 0), (0, 0)), mode="edge")
        sizes[i] = height, SIDE
    given = weights or {}
    entries = [Entry(f"{i}.png", "synthetic", "ab"[i // 2 % 2], given.get(i, 1.0)) for i in range(count)]
    return Photographs(pixels, sizes, tuple(entries))
