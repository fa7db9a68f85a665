"""Training computes in bf16 only where the device gains by it."""

import pytest

torch = pytest.importorskip("torch")

from tinct.inference.openvino_engine import best_precision
from tinct.training import mixed_precision as module


@pytest.fixture(autouse=True)
def _asked_anew():
    module.gains_by_bf16.cache_clear()
    yield
    module.gains_by_bf16.cache_clear()


def product_type() -> torch.dtype:
    """The type in which a product of matrices is computed."""
    with module.mixed_precision(torch.device("cpu")):
        return (torch.ones(8, 8) @ torch.ones(8, 8)).dtype


@pytest.mark.parametrize(("precision", "expected"), [("f32", torch.float32), ("bf16", torch.bfloat16)])
def test_a_cpu_that_gains_nothing_by_bf16_trains_in_single_precision(monkeypatch, precision, expected):
    monkeypatch.setattr(module, "best_precision", lambda: precision)
    assert product_type() is expected


def test_this_cpu_trains_in_what_its_inference_computes_in():
    expected = torch.bfloat16 if best_precision() == "bf16" else torch.float32
    assert product_type() is expected
