"""`tinct batch`: archives, from a manifest to results and a ledger."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinct.cli.batch_checks import (
    check_iiif,
    check_inputs,
    check_manifest,
    check_method,
    check_method_of_rows,
    check_project,
    check_takes_references,
)
from tinct.cli.batch_output import print_summary, teller, write_iiif, write_text
from tinct.cli.batch_parameters import (
    Again,
    AsJson,
    Format,
    IiifFolder,
    Jobs,
    Label,
    Manifest,
    Method,
    OptionTexts,
    Out,
    Quiet,
    ReferenceCount,
    ReferenceFrom,
    References,
    RetryRefused,
    Shard,
    Signing,
    StoredAs,
    job_of,
    options_of,
    shard_of,
)
from tinct.cli.flags import refuse_without_folder
from tinct.errors import OptionError, shown

if TYPE_CHECKING:
    from tinct.archive.row import Row

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


def register(app: typer.Typer) -> None:
    """Add the commands of `batch` to the application."""
    batch = typer.Typer(
        help="Colorize archives: manifest in, results and ledger out.", no_args_is_help=True, epilog=EXAMPLES
    )
    batch.command("plan")(plan)
    batch.command("start")(start)
    batch.command("run")(run)
    batch.command("report")(report)
    batch.command("verify")(verify)
    app.add_typer(batch, name="batch")


def plan(
    context: typer.Context,
    source: Annotated[
        str, typer.Argument(help="Folder, pattern or URI prefix of photographs.", metavar="SOURCE")
    ],
    output: Annotated[str, typer.Option("-o", "--output", metavar="FILE", help="Manifest to write.")],
    reference: References = None,
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
    reference_from: ReferenceFrom = None,
    references: ReferenceCount = 1,
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
    method: Method = None,
    option: OptionTexts = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Write over what is there already.")] = False,
) -> int:
    """Make a manifest: one row for each photograph of a folder, a pattern or a URI prefix."""
    from tinct.archive import manifest

    check_project(project, carry, bool(reference or reference_from or hints or option or method or group))
    options = options_of(option, method)
    with_references = bool(reference or reference_from or group)
    if with_references:
        check_takes_references(options)
    check_method(options, with_references, bool(hints))
    if reference_from is None:
        refuse_without_folder(context, ["references"])
    check_manifest(output, overwrite)
    check_inputs(project, carry, hints, reference or ())
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
    manifest: Manifest,
    out: Out,
    shard: Shard = "0/1",
    jobs: Jobs = 1,
    format: Format = "png",
    store: StoredAs = "picture",
    again: Again = False,
    retry_refused: RetryRefused = False,
    label: Label = "",
    c2pa: Signing = None,
    iiif: IiifFolder = None,
    reference_from: ReferenceFrom = None,
    references: ReferenceCount = 1,
    method: Method = None,
    option: OptionTexts = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Colorize the photographs of a manifest; a run that was killed goes on where it was.

    Results have names made of the photograph's id. The ledger beside them has a row for each photograph.
    """
    from tinct.archive.batch import run_batch
    from tinct.archive.manifest import read_manifest
    from tinct.archive.row import with_leaders

    job = job_of(out, format, store, again, label, c2pa, options_of(option, method))
    check_iiif(iiif, store)
    tell, part = teller(quiet, as_json), shard_of(shard)
    rows = read_manifest(manifest)
    if reference_from is None:
        refuse_without_folder(context, ["references"])
    check_method_of_rows(job, rows, reference_from is not None)
    if reference_from is not None:
        rows = [row for row in with_leaders(rows) if row.in_shard(part)]
        rows = _retrieved(rows, reference_from, references)
    outcome = run_batch(rows, job, shard=part, jobs=jobs, retry_refused=retry_refused, tell=tell)
    if iiif is not None:
        write_iiif(out, iiif)
    return print_summary(outcome, as_json)


def run(
    manifest: Manifest,
    out: Out,
    on: Annotated[str, typer.Option("--on", metavar="ENGINE", help="ray, or ray://HOST:PORT.")] = "ray",
    actors: Annotated[str, typer.Option("--actors", metavar="A-B", help="Fewest and most actors.")] = "1-2",
    cores: Annotated[int, typer.Option("--cores", metavar="N", help="Cores of an actor.", min=1)] = 1,
    format: Format = "png",
    store: StoredAs = "picture",
    again: Again = False,
    retry_refused: RetryRefused = False,
    label: Label = "",
    c2pa: Signing = None,
    method: Method = None,
    option: OptionTexts = None,
    as_json: AsJson = False,
) -> int:
    """Colorize the photographs of a manifest on a Ray cluster, with the same results and ledger as `start`."""
    from tinct.archive.manifest import read_manifest
    from tinct.archive.ray_engine import run_on_ray

    job = job_of(out, format, store, again, label, c2pa, options_of(option, method))
    pool = _actors(actors)
    rows = read_manifest(manifest)
    check_method_of_rows(job, rows)
    outcome = run_on_ray(rows, job, on, actors=pool, cores=cores, retry_refused=retry_refused)
    return print_summary(outcome, as_json)


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
    write_text(out, report_of(store, seed, out))
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
    """The numbers of photographs and groups: "12 photographs, 5 of them in 2 groups"."""
    groups = {row.group for row in rows if row.group}
    photographs = f"{len(rows)} photographs"
    if not groups:
        return photographs
    return f"{photographs}, {sum(1 for row in rows if row.group)} of them in {len(groups)} groups"


def _actors(text: str) -> tuple[int, int]:
    """The fewest and the most actors.

    Raises:
        OptionError: if the text is not A-B, or one number.
    """
    found = re.fullmatch(r"([0-9]{1,9})(?:-([0-9]{1,9}))?", text)
    fewest, most = (found[1], found[2] or found[1]) if found else ("0", "0")
    if not 1 <= int(fewest) <= int(most):
        raise OptionError(f"--actors is {shown(text)}; write the fewest and the most, such as 2-8.")
    return int(fewest), int(most)
