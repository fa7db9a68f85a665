"""`tinct data`: photographs and labels made ready for training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the group of verbs to the application."""
    group = typer.Typer(help="Make photographs and labels ready for training.", no_args_is_help=True)
    group.command("pack")(pack)
    group.command("labels")(labels)
    app.add_typer(group, name="data")


def pack(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="Folder of photographs, or an index CSV.")],
    out: Annotated[Path, typer.Argument(metavar="POOL", help="Folder to write; one that is packed stays.")],
    side: Annotated[
        int, typer.Option(min=32, max=1024, help="Longer side of what is kept, in pixels.")
    ] = 224,
    workers: Annotated[int, typer.Option(min=1, help="Threads that decode.")] = 2,
) -> None:
    """Decode photographs once, into an array that training maps; drop the gray, the tinted and the unreadable.

    An index has the column path, and may have set, class (whose members may be each other's references) and weight
    (how often to draw, against 1). In a folder the name of each photograph's own folder is its class.

    tinct data pack index.csv runs/pool
    """
    from tinct.training.photographs import pack as run

    photographs = run(data, out, side, workers)
    with (out / "dropped.csv").open(encoding="utf-8") as stream:
        dropped = sum(1 for _ in stream) - 1
    held_out = int(photographs.held_out().sum())
    typer.echo(
        f"{len(photographs.entries)} photographs, {held_out} of them held out; {dropped} dropped: {out}/dropped.csv"
    )


def labels(
    pool: Annotated[Path, typer.Argument(metavar="POOL", help="What `tinct data pack` wrote.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write, .npz.")],
    scenes: Annotated[
        Path | None, typer.Option(metavar="CSV", help="path,scene1,... with cells index:probability.")
    ] = None,
    segments: Annotated[
        Path | None, typer.Option(metavar="NPZ", help="Arrays paths (N) and labels (N, 64, 64).")
    ] = None,
    classifier: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="ImageNet classifier that OpenVINO reads, uint8 224 pixels, 1001 classes."
        ),
    ] = None,
) -> None:
    """Gather soft labels for a pool, and find for each photograph the likest others, its references in training.

    What is not given is not trained on; relatives then go by class alone.

    tinct data labels runs/pool --scenes scenes.csv --segments segments.npz --out runs/labels.npz
    """
    from tinct.training.labels import collect
    from tinct.training.photographs import Photographs

    found = collect(Photographs.load(pool), scenes, segments, classifier)
    found.save(out)
    kinds = [name for name in ("scenes", "objects", "segments") if getattr(found, name) is not None]
    typer.echo(f"{', '.join([*kinds, 'relatives'])}: {out}")
