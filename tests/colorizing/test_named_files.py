"""Laws of the files that a batch names: lists in any Unicode encoding, and folders that cannot be listed or loop."""

from __future__ import annotations

import codecs
import os
from pathlib import Path

import pytest

from archive.archive_scene import write_photographs
from tinct.cli import run
from tinct.colorizing.batch import OutputRules, State, decide, plan
from tinct.colorizing.name_list import listed_names
from tinct.errors import OptionError

LIST = "scans/a b.png\r\nscans/Jérôme \u2028.png\r\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_files(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(b"")


def shut(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let a folder be one that this user may neither list nor look into, whoever the user is."""
    closed = os.path.realpath(name)

    def guarded(real):
        def called(path=".", *args, **options):
            whole = os.path.abspath(os.fsdecode(path))
            if whole == closed if real is scandir else whole.startswith(closed + os.sep):
                raise PermissionError(13, "Permission denied", path)
            return real(path, *args, **options)

        return called

    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", guarded(os.scandir))
    monkeypatch.setattr(os, "stat", guarded(os.stat))


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
    ],
)
@pytest.mark.parametrize("end", ["\r\n", "\n", "\0"])
def test_a_list_is_read_in_the_encoding_that_its_mark_says(mark: bytes, encoding: str, end: str) -> None:
    content = mark + LIST.replace("\r\n", end).encode(encoding)
    assert listed_names(content) == ["scans/a b.png", "scans/Jérôme \u2028.png"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("names", [LIST, ".\r\n"])
def test_a_list_in_utf_16_without_a_mark_is_refused(encoding: str, names: str) -> None:
    with pytest.raises(OptionError, match=r"UTF-16 without a byte order mark; save it as UTF-8\.$"):
        listed_names(names.encode(encoding))


def test_a_list_cut_within_a_letter_is_refused() -> None:
    with pytest.raises(OptionError, match=r"is no utf-16 \(truncated data\); save it as UTF-8\.$"):
        listed_names(codecs.BOM_UTF16_LE + b"a\0b")


def test_one_folder_ended_by_a_zero_byte_is_a_list() -> None:
    assert listed_names(b".\0") == ["."]
    assert listed_names(b"./a\0./b.png\0\0") == ["./a", "./b.png"]


def test_a_folder_that_cannot_be_listed_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files("scans/a.png", "scans/shut/b.png")
    shut(monkeypatch, "scans/shut")
    items = plan(["scans"], OutputRules(), recursive=True)
    reasons = {item.photo: (item.state, item.reason) for item in items}
    assert reasons["scans/a.png"] == (State.TO_DO, "")
    assert reasons["scans/shut"] == (
        State.REFUSED,
        "scans/shut cannot be listed (Permission denied); make it readable.",
    )
    (item,) = plan(["scans/shut"], OutputRules())
    assert item.reason == "scans/shut cannot be listed (Permission denied); make it readable."


@pytest.mark.parametrize("odd", ["shut/b.color.png", "shut/b.png", "n" * 300 + ".png"])
@pytest.mark.parametrize("tree", [False, True])
def test_a_name_that_cannot_be_looked_at_stops_no_other(
    folder: Path, monkeypatch: pytest.MonkeyPatch, odd: str, tree: bool
) -> None:
    write_files("a.png", "shut/b.png")
    shut(monkeypatch, "shut")
    rules = OutputRules(Path("out") if tree else None, keep_tree=tree, skip_existing=True)
    items = plan(["a.png", odd], rules)
    for item in items:
        decide(item, rules, several=True)
    assert [item.state for item in items] == [
        State.TO_DO,
        State.TO_DO,
    ]  # reading the odd one says what is wrong


def test_a_name_that_is_too_long_fails_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_photographs(folder, 1)
    long = "n" * 300 + ".png"
    assert run(["colorize", "p000.png", long, "--hint", "50%,50%=#aa2200", "--size", "32"]) == 2
    said = capsys.readouterr().err
    assert "File name too long" in said
    assert said.endswith("1 written, 1 failed.\n")


def test_a_tree_is_kept_below_links(folder: Path) -> None:
    write_files("one place/x.png", "other/deep/x.png")
    Path("album").mkdir()
    Path("album/one").symlink_to(folder / "one place")
    Path("album/two").symlink_to(folder / "other")
    rules = OutputRules(Path("o"), keep_tree=True)
    targets = [item.target for item in plan(["album/one", "album/two"], rules, recursive=True)]
    assert targets == ["o/one/x.color.png", "o/two/deep/x.color.png"]
    (item,) = plan(["album/two/"], rules, recursive=True)
    assert item.target == "o/deep/x.color.png"


def test_a_tree_is_counted_from_the_folder_that_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files("scans/a.png", "scans/deep/b.png", "c.png")
    Path("link").symlink_to(folder / "scans")
    rules = OutputRules(Path("/o"), keep_tree=True)
    monkeypatch.chdir(folder / "scans" / "deep")

    def targets(*named: str) -> list[str]:
        return [item.target for item in plan(named, rules, recursive=True)]

    assert targets("..") == ["/o/a.color.png", "/o/deep/b.color.png"]
    assert targets(".") == ["/o/b.color.png"]
    assert targets("b.png", str(folder / "link" / "a.png")) == ["/o/deep/b.color.png", "/o/a.color.png"]
    assert targets("../..") == ["/o/c.color.png", "/o/scans/a.color.png", "/o/scans/deep/b.color.png"]


def test_a_link_to_itself_is_refused_by_reading_it(folder: Path) -> None:
    write_files("a.png")
    Path("loop.png").symlink_to("loop.png")
    items = plan(["a.png", "loop.png"], OutputRules(Path("o"), keep_tree=True))
    assert [item.target for item in items] == ["o/a.color.png", "o/loop.color.png"]
