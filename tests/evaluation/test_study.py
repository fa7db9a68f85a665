"""Laws of a user study: blind, balanced, seeded, and votes counted as a person would count them."""

from __future__ import annotations

import csv
import json
import sqlite3
import sys
from collections import Counter
from contextlib import closing
from io import BytesIO, StringIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from tinct.cli import run
from tinct.errors import EvaluationError, OptionError
from tinct.evaluation.study import Study, find_pictures
from tinct.evaluation.study.analysis import chance, outcomes, preferred_over
from tinct.evaluation.study.export import export
from tinct.evaluation.study.folders import photograph_name
from tinct.evaluation.study.votes import Vote, VoteFile

METHODS = ("alpha-method", "beta-method", "gamma-method")
PHOTOGRAPHS = tuple(f"photo{i}" for i in range(12))


def write_picture(path: Path, seed: int, size: tuple[int, int] = (24, 16), note: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), np.uint8)
    text = PngImagePlugin.PngInfo()
    text.add_text("Software", f"colorized by {note}")
    Image.fromarray(pixels).save(path, pnginfo=text)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A run's folder as `tinct evaluate --pictures` leaves it."""
    for i, name in enumerate(PHOTOGRAPHS):
        for j, who in enumerate((*METHODS, "truth", "gray")):
            write_picture(tmp_path / "run" / "pictures" / who / f"{name}.jpg.png", 10 * i + j, note=who)
    return tmp_path / "run"


def study(pictures: Path, kind: str = "preference", **options: object) -> Study:
    return Study(kind, find_pictures([pictures]), **options)  # type: ignore[arg-type]


# --- finding results


def test_a_run_and_its_named_folders_are_the_same_pictures(pictures: Path) -> None:
    found = find_pictures([pictures])
    assert (tuple(found.methods), found.photographs) == (METHODS, tuple(sorted(PHOTOGRAPHS)))
    assert set(found.truth) == set(found.gray) == set(PHOTOGRAPHS)
    named = find_pictures([f"{m}={pictures}/pictures/{m}" for m in METHODS], pictures / "pictures" / "truth")
    assert (named.methods, named.truth) == (found.methods, found.truth)
    assert find_pictures([pictures / "pictures" / m for m in METHODS]).methods == found.methods


@pytest.mark.parametrize("name", ["a/b.jpg", "a__b.jpg.png", "a/b.color.png", "a__b.tif", "a__b"])
def test_one_photograph_has_one_name_whoever_wrote_it(name: str) -> None:
    assert photograph_name(Path(name)) == "a__b"


def test_photographs_that_a_method_lacks_are_left_out(pictures: Path) -> None:
    (pictures / "pictures" / METHODS[0] / "photo3.jpg.png").unlink()
    found = find_pictures([pictures])
    assert found.left_out == ("photo3",)
    assert "photo3" not in found.photographs


def test_results_that_cannot_be_shown_are_refused_in_one_line(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    write_picture(tmp_path / "other" / "elsewhere.png", 0)
    write_picture(tmp_path / "wide" / "photo0.png", 0, (48, 16))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "photo0.png").write_bytes(b"nothing")
    alpha = f"{pictures}/pictures/{METHODS[0]}"
    cases = {
        "is not a folder": ["nowhere", alpha],
        "has no pictures": [f"a={tmp_path}/empty", alpha],
        "no file name in common": [f"a={tmp_path}/other", alpha],
        "called 'a'": [f"a={alpha}", f"a={tmp_path}/other"],
        "48x16": [f"a={tmp_path}/wide", alpha],
        "cannot be decoded": [f"a={tmp_path}/broken", alpha],
    }
    for told, sources in cases.items():
        with pytest.raises(EvaluationError, match=told) as error:
            find_pictures(sources)
        assert "\n" not in str(error.value)


# --- the plan


def test_one_number_and_seed_give_one_plan_and_others_another(pictures: Path) -> None:
    assert study(pictures).plan(1) == study(pictures).plan(1)
    assert study(pictures).plan(1) != study(pictures).plan(2)
    assert study(pictures).plan(1) != study(pictures, seed=1).plan(1)


def test_no_photograph_comes_twice_before_all_have_come(pictures: Path) -> None:
    plan = study(pictures, trials=30).plan(3)
    assert len(plan) == 30
    for start in (0, 12):
        assert {t.photograph for t in plan[start : start + 12]} == set(PHOTOGRAPHS)


@pytest.mark.parametrize("kind", ["preference", "real", "real-single"])
def test_methods_and_places_are_balanced_over_participants(pictures: Path, kind: str) -> None:
    asked = study(pictures, kind, shown=2 if kind == "preference" else None, trials=10, practice=2)
    trials = [t for p in range(1, 301) for t in asked.plan(p) if not t.practice]
    seen = Counter(name for t in trials for name in t.shown if name != "truth")
    assert set(seen) == set(METHODS)
    assert max(seen.values()) - min(seen.values()) <= 2
    if kind == "real-single":
        assert sum(t.shown == ("truth",) for t in trials) == len(trials) // 2
    else:
        first = Counter(t.shown[0] for t in trials)
        expected = {name: count / 2 for name, count in seen.items()}
        assert all(abs(first[n] - e) < 4 * np.sqrt(e) for n, e in expected.items())


def test_places_do_not_depend_on_which_participant_came_first(pictures: Path) -> None:
    plans = [study(pictures).plan(p) for p in range(1, 41)]
    assert len({tuple(t.shown for t in plan) for plan in plans}) == 40


def test_the_fake_is_the_result_and_never_the_truth(pictures: Path) -> None:
    for trial in study(pictures, "real").plan(1):
        assert trial.fake in METHODS
        assert set(trial.shown) == {trial.fake, "truth"}
    for trial in study(pictures, "real-single").plan(1):
        assert trial.fake == ("real" if trial.shown == ("truth",) else "computed")


def test_options_out_of_range_are_refused(pictures: Path, tmp_path: Path) -> None:
    for options in ({"shown": 1}, {"shown": 4}, {"trials": 0}, {"practice": -1}, {"seconds": -1.0}):
        with pytest.raises(OptionError):
            study(pictures, **options)
    with pytest.raises(OptionError, match="real-single"):
        study(pictures, "taste")
    with pytest.raises(EvaluationError, match="two methods"):
        Study("preference", find_pictures([f"a={pictures}/pictures/{METHODS[0]}"]))
    with pytest.raises(EvaluationError, match="--truth"):
        Study("real", find_pictures([f"a={pictures}/pictures/{METHODS[0]}"]))


# --- counting votes


def test_shares_are_wins_by_trials_shown() -> None:
    votes = [
        Vote(1, "p", ("a", "b"), "a"),
        Vote(1, "q", ("c", "a"), "a"),
        Vote(2, "p", ("b", "c"), "b"),
        Vote(2, "q", ("a", "b"), "b"),
    ]
    a, b, c = outcomes("preference", ("a", "b", "c"), votes)
    assert [(o.won, o.asked) for o in (a, b, c)] == [(2, 3), (2, 3), (0, 2)]
    assert a.by_participant == (1.0, 0.0)
    assert a.by_photograph == (1.0, 0.5)
    assert chance("preference", votes) == 0.5
    assert preferred_over(votes, ("a", "b", "c")).tolist() == [[0, 1, 1], [1, 0, 1], [0, 0, 0]]


def test_a_method_fools_when_the_truth_is_taken_for_it() -> None:
    votes = [Vote(1, "p", ("a", "truth"), "truth"), Vote(1, "q", ("truth", "a"), "a")]
    assert [(o.method, o.won, o.asked) for o in outcomes("real", ("a",), votes)] == [("a", 1, 2)]
    single = [
        Vote(1, "p", ("a",), "real"),
        Vote(1, "q", ("truth",), "computed"),
        Vote(1, "r", ("a",), "computed"),
    ]
    assert [(o.method, o.share) for o in outcomes("real-single", ("a",), single)] == [
        ("a", 0.5),
        ("truth", 0.0),
    ]


def test_the_interval_covers_the_rate_that_the_votes_were_drawn_from() -> None:
    generator, covered = np.random.default_rng(0), 0
    for study_number in range(60):
        votes = [
            Vote(p, f"{i}", ("a", "b"), "a" if generator.random() < 0.7 else "b")
            for p in range(20)
            for i in range(10)
        ]
        low, high = outcomes("preference", ("a",), votes, study_number)[0].interval or (0, 0)
        covered += low <= 0.7 <= high
    assert 50 <= covered <= 60  # 95 % of 60 is 57


def test_one_participant_has_no_interval_and_no_votes_no_table() -> None:
    assert outcomes("preference", ("a",), [Vote(1, "p", ("a", "b"), "a")])[0].interval is None
    with pytest.raises(EvaluationError, match="no votes"):
        outcomes("preference", ("a",), [])


# --- votes in SQLite


def test_the_first_answer_stands_and_practice_does_not_count(pictures: Path, tmp_path: Path) -> None:
    asked = study(pictures, "real", practice=1, trials=3)
    votes = VoteFile.open_for(asked, tmp_path / "votes.sqlite")
    number = votes.number(votes.enroll())
    assert number == 1
    plan = asked.plan(1)
    for i, trial in enumerate(plan):
        assert votes.vote(1, i, trial, trial.shown[0], 5)
    assert votes.vote(1, 0, plan[0], plan[0].shown[0], 5)
    assert not votes.vote(1, 0, plan[0], plan[0].shown[1], 5)
    assert votes.answered(1) == 4
    assert [v.chosen for v in votes.votes()] == [t.shown[0] for t in plan[1:]]


def test_a_file_of_another_study_is_left_alone(pictures: Path, tmp_path: Path) -> None:
    path = tmp_path / "votes.sqlite"
    VoteFile.open_for(study(pictures), path)
    VoteFile.open_for(study(pictures), path)
    before = path.read_bytes()
    with pytest.raises(EvaluationError, match="another kind"):
        VoteFile.open_for(study(pictures, "real"), path)
    assert path.read_bytes() == before
    path.write_text("my diary " * 100)
    with pytest.raises(EvaluationError, match="not a file of votes"):
        VoteFile.open_for(study(pictures), path)
    assert path.read_text().startswith("my diary")


# --- the server


@pytest.fixture
def client_of(tmp_path: Path):  # type: ignore[no-untyped-def]
    pytest.importorskip("fastapi", reason="the study's page needs pip install 'tinct[study]'")
    pytest.importorskip("httpx", reason="FastAPI's test client needs httpx")
    from fastapi.testclient import TestClient

    from tinct.evaluation.study.app import create_app

    def build(asked: Study):  # type: ignore[no-untyped-def]
        votes = VoteFile.open_for(asked, tmp_path / "votes.sqlite")
        return TestClient(create_app(asked, votes), base_url="http://127.0.0.1"), votes

    return build


@pytest.mark.parametrize("kind", ["preference", "real", "real-single"])
def test_method_names_never_leave_the_server(pictures: Path, client_of, kind: str) -> None:  # type: ignore[no-untyped-def]
    client, votes = client_of(study(pictures, kind, trials=4, practice=2))
    secret = [name.encode() for name in (*METHODS, *PHOTOGRAPHS, "truth", "colorized by")]
    state = client.post("/sessions").json()
    replies = [client.get(path) for path in ("/", "/study.js", "/study.css")]
    page = b"".join(reply.content for reply in replies)
    assert not any(name in page for name in secret[: len(METHODS)])
    seen = []
    while state["answered"] < state["trials"]:
        trial = state["ahead"][0]
        seen += [client.get("/" + url) for url in [*trial["pictures"], *trial["context"].values()]]
        reply = client.post(f"/sessions/{state['token']}/trials/{trial['index']}/vote", json={"choice": 1})
        seen.append(reply)
        state = reply.json()
    for reply in seen:
        assert reply.status_code == 200
        sent = reply.content + str(reply.headers).encode() + str(reply.url).encode()
        assert not any(name in sent for name in secret)
    assert len(votes.votes()) == 4


def test_pictures_of_a_trial_are_of_one_size_and_are_the_planned_ones(pictures: Path, client_of) -> None:  # type: ignore[no-untyped-def]
    write_picture(pictures / "pictures" / METHODS[1] / "photo0.jpg.png", 5, (48, 32))
    asked = study(pictures)
    client, _ = client_of(asked)
    state = client.post("/sessions").json()
    trial = asked.plan(1)[0]
    for place, name in enumerate(trial.shown):
        image = Image.open(BytesIO(client.get("/" + state["ahead"][0]["pictures"][place]).content))
        assert image.size == (24, 16)
        assert image.info == {}
        source = Image.open(asked.pictures.picture(name, trial.photograph))
        if source.size == image.size:
            assert np.array_equal(np.asarray(image), np.asarray(source))


def test_the_server_refuses_what_the_page_never_asks(pictures: Path, client_of) -> None:  # type: ignore[no-untyped-def]
    client, votes = client_of(study(pictures, trials=5))
    token = client.post("/sessions").json()["token"]
    vote = f"/sessions/{token}/trials/0/vote"
    assert client.get("/sessions/nobody").status_code == 404
    assert client.get(f"/sessions/{token}/trials/3/pictures/0").status_code == 404
    assert client.get(f"/sessions/{token}/trials/0/pictures/7").status_code == 404
    assert client.get(f"/sessions/{token}/trials/0/reference").status_code == 404
    for body in ({"choice": 3}, {"choice": -1}, {"choice": "a"}, {}, {"choice": 1, "method": "x"}):
        assert client.post(vote, json=body).status_code == 422
    assert client.post(f"/sessions/{token}/trials/1/vote", json={"choice": 0}).status_code == 409
    assert votes.answered(1) == 0
    assert client.post(vote, json={"choice": 0}).status_code == 200
    assert (
        client.post(vote, json={"choice": 0}).status_code == 200
    )  # a reply that got lost is asked for again
    assert client.post(vote, json={"choice": 1}).status_code == 409
    assert votes.answered(1) == 1


def test_each_address_answers_by_its_methods_alone(pictures: Path, client_of) -> None:  # type: ignore[no-untyped-def]
    client, votes = client_of(study(pictures, trials=3))
    state = client.post("/sessions").json()
    trial, session = state["ahead"][0], f"/sessions/{state['token']}"
    shown = ["/" + url for url in [*trial["pictures"], *trial["context"].values()]]
    read = {"GET", "HEAD", "OPTIONS"}
    taken = dict.fromkeys(["/", "/study.js", "/study.css", session, *shown], read)
    taken |= {"/sessions": {"POST", "OPTIONS"}, f"{session}/trials/0/vote": {"POST", "DELETE", "OPTIONS"}}
    for path, methods in taken.items():
        for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} - (methods - {"OPTIONS"}):
            reply = client.request(method, path)
            assert reply.status_code == (204 if method == "OPTIONS" else 405), (method, path)
            assert set(reply.headers["allow"].split(", ")) == methods, (method, path)
        if methods == read:
            head, whole = client.head(path), client.get(path)
            assert (head.status_code, head.content, head.headers) == (200, b"", whole.headers)
    assert client.put("/nothing").status_code == 404
    assert votes.answered(1) == 0


def test_only_the_last_answer_can_be_taken_back_and_none_of_practice(pictures: Path, client_of) -> None:  # type: ignore[no-untyped-def]
    client, votes = client_of(study(pictures, "real", practice=1, trials=2))
    token = client.post("/sessions").json()["token"]
    trials = f"/sessions/{token}/trials"
    assert client.delete(f"{trials}/0/vote").status_code == 409
    for index in range(3):
        state = client.post(f"{trials}/{index}/vote", json={"choice": 0}).json()
        assert state["can_take_back"] == (index > 0)
    assert client.delete(f"{trials}/1/vote").status_code == 409
    reply = client.delete(f"{trials}/2/vote")
    assert (reply.status_code, reply.json()["answered"]) == (200, 2)
    assert client.delete(f"{trials}/2/vote").status_code == 409
    assert client.post(f"{trials}/2/vote", json={"choice": 1}).status_code == 200
    last = votes.votes()[-1]
    assert last.chosen == last.shown[1]
    assert client.delete(f"{trials}/2/vote").status_code == 200
    assert client.delete(f"{trials}/1/vote").status_code == 200
    assert client.delete(f"{trials}/0/vote").status_code == 409  # practice: its answer has been told


def test_only_this_machine_is_answered_and_no_other_host_is_asked(pictures: Path, client_of) -> None:  # type: ignore[no-untyped-def]
    client, _ = client_of(study(pictures))
    reply = client.get("/")
    assert "default-src 'self'" in reply.headers["content-security-policy"]
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400
    page = "".join(client.get(path).text for path in ("/", "/study.js", "/study.css"))
    assert "http:" not in page
    assert "https:" not in page


def test_practice_tells_the_answer_and_the_rest_does_not(pictures: Path, client_of) -> None:  # type: ignore[no-untyped-def]
    asked = study(pictures, "real", practice=1, trials=2)
    client, _ = client_of(asked)
    token = client.post("/sessions").json()["token"]
    trial = asked.plan(1)[0]
    right = trial.shown.index(trial.fake or "")
    told = client.post(f"/sessions/{token}/trials/0/vote", json={"choice": right}).json()
    assert (told["right"], told["fake"]) == (True, right)
    assert "fake" not in client.post(f"/sessions/{token}/trials/1/vote", json={"choice": 0}).json()


# --- export


def voted(pictures: Path, path: Path, kind: str = "preference") -> VoteFile:
    """Five people who all like the first method best, or take every truth for a result."""
    asked = study(pictures, kind)
    votes = VoteFile.open_for(asked, path)
    for participant in range(1, 6):
        votes.enroll()
        for i, trial in enumerate(asked.plan(participant)):
            liked = METHODS[0] if METHODS[0] in trial.choices else trial.choices[0]
            votes.vote(participant, i, trial, "truth" if kind == "real" else liked, 900)
    return votes


@pytest.mark.parametrize("kind", ["preference", "real", "real-single"])
def test_export_is_the_votes_and_the_same_bytes_twice(pictures: Path, tmp_path: Path, kind: str) -> None:
    pytest.importorskip("matplotlib", reason="plots need pip install 'tinct[study]'")
    votes = voted(pictures, tmp_path / "votes.sqlite", kind)
    paths = export(votes, tmp_path / "one")
    again = export(votes, tmp_path / "two")
    assert [p.read_bytes() for p in paths] == [p.read_bytes() for p in again]
    table = list(csv.DictReader(StringIO((tmp_path / "one" / "table.csv").read_text())))
    shares = {row["method"]: float(row["share"]) for row in table}
    if kind == "preference":
        assert shares == {METHODS[0]: 1.0, METHODS[1]: 0.0, METHODS[2]: 0.0}
    elif kind == "real":
        assert set(shares.values()) == {1.0}
    page = (tmp_path / "one" / "study.html").read_text()
    assert all(name in page for name in METHODS)
    assert "<svg" in page
    assert "src=" not in page
    rows = list(csv.DictReader(StringIO((tmp_path / "one" / "votes.csv").read_text())))
    assert len(rows) == len(votes.votes())


def test_the_command_line_exports_and_complains_in_one_line(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib", reason="plots need pip install 'tinct[study]'")
    voted(pictures, tmp_path / "votes.sqlite")
    assert run(["study", "export", str(tmp_path / "votes.sqlite"), "--out", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "study.html").is_file()
    capsys.readouterr()
    assert run(["study", "export", str(tmp_path / "none.sqlite")]) == 2
    assert run(["study", "serve", str(tmp_path / "nowhere"), "--votes", str(tmp_path / "v.sqlite")]) == 2
    assert capsys.readouterr().err.count("\n") == 2
    assert not (tmp_path / "v.sqlite").exists()


def test_the_file_says_what_was_asked(pictures: Path, tmp_path: Path) -> None:
    votes = VoteFile.open_for(study(pictures, "real", seed=7), tmp_path / "votes.sqlite")
    asked = {key: json.loads(value) for key, value in votes.asked().items()}
    assert asked["kind"] == "real"
    assert asked["seed"] == 7
    assert tuple(asked["methods"]) == METHODS


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE study SET value = '\"best\"' WHERE key = 'kind'",
        "UPDATE study SET value = 'preference' WHERE key = 'kind'",
        "DELETE FROM study WHERE key = 'methods'",
        "UPDATE study SET value = '3' WHERE key = 'methods'",
        "UPDATE votes SET shown = '3'",
        "UPDATE votes SET shown = '[\"alpha-'",
        "DROP TABLE votes",
    ],
)
def test_votes_of_a_file_that_was_edited_are_refused(pictures: Path, tmp_path: Path, change: str) -> None:
    votes = voted(pictures, tmp_path / "votes.sqlite")
    with closing(sqlite3.connect(votes.path)) as connection, connection:
        connection.execute(change)
    with pytest.raises(EvaluationError, match=r"votes\.sqlite is damaged \(.+\); take a copy") as error:
        export(votes, tmp_path / "out")
    assert "\n" not in str(error.value)


def test_votes_of_a_file_that_was_cut_short_are_refused(pictures: Path, tmp_path: Path) -> None:
    votes = voted(pictures, tmp_path / "votes.sqlite")
    whole = votes.path.read_bytes()
    for size in (0, 50, 5000, len(whole) // 2, len(whole) - 4096):
        votes.path.write_bytes(whole[:size])
        with pytest.raises(EvaluationError):
            export(votes, tmp_path / "out")
    with pytest.raises(EvaluationError, match="not a file of votes"):
        export(VoteFile(tmp_path), tmp_path / "out")


def test_two_pictures_of_one_photograph_in_a_folder_are_named(pictures: Path) -> None:
    write_picture(pictures / "pictures" / METHODS[0] / "photo3.png", 0)
    with pytest.raises(EvaluationError, match=r"photo3\.jpg\.png and .*photo3\.png are results of one"):
        find_pictures([pictures])


def test_a_gray_photograph_that_is_no_image_is_named_before_the_study(pictures: Path) -> None:
    (pictures / "pictures" / "gray" / "photo3.jpg.png").write_bytes(b"none")
    with pytest.raises(EvaluationError, match=r"photo3\.jpg\.png cannot be decoded"):
        find_pictures([pictures])


def test_a_picture_that_cannot_be_decoded_is_an_answer_without_a_name(pictures: Path, client_of) -> None:  # type: ignore[no-untyped-def]
    client, _ = client_of(study(pictures))
    for method in METHODS:
        for file in (pictures / "pictures" / method).iterdir():
            file.write_bytes(file.read_bytes()[:80])
    answer = client.get(client.post("/sessions").json()["ahead"][0]["pictures"][0])
    assert answer.status_code == 500
    assert answer.json() == {"detail": "a picture of this trial cannot be shown."}


@pytest.mark.parametrize(
    ("package", "verb"), [("fastapi", "serve"), ("uvicorn", "serve"), ("matplotlib", "export")]
)
def test_a_missing_package_is_one_line_with_the_extra(
    pictures: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    package: str,
    verb: str,
) -> None:
    voted(pictures, tmp_path / "votes.sqlite")
    for module in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.delitem(sys.modules, "tinct.evaluation.study.app", raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    line = ["study", verb, str(tmp_path / "votes.sqlite") if verb == "export" else str(pictures)]
    line += ["--votes", str(tmp_path / "new.sqlite")] if verb == "serve" else ["--out", str(tmp_path / "out")]
    assert run(line) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert package in said
    assert "pip install 'tinct[study]'" in said
    assert not (tmp_path / "new.sqlite").exists()


def test_a_method_without_a_name_is_refused(pictures: Path) -> None:
    folder = pictures / "pictures" / METHODS[0]
    with pytest.raises(EvaluationError, match="has no name"):
        find_pictures([f"={folder}", f"b={folder}"])
