"""Laws of Xiao 2019's pyramid: its layers, its start, what passes between levels, what it is trained on."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need torch: pip install 'tinct[train]'")

from torch import nn

from paper_weights import unsettled
from tinct.color.bins import AB_BINS, AB_SCALE, encode_bins
from tinct.errors import OptionError
from tinct.methods.method import Reference, WeighedReference
from tinct.networks.xiao2019 import method, training
from tinct.networks.xiao2019.network import Xiao2019, Xiao2019Config
from tinct.networks.xiao2019.released import start_from_zhang2016
from tinct.networks.zhang2016.network import Zhang2016, Zhang2016Config
from tinct.training.color_distribution import own_prior
from tinct.training.pool import Pool
from training_photographs import photographs

WIDTH = 0.125


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch):
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    monkeypatch.setattr(training, "own_prior", partial(own_prior, photographs=64))
    yield
    torch.set_num_threads(before)


def parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def convolutions(module: nn.Module) -> list[tuple[int, ...]]:
    """Inputs, outputs, kernel, stride, dilation of every convolution, in order."""
    found = [m for m in module.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    return [(m.in_channels, m.out_channels, m.kernel_size[0], m.stride[0], m.dilation[0]) for m in found]


def at_full_width() -> Xiao2019:
    """The paper's size, without memory for its weights."""
    with torch.device("meta"):
        return Xiao2019()


DENSE = [(512, 512, 3, 1, 1), (1024, 512, 3, 1, 1), (1536, 512, 3, 1, 1), (2048, 512, 1, 1, 1)]
"""A residual dense block."""


def test_a_level_has_the_layers_of_the_paper():
    network = at_full_width()
    assert convolutions(network.blocks[:4]) == [
        (1, 64, 3, 1, 1),
        (64, 64, 3, 2, 1),
        (64, 128, 3, 1, 1),
        (128, 128, 3, 2, 1),
        (128, 256, 3, 1, 1),
        (256, 256, 3, 1, 1),
        (256, 256, 3, 2, 1),
        (256, 512, 3, 1, 1),
        (512, 512, 3, 1, 1),
        (512, 512, 3, 1, 1),
    ]
    for block, dilation in zip(network.blocks[4:], (2, 2, 1), strict=True):
        plain = (512, 512, 3, 1, dilation)
        assert convolutions(block) == [plain, *DENSE, plain, plain]
    assert convolutions(network.last) == [(512, 256, 4, 2, 1), (256, 256, 3, 1, 1), (256, 256, 3, 1, 1)]
    assert convolutions(network.output) == [(256, 313, 1, 1, 1)]


def test_references_and_lower_levels_are_encoded_densely_as_in_the_paper():
    network = at_full_width()
    assert convolutions(network.reference) == [
        (314, 512, 1, 1, 1),
        (512, 512, 1, 1, 1),
        (1024, 512, 1, 1, 1),
        (1536, 512, 1, 1, 1),
    ]
    assert convolutions(network.below) == [
        (313, 512, 1, 1, 1),
        (512, 512, 3, 1, 1),
        (1024, 512, 3, 1, 1),
        (1536, 512, 1, 1, 1),
    ]


def test_levels_have_the_numbers_of_parameters_of_the_paper():
    network = at_full_width()
    later = parameters(network)
    first = later - parameters(network.below) - parameters(network.below_norm)
    assert (round(first / 1e6, 1), round(later / 1e6, 1)) == (79.6, 87.6)


def test_levels_share_all_but_their_batch_statistics():
    two, three = (Xiao2019(Xiao2019Config(WIDTH, levels)) for levels in (2, 3))
    assert parameters(two) == parameters(three)
    statistics = [sum(b.numel() for n, b in m.named_buffers() if "running" in n) for m in (two, three)]
    joins = sum(2 * norm.num_features for norm in (two.reference_norm, two.below_norm))
    assert (statistics[0] - joins) * 3 == (statistics[1] - joins) * 2


@torch.no_grad()
def test_the_answer_is_the_mean_of_the_levels_distributions():
    network = unsettled(Xiao2019(Xiao2019Config(WIDTH)))
    lightness, reference = torch.rand(2, 1, 64, 96) * 100, torch.rand(2, 314)
    vector, below, found = network.encode_reference(reference), None, []
    for level, size in enumerate(((16, 24), (32, 48), (64, 96))):
        small = nn.functional.adaptive_avg_pool2d(lightness, size)
        below = network.answer(small, vector, below, level)
        assert below.shape == (2, 313, size[0] // 4, size[1] // 4)
        found.append(nn.functional.interpolate(below.softmax(1), size=(16, 24), mode="bilinear"))
    answer = network(lightness, reference).bins.softmax(1)
    torch.testing.assert_close(answer, sum(found) / 3, atol=1e-5, rtol=1e-3)


@torch.no_grad()
def test_what_passes_between_levels_is_the_soft_encoding_of_the_annealed_mean():
    network = Xiao2019(Xiao2019Config(WIDTH))
    logits = torch.randn(2, 313, 4, 5) * 3
    found = network.encoded(logits).permute(0, 2, 3, 1).numpy()
    ab = network.colors(network_outputs(logits)).permute(0, 2, 3, 1).numpy() * AB_SCALE
    index, share = encode_bins(ab, 10)
    expected = np.zeros((2, 4, 5, 313), np.float32)
    np.put_along_axis(expected, index, share, -1)
    np.testing.assert_allclose(found, expected, atol=2e-2)
    np.testing.assert_allclose(found.sum(-1), 1, atol=1e-4)


def network_outputs(logits: torch.Tensor):
    from tinct.networks.layers.outputs import Outputs

    return Outputs(bins=logits)


def test_no_gradient_passes_from_a_level_to_the_one_below():
    network = Xiao2019(Xiao2019Config(WIDTH)).train()
    below = torch.randn(2, 313, 4, 4, requires_grad=True)
    vector = network.encode_reference(torch.rand(2, 314))
    network.answer(torch.rand(2, 1, 32, 32) * 100, vector, below, 1).square().sum().backward()
    assert below.grad is None
    assert network.below.first.weight.grad.abs().sum() > 0


@torch.no_grad()
def test_the_pyramid_begins_as_zhang_2016_on_every_level():
    older = unsettled(Zhang2016(Zhang2016Config(WIDTH)))
    for module in older.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.uniform_(module.bias, -1, 1)
    network = Xiao2019(Xiao2019Config(WIDTH)).eval()
    start_from_zhang2016(network, older.state_dict())
    for block in network.blocks[4:]:
        nn.init.zeros_(block[2].fusion.weight)
        nn.init.zeros_(block[2].fusion.bias)
    side = 512  # what is padded is zero in the one and shifted in the other
    features = expected = torch.rand(1, 1, side, side) - 0.5
    for number, (block, norm) in enumerate(zip(network.blocks, network.norms, strict=True)):
        features, expected = norm(block(features), 2), older.blocks[number](expected)
        scale, shift = older.blocks[number][-1].weight, older.blocks[number][-1].bias
        moved = features * scale[:, None, None] + shift[:, None, None]
        middle = slice(moved.shape[-1] // 2 - 1, moved.shape[-1] // 2 + 1)
        torch.testing.assert_close(
            moved[..., middle, middle], expected[..., middle, middle], atol=1e-3, rtol=1e-3
        )


def test_a_network_of_another_width_is_not_started_from():
    older = Zhang2016(Zhang2016Config(2 * WIDTH))
    with pytest.raises(OptionError, match="train both at one width"):
        start_from_zhang2016(Xiao2019(Xiao2019Config(WIDTH)), older.state_dict())


# References


def reference(ab: np.ndarray) -> Reference:
    return Reference(np.full(ab.shape[:2], 50, np.float32), ab.astype(np.float32))


def numbers(*weighed: tuple[Reference, float]) -> np.ndarray:
    encoded = [WeighedReference(method.XIAO2019.encode_reference(one), weight) for one, weight in weighed]
    return method.reference_numbers(encoded)


def test_a_references_numbers_are_those_of_training():
    ab = np.random.default_rng(0).normal(0, 25, (32, 48, 2))
    made = training.Xiao2019Training.__new__(training.Xiao2019Training)
    made.recipe = training.Xiao2019Recipe()
    planes = torch.from_numpy(ab.transpose(2, 0, 1)[None].astype(np.float32)) / AB_SCALE
    np.testing.assert_allclose(numbers((reference(ab), 1)), made._numbers(planes)[0], atol=1e-4)


def test_a_palette_is_the_histogram_of_its_colors():
    swatches = np.zeros((8, 8, 2))
    swatches[:, 4:] = (50, 40)
    found = numbers((reference(swatches), 1))
    for color in ((0, 0), (50, 40)):
        near = np.linalg.norm(AB_BINS - color, axis=1) < 15
        assert found[:-1][near].sum() == pytest.approx(0.5, abs=0.02)


def test_references_count_by_weight_and_none_is_zeros():
    blue, red = (reference(np.broadcast_to(color, (8, 8, 2))) for color in ((10, -50), (50, 40)))
    mixed = numbers((blue, 0.25), (red, 0.75))
    expected = 0.25 * numbers((blue, 1)) + 0.75 * numbers((red, 1))
    np.testing.assert_allclose(mixed, expected, atol=1e-6)
    assert not numbers().any()
    assert not numbers((blue, 0)).any()


# Training


def trained(count: int, **recipe) -> tuple[training.Xiao2019Training, Pool]:
    made = Pool.open(photographs(count), None, torch.device("cpu"))
    made.weights[:] = 1  # nothing is held out of so few
    made.related = torch.arange(count).roll(1)[:, None]
    given = training.Xiao2019Recipe(start="", **recipe)
    return training.Xiao2019Training(given, Xiao2019Config(WIDTH), made), made


@pytest.mark.parametrize(("size", "levels"), [(32, 1), (64, 1), (128, 2), (256, 3), (512, 3)])
def test_each_level_is_trained_at_twice_the_size_of_the_one_below(size, levels):
    assert training.levels_at(size, 3) == levels


def test_every_level_has_a_loss_on_fewer_photographs():
    made, pool = trained(4)
    network, seen = made.build().train(), []
    plain = network.answer

    def watched(lightness, *rest):
        seen.append(tuple(lightness.shape))
        return plain(lightness, *rest)

    network.answer = watched
    losses = made.losses(network, pool, 8, 256)
    assert seen == [(8, 1, 64, 64), (4, 1, 128, 128), (2, 1, 256, 256)]
    assert set(losses) == {"level1", "level2", "level3"}
    sum(losses.values()).backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in network.parameters())


@pytest.mark.parametrize("kind", range(5))
def test_references_are_of_the_kind_that_is_drawn(kind):
    made, pool = trained(4, shares=tuple(float(kind == other) for other in range(5)))
    batch = training.draw_batch(pool, 6, 64, False)
    after, given = made._drawn_references(batch, pool)
    own = made._numbers(batch.ab)
    assert given.kinds.tolist() == [kind] * 6
    assert torch.equal(after.ab, batch.ab) == (kind != training.TURNED)
    torch.testing.assert_close(after.ab.norm(dim=1), batch.ab.norm(dim=1))
    if kind in (training.OWN, training.TURNED):
        torch.testing.assert_close(given.numbers, made._numbers(after.ab))
    elif kind == training.NONE:
        assert not given.numbers.any()
    elif kind == training.RELATED:
        whole = training.whole_view(pool.sizes).grid(64)
        every = made._numbers(training.photographs_at(pool, torch.arange(4), whole)[2])
        torch.testing.assert_close(given.numbers, every[(batch.index - 1) % 4])
    else:
        assert not torch.allclose(given.numbers, own, atol=1e-3)
        torch.testing.assert_close(given.numbers[:, :-1].sum(1), torch.ones(6))


def test_a_relatives_histogram_weighs_less_and_pulls_the_mean_answer():
    made, pool = trained(4, related=0.0, agreement=1.0)
    batch = training.draw_batch(pool, 4, 64, False)
    numbers_of = made._numbers(batch.ab)
    related = torch.full((4,), training.RELATED)
    logits = numbers_of[:, :-1, None, None].clamp_min(1e-6).log().expand(4, 313, 16, 16)
    meets = made._loss_at(logits, batch, training.References(numbers_of, related))
    misses = made._loss_at(torch.zeros_like(logits), batch, training.References(numbers_of, related))
    assert meets.abs() < 1e-3
    assert misses > 1


def test_photographs_without_color_do_not_count():
    made, pool = trained(4)
    batch = training.draw_batch(pool, 4, 64, False)
    batch.ab.mul_(0)
    logits = torch.randn(4, 313, 16, 16)
    own = training.References(made._numbers(batch.ab), torch.full((4,), training.OWN))
    assert made._loss_at(logits, batch, own) == 0


def test_divergence_is_zero_only_where_distributions_are_equal():
    wanted, found = torch.rand(3, 313).softmax(1), torch.randn(3, 313).softmax(1)
    torch.testing.assert_close(training.divergence(wanted, wanted), torch.zeros(3))
    expected = nn.functional.kl_div(found.log(), wanted, reduction="none").sum(1)
    torch.testing.assert_close(training.divergence(wanted, found), expected)
