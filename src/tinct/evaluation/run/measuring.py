"""Measures one photograph after another: makes its cases, asks the contestants, scores their answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tinct.errors import EvaluationError, MethodError, ReferencePhotoError
from tinct.evaluation.metrics.scorer import Scorer
from tinct.evaluation.photographs.rgb import Image
from tinct.evaluation.protocols import Case
from tinct.evaluation.run.contestants import Contestant, checked_answer
from tinct.evaluation.run.features import TRUTH, Vector
from tinct.evaluation.run.pictures import PictureFolder
from tinct.evaluation.run.plan import Run
from tinct.evaluation.run.results import Record, rounded


@dataclass(frozen=True, slots=True)
class Task:
    """One photograph to measure on.

    Attributes:
        photograph: its name.
        contestants: names of those whose records are missing.
    """

    photograph: str
    contestants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """The outcome of a task.

    Attributes:
        photograph: name of the task's photograph.
        records: a list for each contestant; empty where the photograph cannot be measured on.
        left_out: name of what could not be measured -> the reason.
        features: (metric, who) -> features of the shown pictures, for metrics of the whole run.
    """

    photograph: str
    records: list[list[Record]] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    features: dict[tuple[str, str], Vector] = field(default_factory=dict)


def left_out_name(photograph: str, method: str) -> str:
    """The beginning of the name under which a case that one method could not answer is left out."""
    return f"{photograph} ({method}, "


class Measurer:
    """Does the tasks of a run, one after another; each process has its own.

    Args:
        run: the plan of the evaluation.
        out: the run's folder; None keeps no pictures.
        full_pictures: keep pictures at full size beside the thumbnails.
    """

    def __init__(self, run: Run, out: Path | None, full_pictures: bool) -> None:
        self._run, self._scorer = run, Scorer(run.metrics, run.frozen)
        self._pictures = PictureFolder(out, full_pictures) if out else None
        self._photographs = {photograph.name: photograph for photograph in run.chosen()}
        self._contestants = {contestant.name: contestant for contestant in run.contestants}

    def __call__(self, task: Task) -> Measured:
        """Measure the photograph of a task."""
        run, photograph = self._run, self._photographs[task.photograph]
        try:
            cases = run.protocol.cases(photograph, run.photographs, run.seed)
        except EvaluationError as error:
            return Measured(photograph.name, left_out={photograph.name: str(error)})
        if self._pictures:
            self._pictures.keep_case(next(case for case in cases if case.label == run.shown_case))
        measured = Measured(photograph.name)
        for name in task.contestants:
            measured.records.append(self._records(cases, self._contestants[name], measured))
        return measured

    def _records(self, cases: Sequence[Case], contestant: Contestant, measured: Measured) -> list[Record]:
        """One contestant's records of one photograph, without the cases that the contestant cannot answer."""
        run, records, unhelped = self._run, [], None
        for case in cases:
            if contestant.cannot(case):
                continue
            try:
                result = checked_answer(contestant, case)
            except (MethodError, ReferencePhotoError) as error:  # the run goes on with the next photograph
                name = left_out_name(case.photograph.name, contestant.name) + f"{case.label})"
                measured.left_out[name] = str(error)
                continue
            helped = run.protocol.baseline_case not in ("", case.label)
            before = (case.gray() if unhelped is None else unhelped) if helped else None
            scores = {n: rounded(score) for n, score in self._scorer.scores(case, result, before).items()}
            records.append(Record(case.photograph.name, contestant.name, case.label, scores))
            if case.label == run.protocol.baseline_case:
                unhelped = result
            if case.label == run.shown_case:
                self._keep_shown(case, contestant, result, measured)
        return records

    def _keep_shown(self, case: Case, contestant: Contestant, result: Image, measured: Measured) -> None:
        """Keep the picture of the shown case, and its features for metrics of the whole run."""
        if self._pictures:
            self._pictures.keep(contestant.name, case.photograph, result)
        for (metric, of_truth), vector in self._scorer.features(case, result).items():
            measured.features[metric, TRUTH if of_truth else contestant.name] = vector
