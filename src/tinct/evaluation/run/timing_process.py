"""The process that times one cell of the protocol `runtime`: `python -m tinct.evaluation.run.timing_process ORDER`.

ORDER is JSON with the keys `method`, `size`, `target` and `reference`; the last line of the output is the cell as JSON.
A process of its own makes the peak memory that of one method at one size, libraries included.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from tinct.evaluation.photographs.rgb import Image, read_rgb
from tinct.evaluation.protocols.hint_sweep import draw_patches
from tinct.evaluation.protocols.protocol import squash
from tinct.hints import Rectangle

SIZES: dict[str, tuple[int, int]] = {
    "256": (256, 256),
    "512": (512, 512),
    "1024": (1024, 1024),
    "12 MP": (3000, 4000),
    "24 MP": (4000, 6000),
}
"""Label of a size -> (height, width) in pixels."""

HINTS = 10
"""Revealed patches that a method which needs hints is given."""

REPEATS = 3
"""Timed runs of which the median is taken."""

LONG = 20.0
"""Seconds from which the first run, else a warm-up, is itself the result."""


class Order(TypedDict):
    """One measurement: a method's name or "gray", a label of SIZES, and the files of two color photographs."""

    method: str
    size: str
    target: str
    reference: str


class Cell(TypedDict):
    """A method at a size.

    Attributes:
        seconds: median wall time of one colorization; None where there is no time.
        peak_megabytes: peak resident memory of the process in 10^6 bytes; None where the system does not say.
    """

    seconds: float | None
    peak_megabytes: float | None


def time_here(order: Order) -> Cell:
    """Colorize repeatedly in this process, and measure."""
    colorize_once = _colorization(order)
    seconds = [_seconds(colorize_once)]
    if seconds[0] <= LONG:
        seconds = [_seconds(colorize_once) for _ in range(REPEATS)]  # without imports and filling of caches
    return {"seconds": float(np.median(seconds)), "peak_megabytes": _peak_megabytes()}


def enlarge(gray: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Resize a gray photograph, (h, w), to (height, width) and add a little grain, as a scan of that size has."""
    from PIL import Image as Pillow

    large = np.asarray(Pillow.fromarray(gray).resize(size[::-1], Pillow.Resampling.BICUBIC))
    grain = np.random.default_rng(0).integers(-3, 4, size, dtype=np.int8)
    return np.clip(large + grain.astype(np.int16), 0, 255).astype(np.uint8)


def _seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _colorization(order: Order) -> Callable[[], object]:
    """The timed function: `colorize` from a gray array to a color array."""
    from PIL import Image as Pillow

    size = SIZES[order["size"]]
    true = read_rgb(Path(order["target"]))
    gray = enlarge(np.asarray(Pillow.fromarray(true).convert("L")), size)
    if order["method"] == "gray":
        return lambda: _gray_path(gray)
    from tinct.colorizing.colorizer import colorize
    from tinct.methods import get_method

    method = get_method(order["method"])
    follows = method.needs_reference or method.exemplar_based
    reference = [read_rgb(Path(order["reference"]))] if follows else None
    hints = _hints(true, size) if method.needs_hints else None
    return lambda: colorize(gray, reference, hints, method=order["method"])


def _hints(true: Image, size: tuple[int, int]) -> list[Rectangle]:
    """HINTS boxes of the true colors, as large a share of the photograph as 6 pixels are of 256."""
    patches = draw_patches(squash(true, 256), HINTS, np.random.default_rng(0))
    rows, columns = size[0] / 256, size[1] / 256
    found = []
    for patch in patches:
        drawn = patch.rectangle()
        left, top, right, bottom = drawn.box
        found.append(replace(drawn, box=(left * columns, top * rows, right * columns, bottom * rows)))
    return found


def _gray_path(gray: NDArray[np.uint8]) -> object:
    """The work of every method outside its prediction: lightness, upsampling of no chroma, merging."""
    from tinct.color.gamut import merge_lightness
    from tinct.color.lab import gray_to_lightness
    from tinct.color.upsampling import upsample_chroma

    lightness = gray_to_lightness(gray.astype(np.float32) / 255)
    return merge_lightness(lightness, upsample_chroma(np.zeros((64, 64, 2), np.float32), lightness))


def _peak_megabytes() -> float | None:
    """Peak resident memory of this process in 10^6 bytes; None where the system does not say (Windows)."""
    try:
        import resource
    except ImportError:
        return None
    status = Path("/proc/self/status")
    if status.is_file():  # on Linux ru_maxrss of a new process starts at the parent's value
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6


def main(arguments: Sequence[str]) -> None:
    """Time the order that the first argument holds, and print the cell."""
    sys.stdout.write(json.dumps(time_here(json.loads(arguments[0]))) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
