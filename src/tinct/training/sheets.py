"""Contact sheets of pictures, drawn while a network trains."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

ROWS = 12
"""Photographs on a sheet."""


def write_sheet(columns: list[Tensor], file: Path) -> None:
    """Write columns of pictures, each (B, 3, H, W), 0..255, side by side."""
    pictures = [column.round().byte().permute(0, 2, 3, 1).cpu().numpy() for column in columns]
    sheet = np.concatenate([np.concatenate(list(column)) for column in pictures], 1)
    Image.fromarray(sheet).save(file)
