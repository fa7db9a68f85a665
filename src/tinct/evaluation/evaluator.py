"""Puts every case of a protocol to every contestant and scores the answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tinct.errors import EvaluationError, MethodError, OptionError, ReferencePhotoError
from tinct.evaluation.contestants import (
    CallablePredictor,
    Contestant,
    Predictor,
    checked_answer,
    get_contestant,
    identity,
)
from tinct.evaluation.journal import Journal
from tinct.evaluation.photographs import Photograph, PhotographSet, find_photographs
from tinct.evaluation.pictures import PictureFolder
from tinct.evaluation.protocols import Case, Protocol, get_protocol
from tinct.evaluation.results import (
    RESULTS_FILE,
    Heading,
    Record,
    Results,
    ordered,
    rounded,
    versions,
    write_atomically,
)
from tinct.evaluation.scores import Scorer
from tinct.evaluation.source import measuring_code
from tinct.evaluation.workers import each

Progress = Callable[[int, int, str], None]
"""(done, total, what is being done)."""


@dataclass(frozen=True, slots=True)
class Run:
    """What to evaluate, and how.

    Attributes:
        protocol: the question.
        contestants: who answers, in the order of the tables.
        photographs: the whole set; references are drawn from all of it.
        limit: measure on so many photographs, drawn by their names; None takes all.
        seed: what random choices start from.
        more_metrics: scores beside the protocol's own ("lpips", "semantic").
        frozen: folder of the frozen networks that some metrics need; None looks in the usual places.
    """

    protocol: Protocol
    contestants: Sequence[Contestant]
    photographs: PhotographSet
    limit: int | None = None
    seed: int = 0
    more_metrics: tuple[str, ...] = ()
    frozen: Path | None = None
    left_out: dict[str, str] = field(default_factory=dict)

    @classmethod
    def by_names(
        cls,
        protocol: str,
        methods: Sequence[str],
        data: Path,
        limit: int | None = None,
        seed: int = 0,
        more_metrics: tuple[str, ...] = (),
        frozen: Path | None = None,
    ) -> Run:
        """The run that names describe: a protocol's, methods' (`get_contestant`), a folder or index of
        photographs.

        Raises:
            EvaluationError, MethodError: if one of them is not there.
        """
        named = get_protocol(protocol)
        contestants = [get_contestant(name) for name in methods]
        return cls(named, contestants, find_photographs(data), limit, seed, more_metrics, frozen)

    @property
    def metrics(self) -> tuple[str, ...]:
        """All scores of a record."""
        return tuple(dict.fromkeys((*self.protocol.metrics, *self.more_metrics)))

    @property
    def shown_case(self) -> str:
        """The case whose pictures are kept: the protocol's, or its last one if that was not asked."""
        labels = self.protocol.labels
        return self.protocol.shown_case if self.protocol.shown_case in labels else labels[-1]

    def chosen(self) -> PhotographSet:
        """What is measured on: those that fit the protocol, or all if none does (each then says why)."""
        fitting = self.photographs.only(self.protocol.fits)
        return (fitting or self.photographs).limited(self.limit)

    def heading(self) -> Heading:
        """What has to be equal for records to stand in one table."""
        return Heading(
            protocol=self.protocol.name,
            seed=self.seed,
            photographs=tuple(photograph.name for photograph in self.chosen()),
            available=self.photographs.available,
            parameters=self.protocol.parameters(),
            metrics=self.metrics,
            versions=versions(),
            code=measuring_code(),
        )


def evaluate(
    run: Run,
    out: Path | None = None,
    *,
    restart: bool = False,
    full_pictures: bool = False,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Results:
    """Evaluate, and keep what is found.

    Args:
        run: the question, who answers and on what.
        out: folder for results.json and the pictures of a report; a stopped run in it goes on. None keeps
            nothing.
        restart: forget what is in the folder.
        full_pictures: keep every shown result at full size too (`pictures/METHOD/`), as `tinct study` takes
            them.
        jobs: processes that share the photographs; what they find is the same for any number of them. More than one
            takes contestants that can be pickled, and memory for each.
        progress: called after every photograph.
    Raises:
        EvaluationError: if nothing can be measured, or the folder holds a stopped run of something else.
        ShapeError: if a contestant's answer has another size than the photograph.
        WeightsError: if a metric needs a frozen network that is not there.
        OutputError: if the folder cannot be written.
    """
    names = _checked_names(run.contestants)
    heading, _ = (
        run.heading(),
        Scorer(run.metrics, run.frozen),
    )  # what is missing is said before anything is written
    identities = {contestant.name: identity(contestant) for contestant in run.contestants}
    journal = Journal(out, heading, identities, restart) if out else None
    kept = journal.records if journal else []
    done = journal.done if journal else set()
    tasks = [Task(p.name, open_for) for p in run.chosen() if (open_for := _open(run, p, done))]
    finished = len(heading.photographs) - len(tasks)
    for number, answers in enumerate(each(Measurer, (run, out, full_pictures), tasks, jobs), finished + 1):
        for records in answers.records:
            journal.add(records) if journal else kept.extend(records)
        run.left_out.update(answers.left_out)
        if progress:
            progress(number, len(heading.photographs), answers.photograph)
    if journal and not kept:
        journal.discard()
    results = _finished(run, heading, names, kept)
    if out and journal:
        write_atomically(out / RESULTS_FILE, results.to_json())
        journal.close()
    return results


def evaluate_predictor(
    predict: Predictor,
    protocol: Protocol,
    photographs: PhotographSet,
    *,
    limit: int | None = None,
    seed: int = 0,
) -> Results:
    """Evaluate a plain function (lightness, hints, references) -> ab, in memory: a network in training.

    Args:
        predict: takes lightness (H, W), a HintField of that size and References at their own sizes; gives
            ab (H, W, 2).
        protocol: `HintSweep(counts=(0, 1, 10))`, `Auto256()`, ...
        photographs, limit, seed: as in `Run`.
    """
    return evaluate(Run(protocol, [CallablePredictor(predict)], photographs, limit, seed))


def _checked_names(contestants: Sequence[Contestant]) -> list[str]:
    names = [contestant.name for contestant in contestants]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise OptionError(f"method {twice[0]!r} is given twice; give every method once.")
    if not names:
        raise OptionError("no method is given; give one or more with -m.")
    return names


def _open(run: Run, photograph: Photograph, done: set[tuple[str, str]]) -> tuple[str, ...]:
    """The contestants that have not answered about a photograph."""
    return tuple(c.name for c in run.contestants if (photograph.name, c.name) not in done)


@dataclass(frozen=True, slots=True)
class Task:
    """One photograph, and the names of the contestants that are asked about it."""

    photograph: str
    contestants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answers:
    """What a task found: a list of records for each contestant, none where the photograph cannot be measured on."""

    photograph: str
    records: list[list[Record]]
    left_out: dict[str, str]


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
            return Answers(photograph.name, [], {photograph.name: str(error)})
        if self._pictures:
            self._pictures.keep_case(next(case for case in cases if case.label == run.shown_case))
        left_out: dict[str, str] = {}
        asked = (self._contestants[name] for name in task.contestants)
        records = [self._records(cases, contestant, left_out) for contestant in asked]
        return Answers(photograph.name, records, left_out)

    def _records(
        self, cases: Sequence[Case], contestant: Contestant, left_out: dict[str, str]
    ) -> list[Record]:
        """One contestant's records of one photograph: a case it cannot answer has none."""
        run, records, unhelped = self._run, [], None
        for case in cases:
            if contestant.cannot(case):
                continue
            try:
                result = checked_answer(contestant, case, case.photograph.seed(run.seed, "method"))
            except (MethodError, ReferencePhotoError) as error:  # one photograph's trouble does not end a run
                left_out[f"{case.photograph.name} ({contestant.name}, {case.label})"] = str(error)
                continue
            helped = run.protocol.baseline_case not in ("", case.label)
            before = (case.gray() if unhelped is None else unhelped) if helped else None
            scores = {n: rounded(score) for n, score in self._scorer.scores(case, result, before).items()}
            records.append(Record(case.photograph.name, contestant.name, case.label, scores))
            if case.label == run.protocol.baseline_case:
                unhelped = result
            if self._pictures and case.label == run.shown_case:
                self._pictures.keep(contestant.name, case.photograph, result)
        return records


def _finished(run: Run, heading: Heading, names: list[str], records: list[Record]) -> Results:
    if not records:
        first = next(iter(run.left_out.values()), "no method can answer this protocol; give another with -m.")
        raise EvaluationError(f"none of {len(heading.photographs)} photographs could be measured: {first}")
    methods: dict[str, dict[str, object]] = {}
    for contestant in run.contestants:
        answered = {record.case for record in records if record.method == contestant.name}
        missing = [label for label in run.protocol.labels if label not in answered]
        methods[contestant.name] = {**identity(contestant), "unanswered": missing}
    return Results(heading, methods, ordered(records, heading, names), dict(sorted(run.left_out.items())))
