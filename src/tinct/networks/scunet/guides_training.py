"""How the guides of scenes and segments are trained on the released trunk, and how far they agree with the labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from tinct.errors import OptionError
from tinct.networks.graph_weights import read_weights
from tinct.networks.scunet.guides import ScunetGuides
from tinct.networks.scunet.network import ScunetConfig
from tinct.networks.scunet.training import dice_loss, likeliest
from tinct.tables import check_from_zero, check_range
from tinct.training.automatic import LABEL_STRIDE, draw_batch
from tinct.training.labels import SCENES, UNLABELED
from tinct.training.losses import segment_loss, soft_label_loss
from tinct.training.pool import Pool
from tinct.training.training import Training
from tinct.training.validation import mean_over
from tinct.training.views import look_at_segments, photographs_at, whole_view
from tinct.weights import weights_path

TRUNK = "scunet"
"""Name of the released file whose trunk is taken."""

TOP = 5
"""Scenes that are shown, and within which the labeler's likeliest scene counts as found."""


@dataclass(frozen=True)
class GuidesRecipe:
    """The numbers of the losses.

    Attributes:
        scenes: weight of the cross-entropy of scenes.
        segments: weight of the cross-entropy of segments.
        dice: weight of the Dice loss of segments.
        smoothing: how many of the likeliest scenes make a photograph's label.
        old: half of the photographs get the lightness of old ones.
    Raises:
        OptionError: if a number is out of its range.
    """

    scenes: float = 1.0
    segments: float = 1.0
    dice: float = 0.5
    smoothing: int = 5
    old: bool = False

    def __post_init__(self) -> None:
        check_from_zero(self, "scenes", "segments", "dice")
        check_range(self, 1, SCENES, "smoothing")


class ScunetGuidesTraining(Training):
    """The training of the two branches; labels of scenes and segments are those of frozen networks."""

    kinds = (ScunetGuides, ScunetConfig, GuidesRecipe)

    def prepare(self, pool: Pool) -> None:
        """Read the released trunk.

        Raises:
            OptionError: if the pool has no labels of scenes, or none of segments.
            WeightsError: if the trunk is not installed.
        """
        if pool.scenes is None or pool.segments is None:
            raise OptionError("the guides learn from labels of scenes and segments; give --labels with both.")
        self.trunk = trunk_weights(read_weights(weights_path(TRUNK)))

    def build(self) -> nn.Module:
        """Fresh branches on the released trunk.

        Raises:
            OptionError: if the network has another width than the trunk.
        """
        model = ScunetGuides(self.network)
        try:
            model.trunk.load_state_dict(self.trunk)
        except RuntimeError:
            raise OptionError(
                f"the released {TRUNK} has another width than [network] says; write its width there."
            ) from None
        return model

    def losses(self, model: nn.Module, pool: Pool, count: int, size: int) -> dict[str, Tensor]:
        """Losses of one random batch of views."""
        with torch.no_grad(), torch.autocast(pool.weights.device.type, enabled=False):
            batch = draw_batch(pool, count, size, self.recipe.old)
        outputs, r = model(batch.lightness), self.recipe
        assert pool.scenes is not None
        labels = likeliest(pool.scenes[batch.index].float(), r.smoothing)
        return {
            "scenes": r.scenes * soft_label_loss(outputs.scenes, labels),
            "segments": r.segments * segment_loss(outputs.segments, batch.segments),
            "dice": r.dice * dice_loss(outputs.segments, batch.segments),
        }

    @torch.no_grad()
    def validate(self, model: Any, pool: Pool, held_out: Tensor, size: int = 128) -> dict[str, float]:
        """Agreement with the labelers on every held-out photograph of the pool, squashed to `size` square.

        Returns:
            `scene_top1` and `scene_top5`, the shares of photographs whose label's likeliest scene is the network's
            likeliest, or among its five likeliest, and `scene_commonest`, the latter share if the five commonest
            scenes of the pool are always given; `segments`, the share of places with the label's class, and
            `commonest`, what that share is if each place is given the commonest class of these photographs.
        """
        del held_out  # on a CPU it is cut to few photographs, and shares need many
        index = torch.nonzero(pool.weights == 0).flatten()
        whole = mean_over(index, 8, lambda part: agreement(model, pool, part, size))
        return whole | {
            "scene_commonest": _commonest_scenes(pool, index),
            "commonest": _commonest(pool, index),
        }


def trunk_weights(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The trunk's weights by their names in the network, of a released file's (`read_weights`)."""
    own = {name.removeprefix("model."): value for name, value in weights.items() if name.startswith("model.")}
    return {name: value for name, value in own.items() if not name.startswith("branches.")}


def agreement(model: Any, pool: Pool, index: Tensor, size: int) -> dict[str, float]:
    """How far the network agrees with the labels of photographs (indices in the pool), squashed to `size` square."""
    assert pool.scenes is not None
    grid = whole_view(pool.sizes[index]).grid(size)
    outputs = model(photographs_at(pool, index, grid)[1])
    first = pool.scenes[index].float().argmax(1)
    found = outputs.scenes.topk(TOP, 1).indices == first[:, None]
    truth = look_at_segments(pool, index, grid, size // LABEL_STRIDE)
    assert truth is not None
    known = truth != UNLABELED
    right = (outputs.segments.argmax(1) == truth) & known
    return {
        "scene_top1": float(found[:, 0].float().mean()),
        "scene_top5": float(found.any(1).float().mean()),
        "segments": float(right.sum() / known.sum().clamp_min(1)),
    }


def _commonest_scenes(pool: Pool, index: Tensor) -> float:
    """The share of photographs whose label's likeliest scene is one of the pool's five commonest."""
    assert pool.scenes is not None
    first = pool.scenes.float().argmax(1)
    commonest = torch.bincount(first, minlength=TOP).topk(TOP).indices
    return float((first[index][:, None] == commonest).any(1).float().mean())


def _commonest(pool: Pool, index: Tensor) -> float:
    """The share of the commonest class among the known places of photographs."""
    assert pool.segments is not None
    labels = pool.segments[index].flatten()
    counts = torch.bincount(labels[labels != UNLABELED].long())
    return float(counts.max() / counts.sum().clamp_min(1))
