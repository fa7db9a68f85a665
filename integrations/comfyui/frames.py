"""What the nodes do: ComfyUI's tensors to tinct's arrays and back.

IMAGE is float in 0..1, shape [B, H, W, C]; MASK is float in 0..1, shape [B, H, W] or [H, W]. Nodes keep nothing
themselves; the module keeps one `Colorizer`, so that a change of a slider does not read the photograph again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from hashlib import sha256
from threading import Lock
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import tinct

Array = NDArray[np.float32]
Hints = tuple[tuple[torch.Tensor, str], ...]
"""Masks with the color of each, in the order they were linked; a later one covers an earlier one."""

BEST = "best"
"""The choice of method that leaves it to tinct."""

_COLOR = re.compile(r"#(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{8})")


class KeptColorizer:
    """One `Colorizer` for all runs of the nodes: photograph and references are set again only where they differ."""

    def __init__(self) -> None:
        self._colorizer = tinct.Colorizer()
        self._photo: bytes | None = None
        self._references: tuple[bytes, ...] | None = None
        self.lock = Lock()

    def set_up(self, frame: Array, references: Sequence[Array], **options: Any) -> tinct.Colorizer:
        """The colorizer of a frame, without hints.

        Args:
            frame, references: sRGB, shape (H, W, C), 0..1.
            options: attributes of `tinct.Options`.
        Raises:
            TinctError: what `Colorizer` raises.
        """
        hashes = tuple(_hash(each) for each in references)
        if hashes != self._references:
            self._references = None
            self._colorizer.set_references(list(references))
            self._references = hashes
        if (photo := _hash(frame)) != self._photo:
            self._photo = None
            self._colorizer.set_photo(frame)
            self._photo = photo
        self._colorizer.clear_hints()
        self._colorizer.set_options(**options)
        return self._colorizer


_KEPT = KeptColorizer()


def colorize(
    image: torch.Tensor,
    vividness: float = 1.0,
    strength: float = 1.0,
    trust: float = 1.0,
    method: str = BEST,
    hint_color: str = "",
    reference: torch.Tensor | None = None,
    hint_mask: torch.Tensor | None = None,
    hints: Hints | None = None,
) -> tuple[torch.Tensor]:
    """Each frame in color, at its own size, with as many channels as it had (3 for a single one)."""
    if hint_mask is not None:
        (hints,) = hint(hint_mask, hint_color, hints)
    options = {"vividness": vividness, "strength": strength, "trust": trust}
    chosen = None if method == BEST else method
    colored = []
    with _KEPT.lock:
        for number, frame in enumerate(_frames(image)):
            colorizer = _KEPT.set_up(frame, _references(reference), method=chosen, **options)
            _add_hints(colorizer, hints or (), number)
            colored.append(colorizer.like(frame))
    return (_batch(colored, image),)


def hint(mask: torch.Tensor, color: str, hints: Hints | None = None) -> tuple[Hints]:
    """A chain of hints with one more at its end."""
    return ((*(hints or ()), (mask, color)),)


def stylize(
    image: torch.Tensor, reference: torch.Tensor, match: str = "adain", alpha: float = 1.0
) -> tuple[torch.Tensor]:
    """Each frame in the look of the reference's first."""
    style = _frames(reference)[0]
    return (
        _batch([tinct.stylize(frame, style, match=match, alpha=alpha) for frame in _frames(image)], image),
    )


def where_to_click(
    image: torch.Tensor, count: int = 5, reference: torch.Tensor | None = None, hints: Hints | None = None
) -> tuple[torch.Tensor, str]:
    """For each frame, what one hint would settle at each place (1 at the best), and the best places."""
    masks, places = [], []
    with _KEPT.lock:
        for number, frame in enumerate(_frames(image)):
            colorizer = _KEPT.set_up(frame, _references(reference), method=None)
            _add_hints(colorizer, hints or (), number)
            masks.append(_enlarged(colorizer.gains(), frame.shape[:2]))
            found = colorizer.where_next(count)
            places.append([{"x": round(p.x), "y": round(p.y), "gain": round(p.gain, 4)} for p in found])
    return _batch(masks, image), json.dumps(places)


def _add_hints(colorizer: tinct.Colorizer, hints: Hints, number: int) -> None:
    """Add the masks of one frame as strokes; a mask that is empty asks for nothing.

    Raises:
        TinctError: if a mask is no batch, has no frame, or its color is malformed.
    """
    size = colorizer.photo.height, colorizer.photo.width
    rgba = np.zeros((*size, 4), np.uint8)
    for masks, color in hints:
        planes = masks if masks.ndim == 3 else masks[None]
        if planes.ndim != 3 or not len(planes):
            raise tinct.TinctError(
                f"the mask has shape {list(masks.shape)}; [B, H, W] of at least one frame was wanted; link another."
            )
        plane = planes[min(number, len(planes) - 1)].detach().cpu().to(torch.float32)
        wanted = torch.nn.functional.interpolate(plane[None, None], size, mode="nearest-exact")[0, 0] >= 0.5
        rgba[wanted.numpy()] = (*_rgb(color), 255)
    if rgba[..., 3].any():
        colorizer.add_hint(tinct.HintImage(rgba))


def _rgb(color: str) -> tuple[int, int, int]:
    """The 8-bit channels of "#rrggbb"; a color picker's alpha, "#rrggbbaa", is left out.

    Raises:
        TinctError: if it is written in another way.
    """
    if not _COLOR.fullmatch(color.strip()):
        raise tinct.TinctError(f"{color!r} is not a color; write #rrggbb, as #b05030.")
    red, green, blue, *_ = bytes.fromhex(color.strip()[1:])
    return red, green, blue


def _frames(image: torch.Tensor) -> list[Array]:
    """A batch as arrays (H, W, C), float32, 0..1; what lies beyond is clipped.

    Raises:
        TinctError: if it is no batch, or has no frame.
    """
    if image.ndim != 4 or not len(image):
        raise tinct.TinctError(
            f"the image has shape {list(image.shape)}; [B, H, W, C] of at least one frame was wanted; link another."
        )
    return [np.asarray(frame) for frame in image.detach().cpu().to(torch.float32).clamp(0, 1).numpy()]


def _references(reference: torch.Tensor | None) -> list[Array]:
    return [] if reference is None else _frames(reference)


def _batch(frames: Sequence[Array], like: torch.Tensor) -> torch.Tensor:
    """Arrays of one size as a batch, on the device and of the type of another."""
    return torch.from_numpy(np.stack(frames)).to(device=like.device, dtype=like.dtype)


def _enlarged(gains: Array, size: tuple[int, int]) -> Array:
    """A map at the working size as a mask of the photograph's: 1 where it is largest."""
    largest = float(gains.max())
    plane = torch.from_numpy(np.ascontiguousarray(gains))[None, None] / (largest or 1.0)
    whole = torch.nn.functional.interpolate(plane, size, mode="bilinear", align_corners=False)
    return whole[0, 0].numpy()


def _hash(frame: Array) -> bytes:
    return sha256(repr(frame.shape).encode() + np.ascontiguousarray(frame).tobytes()).digest()
