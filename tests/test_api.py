"""Laws of the package: what is public, what importing costs, what it must not bring along."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import subprocess
import sys

import pytest

import tinct
from tinct.errors import TinctError


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_brings_nothing_heavy():
    heavy = "{'numpy', 'scipy', 'cv2', 'skimage', 'torch', 'openvino', 'PIL', 'tifffile', 'pyamg', 'typer'}"
    assert python(f"import sys, tinct; print(sorted({heavy} & set(sys.modules)))") == "[]"


def test_the_path_brings_neither_torch_nor_an_engine():
    code = (
        "import sys, numpy, tinct\n"
        "tinct.colorize(numpy.full((20, 20), 90, 'u1'), hints=[(3, 3, '#a33')], method='levin')\n"
        "print(sorted({'torch', 'openvino', 'matplotlib', 'fastapi'} & set(sys.modules)))"
    )
    assert python(code) == "[]"


def test_every_public_name_is_there_and_documented():
    assert 10 <= len(tinct.__all__) <= 20
    for name in tinct.__all__:
        value = getattr(tinct, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert inspect.getdoc(value), f"{name} has no docstring"
    assert set(tinct.__all__) <= set(dir(tinct))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="colourize"):
        _ = tinct.colourize


@pytest.mark.parametrize(
    "first", ["import tinct.colorizing.colorizer", "from tinct import Colorizer", "import tinct"]
)
def test_colorize_can_be_called_whatever_was_imported_first(first):
    call = "tinct.colorize(numpy.full((8, 9), 90, 'u1'), hints=[(3, 3, '#a33')], method='levin')"
    code = f"{first}\nimport numpy, tinct\nprint({call}.shape)"
    assert python(code) == "(8, 9, 3)"


def test_every_error_is_one_of_ours():
    from tinct import errors

    raised = [
        each for _, each in inspect.getmembers(errors, inspect.isclass) if each.__module__ == errors.__name__
    ]
    assert len(raised) > 10
    assert all(issubclass(each, TinctError) and inspect.getdoc(each) for each in raised)


def test_the_version_is_the_installed_one():
    from importlib.metadata import version

    assert version("tinct") == tinct.__version__


def test_every_public_function_of_the_path_says_what_it_does():
    path = ("colorizing.colorizer", "colorizing.rendering", "hints", "hints.placing", "hints.files")
    for module in (*path, "options", "demo"):
        loaded = importlib.import_module(f"tinct.{module}")
        members = [
            m for _, m in inspect.getmembers(loaded) if getattr(m, "__module__", "") == loaded.__name__
        ]
        public = [
            m
            for m in members
            if not m.__name__.startswith("_") and (inspect.isclass(m) or inspect.isfunction(m))
        ]
        assert all(inspect.getdoc(member) for member in public), module


def test_no_module_of_the_base_package_needs_an_extra():
    extras = "{'torch', 'fastapi', 'uvicorn', 'matplotlib', 'tensorboard', 'onnx', 'safetensors'}"
    base = ["tinct"]
    for package in ("tinct.color", "tinct.hints", "tinct.photo", "tinct.methods", "tinct.cli"):
        found = pkgutil.iter_modules(importlib.import_module(package).__path__)
        names = [module.name for module in found if not module.name.endswith("_torch")]
        base += [package, *(f"{package}.{name}" for name in names)]
    code = f"import sys, {', '.join(base)}; print(sorted({extras} & set(sys.modules)))"
    assert python(code) == "[]"
