"""Parameters that the commands on archives share, and what their texts mean."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinct.errors import OptionError, shown
from tinct.options import Options

if TYPE_CHECKING:
    from tinct.archive.worker import Job

Manifest = Annotated[
    str, typer.Argument(help="Manifest: .parquet, .csv or .jsonl, a path or a URI.", metavar="MANIFEST")
]
Out = Annotated[str, typer.Option("--out", metavar="URI", help="Folder or URI for results and ledger.")]
Format = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="NAME",
        help="Format of the results: png, jpg, tif, webp or same (as the photograph's content).",
    ),
]
StoredAs = Annotated[
    str,
    typer.Option(
        "--store",
        metavar="WHAT",
        help="picture, or chroma: a small file from which `tinct render` makes the picture; it holds one page.",
    ),
]
Jobs = Annotated[
    int, typer.Option("--jobs", metavar="K", help="Processes that share this machine's cores.", min=1)
]
Shard = Annotated[
    str, typer.Option("--shard", metavar="I/N", help="Only shard I (from 0) of N: for arrays of machines.")
]
Again = Annotated[
    bool, typer.Option("--again", help="Colorize photographs that tinct has colorized already, too.")
]
RetryRefused = Annotated[
    bool, typer.Option("--retry-refused", help="Try photographs again that were refused.")
]
Label = Annotated[
    str,
    typer.Option("--label", metavar="TEXT", help="A visible strip below each picture, for access copies."),
]
Signing = Annotated[
    tuple[str, str] | None,
    typer.Option(
        "--c2pa",
        metavar="CERT KEY",
        help="Sign each picture (C2PA) with a certificate and its key, PEM files.",
    ),
]
IiifFolder = Annotated[
    Path | None, typer.Option("--iiif", metavar="DIR", help="Folder for a IIIF manifest for each photograph.")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print no line for each photograph.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON object for each photograph.")]
References = Annotated[
    list[str] | None,
    typer.Option("-r", "--reference", metavar="URI", help="Reference for all; repeat for more."),
]
ReferenceFrom = Annotated[
    str | None,
    typer.Option(
        "--reference-from",
        metavar="FOLDER",
        help="Folder or URI of color photographs; the one most like each photograph is its reference.",
    ),
]
ReferenceCount = Annotated[
    int,
    typer.Option("--references", metavar="N", help="How many of those to take colors from.", min=1, max=8),
]
Method = Annotated[
    str | None, typer.Option("-m", "--method", metavar="NAME", help="A name that `tinct methods` lists.")
]
OptionTexts = Annotated[
    list[str] | None,
    typer.Option(
        "--option", metavar="NAME=VALUE", help="An option of `tinct colorize` for all, such as vividness=0.8."
    ),
]


def options_of(given: list[str] | None, method: str | None) -> dict[str, Any]:
    """Options by name from NAME=VALUE; checked, so that a mistake is said before any work."""
    known = asdict(Options())
    options: dict[str, Any] = {} if method is None else {"method": method}
    for text in given or ():
        name, separator, value = text.partition("=")
        if not separator or name not in known or name == "method":
            names = ", ".join(each for each in known if each != "method")
            raise OptionError(f"{shown(text)} is not NAME=VALUE of an option; use one of {names}.")
        try:
            options[name] = json.loads(value)
        except (ValueError, RecursionError):
            raise OptionError(f"{shown(text)} is not a number, true or false.") from None
    Options(**options)
    return options


def shard_of(text: str) -> tuple[int, int]:
    """The number of a shard, from 0, and how many shards there are.

    Raises:
        OptionError: if the text is not I/N with I below N.
    """
    found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
    index, count = found.groups() if found else ("0", "0")
    if not int(index) < int(count):
        raise OptionError(f"--shard is {shown(text)}; write I/N with I from 0 to N - 1, such as 3/100.")
    return int(index), int(count)


def job_of(
    out: str,
    format: str,
    store: str,
    again: bool,
    label: str,
    c2pa: tuple[str, str] | None,
    options: dict[str, Any],
) -> Job:
    """The settings that all photographs of a batch share.

    Args:
        out, format, store, again, label, c2pa: as they are given.
        options: by name, as `options_of` gives them.
    Raises:
        OptionError: if one is unknown, or two contradict each other.
        MissingExtraError: if what labels or signs pictures is not installed.
    """
    from tinct.archive.worker import Job
    from tinct.colorizing.batch import FORMATS

    if not out:
        raise OptionError("--out is empty; name a folder or a URI for results and ledger.")
    if format not in FORMATS:
        raise OptionError(f"--format is {shown(format)}; choose one of {', '.join(FORMATS)}.")
    if store not in ("picture", "chroma"):
        raise OptionError(f"--store is {shown(store)}; choose picture or chroma.")
    if store == "chroma" and (label or c2pa):
        raise OptionError("a chroma file has no pixels to label or sign; use --store picture.")
    if label:
        from tinct.archive.label import check_label

        check_label(label)
    if c2pa:
        from tinct.archive.signing import check_signing

        check_signing(*c2pa)
    return Job(out, format, store, again, label, c2pa or None, options)
