"""The user's cache folder, where compiled networks lie between runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """Where tinct may keep what it can make again.

    `TINCT_CACHE` if it is set, else the platform's own: `$XDG_CACHE_HOME/tinct` or `~/.cache/tinct`
    (XDG Base Directory Specification 0.8: relative paths are ignored), `~/Library/Caches/tinct` on macOS,
    `%LOCALAPPDATA%\\tinct\\Cache` on Windows. The folder need not exist.
    """
    if own := os.environ.get("TINCT_CACHE"):
        return Path(own).expanduser()
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "tinct" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "tinct"
    given = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(given) if Path(given).is_absolute() else Path.home() / ".cache") / "tinct"


def writable_cache(*parts: str) -> Path | None:
    """A folder under the cache folder, made if need be; None if nothing can be written there."""
    try:
        folder = cache_folder().joinpath(*parts)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except (OSError, RuntimeError):  # RuntimeError: no home folder
        return None
    return folder if os.access(folder, os.W_OK | os.X_OK) else None
