"""The plan of a study: the trials of each participant, seeded and balanced; photographs repeat only after all."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from tinct.errors import EvaluationError, OptionError
from tinct.evaluation.study.folders import TRUTH, StudyPictures
from tinct.tables import check_choice

KINDS = {
    "preference": "Which result looks best?",
    "real": "Which picture has computed colors?",
    "real-single": "Are these colors real or computed?",
}
"""Kind of a study -> its question. `preference`: the best of several results. `real`: which of a true photograph and a
result, each shown for a moment, is the result (Zhang 2016, section 3.1). `real-single`: the same for one picture."""

ANSWERS = ("real", "computed")
"""The choices of a `real-single` trial, in order."""

MOST_SHOWN = 9
"""Results that can be told apart on one page and chosen by one key."""

MOST_SECONDS = 60
"""Longest time that a picture is shown, if there is a limit."""

DEFAULT_TRIALS, DEFAULT_PRACTICE = 40, 10
"""A session of Zhang 2016: 40 pairs after 10 for practice."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One question to one participant.

    Attributes:
        photograph: name of the photograph that the pictures show.
        shown: the methods, or `truth`, in the order of their places on the page.
        practice: True if the vote does not count, and the right answer is told.
    """

    photograph: str
    shown: tuple[str, ...]
    practice: bool = False

    @property
    def choices(self) -> tuple[str, ...]:
        """The possible votes, by place: a method or `truth`; for a single picture `ANSWERS`."""
        return self.shown if len(self.shown) > 1 else ANSWERS

    @property
    def fake(self) -> str | None:
        """The right choice in a study of the kinds `real` and `real-single`; None in a preference."""
        if len(self.shown) == 1:
            return ANSWERS[self.shown[0] != TRUTH]
        return next(m for m in self.shown if m != TRUTH) if TRUTH in self.shown else None


@dataclass(frozen=True, slots=True)
class Study:
    """A study: the pictures and the plan.

    Attributes:
        kind: one of `KINDS`.
        pictures: the results of the methods, and what goes with them.
        shown: results on one page (`preference`), 2..9; None shows all methods, at most 9.
        trials: questions that count, for each participant; None takes 40, or as many as there are photographs.
        practice: questions before those; None takes 10 in the real kinds (fewer if there are few photographs), else 0.
        seconds: time that each picture is shown in the real kinds; 0 is without limit.
        seed: start of the random orders.
    Raises:
        OptionError: if a value is out of its range.
        EvaluationError: if the pictures are not enough for the kind.
    """

    kind: str
    pictures: StudyPictures
    shown: int | None = None
    trials: int | None = None
    practice: int | None = None
    seconds: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        check_choice("kind", self.kind, KINDS)
        if not 0 <= self.seconds <= MOST_SECONDS:
            raise OptionError(f"seconds is {self.seconds}; it must be 0 (no limit) to {MOST_SECONDS}.")
        if (self.trials is not None and self.trials < 1) or (self.practice or 0) < 0:
            raise OptionError("a session needs 1 trial or more, and 0 or more for practice.")
        if self.kind == "preference":
            self._check_preference()
        elif missing := [p for p in self.pictures.photographs if p not in self.pictures.truth]:
            raise EvaluationError(
                f"{len(missing)} of {len(self.pictures.photographs)} photographs have no true picture "
                f"({missing[0]}); name the folder that has them with --truth."
            )

    def _check_preference(self) -> None:
        count = len(self.methods)
        if count < 2:
            raise EvaluationError(
                f"only {self.methods[0]} has results; a preference needs two methods or more."
            )
        if self.shown is None and count > MOST_SHOWN:
            raise OptionError(f"there are {count} methods; show 2 to {MOST_SHOWN} at a time with --shown.")
        if self.shown is not None and not 2 <= self.shown <= min(count, MOST_SHOWN):
            raise OptionError(f"shown is {self.shown}; it must be 2 to {min(count, MOST_SHOWN)} here.")

    @property
    def methods(self) -> tuple[str, ...]:
        """Names of the methods, in order; the server never sends them."""
        return tuple(self.pictures.methods)

    def counts(self) -> tuple[int, int]:
        """Numbers of practice trials and of trials that count, of one participant."""
        photographs = len(self.pictures.photographs)
        practice = self.practice
        if practice is None:
            practice = 0 if self.kind == "preference" else min(DEFAULT_PRACTICE, photographs // 5)
        trials = self.trials or max(1, min(DEFAULT_TRIALS, photographs - practice))
        return practice, trials

    def plan(self, participant: int) -> tuple[Trial, ...]:
        """The trials of one participant (numbered from 1); the same number and seed give the same plan."""
        generator = _generator(self.seed, participant)
        practice, trials = self.counts()
        photographs = _repeated(self.pictures.photographs, practice + trials, generator)
        # Practice trials and those that count are balanced separately.
        shown = self._groups(practice, participant, generator) + self._groups(trials, participant, generator)
        return tuple(
            Trial(photograph, group, i < practice)
            for i, (photograph, group) in enumerate(zip(photographs, shown, strict=True))
        )

    def _groups(self, count: int, participant: int, generator: np.random.Generator) -> list[tuple[str, ...]]:
        if self.kind == "preference":
            every = list(combinations(self.methods, self.shown or len(self.methods)))
        elif self.kind == "real":
            every = [(method, TRUTH) for method in self.methods]
        else:  # as many true pictures as colorized ones: guessing is right half the time
            every = [group for method in self.methods for group in ((method,), (TRUTH,))]
        # If the trials are no multiple of the groups, the next participant begins with the groups left over.
        start = (participant - 1) * count
        groups = [every[(start + i) % len(every)] for i in range(count)]
        order = generator.permutation(count)
        return [tuple(groups[i][j] for j in generator.permutation(len(groups[i]))) for i in order]


def _generator(seed: int, participant: int) -> np.random.Generator:
    digest = hashlib.sha256(f"{seed}|{participant}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))


def _repeated(names: tuple[str, ...], count: int, generator: np.random.Generator) -> list[str]:
    """Names in random order; a name repeats only after all others."""
    found: list[str] = []
    while len(found) < count:
        found += [names[i] for i in generator.permutation(len(names))]
    return found[:count]
