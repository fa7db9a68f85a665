"""Laws of Isola 2017: its layers, what each of the two adversaries learns from, and what the released weights do."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from skimage import data

torch = pytest.importorskip("torch", reason="networks need torch: pip install 'tinct[train]'")

from torch import nn

from tinct.color.lab import rgb_to_lightness
from tinct.colorizing.colorizer import colorize
from tinct.evaluation.metrics.colorfulness import colorfulness
from tinct.inference.openvino_engine import engine
from tinct.networks.pix2pix.network import Discriminator, Pix2Pix, Pix2PixConfig
from tinct.networks.pix2pix.training import (
    Adversaries,
    Pix2PixTraining,
    adversarial_loss,
    discriminator_loss,
)
from tinct.training.config import read_config, shipped_configs
from tinct.training.loop import Loop, LoopConfig
from tinct.training.pool import Pool
from tinct.training.run import open_training
from tinct.weights import weights_path
from training_photographs import photographs

CPU = torch.device("cpu")
WIDTH = 0.0625


pytestmark = pytest.mark.usefixtures("one_thread")


def at_full_width(kind: type[nn.Module]) -> nn.Module:
    with torch.device("meta"):
        return kind()


def layers(module: nn.Module) -> list[tuple[int, int, int, int, bool]]:
    """Inputs, outputs, kernel, stride of every convolution in order, and whether a normalization follows."""
    found: list[tuple[int, int, int, int, bool]] = []
    for each in module.modules():
        if isinstance(each, (nn.Conv2d, nn.ConvTranspose2d)):
            sizes = each.in_channels, each.out_channels, each.kernel_size[0], each.stride[0]
            found.append((*sizes, False))
        elif isinstance(each, nn.InstanceNorm2d):
            assert each.num_features == found[-1][1]
            found[-1] = (*found[-1][:4], True)
    return found


# Layers


def test_the_encoder_is_that_of_the_paper():
    channels = [1, 64, 128, 256, 512, 512, 512, 512, 512]
    expected = [(inputs, outputs, 4, 2) for inputs, outputs in pairwise(channels)]
    found = layers(at_full_width(Pix2Pix).down)
    assert [row[:4] for row in found] == expected
    assert [row[4] for row in found] == [False, *[True] * 6, False]  # the errata: not the coarsest


def test_the_decoder_is_that_of_the_paper_with_its_skips():
    network = at_full_width(Pix2Pix)
    expected = [(512, 512), *[(1024, 512)] * 3, (1024, 256), (512, 128), (256, 64)]
    found = layers(network.up)
    assert [row[:2] for row in found] == expected
    assert {row[2:4] for row in found} == {(4, 2)}
    assert [row[4] for row in found] == [False, *[True] * 6]  # ours: not what comes of the coarsest
    assert layers(network.output) == [(128, 2, 4, 2, False)]
    assert [any(isinstance(m, nn.Dropout) and m.p == 0.5 for m in up.modules()) for up in network.up] == [
        *[True] * 3,
        *[False] * 4,
    ]


def test_both_have_the_published_number_of_parameters():
    count = {
        kind: sum(p.numel() for p in at_full_width(kind).parameters()) for kind in (Pix2Pix, Discriminator)
    }
    kernel = 64 * 4 * 4  # published for color to color: three channels in and out, six judged
    unnormalized = 512  # a bias for each channel in place of a scale and a shift
    assert round((count[Pix2Pix] + 3 * kernel + 1 + unnormalized) / 1e3) == 54_414
    assert round((count[Discriminator] + 3 * kernel) / 1e3) == 2_769


def test_the_discriminator_is_that_of_the_paper_and_sees_70_pixels():
    found = layers(at_full_width(Discriminator))
    assert [row[:2] for row in found] == [(3, 64), (64, 128), (128, 256), (256, 512), (512, 1)]
    assert [row[2:] for row in found] == [
        (4, 2, False),
        (4, 2, True),
        (4, 2, True),
        (4, 1, True),
        (4, 1, False),
    ]
    sees = 1
    for _, _, kernel, stride, _ in reversed(found):
        sees = (sees - 1) * stride + kernel
    assert sees == 70


@torch.no_grad()
def test_a_photograph_is_answered_alike_in_any_batch():
    """The statistics that normalize are a photograph's own, as of the paper's at a batch of 1."""
    network, lightness = Pix2Pix(Pix2PixConfig(WIDTH)).eval(), torch.rand(3, 1, 256, 256) * 100
    together = network(lightness).ab
    alone = torch.cat([network(one[None]).ab for one in lightness])
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=0)


@torch.no_grad()
def test_the_coarsest_level_counts_where_it_is_one_place():
    """Normalized over the four places that it becomes, one place would say the same at any strength."""
    up = Pix2Pix(Pix2PixConfig(WIDTH)).eval().up[0]
    seen = torch.rand(1, up[0].in_channels, 1, 1)
    assert not torch.allclose(up(2 * seen), up(seen), rtol=0.1)


@torch.no_grad()
def test_dropout_is_noise_in_training_and_off_in_use():
    network, lightness = Pix2Pix(Pix2PixConfig(WIDTH)), torch.rand(1, 1, 256, 256) * 100
    first, second = (network.train()(lightness).ab for _ in range(2))
    assert not torch.allclose(first, second)
    first, second = (network.eval()(lightness).ab for _ in range(2))
    assert torch.equal(first, second)


# Adversaries


@pytest.fixture
def game() -> tuple[Adversaries, torch.Tensor, torch.Tensor]:
    """Both adversaries, lightness and its true chroma."""
    model = Adversaries(Pix2Pix(Pix2PixConfig(WIDTH)), Discriminator(WIDTH))
    return model, torch.rand(2, 1, 256, 256) * 100, torch.rand(2, 2, 256, 256) - 0.5


def learning(module: nn.Module) -> list[bool]:
    """For each parameter whether it has a gradient that is not zero."""
    return [p.grad is not None and bool(p.grad.any()) for p in module.parameters()]


def test_the_discriminators_gradient_reaches_the_generator_alone(game):
    model, lightness, _ = game
    adversarial_loss(model.discriminator, lightness, model(lightness).ab).backward()
    assert all(learning(model.generator))
    assert not any(learning(model.discriminator))


def test_the_discriminator_learns_and_the_generator_does_not_from_its_loss(game):
    model, lightness, truth = game
    discriminator_loss(model.discriminator, lightness, model(lightness).ab, truth).backward()
    assert all(learning(model.discriminator))
    assert not any(learning(model.generator))


def test_one_adam_over_both_is_an_adam_for_each(game):
    model, lightness, truth = game
    alone = {name: [p.detach().clone() for p in part.parameters()] for name, part in model.named_children()}
    one = torch.optim.AdamW(model.parameters(), 1e-3, (0.5, 0.999), weight_decay=0)
    ab = model(lightness).ab
    adversarial = adversarial_loss(model.discriminator, lightness, ab)
    (adversarial + discriminator_loss(model.discriminator, lightness, ab, truth)).backward()
    gradients = {name: [p.grad.clone() for p in part.parameters()] for name, part in model.named_children()}
    one.step()
    for name, part in model.named_children():
        own = [nn.Parameter(p) for p in alone[name]]
        for parameter, gradient in zip(own, gradients[name], strict=True):
            parameter.grad = gradient
        torch.optim.AdamW(own, 1e-3, (0.5, 0.999), weight_decay=0).step()
        for parameter, together in zip(own, part.parameters(), strict=True):
            assert torch.equal(parameter, together)


@torch.no_grad()
def test_a_sure_discriminator_costs_the_generator_and_a_fooled_one_does_not(game):
    model, lightness, truth = game
    last = model.discriminator.layers[-1]
    nn.init.zeros_(last.weight)
    costs = {}
    for logit in (-4.0, 4.0):
        nn.init.constant_(last.bias, logit)
        costs[logit] = (
            float(adversarial_loss(model.discriminator, lightness, truth)),
            float(discriminator_loss(model.discriminator, lightness, truth, truth)),
        )
    sure, fooled = np.log1p(np.exp(4.0)), np.log1p(np.exp(-4.0))
    assert costs[-4.0] == pytest.approx((sure, (sure + fooled) / 2), rel=1e-4)
    assert costs[4.0] == pytest.approx((fooled, (sure + fooled) / 2), rel=1e-4)


# Training


def training_of(name: str, pool: Pool) -> Pix2PixTraining:
    """The training of a shipped config, but tiny."""
    tables = read_config(shipped_configs()[name])
    tables["network"] |= {"width": WIDTH}
    return open_training(name, tables, pool)


def pool_of(count: int) -> Pool:
    made = Pool.open(photographs(count), None, CPU)
    made.weights[:] = 1  # nothing is held out of so few
    return made


def loop_in(folder: Path, name: str = "pix2pix") -> Loop:
    pool = pool_of(4)
    config = LoopConfig(((1.0, 256),), batch=2, steps=3, rate=1e-3, betas=(0.5, 0.999), clip=1e3)
    return Loop(training_of(name, pool), pool, config, folder, CPU)


def test_the_ablation_is_the_same_generator_trained_as_long_without_a_discriminator():
    both = [read_config(shipped_configs()[name]) for name in ("pix2pix", "pix2pix-l1")]
    assert both[0]["loop"] == both[1]["loop"]
    assert both[0]["network"] == both[1]["network"]
    assert both[1]["recipe"] == both[0]["recipe"] | {"adversarial": 0.0}
    pool = pool_of(2)
    whole, ablation = (training_of(name, pool).build() for name in ("pix2pix", "pix2pix-l1"))
    assert whole.discriminator is not None
    assert ablation.discriminator is None
    assert set(training_of("pix2pix-l1", pool).losses(ablation, pool, 2, 256)) == {"l1"}
    assert set(training_of("pix2pix", pool).losses(whole, pool, 2, 256)) == {
        "l1",
        "adversarial",
        "discriminator",
    }


def test_a_resumed_game_is_the_game_that_never_stopped(tmp_path: Path):
    whole = loop_in(tmp_path / "whole")
    whole.run()
    for _ in range(3):
        part = loop_in(tmp_path / "parts")
        part.one_step()
        part.save()
    resumed = loop_in(tmp_path / "parts")
    assert resumed.step == whole.step == 3
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name
    for name, value in whole.averaged.state.items():
        assert torch.equal(value, resumed.averaged.state[name]), name
    begun = loop_in(tmp_path / "begun").model.state_dict()
    for part in ("generator.output.weight", "discriminator.layers.0.weight"):
        assert not torch.equal(begun[part], whole.model.state_dict()[part])


def test_the_absolute_error_falls_beside_the_discriminator():
    pool = pool_of(2)
    training = training_of("pix2pix", pool)
    model = training.build().train()
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3, (0.5, 0.999))
    errors = []
    for _ in range(10):
        torch.manual_seed(0)  # the same views and noise
        losses = training.losses(model, pool, 2, 256)
        optimizer.zero_grad()
        torch.stack(list(losses.values())).sum().backward()
        optimizer.step()
        errors.append(float(losses["l1"].detach()))
    assert errors[-1] < 0.8 * errors[0]


def test_a_discriminator_learns_to_tell_gray_from_color(game):
    model, lightness, truth = game
    optimizer = torch.optim.AdamW(model.discriminator.parameters(), 5e-3, (0.5, 0.999))
    losses = []
    for _ in range(30):
        loss = discriminator_loss(model.discriminator, lightness, torch.zeros_like(truth), truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.5 * losses[0]


def test_validation_answers_without_help(tmp_path: Path):
    pool = pool_of(3)
    training = training_of("pix2pix", pool)
    model = training.build().eval()
    found = training.validate(model, pool, torch.arange(3))
    assert set(found) == {"gray", "automatic", "vividness", "loss"}
    assert found == training.validate(model, pool, torch.arange(3))
    training.draw(model, pool, torch.arange(3), tmp_path / "sheet.png")
    assert (tmp_path / "sheet.png").stat().st_size > 0


def test_the_averaged_generator_is_what_is_released(tmp_path: Path):
    pytest.importorskip("onnx")
    from tinct.training.export import trained
    from tinct.training.run import release_of

    loop = loop_in(tmp_path)
    loop.one_step()
    released = trained(release_of("pix2pix"), {"width": WIDTH}, loop.averaged.state)
    lightness = torch.rand(1, 1, 256, 256) * 100
    with torch.no_grad():
        torch.testing.assert_close(released(lightness).ab, loop.averaged_model()(lightness).ab)


# The released weights


def released(*names: str) -> None:
    """Skip a test where weights are not installed."""
    from tinct.weights import installed

    if missing := [name for name in names if not installed(name)]:
        pytest.skip(f"the weights {missing[0]} are not installed")


def gray_of(rgb: np.ndarray) -> np.ndarray:
    """The luma of a photograph, (H, W), 8 bits."""
    return np.rint(rgb @ [0.299, 0.587, 0.114]).astype(np.uint8)


def test_the_released_network_is_more_colorful_than_its_ablation():
    """A discriminator that were out of the game would leave the ablation."""
    released("pix2pix", "pix2pix-l1")
    photographs = [gray_of(photograph()[::2, ::2]) for photograph in (data.astronaut, data.coffee, data.cat)]
    found, without = (
        np.mean([colorfulness(colorize(each, method=name)) for each in photographs])
        for name in ("pix2pix", "pix2pix-l1")
    )
    assert found > 1.1 * without


@pytest.mark.parametrize("name", ["pix2pix", "pix2pix-l1"])
def test_every_skip_of_the_released_networks_changes_the_answer(name):
    """The decoder's own features and those that skip to it, at each of the seven joints."""
    pytest.importorskip("onnx")
    released(name)
    whole, *without = answers_without(weights_path(name), rgb_to_lightness(data.astronaut()[::2, ::2]))
    assert len(without) == 14
    for number, answer in enumerate(without):
        moved = float(np.abs(answer - whole).mean() / whole.std())
        assert moved > 1e-3, (  # the law of levels; the least is the encoder's 2x2 places, 0.6 %
            f"{name}: without part {number} the answer is the same ({moved:.1e} of its deviation)"
        )


def answers_without(file: Path, lightness: np.ndarray) -> list[np.ndarray]:
    """The answer of a graph, and its answers with each input of a concatenation set to zero."""
    import onnx
    from onnx import TensorProto, helper

    model = onnx.load(str(file))
    factors, nodes = [], []
    for node in model.graph.node:
        for place, name in enumerate(node.input if node.op_type == "Concat" else ()):
            factor = f"factor{len(factors)}"
            nodes.append(helper.make_node("Mul", [name, factor], [f"{name}_{factor}"]))
            model.graph.input.append(helper.make_tensor_value_info(factor, TensorProto.FLOAT, []))
            node.input[place] = f"{name}_{factor}"
            factors.append(factor)
        nodes.append(node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    compiled = engine().compile_model(
        engine().read_model(model.SerializeToString()), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    ones = {name: np.float32(1) for name in factors} | {"lightness": lightness[None, None]}
    return [
        np.array(compiled(ones | zero)["ab"]) for zero in ({}, *({name: np.float32(0)} for name in factors))
    ]
