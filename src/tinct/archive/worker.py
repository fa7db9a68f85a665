"""Work on one photograph of a batch: fetch, colorize, write under its key, and give its entry of the ledger."""

from __future__ import annotations

import os
import socket
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from tinct.archive.entry import DONE, FAILED, REFUSED, SKIPPED, Entry
from tinct.archive.row import Row
from tinct.archive.storage import Store, local_path, read_uri
from tinct.colorizing.batch import SAME, State, outcome_of, result_suffix
from tinct.colorizing.own_results import holds_record
from tinct.errors import PhotoError, StorageError, TinctError, of_file, one_line
from tinct.version import __version__

if TYPE_CHECKING:
    from tinct.colorizing.album import Album
    from tinct.colorizing.colorizer import Colorizer
    from tinct.methods import Prediction
    from tinct.photo import Photo, Provenance

KEPT_REFERENCES = 8
"""Reference photographs that a worker keeps decoded."""

STATUSES = {
    State.WRITTEN: DONE,
    State.OWN_RESULT: SKIPPED,
    State.EXISTS: SKIPPED,
    State.REFUSED: REFUSED,
    State.FAILED: FAILED,
}
"""The ledger's words for the states of a photograph that `tinct.colorizing.batch` decides."""


@dataclass(frozen=True)
class Job:
    """The settings that all photographs of a batch share.

    Attributes:
        out: URI of the output's store.
        format: png, jpg, tif, webp or "same".
        store: "picture" for whole pictures, "chroma" for chroma files (`tinct.archive.chroma`).
        again: True to colorize photographs that tinct has colorized already.
        label: text of a visible strip below the picture, or "".
        signing: paths of certificate and key for C2PA, or None.
        options: options of all photographs; a row's own options win.
    """

    out: str
    format: str = "png"
    store: str = "picture"
    again: bool = False
    label: str = ""
    signing: tuple[str, str] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


class Worker:
    """Colorizes the photographs of a batch one after the other; references and networks are kept between them."""

    def __init__(self, job: Job) -> None:
        self.job, self.out = job, Store(job.out)
        self.name = f"{socket.gethostname()}-{os.getpid()}"
        self._references: OrderedDict[str, Photo] = OrderedDict()
        self._colorizer: Colorizer | None = None
        self._set_for: tuple[tuple[str, ...], Row | None] | None = None
        self._album: tuple[tuple[str, str], Album] | None = None
        self._led: tuple[Row, Photo] | None = None

    def process(self, row: Row) -> Entry:
        """Colorize a photograph.

        Errors become entries of the ledger; only the end of the process and a lack of memory are raised.
        """
        started = time.monotonic()
        entry = Entry(
            row.id,
            row.uri,
            FAILED,
            options_sha256=row.options_sha256,
            references=row.references,
            worker=self.name,
            version=__version__,
        )
        try:
            entry = self._colorized(row, entry)
        except Exception as error:
            state, why = outcome_of(error)
            entry = replace(entry, status=STATUSES[state], message=why)
        return replace(entry, seconds=round(time.monotonic() - started, 4), finished=time.time())

    def _colorized(self, row: Row, entry: Entry) -> Entry:
        """The entry of a photograph that was colorized, or passed over as a result of tinct."""
        content = self._content(row.uri)
        photo = self._photo(row.uri, content, self._all_pages())
        entry = replace(
            entry,
            sha256_in=sha256(content).hexdigest(),
            bytes_in=len(content),
            width=photo.width,
            height=photo.height,
            notes=tuple(photo.notes),
        )
        if not self.job.again and holds_record(content):
            return replace(entry, status=SKIPPED, message="it was colorized by tinct already.")
        leading = self._leader(row)
        entry = _with_leader(entry, row, has_colors=leading is not None)
        colorizer = self._prepared(row, photo, entry.sha256_in, leading)
        prediction = colorizer.predict()
        entry = replace(entry, notes=(*entry.notes, *colorizer.unmet_wishes()))
        result, told, (width, height) = self._encoded(
            colorizer, photo, content, row, entry.sha256_in, leading
        )
        entry = replace(
            entry,
            notes=tuple(dict.fromkeys((*entry.notes, *told))),
            output_width=width,
            output_height=height,
        )
        key = f"{row.key}.{self._suffix(photo)}"
        self.out.put(key, result)
        return replace(
            _with_prediction(entry, prediction, colorizer.provenance),
            status=DONE,
            output=key,
            sha256_out=sha256(result).hexdigest(),
            bytes_out=len(result),
        )

    def _all_pages(self) -> int | None:
        """The first page's number where results hold all pages, so that no note tells of the others; else None."""
        return 1 if self.job.store == "picture" and self.job.format in (SAME, "tif") else None

    def _content(self, uri: str) -> bytes:
        try:
            return read_uri(uri)
        except StorageError:
            if (path := local_path(uri)) is None or not os.path.isdir(path):
                raise
        with suppress(OSError), os.scandir(path):
            raise PhotoError(f"{uri} is a folder; a photograph was wanted; plan the batch again.")
        raise PhotoError(
            f"{uri} is a folder that could not be listed; make it readable and plan the batch again."
        )

    def _photo(self, uri: str, content: bytes, page: int | None = None) -> Photo:
        from tinct.photo import Photo

        try:
            return Photo.read(content, page=page)
        except TinctError as error:
            said = one_line(str(error) or type(error).__name__)
            raise type(error)(of_file(PurePosixPath(uri).name, said)) from None

    def confidence(self, row: Row) -> float:
        """How sure the method is of a photograph's colors: the mean of its confidence, 0..1, without borders.

        Raises:
            TinctError: if the photograph, or what it is colored by, cannot be read.
        """
        return self._read(row).predict().mean_confidence

    def _read(self, row: Row) -> Colorizer:
        """A colorizer with a row's photograph, read from its URI, and all that the row says."""
        content = self._content(row.uri)
        return self._prepared(row, self._photo(row.uri, content), sha256(content).hexdigest())

    def _prepared(self, row: Row, photo: Photo, photo_sha256: str, leading: Photo | None = None) -> Colorizer:
        """A colorizer with a row's photograph, hints, options and references.

        Args:
            row: the row.
            photo: its photograph.
            photo_sha256: of the photograph's file, by which a project recognizes its own.
            leading: one more reference.
        """
        from tinct.colorizing.colorizer import Colorizer
        from tinct.hints import read_hints
        from tinct.options import Options

        if row.project:
            return self._album_of(row).set_up(photo, photo_sha256)
        if self._colorizer is None:
            self._colorizer = Colorizer()
        colorizer = self._colorizer
        colorizer.set_options(**{**asdict(Options()), **self.job.options, **row.options})
        colorizer.set_photo(photo)
        wanted = row.references, row.leader if leading is not None else None
        if wanted != self._set_for:
            self._set_for = None
            extra = [] if leading is None else [leading]
            colorizer.set_references([*map(self._reference, row.references), *extra])
            self._set_for = wanted
        for hint in read_hints(read_uri(row.hints), (photo.width, photo.height)) if row.hints else ():
            colorizer.add_hint(hint)
        return colorizer

    def _leader(self, row: Row) -> Photo | None:
        """The result of a row's leader; None if it has none, or its photograph cannot be colorized.

        The result is made again rather than read, so that shards, engines and formats give the same bytes.
        """
        leader = row.leader
        if leader is None or row.project:
            return None
        if self._led is None or self._led[0] != leader:
            self._led = None
            try:
                result = self._read(leader).render()
            except PhotoError:
                return None
            if not result.gives_color():
                return None
            self._led = leader, result
        return self._led[1]

    def _album_of(self, row: Row) -> Album:
        from tinct.colorizing.album import Album

        wanted = row.project, row.carry or "nothing"
        if self._album is None or self._album[0] != wanted:
            self._album = wanted, Album(local_path(row.project) or row.project, wanted[1])
        return self._album[1]

    def _reference(self, uri: str) -> Photo:
        if uri not in self._references:
            self._references[uri] = self._photo(uri, read_uri(uri))
        self._references.move_to_end(uri)
        while len(self._references) > KEPT_REFERENCES:
            self._references.popitem(last=False)
        return self._references[uri]

    def _encoded(
        self,
        colorizer: Colorizer,
        photo: Photo,
        content: bytes,
        row: Row,
        photo_sha256: str,
        leading: Photo | None,
    ) -> tuple[bytes, Sequence[str], tuple[int, int]]:
        """The result's bytes, what is said of its writing, and its width and height, 0 of a chroma file.

        Of a TIFF all pages are in it, where the result is one; width and height are the first page's.
        """
        if self.job.store == "chroma":
            from tinct.archive.chroma import chroma_file

            wanted = "" if self.job.format == SAME else self.job.format
            return chroma_file(colorizer, photo_sha256, wanted), (), (0, 0)
        provenance, suffix = colorizer.provenance, self._suffix(photo)
        sizes: list[tuple[int, int]] = []

        def made(page: Photo) -> Photo:
            own = colorizer if page is photo else self._prepared(row, page, photo_sha256, leading)
            result = self._labeled(own)
            sizes.append((result.width, result.height))
            return result

        if photo.pages > 1 and suffix == "tif":
            from tinct.photo.pages import each_page, encode_pages

            encoded, notes = encode_pages(
                each_page(photo, lambda number: self._photo(row.uri, content, number), made)
            )
        else:
            result = made(photo)
            encoded, notes = result.encode(suffix), list(result.notes)
        if self.job.signing is not None:
            from tinct.archive.signing import signed

            encoded = signed(encoded, suffix, content, provenance, *self.job.signing)
        return encoded, notes, sizes[0]

    def _labeled(self, colorizer: Colorizer) -> Photo:
        result = colorizer.render()
        if not self.job.label:
            return result
        from tinct.archive.label import labeled

        return labeled(result, self.job.label)

    def _suffix(self, photo: Photo) -> str:
        if self.job.store == "chroma":
            return "chroma"
        from tinct.photo.formats import FORMATS

        own = FORMATS[photo.format].suffixes[0] if photo.format in FORMATS else ""
        return result_suffix(self.job.format, own)[1:]


def _with_leader(entry: Entry, row: Row, *, has_colors: bool) -> Entry:
    """An entry whose references and notes say whether the row's leader gave it colors, if the row has a leader."""
    if row.leader is None:
        return entry
    if row.project:
        note = f"its project says how it is colored, and not {row.leader.uri}, the surest of its group"
        return replace(entry, notes=(*entry.notes, note))
    if not has_colors:
        note = f"{row.leader.uri}, after which its group is colored, has no colors to give"
        return replace(entry, references=row.references, notes=(*entry.notes, note))
    note = f"colored after {row.leader.uri}, the surest of its group"
    return replace(entry, references=(*row.references, row.leader.uri), notes=(*entry.notes, note))


def _with_prediction(entry: Entry, prediction: Prediction, made: Provenance) -> Entry:
    """An entry with what the ledger keeps of a prediction and its method."""
    return replace(
        entry,
        method=made.method,
        weights_sha256=made.weights_sha256 or "",
        confidence=round(prediction.mean_confidence, 4),
        colorfulness=round(prediction.mean_chroma, 3),
    )
