"""The gallery of a method: its good, bad, fooling, bleeding and legacy results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from tinct.evaluation.photographs.rgb import Image
from tinct.evaluation.photographs.sets import PhotographSet
from tinct.evaluation.protocols import get_protocol
from tinct.evaluation.run.contestants import Contestant, Gray
from tinct.evaluation.run.evaluator import evaluate
from tinct.evaluation.run.pictures import thumbnail_path
from tinct.evaluation.run.plan import Run
from tinct.evaluation.run.results import Results
from tools.papers.page import Section
from tools.papers.sheet import Row, write_rows

MOST_SHOWN = 8
"""Largest number of photographs of each kind."""

CASE = "auto"
"""The case whose results are shown."""

LEAST_COLORFUL = 15.0
"""Colorfulness of a truth (Hasler & Süsstrunk 2003, who call 15 slightly colorful) from which a result can fool."""

AS_VIVID = 1 / 3
"""Share of the truth's colorfulness by which that of a result that fools may differ."""

TRUTH_ROWS = ("gray", "", "truth")
"""Pictures of a photograph, from top to bottom; "" stands for the method's."""


def gallery(
    run: Run, results: Results, contestant: Contestant, out: Path, legacy: PhotographSet | None
) -> Section | None:
    """Write a method's gallery, `gallery-METHOD.png`.

    Args:
        run, results: a run of `auto-256` and its results; thumbnails that are not in `out / "auto-256"` are made.
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
    kinds = {
        "good: least mean CIEDE2000": _first(errors, half, lowest=True),
        "bad: largest mean CIEDE2000": _first(errors, half),
        "fooling: as vivid as the truth, seen as the same by a classifier; least CIEDE2000": _first(
            fooling(results, name), lowest=True
        ),
        "bleeding: most chroma edges without a lightness edge": _first(
            results.scores(name, CASE, "bleeding")
        ),
    }
    folder = _pictured(run, contestant, {name for scores in kinds.values() for name in scores}, out)
    rows = []
    for title, scores in kinds.items():
        rows += _rows(folder, name, title, scores, TRUTH_ROWS) if scores else []
    if legacy is not None:
        rows += _legacy(contestant, legacy, run.seed, out)
    sheet = write_rows(rows, out / f"gallery-{name.replace(':', '-')}.png", side=128)
    lines = [f"- {title}: {_listed(scores)}" for title, scores in kinds.items() if scores]
    text = f"Photographs of `auto-256`, {MOST_SHOWN} of each kind at most; legacy ones have no truth.\n\n"
    return Section(f"Good, bad, fooling, bleeding and legacy: {name}", text + "\n".join(lines), (sheet,))


def fooling(results: Results, name: str) -> dict[str, float]:
    """The mean CIEDE2000 of those results of a method that could be taken for the photograph.

    A classifier sees in such a result what it sees in the truth, the truth has color (`LEAST_COLORFUL`), and the result
    is about as vivid (`AS_VIVID`), so that neither a gray result nor a gray photograph counts.

    Args:
        results: a run of `auto-256` with the metric `semantic`; none has such a score without it.
        name: of the method.
    """
    agreed, errors = (results.scores(name, CASE, metric) for metric in ("semantic", "ciede2000"))
    vivid, more = (results.scores(name, CASE, m) for m in ("colorfulness", "colorfulness_difference"))
    return {
        photograph: errors[photograph]
        for photograph in agreed.keys() & errors.keys() & more.keys()
        if agreed[photograph] == 1
        and (truth := vivid[photograph] - more[photograph]) >= LEAST_COLORFUL
        and abs(more[photograph]) <= AS_VIVID * truth
    }


def _pictured(run: Run, contestant: Contestant, names: set[str], out: Path) -> Path:
    """A folder with the thumbnails of photographs: that of the run, or of one of these photographs alone."""
    folder, who = out / run.protocol.name, (*filter(None, TRUTH_ROWS), contestant.name)
    if all(thumbnail_path(folder, one, photograph).is_file() for one in who for photograph in names):
        return folder
    folder = out / "gallery" / contestant.name.replace(":", "-")
    chosen = run.photographs.only(lambda photograph: photograph.name in names)
    evaluate(Run(run.protocol, [Gray(), contestant], chosen, seed=run.seed), folder)
    return folder


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
