"""Laws of the metrics that look through a network, and of how frozen networks are found and read."""

from __future__ import annotations

import io
import math
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data

from tinct.errors import ShapeError, WeightsError
from tinct.evaluation.metrics.distribution import Gaussian, frechet_distance, gaussian
from tinct.evaluation.metrics.perceptual import Lpips, SqueezeNetFeatures
from tinct.evaluation.metrics.semantic import Classifier
from tinct.weights import frozen
from tinct.weights.state_dict import read_state_dict

Array = NDArray[np.float32]


@pytest.fixture(autouse=True)
def _nowhere_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Only folders that a test names: no cache of this machine, and no network."""
    for variable in ("TINCT_FROZEN", "TINCT_SHARED"):
        monkeypatch.delenv(variable, raising=False)
    for variable in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "cache"))

    def no_network(*_args: object, **_options: object) -> None:
        raise OSError("no network in tests")

    monkeypatch.setattr("urllib.request.urlopen", no_network)


@pytest.fixture(scope="module")
def weights(shared: Path) -> Path:
    return shared / "weights"


@pytest.fixture(scope="module")
def lpips(weights: Path) -> Lpips:
    return Lpips(weights)


@pytest.fixture(scope="module")
def classifier(weights: Path) -> Classifier:
    return Classifier(weights)


def torch_rand(seed: int, *shape: int) -> Array:
    """What torch.manual_seed(seed); torch.rand(*shape) gives: 24 bits of each Mersenne twister word."""
    words = np.random.RandomState(seed)._bit_generator.random_raw(math.prod(shape))
    return ((words & 0xFFFFFF) * 2.0**-24).astype(np.float32).reshape(shape)


@pytest.mark.shared
def test_lpips_gives_the_example_that_torchmetrics_documents(lpips: Lpips) -> None:
    first, second = torch_rand(123, 2, 10, 3, 100, 100).transpose(0, 1, 3, 4, 2)
    mean = np.mean([lpips(a, b) for a, b in zip(first, second, strict=True)])
    assert round(float(mean), 4) == 0.1008


@pytest.mark.shared
def test_lpips_of_equals_is_zero_the_order_is_free_and_gray_is_some_way_off(lpips: Lpips) -> None:
    color = data.coffee()[100:231, 200:303]
    gray = np.repeat(color.mean(2, keepdims=True), 3, axis=2).astype(np.uint8)
    assert lpips(color, color) == 0
    assert lpips(gray, color) == pytest.approx(lpips(color, gray), rel=1e-4)
    assert 0.05 < lpips(gray, color) < 0.6


@pytest.mark.shared
def test_lpips_of_bytes_is_that_of_their_floats(lpips: Lpips) -> None:
    first, second = data.cat()[:64, :80], data.cat()[50:114, 50:130]
    floats = [picture.astype(np.float32) / 255 for picture in (first, second)]
    assert lpips(first, second) == pytest.approx(lpips(*floats), rel=1e-5)


@pytest.mark.shared
def test_lpips_refuses_pictures_below_its_size(lpips: Lpips) -> None:
    with pytest.raises(ShapeError, match="25x25"):
        lpips(np.zeros((24, 40, 3), np.uint8), np.zeros((24, 40, 3), np.uint8))
    lpips(np.zeros((25, 25, 3), np.uint8), np.zeros((25, 25, 3), np.uint8))


@pytest.mark.shared
def test_classifier_knows_a_cat_and_an_espresso(classifier: Classifier, weights: Path) -> None:
    labels = (weights / "imagenet_labels.txt").read_text().splitlines()
    assert "cat" in labels[classifier.top1(data.cat())]
    assert labels[classifier.top1(data.coffee())] == "espresso"


@pytest.mark.shared
def test_classifier_gives_a_probability_to_each_class(classifier: Classifier) -> None:
    seen = classifier(data.cat())
    assert seen.shape == (1001,)
    assert seen.sum() == pytest.approx(1, abs=0.1)
    assert classifier.top1(data.cat()) == seen.argmax()


def test_frechet_distance_of_lines_is_the_closed_form() -> None:
    first = Gaussian(np.array([1.0]), np.array([[4.0]]), 10)
    second = Gaussian(np.array([3.0]), np.array([[9.0]]), 10)
    assert frechet_distance(first, second) == pytest.approx((1 - 3) ** 2 + (2 - 3) ** 2)


def test_frechet_distance_of_commuting_covariances_is_the_closed_form() -> None:
    rng = np.random.default_rng(0)
    turn = np.linalg.qr(rng.normal(size=(12, 12)))[0]
    a, b = rng.uniform(0, 5, (2, 12))
    first = Gaussian(rng.normal(size=12), (turn * a) @ turn.T, 99)
    second = Gaussian(rng.normal(size=12), (turn * b) @ turn.T, 99)
    closed = np.square(first.mean - second.mean).sum() + np.square(np.sqrt(a) - np.sqrt(b)).sum()
    assert frechet_distance(first, second) == pytest.approx(closed)


def test_frechet_distance_is_the_one_with_a_matrix_root() -> None:
    from scipy.linalg import sqrtm

    rng = np.random.default_rng(1)
    first, second = (gaussian(rng.normal(0, s, (50, 8)) @ rng.normal(size=(8, 8))) for s in (1, 2))
    root = np.real(sqrtm(first.covariance @ second.covariance))
    oracle = np.square(first.mean - second.mean).sum()
    oracle += np.trace(first.covariance + second.covariance - 2 * root)
    assert frechet_distance(first, second) == pytest.approx(oracle, rel=1e-9)


def test_frechet_distance_stands_fewer_pictures_than_figures() -> None:
    rng = np.random.default_rng(2)
    first, second = (gaussian(rng.normal(size=(5, 40))) for _ in range(2))
    assert frechet_distance(first, first) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(first, second) == pytest.approx(frechet_distance(second, first))


def test_gaussian_is_that_of_numpy() -> None:
    features = np.random.default_rng(3).normal(size=(30, 4))
    found = gaussian(features)
    assert np.allclose(found.covariance, np.cov(features, rowvar=False))
    for wrong in (features[:1], features[0], np.full((3, 2), np.nan)):
        with pytest.raises(ShapeError):
            gaussian(wrong)


def test_frechet_distance_of_brighter_pictures_is_the_squared_distance_of_their_means() -> None:
    rng = np.random.default_rng(4)
    bright, dark = (rng.integers(low, low + 50, (6, 3)) for low in (200, 0))
    apart = np.square(bright.mean(0) - dark.mean(0)).sum()
    assert frechet_distance(gaussian(bright), gaussian(bright)) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(gaussian(bright), gaussian(dark)) == pytest.approx(apart, rel=0.1)


@pytest.mark.shared
def test_squeezenet_features_are_512(weights: Path) -> None:
    assert SqueezeNetFeatures(weights)(data.cat()).shape == (512,)


def test_a_missing_network_says_where_it_comes_from() -> None:
    with pytest.raises(WeightsError, match=r"https://\S+ as \S+\.tflite into the folder \$TINCT_FROZEN"):
        frozen.locate("classifier")
    with pytest.raises(WeightsError, match="squeezenet, lpips-heads"):
        frozen.locate("vgg")


def test_a_download_that_fails_leaves_nothing_and_says_so(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="cannot be fetched"):
        frozen.locate("lpips-heads", download=True)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_download_is_kept_only_if_it_is_the_published_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("urllib.request.urlopen", lambda *_args, **_options: io.BytesIO(b"an error page"))
    with pytest.raises(WeightsError, match="SHA-256"):
        frozen.fetch("lpips-heads", tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_not_the_published_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / frozen.FROZEN["classifier"].files[0].name).write_bytes(b"something else")
    with pytest.raises(WeightsError, match="SHA-256"):
        frozen.locate("classifier", tmp_path)


@pytest.mark.shared
def test_the_folder_named_by_the_environment_is_looked_in(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINCT_FROZEN", str(weights))
    assert frozen.locate("lpips-heads").parent == weights
    monkeypatch.delenv("TINCT_FROZEN")
    monkeypatch.setenv("TINCT_SHARED", str(weights.parent))
    assert frozen.locate("squeezenet").parent == weights


class _Malice:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (print, ("this must never run",))


@pytest.mark.parametrize("layout", ["legacy", "zip"])
def test_a_pickle_that_calls_something_is_refused(
    layout: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.pth"
    if layout == "legacy":
        path.write_bytes(pickle.dumps(_Malice(), 2))
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", pickle.dumps(_Malice(), 2))
    with pytest.raises(WeightsError, match="which is no tensor"):
        read_state_dict(path)
    assert not capsys.readouterr().out


def test_what_is_no_state_dict_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.pth"
    for content in (b"", b"<html>", pickle.dumps(3)):
        path.write_bytes(content)
        with pytest.raises(WeightsError, match="fetch it again"):
            read_state_dict(path)
    with pytest.raises(WeightsError):
        read_state_dict(tmp_path / "nothing.pth")


@pytest.mark.shared
def test_a_truncated_state_dict_is_refused(weights: Path, tmp_path: Path) -> None:
    whole = (weights / "lpips_v0.1_squeeze_heads.pth").read_bytes()
    for length in (100, 1200, len(whole) - 1):
        (tmp_path / "short.pth").write_bytes(whole[:length])
        with pytest.raises(WeightsError):
            read_state_dict(tmp_path / "short.pth")


@pytest.mark.parametrize("zipped", [False, True])
def test_a_state_dict_is_read_as_torch_reads_it(zipped: bool, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="torch writes the file that is read without it")
    base = torch.randn(6, 8)
    state = {
        "transposed": base.t(),
        "slice": base[2:4, 1:3],
        "scalar": torch.tensor(3.5),
        "half": torch.randn(3).half(),
        "count": torch.arange(4),
        "parameter": torch.nn.Parameter(torch.randn(2, 2)),
        "empty": torch.zeros(0, 3),
    }
    torch.save(state, tmp_path / "state.pth", _use_new_zipfile_serialization=zipped)
    read = read_state_dict(tmp_path / "state.pth")
    assert read.keys() == state.keys()
    for name, tensor in state.items():
        expected = tensor.detach().float().numpy() if tensor.is_floating_point() else tensor.numpy()
        assert read[name].shape == expected.shape
        assert np.array_equal(read[name], expected)
