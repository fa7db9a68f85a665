"""Networks that are joined in one answer as they do one after the other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from test_inference import arrays, expected, write_network

from tinct.errors import ShapeError, WeightsError
from tinct.inference import JoinedModels, ModelFile, open_joined, open_network
from tinct.inference.opening import drop_compiled_networks
from tinct.inference.openvino_runtime import openvino
from tinct.inference.openvino_runtime import opset13 as op
from tinct.inference.zeros import remove_zeros


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drop_compiled_networks()
    monkeypatch.setenv("TINCT_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Two networks of the same names inside; the second takes three channels that the first gives."""
    write_network(tmp_path / "first.onnx", seed=1, width=3)
    write_network(tmp_path / "second.onnx", seed=2)
    return {name: tmp_path / f"{name}.onnx" for name in ("first", "second")}


def joined(files: dict[str, Path], **changed: object) -> JoinedModels:
    numbers = {
        "name": "both",
        "parts": {name: ModelFile(path) for name, path in files.items()},
        "links": {"second.hints": "first.features"},
        "outputs": ("second.ab", "first.ab"),
    }
    return JoinedModels(**{**numbers, **changed})  # type: ignore[arg-type]


def in_turn(files: dict[str, Path], size: tuple[int, int]) -> tuple[dict, dict]:
    """The arrays that the whole is given, and what its parts answer one after the other."""
    first, second = arrays(*size, seed=3), arrays(*size, seed=4)
    before = open_network(files["first"], precision="f32").run(**first)
    after = open_network(files["second"], precision="f32").run(
        lightness=second["lightness"], hints=before["features"]
    )
    given = {
        "first.lightness": first["lightness"],
        "first.hints": first["hints"],
        "second.lightness": second["lightness"],
    }
    return given, {"second.ab": after["ab"], "first.ab": before["ab"]}


def test_joined_networks_answer_as_one_after_the_other(files: dict[str, Path]) -> None:
    for start in ("compiled", "from the cache"):
        whole = open_joined(joined(files), precision="f32")
        assert whole.outputs == ("second.ab", "first.ab"), start
        for size in ((4, 6), (9, 5)):
            given, wanted = in_turn(files, size)
            found = whole.run(**given)
            for name, array in wanted.items():
                np.testing.assert_allclose(found[name], array, rtol=1e-5, atol=1e-5)
        drop_compiled_networks()


def test_an_output_is_enlarged_to_the_grid_of_an_input(tmp_path: Path) -> None:
    """As OpenCV enlarges it bilinearly, for whatever sizes the run has."""
    import cv2

    for name in ("first", "second"):
        given, like = (op.parameter([-1, -1, -1, 5], np.float32, name=port) for port in ("given", "like"))
        node = op.multiply(given, op.constant(np.float32(3))) if name == "first" else op.add(given, like)
        node.output(0).set_names({"answer"})
        ports = [given] if name == "first" else [given, like]
        for port in ports:
            port.output(0).set_names({port.get_friendly_name()})
        model = openvino.Model([op.result(node)], ports, name)
        openvino.save_model(model, tmp_path / f"{name}.xml", compress_to_fp16=False)
    both = JoinedModels(
        "both",
        {name: ModelFile(tmp_path / f"{name}.xml") for name in ("first", "second")},
        {"second.given": "first.answer"},
        ("second.answer",),
        enlarged={"second.given": "second.like"},
    )
    network, rng = open_joined(both, precision="f32"), np.random.default_rng(0)
    for size in ((12, 16), (7, 9)):
        small = rng.normal(size=(1, 4, 6, 5)).astype(np.float32)
        like = rng.normal(size=(1, *size, 5)).astype(np.float32)
        found = network.run(**{"first.given": small, "second.like": like})["second.answer"]
        larger = cv2.resize(3 * small[0], size[::-1], interpolation=cv2.INTER_LINEAR)
        np.testing.assert_allclose(found[0], larger + like[0], atol=1e-4)


def test_what_an_input_of_zeros_gives_is_not_computed(files: dict[str, Path]) -> None:
    given, _ = in_turn(files, (6, 8))
    hints = given.pop("first.hints")
    first = open_network(files["first"], precision="f32").run(
        lightness=given["first.lightness"], hints=np.zeros_like(hints)
    )
    second = open_network(files["second"], precision="f32").run(
        lightness=given["second.lightness"], hints=first["features"]
    )
    whole = open_joined(joined(files, zeros=("first.hints",)), precision="f32")
    assert set(whole.inputs) == set(given)
    found = whole.run(**given)
    np.testing.assert_allclose(found["second.ab"], second["ab"], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found["first.ab"], first["ab"], rtol=1e-5, atol=1e-5)


def test_what_is_alike_by_name_in_another_part_is_computed(files: dict[str, Path]) -> None:
    """Layers of both parts are called alike; only what the zeros reach goes."""
    model = joined(files, zeros=("first.hints",)).read(openvino.Core())
    kinds = [node.get_type_name() for node in model.get_ops()]
    assert kinds.count("Convolution") == 3  # of four


def test_two_ways_of_joining_are_two_networks(files: dict[str, Path]) -> None:
    ways = [
        joined(files),
        joined(files, zeros=("first.hints",)),
        joined(files, links={}),
        joined(files, outputs=("second.ab",)),
        joined({**files, "second": files["first"]}),
    ]
    assert len({each.sha256 for each in ways}) == len(ways)


@pytest.mark.parametrize(
    "changed",
    [
        {"links": {"second.hints": "first.nothing"}},
        {"links": {"first.hints": "second.features"}},  # which runs later
        {"outputs": ("second.nothing",)},
    ],
)
def test_a_port_that_is_not_there_is_said(files: dict[str, Path], changed: dict) -> None:
    with pytest.raises(WeightsError, match="not there"):
        open_joined(joined(files, **changed))


def test_a_damaged_part_is_refused(files: dict[str, Path]) -> None:
    files["second"].write_bytes(files["second"].read_bytes()[:-40])
    with pytest.raises(WeightsError, match=r"second\.onnx is cut short"):
        open_joined(joined(files))


def test_arrays_that_do_not_fit_are_said_of_the_whole(files: dict[str, Path]) -> None:
    given, _ = in_turn(files, (6, 8))
    with pytest.raises(ShapeError, match="both"):
        open_joined(joined(files)).run(**{**given, "first.hints": given["first.hints"][:, :2]})


def test_a_zero_that_reaches_what_is_not_foreseen_is_said() -> None:
    """The exponential of 0 is not 0."""
    given, other = op.parameter([-1, 2], np.float32), op.parameter([-1, 2], np.float32)
    model = openvino.Model([op.result(op.add(op.exp(given), other))], [given, other], "zeros")
    with pytest.raises(WeightsError, match="Exp"):
        remove_zeros(model, [given])


def test_the_arrays_of_a_part_are_numpys(files: dict[str, Path]) -> None:
    kernels = write_network(files["first"], seed=1, width=3)
    given, wanted = in_turn(files, (5, 7))
    first = {"lightness": given["first.lightness"], "hints": given["first.hints"]}
    np.testing.assert_allclose(wanted["first.ab"], expected(kernels, **first)["ab"], rtol=1e-4, atol=1e-4)
