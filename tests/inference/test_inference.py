"""Laws of the engines, on tiny random ONNX graphs whose answer numpy computes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from tinct.errors import MissingExtraError, OptionError, ShapeError, WeightsError
from tinct.files import cache_folder
from tinct.inference import Network, TorchSource, open_network
from tinct.inference.compiled_networks import COMPILED_NETWORKS, CompiledNetworks
from tinct.inference.disk_cache import checked_entry, is_whole
from tinct.inference.model_source import ModelFile
from tinct.inference.opening import drop_compiled_networks

onnx = pytest.importorskip("onnx", reason="onnx builds the test's graphs: pip install 'tinct[train]'")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test compiles anew, into a cache of its own."""
    drop_compiled_networks()
    monkeypatch.setenv("TINCT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def write_network(path: Path, seed: int = 0, width: int = 8) -> tuple[NDArray, NDArray]:
    """relu(1x1 convolution of lightness) + 1x1 convolution of hints, any size; gives back the two kernels."""
    from onnx import TensorProto, helper, numpy_helper

    generator = np.random.default_rng(seed)
    first = generator.standard_normal((width, 1, 1, 1)).astype(np.float32)
    second = generator.standard_normal((width, 3, 1, 1)).astype(np.float32)
    nodes = [
        helper.make_node("Conv", ["lightness", "first"], ["a"]),
        helper.make_node("Relu", ["a"], ["features"]),
        helper.make_node("Conv", ["hints", "second"], ["b"]),
        helper.make_node("Add", ["features", "b"], ["ab"]),
    ]
    inputs = [_port("lightness", 1), _port("hints", 3)]
    outputs = [_port("ab", width), _port("features", width)]
    constants = [numpy_helper.from_array(first, "first"), numpy_helper.from_array(second, "second")]
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, constants)
    assert TensorProto.FLOAT == 1
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(path))
    return first, second


def _port(name: str, channels: int) -> onnx.ValueInfoProto:
    return onnx.helper.make_tensor_value_info(name, 1, ["batch", channels, "height", "width"])


def expected(kernels: tuple[NDArray, NDArray], lightness: NDArray, hints: NDArray) -> dict[str, NDArray]:
    first, second = (kernel[:, :, 0, 0] for kernel in kernels)
    features = np.maximum(np.einsum("oc,nchw->nohw", first, lightness), 0)
    return {"features": features, "ab": features + np.einsum("oc,nchw->nohw", second, hints)}


def arrays(height: int, width: int, batch: int = 1, seed: int = 1) -> dict[str, NDArray]:
    generator = np.random.default_rng(seed)
    return {
        "lightness": generator.standard_normal((batch, 1, height, width)).astype(np.float32),
        "hints": generator.standard_normal((batch, 3, height, width)).astype(np.float32),
    }


def assert_answers(network: Network, kernels: tuple[NDArray, NDArray], given: dict, tolerance: float) -> None:
    found, wanted = network.run(**given), expected(kernels, **given)
    assert set(found) == set(wanted)
    for name, array in wanted.items():
        assert found[name].shape == array.shape
        assert np.allclose(found[name], array, atol=tolerance)


def test_a_network_equals_numpy_at_every_size(tmp_path: Path) -> None:
    kernels = write_network(tmp_path / "net.onnx")
    network = open_network(tmp_path / "net.onnx", precision="f32")
    assert isinstance(network, Network)
    assert (network.inputs, network.outputs) == (("lightness", "hints"), ("ab", "features"))
    for size in [(4, 6), (33, 17), (1, 1), (64, 48), (4, 6)]:
        assert_answers(network, kernels, arrays(*size), 1e-5)
    assert_answers(network, kernels, arrays(5, 7, batch=3), 1e-5)


def test_the_best_precision_stays_near_float32(tmp_path: Path) -> None:
    kernels = write_network(tmp_path / "net.onnx")
    network = open_network(tmp_path / "net.onnx")
    assert network.precision in ("f32", "bf16")
    assert_answers(network, kernels, arrays(16, 16), 1e-5 if network.precision == "f32" else 0.15)


def test_other_types_and_strides_are_converted(tmp_path: Path) -> None:
    kernels = write_network(tmp_path / "net.onnx")
    given = arrays(8, 10)
    turned = {k: np.asfortranarray(v.astype(np.float64)) for k, v in given.items()}
    found = open_network(tmp_path / "net.onnx", precision="f32").run(**turned)
    assert np.allclose(found["ab"], expected(kernels, **given)["ab"], atol=1e-5)


def test_an_answer_outlives_the_next_run(tmp_path: Path) -> None:
    write_network(tmp_path / "net.onnx")
    network = open_network(tmp_path / "net.onnx")
    first = network.run(**arrays(6, 6, seed=1))["ab"]
    kept = first.copy()
    network.run(**arrays(6, 6, seed=2))
    assert np.array_equal(first, kept)


def test_threads_share_a_network_and_get_their_own_answers(tmp_path: Path) -> None:
    kernels = write_network(tmp_path / "net.onnx")

    def answer(seed: int) -> bool:
        network = open_network(tmp_path / "net.onnx", precision="f32", threads=1)
        given = arrays(8 + seed % 5, 9, seed=seed)
        return np.allclose(network.run(**given)["ab"], expected(kernels, **given)["ab"], atol=1e-5)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(answer, range(64)))


def test_the_same_bytes_are_compiled_once_and_other_bytes_anew(tmp_path: Path) -> None:
    write_network(tmp_path / "a.onnx")
    (tmp_path / "b.onnx").write_bytes((tmp_path / "a.onnx").read_bytes())
    a = open_network(tmp_path / "a.onnx")
    assert open_network(tmp_path / "b.onnx") is a
    assert open_network(tmp_path / "a.onnx", threads=1) is not a
    write_network(tmp_path / "a.onnx", seed=5)
    assert open_network(tmp_path / "a.onnx") is not a


def test_a_compiled_network_is_found_while_another_is_compiled() -> None:
    networks, begun, go_on = CompiledNetworks(2), threading.Event(), threading.Event()
    first, second = (cast(Network, object()) for _ in range(2))
    assert networks.get("first", lambda: first) is first

    def slowly() -> Network:
        begun.set()
        go_on.wait(30)
        return second

    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(networks.get, "second", slowly)
        assert begun.wait(30)
        assert networks.get("first", lambda: second) is first
        go_on.set()
        assert slow.result(30) is second


OPENED_BY_THREADS = """
import locale, sys
from concurrent.futures import ThreadPoolExecutor
from tinct.inference.opening import drop_compiled_networks, open_network

before = locale.setlocale(locale.LC_ALL, "C.UTF-8")
with ThreadPoolExecutor(8) as pool:
    for _ in range(4):
        list(pool.map(open_network, sys.argv[1:]))
        drop_compiled_networks()
assert locale.setlocale(locale.LC_ALL) == before, locale.setlocale(locale.LC_ALL)
"""


def test_networks_that_threads_open_at_once_leave_the_locale_alone(tmp_path: Path) -> None:
    files = [str(tmp_path / f"{seed}.onnx") for seed in range(8)]
    for seed, file in enumerate(files):
        write_network(Path(file), seed)
    subprocess.run([sys.executable, "-c", OPENED_BY_THREADS, *files], check=True, timeout=300)


def test_only_so_many_networks_stay_compiled(tmp_path: Path) -> None:
    opened = []
    for seed in range(COMPILED_NETWORKS + 1):
        write_network(tmp_path / f"{seed}.onnx", seed)
        opened.append(open_network(tmp_path / f"{seed}.onnx"))
    assert open_network(tmp_path / f"{COMPILED_NETWORKS}.onnx") is opened[-1]
    assert open_network(tmp_path / "0.onnx") is not opened[0]


def loaded_from_cache(network: Network) -> bool:
    return bool(network._compiled.get_property("LOADED_FROM_CACHE"))  # type: ignore[attr-defined]


def test_the_second_start_loads_the_compiled_form(tmp_path: Path, own_cache: Path) -> None:
    kernels = write_network(tmp_path / "net.onnx")
    assert not loaded_from_cache(open_network(tmp_path / "net.onnx"))
    assert list(own_cache.rglob("*.blob"))
    drop_compiled_networks()
    again = open_network(tmp_path / "net.onnx")
    assert loaded_from_cache(again)
    assert_answers(again, kernels, arrays(9, 9), 0.15)


def test_a_cache_that_is_reached_by_a_link_is_the_same_cache(
    tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_network(tmp_path / "net.onnx")
    open_network(tmp_path / "net.onnx")
    written = sorted(own_cache.rglob("*.blob"))
    (tmp_path / "link").symlink_to(own_cache, target_is_directory=True)
    for place in ("link", "cache"):
        drop_compiled_networks()
        monkeypatch.setenv("TINCT_CACHE", str(tmp_path / place))
        assert loaded_from_cache(open_network(tmp_path / "net.onnx"))
    assert sorted(own_cache.rglob("*.blob")) == written


def test_a_file_replaced_within_a_tick_is_never_answered_by_the_old_network(tmp_path: Path) -> None:
    for seed in (1, 2):
        kernels = write_network(tmp_path / "net.onnx", seed)
        drop_compiled_networks()
        # Same path, size and time: what the engine goes by. Only the inode tells them apart.
        (tmp_path / f"new{seed}").write_bytes((tmp_path / "net.onnx").read_bytes())
        os.replace(tmp_path / f"new{seed}", tmp_path / "net.onnx")
        os.utime(tmp_path / "net.onnx", (1e9, 1e9))
        assert_answers(open_network(tmp_path / "net.onnx", precision="f32"), kernels, arrays(4, 4), 1e-5)


def test_a_damaged_cache_entry_is_made_again(tmp_path: Path, own_cache: Path) -> None:
    kernels = write_network(tmp_path / "net.onnx")
    open_network(tmp_path / "net.onnx")
    for entry in own_cache.rglob("*.blob"):
        content = entry.read_bytes()
        entry.chmod(0o600)
        entry.write_bytes(content[: len(content) // 2])
    drop_compiled_networks()
    assert_answers(open_network(tmp_path / "net.onnx", precision="f32"), kernels, arrays(4, 4), 1e-5)


@pytest.mark.parametrize("how", ["a bit", "zeros", "cut short", "missing", "another network's"])
@pytest.mark.parametrize("kind", ["*.bin", "*.xml", "orders.json", "*.blob", "sha256.json"])
@pytest.mark.parametrize("compiled", ["kept", "gone"])
def test_nothing_damaged_in_the_cache_is_computed_with(
    compiled: str, kind: str, how: str, tmp_path: Path, own_cache: Path
) -> None:
    write_network(tmp_path / "other.onnx", seed=7)
    kernels = write_network(tmp_path / "net.onnx")
    given = arrays(9, 7)
    for name in ("other.onnx", "net.onnx"):
        answer = open_network(tmp_path / name, precision="f32").run(**given)["ab"]
    folder = own_cache / "openvino" / ModelFile(tmp_path / "net.onnx").sha256[:32]
    others = [file for file in own_cache.rglob(kind) if folder not in file.parents]
    for file in list(folder.rglob(kind)):
        other = next(each for each in others if each.parent.name.split("-")[0] in str(file))
        damage(file, how, kernels[1].tobytes(), other)
    if compiled == "gone":
        for entry in folder.glob("compiled-*"):
            shutil.rmtree(entry)
    drop_compiled_networks()
    again = open_network(tmp_path / "net.onnx", precision="f32")
    np.testing.assert_array_equal(again.run(**given)["ab"], answer)
    assert_answers(again, kernels, given, 1e-5)
    drop_compiled_networks()
    open_network(tmp_path / "net.onnx", precision="f32")  # the compiled form of a file that was made again
    drop_compiled_networks()
    assert loaded_from_cache(open_network(tmp_path / "net.onnx", precision="f32"))
    assert all(is_whole(entry) for entry in folder.iterdir())


def write(file: Path, content: bytes) -> None:
    file.write_bytes(content)


def damage(file: Path, how: str, weights: bytes, other: Path) -> None:
    """Damage a file, and the first of a network's weights if it holds them."""
    content = file.read_bytes()
    found = content.find(weights)
    middle = len(content) // 2 if found < 0 else found
    damaged = {
        "a bit": content[: middle + 2] + bytes([content[middle + 2] ^ 64]) + content[middle + 3 :],
        "zeros": content[:middle] + bytes(len(content) - middle),
        "cut short": content[:middle],
        "another network's": other.read_bytes(),
    }
    file.unlink()
    if how in damaged:
        file.write_bytes(damaged[how])


def test_an_entry_that_was_never_finished_is_no_entry(tmp_path: Path) -> None:
    """As a power cut or a kill leaves it: files without their listing, and a folder that somebody was working in."""
    (tmp_path / "entry").mkdir()
    (tmp_path / "entry" / "weights").write_bytes(b"half of")
    (tmp_path / ".making-abandoned").mkdir()
    os.utime(tmp_path / ".making-abandoned", (1e9, 1e9))
    (tmp_path / ".making-now").mkdir()
    made = checked_entry(tmp_path, "entry", lambda place: write(place / "weights", b"whole"))
    assert (made / "weights").read_bytes() == b"whole"
    assert is_whole(made)
    assert sorted(each.name for each in tmp_path.iterdir()) == [".making-now", "entry"]


def test_a_file_more_is_not_what_was_written(tmp_path: Path) -> None:
    made = checked_entry(tmp_path, "entry", lambda place: None)
    assert is_whole(made)
    (made / "more.blob").write_bytes(b"")
    assert not is_whole(made)


def test_processes_that_make_one_entry_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    def fill(made: Path) -> None:
        (made / "weights").write_bytes(b"the same for all")

    def make(_: int) -> bytes:
        return (checked_entry(tmp_path, "entry", fill) / "weights").read_bytes()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(make, range(64))) == {b"the same for all"}
    assert is_whole(tmp_path / "entry")


@pytest.mark.parametrize("before", [None, b"damaged"])
def test_an_entry_that_another_process_put_there_is_not_moved_away(
    tmp_path: Path, before: bytes | None
) -> None:
    place = tmp_path / "entry"
    if before is not None:
        place.mkdir()
        (place / "weights").write_bytes(before)

    def fill(made: Path) -> None:
        (made / "weights").write_bytes(b"the same for all")
        if not (tmp_path / "other").exists():  # the other process is done while this one is at work
            (tmp_path / "other").touch()
            checked_entry(tmp_path, "entry", fill)
            found.append((place / "weights").stat().st_ino)

    found: list[int] = []
    assert checked_entry(tmp_path, "entry", fill) == place
    assert found == [(place / "weights").stat().st_ino]


def test_a_cache_that_cannot_be_made_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kernels = write_network(tmp_path / "net.onnx")
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("TINCT_CACHE", str(tmp_path / "file" / "cache"))
    assert_answers(open_network(tmp_path / "net.onnx", precision="f32"), kernels, arrays(4, 4), 1e-5)


def test_the_cache_folder_follows_the_platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TINCT_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
    monkeypatch.delenv("TINCT_CACHE")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "tinct"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/is/ignored")
    assert cache_folder() == tmp_path / ".cache" / "tinct"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache_folder() == tmp_path / "Library" / "Caches" / "tinct"
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert cache_folder() == tmp_path / "local" / "tinct" / "Cache"


@pytest.mark.parametrize(
    "damage", ["missing", "empty", "text", "cut short", "a folder", "valid protobuf, no graph"]
)
def test_a_file_that_is_no_network_is_a_weights_error_in_one_line(tmp_path: Path, damage: str, capfd) -> None:
    path = tmp_path / "net.onnx"
    write_network(path)
    content = path.read_bytes()
    damaged = {"empty": b"", "text": b"not a network\n" * 9, "cut short": content[:-40]}
    if damage in damaged:
        path.write_bytes(damaged[damage])
    elif damage == "valid protobuf, no graph":
        path.write_bytes(b"\x08\x08")
    else:
        path.unlink()
        if damage == "a folder":
            path.mkdir()
    with pytest.raises(WeightsError) as error:
        open_network(path)
    assert "\n" not in str(error.value)
    assert "net.onnx" in str(error.value)
    if damage != "valid protobuf, no graph":  # there the engine itself tries its formats, aloud
        assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"lightness": (1, 1, 4, 4)}, "takes lightness, hints"),
        ({"lightness": (1, 1, 4, 4), "hints": (1, 3, 4, 4), "more": (1,)}, "takes lightness, hints"),
        ({"lightness": (1, 2, 4, 4), "hints": (1, 3, 4, 4)}, "lightness is 1x2x4x4"),
        ({"lightness": (4, 4), "hints": (1, 3, 4, 4)}, "lightness is 4x4"),
        ({"lightness": (1, 1, 4, 4), "hints": (1, 3, 5, 4)}, "hints 1x3x5x4"),
    ],
)
def test_shapes_that_do_not_fit_are_named(tmp_path: Path, given: dict, told: str) -> None:
    kernels = write_network(tmp_path / "net.onnx")
    network = open_network(tmp_path / "net.onnx", precision="f32")
    with pytest.raises(ShapeError, match=told) as error:
        network.run(**{name: np.zeros(shape, np.float32) for name, shape in given.items()})
    assert "\n" not in str(error.value)
    assert_answers(network, kernels, arrays(4, 4), 1e-5)  # and the network is none the worse


@pytest.mark.parametrize(
    "options", [{"device": "tpu"}, {"precision": "int3"}, {"threads": 0}, {"device": "cuda"}]
)
def test_options_that_cannot_be_had_are_refused(tmp_path: Path, options: dict) -> None:
    write_network(tmp_path / "net.onnx")
    with pytest.raises(OptionError):
        open_network(tmp_path / "net.onnx", **options)


def test_importing_the_room_imports_no_engine() -> None:
    code = "import sys, tinct.inference, tinct.weights; print({'torch', 'openvino'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"


def test_a_missing_engine_names_the_pip_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tinct.inference import openvino_engine

    write_network(tmp_path / "net.onnx")
    openvino_engine.engine.cache_clear()
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.delitem(sys.modules, "tinct.inference.openvino_runtime", raising=False)
    with pytest.raises(MissingExtraError, match="pip install openvino"):
        open_network(tmp_path / "net.onnx")


def tiny_source(tmp_path: Path) -> tuple[TorchSource, tuple[NDArray, NDArray]]:
    """The same network as `write_network`, as PyTorch builds it."""
    torch = pytest.importorskip("torch", reason="the PyTorch engine needs torch: pip install 'tinct[train]'")
    from safetensors.numpy import save_file

    class Tiny(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = torch.nn.Conv2d(1, 8, 1, bias=False)
            self.second = torch.nn.Conv2d(3, 8, 1, bias=False)

        def forward(self, lightness, hints):  # type: ignore[no-untyped-def]
            features = torch.relu(self.first(lightness))
            return features + self.second(hints), features

    kernels = write_network(tmp_path / "net.onnx")
    save_file({"first.weight": kernels[0], "second.weight": kernels[1]}, tmp_path / "net.safetensors")
    source = TorchSource(Tiny, tmp_path / "net.safetensors", ("lightness", "hints"), ("ab", "features"))
    return source, kernels


def test_the_torch_engine_gives_the_same_answer(tmp_path: Path) -> None:
    source, kernels = tiny_source(tmp_path)
    from tinct.inference.torch_engine import TorchNetwork

    network = TorchNetwork.from_source(source, device="cpu", precision="f32")
    assert isinstance(network, Network)
    for size in [(4, 6), (33, 17)]:
        assert_answers(network, kernels, arrays(*size), 1e-5)
    with pytest.raises(ShapeError, match="hints 1x2x4x4"):
        network.run(lightness=np.zeros((1, 1, 4, 4)), hints=np.zeros((1, 2, 4, 4)))


def test_torch_weights_that_do_not_fit_are_a_weights_error(tmp_path: Path) -> None:
    source, kernels = tiny_source(tmp_path)
    from safetensors.numpy import save_file

    from tinct.inference.torch_engine import TorchNetwork

    save_file({"first.weight": kernels[0]}, source.weights)
    with pytest.raises(WeightsError, match="does not fit"):
        TorchNetwork.from_source(source, device="cpu")
    source.weights.write_bytes(b"nonsense")
    with pytest.raises(WeightsError, match="does not fit"):
        TorchNetwork.from_source(source, device="cpu")
    source.weights.unlink()
    with pytest.raises(WeightsError, match="does not exist"):
        TorchNetwork.from_source(source, device="cpu")


def test_a_gpu_is_used_where_there_is_one(tmp_path: Path) -> None:
    source, kernels = tiny_source(tmp_path)
    import torch

    network = open_network(tmp_path / "net.onnx", torch_source=source)
    assert network.device == ("cuda" if torch.cuda.is_available() else "cpu")
    assert_answers(network, kernels, arrays(8, 8), 0.15)
    if not torch.cuda.is_available():
        with pytest.raises(OptionError, match="no GPU"):
            open_network(tmp_path / "net.onnx", device="cuda", torch_source=source)


def test_inference_threads_are_not_pinned(tmp_path: Path) -> None:
    """Several processes would else share the machine's first processors, and leave the others idle."""
    write_network(tmp_path / "net.onnx")
    compiled = open_network(tmp_path / "net.onnx")._compiled  # type: ignore[attr-defined]
    assert compiled.get_property("ENABLE_CPU_PINNING") is False
