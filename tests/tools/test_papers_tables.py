"""Laws of the papers' tables: kinds of photographs, losses by model, lists of classes, what fools, parts of a page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="the tests' networks need torch: pip install 'tinct[train]'")
pytest.importorskip("onnx", reason="the tests' networks need onnx: pip install 'tinct[train]'")

from evaluation_photographs import make_rgb, write_photographs
from paper_weights import release_network, tiny_network
from tinct import weights
from tinct.color.bins import AB_BINS, encode_bins
from tinct.errors import EvaluationError
from tinct.evaluation.photographs.sets import find_photographs
from tinct.evaluation.protocols import get_protocol
from tinct.evaluation.run.contestants import Gray, RegisteredMethod
from tinct.evaluation.run.evaluator import evaluate
from tinct.evaluation.run.plan import Run
from tinct.evaluation.run.results import Record, Results, write_result
from tools.papers import classification, gallery, loss_table, thesis_sets
from tools.papers.__main__ import main
from tools.papers.page import Section, papers_page, updated_page
from tools.papers.recorded import recorded
from tools.papers.tables import THESIS_PUBLISHED

NETWORKS = ("zhang2016", "zhang2016-l2", "scunet")


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of tiny networks."""
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    for name in NETWORKS:
        release_network(tiny_network(name), name, folder)
    return folder


@pytest.fixture
def installed(networks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny networks, no released one, and no frozen one."""
    monkeypatch.setattr(weights, "_folders", lambda: [networks])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("TINCT_FROZEN", "TINCT_SHARED"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def results(tmp_path: Path, installed) -> Results:
    """A run of `auto-256` of gray and of a tiny network, on six photographs."""
    photographs = find_photographs(write_photographs(tmp_path / "data" / "test"))
    return evaluate(Run(get_protocol("auto-256"), [Gray(), RegisteredMethod("scunet")], photographs))


def with_scores(results: Results, scores: dict[str, dict[str, dict[str, float]]]) -> Results:
    """The results with other scores: method -> photograph -> metric -> score."""
    records = [
        Record(photograph, method, "auto", own)
        for method, photographs in scores.items()
        for photograph, own in photographs.items()
    ]
    return replace(results, records=tuple(records))


def test_a_source_is_the_index_s_or_the_folder_s(tmp_path: Path):
    folder = write_photographs(tmp_path / "test")
    assert thesis_sets.sources_of(folder)["harbor/1.png"] == "harbor"
    lines = [f"test/{name},{where}\n" for name, where in (("field/0.png", "coco"), ("harbor/1.png", "sun8"))]
    for column in ("set", "source"):
        (tmp_path / "test.csv").write_text(f"path,{column}\n" + "".join(lines))
        assert thesis_sets.sources_of(folder) == {"test/field/0.png": "coco", "test/harbor/1.png": "sun8"}


def test_each_kind_has_the_means_of_its_own_photographs_beside_the_published_ones(results: Results):
    sources = {name: "coco" if "field" in name else "nips17" for name in results.heading.photographs}
    said: list[str] = []
    section = thesis_sets.thesis_sets(results, sources, None, said.append)
    assert section
    parts = dict(
        zip(
            ("ImageNet-like", "COCO-like"),
            section.text.split("**ImageNet-like**")[1].split("**COCO-like**"),
            strict=True,
        )
    )
    for (kind, text), which in zip(parts.items(), ("harbor", "field"), strict=True):
        ours = np.mean([v for n, v in results.scores("scunet", "auto", "psnr").items() if which in n])
        published = THESIS_PUBLISHED["scunet"][{"ImageNet-like": 0, "COCO-like": 3}[kind]]
        row = next(line for line in text.replace("*", "").splitlines() if "(`scunet`)" in line)
        assert row.startswith(f"| SegClassRegSoft (`scunet`) | {ours:.2f} ± ")
        assert f"| {published[0]:.2f} |" in row
        assert f"| {published[2]:.3f} |" in row
    assert any("high-resolution" in line and "--high-resolution FOLDER" in line for line in said)
    assert any("Places-like" in line for line in said)


def test_photographs_of_high_resolution_are_measured_at_their_own_size(tmp_path: Path, installed):
    folder = tmp_path / "large"
    folder.mkdir()
    for name, side in (("large.png", 1420), ("small.png", 300)):
        Image.fromarray(make_rgb(1)).resize((side, side), Image.Resampling.BICUBIC).save(folder / name)
    said: list[str] = []
    found = thesis_sets.high_resolution([RegisteredMethod("scunet")], folder, tmp_path / "out", said.append)
    assert found.heading.photographs == ("large.png",)
    assert "square" not in found.heading.parameters
    assert said == [f"1 photographs of {folder}: they have fewer than 2,000,000 pixels."]
    assert set(found.scores("scunet", "auto", "psnr")) == {"large.png"}
    (folder / "large.png").unlink()
    with pytest.raises(EvaluationError, match="no photograph of 2,000,000 pixels"):
        thesis_sets.high_resolution([], folder, tmp_path / "out", said.append)


def test_losses_are_least_for_the_truth_and_known_for_an_even_distribution():
    generator = np.random.default_rng(0)
    truth = np.repeat(np.repeat(generator.uniform(-40, 40, (4, 4, 2)), 4, 0), 4, 1).astype(np.float32)
    index, share = encode_bins(truth[::4, ::4])
    exact = np.zeros((4, 4, len(AB_BINS)), np.float32)
    np.put_along_axis(exact, index, share, -1)
    even = np.full_like(exact, 1 / len(AB_BINS))
    best, plain = (loss_table.losses_of(truth, p, truth[::4, ::4]) for p in (exact, even))
    assert plain["cross_entropy"] == pytest.approx(np.log(313), rel=1e-5)
    assert best["cross_entropy"] == pytest.approx(-(share * np.log(share)).sum(-1).mean(), rel=1e-5)
    rarity = loss_table.WEIGHTS[index[..., 0]].mean()
    assert plain["rebalanced"] == pytest.approx(np.log(313) * rarity, rel=1e-5)
    assert best["l2"] == pytest.approx(0, abs=1e-9)
    off = loss_table.losses_of(truth, None, truth[::4, ::4] + np.float32(11))
    assert off == {"l2": pytest.approx(1000 * 2 * 0.1**2 / 2, rel=1e-4)}


def test_the_table_of_losses_has_what_each_network_predicts(tmp_path: Path, installed):
    photographs = find_photographs(write_photographs(tmp_path / "photos"))
    said: list[str] = []
    models = [RegisteredMethod(name) for name in NETWORKS]
    section = loss_table.loss_table(models, photographs, None, 2, said.append)
    assert section
    rows = {line.split(" | ")[0]: line for line in section.text.splitlines() if line.startswith("| ")}
    assert rows["| `zhang2016-l2`"].count("\N{EN DASH}") == 2
    assert rows["| `zhang2016`"].split(" | ")[3].startswith("**")
    assert "2 test photographs" in section.text.lower()
    assert "--pool FOLDER" in said[0]
    assert loss_table.loss_table([Gray()], photographs, None, 2, said.append) is None


def test_validation_losses_are_of_the_photographs_held_out(tmp_path: Path, installed):
    from tinct.training.photographs import Photographs, pack

    write_photographs(tmp_path / "photos")
    for seed in range(6, 60):
        Image.fromarray(make_rgb(seed)).save(tmp_path / "photos" / "field" / f"{seed}.png")
    pack(tmp_path / "photos", tmp_path / "pool", workers=1)
    held_out = int(Photographs.load(tmp_path / "pool").held_out().sum())
    assert held_out
    photographs = find_photographs(tmp_path / "photos")
    section = loss_table.loss_table(
        [RegisteredMethod("zhang2016-l2")], photographs, tmp_path / "pool", 3, [].append
    )
    assert section
    assert f"{min(held_out, 3)} validation photographs" in section.text


def test_only_a_vivid_result_of_the_same_class_fools(results: Results):
    fair = {"semantic": 1.0, "ciede2000": 9.0, "colorfulness": 30.0, "colorfulness_difference": -3.0}
    others = {
        "another class": fair | {"semantic": 0.0},
        "dull": fair | {"colorfulness": 12.0, "colorfulness_difference": -21.0},
        "garish": fair | {"colorfulness": 60.0, "colorfulness_difference": 27.0},
        "gray truth": fair | {"colorfulness": 6.0, "colorfulness_difference": 0.0},
    }
    found = gallery.fooling(with_scores(results, {"scunet": {"fair": fair, **others}}), "scunet")
    assert found == {"fair": 9.0}
    unmeasured = {name: score for name, score in fair.items() if name != "semantic"}
    assert gallery.fooling(with_scores(results, {"scunet": {"fair": unmeasured}}), "scunet") == {}


def test_classes_are_listed_where_gray_and_the_result_differ(results: Results, tmp_path: Path, monkeypatch):
    photographs = find_photographs(tmp_path / "data" / "test")
    restored, lost, both = (photograph.name for photograph in photographs[:3])
    gray = {restored: 0.0, lost: 1.0, both: 1.0}
    colored = {restored: 1.0, lost: 0.0, both: 1.0}
    scored = {
        name: {photograph: {"semantic": score} for photograph, score in scores.items()}
        for name, scores in (("gray", gray), ("scunet", colored))
    }

    class SeesColor:
        """Class 1 in what has color, class 0 elsewhere."""

        def __init__(self, folder: Path | None) -> None: ...

        def __call__(self, rgb: np.ndarray) -> np.ndarray:
            sure = float(np.ptp(rgb.astype(int), axis=-1).max() > 10)
            return np.array([1 - sure, sure, 0, 0, 0, 0], np.float32) * 0.75

    monkeypatch.setattr(classification, "Classifier", SeesColor)
    monkeypatch.setattr(classification, "locate", lambda *_: tmp_path / "classifier.tflite")
    names = tmp_path / "names.txt"
    names.write_text("background\nflower_bed, border\n")
    run = Run(get_protocol("auto-256"), [Gray(), RegisteredMethod("scunet")], photographs)
    said: list[str] = []
    section = classification.listing(
        run, with_scores(results, scored), "scunet", tmp_path, names, said.append
    )
    assert section
    restores, loses = section.text.split("**The result loses")
    assert f"`{restored}`" in restores
    assert f"`{lost}`" in loses
    assert both not in section.text
    assert "| flower bed 0.75 | background 0.75 |" in section.text
    assert section.pictures[0].is_file()
    same = with_scores(results, {"gray": scored["gray"], "scunet": scored["gray"]})
    assert classification.listing(run, same, "scunet", tmp_path, names, said.append) is None
    assert "no class of a photograph differs" in said[0]


def test_sections_take_the_place_of_those_of_their_titles(tmp_path: Path):
    def page(names: str, text: str, left_out: list[str]) -> str:
        return papers_page([Section(name, text) for name in names], left_out, tmp_path, shown=False)

    old = page("ACD", "old", ["x: not installed"])
    assert updated_page(old, old) == old
    new = updated_page(old, page("CBE", "new", ["x: not installed", "y: not brought"]))
    titles = [line[3:] for line in new.splitlines() if line.startswith("## ")]
    assert titles == ["A", "C", "B", "E", "D", "Left out"]
    assert new.count("new") == 3
    assert new.count("- x: not installed") == new.count("- y: not brought") == 1


def test_records_of_other_weights_are_left_out(results: Results, tmp_path: Path):
    file = tmp_path / "results.json"
    write_result(file, results.to_json())
    contestants, said = [Gray(), RegisteredMethod("scunet")], []
    assert recorded([file], contestants, said.append).records == results.records
    assert said == []
    other = replace(
        results, methods=results.methods | {"scunet": {"weights_sha256": "0" * 64, "unanswered": []}}
    )
    write_result(file, other.to_json())
    found = recorded([file], contestants, said.append)
    assert {record.method for record in found.records} == {"gray"}
    assert said[0].startswith("scunet is left out: its record is of other weights")
    with pytest.raises(EvaluationError, match="2 tables"):
        recorded([file, file], contestants, said.append)


def test_one_part_is_made_alone_from_a_finished_run(results: Results, tmp_path: Path, installed):
    pytest.importorskip("matplotlib", reason="a run's report needs matplotlib: pip install 'tinct[evaluate]'")
    run, page = tmp_path / "run.json", tmp_path / "page.md"
    write_result(run, results.to_json())
    index = "".join(f"test/{name},nips17\n" for name in results.heading.photographs)
    (tmp_path / "data" / "test.csv").write_text("path,set\n" + index)
    renamed = [replace(r, photograph=f"test/{r.photograph}") for r in results.records]
    heading = replace(results.heading, photographs=tuple(f"test/{n}" for n in results.heading.photographs))
    write_result(run, replace(results, records=tuple(renamed), heading=heading).to_json())
    page.write_text(papers_page([Section("Other", "stays")], [], tmp_path, shown=False))
    line = [str(tmp_path / "data"), "--out", str(tmp_path / "out"), "--page", str(page)]
    assert main([*line, "--only", "sets", "--results", str(run)]) == 0
    text = page.read_text()
    assert "stays" in text
    assert thesis_sets.TITLE in text
    assert not (tmp_path / "out" / "auto-256").exists()
    assert main([*line, "--only", "everything"]) == 2
