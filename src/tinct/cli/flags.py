"""Which flags the command line named, as against defaults."""

from __future__ import annotations

from collections.abc import Iterable

import typer

from tinct.errors import OptionError


def named_flags(context: typer.Context, names: Iterable[str]) -> list[str]:
    """The flags of those parameters that the command line named, in the order of `names`."""
    flags = {each.name: each.opts[0] for each in context.command.params}
    sources = {name: context.get_parameter_source(name) for name in names}
    return [flags[name] for name, source in sources.items() if source and source.name == "COMMANDLINE"]


def refuse_without_folder(context: typer.Context, names: Iterable[str]) -> None:
    """Refuse parameters that say how references are taken from a folder, where none is named.

    Raises:
        OptionError: if the command line names one of them.
    """
    if given := named_flags(context, names):
        raise OptionError(
            f"{given[0]} is given, but there is no --reference-from FOLDER to take references from."
        )
