"""How far photographs of one thing agree in color: `python benchmarks/albums.py --data FOLDER [--album FOLDER] ...`.

Bursts: N photographs of FOLDER become four gray views each, cropped, turned and exposed differently. Album: the gray
versions of the photographs of another folder, which show the same things in other places. Both are planned by
`tinct batch plan --group` and colorized twice, each photograph by itself and each group after its surest member.

Printed are, for bursts, the mean CIEDE2000 between two views' results at the same place of the photograph, at one
lightness; for albums the mean CIEDE2000 between the results of one group where both photographs' true colors are the
same (cells of 10 a* b* units, chroma above 15, a hundredth of both photographs at least); and for both the mean
CIEDE2000 to the truth, so that agreement is not bought by being wrong.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tinct.archive.alike import with_groups
from tinct.archive.batch import run_batch
from tinct.archive.ledger import Ledger
from tinct.archive.manifest import Row, plan
from tinct.archive.storage import Store
from tinct.archive.worker import Job
from tinct.color.difference import ciede2000
from tinct.color.lab import rgb_to_lab
from tinct.photo import Photo
from tinct.retrieval.groups import GROUP_LIKENESS

Lab = NDArray[np.float32]

VIEWS = 4
CELL, LEAST_CHROMA, LEAST_SHARE = 10.0, 15.0, 0.01
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


def photographs_of(folder: Path, count: int | None = None) -> list[Path]:
    """Photographs below a folder, `count` of them spread evenly."""
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    step = 1 if count is None else max(len(found) // count, 1)
    return found[::step][:count]


def lab_of(path: Path) -> Lab:
    """A photograph as L*a*b*, shape (H, W, 3)."""
    return np.asarray(rgb_to_lab(Photo.read(path).rgb()), np.float32)


def view_of(
    rgb: NDArray[np.uint8], draw: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float64], float]:
    """A view of a photograph, the matrix that leads from the photograph's places to the view's, and its exposure.

    The first view of a burst is the photograph itself; the others are turned by up to 4 degrees, and cropped by up to
    a sixth on each side.
    """
    height, width = rgb.shape[:2]
    angle, zoom = draw.uniform(-4, 4), draw.uniform(1.08, 1.35)
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, zoom)
    matrix[:, 2] += draw.uniform(-0.06, 0.06, 2) * (width, height)
    seen = cv2.warpAffine(rgb, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(seen, np.uint8), matrix, float(draw.uniform(0.7, 1.4))


def write_gray(rgb: NDArray[np.uint8], path: Path, exposure: float = 1.0) -> None:
    """Write the gray of a picture, its lightness raised to a power."""
    lightness = rgb_to_lab(rgb.astype(np.float32) / 255)[..., 0] / 100
    luminance = np.where(lightness > 0.08, ((lightness + 0.16) / 1.16) ** 3, lightness / 9.033)
    encoded = np.where(
        luminance > 0.0031308, 1.055 * np.maximum(luminance, 1e-6) ** (1 / 2.4) - 0.055, 12.92 * luminance
    )
    cv2.imwrite(str(path), np.rint(255 * np.clip(encoded, 0, 1) ** exposure).astype(np.uint8))


def results(rows: Sequence[Row], out: Path) -> dict[str, Lab]:
    """Colorize rows; the results by their photographs' names."""
    run_batch(rows, Job(str(out)), jobs=1)
    entries = Ledger(Store(str(out))).entries()
    return {Path(entry.uri).stem: lab_of(out / entry.output) for entry in entries if entry.output}


def color_difference(one: Lab, other: Lab) -> NDArray[np.float32]:
    """CIEDE2000 of two results' colors at the first one's lightness, shape (...)."""
    level = np.concatenate([one[..., :1], other[..., 1:]], -1)
    return np.asarray(ciede2000(one, level), np.float32)


class Bursts:
    """Views of photographs in a folder of gray files, `NUMBER-VIEW.png`."""

    def __init__(self, sources: Sequence[Path], folder: Path, seed: int = 0) -> None:
        folder.mkdir(parents=True)
        self.truth: dict[str, Lab] = {}
        self.matrices: dict[str, NDArray[np.float64]] = {}
        for number, source in enumerate(sources):
            rgb = np.asarray(np.rint(Photo.read(source).rgb() * 255), np.uint8)
            draw = np.random.default_rng((seed, number))
            for view in range(VIEWS):
                seen, matrix, exposure = view_of(rgb, draw) if view else (rgb, np.eye(2, 3), 1.0)
                name = f"{number:03}-{view}"
                write_gray(seen, folder / f"{name}.png", exposure)
                self.truth[name] = np.asarray(rgb_to_lab(seen.astype(np.float32) / 255), np.float32)
                self.matrices[name] = matrix

    def agreement(self, found: dict[str, Lab]) -> Iterator[tuple[str, float]]:
        """A photograph's name and the mean difference of each two views where both show it."""
        for name in sorted(found):
            if not name.endswith("-0"):
                continue
            views = [each for each in sorted(found) if each.startswith(name[:-1])]
            back = {each: self._brought_back(found[each], each) for each in views}
            for one, other in combinations(views, 2):
                both = back[one][1] & back[other][1]
                if both.any():
                    difference = color_difference(back[one][0][both], back[other][0][both])
                    yield name, float(difference.mean())

    def _brought_back(self, lab: Lab, name: str) -> tuple[Lab, NDArray[np.bool_]]:
        """A view's result at the places of the photograph, and where the view shows it."""
        matrix, (height, width) = self.matrices[name], lab.shape[:2]
        inverse = cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR
        brought = cv2.warpAffine(lab, matrix, (width, height), flags=inverse)
        there = cv2.warpAffine(np.ones(lab.shape[:2], np.float32), matrix, (width, height), flags=inverse)
        return np.asarray(brought, np.float32), there > 0.999


class Album:
    """Photographs of a folder in gray."""

    def __init__(self, sources: Sequence[Path], folder: Path) -> None:
        folder.mkdir(parents=True)
        self.truth = {}
        for source in sources:
            rgb = np.asarray(np.rint(Photo.read(source).rgb() * 255), np.uint8)
            write_gray(rgb, folder / f"{source.stem}.png")
            self.truth[source.stem] = np.asarray(rgb_to_lab(rgb.astype(np.float32) / 255), np.float32)

    def agreement(
        self, found: dict[str, Lab], groups: Sequence[Sequence[str]]
    ) -> Iterator[tuple[str, float]]:
        """A group's first name and the difference of two results of it where their true colors are the same."""
        for group in groups:
            for one, other in combinations(group, 2):
                cells = self._cells(one), self._cells(other)
                shared = [cell for cell in cells[0] if cell in cells[1]]
                if not shared:
                    continue
                means = [
                    [found[name][where[cell]].mean(0) for cell in shared]
                    for name, where in zip((one, other), cells, strict=True)
                ]
                shares = [min(each[cell].mean() for each in cells) for cell in shared]
                difference = color_difference(*(np.asarray(each, np.float32) for each in means))
                yield group[0], float(np.average(difference, weights=shares))

    def _cells(self, name: str) -> dict[tuple[int, int, int], NDArray[np.bool_]]:
        """Where a photograph has each true color of some chroma and lightness, if that is a hundredth of it."""
        lab = self.truth[name]
        cells = np.floor(lab / (20, CELL, CELL)).astype(int)
        strong = np.hypot(lab[..., 1], lab[..., 2]) > LEAST_CHROMA
        where = defaultdict(list)
        kinds, inverse = np.unique(cells[strong], axis=0, return_inverse=True)
        flat = np.flatnonzero(strong.ravel())
        for number, kind in enumerate(kinds):
            where[tuple(kind.tolist())] = flat[inverse.ravel() == number]
        found = {}
        for kind, places in where.items():
            if len(places) >= LEAST_SHARE * strong.size:
                found[kind] = np.zeros(strong.shape, bool)
                found[kind].ravel()[places] = True
        return found


def error(found: dict[str, Lab], truth: dict[str, Lab], names: Sequence[str]) -> float:
    """The mean CIEDE2000 of results to the truth, at the truth's lightness."""
    return float(np.mean([color_difference(truth[name], found[name]).mean() for name in names]))


def compared(scene: Bursts | Album, folder: Path, least: float) -> Iterator[str]:
    """Plan, colorize without and with groups, and compare; a line each."""
    rows = with_groups(plan(str(folder / "in")), least=least)
    groups = defaultdict(list)
    for row in rows:
        groups[row.group].append(Path(row.uri).stem)
    alone = groups.pop("", [])
    grouped = [sorted(names) for names in groups.values()]
    yield f"{len(rows)} photographs: {len(grouped)} groups of {sum(map(len, grouped))}, {len(alone)} alone"
    members = [name for names in grouped for name in names]
    for said, some in (("by itself", [replace(row, group="") for row in rows]), ("in groups", rows)):
        found = results(some, folder / said.replace(" ", "-"))
        pairs = list(scene.agreement(found) if isinstance(scene, Bursts) else scene.agreement(found, grouped))
        between = np.array([difference for _, difference in pairs])
        yield (
            f"{said}: between two photographs {between.mean():.2f} (median {np.median(between):.2f}, "
            f"{len(between)} pairs), to the truth {error(found, scene.truth, members):.2f}"
        )


def main() -> None:
    """Measure bursts, and an album if one is named."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="photographs to make bursts of")
    parser.add_argument("--bursts", type=int, default=25)
    parser.add_argument("--album", type=Path, help="photographs that show the same things in several places")
    parser.add_argument("--likeness", type=float, default=GROUP_LIKENESS, help="of photographs in a group")
    parser.add_argument("--keep", type=Path, help="folder for the pictures, to look at")
    given = parser.parse_args()
    if given.data is None:
        sys.stdout.write("passed over: give --data FOLDER of color photographs.\n")
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or Path(temporary)
        bursts = Bursts(photographs_of(given.data, given.bursts), folder / "bursts" / "in")
        scenes: list[tuple[str, Bursts | Album]] = [("bursts", bursts)]
        if given.album:
            scenes.append(("album", Album(photographs_of(given.album), folder / "album" / "in")))
        for name, scene in scenes:
            for line in compared(scene, folder / name, given.likeness):
                sys.stdout.write(f"{name}: {line}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
