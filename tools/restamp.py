"""Stamps records with the hashes of changed code, after proving that both codes give the same answers and scores.

`python -m tools.restamp OLD NEW DATA RUN...`: OLD and NEW are roots of two trees of the project, DATA the folder with
the photographs in `test`, `pairs` and `legacy`, RUN the results files of `tinct evaluate` (packed by xz or not).

Every results file names the hash of the code that measured it and, for each method, the hash of the code that answered
(`tinct.evaluation.run.code_hash`). A refactoring changes the hashes, though not the answers. The proof runs
`tinct evaluate --pictures` from each tree, in processes of their own, on the first photographs of each protocol: the
pictures must be equal to the byte, and the scores to all digits that a results file keeps. A file is stamped only if
this holds for each of its methods and for plain gray; else the file stays, and the tool names the methods. The same
holds of files of weights that changed and give the same pictures, if --other-weights allows them: a graph that takes
another input, say.
"""

from __future__ import annotations

import json
import lzma
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from tinct.errors import EvaluationError
from tinct.evaluation.protocols import PROTOCOLS, get_protocol
from tinct.evaluation.run.results import RESULTS_FILE, write_result
from tools.benchmark import FOLDERS
from tools.command import run, say

PROBE = """
import json, sys
try:
    from tinct.evaluation.run.code_hash import PACKAGE, measuring_code, method_code
except ImportError:  # the evaluation before its files had folders
    from tinct.evaluation.source import PACKAGE, measuring_code, method_code
from tinct.methods import METHODS
methods = {name: method_code(place.partition(":")[0]) for name, place in METHODS.items()}
json.dump({"package": str(PACKAGE), "measuring": measuring_code(), "methods": methods}, sys.stdout)
"""
"""A program that prints the hashes of the tree that it runs from."""

EVALUATE = "from tinct.cli import main; main()"
"""A program that is `tinct` of the tree that it runs from."""

REFUSED = 1
"""Exit code if some files are refused."""

Content = dict[str, Any]
"""The parsed JSON of a results file."""


@dataclass(frozen=True)
class Codes:
    """The hashes of a tree.

    Attributes:
        measuring: of the code that measures.
        methods: method -> hash of the code that answers.
    """

    measuring: str
    methods: Mapping[str, str]

    def of(self, contestant: str) -> str | None:
        """The hash of a contestant, as "tinct:seed=3"; None for one that is no method of the tree."""
        return self.methods.get(contestant.partition(":")[0])


@dataclass(frozen=True)
class Proof:
    """The comparison of both trees for one question (protocol, seed, metrics).

    Attributes:
        different: contestant -> what differs between the trees.
        pictures, scores: numbers compared.
        photographs: names of those measured on.
        recomputed: (photograph, method, case) -> the scores.
        weights: contestant -> hashes of its weights in the old and in the new tree.
    """

    different: dict[str, str] = field(default_factory=dict)
    pictures: int = 0
    scores: int = 0
    photographs: tuple[str, ...] = ()
    recomputed: Mapping[tuple[str, str, str], Mapping[str, float | None]] = field(default_factory=dict)
    weights: Mapping[str, tuple[str | None, str | None]] = field(default_factory=dict)


def restamp(
    old: Annotated[Path, typer.Argument(help="Root of the tree whose hashes the files have.")],
    new: Annotated[Path, typer.Argument(help="Root of the tree whose hashes the files shall have.")],
    data: Annotated[Path, typer.Argument(help="Folder with test, pairs and legacy.")],
    runs: Annotated[list[Path], typer.Argument(help="Results files, .json or .json.xz.")],
    photographs: Annotated[int, typer.Option(help="Photographs of each protocol.")] = 2,
    frozen: Annotated[Path | None, typer.Option(help="Folder of the networks that some metrics run.")] = None,
    jobs: Annotated[int, typer.Option(help="Processes that share the photographs.")] = 1,
    check: Annotated[bool, typer.Option("--check", help="Prove only; write nothing.")] = False,
    other_weights: Annotated[
        bool, typer.Option("--other-weights", help="Let NEW have other files of weights.")
    ] = False,
) -> int:
    """Stamp results files with the hashes of NEW where OLD gives the same answers and scores."""
    trees = (old.resolve(), new.resolve())
    before, after = (codes_of(tree) for tree in trees)
    contents = {path: read_content(path) for path in runs}
    waiting = {path: content for path, content in contents.items() if stamped(content, before, after)}
    say(f"{len(waiting)} of {len(runs)} files have hashes that differ between the trees")
    refused: dict[Path, str] = {}
    for group in _by_question(waiting):
        names = _contestants([waiting[path] for path in group], before)
        question = waiting[group[0]]
        say(f"{question['protocol']}: {', '.join(names)} ...")
        try:
            proof = prove(
                trees,
                question,
                names,
                data.resolve(),
                photographs,
                frozen and frozen.resolve(),
                jobs,
                other_weights,
            )
        except EvaluationError as error:
            refused.update(dict.fromkeys(group, str(error)))
            continue
        say(
            f"  {proof.pictures} pictures and {proof.scores} scores compared, {len(proof.different)} methods differ"
        )
        for path in group:
            if why := _reason(waiting[path], proof):
                refused[path] = why
                continue
            say(f"  {path.name}: {_reproduced(waiting[path], proof)}")
            if not check:
                found = stamped(waiting[path], before, after) or waiting[path]
                write_content(path, with_weights(found, proof))
    for path, why in refused.items():
        say(f"{path} is refused: {why}")
    typer.echo(
        f"{len(waiting) - len(refused)} files {'proved' if check else 'stamped'}, {len(refused)} refused"
    )
    return REFUSED if refused else 0


def codes_of(tree: Path) -> Codes:
    """The hashes of a tree's code.

    Raises:
        EvaluationError: if the tree has no package that can be imported.
    """
    if not (tree / "src" / "tinct").is_dir():
        raise EvaluationError(f"{tree} has no src/tinct; give the root of a tree of the project.")
    found = json.loads(_from_tree(tree, "-c", PROBE))
    if not Path(found["package"]).is_relative_to(tree):
        raise EvaluationError(f"{tree} is not what runs, but {found['package']}; unset PYTHONPATH.")
    return Codes(found["measuring"], found["methods"])


def read_content(path: Path) -> Content:
    """The content of a results file.

    Raises:
        EvaluationError: if the file cannot be read.
    """
    try:
        raw = path.read_bytes()
        content: Content = json.loads(lzma.decompress(raw) if path.suffix == ".xz" else raw)
    except (OSError, ValueError, lzma.LZMAError) as error:
        raise EvaluationError(f"{path} cannot be read ({error}); give results files.") from None
    return content


def write_content(path: Path, content: Content) -> None:
    """Write a results file as `tinct evaluate` does, packed if its name ends in `.xz`.

    Raises:
        OutputError: if the file cannot be written.
    """
    raw = (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
    packed = lzma.compress(raw, preset=9 | lzma.PRESET_EXTREME) if path.suffix == ".xz" else raw
    write_result(path, packed)


def stamped(content: Content, before: Codes, after: Codes) -> Content | None:
    """A results file with the new hashes in place of the old ones; None if no hash of it changes.

    A hash that is not the old tree's stays: the file has records of still older code. The times of the protocol
    `runtime` cannot be proved equal: its files stay too.
    """
    if content["protocol"] not in PROTOCOLS:
        return None
    code = after.measuring if content["code"] == before.measuring else content["code"]
    methods = {
        name: {**facts, "code": after.of(name)}
        if before.of(name) and after.of(name) and facts.get("code") == before.of(name)
        else facts
        for name, facts in content["methods"].items()
    }
    found = {**content, "code": code, "methods": methods}
    return None if found == content else found


def with_weights(content: Content, proof: Proof) -> Content:
    """A results file with the new tree's weights for contestants that were measured with the old tree's."""
    methods = {
        name: {**facts, "weights_sha256": proof.weights[name][1]}
        if name in proof.weights and facts["weights_sha256"] == proof.weights[name][0]
        else facts
        for name, facts in content["methods"].items()
    }
    return {**content, "methods": methods}


def prove(
    trees: tuple[Path, Path],
    question: Content,
    names: Sequence[str],
    data: Path,
    photographs: int,
    frozen: Path | None,
    jobs: int,
    other_weights: bool = False,
) -> Proof:
    """Evaluate the same contestants from both trees, and compare.

    Args:
        trees: old and new.
        question: a results file, whose protocol, seed and metrics are taken.
        names: of the contestants.
        data, photographs, frozen, jobs, other_weights: as in `restamp`.
    Raises:
        EvaluationError: if a tree cannot evaluate, with the line that it says.
    """
    protocol = get_protocol(question["protocol"])
    words = [
        "evaluate",
        protocol.name,
        "--data",
        str(data / FOLDERS.get(protocol.name, "test")),
        "--pictures",
    ]
    words += ["--limit", str(photographs), "--seed", str(question["seed"]), "--jobs", str(jobs)]
    words += [word for name in names for word in ("-m", name)]
    words += [word for m in question["metrics"] if m not in protocol.metrics for word in ("--metric", m)]
    words += ["--frozen", str(frozen)] if frozen else []
    with tempfile.TemporaryDirectory() as scratch:
        outs = [Path(scratch) / which for which in ("old", "new")]
        for tree, out in zip(trees, outs, strict=True):
            _from_tree(tree, "-c", EVALUATE, *words, "--out", str(out))
        return _compared(outs[0], outs[1], names, other_weights)


def _compared(old: Path, new: Path, names: Sequence[str], other_weights: bool = False) -> Proof:
    """Compare two runs' folders; see `restamp` for `other_weights`."""
    results = [read_content(out / RESULTS_FILE) for out in (old, new)]
    scores = [_scores(found) for found in results]
    pictures = [dict(_pictures(out)) for out in (old, new)]
    different: dict[str, str] = {}
    stamps: dict[str, tuple[str | None, str | None]] = {}
    for name in names:
        mine = [{key: value for key, value in found.items() if key[1] == name} for found in scores]
        shown = [{key: value for key, value in found.items() if key[0] == name} for found in pictures]
        whole = [[case.get(name) for case in found["whole"].values()] for found in results]
        before, after = (found["methods"].get(name, {}).get("weights_sha256") for found in results)
        stamps[name] = before, after
        if before != after and not other_weights:
            different[name] = (
                "its weights differ; let TINCT_WEIGHTS name the weights for both trees, or say --other-weights"
            )
        elif shown[0] != shown[1]:
            different[name] = "its pictures differ"
        elif mine[0] != mine[1] or whole[0] != whole[1]:
            different[name] = "its scores differ"
    if results[0]["left_out"] != results[1]["left_out"]:
        different["all methods"] = "other photographs are left out"
    count = sum(len(values) for values in scores[1].values())
    return Proof(different, len(pictures[1]), count, tuple(results[1]["photographs"]), scores[1], stamps)


def _scores(content: Content) -> dict[tuple[str, str, str], dict[str, float | None]]:
    """(photograph, method, case) -> metric -> score."""
    return {(r["photograph"], r["method"], r["case"]): r["scores"] for r in content["records"]}


def _pictures(out: Path) -> Iterator[tuple[tuple[str, str], bytes]]:
    """(contestant, file name) -> bytes of each kept picture, whose PNG has no date or other changing part."""
    for file in sorted((out / "pictures").rglob("*.png")):
        yield (file.parent.name, file.name), file.read_bytes()


def _by_question(contents: Mapping[Path, Content]) -> list[list[Path]]:
    """Files of one protocol, seed and list of metrics together."""
    groups: dict[str, list[Path]] = {}
    for path, content in contents.items():
        key = json.dumps([content[name] for name in ("protocol", "seed", "metrics", "parameters")])
        groups.setdefault(key, []).append(path)
    return list(groups.values())


def _contestants(contents: Sequence[Content], codes: Codes) -> list[str]:
    """Plain gray and all methods of some files; finished pictures of other programs do not depend on a tree."""
    names = dict.fromkeys(name for content in contents for name in content["methods"])
    return ["gray", *(name for name in names if codes.of(name))]


def _reason(content: Content, proof: Proof) -> str:
    """Why a file cannot be stamped, or ""."""
    concerned = [name for name in ("gray", "all methods", *content["methods"]) if name in proof.different]
    return "; ".join(f"{name}: {proof.different[name]}" for name in dict.fromkeys(concerned))


def _reproduced(content: Content, proof: Proof) -> str:
    """How near the file's own scores of the compared photographs are to those computed now.

    Other processors give other last digits: the line informs, and refuses nothing.
    """
    recorded = _scores(content)
    pairs = [
        (value, proof.recomputed[key].get(metric))
        for key, scores in recorded.items()
        if key in proof.recomputed
        for metric, value in scores.items()
    ]
    equal = sum(one == other for one, other in pairs)
    text = (
        f"{equal} of {len(pairs)} recorded scores of {len(proof.photographs)} photographs are computed again"
    )
    largest = max((_relative(one, other) for one, other in pairs), default=0.0)
    return f"{text}; largest relative difference {largest:.1g}" if equal < len(pairs) else text


def _relative(one: float | None, other: float | None) -> float:
    """Relative difference of two scores; infinite if only one of them has a value."""
    if one is None or other is None:
        return 0.0 if one is other else math.inf
    return abs(one - other) / max(abs(one), abs(other), 1e-12)


def _from_tree(tree: Path, *words: str) -> str:
    """What Python prints when it runs with a tree's package.

    Raises:
        EvaluationError: if the process fails, with the last line that it says.
    """
    more = os.environ.get("PYTHONPATH")
    places = os.pathsep.join([str(tree / "src"), *([more] if more else [])])
    done = subprocess.run(
        [sys.executable, *words],
        env={**os.environ, "PYTHONPATH": places},
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise EvaluationError(f"{tree} cannot be run ({last}); mend it first.")
    return done.stdout


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tool and return the exit code."""
    return run("restamp", restamp, arguments=arguments)


if __name__ == "__main__":
    sys.exit(main())
