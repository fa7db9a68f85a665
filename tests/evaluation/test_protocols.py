"""Laws of the protocols: seeded for each photograph, as published, and the same for every method."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evaluation_photographs import make_rgb, write_photographs
from retrieval.retrieval_scene import picture, write_album
from tinct.color.lab import rgb_to_lab
from tinct.errors import EvaluationError
from tinct.evaluation.photographs.rgb import is_gray
from tinct.evaluation.photographs.sets import Photograph, find_photographs
from tinct.evaluation.protocols import PROTOCOLS, get_protocol
from tinct.evaluation.protocols.hint_sweep import COUNTS, PATCH_SIDE, PUBLISHED_PSNR, HintSweep, draw_patches
from tinct.evaluation.protocols.warping import distort
from tinct.photo import Photo
from tinct.retrieval.descriptor import describe
from tinct.retrieval.references import SAME_PICTURE


@pytest.fixture
def photo_folder(tmp_path: Path) -> Path:
    return write_photographs(tmp_path / "photos")


def test_counts_are_powers_of_a_tenth_of_a_decade():
    steps = np.unique(np.round(10 ** np.arange(0, 2.75, 0.1)).astype(int))
    assert (0, *steps) == COUNTS
    assert len(COUNTS) == len(PUBLISHED_PSNR) == 26


def test_patch_positions_are_normal_around_the_center():
    patches = draw_patches(make_rgb(0, 256, 256), 4000, np.random.default_rng(0))
    corners = np.array([(patch.top, patch.left) for patch in patches])
    room = 256 - PATCH_SIDE
    assert corners.min() >= 0
    assert corners.max() <= room
    assert np.abs(corners.mean(0) - room / 2).max() < 4  # standard error of the mean is 1
    # clipping a normal at two standard deviations takes its deviation down to 0.959 of it
    assert np.abs(corners.std(0) / (0.959 * (room + 1) / 4) - 1).max() < 0.04


def test_a_patch_reveals_the_mean_of_the_truth_under_it():
    truth = make_rgb(3, 256, 256)
    lab = rgb_to_lab(truth.astype(np.float32) / 255)
    for patch in draw_patches(truth, 5, np.random.default_rng(1)):
        mean = lab[patch.window].reshape(-1, 3).mean(0)
        assert np.allclose(patch.lab, mean, atol=1e-3)
        assert lab[patch.window].shape[:2] == (PATCH_SIDE, PATCH_SIDE)


def test_a_patch_as_a_users_rectangle_has_its_color_to_8_bits():
    from tinct.color.hexcolor import color_to_ab

    for patch in draw_patches(make_rgb(4, 256, 256), 20, np.random.default_rng(2)):
        rectangle = patch.rectangle()
        assert np.linalg.norm(color_to_ab(rectangle.color) - patch.lab[1:]) < 1.5
        assert rectangle.box[2] - rectangle.box[0] == PATCH_SIDE


def test_smaller_counts_lie_in_larger_ones(photo_folder: Path):
    photographs = find_photographs(photo_folder)
    cases = HintSweep(counts=(0, 3, 10)).cases(photographs[0], photographs, seed=0)
    assert [case.label for case in cases] == ["0", "3", "10"]
    assert cases[1].patches == cases[2].patches[:3]
    assert cases[0].lightness.shape == (256, 256)


def test_the_hint_field_is_the_truth_under_the_patches(photo_folder: Path):
    photographs = find_photographs(photo_folder)
    case = HintSweep(counts=(4,)).cases(photographs[0], photographs, seed=0)[0]
    field = case.hint_field()
    last = case.patches[-1]
    assert np.allclose(field.ab[last.window], last.lab[1:], atol=1e-5)
    assert field.mask.sum() <= 4 * PATCH_SIDE**2
    assert not field.ab[field.mask == 0].any()


@pytest.mark.parametrize("name", [name for name in PROTOCOLS if name not in ("pairs", "legacy")])
def test_cases_do_not_depend_on_what_was_asked_before(name: str, photo_folder: Path):
    protocol, photographs = get_protocol(name), find_photographs(photo_folder)
    alone = protocol.cases(photographs[4], photographs, seed=7)
    for photograph in photographs:
        protocol.cases(photograph, photographs, seed=7)
    again = protocol.cases(photographs[4], photographs, seed=7)
    for one, other in zip(alone, again, strict=True):
        assert one.patches == other.patches
        assert all(np.array_equal(a, b) for a, b in zip(one.references, other.references, strict=True))


@pytest.mark.parametrize("name", ["hints", "exemplar-self"])
def test_another_seed_asks_another_question(name: str, photo_folder: Path):
    protocol, photographs = get_protocol(name), find_photographs(photo_folder)
    one, other = (protocol.cases(photographs[0], photographs, seed)[-1] for seed in (0, 1))
    if name == "hints":
        assert one.patches != other.patches
    else:
        first, second = one.references[0], other.references[0]
        assert first.shape != second.shape or not np.array_equal(first, second)


def test_lightness_is_all_that_a_case_gives_of_the_truth(photo_folder: Path):
    photographs = find_photographs(photo_folder)
    case = get_protocol("auto").cases(photographs[0], photographs, seed=0)[0]
    gray = case.gray()
    assert (gray[..., 0] == gray[..., 1]).all()
    assert (gray[..., 0] == gray[..., 2]).all()
    truth_lightness = rgb_to_lab(case.truth.astype(np.float32) / 255)[..., 0]
    assert np.abs(case.lightness - truth_lightness).max() < 1e-3


def test_a_distorted_photograph_keeps_its_palette_but_not_its_places():
    truth = make_rgb(5, 120, 160)
    distorted = distort(truth, np.random.default_rng(0))
    assert 0.65 * 120 < distorted.shape[0] < 120
    assert 0.65 * 160 < distorted.shape[1] < 160
    mean, other = (rgb_to_lab(p.astype(np.float32) / 255)[..., 1:].mean((0, 1)) for p in (truth, distorted))
    assert np.linalg.norm(mean - other) < 12
    crop = truth[: distorted.shape[0], : distorted.shape[1]]
    assert np.abs(crop.astype(int) - distorted).mean() > 5


def test_a_reference_is_of_the_same_class_or_of_another(photo_folder: Path):
    photographs = find_photographs(photo_folder)
    photograph = photographs[0]
    for name, same in (("exemplar-class", True), ("exemplar-unrelated", False)):
        reference = get_protocol(name).cases(photograph, photographs, seed=0)[-1].references[0]
        found = [p for p in photographs if np.array_equal(p.read(), reference)]
        assert len(found) == 1
        assert (found[0].category == photograph.category) is same
        assert found[0].name != photograph.name


def test_photograph_and_class_mate_are_turned_in_hue(photo_folder: Path):
    photographs = find_photographs(photo_folder)
    photograph = photographs[0]
    as_it_is = get_protocol("exemplar-class").cases(photograph, photographs, seed=0)[-1]
    auto, case = get_protocol("exemplar-turned").cases(photograph, photographs, seed=0)
    assert auto.references == ()
    np.testing.assert_array_equal(auto.truth, case.truth)
    for given, before in ((case.truth, as_it_is.truth), (case.references[0], as_it_is.references[0])):
        new, old = (rgb_to_lab(rgb.astype(np.float32) / 255).reshape(-1, 3) for rgb in (given, before))
        assert np.abs(new[:, 0] - old[:, 0]).max() < 1
        hue, was = (lab[:, 1] + 1j * lab[:, 2] for lab in (new, old))
        vivid = (np.abs(hue) > 15) & (np.abs(was) > 15)
        assert vivid.sum() > 20
        assert np.abs(np.angle(hue[vivid] / was[vivid], deg=True) - 120).max() < 8
        assert np.all(np.abs(hue) < np.abs(was) + 2)
    assert np.abs(case.lightness - as_it_is.lightness).max() < 1


@pytest.mark.parametrize("yellow", [0, 1])
def test_what_has_no_color_left_once_turned_is_neither_truth_nor_reference(tmp_path: Path, yellow: int):
    (tmp_path / "one").mkdir()
    shade = np.linspace(0.93, 1, 64)[:, None] * np.ones(64)  # light yellow: sRGB has no cyan as light
    light = np.stack([255 * shade, 255 * shade, 190 * shade + 30 * (np.arange(64) % 2)], -1).astype(np.uint8)
    pictures = [make_rgb(1, 64, 64)] * 2
    pictures[yellow] = light
    assert not is_gray(light)
    for number, rgb in enumerate(pictures):
        Image.fromarray(rgb).save(tmp_path / "one" / f"{number}.png")
    photographs = find_photographs(tmp_path)
    get_protocol("exemplar-class").cases(photographs[0], photographs, seed=0)
    with pytest.raises(EvaluationError, match="hardly any of"):
        get_protocol("exemplar-turned").cases(photographs[0], photographs, seed=0)


def test_the_most_alike_photograph_of_a_folder_is_retrieved(tmp_path: Path):
    album = write_album(tmp_path / "album")
    for name in ("coffee", "chelsea"):
        (tmp_path / "set").mkdir(exist_ok=True)
        color = picture(name, 220)
        color.crop((20, 15, color.width - 12, color.height - 25)).save(tmp_path / "set" / f"{name}.png")
    photographs = find_photographs(tmp_path / "set")
    colored = {path: Photo.read(path) for path in album.rglob("*.jpg") if path.name != "gray.jpg"}
    for photograph in photographs:
        auto, case = get_protocol("exemplar-retrieved", album).cases(photograph, photographs, seed=0)
        asks = describe(Photo.read(photograph.path))
        likeness = {path: float(describe(photo) @ asks) for path, photo in colored.items()}
        wanted = max((path for path in likeness if likeness[path] <= SAME_PICTURE), key=lambda p: likeness[p])
        assert auto.references == ()
        assert np.array_equal(case.references[0], colored[wanted].to_array())
    with pytest.raises(EvaluationError, match="retrieves no references"):
        get_protocol("exemplar-class", album)


def test_what_is_retrieved_from_the_set_is_another_photograph_of_it(tmp_path: Path):
    photographs = find_photographs(write_album(tmp_path / "album"))
    for photograph in photographs:
        if photograph.name != "gray.jpg":
            case = get_protocol("exemplar-retrieved").cases(photograph, photographs, seed=0)[-1]
            found = [p.name for p in photographs if np.array_equal(p.read(), case.references[0])]
            assert len(found) == 1
            assert found[0] not in (photograph.name, "gray.jpg")


def test_a_grey_photograph_is_never_a_reference(tmp_path: Path):
    folder = tmp_path / "photos" / "field"
    folder.mkdir(parents=True)
    for number in range(4):
        Image.fromarray(make_rgb(number)).convert("L" if number > 1 else "RGB").save(folder / f"{number}.png")
    photographs = find_photographs(tmp_path / "photos")
    for seed in range(6):
        case = get_protocol("exemplar-class").cases(photographs[0], photographs, seed)[-1]
        assert np.array_equal(case.references[0], make_rgb(1))


def test_a_limited_set_lies_in_a_larger_one(photo_folder: Path):
    photographs = find_photographs(photo_folder)
    small, large = photographs.limited(2), photographs.limited(4)
    assert {p.name for p in small} < {p.name for p in large}
    assert small.available == 6


def test_sepia_is_grey_and_color_is_not():
    rgb = make_rgb(1)
    sepia = (rgb.mean(-1, keepdims=True) * np.array([1.0, 0.9, 0.75])).astype(np.uint8)
    assert is_gray(np.repeat(rgb[..., :1], 3, axis=-1))
    assert is_gray(sepia[8:30, 8:40] // 4 * 2 + 90)
    assert not is_gray(rgb)


def test_a_csv_index_gives_classes_and_references(tmp_path: Path):
    for name in ("a.png", "b.png"):
        Image.fromarray(make_rgb(0)).save(tmp_path / name)
    (tmp_path / "index.csv").write_text("target,reference\na.png,b.png\n")
    photographs = find_photographs(tmp_path)
    assert [p.name for p in photographs] == ["a.png"]
    assert photographs[0].reference == tmp_path / "b.png"
    case = get_protocol("pairs").cases(photographs[0], photographs, seed=0)[0]
    assert case.truth is None
    assert np.array_equal(case.references[0], make_rgb(0))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("name,class\n1,2\n", "needs `path` or `target`"),
        ("path\nmissing.png\n", "does not exist"),
        ("path\n", "lists no photographs"),
    ],
)
def test_a_bad_index_is_one_clear_line(tmp_path: Path, content: str, said: str):
    (tmp_path / "index.csv").write_text(content)
    with pytest.raises(EvaluationError, match=said) as caught:
        find_photographs(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_folder_without_photographs_is_one_clear_line(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(EvaluationError, match="has no photographs"):
        find_photographs(tmp_path)
    with pytest.raises(EvaluationError, match="does not exist"):
        find_photographs(tmp_path / "nowhere")


def test_a_truncated_photograph_is_one_clear_line(photo_folder: Path):
    path = photo_folder / "field" / "0.png"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(EvaluationError, match="ends in the middle; it is incomplete"):
        Photograph("0.png", path).read()


def test_a_grey_truth_is_refused(tmp_path: Path):
    Image.fromarray(make_rgb(0)).convert("L").save(tmp_path / "gray.png")
    photographs = find_photographs(tmp_path)
    with pytest.raises(EvaluationError, match="grey or of one tint"):
        get_protocol("auto").cases(photographs[0], photographs, seed=0)


def test_a_photograph_without_a_class_is_refused_where_classes_count(tmp_path: Path):
    Image.fromarray(make_rgb(0)).save(tmp_path / "a.png")
    photographs = find_photographs(tmp_path)
    with pytest.raises(EvaluationError, match="has no class"):
        get_protocol("exemplar-class").cases(photographs[0], photographs, seed=0)


def test_an_unknown_protocol_names_those_that_are_known():
    with pytest.raises(EvaluationError, match="auto-256"):
        get_protocol("automatic")
