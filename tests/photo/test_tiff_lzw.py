"""TIFF in LZW: unpacked by libtiff, whatever the order of bits; a damaged stream is refused and does no harm."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from tinct.errors import PhotoError
from tinct.photo import Photo


def write_lzw(path: Path, codes: list[int]) -> None:
    """A gray TIFF of 16 x 16 whose only strip has these 9-bit codes."""
    bits = "".join(f"{code:09b}" for code in codes)
    strip = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")
    tifffile.imwrite(path, np.zeros((16, 16), np.uint8), compression="lzw")
    with tifffile.TiffFile(path) as tiff:
        tags = tiff.pages[0].tags
        place, count = tags[273].value[0], tags[279]
        count_at = count.valueoffset
    content = bytearray(path.read_bytes()[:place]) + strip
    content[count_at : count_at + 4] = len(strip).to_bytes(4, "little")
    path.write_bytes(content)


def test_codes_that_are_in_the_table_are_read(tmp_path: Path) -> None:
    write_lzw(tmp_path / "gray.tif", [256, 7, *[258 + n for n in range(21)], 7, 7, 7, 257])
    lab = Photo.read(tmp_path / "gray.tif").working_lab(16)
    assert np.ptp(lab[..., 0]) == 0


@pytest.mark.parametrize("code", [259, 300, 511])
def test_a_code_that_is_not_in_the_table_is_refused(tmp_path: Path, code: int) -> None:
    write_lzw(tmp_path / "gray.tif", [256, 7, code, code, 300, 258, 500, 257])
    with pytest.raises(PhotoError, match="damaged"):
        Photo.read(tmp_path / "gray.tif").working_lab(16)


def test_the_lowest_bit_may_be_the_first(tmp_path: Path) -> None:
    gray = np.add.outer(np.arange(40), np.arange(50)).astype(np.uint8)
    image = Image.fromarray(gray)
    image.save(tmp_path / "one.tif", compression="tiff_lzw")
    image.save(tmp_path / "two.tif", compression="tiff_lzw", tiffinfo={266: 2})
    assert tifffile.TiffFile(tmp_path / "two.tif").pages[0].fillorder == 2
    one, two = (Photo.read(tmp_path / name).working_lab(50) for name in ("one.tif", "two.tif"))
    assert np.array_equal(one, two)
    assert np.ptp(one[..., 0]) > 20
