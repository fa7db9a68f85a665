"""Figures 4 to 8 of Xu et al. (CVPR 2020), and Figure 6.3 of the report on the lighter variant."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinct.color.gamut import merge_lightness
from tinct.evaluation.photographs.rgb import Image, is_gray, to_8bit
from tinct.evaluation.photographs.sets import Photograph, PhotographSet
from tinct.evaluation.protocols.exemplar import draw_reference
from tinct.evaluation.run.contestants import Contestant, RegisteredMethod
from tinct.methods.method import Reference
from tinct.networks.xu2020.method import Exemplar, Stages
from tinct.networks.xu2020.places import LITE_PROBABILITY, PROBABILITY
from tinct.photo import Photo
from tools.papers.page import Say, Section
from tools.papers.rivals import answers, figure6, figure7
from tools.papers.sheet import Row, write_rows

Array = NDArray[np.float32]

LITE = "xu2020-lite"
"""The lighter variant."""

BOTH = ("xu2020", LITE)
"""The methods of Figures 4 and 8."""

RIVAL = "he2018"
"""The method that Figure 8 compares `BOTH` with."""

FULL_TRUST = 3.0
"""Trust in every reference of the second rows in Figure 8 of methods that doubt references: the most there is."""

PLACES = {
    "encoder only": "xu2020-encoder-adain",
    "decoder only": "xu2020-decoder-adain",
    "everywhere": "xu2020",
    "without labels": "xu2020-whole",
    "WCT everywhere": "xu2020-wct",
}
"""Columns of Figure 5, and their methods."""

METHODS = tuple(dict.fromkeys((*BOTH, *PLACES.values())))
"""All methods of the figures."""

STAGES: Mapping[str, Callable[[Stages], Array]] = {
    "pre-color": lambda found: found.precolor,
    "transferred chroma": lambda found: found.coarse,
    "sampled chroma": lambda found: found.coarse * found.shown[..., None],
    "refined": lambda found: found.ab,
}
"""Columns of Figure 4, and the chroma that each one shows."""

SHOWN = {
    "xu2020": f"{PROBABILITY * 100:g} % of them at most, and the fewer the less photograph and reference are alike",
    LITE: f"{LITE_PROBABILITY * 100:g} % of them",
}
"""Pixels of the transferred chroma that the colorization sub-net is shown, by method."""

ROWS, RELATED = 6, 4
"""Photographs of Figures 4 and 5 (Figure 8 has half as many), and related references of a photograph in Figure 8."""


@dataclass(frozen=True)
class Target:
    """A photograph to colorize, and its references.

    Attributes:
        photograph: the photograph.
        lightness: its CIE L* at the working size, (H, W).
        related: photographs of the same class, sRGB, (h, w, 3), uint8, drawn by the seed; at least one.
        unrelated: a photograph of another class, or None if there is no other class.
    """

    photograph: Photograph
    lightness: Array
    related: tuple[Image, ...]
    unrelated: Image | None


def figures(
    photographs: PhotographSet,
    installed: Mapping[str, Contestant],
    out: Path,
    say: Say,
    *,
    count: int = ROWS,
    seed: int = 0,
) -> list[Section]:
    """Make the figures whose methods are installed.

    Args:
        photographs: photographs with classes.
        installed: contestants by name.
        out: folder of the sheets.
        say: is told what is left out.
        count: photographs of Figures 4 and 5.
        seed: of the choice of photographs and references.
    """
    methods = {name: _exemplar(installed[name]) for name in METHODS if name in installed}
    if not methods:
        say("Figures 4, 5 and 8 of Xu 2020: no weights of its networks are installed.")
        return []
    chosen = _targets_for("Figures 4, 5 and 8 of Xu 2020", photographs, count, seed, say)
    if not chosen:
        return []
    sections = [_figure4(methods[name], chosen, out) for name in BOTH if name in methods]
    if all(name in methods for name in PLACES.values()):
        sections.append(_figure5(methods, chosen, out))
    else:
        say("Figure 5 of Xu 2020: the weights of xu2020 are not installed.")
    sections += [beside for make in (figure6, figure7) if (beside := make(chosen, installed, out, say))]
    if RIVAL not in installed:
        say(f"a row of Figure 8 of Xu 2020: {RIVAL} is not installed.")
    both = [methods[name] for name in BOTH if name in methods]
    return [*sections, _figure8(both, installed.get(RIVAL), chosen[: -(-count // 2)], out)]


def streets(
    photographs: PhotographSet,
    installed: Mapping[str, Contestant],
    out: Path,
    say: Say,
    *,
    count: int = ROWS,
    seed: int = 0,
) -> Section | None:
    """Figure 6.3: the lighter variant on CamVid; None if the method or a second frame of a class is missing.

    Args:
        photographs: frames of CamVid, with classes.
        installed, out, say, count, seed: as in `figures`.
    """
    if LITE not in installed:
        say(f"Figure 6.3: no weights of {LITE} are installed.")
        return None
    chosen = _targets_for("Figure 6.3", photographs, count, seed, say)
    if not chosen:
        return None
    columns = ("transferred chroma", "refined")
    sheet = _stages_sheet(_exemplar(installed[LITE]), chosen, columns, out / "figure6-3.png")
    text = f"""
Frames of CamVid, each with another as its reference: the chroma of the transfer sub-net of `{LITE}` under the
photograph's lightness, and what the colorization sub-net makes of it. {_names(chosen)}"""
    return Section("The lighter variant, Figure 6.3: CamVid", text, (sheet,))


def _targets_for(what: str, photographs: PhotographSet, count: int, seed: int, say: Say) -> list[Target]:
    """The same as `targets`; if there is none, `say` is told that `what` is left out."""
    found = targets(photographs, count, seed)
    if not found:
        say(f"{what}: no photograph of {photographs.root} has a class-mate.")
    return found


def targets(photographs: PhotographSet, count: int, seed: int) -> list[Target]:
    """At most `count` photographs with color that share their class with another, in an order given by the seed."""
    found: list[Target] = []
    for photograph in sorted(photographs, key=lambda one: one.seed(seed, "figure")):
        mates = [p for p in photographs if p.category == photograph.category and p.name != photograph.name]
        if len(found) == count:
            break
        if photograph.category and mates and not is_gray(rgb := photograph.read()):
            found.append(_target(photograph, rgb, mates, photographs, seed))
    return found


def _target(
    photograph: Photograph, rgb: Image, mates: Sequence[Photograph], pool: PhotographSet, seed: int
) -> Target:
    parts = min(RELATED, len(mates))  # one reference from each part, so that none is drawn twice
    related = tuple(draw_reference(photograph, mates[part::parts], seed) for part in range(parts))
    others = [p for p in pool if p.category and p.category != photograph.category]
    unrelated = draw_reference(photograph, others, seed) if others else None
    lightness = Photo.from_array(rgb).working_lightness(Exemplar.working_size)
    return Target(photograph, lightness, related, unrelated)


def _exemplar(contestant: Contestant) -> Exemplar:
    assert isinstance(contestant, RegisteredMethod)
    assert isinstance(contestant.method, Exemplar)
    return contestant.method


def _stages(method: Exemplar, target: Target, rgb: Image, trust: float = 1.0) -> Stages:
    lab = Photo.from_array(rgb).working_lab(method.working_size)
    lightness, ab = np.ascontiguousarray(lab[..., 0]), np.ascontiguousarray(lab[..., 1:])
    reference = Reference(lightness, ab, trust=trust)
    return method.stages(target.lightness, [reference])


def _colored(target: Target, ab: Array | None = None) -> Image:
    """The target's lightness with chroma, (H, W, 2), or without."""
    plain = np.zeros((*target.lightness.shape, 2), np.float32)
    return to_8bit(merge_lightness(target.lightness, plain if ab is None else ab))


def _figure4(method: Exemplar, chosen: Sequence[Target], out: Path) -> Section:
    sheet = _stages_sheet(method, chosen, tuple(STAGES), out / f"figure4-{method.name}.png")
    text = f"""
The stages of `{method.name}`, a photograph of the set a row, its reference a class-mate: what the colorization sub-net
makes of no chroma, the transfer sub-net's chroma under the photograph's lightness, the pixels of it that are shown
({SHOWN[method.name]}), and what they become. {_names(chosen)}"""
    return Section(f"Xu 2020, Figure 4: the stages of {method.name}", text, (sheet,))


def _stages_sheet(method: Exemplar, chosen: Sequence[Target], columns: Sequence[str], file: Path) -> Path:
    """A sheet with a row for each target: the target, its reference, and some of `STAGES`."""
    rows: list[Row] = []
    for target in chosen:
        found = _stages(method, target, target.related[0])
        chroma = (STAGES[name](found) for name in columns)
        pictures = [_colored(target), target.related[0], *(_colored(target, ab) for ab in chroma)]
        rows.append(Row(pictures, () if rows else ("target", "reference", *columns)))
    return write_rows(rows, file)


def _figure5(methods: Mapping[str, Exemplar], chosen: Sequence[Target], out: Path) -> Section:
    heads = ("target and reference", *PLACES)
    rows: list[Row] = []
    for target in chosen:
        found = [_stages(methods[name], target, target.related[0]) for name in PLACES.values()]
        coarse = [_colored(target, one.coarse) for one in found]
        refined = [_colored(target, one.ab) for one in found]
        rows.append(Row([_colored(target), *coarse], () if rows else heads, "transferred"))
        rows.append(Row([target.related[0], *refined], (), "refined"))
    text = f"""
Where features take the reference's statistics (AdaIN in the encoder, in the decoder, in both and on the skips), and WCT
in its place: the transfer sub-net's chroma, and the refined result below it. {_names(chosen)}"""
    sheet = write_rows(rows, out / "figure5.png")
    return Section("Xu 2020, Figure 5: places of AdaIN, and WCT", text, (sheet,))


def _figure8(
    methods: Sequence[Exemplar], rival: Contestant | None, chosen: Sequence[Target], out: Path
) -> Section:
    """Figure 8: `methods`, those that doubt references once more at full trust, and the rival if there is one."""
    shown = [(method, trust) for method in methods for trust in (1.0, FULL_TRUST)[: 1 + method.uses_trust]]
    rows: list[Row] = []
    for target in chosen:
        references = [rgb for rgb in (*target.related, target.unrelated) if rgb is not None]
        kinds = ["class-mate"] * len(target.related) + ["unrelated"] * (target.unrelated is not None)
        heads = ("target; no reference below", *kinds)
        rows.append(Row([_colored(target), *references], heads, "reference"))
        for method, trust in shown:
            found = [_stages(method, target, rgb, trust) for rgb in references]
            pictures = [_colored(target, found[0].precolor), *(_colored(target, one.ab) for one in found)]
            rows.append(Row(pictures, (), method.name + (f", trust {trust:g}" if trust != 1 else "")))
        if rival:
            pictures = [answers(target, rgb, [rival])[0] for rgb in (None, *references)]
            rows.append(Row(pictures, (), rival.name))
    text = f"""
One photograph, {RELATED} references of its class where there are so many, and one of another class: what a reference
changes, and what an unrelated one costs (`exemplar-unrelated` measures that). {_rows_of_figure8(shown, rival)}
{_names(chosen)}"""
    sheet = write_rows(rows, out / "figure8.png")
    return Section("Xu 2020, Figure 8: one photograph, several references", text, (sheet,))


def _rows_of_figure8(shown: Sequence[tuple[Exemplar, float]], rival: Contestant | None) -> str:
    """What the rows of Figure 8 are, beside the first of each photograph."""
    twice = [method.name for method, trust in shown if trust != 1]
    said = [f"The first column has the answers without a reference{' (pre-color)' if shown else ''}."]
    said += [
        f"`{name}` has two rows: at the default trust, by which a reference that shows something else changes little, "
        f"and at trust {FULL_TRUST:g} (`--trust {FULL_TRUST:g}`), by which it is followed however little it is alike."
        for name in twice
    ]
    if rival:
        said.append(
            f"The last row has the answers of `{rival.name}`, at its default trust, as in the paper's figure."
        )
    return "\n".join(said)


def _names(chosen: Sequence[Target]) -> str:
    return f"Rows: {', '.join(f'`{target.photograph.name}`' for target in chosen)}."
