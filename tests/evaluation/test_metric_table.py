"""Laws of the table of metrics: one entry is all that a metric needs, and entries keep what they promise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evaluation_photographs import write_photographs
from tinct.errors import EvaluationError, WeightsError
from tinct.evaluation.metrics.comparison import Comparison, Truth
from tinct.evaluation.metrics.metric import Metric
from tinct.evaluation.metrics.table import ALL, METRICS, check_metrics
from tinct.evaluation.photographs.sets import find_photographs
from tinct.evaluation.protocols import PROTOCOLS, get_protocol
from tinct.evaluation.report.tables import best, columns_of, markdown_table
from tinct.evaluation.run.contestants import CallablePredictor, Gray
from tinct.evaluation.run.evaluator import evaluate
from tinct.evaluation.run.plan import Run
from tinct.weights.frozen import FROZEN


def test_names_are_unique_and_each_metric_is_computed_in_one_way():
    assert len(METRICS) == len(ALL)
    for metric in ALL:
        ways = [way for way in (metric.score, metric.load, metric.features) if way is not None]
        assert len(ways) == (0 if metric.of_runtime else 1)
        assert metric.better in ("higher", "lower", "zero", "")
        assert set(metric.networks) <= set(FROZEN)
        assert bool(metric.networks) == (metric.load is not None or metric.features is not None)


def test_every_protocol_names_metrics_that_it_can_have():
    for protocol in PROTOCOLS.values():
        check_metrics(protocol.metrics)
        if not protocol.has_truth:
            assert not [name for name in protocol.metrics if METRICS[name].needs_truth]


def test_metrics_that_need_no_truth_are_computed_without_and_the_others_say_so(tmp_path: Path):
    photographs = find_photographs(write_photographs(tmp_path / "photos"))
    plain = get_protocol("auto").plain(photographs[0], "auto")
    gray = plain.gray()
    for metric in (metric for metric in ALL if metric.score):
        comparison = Comparison(plain, gray, None, gray)
        if not metric.needs_truth:
            assert metric.opened()(comparison) is None or np.isfinite(metric.opened()(comparison))
        else:
            with pytest.raises(EvaluationError, match="has no truth"):
                metric.opened()(comparison)


def test_a_metric_that_is_one_entry_stands_in_records_and_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def blue(found: Comparison) -> float:
        return float(found.result[..., 2].mean() - found.truth[..., 2].mean())

    metric = Metric(name="blue", title="Blue", better="zero", digits=1, meaning="mean blue", score=blue)
    monkeypatch.setitem(METRICS, "blue", metric)
    photographs = find_photographs(write_photographs(tmp_path / "photos"))
    bluish = CallablePredictor(
        lambda lightness, *_: np.full((*lightness.shape, 2), -20, np.float32), "bluish"
    )
    run = Run(get_protocol("auto"), [Gray(), bluish], photographs, limit=2, more_metrics=("blue",))
    results = evaluate(run)
    assert results.heading.metrics[-1] == "blue"
    for record in results.records:
        truth = next(p for p in photographs if p.name == record.photograph).read()
        if record.method == "gray":
            case = run.protocol.plain(next(p for p in photographs if p.name == record.photograph), "auto")
            expected = case.gray()[..., 2].mean() - truth[..., 2].mean()
            assert record.scores["blue"] == pytest.approx(expected, rel=1e-5)
    columns = columns_of(results, "auto")
    assert "| Blue →0 |" in markdown_table(columns, results.heading.metrics)
    least = min(columns, key=lambda name: abs(round(columns[name]["blue"]["mean"], 1)))
    assert least in best(columns, "blue")
    with pytest.raises(EvaluationError, match="blue compares with true photographs"):
        evaluate(Run(get_protocol("legacy"), [Gray()], photographs, more_metrics=("blue",)))


def test_a_value_of_the_truth_is_computed_once():
    calls = []
    truth = Truth(np.zeros((2, 2, 3), np.uint8))
    values = [truth.once(compute) for compute in [lambda rgb: calls.append(rgb) or len(calls)] * 3]
    assert values == [1, 1, 1]


def test_what_is_no_metric_of_a_result_is_refused():
    for name in ("fid", "seconds"):
        with pytest.raises(EvaluationError, match="no metric of a single result"):
            METRICS[name].opened()


def test_a_missing_network_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("TINCT_FROZEN", "TINCT_SHARED"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(WeightsError, match="squeezenet"):
        METRICS["lpips"].opened(tmp_path)
