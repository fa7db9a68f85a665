"""`tinct batch`, `tinct watch` and `tinct render`: archives, watched folders, and pictures from chroma files."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinct.errors import ExistsError, OptionError, OutputError, StorageError, one_line, shown
from tinct.options import Options

if TYPE_CHECKING:
    from tinct.archive.batch import Outcome
    from tinct.archive.entry import Entry
    from tinct.archive.row import Row
    from tinct.archive.worker import Job


EXAMPLES = """
\b
Examples:
  tinct batch plan scans -o scans.parquet
      a manifest of all photographs of a folder
  tinct batch start scans.parquet --out colored --jobs 2
      colorizes them; start it again after anything that stopped it
  tinct batch start s3://archive/scans.parquet --out s3://archive/colored --shard 3/100
      the fourth of a hundred machines
  tinct batch plan scans -o scans.parquet --reference-from album --group
      references from album/ where one is alike enough; alike photographs agree in color
  tinct batch run scans.parquet --out colored --on ray
  tinct batch report colored --out report.html
  tinct batch verify colored
"""
"""Examples for the help page and docs/cli.md."""

_MANIFEST = typer.Argument(help="Manifest: .parquet, .csv or .jsonl, a path or a URI.", metavar="MANIFEST")
_OUT = typer.Option("--out", metavar="URI", help="Folder or URI for results and ledger.")
_FORMAT = typer.Option("--format", metavar="NAME", help="Format of the results: png, jpg, tif, webp or same.")
_STORE = typer.Option(
    "--store",
    metavar="WHAT",
    help="picture, or chroma: a small file from which `tinct render` makes the picture.",
)
_JOBS = typer.Option("--jobs", metavar="K", help="Processes that share this machine's cores.", min=1)
_SHARD = typer.Option("--shard", metavar="I/N", help="Only shard I (from 0) of N: for arrays of machines.")
_AGAIN = typer.Option("--again", help="Colorize photographs that tinct has colorized already, too.")
_RETRY = typer.Option("--retry-refused", help="Try photographs again that were refused.")
_LABEL = typer.Option(
    "--label", metavar="TEXT", help="A visible strip below each picture, for access copies."
)
_C2PA = typer.Option(
    "--c2pa", metavar="CERT KEY", help="Sign each picture (C2PA) with a certificate and its key, PEM files."
)
_IIIF = typer.Option("--iiif", metavar="DIR", help="Folder for a IIIF manifest for each photograph.")
_QUIET = typer.Option("--quiet", help="Print no line for each photograph.")
_JSON = typer.Option("--json", help="Print a JSON object for each photograph.")
_REFERENCE = typer.Option("-r", "--reference", metavar="URI", help="Reference for all; repeat for more.")
_REFERENCE_FROM = typer.Option(
    "--reference-from",
    metavar="FOLDER",
    help="Folder or URI of color photographs; the one most like each photograph is its reference.",
)
_REFERENCES = typer.Option(
    "--references", metavar="N", help="How many of those to take colors from.", min=1, max=8
)
_METHOD = typer.Option("-m", "--method", metavar="NAME", help="A name that `tinct methods` lists.")
_OPTION = typer.Option(
    "--option", metavar="NAME=VALUE", help="An option of `tinct colorize` for all, such as vividness=0.8."
)


def register(app: typer.Typer) -> None:
    """Add the commands `batch`, `watch` and `render` to the application."""
    batch = typer.Typer(
        help="Colorize archives: manifest in, results and ledger out.", no_args_is_help=True, epilog=EXAMPLES
    )
    batch.command("plan")(plan)
    batch.command("start")(start)
    batch.command("run")(run)
    batch.command("report")(report)
    batch.command("verify")(verify)
    app.add_typer(batch, name="batch")
    app.command("watch")(watch)
    app.command("render")(render)


def plan(
    context: typer.Context,
    source: Annotated[
        str, typer.Argument(help="Folder, pattern or URI prefix of photographs.", metavar="SOURCE")
    ],
    output: Annotated[str, typer.Option("-o", "--output", metavar="FILE", help="Manifest to write.")],
    reference: Annotated[list[str] | None, _REFERENCE] = None,
    hints: Annotated[str, typer.Option("--hints", metavar="URI", help="Hints for all.")] = "",
    project: Annotated[str, typer.Option("--project", metavar="FILE", help="Project for all.")] = "",
    carry: Annotated[
        str,
        typer.Option(
            "--carry",
            metavar="WHAT",
            help="What of the project's hints all photographs get: places, or result, which makes the project's own "
            "result a reference.",
        ),
    ] = "",
    reference_from: Annotated[str | None, _REFERENCE_FROM] = None,
    references: Annotated[int, _REFERENCES] = 1,
    group: Annotated[
        bool,
        typer.Option(
            "--group", help="Group alike photographs; each group is colored after its surest member."
        ),
    ] = False,
    group_likeness: Annotated[
        float,
        typer.Option(
            "--group-likeness", metavar="0..1", help="How alike photographs of a group are.", min=0.0, max=1.0
        ),
    ] = 0.75,
    method: Annotated[str | None, _METHOD] = None,
    option: Annotated[list[str] | None, _OPTION] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Write over what is there already.")] = False,
) -> int:
    """Make a manifest: one row for each photograph of a folder, a pattern or a URI prefix."""
    from tinct.archive import manifest
    from tinct.cli.colorize import refuse_without_folder

    if project and (reference or reference_from or hints or option or method or group):
        raise OptionError("a project says references, hints and options itself; give --project alone.")
    if carry and not project:
        raise OptionError("--carry is given, but there is no --project whose hints could be carried.")
    options = _options(option, method)
    with_references = bool(reference or reference_from or group)
    if with_references:
        from tinct.methods.selection import choose_method

        choose_method(options.get("method"), True, True)
    _check_method(options, with_references, bool(hints))
    if reference_from is None:
        refuse_without_folder(context, ["references"])
    _check_manifest(output, overwrite)
    _check_inputs(project, carry, hints, reference or ())
    rows = manifest.plan(
        source, references=reference or (), hints=hints, project=project, carry=carry, options=options
    )
    rows = _retrieved(rows, reference_from, references)
    if group:
        from tinct.archive.alike import with_groups

        rows = with_groups(rows, least=group_likeness)
    manifest.write_manifest(rows, output)
    typer.echo(f"{output}: {_counted(rows)}")
    return 0


def start(
    context: typer.Context,
    manifest: Annotated[str, _MANIFEST],
    out: Annotated[str, _OUT],
    shard: Annotated[str, _SHARD] = "0/1",
    jobs: Annotated[int, _JOBS] = 1,
    format: Annotated[str, _FORMAT] = "png",
    store: Annotated[str, _STORE] = "picture",
    again: Annotated[bool, _AGAIN] = False,
    retry_refused: Annotated[bool, _RETRY] = False,
    label: Annotated[str, _LABEL] = "",
    c2pa: Annotated[tuple[str, str] | None, _C2PA] = None,
    iiif: Annotated[Path | None, _IIIF] = None,
    reference_from: Annotated[str | None, _REFERENCE_FROM] = None,
    references: Annotated[int, _REFERENCES] = 1,
    method: Annotated[str | None, _METHOD] = None,
    option: Annotated[list[str] | None, _OPTION] = None,
    quiet: Annotated[bool, _QUIET] = False,
    as_json: Annotated[bool, _JSON] = False,
) -> int:
    """Colorize the photographs of a manifest; a run that was killed goes on where it was.

    Results have names made of the photograph's id. The ledger beside them has a row for each photograph.
    """
    from tinct.archive.batch import run_batch
    from tinct.archive.manifest import read_manifest
    from tinct.archive.row import with_leaders
    from tinct.cli.colorize import refuse_without_folder

    job = _job(out, format, store, again, label, c2pa, _options(option, method))
    tell, part = _teller(quiet, as_json), _shard(shard)
    rows = read_manifest(manifest)
    if reference_from is None:
        refuse_without_folder(context, ["references"])
    _check_method_of_rows(job, rows, reference_from is not None)
    if reference_from is not None:
        rows = [row for row in with_leaders(rows) if row.in_shard(part)]
        rows = _retrieved(rows, reference_from, references)
    outcome = run_batch(rows, job, shard=part, jobs=jobs, retry_refused=retry_refused, tell=tell)
    if iiif is not None:
        _write_iiif(out, iiif)
    return _summary(outcome, as_json)


def run(
    manifest: Annotated[str, _MANIFEST],
    out: Annotated[str, _OUT],
    on: Annotated[str, typer.Option("--on", metavar="ENGINE", help="ray, or ray://HOST:PORT.")] = "ray",
    actors: Annotated[str, typer.Option("--actors", metavar="A-B", help="Fewest and most actors.")] = "1-2",
    cores: Annotated[int, typer.Option("--cores", metavar="N", help="Cores of an actor.", min=1)] = 1,
    format: Annotated[str, _FORMAT] = "png",
    store: Annotated[str, _STORE] = "picture",
    again: Annotated[bool, _AGAIN] = False,
    retry_refused: Annotated[bool, _RETRY] = False,
    label: Annotated[str, _LABEL] = "",
    c2pa: Annotated[tuple[str, str] | None, _C2PA] = None,
    method: Annotated[str | None, _METHOD] = None,
    option: Annotated[list[str] | None, _OPTION] = None,
    as_json: Annotated[bool, _JSON] = False,
) -> int:
    """Colorize the photographs of a manifest on a Ray cluster, with the same results and ledger as `start`."""
    from tinct.archive.manifest import read_manifest
    from tinct.archive.ray_engine import run_on_ray

    job = _job(out, format, store, again, label, c2pa, _options(option, method))
    found = re.fullmatch(r"([0-9]{1,9})(?:-([0-9]{1,9}))?", actors)
    fewest, most = (found[1], found[2] or found[1]) if found else ("0", "0")
    if not 1 <= int(fewest) <= int(most):
        raise OptionError(f"--actors is {actors!r}; write the fewest and the most, such as 2-8.")
    pool = int(fewest), int(most)
    rows = read_manifest(manifest)
    _check_method_of_rows(job, rows)
    outcome = run_on_ray(rows, job, on, actors=pool, cores=cores, retry_refused=retry_refused)
    return _summary(outcome, as_json)


def report(
    ledger: Annotated[str, typer.Argument(help="Output of a batch.", metavar="URI")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="HTML page to write.")] = Path(
        "report.html"
    ),
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", help="What the random photographs start from.")
    ] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Write over what is there already.")] = False,
) -> int:
    """Write a page about a batch: counts, failures by kind, times, and a sheet of results to look at.

    A page that is there from before is written anew; any other file is left alone.
    """
    from tinct.archive.ledger import Ledger
    from tinct.archive.report import is_report
    from tinct.archive.report import report as report_of
    from tinct.archive.storage import Store
    from tinct.photo.writing import check_target

    store = Store(ledger)
    Ledger(store).check_exists()
    check_target(out, source=None, overwrite=overwrite or is_report(out))
    _write(out, report_of(store, seed))
    typer.echo(str(out))
    return 0


def verify(ledger: Annotated[str, typer.Argument(help="Output of a batch.", metavar="URI")]) -> int:
    """Read all results of a batch again, and say which are missing, altered, or in no row of the ledger."""
    from tinct.archive.storage import Store
    from tinct.archive.verify import verified

    good, faults = 0, 0
    for fault in verified(Store(ledger)):
        if fault is None:
            good += 1
            continue
        faults += 1
        typer.echo(f"{fault.kind}: {fault.key}{f' ({fault.uri})' if fault.uri else ''}")
    typer.echo(f"{good} results are as the ledger says, {faults} are not.")
    return 2 if faults else 0


def watch(
    source: Annotated[str, typer.Argument(help="Folder or URI to watch.", metavar="FOLDER")],
    out: Annotated[str, _OUT],
    jobs: Annotated[int, _JOBS] = 1,
    format: Annotated[str, _FORMAT] = "png",
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
    method: Annotated[str | None, _METHOD] = None,
    option: Annotated[list[str] | None, _OPTION] = None,
    quiet: Annotated[bool, _QUIET] = False,
    as_json: Annotated[bool, _JSON] = False,
) -> int:
    """Colorize every photograph that arrives in a folder, once; a restart goes on by the ledger."""
    import time

    from tinct.archive.storage import local_path
    from tinct.archive.watch import Watch
    from tinct.cli.process import EXIT_INTERRUPTED, EXIT_TERMINATED

    job = _job(out, format, "picture", False, "", None, _options(option, method))
    _check_method(job.options, False, False)
    if (path := local_path(source)) is not None and not os.path.isdir(path):
        raise StorageError(
            f"{source} is no folder; make it first, or name the one that photographs arrive in."
        )
    watching = Watch(source, job, quiet_seconds)
    came = _signals()
    tell = _teller(quiet, as_json)
    if once:
        watching.arrived()
        time.sleep(quiet_seconds)
        outcome = watching.look(jobs=jobs, tell=tell, stop=lambda: bool(came))
        if came:
            return EXIT_TERMINATED if came[0] == signal.SIGTERM else EXIT_INTERRUPTED
        return 2 if outcome.failed else 0
    watching.run(lambda: bool(came), jobs=jobs, tell=tell)
    return 0


def render(
    chroma: Annotated[str, typer.Argument(help="Chroma file that a batch has stored.", metavar="CHROMA")],
    photo: Annotated[str, typer.Argument(help="The photograph it was made from.", metavar="PHOTO")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Picture to write.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Write over what is there already.")] = False,
) -> int:
    """Make the picture from a chroma file and its photograph: the same bytes as a whole run gives."""
    from tinct.archive.chroma import rendered
    from tinct.archive.storage import read_uri

    result, _ = rendered(read_uri(chroma), read_uri(photo))
    result.write(output, overwrite=overwrite)
    typer.echo(str(output))
    return 0


def _job(
    out: str,
    format: str,
    store: str,
    again: bool,
    label: str,
    c2pa: tuple[str, str] | None,
    options: dict[str, Any],
) -> Job:
    from tinct.archive.worker import Job
    from tinct.colorizing.batch import FORMATS

    if not out:
        raise OptionError("--out is empty; name a folder or a URI for results and ledger.")
    if format not in FORMATS:
        raise OptionError(f"--format is {format!r}; choose one of {', '.join(FORMATS)}.")
    if store not in ("picture", "chroma"):
        raise OptionError(f"--store is {store!r}; choose picture or chroma.")
    if store == "chroma" and (label or c2pa):
        raise OptionError("a chroma file has no pixels to label or sign; use --store picture.")
    if label:
        from tinct.archive.label import check_label

        check_label(label)
    if c2pa:
        from tinct.archive.signing import check_signing

        check_signing(*c2pa)
    return Job(out, format, store, again, label, c2pa or None, options)


def _check_method(options: Mapping[str, Any], has_reference: bool, has_hints: bool) -> None:
    """Refuse a method that is unknown, or that lacks what it needs, before any photograph is settled as refused.

    Args:
        options: by name.
        has_reference, has_hints: True if some photograph has such.
    Raises:
        MethodError: if the method cannot answer.
    """
    from tinct.methods import get_method
    from tinct.methods.selection import choose_method

    if (name := options.get("method")) is not None:
        method = get_method(name)
        choose_method(name, has_reference and method.needs_reference, has_hints or not method.needs_hints)


def _check_method_of_rows(job: Job, rows: Sequence[Row], retrieved: bool = False) -> None:
    """`_check_method` for the rows of a manifest, some of which may get references from a folder."""
    has_reference = retrieved or any(row.references or row.project or row.group for row in rows)
    _check_method(job.options, has_reference, any(row.hints or row.project for row in rows))


def _check_inputs(project: str, carry: str, hints: str, references: Sequence[str]) -> None:
    """Refuse a project that cannot be used, and local files that are not there, before a row names them.

    Raises:
        ProjectError: if the project, or a file that it names, cannot be used.
        OptionError: if a file is missing.
    """
    from tinct.archive.storage import local_path

    for name, uri in (("--hints", hints), *(("--reference", each) for each in references)):
        path = local_path(uri) if uri else None
        if path is not None and not os.path.isfile(path):
            raise OptionError(f"{name} is {uri}, which is no file; check the path.")
    if project:
        from tinct.colorizing.album import Album

        Album(local_path(project) or project, carry or "nothing")


def _check_manifest(output: str, overwrite: bool) -> None:
    """Refuse to write over a file that is there, which may be a manifest that somebody has worked on."""
    from tinct.archive.storage import local_path

    path = local_path(output)
    if path is not None and not overwrite and os.path.lexists(path):
        raise ExistsError(f"{output} exists already; write elsewhere, or allow it with --overwrite.")


def _retrieved(rows: list[Row], source: str | None, count: int) -> list[Row]:
    """Rows with references from a folder or URI, if one is named; says how many rows have none."""
    if source is None:
        return rows
    from tinct.archive.alike import with_references
    from tinct.cli import print_note

    rows = with_references(rows, source, count)
    alone = sum(1 for row in rows if not (row.references or row.project))
    if alone:
        print_note(
            f"for {alone} of {len(rows)} photographs nothing in {source} is alike enough; they get no reference."
        )
    return rows


def _counted(rows: Sequence[Row]) -> str:
    groups = {row.group for row in rows if row.group}
    said = f"{len(rows)} photographs"
    if groups:
        said += f", {sum(1 for row in rows if row.group)} of them in {len(groups)} groups"
    return said


def _options(given: list[str] | None, method: str | None) -> dict[str, Any]:
    """Options by name from NAME=VALUE; checked, so that a mistake is said before any work."""
    known = asdict(Options())
    options: dict[str, Any] = {} if method is None else {"method": method}
    for text in given or ():
        name, separator, value = text.partition("=")
        if not separator or name not in known or name == "method":
            names = ", ".join(each for each in known if each != "method")
            raise OptionError(f"{text!r} is not NAME=VALUE of an option; use one of {names}.")
        try:
            options[name] = json.loads(value)
        except (ValueError, RecursionError):
            raise OptionError(f"{shown(text)} is not a number, true or false.") from None
    Options(**options)
    return options


def _shard(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
    index, count = found.groups() if found else ("0", "0")
    if not int(index) < int(count):
        raise OptionError(f"--shard is {text!r}; write I/N with I from 0 to N - 1, such as 3/100.")
    return int(index), int(count)


def _teller(quiet: bool, as_json: bool) -> Any:
    """What is printed of each photograph: nothing, a JSON object, or its result's name; faults go to stderr.

    The work ends after a photograph of which nobody reads any more, and the ledger has its row.
    """
    from tinct.cli import print_note
    from tinct.cli.process import echo

    def tell(entry: Entry) -> None:
        if as_json:
            echo(json.dumps(asdict(entry), ensure_ascii=False))
        elif entry.status in ("refused", "failed"):
            print_note(f"{one_line(entry.uri)}: {entry.message}")
        elif not quiet:
            echo(f"{one_line(entry.uri)}: {entry.output or one_line(entry.message)}")

    return tell


def _summary(outcome: Outcome, as_json: bool) -> int:
    counts = ", ".join(f"{count} {status}" for status, count in sorted(outcome.statuses.items()))
    text = (
        f"{outcome.planned} photographs: {counts or 'nothing to do'}, {outcome.settled} were settled before"
    )
    parts = [
        f"{count} of them {what}"
        for count, what in (
            (outcome.refused, "refused (--retry-refused tries them again)"),
            (outcome.otherwise, "with other options or in another format (another --out gets these)"),
        )
        if count
    ]
    typer.echo(f"{', '.join([text, *parts])}.", err=as_json)
    return _code(outcome)


def _code(outcome: Outcome) -> int:
    """The exit code of a run: 2 if photographs of it have no result, those among them that were refused before."""
    return 2 if outcome.failed or outcome.refused else 0


def _write_iiif(out: str, folder: Path) -> None:
    from tinct.archive.entry import DONE
    from tinct.archive.iiif import iiif_manifest
    from tinct.archive.ledger import Ledger
    from tinct.archive.storage import Store

    store = Store(out)
    for entry in Ledger(store).entries():
        if entry.status == DONE:
            text = iiif_manifest(
                entry,
                folder.as_uri() if folder.is_absolute() else str(folder),
                entry.uri,
                f"{store.uri.rstrip('/')}/{entry.output}",
            )
            _write(folder / f"{Path(entry.output).stem}.json", text)


def _write(path: Path, content: str) -> None:
    from tinct.files import write_whole

    try:
        write_whole(path, content)
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror}).") from None


def _signals() -> list[int]:
    """A list that gets SIGTERM and SIGINT when they come, which then end nothing by themselves."""
    came: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda which, _: came.append(which))
    return came
