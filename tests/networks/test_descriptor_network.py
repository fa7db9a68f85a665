"""Laws of the descriptor's network: unit length, what is exported is what torch computes, bytes change little."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks are trained and exported with tinct[train]")
pytest.importorskip("onnx", reason="networks are exported with tinct[train]")

from tinct.inference import open_network
from tinct.networks.descriptor.network import NUMBERS, SIDE, Descriptor, averaged, graphs
from tinct.networks.layers.efficientnet_lite import EfficientNetLite2
from tinct.retrieval import descriptor as released
from tinct.training.export import store_in_bytes, write_graph
from tools.descriptor_weights import release


@pytest.fixture(scope="module")
def network() -> Descriptor:
    torch.manual_seed(0)
    backbone = EfficientNetLite2().eval()
    lightness = 100 * torch.rand(4, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return Descriptor(backbone, averaged(backbone, lightness).mean(0)).eval()


def looked_at(file: Path, lightness: np.ndarray) -> np.ndarray:
    return open_network(file, device="cpu", precision="f32").run(lightness=lightness)["descriptor"]


def test_the_border_is_that_of_the_released_file():
    assert (released.SIDE, released.NUMBERS) == (SIDE, NUMBERS)


def test_exported_equals_torch_and_bytes_change_little(network: Descriptor, tmp_path: Path):
    lightness = np.random.default_rng(2).uniform(0, 100, (3, 1, SIDE, SIDE)).astype(np.float32)
    with torch.no_grad():
        wanted = network(torch.from_numpy(lightness)).numpy()
    assert np.allclose(np.linalg.norm(wanted, axis=1), 1, atol=1e-5)
    (graph,) = graphs(network)
    write_graph(graph, tmp_path / "exact.onnx")
    assert np.abs(looked_at(tmp_path / "exact.onnx", lightness) - wanted).max() < 1e-4
    exact = (tmp_path / "exact.onnx").stat().st_size
    store_in_bytes(tmp_path / "exact.onnx")
    assert (tmp_path / "exact.onnx").stat().st_size < exact / 3
    assert (looked_at(tmp_path / "exact.onnx", lightness) * wanted).sum(1).min() > 0.9


def test_a_release_enters_the_manifest_beside_what_is_there(network: Descriptor, tmp_path: Path):
    (tmp_path / "manifest.json").write_text('{"other": {"file": "other.onnx"}}')
    file = release(network, tmp_path, 7)
    entries = json.loads((tmp_path / "manifest.json").read_text())
    assert set(entries) == {"other", "descriptor"}
    assert (entries["descriptor"]["file"], entries["descriptor"]["license"]) == (file.name, "Apache-2.0")
    assert "7 training photographs" in entries["descriptor"]["training_data"]
