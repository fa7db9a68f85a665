"""Protocols with a reference: `exemplar-self`, `-class`, `-turned`, `-unrelated` and `-retrieved`, and `pairs`.

All but the last have a truth, and also ask each photograph without the reference (case `auto`): the gain of a
reference, or the cost of an unrelated one, is the difference between both cases of one photograph. Methods that need a
reference cannot answer the case `auto`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tinct.errors import EvaluationError
from tinct.evaluation.photographs.rgb import Image, is_gray, read_rgb, to_8bit
from tinct.evaluation.photographs.sets import Photograph
from tinct.evaluation.protocols.case import Case
from tinct.evaluation.protocols.protocol import Protocol
from tinct.evaluation.protocols.warping import DISTORTION, distort

if TYPE_CHECKING:
    from tinct.retrieval.index import Index


TURNED_BY = 120
"""Degrees by which `exemplar-turned` turns hues."""


class ExemplarProtocol(Protocol):
    """The base of the protocols with a truth: the case without help, and the case with a reference."""

    shown_case: ClassVar[str] = "exemplar"
    baseline_case: ClassVar[str] = "auto"
    draws: ClassVar[bool] = True
    metrics: ClassVar[tuple[str, ...]] = (
        *Protocol.metrics,
        "gain",
        "gain_ab",
        "moved_ab",
        "palette_distance",
    )

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the case without a reference and of the case with one."""
        return ("auto", "exemplar")

    def cases(self, photograph: Photograph, pool: Sequence[Photograph], seed: int) -> list[Case]:
        """The case without a reference, and the case with one."""
        plain = self.plain(photograph, "auto")
        assert plain.truth is not None
        reference = self.reference(photograph, plain.truth, pool, seed)
        return [plain, replace(plain, label="exemplar", references=(reference,))]

    def reference(self, photograph: Photograph, truth: Image, pool: Sequence[Photograph], seed: int) -> Image:
        """The reference of one photograph, sRGB, (h, w, 3), uint8; arguments and errors as `Protocol.cases`."""
        raise NotImplementedError


class ExemplarSelf(ExemplarProtocol):
    """The reference is the photograph itself, warped, cropped, flipped and relit."""

    draws: ClassVar[bool] = False
    name: ClassVar[str] = "exemplar-self"
    summary: ClassVar[str] = "reference: the photograph itself, warped, cropped, flipped, relit"

    def parameters(self) -> dict[str, object]:
        """The numbers of the distortion."""
        return {"distortion": asdict(DISTORTION)}

    def reference(self, photograph: Photograph, truth: Image, pool: Sequence[Photograph], seed: int) -> Image:
        """The true photograph, distorted."""
        return distort(truth, photograph.generator(seed, "distort"))


class ExemplarClass(ExemplarProtocol):
    """The reference is another photograph of the same class."""

    name: ClassVar[str] = "exemplar-class"
    summary: ClassVar[str] = "reference: another photograph of the same class"

    def fits(self, photograph: Photograph) -> bool:
        """True if the photograph's class is known."""
        return bool(photograph.category)

    def reference(self, photograph: Photograph, truth: Image, pool: Sequence[Photograph], seed: int) -> Image:
        """Another photograph of the class."""
        _needs_class(photograph)
        related = [p for p in pool if p.category == photograph.category and p.name != photograph.name]
        return draw_reference(photograph, related, seed)


class ExemplarTurned(ExemplarClass):
    """The reference is another photograph of the same class, and the hues of both are turned by a third of a circle.

    Likely colors are wrong then: what is gained, but for what a paler answer gains, was learned from the reference.
    """

    name: ClassVar[str] = "exemplar-turned"
    summary: ClassVar[str] = "reference: another photograph of the same class, hues of both turned by a third"

    def parameters(self) -> dict[str, object]:
        """The angle by which hues are turned."""
        return {"hues turned by, degrees": TURNED_BY}

    def truth(self, photograph: Photograph) -> Image:
        """The true photograph with its hues turned, as `turned_hues` turns them.

        Raises:
            EvaluationError: as `Protocol.truth`, or if nearly no color is left.
        """
        return _turned_by_a_third(super().truth(photograph), photograph)

    def reference(self, photograph: Photograph, truth: Image, pool: Sequence[Photograph], seed: int) -> Image:
        """The photograph that `exemplar-class` draws, with its hues turned.

        Raises:
            EvaluationError: as `Protocol.cases`, or if nearly no color is left.
        """
        return _turned_by_a_third(super().reference(photograph, truth, pool, seed), photograph)


class ExemplarUnrelated(ExemplarProtocol):
    """The reference is a photograph of another class: the cost of an unrelated reference."""

    name: ClassVar[str] = "exemplar-unrelated"
    summary: ClassVar[str] = "reference: a photograph of another class; its cost against no reference"

    def fits(self, photograph: Photograph) -> bool:
        """True if the photograph's class is known."""
        return bool(photograph.category)

    def reference(self, photograph: Photograph, truth: Image, pool: Sequence[Photograph], seed: int) -> Image:
        """A photograph of another class."""
        _needs_class(photograph)
        others = [p for p in pool if p.category and p.category != photograph.category]
        return draw_reference(photograph, others, seed)


class ExemplarRetrieved(ExemplarProtocol):
    """The reference is the most alike photograph of a folder, found by descriptors without class names.

    He et al. (Deep Exemplar-based Colorization, SIGGRAPH 2018) find references so, by features of another network.

    Args:
        folder: color photographs to retrieve from; None retrieves from the other photographs of the set.
    """

    name: ClassVar[str] = "exemplar-retrieved"
    summary: ClassVar[str] = "reference: the most alike photograph of a folder, or of the set"

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self._index: Index | None = None

    def files(self) -> list[tuple[str, Path]]:
        """The files of the folder."""
        found = sorted(self.folder.rglob("*")) if self.folder is not None else []
        return [(path.name, path) for path in found if path.is_file()]

    def parameters(self) -> dict[str, object]:
        """The name of the folder, and the hash of the descriptor's network."""
        from tinct.retrieval.descriptor import network_sha256

        if self.folder is not None and not self.folder.is_dir():
            raise EvaluationError(f"{self.folder} is no folder to take references from; check the path.")
        place = self.folder.name if self.folder is not None else "the set"
        return {"references from": place, "descriptor": network_sha256()[:12]}

    def reference(self, photograph: Photograph, truth: Image, pool: Sequence[Photograph], seed: int) -> Image:
        """The most alike photograph of the folder.

        Raises:
            EvaluationError: if no photograph of the folder can be the reference.
        """
        from tinct.photo import Photo
        from tinct.retrieval.descriptor import describe
        from tinct.retrieval.references import SAME_PICTURE, likest

        own = str(photograph.path)
        found = likest(
            describe(Photo.from_array(truth)),
            self._indexed(pool),
            1,
            fits=lambda name, likeness: name != own and likeness <= SAME_PICTURE,
        )
        if not found:
            raise EvaluationError(f"{photograph.name} has no color photograph that could be its reference.")
        return read_rgb(Path(found[0].name))

    def _indexed(self, pool: Sequence[Photograph]) -> Index:
        from tinct.retrieval.collection import Files, Folder
        from tinct.retrieval.index import index_of

        if self._index is None:
            paths = tuple(str(each.path) for each in pool)
            collection = Folder(str(self.folder)) if self.folder else Files(paths, f"evaluation {paths[0]}")
            self._index = index_of(collection)
        return self._index


class Pairs(Protocol):
    """Pairs of target and reference without a truth: contact sheets, and the distance to the reference's colors."""

    name: ClassVar[str] = "pairs"
    summary: ClassVar[str] = (
        "target and reference pairs, no truth: contact sheets and distance to the reference"
    )
    has_truth: ClassVar[bool] = False
    metrics: ClassVar[tuple[str, ...]] = ("palette_distance", "colorfulness", "bleeding")
    shown_case: ClassVar[str] = "exemplar"

    @property
    def labels(self) -> tuple[str, ...]:
        """The label of the only case."""
        return ("exemplar",)

    def fits(self, photograph: Photograph) -> bool:
        """True if the photograph has a reference of its own."""
        return photograph.reference is not None

    def cases(self, photograph: Photograph, pool: Sequence[Photograph], seed: int) -> list[Case]:
        """The case of the photograph with its own reference, without a truth.

        Raises:
            EvaluationError: if the photograph has no reference, or the reference is gray.
        """
        from tinct.color.lab import rgb_to_lightness

        if photograph.reference is None:
            wanted = "an index (CSV) with the columns target and reference"
            raise EvaluationError(f"{photograph.name} has no reference; `pairs` needs {wanted}.")
        reference = read_rgb(photograph.reference)
        if is_gray(reference):
            raise EvaluationError(f"{photograph.name} has a grey reference; pair it with one that has color.")
        lightness = rgb_to_lightness(photograph.read())
        return [Case("exemplar", photograph, lightness, references=(reference,))]


def turned_hues(rgb: Image, degrees: float) -> Image:
    """A picture, sRGB, (H, W, 3), uint8, with its hues turned in CIE L*a*b*.

    Lightness stays; what sRGB lacks at that lightness and hue loses chroma (pure yellow, turned by 120 degrees, nearly
    all of it).
    """
    from tinct.color.gamut import merge_lightness
    from tinct.color.lab import rgb_to_lab
    from tinct.methods.turned_hues import turned

    lab = rgb_to_lab(rgb)
    return to_8bit(merge_lightness(lab[..., 0], turned(lab[..., 1:], np.radians(degrees))))


def _turned_by_a_third(rgb: Image, photograph: Photograph) -> Image:
    """A photograph's truth or reference with its hues turned.

    Raises:
        EvaluationError: if nearly no color is left.
    """
    found = turned_hues(rgb, TURNED_BY)
    if is_gray(found):
        whose = f"{photograph.name}'s colors, or its reference's,"
        raise EvaluationError(f"sRGB has hardly any of {whose} with their hues turned.")
    return found


def draw_reference(photograph: Photograph, candidates: Sequence[Photograph], seed: int) -> Image:
    """Draw a reference: the first candidate with color, in an order given by both photographs' names and the seed.

    Raises:
        EvaluationError: if no candidate has color.
    """
    order = sorted(candidates, key=lambda candidate: candidate.seed(seed, f"reference of {photograph.name}"))
    for candidate in order:
        rgb = candidate.read()
        if not is_gray(rgb):
            return rgb
    raise EvaluationError(
        f"{photograph.name} has no color photograph to be its reference; add some to the set."
    )


def _needs_class(photograph: Photograph) -> None:
    if not photograph.category:
        how = "add a column `class` to the index, or put photographs in a folder for each class"
        raise EvaluationError(f"{photograph.name} has no class; {how}.")
