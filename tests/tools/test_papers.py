"""Laws of the papers' page, on tiny random networks: what is there is shown, what is not is named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="the tests' networks need torch: pip install 'tinct[train]'")
pytest.importorskip("onnx", reason="the tests' networks need onnx: pip install 'tinct[train]'")
pytest.importorskip("matplotlib", reason="the page needs matplotlib: pip install 'tinct[evaluate]'")

from evaluation_photographs import write_photographs
from paper_weights import release_network, tiny_network, tiny_subnets
from tinct import weights
from tinct.color.gamut import merge_lightness
from tinct.color.lab import rgb_to_lab
from tinct.evaluation.photographs.rgb import read_rgb, to_8bit
from tinct.evaluation.photographs.sets import find_photographs
from tinct.evaluation.protocols import get_protocol
from tinct.evaluation.run.contestants import CallablePredictor, Gray, RegisteredMethod
from tinct.evaluation.run.evaluator import evaluate
from tinct.evaluation.run.plan import Run
from tinct.evaluation.run.results import read_results
from tinct.hints import HintField
from tinct.methods import Reference, get_method
from tinct.networks.xu2020.places import PROBABILITY
from tools.papers import classification, exemplar, tables
from tools.papers.__main__ import main
from tools.papers.losses import losses
from tools.papers.sheet import GAP, Row, write_rows

AUTOMATIC = ("zhang2016", "scunet", "scunet-regsoft", "iizuka2016", "pix2pix", "pix2pix-l1")


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of tiny networks: some of the automatic ones, Xu 2020's, and He 2018's, whose features Xu 2020 takes."""
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    found = {name: tiny_network(name) for name in (*AUTOMATIC, "he2018")} | tiny_subnets()
    for name, network in found.items():
        release_network(network, name, folder)
    return folder


@pytest.fixture
def installed(networks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny networks, no released one, and no frozen one."""
    monkeypatch.setattr(weights, "_folders", lambda: [networks])
    without_frozen(tmp_path, monkeypatch)


def without_frozen(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(place / "cache"))
    for name in ("TINCT_FROZEN", "TINCT_SHARED"):
        monkeypatch.delenv(name, raising=False)


def left_out(page: Path) -> str:
    return page.read_text().partition("## Left out")[2]


def test_one_command_makes_all_that_the_weights_allow(tmp_path: Path, installed):
    write_photographs(tmp_path / "data" / "test")
    write_photographs(tmp_path / "data" / "legacy")
    out, page = tmp_path / "out", tmp_path / "docs" / "papers.md"
    line = [str(tmp_path / "data"), "--out", str(out), "--page", str(page), "--limit", "2"]
    assert main([*line, "--camvid", str(tmp_path / "data" / "test")]) == 0
    sheets = {file.name for file in out.glob("*.png")}
    figures = {f"figure{name}.png" for name in ("4-xu2020", "4-xu2020-lite", "5", "6", "7", "8", "6-3")}
    assert sheets == {*figures, "contact.png", "gallery-zhang2016.png"}
    shown, published = (out / "papers.md").read_text(), page.read_text()
    assert all(f"]({name})" in shown and f"`{name}`" in published for name in sheets)
    assert "](" not in published
    found = read_results(out / "auto-256").summary()["scunet"]["auto"]["psnr"]
    assert f"| SegClassRegSoft (`scunet`) | {found['mean']:.2f} ± " in shown.replace("*", "")
    assert "| RegSoft | " in shown
    assert "| full, mean (`zhang2016:vividness=0`) | " in shown
    missing = left_out(out / "papers.md")
    assert "larsson2016: the weights 'larsson2016' are not installed" in missing
    assert "classification transfer: classifier" in missing
    assert "zhang2016-l2" in missing
    assert "scunet:" not in missing


def test_what_networks_minimize_is_compared_by_the_scores_of_one_run(tmp_path: Path, installed):
    write_photographs(tmp_path / "test")
    names = ("zhang2016", "pix2pix", "pix2pix-l1")
    methods = [Gray(), *(RegisteredMethod(name) for name in names)]
    results = evaluate(Run(get_protocol("auto-256"), methods, find_photographs(tmp_path / "test"), 3))
    table = tables.objectives_table(results)
    assert table
    text, summary = table.text.replace("*", ""), results.summary()
    for name in names:
        row = next(line for line in text.splitlines() if f"(`{name}`)" in line and line.startswith("|"))
        assert f"| {summary[name]['auto']['psnr']['mean']:.2f} ± " in row
    gain = summary["pix2pix"]["auto"]["psnr"]["mean"] - summary["pix2pix-l1"]["auto"]["psnr"]["mean"]
    assert f"| absolute error (L1) | {gain:+.3f} (" in text
    only_gray = evaluate(Run(get_protocol("auto-256"), [Gray()], find_photographs(tmp_path / "test"), 3))
    assert tables.objectives_table(only_gray) is None


def test_networks_that_were_trained_for_longer_are_named(
    tmp_path: Path, installed, monkeypatch: pytest.MonkeyPatch
):
    write_photographs(tmp_path / "test")
    methods = [Gray(), RegisteredMethod("scunet"), RegisteredMethod("scunet-regsoft")]
    run = Run(get_protocol("auto-256"), methods, find_photographs(tmp_path / "test"), 2)
    results = evaluate(run)
    alike = tables.thesis_table(results)
    assert alike
    assert "numbers of steps" not in alike.text
    known = weights.manifest()
    longer = known | {"scunet": replace(known["scunet"], steps=12_000)}
    monkeypatch.setattr(tables, "manifest", lambda: longer)
    table = tables.thesis_table(results)
    assert table
    assert "numbers of steps, which differences are also of: RegSoft 1, SegClassRegSoft 12,000." in table.text


def test_a_second_run_measures_nothing_again(tmp_path: Path, installed, monkeypatch: pytest.MonkeyPatch):
    write_photographs(tmp_path / "data" / "test")
    line = [str(tmp_path / "data"), "--out", str(tmp_path / "out"), "--limit", "1", "-m", "iizuka2016"]
    assert main(line) == 0
    first = (tmp_path / "out" / "papers.md").read_text()
    monkeypatch.setattr(
        "tinct.evaluation.run.measuring.Measurer.__call__", lambda *_: pytest.fail("asked again")
    )
    assert main(line) == 0
    assert (tmp_path / "out" / "papers.md").read_text() == first


def test_without_weights_everything_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(weights, "_folders", lambda: [tmp_path])
    without_frozen(tmp_path, monkeypatch)
    write_photographs(tmp_path / "data" / "test")
    photographs = str(tmp_path / "data" / "test")
    assert main([str(tmp_path / "data"), "--out", str(tmp_path / "out"), "--camvid", photographs]) == 0
    missing = left_out(tmp_path / "out" / "papers.md")
    names = (
        *exemplar.METHODS,
        "Figure 6.3",
        "zhang2016",
        "zhang2016-mode",
        "scunet",
        "Figures 4, 5 and 8",
        "ablation tables",
    )
    assert all(name in missing for name in names)
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["papers.md"]


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main([str(tmp_path / "nowhere"), "--out", str(tmp_path / "out")]) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if str(tmp_path / "nowhere") in line]
    assert "does not exist" in line
    assert not (tmp_path / "out").exists()


def test_references_are_class_mates_and_one_that_is_not(tmp_path: Path):
    photographs = find_photographs(write_photographs(tmp_path / "photos"))
    by_bytes = {read_rgb(p.path).tobytes(): p for p in photographs}
    chosen = exemplar.targets(photographs, 4, seed=0)
    assert len({target.photograph.name for target in chosen}) == 4
    for target in chosen:
        related = [by_bytes[rgb.tobytes()] for rgb in target.related]
        assert {p.category for p in related} == {target.photograph.category}
        assert len({p.name for p in related} | {target.photograph.name}) == 3
        assert by_bytes[target.unrelated.tobytes()].category != target.photograph.category
    again, other = (exemplar.targets(photographs, 4, seed) for seed in (0, 1))
    assert [t.photograph for t in again] == [t.photograph for t in chosen] != [t.photograph for t in other]


@pytest.mark.parametrize("name", exemplar.METHODS)
def test_the_stages_of_figure_4_are_those_of_the_answer(name: str, installed, tmp_path: Path):
    photographs = find_photographs(write_photographs(tmp_path / "photos"))
    lab, other = (rgb_to_lab(read_rgb(p.path)) for p in photographs[:2])
    given = [Reference(other[..., 0].copy(), other[..., 1:].copy())]
    method, lightness = get_method(name), lab[..., 0].copy()
    stages = method.stages(lightness, given, seed=3)
    answer = method.predict(lightness, HintField.empty(*lightness.shape), given, seed=3).ab
    assert np.array_equal(stages.ab, answer)
    assert np.array_equal(stages.precolor, method.refine(lightness))
    assert np.array_equal(stages.ab, method.refine(lightness, stages.coarse, stages.shown))
    assert 0 < stages.shown.mean() < 2 * PROBABILITY


def test_figure_8_shows_each_reference_s_answers_at_two_trusts_and_the_rival_s(
    installed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (target,) = exemplar.targets(find_photographs(write_photographs(tmp_path / "photos")), 1, seed=0)
    rows: list[Row] = []
    monkeypatch.setattr(exemplar, "write_rows", lambda found, file: rows.extend(found) or file)
    monkeypatch.setattr("tinct.networks.xu2020.method.believed", lambda *_: 0.0)  # all are doubted

    def copied(lightness: np.ndarray, hints: HintField, references: list[Reference]) -> np.ndarray:
        """The reference's mean color everywhere, gray without one."""
        means = [reference.ab.mean((0, 1)) for reference in references] or [np.zeros(2)]
        return np.broadcast_to(means[0], (*lightness.shape, 2))

    methods = [get_method("xu2020"), get_method("xu2020-lite")]
    rival = CallablePredictor(copied, "he2018")
    section = exemplar._figure8(methods, rival, [target], tmp_path)
    assert [row.label for row in rows] == ["reference", "xu2020", "xu2020, trust 3", "xu2020-lite", "he2018"]
    assert all(len(row.pictures) == len(rows[0].captions) == 2 + len(target.related) for row in rows)
    references = [*target.related, target.unrelated]
    for row, trust in ((rows[1], 1), (rows[2], 3)):
        for picture, rgb in zip(row.pictures[1:], references, strict=True):
            lab = rgb_to_lab(rgb)
            given = Reference(lab[..., 0].copy(), lab[..., 1:].copy(), trust=trust)
            ab = methods[0].stages(target.lightness, [given]).ab
            assert np.array_equal(picture, to_8bit(merge_lightness(target.lightness, ab)))
    assert not np.array_equal(rows[1].pictures[-1], rows[2].pictures[-1])
    for picture, rgb in zip(rows[-1].pictures, (None, *references), strict=True):
        wanted = np.zeros(2) if rgb is None else rgb_to_lab(rgb)[..., 1:].mean((0, 1))
        assert np.linalg.norm(rgb_to_lab(picture)[..., 1:].mean((0, 1)) - wanted) < 3
    assert "trust 3" in section.text
    assert "`he2018`" in section.text
    without = exemplar._figure8(methods[1:], None, [target], tmp_path)
    assert [row.label for row in rows[5:]] == ["reference", "xu2020-lite"]
    assert "trust" not in without.text


def test_a_sheet_has_each_picture_in_its_place(tmp_path: Path):
    red, blue = (np.full((10, 20, 3), color, np.uint8) for color in ((255, 0, 0), (0, 0, 255)))
    rows = [Row([red, None], ("left", "right")), Row([None, blue], (), "a label")]
    sheet = np.asarray(Image.open(write_rows(rows, tmp_path / "sheet.png", side=40)))
    left = sheet.shape[1] - 2 * (40 + GAP)
    places = {color: np.argwhere((sheet == color).all(-1)) for color in ((255, 0, 0), (0, 0, 255))}
    (top, x), (below, y) = (found.min(0) for found in places.values())
    assert (x, y) == (left, left + 40 + GAP)
    assert below > top + 20
    assert all(len(found) == 20 * 40 for found in places.values())


def test_names_of_two_classes_are_no_labels(tmp_path: Path):
    file = tmp_path / "names.txt"
    file.write_text("background\ncrane\nlibrary, reading room\ncrane, derrick\n")
    indices = classification.class_indices(file)
    assert "crane" not in indices
    assert indices["reading room"] == indices["library"] == 2
    assert classification.plain("Reading_Room ") == "reading room"


def test_photographs_with_a_label_are_compared_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    photographs = find_photographs(write_photographs(tmp_path / "photos"))
    run = Run(get_protocol("auto-256"), [Gray()], photographs)
    results = evaluate(run)
    names = tmp_path / "names.txt"
    names.write_text("background\nfield\n")

    class SeesColor:
        """A field in whatever has color, background elsewhere."""

        def __init__(self, folder: Path | None) -> None: ...

        def top1(self, rgb: np.ndarray) -> int:
            return int(np.ptp(rgb.astype(int), axis=-1).max() > 10)

    monkeypatch.setattr(classification, "Classifier", SeesColor)
    monkeypatch.setattr(classification, "locate", lambda *_: tmp_path / "classifier.tflite")
    text = classification.classification(run, results, names).text
    assert "on the 3 of them whose class" in " ".join(text.split())
    assert "| the truth | 1 | 1.000 ± 0.000 |" in text
    assert "| gray | \N{EN DASH} | 0.000 ± 0.000 |" in text
    without = classification.classification(run, results).text
    assert "| the truth | 1 | \N{EN DASH} |" in without


def test_loss_curves_are_those_of_the_log(tmp_path: Path):
    run, said = tmp_path / "run", []
    assert losses(run, tmp_path, said.append) is None
    assert "no log.jsonl" in said[0]
    run.mkdir()
    lines = [{"kind": "training", "step": s, "seconds": s, "style": 1e6 / s} for s in (10, 20, 300)]
    lines.append({"kind": "validation", "step": 300, "seconds": 9, "automatic": 21.5})
    (run / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    section = losses(run, tmp_path, said.append)
    assert "300 steps" in section.text
    assert "automatic 21.5" in section.text
    assert Image.open(section.pictures[0]).size[0] > 600  # a panel for each of the two
    (run / "log.jsonl").write_text('{"kind": "trai')
    assert losses(run, tmp_path, said.append) is None
    assert "no log.jsonl with a line" in said[-1]
