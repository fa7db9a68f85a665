"""What the pool's threads do: call the library, encode what it says. Everything here may take long."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np

from tinct.colorizing.colorizer import Colorizer
from tinct.colorizing.project import Project, ProjectPhoto, ProjectReference, made_with
from tinct.errors import one_line
from tinct.hints import HintImage, HintLike
from tinct.options import Options
from tinct.photo import Photo
from tinct.web.decoding import read_hints as read_hint_file
from tinct.web.parsing import (
    AlternativesRequest,
    EditRequest,
    PreviewRequest,
    RenderRequest,
    SuggestRequest,
    WhereRequest,
    check_hint_count,
    read_hints,
)
from tinct.web.responses import encode_png, encode_preview, encode_webp
from tinct.web.sessions import Session, Upload, read_references
from tinct.web.settings import Settings

FileHints = tuple[HintLike, ...]


class ColoredFile(NamedTuple):
    """A photograph in color: its file, and what was noted as it was made, one sentence each."""

    content: bytes
    notes: tuple[str, ...]


DEFAULT_FORMAT = "png"
THUMBNAIL = 256
PREVIEW = 1024


def colorize_upload(
    settings: Settings,
    photo: Upload,
    references: list[Upload],
    hints: Any,
    options: Options,
    format: str | None,
) -> ColoredFile:
    """What `tinct.colorize` gives for these bytes.

    Args:
        photo, references: decoded already, or not yet.
        hints: what `decode` found in a file, JSON's objects and lists, or None.
        format: of the result; None is the photograph's own.
    """
    colorizer = Colorizer(photo.read(settings.max_pixels), **asdict(options))
    colorizer.set_references(read_references(references, settings.max_pixels))
    its = colorizer.photo
    size = (its.width, its.height)
    if isinstance(hints, tuple):
        found = hints
        check_hint_count(found, settings.hints)
    else:
        found = read_hints(hints, size, settings.hints)
    for hint in found:
        colorizer.add_hint(hint)
    return _encoded(colorizer.render(), format)


def decode(
    settings: Settings, photo: Upload | None, references: Iterable[Upload], hints: Any = None
) -> FileHints | None:
    """Decode files before a worker is asked to work on them.

    Args:
        photo: the photograph, if one was sent; the next `Upload.read` gives it, as it does for references.
        hints: a file of hints for the photograph, or anything else, which is left alone.
    Returns:
        The hints, if there was a file of them.
    """
    max_pixels = settings.max_pixels
    decoded = photo.decode(max_pixels) if photo is not None else None
    for reference in references:
        found = reference.decode(max_pixels)
        max_pixels -= found.width * found.height
    if decoded is None or not isinstance(hints, Upload):
        return None
    return read_hint_file(hints.bytes(), (decoded.width, decoded.height), settings.max_pixels)


def decode_references(settings: Settings, session: Session, uploads: Iterable[Upload]) -> None:
    """Decode references that the session does not have yet, before a worker is asked to work on them."""
    known = {upload.sha256 for upload in session.references}
    decode(settings, None, [upload for upload in uploads if upload.sha256 not in known])


def open_photo(settings: Settings, upload: Upload) -> Colorizer:
    """Read what a session begins with, and what its project will say of it."""
    colorizer = Colorizer(upload.read(settings.max_pixels))
    _ = upload.sha256
    return colorizer


def set_references(settings: Settings, session: Session, uploads: list[Upload], weights: list[float]) -> None:
    """Read references, and take them if all can be used; the ones there were stay otherwise."""
    colorizer = session.colorizer(settings.max_pixels)
    before = zip(session.references, colorizer.references, strict=True)
    known = {upload.sha256: photo for upload, photo in before}
    colorizer.set_references(read_references(uploads, settings.max_pixels, known), weights)
    for upload in uploads:
        _ = upload.sha256
    for upload in session.references:
        upload.close()
    session.references, session.weights = uploads, weights


def set_weights(settings: Settings, session: Session, weights: list[float]) -> None:
    """Weigh the references there are anew."""
    colorizer = session.colorizer(settings.max_pixels)
    colorizer.set_references(list(colorizer.references), weights)
    session.weights = weights


def preview(settings: Settings, session: Session, view: PreviewRequest) -> bytes:
    """The photograph in color at a bounded size, as JPEG."""
    return encode_preview(colorizer_for(settings, session, view).preview(view.longer_side))


def gray(settings: Settings, session: Session, longer_side: int) -> bytes:
    """The photograph as it is, at a bounded size, as JPEG."""
    return encode_preview(session.colorizer(settings.max_pixels).gray(longer_side))


def confidence(settings: Settings, session: Session, view: PreviewRequest) -> bytes:
    """How sure the method is of each place, 0..255, as a gray PNG."""
    found = colorizer_for(settings, session, view).predict().confidence
    return encode_png(np.rint(np.clip(found, 0, 1) * 255).astype(np.uint8))


def suggest(settings: Settings, session: Session, spot: SuggestRequest) -> list[dict[str, Any]]:
    """Likely colors of a place."""
    found = colorizer_for(settings, session, spot).suggest(spot.x, spot.y, spot.count)
    return [{"color": each.color, "probability": float(each.probability)} for each in found]


def where(settings: Settings, session: Session, places: WhereRequest) -> list[dict[str, float]]:
    """WhereRequest where one more hint would help most."""
    found = colorizer_for(settings, session, places).where_next(places.count)
    return [{"x": float(each.x), "y": float(each.y), "gain": float(each.gain)} for each in found]


def gains(settings: Settings, session: Session, edit: EditRequest) -> bytes:
    """How much one hint would help at each place, 0..255 at the best one, as a gray PNG."""
    found = colorizer_for(settings, session, edit).gains()
    return encode_png(np.rint(found * (255 / max(float(found.max()), 1e-6))).astype(np.uint8))


def alternatives(settings: Settings, session: Session, strip: AlternativesRequest) -> list[int]:
    """Other plausible colorizations: their seeds."""
    return colorizer_for(settings, session, strip).alternatives(strip.count)


def alternative(settings: Settings, session: Session, strip: AlternativesRequest, seed: int) -> bytes:
    """One of them, small, as WebP."""
    colorizer = colorizer_for(settings, session, strip)
    colorizer.set_options(seed=seed)
    return encode_webp(colorizer.preview(strip.longer_side))


def prepare(settings: Settings, session: Session, wanted: RenderRequest) -> Callable[[], Photo]:
    """What it takes to make a file later, whatever is asked of the session meanwhile."""
    return colorizer_for(settings, session, wanted).prepared()


def save(prepared: Callable[[], Photo], format: str | None) -> ColoredFile:
    """The photograph in color at full resolution, with its metadata."""
    return _encoded(prepared(), format or DEFAULT_FORMAT)


def _encoded(result: Photo, format: str | None) -> ColoredFile:
    return ColoredFile(result.encode(format), tuple(one_line(note) for note in result.notes))


def project(settings: Settings, session: Session, edit: EditRequest) -> dict[str, Any]:
    """The project file of a session."""
    colorizer = colorizer_for(settings, session, edit)
    hints = {"points": edit.hints} if isinstance(edit.hints, list) else edit.hints or {}
    weights = session.weights or [1.0] * len(session.references)
    photo = session.photo
    return Project(
        ProjectPhoto(photo.name, photo.sha256, session.width, session.height),
        tuple(
            ProjectReference(its.name, its.sha256, weight)
            for its, weight in zip(session.references, weights, strict=True)
        ),
        hints,
        colorizer.options,
        made_with(colorizer),
    ).to_json()


def thumbnail(settings: Settings, session: Session, number: int) -> bytes:
    """A reference, small, as PNG."""
    photo = session.colorizer(settings.max_pixels).references[number]
    from tinct.color.lab import lab_to_rgb

    rgb = lab_to_rgb(photo.working_lab(THUMBNAIL))
    return encode_png(np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8))


def colorizer_for(settings: Settings, session: Session, edit: EditRequest) -> Colorizer:
    """The session's photograph with the hints and options of a request, and no others."""
    options = Options.from_mapping(edit.options)
    colorizer = session.colorizer(settings.max_pixels)
    hints = read_hints(edit.hints, (session.width, session.height), settings.hints)
    colorizer.set_options(**asdict(options))
    colorizer.clear_hints()
    for hint in hints:
        assert not isinstance(hint, HintImage)
        colorizer.add_hint(hint)
    return colorizer
