"""Laws of the released network: its memory, its cut into graphs, and that what is exported equals what was trained."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip(
    "torch", reason="the network's definition needs torch: pip install 'tinct[train]'"
)

from stored_weights import assert_stored
from tinct.color.bins import AB_BIN_COUNT, TEMPERATURE
from tinct.errors import WeightsError
from tinct.inference import open_network
from tinct.networks.layers.blocks import without_batch_norm
from tinct.networks.layers.efficientnet_lite import CHANNELS
from tinct.networks.layers.outputs import bin_centers
from tinct.networks.semantics.ports import PLACE
from tinct.networks.tinct import graphs, released_weights
from tinct.networks.tinct import memory as numpy_memory
from tinct.networks.tinct.encoder import SharingEncoder
from tinct.networks.tinct.network import Memory, Tinct, TinctConfig, hint_items, reference_items, unit
from tinct.networks.tinct.ports import INPUTS, OUTPUTS, PARTS, SEEN
from tinct.networks.tinct.release import IN_BYTES
from tinct.weights import weights_path

TINY = TinctConfig(
    (8, 8, 16, 16, 64),
    (1, 1, 1, 1, 1),
    (8, 8, 8, 8),
    heads=2,
    key=8,
    backbone="",
    scenes=3,
    objects=3,
    segments=3,
)
ABSENT = -1e4


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def tiny() -> Tinct:
    """A random network, none of whose parameters is where training starts."""
    torch.manual_seed(1)
    model = Tinct(TINY)
    with torch.no_grad():
        for name, value in model.state_dict().items():
            if value.is_floating_point():
                value.add_(torch.randn_like(value) * 0.1)
            if name.endswith("running_var"):
                value.abs_().add_(0.5)
    return model.eval()


@pytest.fixture(scope="module")
def exported(tiny: Tinct, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tinct.networks.tinct.release import graphs as released_graphs
    from tinct.training.export import export

    folder = tmp_path_factory.mktemp("weights")
    files = export(released_graphs(tiny), "tinct", folder)
    assert [file.stem for file in files.values()] == [f"tinct.{part}" for part in PARTS]
    return folder


def unit_keys(*shape: int) -> torch.Tensor:
    """Random keys (..., 16) whose two heads are of unit length."""
    parts = torch.nn.functional.normalize(torch.randn(*shape, 2, 8), dim=-1)
    return parts.flatten(-2)


def random_memory(hints: int, references: int) -> Memory:
    count = hints + references
    ab, place = torch.rand(1, count, 2) - 0.5, torch.rand(1, hints, 2)
    return Memory(unit_keys(1, count), ab, place, torch.zeros(1, count))


def places_keys(height: int = 4, width: int = 6) -> torch.Tensor:
    return unit_keys(1, height, width).permute(0, 3, 1, 2)


@torch.no_grad()
def test_a_memory_that_is_not_there_gives_nothing(tiny: Tinct) -> None:
    memory = random_memory(2, 3)._replace(bias=torch.full((1, 5), ABSENT))
    assert tiny.match(places_keys(), memory).abs().max() == 0


@torch.no_grad()
def test_shares_of_attention_stay_below_one_and_null_takes_the_rest(tiny: Tinct) -> None:
    maps = tiny.match(places_keys(), random_memory(4, 9)).reshape(2, 6, 4, 6)
    taken = maps[:, 2] + maps[:, 5]
    assert (maps[:, 2] >= 0).all()
    assert (maps[:, 5] >= 0).all()
    assert (taken < 1).all()


@torch.no_grad()
def test_the_order_of_items_is_nothing(tiny: Tinct) -> None:
    keys, memory = places_keys(), random_memory(4, 9)
    hints, references = torch.randperm(4), 4 + torch.randperm(9)
    order = torch.cat([hints, references])
    mixed = Memory(memory.keys[:, order], memory.ab[:, order], memory.place[:, hints], memory.bias[:, order])
    assert torch.allclose(tiny.match(keys, memory), tiny.match(keys, mixed), atol=1e-6)


@torch.no_grad()
def test_an_item_twice_is_an_item_of_twice_the_weight(tiny: Tinct) -> None:
    keys, memory = places_keys(), random_memory(0, 5)
    twice = Memory(*(torch.cat([part, part[:, :1]], 1) for part in memory))
    bias = memory.bias.clone()
    bias[0, 0] = np.log(2)
    assert torch.allclose(tiny.match(keys, twice), tiny.match(keys, memory._replace(bias=bias)), atol=1e-6)


@torch.no_grad()
def test_hints_reach_less_far_where_they_are_farther_and_references_have_no_place(tiny: Tinct) -> None:
    keys = unit_keys(1, 1).expand(1, 8, -1).reshape(1, 1, 8, 16).permute(0, 3, 1, 2)  # all places look alike
    one = random_memory(1, 0)._replace(place=torch.tensor([[[0.0, 0.5 / 8]]]))
    share = tiny.match(keys, one).reshape(2, 6, 8)[:, 2]
    assert (share.diff() < 0).all()
    found = tiny.match(keys, random_memory(0, 6))
    assert torch.allclose(found, found[..., :1].expand_as(found), atol=1e-6)


@torch.no_grad()
def test_a_hint_on_a_place_has_that_places_key() -> None:
    keys = places_keys(4, 6)
    place = torch.tensor([[[(3 + 0.5) / 6, (2 + 0.5) / 6], [0.0, 0.0]]])  # both by the longer side
    found = hint_items(keys, place, 2)
    assert torch.allclose(found[0, 0], keys[0, :, 2, 3], atol=1e-5)
    assert torch.allclose(found[0, 1], keys[0, :, 0, 0], atol=1e-5)


@torch.no_grad()
def test_a_reference_is_remembered_patch_by_patch() -> None:
    keys, ab = places_keys(4, 6), torch.randn(1, 2, 16, 24)
    found, colors = reference_items(keys, ab, 2)
    assert found.shape == (1, 6, 16)
    assert torch.allclose(colors[0, 4], ab[0, :, 8:16, 8:16].mean((1, 2)), atol=1e-6)
    wanted = unit(keys[:, :, 2:4, 2:4].mean((2, 3), keepdim=True), 2)[0, :, 0, 0]
    assert torch.allclose(found[0, 4], wanted, atol=1e-6)


@pytest.mark.parametrize(("height", "width"), [(32, 32), (64, 96), (96, 32)])
@torch.no_grad()
def test_any_multiple_of_32_will_do(tiny: Tinct, height: int, width: int) -> None:
    features = tiny.encode(torch.rand(2, 1, height, width))
    lengths = features.keys.reshape(2, 2, 8, -1).norm(dim=2)
    assert torch.allclose(lengths, torch.ones_like(lengths), atol=1e-4)
    memory = Memory(*(part.expand(2, *part.shape[1:]) for part in random_memory(2, 2)))
    maps = tiny.match(features.keys, memory)
    ab, bins = tiny.decode(features, maps, torch.zeros(2, 3, height // 2, width // 2))
    assert ab.shape == (2, 2, height // 2, width // 2)
    assert bins.shape == (2, 313, height // 4, width // 4)


@torch.no_grad()
def test_photographs_of_a_batch_do_not_see_each_other(tiny: Tinct) -> None:
    lightness = torch.rand(3, 1, 64, 64)
    together, alone = tiny.encode(lightness), tiny.encode(lightness[1:2])
    for whole, part in zip(together, alone, strict=True):
        assert torch.allclose(whole[1:2], part, atol=1e-5)


@torch.no_grad()
def test_folding_batch_normalization_changes_nothing(tiny: Tinct) -> None:
    lightness = torch.rand(1, 1, 64, 96)
    folded = without_batch_norm(tiny)
    assert sum(isinstance(m, torch.nn.BatchNorm2d) for m in folded.modules()) == 1  # the attention's own
    for found, wanted in zip(folded.encode(lightness), tiny.encode(lightness), strict=True):
        assert torch.allclose(found, wanted, atol=1e-4)


def whole_answer(model: Tinct, lightness, hints, references, hint_map):  # type: ignore[no-untyped-def]
    """ab and probabilities of the network in one piece; items as `Memory`."""
    features = model.encode((lightness - 50) / 50)
    both = [torch.cat([a, b], 1) for a, b in zip(hints, references, strict=True)]
    memory = Memory(both[0], both[1] / 110, hints[2], both[3])
    scaled = torch.cat([hint_map[:, :2] / 110, hint_map[:, 2:]], 1)
    ab, bins = model.decode(features, model.match(features.keys, memory), scaled)
    return ab * 110, bins.softmax(1)


@torch.no_grad()
def test_the_graphs_together_are_the_network(tiny: Tinct) -> None:
    torch.manual_seed(2)
    parts = graphs.cut(tiny, bin_centers(1.0))
    lightness = torch.rand(1, 1, 64, 96) * 100
    hints = (unit_keys(1, 3), torch.randn(1, 3, 2) * 40, torch.rand(1, 3, 2), torch.zeros(1, 3))
    references = (unit_keys(1, 7), torch.randn(1, 7, 2) * 40, torch.zeros(1, 7, 2), torch.rand(1, 7) - 2)
    hint_map = torch.rand(1, 3, 32, 48)
    wanted_ab, wanted_bins = whole_answer(tiny, lightness, hints, references, hint_map)

    keys, *shares = parts["encode"](lightness)
    near = parts["match"](keys, hints[0], hints[1], hints[3], hints[2])
    alike = torch.zeros(1, 8, 12, PLACE), torch.randn(1, 7, PLACE)
    far = parts["recall"](keys, references[0], references[1], references[3], *alike)
    sums = (numpy_memory.against_null(found.numpy()) for found in (near, far))
    maps = torch.from_numpy(numpy_memory.maps(*sums, 16, 24))
    ab = parts["decode"](*shares, maps, hint_map, *second_opinion(64, 96, share=0.0))[0]
    probabilities = parts["distribution"](*shares[1:], maps, hint_map)
    assert torch.allclose(ab.permute(0, 3, 1, 2), wanted_ab, atol=2e-2, rtol=1e-3)
    assert torch.allclose(probabilities.permute(0, 3, 1, 2), wanted_bins, atol=1e-4, rtol=1e-2)


@torch.no_grad()
def test_what_is_alike_adds_its_scalar_product_to_the_scores_of_both_heads(tiny: Tinct) -> None:
    """A place's product with all items is as good as a bias of all items there, and moves no other place."""
    torch.manual_seed(4)
    recall = graphs.cut(tiny)["recall"]
    keys = graphs.cut(tiny)["encode"](torch.rand(1, 1, 64, 96) * 100)[0]
    items = unit_keys(1, 7), torch.randn(1, 7, 2) * 40
    places, item_places = torch.zeros(1, 8, 12, PLACE), torch.zeros(1, 7, PLACE)
    places[0, 3, 5, 0], item_places[0, :, 0] = 2.0, 0.7
    none = recall(keys, *items, torch.zeros(1, 7), torch.zeros_like(places), item_places)
    biased = recall(keys, *items, torch.full((1, 7), 1.4), torch.zeros_like(places), item_places)
    found = recall(keys, *items, torch.zeros(1, 7), places, item_places).reshape(2, 16, 24, 4)
    there = torch.zeros(16, 24, dtype=torch.bool)
    there[6:8, 10:12] = True
    torch.testing.assert_close(found[:, ~there], none.reshape(2, 16, 24, 4)[:, ~there])
    torch.testing.assert_close(found[:, there], biased.reshape(2, 16, 24, 4)[:, there])
    assert not torch.allclose(none, biased)


def second_opinion(height: int, width: int, share: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Logarithms of random probabilities of the bins, and their share, both at 1/8."""
    logarithms = torch.log_softmax(torch.randn(1, height // 8, width // 8, AB_BIN_COUNT), -1)
    return logarithms, torch.full((1, height // 8, width // 8, 1), share)


@torch.no_grad()
def test_the_decoder_averages_the_logarithms_of_two_distributions(tiny: Tinct) -> None:
    """Of all shares: the second opinion's annealed mean alone at 1, its own at 0, and what is between is between."""
    decode, lightness = graphs.cut(tiny, bin_centers(1.0))["decode"], torch.rand(1, 1, 64, 96) * 100
    _, *shares = graphs.cut(tiny)["encode"](lightness)
    maps, hint_map = torch.zeros(1, 12, 16, 24), torch.zeros(1, 3, 32, 48)
    torch.manual_seed(3)
    second = torch.log_softmax(torch.randn(1, 8, 12, AB_BIN_COUNT), -1)
    own, between, other = (
        decode(*shares, maps, hint_map, second, torch.full((1, 8, 12, 1), share))[1]
        for share in (0.0, 0.5, 1.0)
    )
    wanted = torch.softmax(second / TEMPERATURE, -1) @ bin_centers(1.0)
    torch.testing.assert_close(other, wanted, atol=1e-2, rtol=1e-3)
    assert not torch.allclose(own, other, atol=1)
    assert not torch.allclose(between, own, atol=1)
    assert not torch.allclose(between, other, atol=1)


def seen_in(height: int, width: int) -> dict[str, torch.Tensor]:
    """Made-up features of the pretrained network for a photograph of that size, looked at a little smaller."""
    down, across = (max(1, round(0.75 * n / 32)) for n in (height, width))
    grids = ((down * 32 // scale, across * 32 // scale) for scale in (8, 16, 32))
    maps = (3 * torch.randn(1, *grid, count) for grid, count in zip(grids, CHANNELS[2:], strict=True))
    return dict(zip(SEEN, maps, strict=True))


def inputs_at(parts: Mapping[str, torch.nn.Module], height: int, width: int, items: int) -> dict:
    """Inputs for each graph, by name, at a size and with a number of items."""
    torch.manual_seed(height + width)
    lightness = torch.rand(1, 1, height, width) * 100
    shared = isinstance(parts["encode"].encoder, SharingEncoder)
    seen = seen_in(height, width) if shared else {}
    keys, *shares = parts["encode"](lightness, *seen.values())
    size = keys.shape[-1]
    memory = {
        "keys": keys,
        "item_keys": torch.randn(1, items, size) / size**0.5,
        "item_ab": torch.randn(1, items, 2) * 40,
    }
    crowd = {"item_bias": torch.zeros(1, items)}
    free = {"item_bias": -torch.rand(1, height * width // 16, items), "item_place": torch.rand(1, items, 2)}
    places = {
        "places": torch.randn(1, height // 8, width // 8, PLACE) * 0.1,
        "item_places": torch.randn(1, items, PLACE),
    }
    heads = parts["recall"](*memory.values(), *crowd.values(), *places.values()).shape[1]
    decoder = dict(zip(INPUTS["decode"], shares, strict=False))
    decoder["maps"] = torch.rand(1, 6 * heads, height // 4, width // 4)
    decoder["hint_map"] = torch.rand(1, 3, height // 2, width // 2) * 0.1
    decoder["second"], decoder["second_share"] = second_opinion(height, width, share=0.4)
    return {
        "encode": {"lightness": lightness, **seen},
        "match": memory | free,
        "candidates": {
            "keys": torch.randn(3, height // 8, width // 8, size) / size**0.5,
            "item_keys": memory["item_keys"],
            **crowd,
            "places": torch.randn(3, height // 8, width // 8, PLACE) * 0.1,
            "item_places": places["item_places"],
        },
        "recall": memory | crowd | places,
        "decode": decoder,
        "distribution": {name: decoder[name] for name in INPUTS["distribution"]},
    }


def assert_equal_outputs(part: str, found: Mapping[str, np.ndarray], wanted, tolerance: float) -> None:  # type: ignore[no-untyped-def]
    wanted = wanted if isinstance(wanted, tuple) else (wanted,)
    assert tuple(found) == OUTPUTS[part]
    for (name, array), tensor in zip(found.items(), wanted, strict=True):
        scale = max(1.0, float(tensor.abs().max()))
        assert array.shape == tuple(tensor.shape), name
        assert np.abs(array - tensor.numpy()).max() < tolerance * scale, name


@pytest.mark.parametrize(("height", "width", "items"), [(32, 32, 1), (96, 64, 7), (64, 160, 200)])
@torch.no_grad()
def test_exported_equals_torch_at_any_size(
    tiny: Tinct, exported: Path, height: int, width: int, items: int
) -> None:
    parts = graphs.cut(tiny, bin_centers(1.0))
    for part, arrays in inputs_at(parts, height, width, items).items():
        network = open_network(exported / f"tinct.{part}.onnx", precision="f32", device="cpu", threads=1)
        found = network.run(**{name: tensor.numpy() for name, tensor in arrays.items()})
        wanted = parts[part](*(arrays[name] for name in INPUTS[part] if name in arrays))
        # weights are rounded to half precision, or to 8 bits
        assert_equal_outputs(part, found, wanted, 3e-2 if part in IN_BYTES else 5e-3)
        stored = released_weights.released_graph(part, exported / f"tinct.{part}.onnx", TINY)
        same = stored.eval()(*(arrays[name] for name in INPUTS[part] if name in arrays))
        # processors differ in how they multiply weights that are stored as bytes: up to 0.0017 with AMX
        assert_equal_outputs(part, found, same, 4e-3 if part in IN_BYTES else 1e-3)


@torch.no_grad()
def test_weights_are_read_back_from_the_exported_file(tiny: Tinct, exported: Path) -> None:
    parts = graphs.cut(tiny, bin_centers(1.0))
    for part, graph in parts.items():
        again = released_weights.released_graph(part, exported / f"tinct.{part}.onnx", TINY).state_dict()
        for name, value in graph.state_dict().items():
            assert_stored(part, name, again[name], value)


def test_big_weights_are_halves_and_small_ones_are_not(exported: Path) -> None:
    onnx = pytest.importorskip("onnx")
    for part in PARTS:
        for tensor in onnx.load(str(exported / f"tinct.{part}.onnx")).graph.initializer:
            if tensor.data_type in (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16):
                big = int(np.prod(tensor.dims)) >= 1024
                assert (tensor.data_type == onnx.TensorProto.FLOAT16) == big, tensor.name


def test_another_networks_file_is_refused(exported: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="does not fit"):
        released_weights.released_graph("encode", exported / "tinct.encode.onnx")
    with pytest.raises(WeightsError, match="no weights called"):
        released_weights.released_graph("decode", exported / "tinct.match.onnx", TINY)
    (tmp_path / "text.onnx").write_text("no network")
    with pytest.raises(WeightsError, match="cannot be read"):
        released_weights.released_graph("match", tmp_path / "text.onnx", TINY)


@torch.no_grad()
def test_the_torch_engine_equals_openvino_on_the_released_weights() -> None:
    from tinct.inference.torch_engine import TorchNetwork
    from tinct.networks.tinct.method import _torch_source

    files = {part: weights_path(f"tinct.{part}") for part in PARTS}
    parts = {part: released_weights.released_graph(part, file) for part, file in files.items()}
    for part, arrays in inputs_at(parts, 64, 96, 9).items():
        given = {name: tensor.numpy() for name, tensor in arrays.items()}
        torch_engine = TorchNetwork.from_source(
            _torch_source(part, files[part]), device="cpu", precision="f32"
        )
        found = torch_engine.run(**given)
        wanted = open_network(files[part], precision="f32", device="cpu", threads=1).run(**given)
        for name, array in wanted.items():
            assert np.abs(found[name] - array).max() < 1e-3 * max(1.0, np.abs(array).max()), (part, name)


@torch.no_grad()
def test_a_gpu_builds_a_network_of_the_numbers_that_its_manifest_states(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tinct.networks.tinct.method import _torch_source
    from tinct.networks.tinct.release import graphs as released_graphs
    from tinct.training.export import Making, release

    model = Tinct(TinctConfig(decoder=(8, 8, 16, 16)))
    for value in model.parameters():
        value.add_(torch.randn_like(value) * 0.01)  # equal constants would be stored once
    making = Making("made up", network={"decoder": [8, 8, 16, 16]})
    files = release(released_graphs(model), "tinct", tmp_path, making)
    monkeypatch.setenv("TINCT_WEIGHTS", str(tmp_path))
    graph = _torch_source("decode", files["tinct.decode"]).build()
    assert graph.ab.weight.shape[1] == 8


def test_the_released_files_are_small_enough_to_ship() -> None:
    sizes = [weights_path(f"tinct.{part}").stat().st_size for part in PARTS]
    assert sum(sizes) <= 40e6
