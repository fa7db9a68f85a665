"""`tinct serve`: the studio in the browser, with the REST interface."""

from __future__ import annotations

from typing import Annotated

import typer

from tinct.cli.process import announce
from tinct.options import WORKING_SIZE_RANGE
from tinct.web.settings import DEFAULT_MAX_SIZE, DEFAULT_PORT

_HOST = typer.Option(help="Address to answer on; the default is this machine alone.")
_PORT = typer.Option(min=0, max=65535, help="0 takes a free one.")
_TOKEN = typer.Option(
    help="What every request must show; needed where other machines can reach the server.",
    envvar="TINCT_TOKEN",
    show_envvar=True,
)
_MAX_PIXELS = typer.Option(min=1, help="Photographs of more pixels are refused. [100 million]")
_MAX_SIZE = typer.Option(
    min=WORKING_SIZE_RANGE[0],
    max=WORKING_SIZE_RANGE[1],
    help="Largest working size of a request, in pixels of the longer side; memory grows with its square.",
)
_MAX_UPLOAD = typer.Option(min=1, metavar="MIB", help="Size of one upload, all its files together.")
_WORKERS = typer.Option(min=1, help="Photographs worked on at once. [half the cores]")
_WAITING = typer.Option(min=0, help="Requests that may wait for a worker; the next is told to come again.")
_ARCHIVE = typer.Option(
    metavar="URI", help="Output of a batch whose chroma files /api/render makes into pictures."
)
_REFERENCES = typer.Option(
    "--references",
    metavar="FOLDER",
    help="Color photographs of which the page suggests the most alike as references.",
)
_OPEN = typer.Option("--open", help="Open the page in the browser.")

EXAMPLES = """
\b
Examples:
  tinct serve --references family-album --open
      suggests color photographs of family-album/ as references
  tinct serve --open
      colorize in the browser; nothing leaves this machine
  TINCT_TOKEN=$(openssl rand -hex 16) tinct serve --host 0.0.0.0
      for other machines, which need the token; put TLS in front of it
  curl -F photo=@scan.jpg http://127.0.0.1:8322/api/colorize -o color.jpg
      the REST interface; /docs describes it
"""
"""Examples for the help page and docs/cli.md."""


def register(app: typer.Typer) -> None:
    """Add the command `serve` to the application."""
    app.command("serve", epilog=EXAMPLES)(serve)


def serve(
    host: Annotated[str, _HOST] = "127.0.0.1",
    port: Annotated[int, _PORT] = DEFAULT_PORT,
    token: Annotated[str | None, _TOKEN] = None,
    max_pixels: Annotated[int | None, _MAX_PIXELS] = None,
    max_size: Annotated[int, _MAX_SIZE] = DEFAULT_MAX_SIZE,
    max_upload: Annotated[int, _MAX_UPLOAD] = 256,
    workers: Annotated[int | None, _WORKERS] = None,
    waiting: Annotated[int, _WAITING] = 64,
    archive: Annotated[str, _ARCHIVE] = "",
    references: Annotated[str, _REFERENCES] = "",
    open_page: Annotated[bool, _OPEN] = False,
) -> None:
    """Colorize in the browser, and answer REST requests; by default for this machine alone.

    Ctrl+C ends it: what is being worked on is finished, everything that was sent is removed.
    """
    from tinct.web.serving import serve as serve_studio
    from tinct.web.settings import MEBIBYTE, Settings

    if references:
        from tinct.cli.retrieving import folder_index

        announce(f"{len(folder_index(references))} photographs in {references}")
    given = {"max_pixels": max_pixels, "workers": workers}
    settings = Settings(
        host,
        port,
        token or None,
        max_size=max_size,
        max_upload=max_upload * MEBIBYTE,
        waiting=waiting,
        archive=archive,
        album=references,
        **{name: value for name, value in given.items() if value is not None},
    )

    def ready(address: str) -> None:
        announce(f"tinct answers on {address} (Ctrl+C ends it)")
        if open_page:
            import webbrowser

            webbrowser.open(address)

    serve_studio(settings, ready)
