"""Files and folders: writing files whole or not at all, archives of arrays, hashes of files, and the cache folder."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from tinct.unfinished import finish, unfinished_file

if TYPE_CHECKING:
    from numpy.typing import NDArray


def write_whole(path: Path, content: str | bytes | Callable[[BinaryIO], object]) -> None:
    """Write a file whole or not at all.

    If writing fails, an existing file stays as it was, and no partial file is left.

    Args:
        path: the file; missing folders are made, an existing file is replaced.
        content: bytes, text for a file in UTF-8 with Unix line ends, or a function that writes to a stream.
    Raises:
        OSError: if the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with unfinished_file(path.parent) as (temporary, stream):
        if callable(content):
            content(stream)
        else:
            stream.write(content.encode() if isinstance(content, str) else content)
        finish(stream)
        os.replace(temporary, path)


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a NumPy archive (.npz) by their names; pickled objects are refused.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if the file is damaged, or of another kind.
    """
    import zipfile
    import zlib

    import numpy as np

    try:
        found = np.load(path, allow_pickle=False)
        if not isinstance(found, np.lib.npyio.NpzFile):
            raise ValueError("it is no archive of arrays")
        with found:
            return {name: found[name] for name in found.files}
    except (EOFError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(str(error)) from None


def read_array(path: Path, *, mapped: bool = False) -> NDArray[Any]:
    """The array of a NumPy file (.npy); pickled objects are refused.

    Args:
        path: the file.
        mapped: True leaves the content on disk until it is touched.
    Raises:
        OSError: if the file cannot be read.
        ValueError: if the file is damaged, or of another kind.
    """
    import zipfile

    import numpy as np

    try:
        found = np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
    except (EOFError, zipfile.BadZipFile) as error:
        raise ValueError(str(error)) from None
    if not isinstance(found, np.ndarray):
        found.close()
        raise ValueError("it is an archive of arrays")
    return found


def sha256_of_file(path: Path) -> str:
    """The SHA-256 of a file's content, 64 hexadecimal digits (FIPS 180-4), read in blocks.

    Raises:
        OSError: if the file cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cache_folder() -> Path:
    r"""The folder for files that tinct can make again.

    `TINCT_CACHE` if it is set, else the platform's own: `$XDG_CACHE_HOME/tinct` or `~/.cache/tinct` (XDG Base
    Directory Specification 0.8: relative paths are ignored), `~/Library/Caches/tinct` on macOS,
    `%LOCALAPPDATA%\tinct\Cache` on Windows. The folder need not exist.
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
    """A folder under the cache folder, made if need be; None if the folder cannot be written to."""
    try:
        folder = cache_folder().joinpath(*parts)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except (OSError, RuntimeError):  # RuntimeError: no home folder
        return None
    return folder if os.access(folder, os.W_OK | os.X_OK) else None
