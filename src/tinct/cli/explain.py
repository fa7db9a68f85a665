"""`tinct explain`: what the thesis's network takes a photograph for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tinct.explaining.explanation import Explanation


def register(app: typer.Typer) -> None:
    """Add the command `explain` to the application."""
    app.command("explain")(explain)


def explain(
    photo: Annotated[
        Path, typer.Argument(help="Photograph, of which lightness alone is used.", metavar="PHOTO")
    ],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="FILE", help="Draw the segments over the photograph, as PNG."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Write over what is there already.")] = False,
) -> None:
    """Print what a network takes a photograph for: the five likeliest scenes, and the shares of segments.

    The network is that of Nguyen-Quynh et al. 2020, whose weights are in tinct[papers]; it names 365 places and 32
    kinds of things. The last line says how often it agrees with the networks that it learned from.

    tinct explain scan.jpg

    tinct explain scan.jpg --json -o scan.segments.png
    """
    from tinct.cli import print_note
    from tinct.decoder_messages import read_with_messages
    from tinct.errors import OutputError
    from tinct.explaining import explanation
    from tinct.explaining.drawing import drawn
    from tinct.files import write_whole
    from tinct.photo.writing import check_target

    if output:
        if output.suffix.lower() != ".png":
            raise OutputError(f"{output} is not called .png; the segments are drawn as PNG: name it so.")
        check_target(output, source=photo, overwrite=overwrite)
    read = read_with_messages(photo)
    for note in read.notes:
        print_note(f"{photo}: {note}")
    found, agreed = explanation.explain(read), explanation.agreement()
    if output:
        try:
            write_whole(output, drawn(read, found))
        except OSError as error:
            raise OutputError(f"{output} cannot be written ({error.strerror}); write elsewhere.") from None
    typer.echo(_as_json(found, agreed) if as_json else _as_text(found, agreed))


def _as_json(found: Explanation, agreed: Mapping[str, float]) -> str:
    import json

    from tinct.explaining.explanation import NETWORK

    return json.dumps(
        {
            "network": NETWORK,
            "scenes": [{"name": name, "probability": round(share, 4)} for name, share in found.scenes],
            "segments": [{"name": name, "share": round(share, 4)} for name, share in found.segments],
            "agreement": dict(agreed),
        },
        indent=1,
    )


def _as_text(found: Explanation, agreed: Mapping[str, float]) -> str:
    from tinct.explaining.explanation import NETWORK

    scenes = [f"{share:5.2f}  {name}" for name, share in found.scenes]
    segments = [f"{share:5.0%}  {name}" for name, share in found.segments if share >= 0.005]
    known = {"scene_top5", "scene_top1", "scene_commonest", "segments", "commonest"} <= agreed.keys()
    stated = (
        f"On photographs that {NETWORK} was not trained on, the scene that its labeler finds likeliest is among the "
        f"five in {agreed['scene_top5']:.0%} and the first in {agreed['scene_top1']:.0%} (the five commonest scenes "
        f"would have {agreed['scene_commonest']:.0%}); its segments are the labeler's at {agreed['segments']:.0%} of "
        f"the places (the commonest class would have {agreed['commonest']:.0%})."
        if known
        else f"How far {NETWORK} agrees with its labelers is not stated in its manifest."
    )
    return "\n".join(["scenes, by probability:", *scenes, "segments, by share:", *segments, stated])
