"""The numbers of the released network's training."""

from __future__ import annotations

from dataclasses import dataclass

from tinct.errors import OptionError

BEGINNINGS = ("stem", "sixteenth", "none")
"""Where the training of a pretrained backbone may begin."""


@dataclass(frozen=True)
class TinctRecipe:
    """What a batch is made of and what is minimized; shares are of photographs in a batch.

    Attributes:
        referenced: share that gets a reference.
        reference_shares: of these, how many get themselves (moved, bent, relit), a relative, anybody.
        hinted: share of the others that gets hints; `hinted_too` of the referenced.
        most_hints: upper end of the log-uniform number of hints.
        recolored: share of the self-referenced whose hues are turned, so that the reference must be believed.
        recolored_too: the same of those that have a relative: the hues of both are turned alike.
        old: half of the photographs get the lightness of old ones.
        delta: of the Huber loss, ab / 110.
        huber, log_error, bins, match, scenes, objects, segments: weights of the losses (`tinct.training.losses`).
        backbone_from: where in a pretrained encoder training begins: "stem" for all of it, "sixteenth" for what follows
            1/8, "none".
        start: a run of the same network whose weights this one begins with; "" begins anew.
        released_decoder: begin with the released decoder and matcher (`tinct.networks.transplant`).
        mimicry: with `released_decoder`: teach the encoder to say what the released one says, and nothing of colors
            (`tinct.networks.tinct.mimicry`).
        decoder_only: train decoder and matcher alone, over the encoder of the weights that are installed.
        go_on: with `decoder_only`: begin with the decoder of these weights, not with a fresh one.
        keep_answers: with `go_on`: photographs without a reference, or with an unrelated one, are taught the answer of
            the decoder that was begun with, not the truth, so that nothing drifts but the use of references.
        mean_with: with `go_on`: a run whose decoder gave references more weight. Photographs are taught answers: with
            another one as reference the mean of this run's and of those of the decoder that was begun with, without
            one the latter (distillation of an ensemble: Hinton et al. 2015); the truth where they are their own
            reference, and of what the memory must know.
        mean_share: the share of `mean_with` in that mean.
        mean_trust: what is added to references' scores in the decoder that was begun with, and in `mean_with`.
    Raises:
        OptionError: if a share is not in 0..1, hints or delta are not above 0, or `go_on`, `keep_answers` or
            `mean_with` stands alone.
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
    backbone_from: str = "stem"
    start: str = ""
    released_decoder: bool = False
    mimicry: bool = False
    decoder_only: bool = False
    go_on: bool = False
    keep_answers: bool = False
    mean_with: str = ""
    mean_share: float = 0.5
    mean_trust: tuple[float, float] = (2.0, -2.0)

    def __post_init__(self) -> None:
        for name in ("referenced", "hinted", "hinted_too", "recolored", "recolored_too", "mean_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise OptionError(f"{name} is {getattr(self, name)}; a share is 0..1.")
        if (
            len(self.reference_shares) != 3
            or min(self.reference_shares) < 0
            or sum(self.reference_shares) <= 0
        ):
            raise OptionError(
                f"reference_shares are {self.reference_shares}; three numbers from 0 are wanted."
            )
        if self.backbone_from not in BEGINNINGS:
            raise OptionError(
                f"backbone_from is {self.backbone_from!r}; choose one of {', '.join(BEGINNINGS)}."
            )
        if self.mimicry and not self.released_decoder:
            raise OptionError("mimicry is for a released decoder; write released_decoder = true as well.")
        if self.most_hints < 1 or self.delta <= 0:
            raise OptionError("most_hints must be at least 1, and delta above 0.")
        if self.go_on and not self.decoder_only:
            raise OptionError("go_on is for a decoder alone; write decoder_only = true as well.")
        for name in ("keep_answers", "mean_with"):
            if getattr(self, name) and not self.go_on:
                raise OptionError(f"{name} needs an earlier decoder; write go_on = true as well.")
        if self.keep_answers and self.mean_with:
            raise OptionError("mean_with says already which answers are kept; leave keep_answers out.")
        if len(self.mean_trust) != 2:
            raise OptionError(f"mean_trust is {self.mean_trust}; two numbers are wanted.")
