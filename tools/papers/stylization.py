"""Figures 10 and 11 of Xu et al. (CVPR 2020): photorealistic stylization, against WCT and PhotoWCT.

Xu 2020's transfer sub-net with AdaIN against WCT and against PhotoWCT (WCT level by level, smoothed), with and without
label maps, on pairs of photographs; the network's own picture at the working size beside what `tinct.stylize` makes of
it. `COLUMNS` says what is measured.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tinct.color.lab import rgb_to_lab, rgb_to_lightness
from tinct.errors import TinctError
from tinct.evaluation.metrics.distribution import frechet_distance, gaussian
from tinct.evaluation.metrics.error import ssim
from tinct.evaluation.photographs.rgb import to_8bit
from tinct.networks.xu2020.feature_statistics import nearest
from tinct.photo import Photo
from tinct.stylizing.local_affine import LocalAffine
from tinct.stylizing.manifold_ranking import smoothed
from tinct.stylizing.stylization import WORKING_SIZE, network_picture, read_labels, working_rgb
from tools.papers.page import Say, Section
from tools.papers.sheet import Row, write_rows

Array = NDArray[np.float32]
TITLE = "Xu 2020, Figures 10 and 11: stylization, against WCT and PhotoWCT"
"""Title of the section."""

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
"""The row whose time is 1."""

COLUMNS = {
    "structure": "SSIM of edges, the gradient of L* of photograph and result, each divided by its own 99th percentile, "
    "so that a change of contrast is no loss (Yoo et al., WCT2, ICCV 2019, take a network's edges); 1 is all kept",
    "style, features": "distance of means and deviations of a frozen VGG-19's conv1_1 to conv3_1 to those of the "
    "reference, as a share of the untouched photograph's; 0 is reached",
    "style, colors": "Fréchet distance of Lab colors to the reference's, in units of Lab",
    "style, colors by label": "its mean over what both label maps have, by area",
    "time": "of network, smoothing and carrying the change to the photograph's own size together, as a multiple of "
    "AdaIN's; the median over pairs",
}
"""Columns of the table, and what they are."""

SHOWN = 6
"""Pairs of the sheet."""

LAYERS = ("conv1_1", "conv2_1", "conv3_1")
"""Layers of VGG-19 whose statistics are compared."""

SHEET = tuple(VARIANTS)
"""Columns of the sheet after photograph and style: what is carried to the photograph."""

FEWEST = 50
"""Pixels of a label below which its colors are not compared."""


@dataclass(frozen=True)
class Pair:
    """A photograph and its style at the working size, with their label maps at the same.

    Attributes:
        name: of the pair.
        photo, style: sRGB, (H, W, 3), 0..1.
        labels: classes of their places, (H, W) each.
    """

    name: str
    photo: Array
    style: Array
    labels: tuple[NDArray[Any], NDArray[Any]]


def stylization(data: Path, out: Path, say: Say, limit: int | None = None) -> Section | None:
    """The section; None if there are no pairs, or the weights are not installed.

    Args:
        data: folder with pairs.csv.
        out: folder of the sheet.
        say: is told what is left out.
        limit: so many pairs; None takes all.
    """
    if not (data / "pairs.csv").is_file():
        say(f"{TITLE}: {data}/pairs.csv is not there.")
        return None
    statistics = feature_statistics(say)
    found, rows = [], []
    for pair in pairs(data, limit):
        try:
            measured, pictures = measure(pair, Judge(pair, statistics))
        except TinctError as error:
            say(f"{TITLE}: {error}")
            return None
        found.append(measured)
        if len(rows) < SHOWN:
            heads = () if rows else ("photograph", "style", *SHEET)
            rows.append(Row([to_8bit(picture) for picture in pictures], heads))
    sheet = write_rows(rows, out / "figures10-11.png")
    columns = "\n".join(f"- {name}: {meaning}." for name, meaning in COLUMNS.items())
    text = f"""
`tinct stylize` (AdaIN), WCT in its place, and PhotoWCT (WCT level by level in a pass each, then smoothed along the
photograph), with and without label maps: the network's own picture at {WORKING_SIZE} pixels, and its change carried to
the photograph. Means over {len(found)} pairs. PhotoWCT's decoders unpool where this one has the photograph's skips.

{columns}

{table(found)}"""
    return Section(TITLE, text, (sheet,))


def pairs(data: Path, limit: int | None) -> Iterator[Pair]:
    """The pairs that DATA/pairs.csv lists, at most `limit`."""
    with (data / "pairs.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))[:limit]
    for row in rows:
        rgb = [working_rgb(Photo.read(data / row[kind]), WORKING_SIZE) for kind in ("target", "reference")]
        maps = [
            nearest(read_labels(data / row[f"{kind}_labels"]), *picture.shape[:2])
            for kind, picture in zip(("target", "reference"), rgb, strict=True)
        ]
        yield Pair(row["id"], rgb[0], rgb[1], (maps[0], maps[1]))


def structure(photo: Array, result: Array) -> float:
    """SSIM of the edges of a photograph and of a result, sRGB, (H, W, 3), 0..1."""
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
    """The mean of `colors_apart` over what both label maps of a pair have, by area; NaN if they have nothing."""
    lab, style = rgb_to_lab(result), rgb_to_lab(pair.style)
    here, there = pair.labels
    found, areas = [], []
    for label in np.intersect1d(here, there):
        places, source = here == label, there == label
        if min(places.sum(), source.sum()) >= FEWEST:
            found.append(colors_apart(lab[places], style[source]))
            areas.append(places.sum())
    return float(np.average(found, weights=areas)) if found else float("nan")


def feature_statistics(say: Say) -> Callable[[Array], list[Array]] | None:
    """Means and deviations of a picture's features by a frozen VGG-19, a vector each; None where it cannot be had."""
    try:
        import torch

        from tinct.networks.xu2020.encoder_weights import teacher

        network, _ = teacher("conv3_1")
    except (ImportError, TinctError) as error:
        say(f"the distance of features in {TITLE}: {error}")
        return None

    def statistics(rgb: Array) -> list[Array]:
        with torch.no_grad():
            found = network.features(torch.from_numpy(rgb.transpose(2, 0, 1)[None].copy()), LAYERS)
        flat = [features[0].flatten(1).numpy() for features in found.values()]
        return [moment for features in flat for moment in (features.mean(1), features.std(1))]

    return statistics


def statistics_apart(first: list[Array], second: list[Array]) -> float:
    """The distance of two pictures' statistics, as `feature_statistics` gives them."""
    return float(sum(np.linalg.norm(one - other) for one, other in zip(first, second, strict=True)))


def timed(work: Callable[[], Array]) -> tuple[Array, float]:
    """A result, and the seconds of processor time that it took."""
    began = process_time()
    found = work()
    return found, process_time() - began


class Judge:
    """Scores of results for one pair; what they are compared with is measured once."""

    def __init__(self, pair: Pair, statistics: Callable[[Array], list[Array]] | None) -> None:
        self.pair, self.statistics = pair, statistics
        if statistics:
            self._wanted = statistics(pair.style)
            self._untouched = max(statistics_apart(statistics(pair.photo), self._wanted), 1e-6)

    def scores(self, result: Array) -> dict[str, float]:
        """Scores of a result by column."""
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


def measure(pair: Pair, judge: Judge) -> tuple[dict[str, dict[str, float]], list[Array]]:
    """Scores by row of the table, and pictures for the sheet."""
    rows = {"the photograph itself": judge.scores(pair.photo)}
    pictures = [pair.photo, pair.style]
    for name, (match, photowct, segmented) in VARIANTS.items():
        labels = pair.labels if segmented else None
        made, seconds = timed(
            lambda m=match, c=photowct, maps=labels: network_picture(pair.photo, pair.style, maps, m, c)
        )
        rows[f"{name}: network's picture"] = judge.scores(made)
        if photowct:
            made, more = timed(lambda p=made: np.clip(smoothed(p, pair.photo), 0, 1))
            rows[f"{name}: smoothed"] = judge.scores(made)
            seconds += more
        carried, more = timed(lambda p=made: _carried(pair.photo, p))
        rows[f"{name}: carried"] = judge.scores(carried) | {"time": seconds + more}
        pictures.append(carried)
    unit = rows[BASELINE]["time"]
    for scores in rows.values():
        if "time" in scores:
            scores["time"] /= unit
    return rows, pictures


def _carried(photo: Array, made: Array) -> Array:
    height, width = photo.shape[:2]
    return LocalAffine(photo, made, (height, width)).rows(0, height, photo)


def table(found: Sequence[Mapping[str, Mapping[str, float]]]) -> str:
    """The table of scores of pairs, by row and column, as Markdown."""
    columns = [name for name in COLUMNS if any(name in scores for scores in found[0].values())]
    lines = [f"| | {' | '.join(columns)} |", f"|---|{'--:|' * len(columns)}"]
    for row in found[0]:
        cells = []
        for column in columns:
            values = [each[row][column] for each in found if column in each[row]]
            digits = 3 if column in ("structure", "style, features") else 2
            middle = np.median if column == "time" else np.nanmean
            cells.append(f"{middle(values):.{digits}f}" if values else "-")
        lines.append(f"| {row} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
