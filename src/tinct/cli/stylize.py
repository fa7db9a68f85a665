"""`tinct stylize`: a color photograph takes on another's look."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tinct.photo import Photo


def register(app: typer.Typer) -> None:
    """Add the command `stylize` to the application."""
    app.command("stylize")(stylize)


def stylize(
    photo: Annotated[Path, typer.Argument(help="Color photograph.", metavar="PHOTO")],
    reference: Annotated[
        Path, typer.Option("-r", "--reference", metavar="STYLE", help="Photograph whose look to take.")
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="Where to write [NAME.stylized.png beside PHOTO]."
        ),
    ] = None,
    segment: Annotated[
        tuple[Path, Path] | None,
        typer.Option(
            metavar="PHOTO_MAP STYLE_MAP",
            help="Label maps, pictures of few flat colors: what has one color in both is matched with each other.",
        ),
    ] = None,
    wct: Annotated[
        bool, typer.Option("--wct", help="Match covariances in place of means and deviations (AdaIN).")
    ] = False,
    cascade: Annotated[
        bool,
        typer.Option("--cascade", help="Match one level after the other, the deepest first (PhotoWCT)."),
    ] = False,
    smoothing: Annotated[
        str,
        typer.Option(
            metavar="none|photowct",
            help="photowct smooths the network's picture along the photograph's colors, which takes seconds.",
        ),
    ] = "none",
    alpha: Annotated[float, typer.Option(metavar="0..1", help="How far to go.")] = 1.0,
    size: Annotated[
        int, typer.Option(metavar="N", help="Longer side in pixels at which the network works.")
    ] = 512,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Write over what is there already.")] = False,
) -> None:
    """Give a color photograph the look of another: its colors, light and mood. Content, size and metadata stay.

    All pages of a TIFF go into a TIFF; any other result has the first.

    Runs the transfer sub-net of Xu et al. 2020, whose weights are in tinct[papers].

    tinct stylize street.jpg -r dusk.jpg

    tinct stylize street.jpg -r dusk.jpg --segment street.map.png dusk.map.png --wct -o street.dusk.jpg

    tinct stylize street.jpg -r dusk.jpg --wct --cascade --smoothing photowct
    """
    from tinct.cli import print_note
    from tinct.cli.tiff_pages import takes_all_pages, write_all_pages
    from tinct.decoder_messages import read_with_messages
    from tinct.photo.writing import check_target
    from tinct.stylizing.stylization import stylize as styled

    output = output or photo.with_name(f"{photo.stem}.stylized.png")
    check_target(output, source=photo, overwrite=overwrite)

    def work(page: Photo) -> Photo:
        made: Photo = styled(
            page,
            style,
            segment,
            match="wct" if wct else "adain",
            cascade=cascade,
            smoothing=smoothing,
            alpha=alpha,
            size=size,
        )
        return made

    all_pages = takes_all_pages(str(photo), str(output))
    first = read_with_messages(photo, page=1 if all_pages else None)
    style = read_with_messages(reference)
    if all_pages and first.pages > 1:
        notes = [*first.notes, *write_all_pages(work, first, photo, output, overwrite)]
    else:
        result = work(first)
        result.write(output, overwrite=overwrite)
        notes = [*first.notes, *result.notes]
    for name, said in ((photo, notes), (reference, style.notes)):
        for note in dict.fromkeys(said):
            print_note(f"{name}: {note}")
    typer.echo(str(output))
