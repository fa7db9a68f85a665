"""Laws of the papers' networks as methods, on tiny random ones: the networks' own answers through the common doors."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the tests' networks need torch: pip install 'tinct[train]'")
pytest.importorskip("onnx", reason="the tests' networks need onnx: pip install 'tinct[train]'")

import cv2
from skimage import data
from torch.nn import functional as F

from paper_weights import SINGLE, export_all
from tinct import weights
from tinct.cli import run
from tinct.color.bins import AB_BINS
from tinct.color.lab import rgb_to_lab, rgb_to_lightness
from tinct.colorizing.colorizer import Colorizer, colorize
from tinct.errors import MethodError, OptionError, WeightsError
from tinct.evaluation.run.contestants import get_contestant
from tinct.hints import Hint, HintField, place_hints
from tinct.inference import open_network
from tinct.methods import (
    Reference,
    WeighedReference,
    exported,
    get_method,
)
from tinct.networks import CARDS
from tinct.networks.semantics.opinion import NAME as SEMANTICS
from tinct.networks.xu2020 import method as xu2020
from tinct.networks.xu2020 import transfer
from tinct.networks.xu2020.label_maps import COUNT, common_labels, seen
from tinct.networks.xu2020.likeness import (
    ALIKE,
    LEAST_SHOWN,
    STRANGE,
    SURELY_SAME,
    USUAL,
    believed,
    fit,
    likeness,
    shown_share,
)
from tinct.networks.xu2020.method import Attended
from tinct.networks.xu2020.places import DECODER_ONLY, ENCODER_ONLY, EVERYWHERE, NOWHERE, PROBABILITY
from tinct.networks.zhang2017 import method
from tinct.networks.zhang2017 import training as zhang2017_training
from tinct.training.color_distribution import histogram, soft_encoding
from tinct.training.run import release_of
from tinct.weights import installed

PAPERS = [card.name for card in CARDS.values() if card.method and card.name != "tinct"]
EXEMPLAR = [name for name in PAPERS if name.startswith("xu2020")]
COLOR = np.ascontiguousarray(data.astronaut()[:256:4, :384:4])
OTHER = np.ascontiguousarray(data.coffee()[::8, ::8])
GRAY = np.ascontiguousarray(COLOR.mean(-1).astype(np.uint8))


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory):
    """The folder of tiny networks, and the networks themselves by name."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("weights")
    yield folder, export_all(folder)
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def _tiny_weights(networks, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the tiny networks, and compute in single precision, as torch does."""
    monkeypatch.setenv("TINCT_WEIGHTS", str(networks[0]))
    monkeypatch.setattr(exported, "open_network", partial(open_network, precision="f32", threads=1))


def lightness_of(rgb: np.ndarray) -> np.ndarray:
    return rgb_to_lightness(rgb)


def reference(rgb: np.ndarray, weight: float = 1.0) -> Reference:
    lab = rgb_to_lab(rgb)
    return Reference(np.ascontiguousarray(lab[..., 0]), np.ascontiguousarray(lab[..., 1:]), weight)


def nothing(lightness: np.ndarray) -> HintField:
    return HintField.empty(*lightness.shape)


def tensor(image: np.ndarray) -> torch.Tensor:
    planes = image[None] if image.ndim == 2 else image.transpose(2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(planes[None], np.float32))


# One color for each place


@pytest.mark.parametrize("name", SINGLE)
@torch.no_grad()
def test_a_method_answers_what_its_network_does(name, networks):
    network, lightness = networks[1][name], lightness_of(COLOR)
    given = {
        "hints": torch.zeros(1, 3, *lightness.shape),
        "global_hints": torch.zeros(1, 316),
        "reference": torch.zeros(1, 314),
    }
    padded = exported.mirrored(lightness, network.multiple)
    outputs = network(tensor(padded), *(given[key] for key in network.inputs[1:]))
    colors = F.interpolate(network.colors(outputs) * 110, padded.shape, mode="bilinear")
    found = get_method(name).predict(lightness, nothing(lightness), [])
    answer = found.ab if found.vivid is None else found.ab + found.vivid
    expected = colors[0].permute(1, 2, 0).numpy()[: len(lightness), : lightness.shape[1]]
    # weights in 8 bits are rounded more coarsely than those in half precision
    rounding = 0.04 if any(graph.in_bytes for graph in release_of(name).graphs(network)) else 0.02
    assert np.abs(answer - expected).max() < rounding * max(1, np.abs(expected).max())
    assert found.confidence.shape == lightness.shape
    assert 0 <= found.confidence.min() <= found.confidence.max() <= 1


@torch.no_grad()
def test_vividness_goes_from_the_mean_to_the_annealed_mean(networks):
    network, lightness = networks[1]["zhang2016"], lightness_of(COLOR)
    mean = network.colors(network(tensor(lightness)), temperature=1.0) * 110
    found = get_method("zhang2016").predict(lightness, nothing(lightness), [])
    expected = F.interpolate(mean, lightness.shape, mode="bilinear")[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(found.ab, expected, atol=0.5)
    dull, sharp = (Colorizer(GRAY, method="zhang2016", vividness=v).predict().ab for v in (0, 1))
    assert np.abs(dull - sharp).max() > 0.1


@torch.no_grad()
def test_the_mode_is_the_likeliest_bin(networks):
    lightness = lightness_of(COLOR)
    method = get_method("zhang2016-mode")
    found = method.predict(lightness, nothing(lightness), [])
    p = method.distribution(method.matched(lightness, nothing(lightness))).probabilities
    likeliest = torch.from_numpy(AB_BINS[p.argmax(-1)]).permute(2, 0, 1)[None]
    expected = F.interpolate(likeliest, lightness.shape, mode="bilinear")[0].permute(1, 2, 0).numpy()
    assert np.median(np.abs(found.ab + found.vivid - expected)) < 1


@pytest.mark.parametrize("name", PAPERS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (33, 17)])
def test_every_size_is_answered_and_keeps_its_lightness(name, shape):
    photo = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    given = OTHER if get_method(name).uses_references else None
    out = colorize(photo, given, method=name)
    assert out.shape == (*shape, 3)
    plain = np.repeat(photo[..., None], 3, axis=2)
    assert np.abs(rgb_to_lightness(out) - rgb_to_lightness(plain)).max() < 0.5


@pytest.mark.parametrize("name", PAPERS)
def test_hints_win_over_every_one(name):
    given = OTHER if get_method(name).uses_references else None
    plain, hinted = (
        Colorizer(GRAY, given, hints, method=name, size=64).predict()
        for hints in (None, [Hint(20, 30, "#2850c8")])
    )
    blue = rgb_to_lab(np.uint8([40, 80, 200]))[1:]
    row, column = (round((at + 0.5) * 64 / 96 - 0.5) for at in (30, 20))
    assert np.abs(hinted.ab[row, column] - blue).max() < 2
    assert np.abs(plain.ab[row, column] - blue).max() > 10


@pytest.mark.parametrize("name", [name for name in PAPERS if not get_method(name).uses_references])
def test_a_reference_is_refused_where_it_is_of_no_use(name):
    with pytest.raises(MethodError, match=f"{name} makes no use of a reference"):
        colorize(GRAY, OTHER, method=name)


# Distributions


@pytest.mark.parametrize("name", [name for name in SINGLE if get_method(name).suggests])
def test_a_distribution_suggests_colors_and_places(name):
    colorizer = Colorizer(GRAY, method=name, size=64)
    assert 1 <= len(colorizer.suggest(20, 30, 4)) <= 4
    places = colorizer.where_next(3)
    assert all(0 <= place.x < 96 and 0 <= place.y < 64 for place in places)
    assert len(set(colorizer.alternatives(3))) == 3
    before = colorizer.uncertainty()[20, 13]
    colorizer.add_hint(Hint(20, 30, "#2850c8"))
    assert colorizer.uncertainty()[20, 13] < 0.5 * before
    first, other = (Colorizer(GRAY, method=name, size=64, seed=seed).predict().ab for seed in (0, 5))
    assert not np.allclose(first, other)


# Global hints


def given_to_the_network(*references: Reference) -> np.ndarray:
    encoded = [
        WeighedReference(method.ZHANG2017_GLOBAL.encode_reference(each), each.weight) for each in references
    ]
    return method.global_hints(encoded)


def test_global_hints_are_those_of_training():
    rgb, one = tensor(COLOR).float() / 255, reference(COLOR)
    small = F.avg_pool2d(tensor(one.ab), 4) / 110
    colors = histogram(soft_encoding(small, 10), 313)
    shown = torch.ones(1, 2)
    expected = zhang2017_training.global_hints(colors, zhang2017_training.saturation(rgb), shown)
    found = given_to_the_network(one)
    np.testing.assert_allclose(found, expected[0].numpy(), atol=2e-3)


def test_references_count_by_their_weights():
    one, other = given_to_the_network(reference(COLOR)), given_to_the_network(reference(OTHER))
    both = given_to_the_network(reference(COLOR, 1.0), reference(OTHER, 0.5))
    np.testing.assert_allclose(both, (one + 0.5 * other) / 1.5, atol=1e-6)
    assert not given_to_the_network(reference(COLOR, 0.0)).any()
    with_reference, alone = (
        Colorizer(GRAY, given, method="zhang2017-global", size=64).predict() for given in (OTHER, None)
    )
    assert not np.allclose(with_reference.ab, alone.ab)


# Exemplar


def labels_for(rgb: np.ndarray) -> np.ndarray:
    """Left, middle and right third."""
    row = np.arange(rgb.shape[1]) * 3 // rgb.shape[1]
    return np.repeat(row[None], rgb.shape[0], axis=0)


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"match": "wct"},
        {"alpha": 0.3},
        {"places": ENCODER_ONLY},
        {"places": DECODER_ONLY},
        {"places": NOWHERE},
        {"labels": True},
        {"labels": True, "match": "wct"},
    ],
    ids=str,
)
@torch.no_grad()
def test_the_cut_transfer_equals_the_whole_network(how, networks):
    content, style = COLOR[:43, :59].astype(np.float32) / 255, OTHER[:50].astype(np.float32) / 255
    arguments = dict(how)
    pair = None
    if arguments.pop("labels", False):
        pair = labels_for(content), labels_for(style)
    tensors = tuple(torch.from_numpy(labels)[None] for labels in pair) if pair else None
    network = networks[1]["xu2020-transfer"]
    expected = network(tensor(content), tensor(style), tensors, **arguments).clamp(0, 1)
    found = transfer.transferred(content, style, pair, **arguments)
    # weights are half precision, and matching whitens what it meets
    assert np.abs(found - expected[0].permute(1, 2, 0).numpy()).max() < 0.03


def test_matching_that_is_none_is_refused():
    content = COLOR.astype(np.float32) / 255
    with pytest.raises(OptionError, match="gram"):
        transfer.transferred(content, content, match="gram")
    with pytest.raises(OptionError, match="alpha is 2"):
        transfer.transferred(content, content, alpha=2)


@torch.no_grad()
def test_the_refined_chroma_is_that_of_the_colorization_subnet(networks):
    lightness, ab = lightness_of(COLOR)[:43, :59], rgb_to_lab(COLOR)[:43, :59, 1:]
    mask = np.random.default_rng(0).random(lightness.shape) < 0.1
    network = networks[1]["xu2020-colorization"]
    shown = tensor(mask.astype(np.float32))
    expected = network(tensor(lightness), tensor(ab) / 110 * shown, shown)[0].permute(1, 2, 0).numpy() * 110
    found = get_method("xu2020").refine(lightness, ab, mask)
    np.testing.assert_allclose(found, expected, atol=0.02 * np.abs(expected).max())


@torch.no_grad()
def test_the_lighter_transfer_is_its_network(networks):
    content, style = COLOR[:43, :59].astype(np.float32) / 255, reference(OTHER)
    found = get_method("xu2020-lite").stylized(content, style)
    rgb = OTHER.astype(np.float32) / 255
    expected = networks[1]["xu2020-lite"](tensor(content), tensor(rgb)).clamp(0, 1)
    assert np.abs(found - expected[0].permute(1, 2, 0).numpy()).max() < 0.05


@pytest.mark.parametrize("name", EXEMPLAR)
def test_an_exemplar_is_sampled_by_the_seed(name):
    lightness, given = lightness_of(COLOR), [reference(OTHER)]
    first, again, other = (
        get_method(name).predict(lightness, nothing(lightness), given, seed=seed).ab for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_exemplars_that_do_not_count_are_as_none():
    lightness, method = lightness_of(COLOR), get_method("xu2020")
    alone = method.predict(lightness, nothing(lightness), [reference(OTHER)]).ab
    beside = method.predict(lightness, nothing(lightness), [reference(OTHER), reference(COLOR, 0.0)]).ab
    assert np.array_equal(alone, beside)
    none = method.predict(lightness, nothing(lightness), [reference(OTHER, 0.0)]).ab
    assert np.array_equal(none, method.refine(lightness))


@pytest.mark.parametrize("name", EXEMPLAR)
def test_without_a_reference_the_answer_is_the_precolor(name):
    lightness, method = lightness_of(COLOR), get_method(name)
    found = method.predict(lightness, nothing(lightness), []).ab
    assert np.array_equal(found, method.refine(lightness))
    assert not np.array_equal(found, method.predict(lightness, nothing(lightness), [reference(OTHER)]).ab)


def test_the_more_alike_or_trusted_a_reference_the_more_of_it_is_shown():
    alike, trusts = np.linspace(0, 1, 21), (0.0, 1.0, 3.0)
    shares = np.array([[shown_share(one, trust) for one in alike] for trust in trusts])
    assert np.all(np.diff(shares, axis=0) >= 0)
    assert np.all(np.diff(shares, axis=1) >= 0)
    assert shares.min() == pytest.approx(LEAST_SHOWN)
    assert np.allclose(shares[-1], PROBABILITY)
    assert shares[1, 0] == pytest.approx(LEAST_SHOWN)
    assert shares[1, -1] == pytest.approx(PROBABILITY)


def test_a_reference_is_believed_by_its_fit_and_by_how_expected_its_colors_are():
    fits, expected = np.linspace(0.4, 0.8, 17), np.linspace(-2, 2, 17)
    told = np.array([[believed(one, gained) for gained in expected] for one in fits])
    assert np.all(np.diff(told, axis=0) >= 0)
    assert np.all(np.diff(told, axis=1) >= 0)
    assert told.min() == 0
    assert told.max() == 1
    # what shows the same picture is believed whatever its colors
    assert np.all(told[fits >= SURELY_SAME] == 1)
    assert 0 < believed(USUAL, 0.0) < 1
    assert believed(USUAL, -1.0) == 0
    # without the branch the fit alone decides
    assert [believed(one) for one in (STRANGE, (STRANGE + ALIKE) / 2, ALIKE)] == pytest.approx([0, 0.5, 1])


def test_colors_that_mislead_are_shown_less_than_those_that_are_expected():
    """A transfer that brings the likeliest color of each place, and one that brings the least likely."""
    method, lightness = get_method("xu2020"), lightness_of(COLOR)
    features = method.encode(lightness)
    logarithms = features.logarithms
    known = method.encode_reference(reference(OTHER))
    likeliest = AB_BINS[logarithms.argmax(-1)].astype(np.float32)
    unlikeliest = AB_BINS[logarithms.argmin(-1)].astype(np.float32)
    told = []
    for colors in (likeliest, unlikeliest):
        found = Attended(features, known)
        found.__dict__["coarse"] = cv2.resize(colors, lightness.shape[::-1], interpolation=cv2.INTER_NEAREST)
        told.append(method.share(found, 1.0))
    assert told[0] > told[1]
    assert told[1] == pytest.approx(LEAST_SHOWN)


def test_a_photograph_is_most_alike_to_itself():
    own, other = seen(lightness_of(COLOR)), seen(lightness_of(OTHER))
    assert likeness(own, own) == pytest.approx(1, abs=1e-3)
    assert likeness(own, seen(lightness_of(COLOR[:, ::-1].copy()))) > likeness(own, other)
    for measure in (likeness, fit):
        assert measure(own, other) == pytest.approx(measure(other, own), abs=1e-5)
        assert measure(own, own) > measure(own, other)
    assert fit(own, own) == pytest.approx(4 / 3, abs=1e-2)


def test_a_photograph_and_itself_have_the_same_labels():
    own = seen(lightness_of(COLOR))
    found = common_labels(own, own)
    assert np.array_equal(found.photograph, found.reference)
    assert 4 < len(np.unique(found.photograph)) <= COUNT
    again = common_labels(own, own)
    assert np.array_equal(found.photograph, again.photograph)


def test_every_label_is_one_that_both_photographs_have():
    one, other = seen(lightness_of(COLOR)), seen(lightness_of(OTHER))
    found = common_labels(one, other)
    assert found.photograph.shape == one.shades.shape[:2]
    assert found.reference.shape == other.shades.shape[:2]
    assert set(np.unique(found.photograph)) == set(np.unique(found.reference))
    assert len(np.unique(found.photograph)) > 1


def test_statistics_of_whole_photographs_are_an_ablation():
    lightness = lightness_of(COLOR)
    by_label, whole = (
        get_method(name).stages(lightness, [reference(OTHER)]) for name in ("xu2020", "xu2020-whole")
    )
    assert np.array_equal(by_label.precolor, whole.precolor)
    assert np.abs(by_label.coarse - whole.coarse).max() > 1


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The transfers and the looks at photographs, in the order in which they are asked for from now on."""
    asked: list[str] = []
    transferred, looked = transfer.transferred, xu2020.seen

    def transferring(*given, **how):
        asked.append("transfer")
        return transferred(*given, **how)

    def looking(lightness):
        asked.append("look")
        return looked(lightness)

    monkeypatch.setattr(transfer, "transferred", transferring)
    monkeypatch.setattr(xu2020, "seen", looking)
    return asked


@pytest.mark.parametrize("turn", [0.0, 2.0])
def test_seeds_weights_trust_and_notes_ask_for_nothing_anew(turn, monkeypatch):
    monkeypatch.setattr(xu2020, "turn_of", lambda references, trust: turn)
    asked = counted(monkeypatch)
    colorizer = Colorizer(GRAY, [OTHER, COLOR[:, ::-1].copy()], method="xu2020", size=64)
    first = colorizer.predict().ab
    assert sorted(asked) == ["look"] * 3 + ["transfer"] * 2
    colorizer.set_options(seed=3)
    assert not np.array_equal(colorizer.predict().ab, first)
    colorizer.set_options(seed=0, trust=3)
    colorizer.predict()
    colorizer.set_references(colorizer.references, [1, 0.5])
    colorizer.predict()
    if turn:  # those that turn the result are not asked whether they fit
        assert len(colorizer.unmet_wishes()) == 1
    else:
        colorizer.unmet_wishes()
    assert sorted(asked) == ["look"] * 3 + ["transfer"] * 2


def test_hues_that_are_turned_by_another_angle_forget_the_last_one():
    method = get_method("xu2020")
    found = method.attend(method.encode(lightness_of(COLOR)), method.encode_reference(reference(OTHER)))
    once = found.turned_back(2.0)
    assert found.turned_back(2.0) is once
    assert found.turned_back(0.0) is found
    other = found.turned_back(2.5)
    assert np.abs(once.coarse - other.coarse).max() > 1
    assert found.turned_back(2.0) is not once


def test_without_the_semantic_branch_the_fit_alone_decides_and_nothing_turns(monkeypatch):
    monkeypatch.setattr(xu2020, "installed", lambda name: name != SEMANTICS and installed(name))
    method, lightness = get_method("xu2020"), lightness_of(COLOR)
    assert SEMANTICS not in method.weights
    features, known = method.encode(lightness), method.encode_reference(reference(OTHER))
    found = method.attend(features, known)
    assert features.logarithms is None
    assert known.hues is None
    assert found.believed == believed(fit(features.seen, known.seen))
    assert method.turn_of_hues(features, [WeighedReference(found, 1.0, 3.0)]) == 0
    assert method.stages(lightness, [reference(OTHER)]).ab.shape == (*lightness.shape, 2)


def test_of_two_references_the_one_that_is_shown_more_counts_more():
    lightness, method = lightness_of(COLOR), get_method("xu2020")
    itself, stranger = reference(COLOR[:, ::-1].copy()), reference(OTHER)
    alone, other = (method.stages(lightness, [each]).coarse for each in (itself, stranger))
    both = method.stages(lightness, [itself, stranger]).coarse
    assert np.abs(both - alone).mean() < np.abs(both - other).mean()


def test_places_of_matching_make_a_difference():
    content, style = COLOR.astype(np.float32) / 255, OTHER.astype(np.float32) / 255
    found = [
        transfer.transferred(content, style, places=places)
        for places in (EVERYWHERE, ENCODER_ONLY, DECODER_ONLY, NOWHERE)
    ]
    for index, one in enumerate(found):
        assert all(np.abs(one - other).max() > 1e-3 for other in found[:index])


# Doors


@pytest.fixture
def uninstalled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(weights, "_folders", lambda: [tmp_path])


@pytest.mark.parametrize("name", PAPERS)
def test_weights_that_are_not_installed_are_told_of_with_what_to_do(name, uninstalled):
    method = get_method(name)
    assert method.missing_weights()
    given = [reference(OTHER)] if method.needs_reference else []
    lightness = lightness_of(COLOR)
    with pytest.raises(
        WeightsError, match=r"not installed[:;] .*train them: tinct train .*tinct export RUN$"
    ):
        method.predict(lightness, nothing(lightness), given)
    with pytest.raises(WeightsError, match="not installed"):
        get_contestant(name)


def test_the_list_of_methods_says_what_is_installed(capsys, uninstalled):
    assert run(["methods"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("zhang2016 ")]
    assert line.split()[3] == "no"


def test_the_list_of_methods_says_what_is_for_study(capsys):
    assert run(["methods"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    marked = [card.name for card in CARDS.values() if card.for_study]
    assert {"zhang2016", "scunet"} <= set(marked)
    assert shown.count("study)") == len(marked)


def test_the_command_line_takes_them(capsys, tmp_path, monkeypatch):
    from PIL import Image

    photo, out = tmp_path / "photo.png", tmp_path / "color.png"
    Image.fromarray(GRAY).save(photo)
    line = ["colorize", str(photo), "-m", "zhang2016", "-o", str(out)]
    assert run(line) == 0
    expected = colorize(GRAY, method="zhang2016")
    np.testing.assert_array_equal(np.asarray(Image.open(out)), expected)
    monkeypatch.setattr(weights, "_folders", lambda: [tmp_path])
    assert run([*line, "--overwrite"]) == 2
    assert "tinct train zhang2016" in capsys.readouterr().err


def test_hints_of_zhang2017_reach_its_network():
    lightness = lightness_of(COLOR)
    hints = place_hints([Hint(20, 30, "#2850c8")], (96, 64), (96, 64))
    method = get_method("zhang2017")
    alone, hinted = (method.predict(lightness, field, []).ab for field in (nothing(lightness), hints))
    changed = np.abs(hinted - alone).max(-1)
    assert changed[25:36, 15:26].max() > 1


def test_a_manifests_entry_says_how_the_weights_were_made(networks):
    entry = weights.manifest()["zhang2016"]
    assert entry.network == {"width": 0.0625}
    assert (entry.command, entry.steps) == ("tinct train NAME", 1)
    assert len(get_method("xu2020").weights_sha256) == 64
