"""Contact sheets: rows of pictures, each row one photograph as every method answered it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path

from tinct.evaluation.metrics.table import METRICS
from tinct.evaluation.run.pictures import thumbnail_path
from tinct.evaluation.run.results import Results

MOST_ROWS = 20
"""Largest number of photographs in a sheet."""


class Sheets:
    """Makes the contact sheets of a run; a picture is in the page once, even if several rows show it.

    Args:
        results: the results of the run.
        out: the run's folder, with the thumbnails; a missing thumbnail is shown as an empty box.
        case: label of the case whose scores rank the photographs.
    """

    def __init__(self, results: Results, out: Path, case: str) -> None:
        self.results, self.out, self.case = results, out, case
        self._classes: dict[tuple[str, str], str] = {}
        self._rules: list[str] = []

    @property
    def css(self) -> str:
        """Style rules with the pictures of all sheets made so far."""
        return "\n".join(self._rules)

    def columns(self) -> list[str]:
        """The columns: truth, reference and gray where the run has them, and each method that answered the case."""
        known = [who for who in ("truth", "reference", "gray") if (self.out / "thumbnails" / who).is_dir()]
        summary = self.results.summary()
        return [*known, *(method for method in summary if method != "gray" and self.case in summary[method])]

    def worst_and_best(self, metric: str) -> str:
        """A section for each method, with its worst and best photographs by a metric."""
        sections = []
        for method in self.results.methods:
            order = self._ranked(method, metric)
            if not order or method == "gray":
                continue
            count = min(MOST_ROWS, (len(order) + 1) // 2)
            worst = self.sheet(order[:count], f"Worst {count} of {method} by {METRICS[metric].title}", metric)
            best = self.sheet(order[::-1][:count], f"Best {count} of {method}", metric)
            sections.append(f"<details><summary>{escape(method)}</summary>{worst}{best}</details>")
        return "\n".join(sections)

    def sample(self, count: int | None = MOST_ROWS) -> str:
        """A sheet of `count` photographs, spread evenly over the names; None takes all."""
        measured = list(dict.fromkeys(record.photograph for record in self.results.records))
        shown = len(measured) if count is None else min(count, len(measured))
        names = [measured[i * len(measured) // shown] for i in range(shown)]
        return self.sheet(names, f"{len(names)} of {len(measured)} photographs", None)

    def _ranked(self, method: str, metric: str) -> list[str]:
        """Photographs from worst to best."""
        scores = self.results.scores(method, self.case, metric)
        sign = -1 if METRICS[metric].better == "lower" else 1
        return sorted(scores, key=lambda name: (sign * scores[name], name))

    def sheet(self, photographs: Sequence[str], title: str, metric: str | None) -> str:
        """A table of pictures: a row for each photograph, a column for each of `columns`."""
        columns = self.columns()
        head = "".join(f"<th>{escape(who)}</th>" for who in columns)
        rows = "".join(self._row(photograph, columns, metric) for photograph in photographs)
        return f'<h4>{escape(title)}</h4><table class="sheet"><tr>{head}</tr>{rows}</table>'

    def _row(self, photograph: str, columns: Sequence[str], metric: str | None) -> str:
        cells = "".join(f"<td>{self._picture(photograph, who, metric)}</td>" for who in columns)
        return f"<tr>{cells}<td><small>{escape(photograph)}</small></td></tr>"

    def _picture(self, photograph: str, who: str, metric: str | None) -> str:
        score = self.results.scores_of(photograph, who, self.case).get(metric) if metric else None
        caption = f"<small>{score:.{METRICS[metric].digits}f}</small>" if metric and score is not None else ""
        label = escape(f"{photograph}, {who}", quote=True)
        return (
            f'<div role="img" aria-label="{label}" class="p {self._class(photograph, who)}"></div>{caption}'
        )

    def _class(self, photograph: str, who: str) -> str:
        """The style class of a picture; the first call for a picture makes its rule."""
        if (photograph, who) not in self._classes:
            name = self._classes[photograph, who] = f"p{len(self._classes)}"
            file = thumbnail_path(self.out, who, photograph)
            if file.is_file():
                data = base64.b64encode(file.read_bytes()).decode("ascii")
                self._rules.append(f".{name}{{background-image:url(data:image/jpeg;base64,{data})}}")
        return self._classes[photograph, who]
