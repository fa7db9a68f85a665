"""Transpositions at a network's border are done outside of it, and nobody notices."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinct.errors import ShapeError
from tinct.inference import open_network
from tinct.inference.opening import drop_compiled_networks
from tinct.inference.openvino_runtime import openvino
from tinct.inference.openvino_runtime import opset13 as op
from tinct.inference.transpositions import remove_transpositions


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Channels last at the border, channels first inside; one output is also used inside, one is not transposed."""
    drop_compiled_networks()
    monkeypatch.setenv("TINCT_CACHE", str(tmp_path / "cache"))
    given = op.parameter([-1, -1, -1, 4], np.float32, name="given")
    given.output(0).set_names({"given"})
    first = op.transpose(given, np.array([0, 3, 1, 2]))
    kernel = np.random.default_rng(0).normal(0, 1, (6, 4, 3, 3)).astype(np.float32)
    inner = op.multiply(
        op.convolution(first, op.constant(kernel), [1, 1], [1, 1], [1, 1], [1, 1]), op.constant(np.float32(2))
    )
    outputs = {
        "turned": op.transpose(inner, np.array([0, 2, 3, 1])),
        "plain": op.relu(inner),
        "summed": op.transpose(op.reduce_sum(inner, np.array([1]), keep_dims=True), np.array([0, 2, 3, 1])),
    }
    for name, node in outputs.items():
        node.output(0).set_names({name})
    model = openvino.Model([op.result(node) for node in outputs.values()], [given], "border")
    openvino.save_model(model, tmp_path / "net.xml", compress_to_fp16=False)
    return tmp_path / "net.xml"


@pytest.mark.parametrize("shape", [(1, 5, 7, 4), (2, 8, 1, 4)])
def test_results_are_those_of_the_whole_network(network: Path, shape: tuple[int, ...]) -> None:
    given = np.random.default_rng(1).normal(0, 1, shape).astype(np.float32)
    whole = openvino.Core().compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(given)
    for start in ("first", "from the cache"):
        found = open_network(network, precision="f32").run(given=given)
        assert set(found) == {"turned", "plain", "summed"}, start
        for name, array in found.items():
            np.testing.assert_allclose(array, whole[name], rtol=1e-4, atol=1e-5)
        drop_compiled_networks()


def test_all_of_the_border_is_cut(network: Path) -> None:
    model = openvino.Core().read_model(network)
    before, after = remove_transpositions(model)
    assert before == {"given": [0, 3, 1, 2]}
    assert after == {"turned": [0, 2, 3, 1], "summed": [0, 2, 3, 1]}
    assert not [node for node in model.get_ops() if node.get_type_name() == "Transpose"]


def test_a_misfit_is_told_in_the_files_own_order(network: Path) -> None:
    with pytest.raises(ShapeError, match=r"given is 1x4x5x7; net.xml takes \[\?,\?,\?,4\]"):
        open_network(network).run(given=np.zeros((1, 4, 5, 7), np.float32))


def test_a_damaged_copy_is_made_again(network: Path) -> None:
    given = np.ones((1, 5, 7, 4), np.float32)
    wanted = open_network(network).run(given=given)["turned"]
    for name in ("network.xml", "orders.json"):
        drop_compiled_networks()
        (copy,) = (network.parent / "cache").rglob(name)
        copy.write_text("damaged")
        np.testing.assert_array_equal(open_network(network).run(given=given)["turned"], wanted)
        open_network(network)
        drop_compiled_networks()
        open_network(network)
