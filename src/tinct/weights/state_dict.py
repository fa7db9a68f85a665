"""Reading a PyTorch state dict (`.pth`) without PyTorch, and without running what a pickle may hold.

The frozen networks of the field's metrics are published as pickles. The base install has no torch, and a pickle can
call any function. This module reads both layouts that `torch.save` has written (the stream before version 1.6, the zip
since) with an unpickler that accepts tensors, their storages and ordered dicts, and refuses every other name.
"""

from __future__ import annotations

import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import DTypeLike, NDArray

from tinct.errors import WeightsError
from tinct.files import read_arrays

StateDict = dict[str, NDArray[Any]]

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
"""The number that opens a stream written by torch.save before version 1.6."""
LEGACY_PROTOCOL = 1001
"""The protocol number that follows LEGACY_MAGIC."""

STORAGES: dict[str, DTypeLike] = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ByteStorage": "|u1",
}
"""NumPy's types of torch's storages, by name."""

Loader = Callable[[DTypeLike, str, int], NDArray[Any]]


def read_state_dict(path: Path) -> StateDict:
    """Read the tensors of a `.pth` or `.npz` file by name.

    Args:
        path: a state dict as `torch.save` writes it (either layout), or a NumPy archive of the same names.
    Returns:
        Arrays by their names in the network; floats as float32.
    Raises:
        WeightsError: if the file is missing, is damaged, or holds anything but tensors.
    """
    try:
        if path.suffix == ".npz":
            state = read_arrays(path)
        elif zipfile.is_zipfile(path):
            state = _read_zip(path)
        else:
            with path.open("rb") as stream:
                state = _read_legacy(stream)
    except (OSError, EOFError, ValueError, KeyError, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{path.name} is not a readable state dict ({error}); fetch it again.") from error
    return {name: _as_float32(array) for name, array in state.items()}


def _as_float32(array: NDArray[Any]) -> NDArray[Any]:
    return np.array(array, np.float32 if array.dtype.kind == "f" else array.dtype, order="C")


class _TensorUnpickler(pickle.Unpickler):
    """Knows tensors, storages and ordered dicts; refuses everything else."""

    def __init__(self, stream: BinaryIO, load_storage: Loader) -> None:
        super().__init__(stream)
        self._load_storage = load_storage

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch._utils" and name in ("_rebuild_tensor", "_rebuild_tensor_v2"):
            return _rebuild_tensor
        if module == "torch._utils" and name == "_rebuild_parameter":
            return _rebuild_parameter
        if module == "torch" and name in STORAGES:
            return np.dtype(STORAGES[name])
        raise pickle.UnpicklingError(f"it names {module}.{name}, which is no tensor")

    def persistent_load(self, pid: Any) -> NDArray[Any]:
        kind, dtype, key, _device, count = pid[:5]
        if kind != "storage":
            raise pickle.UnpicklingError(f"it refers to a {kind}, which is no storage")
        return self._load_storage(dtype, str(key), int(count))


def _rebuild_tensor(
    storage: NDArray[Any], offset: int, shape: Sequence[int], strides: Sequence[int], *_ignored: Any
) -> NDArray[Any]:
    """Lay a tensor over its storage: a view, because legacy storages are filled after tensors are made."""
    last = offset + sum((n - 1) * s for n, s in zip(shape, strides, strict=True))
    if 0 in shape:
        return np.empty(shape, storage.dtype)
    if offset < 0 or min(strides, default=0) < 0 or last >= storage.size:
        raise ValueError("a tensor reaches outside its storage")
    step = storage.dtype.itemsize
    return np.lib.stride_tricks.as_strided(storage[offset:], shape, [s * step for s in strides])


def _rebuild_parameter(tensor: NDArray[Any], *_ignored: Any) -> NDArray[Any]:
    return tensor


def _tensors(unpickled: Any) -> StateDict:
    if not isinstance(unpickled, dict):
        raise ValueError(f"it holds a {type(unpickled).__name__}, not a state dict")
    return {str(name): tensor for name, tensor in unpickled.items() if isinstance(tensor, np.ndarray)}


def _read_zip(path: Path) -> StateDict:
    with zipfile.ZipFile(path) as archive:
        index = next((name for name in archive.namelist() if name.endswith("/data.pkl")), None)
        if index is None:
            raise ValueError("it has no data.pkl")
        folder = index.removesuffix("data.pkl")

        def load(dtype: DTypeLike, key: str, count: int) -> NDArray[Any]:
            return np.frombuffer(archive.read(f"{folder}data/{key}"), dtype, count)

        with archive.open(index) as stream:
            return _tensors(_TensorUnpickler(stream, load).load())  # type: ignore[arg-type]


def _read_legacy(stream: BinaryIO) -> StateDict:
    """Three small pickles, the objects, the keys of the storages, then each storage's length and numbers."""
    storages: dict[str, NDArray[Any]] = {}
    limit = stream.seek(0, 2)
    stream.seek(0)

    def load(dtype: DTypeLike, key: str, count: int) -> NDArray[Any]:
        if not 0 <= count * np.dtype(dtype).itemsize <= limit:
            raise ValueError("a storage is longer than the file")
        return storages.setdefault(key, np.zeros(count, dtype))

    def next_pickle() -> Any:
        return _TensorUnpickler(stream, load).load()

    if next_pickle() != LEGACY_MAGIC or next_pickle() != LEGACY_PROTOCOL:
        raise ValueError("its first bytes are not those of torch.save")
    next_pickle()  # the writer's byte order and type sizes; storages are little-endian everywhere
    state = next_pickle()
    for key in next_pickle():
        _fill(storages[str(key)], stream)
    return _tensors(state)


def _fill(storage: NDArray[Any], stream: BinaryIO) -> None:
    count = int.from_bytes(stream.read(8), "little")
    data = stream.read(storage.nbytes)
    if count != storage.size or len(data) != storage.nbytes:
        raise ValueError("it ends early")
    storage[:] = np.frombuffer(data, storage.dtype)
