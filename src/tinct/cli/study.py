"""`tinct study`: `serve` asks people about results, `run` makes a design's results first, `export` writes outcomes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinct.cli.process import announce

if TYPE_CHECKING:
    from tinct.evaluation.study import Study

Results = Annotated[
    list[str],
    typer.Argument(
        help="NAME=FOLDER for each method, or one folder of such folders "
        "(the output of `tinct evaluate --pictures`)."
    ),
]
Kind = Annotated[
    str,
    typer.Option(
        help="preference: the best of several. real: which of a pair is computed. real-single: is this one?"
    ),
]
Truth = Annotated[
    Path | None,
    typer.Option(help="Folder of the true photographs, for the real kinds. [truth beside the methods]"),
]
Votes = Annotated[Path, typer.Option(help="SQLite file of the votes; an existing one goes on.")]
Shown = Annotated[int | None, typer.Option(help="preference: results on one page, 2 to 9. [all]")]
Trials = Annotated[int | None, typer.Option(help="Questions for each participant. [40, or all photographs]")]
Practice = Annotated[
    int | None, typer.Option(help="Questions before them that do not count. [real kinds: 10 or fewer]")
]
Seconds = Annotated[
    float, typer.Option(help="real kinds: how long each picture is seen; 0 is without limit.")
]
Seed = Annotated[int, typer.Option(help="What the orders start from.")]
Host = Annotated[str, typer.Option(help="Address to answer on; the default is this machine alone.")]
Port = Annotated[int, typer.Option(min=1, max=65535)]

Design = Annotated[
    str, typer.Argument(help="A design that ships with tinct (xu2020-figure9), or a TOML file of one.")
]
Data = Annotated[Path, typer.Option(help="Photographs: a folder with folders of classes, or a CSV index.")]
RunOut = Annotated[Path, typer.Option(help="Folder of the results; a stopped run goes on.")]
RunVotes = Annotated[Path | None, typer.Option(help="SQLite file of the votes. [votes.sqlite in --out]")]
OnlyMake = Annotated[bool, typer.Option("--only-make", help="Make the results and show nothing yet.")]

VoteArgument = Annotated[Path, typer.Argument(help="The SQLite file that `tinct study serve` wrote.")]
Out = Annotated[Path, typer.Option(help="Folder for the table and the plots.")]


def register(app: typer.Typer) -> None:
    """Add the commands `study ...` to the application."""
    study = typer.Typer(
        help="Ask people which result is better, blind and in random order.",
        rich_markup_mode=None,
        no_args_is_help=True,
    )
    study.command("serve")(serve)
    study.command("run")(run)
    study.command("export")(export)
    app.add_typer(study, name="study")


def serve(
    results: Results,
    kind: Kind = "preference",
    truth: Truth = None,
    votes: Votes = Path("study.sqlite"),
    shown: Shown = None,
    trials: Trials = None,
    practice: Practice = None,
    seconds: Seconds = 1.0,
    seed: Seed = 0,
    host: Host = "127.0.0.1",
    port: Port = 8311,
) -> None:
    """Show results in the browser and keep the votes.

    tinct study serve welsh=results/welsh gupta=results/gupta

    tinct study serve reports/auto --kind real --votes real.sqlite
    """
    from tinct.evaluation.study import Study, find_pictures

    study = Study(kind, find_pictures(results, truth), shown, trials, practice, seconds, seed)
    _show(study, votes, host, port)


def run(
    design: Design,
    data: Data,
    out: RunOut = Path("reports/study"),
    votes: RunVotes = None,
    only_make: OnlyMake = False,
    host: Host = "127.0.0.1",
    port: Port = 8311,
) -> None:
    """Make the results that a design asks for, show them in the browser and keep the votes.

    tinct study run xu2020-figure9 --data photos/test --out reports/figure9
    """
    from tinct.cli.evaluate import progress_bar
    from tinct.evaluation.photographs.sets import find_photographs
    from tinct.evaluation.study.design_file import make_study, read_design

    plan = read_design(design)
    with progress_bar() as bar:
        study = make_study(plan, find_photographs(data), out, lambda line: typer.echo(line, err=True), bar)
    typer.echo(f"wanted: {plan.participants} participants, {plan.votes} votes.")
    if not only_make:
        _show(study, votes or out / "votes.sqlite", host, port)


def _show(study: Study, votes: Path, host: str, port: int) -> None:
    """Serve a study's page until it is interrupted, and say where."""
    from tinct.evaluation.study.app import serve as serve_study
    from tinct.evaluation.study.votes import VoteFile

    found = study.pictures
    kept = VoteFile.open_for(study, votes)
    if found.left_out:
        typer.echo(f"{len(found.left_out)} photographs are not shown: some folder lacks them.", err=True)
    announce(
        f"{len(found.photographs)} photographs, {len(study.methods)} methods; votes go to {votes}. "
        f"Open http://{f'[{host}]' if ':' in host else host}:{port} (Ctrl+C ends it)."
    )
    serve_study(study, kept, host, port)


def export(votes: VoteArgument, out: Out = Path("study")) -> None:
    """Write what the votes say: study.html, boxplots.svg, table.csv and votes.csv.

    tinct study export study.sqlite --out reports/study
    """
    from tinct.evaluation.study.export import export as export_study
    from tinct.evaluation.study.votes import VoteFile

    for path in export_study(VoteFile(votes), out):
        typer.echo(str(path))
