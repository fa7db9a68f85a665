"""The photographs of a folder, of a glob pattern, or below a URI prefix, by their names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

from tinct.archive.storage import BYTES_SCHEME, Store, absolute_uri, files_below, filesystem_of, local_path
from tinct.colorizing.named_files import is_called_like_a_photograph, without_results
from tinct.errors import ManifestError

_WILDCARDS = "*?["
"""Signs that make a name a pattern."""


def photographs_below(source: str) -> list[str]:
    """URIs of the photographs of a folder, a glob pattern, or a URI prefix, sorted.

    Raises:
        ManifestError: if there is no photograph.
        StorageError: if the place cannot be listed.
    """
    uris, _ = photographs_of(source)
    if not uris:
        raise no_photographs(source)
    return uris


def photographs_of(source: str) -> tuple[list[str], list[str]]:
    """URIs of the photographs of a source, and of its local folders that cannot be listed, both sorted."""
    files, unlisted = _files_of(source)
    photographs = (uri for uri in files if is_called_like_a_photograph(PurePosixPath(uri).name))
    return sorted(without_results(photographs)), sorted(map(absolute_uri, unlisted))


def no_photographs(source: str) -> ManifestError:
    """The error that a source has no photographs."""
    return ManifestError(
        f"no photographs were found in {source}; give a folder, a pattern such as 'scans/**/*.tif', or a URI."
    )


def _files_of(source: str) -> tuple[Iterable[str], Iterable[str]]:
    """URIs of the files of a source, and paths of its local folders that cannot be listed.

    A pattern without ** has none of these.

    Raises:
        ManifestError: if the source is a pattern that cannot be.
    """
    filesystem, path = filesystem_of(source)
    local = local_path(source)
    if is_called_like_a_photograph(PurePosixPath(path).name) and filesystem.isfile(path):
        return [absolute_uri(source)], []
    if _is_pattern(source):
        pattern = _with_names_escaped(filesystem, path)
        try:
            if local is None or "**" not in source:
                return [_uri_of(source, each) for each in filesystem.glob(pattern)], []
            return _matching(source, _folder_of(filesystem, path), pattern)
        except ValueError as error:
            raise ManifestError(
                f"{source} is no pattern ({error}); write such as 'scans/**/*.tif'."
            ) from None
    if local is None:
        return [absolute_uri(f"{source.rstrip('/')}/{key}") for key in Store(source).list()], []
    base = (local if source.startswith(BYTES_SCHEME) or "://" not in source else source).rstrip("/")
    files, unlisted = files_below(path)
    return [absolute_uri(f"{base}/{each[len(path.rstrip('/')) + 1 :]}") for each in files], unlisted


def _matching(source: str, folder: str, pattern: str) -> tuple[list[str], list[str]]:
    """URIs of the files below a local folder that fit a pattern, as fsspec's `glob` has it, and what is not listed."""
    from fsspec.utils import glob_translate

    fits = re.compile(glob_translate(pattern)).match
    files, unlisted = files_below(folder)
    return [_uri_of(source, path) for path in files if fits(path)], unlisted


def _is_pattern(source: str) -> bool:
    """True for a name with wildcards, unless a file or folder has this very name."""
    filesystem, path = filesystem_of(source)
    return any(sign in source for sign in _WILDCARDS) and not filesystem.exists(path)


def _with_names_escaped(filesystem: Any, pattern: str) -> str:
    """A pattern in which the wildcards of folders that are there under this very name are plain characters."""
    folder = _folder_of(filesystem, pattern)
    return "".join(f"[{each}]" if each in _WILDCARDS else each for each in folder) + pattern[len(folder) :]


def _folder_of(filesystem: Any, pattern: str) -> str:
    """The part of a pattern that names a folder: the longest one before its last wildcard that is there."""
    folder = pattern
    while any(sign in folder for sign in _WILDCARDS) and not filesystem.isdir(folder):
        folder = folder.rpartition("/")[0]
    return folder


def _uri_of(source: str, path: str) -> str:
    scheme, separator, _ = source.partition("://")
    if local_path(source) is not None:
        return absolute_uri(f"file://{path}" if scheme == "file" and separator else path)
    return f"{scheme}://{path.lstrip('/')}"
