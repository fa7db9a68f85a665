"""Evaluates: puts every case of a protocol to every contestant, scores the answers and keeps the records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from tinct.errors import EvaluationError, OptionError, shortened
from tinct.evaluation.metrics.scorer import check_scores
from tinct.evaluation.metrics.table import METRICS
from tinct.evaluation.photographs.sets import PhotographSet
from tinct.evaluation.protocols import Protocol
from tinct.evaluation.run.contestants import (
    CallablePredictor,
    FinishedPictures,
    Gray,
    Predictor,
    check_name,
    identity,
)
from tinct.evaluation.run.features import TRUTH, FeatureFolder, frechet_distances
from tinct.evaluation.run.journal import Journal
from tinct.evaluation.run.measuring import Measured, Measurer, Task, left_out_name
from tinct.evaluation.run.pictures import picture_path
from tinct.evaluation.run.plan import Run
from tinct.evaluation.run.results import (
    RESULTS_FILE,
    Heading,
    Record,
    Results,
    ordered,
    write_result,
)
from tinct.evaluation.run.workers import check_jobs, each

Progress = Callable[[int, int, str], None]
"""Takes (photographs done, photographs in all, name of the last one)."""


def evaluate(
    run: Run,
    out: Path | None = None,
    *,
    restart: bool = False,
    full_pictures: bool = False,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Results:
    """Evaluate, and keep the results.

    Args:
        run: the plan of the evaluation.
        out: folder for results.json and the pictures of a report; a stopped run in that folder goes on. None
            keeps nothing.
        restart: forget what is in the folder.
        full_pictures: keep every shown result at full size too (`pictures/METHOD/`), for `tinct study`.
        jobs: processes that share the photographs; the results are the same for any number of processes. With
            more than one, contestants must be picklable, and each process takes the memory of all methods.
        progress: called after every photograph.
    Raises:
        EvaluationError: if nothing can be measured, or the folder holds a stopped run of something else.
        OptionError: if no method is given, one is given twice, or jobs is below 1.
        ShapeError: if a contestant's answer has another size than the photograph.
        WeightsError: if a metric needs a frozen network that is missing.
        OutputError: if the folder cannot be written.
    """
    _check(run, jobs)
    heading = run.heading()
    identities = {contestant.name: identity(contestant) for contestant in run.contestants}
    journal = Journal(out, heading, identities, restart) if out else None
    if journal and (unnamed := sorted({r.method for r in journal.records} - identities.keys())):
        raise EvaluationError(
            f"{out} has results of {shortened(', '.join(unnamed), 60)} too, which would be lost; name these as well, "
            "give another --out, or --restart."
        )
    features = FeatureFolder(out)
    kept = _kept_records(run, journal, features, out if full_pictures else None)
    done = {record.key for record in kept}
    run.left_out.update(_still_left_out(journal.left_out if journal else {}, done))
    tasks = _tasks(run, done)
    finished = len(heading.photographs) - len(tasks)
    for number, measured in enumerate(each(Measurer, (run, out, full_pictures), tasks, jobs), finished + 1):
        _keep(measured, kept, run, journal, features)
        if progress:
            progress(number, len(heading.photographs), measured.photograph)
    if journal and not kept:
        journal.discard()
    results = _finished(run, heading, kept, features)
    if out and journal:
        write_result(out / RESULTS_FILE, results.to_json())
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
    """Evaluate a plain function, a network in training for example, in memory.

    Args:
        predict: takes lightness (H, W), a HintField of that size and References at their own sizes; returns
            ab (H, W, 2).
        protocol: `HintSweep(counts=(0, 1, 10))`, `Auto256()`, ...
        photographs, limit, seed: as in `Run`.
    """
    return evaluate(Run(protocol, [CallablePredictor(predict)], photographs, limit, seed))


def _check(run: Run, jobs: int) -> None:
    """Refuse, before anything is measured, a run that cannot end well."""
    names = [contestant.name for contestant in run.contestants]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise OptionError(f"method {twice[0]!r} is given twice; give every method once.")
    if not names:
        raise OptionError("no method is given; give one or more with -m.")
    for contestant in run.contestants:
        if not isinstance(contestant, Gray):
            check_name(contestant.name)
        if isinstance(contestant, FinishedPictures):
            contestant.check([photograph.name for photograph in run.chosen()])
    for name in run.more_metrics:
        if name in METRICS and METRICS[name].needs_truth and not run.protocol.has_truth:
            raise EvaluationError(
                f"{name} compares with true photographs, which {run.protocol.name!r} has none of; leave it out."
            )
    check_scores(run.metrics, run.frozen)
    check_jobs(jobs)


def _kept_records(
    run: Run, journal: Journal | None, features: FeatureFolder, pictures: Path | None
) -> list[Record]:
    """The journal's records, without those that must be measured again: their features or pictures are missing.

    Args:
        run: the plan.
        journal: of the run's folder.
        features: of metrics of the whole run.
        pictures: the run's folder if pictures at full size are wanted.
    """
    kept = journal.records if journal else []
    again = {record.key for record in kept if not _has_features(run, record, features)}
    if pictures is not None:
        shown = [record for record in kept if record.case == run.shown_case]
        again |= {r.key for r in shown if not picture_path(pictures, r.method, r.photograph).is_file()}
    kept[:] = [record for record in kept if record.key not in again]
    return kept


def _has_features(run: Run, record: Record, features: FeatureFolder) -> bool:
    wanted = run.run_metrics if record.case == run.shown_case else ()
    both = [(metric, who) for metric in wanted for who in (TRUTH, record.method)]
    return all(features.get(metric, who, record.photograph) is not None for metric, who in both)


def _keep(
    measured: Measured, kept: list[Record], run: Run, journal: Journal | None, features: FeatureFolder
) -> None:
    """Keep the outcome of one task."""
    for (metric, who), vector in measured.features.items():
        features.keep(metric, who, measured.photograph, vector)
    for records in measured.records:
        journal.add(records) if journal else kept.extend(records)
    if measured.left_out:
        journal.leave_out(measured.left_out) if journal else None
        run.left_out.update(measured.left_out)


def _still_left_out(before: Mapping[str, str], done: set[tuple[str, str]]) -> dict[str, str]:
    """What an earlier run left out, of answers that are not asked for again."""
    starts = tuple(left_out_name(photograph, method) for photograph, method in done)
    return {name: why for name, why in before.items() if name.startswith(starts)}


def _tasks(run: Run, done: set[tuple[str, str]]) -> list[Task]:
    """A task for each photograph of which some contestant's records are missing."""
    tasks = []
    for photograph in run.chosen():
        names = tuple(c.name for c in run.contestants if (photograph.name, c.name) not in done)
        if names:
            tasks.append(Task(photograph.name, names))
    return tasks


def _finished(run: Run, heading: Heading, records: list[Record], features: FeatureFolder) -> Results:
    """The results of a run whose tasks are all done."""
    if not records:
        first = next(iter(run.left_out.values()), "no method can answer this protocol; give another with -m.")
        raise EvaluationError(f"none of {len(heading.photographs)} photographs could be measured: {first}")
    methods: dict[str, dict[str, object]] = {}
    for contestant in run.contestants:
        answered = {record.case for record in records if record.method == contestant.name}
        missing = [label for label in run.protocol.labels if label not in answered]
        methods[contestant.name] = {**identity(contestant), "unanswered": missing}
    in_order = ordered(records, heading, list(methods))
    shown = [record for record in in_order if record.case == run.shown_case]
    showing = {name: [r.photograph for r in shown if r.method == name] for name in methods}
    whole = {run.shown_case: frechet_distances(features, run.run_metrics, showing)} if run.run_metrics else {}
    return Results(heading, methods, in_order, dict(sorted(run.left_out.items())), whole)
