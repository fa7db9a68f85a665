"""The weights released with tinct: what each file is, and a way to it that never gives the wrong bytes."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

from tinct.errors import WeightsError
from tinct.weights.checksum import file_sha256

__all__ = ["Weights", "file_sha256", "manifest", "read_manifest", "weights_path"]

MANIFEST_FILE = "manifest.json"


@dataclass(frozen=True, slots=True)
class Weights:
    """One released file, as the manifest states it.

    Attributes:
        name: what it is asked for by, "architecture.training" or "architecture.part".
        file: its name in the weights folder.
        sha256: of its content, 64 lower-case hexadecimal digits.
        license: SPDX name of the weights' own licence.
        training_data: what it was trained on.
        score: metric -> figure, under the protocol that the model card names.
        source: a URL where the file can be had, or "" if it ships with tinct.
    """

    name: str
    file: str
    sha256: str
    license: str
    training_data: str
    score: Mapping[str, float] = field(default_factory=dict)
    source: str = ""


def read_manifest(path: Path) -> dict[str, Weights]:
    """Read a manifest: a JSON object, name -> the fields of `Weights`.

    Raises:
        WeightsError: if it is missing, is not JSON, or an entry lacks a field or leaves the folder.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        entries = {name: Weights(name=name, **entry) for name, entry in content.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise WeightsError(f"{path} is not a manifest of weights ({error}); install tinct again.") from None
    for entry in entries.values():
        _check(entry)
    return entries


def manifest() -> dict[str, Weights]:
    """The weights by name; treat it as read-only.

    Those that ship with tinct, and in their place those of the manifest in the folder that `TINCT_WEIGHTS` names,
    if it has one: so weights of one's own training are used (`tinct export` writes such a folder).
    """
    return _manifest(os.environ.get("TINCT_WEIGHTS"))


@cache
def _manifest(own: str | None) -> dict[str, Weights]:
    with as_file(files(__name__) / MANIFEST_FILE) as path:
        released = read_manifest(path)
    mine = Path(own).expanduser() / MANIFEST_FILE if own else None
    return released | read_manifest(mine) if mine and mine.is_file() else released


def weights_path(name: str, *, entries: Mapping[str, Weights] | None = None) -> Path:
    """Where a released file lies, after its hash has been checked (once, as long as the file stays as it is).

    It is looked for in the folder that `TINCT_WEIGHTS` names, if set, and then beside the manifest.

    Args:
        name: as in the manifest.
        entries: another manifest than the released one.
    Raises:
        WeightsError: if the name is unknown, or the file is missing or not the one that the manifest names.
    """
    known = manifest() if entries is None else entries
    if name not in known:
        raise WeightsError(f"no weights are called {name!r}; the manifest has {', '.join(known) or 'none'}.")
    entry = known[name]
    path = _find(entry)
    found = file_sha256(path)
    if found != entry.sha256:
        raise WeightsError(
            f"{path} has sha256 {found[:12]}… where the manifest says {entry.sha256[:12]}…; "
            "it is damaged or of another version: install tinct again or replace the file."
        )
    return path


def _folders() -> list[Path]:
    own = os.environ.get("TINCT_WEIGHTS")
    return ([Path(own).expanduser()] if own else []) + [Path(str(files(__name__)))]


def _find(entry: Weights) -> Path:
    for folder in _folders():
        if (folder / entry.file).is_file():
            return folder / entry.file
    where = f"from {entry.source}" if entry.source else "by installing tinct again"
    raise WeightsError(
        f"the weights {entry.name!r} are missing: no {entry.file} in {' or '.join(map(str, _folders()))}; "
        f"get it {where}, or set TINCT_WEIGHTS to the folder that has it."
    )


def _check(entry: Weights) -> None:
    if Path(entry.file).name != entry.file:
        raise WeightsError(
            f"the manifest's {entry.name!r} has file {entry.file!r}; a plain file name is wanted."
        )
    if len(entry.sha256) != 64 or set(entry.sha256) - set("0123456789abcdef"):
        raise WeightsError(
            f"the manifest's {entry.name!r} has no SHA-256; 64 lower-case hexadecimal digits are wanted."
        )
