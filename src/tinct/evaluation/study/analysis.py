"""Outcomes of a study: how often each method was preferred or taken for real, by participant and by photograph."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tinct.errors import EvaluationError
from tinct.evaluation.study.folders import TRUTH
from tinct.evaluation.study.votes import Vote

RESAMPLINGS = 2000
"""Samples of participants of which an interval is computed."""

CONFIDENCE = 0.95
"""Probability of an interval."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One method's outcome; shares are 0..1.

    Attributes:
        method: its name; `truth` in a study of single pictures, whose share the methods' shares are compared with.
        asked: trials in which the method was shown.
        won: trials in which the method was preferred, or taken for real.
        by_participant, by_photograph: the share of trials won, for each participant and for each photograph.
        interval: 95 % interval of the share, by resampling participants (Efron 1979); None for fewer than two.
    """

    method: str
    asked: int
    won: int
    by_participant: tuple[float, ...]
    by_photograph: tuple[float, ...]
    interval: tuple[float, float] | None

    @property
    def share(self) -> float:
        """Trials won, of those asked."""
        return self.won / self.asked


def outcomes(kind: str, methods: Sequence[str], votes: Sequence[Vote], seed: int = 0) -> list[Outcome]:
    """Count votes.

    The share of a method is, in a study of the kind `preference`, that of the trials showing the method in which it was
    chosen (guessing gives 1 / pictures shown); of the kind `real`, how often the true photograph was taken for the
    computed one (50 % means that the two cannot be told apart; Zhang 2016, section 3.1); of the kind `real-single`, how
    often the method's picture was called real.

    Args:
        kind: one of `tinct.evaluation.study.KINDS`.
        methods: in the order of the outcomes; methods without a vote are left out.
        votes: without those of practice.
        seed: of the resampling.
    Raises:
        EvaluationError: if there are no votes.
    """
    if not votes:
        raise EvaluationError("there are no votes yet; export when somebody has taken part.")
    names = (*methods, TRUTH) if kind == "real-single" else tuple(methods)
    return [_outcome(name, kind, votes, seed) for name in names if any(name in vote.shown for vote in votes)]


def won(kind: str, method: str, vote: Vote) -> bool:
    """Whether a vote is for one of the methods shown: the method was preferred, or taken for real."""
    if kind == "real":
        return vote.chosen == TRUTH
    return vote.chosen == (method if kind == "preference" else "real")


def chance(kind: str, votes: Sequence[Vote]) -> float:
    """The expected share of guessing: 1 / pictures shown, or one half."""
    return float(np.mean([1 / len(vote.shown) for vote in votes])) if kind == "preference" else 0.5


def preferred_over(votes: Sequence[Vote], methods: Sequence[str]) -> np.ndarray:
    """Pairwise counts, shape (methods, methods): trials with both in which the row's method was chosen."""
    rank = {name: i for i, name in enumerate(methods)}
    counts = np.zeros((len(rank), len(rank)), np.int64)
    for vote in votes:
        for other in vote.shown:
            if vote.chosen in rank and other in rank and other != vote.chosen:
                counts[rank[vote.chosen], rank[other]] += 1
    return counts


def _outcome(name: str, kind: str, votes: Sequence[Vote], seed: int) -> Outcome:
    chosen = [vote for vote in votes if name in vote.shown]
    people = _tallies(chosen, lambda vote: vote.participant, lambda vote: won(kind, name, vote))
    photographs = _tallies(chosen, lambda vote: vote.photograph, lambda vote: won(kind, name, vote))
    return Outcome(
        name,
        asked=int(people[:, 1].sum()),
        won=int(people[:, 0].sum()),
        by_participant=tuple((people[:, 0] / people[:, 1]).tolist()),
        by_photograph=tuple((photographs[:, 0] / photographs[:, 1]).tolist()),
        interval=_interval(people, seed),
    )


def _tallies(
    votes: Sequence[Vote], key: Callable[[Vote], object], speaks: Callable[[Vote], bool]
) -> np.ndarray:
    """Won and asked for each key, shape (keys, 2), in order of first appearance."""
    found: dict[object, list[int]] = defaultdict(lambda: [0, 0])
    for vote in votes:
        found[key(vote)][0] += speaks(vote)
        found[key(vote)][1] += 1
    return np.array(list(found.values()), np.int64)


def _interval(people: np.ndarray, seed: int) -> tuple[float, float] | None:
    """The interval of the share; whole participants are resampled, as votes of one person are not independent."""
    if len(people) < 2:
        return None
    drawn = np.random.default_rng(seed).integers(0, len(people), (RESAMPLINGS, len(people)))
    sums = people[drawn].sum(axis=1)
    tail = (1 - CONFIDENCE) / 2 * 100
    low, high = np.percentile(sums[:, 0] / sums[:, 1], [tail, 100 - tail])
    return float(low), float(high)
