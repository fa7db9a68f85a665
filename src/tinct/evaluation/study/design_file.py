"""Designs of studies as files: which methods answer what, and how many people are asked how often.

A design names a protocol, by whose seed photographs and references are drawn: who has the photographs asks about the
same pairs. `tinct study run` makes the results and shows them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from tinct.errors import EvaluationError, MethodError, MissingExtraError, OptionError, WeightsError
from tinct.evaluation.photographs.sets import PhotographSet
from tinct.evaluation.protocols import get_protocol
from tinct.evaluation.run.contestants import Contestant, get_contestant
from tinct.evaluation.run.evaluator import Progress, evaluate
from tinct.evaluation.run.plan import Run
from tinct.evaluation.study.design import Study
from tinct.evaluation.study.folders import find_pictures
from tinct.tables import dataclass_from

Say = Callable[[str], None]
"""Takes one line about what is left out."""


@dataclass(frozen=True, slots=True)
class StudyDesign:
    """A study to be made.

    Attributes:
        protocol: name of the protocol that gives each photograph its reference, if it has one.
        methods: names of contestants, in the order of the tables.
        photographs: number of photographs, drawn by the seed.
        kind, trials, practice, seconds: of the `Study`.
        shown: results on one page, of a preference; 0 shows all.
        participants: number of people that are wanted; nobody is turned away.
        seed: of photographs, references and orders.
    """

    protocol: str = "exemplar-class"
    methods: tuple[str, ...] = ()
    photographs: int = 40
    kind: str = "preference"
    shown: int = 0
    trials: int = 40
    practice: int = 0
    seconds: float = 1.0
    participants: int = 30
    seed: int = 0

    @property
    def votes(self) -> int:
        """Number of votes that are wanted."""
        return self.participants * self.trials


def shipped_designs() -> dict[str, str]:
    """The designs that ship with tinct: text of the TOML file by name."""
    folder = files("tinct.evaluation.study") / "designs"
    return {
        each.name.removesuffix(".toml"): each.read_text(encoding="utf-8")
        for each in sorted(folder.iterdir(), key=lambda each: each.name)
        if each.name.endswith(".toml")
    }


def read_design(source: str) -> StudyDesign:
    """Read a design.

    Args:
        source: name of a design that ships with tinct, or path of a TOML file.
    Raises:
        OptionError: if there is no such design, or it is not one.
    """
    shipped = shipped_designs()
    try:
        text = shipped[source] if source in shipped else Path(source).read_text(encoding="utf-8")
        table = tomllib.loads(text)
    except OSError:
        raise OptionError(
            f"no design {source}; give a TOML file, or one that ships with tinct: {', '.join(shipped)}."
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OptionError(f"{source} is not TOML: {error}.") from None
    return dataclass_from(StudyDesign, table, source)


def make_study(
    design: StudyDesign,
    photographs: PhotographSet,
    out: Path,
    say: Say,
    progress: Progress | None = None,
) -> Study:
    """Let the design's methods answer, and plan the study of their results.

    Args:
        design: of the study.
        photographs: the whole set, from which photographs and references are drawn.
        out: folder of the run; a stopped run goes on.
        say: is told which methods are left out, and why.
        progress: called after every photograph.
    Raises:
        EvaluationError: if fewer than two methods are installed, or nothing can be measured.
        OptionError: if a value of the design is out of its range.
    """
    contestants = _installed(design, say)
    run = Run(get_protocol(design.protocol), contestants, photographs, design.photographs, design.seed)
    evaluate(run, out, full_pictures=True, progress=progress)
    pictures = out / "pictures"
    sources = [f"{c.name}={pictures / c.name}" for c in contestants]
    beside = [f"{name}={pictures / name}" for name in ("gray", "reference") if (pictures / name).is_dir()]
    truth = pictures / "truth"
    found = find_pictures([*sources, *beside], truth if truth.is_dir() else None)
    shown = design.shown or None
    return Study(design.kind, found, shown, design.trials, design.practice, design.seconds, design.seed)


def _installed(design: StudyDesign, say: Say) -> list[Contestant]:
    """The design's methods that can answer."""
    found: list[Contestant] = []
    for name in design.methods:
        try:
            found.append(get_contestant(name))
        except (WeightsError, MissingExtraError, MethodError) as error:
            say(f"{name} is left out: {error}")
    if len(found) < 2:
        raise EvaluationError(
            f"{len(found)} of {len(design.methods)} methods can answer; a study compares two or more."
        )
    return found
