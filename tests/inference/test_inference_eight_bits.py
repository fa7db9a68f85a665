"""Convolutions in 8 bits: as exact as their steps are fine, and only where their inputs' range is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tinct.errors import OptionError
from tinct.inference import eight_bits, open_network
from tinct.inference.model_source import ModelFile
from tinct.inference.opening import drop_compiled_networks
from tinct.inference.openvino_engine import best_precision
from tinct.inference.openvino_runtime import openvino
from tinct.inference.openvino_runtime import opset13 as op

needs_bytes = pytest.mark.skipif(
    not eight_bits.multiplies_bytes(), reason="this CPU does not multiply bytes (AVX2)"
)
CHANNELS = 32


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """relu, convolution "first.weight", relu, convolution "second.weight", and one that has no trained weights."""
    drop_compiled_networks()
    monkeypatch.setenv("TINCT_CACHE", str(tmp_path / "cache"))
    given = op.parameter([-1, CHANNELS, -1, -1], np.float32, name="given")
    given.output(0).set_names({"given"})
    x = given
    for seed, name in enumerate(("first.weight", "second.weight.half", "sums")):
        kernel = np.random.default_rng(seed).normal(0, 0.1, (CHANNELS, CHANNELS, 3, 3)).astype(np.float16)
        weights = op.constant(kernel, name=name)
        x = op.convolution(op.relu(x), op.convert(weights, "f32"), [1, 1], [1, 1], [1, 1], [1, 1])
    x.output(0).set_names({"answer"})
    openvino.save_model(
        openvino.Model([op.result(x)], [given], "bytes"), tmp_path / "net.xml", compress_to_fp16=False
    )
    return tmp_path / "net.xml"


def photograph(height: int = 20, width: int = 24) -> NDArray[np.float32]:
    return np.random.default_rng(9).normal(0, 1, (1, CHANNELS, height, width)).astype(np.float32)


def ranges_of(network: Path, given: NDArray[np.float32]) -> dict[str, float]:
    """By NumPy and OpenVINO's own answers, not by the code that is tested."""
    model = openvino.Core().read_model(network)
    inner = [node for node in model.get_ordered_ops() if node.get_type_name() == "Relu"]
    found = openvino.Core().compile_model(
        openvino.Model(inner, model.get_parameters()), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )(given)
    return {name: float(found[i].max()) for i, name in enumerate(("first.weight", "second.weight"))}


def test_ranges_are_the_largest_inputs(network: Path) -> None:
    ranges = pytest.importorskip(
        "tinct.networks.tinct.training.ranges", reason="measuring needs torch: pip install 'tinct[train]'"
    )
    given = photograph()
    wanted = ranges_of(network, np.concatenate([given, 2 * given]))
    batches = [{"given": 2 * given, "another": given}, {"given": given}]
    assert ranges.largest_inputs(network, batches) == pytest.approx(wanted, abs=2e-3)


def test_what_is_given_anything_negative_stays_as_it_is(tmp_path: Path) -> None:
    ranges = pytest.importorskip(
        "tinct.networks.tinct.training.ranges", reason="measuring needs torch: pip install 'tinct[train]'"
    )
    given = op.parameter([-1, 1, -1, -1], np.float32, name="given")
    given.output(0).set_names({"given"})
    weights = op.constant(np.ones((1, 1, 1, 1), np.float32), name="only.weight")
    node = op.convolution(given, weights, [1, 1], [0, 0], [0, 0], [1, 1])
    file = tmp_path / "net.xml"
    openvino.save_model(openvino.Model([op.result(node)], [given], "one"), file, compress_to_fp16=False)
    low, high = ({"given": np.full((1, 1, 2, 2), value, np.float32)} for value in (-1, 3))
    assert ranges.largest_inputs(file, [high, low]) == {}
    assert ranges.largest_inputs(file, [high]) == {"only.weight": 3}


def test_only_what_has_a_range_is_rounded(network: Path) -> None:
    model = openvino.Core().read_model(network)
    eight_bits.to_eight_bits(model, {"second.weight": 3.0, "nobody.weight": 1.0})
    convolved = {
        name: node.input_value(0).get_node().get_type_name() for name, node in eight_bits.convolutions(model)
    }
    assert convolved == {"first.weight": "Relu"}  # the other's weights lie behind a rounding now
    kinds = [node.get_type_name() for node in model.get_ops()]
    assert kinds.count("FakeQuantize") == 2


@needs_bytes
def test_results_are_near_those_of_single_precision(network: Path) -> None:
    given = photograph()
    ranges = ranges_of(network, given)
    exact = open_network(network, precision="f32", ranges=ranges)
    for start in ("first", "from the cache"):
        rounded = open_network(network, ranges=ranges)
        assert (exact.precision, rounded.precision) == ("f32", "int8"), start
        for size in [(20, 24), (7, 9)]:
            wanted = exact.run(given=photograph(*size))["answer"]
            found = rounded.run(given=photograph(*size))["answer"]
            error = np.sqrt(np.square(found - wanted).mean() / wanted.var())
            assert 0 < error < 0.03, start
        drop_compiled_networks()
        exact = open_network(network, precision="f32", ranges=ranges)


@needs_bytes
def test_other_ranges_are_another_network(network: Path) -> None:
    given = photograph()
    ranges = ranges_of(network, given)
    fine = open_network(network, ranges=ranges).run(given=given)["answer"]
    coarse = open_network(network, ranges={name: 50 * high for name, high in ranges.items()}).run(given=given)
    exact = open_network(network, precision="f32").run(given=given)["answer"]
    assert np.abs(coarse["answer"] - exact).mean() > 5 * np.abs(fine - exact).mean()
    hashes = {
        ModelFile(network).sha256,
        ModelFile(network, ranges).sha256,
        ModelFile(network, {"a.weight": 1.0}).sha256,
    }
    assert len(hashes) == 3


@needs_bytes
def test_without_ranges_int8_is_the_best_of_the_others(network: Path) -> None:
    assert best_precision("int8") == best_precision("auto") != "int8"
    assert open_network(network, precision="int8").precision == best_precision("auto")


def test_a_cpu_that_does_not_multiply_bytes_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinct.inference.openvino_engine.multiplies_bytes", lambda: False)
    assert best_precision("auto", {"a.weight": 1.0}) in ("bf16", "f32")
    with pytest.raises(OptionError, match="int8"):
        best_precision("int8", {"a.weight": 1.0})


def test_weights_stored_in_bytes_are_the_integers_that_are_computed_with(tmp_path: Path) -> None:
    """A file in bytes gives, rounded again, what the same weights in single precision give."""
    onnx = pytest.importorskip("onnx", reason="networks are exported with tinct[train]")
    export = pytest.importorskip(
        "tinct.training.export", reason="exporting needs torch: pip install 'tinct[train]'"
    )
    kernel = np.random.default_rng(3).normal(0, 0.1, (CHANNELS, CHANNELS, 3, 3)).astype(np.float32)
    helper = onnx.helper
    shape = [1, CHANNELS, "height", "width"]
    given, answer = (helper.make_tensor_value_info(name, 1, shape) for name in ("given", "answer"))
    nodes = [
        helper.make_node("Relu", ["given"], ["positive"]),
        helper.make_node("Conv", ["positive", "only.weight"], ["answer"], pads=[1, 1, 1, 1]),
    ]
    graph = helper.make_graph(
        nodes, "one", [given], [answer], [onnx.numpy_helper.from_array(kernel, "only.weight")]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    files = tmp_path / "single.onnx", tmp_path / "bytes.onnx"
    for file in files:
        onnx.save(model, str(file))
    export.store_in_bytes(files[1])
    assert files[1].stat().st_size < files[0].stat().st_size / 3
    rounded = []
    for file in files:
        read = openvino.Core().read_model(file)
        assert [name for name, _ in eight_bits.convolutions(read)] == ["only.weight"]
        eight_bits.to_eight_bits(read, {"only.weight": 3.0})
        compiled = openvino.Core().compile_model(read, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        rounded.append(compiled(photograph())[0])
    # a weight in the middle of two steps may go either way
    assert np.abs(rounded[0] - rounded[1]).mean() < 1e-4 * np.abs(rounded[0]).mean()
