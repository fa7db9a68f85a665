"""`Row`: one photograph of a batch, and the row whose colors its group takes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from hashlib import sha256
from typing import Any

from tinct.errors import ManifestError, shown


@dataclass(frozen=True)
class Row:
    """One photograph of a batch.

    Attributes:
        id: the first eight bytes of the SHA-256 of the URI, as a signed integer; unique in a manifest.
        uri: of the photograph; a local name that is not UTF-8 is in a file-bytes:// URI (`tinct.archive.storage`).
        references: URIs of color photographs.
        hints: URI of a file of hints, or "".
        project: path of a project file, or ""; a row with a project has neither references nor options.
        options: attributes of `tinct.Options` that differ from their defaults.
        group: the photograph whose colors the row's group takes, by its id in hexadecimal or its URI, or "".
        carry: what of a project's hints other photographs get ("places" or "result"; `tinct.colorizing.album`), or "".
        leader: the row that `group` names, unless it is this one; `with_leaders` sets it, and no file has it.
    """

    id: int
    uri: str
    references: tuple[str, ...] = ()
    hints: str = ""
    project: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    group: str = ""
    carry: str = ""
    leader: Row | None = None

    @property
    def key(self) -> str:
        """The id as 16 hexadecimal digits: the name of the photograph's output."""
        return f"{self.id & (1 << 64) - 1:016x}"

    @property
    def options_sha256(self) -> str:
        """A hash of all inputs of the result beside the photograph and the weights."""
        inputs: dict[str, Any] = {
            "references": self.references,
            "hints": self.hints,
            "project": self.project,
            "options": self.options,
        }
        if self.carry:
            inputs["carry"] = self.carry
        if self.leader is not None:
            inputs["leader"] = [self.leader.uri, self.leader.options_sha256]
        return sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()

    def in_shard(self, shard: tuple[int, int]) -> bool:
        """True if the row belongs to shard (index, count): id modulo count is index, of the leader if there is one."""
        index, count = shard
        return (self.leader or self).id % count == index


COLUMNS = tuple(each.name for each in fields(Row) if each.name != "leader")
"""The columns of a manifest."""


def photograph_id(uri: str) -> int:
    """The id of a URI: the first eight bytes of its SHA-256 as a signed integer."""
    content = uri.encode(errors="surrogateescape")
    return int.from_bytes(sha256(content).digest()[:8], "big", signed=True)


def with_leaders(rows: Iterable[Row]) -> list[Row]:
    """Rows with their leaders: each row of a group knows the one whose colors the group takes.

    Raises:
        ManifestError: if a group names no photograph of the manifest.
    """
    listed = list(rows)
    wanted = {row.group for row in listed if row.group}
    known = {name: row for row in listed for name in (row.key, row.uri) if name in wanted}
    found = []
    for row in listed:
        if row.group and row.group not in known:
            raise ManifestError(
                f"{shown(row.uri)} has the group {shown(row.group)}, which is no photograph of the manifest; "
                "name one by its id or URI, or let `tinct batch plan --group` do it."
            )
        leader = known[row.group] if row.group else row
        found.append(row if leader is row else replace(row, leader=leader))
    return found
