"""The numbers of the released network's training."""

from __future__ import annotations

from dataclasses import dataclass

from tinct.errors import OptionError
from tinct.networks.tinct.training.start import ANEW, Start
from tinct.tables import check_above_zero, check_from_zero, check_range


@dataclass(frozen=True)
class TinctRecipe:
    """The make-up of a batch and the weights of the losses; shares are of photographs in a batch.

    Attributes:
        referenced: share that gets a reference.
        reference_shares: of these, how many get themselves (moved, bent, relit), a relative, an unrelated one.
        hinted: share of the others that gets hints; `hinted_too` of the referenced.
        most_hints: upper end of the log-uniform number of hints.
        recolored: share of the self-referenced whose hues are turned, so that the reference must be believed.
        recolored_too: the same of those that have a relative: the hues of both are turned alike.
        old: half of the photographs get the lightness of old ones.
        delta: of the Huber loss, ab / 110.
        huber, log_error, bins, match, scenes, objects, segments: weights of the losses (`tinct.training.losses`).
        start: where training begins, one of the kinds in `tinct.networks.tinct.training.start`.
    Raises:
        OptionError: if a share is not in 0..1, hints or delta are not above 0, or a weight is negative.
    """

    referenced: float = 0.4
    reference_shares: tuple[float, float, float] = (0.45, 0.33, 0.22)
    hinted: float = 0.67
    hinted_too: float = 0.2
    most_hints: int = 512
    recolored: float = 0.25
    recolored_too: float = 0.0
    old: bool = True
    delta: float = 0.1
    huber: float = 10.0
    log_error: float = 0.25
    bins: float = 0.1
    match: float = 5.0
    scenes: float = 0.03
    objects: float = 0.06
    segments: float = 0.06
    start: Start = ANEW

    def __post_init__(self) -> None:
        check_range(self, 0, 1, "referenced", "hinted", "hinted_too", "recolored", "recolored_too")
        check_from_zero(self, "huber", "log_error", "bins", "match", "scenes", "objects", "segments")
        check_above_zero(self, "most_hints", "delta")
        if (
            len(self.reference_shares) != 3
            or min(self.reference_shares) < 0
            or sum(self.reference_shares) <= 0
        ):
            raise OptionError(
                f"reference_shares are {self.reference_shares}; three numbers from 0 are wanted."
            )
