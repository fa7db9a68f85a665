"""Which parts of the released network a CPU computes in 8 bits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tinct.errors import WeightsError
from tinct.inference import openvino_engine
from tinct.inference.eight_bits import multiplies_bytes
from tinct.inference.model_source import ModelFile
from tinct.networks.semantics.opinion import NAME as SEMANTICS
from tinct.networks.tinct import joined
from tinct.networks.tinct.method import Tinct
from tinct.networks.tinct.rounding import BESIDE_BF16, BY_ITSELF, IN_FULL, ROUNDED, ranges_of
from tinct.weights import manifest, weights_path


def test_the_ranges_of_all_parts_are_released() -> None:
    known = manifest()
    assert all(known[name].ranges for name in ROUNDED)
    assert not any(IN_FULL & known[name].ranges.keys() for name in ROUNDED)


@pytest.mark.parametrize("bf16", [True, False])
def test_beside_bf16_the_branch_and_what_is_joined_are_not_in_bytes(
    bf16: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openvino_engine, "gains_by_bf16", lambda: bf16)
    known = manifest()
    for name in ROUNDED:
        joined_in_bytes = not bf16 or name in BESIDE_BF16
        assert ranges_of(name, known, joined=True) == (known[name].ranges if joined_in_bytes else {})
        in_bytes = joined_in_bytes or name in BY_ITSELF
        assert ranges_of(name, known) == (known[name].ranges if in_bytes else {})
    assert ranges_of("tinct.match", known) == {}


@pytest.mark.parametrize("bf16", [True, False])
def test_joined_networks_have_the_ranges_of_their_parts(bf16: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvino_engine, "gains_by_bf16", lambda: bf16)
    opened = []
    monkeypatch.setattr(joined, "open_joined", lambda models, **engine: opened.append(models))
    known = manifest()
    for asked in joined.JOINED:
        joined.open_for(asked)
        for part, file in opened.pop().parts.items():
            name = SEMANTICS if part == "semantics" else f"tinct.{part}"
            assert file.ranges == ranges_of(name, known, joined=True)
            assert file.beside == "auto"
            assert bool(file.ranges) == (part == "encode" or not bf16)


@pytest.mark.skipif(not multiplies_bytes(), reason="this CPU does not multiply bytes (AVX2)")
def test_parts_are_opened_in_bytes_where_their_ranges_count() -> None:
    method, rest = Tinct(device="cpu"), openvino_engine.best_precision()
    for part in ("encode", "decode", "distribution", "match"):
        name = f"tinct.{part}"
        in_bytes = name in BESIDE_BF16 | BY_ITSELF
        assert method._network(part).precision == ("int8" if in_bytes else rest)
    assert method._branch().precision == ("int8" if rest == "f32" else rest)
    assert Tinct(device="cpu", precision="f32")._network("decode").precision == "f32"


@pytest.mark.parametrize(("beside", "rest"), [("f32", "f32"), ("auto", "bf16")])
def test_what_is_beside_8_bits_has_the_precision_that_is_asked_for(
    beside: str, rest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def compiled(source: ModelFile, properties: dict[str, str]) -> None:
        asked.append(properties["INFERENCE_PRECISION_HINT"])
        raise WeightsError("not compiled here")

    for name in ("computes_in_bf16", "gains_by_bf16"):
        monkeypatch.setattr(openvino_engine, name, lambda: True)
    monkeypatch.setattr(openvino_engine, "multiplies_bytes", lambda: True)
    monkeypatch.setattr(openvino_engine, "_compile", compiled)
    known = manifest()
    file = ModelFile(weights_path("tinct.decode", entries=known), known["tinct.decode"].ranges, beside)
    for precision in ("int8", "f32", "bf16"):
        with pytest.raises(WeightsError, match="not compiled here"):
            openvino_engine.OpenVinoNetwork(file, precision=precision)
    assert asked == [rest, "f32", "bf16"]
    other = {"f32": "auto", "auto": "f32"}[beside]
    assert file.sha256 != replace(file, beside=other).sha256
    assert file.unrounded().sha256 == replace(file, ranges={}, beside=other).sha256
