"""Laws of how the papers' networks are trained: what the truth is made into, what is given, what is minimized."""

from __future__ import annotations

import colorsys
import json
import re
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need torch: pip install 'tinct[train]'")

from torch.nn import functional as F

from paper_weights import unsettled
from tinct.color.bins import AB_BINS, AB_SCALE, encode_bins
from tinct.errors import OptionError
from tinct.networks.larsson2016.training import linear_cross_entropy
from tinct.networks.layers.outputs import annealed_mean
from tinct.networks.scunet import training as scunet_training
from tinct.networks.scunet.training import dice_loss, likeliest
from tinct.networks.xiao2019 import training as xiao2019_training
from tinct.networks.xu2020.colorization_training import ColorizationRecipe, ColorizationTraining
from tinct.networks.xu2020.network import Xu2020Config
from tinct.networks.zhang2016 import training as zhang2016_training
from tinct.networks.zhang2017.training import global_hints, patches, random_hints, saturation, square_patches
from tinct.training.automatic import draw_batch
from tinct.training.color_distribution import distribution_loss, histogram, own_prior, soft_encoding
from tinct.training.config import read_config, shipped_configs
from tinct.training.labels import UNLABELED, Labels
from tinct.training.loop import Loop, LoopConfig
from tinct.training.pool import Pool
from tinct.training.run import TRAININGS, export_run, open_training, train
from tinct.weights import read_manifest
from training_photographs import photographs

NAMES = ("zhang2016", "zhang2017", "scunet", "iizuka2016", "larsson2016", "pix2pix", "xiao2019")
VARIANTS = [name for name, card in TRAININGS.items() if name.startswith(NAMES) and card.method]
CENTERS = torch.from_numpy(AB_BINS.copy())


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch):
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    for module in (scunet_training, xiao2019_training, zhang2016_training):
        monkeypatch.setattr(module, "own_prior", partial(own_prior, photographs=64))
    yield
    torch.set_num_threads(before)


def pool(count: int = 2) -> Pool:
    """Photographs with scenes and segments."""
    generator = np.random.default_rng(0)
    scenes = np.zeros((count, 365), np.float16)
    scenes[:, :8] = generator.dirichlet(np.ones(8), count)
    segments = generator.integers(0, 32, (count, 64, 64)).astype(np.uint8)
    made = Pool.open(photographs(count), Labels(scenes, None, segments), torch.device("cpu"))
    made.weights[:] = 1  # nothing is held out of so few
    return made


def tiny(name: str, made: Pool, **recipe):
    """A training with the numbers of its config, but tiny."""
    tables = read_config(shipped_configs()[name])
    tables["network"] |= {"width": 0.125} | ({"global_size": 32} if name == "iizuka2016" else {})
    tables["recipe"] |= {key: "" for key in tables["recipe"] if key == "start"} | recipe
    return open_training(name, tables, made)


def random_ab(*shape: int) -> torch.Tensor:
    return torch.rand(shape) * 1.6 - 0.8


@pytest.mark.parametrize("neighbors", [5, 10])
def test_soft_encoding_is_the_packages(neighbors):
    ab = random_ab(2, 2, 5, 7)
    found = soft_encoding(ab, neighbors)
    index, share = encode_bins(ab.permute(0, 2, 3, 1).numpy() * AB_SCALE, neighbors)
    dense = torch.zeros(2, 313, 5, 7).scatter_(1, found.bins, found.share).permute(0, 2, 3, 1)
    expected = np.zeros((2, 5, 7, 313), np.float32)
    np.put_along_axis(expected, index, share, -1)
    np.testing.assert_allclose(dense, expected, atol=1e-4)


def test_autocast_leaves_the_truth_as_it_is():
    ab, logits = random_ab(2, 2, 6, 6), torch.randn(2, 313, 6, 6) * 4
    plain = soft_encoding(ab), annealed_mean(logits, CENTERS)
    with torch.autocast("cpu", torch.bfloat16):
        cast = soft_encoding(ab), annealed_mean(logits, CENTERS)
    assert torch.equal(cast[0].bins, plain[0].bins)
    assert torch.equal(cast[0].share, plain[0].share)
    assert torch.equal(cast[1], plain[1])


def test_distribution_loss_is_weighted_cross_entropy():
    logits, truth, weights = torch.randn(2, 313, 4, 4), random_ab(2, 2, 4, 4), torch.rand(313)
    encoded = soft_encoding(truth)
    dense = torch.zeros(2, 313, 4, 4).scatter_(1, encoded.bins, encoded.share)
    plain = F.cross_entropy(logits, dense, reduction="none")
    torch.testing.assert_close(distribution_loss(logits, encoded), plain.mean())
    nearest = torch.cdist(truth.permute(0, 2, 3, 1).reshape(-1, 2) * AB_SCALE, CENTERS).argmin(1)
    weighted = (plain * weights[nearest].view(2, 4, 4)).mean()
    torch.testing.assert_close(distribution_loss(logits, encoded, weights), weighted)


def test_nothing_is_below_the_entropy_of_the_truth():
    encoded = soft_encoding(random_ab(1, 2, 3, 3))
    dense = torch.zeros(1, 313, 3, 3).scatter_(1, encoded.bins, encoded.share)
    entropy = -(encoded.share * encoded.share.clamp_min(1e-12).log()).sum(1).mean()
    torch.testing.assert_close(distribution_loss((dense + 1e-12).log(), encoded), entropy)


def test_histogram_counts_every_place_alike():
    ab = torch.cat([torch.zeros(1, 2, 4, 4), torch.full((1, 2, 4, 4), 50 / AB_SCALE)])
    ab[:, :, :2] = torch.tensor([20.0, -30.0])[:, None, None] / AB_SCALE
    found = histogram(soft_encoding(ab, neighbors=1), 313)
    for row, other in zip(found, ((0, 0), (50, 50)), strict=True):
        for color in ((20, -30), other):
            assert row[(torch.tensor(color) == CENTERS).all(1)].item() == pytest.approx(0.5)


def test_rare_colors_weigh_more_and_the_mean_weight_is_one():
    made = pool(4)
    training = tiny("zhang2016", made)
    prior = own_prior(made, 64)
    assert training.weights[prior.argmax()] == training.weights.min()
    assert (training.weights * prior).sum() == pytest.approx(1, abs=0.1)  # another draw of the same pool


def test_patches_reveal_the_mean_truth_under_them():
    ab, size = random_ab(1, 2, 32, 32), 32
    place, side = torch.tensor([[[0.4, 0.7]]]), torch.tensor([[5]])
    found = patches(ab, place, side, torch.ones(1, 1))[0]
    y, x = int(0.7 * size), int(0.4 * size)
    inside = torch.zeros(size, size)
    inside[y - 2 : y + 3, x - 2 : x + 3] = 1
    torch.testing.assert_close(found[2], inside)
    mean = ab[0, :, y - 2 : y + 3, x - 2 : x + 3].mean((1, 2))
    torch.testing.assert_close(found[:2], mean[:, None, None] * inside, atol=1e-4, rtol=0)


def test_hints_are_geometric_in_number():
    ab = random_ab(4000, 2, 8, 8)
    none = (random_hints(ab, 0.125, 64, 0.0)[:, 2] == 0).flatten(1).all(1).float().mean()
    assert none == pytest.approx(0.125, abs=0.025)
    whole = random_hints(ab, 0.125, 64, 0.25)
    revealed = (whole[:, 2] == 1).flatten(1).all(1) & (whole[:, :2] == ab).flatten(1).all(1)
    assert revealed.float().mean() == pytest.approx(0.25, abs=0.03)


def test_hints_stand_around_the_center():
    covered = random_hints(random_ab(2000, 2, 32, 32), 0.125, 16, 0.0)[:, 2].mean(0)
    assert covered[12:20, 12:20].mean() > 3 * covered[[0, 0, 31, 31], [0, 31, 0, 31]].mean()


def test_validated_patches_are_six_pixels_wide():
    found = square_patches(random_ab(1, 2, 64, 64), torch.tensor([[[0.5, 0.5]]]))
    assert found[0, 2].sum() == 36


def test_saturation_is_that_of_hsv():
    rgb = torch.rand(3, 3, 2, 2)
    rgb[0, :, 0, 0] = 0
    expected = [
        np.mean([colorsys.rgb_to_hsv(*pixel)[1] for pixel in photo.flatten(1).T.tolist()]) for photo in rgb
    ]
    np.testing.assert_allclose(saturation(rgb)[:, 0], expected, rtol=1e-5)


def test_global_hints_that_are_not_shown_are_zero():
    colors, mean = torch.full((3, 313), 1 / 313), torch.full((3, 1), 0.4)
    found = global_hints(colors, mean, torch.tensor([[1.0, 1.0], [1.0, 0.0], [0.0, 0.0]]))
    assert found.shape == (3, 316)
    torch.testing.assert_close(found.sum(1), torch.tensor([1 + 1 + 0.4 + 1, 2.0, 0.0]))
    assert found[0, 313:].tolist() == pytest.approx([1, 0.4, 1])


def test_top_five_smoothing_keeps_five_and_sums_to_one():
    labels = torch.rand(3, 365)
    labels[1] = 0
    found = likeliest(labels, 5)
    assert (found > 0).sum(1).tolist() == [5, 0, 5]
    torch.testing.assert_close(found.sum(1), torch.tensor([1.0, 0.0, 1.0]))
    kept = labels[0].topk(5).values
    torch.testing.assert_close(found[0].topk(5).values, kept / kept.sum())


def test_dice_is_zero_where_all_is_right_and_one_where_all_is_wrong():
    labels = torch.randint(0, 3, (2, 6, 6))
    sure = F.one_hot(labels, 4).permute(0, 3, 1, 2) * 60.0
    assert dice_loss(sure, labels).item() == pytest.approx(0, abs=1e-5)
    assert dice_loss(sure.roll(1, 1), labels).item() == pytest.approx(1, abs=1e-5)


def test_unlabeled_places_do_not_count():
    labels, logits = torch.randint(0, 4, (1, 6, 6)), torch.randn(1, 4, 6, 6)
    labels[:, :3] = UNLABELED
    half = dice_loss(logits[:, :, 3:], labels[:, 3:])
    torch.testing.assert_close(dice_loss(logits, labels), half)
    assert dice_loss(logits, None).item() == 0


def test_a_truth_between_two_bins_belongs_to_both_by_nearness():
    logits = torch.randn(1, 8, 1, 1)
    likely = -F.log_softmax(logits, 1)[0, :, 0, 0]

    def loss(position: float, circular: bool) -> float:
        return linear_cross_entropy(logits, torch.full((1, 1, 1), position), circular).item()

    assert loss(2.25, False) == pytest.approx(float(0.75 * likely[2] + 0.25 * likely[3]), rel=1e-5)
    assert loss(-0.5, True) == pytest.approx(float((likely[7] + likely[0]) / 2), rel=1e-5)
    assert loss(7.5, True) == pytest.approx(loss(-0.5, True))
    assert loss(-0.5, False) == pytest.approx(float(likely[0]), rel=1e-5)
    assert loss(9.0, False) == pytest.approx(float(likely[7]), rel=1e-5)


@pytest.mark.parametrize("name", [name for name in VARIANTS if not name.startswith("pix2pix")])
def test_every_recipe_learns_two_photographs_by_heart(name):
    made = pool()
    training = tiny(name, made)
    model = training.build().train()
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3)
    totals, first, last = [], {}, {}
    for _ in range(10):
        torch.manual_seed(0)  # the same views and hints
        with torch.autocast("cpu", torch.bfloat16):
            last = training.losses(model, made, 2, 32)
        first = first or last
        total = torch.stack(list(last.values())).sum()
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        totals.append(float(total.detach()))
    assert totals[-1] < 0.8 * totals[0]
    assert all(last[part] < first[part] for part in first)


def saved(name: str, made: Pool, run: Path, **recipe):
    """A run that was saved before its first step, with batch normalizations that do something."""
    loop = Loop(tiny(name, made, **recipe), made, LoopConfig(), run, torch.device("cpu"))
    loop.averaged.state = unsettled(loop.model).state_dict()
    loop.save()
    return loop.averaged_model()


def test_local_hints_begin_with_the_automatic_networks_blocks(tmp_path):
    made = pool()
    older = saved("zhang2016", made, tmp_path)
    model = tiny("zhang2017", made, start=str(tmp_path)).build().eval()
    lightness, none = torch.rand(1, 1, 32, 48) * 100, torch.zeros(1, 3, 32, 48)
    with torch.no_grad():
        deepest = model.main(torch.cat([(lightness - 50) / 100, none], 1), None)[0][6]
        expected = older.blocks[:7]((lightness - 50) / 100)
    torch.testing.assert_close(deepest, expected)
    assert torch.equal(model.main.conv8_up.weight, older.blocks.conv8[0].weight)


def test_the_global_hints_network_begins_as_the_local_one(tmp_path):
    made = pool()
    older = saved("zhang2017", made, tmp_path)
    model = tiny("zhang2017-global", made, start=str(tmp_path)).build().eval()
    for name, value in older.state_dict().items():
        assert torch.equal(model.state_dict()[name], value), name


def test_xu_2020_begins_with_all_of_the_local_hints_networks_main_branch(tmp_path):
    made = pool()
    older = saved("zhang2017", made, tmp_path)
    network = Xu2020Config(colorization=0.125)
    model = ColorizationTraining(ColorizationRecipe(start=str(tmp_path)), network, made).build().eval()
    lightness, hints = torch.rand(1, 1, 128, 128) * 100, torch.rand(1, 3, 128, 128) - 0.5
    with torch.no_grad():
        expected = older(lightness, hints).ab
        found = model(lightness, hints[:, :2], hints[:, 2:])
    # at the border this network's mask is padded with what the other knows as a half
    torch.testing.assert_close(found[..., 60:68, 60:68], expected[..., 60:68, 60:68], atol=2e-3, rtol=0)
    assert float((found - expected).abs().mean()) < 0.1 * float(expected.abs().mean())


def test_a_run_of_another_width_is_not_started_from(tmp_path):
    made = pool()
    saved("zhang2016", made, tmp_path)
    tables = {"network": {"width": 0.25}, "recipe": {"start": str(tmp_path)}}
    training = open_training("zhang2017", tables, made)
    with pytest.raises(OptionError, match="train both at one width"):
        training.build()


def test_a_run_that_is_not_there_is_not_started_from(tmp_path):
    with pytest.raises(OptionError, match="give the folder of a run"):
        tiny("zhang2017", pool(), start=str(tmp_path / "nowhere"))


def test_old_lightness_is_what_a_recipe_may_ask_for():
    made = pool(4)
    for old in (False, True):
        training = tiny("iizuka2016", made, old=old)
        seen, network = [], training.build()
        torch.manual_seed(3)
        training.losses(_Watched(network, seen), made, 16, 32)
        torch.manual_seed(3)
        plain = draw_batch(made, 16, 32, False).lightness
        assert torch.equal(seen[0], plain) != old


class _Watched(torch.nn.Module):
    """Remembers the lightness that a network is shown."""

    def __init__(self, model: torch.nn.Module, seen: list[torch.Tensor]) -> None:
        super().__init__()
        self.model, self.seen = model, seen

    def forward(self, lightness: torch.Tensor) -> object:
        self.seen.append(lightness)
        return self.model(lightness)


@pytest.mark.parametrize("name", ["zhang2016", "zhang2017-global", "larsson2016", "xiao2019"])
def test_validation_answers_with_every_kind_of_help(name, tmp_path):
    made = pool(3)
    training = tiny(name, made)
    model = training.build().eval()
    found = training.validate(model, made, torch.arange(3), 64)
    expected = {"gray", "automatic", "vividness", "loss"}
    if name == "zhang2017-global":
        expected |= {"hints1", "hints10", "hints100", "histogram", "saturation"}
    if name == "xiao2019":
        expected |= {"histogram", "unrelated"}
    assert set(found) == expected
    assert found == training.validate(model, made, torch.arange(3), 64)
    training.draw(model, made, torch.arange(3), tmp_path / "sheet.png")
    assert (tmp_path / "sheet.png").stat().st_size > 0


@pytest.mark.parametrize("name", VARIANTS)
def test_a_config_says_its_command_hardware_hours_and_score(name):
    text = (shipped_configs()[name]).read_text()
    header = text[: text.index("[loop]")]
    assert f"tinct train {name} --data" in header
    assert "H200" in header or "CPU core" in header
    assert "hours" in header
    assert re.search(r"^# Score on held-out photographs: .*[0-9]", header, re.M)


def test_a_run_is_trained_resumed_and_exported_by_its_name(tmp_path):
    pytest.importorskip("onnx")
    made, packed = photographs(4), tmp_path / "pool"
    packed.mkdir()
    np.save(packed / "pixels.npy", made.pixels)
    np.save(packed / "sizes.npy", made.sizes)
    (packed / "entries.json").write_text(json.dumps([asdict(entry) for entry in made.entries]))
    config = tmp_path / "small.toml"
    config.write_text(
        "[loop]\nsizes = [[1.0, 32]]\nbatch = 2\nsteps = 2\n\n[recipe]\n\n[network]\nwidth = 0.125\n"
    )
    loop = train("zhang2016-four-blocks", packed, tmp_path / "run", config, device="cpu")
    assert loop.step == 2
    assert train("zhang2016-four-blocks", packed, tmp_path / "run", device="cpu").step == 2
    files = export_run(tmp_path / "run", tmp_path / "weights", "four synthetic photographs")
    manifest = json.loads((tmp_path / "weights" / "manifest.json").read_text())
    entry = manifest["zhang2016-four-blocks"]
    assert files["zhang2016-four-blocks"].name == entry["file"] == "zhang2016-four-blocks.onnx"
    assert entry["training_data"] == "four synthetic photographs"
    four = [[64, 2, 2, 1], [128, 2, 2, 1], [256, 3, 2, 1], [512, 3, 1, 1]]
    assert entry["network"] == {"width": 0.125, "blocks": four}  # which the config leaves out
    assert entry["command"] == "tinct train zhang2016-four-blocks --data PHOTOGRAPHS --out RUN"
    assert (entry["steps"], set(entry["score"])) == (2, {"gray", "automatic", "vividness", "loss"})
    assert (tmp_path / "run" / "zhang2016-four-blocks.safetensors").is_file()
    kept = read_manifest(tmp_path / "weights" / "manifest.json")["zhang2016-four-blocks"]
    assert (kept.network, kept.steps) == ({"width": 0.125, "blocks": four}, 2)
