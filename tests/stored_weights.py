"""How far weights of an exported file may be from those that were exported."""

from __future__ import annotations

import torch

from tinct.networks.tinct.release import IN_BYTES


def assert_stored(part: str, name: str, found: torch.Tensor, wanted: torch.Tensor) -> None:
    """A thousandth for half precision; half a step of its output channel for a part in bytes."""
    found, wanted = found.float(), wanted.float()
    allowed = 1e-3 * wanted.abs() + 1e-6
    if part in IN_BYTES and wanted.ndim > 1:
        largest = wanted.abs().flatten(1).amax(1)
        allowed = allowed + largest.reshape(-1, *[1] * (wanted.ndim - 1)) / 127 / 2
    assert bool(((found - wanted).abs() <= allowed).all()), name
