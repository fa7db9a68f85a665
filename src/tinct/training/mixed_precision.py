"""Mixed precision where the device computes in bf16 itself (Micikevicius et al., ICLR 2018)."""

from __future__ import annotations

from functools import cache

import torch

from tinct.inference.openvino_engine import best_precision


def mixed_precision(device: torch.device | str) -> torch.autocast:
    """Autocast to bf16 where the device has instructions for it, and to nothing elsewhere.

    A CPU without AVX512-BF16 or AMX emulates bf16 at less than a hundredth of its speed in single precision.
    """
    kind = torch.device(device).type
    return torch.autocast(kind, dtype=torch.bfloat16, enabled=computes_in_bf16(kind))


@cache
def computes_in_bf16(kind: str) -> bool:
    """True if a kind of device, "cpu" or "cuda", multiplies bf16 in hardware."""
    if kind == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return best_precision() == "bf16"
