"""The Inception graph against the same network in PyTorch, laid out as torchvision does, weights random."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
nn, functional = torch.nn, torch.nn.functional

from tinct.errors import WeightsError
from tinct.evaluation.metrics.inception import inception_network

# Keras counts 21,802,784 without the classifier: no gamma, but means and variances (17,216 each).
PUBLISHED_PARAMETERS = 21_802_784 - 17_216

POINT, ROW, COLUMN = (1, 1), (1, 7), (7, 1)


class Unit(nn.Module):  # type: ignore[misc, name-defined]
    def __init__(self, into: int, out: int, size: tuple[int, int] = POINT, stride: int = 1, pad: bool = True):
        super().__init__()
        padding = tuple(n // 2 for n in size) if pad else (0, 0)
        self.conv = nn.Conv2d(into, out, size, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(out, eps=0.001)

    def forward(self, x: Any) -> Any:
        return functional.relu(self.bn(self.conv(x)))


def average(x: Any) -> Any:
    return functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)


def shrink(x: Any) -> Any:
    return functional.max_pool2d(x, 3, 2)


def largest(x: Any) -> Any:
    return functional.max_pool2d(x, 3, 1, 1)


class Block(nn.Module):  # type: ignore[misc, name-defined]
    """Branches that are chains of units; a unit's name leads to it, a chain may start with a pooling."""

    def __init__(self, branches: list[list[Any]], **units: Unit) -> None:
        super().__init__()
        self.branches = branches
        for name, unit in units.items():
            self.add_module(name, unit)

    def forward(self, x: Any) -> Any:
        return torch.cat([self.run(branch, x) for branch in self.branches], 1)

    def run(self, steps: list[Any], x: Any) -> Any:
        for step in steps:
            x = step(x) if callable(step) else getattr(self, step)(x)
        return x


def block_a(into: int, pooled: int) -> Block:
    return Block(
        [
            ["branch1x1"],
            ["branch5x5_1", "branch5x5_2"],
            ["branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"],
            [average, "branch_pool"],
        ],
        branch1x1=Unit(into, 64),
        branch5x5_1=Unit(into, 48),
        branch5x5_2=Unit(48, 64, (5, 5)),
        branch3x3dbl_1=Unit(into, 64),
        branch3x3dbl_2=Unit(64, 96, (3, 3)),
        branch3x3dbl_3=Unit(96, 96, (3, 3)),
        branch_pool=Unit(into, pooled),
    )


def block_b() -> Block:
    return Block(
        [["branch3x3"], ["branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"], [shrink]],
        branch3x3=Unit(288, 384, (3, 3), 2, pad=False),
        branch3x3dbl_1=Unit(288, 64),
        branch3x3dbl_2=Unit(64, 96, (3, 3)),
        branch3x3dbl_3=Unit(96, 96, (3, 3), 2, pad=False),
    )


def block_c(c: int) -> Block:
    return Block(
        [
            ["branch1x1"],
            [f"branch7x7_{i}" for i in (1, 2, 3)],
            [f"branch7x7dbl_{i}" for i in (1, 2, 3, 4, 5)],
            [average, "branch_pool"],
        ],
        branch1x1=Unit(768, 192),
        branch7x7_1=Unit(768, c),
        branch7x7_2=Unit(c, c, ROW),
        branch7x7_3=Unit(c, 192, COLUMN),
        branch7x7dbl_1=Unit(768, c),
        branch7x7dbl_2=Unit(c, c, COLUMN),
        branch7x7dbl_3=Unit(c, c, ROW),
        branch7x7dbl_4=Unit(c, c, COLUMN),
        branch7x7dbl_5=Unit(c, 192, ROW),
        branch_pool=Unit(768, 192),
    )


def block_d() -> Block:
    return Block(
        [["branch3x3_1", "branch3x3_2"], [f"branch7x7x3_{i}" for i in (1, 2, 3, 4)], [shrink]],
        branch3x3_1=Unit(768, 192),
        branch3x3_2=Unit(192, 320, (3, 3), 2, pad=False),
        branch7x7x3_1=Unit(768, 192),
        branch7x7x3_2=Unit(192, 192, ROW),
        branch7x7x3_3=Unit(192, 192, COLUMN),
        branch7x7x3_4=Unit(192, 192, (3, 3), 2, pad=False),
    )


def block_e(into: int, pool: Callable[[Any], Any]) -> Block:
    return Block(
        [
            ["branch1x1"],
            ["branch3x3_1", "branch3x3_2a"],
            ["branch3x3_1", "branch3x3_2b"],
            ["branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3a"],
            ["branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3b"],
            [pool, "branch_pool"],
        ],
        branch1x1=Unit(into, 320),
        branch3x3_1=Unit(into, 384),
        branch3x3_2a=Unit(384, 384, (1, 3)),
        branch3x3_2b=Unit(384, 384, (3, 1)),
        branch3x3dbl_1=Unit(into, 448),
        branch3x3dbl_2=Unit(448, 384, (3, 3)),
        branch3x3dbl_3a=Unit(384, 384, (1, 3)),
        branch3x3dbl_3b=Unit(384, 384, (3, 1)),
        branch_pool=Unit(into, 192),
    )


def inception() -> Block:
    """All parts as one chain; the running means and variances are drawn too, so that batch norm shows."""
    units = {
        "Conv2d_1a_3x3": Unit(3, 32, (3, 3), 2, pad=False),
        "Conv2d_2a_3x3": Unit(32, 32, (3, 3), pad=False),
        "Conv2d_2b_3x3": Unit(32, 64, (3, 3)),
        "Conv2d_3b_1x1": Unit(64, 80),
        "Conv2d_4a_3x3": Unit(80, 192, (3, 3), pad=False),
    }
    blocks = {
        "Mixed_5b": block_a(192, 32),
        "Mixed_5c": block_a(256, 64),
        "Mixed_5d": block_a(288, 64),
        "Mixed_6a": block_b(),
        **{f"Mixed_6{name}": block_c(c) for name, c in zip("bcde", (128, 160, 160, 192), strict=True)},
        "Mixed_7a": block_d(),
        "Mixed_7b": block_e(1280, average),
        "Mixed_7c": block_e(2048, largest),
    }
    names = list(units)
    network = Block([[*names[:3], shrink, *names[3:], shrink, *blocks]], **units, **blocks).eval()
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.2)
            part.running_var.uniform_(0.02, 0.2)
            part.bias.data.normal_(0, 0.3)
    return network


@pytest.fixture(scope="module")
def network() -> Block:
    torch.manual_seed(0)
    return inception()


def test_the_oracle_has_the_published_number_of_parameters(network: Block) -> None:
    assert sum(p.numel() for p in network.parameters()) == PUBLISHED_PARAMETERS


def test_the_graph_gives_what_torch_gives(network: Block) -> None:
    state = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    graph = inception_network(state)
    for height, width in ((299, 299), (180, 320)):
        pictures = torch.rand(1, height, width, 3)
        resized = functional.interpolate(
            pictures.permute(0, 3, 1, 2), (299, 299), mode="bilinear", align_corners=False
        )
        with torch.no_grad():
            expected = network(2 * resized - 1).mean((2, 3)).numpy()
        found = graph([pictures.numpy()])[0]
        assert found.shape == (1, 2048)
        assert np.ptp(expected) > 0.1
        assert np.allclose(found, expected, atol=2e-4 * np.abs(expected).max())


def test_weights_that_lack_a_part_are_refused(network: Block) -> None:
    state = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    del state["Mixed_7c.branch_pool.conv.weight"]
    with pytest.raises(WeightsError, match=r"lack 'Mixed_7c\.branch_pool"):
        inception_network(state)
