"""The results of an evaluation as one JSON file, with the question, the photographs, the code and the versions.

A record has the scores of one method's answer to one case of one photograph. A run keeps its records in a journal; the
results file is written once, at the end, and atomically.
"""

from __future__ import annotations

import json
import lzma
import math
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache, cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tinct.errors import EvaluationError, OptionError, OutputError
from tinct.evaluation.metrics.table import METRICS
from tinct.files import write_whole
from tinct.tables import dataclass_from

SCHEMA = 1
"""Version of the file's format."""

RESULTS_FILE = "results.json"
"""Name of the results file in a run's folder."""

JOURNAL_FILE = "journal.jsonl"
"""Name of the journal in a run's folder."""

SCORE_DIGITS = 7
"""Significant digits kept of a score: the precision of float32."""


@dataclass(frozen=True, slots=True)
class Record:
    """The scores of one method's answer to one case of one photograph.

    Attributes:
        photograph, method, case: names of the three.
        scores: metric -> value; None where the metric has no value (infinite PSNR, a case without hints).
    """

    photograph: str
    method: str
    case: str
    scores: dict[str, float | None]

    @property
    def key(self) -> tuple[str, str]:
        """(photograph, method), whose records are measured and kept together."""
        return self.photograph, self.method


@dataclass(frozen=True, slots=True)
class Heading:
    """The facts that must be equal for two records to stand in one table.

    Attributes:
        protocol, seed, parameters: the question.
        photographs: names of the photographs measured on.
        available: number of photographs of the whole set.
        content: hash of what the answers depend on beside the question: the files measured on, or those of the whole
            set where references are drawn from it, and of the folder that references are retrieved from; "" in results
            of a tinct that kept none, which fit any.
        metrics: names of the metrics of the records and of the whole run.
        versions: of tinct and of the libraries that compute.
        code: hash of the code that measures (`tinct.evaluation.run.code_hash.measuring_code`); `Results.methods` has
            those of the code that answers.
        schema: version of the file's format.
    """

    protocol: str
    seed: int
    photographs: tuple[str, ...]
    available: int
    parameters: dict[str, object] = field(default_factory=dict)
    metrics: tuple[str, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    code: str = ""
    schema: int = SCHEMA
    content: str = ""

    def differences(self, other: Heading, *, code: bool = True) -> list[str]:
        """Names and both values of the facts that differ; `code=False` compares the question alone."""
        names = ["schema", "protocol", "seed", "parameters", "photographs"]
        names += ["content"] if self.content and other.content else []
        names += ["metrics", "versions", "code"] if code else []
        return [_difference(n, getattr(self, n), getattr(other, n)) for n in names if _differ(self, other, n)]


@dataclass(frozen=True)
class Results:
    """A finished evaluation.

    Attributes:
        heading: the question, photographs, metrics, versions and code.
        methods: name -> {"weights_sha256", "code", "unanswered": [case]}.
        records: in order of photograph, method and case.
        left_out: name of what could not be measured -> the reason.
        whole: case -> method -> metric -> {"mean", "count"}, for the metrics of the whole run.
    """

    heading: Heading
    methods: dict[str, dict[str, object]]
    records: tuple[Record, ...]
    left_out: dict[str, str] = field(default_factory=dict)
    whole: dict[str, dict[str, dict[str, dict[str, float]]]] = field(default_factory=dict)

    @property
    def cases(self) -> tuple[str, ...]:
        """Labels of the cases with a record, in the protocol's order."""
        return tuple(dict.fromkeys(record.case for record in self.records))

    @cached_property
    def _index(self) -> dict[tuple[str, str, str], dict[str, float | None]]:
        return {(r.photograph, r.method, r.case): r.scores for r in self.records}

    def scores(self, method: str, case: str, metric: str) -> dict[str, float]:
        """Photograph -> score, for the photographs with a value."""
        chosen = (r for r in self.records if r.method == method and r.case == case)
        return {r.photograph: s for r in chosen if (s := r.scores.get(metric)) is not None}

    def scores_of(self, photograph: str, method: str, case: str) -> dict[str, float | None]:
        """The scores of one record; empty if there is no such record."""
        return self._index.get((photograph, method, case), {})

    def summary(self) -> dict[str, dict[str, dict[str, dict[str, float]]]]:
        """method -> case -> metric -> {"mean", "standard_error", "count"}; metrics of the whole run have no error."""
        return self._summary

    @cached_property
    def _summary(self) -> dict[str, dict[str, dict[str, dict[str, float]]]]:
        table: dict[str, dict[str, dict[str, list[float]]]] = {name: {} for name in self.methods}
        for record in self.records:
            columns = table[record.method].setdefault(record.case, {})
            for metric, score in record.scores.items():
                if score is not None:
                    columns.setdefault(metric, []).append(score)
        summary = {
            method: {
                case: {m: mean_and_error(s) for m, s in columns.items()} for case, columns in cases.items()
            }
            for method, cases in table.items()
        }
        for case, methods in self.whole.items():
            for method, figures in methods.items():
                summary[method][case] |= figures
        return summary

    def to_json(self) -> str:
        """The text of the results file; equal results give equal text."""
        content = {
            **asdict(self.heading),
            "left_out": self.left_out,
            "methods": self.methods,
            "whole": self.whole,
            "summary": self.summary(),
            "records": [asdict(record) for record in self.records],
        }
        return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def mean_and_error(scores: Sequence[float]) -> dict[str, float]:
    """Mean, standard error of the mean (0 for a single score) and count."""
    count = len(scores)
    mean = math.fsum(scores) / count
    squares = math.fsum((score - mean) ** 2 for score in scores)
    error = math.sqrt(squares / (count - 1) / count) if count > 1 else 0.0
    return {"mean": rounded(mean) or 0.0, "standard_error": rounded(error) or 0.0, "count": count}


def rounded(score: float | None) -> float | None:
    """A score as a results file keeps it: SCORE_DIGITS significant digits; None for infinity and NaN."""
    if score is None or not math.isfinite(score):
        return None
    return float(f"{float(score):.{SCORE_DIGITS}g}")


def read_results(path: Path) -> Results:
    """Read a results file, packed if its name ends in `.xz`, or the results file of a run's folder.

    Raises:
        EvaluationError: if the file is missing, is no results file, or is of another version.
    """
    path = path / RESULTS_FILE if path.is_dir() else path
    if not path.is_file():
        raise EvaluationError(
            f"{path} does not exist; give a results.json that `tinct evaluate` has written."
        )
    try:
        raw = path.read_bytes()
        content = json.loads(lzma.decompress(raw) if path.suffix == ".xz" else raw)
        schema = content["schema"]
    except OSError as error:
        raise EvaluationError(f"{path} cannot be read ({error.strerror}); make it readable.") from None
    except (ValueError, KeyError, TypeError, RecursionError, lzma.LZMAError):
        raise EvaluationError(
            f"{path} is not a results file; give one that `tinct evaluate` has written."
        ) from None
    if schema != SCHEMA:
        raise EvaluationError(
            f"{path} has version {schema} of the format; version {SCHEMA} is read: evaluate again."
        )
    return _from_content(path, content)


@dataclass(frozen=True, slots=True)
class _Content:
    """What a results file has beside its heading and the summary; see `Results`."""

    methods: dict[str, dict[str, object]]
    records: tuple[dict[str, object], ...]
    left_out: dict[str, str]
    whole: dict[str, dict[str, dict[str, dict[str, float]]]] = field(default_factory=dict)


def _from_content(path: Path, content: dict) -> Results:
    try:
        heading = heading_from(content)
        known = {name: content[name] for name in _Content.__dataclass_fields__ if name in content}
        parts = dataclass_from(_Content, known, "results")
        records = tuple(record_from(each, number) for number, each in enumerate(parts.records, 1))
        results = Results(heading, parts.methods, records, parts.left_out, parts.whole)
        _check_names(results)
    except OptionError as error:
        raise EvaluationError(f"{path} is damaged: {str(error).rstrip('.')}; evaluate again.") from None
    return results


def _check_names(results: Results) -> None:
    """Refuse results whose records are not of their heading and their methods.

    Raises:
        OptionError: if a record's photograph, method or metric is in no list of them, if there are two records of one
            answer, or a figure of the whole run is of a method that answered no such case.
    """
    heading, answered = results.heading, {(record.method, record.case) for record in results.records}
    photographs = set(heading.photographs)
    if len(results._index) < len(results.records):
        raise OptionError("it has two records of one photograph, method and case")
    for record in results.records:
        if record.photograph not in photographs or record.method not in results.methods:
            raise OptionError(
                f"it has a record of {record.photograph!r} by {record.method!r}, which are not in its lists"
            )
    if strange := {(method, case) for case, found in results.whole.items() for method in found} - answered:
        raise OptionError(f"it has figures of {min(strange)[0]!r} without records")
    if unknown := [name for name in heading.metrics if name not in METRICS]:
        raise OptionError(f"it has the metric {unknown[0]!r}, which this version of tinct does not know")


def heading_from(content: Mapping) -> Heading:
    """The heading in parsed JSON; unknown fields are ignored.

    Raises:
        OptionError: if a field is missing, or is of another type.
    """
    names = Heading.__dataclass_fields__
    if missing := [name for name in names if name not in content and name != "content"]:
        raise OptionError(f"the heading lacks {missing[0]!r}")
    return dataclass_from(Heading, {name: content[name] for name in names if name in content}, "heading")


def record_from(content: Mapping[str, Any], number: int) -> Record:
    """A record in parsed JSON; `number` is its place in the file, for the error.

    Raises:
        OptionError: if a field is missing or unknown, or is of another type: scores are finite numbers or null.
    """
    return dataclass_from(Record, content, f"record {number}")


def write_result(path: Path, content: str | bytes) -> None:
    """Write a file of an evaluation in one piece; see `tinct.files.write_whole`.

    Raises:
        OutputError: if the file cannot be written.
    """
    try:
        write_whole(path, content)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written ({error.strerror}); choose another folder with --out."
        ) from None


@cache
def versions() -> dict[str, str]:
    """Versions of tinct, Python and the libraries that compute."""
    found = {"python": platform.python_version()}
    for name in ("tinct", "numpy", "scipy", "opencv-python-headless", "pillow", "scikit-image", "openvino"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found


def ordered(records: Iterable[Record], heading: Heading, methods: Sequence[str]) -> tuple[Record, ...]:
    """Records in the order of the heading's photographs and of the methods; the order of cases stays."""
    photographs = {name: i for i, name in enumerate(heading.photographs)}
    ranks = {name: i for i, name in enumerate(methods)}
    chosen = [r for r in records if r.photograph in photographs and r.method in ranks]
    return tuple(sorted(chosen, key=lambda r: (photographs[r.photograph], ranks[r.method])))


def _differ(one: Heading, other: Heading, name: str) -> bool:
    return json.dumps(getattr(one, name)) != json.dumps(getattr(other, name))


def _difference(name: str, one: object, other: object) -> str:
    if name == "photographs":
        return f"photographs ({len(one)} and {len(other)}, not the same names)"  # type: ignore[arg-type]
    if name == "content":
        return "photographs (files that have changed, or another number of them to draw references from)"
    return f"{name} ({_short(one)} and {_short(other)})"


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."
