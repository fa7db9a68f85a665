"""Laws of OpenVINO's import: one place does it, and nobody is called, in the library, the server or a program."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
THE_PLACE = ROOT / "src/tinct/inference/openvino_runtime.py"

WATCHED = """
import json, os, socket, sys
seen = []
def watch(event, given):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        seen.append(f"{event} {given[1:]}")
    elif event == "socket.__new__" and given[1] != socket.AF_UNIX:
        seen.append(f"{event} {given[1:]}")
    elif event in ("subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system"):
        seen.append(event)
sys.addaudithook(watch)
"""
"""What a process runs first: it notes every socket but those inside the machine, and every other program."""

TOLD = """
named = [name for name in sys.modules if name.startswith(("openvino_telemetry", "openvino.tools.ovc"))]
open_files = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
links = [os.readlink(file) for file in open_files if os.path.islink(file)]
sockets = [link for link in links if link.startswith("socket:")]
print(json.dumps({"seen": seen, "modules": named, "sockets": sockets}))
"""

USES = {
    "the library": "import tinct, numpy as np; tinct.colorize(np.full((64, 64), 120, np.uint8))",
    "the engine's colors": (
        "import numpy as np; from tinct.color.lab_openvino import merged_planes\n"
        "merged_planes(np.full((64, 64), 50, np.float32), np.zeros((2, 64, 64), np.float32), np.uint8)"
    ),
    "another server": (
        "from tinct.web.app import create_app; from tinct.web.colorize_routes import warm_up\n"
        "studio = create_app(); warm_up(64)"
    ),
    "measuring": (
        "import numpy as np\n"
        "from tinct.evaluation.metrics.graph import compile_f32, conv, normalized, picture_input\n"
        "given = picture_input('given')\n"
        "compile_f32([conv(normalized(given, [0, 0, 0], [1, 1, 1]), np.ones((1, 3, 1, 1), np.float32),"
        " np.zeros(1, np.float32))], [given])"
    ),
}


def imports(file: Path) -> Iterator[str]:
    """Modules that a file imports when it runs; those for type checkers alone are left out."""
    waiting: list[ast.AST] = [ast.parse(file.read_bytes())]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        waiting += ast.iter_child_nodes(node)


def test_one_place_imports_openvino() -> None:
    files = [
        file for folder in ("src", "tests", "benchmarks", "tools") for file in (ROOT / folder).rglob("*.py")
    ]
    found = [file for file in files if any(name.split(".")[0] == "openvino" for name in imports(file))]
    assert found == [THE_PLACE]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc/self/fd")
@pytest.mark.parametrize("use", USES)
def test_nobody_is_called_and_nothing_is_left_behind(use: str, tmp_path: Path) -> None:
    if use == "another server":
        pytest.importorskip("fastapi", reason="the studio needs pip install 'tinct[web]'")
    home = tmp_path / "home"
    home.mkdir()
    mine = ("HOME", "TINCT_CACHE", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "TMPDIR")
    environment = {name: value for name, value in os.environ.items() if name not in mine}
    environment |= {"HOME": str(home), "TMPDIR": str(tmp_path)}
    found = subprocess.run(
        [sys.executable, "-c", WATCHED + USES[use] + TOLD],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert json.loads(found.stdout) == {"seen": [], "modules": [], "sockets": []}
    left = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()}
    assert {name for name in left if not name.startswith("home/.cache/tinct/")} == set()


def test_the_converter_can_still_be_had() -> None:
    """Whoever converts models in the same process imports the converter by its own name."""
    code = (
        "import sys; from tinct.inference.openvino_runtime import CONVERTER, openvino\n"
        "import importlib.util; print(CONVERTER in sys.modules, hasattr(openvino, 'convert_model'))\n"
        "print(importlib.util.find_spec(CONVERTER) is not None)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False", "False", "True"]


def test_the_names_that_are_leaned_on_are_there() -> None:
    """What OpenVINO does not promise: the converter's name, and that its import may fail."""
    from tinct.inference.openvino_runtime import CONVERTER, openvino

    assert find_spec(CONVERTER) is not None
    tree = ast.parse(Path(openvino.__file__).read_bytes())
    tries = [node for node in tree.body if isinstance(node, ast.Try)]
    guarded = [
        handler.type.id
        for node in tries
        for handler in node.handlers
        if isinstance(handler.type, ast.Name)
        and any(isinstance(each, ast.ImportFrom) and each.module == CONVERTER for each in node.body)
    ]
    assert guarded == ["ImportError"]
