"""`tinct data`: preparation of photographs and labels for training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tinct.training.photographs import Photographs


def register(app: typer.Typer) -> None:
    """Add the commands `data ...` to the application."""
    group = typer.Typer(help="Make photographs and labels ready for training.", no_args_is_help=True)
    group.command("pack")(pack)
    group.command("labels")(labels)
    group.command("coco")(coco)
    group.command("references")(references)
    group.command("ranges")(ranges)
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
    seen: Annotated[
        bool,
        typer.Option(
            "--seen", help="Find relatives by what EfficientNet-Lite2 sees, without class or labels."
        ),
    ] = False,
) -> None:
    """Gather soft labels for a pool, and find for each photograph the likest others, its references in training.

    What is not given is not trained on; relatives go by class, then by labels, or with --seen by deep features alone.
    Labels go by the photographs' paths as the pool has them, from the folder or the index that was packed.

    tinct data labels runs/pool --scenes scenes.csv --segments segments.npz --out runs/labels.npz
    """
    from tinct.training.index import check_replaced
    from tinct.training.labels import collect
    from tinct.training.photographs import Photographs
    from tinct.training.torch_extra import check_torch

    check_replaced(out, b"PK")
    if seen:
        check_torch()
    photographs = Photographs.load(pool)
    found = collect(photographs, scenes, segments, classifier, _seen_relatives(photographs) if seen else None)
    found.save(out)
    counts = (f"{name.replace('related', 'relatives')} {count}" for name, count in found.labeled().items())
    typer.echo(f"{', '.join(counts)} of {len(photographs.entries)} photographs: {out}")


def _seen_relatives(photographs: Photographs) -> NDArray[np.int32]:
    """The relatives of photographs by what a pretrained network sees in them, under a progress bar."""
    from tinct.cli.evaluate import progress_bar
    from tinct.training.likeness import descriptions, likest

    with progress_bar() as bar:
        described = descriptions(photographs, lambda done, total: bar(done, total, "photographs"))
    return likest(described)


def coco(
    instances: Annotated[
        Path, typer.Argument(metavar="INSTANCES.json", help="COCO's object annotations, instances_....json.")
    ],
    images: Annotated[Path, typer.Argument(metavar="IMAGES", help="Folder of the photographs.")],
    more: Annotated[
        list[str] | None, typer.Argument(metavar="[CLASS]...", help="More classes, after --classes.")
    ] = None,
    classes: Annotated[
        list[str] | None,
        typer.Option("--classes", metavar="CLASS", help="Names as COCO has them; more may follow."),
    ] = None,
    share: Annotated[
        float, typer.Option(help="Least part of the photograph that its class must cover, 0..1.")
    ] = 0.0,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The index to write.")] = Path(
        "coco.csv"
    ),
) -> None:
    """Choose photographs of some of COCO's classes, and write an index of them: path, set, class, weight.

    A photograph with several of the classes is of the one that covers most of it.

    tinct data coco instances_train2017.json train2017 --classes giraffe zebra snowboard surfboard --out few.csv

    tinct data coco instances_val2017.json val2017 --classes "traffic light" --share 0.05
    """
    from tinct.errors import OptionError
    from tinct.training.coco import choose, read_instances, write_coco_index
    from tinct.training.index import check_replaced

    check_replaced(out, b"path,")
    names = [name.strip() for name in [*(classes or []), *(more or [])]]
    if not names:
        raise OptionError("no class is given; name one or more with --classes.")
    selection = choose(read_instances(instances), images, names, share)
    for name in selection.missing[:5]:
        typer.echo(f"not in {images}: {name}", err=True)
    write_coco_index(selection, out)
    counts = [
        f"{sum(label == name for _, label in selection.photographs)} {name}" for name in dict.fromkeys(names)
    ]
    passed = f"{selection.small} too small, {len(selection.missing)} not there"
    typer.echo(f"{len(selection.photographs)} photographs ({', '.join(counts)}; {passed}): {out}")


def references(
    index: Annotated[Path, typer.Argument(metavar="INDEX.csv", help="Index of color photographs.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="The index to write. [INDEX.references.csv beside it]"),
    ] = None,
    colors: Annotated[int, typer.Option(min=1, max=32, help="Colors in a palette.")] = 6,
    any_class: Annotated[
        bool, typer.Option("--any-class", help="Look among all photographs, not those of the class alone.")
    ] = False,
) -> None:
    """Find each photograph's reference: of its class, the photograph whose palette is nearest.

    The columns reference and distance (in Lab units) join the index; `tinct evaluate pairs` reads it.

    tinct data references few.csv --out pairs.csv
    """
    from tinct.cli.evaluate import progress_bar
    from tinct.training.index import check_replaced
    from tinct.training.reference_pairs import find_references, write_references

    target = out or index.with_name(f"{index.stem}.references.csv")
    check_replaced(target, b"path,", index)
    with progress_bar() as bar:
        found = find_references(index, colors, any_class=any_class, progress=bar)
    for path, why in found.without[:5]:
        typer.echo(f"no reference for {path}: {why}", err=True)
    write_references(found, index, target)
    typer.echo(f"{len(found.pairs)} pairs, {len(found.without)} without a reference: {target}")


def ranges(
    pool: Annotated[Path, typer.Argument(metavar="POOL", help="What `tinct data pack` wrote.")],
    weights: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder of weights [the one that TINCT_WEIGHTS names, or the user's own]."
        ),
    ] = None,
    count: Annotated[int, typer.Option(min=8, help="Photographs to measure on.")] = 512,
) -> None:
    """Measure what an exported network `tinct` sees, so that processors which multiply bytes run it in 8 bits.

    The manifest of the weights gets the largest input of each convolution; the files stay as they are.

    tinct data ranges runs/pool --weights weights/mine
    """
    from tinct.training.torch_extra import check_torch

    check_torch()
    from tinct.networks.tinct.training.ranges import measure
    from tinct.weights import weights_folder

    folder = weights or weights_folder()
    for name, measured in measure(folder, pool, count).items():
        typer.echo(f"{name}: {len(measured)} convolutions in {folder}")
