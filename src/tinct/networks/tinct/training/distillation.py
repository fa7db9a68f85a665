"""Answers of finished decoders, which are taught instead of the truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tinct.errors import OptionError
from tinct.networks.tinct.network import Tinct
from tinct.networks.tinct.training.batch import Answer, Batch, answer_from
from tinct.networks.tinct.training.start import NETWORK, Distilled
from tinct.training.checkpoint import averaged_state
from tinct.training.pool import RELATED, UNRELATED


class Teachers:
    """One or two decoders over the same encoder, and what they answer.

    Args:
        begun: the network that training begins with, in evaluation mode.
        mean: whose answers are mixed in where another photograph is the reference; None for the answers of `begun`
            alone.
    Raises:
        OptionError: if the run is not there, is of other numbers, or is over another encoder.
    """

    def __init__(self, begun: Tinct, mean: Distilled | None) -> None:
        self._begun, self._mean = begun, mean
        self._other = None if mean is None else _decoder_of(mean.run, begun)

    @torch.no_grad()
    def answers(self, batch: Batch, found: Answer, some: Any) -> tuple[Tensor, Tensor]:
        """What the teachers answer to a batch.

        Args:
            found: the answer of the network that is trained, whose features the teachers share.
            some: index of the places whose distribution is taught.
        Returns:
            a* b* / 110 at 1/2, (B, 2, h, w), and probabilities of the bins at some places of 1/4, (B, 313, ...).
        """
        if self._mean is None or self._other is None:
            return _said(answer_from(self._begun, batch, found), some)
        own, other = (
            _said(answer_from(decoder, batch, found, trust), some)
            for decoder, trust in zip((self._begun, self._other), self._mean.trust, strict=True)
        )
        share = self._mean.share * batch.has(RELATED, UNRELATED).float()[:, None, None, None]
        return torch.lerp(own[0], other[0], share), torch.lerp(own[1], other[1], share)


def _said(answered: Answer, some: Any) -> tuple[Tensor, Tensor]:
    return answered.ab.float(), torch.softmax(answered.bins[some].float(), 1)


def _decoder_of(run: str, begun: Tinct) -> Tinct:
    """The network of a run, in evaluation mode, on the device of another one with the same encoder."""
    state, other = averaged_state(Path(run), NETWORK), Tinct(begun.config)
    try:
        other.load_state_dict(state)
    except RuntimeError:
        raise OptionError(
            f"{run} is another network: it has other numbers in [network], or an earlier version's decoder."
        ) from None
    for name, own in begun.encoder.state_dict().items():
        if not torch.allclose(own.float().cpu(), state[f"encoder.{name}"].float(), atol=1e-3):
            raise OptionError(f"{run} is not over the encoder that is installed ({name} differs).")
    return other.to(next(begun.parameters()).device).eval()
