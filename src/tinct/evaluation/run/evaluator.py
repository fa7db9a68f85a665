"""Puts every case of a protocol to every contestant and scores the answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tinct.errors import EvaluationError, OptionError
from tinct.evaluation.metrics.columns import OF_A_RUN, WITH_NETWORK
from tinct.evaluation.metrics.scores import check_scores
from tinct.evaluation.metrics.whole import TRUTH, FeatureFolder, distances
from tinct.evaluation.photographs.sets import PhotographSet, find_photographs
from tinct.evaluation.protocols import Protocol, get_protocol
from tinct.evaluation.run.code_hash import measuring_code
from tinct.evaluation.run.contestants import (
    CallablePredictor,
    Contestant,
    Predictor,
    get_contestant,
    identity,
)
from tinct.evaluation.run.journal import Journal
from tinct.evaluation.run.measuring import Measurer, Task, left_out_name
from tinct.evaluation.run.results import (
    RESULTS_FILE,
    Heading,
    Record,
    Results,
    ordered,
    versions,
    write_atomically,
)
from tinct.evaluation.run.workers import check_jobs, each

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
        more_metrics: scores beside the protocol's own (`tinct.evaluation.metrics.columns.WITH_NETWORK`).
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
    def whole_metrics(self) -> tuple[str, ...]:
        """Those of them that are scores of all photographs together."""
        return tuple(name for name in self.metrics if name in OF_A_RUN)

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
        OptionError: if no method is given, one is given twice, or jobs is below 1.
        ShapeError: if a contestant's answer has another size than the photograph.
        WeightsError: if a metric needs a frozen network that is not there.
        OutputError: if the folder cannot be written.
    """
    names = _checked_names(run.contestants)
    _check_truth(run)
    check_scores(run.metrics, run.frozen)
    check_jobs(jobs)
    heading = run.heading()
    identities = {contestant.name: identity(contestant) for contestant in run.contestants}
    journal = Journal(out, heading, identities, restart) if out else None
    features = FeatureFolder(out)
    kept = journal.records if journal else []
    again = {record.key for record in kept if not _has_features(run, record, features)}
    kept[:] = [record for record in kept if record.key not in again]
    done = {record.key for record in kept}
    run.left_out.update(_still_left_out(journal.left_out if journal else {}, done))
    tasks = _tasks(run, done)
    finished = len(heading.photographs) - len(tasks)
    for number, answers in enumerate(each(Measurer, (run, out, full_pictures), tasks, jobs), finished + 1):
        for (metric, who), vector in answers.features.items():
            features.keep(metric, who, answers.photograph, vector)
        for records in answers.records:
            journal.add(records) if journal else kept.extend(records)
        if answers.left_out:
            journal.leave_out(answers.left_out) if journal else None
            run.left_out.update(answers.left_out)
        if progress:
            progress(number, len(heading.photographs), answers.photograph)
    if journal and not kept:
        journal.discard()
    results = _finished(run, heading, names, kept, features)
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


def _check_truth(run: Run) -> None:
    """Refuse a score against the truth where nobody knows it."""
    for name in run.more_metrics:
        if name in WITH_NETWORK and not run.protocol.has_truth:
            raise EvaluationError(
                f"{name} compares with true photographs, which {run.protocol.name!r} has none of; leave it out."
            )


def _has_features(run: Run, record: Record, features: FeatureFolder) -> bool:
    """False for a record whose picture is needed once more, as its features are not there."""
    wanted = run.whole_metrics if record.case == run.shown_case else ()
    both = [(metric, who) for metric in wanted for who in (TRUTH, record.method)]
    return all(features.get(metric, who, record.photograph) is not None for metric, who in both)


def _still_left_out(before: Mapping[str, str], done: set[tuple[str, str]]) -> dict[str, str]:
    """What an earlier run left out of answers that are not asked for again."""
    starts = tuple(left_out_name(photograph, method) for photograph, method in done)
    return {name: why for name, why in before.items() if name.startswith(starts)}


def _tasks(run: Run, done: set[tuple[str, str]]) -> list[Task]:
    """What is left to ask: photographs and the contestants that have not answered about them."""
    tasks = []
    for photograph in run.chosen():
        names = tuple(c.name for c in run.contestants if (photograph.name, c.name) not in done)
        if names:
            tasks.append(Task(photograph.name, names))
    return tasks


def _finished(
    run: Run, heading: Heading, names: list[str], records: list[Record], features: FeatureFolder
) -> Results:
    if not records:
        first = next(iter(run.left_out.values()), "no method can answer this protocol; give another with -m.")
        raise EvaluationError(f"none of {len(heading.photographs)} photographs could be measured: {first}")
    methods: dict[str, dict[str, object]] = {}
    for contestant in run.contestants:
        answered = {record.case for record in records if record.method == contestant.name}
        missing = [label for label in run.protocol.labels if label not in answered]
        methods[contestant.name] = {**identity(contestant), "unanswered": missing}
    in_order = ordered(records, heading, names)
    shown = [record for record in in_order if record.case == run.shown_case]
    showing = {name: [r.photograph for r in shown if r.method == name] for name in names}
    whole = {run.shown_case: distances(features, run.whole_metrics, showing)} if run.whole_metrics else {}
    return Results(heading, methods, in_order, dict(sorted(run.left_out.items())), whole)
