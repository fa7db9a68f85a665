"""What a processor computes fast in, by what the system tells of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tinct.errors import OptionError
from tinct.inference import openvino_engine, processor

TOLD = """processor\t: 0
vendor_id\t: {vendor}
model name\t: Some(R) Processor: 8 cores
flags\t\t: fpu avx512_bf16 {more} avx512_fp16

processor\t: 1
vendor_id\t: GenuineIntel
flags\t\t: fpu
"""


@pytest.fixture(autouse=True)
def _asked_anew() -> Iterator[None]:
    caches = (processor.is_intel_without_amx, openvino_engine.gains_by_bf16)
    for asked in caches:
        asked.cache_clear()
    yield
    for asked in caches:
        asked.cache_clear()


def tell(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Let the system tell this of its processors."""
    file = folder / "cpuinfo"
    file.write_text(text, encoding="utf-8")
    monkeypatch.setattr(processor, "CPU_INFO", file)


@pytest.mark.parametrize(
    ("vendor", "more", "without"),
    [
        ("GenuineIntel", "", True),
        ("GenuineIntel", "amx_tile", True),
        ("GenuineIntel", "amx_bf16 amx_tile", False),
        ("AuthenticAMD", "", False),
    ],
)
def test_an_intel_processor_without_amx_is_known_by_its_flags(
    vendor: str, more: str, without: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(tmp_path, monkeypatch, TOLD.format(vendor=vendor, more=more))
    assert processor.is_intel_without_amx() is without


@pytest.mark.parametrize("text", ["", "nothing of that kind\n", "vendor_id: AppleSilicon\n"])
def test_what_is_told_otherwise_says_nothing(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(tmp_path, monkeypatch, text)
    assert not processor.is_intel_without_amx()


def test_a_system_without_the_file_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor, "CPU_INFO", tmp_path / "nowhere")
    assert not processor.is_intel_without_amx()


@pytest.mark.parametrize("computes", [True, False])
@pytest.mark.parametrize("hidden", [True, False])
def test_bf16_is_taken_by_itself_only_where_it_gains(
    computes: bool, hidden: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openvino_engine, "computes_in_bf16", lambda: computes)
    monkeypatch.setattr(openvino_engine, "is_intel_without_amx", lambda: hidden)
    assert openvino_engine.best_precision() == ("bf16" if computes and not hidden else "f32")
    if computes:
        assert openvino_engine.best_precision("bf16") == "bf16"
    else:
        with pytest.raises(OptionError, match="bf16"):
            openvino_engine.best_precision("bf16")
