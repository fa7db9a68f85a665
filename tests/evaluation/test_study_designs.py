"""Laws of studies from designs: one command makes the page, and everybody asks about the same pairs."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluation_photographs import write_photographs
from tinct.cli import run
from tinct.errors import EvaluationError, OptionError
from tinct.evaluation.photographs.sets import find_photographs
from tinct.evaluation.study.design_file import make_study, read_design, shipped_designs
from tinct.evaluation.study.votes import VoteFile
from tinct.methods import METHODS

DESIGN = """
protocol = "exemplar-class"
methods = ["reinhard", "no-such-method", "histogram"]
photographs = 3
trials = 5
participants = 4
seed = 7
"""


@pytest.fixture
def design(tmp_path: Path) -> str:
    (tmp_path / "design.toml").write_text(DESIGN)
    return str(tmp_path / "design.toml")


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    return write_photographs(tmp_path / "photographs")


def test_figure_9_asks_for_the_best_of_the_papers_methods():
    figure = read_design("xu2020-figure9")
    assert figure.kind == "preference"
    assert set(figure.methods) == {"welsh", "pierre", "gupta", "he2018", "xiao2019", "xu2020"}
    assert figure.protocol.startswith("exemplar-")
    assert figure.votes == figure.participants * figure.trials >= 1000
    assert len(set(figure.methods) & set(METHODS)) >= 4


@pytest.mark.parametrize("name", shipped_designs())
def test_shipped_designs_can_be_read(name: str):
    assert read_design(name).photographs > 0


def test_a_study_is_of_the_methods_that_can_answer(design: str, photographs: Path, tmp_path: Path):
    said: list[str] = []
    study = make_study(read_design(design), find_photographs(photographs), tmp_path / "out", said.append)
    assert study.methods == ("reinhard", "histogram")
    assert ["no-such-method is left out" in line for line in said] == [True]
    assert len(study.pictures.photographs) == 3
    assert study.counts() == (0, 5)
    assert {len(trial.shown) for trial in study.plan(1)} == {2}
    for known in (study.pictures.gray, study.pictures.reference, study.pictures.truth):
        assert set(study.pictures.photographs) <= set(known)


def test_everybody_asks_about_the_same_pairs(design: str, photographs: Path, tmp_path: Path):
    made = [
        make_study(read_design(design), find_photographs(photographs), tmp_path / name, lambda line: None)
        for name in ("one", "other")
    ]
    assert made[0].plan(2) == made[1].plan(2)
    for name in made[0].pictures.photographs:
        references = [study.pictures.reference[name].read_bytes() for study in made]
        assert references[0] == references[1]


def test_one_command_makes_the_page(
    design: str, photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    app = pytest.importorskip(
        "tinct.evaluation.study.app", reason="the page needs pip install 'tinct[study]'"
    )
    client = pytest.importorskip("fastapi.testclient", reason="the page needs pip install 'tinct[study]'")
    served: list[tuple[int, bytes, dict[str, object]]] = []

    def serve(study, votes: VoteFile, host: str, port: int) -> None:
        with client.TestClient(app.create_app(study, votes), base_url="http://localhost") as browser:
            state = browser.post("/sessions").json()
            picture = browser.get(state["ahead"][0]["pictures"][0])
            served.append((port, picture.content[:4], state))

    monkeypatch.setattr(app, "serve", serve)
    out = tmp_path / "out"
    line = ["study", "run", design, "--data", str(photographs), "--out", str(out)]
    assert run([*line, "--only-make"]) == 0
    assert served == []
    assert run([*line, "--port", "9001"]) == 0
    ((port, start, state),) = served
    assert (port, start, state["trials"], state["kind"]) == (9001, b"\x89PNG", 5, "preference")
    assert (out / "votes.sqlite").is_file()
    assert "20 votes" in capsys.readouterr().out


def test_what_is_no_design_is_refused_in_one_line(tmp_path: Path, photographs: Path):
    (tmp_path / "a.toml").write_text("methods = 3")
    (tmp_path / "b.toml").write_text("people = 3")
    (tmp_path / "c.toml").write_text("methods = [")
    for source, told in {
        "nowhere": "xu2020-figure9",
        str(tmp_path / "a.toml"): "methods = 3",
        str(tmp_path / "b.toml"): "'people'",
        str(tmp_path / "c.toml"): "not TOML",
    }.items():
        with pytest.raises(OptionError, match=told) as error:
            read_design(source)
        assert "\n" not in str(error.value)
    (tmp_path / "d.toml").write_text('methods = ["reinhard", "no-such-method"]')
    with pytest.raises(EvaluationError, match="1 of 2"):
        make_study(
            read_design(str(tmp_path / "d.toml")), find_photographs(photographs), tmp_path / "out", print
        )


METHODS_LINE = 'methods = ["reinhard", "histogram"]\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "methods are"),
        ('methods = ["reinhard"]', "two or more"),
        ('methods = ["reinhard", 3]', 'methods = ["text", ...]'),
        ('methods = ["welsh", "reinhard", "welsh"]', "methods has 'welsh' twice"),
        ('methods = ["reinhard", "histogram", "gray"]', "methods has 'gray'"),
        (METHODS_LINE + "photographs = 0", "photographs is 0"),
        (METHODS_LINE + "photographs = 2.5", "photographs = whole number"),
        (METHODS_LINE + "participants = -3", "participants is -3"),
        (METHODS_LINE + "trials = 0", "trials is 0"),
        (METHODS_LINE + "practice = -1", "practice is -1"),
        (METHODS_LINE + "shown = 1", "shown is 1"),
        (METHODS_LINE + "seconds = nan", "seconds = number"),
        (METHODS_LINE + "seconds = 61.0", "seconds is 61.0"),
        (METHODS_LINE + 'kind = "best"', "kind is 'best'"),
        (METHODS_LINE + 'protocol = "runtime"', "protocol is 'runtime'"),
        (METHODS_LINE + "[study]\nseed = 3", "'study', which is not known"),
    ],
)
def test_a_design_that_cannot_be_is_refused_before_anything_is_made(
    tmp_path: Path,
    photographs: Path,
    capsys: pytest.CaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)  # long lines are cut, and a path is as long as the folder's
    (tmp_path / "wrong.toml").write_text(text)
    line = ["study", "run", "wrong.toml", "--data", str(photographs)]
    assert run([*line, "--out", str(tmp_path / "out"), "--only-make"]) == 2
    message = capsys.readouterr().err
    assert "wrong.toml" in message
    assert said in message
    assert message.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_more_results_than_methods_cannot_be_shown(tmp_path: Path, photographs: Path) -> None:
    (tmp_path / "design.toml").write_text(DESIGN + "shown = 3\n")
    with pytest.raises(EvaluationError, match="shown is 3, but 2 of 3 methods can answer"):
        make_study(
            read_design(str(tmp_path / "design.toml")),
            find_photographs(photographs),
            tmp_path / "out",
            lambda line: None,
        )
    assert not (tmp_path / "out").exists()


def test_a_method_with_options_is_shown_by_them(tmp_path: Path, photographs: Path) -> None:
    (tmp_path / "design.toml").write_text('photographs = 2\nmethods = ["reinhard", "reinhard:vividness=0"]')
    design = read_design(str(tmp_path / "design.toml"))
    study = make_study(design, find_photographs(photographs), tmp_path / "out", lambda line: None)
    assert study.methods == ("reinhard", "reinhard:vividness=0")


def test_photographs_that_are_missing_or_damaged_are_said(tmp_path: Path, photographs: Path) -> None:
    broken = min(photographs.rglob("*.png"))
    broken.write_bytes(broken.read_bytes()[:100])
    (tmp_path / "design.toml").write_text(METHODS_LINE + "photographs = 1000\n")
    said: list[str] = []
    study = make_study(
        read_design(str(tmp_path / "design.toml")),
        find_photographs(photographs),
        tmp_path / "out",
        said.append,
    )
    assert len(study.pictures.photographs) == 5
    assert any(broken.name in line and "left out" in line for line in said)
    assert "6 of the 1000 photographs wanted are there." in said
