"""Losses by model, on test and on held-out training photographs (Zhang et al., ECCV 2016, equations 1 and 2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinct.color.bins import AB_BINS, AB_SCALE, encode_bins, rebalancing_weights
from tinct.color.lab import rgb_to_lab
from tinct.evaluation.metrics.prior import IMAGENET_PRIOR
from tinct.evaluation.photographs.rgb import Image, is_gray
from tinct.evaluation.photographs.sets import PhotographSet
from tinct.evaluation.protocols.protocol import squash
from tinct.evaluation.report.tables import DASH
from tinct.evaluation.run.contestants import Contestant, RegisteredMethod
from tinct.evaluation.run.results import mean_and_error
from tinct.hints import HintField
from tinct.weights import manifest
from tools.papers.page import Say, Section

Array = NDArray[np.float32]

OWN = {
    "zhang2016": "rebalanced",
    "zhang2016-five-blocks": "rebalanced",
    "zhang2016-four-blocks": "rebalanced",
    "zhang2016-l2": "l2",
    "zhang2017": "",
    "zhang2017-global": "",
    "scunet": "rebalanced",
    "iizuka2016": "l2",
}
"""Method -> which of `LOSSES` its network minimized (SCUNet minimizes others beside it); "" for another."""

LOSSES = {"cross_entropy": "cross-entropy", "rebalanced": "rebalanced", "l2": "L2 x 1000"}
"""Loss -> its title."""

SIZE = 256
"""Side in pixels of the square that photographs are squashed to."""

STRIDE = 4
"""Pixels of a photograph to one place of a distribution."""

SETS = ("test", "validation")
"""Sets of photographs, in the order of the columns."""

PUBLISHED = """A course project that trained the paper's network and the same two ablations anew printed, without a
unit or data that would make them comparable, test and validation losses of 2.54 and 3.77 for the full network, 3.20 and
3.22 for five blocks, 3.16 and 3.18 for four."""
"""The table that this one is after."""

Losses = Mapping[str, Sequence[float]]
"""Loss -> its value for each photograph."""


def loss_table(
    contestants: Iterable[Contestant],
    photographs: PhotographSet,
    pool: Path | None,
    limit: int | None,
    say: Say,
) -> Section | None:
    """The table of losses; None if none of the models is installed.

    Args:
        contestants: what is installed; those of `OWN` are measured.
        photographs: test photographs; gray ones are left out.
        pool: folder that `tinct data pack` wrote, whose held-out photographs are the validation set; None for none.
        limit: photographs of each set.
        say: is told what is left out.
    Raises:
        PhotoError: if the folder holds no packed photographs.
    """
    models = [c for c in contestants if isinstance(c, RegisteredMethod) and c.name in OWN]
    if not models:
        say("the table of losses: no weights of its networks are installed.")
        return None
    found = {"test": _measured(models, _test(photographs, limit))}
    if pool is None:
        say("validation losses: no packed training photographs were given; give --pool FOLDER.")
    else:
        found["validation"] = _measured(models, _held_out(pool, limit))
    counts = {name: len(losses["prior"]["cross_entropy"]) for name, losses in found.items()}
    counted = ", ".join(f"{count} {name} photographs" for name, count in counts.items())
    text = f"""
{counted[0].upper()}{counted[1:]}, squashed to {SIZE}x{SIZE}; means over places, in nats, ± standard errors over
photographs. Validation photographs are held out of the training collection. Cross-entropy is equation 2 with every
place alike, against the soft encoding of the truth; rebalanced counts a place by how rare its color is in ImageNet
(training used the rareness in its own photographs); L2 is equation 1 of a\\* b\\* / 110, of the color that the network
gives. Bold: what a network minimized. "Prior" gives every place how often ImageNet has each color, and gray for L2.

{_table(found)}

{PUBLISHED}
"""
    return Section("Zhang 2016: losses by model", text)


def losses_of(truth: Array, probabilities: Array | None, ab: Array) -> dict[str, float]:
    """The losses of an answer to one photograph; those of a distribution only where there is one.

    Args:
        truth: a* b* of the photograph, (H, W, 2).
        probabilities: over the 313 bins at 1/4, (H / 4, W / 4, 313), or None.
        ab: the color that the network gives, a* b*, (h, w, 2), with sides that divide the photograph's.
    """
    found = {}
    if probabilities is not None:
        index, share = encode_bins(_pooled(truth, truth.shape[0] // probabilities.shape[0]))
        likely = np.take_along_axis(probabilities, index, -1)
        entropy = -(share * np.log(np.maximum(likely, np.finfo(np.float32).tiny))).sum(-1)
        found["cross_entropy"] = float(entropy.mean())
        found["rebalanced"] = float((entropy * WEIGHTS[index[..., 0]]).mean())
    error = (ab - _pooled(truth, truth.shape[0] // ab.shape[0])) / AB_SCALE
    found["l2"] = float(np.square(error).sum(-1).mean() / 2 * 1000)
    return found


WEIGHTS = rebalancing_weights(IMAGENET_PRIOR)
"""How much each bin counts in the rebalanced cross-entropy."""


def _pooled(ab: Array, stride: int) -> Array:
    """Means over squares of `stride` pixels."""
    height, width = ab.shape[0] // stride, ab.shape[1] // stride
    return ab[: height * stride, : width * stride].reshape(height, stride, width, stride, 2).mean((1, 3))


def _measured(models: Sequence[RegisteredMethod], pictures: Iterable[Image]) -> dict[str, Losses]:
    """Model, or "prior" -> its losses of squashed photographs."""
    found: dict[str, dict[str, list[float]]] = {}
    for picture in pictures:
        lab = rgb_to_lab(squash(picture, SIZE))
        lightness, truth = np.ascontiguousarray(lab[..., 0]), lab[..., 1:]
        cells = SIZE // STRIDE
        prior = np.broadcast_to(IMAGENET_PRIOR.astype(np.float32), (cells, cells, len(AB_BINS)))
        answers = {"prior": losses_of(truth, prior, np.zeros((cells, cells, 2), np.float32))}
        for model in models:
            arrays = model.method.matched(lightness, HintField.empty(SIZE, SIZE)).output.arrays
            p = arrays.get("probabilities")
            answers[model.name] = losses_of(truth, None if p is None else p[0], arrays["ab"][0])
        for name, losses in answers.items():
            for loss, value in losses.items():
                found.setdefault(name, {}).setdefault(loss, []).append(value)
    return {name: dict(losses) for name, losses in found.items()}


def _test(photographs: PhotographSet, limit: int | None) -> Iterator[Image]:
    for photograph in photographs.limited(limit):
        picture = photograph.read()
        if not is_gray(picture):
            yield picture


def _held_out(pool: Path, limit: int | None) -> Iterator[Image]:
    from tinct.training.photographs import Photographs

    packed = Photographs.load(pool)
    for i in np.flatnonzero(packed.held_out())[:limit]:
        height, width = packed.sizes[i]
        yield np.ascontiguousarray(packed.pixels[i, :height, :width])


def _table(found: Mapping[str, Mapping[str, Losses]]) -> str:
    sets = [name for name in SETS if name in found]
    heads = [f"{title}: {name}" for title in LOSSES.values() for name in sets]
    lines = [f"| model | steps | {' | '.join(heads)} |", "|---|--:|" + "--:|" * len(heads)]
    known = manifest()
    for model in found["test"]:
        cells = [
            _cell(found[name][model].get(loss), loss == OWN.get(model)) for loss in LOSSES for name in sets
        ]
        steps = f"{known[model].steps:,}" if model in known and known[model].steps else ""
        lines.append(f"| {f'`{model}`' if model in OWN else model} | {steps} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(values: Sequence[float] | None, own: bool) -> str:
    if not values:
        return DASH
    figures = mean_and_error(values)
    text = f"{figures['mean']:.2f} ± {figures['standard_error']:.2f}"
    return f"**{text}**" if own else text
