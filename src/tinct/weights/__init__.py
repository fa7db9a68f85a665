"""The released weights: their manifest, the lookup of a file, and the check of its hash.

Weights lie in four places: the folder that `TINCT_WEIGHTS` names, the user's own folder, this package (the network
`tinct`), and the distribution tinct-papers (the papers' networks), if installed. The first place that has a name wins.
"""

from __future__ import annotations

import json
import logging
import math
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tinct.errors import WeightsError, shortened
from tinct.weights.checksum import file_sha256

__all__ = [
    "Weights",
    "file_sha256",
    "installed",
    "manifest",
    "papers_folder",
    "read_manifest",
    "weights_folder",
    "weights_path",
]

MANIFEST_FILE = "manifest.json"
"""Name of the manifest in a folder of weights."""

PAPERS_PACKAGE = "tinct_papers"
"""The package that the distribution tinct-papers installs: the papers' weights and their manifest."""


_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Weights:
    """One released file, as the manifest states it.

    Attributes:
        name: name of the weights, "architecture.training" or "architecture.part".
        file: file name in the weights folder.
        sha256: of the content, 64 lower-case hexadecimal digits.
        license: SPDX name of the weights' own license.
        training_data: the photographs that the network was trained on.
        score: metric -> figure, under the protocol that the model card names.
        source: a URL of the file, or "" if the file ships with tinct.
        network: the network's numbers that differ from its defaults: its width, for example.
        ranges: the largest input of each convolution that may be computed in 8 bits, by the name of its weights.
        command: the line that trained the network; "" where it is not stated.
        steps: the number of training steps; 0 where it is not stated.
    """

    name: str
    file: str
    sha256: str
    license: str
    training_data: str
    score: Mapping[str, float] = field(default_factory=dict)
    source: str = ""
    network: Mapping[str, Any] = field(default_factory=dict)
    ranges: Mapping[str, float] = field(default_factory=dict)
    command: str = ""
    steps: int = 0


def read_manifest(path: Path) -> dict[str, Weights]:
    """Read a manifest: a JSON object, name -> the fields of `Weights`.

    Raises:
        WeightsError: if the file is missing or not JSON, or an entry lacks a field or names a file outside the folder.
    """
    own = path.parent not in _packages()
    if own and not path.is_file():
        raise WeightsError(
            f"{path.parent} holds no exported weights (no {path.name}); export a run there with `tinct export`."
        )
    remedy = "export the run again" if own else "install tinct again"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        entries = {name: Weights(name=name, **entry) for name, entry in content.items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise WeightsError(f"{path} is not a manifest of weights ({error}); {remedy}.") from None
    for entry in entries.values():
        _check(entry, remedy)
    return entries


def weights_folder() -> Path:
    r"""The folder that `tinct export` writes to by default, and whose weights come first.

    The folder that `TINCT_WEIGHTS` names, else the platform's own for a user's data: `$XDG_DATA_HOME/tinct/weights` or
    `~/.local/share/tinct/weights`, `~/Library/Application Support/tinct/weights` on macOS,
    `%LOCALAPPDATA%\tinct\weights` on Windows. The folder need not exist: the export makes it.
    """
    return _folders()[0]


def manifest() -> dict[str, Weights]:
    """The entries of all manifests by name; treat the mapping as read-only.

    Entries of the folder that `TINCT_WEIGHTS` names take the place of entries of the user's folder, and these the
    place of entries of tinct and of the papers' package, so that weights of one's own training are used. Where
    `TINCT_WEIGHTS` names no folder, a line in the log of `tinct.weights` says so, once.
    """
    if (folder := os.environ.get("TINCT_WEIGHTS")) and not os.path.isdir(os.path.expanduser(folder)):
        _warn_of(folder)
    found: dict[str, Weights] = {}
    for file in (folder / MANIFEST_FILE for folder in reversed([*_folders(), *_packages()])):
        if file.is_file() or file.parent == _SHIPPED:
            found |= _read_once(file, file.stat().st_mtime_ns if file.is_file() else 0)
    return found


@cache
def papers_folder() -> Path | None:
    """The folder of the papers' weights, or None if the distribution tinct-papers is not installed."""
    spec = find_spec(PAPERS_PACKAGE)
    return Path(spec.origin).parent if spec and spec.origin else None


@lru_cache(maxsize=8)
def _warn_of(named: str) -> None:
    """Say once that `TINCT_WEIGHTS` names no folder: on standard error, unless logging is set up otherwise."""
    _logger.warning(
        "TINCT_WEIGHTS names %s, which is no folder; other weights are used: mend the name, or export a run there.",
        shortened(named, 80),
    )


@lru_cache(maxsize=16)
def _read_once(file: Path, changed: int) -> dict[str, Weights]:
    """A manifest, read once as long as its file stays as it is."""
    return read_manifest(file)


def installed(name: str, *, entries: Mapping[str, Weights] | None = None) -> bool:
    """True if the manifest has weights of that name and their file is there; the hash is checked at opening.

    Args:
        name: as in the manifest.
        entries: the manifest, if the caller has read it.
    """
    entry = (manifest() if entries is None else entries).get(name)
    return entry is not None and _place(entry) is not None


def weights_path(name: str, *, entries: Mapping[str, Weights] | None = None) -> Path:
    """The path of a released file, after a check of its hash (once, as long as the file stays unchanged).

    The file is looked for in the folder that `TINCT_WEIGHTS` names, if set, in the user's folder, in tinct's own
    package and in the papers' package.

    Args:
        name: as in the manifest.
        entries: another manifest than the released one.
    Raises:
        WeightsError: if the name is unknown, the file is missing, or its hash is not the manifest's.
    """
    known = manifest() if entries is None else entries
    if name not in known:
        raise WeightsError(f"no weights are called {name!r}; the manifest has {', '.join(known) or 'none'}.")
    entry = known[name]
    path = _find(entry)
    found = file_sha256(path)
    if found != entry.sha256:
        raise WeightsError(
            f"{path.name} has sha256 {found[:12]}… where the manifest says {entry.sha256[:12]}…; it is damaged or of "
            f"another version: install tinct again or replace the file in {path.parent}."
        )
    return path


_SHIPPED = Path(str(files(__name__)))


def _folders() -> tuple[Path, ...]:
    """The folders that may hold weights; the first one that has a file is taken."""
    named = os.path.expanduser(os.environ.get("TINCT_WEIGHTS", ""))
    return _folders_of(named, _user_folder(), *_packages())


@lru_cache(maxsize=8)
def _folders_of(named: str, *others: Path) -> tuple[Path, ...]:
    """Put together once: one photograph asks thirty times."""
    return tuple(dict.fromkeys(([Path(named)] if named else []) + list(others)))


def _packages() -> list[Path]:
    """The installed packages that hold weights: tinct's own, and the papers'."""
    papers = papers_folder()
    return [_SHIPPED] if papers is None else [_SHIPPED, papers]


def _user_folder() -> Path:
    named = os.environ.get("LOCALAPPDATA" if sys.platform == "win32" else "XDG_DATA_HOME", "")
    return _user_folder_of(os.path.expanduser("~"), named)


@lru_cache(maxsize=8)
def _user_folder_of(homes: str, named: str) -> Path:
    """Put together once: one photograph asks thirty times."""
    home = Path(homes)
    if sys.platform == "win32":
        return (Path(named) if named else home / "AppData" / "Local") / "tinct" / "weights"
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "tinct" / "weights"
    # relative paths are ignored, as the XDG Base Directory Specification has it
    return (Path(named) if os.path.isabs(named) else home / ".local" / "share") / "tinct" / "weights"


def _place(entry: Weights) -> Path | None:
    paths = (folder / entry.file for folder in _folders())
    return next((path for path in paths if path.is_file()), None)


def _find(entry: Weights) -> Path:
    if path := _place(entry):
        return path
    where = f"from {entry.source}" if entry.source else "by installing tinct again"
    raise WeightsError(
        f"the weights {entry.name!r} are missing: no {entry.file} in {' or '.join(map(str, _folders()))}; "
        f"get it {where}, or set TINCT_WEIGHTS to the folder that has it."
    )


_KINDS: dict[str, type] = {
    "file": str,
    "sha256": str,
    "license": str,
    "training_data": str,
    "source": str,
    "command": str,
    "score": dict,
    "network": dict,
    "ranges": dict,
    "steps": int,
}
"""What a manifest's fields hold in JSON."""


def _check(entry: Weights, remedy: str) -> None:
    """Refuse an entry of a manifest whose fields have another type, or values that cannot be.

    Args:
        entry: as it was read.
        remedy: what to do.
    Raises:
        WeightsError: if there is such a field.
    """
    for name, kind in _KINDS.items():
        if type(getattr(entry, name)) is not kind:
            raise WeightsError(
                f"the manifest's {shortened(entry.name, 40)!r} has no fitting {name}; {remedy}."
            )
    for what, figures in (("score", entry.score), ("ranges", entry.ranges)):
        for figure in figures.values():
            if type(figure) not in (int, float) or not math.isfinite(figure) or figure < 0:
                raise WeightsError(
                    f"the manifest's {shortened(entry.name, 40)!r} has {what} that are no numbers of 0 or more; "
                    f"{remedy}."
                )
    if Path(entry.file).name != entry.file:
        raise WeightsError(
            f"the manifest's {entry.name!r} has file {entry.file!r}; a plain file name is wanted."
        )
    if len(entry.sha256) != 64 or set(entry.sha256) - set("0123456789abcdef"):
        raise WeightsError(
            f"the manifest's {entry.name!r} has no SHA-256; 64 lower-case hexadecimal digits are wanted."
        )
