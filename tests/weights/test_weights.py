"""Laws of the manifest: the right bytes or a clear line."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tinct import weights
from tinct.cli import run
from tinct.errors import WeightsError
from tinct.methods import METHODS, exported, get_method
from tinct.weights import checksum, file_sha256, manifest, read_manifest, weights_path

CONTENT = b"a network's weights"
SHIPPED = Path(weights.__file__).parent


def papers() -> Path:
    """The folder of the papers' weights, or a skip."""
    place = weights.papers_folder()
    if place is None:
        pytest.skip("needs the papers' weights: pip install 'tinct[papers]'")
    return place


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TINCT_WEIGHTS", str(tmp_path))
    (tmp_path / "net.onnx").write_bytes(CONTENT)
    return tmp_path


def entries(folder: Path, **changes: object) -> dict[str, weights.Weights]:
    fields = {
        "file": "net.onnx",
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
        "license": "MIT",
        "training_data": "photographs",
        "score": {"psnr": 24.5},
    }
    (folder / "manifest.json").write_text(json.dumps({"net": {**fields, **changes}}))
    return read_manifest(folder / "manifest.json")


def test_the_file_that_the_manifest_names_is_found(folder: Path) -> None:
    assert weights_path("net", entries=entries(folder)) == folder / "net.onnx"
    assert entries(folder)["net"].score["psnr"] == 24.5


def test_a_file_is_hashed_once_until_it_changes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = checksum._sha256.cache_info().misses
    assert [file_sha256(folder / "net.onnx") for _ in range(3)] == [hashlib.sha256(CONTENT).hexdigest()] * 3
    assert checksum._sha256.cache_info().misses == before + 1
    (folder / "net.onnx").write_bytes(CONTENT + b"!")
    assert file_sha256(folder / "net.onnx") == hashlib.sha256(CONTENT + b"!").hexdigest()


def test_other_bytes_are_refused(folder: Path) -> None:
    known = entries(folder)
    weights_path("net", entries=known)
    (folder / "net.onnx").write_bytes(CONTENT[:-1] + b"?")
    with pytest.raises(WeightsError, match="damaged or of another version"):
        weights_path("net", entries=known)


def test_a_missing_file_says_where_to_get_it(folder: Path) -> None:
    (folder / "net.onnx").unlink()
    with pytest.raises(WeightsError, match=r"no net\.onnx in .*installing tinct again"):
        weights_path("net", entries=entries(folder))
    with pytest.raises(WeightsError, match="from https://example"):
        weights_path("net", entries=entries(folder, source="https://example.org/net.onnx"))


def test_an_unknown_name_lists_the_known_ones(folder: Path) -> None:
    with pytest.raises(WeightsError, match="the manifest has net"):
        weights_path("nets", entries=entries(folder))


@pytest.mark.parametrize(
    "changes", [{"sha256": "abc"}, {"sha256": "G" * 64}, {"file": "../net.onnx"}, {"unknown": 1}]
)
def test_a_manifest_that_is_wrong_is_refused(folder: Path, changes: dict) -> None:
    with pytest.raises(WeightsError):
        entries(folder, **changes)


def test_a_manifest_that_is_no_json_is_refused(tmp_path: Path) -> None:
    for text in ("{", "[]", '{"net": 3}'):
        (tmp_path / "manifest.json").write_text(text)
        with pytest.raises(WeightsError, match="not a manifest"):
            read_manifest(tmp_path / "manifest.json")


def test_weights_are_looked_for_in_the_named_folder_then_the_users_then_the_packages(
    tmp_path, monkeypatch
) -> None:
    monkeypatch.delenv("TINCT_WEIGHTS", raising=False)
    monkeypatch.setattr(weights, "_user_folder", lambda: tmp_path / "user")
    assert weights.weights_folder() == tmp_path / "user"
    assert not weights.installed("net")
    released = manifest()["tinct.match"]
    for name in ("user", "named"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "net.onnx").write_bytes(CONTENT)
        entries(tmp_path / name, training_data=name)
        assert manifest()["tinct.match"] == released
        assert weights.installed("net")
        assert manifest()["net"].training_data == name
        assert weights_path("net") == tmp_path / name / "net.onnx"
        monkeypatch.setenv("TINCT_WEIGHTS", str(tmp_path / "named"))


def test_a_name_of_no_folder_is_told_once_and_what_is_found_elsewhere_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TINCT_WEIGHTS", str(tmp_path))
    manifest()
    assert not caplog.messages  # a folder without a manifest is one to export to
    monkeypatch.setenv("TINCT_WEIGHTS", str(tmp_path / "nos"))
    assert weights.weights_folder() == tmp_path / "nos"
    assert not caplog.messages  # export makes it
    for _ in range(3):
        assert "tinct.match" in manifest()
    assert len(caplog.messages) == 1
    assert "nos, which is no folder" in caplog.text
    assert "\n" not in caplog.messages[0]


def test_a_typo_in_the_folders_name_is_one_line_on_standard_error(tmp_path: Path) -> None:
    environment = os.environ | {"TINCT_WEIGHTS": str(tmp_path / "nos")}
    code = "from tinct.cli import run; run(['methods'])"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("TINCT_WEIGHTS names ")


def test_a_folder_without_weights_is_told_from_a_package_that_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(WeightsError, match=r"^\S+ holds no exported weights .*`tinct export`\.$"):
        read_manifest(tmp_path / "nos" / "manifest.json")
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(WeightsError, match=r"not a manifest.*; export the run again"):
        read_manifest(tmp_path / "manifest.json")
    monkeypatch.setattr(weights, "_SHIPPED", tmp_path)
    with pytest.raises(WeightsError, match=r"not a manifest.*; install tinct again"):
        read_manifest(tmp_path / "manifest.json")


def test_a_manifest_is_read_anew_when_it_changes(folder: Path) -> None:
    entries(folder)
    assert manifest()["net"].training_data == "photographs"
    entries(folder, training_data="other photographs")
    os.utime(folder / "manifest.json", (1e9, 1e9))
    assert manifest()["net"].training_data == "other photographs"


def bytes_of(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir() if file.is_file())


def test_what_ships_fits_its_wheel() -> None:
    """Weights are compressed as good as not; PyPI takes files of 100 MB."""
    assert bytes_of(SHIPPED) < 39e6
    assert bytes_of(papers()) < 95e6


def test_every_released_file_is_there_and_is_itself() -> None:
    for name in manifest():
        assert weights_path(name).is_file()


def test_the_two_packages_share_no_name_and_each_has_what_its_manifest_names() -> None:
    base, others = (read_manifest(place / "manifest.json") for place in (SHIPPED, papers()))
    assert {name.partition(".")[0] for name in base} == {"tinct", "tinct-semantics", "descriptor"}
    assert not set(base) & set(others)
    for place, entries in ((SHIPPED, base), (papers(), others)):
        assert {file.name for file in place.glob("*.onnx")} == {entry.file for entry in entries.values()}


def test_every_released_method_finds_its_weights_in_the_two_packages() -> None:
    papers()
    assert not [name for name in METHODS if get_method(name).missing_weights()]


def test_without_the_papers_package_the_released_network_remains_and_the_others_say_how_to_get_them(
    monkeypatch, tmp_path, capsys
) -> None:
    monkeypatch.setenv("TINCT_WEIGHTS", str(tmp_path))
    monkeypatch.setattr(weights, "_user_folder", lambda: tmp_path)
    monkeypatch.setattr(weights, "papers_folder", lambda: None)
    monkeypatch.setattr(exported, "papers_folder", weights.papers_folder)
    assert set(manifest()) == set(read_manifest(SHIPPED / "manifest.json"))
    assert not get_method("tinct").missing_weights()
    with pytest.raises(
        WeightsError, match=r"'zhang2017' are not installed: pip install 'tinct\[papers\]', or train them"
    ):
        exported.exported_network("zhang2017")
    assert run(["methods"]) == 0
    *_, last = capsys.readouterr().out.splitlines()
    assert last.startswith("not installed: pip install 'tinct[papers]' (")
    assert "zhang2017-global" in last
    assert "gupta" not in last


WRONG = {
    "file": [None, 3, ["net.onnx"], {}],
    "sha256": [None, 7, ["0" * 64]],
    "license": [1, None],
    "training_data": [1.5, []],
    "score": [None, 3, [1], {"psnr": "high"}, {"psnr": float("nan")}],
    "network": [None, [], "wide"],
    "ranges": [
        None,
        [1],
        {"conv": "1"},
        {"conv": -1},
        {"conv": float("nan")},
        {"conv": float("inf")},
        {"conv": True},
    ],
    "steps": ["many", None, True, 1.5],
    "source": [None, 0],
    "command": [None, []],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_a_manifest_of_wrong_types_is_one_line(folder: Path, name: str, value: object) -> None:
    with pytest.raises(WeightsError) as error:
        entries(folder, **{name: value})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "[]", "3", '{"net": 3}', '{"net": {"colour": 1}}', '{"a": null}']
)
def test_a_manifest_that_is_something_else_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(WeightsError, match="not a manifest"):
        read_manifest(tmp_path / "manifest.json")
