"""Chroma upsampling against bilinear: `python benchmarks/upsampling.py [--photographs FOLDER] [--only ...]`.

Three tables, each measured in this run: ab error and bleeding of photographs whose own chroma was averaged
down by 4, 8 and 16; the time of each at full size, both with bilinear as 1; and where a colorization's time
goes from file to file, with the peak memory. The photographs are scikit-image's, or those of a folder.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter, process_time, thread_time
from typing import Any
from unittest import mock

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage import data

from tinct.color import gamut, lab_openvino
from tinct.color.lab import rgb_to_lab
from tinct.color.upsampling import ChromaUpsampler, average_lightness, upsample_chroma
from tinct.colorizing import stages
from tinct.evaluation.metrics.bleeding import bleeding

Array = NDArray[np.float32]
FACTORS = (4, 8, 16)
WORKING_SIZE = 256
STRIP_ROWS = 256


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


def bilinear(ab: Array, guide: Array) -> Array:
    return np.asarray(cv2.resize(ab, guide.shape[::-1], interpolation=cv2.INTER_LINEAR))


def guided_filter(ab: Array, guide: Array, radius: int = 1, regularization: float = 25.0) -> Array:
    """He and Sun's Fast Guided Filter."""
    small = average_lightness(guide, guide.shape, ab.shape[:2])

    def mean(plane: Array) -> Array:
        return np.asarray(cv2.blur(plane, (2 * radius + 1, 2 * radius + 1)))

    slope = mean(small[..., None] * ab) - mean(small)[..., None] * mean(ab)
    slope /= (mean(small * small) - mean(small) ** 2 + regularization)[..., None]
    offset = mean(ab) - slope * mean(small)[..., None]
    return bilinear(mean(slope), guide) * guide[..., None] + bilinear(mean(offset), guide)


def joint_bilateral(ab: Array, guide: Array, sigma: float = 8.0) -> Array:
    """Kopf et al. 2007 over the four nearest working pixels; the spatial kernel is bilinear."""
    small = average_lightness(guide, guide.shape, ab.shape[:2])
    y, x = ((np.arange(n) + 0.5) * m / n - 0.5 for n, m in zip(guide.shape, ab.shape, strict=False))
    total = np.zeros((*guide.shape, 2), np.float32)
    weights = np.full((*guide.shape, 1), 1e-12, np.float32)
    for down in (0, 1):
        rows, row_part = np.floor(y).astype(int) + down, np.abs(1 - down - (y - np.floor(y)))
        for right in (0, 1):
            columns, part = np.floor(x).astype(int) + right, np.abs(1 - right - (x - np.floor(x)))
            near = np.ix_(rows.clip(0, len(ab) - 1), columns.clip(0, ab.shape[1] - 1))
            spatial = np.outer(row_part, part).astype(np.float32) + np.float32(1e-3)
            weight = spatial * (np.exp(-((small[near] - guide) ** 2) / (2 * sigma**2)) + np.float32(1e-5))
            total += weight[..., None] * ab[near]
            weights += weight[..., None]
    return total / weights


CANDIDATES: dict[str, Callable[[Array, Array], Array]] = {
    "bilinear": bilinear,
    "guided filter": guided_filter,
    "joint bilateral": joint_bilateral,
    "ours": upsample_chroma,
}


def photographs(folder: Path | None, limit: int) -> Iterator[NDArray[np.uint8]]:
    if folder is None:
        yield from (data.astronaut(), data.coffee(), data.cat(), data.rocket())
        return
    suffixes = {".jpg", ".jpeg", ".png", ".webp"}
    for path in sorted(path for path in folder.rglob("*") if path.suffix.lower() in suffixes)[:limit]:
        with Image.open(path) as image:
            yield np.asarray(image.convert("RGB"))


def quality(folder: Path | None, limit: int) -> None:
    """ab error against the truth, and bleeding, as ratios to bilinear's."""
    figures: dict[tuple[str, int], list[tuple[float, float]]] = defaultdict(list)
    truth_bleeding, count = [], 0
    for rgb in photographs(folder, limit):
        height, width = (n // FACTORS[-1] * FACTORS[-1] for n in rgb.shape[:2])
        lab = rgb_to_lab(rgb[:height, :width])
        lightness, truth = np.ascontiguousarray(lab[..., 0]), np.ascontiguousarray(lab[..., 1:])
        truth_bleeding.append(bleeding(truth, lightness))
        count += 1
        for factor in FACTORS:
            small = cv2.resize(truth, (width // factor, height // factor), interpolation=cv2.INTER_AREA)
            for name, upsample in CANDIDATES.items():
                result = upsample(small, lightness)
                error = float(np.sqrt(np.square(result - truth).sum(-1).mean()))
                figures[name, factor].append((error, bleeding(result, lightness)))
    say(
        f"{count} photographs; the truth bleeds {np.mean(truth_bleeding):.3f}; "
        f"RMS ab error and bleeding, (x bilinear's)"
    )
    for factor in FACTORS:
        base = np.mean(figures["bilinear", factor], axis=0)
        for name in CANDIDATES:
            error, bled = np.mean(figures[name, factor], axis=0)
            say(
                f"  1/{factor:<3} {name:16} ab error {error:6.2f} ({error / base[0]:.2f}x)"
                f"   bleeding {bled:.3f} ({bled / base[1]:.2f}x)"
            )


def enlarged(megapixels: float) -> NDArray[np.uint8]:
    """A 3:2 photograph of that many megapixels with grain, so that files are of a real size."""
    width = round((megapixels * 1e6 * 1.5) ** 0.5)
    image = cv2.resize(data.coffee(), (width, round(width / 1.5)), interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(0).integers(-4, 5, (512, 512, 1), dtype=np.int16)
    for top in range(0, len(image), 512):
        strip = image[top : top + 512]
        tiled = np.tile(grain, (1, -(-width // 512), 1))[: len(strip), :width]
        strip[:] = np.clip(strip + tiled, 0, 255)
    return np.asarray(image, np.uint8)


def timed(function: Callable[[], object], repeats: int = 3) -> float:
    times = []
    for _ in range(repeats):
        start = perf_counter()
        function()
        times.append(perf_counter() - start)
    return min(times)


def full_size(rgb: NDArray[np.uint8]) -> None:
    """Seconds at full size, as ratios to bilinear."""
    lab = rgb_to_lab(rgb)
    lightness = np.ascontiguousarray(lab[..., 0])
    scale = WORKING_SIZE / max(lightness.shape)
    size = round(lightness.shape[1] * scale), round(lightness.shape[0] * scale)
    small = np.ascontiguousarray(cv2.resize(lab, size, interpolation=cv2.INTER_AREA)[..., 1:])
    del lab

    def strips() -> None:
        working = average_lightness(lightness, lightness.shape, small.shape[:2])
        upsampler = ChromaUpsampler(small, working, lightness.shape)
        for top in range(0, len(lightness), STRIP_ROWS):
            rows = lightness[top : top + STRIP_ROWS]
            upsampler.rows(top, top + len(rows), rows)

    base = timed(lambda: bilinear(small, lightness))
    say(f"{lightness.size / 1e6:.0f} megapixels from {size[0]}x{size[1]}; seconds, (x bilinear's)")
    runs = {
        name: lambda f=f: f(small, lightness) for name, f in CANDIDATES.items() if name != "joint bilateral"
    }
    for name, run in {**runs, "ours, by strips": strips}.items():
        seconds = timed(run)
        say(f"  {name:16} {seconds:6.3f} ({seconds / base:.1f}x)")


class Shares:
    """Seconds of processor time inside functions while a colorization runs, in any thread.

    What they call of each other counts once. Waiting does not count: strips are colored in several threads.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._adding = threading.Lock()
        self._thread = threading.local()

    def measure(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **options: Any) -> Any:
            inside = self._thread.__dict__.setdefault("inside", [])
            inside.append(0.0)
            start = thread_time()
            try:
                return function(*args, **options)
            finally:
                spent = thread_time() - start
                within = inside.pop()
                with self._adding:
                    self.seconds[name] += spent - within
                if inside:
                    inside[-1] += spent

        return run


def end_to_end(rgb: NDArray[np.uint8], method: str, suffix: str) -> None:
    """From file to file through `tinct.colorize`, with a reference; where the processor's time goes."""
    from tinct import colorize
    from tinct.methods import get_method
    from tinct.photo import Photo

    shares = Shares()
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.multiple(
            ChromaUpsampler,
            __init__=shares.measure("upsampling", ChromaUpsampler.__init__),
            planes=shares.measure("upsampling", ChromaUpsampler.planes),
        ),
        mock.patch.object(stages, "average_lightness", shares.measure("upsampling", average_lightness)),
        mock.patch.object(gamut, "merge_lightness", shares.measure("merging", gamut.merge_lightness)),
        mock.patch.object(
            lab_openvino, "merged_planes", shares.measure("merging", lab_openvino.merged_planes)
        ),
        mock.patch.multiple(
            Photo,
            lightness=shares.measure("lightness", Photo.lightness),
            write=shares.measure("writing", Photo.write),
        ),
        mock.patch.object(
            type(get_method(method)),
            "predict",
            shares.measure("predicting", type(get_method(method)).predict),
        ),
    ):
        source, target = Path(folder, f"gray{suffix}"), Path(folder, f"color{suffix}")
        Image.fromarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)).save(source, quality=92)
        start, worked = perf_counter(), process_time()
        photo = shares.measure("reading", Photo.read)(source)
        colorize(photo, reference=data.coffee(), method=method, size=WORKING_SIZE).write(target)
        total, worked = perf_counter() - start, process_time() - worked
    shares.seconds["the rest"] = worked - sum(shares.seconds.values())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    parts = ", ".join(f"{name} {seconds / worked:.0%}" for name, seconds in shares.seconds.items())
    say(
        f"{rgb.size / 3e6:.0f} megapixels, {method}, {suffix} to {suffix}, {total:.2f} s, of the processor's "
        f"{worked:.2f} s: {parts}; "
        f"peak {peak:.2f} GiB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photographs", type=Path, help="a folder; scikit-image's own without it")
    parser.add_argument("--limit", type=int, default=50, help="at most so many photographs of the folder")
    parser.add_argument("--megapixels", type=float, default=24)
    parser.add_argument("--method", default="reinhard", help="the quickest is the strictest")
    parser.add_argument("--suffixes", nargs="+", default=[".jpg", ".png"], help="kinds of files, end to end")
    parser.add_argument("--only", choices=["quality", "time", "shares"])
    options = parser.parse_args()
    if options.only in (None, "quality"):
        quality(options.photographs, options.limit)
    if options.only in (None, "time"):
        full_size(enlarged(options.megapixels))
    if options.only in (None, "shares"):
        rgb = enlarged(options.megapixels)
        for suffix in options.suffixes:
            end_to_end(rgb, options.method, suffix)


if __name__ == "__main__":
    main()
