"""Jobs of the worker pool: functions that call the library and encode its results. All may block for long."""

from __future__ import annotations

from collections.abc import Callable, Iterable
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
    read_options,
)
from tinct.web.responses import encode_png, encode_preview, encode_webp
from tinct.web.sessions import Session, Upload, read_references
from tinct.web.settings import Settings

FileHints = tuple[HintLike, ...]
"""The hints of a file."""


class ColoredFile(NamedTuple):
    """A colorized photograph as a file.

    Attributes:
        content: the file's bytes.
        notes: decisions of reading, coloring and writing, one sentence each.
    """

    content: bytes
    notes: tuple[str, ...]


DEFAULT_FORMAT = "png"
"""The format of a session's file where the request names none."""

PREVIEW = 1024
"""Longer side of a preview in pixels where the request names none."""


def colorize_upload(
    settings: Settings,
    photo: Upload,
    references: list[Upload],
    hints: Any,
    options: Options,
    format: str | None,
    retrieve: Callable[[Photo], tuple[list[Photo], list[str]]] | None = None,
) -> ColoredFile:
    """Colorize uploaded files as `tinct.colorize` does.

    Args:
        settings: the server's limits.
        photo, references: the files, decoded already or not.
        hints: the result of `decode_files` for a file of hints, JSON's objects and lists, or None.
        options: the options of the colorization.
        format: of the result; None is the photograph's own.
        retrieve: gives references of the server's album for a photograph, and a note on each; None takes none.
    Raises:
        TinctError: whatever `tinct.colorize` raises.
    """
    colorizer = Colorizer(photo.read(settings.max_pixels))
    colorizer.options = options
    retrieved, notes = retrieve(colorizer.photo) if retrieve is not None else ([], [])
    sent = read_references(references, settings.max_pixels)
    colorizer.set_references([*sent, *retrieved])
    its = colorizer.photo
    size = (its.width, its.height)
    if isinstance(hints, tuple):
        found = hints
        check_hint_count(found, settings.hints)
    else:
        found = read_hints(hints, size, settings.hints)
    for hint in found:
        colorizer.add_hint(hint)
    content, made = _encoded(colorizer.render(), format)
    return ColoredFile(content, (*map(one_line, notes), *made))


def decode_files(
    settings: Settings, photo: Upload | None, references: Iterable[Upload], hints: Any = None
) -> FileHints | None:
    """Decode files before a worker colorizes them.

    Args:
        settings: the server's limits.
        photo: the photograph, if one was sent; the next `Upload.read` hands the decoded photograph over.
        references: the references; as `photo`.
        hints: a file of hints for the photograph; anything else is left alone.
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


def open_photo(settings: Settings, upload: Upload) -> Colorizer:
    """A colorizer of the photograph that a session begins with.

    The hash of the upload, which projects need, is computed as well.
    """
    colorizer = Colorizer(upload.read(settings.max_pixels))
    _ = upload.sha256
    return colorizer


def preview(settings: Settings, session: Session, body: PreviewRequest) -> ColoredFile:
    """The photograph in color at a bounded size, as JPEG, with notes of wishes that cannot be met."""
    colorizer = colorizer_for(settings, session, body)
    content = encode_preview(colorizer.preview(body.longer_side))
    return ColoredFile(content, tuple(one_line(note) for note in colorizer.unmet_wishes()))


def gray(settings: Settings, session: Session, longer_side: int) -> bytes:
    """The gray photograph at a bounded size, as JPEG."""
    return encode_preview(session.colorizer(settings.max_pixels).gray(longer_side))


def confidence(settings: Settings, session: Session, body: PreviewRequest) -> bytes:
    """The method's confidence of each place, 0..255, as a gray PNG."""
    found = colorizer_for(settings, session, body).predict().confidence
    return encode_png(np.rint(np.clip(found, 0, 1) * 255).astype(np.uint8))


def suggest(settings: Settings, session: Session, body: SuggestRequest) -> list[dict[str, Any]]:
    """Likely colors of a place, as JSON."""
    found = colorizer_for(settings, session, body).suggest(body.x, body.y, body.count)
    return [{"color": each.color, "probability": float(each.probability)} for each in found]


def where(settings: Settings, session: Session, body: WhereRequest) -> list[dict[str, float]]:
    """Places where one more hint would help most, as JSON."""
    found = colorizer_for(settings, session, body).where_next(body.count)
    return [{"x": float(each.x), "y": float(each.y), "gain": float(each.gain)} for each in found]


def gains(settings: Settings, session: Session, body: EditRequest) -> bytes:
    """The gain of one more hint at each place, 0..255 with 255 at the best place, as a gray PNG."""
    found = colorizer_for(settings, session, body).gains()
    return encode_png(np.rint(found * (255 / max(float(found.max()), 1e-6))).astype(np.uint8))


def alternatives(settings: Settings, session: Session, body: AlternativesRequest) -> list[int]:
    """Seeds of other plausible colorizations."""
    return colorizer_for(settings, session, body).alternatives(body.count)


def alternative(settings: Settings, session: Session, body: AlternativesRequest, seed: int) -> bytes:
    """The colorization of a seed at a bounded size, as WebP."""
    colorizer = colorizer_for(settings, session, body)
    colorizer.set_options(seed=seed)
    return encode_webp(colorizer.preview(body.longer_side))


def prepare(settings: Settings, session: Session, body: RenderRequest) -> Callable[[], Photo]:
    """A function that renders the file later, with the hints and options of this request.

    Later requests to the session change nothing about the file.
    """
    return colorizer_for(settings, session, body).prepared()


def save(prepared: Callable[[], Photo], format: str | None) -> ColoredFile:
    """The photograph in color at full resolution, with its metadata, as a file."""
    return _encoded(prepared(), format or DEFAULT_FORMAT)


def _encoded(result: Photo, format: str | None) -> ColoredFile:
    return ColoredFile(result.encode(format), tuple(one_line(note) for note in result.notes))


def project(settings: Settings, session: Session, body: EditRequest) -> dict[str, Any]:
    """The project of a session, as JSON."""
    colorizer = colorizer_for(settings, session, body)
    hints = {"points": body.hints} if isinstance(body.hints, list) else body.hints or {}
    weights = session.weights or [1.0] * len(session.references)
    photo = session.photo
    return Project(
        ProjectPhoto(photo.own_name, photo.sha256, session.width, session.height),
        tuple(
            ProjectReference(reference.own_name, reference.sha256, weight)
            for reference, weight in zip(session.references, weights, strict=True)
        ),
        hints,
        colorizer.options,
        made_with(colorizer),
    ).to_json()


def colorizer_for(settings: Settings, session: Session, body: EditRequest) -> Colorizer:
    """The session's colorizer with the hints and options of a request, and no others."""
    options = read_options(body.options, settings.max_size)
    colorizer = session.colorizer(settings.max_pixels)
    hints = read_hints(body.hints, (session.width, session.height), settings.hints)
    colorizer.options = options
    colorizer.clear_hints()
    for hint in hints:
        assert not isinstance(hint, HintImage)
        colorizer.add_hint(hint)
    return colorizer
