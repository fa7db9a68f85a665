"""Starts of layers by what they see, so that every input has a share of the answer and every unit a change to answer.

Source: Mishkin and Matas, All You Need Is a Good Init, ICLR 2016.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinct.networks.layers.blocks import upsampled
from tinct.networks.layers.vgg19 import VGG19
from tinct.networks.xu2020.places import LEVELS
from tinct.networks.xu2020.transfer_network import Xu2020Transfer, activated

SIZE = 0.25
"""Root mean square of a normalized encoder's channels.

A step of Adam moves a unit by the rate times the sum of its inputs. Those of VGG-19 are many, never below zero and of
size 4 to 7, so at a rate of 1e-3 a unit of conv4_1 moves by four of its deviations at once, and dies: of units that all
began alive 30 % were left after 500 steps.
"""


@torch.no_grad()
def normalize(encoder: VGG19, rgb: Tensor, names: Sequence[str]) -> None:
    """Scale channels of an encoder to one size, `SIZE`, without changing what its layers see.

    ReLU lets positive factors through, and the next layer's weights take them back; AdaIN does not notice them.
    Source: Gatys et al., Image Style Transfer Using Convolutional Neural Networks, CVPR 2016, 2.

    Args:
        encoder: its layers behind the last of `names` see other sizes afterwards.
        rgb: photographs, sRGB (B, 3, H, W), by which channels are measured.
        names: layers from conv1_1 on.
    """
    before: Tensor | None = None
    for name in names:
        conv = encoder.get_submodule(name)
        assert isinstance(conv, nn.Conv2d)
        assert conv.bias is not None
        if before is not None:
            conv.weight.div_(before[:, None, None])
        features = encoder.features(rgb, (name,))[name]
        size = features.square().mean((0, 2, 3)).sqrt()
        before = SIZE / size.clamp_min(0.1 * float(size.mean()))
        conv.weight.mul_(before[:, None, None, None])
        conv.bias.mul_(before)
    following = [name for name in encoder.names if name not in names]
    if before is not None and following:
        encoder.get_submodule(following[0]).weight.div_(before[:, None, None])  # type: ignore[operator]


@torch.no_grad()
def start_evenly(network: Xu2020Transfer, rgb: Tensor) -> None:
    """Scale a fresh decoder's weights by what they see, so that each input of a joint has an equal share of it.

    Features of the levels differ tenfold in size, and what enters a joint small stays small. The output starts at
    middle gray: from He's start it answers colors a hundred times too large, and the way back kills units.
    """
    encoded, decoder = network.encode(rgb), network.decoder
    x = evenly_started(decoder.conv4_1, encoded.deepest)
    between = {
        3: (decoder.conv3_4, decoder.conv3_3, decoder.conv3_2),
        2: (decoder.conv2_2,),
        1: (decoder.conv1_2,),
    }
    last = {3: decoder.conv3_1, 2: decoder.conv2_1}
    for level in reversed(LEVELS):
        skip = encoded.before[level - 1]
        parts = (upsampled(x, skip), upsampled(encoded.pooled[level - 1], skip), skip)
        for number, conv in enumerate(between[level]):
            x = evenly_started(conv, *(parts if number == 0 else (x,)))
        if level != 1:
            x = evenly_started(last[level], x)
    decoder.conv1_1.weight.mul_(0.1)
    assert decoder.conv1_1.bias is not None
    decoder.conv1_1.bias.fill_(0.5)


@torch.no_grad()
def evenly_started(conv: nn.Conv2d, *parts: Tensor) -> Tensor:
    """Scale each part of the input so that all parts answer with equal variance; return the activated answer."""
    at, answer = 0, None
    for part in parts:
        rows = conv.weight[:, at : at + part.shape[1]]
        found = F.conv2d(F.pad(part, (1, 1, 1, 1), mode="reflect"), rows)
        deviation = found.std((0, 2, 3), keepdim=True).clamp_min(1e-4) * math.sqrt(len(parts))
        rows.div_(deviation.permute(1, 0, 2, 3))
        found = found / deviation
        found, at = found - found.mean((0, 2, 3), keepdim=True), at + part.shape[1]
        answer = found if answer is None else answer + found
    assert answer is not None
    assert conv.bias is not None
    conv.bias.copy_(-_means(conv, parts))
    return activated(answer)


def _means(conv: nn.Conv2d, parts: tuple[Tensor, ...]) -> Tensor:
    """Each output's mean over places without a bias."""
    whole = F.pad(torch.cat(parts, 1), (1, 1, 1, 1), mode="reflect")
    return F.conv2d(whole, conv.weight).mean((0, 2, 3))
