"""Where the released network's training begins: the kinds of `start` in a recipe, each with its own numbers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from torch import nn

from tinct.errors import OptionError
from tinct.networks.tinct.network import Tinct
from tinct.networks.tinct.released_weights import installed_network, take_released
from tinct.tables import OneOf, check_range
from tinct.training.checkpoint import averaged_state
from tinct.training.pool import RELATED, SELF

NETWORK = "tinct"
"""Name of the network in its checkpoints."""


class Start(OneOf):
    """A beginning of training.

    Attributes:
        trains_encoder: False if the encoder keeps its weights.
        told: kinds of reference (`tinct.training.pool`) beside which the truth is taught, where another decoder's
            answers are taught to the other photographs; None if all photographs are taught the truth.
    """

    trains_encoder: ClassVar[bool] = True
    told: ClassVar[tuple[int, ...] | None] = None

    def begin(self, model: Tinct) -> None:
        """Give a fresh network its first weights.

        Raises:
            WeightsError: if installed weights are wanted that are not there, or are another network's.
            OptionError: if a run is wanted that is not there, or is another network's.
        """


@dataclass(frozen=True)
class Anew(Start):
    """`kind = "anew"`: every weight is random."""


@dataclass(frozen=True)
class FromRun(Start):
    """`kind = "run"`: the averaged weights of a run of the same network.

    Attributes:
        run: folder of the run.
    Raises:
        OptionError: if no folder is named.
    """

    run: str = ""

    def __post_init__(self) -> None:
        if not self.run:
            raise OptionError('a start of kind "run" needs the folder of a run; write run = "runs/mine".')

    def begin(self, model: Tinct) -> None:
        """Load the run's weights."""
        state = averaged_state(Path(self.run), NETWORK)
        try:
            model.load_state_dict(state)
        except RuntimeError:
            raise OptionError(
                f"{self.run} has other numbers in [network]; write those of that run."
            ) from None


@dataclass(frozen=True)
class Mimicry(Start):
    """`kind = "mimicry"`: the installed network, whose encoder's layers an encoder that shares a backbone begins with.

    It is taught the installed encoder's features, and nothing of colors (`tinct.networks.tinct.training.mimicry`).
    """

    def begin(self, model: Tinct) -> None:
        """Load decoder and matcher; the encoder's layers are begun with on photographs."""
        installed = installed_network()
        model.matcher.load_state_dict(installed.matcher.state_dict())
        model.decoder.load_state_dict(installed.decoder.state_dict())


@dataclass(frozen=True)
class ReleasedEncoder(Start):
    """`kind = "released-encoder"`: the installed encoder, which stays, and matcher; the decoder is fresh."""

    trains_encoder: ClassVar[bool] = False

    def begin(self, model: Tinct) -> None:
        """Load encoder and matcher."""
        take_released(model)


@dataclass(frozen=True)
class Released(ReleasedEncoder):
    """`kind = "released"`: the installed network; matcher and decoder go on."""

    def begin(self, model: Tinct) -> None:
        """Load encoder, matcher and decoder."""
        take_released(model, decoder=True)


@dataclass(frozen=True)
class KeptAnswers(Released):
    """`kind = "released-kept"`: as `Released`, with some photographs taught the answer of the installed decoder.

    Photographs without a reference, or with an unrelated one, are taught that answer and not the truth, so that
    nothing but the use of references changes.
    """

    told: ClassVar[tuple[int, ...] | None] = (SELF, RELATED)


@dataclass(frozen=True)
class Distilled(Released):
    """`kind = "released-distilled"`: the same, and photographs are taught answers but beside themselves as reference.

    Beside another photograph as reference the answer is the mean of the installed decoder's and of a run's, without a
    reference the installed decoder's (distillation of an ensemble: Hinton et al. 2015).
    The matcher is taught the truth.

    Attributes:
        run: folder of a run of kind "released" whose decoder gives references more weight.
        share: of that run in the mean, 0..1.
        trust: added to the scores of references in the installed network and in the run.
    Raises:
        OptionError: if no folder is named, the share is not in 0..1, or the trusts are not two numbers.
    """

    told: ClassVar[tuple[int, ...] | None] = (SELF,)
    run: str = ""
    share: float = 0.5
    trust: tuple[float, float] = (2.0, -2.0)

    def __post_init__(self) -> None:
        if not self.run:
            raise OptionError('a start of kind "released-distilled" needs a run; write run = "runs/mine".')
        check_range(self, 0, 1, "share")
        if len(self.trust) != 2:
            raise OptionError(f"trust is {self.trust}; two numbers are wanted.")


ANEW = Anew()
"""The start of a recipe that names none."""

Start.kinds = {
    "anew": Anew,
    "run": FromRun,
    "mimicry": Mimicry,
    "released-encoder": ReleasedEncoder,
    "released": Released,
    "released-kept": KeptAnswers,
    "released-distilled": Distilled,
}


def has_folded_norms(part: nn.Module) -> bool:
    """True if the batch normalizations of a network's part came from released weights and never saw a batch.

    Those of released weights were folded into the convolutions before them and stand as the identity, which they are in
    evaluation mode alone. Fresh ones never saw a batch either; their scales are 0 or 1, and an identity's are not.
    """
    norms = [module for module in part.modules() if isinstance(module, nn.BatchNorm2d)]
    unseen = all(
        norm.num_batches_tracked is not None and int(norm.num_batches_tracked) == 0 for norm in norms
    )
    return unseen and any(bool((norm.weight * (norm.weight - 1)).any()) for norm in norms)
