"""Laws of files: whole or as they were, and one rule for where the cache is."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from tinct.files import cache_folder, read_array, read_arrays, sha256_of_file, write_whole
from tinct.weights import frozen


@pytest.mark.parametrize("content", ["two\nlines", b"two\nlines", lambda stream: stream.write(b"two\nlines")])
def test_a_file_is_written_with_its_folders(content, tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file.txt"
    write_whole(path, content)
    assert path.read_bytes() == b"two\nlines"
    assert list(path.parent.iterdir()) == [path]
    write_whole(path, "another")
    assert path.read_text() == "another"


def test_a_file_that_cannot_be_finished_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("before")

    def half(stream) -> None:
        stream.write(b"half")
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        write_whole(path, half)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_the_hash_is_that_of_the_bytes(tmp_path: Path) -> None:
    content = bytes(range(256)) * 9000
    (tmp_path / "file").write_bytes(content)
    assert sha256_of_file(tmp_path / "file") == hashlib.sha256(content).hexdigest()


def test_fetched_networks_are_kept_in_the_cache_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINCT_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
    assert frozen.frozen_folder() == tmp_path / "own" / "frozen"
    file = frozen.FROZEN["vgg19"].files[-1]
    place = tmp_path / "own" / "frozen" / file.name
    place.parent.mkdir(parents=True)
    place.write_bytes(b"not the network")
    monkeypatch.delenv("TINCT_FROZEN", raising=False)
    monkeypatch.delenv("TINCT_SHARED", raising=False)
    with pytest.raises(frozen.WeightsError, match="as published"):
        frozen.locate("vgg19")


@pytest.mark.parametrize("mapped", [False, True])
def test_arrays_are_read_as_they_were_saved_and_objects_never(tmp_path: Path, mapped: bool) -> None:
    values = np.arange(12).reshape(3, 4)
    np.save(tmp_path / "one.npy", values)
    np.savez(tmp_path / "more.npz", values=values)
    np.save(tmp_path / "object.npy", np.array([{}], object))
    assert np.array_equal(read_array(tmp_path / "one.npy", mapped=mapped), values)
    assert np.array_equal(read_arrays(tmp_path / "more.npz")["values"], values)
    whole = (tmp_path / "one.npy").read_bytes()
    for content in (b"", b"{}", b"PK\x03\x04", whole[:20], whole[:-1], (tmp_path / "more.npz").read_bytes()):
        (tmp_path / "damaged.npy").write_bytes(content)
        with pytest.raises(ValueError):  # noqa: PT011, each library says it its own way
            read_array(tmp_path / "damaged.npy", mapped=mapped)
    with pytest.raises(ValueError):  # noqa: PT011, each library says it its own way
        read_array(tmp_path / "object.npy", mapped=mapped)
    with pytest.raises(OSError, match="none"):
        read_array(tmp_path / "none.npy", mapped=mapped)
