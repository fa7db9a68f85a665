"""Laws of the guides' training: the trunk stays as released, the branches learn, and agreement is counted right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch: pip install 'tinct[train]'")
pytest.importorskip("onnx", reason="the tests' networks need onnx: pip install 'tinct[train]'")

from paper_weights import WIDTH, release_network, tiny_network
from tinct import weights
from tinct.errors import OptionError
from tinct.networks.layers.outputs import Outputs
from tinct.networks.scunet import guides_training
from tinct.training.pool import Pool
from tinct.training.run import open_training

TABLES = {"network": {"width": WIDTH}}


def pool_with_labels(count: int = 8, side: int = 64) -> Pool:
    """Photographs whose left half is dark and of class 3, and whose right half is bright and of class 10."""
    pixels = torch.full((count, side, side, 3), 40, dtype=torch.uint8)
    pixels[:, :, side // 2 :] = 200
    segments = torch.full((count, 64, 64), 3, dtype=torch.uint8)
    segments[:, :, 32:] = 10
    scenes = torch.zeros(count, 365)
    scenes[:, 7] = 1
    held_out = torch.tensor([1.0] * (count - 2) + [0.0] * 2)
    return Pool(pixels, torch.full((count, 2), float(side)), held_out, scenes=scenes, segments=segments)


@pytest.fixture
def released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> torch.nn.Module:
    """A tiny scunet, released and installed."""
    torch.manual_seed(0)
    network = tiny_network("scunet")
    release_network(network, "scunet", tmp_path)
    monkeypatch.setattr(weights, "_folders", lambda: [tmp_path])
    return network


def test_the_trunk_is_the_released_one(released: torch.nn.Module):
    model = open_training("scunet-guides", TABLES, pool_with_labels()).build()
    x = torch.rand(1, 1, 32, 48) * 2 - 1
    with torch.no_grad():
        for own, other in zip(model.trunk.encode_decode(x), released.encode_decode(x), strict=True):
            torch.testing.assert_close(own, other, atol=2e-2, rtol=2e-2)  # released in half precision


def test_the_branches_learn_and_the_trunk_does_not(released: torch.nn.Module):
    pool = pool_with_labels()
    training = open_training("scunet-guides", TABLES, pool)
    torch.manual_seed(0)
    model = training.build()
    before = {name: value.clone() for name, value in model.trunk.state_dict().items()}
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], 2e-2)
    totals = []
    for _ in range(25):
        optimizer.zero_grad()
        total = sum(training.losses(model, pool, 4, 64).values())
        total.backward()
        optimizer.step()
        totals.append(float(total.detach()))
    assert np.mean(totals[-5:]) < 0.6 * np.mean(totals[:5])
    for name, value in model.trunk.state_dict().items():
        assert torch.equal(value, before[name])
    figures = training.validate(model.eval(), pool, torch.tensor([0]), 64)
    assert figures["scene_top5"] == 1
    assert figures["segments"] > 0.6
    assert figures["commonest"] == 0.5
    assert figures["scene_commonest"] == 1


def test_agreement_counts_the_first_and_the_first_five(released: torch.nn.Module):
    pool = pool_with_labels(4)

    class Answers(torch.nn.Module):
        """The scene 7 comes first, fifth and sixth; the left half of the segments is right."""

        def forward(self, lightness: torch.Tensor) -> Outputs:
            scenes = torch.zeros(3, 365)
            for row, place in enumerate((1, 5, 6)):
                scenes[row, :place] = torch.linspace(2, 1, place)
                scenes[row, 7], scenes[row, place - 1] = scenes[row, place - 1].item(), 0
            segments = torch.zeros(3, 32, 16, 16)
            segments[:, 3] = 1
            return Outputs(scenes=scenes, segments=segments)

    found = guides_training.agreement(Answers(), pool, torch.arange(3), 64)
    assert found == pytest.approx({"scene_top1": 1 / 3, "scene_top5": 2 / 3, "segments": 0.5})


def test_without_labels_there_is_nothing_to_learn(released: torch.nn.Module):
    pool = pool_with_labels()
    pool.segments = None
    with pytest.raises(OptionError, match="--labels"):
        open_training("scunet-guides", TABLES, pool)


def test_another_width_is_refused(released: torch.nn.Module):
    with pytest.raises(OptionError, match="another width"):
        open_training("scunet-guides", {"network": {"width": 2 * WIDTH}}, pool_with_labels()).build()
