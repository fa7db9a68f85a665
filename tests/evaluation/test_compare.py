"""Laws of paired comparison: intervals with their nominal coverage, and files that do not fit are refused."""

from __future__ import annotations

import json
import lzma
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinct.cli import run
from tinct.errors import EvaluationError
from tinct.evaluation.report.compare import bootstrap_interval, compare
from tinct.evaluation.run.results import Heading, Record, Results, read_results, write_result

PHOTOGRAPHS = tuple(f"{number:03}.png" for number in range(40))


def make_results(scores: dict[str, np.ndarray], metric: str = "psnr", **heading: object) -> Results:
    """Results of method -> a score for each of PHOTOGRAPHS."""
    facts = {"protocol": "auto", "seed": 0, "photographs": PHOTOGRAPHS, "available": 40, "metrics": (metric,)}
    records = [
        Record(name, method, "auto", {metric: float(score)})
        for method, column in scores.items()
        for name, score in zip(PHOTOGRAPHS, column, strict=True)
    ]
    methods: dict[str, dict[str, object]] = {
        name: {"weights_sha256": None, "unanswered": []} for name in scores
    }
    return Results(Heading(**{**facts, **heading}), methods, tuple(records))  # type: ignore[arg-type]


def draw(seed: int, mean: float = 25.0, deviation: float = 4.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, deviation, len(PHOTOGRAPHS))


def test_the_interval_covers_the_true_mean_19_times_in_20():
    generator = np.random.default_rng(0)
    covered = 0
    for trial in range(300):
        low, high = bootstrap_interval(generator.normal(0.3, 1.0, 60), trial)
        covered += low <= 0.3 <= high
    assert 0.90 <= covered / 300 <= 0.98


def test_the_interval_is_scipys():
    from scipy import stats

    sample = np.random.default_rng(1).exponential(2.0, 80)
    theirs = stats.bootstrap(
        (sample,), np.mean, n_resamples=10_000, method="percentile", random_state=np.random.default_rng(5)
    ).confidence_interval
    assert np.allclose(bootstrap_interval(sample), theirs, atol=0.03)


def test_pairing_finds_what_means_cannot():
    scores = draw(0)
    nudged = scores + 0.2 + np.random.default_rng(1).normal(0, 0.1, len(scores))
    (difference,) = compare(make_results({"m": scores}), make_results({"m": nudged}))
    assert difference.verdict == "better"
    assert 0 < difference.low < difference.mean < difference.high < 0.4
    assert difference.wins == pytest.approx(np.mean(nudged > scores))
    unpaired = scores.std() * np.sqrt(2 / len(scores)) * 1.96
    assert unpaired > difference.mean  # two separate means would not have told


def test_swapping_a_and_b_turns_the_sign():
    a, b = make_results({"m": draw(0)}), make_results({"m": draw(1)})
    (one,), (other,) = compare(a, b), compare(b, a)
    assert one.mean == pytest.approx(-other.mean)
    assert one.low == pytest.approx(-other.high)
    assert one.wins == pytest.approx(1 - other.wins)


def test_noise_is_unclear_and_equal_runs_do_not_differ():
    a = make_results({"m": draw(0)})
    assert compare(a, make_results({"m": draw(0)}))[0].verdict == "unclear"
    assert compare(a, make_results({"m": draw(0)}))[0].wins == 0.5
    noisy = draw(0) + np.random.default_rng(3).normal(0, 1, len(PHOTOGRAPHS))
    noisy += draw(0).mean() - noisy.mean()
    assert compare(a, make_results({"m": noisy}))[0].verdict == "unclear"


def test_lower_is_better_where_it_is():
    a, b = (make_results({"m": draw(0, 12) + more}, "ciede2000") for more in (0, -1))
    assert compare(a, b)[0].verdict == "better"
    a, b = (make_results({"m": draw(0, 0, 0.1) + more}, "colorfulness_difference") for more in (-9, 2))
    assert compare(a, b)[0].verdict == "better"
    a, b = (make_results({"m": draw(0, 40) + more}, "colorfulness") for more in (0, 5))
    assert compare(a, b)[0].verdict == "differs"
    assert compare(a, b)[0].wins is None


def test_two_methods_of_one_run_can_be_compared():
    results = make_results({"one": draw(0), "two": draw(0) + 1})
    (difference,) = compare(results, results, methods=("one", "two"))
    assert difference.mean == pytest.approx(1)


def test_only_photographs_that_both_answered_are_paired():
    a, b = make_results({"m": draw(0)}), make_results({"m": draw(0) + 2})
    a.records[0].scores["psnr"] = None
    b.records[1].scores["psnr"] = None
    (difference,) = compare(a, b)
    assert difference.count == 38
    assert difference.mean == pytest.approx(2)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"protocol": "hints"}, "protocol (auto and hints)"),
        ({"seed": 3}, "seed (0 and 3)"),
        ({"photographs": PHOTOGRAPHS[1:]}, "photographs (40 and 39, not the same names)"),
        ({"parameters": {"square": 256}}, "parameters ({} and {'square': 256})"),
    ],
)
def test_runs_of_different_questions_are_refused(change: dict[str, object], said: str):
    a = make_results({"m": draw(0)})
    b = replace(a, heading=replace(a.heading, **change))
    with pytest.raises(EvaluationError) as caught:
        compare(a, b)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_code_and_versions_are_what_one_compares():
    a = make_results({"m": draw(0)}, code="aa", versions={"numpy": "1"})
    b = make_results({"m": draw(1)}, code="bb", versions={"numpy": "2"})
    assert len(compare(a, b)) == 1


def test_methods_that_are_not_there_are_named():
    a, b = make_results({"one": draw(0)}), make_results({"two": draw(1)})
    with pytest.raises(EvaluationError, match="no method is in both"):
        compare(a, b)
    with pytest.raises(EvaluationError, match="B has no method 'one'"):
        compare(a, b, methods=("one", "one"))


def test_one_photograph_says_nothing():
    low, high = bootstrap_interval(np.array([3.0]))
    assert (low, high) == (-np.inf, np.inf)


def test_the_command_line_prints_intervals_and_refuses_strangers(
    tmp_path: Path, capsys: pytest.CaptureFixture
):
    from tinct.cli import run

    files = []
    for name, seed, shift in (("a", 0, 0.0), ("b", 0, 1.5), ("c", 1, 0.0)):
        results = make_results({"m": draw(0) + shift}, seed=seed)
        write_result(tmp_path / name / "results.json", results.to_json())
        files.append(str(tmp_path / name))
    assert run(["compare", files[0], files[1]]) == 0
    said = capsys.readouterr().out
    assert "better" in said
    assert "+1.500" in said
    assert run(["compare", files[0], files[2]]) == 2
    assert "seed (0 and 1)" in capsys.readouterr().err
    assert run(["compare", files[0], files[1], "--methods", "m"]) == 2


def damaged(change: Callable[[dict[str, Any]], object], folder: Path) -> Path:
    """Results of two methods as a file whose content a function has changed."""
    content = json.loads(make_results({"one": draw(0), "two": draw(1)}).to_json())
    change(content)
    (folder / "results.json").write_text(json.dumps(content))
    return folder / "results.json"


HEADING = ("protocol", "seed", "parameters", "photographs", "available", "metrics", "versions", "code")


@pytest.mark.parametrize("name", [*HEADING, "methods", "records", "left_out"])
def test_results_without_a_part_or_with_another_in_its_place_are_refused(name: str, tmp_path: Path) -> None:
    for value in (None, 3.5, [[1]], {"a": 1}, "gone"):
        with pytest.raises(
            EvaluationError, match=rf"results\.json is damaged: .*\b{name}\b.*; evaluate again"
        ):
            read_results(damaged(lambda content: content.pop(name), tmp_path))
        if value == "gone" and name in ("protocol", "code"):
            continue
        if value == {"a": 1} and name == "parameters":
            continue
        with pytest.raises(EvaluationError, match=rf"results\.json is damaged: .*\b{name} = .* is wanted"):
            read_results(damaged(lambda content, value=value: content.update({name: value}), tmp_path))


@pytest.mark.parametrize("score", ["25", "NaN", [25.0], True, float("nan"), float("inf"), {}])
def test_a_score_that_is_no_number_is_refused_by_its_record(score: object, tmp_path: Path) -> None:
    path = damaged(lambda content: content["records"][6]["scores"].update(psnr=score), tmp_path)
    with pytest.raises(EvaluationError, match=r"results\.json is damaged: \[record 7\] has scores = "):
        read_results(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c["records"].append(c["records"][0]), "two records of one photograph"),
        (lambda c: c["records"][0].update(method="three"), "record of '000.png' by 'three'"),
        (lambda c: c["records"][0].update(photograph="x.png"), "record of 'x.png' by 'one'"),
        (lambda c: c["records"][0].update(more=1), "'more', which is not known"),
        (lambda c: c["records"][0].pop("case"), r"\[record 1\] lacks 'case'"),
        (lambda c: c["records"].append(3), "records = "),
        (lambda c: c["metrics"].append("beauty"), "metric 'beauty', which this version"),
        (lambda c: c["whole"].update(auto={"three": {"fid": {"mean": 1.0}}}), "figures of 'three'"),
        (lambda c: c["whole"].update(auto={"one": {"fid": {"mean": "low"}}}), "whole = "),
    ],
)
def test_records_that_do_not_fit_are_refused(
    change: Callable[[dict[str, Any]], object], said: str, tmp_path: Path
) -> None:
    with pytest.raises(EvaluationError, match=said) as error:
        read_results(damaged(change, tmp_path))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("suffix", [".json", ".json.xz"])
def test_a_file_that_is_no_results_is_one_line(
    suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    good = make_results({"one": draw(0)}).to_json().encode()
    path = tmp_path / f"results{suffix}"
    packed = lzma.compress(good) if suffix.endswith("xz") else good
    for content in (
        b"",
        packed[: len(packed) // 2],
        b"method,psnr\none,25\n",
        b"\xff\xfe\x00",
        b"[" * 100_000,
    ):
        path.write_bytes(content)
        assert run(["compare", str(path), str(path)]) == 2
        message = capsys.readouterr().err
        assert f"{path} is not a results file; give one that `tinct evaluate` has written." in message
        assert message.count("\n") == 1


def test_results_come_back_as_they_were_written(tmp_path: Path) -> None:
    results = make_results({"one": draw(0), "two": draw(1)}, parameters={"sizes": [1, 2]}, code="aa")
    write_result(tmp_path / "results.json", results.to_json())
    assert read_results(tmp_path).to_json() == results.to_json()
