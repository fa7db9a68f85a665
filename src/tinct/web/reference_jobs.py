"""Jobs of the worker pool on the references of a session; all may block for long."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy

import numpy as np

from tinct.errors import PhotoError, PhotoTooLargeError, ReferencePhotoError, one_line
from tinct.photo import Photo
from tinct.retrieval.references import Retrieved
from tinct.web.responses import RequestError, encode_png
from tinct.web.sessions import Session, Upload, read_references
from tinct.web.settings import Settings

THUMBNAIL = 256
"""Longer side of a reference's thumbnail in pixels."""

Retrieve = Callable[[Photo, int], list[Retrieved]]
"""Finds the most alike photographs of the server's album, at most so many."""


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
