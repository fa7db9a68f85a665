"""Laws of restamping: equal answers move a record to the new hash, other answers never do, and the method is named."""

from __future__ import annotations

import json
import lzma
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from evaluation_photographs import write_photographs
from tools import restamp

ROOT = Path(__file__).resolve().parents[2]
REINHARD = "methods/classical/color_statistics.py"


def copy_tree(place: Path) -> Path:
    """A tree of the project with the package alone, without exported networks."""
    without = shutil.ignore_patterns("*.onnx", "*.bin", "__pycache__")
    shutil.copytree(ROOT / "src" / "tinct", place / "src" / "tinct", ignore=without)
    return place


def add(tree: Path, file: str, line: str) -> None:
    """Put a line below a module of a tree."""
    path = tree / "src" / "tinct" / file
    path.write_text(f"{path.read_text()}\n{line}\n")


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tree `old`, photographs in `data/test`, and `run.json.xz`, which that tree has measured."""
    place = tmp_path_factory.mktemp("restamp")
    write_photographs(place / "data" / "test")
    old = copy_tree(place / "old")
    line = ["evaluate", "exemplar-class", "-m", "gray", "-m", "reinhard", "--limit", "2"]
    line += ["--out", str(place / "out"), "--data", str(place / "data" / "test")]
    program = [sys.executable, "-c", restamp.EVALUATE, *line]
    subprocess.run(
        program, check=True, env={**os.environ, "PYTHONPATH": str(old / "src")}, capture_output=True
    )
    (place / "run.json.xz").write_bytes(lzma.compress((place / "out" / "results.json").read_bytes()))
    return place


def change(tree: Path, file: str, what: str, instead: str) -> None:
    """Change a module of a tree."""
    path = tree / "src" / "tinct" / file
    text = path.read_text()
    assert text.count(what) == 1
    path.write_text(text.replace(what, instead))


def restamped(place: Path, new: Path, *more: str) -> tuple[int, dict, dict]:
    """The exit code, and a copy of the run before and after."""
    run = new / "run.json.xz"
    shutil.copy(place / "run.json.xz", run)
    before = json.loads(lzma.decompress(run.read_bytes()))
    line = [str(place / "old"), str(new), str(place / "data"), str(run), "--photographs", "1", *more]
    code = restamp.main(line)
    return code, before, json.loads(lzma.decompress(run.read_bytes()))


def test_equal_answers_take_the_new_hashes(
    measured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    new = copy_tree(tmp_path / "new")
    add(new, REINHARD, "UNUSED = 1")
    add(new, "evaluation/metrics/error.py", "UNUSED = 1")
    prove, proofs = restamp.prove, []
    monkeypatch.setattr(restamp, "prove", lambda *given: proofs.append(prove(*given)) or proofs[0])
    code, before, after = restamped(measured, new, "--check")
    assert (code, before) == (0, after)
    assert proofs[0].scores > 0 < proofs[0].pictures
    recorded = sum(len(r["scores"]) for r in before["records"] if r["photograph"] in proofs[0].photographs)
    assert f"{recorded} of {recorded} recorded scores" in capsys.readouterr().err
    monkeypatch.setattr(restamp, "prove", lambda *given: proofs[0])
    code, before, after = restamped(measured, new)
    codes = restamp.codes_of(new)
    assert code == 0
    assert before["code"] != after["code"] == codes.measuring
    was, now = (content["methods"]["reinhard"]["code"] for content in (before, after))
    assert was != now == codes.of("reinhard")
    after["code"], after["methods"]["reinhard"]["code"] = before["code"], was
    assert json.dumps(after) == json.dumps(before)


def test_another_answer_is_refused_by_name(
    measured: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    new = copy_tree(tmp_path / "new")
    change(new, REINHARD, "BANDWIDTH = 3.0", "BANDWIDTH = 30.0")
    code, before, after = restamped(measured, new)
    assert code == restamp.REFUSED
    assert after == before
    assert "reinhard: its pictures differ" in capsys.readouterr().err


def test_another_score_is_refused(measured: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    new = copy_tree(tmp_path / "new")
    change(new, "color/difference.py", "largest: float = 255.0", "largest: float = 256.0")
    code, before, after = restamped(measured, new)
    assert code == restamp.REFUSED
    assert after == before
    assert "gray: its scores differ" in capsys.readouterr().err


def test_records_of_other_code_stay(measured: Path, tmp_path: Path):
    new = copy_tree(tmp_path / "new")
    add(new, REINHARD, "UNUSED = 1")
    codes = [restamp.codes_of(tree) for tree in (measured / "old", new)]
    content = restamp.read_content(measured / "run.json.xz")
    content["methods"]["reinhard"]["code"] = "older"
    assert restamp.stamped(content, *codes) is None
    assert restamp.stamped({**content, "protocol": "runtime"}, *codes) is None


def write_run(out: Path, weights: str, picture: bytes) -> Path:
    """A folder of results of one contestant with weights."""
    (out / "pictures" / "net").mkdir(parents=True)
    (out / "pictures" / "net" / "a.png").write_bytes(picture)
    record = {"photograph": "a", "method": "net", "case": "", "scores": {"psnr": 20.0}}
    methods = {"net": {"weights_sha256": weights, "code": "c", "unanswered": []}}
    content = {"photographs": ["a"], "methods": methods, "whole": {}, "left_out": {}, "records": [record]}
    (out / restamp.RESULTS_FILE).write_text(json.dumps(content))
    return out


@pytest.mark.parametrize("same", [True, False])
def test_other_weights_of_equal_pictures_are_stamped_where_that_is_allowed(tmp_path: Path, same: bool):
    old, new = (write_run(tmp_path / name, name, b"a" if same else name.encode()) for name in ("old", "new"))
    refused = restamp._compared(old, new, ["net"])
    assert refused.different["net"].startswith("its weights differ")
    proof = restamp._compared(old, new, ["net"], other_weights=True)
    assert proof.different == ({} if same else {"net": "its pictures differ"})
    content = restamp.read_content(old / restamp.RESULTS_FILE)
    assert restamp.with_weights(content, proof)["methods"]["net"]["weights_sha256"] == "new"
    content["methods"]["net"]["weights_sha256"] = "older"
    assert restamp.with_weights(content, proof) == content
