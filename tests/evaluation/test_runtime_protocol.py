"""Laws of the runtime protocol: ratios belong to one run, and a cell without an answer has none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evaluation_photographs import make_rgb, write_photographs
from tinct.errors import EvaluationError, OptionError
from tinct.evaluation.photographs.sets import find_photographs
from tinct.evaluation.report import page
from tinct.evaluation.run import runtime
from tinct.evaluation.run.results import read_results
from tinct.evaluation.run.runtime import RuntimeRun, measure_runtime
from tinct.evaluation.run.timing_process import enlarge


def test_a_cell_is_measured_in_a_process_of_its_own(tmp_path: Path):
    photographs = find_photographs(write_photographs(tmp_path / "photos"))
    results = measure_runtime(RuntimeRun(("gray", "reinhard"), photographs, sizes=("256",)), tmp_path)
    seconds = {name: next(iter(results.scores(name, "256", "seconds").values())) for name in results.methods}
    assert all(value > 0 for value in seconds.values())
    assert results.scores("gray", "256", "ratio") == {"field/0.png": 1.0}
    ratio = next(iter(results.scores("reinhard", "256", "ratio").values()))
    assert ratio == pytest.approx(seconds["reinhard"] / seconds["gray"], rel=1e-4)
    peak = next(iter(results.scores("gray", "256", "peak_megabytes").values()))
    assert 20 < peak < 2000
    assert read_results(tmp_path).records == results.records


def test_a_cell_over_the_limit_has_no_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    photographs = find_photographs(write_photographs(tmp_path / "photos"))
    run = RuntimeRun(("gray",), photographs, sizes=("256",), time_limit=0.01)
    results = measure_runtime(run)
    assert results.records[0].scores == {"seconds": None, "ratio": None, "peak_megabytes": None}
    assert "\N{EN DASH}" in page(results, tmp_path)


def test_ratios_are_to_the_named_baseline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    times = {"gray": 0.5, "reinhard": 2.0, "welsh": None}
    monkeypatch.setattr(
        runtime, "_cell", lambda order, limit: {"seconds": times[order["method"]], "peak_megabytes": 100.0}
    )
    photographs = find_photographs(write_photographs(tmp_path / "photos"))
    results = measure_runtime(RuntimeRun(tuple(times), photographs, "reinhard", ("256", "12 MP")))
    ratios = {name: results.scores(name, "12 MP", "ratio") for name in times}
    assert ratios == {"gray": {"field/0.png": 0.25}, "reinhard": {"field/0.png": 1.0}, "welsh": {}}
    text = page(results, tmp_path)
    assert "Ratio to reinhard" in text
    assert text == page(results, tmp_path)


def test_what_cannot_be_timed_is_one_clear_line(tmp_path: Path):
    photographs = find_photographs(write_photographs(tmp_path / "photos"))
    with pytest.raises(OptionError, match="baseline 'welsh' is not measured"):
        measure_runtime(RuntimeRun(("gray",), photographs, "welsh"))
    with pytest.raises(OptionError, match="size '3 MP' is unknown"):
        measure_runtime(RuntimeRun(("gray",), photographs, sizes=("3 MP",)))
    Image.fromarray(make_rgb(0)).convert("L").save(tmp_path / "gray.png")
    with pytest.raises(EvaluationError, match="fewer than two color photographs"):
        measure_runtime(RuntimeRun(("gray",), find_photographs(tmp_path).limited(1)))


def test_an_enlarged_photograph_has_grain_everywhere():
    large = enlarge(np.full((20, 30), 128, np.uint8), (300, 400))
    assert large.shape == (300, 400)
    assert large[:50, :50].std() > 1
    assert abs(float(large.mean()) - 128) < 0.1


@pytest.mark.parametrize("limit", [0.0, -1.0, float("nan")])
def test_no_time_is_refused(tmp_path: Path, limit: float):
    photographs = find_photographs(write_photographs(tmp_path / "photos"))
    with pytest.raises(OptionError, match="give seconds above 0"):
        measure_runtime(RuntimeRun(("gray",), photographs, time_limit=limit))
