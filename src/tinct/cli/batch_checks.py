"""Checks of a batch before its first photograph: what is wrong for all of them is said once."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinct.errors import ExistsError, OptionError

if TYPE_CHECKING:
    from tinct.archive.row import Row
    from tinct.archive.worker import Job


def check_method(options: Mapping[str, Any], has_reference: bool, has_hints: bool) -> None:
    """Refuse a method that is unknown, or that lacks what it needs, before any photograph is settled as refused.

    Args:
        options: by name.
        has_reference, has_hints: True if some photograph has such.
    Raises:
        MethodError: if the method cannot answer.
    """
    from tinct.methods import get_method
    from tinct.methods.selection import choose_method

    if (name := options.get("method")) is not None:
        method = get_method(name)
        choose_method(name, has_reference and method.needs_reference, has_hints or not method.needs_hints)


def check_method_of_rows(job: Job, rows: Sequence[Row], retrieved: bool = False) -> None:
    """`check_method` for the rows of a manifest, some of which may get references from a folder."""
    has_reference = retrieved or any(row.references or row.project or row.group for row in rows)
    check_method(job.options, has_reference, any(row.hints or row.project for row in rows))


def check_takes_references(options: Mapping[str, Any]) -> None:
    """Refuse a method that takes no references, where all photographs get some.

    Raises:
        MethodError: if the named method is unknown, or takes none.
    """
    from tinct.methods.selection import choose_method

    choose_method(options.get("method"), True, True)


def check_project(project: str, carry: str, has_others: bool) -> None:
    """Refuse a project beside what it states itself, and --carry without a project.

    Args:
        project, carry: as they are given, or "".
        has_others: True if references, hints or options are given as well.
    Raises:
        OptionError: if so.
    """
    if project and has_others:
        raise OptionError("a project says references, hints and options itself; give --project alone.")
    if carry and not project:
        raise OptionError("--carry is given, but there is no --project whose hints could be carried.")


def check_inputs(project: str, carry: str, hints: str, references: Sequence[str]) -> None:
    """Refuse a project that cannot be used, and local files that are not there, before a row names them.

    Raises:
        ProjectError: if the project, or a file that it names, cannot be used.
        OptionError: if a file is missing.
    """
    from tinct.archive.storage import local_path

    given = [("--hints", hints)] if hints else []
    for name, uri in (*given, *(("--reference", each) for each in references)):
        path = local_path(uri)
        if not uri:
            raise OptionError(f"{name} is empty; name a file or a URI.")
        if path is not None and not os.path.isfile(path):
            raise OptionError(f"{name} is {uri}, which is no file; check the path.")
    if project:
        from tinct.colorizing.album import Album

        Album(local_path(project) or project, carry or "nothing")


def check_iiif(folder: Path | None, store: str) -> None:
    """Refuse IIIF manifests of chroma files, and to write them where a file is.

    Args:
        folder: for the manifests, or None.
        store: picture or chroma.
    """
    if folder is None:
        return
    if store == "chroma":
        raise OptionError("a chroma file is no picture that a IIIF viewer shows; use --store picture.")
    if folder.exists() and not folder.is_dir():
        raise OptionError(f"--iiif is {folder}, which is a file; name a folder.")


def check_manifest(output: str, overwrite: bool) -> None:
    """Refuse to write over a file that is there, which may be a manifest that somebody has worked on, or to no name."""
    from tinct.archive.storage import local_path

    if not output:
        raise OptionError("-o is empty; name a manifest to write: a .parquet, .csv or .jsonl file.")
    path = local_path(output)
    if path is not None and not overwrite and os.path.lexists(path):
        raise ExistsError(f"{output} exists already; write elsewhere, or allow it with --overwrite.")
