"""Laws of the papers' automatic and hint networks: their layers, their sizes, their answers, their released form."""

from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need torch: pip install 'tinct[train]'")

from torch import nn
from torch.nn import functional as F

from paper_weights import network_of
from tinct.color.bins import AB_BINS, decode_bins
from tinct.errors import OptionError
from tinct.networks.iizuka2016.network import Iizuka2016, Iizuka2016Config
from tinct.networks.larsson2016.network import (
    BINS,
    FADING,
    MAX_CHROMA,
    Larsson2016,
    Larsson2016Config,
    median_chroma,
)
from tinct.networks.layers.hypercolumns import HypercolumnLayer
from tinct.networks.layers.outputs import Outputs, annealed_mean, scaled
from tinct.networks.paper_graph import PaperGraph, paper_graphs
from tinct.networks.scunet.network import Scunet, ScunetConfig
from tinct.networks.xiao2019.network import REFERENCE
from tinct.networks.zhang2016.network import BLOCKS, Zhang2016, Zhang2016Config
from tinct.networks.zhang2017.network import GLOBAL_HINTS, Zhang2017, Zhang2017Config
from tinct.training.config import read_config, shipped_configs
from tinct.training.export import export
from tinct.training.run import TRAININGS

NAMES = ("zhang2016", "zhang2017", "scunet", "iizuka2016", "larsson2016", "pix2pix", "xiao2019")
VARIANTS = [name for name, card in TRAININGS.items() if name.startswith(NAMES) and card.method]
KINDS = ("zhang2016", "zhang2017-global", "scunet", "iizuka2016", "larsson2016", "pix2pix", "xiao2019")


pytestmark = pytest.mark.usefixtures("one_thread")


def shipped(name: str, **numbers) -> nn.Module:
    """A network with the numbers of its config, tiny unless told otherwise."""
    given = read_config(shipped_configs()[name])["network"] | {"width": 0.125} | numbers
    if name == "iizuka2016":
        given.setdefault("global_size", 32)
    return network_of(name, given).eval()


def at_full_width(kind: type[nn.Module], *config) -> nn.Module:
    """The paper's size, without memory for its weights."""
    with torch.device("meta"):
        return kind(*config)


def parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def convolutions(module: nn.Module) -> list[tuple[int, ...]]:
    """Inputs, outputs, kernel, stride, dilation of every convolution, in order."""
    kinds = (nn.Conv2d, nn.ConvTranspose2d)
    found = [m for m in module.modules() if isinstance(m, kinds)]
    return [(m.in_channels, m.out_channels, m.kernel_size[0], m.stride[0], m.dilation[0]) for m in found]


def threes(*rows: tuple[int, int, int, int]) -> list[tuple[int, ...]]:
    return [(inputs, outputs, 3, stride, dilation) for inputs, outputs, stride, dilation in rows]


ZHANG_2016_TABLE = [
    *threes((1, 64, 1, 1), (64, 64, 2, 1), (64, 128, 1, 1), (128, 128, 2, 1)),
    *threes((128, 256, 1, 1), (256, 256, 1, 1), (256, 256, 2, 1)),
    *threes((256, 512, 1, 1), (512, 512, 1, 1), (512, 512, 1, 1)),
    *threes(*[(512, 512, 1, 2)] * 6),
    *threes(*[(512, 512, 1, 1)] * 3),
    (512, 256, 4, 2, 1),
    *threes((256, 256, 1, 1), (256, 256, 1, 1)),
    (256, 313, 1, 1, 1),
]


def test_zhang2016_has_the_layers_of_the_paper():
    assert convolutions(at_full_width(Zhang2016)) == ZHANG_2016_TABLE


def test_zhang2016_has_the_published_number_of_parameters():
    decoding = 313 * 2  # the authors count the fixed layer from bins to ab as well
    assert round((parameters(at_full_width(Zhang2016)) + decoding) / 1e6, 1) == 32.2


def test_zhang2016_normalizes_each_block_but_the_last_once():
    norms = [m for m in Zhang2016(Zhang2016Config(0.125)).modules() if isinstance(m, nn.BatchNorm2d)]
    assert len(norms) == len(BLOCKS)


@pytest.mark.parametrize(
    ("name", "blocks", "dilated"), [("zhang2016-five-blocks", 5, 1), ("zhang2016-four-blocks", 4, 0)]
)
def test_ablations_have_the_blocks_of_the_report(name, blocks, dilated):
    found = shipped(name).config.blocks
    assert found == BLOCKS[:blocks]
    assert sum(dilation > 1 for *_, dilation in found) == dilated


def test_zhang2017_has_the_published_number_of_parameters():
    network = at_full_width(Zhang2017)
    assert parameters(network.main) + parameters(network.ab) == 34_051_074


def test_zhang2017_has_the_skips_and_dilations_of_the_paper():
    main = at_full_width(Zhang2017).main
    assert convolutions(main.conv1)[0][:2] == (4, 64)
    assert {row[4] for part in (main.conv5, main.conv6) for row in convolutions(part)} == {2}
    assert [convolutions(skip)[0][:2] for skip in (main.conv3_8, main.conv2_9, main.conv1_10)] == [
        (256, 256),
        (128, 128),
        (64, 128),
    ]
    assert len(convolutions(main)) == 2 + 2 + 5 * 3 + 4 + 3 + 3


def test_global_hints_pass_four_layers_of_the_paper():
    guide = at_full_width(Zhang2017, Zhang2017Config(global_hints=True)).guide
    assert convolutions(guide) == [(316, 512, 1, 1, 1), *[(512, 512, 1, 1, 1)] * 3]


def test_scunet_is_the_published_unet_and_its_branches():
    network = at_full_width(Scunet)
    published = 31_037_633  # of the U-Net for three channels and one class, as it is widely used
    assert parameters(network) - parameters(network.branches) == published - 2 * 64 * 9 - (64 + 1)
    assert set(network.branches) == {"scenes", "segments", "bins", "ab"}


def test_iizuka2016_has_the_layers_of_the_paper():
    network = at_full_width(Iizuka2016)
    low = threes((1, 64, 2, 1), (64, 128, 1, 1), (128, 128, 2, 1), (128, 256, 1, 1), (256, 256, 2, 1))
    assert convolutions(network.low_level) == [*low, (256, 512, 3, 1, 1)]
    assert convolutions(network.mid_level) == threes((512, 512, 1, 1), (512, 256, 1, 1))
    assert [row[3] for row in convolutions(network.global_features)] == [2, 1, 2, 1]
    linear = [m for m in network.global_features.modules() if isinstance(m, nn.Linear)]
    assert [(m.in_features, m.out_features) for m in linear] == [
        (7 * 7 * 512, 1024),
        (1024, 512),
        (512, 256),
    ]
    assert convolutions(network.fusion) == [(512, 256, 1, 1, 1)]
    assert convolutions(network.colorization) == threes(
        (256, 128, 1, 1), (128, 64, 1, 1), (64, 64, 1, 1), (64, 32, 1, 1), (32, 2, 1, 1)
    )


def test_larsson2016_is_vgg_16_with_the_papers_hypercolumn():
    network = at_full_width(Larsson2016)
    # with biases where batch normalization has its own: what VGG-16 is published with, less two input channels
    counts = [inputs * outputs * k * k + outputs for inputs, outputs, k, *_ in convolutions(network.layers)]
    assert sum(counts[:13]) == 14_714_688 - 2 * 64 * 9
    assert counts[13:] == [102_764_544, 16_781_312]
    assert sum(part.in_channels for part in network.hypercolumn.parts) == 12_417


@pytest.mark.parametrize("name", VARIANTS)
def test_half_the_width_is_about_a_quarter_of_the_weights(name):
    with torch.device("meta"):
        numbers = read_config(shipped_configs()[name])["network"]
        whole, half = (network_of(name, numbers | {"width": width}) for width in (1.0, 0.5))
    assert 0.24 < parameters(half) / parameters(whole) < 0.27


@pytest.mark.parametrize("name", VARIANTS)
def test_shipped_width_fits_twelve_megabytes_in_half_precision(name):
    with torch.device("meta"):
        network = network_of(name, read_config(shipped_configs()[name])["network"])
    assert 2 * parameters(network) < 12e6


def test_width_gives_multiples_of_eight():
    assert [scaled(64, width) for width in (1.0, 0.375, 0.2, 0.01)] == [64, 24, 16, 8]


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("size", [(1, 1), (3, 5)])
@torch.no_grad()
def test_every_multiple_of_the_stride_is_answered(name, size):
    network = shipped(name)
    height, width = (network.multiple * count for count in size)
    outputs = network(*inputs(network, height, width))
    colors = network.colors(outputs)
    assert height % colors.shape[2] == 0
    assert (height // colors.shape[2], colors.shape[1]) == (width // colors.shape[3], 2)
    assert torch.isfinite(colors).all()
    if outputs.bins is not None:
        assert outputs.bins.shape == (2, 313, height // 4, width // 4)


def inputs(network: nn.Module, height: int, width: int) -> list[torch.Tensor]:
    known = {
        "lightness": torch.rand(2, 1, height, width) * 100,
        "hints": torch.rand(2, 3, height, width).round(),
        "global_hints": torch.rand(2, GLOBAL_HINTS),
        "reference": torch.rand(2, REFERENCE),
    }
    return [known[name] for name in network.inputs]


def sides(network: nn.Module, *least: int) -> list[int]:
    """The least sides that the network takes and that are no smaller than these."""
    return [-(-side // network.multiple) * network.multiple for side in least]


@pytest.mark.parametrize("name", VARIANTS)
def test_bfloat16_gives_finite_gradients(name):
    network = shipped(name).train()
    with torch.autocast("cpu", torch.bfloat16):
        outputs = network(*inputs(network, *sides(network, 32, 64)))
        total = sum(part.float().square().mean() for part in outputs if part is not None)
    total.backward()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)


def test_annealed_mean_is_the_packages():
    logits = torch.randn(2, 313, 3, 4) * 3
    found = annealed_mean(logits, torch.from_numpy(AB_BINS.copy()))
    np.testing.assert_allclose(found.permute(0, 2, 3, 1), decode_bins(logits.permute(0, 2, 3, 1)), atol=1e-3)


def test_annealing_goes_from_the_mean_to_the_mode():
    logits, centers = torch.randn(1, 313, 2, 2), torch.from_numpy(AB_BINS.copy())
    mean = torch.einsum("bqhw,qc->bchw", logits.softmax(1), centers)
    torch.testing.assert_close(annealed_mean(logits, centers, 1.0), mean)
    likeliest = centers[logits.argmax(1)].permute(0, 3, 1, 2)
    torch.testing.assert_close(annealed_mean(logits, centers, 1e-4), likeliest)


@torch.no_grad()
def test_hypercolumn_is_a_layer_over_everything_concatenated():
    channels, strides = (2, 3, 4, 5), (1, 2, 4, 8)
    layer = HypercolumnLayer(channels, strides, 6)
    maps = [torch.randn(1, c, 32 // s, 48 // s) for c, s in zip(channels, strides, strict=True)]
    brought = [F.avg_pool2d(m, 4 // s) for m, s in zip(maps[:3], strides[:3], strict=True)]
    brought.append(F.interpolate(maps[3], scale_factor=2.0, mode="bilinear"))
    weight = torch.cat([part.weight for part in layer.parts], 1)
    expected = F.relu(F.conv2d(torch.cat(brought, 1), weight, layer.parts[2].bias))
    torch.testing.assert_close(layer(maps), expected, atol=1e-5, rtol=1e-5)


def test_suggesting_colors_costs_the_colorization_nothing():
    network = shipped("zhang2017").train()
    network(*inputs(network, 16, 16)).bins.square().sum().backward()
    assert all(p.grad is None for p in (*network.main.parameters(), *network.ab.parameters()))
    assert all(p.grad is not None for p in (*network.hypercolumn.parameters(), *network.bins.parameters()))


@torch.no_grad()
def test_no_global_hints_are_zeros():
    network = shipped("zhang2017-global")
    lightness, hints, given = inputs(network, 16, 16)
    none = network(lightness, hints, torch.zeros_like(given)).ab
    torch.testing.assert_close(network(lightness, hints).ab, none)
    assert not torch.allclose(network(lightness, hints, given).ab, none)


def test_median_chroma_halves_the_distribution():
    logits = torch.randn(1, BINS, 3, 3)
    found = median_chroma(logits)[0, 0]
    cumulated = np.concatenate([np.zeros((1, 3, 3)), logits[0].softmax(0).numpy().cumsum(0)])
    edges = np.linspace(0, MAX_CHROMA, BINS + 1)
    for y, x in np.ndindex(3, 3):
        assert np.interp(found[y, x], edges, cumulated[:, y, x]) == pytest.approx(0.5, abs=1e-4)


def test_larsson2016_reads_hue_around_the_circle_and_fades_where_it_is_open():
    network = Larsson2016(Larsson2016Config(0.125))
    hue, chroma = torch.full((1, BINS, 1, 2), -30.0), torch.full((1, BINS, 1, 2), -30.0)
    hue[:, [0, BINS - 1], :, 0] = 0  # half a bin to both sides of a* > 0, b* = 0
    hue[:, :, :, 1] = 0  # anything
    chroma[:, 10] = 0
    sure, open_ = (network.colors(Outputs(hue=hue, chroma=chroma)) * 110)[0, :, 0].unbind(1)
    expected = 10.5 * MAX_CHROMA / BINS
    torch.testing.assert_close(sure, torch.tensor([expected, 0.0]), atol=1e-2, rtol=0)
    assert open_.norm() < 1e-3 * expected / FADING


def test_hue_centers_point_where_ab_does():
    from tinct.networks.larsson2016.network import hue_centers

    a, b = hue_centers(torch.zeros(1)).T
    angle = torch.remainder(torch.atan2(b, a), 2 * math.pi)
    torch.testing.assert_close(angle * BINS / (2 * math.pi), torch.arange(BINS) + 0.5)


def test_unknown_or_colorless_branches_are_refused():
    with pytest.raises(OptionError, match="depth"):
        ScunetConfig(branches=("depth", "ab"))
    with pytest.raises(OptionError, match="no color"):
        ScunetConfig(branches=("scenes",))
    with pytest.raises(OptionError, match="multiple of 32"):
        Iizuka2016Config(global_size=100)


def perturbed(network: nn.Module) -> nn.Module:
    """With running statistics and scales that are not those of the start."""
    for module in network.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            if module.affine:
                nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.running_mean, -0.2, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return network


@pytest.mark.parametrize("name", KINDS)
@torch.no_grad()
def test_exported_equals_torch_at_sizes_it_was_not_traced_at(name, tmp_path):
    pytest.importorskip("onnx")
    from tinct.inference.openvino_engine import engine

    network = perturbed(shipped(name))
    (graph,) = paper_graphs(network)
    file = export([graph], name, tmp_path)[name]
    compiled = engine().compile_model(str(file), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    assert [port.any_name for port in compiled.outputs] == list(graph.outputs)
    reference = PaperGraph(network)
    for height, width in ((32, 96), (160, 64), (288, 32)):
        given = inputs(network, *sides(network, height, width))
        wanted = reference(*given)
        found = compiled([tensor.numpy() for tensor in given])
        # weights are stored in half precision; what is compared are a* b*, and probabilities
        for port, expected, tolerance in zip(compiled.outputs, wanted, (0.3, 1e-3), strict=False):
            np.testing.assert_allclose(found[port], expected, atol=tolerance)
