"""The nodes in one table, from which both of ComfyUI's interfaces are built: what goes in, what comes out, what runs.

A node's id is what saved workflows know it by: it never changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import tinct

from .frames import BEST, colorize, hint, stylize, where_to_click

CATEGORY = "image/color"
HINTS = "TINCT_HINTS"
"""ComfyUI's name for the type of a chain of hints."""


@dataclass(frozen=True)
class Port:
    """An input or an output of a node.

    Attributes:
        name: what the function's argument and the workflow's link are called.
        kind: ComfyUI's name of its type; "COLOR" is a color picker where ComfyUI has one, else a text.
        tooltip: one sentence for a person.
        optional: True where the node runs without it.
        settings: of a widget: default, min, max, step; of a "COMBO", options.
    """

    name: str
    kind: str
    tooltip: str
    optional: bool = False
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Node:
    """A node: its identity, its words, its ports, and the function that answers with one value for each output."""

    node_id: str
    display_name: str
    description: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    run: Callable[..., tuple[Any, ...]]


def _number(name: str, tooltip: str, most: float, default: float = 1.0) -> Port:
    return Port(name, "FLOAT", tooltip, settings={"default": default, "min": 0.0, "max": most, "step": 0.05})


def _choice(name: str, tooltip: str, options: list[str]) -> Port:
    return Port(name, "COMBO", tooltip, settings={"options": options, "default": options[0]})


_PHOTOGRAPH = Port("image", "IMAGE", "The black-and-white photograph, or each frame of a batch.")
_REFERENCE = Port("reference", "IMAGE", "Color photographs to take colors from.", optional=True)
_MASK = Port("hint_mask", "MASK", "Where hint_color is wanted.", optional=True)
_COLOR = Port("hint_color", "COLOR", "The color of the mask, #rrggbb.", settings={"default": "#b05030"})
_CHAIN = Port("hints", HINTS, "Masks of other colors, from Tinct Hint.", optional=True)

NODES = (
    Node(
        "TinctColorize",
        "Tinct Colorize",
        "Color for a black-and-white photograph, under its own lightness and at its own resolution.",
        (
            _PHOTOGRAPH,
            _number("vividness", "0 is the safe mean, 1 likely colors, 2 daring ones.", 2),
            _number("strength", "Saturation: 0 is gray, 1 as predicted, 2 twice that.", 2),
            _number(
                "trust",
                "How far to follow references that fit loosely; 2 follows those of something else.",
                3,
            ),
            _choice("method", "A method; best is the best one for what is given.", [BEST, *tinct.METHODS]),
            _COLOR,
            _REFERENCE,
            _MASK,
            _CHAIN,
        ),
        (Port("image", "IMAGE", "The photograph in color."),),
        colorize,
    ),
    Node(
        "TinctHint",
        "Tinct Hint",
        "A mask that wants one color, for Tinct Colorize; several are linked one after the other.",
        (Port("mask", "MASK", "Where the color is wanted."), replace(_COLOR, name="color"), _CHAIN),
        (Port("hints", HINTS, "The chain with this hint at its end."),),
        hint,
    ),
    Node(
        "TinctStylize",
        "Tinct Stylize",
        "A color photograph in the light and mood of another (Xu et al. 2020; needs the package tinct-papers).",
        (
            Port("image", "IMAGE", "The color photograph, or each frame of a batch."),
            Port("reference", "IMAGE", "The photograph whose look to take; the first of a batch."),
            _choice("match", "Match means and deviations (adain) or covariances (wct).", ["adain", "wct"]),
            _number("alpha", "How far to go.", 1),
        ),
        (Port("image", "IMAGE", "The photograph in the other's look."),),
        stylize,
    ),
    Node(
        "TinctWhereToClick",
        "Tinct Where to Click",
        "Where one more hint would settle most: white is the best place.",
        (
            _PHOTOGRAPH,
            Port(
                "count",
                "INT",
                "How many places to name.",
                settings={"default": 5, "min": 1, "max": 50, "step": 1},
            ),
            _REFERENCE,
            _CHAIN,
        ),
        (
            Port("mask", "MASK", "What a hint at each place would settle, 1 at the best one."),
            Port(
                "places",
                "STRING",
                "JSON: for each frame its best places in pixels, and the share each settles.",
            ),
        ),
        where_to_click,
    ),
)
