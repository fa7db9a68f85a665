"""The node pack through both of ComfyUI's interfaces: shapes, resolution, hints, references, where to click."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="ComfyUI's images are torch tensors: pip install torch")

from comfy_stub import loaded_pack, nodes_of, run
from skimage import data

import tinct
from tinct.color.lab import rgb_to_lab, rgb_to_lightness
from tinct.errors import ReferencePhotoError

PACK = Path(__file__).resolve().parents[1]
IDS = {"TinctColorize", "TinctHint", "TinctStylize", "TinctWhereToClick"}
RED = "#c03020"


@pytest.fixture(scope="module")
def nodes() -> Iterator[dict[str, Any]]:
    """The nodes of the V3 interface."""
    with loaded_pack(PACK, schema=True) as pack:
        yield nodes_of(pack)


@pytest.fixture(scope="module")
def photograph() -> Any:
    """A gray photograph as IMAGE, [1, 150, 225, 3]; its values are no multiples of 1/255."""
    gray = rgb_to_lightness(data.chelsea())[::2, ::2] / 100
    return torch.from_numpy(np.repeat(gray[:150, :225, None], 3, axis=2).astype(np.float32))[None]


def color_of(image: Any) -> np.ndarray:
    return rgb_to_lab(np.asarray(image, np.float32))[..., 1:]


def half_mask(height: int = 150, width: int = 225) -> Any:
    mask = torch.zeros(1, height, width)
    mask[:, : height // 4, : width // 4] = 1
    return mask


def test_ids_are_those_of_saved_workflows(nodes: dict[str, Any]) -> None:
    assert set(nodes) == IDS
    assert {node.define_schema().category for node in nodes.values()} == {"image/color"}
    assert nodes["TinctColorize"].define_schema().inputs[0].id == "image"


def test_color_at_the_photographs_own_size_under_its_own_lightness(
    nodes: dict[str, Any], photograph: Any
) -> None:
    (colored,) = run(nodes["TinctColorize"], image=photograph)
    assert colored.shape == photograph.shape
    assert colored.dtype == torch.float32
    assert float(colored.min()) >= 0
    assert float(colored.max()) <= 1
    lightness = [rgb_to_lightness(np.asarray(each[0], np.float32)) for each in (colored, photograph)]
    assert np.abs(lightness[0] - lightness[1]).max() < 0.2
    assert np.abs(color_of(colored)).mean() > 3


def test_a_batch_is_its_frames_each_by_itself(nodes: dict[str, Any], photograph: Any) -> None:
    batch = torch.cat([photograph, photograph.flip(2)])
    (both,) = run(nodes["TinctColorize"], image=batch)
    for number in range(2):
        (single,) = run(nodes["TinctColorize"], image=batch[number : number + 1])
        assert torch.equal(both[number], single[0])


def test_what_the_node_gives_is_what_the_library_gives(nodes: dict[str, Any], photograph: Any) -> None:
    (colored,) = run(nodes["TinctColorize"], image=photograph, vividness=0.5, strength=1.5)
    wanted = tinct.colorize(photograph[0].numpy(), vividness=0.5, strength=1.5)
    assert np.array_equal(colored[0].numpy(), wanted)


def test_alpha_is_kept(nodes: dict[str, Any], photograph: Any) -> None:
    alpha = torch.linspace(0, 1, 225).expand(1, 150, 225)[..., None]
    (colored,) = run(nodes["TinctColorize"], image=torch.cat([photograph, alpha], dim=3))
    assert colored.shape == (1, 150, 225, 4)
    assert torch.allclose(colored[..., 3:], alpha, atol=1e-4)


@pytest.mark.parametrize("size", [(150, 225), (75, 113)])
def test_a_mask_takes_its_color_at_any_size(
    nodes: dict[str, Any], photograph: Any, size: tuple[int, int]
) -> None:
    (colored,) = run(nodes["TinctColorize"], image=photograph, hint_mask=half_mask(*size), hint_color=RED)
    assert np.median(color_of(colored[0])[:30, :45, 0]) > 25


def test_chained_hints_keep_their_own_colors(nodes: dict[str, Any], photograph: Any) -> None:
    (first,) = run(nodes["TinctHint"], mask=half_mask(), color=RED)
    (both,) = run(nodes["TinctHint"], mask=half_mask().flip(2), color="#2040c0ff", hints=first)
    (colored,) = run(nodes["TinctColorize"], image=photograph, hints=both)
    ab = color_of(colored[0])
    assert np.median(ab[:30, :45, 0]) > 25
    assert np.median(ab[:30, -45:, 1]) < -25


def test_an_empty_mask_asks_for_nothing(nodes: dict[str, Any], photograph: Any) -> None:
    (alone,) = run(nodes["TinctColorize"], image=photograph)
    (masked,) = run(nodes["TinctColorize"], image=photograph, hint_mask=torch.zeros(1, 64, 64))
    assert torch.equal(alone, masked)


def test_a_reference_changes_the_colors_and_a_gray_one_is_refused(
    nodes: dict[str, Any], photograph: Any
) -> None:
    turned = np.ascontiguousarray(data.chelsea()[::2, ::2, ::-1])  # the same cat, in blue
    reference = torch.from_numpy(turned.astype(np.float32) / 255)[None]
    (alone,) = run(nodes["TinctColorize"], image=photograph)
    (colored,) = run(nodes["TinctColorize"], image=photograph, reference=reference)
    assert np.abs(color_of(colored) - color_of(alone)).mean() > 5
    rocket = torch.from_numpy(data.rocket().astype(np.float32) / 255)[None]
    for trust in (0, 2):
        (trusted,) = run(nodes["TinctColorize"], image=photograph, reference=rocket, trust=trust)
        wanted = tinct.colorize(photograph[0].numpy(), reference=rocket[0].numpy(), trust=trust)
        assert np.array_equal(trusted[0].numpy(), wanted)
    with pytest.raises(ReferencePhotoError, match="gray"):
        run(nodes["TinctColorize"], image=photograph, reference=photograph)
    (again,) = run(nodes["TinctColorize"], image=photograph)
    assert torch.equal(again, alone)


def test_a_color_that_is_none_is_refused(nodes: dict[str, Any], photograph: Any) -> None:
    with pytest.raises(tinct.TinctError, match="'red' is not a color"):
        run(nodes["TinctColorize"], image=photograph, hint_mask=half_mask(), hint_color="red")


def test_a_shape_that_is_no_batch_is_refused(nodes: dict[str, Any], photograph: Any) -> None:
    """The rows of a single photograph would be taken for frames."""
    for image in (photograph[0], photograph[:0]):
        with pytest.raises(tinct.TinctError, match="at least one frame was wanted"):
            run(nodes["TinctColorize"], image=image)
    with pytest.raises(tinct.TinctError, match="the mask has shape"):
        run(nodes["TinctColorize"], image=photograph, hint_mask=half_mask()[:0], hint_color="#b03024")


def test_where_to_click_names_places_where_its_mask_is_bright(nodes: dict[str, Any], photograph: Any) -> None:
    mask, text = run(nodes["TinctWhereToClick"], image=photograph, count=3)
    assert mask.shape == (1, 150, 225)
    assert 0.9 < float(mask.max()) <= 1
    (places,) = json.loads(text)
    assert len(places) == 3
    best = places[0]
    assert mask[0, best["y"], best["x"]] > 0.5
    wanted = torch.zeros(1, 150, 225)
    wanted[0, max(0, best["y"] - 12) : best["y"] + 12, max(0, best["x"] - 12) : best["x"] + 12] = 1
    (hints,) = run(nodes["TinctHint"], mask=wanted, color=RED)
    settled, text = run(nodes["TinctWhereToClick"], image=photograph, count=3, hints=hints)
    assert not torch.equal(settled, mask)
    editor = tinct.Colorizer(photograph[0].numpy())
    editor.add_hint(tinct.HintImage(np.uint8([192, 48, 32, 255]) * np.uint8(wanted[0].numpy())[..., None]))
    assert [(p["x"], p["y"]) for p in json.loads(text)[0]] == [
        (round(p.x), round(p.y)) for p in editor.where_next(3)
    ]


def test_stylize_keeps_the_size(nodes: dict[str, Any]) -> None:
    content = torch.from_numpy(data.chelsea()[:120, :160].astype(np.float32) / 255)[None]
    style = torch.from_numpy(data.rocket()[:120, :160].astype(np.float32) / 255)[None]
    try:
        (styled,) = run(nodes["TinctStylize"], image=content, reference=style)
    except tinct.TinctError as error:
        pytest.skip(f"needs tinct-papers: {error}")
    assert styled.shape == content.shape
    assert not torch.equal(styled, content)


def test_the_older_interface_has_the_same_nodes_and_gives_the_same(
    nodes: dict[str, Any], photograph: Any
) -> None:
    with loaded_pack(PACK, schema=False) as pack:
        assert set(pack.NODE_CLASS_MAPPINGS) == set(pack.NODE_DISPLAY_NAME_MAPPINGS) == IDS
        for node_id, old in pack.NODE_CLASS_MAPPINGS.items():
            new = nodes[node_id].define_schema()
            given = old.INPUT_TYPES()
            assert {*given["required"], *given["optional"]} == {each.id for each in new.inputs}
            assert len(old.RETURN_TYPES) == len(new.outputs)
        old = pack.NODE_CLASS_MAPPINGS["TinctColorize"]
        widgets = old.INPUT_TYPES()["required"]
        assert widgets["method"][0][0] == "best"
        assert widgets["hint_color"][0] == "STRING"
        defaults = {name: each[1]["default"] for name, each in widgets.items() if "default" in each[1]}
        (colored,) = getattr(old(), old.FUNCTION)(image=photograph, **defaults)
    (wanted,) = run(nodes["TinctColorize"], image=photograph)
    assert torch.equal(colored, wanted)
