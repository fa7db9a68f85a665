"""Mixed precision where the device is faster in bf16 (Micikevicius et al., ICLR 2018)."""

from __future__ import annotations

from functools import cache

import torch

from tinct.inference.openvino_engine import best_precision


def mixed_precision(device: torch.device | str) -> torch.autocast:
    """Autocast to bf16 where the device gains by it, and to nothing elsewhere.

    A CPU without AVX512-BF16 or AMX emulates bf16 at less than a hundredth of its speed in single precision, and one of
    Intel's with the first alone takes 1.7 times as long in it.
    """
    kind = torch.device(device).type
    return torch.autocast(kind, dtype=torch.bfloat16, enabled=gains_by_bf16(kind))


@cache
def gains_by_bf16(kind: str) -> bool:
    """True if a kind of device, "cpu" or "cuda", is faster in bf16 than in single precision."""
    if kind == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return best_precision() == "bf16"
