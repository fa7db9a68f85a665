"""Leave out of an environment's packages what tinct's server never loads: `python trim.py SITE_PACKAGES`.

OpenVINO's plug-in for CPUs and its reader of ONNX files stay, and the codecs of imagecodecs that photographs may have.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

OPENVINO = ("auto", "hetero", "gguf", "intel_gpu", "intel_npu", "jax", "paddle", "pytorch", "tensorflow")
"""OpenVINO's plug-ins and readers (`openvino/libs/libopenvino_NAME*`) that are left out."""

CODECS = (
    "bz2|ccitt|cms|deflate|eer|imcd|jpeg2k|jpeg8|jpegsof3|jpegxl|lerc|ljpeg|lzma|pixarlog|png|shared|tiff|webp"
    "|zlib|zlibng|zstd"
)
"""Codecs of imagecodecs, as a pattern (`imagecodecs/_NAME.*.so`, with `_NAME_*` beside them) that stay."""


def trim(packages: Path) -> None:
    """Delete files below a `site-packages` folder.

    Raises:
        OSError: if a package that is to be trimmed is not there.
    """
    for name in ("tests", "include", "__pycache__"):
        for folder in sorted(packages.rglob(name), reverse=True):
            shutil.rmtree(folder)
    for folder in ("pip", "setuptools", "pkg_resources"):
        for found in packages.glob(f"{folder}*"):
            shutil.rmtree(found)
    openvino = packages / "openvino"
    (openvino / "libs" / "cache.json").unlink()  # of GPUs
    for name in OPENVINO:
        for found in openvino.glob(f"libs/libopenvino_{name}*"):
            found.unlink()
        shutil.rmtree(openvino / "frontend" / name, ignore_errors=True)
    _trim_codecs(packages / "imagecodecs", packages / "imagecodecs.libs")


def _trim_codecs(package: Path, libraries: Path) -> None:
    kept = re.compile(rf"_({CODECS})(_\w+)?\..*")
    modules = [each for each in package.iterdir() if each.suffix == ".so"]
    needed = set()
    for module in modules:
        if kept.fullmatch(module.name):
            listed = subprocess.run(["ldd", module], capture_output=True, text=True, check=True).stdout
            needed |= {Path(line).name for line in re.findall(r"=> (\S+)", listed)}
        else:
            module.unlink()
    for library in libraries.iterdir():
        if library.name not in needed:
            library.unlink()


if __name__ == "__main__":
    trim(Path(sys.argv[1]))
