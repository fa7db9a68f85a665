"""Laws of Xu 2020 and its lighter variant: the papers' layer tables, matched statistics, switches, sizes, export."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor
from torch.nn import functional as F

from tinct.errors import OptionError, ShapeError, WeightsError
from tinct.networks.layers.vgg19 import CHANNELS, TORCHVISION, VGG19, layers_of
from tinct.networks.xu2020.colorization_network import Xu2020Colorization, empty, sampled, weighted_huber
from tinct.networks.xu2020.feature_statistics_torch import (
    FEWEST_PLACES,
    adain,
    adain_by_label,
    gram_matrix,
    matching,
    wct,
    wct_by_label,
)
from tinct.networks.xu2020.lite_network import LiteTransfer, Xu2020Lite
from tinct.networks.xu2020.network import Following, Xu2020, Xu2020Config
from tinct.networks.xu2020.places import LITE_PROBABILITY
from tinct.networks.xu2020.transfer_network import DECODER_ONLY, ENCODER_ONLY, NOWHERE, Places, Xu2020Transfer

SMALL = 0.125


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Tensors this small gain nothing from threads, which only wait for each other on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.fixture(scope="module")
def transfer() -> Xu2020Transfer:
    torch.manual_seed(1)
    return Xu2020Transfer(SMALL).eval()


def numbers(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def convolutions(module: torch.nn.Module) -> dict[str, tuple[int, int]]:
    """Inputs and outputs of every convolution by name."""
    found = {}
    for name, layer in module.named_modules():
        if isinstance(layer, torch.nn.Conv2d | torch.nn.ConvTranspose2d):
            found[name] = (layer.in_channels, layer.out_channels)
    return found


def covariance(features: Tensor) -> Tensor:
    """Of channels over places, with the mean taken out: (C, C) of (C, N)."""
    return torch.from_numpy(np.cov(features.double().numpy(), bias=True))


# Layer tables


def test_the_encoder_is_vgg19_to_conv4_1():
    encoder = VGG19()
    shapes = [3, 64, 64, 128, 128, 256, 256, 256, 256, 512]
    assert list(convolutions(encoder).values())[1:] == list(pairwise(shapes))
    table = sum(9 * a * b + b for a, b in pairwise(shapes))
    assert numbers(encoder) == table + 12 == 3_505_728 + 12
    assert not any(p.requires_grad for p in encoder.conv0.parameters())


def test_the_decoder_mirrors_it_with_skips():
    wanted = {
        "conv4_1": (512, 256),
        "conv3_4": (768, 256),
        "conv3_3": (256, 256),
        "conv3_2": (256, 256),
        "conv3_1": (256, 128),
        "conv2_2": (384, 128),
        "conv2_1": (128, 64),
        "conv1_2": (192, 64),
        "conv1_1": (64, 3),
    }
    assert convolutions(Xu2020Transfer().decoder) == wanted


def test_the_colorization_subnet_has_ten_blocks_and_the_published_size():
    network = Xu2020Colorization()
    blocks = [name for name, _ in network.named_children()]
    assert blocks == [f"block{i}" for i in range(1, 11)] + ["output"]
    last = [64, 128, 256, 512, 512, 512, 512, 256, 128, 128, 2]
    outputs = [list(convolutions(part).values())[-1][1] for _, part in network.named_children()]
    assert outputs == last
    assert next(iter(convolutions(network.block1).values()))[0] == 4
    dilated = {
        name.split(".")[0] for name, x in network.named_modules() if getattr(x, "dilation", 1) == (2, 2)
    }
    assert dilated == {"block5", "block6"}
    assert round(numbers(network) / 1e6, 2) == 34.05  # as published for the same shape


def test_the_lighter_decoder_normalizes_by_batch_and_its_encoder_does_not():
    network = LiteTransfer()
    norms = [name for name, layer in network.named_modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    assert len(norms) == 8
    assert all(name.startswith("decoder") for name in norms)
    assert list(convolutions(network.decoder).values()) == [
        (512, 256),
        (512, 256),
        (256, 256),
        (256, 256),
        (256, 128),
        (256, 128),
        (128, 64),
        (128, 64),
        (64, 3),
    ]


# The encoder


def by_hand(rgb: Tensor, layers: dict[str, tuple[Tensor, Tensor]], last: str) -> Tensor:
    """VGG-19 written out, with average pooling and reflection padding, of an input that is already normalized."""
    for name, (weight, bias) in layers.items():
        if name.endswith("_1") and name != "conv1_1":
            rgb = F.avg_pool2d(rgb, 2)
        rgb = F.relu(F.conv2d(F.pad(rgb, (1, 1, 1, 1), mode="reflect"), weight, bias))
        if name == last:
            return rgb
    raise AssertionError(last)


@pytest.mark.parametrize("layout", ["torchvision", "normalized"])
def test_published_weights_give_the_same_features_as_vgg19_written_out(layout):
    shapes = [3, *CHANNELS.values()][:10]
    layers = {
        name: (torch.randn(b, a, 3, 3) * 0.05, torch.randn(b) * 0.1)
        for name, a, b in zip(CHANNELS, shapes[:-1], shapes[1:], strict=False)
    }
    rgb = torch.rand(1, 3, 24, 32)
    if layout == "torchvision":
        state = {
            f"features.{TORCHVISION[name]}.{kind}": value.numpy()
            for name, pair in layers.items()
            for kind, value in zip(("weight", "bias"), pair, strict=True)
        }
        mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        seen = (rgb - mean[:, None, None]) / deviation[:, None, None]
    else:
        state = {f"{name}_w": weight.numpy() for name, (weight, _) in layers.items()}
        state |= {f"{name}_b": bias.numpy() for name, (_, bias) in layers.items()}
        flip = np.eye(3, dtype=np.float32)[::-1] * 255
        state |= {"conv0_w": flip[..., None, None].copy(), "conv0_b": np.full(3, -110, np.float32)}
        seen = rgb.flip(1) * 255 - 110
    encoder = VGG19()
    assert encoder.load(layers_of(state)) == ()
    found = encoder.features(rgb, ("conv2_1", "conv4_1"))
    for name, features in found.items():
        wanted = by_hand(seen, layers, name)
        assert torch.allclose(features, wanted, rtol=1e-3, atol=1e-3 * float(wanted.max()))
    assert not any(p.requires_grad for p in encoder.parameters())


def test_a_layer_without_weights_is_left_to_train():
    state = {f"{name}_w": np.zeros((b, a, 3, 3), np.float16) for name, a, b in (("conv1_1", 3, 64),)}
    state |= {"conv1_1_b": np.zeros(64), "conv0_w": np.ones((3, 3, 1, 1)), "conv0_b": np.zeros(3)}
    encoder = VGG19(1.0, "conv1_2")
    assert encoder.load(layers_of(state)) == ("conv1_2",)
    trained = {name.split(".")[0] for name, p in encoder.named_parameters() if p.requires_grad}
    assert trained == {"conv1_2"}


def test_weights_of_something_else_are_refused():
    with pytest.raises(WeightsError, match="no VGG-19"):
        layers_of({"conv.weight": np.zeros(3)})
    with pytest.raises(WeightsError, match="width"):
        VGG19(0.5).load(VGG19(1.0).state_dict())


# Statistics


def test_adain_gives_the_styles_mean_and_deviation():
    content, style = torch.randn(2, 5, 9, 11) * 3 + 1, torch.rand(2, 5, 6, 13) * 7
    found = adain(content, style)
    for statistic in (torch.mean, torch.std):
        pairs = zip(statistic(found.flatten(2), 2), statistic(style.flatten(2), 2), strict=True)
        assert all(torch.allclose(x, y, rtol=0.01) for x, y in pairs)


def test_adain_keeps_where_features_are():
    content, style = torch.randn(1, 4, 8, 8), torch.randn(1, 4, 5, 5)
    order = content.flatten(2).argsort(2)
    assert torch.equal(order, adain(content, style).flatten(2).argsort(2))


def test_a_constant_channel_becomes_the_styles_mean():
    content, style = torch.full((1, 2, 4, 4), 3.0), torch.randn(1, 2, 4, 4)
    assert torch.allclose(adain(content, style), style.mean((2, 3), keepdim=True).expand(-1, -1, 4, 4))


def test_wct_gives_the_styles_covariance():
    content, style = torch.randn(2, 6, 12, 12), torch.randn(2, 6, 15, 9)
    style = torch.einsum("cd,bdhw->bchw", torch.randn(6, 6), style) + 4
    for found, wanted in zip(wct(content, style).flatten(2), style.flatten(2), strict=True):
        assert torch.allclose(covariance(found), covariance(wanted), atol=1e-3)
        assert torch.allclose(found.mean(1), wanted.mean(1), atol=1e-4)


def test_wct_copes_with_fewer_places_than_channels():
    assert torch.isfinite(wct(torch.randn(1, 32, 3, 3), torch.randn(1, 32, 4, 2))).all()
    assert torch.isfinite(wct(torch.zeros(1, 4, 3, 3), torch.randn(1, 4, 4, 2))).all()


@pytest.mark.parametrize("match", [adain, wct])
def test_matching_to_oneself_changes_nothing(match):
    x = torch.randn(2, 4, 10, 10)
    assert torch.allclose(match(x, x), x, atol=1e-4)


@pytest.mark.parametrize(("whole", "by_label"), [(adain, adain_by_label), (wct, wct_by_label)])
def test_each_label_takes_the_statistics_of_its_own(whole, by_label):
    content, style = torch.randn(2, 3, 8, 10), torch.randn(2, 3, 12, 6) * 2 + 5
    here, there = torch.zeros(2, 8, 10, dtype=torch.long), torch.zeros(2, 12, 6, dtype=torch.long)
    here[:, 4:], there[:, :5] = 7, 7
    found = by_label(content, style, here, there)
    for row, label in product(range(2), (0, 7)):
        x = content[row][:, here[row] == label][None, :, None]
        y = style[row][:, there[row] == label][None, :, None]
        assert torch.allclose(found[row][:, here[row] == label], whole(x, y)[0, :, 0], atol=1e-3)


@pytest.mark.parametrize(("whole", "by_label"), [(adain, adain_by_label), (wct, wct_by_label)])
def test_one_label_for_all_is_as_none(whole, by_label):
    content, style = torch.randn(1, 3, 8, 10), torch.randn(1, 3, 12, 6)
    found = by_label(content, style, torch.full((1, 40, 40), 3), torch.full((1, 5, 5), 3))
    assert torch.allclose(found, whole(content, style), atol=1e-4)


@pytest.mark.parametrize("by_label", [adain_by_label, wct_by_label])
def test_what_the_style_lacks_or_hardly_has_stays_as_it_is(by_label):
    content, style = torch.randn(1, 3, 8, 8), torch.randn(1, 3, 8, 8)
    here, there = torch.zeros(1, 8, 8, dtype=torch.long), torch.zeros(1, 8, 8, dtype=torch.long)
    here[:, :2], here[:, 2:4] = 1, 2
    there.view(-1)[: FEWEST_PLACES - 1] = 2
    found = by_label(content, style, here, there)
    assert torch.equal(found[:, :, :4], content[:, :, :4])
    assert not torch.allclose(found[:, :, 4:], content[:, :, 4:])


def test_labels_of_one_photograph_alone_are_refused():
    with pytest.raises(OptionError, match="both"):
        matching("adain", torch.zeros(1, 4, 4))
    with pytest.raises(OptionError, match="adain or wct"):
        matching("gram")


def test_the_gram_matrix_is_the_mean_product_of_channels():
    x = torch.randn(2, 3, 4, 5)
    wanted = np.einsum("bchw,bdhw->bcd", x.numpy(), x.numpy()) / (3 * 4 * 5)
    assert np.allclose(gram_matrix(x).numpy(), wanted, atol=1e-6)


# The transfer sub-net


@torch.no_grad()
def test_matching_nowhere_is_reconstruction(transfer):
    content, style = torch.rand(1, 3, 32, 40), torch.rand(1, 3, 24, 24)
    plain = transfer(content)
    assert torch.equal(transfer(content, style, places=NOWHERE), plain)
    assert torch.allclose(transfer(content, style, alpha=0), plain, atol=1e-5)


@torch.no_grad()
def test_every_place_can_be_switched_on_its_own(transfer):
    content, style = torch.rand(1, 3, 32, 40), torch.rand(1, 3, 24, 24) ** 3
    single = [Places((level,), (), ()) for level in (1, 2, 3, 4)]
    single += [Places((), (level,), ()) for level in (1, 2, 3)]
    single += [Places((), (), (level,)) for level in (1, 2, 3)]
    found = [
        transfer(content, style, places=p) for p in (NOWHERE, *single, ENCODER_ONLY, DECODER_ONLY, Places())
    ]
    for i, j in product(range(len(found)), repeat=2):
        assert i == j or not torch.allclose(found[i], found[j], atol=1e-5), (i, j)
    with pytest.raises(OptionError, match="level 4"):
        Places(decoder=(4,))


@torch.no_grad()
def test_matched_features_have_the_references_statistics_at_their_place(transfer):
    content, style = torch.rand(1, 3, 32, 40), torch.rand(1, 3, 24, 24) ** 2
    guide = transfer.guide(style, adain)
    encoded = transfer.encode(content, guide)
    pairs = [*zip(encoded.levels, guide.encoded.levels, strict=True)]
    pairs += [*zip(encoded.pooled, guide.encoded.pooled, strict=True)]
    for own, other in pairs:
        assert torch.allclose(own.mean((2, 3)), other.mean((2, 3)), atol=1e-4)
    _, decoded = transfer.decoder(encoded, guide)
    for level, own in decoded.items():
        assert torch.allclose(own.mean((2, 3)), guide.decoded[level].mean((2, 3)), atol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("match", ["adain", "wct"])
def test_a_photograph_is_its_own_reconstruction_as_a_style(transfer, match):
    rgb = torch.rand(1, 3, 48, 40)
    plain = transfer(rgb)
    assert torch.allclose(transfer(rgb, rgb, match=match), plain, atol=0.03 * float(plain.abs().max()))


@torch.no_grad()
def test_one_label_for_all_transfers_as_none(transfer):
    content, style = torch.rand(2, 3, 37, 45), torch.rand(2, 3, 50, 26)
    labels = torch.zeros(2, 9, 9, dtype=torch.long), torch.zeros(2, 5, 7, dtype=torch.long)
    assert torch.allclose(transfer(content, style, labels), transfer(content, style), atol=1e-4)


@torch.no_grad()
def test_labels_keep_what_has_no_counterpart_from_the_style(transfer):
    content, style = torch.rand(1, 3, 64, 64), torch.rand(1, 3, 64, 64) ** 3
    here = torch.zeros(1, 64, 64, dtype=torch.long)
    here[:, :, 32:] = 1
    found = transfer(content, style, (here, torch.zeros_like(here)), places=ENCODER_ONLY)
    change = (found - transfer(content)).abs().mean((0, 1, 2))
    assert change[:16].mean() > 10 * change[48:].mean()


@torch.no_grad()
@pytest.mark.parametrize("size", [(16, 16), (17, 31), (40, 23)])
def test_any_size_comes_back_as_it_was(transfer, size):
    assert transfer(torch.rand(1, 3, *size), torch.rand(1, 3, 33, 19)).shape == (1, 3, *size)
    lite = LiteTransfer(SMALL).eval()
    assert lite(torch.rand(1, 3, *size), torch.rand(1, 3, 33, 19)).shape == (1, 3, *size)
    ab = torch.zeros(1, 2, *size)
    assert Xu2020Colorization(SMALL)(torch.zeros(1, 1, *size), *empty(ab)).shape == ab.shape


def test_what_does_not_fit_is_refused(transfer):
    with pytest.raises(ShapeError, match="16x16"):
        transfer(torch.rand(1, 3, 15, 40))
    with pytest.raises(ShapeError, match="styles"):
        transfer(torch.rand(2, 3, 16, 16), torch.rand(1, 3, 16, 16))
    with pytest.raises(OptionError, match="alpha"):
        transfer(torch.rand(1, 3, 16, 16), alpha=1.5)


@torch.no_grad()
def test_statistics_are_taken_in_single_precision_under_autocast(transfer):
    content, style = torch.rand(1, 3, 64, 64), torch.rand(1, 3, 64, 64)
    plain = transfer(content, style)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        halved = transfer(content, style)
    assert (halved.float() - plain).abs().mean() < 0.03 * plain.abs().mean()


# The colorization sub-net


def test_sampled_pixels_are_the_truths_own_and_about_their_share():
    ab = torch.rand(2, 2, 64, 64) - 0.5
    kept, mask = sampled(ab, "pixels", 0.125)
    assert torch.equal(kept, ab * mask)
    assert set(mask.unique().tolist()) == {0.0, 1.0}
    assert abs(float(mask.mean()) - 0.125) < 0.01


def test_sampled_points_show_the_mean_under_them():
    ab = torch.full((8, 2, 40, 50), 0.25)
    kept, mask = sampled(ab, "points", generator=torch.Generator().manual_seed(2))
    assert torch.allclose(kept, ab * mask)
    areas = mask.flatten(1).sum(1)
    assert areas.max() > 1
    assert mask.mean() < 0.5


def test_the_number_of_points_is_geometric():
    _, mask = sampled(torch.zeros(600, 2, 12, 12), "points", generator=torch.Generator().manual_seed(0))
    nothing = (mask.flatten(1).sum(1) == 0).float()
    assert abs(float(nothing.mean()) - 0.125) < 0.03  # none at all with probability p


@pytest.mark.parametrize("sampling", ["pixels", "points"])
def test_the_same_generator_samples_the_same(sampling):
    ab = torch.rand(3, 2, 20, 30)
    one, other = (sampled(ab, sampling, 0.1, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(one[0], other[0])
    assert torch.equal(one[1], other[1])


def test_a_sampling_that_is_none_is_refused():
    with pytest.raises(OptionError, match="pixels or points"):
        sampled(torch.zeros(1, 2, 8, 8), "lines")
    with pytest.raises(OptionError, match="p above 0"):
        sampled(torch.zeros(1, 2, 8, 8), probability=0)


def test_the_weighted_huber_loss_is_the_papers_formula():
    found, truth = torch.rand(2, 2, 5, 6) - 0.5, torch.rand(2, 2, 5, 6) - 0.5
    mask = (torch.rand(2, 1, 5, 6) < 0.4).float()
    error = ((1 + 10 * mask) * (found - truth) * 110).abs().numpy()
    wanted = np.where(error < 1, 0.5 * error**2, error - 0.5).mean()
    assert float(weighted_huber(found, truth, mask, 10, 1)) == pytest.approx(wanted, rel=1e-5)


# Together


@pytest.mark.parametrize("kind", [Xu2020, Xu2020Lite])
def test_the_whole_answers_alike_for_the_same_seed_at_any_size(kind):
    network = kind(Xu2020Config(SMALL, SMALL))
    lightness, reference = torch.rand(2, 1, 37, 50) * 100, torch.rand(2, 3, 41, 22)
    found = network.predict(lightness, reference, seed=4)
    assert found.shape == (2, 2, 37, 50)
    assert found.abs().max() <= 110
    assert torch.equal(found, network.predict(lightness, reference, seed=4))


@torch.no_grad()
def test_the_steps_follow_from_each_other():
    network = Xu2020(Xu2020Config(SMALL, SMALL)).eval()
    lightness, reference = torch.rand(1, 1, 32, 32) * 100, torch.rand(1, 3, 32, 32)
    steps = network(lightness, reference, generator=torch.Generator().manual_seed(0))
    none = torch.zeros(1, 2, 32, 32)
    assert torch.equal(steps.precolor, network.colorization(lightness, none, none[:, :1]))
    again = network.colorization(lightness, steps.coarse * steps.mask, steps.mask)
    assert torch.equal(steps.ab, again)
    other = network(lightness, reference**3, generator=torch.Generator().manual_seed(0))
    assert torch.equal(other.precolor, steps.precolor)
    assert not torch.allclose(other.coarse, steps.coarse)


@torch.no_grad()
def test_the_lighter_variant_shows_one_percent_and_matches_at_one_place():
    network = Xu2020Lite(Xu2020Config(SMALL, SMALL)).eval()
    lightness, reference = torch.rand(1, 1, 64, 64) * 100, torch.rand(1, 3, 32, 32)
    steps = network(lightness, reference)
    assert LITE_PROBABILITY == 0.01
    assert 0 < float(steps.mask.mean()) < 0.03
    for following in (Following(match="wct"), Following(places=NOWHERE)):
        with pytest.raises(OptionError, match="xu2020"):
            network(lightness, reference, following=following)


def test_a_reference_that_is_no_picture_is_refused():
    with pytest.raises(ShapeError, match="reference"):
        Xu2020(Xu2020Config(SMALL, SMALL)).predict(torch.zeros(1, 1, 32, 32), torch.zeros(1, 1, 32, 32))


# Export


@pytest.mark.parametrize("name", ["xu2020-lite", "xu2020-colorization"])
def test_exported_equals_torch_at_any_size(tmp_path, name):
    pytest.importorskip("onnx")
    from tinct.inference.openvino_engine import engine
    from tinct.networks.xu2020.release import ColorizationGraph, TransferGraph
    from tinct.training.export import export
    from tinct.training.run import release_of

    kinds = {
        "xu2020-lite": lambda: TransferGraph(LiteTransfer(SMALL)),
        "xu2020-colorization": lambda: ColorizationGraph(Xu2020Colorization(SMALL)),
    }
    graph = kinds[name]()
    for module in graph.modules():  # batch normalizations that do something
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean, -0.2, 0.2)
            torch.nn.init.uniform_(module.running_var, 0.5, 2.0)
    for parameter in graph.parameters():  # what half precision holds exactly
        parameter.data = parameter.data.half().float()
    file = export(release_of(name).graphs(graph.model), name, tmp_path)[name]
    run = engine().compile_model(file, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    for height, width in ((32, 48), (37, 51)):
        if name == "xu2020-colorization":
            given = torch.rand(1, 1, height, width) * 100, torch.rand(1, 3, height, width)
        else:
            given = torch.rand(1, 3, height, width), torch.rand(1, 3, width, height)
        with torch.no_grad():
            wanted = graph(*given).numpy()
        found = run([tensor.numpy() for tensor in given])[0]
        assert found.shape == wanted.shape
        # folding batch normalization makes new weights, which half precision rounds
        assert np.abs(found - wanted).max() < (2e-2 if name == "xu2020-lite" else 2e-3) * max(
            1, np.abs(wanted).max()
        )
