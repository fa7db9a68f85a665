"""Classification transfer (Zhang et al. 2016, section 3.1): accuracy of a frozen classifier on results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from tinct.errors import EvaluationError, WeightsError
from tinct.evaluation.metrics.semantic import Classifier
from tinct.evaluation.report.tables import DASH, cell_text, columns_of
from tinct.evaluation.run.contestants import Contestant, checked_answer
from tinct.evaluation.run.plan import Run
from tinct.evaluation.run.results import Results, mean_and_error
from tinct.weights.frozen import locate
from tools.papers.page import Say, Section

NAMES_FILE = "imagenet_labels.txt"
"""Name of the file beside the classifier with a line for each class, synonyms separated by commas."""


def has_classifier(say: Say) -> bool:
    """Whether the frozen classifier is found; if not, `say` is told why."""
    try:
        locate("classifier")
    except WeightsError as error:
        say(f"classification transfer: {error}")
        return False
    return True


def classification(run: Run, results: Results, names_file: Path | None = None) -> Section:
    """The table of classification transfer: agreement with the truth's class (metric `semantic`), and with the label.

    A photograph has a label if its class has the name of one of the classifier's classes. Labelled photographs are
    colorized again, since runs keep only thumbnails.

    Args:
        run: the run, with the metric `semantic`.
        results: the results of the run.
        names_file: file with the names of the classes; None takes `NAMES_FILE` beside the classifier, if it exists.
    Raises:
        EvaluationError: if a names_file is given and cannot be read.
    """
    beside = locate("classifier", run.frozen).with_name(NAMES_FILE)
    file = names_file or (beside if beside.is_file() else None)
    right = _right(run, results, class_indices(file) if file else {})
    columns = columns_of(results, "auto")
    lines = ["| photographs | top-1 is the truth's top-1 | top-1 is the label |", "|---|--:|--:|"]
    lines.append(f"| the truth | 1 | {_share(right.get('truth', []))} |")
    for name in columns:
        agreed = cell_text(columns, name, "semantic")
        if agreed != DASH or name in right:
            lines.append(f"| {name} | {agreed} | {_share(right.get(name, []))} |")
    labelled, measured = len(right.get("truth", [])), len({record.photograph for record in results.records})
    text = f"""
Share of photographs, squashed to 256x256, whose likeliest class a frozen classifier (MobileNet-EdgeTPU, ImageNet) has
right, without any retraining. The first column is agreement with what it sees in the true photograph, on {measured}
photographs; the second is accuracy on the {labelled} of them whose class is one of the classifier's{_none(labelled)}.

{chr(10).join(lines)}

As published, VGG-16 on ImageNet's validation set, by label: truth 68.3 %, gray 52.7 %, the full method 56.0 %.
"""
    return Section("Zhang 2016: classification transfer", text)


def class_indices(file: Path) -> dict[str, int]:
    """Name -> index of the class, for names that only one class has; lower case, without underscores.

    Args:
        file: file with a line for each class, synonyms separated by commas.
    Raises:
        EvaluationError: if the file cannot be read.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise EvaluationError(f"{file} cannot be read ({error}); give a file with a class a line.") from None
    pairs = [(plain(name), index) for index, line in enumerate(lines) for name in line.split(",")]
    counts = Counter(name for name, _ in pairs)
    return {name: index for name, index in pairs if name and counts[name] == 1}


def plain(name: str) -> str:
    """The name of a class in lower case, without underscores."""
    return name.replace("_", " ").strip().lower()


def _right(run: Run, results: Results, indices: Mapping[str, int]) -> dict[str, list[bool]]:
    """Contestant or "truth" -> whether the likeliest class is the label, for each labelled photograph."""
    measured = {record.photograph for record in results.records}
    labelled = [p for p in run.chosen() if p.name in measured and plain(p.category) in indices]
    found: dict[str, list[bool]] = {}
    if not labelled:
        return found
    classifier = Classifier(run.frozen)
    contestants: Sequence[Contestant] = [c for c in run.contestants if c.name in results.methods]
    for photograph in labelled:
        (case,) = run.protocol.cases(photograph, run.photographs, run.seed)
        assert case.truth is not None
        label = indices[plain(photograph.category)]
        found.setdefault("truth", []).append(classifier.top1(case.truth) == label)
        for contestant in contestants:
            if not contestant.cannot(case):
                seen = classifier.top1(checked_answer(contestant, case))
                found.setdefault(contestant.name, []).append(seen == label)
    return found


def _share(right: Sequence[bool]) -> str:
    if not right:
        return DASH
    figures = mean_and_error([float(one) for one in right])
    return f"{figures['mean']:.3f} ± {figures['standard_error']:.3f}"


def _none(labelled: int) -> str:
    return "" if labelled else " (a dash: none has such a class)"
