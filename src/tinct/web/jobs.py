"""Jobs of the worker pool: functions that call the library and encode its results. All may block for long."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from copy import copy
from typing import Any, NamedTuple

import numpy as np

from tinct.colorizing.colorizer import Colorizer
from tinct.colorizing.project import Project, ProjectPhoto, ProjectReference, made_with
from tinct.errors import PhotoError, PhotoTooLargeError, ReferencePhotoError, one_line
from tinct.hints import HintImage, HintLike
from tinct.options import Options
from tinct.photo import Photo
from tinct.retrieval.references import Retrieved
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
from tinct.web.responses import RequestError, encode_png, encode_preview, encode_webp
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

THUMBNAIL = 256
"""Longer side of a reference's thumbnail in pixels."""

PREVIEW = 1024
"""Longer side of a preview in pixels where the request names none."""


Retrieve = Callable[[Photo, int], list[Retrieved]]
"""Finds the most alike photographs of the server's album, at most so many."""


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
        hints: the result of `decode` for a file of hints, JSON's objects and lists, or None.
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


def decode(
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


def retrieve_references(
    retrieve: Retrieve, settings: Settings, session: Session, count: int
) -> list[Retrieved]:
    """The most alike photographs of the server's album for a session's photograph."""
    return retrieve(session.colorizer(settings.max_pixels).photo, count)


def decode_references(settings: Settings, session: Session, uploads: Sequence[Upload]) -> None:
    """Decode the references that a session does not have yet, before a worker uses them."""
    new, max_pixels = _new_references(settings, session, uploads)
    for upload in new.values():
        found = upload.decode(max_pixels)
        max_pixels -= found.width * found.height


def _new_references(
    settings: Settings, session: Session, uploads: Sequence[Upload]
) -> tuple[dict[int, Upload], int]:
    """The references that a session does not have yet, by their numbers, and the pixels that the others leave them.

    One that it has is new where it is sent so often that there is no room for it.
    """
    known = {upload.sha256: upload.pixels for upload in session.references}
    new, left = {}, settings.max_pixels
    for number, upload in enumerate(uploads):
        pixels = known.get(upload.sha256)
        if pixels is None or pixels > left:
            new[number] = upload
        else:
            left -= pixels
    return new, left


def decode_usable_references(
    settings: Settings, session: Session, uploads: Sequence[Upload]
) -> dict[int, str]:
    """Decode each reference that a session does not have yet, whatever becomes of the others.

    Returns:
        Why references cannot be used, by their numbers.
    """
    new, max_pixels = _new_references(settings, session, uploads)
    refused = {}
    for number, upload in new.items():
        try:
            found = upload.decode(max_pixels)
            max_pixels -= found.width * found.height
        except PhotoTooLargeError as error:
            alone = max_pixels == settings.max_pixels
            refused[number] = one_line(str(error)) if alone else _too_many_pixels(settings, upload)
        except PhotoError as error:
            refused[number] = one_line(str(error))
    return refused


def _too_many_pixels(settings: Settings, upload: Upload) -> str:
    most = f"{settings.max_pixels / 1e6:g} megapixels"
    return one_line(
        f"{upload.name}: with it the references have more than {most}; scale it down, or remove others."
    )


def open_photo(settings: Settings, upload: Upload) -> Colorizer:
    """A colorizer of the photograph that a session begins with.

    The hash of the upload, which projects need, is computed as well.
    """
    colorizer = Colorizer(upload.read(settings.max_pixels))
    _ = upload.sha256
    return colorizer


def set_references(settings: Settings, session: Session, uploads: list[Upload], weights: list[float]) -> None:
    """Read references into a session, if all can be used; otherwise the session keeps its old ones.

    Args:
        settings: the server's limits.
        session: the session.
        uploads: the references' files.
        weights: one weight for each reference, 0 to 1.
    """
    photos = _reference_photos(settings, session, uploads)
    session.colorizer(settings.max_pixels).set_references(photos, weights)
    _keep_references(session, uploads, weights)


def set_usable_references(
    settings: Settings, session: Session, uploads: list[Upload], weights: list[float], refused: dict[int, str]
) -> dict[int, str]:
    """Read those references into a session that can be used.

    Args:
        settings, session, uploads, weights: as for `set_references`.
        refused: why references cannot be used, by their numbers, as `decode_usable_references` gives them.
    Returns:
        The same with the references that have no color to give.
    """
    decoded = [number for number in range(len(uploads)) if number not in refused]
    photos = _reference_photos(settings, session, [uploads[number] for number in decoded])
    colorizer, used = copy(session.colorizer(settings.max_pixels)), dict[int, Photo]()
    for number, photo in zip(decoded, photos, strict=True):
        held = list(colorizer.references)  # what is set already is not looked at again
        try:
            colorizer.set_references([*held, photo])
        except ReferencePhotoError as error:
            why = str(error).removeprefix(f"reference {len(held) + 1} ")
            refused = {**refused, number: one_line(f"{uploads[number].name} {why}")}
        else:
            used[number] = colorizer.references[-1]
    kept_weights = [weights[number] for number in used]
    colorizer.set_references(list(used.values()), kept_weights)
    session.keep_decoded(colorizer)
    _keep_references(session, [uploads[number] for number in used], kept_weights)
    return refused


def _reference_photos(settings: Settings, session: Session, uploads: list[Upload]) -> list[Photo]:
    """Photographs of references; those that the session has are not decoded again."""
    colorizer = session.colorizer(settings.max_pixels)
    before = zip(session.references, colorizer.references, strict=True)
    known = {upload.sha256: photo for upload, photo in before}
    return read_references(uploads, settings.max_pixels, known)


def _keep_references(session: Session, uploads: list[Upload], weights: list[float]) -> None:
    """Keep the files of a session's references, with their hashes, in place of the old ones."""
    for upload in uploads:
        _ = upload.sha256
    for upload in session.references:
        upload.close()
    session.references, session.weights = uploads, weights


def set_weights(settings: Settings, session: Session, weights: list[float]) -> None:
    """Set the weights of a session's references, 0 to 1 each."""
    colorizer = session.colorizer(settings.max_pixels)
    colorizer.set_references(list(colorizer.references), weights)
    session.weights = weights


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
        ProjectPhoto(photo.name, photo.sha256, session.width, session.height),
        tuple(
            ProjectReference(reference.name, reference.sha256, weight)
            for reference, weight in zip(session.references, weights, strict=True)
        ),
        hints,
        colorizer.options,
        made_with(colorizer),
    ).to_json()


def thumbnail(settings: Settings, session: Session, number: int) -> bytes:
    """A reference at a bounded size, as PNG.

    Args:
        settings: the server's limits.
        session: the session.
        number: the reference's number from 0.
    Raises:
        RequestError: 404 if there is no such reference, as others may have been set while this request waited.
    """
    references = session.colorizer(settings.max_pixels).references
    if not 0 <= number < len(references):
        raise RequestError(404, "there is no such reference.")
    return thumbnail_of(references[number])


def thumbnail_of(photo: Photo) -> bytes:
    """A photograph at a bounded size, as PNG."""
    from tinct.color.lab import lab_to_rgb

    rgb = lab_to_rgb(photo.working_lab(THUMBNAIL))
    return encode_png(np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8))


def colorizer_for(settings: Settings, session: Session, body: EditRequest) -> Colorizer:
    """The session's colorizer with the hints and options of a request, and no others."""
    options = Options.from_mapping(body.options)
    colorizer = session.colorizer(settings.max_pixels)
    hints = read_hints(body.hints, (session.width, session.height), settings.hints)
    colorizer.options = options
    colorizer.clear_hints()
    for hint in hints:
        assert not isinstance(hint, HintImage)
        colorizer.add_hint(hint)
    return colorizer
