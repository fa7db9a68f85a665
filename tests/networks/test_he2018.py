"""Laws of He 2018: the dense correspondence, the colorization sub-net, its released form and its training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need torch: pip install 'tinct[train]'")

from skimage import data
from skimage.transform import resize
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from paper_weights import unsettled
from tinct.errors import OptionError
from tinct.networks.graph_weights import read_weights
from tinct.networks.he2018 import correspondence as matching
from tinct.networks.he2018 import correspondence_torch as torch_matching
from tinct.networks.he2018.method import DOUBT, FITS, belief, shares_of
from tinct.networks.he2018.network import MAPS, Answer, EverySecond, Given, He2018, He2018Config, result
from tinct.networks.he2018.release import (
    SIGNED,
    ColorizationGraph,
    FeaturesGraph,
    colorization_graph,
    graphs,
)
from tinct.networks.he2018.training import He2018Training
from tinct.networks.he2018.training.losses import gate_loss, perceptual_loss, smooth_l1
from tinct.networks.he2018.training.pairs import (
    ALONE,
    CARRIED,
    ITSELF,
    REAL,
    STRANGE,
    draw_pairs,
    held_out_pairs,
    matched,
)
from tinct.networks.he2018.training.start import gone_on_with, started
from tinct.networks.he2018.training.training import He2018Recipe
from tinct.networks.layers.efficientnet_lite import CHANNELS, EfficientNetLite2, Levels, take_pretrained
from tinct.networks.zhang2017.network import Zhang2017, Zhang2017Config
from tinct.training.export import export
from tinct.training.pool import Pool

STRIDES = (2, 4, 8, 16, 32)


pytestmark = pytest.mark.usefixtures("one_thread")


def levels(count: int = 1, height: int = 64, width: int = 96) -> Levels:
    """Random features of all levels."""
    maps = [
        torch.randn(count, channels, height // stride, width // stride)
        for channels, stride in zip(CHANNELS, STRIDES, strict=True)
    ]
    return Levels(*maps, torch.zeros(count, 1, 1, 1))


def as_arrays(found: Levels) -> matching.Places:
    """The first picture's places."""
    grid = tuple(found.eighth.shape[-2:])
    return matching.places({name: getattr(found, name)[0].numpy() for name in matching.NAMES}, grid)


def given(count: int = 1, height: int = 64, width: int = 96) -> Given:
    """Random inputs of the network."""
    small = (count, 2, height // 4, width // 4)
    seen = levels(count, height, width)
    lightness = torch.rand(count, 1, height, width) * 100
    maps = torch.rand(count, MAPS, height // 8, width // 8)
    return Given(lightness, torch.randn(small) * 0.2, maps, seen.eighth, seen.sixteenth, seen.thirtysecond)


def loud(model: He2018) -> He2018:
    """The network with a guide that says something, as a trained one's does."""
    if model.guide is not None:
        for layer in model.guide.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.normal_(layer.weight, std=0.05)
    return unsettled(model)


# Correspondence


def test_a_picture_is_its_own_likest():
    own = as_arrays(levels())
    found = matching.correspondence(own, own)
    assert np.array_equal(found.forward, np.arange(len(own.keys)))
    assert np.array_equal(found.backward, found.forward)
    maps = matching.similarity_maps(own, own, found)
    assert maps.shape == (MAPS, 8, 12)
    np.testing.assert_allclose(maps, 1, atol=1e-5)


def test_a_mirrored_picture_is_matched_with_its_mirror_image():
    seen = levels()
    other = Levels(*(part.flip(3) for part in seen))
    found = matching.correspondence(as_arrays(seen), as_arrays(other))
    rows, columns = np.divmod(found.forward.reshape(8, 12), 12)
    assert np.array_equal(columns, np.tile(np.arange(12)[::-1], (8, 1)))
    assert np.array_equal(rows, np.tile(np.arange(8)[:, None], (1, 12)))


def test_the_likest_are_found_in_blocks_as_at_once(monkeypatch):
    own, other = as_arrays(levels()), as_arrays(levels(height=32, width=64))
    whole = matching.correspondence(own, other)
    monkeypatch.setattr(matching, "ROWS", 7)
    parts = matching.correspondence(own, other)
    alike = own.keys @ other.keys.T
    assert np.array_equal(whole.forward, alike.argmax(1))
    assert np.array_equal(whole.backward, alike.argmax(0))
    for name in ("forward", "backward"):
        assert np.array_equal(getattr(whole, name), getattr(parts, name))
    np.testing.assert_allclose(whole.cosine, parts.cosine, atol=1e-6)


def test_backward_maps_compare_the_reference_with_its_own_likest():
    own, other = as_arrays(levels()), as_arrays(levels(height=32, width=64))
    found = matching.correspondence(own, other)
    maps = matching.similarity_maps(own, other, found).reshape(MAPS, -1)
    place, level = 37, 2
    there = found.forward[place]
    forward = own.units[level][place] @ other.units[level][there]
    backward = own.units[level][found.backward[there]] @ other.units[level][there]
    assert maps[level, place] == pytest.approx(max(0, forward), abs=1e-5)
    assert maps[matching.LEVELS + level, place] == pytest.approx(max(0, backward), abs=1e-5)
    assert not np.allclose(maps[: matching.LEVELS], maps[matching.LEVELS :])


def test_flat_levels_are_alike_to_nothing():
    flat = matching.places({name: np.ones((3, 4, 4), np.float32) for name in matching.NAMES}, (4, 4))
    found = matching.correspondence(flat, flat)
    assert not matching.similarity_maps(flat, flat, found).any()


def test_quarters_of_a_picture_and_itself_are_carried_where_they_are():
    own = as_arrays(levels())
    found = matching.correspondence(own, own)
    colors = np.random.default_rng(0).normal(size=(16, 24, 2)).astype(np.float32)
    carried = matching.carried_finely(colors, own, own, found)
    assert np.corrcoef(carried.ravel(), colors.ravel())[0, 1] > 0.99


def test_quarters_of_a_mirrored_picture_are_carried_mirrored():
    """Neighbors propose mirrored places too, and a quarter on the left of its place finds the one on the right."""
    seen = levels()
    own, other = as_arrays(seen), as_arrays(Levels(*(part.flip(3) for part in seen)))
    found = matching.correspondence(own, other)
    colors = np.random.default_rng(0).normal(size=(16, 24, 2)).astype(np.float32)
    carried = matching.carried_finely(colors, own, other, found)
    assert np.corrcoef(carried.ravel(), colors[:, ::-1].ravel())[0, 1] > 0.99


def test_quarters_are_cut_and_joined_in_their_order():
    image = np.arange(4 * 6, dtype=np.float32).reshape(4, 6, 1)
    assert matching.quarters_of(image)[1, 2, :, 0].tolist() == [16, 17, 22, 23]
    even = as_arrays(levels(height=32, width=32))
    flat = matching.carried_finely(
        np.full((8, 8, 2), 7, np.float32), even, even, matching.correspondence(even, even)
    )
    np.testing.assert_allclose(flat, 7, rtol=1e-5)


def test_what_neighbors_propose_is_looked_at():
    """A place whose own match is wrong gets the colors that its neighbors' matches lead to."""
    own = as_arrays(levels())
    found = matching.correspondence(own, own)
    wrong = found.forward.copy()
    wrong[4 * 12 + 6] = 0
    colors = np.random.default_rng(0).normal(size=(16, 24, 2)).astype(np.float32)
    carried = matching.carried_finely(colors, own, own, replace(found, forward=wrong))
    np.testing.assert_allclose(carried[8:10, 12:14], colors[8:10, 12:14], atol=0.1)


def test_arrays_and_tensors_agree():
    seen, other = levels(2), levels(2, 64, 64)
    own, theirs = torch_matching.places(seen), torch_matching.places(other)
    found = torch_matching.correspondence(own, theirs)
    maps = torch_matching.similarity_maps(own, theirs, found)
    colors = torch.randn(2, 2, 16, 16)
    taken = torch_matching.carried_finely(colors, own, theirs, found.forward)
    for row in range(2):
        here, there = (as_arrays(Levels(*(part[row : row + 1] for part in each))) for each in (seen, other))
        expected = matching.correspondence(here, there)
        assert np.array_equal(found.forward[row].numpy(), expected.forward)
        assert np.array_equal(found.backward[row].numpy(), expected.backward)
        np.testing.assert_allclose(
            maps[row].numpy(), matching.similarity_maps(here, there, expected), atol=1e-5
        )
        given_colors = colors[row].permute(1, 2, 0).numpy()
        wanted = matching.carried_finely(given_colors, here, there, expected)
        np.testing.assert_allclose(taken[row].permute(1, 2, 0).numpy(), wanted, atol=1e-5)


def test_the_likest_reference_counts_most_and_weights_count():
    cosines = [np.full((1, 1), 0.5, np.float32), np.full((1, 1), 0.6, np.float32)]
    first, second = shares_of(cosines, [1, 1])[:, 0, 0]
    assert first + second == pytest.approx(1)
    assert second > first
    less = shares_of(cosines, [1, 0.1])[1, 0, 0]
    assert less < second
    assert np.isfinite(shares_of([np.full((1, 1), c, np.float32) for c in (-1, 1)], [1, 1e-40])).all()


def test_a_reference_that_is_not_alike_is_believed_less_and_trust_takes_the_doubt_away():
    assert belief(0.8, 1) == 1
    assert belief(FITS, 0) == 1
    assert belief(FITS - 0.1, 1) == pytest.approx(np.exp(-0.1 * DOUBT))
    assert belief(FITS - 0.1, 0) == pytest.approx(belief(FITS - 0.1, 1) ** 2)
    assert belief(-1, 2) == belief(-1, 3) == 1
    assert np.all(np.diff([belief(fit, 1) for fit in (0.2, 0.3, 0.4, 0.5)]) > 0)


# What a reference costs: multiply-adds of convolutions and products, as clocks of shared machines say little


def multiply_adds(work: Callable[[], Any]) -> tuple[float, Any]:
    """The multiply-adds of some work on tensors without memory, and its result."""
    with torch.device("meta"), FlopCounterMode(display=False) as counted:
        result = work()
    return counted.get_total_flops() / 2, result


@torch.no_grad()
def test_a_reference_costs_a_quarter_at_most_and_twice_its_places_no_more_than_that():
    """Of a photograph of 256 x 256 by the released network, and of a reference as large and twice as large.

    Photograph and reference run through the features' network once each, and the photograph through the colorization
    sub-net, as the test of runs in `test_released_he2018` counts; the pair is matched.
    """
    with torch.device("meta"):
        backbone = FeaturesGraph(EfficientNetLite2())
        network = ColorizationGraph(He2018(He2018Config(0.25, features=True, gate=True)))

    def seen(width: int) -> Levels:
        thirtysecond, sixteenth, eighth, quarter, half, _ = backbone(torch.empty(1, 1, 256, width))
        return Levels(half, quarter, eighth, sixteenth, thirtysecond, torch.empty(1, 1, 1, 1))

    def colorized() -> Levels:
        own = seen(256)
        colors, maps = torch.empty(1, 2, 64, 64), torch.empty(1, MAPS, 32, 32)
        network(torch.empty(1, 1, 256, 256), colors, maps, own.eighth, own.sixteenth, own.thirtysecond)
        return own

    alone, own = multiply_adds(colorized)

    def with_reference(width: int) -> float:
        def followed() -> None:
            here, there = torch_matching.places(own), torch_matching.places(seen(width))
            found = torch_matching.correspondence(here, there)
            torch_matching.similarity_maps(here, there, found)
            torch_matching.carried_finely(torch.empty(1, 2, 64, width // 4), here, there, found.forward)

        return alone + multiply_adds(followed)[0]

    assert alone < with_reference(256) < 1.25 * alone
    assert with_reference(256) < with_reference(512) < 1.25 * with_reference(256)


# The network


def test_it_has_the_layers_of_the_paper():
    with torch.device("meta"):
        network = He2018()
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(34.07e6, abs=0.01e6)
    rows = {
        name: [(m.in_channels, m.out_channels) for m in part.modules() if isinstance(m, nn.Conv2d)]
        for name, part in network.named_children()
    }
    assert rows["conv1"] == [(13, 32), (32, 64), (64, 64)]
    assert rows["conv2"] == [(64, 128), (128, 128)]
    assert rows["conv3"] == [(128, 256), (256, 256), (256, 256)]
    assert rows["conv4"] == [(256, 512), (512, 512), (512, 512)]
    assert rows["conv5"] == rows["conv6"] == rows["conv7"] == [(512, 512)] * 3
    assert rows["conv8"] == [(256, 256)] * 2
    assert rows["conv9"] == rows["conv10"] == [(128, 128)]
    dilations = {
        m.dilation for part in (network.conv5, network.conv6) for m in part if isinstance(m, nn.Conv2d)
    }
    assert dilations == {(2, 2)}
    downs = [network.down1, network.down2, network.down3]
    assert [down.weight.numel() for down in downs] == [64, 128, 256]
    assert not [m for m in network.modules() if isinstance(m, nn.BatchNorm2d) and m.affine]


def test_halving_is_a_convolution_of_each_channel():
    down, maps = EverySecond(3), torch.randn(1, 3, 8, 10)
    nn.init.normal_(down.weight)
    expected = nn.functional.conv2d(maps, down.weight[:, None], stride=2, groups=3)
    torch.testing.assert_close(down(maps), expected)


@torch.no_grad()
def test_every_input_counts():
    model, inputs = loud(He2018(He2018Config(0.125, features=True, gate=True))), given()
    whole = model(inputs)
    for name in Given._fields:
        without = model(inputs._replace(**{name: torch.zeros_like(getattr(inputs, name))}))
        assert not torch.allclose(without.ab, whole.ab, atol=1e-4), name
        assert not torch.allclose(without.gate, whole.gate, atol=1e-4), name


def test_an_open_gate_gives_the_carried_colors_and_a_shut_one_the_networks_own():
    own, colors = torch.rand(1, 2, 16, 16), torch.full((1, 2, 2, 2), -0.5)
    for logit, wanted in ((40.0, torch.full_like(own, -0.5)), (-40.0, own)):
        found = result(Answer(own, torch.full((1, 1, 16, 16), logit)), colors)
        torch.testing.assert_close(found, wanted)
    absent = result(Answer(own, torch.full((1, 1, 16, 16), 40.0)), colors, torch.zeros(1, 1, 1, 1))
    torch.testing.assert_close(absent, own)


@torch.no_grad()
@pytest.mark.parametrize("numbers", [{}, {"features": True, "gate": True}], ids=str)
def test_the_exported_graph_is_the_network(numbers, tmp_path):
    pytest.importorskip("onnx")
    from tinct.inference import open_network

    model = loud(He2018(He2018Config(0.0625, **numbers)))
    graph = colorization_graph(model)
    (file,) = export([graph], "he2018", tmp_path).values()
    inputs = given(1, 96, 64)
    used = dict(zip(graph.axes, inputs, strict=False))
    expected = ColorizationGraph(model)(*used.values())
    network = open_network(file, device="cpu", precision="f32")
    found = network.run(**{name: part.numpy() for name, part in used.items()})
    for name, wanted in zip(graph.outputs, expected, strict=True):
        np.testing.assert_allclose(found[name], wanted.numpy(), atol=0.02 * float(wanted.abs().max()))


@torch.no_grad()
def test_the_features_are_the_backbones():
    backbone = EfficientNetLite2().eval()
    lightness = torch.rand(1, 1, 64, 96) * 100
    *levels, _ = FeaturesGraph(backbone)(lightness)
    expected = backbone((lightness - 50) / 50)
    for name, part in zip(matching.NAMES, levels, strict=True):
        torch.testing.assert_close(part, getattr(expected, name))


@torch.no_grad()
def test_a_signature_is_of_what_differs_from_the_mean_photograph():
    model, backbone = He2018(He2018Config(0.0625, features=True)), EfficientNetLite2().eval()
    lightness = torch.rand(2, 1, 64, 96) * 100
    seen = backbone((lightness - 50) / 50)
    for name in SIGNED:
        norm, level = getattr(model.guide, name)[0], getattr(seen, name)
        norm.running_mean.copy_(
            level[0].mean((1, 2))
        )  # the first photograph is the mean one, but for a little
        norm.running_var.fill_(4.0)
        norm.running_mean -= 0.01
    signature = FeaturesGraph(backbone, model.guide)(lightness)[-1]
    torch.testing.assert_close(signature.norm(dim=1), torch.ones(2))
    size = seen.sixteenth.shape[1]
    even = torch.full((size,), (0.5 / size) ** 0.5)
    torch.testing.assert_close(signature[0, :size], even, atol=1e-4, rtol=1e-3)
    away = (seen.sixteenth[1].mean((1, 2)) - seen.sixteenth[0].mean((1, 2)) + 0.01) / 2
    torch.testing.assert_close(signature[1, :size] / signature[1, :size].norm(), away / away.norm())


def test_each_file_has_its_license():
    by_part = {graph.part: graph.license for graph in graphs(He2018(He2018Config(0.0625)))}
    assert by_part == {"": "MIT", ".features": "Apache-2.0 AND MIT"}


def test_color_levels_of_a_gray_picture_are_those_of_its_lightness():
    gray, color = EfficientNetLite2(), EfficientNetLite2(3)
    take_pretrained(gray)
    take_pretrained(color)
    lightness = torch.rand(1, 1, 64, 64) * 100
    luminance = torch.where(lightness > 8, ((lightness + 16) / 116) ** 3, lightness * 27 / 24389)
    curved = torch.where(luminance > 0.0031308, 1.055 * luminance ** (1 / 2.4) - 0.055, 12.92 * luminance)
    with torch.no_grad():
        expected = gray.eval()((lightness - 50) / 50)
        found = color.eval().color_levels(curved.expand(-1, 3, -1, -1))
    torch.testing.assert_close(found[0], expected.sixteenth, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(found[1], expected.thirtysecond, atol=1e-3, rtol=1e-3)


# Training


@pytest.fixture(scope="module")
def pool() -> Pool:
    """Three photographs, 96 x 96; the first two are each other's relatives."""
    pictures = [data.astronaut(), data.coffee()[:, 100:500], data.cat()[:, 80:380]]
    small = [(resize(p, (96, 96), anti_aliasing=True) * 255).astype(np.uint8) for p in pictures]
    related = torch.tensor([[1], [0], [-1]])
    return Pool(torch.from_numpy(np.stack(small)), torch.full((3, 2), 96.0), torch.ones(3), related=related)


@pytest.fixture(scope="module")
def training(pool) -> He2018Training:
    recipe = He2018Recipe(shares=(0.3, 0.2, 0.3, 0.1, 0.1))
    return He2018Training(recipe, He2018Config(0.125, features=True, gate=True), pool)


def test_each_kind_of_pair_is_given_its_colors(pool, training):
    index = torch.arange(2)
    found = {
        kind: held_out_pairs(pool, index, index.flip(0), kind, 64, training.see)
        for kind in (CARRIED, REAL, STRANGE, ALONE)
    }
    assert torch.equal(found[REAL].given.colors, found[STRANGE].given.colors)
    assert not torch.allclose(found[CARRIED].given.colors, found[REAL].given.colors, atol=0.05)
    assert torch.equal(found[CARRIED].given.maps, found[REAL].given.maps)
    assert not found[ALONE].given.colors.any()
    assert not found[ALONE].given.maps.any()
    assert found[ALONE].present.flatten().tolist() == [0, 0]


def test_colors_carried_to_an_equal_reference_and_back_are_the_truth(pool, training):
    index = torch.arange(2)
    photograph = held_out_pairs(pool, index, index, REAL, 64, training.see)
    lightness, ab = photograph.given.lightness, photograph.ab
    same = matched(
        (photograph.reference, lightness, ab),
        (photograph.reference, lightness, ab),
        torch.full((2,), CARRIED),
        training.see,
    )
    expected = nn.functional.avg_pool2d(ab, 4)
    assert (same.given.colors - expected).abs().mean() < 0.15 * expected.std()


@pytest.mark.parametrize("kind", [CARRIED, ITSELF, REAL, STRANGE, ALONE])
def test_training_on_any_kind_lowers_its_loss(kind, pool):
    shares = tuple(float(each == kind) for each in range(5))
    network = He2018Config(0.125, features=True, gate=True)
    training = He2018Training(He2018Recipe(shares=shares), network, pool)
    model = training.build().train()
    optimizer = torch.optim.Adam(model.parameters(), 2e-3)
    values = []
    for _ in range(12):
        torch.manual_seed(1)
        loss = torch.stack(list(training.losses(model, pool, 2, 64).values())).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        values.append(float(loss.detach()))
    assert values[-1] < 0.9 * values[0]


def test_every_parameter_is_trained_and_the_frozen_networks_are_not(pool, training):
    model = loud(training.build()).train()
    losses = training.losses(model, pool, 8, 64)
    torch.stack(list(losses.values())).sum().backward()
    still = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert not still
    assert all(p.grad is None for each in (training.backbone, training.color) for p in each.parameters())


def test_losses_are_none_where_all_is_right(training):
    ab = torch.rand(1, 2, 64, 64) * 0.2
    assert not smooth_l1(ab, ab).any()
    lightness = torch.full((1, 1, 64, 64), 50.0) + torch.rand(1, 1, 64, 64) * 20
    none, wrong = (float(perceptual_loss(training.color, lightness, x, ab)) for x in (ab, -3 * ab))
    assert none == pytest.approx(0, abs=1e-4)
    assert wrong > 10 * max(none, 1e-5)
    small = nn.functional.avg_pool2d(ab, 8)
    sure, unsure = (float(gate_loss(torch.full((1, 1, 64, 64), x), small, ab)) for x in (6.0, -6.0))
    assert sure < 0.01 < 5 < unsure


def test_the_start_is_zhang2017():
    theirs = unsettled(Zhang2017(Zhang2017Config(0.125)))
    for module in theirs.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.2, 0.2)
    model = He2018(He2018Config(0.25, features=True, gate=True))
    with pytest.raises(OptionError, match="width"):
        started(model, theirs.state_dict())
    theirs = unsettled(Zhang2017(Zhang2017Config(0.25)))
    started(model, theirs.state_dict())
    inputs = given(1, 128, 128)
    alone = inputs._replace(colors=inputs.colors * 0, maps=inputs.maps * 0)
    with torch.no_grad():
        expected = theirs(inputs.lightness, torch.zeros(1, 3, 128, 128)).ab * (100 / 110)
        found = model.eval()(alone).ab
    inside = (..., slice(40, -40), slice(40, -40))
    assert (found - expected)[inside].abs().mean() < 0.15 * expected[inside].std()


def test_a_run_goes_on_from_exported_weights(tmp_path):
    pytest.importorskip("onnx")
    config = He2018Config(0.0625, features=True, gate=True)
    model = He2018(config).eval()
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.bias, std=0.1)
        elif isinstance(layer, EverySecond):
            nn.init.uniform_(layer.weight, 0.5, 1.5)
    model.guide.maps.bias.data = model.guide.eighth[
        1
    ].bias.data  # both are trained alike: the export holds one
    loud(model)
    inputs = given()
    with torch.no_grad():
        expected = model(inputs).ab
    (file,) = export([colorization_graph(model)], "he2018", tmp_path).values()
    again = He2018(config).eval()
    gone_on_with(again, read_weights(file))
    with torch.no_grad():
        found = again(inputs).ab
    torch.testing.assert_close(found, expected, atol=0.02 * float(expected.abs().max()), rtol=0)
    with pytest.raises(OptionError, match="does not fit"):
        gone_on_with(He2018(He2018Config(0.125, features=True, gate=True)), read_weights(file))


def test_the_gate_is_taught_on_real_pairs_if_the_recipe_says_so(pool):
    index = torch.arange(2)
    for weight in (0.0, 0.5):
        recipe = He2018Recipe(gate=1.0, gate_of_real=weight, perceptual=0.0)
        training = He2018Training(recipe, He2018Config(0.125, features=True, gate=True), pool)
        pairs = held_out_pairs(pool, index, index.flip(0), REAL, 64, training.see)
        found = training.compare(training.build()(pairs.given), pairs)["gate"]
        assert (float(found.detach()) > 0) == (weight > 0)


@pytest.mark.parametrize(
    "wrong", [{"shares": (1.0,)}, {"shares": (0.0,) * 5}, {"gate": -1.0}, {"start": "elsewhere"}], ids=str
)
def test_recipes_out_of_range_are_refused(wrong):
    with pytest.raises(OptionError):
        He2018Recipe(**wrong)


def test_draws_have_every_kind(pool, training):
    torch.manual_seed(0)
    kinds = draw_pairs(pool, 32, 64, (1.0,) * 5, 0.5, training.see).kind
    assert set(kinds.tolist()) == {CARRIED, ITSELF, REAL, STRANGE, ALONE}
