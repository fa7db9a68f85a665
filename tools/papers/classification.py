"""Classification transfer (Zhang et al. 2016, section 3.1): accuracy of a frozen classifier on results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinct.errors import EvaluationError, WeightsError
from tinct.evaluation.metrics.semantic import Classifier
from tinct.evaluation.photographs.rgb import Image
from tinct.evaluation.photographs.sets import Photograph
from tinct.evaluation.report.tables import DASH, cell_text, columns_of
from tinct.evaluation.run.contestants import Contestant, Gray, checked_answer
from tinct.evaluation.run.plan import Run
from tinct.evaluation.run.results import Results, mean_and_error
from tinct.weights.frozen import locate
from tools.papers.page import Say, Section
from tools.papers.sheet import Row, write_rows

NAMES_FILE = "imagenet_labels.txt"
"""Name of the file beside the classifier with a line for each class, synonyms separated by commas."""


LIKELIEST = 5
"""Classes that are listed of each picture."""

LISTED = 3
"""Photographs of each kind that are listed."""


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
    file = _names_file(run, names_file)
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


def listing(
    run: Run, results: Results, name: str, out: Path, names_file: Path | None, say: Say
) -> Section | None:
    """The likeliest classes of the truth, of gray and of a method's result, for photographs that tell them apart.

    Those are photographs whose class gray loses and the result restores, and such whose class the result loses and gray
    keeps, in an order drawn by the seed.

    Args:
        run, results: a run with the metric `semantic` of gray and of the method.
        name: of the method.
        out: folder of the sheet, `listing-METHOD.png`.
        names_file: as of `classification`.
        say: is told the reason if there is nothing to list.
    """
    contestant = next((c for c in run.contestants if c.name == name), None)
    gray, colored = (results.scores(one, "auto", "semantic") for one in ("gray", name))
    kinds = {
        "gray loses the class and the result restores it": _drawn(run, gray, colored),
        "the result loses the class and gray keeps it": _drawn(run, colored, gray),
    }
    if contestant is None or not any(kinds.values()):
        say(f"the listing of classes: no class of a photograph differs between gray and {name}.")
        return None
    file, classifier = _names_file(run, names_file), Classifier(run.frozen)
    names = file.read_text(encoding="utf-8").splitlines() if file else []
    parts, rows = [], []
    for kind, photographs in kinds.items():
        parts += [f"**{kind[0].upper()}{kind[1:]}:**"] if photographs else []
        for photograph in photographs:
            pictures = _pictures(run, photograph, contestant)
            lists = [_likeliest(classifier(picture), names) for picture in pictures.values()]
            lines = [f"| `{photograph.name}`: truth | gray | {name} |", "|---|---|---|"]
            lines += [f"| {' | '.join(cells)} |" for cells in zip(*lists, strict=True)]
            parts.append("\n".join(lines))
            rows.append(Row(list(pictures.values()), [cells[0] for cells in lists]))
    sheet = write_rows(rows, out / f"listing-{name.replace(':', '-')}.png")
    text = f"The {LIKELIEST} likeliest classes and their probabilities, in steps of 1/256.\n\n" + "\n\n".join(
        parts
    )
    return Section(f"Zhang 2016: what a classifier sees in results of {name}", text, (sheet,))


def _drawn(run: Run, lost: Mapping[str, float], kept: Mapping[str, float]) -> list[Photograph]:
    """Photographs whose class one contestant loses and the other keeps, by a seed of their names."""
    found = [p for p in run.photographs if lost.get(p.name) == 0 and kept.get(p.name) == 1]
    return sorted(found, key=lambda photograph: photograph.seed(run.seed, "listing"))[:LISTED]


def _pictures(run: Run, photograph: Photograph, contestant: Contestant) -> dict[str, Image]:
    (case,) = run.protocol.cases(photograph, run.photographs, run.seed)
    assert case.truth is not None
    answers = {one.name: checked_answer(one, case) for one in (Gray(), contestant)}
    return {"truth": case.truth, **answers}


def _likeliest(probabilities: NDArray[np.float32], names: Sequence[str]) -> list[str]:
    """The likeliest classes as "NAME PROBABILITY", likeliest first."""
    order = np.argsort(-probabilities, kind="stable")[:LIKELIEST]
    called = [names[i].split(",")[0].replace("_", " ") if i < len(names) else f"class {i}" for i in order]
    return [f"{name} {probabilities[i]:.2f}" for i, name in zip(order, called, strict=True)]


def _names_file(run: Run, given: Path | None) -> Path | None:
    """The file with the names of the classes: the given one, or `NAMES_FILE` beside the classifier, if it exists."""
    beside = locate("classifier", run.frozen).with_name(NAMES_FILE)
    return given or (beside if beside.is_file() else None)


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
