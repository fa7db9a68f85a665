"""Photorealistic stylization on pairs of photographs: `python benchmarks/stylize.py [DATA] [--limit N] [--out FOLDER]`.

Xu 2020's transfer sub-net with AdaIN against WCT and against PhotoWCT (WCT level by level, smoothed), with and without
label maps (the paper's Figures 10 and 11), on the pairs that DATA/pairs.csv lists; the network's own picture at the
working size beside what `tinct.stylize` makes of it.

- structure: SSIM of edges, the gradient of L* of photograph and result, each divided by its own 99th percentile, so
  that a change of contrast is no loss (Yoo et al., WCT2, ICCV 2019, take a network's edges); 1 is all of it kept.
- style, features: distance of means and deviations of a frozen VGG-19's conv1_1 to conv3_1 to those of the reference,
  as a share of the untouched photograph's; 0 is reached. Needs torch and the VGG-19 that training uses.
- style, colors: Fréchet distance of Lab colors to the reference's, in units of Lab; "by label" is its mean over what
  both label maps have, by area.
- seconds: of one photograph, the network, smoothing its picture and carrying its change apart; least of `--repeats`.
- time: of all three, as a multiple of AdaIN's; the median of the ratios of pairs.

Writes FOLDER/stylize.md and FOLDER/stylize.png, a contact sheet of the first pairs.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tinct.color.lab import rgb_to_lab, rgb_to_lightness
from tinct.errors import TinctError
from tinct.evaluation.metrics.distribution import frechet_distance, gaussian
from tinct.evaluation.metrics.error import ssim
from tinct.networks.xu2020.feature_statistics import nearest
from tinct.photo import Photo
from tinct.stylizing.local_affine import LocalAffine
from tinct.stylizing.manifold_ranking import smoothed
from tinct.stylizing.stylization import WORKING_SIZE, network_picture, read_labels, working_rgb

Array = NDArray[np.float32]
VARIANTS = {
    "AdaIN": ("adain", False, False),
    "WCT": ("wct", False, False),
    "PhotoWCT": ("wct", True, False),
    "AdaIN, label maps": ("adain", False, True),
    "WCT, label maps": ("wct", False, True),
    "PhotoWCT, label maps": ("wct", True, True),
}
"""By name how features are matched, whether as PhotoWCT (in cascade, then smoothed), and whether label by label."""
BASELINE = "AdaIN: carried"
COLUMNS = (
    "structure",
    "style, features",
    "style, colors",
    "style, colors by label",
    "seconds, network",
    "seconds, smoothing",
    "seconds, carrying",
    "time",
)
SHEET_ROWS, SHEET_SIZE = 20, 192
LAYERS = ("conv1_1", "conv2_1", "conv3_1")
FEWEST = 50
"""Pixels of a label below which its colors are not compared."""


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


@dataclass(frozen=True)
class Pair:
    """A photograph and its style at the working size, with their label maps at the same."""

    name: str
    photo: Array
    style: Array
    labels: tuple[NDArray[Any], NDArray[Any]]


def pairs(data: Path, size: int, limit: int | None) -> Iterator[Pair]:
    with (data / "pairs.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))[:limit]
    for row in rows:
        rgb = [working_rgb(Photo.read(data / row[kind]), size) for kind in ("target", "reference")]
        maps = [
            nearest(read_labels(data / row[f"{kind}_labels"]), *picture.shape[:2])
            for kind, picture in zip(("target", "reference"), rgb, strict=True)
        ]
        yield Pair(row["id"], rgb[0], rgb[1], (maps[0], maps[1]))


def structure(photo: Array, result: Array) -> float:
    """SSIM of edges."""
    edges = [_edges(rgb) for rgb in (photo, result)]
    return ssim(*(np.repeat(each[..., None], 3, axis=2) for each in edges))


def _edges(rgb: Array) -> Array:
    lightness = rgb_to_lightness(rgb)
    gradient = np.hypot(cv2.Scharr(lightness, cv2.CV_32F, 1, 0), cv2.Scharr(lightness, cv2.CV_32F, 0, 1))
    return np.asarray(np.clip(gradient / max(np.quantile(gradient, 0.99), 1e-3), 0, 1), np.float32)


def colors_apart(first: Array, second: Array) -> float:
    """Fréchet distance of the Gaussians of two sets of Lab colors, (N, 3), in units of Lab."""
    return float(np.sqrt(max(frechet_distance(gaussian(first), gaussian(second)), 0)))


def colors_apart_by_label(result: Array, pair: Pair) -> float:
    lab, style = rgb_to_lab(result), rgb_to_lab(pair.style)
    here, there = pair.labels
    found, areas = [], []
    for label in np.intersect1d(here, there):
        places, source = here == label, there == label
        if min(places.sum(), source.sum()) >= FEWEST:
            found.append(colors_apart(lab[places], style[source]))
            areas.append(places.sum())
    return float(np.average(found, weights=areas)) if found else float("nan")


def feature_statistics() -> Callable[[Array], list[Array]] | None:
    """Means and deviations of a picture's features by a frozen VGG-19, a vector each; None where it cannot be had."""
    try:
        import torch

        from tinct.networks.xu2020.encoder_weights import teacher

        network, _ = teacher("conv3_1")
    except (ImportError, TinctError) as error:
        say(f"no distance of features: {error}")
        return None

    def statistics(rgb: Array) -> list[Array]:
        with torch.no_grad():
            found = network.features(torch.from_numpy(rgb.transpose(2, 0, 1)[None].copy()), LAYERS)
        flat = [features[0].flatten(1).numpy() for features in found.values()]
        return [moment for features in flat for moment in (features.mean(1), features.std(1))]

    return statistics


def statistics_apart(first: list[Array], second: list[Array]) -> float:
    return float(sum(np.linalg.norm(one - other) for one, other in zip(first, second, strict=True)))


def timed(work: Callable[[], Array], repeats: int) -> tuple[Array, float]:
    least, found = np.inf, None
    for _ in range(repeats):
        began = perf_counter()
        found = work()
        least = min(least, perf_counter() - began)
    assert found is not None
    return found, least


class Judge:
    """Scores of results for one pair; what they are compared with is measured once."""

    def __init__(self, pair: Pair, statistics: Callable[[Array], list[Array]] | None) -> None:
        self.pair, self.statistics = pair, statistics
        if statistics:
            self._wanted = statistics(pair.style)
            self._untouched = max(statistics_apart(statistics(pair.photo), self._wanted), 1e-6)

    def scores(self, result: Array) -> dict[str, float]:
        pair = self.pair
        lab, style = (rgb_to_lab(rgb).reshape(-1, 3) for rgb in (result, pair.style))
        found = {
            "structure": structure(pair.photo, result),
            "style, colors": colors_apart(lab, style),
            "style, colors by label": colors_apart_by_label(result, pair),
        }
        if self.statistics:
            left = statistics_apart(self.statistics(result), self._wanted)
            found["style, features"] = left / self._untouched
        return found


def measure(pair: Pair, repeats: int, judge: Judge) -> tuple[dict[str, dict[str, float]], list[Array]]:
    """Scores by row of the table, and pictures for the sheet."""
    rows = {"the photograph itself": judge.scores(pair.photo)}
    pictures = [pair.photo, pair.style]
    for name, (match, photowct, segmented) in VARIANTS.items():
        labels = pair.labels if segmented else None
        made, network = timed(
            lambda m=match, c=photowct, maps=labels: network_picture(pair.photo, pair.style, maps, m, c),
            repeats,
        )
        seconds = {"seconds, network": network}
        rows[f"{name}: network's picture"] = judge.scores(made) | seconds
        pictures.append(made)
        if photowct:
            made, seconds["seconds, smoothing"] = timed(
                lambda p=made: np.clip(smoothed(p, pair.photo), 0, 1), repeats
            )
            rows[f"{name}: smoothed"] = judge.scores(made) | seconds
            pictures.append(made)
        carried, seconds["seconds, carrying"] = timed(lambda p=made: _carried(pair.photo, p), repeats)
        rows[f"{name}: carried"] = judge.scores(carried) | seconds | {"time": sum(seconds.values())}
        pictures.append(carried)
    unit = rows[BASELINE]["time"]
    for scores in rows.values():
        if "time" in scores:
            scores["time"] /= unit
    return rows, pictures


def _carried(photo: Array, made: Array) -> Array:
    height, width = photo.shape[:2]
    return LocalAffine(photo, made, (height, width)).rows(0, height, photo)


def table(found: list[dict[str, dict[str, float]]], size: int) -> str:
    lines = [
        f"Means over {len(found)} pairs at {size} pixels on the longer side.",
        "",
        f"| | {' | '.join(COLUMNS)} |",
        f"|---|{'---|' * len(COLUMNS)}",
    ]
    for row in found[0]:
        cells = []
        for column in COLUMNS:
            values = [each[row][column] for each in found if column in each[row]]
            digits = 3 if column in ("structure", "style, features") else 2
            middle = np.median if column == "time" else np.nanmean
            cells.append(f"{middle(values):.{digits}f}" if values else "-")
        lines.append(f"| {row} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def sheet(rows: list[list[Array]], file: Path) -> None:
    """Pictures of one pair in a row, each fitted into a square: photograph, style, and each variant twice."""
    whole = np.vstack([np.hstack([_fitted(picture) for picture in row]) for row in rows])
    cv2.imwrite(str(file), whole[..., ::-1])


def _fitted(rgb: Array) -> NDArray[np.uint8]:
    scale = SHEET_SIZE / max(rgb.shape[:2])
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    square = np.full((SHEET_SIZE + 4, SHEET_SIZE + 4, 3), 255, np.uint8)
    square[: size[1], : size[0]] = np.rint(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA) * 255)
    return square


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    shared = Path(os.environ.get("TINCT_SHARED", "../shared"))
    parser.add_argument("data", type=Path, nargs="?", default=shared / "data", help="folder with pairs.csv")
    parser.add_argument("--limit", type=int, help="so many pairs")
    parser.add_argument("--size", type=int, default=WORKING_SIZE, help="longer side in pixels")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("reports/stylize"))
    asked = parser.parse_args()
    if not (asked.data / "pairs.csv").is_file():
        say(f"no pairs: {asked.data}/pairs.csv is not there; name the folder that has it.")
        return
    statistics = feature_statistics()
    found, rows = [], []
    for pair in pairs(asked.data, asked.size, asked.limit):
        try:
            measured, pictures = measure(pair, asked.repeats, Judge(pair, statistics))
        except TinctError as error:
            say(f"nothing to measure: {error}")
            return
        found.append(measured)
        if len(rows) < SHEET_ROWS:
            rows.append(pictures)
        sys.stderr.write(f"pair {pair.name} done\n")
    asked.out.mkdir(parents=True, exist_ok=True)
    text = table(found, asked.size)
    (asked.out / "stylize.md").write_text(text, encoding="utf-8")
    sheet(rows, asked.out / "stylize.png")
    say(text + f"\nwritten with a contact sheet to {asked.out}")


if __name__ == "__main__":
    main()
