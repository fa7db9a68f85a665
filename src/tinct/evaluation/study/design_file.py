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
from tinct.evaluation.protocols import PROTOCOLS, get_protocol
from tinct.evaluation.run.contestants import RESERVED, Contestant, get_contestant
from tinct.evaluation.run.evaluator import Progress, evaluate
from tinct.evaluation.run.plan import Run
from tinct.evaluation.study.design import KINDS, MOST_SECONDS, MOST_SHOWN, Study
from tinct.evaluation.study.folders import GRAY, REFERENCE, TRUTH, pictures_in
from tinct.tables import check_above_zero, check_choice, check_from_zero, check_range, dataclass_from

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
    Raises:
        OptionError: if a value is out of its range, or methods are fewer than two, named twice or no methods.
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

    def __post_init__(self) -> None:
        check_choice("kind", self.kind, KINDS)
        check_choice("protocol", self.protocol, PROTOCOLS)
        check_above_zero(self, "photographs", "trials", "participants")
        check_from_zero(self, "practice")
        check_range(self, 0, MOST_SECONDS, "seconds")
        if self.shown != 0:
            check_range(self, 2, MOST_SHOWN, "shown")
        self._check_methods()

    def _check_methods(self) -> None:
        if len(self.methods) < 2:
            raise OptionError(f"methods are {list(self.methods)}; name two or more to compare.")
        if twice := [name for name in self.methods if self.methods.count(name) > 1]:
            raise OptionError(f"methods has {twice[0]!r} twice; name each method once.")
        if reserved := [name for name in self.methods if name in RESERVED]:
            raise OptionError(f"methods has {reserved[0]!r}, which is no method; leave it out.")

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
    results = evaluate(run, out, full_pictures=True, progress=progress)
    for name, why in results.left_out.items():
        say(f"{name} is left out: {why}")
    if len(results.heading.photographs) < design.photographs:
        say(f"{len(results.heading.photographs)} of the {design.photographs} photographs wanted are there.")
    pictures = out / "pictures"
    beside = [name for name in (TRUTH, GRAY, REFERENCE) if (pictures / name).is_dir()]
    found = pictures_in({name: pictures / name for name in (*(c.name for c in contestants), *beside)})
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
    if design.shown > len(found):
        raise EvaluationError(
            f"shown is {design.shown}, but {len(found)} of {len(design.methods)} methods can answer; show fewer."
        )
    return found
