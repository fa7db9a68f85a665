"""Laws of a TIFF's pages: all are counted, and a file that lost some, or has too many to read, is not read as whole."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pytest
import tifffile

from tinct.errors import PhotoError
from tinct.photo import Photo, tiff_reading


def pages(count: int, **options: Any) -> bytes:
    """A file of so many pages, each a single tone: 0, 1, 2, ..."""
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream, **options) as writer:
        for tone in range(count):
            array = np.full((8, 8), tone, np.uint8)
            writer.write(array, photometric="minisblack", contiguous=False, metadata=None)
    return stream.getvalue()


def place_of_next(data: bytes, page: int) -> int:
    """Where the directory of a page, from 0, says where the next one is."""
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        offset = file.pages[page].offset
        return offset + 2 + 12 * len(file.pages[page].tags)


def directed(data: bytes, page: int, target: int) -> bytes:
    """A file in which a page's directory names another place as that of the next one."""
    changed = bytearray(data)
    struct.pack_into("<I", changed, place_of_next(data, page), target)
    return bytes(changed)


@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_a_file_that_was_cut_short_never_has_fewer_pages_without_a_word(
    bigtiff: bool, byteorder: str
) -> None:
    data = pages(4, bigtiff=bigtiff, byteorder=byteorder)
    refused = 0
    for end in range(16, len(data), 3):
        try:
            photo = Photo.read(data[:end])
        except PhotoError:
            refused += 1
            continue
        assert photo.pages == 4 or "pages are missing" in photo.notes[0], end
    assert refused > len(data) // 6


@pytest.mark.parametrize("page", [None, 1, 2])
def test_a_list_of_pages_that_breaks_off_is_refused(page: int | None) -> None:
    data = pages(3)
    zeros = data + bytes(64)
    for broken in (directed(data, 1, len(data) + 1000), directed(zeros, 1, len(data) + 8)):
        with pytest.raises(PhotoError, match="the list of its pages breaks off; it is damaged or incomplete"):
            Photo.read(broken, page=page)


def test_a_single_page_that_names_another_in_vain_is_read_and_told() -> None:
    data = pages(1)
    for broken in (directed(data, 0, len(data) + 1000), directed(data + bytes(64), 0, len(data) + 8)):
        photo = Photo.read(broken)
        assert photo.pages == 1
        assert "names a second page, which is not there" in photo.notes[0]


@pytest.mark.parametrize("next_offset", [1, 10, 2000, 50_001])
def test_a_number_that_points_into_the_only_page_is_no_further_page(next_offset: int) -> None:
    stream = io.BytesIO()
    tifffile.imwrite(stream, np.full((300, 400), 5, np.uint8), photometric="minisblack", metadata=None)
    photo = Photo.read(directed(stream.getvalue(), 0, next_offset))
    assert photo.pages == 1
    assert "names a second page, which is not there" in photo.notes[0]


def test_a_list_of_pages_that_leads_back_is_told() -> None:
    data = pages(3)
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        first = file.pages[0].offset
    photo = Photo.read(directed(data, 2, first), page=3)
    assert (photo.pages, int(photo.to_array()[0, 0])) == (3, 2)
    assert "leads back" in photo.notes[0]


def test_a_whole_picture_that_a_thumbnail_names_in_vain_is_not_replaced_by_it() -> None:
    """Cameras put the thumbnail first and name the picture in tag 330."""
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        small, whole = np.full((4, 4), 50, np.uint8), np.full((16, 16), 200, np.uint8)
        options: dict[str, Any] = {"photometric": "minisblack", "metadata": None}
        writer.write(small, subfiletype=1, subifds=1, **options)
        writer.write(whole, **options)
    data = stream.getvalue()
    assert int(Photo.read(data).to_array()[0, 0]) == 200
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        offset = file.pages[0].pages[0].offset  # type: ignore[index]
    with pytest.raises(PhotoError, match="breaks off"):
        Photo.read(data[: offset + 20])


@pytest.mark.parametrize("page", [None, 4, 7])
def test_more_pages_than_are_read_are_refused_and_not_miscounted(
    page: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiff_reading, "_MOST_PAGES", 5)
    assert Photo.read(pages(5)).pages == 5
    with pytest.raises(PhotoError, match="more than 5 pages") as caught:
        Photo.read(pages(6), page=page)
    assert "it has 5 pages" not in str(caught.value)
