"""Laws of an evaluation: complete, resumable, deterministic to the byte, and nothing half-written."""

from __future__ import annotations

import json
import lzma
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.spatial import KDTree

from evaluation_photographs import make_rgb, write_photographs
from tinct.color.lab import rgb_to_lab
from tinct.errors import EvaluationError, MethodError, OptionError, ShapeError, WeightsError
from tinct.evaluation.metrics.distribution import frechet_distance, gaussian
from tinct.evaluation.metrics.table import METRICS
from tinct.evaluation.photographs.sets import PhotographSet, find_photographs
from tinct.evaluation.protocols import get_protocol
from tinct.evaluation.protocols.hint_sweep import HintSweep
from tinct.evaluation.report.tables import columns_of, markdown_table
from tinct.evaluation.run.contestants import CallablePredictor, FinishedPictures, Gray, get_contestant
from tinct.evaluation.run.evaluator import evaluate, evaluate_predictor
from tinct.evaluation.run.features import FeatureFolder
from tinct.evaluation.run.plan import Run
from tinct.evaluation.run.results import JOURNAL_FILE, RESULTS_FILE, read_results
from tinct.hints import HintField
from tinct.methods.method import Reference


@pytest.fixture
def photo_folder(tmp_path: Path) -> Path:
    return write_photographs(tmp_path / "photos")


def spread(lightness: np.ndarray, hints: HintField, references: Sequence[Reference]) -> np.ndarray:
    """A toy method: the mean of what was given, everywhere."""
    found = [hints.ab[hints.mask > 0]] + [reference.ab.reshape(-1, 2) for reference in references]
    known = np.concatenate(found)
    mean = known.mean(0) if len(known) else np.zeros(2)
    return np.broadcast_to(mean.astype(np.float32), (*lightness.shape, 2)).copy()


class Counting:
    """Plain grey that counts how often it is asked, and stops the run after some."""

    weights_sha256 = None
    code = ""

    def __init__(self, stop_after: int | None = None, name: str = "counting") -> None:
        self.name, self.asked, self.stop_after = name, 0, stop_after

    def cannot(self, case: object) -> str:
        return ""

    def answer(self, case):
        if self.asked == self.stop_after:
            raise KeyboardInterrupt
        self.asked += 1
        return case.gray()


def make_run(folder: Path, name: str, *contestants: object, **more: object) -> Run:
    return Run(get_protocol(name), contestants, find_photographs(folder), **more)  # type: ignore[arg-type]


def test_the_truth_as_an_answer_is_perfect(photo_folder: Path):
    pictures = FinishedPictures("truth-itself", photo_folder)
    results = evaluate(make_run(photo_folder, "auto", pictures, Gray()))
    best, gray = (results.summary()[name]["auto"] for name in ("truth-itself", "gray"))
    assert "psnr" not in best  # infinite: no number stands for it
    assert best["ssim"]["mean"] == pytest.approx(1, abs=1e-6)
    assert best["ciede2000"]["mean"] == 0
    assert best["auc"]["mean"] == pytest.approx(100, abs=0.5)
    assert gray["ciede2000"]["mean"] > 3
    assert gray["colorfulness"]["mean"] < 0.5


def test_every_method_answers_every_photograph(photo_folder: Path):
    results = evaluate(make_run(photo_folder, "exemplar-class", Gray(), CallablePredictor(spread, "mean")))
    asked = {(r.photograph, r.method, r.case) for r in results.records}
    names = [p.name for p in find_photographs(photo_folder)]
    assert asked == {(n, m, c) for n in names for m in ("gray", "mean") for c in ("auto", "exemplar")}
    assert all(set(r.scores) == set(results.heading.metrics) for r in results.records)


def test_gain_is_the_difference_to_the_same_photograph_without_help(photo_folder: Path):
    results = evaluate(make_run(photo_folder, "exemplar-self", CallablePredictor(spread, "mean")))
    without, with_it = (results.scores("mean", case, "psnr") for case in ("auto", "exemplar"))
    gains = results.scores("mean", "exemplar", "gain")
    for name, gain in gains.items():
        assert gain == pytest.approx(with_it[name] - without[name], abs=1e-4)
    assert not results.scores("mean", "auto", "gain")


def test_a_grey_answer_gains_nothing_and_costs_nothing(photo_folder: Path):
    results = evaluate(make_run(photo_folder, "exemplar-unrelated", Gray()))
    assert set(results.scores("gray", "exemplar", "gain").values()) == {0.0}
    assert set(results.scores("gray", "exemplar", "moved_ab").values()) == {0.0}


def test_a_method_that_needs_a_reference_has_a_dash_without_one(photo_folder: Path):
    class Needy(Counting):
        def cannot(self, case) -> str:
            return "" if case.references else "needs a reference"

    results = evaluate(make_run(photo_folder, "exemplar-class", Gray(), Needy(name="needy")))
    assert results.methods["needy"]["unanswered"] == ["auto"]
    assert results.methods["gray"]["unanswered"] == []
    assert results.summary()["needy"].keys() == {"exemplar"}
    with pytest.raises(EvaluationError, match="no method can answer"):
        evaluate(make_run(photo_folder, "auto", Needy()))


def test_revealing_more_comes_nearer_to_the_truth(photo_folder: Path):
    def nearest(lightness: np.ndarray, hints: HintField, references: Sequence[Reference]) -> np.ndarray:
        if not hints.points:
            return np.zeros((*lightness.shape, 2), np.float32)
        rows, columns = np.indices(lightness.shape)
        places = KDTree([(point.y, point.x) for point in hints.points])
        nearest = places.query(np.stack([rows, columns], -1))[1]
        return np.float32([point.ab for point in hints.points])[nearest]

    sweep = HintSweep(counts=(0, 20, 398))
    results = evaluate_predictor(nearest, sweep, find_photographs(photo_folder), limit=3)
    means = [results.summary()["predictor"][k] for k in ("0", "20", "398")]
    psnr = [row["psnr"]["mean"] for row in means]
    assert max(psnr[0], psnr[1]) < psnr[2] - 3
    assert "hint_error" not in means[0]
    assert means[1]["hint_error"]["mean"] < 4  # a patch has one color, the truth under it varies a little
    assert means[1]["hint_radius"]["mean"] > 10


def test_the_predictor_sees_hints_and_references_at_the_right_sizes(photo_folder: Path):
    seen = []

    def look(lightness, hints, references):
        seen.append((lightness.shape, hints.mask.sum() > 0, [r.ab.shape[2] for r in references]))
        return np.zeros((*lightness.shape, 2), np.float32)

    photographs = find_photographs(photo_folder)
    evaluate_predictor(look, HintSweep(counts=(0, 2)), photographs, limit=1)
    evaluate_predictor(look, get_protocol("exemplar-class"), photographs, limit=1)
    assert seen[:2] == [((256, 256), False, []), ((256, 256), True, [])]
    assert seen[2:] == [((40, 56), False, []), ((40, 56), False, [2])]


def test_a_stopped_run_goes_on_and_equals_an_unbroken_one(photo_folder: Path, tmp_path: Path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    evaluate(make_run(photo_folder, "exemplar-class", Counting()), whole)
    with pytest.raises(KeyboardInterrupt):
        evaluate(make_run(photo_folder, "exemplar-class", Counting(stop_after=5)), broken)
    assert not (broken / RESULTS_FILE).exists()
    with (broken / JOURNAL_FILE).open("a") as journal:
        journal.write('[{"photograph": "cut of')  # a line that was being written
    second = Counting()
    evaluate(make_run(photo_folder, "exemplar-class", second), broken)
    assert second.asked == 12 - 4  # of the third photograph one case was answered: it is asked again
    assert (broken / RESULTS_FILE).read_bytes() == (whole / RESULTS_FILE).read_bytes()
    assert not (broken / JOURNAL_FILE).exists()


@pytest.mark.parametrize(
    "line",
    [
        '[{"photograph": [], "method": "counting", "case": "auto", "scores": {}}]',
        '[{"photograph": "a", "method": "counting", "case": "auto", "scores": {"psnr": NaN}}]',
        '[{"photograph": "a", "method": "counting", "case": "auto"}]',
        '[["a", "counting"]]',
        "7",
        "[" * 100_000,
    ],
)
def test_a_record_that_is_none_is_measured_again(photo_folder: Path, tmp_path: Path, line: str):
    with pytest.raises(KeyboardInterrupt):
        evaluate(make_run(photo_folder, "auto", Counting(stop_after=4)), tmp_path / "run")
    journal = tmp_path / "run" / JOURNAL_FILE
    lines = journal.read_text().splitlines()
    journal.write_text("\n".join([*lines[:-1], line]) + "\n")
    again = Counting()
    evaluate(make_run(photo_folder, "auto", again), tmp_path / "run")
    assert again.asked == 3  # the two that were left, and the one whose record is none
    evaluate(make_run(photo_folder, "auto", Counting()), tmp_path / "whole")
    written = [(tmp_path / name / RESULTS_FILE).read_bytes() for name in ("run", "whole")]
    assert written[0] == written[1]


@pytest.mark.parametrize(
    "first", [b"\xff\xfe\x00", b"", b"[]", b'{"heading": 3}', b'{"heading": {"seed": 0}}', b"3"]
)
def test_a_journal_that_is_none_is_refused(photo_folder: Path, tmp_path: Path, first: bytes):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / JOURNAL_FILE).write_bytes(first + b"\n")
    with pytest.raises(EvaluationError, match=r"journal\.jsonl is damaged; give --restart"):
        evaluate(make_run(photo_folder, "auto", Counting()), tmp_path / "run")


def test_methods_of_a_journal_that_are_none_are_refused(photo_folder: Path, tmp_path: Path):
    with pytest.raises(KeyboardInterrupt):
        evaluate(make_run(photo_folder, "auto", Counting(stop_after=2)), tmp_path)
    lines = (tmp_path / JOURNAL_FILE).read_text().splitlines()
    first = json.loads(lines[0]) | {"methods": ["counting"]}
    (tmp_path / JOURNAL_FILE).write_text("\n".join([json.dumps(first), *lines[1:]]))
    with pytest.raises(EvaluationError, match=r"journal\.jsonl is damaged; give --restart"):
        evaluate(make_run(photo_folder, "auto", Counting()), tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04", np.zeros((2, 2), np.float32), np.array([np.nan]), "zip"]
)
def test_features_that_are_damaged_are_missing(tmp_path: Path, content: bytes | str | np.ndarray):
    folder = FeatureFolder(tmp_path)
    folder.keep("fid", "counting", "a.png", np.ones(4, np.float32))
    assert folder.get("fid", "counting", "a.png") is not None
    (file,) = tmp_path.rglob("*.npy")
    if isinstance(content, bytes):
        file.write_bytes(content)
    else:
        with file.open("wb") as stream:
            np.savez(stream, a=np.ones(4)) if isinstance(content, str) else np.save(stream, content)
    assert folder.get("fid", "counting", "a.png") is None


def test_a_finished_run_takes_another_method_without_asking_the_first_again(
    photo_folder: Path,
    tmp_path: Path,
):
    evaluate(make_run(photo_folder, "auto", Counting()), tmp_path)
    again, other = Counting(), Counting(name="other")
    results = evaluate(make_run(photo_folder, "auto", again, other), tmp_path)
    assert (again.asked, other.asked) == (0, 6)
    assert list(results.methods) == ["counting", "other"]
    evaluate(make_run(photo_folder, "auto", again), tmp_path, restart=True)
    assert again.asked == 6


def test_other_weights_are_measured_anew(photo_folder: Path, tmp_path: Path):
    evaluate(make_run(photo_folder, "auto", Counting()), tmp_path)
    trained = Counting()
    trained.weights_sha256 = "ab" * 32  # type: ignore[assignment]
    evaluate(make_run(photo_folder, "auto", trained), tmp_path)
    assert trained.asked == 6


def test_other_code_of_a_method_is_measured_anew_and_of_others_is_not(photo_folder: Path, tmp_path: Path):
    evaluate(make_run(photo_folder, "auto", Counting(), Counting(name="other")), tmp_path)
    mended, other = Counting(), Counting(name="other")
    mended.code = "mended"
    results = evaluate(make_run(photo_folder, "auto", mended, other), tmp_path)
    assert (mended.asked, other.asked) == (6, 0)
    assert [facts["code"] for facts in results.methods.values()] == ["mended", ""]


def test_other_code_is_measured_anew_when_a_stopped_run_goes_on(photo_folder: Path, tmp_path: Path):
    with pytest.raises(KeyboardInterrupt):
        evaluate(make_run(photo_folder, "auto", Counting(stop_after=4)), tmp_path)
    mended = Counting()
    mended.code = "mended"
    evaluate(make_run(photo_folder, "auto", mended), tmp_path)
    assert mended.asked == 6


def test_any_number_of_processes_finds_the_same(photo_folder: Path, tmp_path: Path):
    methods = [get_contestant(name) for name in ("gray", "reinhard")]
    Image.fromarray(make_rgb(9)).convert("L").save(photo_folder / "field" / "gray.png")
    written = []
    for jobs in (1, 2):
        out = tmp_path / str(jobs)
        evaluate(make_run(photo_folder, "exemplar-class", *methods), out, jobs=jobs)
        files = sorted(file for file in out.rglob("*") if file.is_file())
        written.append([(file.relative_to(out), file.read_bytes()) for file in files])
    assert written[0] == written[1]
    with pytest.raises(OptionError, match="1 or more processes"):
        evaluate(make_run(photo_folder, "auto", *methods), jobs=0)


class Dying(Gray):
    """Ends its process, as a system without memory does."""

    def answer(self, case):
        os._exit(9)


def test_a_process_that_ends_is_one_clear_line(photo_folder: Path, tmp_path: Path):
    with pytest.raises(EvaluationError, match=r"one of 2 processes ended.*fewer --jobs"):
        evaluate(make_run(photo_folder, "auto", Dying("dying")), tmp_path / "out", jobs=2)
    assert (tmp_path / "out" / JOURNAL_FILE).exists()


def test_the_truth_is_seen_once_for_all_methods(photo_folder: Path, monkeypatch: pytest.MonkeyPatch):
    seen: list[bytes] = []

    class Watching:
        def __init__(self, frozen: Path | None) -> None: ...

        def top1(self, rgb: np.ndarray) -> int:
            seen.append(rgb.tobytes())
            return 0

    monkeypatch.setattr("tinct.evaluation.metrics.semantic.Classifier", Watching)
    monkeypatch.setitem(METRICS, "semantic", replace(METRICS["semantic"], networks=()))
    contestants = [Counting(name=name) for name in ("one", "two", "three")]
    evaluate(make_run(photo_folder, "auto", *contestants, more_metrics=("semantic",)))
    truths = [photograph.read().tobytes() for photograph in find_photographs(photo_folder)]
    assert [seen.count(truth) for truth in truths] == [1] * 6
    assert len(seen) == 6 * (1 + 3)


class Brightness:
    """Stands for a feature network: two figures of a picture."""

    def __init__(self, frozen: Path | None = None) -> None: ...

    def __call__(self, rgb: np.ndarray) -> np.ndarray:
        return np.float32([rgb[..., 0].mean(), rgb[..., 2].std()])


@pytest.fixture
def feature_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METRICS, "fid", replace(METRICS["fid"], features=Brightness, networks=()))


@pytest.mark.usefixtures("feature_network")
def test_fid_is_the_distance_of_all_pictures_together(photo_folder: Path, tmp_path: Path):
    methods = FinishedPictures("itself", photo_folder), Gray()
    run = make_run(photo_folder, "exemplar-class", *methods, more_metrics=("fid",))
    results = evaluate(run, tmp_path / "out")
    truths = [photograph.read() for photograph in find_photographs(photo_folder)]
    grays = [run.protocol.plain(photograph, "auto").gray() for photograph in find_photographs(photo_folder)]
    features = (np.stack([Brightness()(rgb) for rgb in pictures]) for pictures in (grays, truths))
    expected = frechet_distance(*map(gaussian, features))
    gray = results.summary()["gray"]["exemplar"]["fid"]
    assert gray == {"mean": pytest.approx(expected, rel=1e-4), "count": 6}
    assert results.summary()["itself"]["exemplar"]["fid"]["mean"] == pytest.approx(0, abs=1e-6)
    assert read_results(tmp_path / "out").to_json() == results.to_json()
    page = markdown_table(columns_of(results, "exemplar"), results.heading.metrics)
    assert f"| {expected:.1f} (6) |" in page
    in_memory = evaluate(make_run(photo_folder, "exemplar-class", *methods, more_metrics=("fid",)))
    assert in_memory.to_json() == results.to_json()


@pytest.mark.usefixtures("feature_network")
def test_fid_of_a_stopped_run_is_that_of_an_unbroken_one(photo_folder: Path, tmp_path: Path):
    def run(contestant: Counting) -> Run:
        return make_run(photo_folder, "auto", contestant, more_metrics=("fid",))

    evaluate(run(Counting()), tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        evaluate(run(Counting(stop_after=4)), tmp_path / "broken")
    (first, *_) = (tmp_path / "broken" / "features" / "fid" / "counting").iterdir()
    first.unlink()
    again = Counting()
    evaluate(run(again), tmp_path / "broken")
    assert again.asked == 3  # the two that were left, and the one whose features are gone
    written = [(tmp_path / name / RESULTS_FILE).read_bytes() for name in ("whole", "broken")]
    assert written[0] == written[1]


@pytest.mark.parametrize("metric", ["lpips", "semantic", "fid", "fid_squeeze", "psnr", "gain"])
def test_scores_against_the_truth_are_refused_where_there_is_none(photo_folder: Path, metric: str):
    with pytest.raises(EvaluationError, match=f"{metric} compares with true photographs"):
        evaluate(make_run(photo_folder, "legacy", Gray(), more_metrics=(metric,)))


def test_photographs_are_what_their_profile_says(tmp_path: Path):
    from tinct.photo.profiles import srgb_icc

    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 200
    head, rest = srgb_icc()[:300], srgb_icc()[300:]  # tags are named in the head
    names = {b"rXYZ": b"bXYZ", b"bXYZ": b"rXYZ"}
    swapped = re.sub(b"|".join(names), lambda found: names[found[0]], head) + rest
    Image.fromarray(red).save(tmp_path / "a.png", icc_profile=swapped)
    Image.fromarray(red).save(tmp_path / "b.png", icc_profile=srgb_icc())
    one, other = (photograph.read() for photograph in find_photographs(tmp_path))
    assert np.abs(one.astype(int) - red[..., ::-1]).max() <= 1
    assert np.array_equal(other, red)


class Failing(Counting):
    """Cannot make anything of references."""

    def answer(self, case):
        if case.references:
            raise MethodError("it fails; give another")
        return super().answer(case)


def test_what_was_left_out_is_still_named_when_a_run_goes_on(photo_folder: Path, tmp_path: Path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    evaluate(make_run(photo_folder, "exemplar-class", Failing()), whole)
    with pytest.raises(KeyboardInterrupt):
        evaluate(make_run(photo_folder, "exemplar-class", Failing(stop_after=3)), broken)
    evaluate(make_run(photo_folder, "exemplar-class", Failing()), broken)
    assert len(read_results(whole).left_out) == 6
    assert (broken / RESULTS_FILE).read_bytes() == (whole / RESULTS_FILE).read_bytes()
    evaluate(make_run(photo_folder, "exemplar-class", Failing()), whole)
    assert (broken / RESULTS_FILE).read_bytes() == (whole / RESULTS_FILE).read_bytes()


def test_a_stopped_run_of_another_question_is_not_lost(photo_folder: Path, tmp_path: Path):
    with pytest.raises(KeyboardInterrupt):
        evaluate(make_run(photo_folder, "auto", Counting(stop_after=2)), tmp_path)
    before = (tmp_path / JOURNAL_FILE).read_bytes()
    with pytest.raises(EvaluationError, match=r"another seed \(0 and 1\)"):
        evaluate(make_run(photo_folder, "auto", Counting(), seed=1), tmp_path)
    assert (tmp_path / JOURNAL_FILE).read_bytes() == before


def test_finished_results_of_another_question_are_not_lost(photo_folder: Path, tmp_path: Path):
    evaluate(make_run(photo_folder, "auto", Gray()), tmp_path)
    before = (tmp_path / RESULTS_FILE).read_bytes()
    with pytest.raises(EvaluationError, match=r"another photographs .*another --out"):
        evaluate(make_run(photo_folder, "auto", Gray(), limit=2), tmp_path)
    assert (tmp_path / RESULTS_FILE).read_bytes() == before
    evaluate(make_run(photo_folder, "auto", Gray(), limit=2), tmp_path, restart=True)
    assert len({record.photograph for record in read_results(tmp_path).records}) == 2


@pytest.mark.parametrize("protocol", ["auto", "exemplar-class", "exemplar-self"])
@pytest.mark.parametrize("what", ["pixels", "another one"])
def test_records_of_other_photographs_are_not_gone_on_with(
    photo_folder: Path, tmp_path: Path, protocol: str, what: str
):
    """A photograph more changes which references are drawn, where references are drawn from the set."""
    folder, out = shutil.copytree(photo_folder, tmp_path / "in"), tmp_path / "out"
    evaluate(make_run(folder, protocol, Gray(), limit=3), out)
    first = make_run(folder, protocol, Gray(), limit=3).chosen()[0].path
    with Image.open(first) as image:
        changed = image.rotate(180)
    changed.save(first if what == "pixels" else first.with_name(f"zz{first.name}"))
    again = make_run(folder, protocol, Gray(), limit=3)
    names = [photograph.name for photograph in again.chosen()]
    if what == "pixels" or (
        protocol == "exemplar-class" and names == list(read_results(out).heading.photographs)
    ):
        with pytest.raises(EvaluationError, match="files that have changed"):
            evaluate(again, out)


def test_results_without_a_hash_of_their_files_fit_any(photo_folder: Path, tmp_path: Path):
    evaluate(make_run(photo_folder, "auto", Gray()), tmp_path)
    content = json.loads((tmp_path / RESULTS_FILE).read_text())
    assert content.pop("content")
    (tmp_path / RESULTS_FILE).write_text(json.dumps(content))
    counting = Counting()
    results = evaluate(make_run(photo_folder, "auto", Gray(), counting), tmp_path)
    assert (counting.asked, len(results.heading.content)) == (6, 24)


def test_methods_that_a_line_does_not_name_are_not_lost(photo_folder: Path, tmp_path: Path):
    evaluate(make_run(photo_folder, "auto", Gray(), Counting()), tmp_path)
    before = (tmp_path / RESULTS_FILE).read_bytes()
    with pytest.raises(EvaluationError, match="has results of counting too"):
        evaluate(make_run(photo_folder, "auto", Gray()), tmp_path)
    assert (tmp_path / RESULTS_FILE).read_bytes() == before


def test_pictures_that_are_wanted_later_are_made(photo_folder: Path, tmp_path: Path):
    evaluate(make_run(photo_folder, "auto", Counting()), tmp_path)
    before = (tmp_path / RESULTS_FILE).read_bytes()
    evaluate(make_run(photo_folder, "auto", Counting()), tmp_path, full_pictures=True)
    assert len(list((tmp_path / "pictures" / "counting").glob("*.png"))) == 6
    assert (tmp_path / RESULTS_FILE).read_bytes() == before
    again = Counting()
    evaluate(make_run(photo_folder, "auto", again), tmp_path, full_pictures=True)
    assert again.asked == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"path,class\na.jpg,x\na.jpg,x\n", "lists a.jpg more than once"),
        (b"path,class\na.jpg,x\n,x\n", "a line without a path"),
        ("path,class\na.jpg,sch\u00f6n\n".encode("latin-1"), "no CSV in UTF-8"),
        ("path,class\na.jpg,x\n".encode("utf-16")[:-1], "no CSV in UTF-8"),
    ],
)
def test_an_index_that_cannot_be_meant_is_refused(tmp_path: Path, content: bytes, said: str):
    Image.new("RGB", (40, 30), (200, 30, 30)).save(tmp_path / "a.jpg")
    (tmp_path / "index.csv").write_bytes(content)
    with pytest.raises(EvaluationError, match=said):
        find_photographs(tmp_path / "index.csv")
    (tmp_path / "index.csv").write_bytes("\ufeffpath,class\na.jpg,x\n".encode())
    assert [each.name for each in find_photographs(tmp_path / "index.csv")] == ["a.jpg"]


def test_results_are_read_as_they_were_written(photo_folder: Path, tmp_path: Path):
    results = evaluate(make_run(photo_folder, "hints", Gray(), limit=1), tmp_path)
    again = read_results(tmp_path)
    assert again.heading == results.heading
    assert again.records == results.records
    assert again.to_json() == results.to_json()


def test_photographs_without_color_are_left_out_and_named(photo_folder: Path, tmp_path: Path):
    Image.fromarray(make_rgb(9)).convert("L").save(photo_folder / "field" / "gray.png")
    results = evaluate(make_run(photo_folder, "auto", Gray()), tmp_path)
    assert list(results.left_out) == ["field/gray.png"]
    assert len({r.photograph for r in results.records}) == 6


def test_when_nothing_can_be_measured_nothing_is_written(tmp_path: Path):
    Image.fromarray(make_rgb(9)).convert("L").save(tmp_path / "gray.png")
    with pytest.raises(EvaluationError, match="none of 1 photographs could be measured"):
        evaluate(make_run(tmp_path, "auto", Gray()), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_finished_pictures_of_another_size_are_refused(photo_folder: Path, tmp_path: Path):
    folder = tmp_path / "other"
    folder.mkdir()
    for photograph in find_photographs(photo_folder):
        Image.fromarray(make_rgb(0, 20, 28)).save(folder / Path(photograph.name).name)
    with pytest.raises(ShapeError, match=r"gave 28x20 for field/0\.png, which is 56x40"):
        evaluate(make_run(photo_folder, "auto", get_contestant(f"other={folder}")))


def test_pictures_of_a_run_are_known_by_the_names_that_it_gave_them(photo_folder: Path, tmp_path: Path):
    run = make_run(photo_folder, "auto", Gray())
    evaluate(run, tmp_path / "first", full_pictures=True)
    again = get_contestant(f"again={tmp_path / 'first' / 'pictures' / 'gray'}")
    results = evaluate(make_run(photo_folder, "auto", again, Gray()))
    scores = [
        [record.scores["psnr"] for record in results.records if record.method == name]
        for name in ("again", "gray")
    ]
    assert scores[0] == scores[1]
    assert len(scores[0]) == len(run.chosen())


def test_a_folder_with_none_of_the_pictures_is_refused_and_names_are_said(photo_folder: Path, tmp_path: Path):
    Image.fromarray(make_rgb(0, 20, 28)).save(tmp_path / "elsewhere.png")
    with pytest.raises(EvaluationError, match=r"has no picture of any of .* name them as these are, '0'"):
        evaluate(make_run(photo_folder, "auto", get_contestant(f"other={tmp_path}"), Gray()))


def test_a_predictor_of_another_size_is_refused(photo_folder: Path):
    with pytest.raises(ShapeError, match="is wanted"):
        evaluate_predictor(
            lambda lightness, hints, references: np.zeros((8, 8, 2), np.float32),
            get_protocol("auto"),
            find_photographs(photo_folder),
        )


def test_missing_frozen_networks_are_named_before_anything_is_measured(
    photo_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    for name in ("TINCT_SHARED", "TINCT_FROZEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TINCT_CACHE", str(tmp_path / "cache"))
    gray = Counting()
    with pytest.raises(WeightsError):
        evaluate(make_run(photo_folder, "auto", gray, more_metrics=("lpips",)), tmp_path / "out")
    assert gray.asked == 0
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{}", "not a results file"),
        ("nonsense", "not a results file"),
        ('{"schema": 99}', "has version 99"),
        ('{"schema": 1, "protocol": "auto"}', "is damaged"),
    ],
)
def test_a_results_file_that_does_not_fit_is_one_clear_line(tmp_path: Path, content: str, said: str):
    (tmp_path / "results.json").write_text(content)
    with pytest.raises(EvaluationError, match=said) as caught:
        read_results(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_packed_results_file_is_read_as_it_was(photo_folder: Path, tmp_path: Path):
    results = evaluate(make_run(photo_folder, "auto", Gray()))
    packed = tmp_path / "auto.json.xz"
    packed.write_bytes(lzma.compress(results.to_json().encode()))
    assert read_results(packed).to_json() == results.to_json()


def test_a_damaged_packed_results_file_is_one_clear_line(tmp_path: Path):
    packed = tmp_path / "auto.json.xz"
    packed.write_bytes(lzma.compress(b"{}" * 1000)[:-8])
    with pytest.raises(EvaluationError, match="not a results file"):
        read_results(packed)


def test_a_missing_results_file_is_one_clear_line(tmp_path: Path):
    with pytest.raises(EvaluationError, match="does not exist"):
        read_results(tmp_path / "nowhere.json")


def test_unknown_names_are_refused(photo_folder: Path):
    with pytest.raises(MethodError, match="no method is called 'magic'"):
        get_contestant("magic")
    with pytest.raises(EvaluationError, match="is not a folder"):
        get_contestant(f"other={photo_folder / 'nowhere'}")
    with pytest.raises(OptionError, match="given twice"):
        evaluate(make_run(photo_folder, "auto", Gray(), Gray()))
    with pytest.raises(EvaluationError, match="no metric is called 'beauty'"):
        evaluate(make_run(photo_folder, "auto", Gray(), more_metrics=("beauty",)))


def test_registered_methods_take_the_path_of_users(photo_folder: Path):
    """What a protocol measures is what `colorize` gives for the same photograph and reference."""
    from tinct.colorizing.colorizer import colorize
    from tinct.evaluation.run.contestants import RegisteredMethod

    photographs = find_photographs(photo_folder)
    case = get_protocol("exemplar-class").cases(photographs[0], photographs, seed=0)[-1]
    mine = RegisteredMethod("reinhard").answer(case)
    theirs = colorize(case.gray()[..., 0], case.references[0], method="reinhard")
    assert np.abs(mine.astype(int) - theirs).max() <= 2  # the protocol's grey has 16 bits
    lightness = rgb_to_lab(mine.astype(np.float32) / 255)[..., 0]
    assert np.abs(lightness - case.lightness).max() < 1.0


@pytest.mark.parametrize("method", ["tinct", "zhang2016", "welsh"])
def test_what_is_measured_is_the_answer_that_users_get(photo_folder: Path, method: str):
    """No photograph is answered with an alternative: its record is the score of a plain `colorize`."""
    from tinct.colorizing.colorizer import colorize
    from tinct.evaluation.run.contestants import get_contestant

    protocol = "exemplar-class" if method == "welsh" else "auto"
    run = make_run(photo_folder, protocol, get_contestant(method))
    records = evaluate(run).records
    assert len({record.photograph for record in records}) > 1
    for photograph in run.chosen():
        case = get_protocol(protocol).cases(photograph, run.photographs, seed=0)[-1]
        theirs = colorize(case.gray()[..., 0], list(case.references) or None, method=method)
        assert case.truth is not None
        expected = 10 * np.log10(255**2 / np.mean((theirs.astype(float) - case.truth) ** 2))
        mine = [r for r in records if (r.photograph, r.case) == (photograph.name, case.label)]
        assert [r.scores["psnr"] for r in mine] == [pytest.approx(expected, abs=0.2)]


def test_an_alternative_is_measured_where_it_is_asked_for(photo_folder: Path):
    from tinct.evaluation.run.contestants import get_contestant

    photographs = find_photographs(photo_folder)
    case = get_protocol("auto").cases(photographs[0], photographs, seed=0)[0]
    alternative = get_contestant("tinct:seed=1234567")
    assert alternative.name == "tinct:seed=1234567"
    assert not np.array_equal(alternative.answer(case), get_contestant("tinct").answer(case))
    assert np.array_equal(get_contestant("tinct:seed=0").answer(case), get_contestant("tinct").answer(case))
    for setting in ("seed=2.5", "seed=nan", "size=inf"):
        with pytest.raises(OptionError, match="it must be"):
            get_contestant(f"tinct:{setting}")


def test_the_command_line_evaluates_and_says_what_is_wrong(photo_folder: Path, tmp_path: Path, capsys):
    from tinct.cli import run

    out = tmp_path / "run"
    assert run(["evaluate", "auto", "--data", str(photo_folder), "--out", str(out), "--limit", "2"]) == 0
    assert "PSNR" in capsys.readouterr().out
    assert json.loads((out / RESULTS_FILE).read_text())["protocol"] == "auto"
    assert (out / "report.html").exists()
    assert run(["evaluate", "automatic", "--data", str(photo_folder)]) == 2
    assert run(["evaluate", "auto", "--data", str(tmp_path / "nowhere")]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 2
    assert all(line.startswith("tinct: ") for line in said)


def said_in_one_line(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What the command line says where it ends with status 2."""
    from tinct.cli import run

    capsys.readouterr()
    assert run(["evaluate", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("tinct: ")
    return line


def test_bad_input_is_one_line_and_status_2(
    photo_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("in the way")
    data = ("--data", str(photo_folder))
    out = ("--out", str(tmp_path / "out"))
    for wrong, said in {
        ("auto", "--data", str(tmp_path / "empty"), *out): "has no photographs",
        ("automatic", *data, *out): "no protocol is called 'automatic'",
        ("auto", *data, "--limit", "0", *out): "limit is 0",
        ("auto", *data, "--jobs", "0", *out): "jobs is 0",
        ("auto", *data, "--out", str(tmp_path / "file")): "cannot be written",
        ("auto", *data, "--metric", "seconds", *out): "no metric is called 'seconds'",
        ("auto", *data, "--size", "256", *out): "--size means nothing",
        ("auto", *data, "-m", f"../up={photo_folder}", *out): "cannot be the name",
        ("auto", *data, "-m", f"truth={photo_folder}", *out): "cannot be the name",
        ("runtime", *data, "--limit", "3", *out): "--limit means nothing",
        ("runtime", *data, "-m", "magic", *out): "no method is called 'magic'",
        ("runtime", *data, "-m", f"other={photo_folder}", *out): "cannot be timed",
    }.items():
        assert said in said_in_one_line(capsys, *wrong)
    assert not (tmp_path / "out").exists()


def test_an_unreadable_photograph_is_named_and_the_others_are_measured(
    photo_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    whole = (photo_folder / "field" / "0.png").read_bytes()
    (photo_folder / "field" / "0.png").write_bytes(whole[:200])
    out = tmp_path / "out"
    line = said_in_one_line(capsys, "auto", "--data", str(photo_folder), "--out", str(out))
    assert "1 photographs cannot be read, the others were measured" in line
    assert "0.png" in line
    assert len(read_results(out).records) == 5
    assert (out / "report.html").is_file()


def test_limit_below_one_is_refused(photo_folder: Path):
    photographs: PhotographSet = find_photographs(photo_folder)
    with pytest.raises(EvaluationError, match="1 or more"):
        photographs.limited(0)


def colored(lightness: np.ndarray, *given: object) -> np.ndarray:
    return np.stack([0.06 * lightness, 0.18 * lightness], -1)


def test_what_one_function_writes_into_its_input_changes_no_other_score(photo_folder: Path):
    def careless(lightness: np.ndarray, *given: object) -> np.ndarray:
        lightness *= 0.5
        return np.zeros((*lightness.shape, 2))

    both = [CallablePredictor(careless, "careless"), Gray(), CallablePredictor(colored, "colored")]
    found = [
        evaluate(make_run(photo_folder, "auto-256", *order, limit=2)).summary()
        for order in (both, both[::-1])
    ]
    assert found[0] == found[1]


def test_records_of_a_function_are_taken_over_only_where_its_version_is_named(photo_folder: Path):
    asked: list[str] = []

    def first(lightness: np.ndarray, *given: object) -> np.ndarray:
        asked.append("first")
        return np.zeros((*lightness.shape, 2))

    def second(lightness: np.ndarray, *given: object) -> np.ndarray:
        asked.append("second")
        return colored(lightness)

    out = photo_folder.parent / "out"
    for function, code in ((first, None), (second, None), (second, "2"), (first, "2")):
        asked.clear()
        contestant = CallablePredictor(function, "mine", code=code)
        results = evaluate(make_run(photo_folder, "auto", contestant, limit=1), out)
        chroma = results.summary()["mine"]["auto"]["colorfulness"]["mean"]
        assert (chroma > 0) == (function is second or code == "2")
        assert bool(asked) == ((function, code) != (first, "2"))


@pytest.mark.parametrize("name", ["truth", "gray", "reference", "", ".", "..", "../escaped", "a\\b", "a/b"])
def test_a_contestant_has_a_plain_name(photo_folder: Path, name: str):
    run = make_run(photo_folder, "auto", CallablePredictor(colored, name), limit=1)
    with pytest.raises(EvaluationError, match="plain name"):
        evaluate(run, photo_folder.parent / "out" / "deep")
    assert not (photo_folder.parent / "out").exists()
