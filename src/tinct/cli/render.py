"""`tinct render`: pictures from chroma files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command `render` to the application."""
    app.command("render")(render)


def render(
    chroma: Annotated[str, typer.Argument(help="Chroma file that a batch has stored.", metavar="CHROMA")],
    photo: Annotated[str, typer.Argument(help="The photograph it was made from.", metavar="PHOTO")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Picture to write.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Write over what is there already.")] = False,
) -> int:
    """Make the picture from a chroma file and its photograph: the same bytes as a whole run gives.

    Of a photograph of several pages a chroma file holds the first.
    """
    from tinct.archive.chroma import rendered
    from tinct.archive.storage import read_uri
    from tinct.cli import print_note

    result, _ = rendered(read_uri(chroma), read_uri(photo))
    result.write(output, overwrite=overwrite)
    for note in result.notes:
        print_note(f"{photo}: {note}")
    typer.echo(str(output))
    return 0
