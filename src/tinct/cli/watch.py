"""`tinct watch`: photographs that arrive in a folder."""

from __future__ import annotations

import os
import signal
from typing import Annotated

import typer

from tinct.cli.batch_checks import check_method
from tinct.cli.batch_output import exit_code, teller
from tinct.cli.batch_parameters import (
    AsJson,
    Format,
    Jobs,
    Method,
    OptionTexts,
    Out,
    Quiet,
    job_of,
    options_of,
)
from tinct.errors import StorageError


def register(app: typer.Typer) -> None:
    """Add the command `watch` to the application."""
    app.command("watch")(watch)


def watch(
    source: Annotated[str, typer.Argument(help="Folder or URI to watch.", metavar="FOLDER")],
    out: Out,
    jobs: Jobs = 1,
    format: Format = "png",
    quiet_seconds: Annotated[
        float,
        typer.Option(
            "--quiet-for",
            metavar="SECONDS",
            help="How long a file must not have changed.",
            min=0.0,
            max=86400.0,
        ),
    ] = 2.0,
    once: Annotated[bool, typer.Option("--once", help="Deal with what is there and leave.")] = False,
    method: Method = None,
    option: OptionTexts = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Colorize every photograph that arrives in a folder, once; a restart goes on by the ledger."""
    import time

    from tinct.archive.storage import local_path
    from tinct.archive.watch import Watch
    from tinct.cli.process import EXIT_INTERRUPTED, EXIT_TERMINATED

    job = job_of(out, format, "picture", False, "", None, options_of(option, method))
    check_method(job.options, False, False)
    if not source:
        raise StorageError("the folder to watch is empty text; name a folder or a URI.")
    if (path := local_path(source)) is not None and not os.path.isdir(path):
        raise StorageError(
            f"{source} is no folder; make it first, or name the one that photographs arrive in."
        )
    watching = Watch(source, job, quiet_seconds)
    came = _signals()
    tell = teller(quiet, as_json)
    if once:
        watching.arrived()
        time.sleep(quiet_seconds)
        outcome = watching.look(jobs=jobs, tell=tell, stop=lambda: bool(came))
        if came:
            return EXIT_TERMINATED if came[0] == signal.SIGTERM else EXIT_INTERRUPTED
        return exit_code(outcome)
    watching.run(lambda: bool(came), jobs=jobs, tell=tell)
    return 0


def _signals() -> list[int]:
    """A list that gets SIGTERM and SIGINT when they come, which then end nothing by themselves."""
    came: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda which, _: came.append(which))
    return came
