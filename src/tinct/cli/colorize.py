"""`tinct colorize`: photographs to colorize, and where their results go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinct.cli.flags import named_flags, refuse_without_folder
from tinct.cli.standard_streams import StandardInput, check_standard_output, names_from, send
from tinct.errors import OptionError
from tinct.options import Options
from tinct.streams import STANDARD_STREAM

if TYPE_CHECKING:
    from tinct.cli.retrieving import Retrieving
    from tinct.colorizing.batch import Item, OutputRules
    from tinct.colorizing.colorizer import Colorizer
    from tinct.hints import HintLike
    from tinct.methods import Method
    from tinct.photo import Photo

PROJECT_PARAMETERS = (
    "reference",
    "reference_from",
    "references",
    "reference_cells",
    "hint",
    "hints",
    *(each.name for each in fields(Options)),
)
"""Parameters of the command that a project states itself."""

EXAMPLES = """
\b
Examples:
  tinct colorize scan.jpg -r album.jpg
      takes the colors of album.jpg and writes scan.color.png
  tinct colorize scan.tif --hint 420,310=#8c5a3c --hint 50%,10%=#a8c8e8
      spreads two colors from their points
  tinct colorize scan.jpg -r album.jpg --hints strokes.png -m gupta
      a reference, corrected by strokes painted on a transparent picture
  tinct colorize album/*.tif -r summer.jpg --out-dir colored
      many photographs; one that cannot be read does not stop the rest
  tinct colorize scans --recursive --out-dir colored --keep-tree --format same --skip-existing
      a tree of folders; the same line again goes on where it was stopped
  tinct colorize scan.jpg --reference-from album
      takes the colors of the photograph in album/ that is most like it, and says which
  tinct colorize - -r album.jpg < scan.jpg > color.jpg
  tinct colorize --project coat.tinct.json
      does again what was saved in the studio, byte for byte
  tinct colorize --project coat.tinct.json --carry result album/*.jpg --out-dir colored
      a whole album alike: the same coat, the same navy
"""
"""Examples for the help page and docs/cli.md."""

_PHOTOS = typer.Argument(
    help="Photographs to colorize, or folders of them; - reads one from standard input.", metavar="PHOTO"
)
_REFERENCE = typer.Option(
    "-r", "--reference", metavar="FILE", help="Color photograph to take colors from; repeat for more."
)
_REFERENCE_FROM = typer.Option(
    "--reference-from",
    metavar="FOLDER",
    help="Folder of color photographs; the one most like the photograph is its reference.",
)
_REFERENCES = typer.Option(
    "--references", metavar="N", help="How many of that folder's photographs to take colors from, 1 to 8."
)
_REFERENCE_CELLS = typer.Option(
    "--reference-cells",
    help="Compare that folder's most alike photographs place by place and by lightness as well.",
)
_HINT = typer.Option(
    "--hint", metavar="X,Y=#RRGGBB", help="A colored point, in pixels or percent; repeat for more."
)
_HINTS = typer.Option("--hints", metavar="FILE", help="Strokes on a transparent PNG, or JSON of hints.")
_METHOD = typer.Option(
    "-m", "--method", metavar="NAME", help="A name that `tinct methods` lists [the best for what is given]."
)
_SIZE = typer.Option(
    "--size", metavar="N", help="Longer side in pixels at which colors are found [the method's own]."
)
_OUTPUT = typer.Option("-o", "--output", metavar="FILE", help="Where to write; - is standard output.")
_OUT_DIR = typer.Option("--out-dir", metavar="DIR", help="Folder for the results [beside the photograph].")
_OVERWRITE = typer.Option("--overwrite", help="Write over what is there already, even the photograph itself.")
_FORMAT = typer.Option(
    "--format",
    metavar="FORMAT",
    help="Of the results: same (as the photograph's name says), png, tif, jpg or webp [png].",
)
_SKIP = typer.Option("--skip-existing", help="Pass over photographs whose result is there already.")
_KEEP_TREE = typer.Option("--keep-tree", help="Make the photographs' own folders again below --out-dir.")
_RECURSIVE = typer.Option("--recursive", help="Look into the folders of a folder as well.")
_FILES_FROM = typer.Option(
    "--files-from", metavar="FILE", help="A list of more photographs, one a line; - is standard input."
)
_QUIET = typer.Option("--quiet", "-q", help="Say nothing but errors.")
_JSON = typer.Option("--json", help="Print a line of JSON a photograph in place of the results' names.")
_STRENGTH = typer.Option(
    "--strength", metavar="0..2", help="Saturation: 0 is gray, 1 as predicted, 2 twice that."
)
_VIVIDNESS = typer.Option(
    "--vividness", metavar="0..2", help="0 is the safe mean, 1 likely colors, 2 daring ones."
)
_TRUST = typer.Option(
    "--trust",
    metavar="0..3",
    help="How far to follow references that fit only loosely: 0 doubts them most, 2 not at all, 3 follows them far.",
)
_CHROMA_ONLY = typer.Option("--chroma-only", help="Write the color layer alone, at one lightness.")
_PROJECT = typer.Option(
    "--project",
    metavar="FILE",
    help="Do again what a project saved in the studio says; without PHOTO, its own photograph beside it.",
)
_CARRY = typer.Option(
    "--carry",
    metavar="WHAT",
    help="What of a project's hints other photographs get: nothing, places (the same relative ones), or result "
    "(the project's own result is one more reference) [nothing].",
)
_PAGE = typer.Option(
    "--page",
    metavar="N",
    help="Page of a TIFF, from 1, and the one a --project belongs to [the first; all where the result is a TIFF].",
)
_SEED = typer.Option("--seed", metavar="N", help="What random choices start from.")


def register(app: typer.Typer) -> None:
    """Add the command `colorize` to the application."""
    app.command("colorize", epilog=EXAMPLES)(colorize)


def colorize(
    context: typer.Context,
    photos: Annotated[list[str] | None, _PHOTOS] = None,
    reference: Annotated[list[str] | None, _REFERENCE] = None,
    reference_from: Annotated[str | None, _REFERENCE_FROM] = None,
    references: Annotated[int, _REFERENCES] = 1,
    reference_cells: Annotated[bool, _REFERENCE_CELLS] = False,
    hint: Annotated[list[str] | None, _HINT] = None,
    hints: Annotated[str | None, _HINTS] = None,
    method: Annotated[str | None, _METHOD] = None,
    size: Annotated[int | None, _SIZE] = None,
    strength: Annotated[float, _STRENGTH] = 1.0,
    vividness: Annotated[float, _VIVIDNESS] = 1.0,
    trust: Annotated[float, _TRUST] = 1.0,
    chroma_only: Annotated[bool, _CHROMA_ONLY] = False,
    seed: Annotated[int, _SEED] = 0,
    page: Annotated[int | None, _PAGE] = None,
    project: Annotated[str | None, _PROJECT] = None,
    carry: Annotated[str | None, _CARRY] = None,
    output: Annotated[str | None, _OUTPUT] = None,
    out_dir: Annotated[Path | None, _OUT_DIR] = None,
    format: Annotated[str | None, _FORMAT] = None,
    keep_tree: Annotated[bool, _KEEP_TREE] = False,
    skip_existing: Annotated[bool, _SKIP] = False,
    overwrite: Annotated[bool, _OVERWRITE] = False,
    recursive: Annotated[bool, _RECURSIVE] = False,
    files_from: Annotated[str | None, _FILES_FROM] = None,
    quiet: Annotated[bool, _QUIET] = False,
    as_json: Annotated[bool, _JSON] = False,
) -> int:
    """Colorize photographs from references, from hints, or from both.

    The result has the photograph's own lightness, resolution and metadata. It is written beside it as
    NAME.color.png, and never over anything unless you say --overwrite. Among several photographs, results of
    tinct are passed over.
    """
    from tinct.cli.photo_batch import Verbosity, process_all
    from tinct.colorizing.batch import OutputRules

    retrieving = None
    photos = [*(photos or ()), *(names_from(files_from) if files_from is not None else ())]
    if project is not None:
        from tinct.cli.project_replay import read_album

        photos, set_up = read_album(project, carry, page, photos, named_flags(context, PROJECT_PARAMETERS))
    elif carry is not None:
        raise OptionError("--carry is given, but there is no --project whose hints could be carried.")
    else:
        options = Options(
            method=method,
            size=size,
            strength=strength,
            vividness=vividness,
            chroma_only=chroma_only,
            seed=seed,
            trust=trust,
        )
        retrieving = _retrieving(context, reference_from, references, reference_cells)
        set_up = _set_up(options, reference, hint or [], hints, retrieving)
    items, rules = _planned(
        photos, output, OutputRules(out_dir, keep_tree, format, overwrite, skip_existing), recursive
    )
    if as_json and any(item.target == STANDARD_STREAM for item in items):
        raise OptionError("--json and a result both go to standard output; give -o FILE.")
    return process_all(
        items,
        rules,
        lambda item: _colorize_one(set_up, item, rules, page, retrieving),
        Verbosity(quiet, as_json),
    )


def _retrieving(context: typer.Context, folder: str | None, count: int, cells: bool) -> Retrieving | None:
    """The retrieval of references for each photograph, if a folder is named.

    Raises:
        OptionError: if there is no such folder, or a count is given without one.
    """
    from tinct.cli.retrieving import Retrieving
    from tinct.retrieval.collection import Folder

    if folder is None:
        refuse_without_folder(context, ["references", "reference_cells"])
        return None
    if not folder:
        raise OptionError("--reference-from is empty; name a folder of color photographs.")
    Folder(folder)
    return Retrieving(folder, count, cells=cells)


def _set_up(
    options: Options,
    reference: list[str] | None,
    points: list[str],
    file: str | None,
    retrieving: Retrieving | None,
) -> Callable[[Photo], Colorizer]:
    """A function that gives a photograph's colorizer: references are read once, hints for each size."""
    from tinct.colorizing.colorizer import Colorizer
    from tinct.hints import Swatch
    from tinct.methods.selection import choose_method

    # what is malformed or missing is so for every photograph: say it once, before any work
    strokes = _reread(file)
    swatches = [isinstance(each, Swatch) for each in _hints(points, strokes, (1, 1))]
    has_reference = bool(reference) or retrieving is not None
    method = choose_method(options.method, has_reference, not all(swatches), any(swatches))
    _prepare(method, helped=has_reference or bool(swatches))
    colorizer = Colorizer()
    colorizer.options = options
    colorizer.set_references(reference)
    named = list(colorizer.references)

    def set_up(photo: Photo) -> Colorizer:
        colorizer.set_photo(photo)
        if retrieving is not None:
            colorizer.set_references([*named, *retrieving.references(photo)])
        for hint in _hints(points, strokes, (photo.width, photo.height)):
            colorizer.add_hint(hint)
        return colorizer

    return set_up


def _colorize_one(
    set_up: Callable[[Photo], Colorizer],
    item: Item,
    rules: OutputRules,
    page: int | None,
    retrieving: Retrieving | None = None,
) -> None:
    """Colorize one photograph and write its result; its item gets the notes and the retrieved references."""
    from tinct.cli.tiff_pages import takes_all_pages, write_all_pages
    from tinct.colorizing.batch import SAME
    from tinct.decoder_messages import read_with_messages

    _check_target(item, rules)
    all_pages = page is None and takes_all_pages(item.photo, item.target)
    content = StandardInput() if item.photo == STANDARD_STREAM else item.photo
    photo = read_with_messages(content, page=1 if all_pages else page)
    item.notes += photo.notes
    if all_pages and photo.pages > 1:
        notes = write_all_pages(
            lambda each: set_up(each).render(last=True), photo, content, Path(item.target), rules.overwrite
        )
    else:
        result = set_up(photo).render(last=True)
        if item.target == STANDARD_STREAM:
            send(result.encode(None if rules.format in (None, SAME) else rules.format))
        else:
            result.write(Path(item.target), overwrite=rules.overwrite)
        notes = list(result.notes)
    if retrieving is not None:
        item.references = [(each.name, each.likeness) for each in retrieving.found]
        notes += retrieving.notes()
    item.notes += [each for each in notes if each not in item.notes]


def _check_target(item: Item, rules: OutputRules) -> None:
    """Refuse a target that cannot be written to, before the photograph is read; its folder is made.

    Raises:
        OutputError: if the target cannot be written to, or is there already.
    """
    from tinct.colorizing.batch import make_folder
    from tinct.photo.writing import check_target

    if item.target == STANDARD_STREAM:
        return
    if rules.out_dir is not None:
        make_folder(item.target)
    source = None if item.photo == STANDARD_STREAM else Path(item.photo)
    check_target(Path(item.target), source=source, overwrite=rules.overwrite)


def _planned(
    photos: Sequence[str], output: str | None, rules: OutputRules, recursive: bool
) -> tuple[list[Item], OutputRules]:
    """The items of the named photographs, and the rules for their results.

    Raises:
        OptionError: if options contradict each other, or nothing is named.
        OutputError: if standard output cannot take a result.
    """
    from tinct.colorizing.batch import Item, plan

    if not photos:
        raise OptionError("no PHOTO is named; name at least one, or - for standard input.")
    if output is None:
        items = plan(photos, rules, recursive=recursive)
    elif rules.out_dir is not None:
        raise OptionError(
            "both -o and --out-dir are given; -o names one file, --out-dir a folder: choose one."
        )
    elif len(photos) > 1:
        raise OptionError(f"-o names one file but there are {len(photos)} photographs; use --out-dir DIR.")
    elif rules.format is not None and output != STANDARD_STREAM:
        raise OptionError("both -o and --format are given; the name after -o says the format.")
    else:
        items = [Item(photos[0], output)]
    if any(item.target == STANDARD_STREAM for item in items):
        check_standard_output()
    return items, rules


PREPARING = "preparing"
"""Name of the thread that loads a method's networks."""


def _prepare(method: Method, *, helped: bool) -> None:
    """Let a method that loads something begin while the first photograph is read; what fails is said when used.

    Args:
        helped: whether there are hints or references.
    """
    from threading import Thread

    if not method.weights:
        return

    def quietly() -> None:
        with suppress(Exception):
            method.prepare(helped=helped)

    Thread(
        target=quietly, name=PREPARING
    ).start()  # the process waits for it at its end (`tinct.cli.process.ended`)


def _hints(points: Sequence[str], file: str | bytes | None, size: tuple[int, int]) -> list[HintLike]:
    """All hints for a photograph of this size: the file's first, so that single points win over them."""
    from tinct.hints import parse_hint, read_hints

    return [*(read_hints(file, size) if file else ()), *(parse_hint(text, size) for text in points)]


def _reread(file: str | None) -> str | bytes | None:
    """A file of hints as it can be read for each photograph: its path, or what came through a pipe, which ends once.

    Raises:
        HintError: if the pipe does not end.
    """
    if file is None or not Path(file).is_fifo():
        return file
    from tinct.hints.files import contents

    return contents(file)
