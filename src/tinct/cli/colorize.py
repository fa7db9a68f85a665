"""`tinct colorize`: photographs in, photographs in color out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinct.cli.process import drop_output, echo, is_closed, termination_interrupts
from tinct.errors import OptionError, OutputError, PhotoError, TinctError
from tinct.options import Options

if TYPE_CHECKING:
    from tinct.colorizing.colorizer import Colorizer
    from tinct.hints import HintLike
    from tinct.methods import Method
    from tinct.photo import Photo

STANDARD_STREAM = "-"

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
  tinct colorize - -r album.jpg < scan.jpg > color.jpg
  tinct colorize --project coat.tinct.json
      does again what was saved in the studio, byte for byte
  tinct colorize --project coat.tinct.json --carry result album/*.jpg --out-dir colored
      a whole album alike: the same coat, the same navy
"""

_PHOTOS = typer.Argument(help="Photographs to colorize; - reads one from standard input.", metavar="PHOTO")
_REFERENCE = typer.Option(
    "-r", "--reference", metavar="FILE", help="Color photograph to take colors from; repeat for more."
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
_STRENGTH = typer.Option(
    "--strength", metavar="0..2", help="Saturation: 0 is gray, 1 as predicted, 2 twice that."
)
_VIVIDNESS = typer.Option(
    "--vividness", metavar="0..2", help="0 is the safe mean, 1 likely colors, 2 daring ones."
)
_TRUST = typer.Option(
    "--trust", metavar="0..3", help="How far to follow references that fit only loosely; 0 doubts them."
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
_SEED = typer.Option("--seed", metavar="N", help="What random choices start from.")


def register(app: typer.Typer) -> None:
    """Add the verb to the application."""
    app.command("colorize", epilog=EXAMPLES)(colorize)


def colorize(
    photos: Annotated[list[str] | None, _PHOTOS] = None,
    reference: Annotated[list[str] | None, _REFERENCE] = None,
    hint: Annotated[list[str] | None, _HINT] = None,
    hints: Annotated[str | None, _HINTS] = None,
    method: Annotated[str | None, _METHOD] = None,
    size: Annotated[int | None, _SIZE] = None,
    strength: Annotated[float, _STRENGTH] = 1.0,
    vividness: Annotated[float, _VIVIDNESS] = 1.0,
    trust: Annotated[float, _TRUST] = 1.0,
    chroma_only: Annotated[bool, _CHROMA_ONLY] = False,
    seed: Annotated[int, _SEED] = 0,
    project: Annotated[str | None, _PROJECT] = None,
    carry: Annotated[str | None, _CARRY] = None,
    output: Annotated[str | None, _OUTPUT] = None,
    out_dir: Annotated[Path | None, _OUT_DIR] = None,
    overwrite: Annotated[bool, _OVERWRITE] = False,
) -> int:
    """Colorize photographs from references, from hints, or from both.

    The result has the photograph's own lightness, resolution and metadata. It is written beside it as
    NAME.color.png, and never over anything unless you say --overwrite.
    """
    photos = photos or []
    if project is not None:
        from tinct.cli.replaying import read_album

        own = {
            "-r": reference,
            "--hint": hint,
            "--hints": hints,
            "-m": method,
            "--size": size,
            "--seed": seed,
        }
        looks = {
            "--strength": strength != 1,
            "--vividness": vividness != 1,
            "--trust": trust != 1,
            "--chroma-only": chroma_only,
        }
        photos, set_up = read_album(project, carry, photos, own | looks)
    elif carry is not None:
        raise OptionError("--carry is given, but there is no --project whose hints could be carried.")
    else:
        options = Options(method, size, strength, vividness, chroma_only, seed, trust)
        set_up = _set_up(options, reference, hint or [], hints)
    if not photos:
        raise OptionError("no PHOTO is named; name at least one, or - for standard input.")
    targets = _targets(photos, output, out_dir)
    if out_dir is not None:
        _make_folder(out_dir)
    return _each(photos, targets, lambda photo, target: _colorize_one(set_up, photo, target, overwrite))


def _set_up(
    options: Options, reference: list[str] | None, points: list[str], file: str | None
) -> Callable[[Photo], Colorizer]:
    """How each photograph is prepared: the references are read once, the hints for each size."""
    from tinct.colorizing.colorizer import Colorizer
    from tinct.hints import Swatch
    from tinct.methods.selection import choose_method

    # what is malformed or missing is so for every photograph: say it once, before any work
    strokes = _reread(file)
    swatches = [isinstance(each, Swatch) for each in _hints(points, strokes, (1, 1))]
    _prepare(choose_method(options.method, bool(reference), not all(swatches), any(swatches)))
    colorizer = Colorizer(**asdict(options))
    colorizer.set_references(reference)

    def set_up(photo: Photo) -> Colorizer:
        colorizer.set_photo(photo)
        for hint in _hints(points, strokes, (photo.width, photo.height)):
            colorizer.add_hint(hint)
        return colorizer

    return set_up


def _colorize_one(set_up: Callable[[Photo], Colorizer], source: str, target: str, overwrite: bool) -> None:
    from tinct.photo.writing import check_target

    if target != STANDARD_STREAM:
        check_target(
            Path(target), source=None if source == STANDARD_STREAM else Path(source), overwrite=overwrite
        )
    photo = _read(source)
    result = set_up(photo).render()
    if target == STANDARD_STREAM:
        _send(result.encode())
        return
    result.write(Path(target), overwrite=overwrite)


def _each(photos: Sequence[str], targets: Sequence[str], work: Callable[[str, str], None]) -> int:
    """Do all of them; one that fails is a line on stderr and makes the exit code, and the rest go on."""
    from tinct.cli import complain, told

    code, unprinted = 0, None
    with _progress(len(photos)) as advance, termination_interrupts():
        for photo, target in zip(photos, targets, strict=True):
            try:
                work(photo, target)
            except Exception as error:
                code = complain(_named(photo, told(error)))
            else:
                unprinted = unprinted or (echo(target) if target != STANDARD_STREAM else None)
            advance()
    if unprinted is None or isinstance(unprinted, BrokenPipeError):
        return code
    return complain(f"names of results could not be printed ({unprinted.strerror}); the results are written.")


@contextmanager
def _progress(count: int) -> Iterator[Callable[[], None]]:
    """A progress bar on stderr for more than one photograph, where somebody looks."""
    if count < 2 or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("colorizing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("colorizing", total=count)
        yield lambda: progress.advance(task)


def _targets(photos: Sequence[str], output: str | None, out_dir: Path | None) -> list[str]:
    """Where each result goes.

    Raises:
        OptionError: if two results would go to one place.
    """
    if output is not None and out_dir is not None:
        raise OptionError(
            "both -o and --out-dir are given; -o names one file, --out-dir a folder: choose one."
        )
    if output is not None and len(photos) > 1:
        raise OptionError(f"-o names one file but there are {len(photos)} photographs; use --out-dir DIR.")
    targets = [output or _target(photo, out_dir) for photo in photos]
    if STANDARD_STREAM in photos and len(photos) > 1:
        raise OptionError("standard input is one of several photographs; colorize it by itself.")
    if STANDARD_STREAM in targets and is_closed("stdout"):
        raise OutputError("standard output is closed; send it somewhere, or give -o FILE.")
    if STANDARD_STREAM in targets and sys.stdout.isatty():
        raise OutputError("the result would go to the terminal; redirect it, or give -o FILE.")
    by_target: dict[str, str] = {}
    for photo, target in zip(photos, targets, strict=True):
        if target in by_target:
            raise OptionError(
                f"{by_target[target]} and {photo} would both become {target}; colorize them separately."
            )
        by_target[target] = photo
    return targets


def _target(photo: str, out_dir: Path | None) -> str:
    from tinct.photo import default_output

    if photo == STANDARD_STREAM and out_dir is None:
        return STANDARD_STREAM
    return str(default_output("stdin" if photo == STANDARD_STREAM else photo, out_dir))


def _make_folder(place: Path) -> None:
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{place} cannot be made ({error.strerror}); name a folder to write to.") from None


def _read(source: str) -> Photo:
    """Read a photograph; what was decided about it, and what decoders complain of, is a line each on stderr."""
    from tinct.cli import note
    from tinct.complaints import read_heard

    photo = read_heard(_StandardInput() if source == STANDARD_STREAM else source)
    for each in photo.notes:
        note(f"{_name(source)}: {each}")
    return photo


class _StandardInput(BytesIO):
    """Standard input as a stream with a name that people know."""

    name = "standard input"

    def __init__(self) -> None:
        if is_closed("stdin"):
            raise PhotoError("standard input is closed; name a file, or send one.")
        super().__init__(sys.stdin.buffer.read())


def _send(result: bytes) -> None:
    try:
        sys.stdout.buffer.write(result)
        sys.stdout.buffer.flush()
    except OSError as error:
        drop_output(sys.stdout)
        raise OutputError(
            f"the result could not be written to standard output ({error.strerror}); send it elsewhere."
        ) from None


def _prepare(method: Method) -> None:
    """Let a method that loads something begin while the first photograph is read; what fails is said when used."""
    from threading import Thread

    prepare = getattr(method, "prepare", None)
    if prepare is None:
        return

    def quietly() -> None:
        with suppress(TinctError):
            prepare()

    Thread(target=quietly).start()  # the process waits for it at its end (`tinct.cli.process.ended`)


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


def _named(photo: str, message: str) -> str:
    name = _name(photo)
    return message if name in message else f"{name}: {message}"


def _name(photo: str) -> str:
    return "standard input" if photo == STANDARD_STREAM else photo
