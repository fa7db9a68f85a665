"""The gallery of a method: its good, bad, confusing, bleeding and legacy results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from tinct.evaluation.photographs.rgb import Image
from tinct.evaluation.photographs.sets import PhotographSet
from tinct.evaluation.protocols import get_protocol
from tinct.evaluation.run.contestants import Contestant, RegisteredMethod
from tinct.evaluation.run.evaluator import evaluate
from tinct.evaluation.run.pictures import thumbnail_path
from tinct.evaluation.run.plan import Run
from tinct.evaluation.run.results import Results
from tinct.hints import HintField
from tinct.methods import Method
from tools.papers.page import Section
from tools.papers.sheet import Row, write_rows

MOST_SHOWN = 8
"""Largest number of photographs of each kind."""

CASE = "auto"
"""The case whose results are shown."""

TRUTH_ROWS = ("gray", "", "truth")
"""Pictures of a photograph, from top to bottom; "" stands for the method's."""


def gallery(
    run: Run, results: Results, contestant: Contestant, out: Path, legacy: PhotographSet | None
) -> Section | None:
    """Write a method's gallery, `gallery-METHOD.png`.

    Args:
        run, results: a run of `auto-256` and its results, with thumbnails in `out / "auto-256"`.
        contestant: the method.
        out: folder of runs and sheets.
        legacy: black-and-white photographs, or None if there are none.
    Returns:
        The section; None if the method answered nothing.
    """
    name = contestant.name
    errors = results.scores(name, CASE, "ciede2000")
    if not errors:
        return None
    half = min(MOST_SHOWN, max(1, len(errors) // 2))  # no photograph shall be both good and bad
    confusing, why = _confusing(run, results, contestant)
    kinds = {
        "good: least mean CIEDE2000": _first(errors, half, lowest=True),
        "bad: largest mean CIEDE2000": _first(errors, half),
        f"confusing: {why}": confusing,
        "bleeding: most chroma edges without a lightness edge": _first(
            results.scores(name, CASE, "bleeding")
        ),
    }
    rows = []
    for title, scores in kinds.items():
        rows += _rows(out / "auto-256", name, title, scores, TRUTH_ROWS) if scores else []
    if legacy is not None:
        rows += _legacy(contestant, legacy, run.seed, out)
    sheet = write_rows(rows, out / f"gallery-{name.replace(':', '-')}.png", side=128)
    lines = [f"- {title}: {_listed(scores)}" for title, scores in kinds.items() if scores]
    text = f"Photographs of `auto-256`, {MOST_SHOWN} of each kind at most; legacy ones have no truth.\n\n"
    return Section(f"Good, bad, confusing, bleeding and legacy: {name}", text + "\n".join(lines), (sheet,))


def entropy(method: Method, lightness: np.ndarray) -> float:
    """Mean entropy of a method's distribution over the 313 bins, in bits: 0 (one certain color) to log2 313.

    Args:
        method: a method that predicts a distribution.
        lightness: CIE L*, shape (H, W).
    """
    nothing = HintField.empty(lightness.shape[0], lightness.shape[1])
    p = method.distribution(method.matched(lightness, nothing)).probabilities.astype(np.float64)
    return float(-(p * np.log2(np.maximum(p, np.finfo(np.float64).tiny))).sum(-1).mean())


def _confusing(run: Run, results: Results, contestant: Contestant) -> tuple[dict[str, float], str]:
    """Confusing photographs -> a score, and the title of the score.

    A method with a distribution is confused where the entropy is largest; for another method the classifier gives the
    result and the truth different classes, and the photographs with the smallest error stand first.
    """
    method = contestant.method if isinstance(contestant, RegisteredMethod) else None
    errors = results.scores(contestant.name, CASE, "ciede2000")
    if method is not None and method.suggests:
        entropies = {
            photograph.name: entropy(method, run.protocol.cases(photograph, (), run.seed)[0].lightness)
            for photograph in run.chosen()
            if photograph.name in errors
        }
        return _first(entropies), "largest entropy of the distribution, in bits"
    agreed = results.scores(contestant.name, CASE, "semantic")
    other = {name: errors[name] for name, score in agreed.items() if score == 0}
    return _first(
        other, lowest=True
    ), "a classifier sees something else than in the truth; least CIEDE2000 first"


def _first(scores: Mapping[str, float], count: int = MOST_SHOWN, *, lowest: bool = False) -> dict[str, float]:
    """The `count` photographs with the largest scores, or with the lowest."""
    sign = 1 if lowest else -1
    names = sorted(scores, key=lambda name: (sign * scores[name], name))
    return {name: scores[name] for name in names[:count]}


def _legacy(contestant: Contestant, photographs: PhotographSet, seed: int, out: Path) -> list[Row]:
    run = Run(get_protocol("legacy"), [contestant], photographs, MOST_SHOWN, seed)
    folder = out / "legacy" / contestant.name.replace(":", "-")
    scores = evaluate(run, folder).scores(contestant.name, CASE, "colorfulness")
    return _rows(folder, contestant.name, "legacy: no truth; colorfulness", scores, TRUTH_ROWS[:2])


def _rows(folder: Path, name: str, title: str, scores: Mapping[str, float], who: Sequence[str]) -> list[Row]:
    """Rows of thumbnails of a run, a column for each photograph with its score above."""
    captions = [f"{score:.2f}" for score in scores.values()]
    rows: list[Row] = []
    for one in who:
        pictures = [_thumbnail(folder, one or name, photograph) for photograph in scores]
        first = not rows
        rows.append(Row(pictures, captions if first else (), one or "result", title if first else ""))
    return rows


def _thumbnail(folder: Path, who: str, photograph: str) -> Image | None:
    file = thumbnail_path(folder, who, photograph)
    return np.asarray(Pillow.open(file).convert("RGB")) if file.is_file() else None


def _listed(scores: Mapping[str, float]) -> str:
    return ", ".join(f"`{name}` {score:.2f}" for name, score in scores.items())
