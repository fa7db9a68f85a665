"""Plans that look at the photographs: references that are retrieved for each, and groups that agree in color."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from tinct.archive.listing import photographs_below
from tinct.archive.row import Row
from tinct.archive.storage import read_uri, stamp_of
from tinct.archive.worker import Job, Worker
from tinct.errors import TinctError
from tinct.retrieval.groups import GROUP_LIKENESS, alike_groups
from tinct.retrieval.index import GRAY, UNREADABLE, Progress, index_of
from tinct.retrieval.references import LEAST_LIKENESS, SAME_PICTURE, likest


@dataclass(frozen=True)
class Uris:
    """Photographs by their URIs, as a collection that can be indexed.

    Attributes:
        uris: of the photographs.
        key: what their index is kept under.
    """

    uris: Sequence[str]
    key: str

    def stamps(self) -> dict[str, str]:
        """Size and time of change of each photograph.

        Raises:
            StorageError: if one cannot be looked at.
        """
        return {uri: "-".join(map(str, stamp_of(uri))) for uri in self.uris}

    def read(self, name: str) -> bytes:
        """The content of a photograph."""
        return read_uri(name)


def with_references(
    rows: Iterable[Row],
    source: str,
    count: int = 1,
    *,
    least: float = LEAST_LIKENESS,
    progress: Progress | None = None,
) -> list[Row]:
    """Rows with the most alike color photographs of a folder or URI prefix as references.

    Rows that have references or a project keep those. A row for which nothing is alike enough gets none.

    Args:
        rows: of a manifest.
        source: a folder, a pattern or a URI prefix of color photographs.
        count: references for each row at most.
        least: the cosine of descriptors below which a photograph is not taken.
        progress: is called as `tinct.retrieval.index.index_of` says, for the references and for the rows.
    Raises:
        ManifestError: if there is no photograph in the source.
        StorageError: if it, or a photograph of the manifest, cannot be looked at.
    """
    listed = list(rows)
    references = index_of(_collection(photographs_below(source)), progress)
    asking = [row for row in listed if not (row.references or row.project)]
    index = index_of(_collection([row.uri for row in asking]), progress)
    place = {name: number for number, name in enumerate(index.names)}
    found = {}
    for row in asking:
        number = place[row.uri]
        if index.kinds[number] == UNREADABLE:
            continue
        most = 1.0 if index.kinds[number] == GRAY else SAME_PICTURE

        def fits(name: str, likeness: float, own: str = row.uri, most: float = most) -> bool:
            return name != own and likeness <= most + 1e-3

        described = index.descriptors[number].astype("f4")
        found[row.id] = tuple(
            each.name for each in likest(described, references, count, least=least, fits=fits)
        )
    return [replace(row, references=found[row.id]) if row.id in found else row for row in listed]


def with_groups(
    rows: Iterable[Row], *, least: float = GROUP_LIKENESS, progress: Progress | None = None
) -> list[Row]:
    """Rows in groups of alike photographs, each group after its surest member, and next to it in the order.

    The surest member is the one whose colors the method is surest of. Rows with a project are in no group.

    Args:
        rows: of a manifest.
        least: the mean cosine between descriptors from which photographs are one group.
        progress: is called as `tinct.retrieval.index.index_of` says.
    Raises:
        StorageError: if a photograph cannot be looked at.
    """
    listed = [replace(row, group="") for row in rows]
    able = [row for row in listed if not row.project]
    index = index_of(_collection([row.uri for row in able]), progress)
    by_uri = {row.uri: row for row in able}
    worker = Worker(Job("."))
    members: dict[int, list[Row]] = {}
    for group in alike_groups(index.descriptors, least):
        grouped = [by_uri[index.names[number]] for number in group]
        key = max(grouped, key=lambda row: _confidence(worker, row)).key
        members |= {row.id: [replace(each, group=key) for each in grouped] for row in grouped}
    return _side_by_side(listed, members)


def _side_by_side(rows: Iterable[Row], members: dict[int, list[Row]]) -> list[Row]:
    """Rows in their order, each group where its first member stood."""
    done: set[int] = set()
    ordered = []
    for row in rows:
        for each in members.get(row.id, [row]):
            if each.id not in done:
                done.add(each.id)
                ordered.append(each)
    return ordered


def _confidence(worker: Worker, row: Row) -> float:
    try:
        return worker.confidence(row)
    except TinctError:
        return -1.0


def _collection(uris: Sequence[str]) -> Uris:
    """Photographs by their URIs; the index of a list is found again by the folder that all of them lie in."""
    folders = sorted({uri.rpartition("/")[0] for uri in uris})
    return Uris(uris, sha256("\n".join(folders).encode()).hexdigest())
