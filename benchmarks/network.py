"""Time of the released network as people meet it: `python benchmarks/network.py [--sizes N ...] [--repeats N]`.

Whole `tinct.colorize` on a gray array against a network of siggraph17's size (Zhang 2017: 34 million parameters,
150 GFLOP at 256 square) in PyTorch, single precision, on the same cores in the same run; random weights, as its
time does not depend on them. Runs of the two alternate, so that a busy machine slows both; the least of each counts.
Then the same for one more hint against a whole prediction, with and without a reference, and where the time goes.
The comparison needs torch (pip install 'tinct[train]').
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

import tinct
from tinct.colorizing.colorizer import Colorizer
from tinct.colorizing.rendering import render
from tinct.hints import Hint, HintField, place_hints
from tinct.methods import Reference, WeighedReference
from tinct.networks.tinct.method import Tinct

SIZES = (256, 512, 1024)
# Zhang 2017, table in the appendix: channels, convolutions and dilation of the eight blocks; each of the first three
# ends in a halving, blocks 8 to 10 double the size and take a shortcut from blocks 3, 2 and 1.
BLOCKS = ((64, 2, 1), (128, 2, 1), (256, 3, 1), (512, 3, 1), (512, 3, 2), (512, 3, 2), (512, 3, 1))
UP = ((512, 256, 256, 3), (256, 128, 128, 2), (128, 128, 64, 2))


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


def siggraph17() -> Any:
    """Zhang 2017's main branch in PyTorch, random weights, evaluation mode; input (1, 4, H, W)."""
    import torch
    from torch import nn

    def convolutions(inputs: int, outputs: int, count: int, dilation: int) -> nn.Sequential:
        layers: list[nn.Module] = []
        for i in range(count):
            layers += [
                nn.Conv2d(outputs if i else inputs, outputs, 3, 1, dilation, dilation),
                nn.ReLU(inplace=True),
            ]
        return nn.Sequential(*layers, nn.BatchNorm2d(outputs))

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            inputs, self.blocks = 4, nn.ModuleList()
            for channels, count, dilation in BLOCKS:
                self.blocks.append(convolutions(inputs, channels, count, dilation))
                inputs = channels
            self.up = nn.ModuleList(nn.ConvTranspose2d(i, o, 4, 2, 1) for i, o, _, _ in UP)
            self.short = nn.ModuleList(nn.Conv2d(s, o, 3, 1, 1) for _, o, s, _ in UP)
            self.after = nn.ModuleList(convolutions(o, o, n - 1, 1) for _, o, _, n in UP)
            self.last = nn.Conv2d(128, 2, 1)

        def forward(self, x: Any) -> Any:
            kept = []
            for i, block in enumerate(self.blocks):
                x = block(x)
                if i < 3:
                    kept.append(x)
                    x = x[:, :, ::2, ::2]
            for up, short, after in zip(self.up, self.short, self.after, strict=True):
                x = after(torch.relu(up(x) + short(kept.pop())))
            return torch.tanh(self.last(x))

    torch.manual_seed(0)
    return Network().eval()


def gray(size: int) -> NDArray[np.uint8]:
    photo = cv2.resize(data.astronaut(), (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), np.uint8)


def seconds(runs: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """The least of several, all of them in turn."""
    for run in runs.values():
        run()
    found = {name: float("inf") for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            start = perf_counter()
            run()
            found[name] = min(found[name], perf_counter() - start)
    return found


def against_siggraph17(sizes: list[int], repeats: int) -> None:
    import torch

    network = siggraph17()
    parameters = sum(p.numel() for p in network.parameters()) / 1e6
    say(f"whole tinct.colorize against a network of siggraph17's size ({parameters:.1f} million parameters)")
    say(f"{'size':>12} {'siggraph17 ms':>15} {'tinct ms':>10} {'times faster':>13}")
    for size in sizes:
        photo, batch = gray(size), torch.zeros(1, 4, size, size)
        # The large network is timed fewer times, and ours around each of its runs.
        ours = seconds({"tinct": lambda photo=photo: tinct.colorize(photo)}, repeats)["tinct"]
        theirs = float("inf")
        for _ in range(2 if size > 512 else 3):
            with torch.inference_mode():
                start = perf_counter()
                network(batch)
                theirs = min(theirs, perf_counter() - start)
            again = seconds({"tinct": lambda photo=photo: tinct.colorize(photo)}, max(2, repeats // 3))
            ours = min(ours, again["tinct"])
        name = f"{size} x {size}"
        say(f"{name:>12} {1e3 * theirs:15.0f} {1e3 * ours:10.1f} {theirs / ours:13.0f}")


def per_hint(repeats: int, size: int = 256) -> None:
    """`match` and `decode` apart from all stages, at the working size."""
    method = Tinct()
    color = cv2.resize(data.coffee(), (size, size), interpolation=cv2.INTER_AREA)
    lightness = Colorizer(gray(size)).photo.working_lightness(size)
    lab = Colorizer(color).photo.working_lab(size)
    reference = Reference(np.ascontiguousarray(lab[..., 0]), np.ascontiguousarray(lab[..., 1:]))
    nothing = HintField.empty(size, size)
    points = [Hint(20.0 + 9 * i, 30.0 + 7 * i, "#c04030") for i in range(10)]
    hints = place_hints(points, (size, size), (size, size))
    say(f"\none more hint (match and decode, 10 hints) against a whole prediction, {size} x {size}, ms")
    for name, references in (("no reference", []), ("one reference", [reference])):
        features = method.encode(lightness)
        encoded = [method.encode_reference(each) for each in references]
        attended = [WeighedReference(method.attend(features, each)) for each in encoded]
        recalled = method.recall(features, attended)
        found = seconds(
            {
                "whole": lambda r=references: method.predict(lightness, nothing, r),
                "hint": lambda f=features, r=recalled: method.decode(method.match(f, r, hints)),
            },
            repeats,
        )
        say(
            f"{name:>16} {1e3 * found['hint']:8.1f} of {1e3 * found['whole']:8.1f}: "
            f"{found['hint'] / found['whole']:.2f}"
        )


def shares(sizes: list[int], repeats: int) -> None:
    """Where the time of one colorization goes, ms; beside it, what a photograph is encoded by for hints."""
    method = Tinct()
    say(f"\n{'ms at':>12} {'lightness':>10} {'answer':>8} {'render':>8} {'(encode)':>9}")
    for size in sizes:
        colorizer = Colorizer(gray(size))
        photo, nothing = colorizer.photo, HintField.empty(256, 256)
        lightness, prediction = photo.working_lightness(256), colorizer.predict()
        found = seconds(
            {
                "lightness": lambda p=photo: p.working_lightness(256),
                "answer": lambda x=lightness, n=nothing: method.predict(x, n, []),
                "encode": lambda x=lightness: method.encode(x).encoded,
                "render": lambda p=photo, x=lightness, f=prediction, c=colorizer: render(
                    p, f.ab, x, [], c.options, on_engine=True
                ),
            },
            repeats,
        )
        say(
            f"{f'{size} x {size}':>12} {1e3 * found['lightness']:10.1f} {1e3 * found['answer']:8.1f} "
            f"{1e3 * found['render']:8.1f} {1e3 * found['encode']:9.1f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    per_hint(options.repeats)
    shares(options.sizes, options.repeats)
    try:
        against_siggraph17(options.sizes, options.repeats)
    except ImportError as error:
        say(f"\nno comparison: {error}; pip install 'tinct[train]'")


if __name__ == "__main__":
    main()
