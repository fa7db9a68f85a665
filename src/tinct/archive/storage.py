"""Files under a URI: local folders, object stores and memory, through fsspec."""

from __future__ import annotations

import builtins
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from tinct.errors import MissingExtraError, StorageError
from tinct.files import write_whole
from tinct.unfinished import PREFIX, remove_abandoned

Stamp = tuple[int, str]
"""Size and time of change of a file."""

BYTES_SCHEME = "file-bytes://"
"""Beginning of the URI of a local file whose path is not UTF-8: the path's bytes follow, percent-encoded.

Manifests and ledgers hold text, which such a path is not."""

_IN_PATHS = "/:@!$&'()*+,;=~"
"""Signs that stand in a URI's path as they are (RFC 3986, section 3.3)."""


@dataclass(frozen=True)
class Store:
    """A folder or bucket prefix, under which files have keys such as "ledger/part-1.parquet".

    Attributes:
        uri: a local path, or a URI that fsspec knows: file://, s3://, gs://, az://, memory://; or file-bytes://
            (`BYTES_SCHEME`).
    """

    uri: str

    @cached_property
    def _place(self) -> tuple[Any, str]:
        filesystem, path = filesystem_of(self.uri)
        return filesystem, path.rstrip("/")

    @property
    def is_local(self) -> bool:
        """True for a folder of this machine."""
        return _is_local(self._place[0])

    def path(self, key: str) -> str:
        """The path of a key within the store's filesystem."""
        return f"{self._place[1]}/{key}"

    def child(self, key: str) -> Store:
        """The store of all keys that begin with `key/`."""
        return Store(f"{self.uri.rstrip('/')}/{key}")

    def read(self, key: str) -> bytes:
        """The content of a file.

        Raises:
            StorageError: if the file cannot be read.
        """
        with _named(f"{self.uri.rstrip('/')}/{key}", "read"):
            return _content(self._place[0], self.path(key))

    def exists(self, key: str) -> bool:
        """True if there is a whole file of this key.

        Raises:
            StorageError: if the store does not answer.
        """
        with _named(self.uri, "read"):
            return bool(self._place[0].isfile(self.path(key)))

    def put(self, key: str, content: bytes) -> None:
        """Write a file whole or not at all; a file of the same key is replaced.

        A local file is written under a temporary name, synced and renamed. An object store makes an object visible
        only when all of it has arrived.

        Raises:
            StorageError: if the file cannot be written.
        """
        filesystem, path = self._place[0], self.path(key)
        with _named(f"{self.uri.rstrip('/')}/{key}", "written"):
            if self.is_local:
                write_whole(Path(path), content)
            else:
                filesystem.pipe_file(path, content)

    def delete(self, key: str) -> None:
        """Remove a file; a missing file is no error."""
        with suppress(FileNotFoundError), _named(f"{self.uri.rstrip('/')}/{key}", "removed"):
            self._place[0].rm_file(self.path(key))

    def list(self, below: str = "") -> builtins.list[str]:
        """Keys of all whole files, sorted; files that are being written are left out.

        Args:
            below: only keys that begin with `below/`.
        Raises:
            StorageError: if the store does not answer.
        """
        filesystem, root = self._place
        start = self.path(below).rstrip("/") if below else root
        with _named(self.uri, "listed"):
            with suppress(AttributeError):
                filesystem.invalidate_cache()
            try:
                found = filesystem.find(start)
            except FileNotFoundError:
                return []
        prefix = f"{root}/"
        keys = (path[len(prefix) :] for path in found if path.startswith(prefix))
        return sorted(key for key in keys if not PurePosixPath(key).name.startswith(PREFIX))


def read_uri(uri: str) -> bytes:
    """The content of the file at a URI.

    Raises:
        StorageError: if the file cannot be read.
    """
    filesystem, path = filesystem_of(uri)
    with _named(uri, "read"):
        return _content(filesystem, path)


def _content(filesystem: Any, path: str) -> bytes:
    """The content of a file; a local pipe or device, which may never end, is refused without waiting for it."""
    if not _is_local(filesystem):
        content: bytes = filesystem.cat_file(path)
        return content
    with open(path, "rb", opener=_without_waiting) as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise OSError("it is a pipe or a device, not a file")
        return stream.read()


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def stamp_of(uri: str) -> Stamp:
    """The stamp of one file anywhere: another one means that the file has changed.

    Raises:
        StorageError: if it cannot be looked at.
    """
    filesystem, path = filesystem_of(uri)
    try:
        info = filesystem.info(path)
    except Exception as error:
        raise StorageError(f"{uri} cannot be looked at ({error}).") from None
    changed = info.get("mtime", info.get("LastModified", info.get("created", "")))
    return int(info.get("size") or 0), str(changed)


def filesystem_of(uri: str) -> tuple[Any, str]:
    """The fsspec filesystem of a URI, and the path within it; a plain path is a local file.

    The path of a local file is taken as it is: "::" in it, with which fsspec chains URIs, has no meaning.

    Raises:
        MissingExtraError: if fsspec, or its driver for this kind of URI, is not installed.
        StorageError: if there is no such kind of URI, or the name is empty, which would mean the working folder.
    """
    if not uri:
        raise StorageError("a name is empty where a file, a folder or a URI was wanted; name one.")
    try:
        from fsspec import filesystem as new_filesystem
        from fsspec.core import url_to_fs
    except ImportError:
        raise MissingExtraError("archives need fsspec and pyarrow: pip install 'tinct[archive]'.") from None
    local = local_path(uri)
    if local is not None:
        filesystem = new_filesystem("file")
        return filesystem, str(filesystem._strip_protocol(local))
    try:
        filesystem, path = url_to_fs(uri)
    except ImportError as missing:
        raise MissingExtraError(f"{uri} cannot be opened ({missing}).") from None
    except ValueError as error:
        raise StorageError(f"{uri} cannot be opened ({error}).") from None
    return filesystem, str(path)


def local_path(uri: str) -> str | None:
    """The absolute path of a local file by its plain path, file:// or file-bytes:// URI; None for other URIs."""
    if uri.startswith(BYTES_SCHEME):
        return os.fsdecode(unquote_to_bytes(uri.removeprefix(BYTES_SCHEME)))
    if uri.startswith("file://"):
        path = uri.removeprefix("file://")
        return path.lstrip("/") if os.name == "nt" else os.path.abspath(path)
    if "://" in uri:
        return None
    return os.path.abspath(uri if os.path.lexists(uri) else os.path.expanduser(uri))


def absolute_uri(uri: str) -> str:
    """The URI that means the same file from every folder: a plain path becomes absolute.

    Text holds no path that is not UTF-8; such a path becomes a URI with `BYTES_SCHEME`.
    """
    path = local_path(uri)
    if path is None or ("://" in uri and _is_text(uri)):
        return uri
    return path if _is_text(path) else BYTES_SCHEME + quote(os.fsencode(path))


def linked_uri(uri: str) -> str:
    """The URI of a file as links and other programs take it: a local path becomes a file:// URI, all is escaped.

    In URIs of object stores every sign is the key's own; what the web's have escaped already stays so.
    """
    path = local_path(uri)
    if path is not None:
        return Path(path).as_uri()
    scheme, _, rest = uri.partition("://")
    is_web = scheme.lower() in ("http", "https")
    return f"{scheme}://{quote(rest, safe=_IN_PATHS + ('%?#[]' if is_web else ''))}"


def files_below(folder: str) -> tuple[builtins.list[str], builtins.list[str]]:
    """Paths of the whole files of a local folder and of those below, and of the folders there that cannot be listed.

    Each folder is listed once. What is no folder, or is not there, has neither.
    """
    errors: builtins.list[OSError] = []
    files = [
        f"{parent.rstrip('/')}/{name}"
        for parent, _, names in os.walk(folder, onerror=errors.append)
        for name in names
        if not name.startswith(PREFIX)
    ]
    no_folder = (FileNotFoundError, NotADirectoryError)
    unlisted = [str(error.filename) for error in errors if not isinstance(error, no_folder)]
    if os.sep != "/":
        files = [path.replace(os.sep, "/") for path in files]
    return files, unlisted


def _is_text(path: str) -> bool:
    return path.isascii() or not any("\ud800" <= each <= "\udfff" for each in path)


def _is_local(filesystem: Any) -> bool:
    protocol = filesystem.protocol
    return "file" in ((protocol,) if isinstance(protocol, str) else protocol)


def sweep(store: Store) -> None:
    """Remove unfinished files that killed writers left in a local store; see `tinct.unfinished.remove_abandoned`."""
    if store.is_local:
        for folder, _, _ in os.walk(store.path("")):
            remove_abandoned(Path(folder))


@contextmanager
def _named(place: str, done: str) -> Iterator[None]:
    """Turn what a filesystem raises into one line."""
    try:
        yield
    except (StorageError, MissingExtraError):
        raise
    except FileNotFoundError:
        raise StorageError(f"{place} is not there; check the path.") from None
    except Exception as error:
        said = " ".join(str(error).split())[:160] or type(error).__name__
        raise StorageError(f"{place} cannot be {done} ({said}).") from None
