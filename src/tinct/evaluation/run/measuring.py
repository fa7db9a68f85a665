"""Asks contestants about one photograph after another, and scores what they answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tinct.errors import EvaluationError, MethodError, ReferencePhotoError
from tinct.evaluation.metrics.scores import Scorer
from tinct.evaluation.metrics.whole import TRUTH, Vector
from tinct.evaluation.photographs.pictures import PictureFolder
from tinct.evaluation.protocols import Case
from tinct.evaluation.protocols.case import Image
from tinct.evaluation.run.contestants import Contestant, checked_answer
from tinct.evaluation.run.results import Record, rounded

if TYPE_CHECKING:
    from tinct.evaluation.run.evaluator import Run


@dataclass(frozen=True, slots=True)
class Task:
    """One photograph, and the names of the contestants that are asked about it."""

    photograph: str
    contestants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answers:
    """What a task found.

    Attributes:
        photograph: which it was about.
        records: a list for each contestant; none where the photograph cannot be measured on.
        left_out: what could not be measured, and why.
        features: (metric, who) -> of the shown pictures, for scores of the whole run.
    """

    photograph: str
    records: list[list[Record]] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    features: dict[tuple[str, str], Vector] = field(default_factory=dict)


def left_out_name(photograph: str, method: str) -> str:
    """How the name begins under which a case is left out that one method could not answer."""
    return f"{photograph} ({method}, "


class Measurer:
    """Does a run's tasks, one after another; each process has one.

    Args:
        run: what is asked.
        out, full_pictures: as in `evaluate`.
    """

    def __init__(self, run: Run, out: Path | None, full_pictures: bool) -> None:
        self._run, self._scorer = run, Scorer(run.metrics, run.frozen)
        self._pictures = PictureFolder(out, full_pictures) if out else None
        self._photographs = {photograph.name: photograph for photograph in run.chosen()}
        self._contestants = {contestant.name: contestant for contestant in run.contestants}

    def __call__(self, task: Task) -> Answers:
        """Measure one photograph."""
        run, photograph = self._run, self._photographs[task.photograph]
        try:
            cases = run.protocol.cases(photograph, run.photographs, run.seed)
        except EvaluationError as error:
            return Answers(photograph.name, left_out={photograph.name: str(error)})
        if self._pictures:
            self._pictures.keep_case(next(case for case in cases if case.label == run.shown_case))
        found = Answers(photograph.name)
        for name in task.contestants:
            found.records.append(self._records(cases, self._contestants[name], found))
        return found

    def _records(self, cases: Sequence[Case], contestant: Contestant, found: Answers) -> list[Record]:
        """One contestant's records of one photograph: a case it cannot answer has none."""
        run, records, unhelped = self._run, [], None
        for case in cases:
            if contestant.cannot(case):
                continue
            try:
                result = checked_answer(contestant, case)
            except (MethodError, ReferencePhotoError) as error:  # one photograph's trouble does not end a run
                name = left_out_name(case.photograph.name, contestant.name) + f"{case.label})"
                found.left_out[name] = str(error)
                continue
            helped = run.protocol.baseline_case not in ("", case.label)
            before = (case.gray() if unhelped is None else unhelped) if helped else None
            scores = {n: rounded(score) for n, score in self._scorer.scores(case, result, before).items()}
            records.append(Record(case.photograph.name, contestant.name, case.label, scores))
            if case.label == run.protocol.baseline_case:
                unhelped = result
            if case.label == run.shown_case:
                self._keep_shown(case, contestant, result, found)
        return records

    def _keep_shown(self, case: Case, contestant: Contestant, result: Image, found: Answers) -> None:
        """What is kept of the shown case beside its scores: a picture, and features of it."""
        if self._pictures:
            self._pictures.keep(contestant.name, case.photograph, result)
        for (metric, of_truth), vector in self._scorer.features(case, result).items():
            found.features[metric, TRUTH if of_truth else contestant.name] = vector
