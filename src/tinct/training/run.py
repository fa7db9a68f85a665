"""From a config file to a trained network."""

from __future__ import annotations

import math
import os
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import torch

from tinct.errors import OptionError
from tinct.networks.tinct import TinctConfig
from tinct.training.labels import Labels
from tinct.training.loop import Loop, LoopConfig
from tinct.training.photographs import pack
from tinct.training.sampling import Pool
from tinct.training.sheets import draw_sheet
from tinct.training.tinct import TinctRecipe, TinctTraining, own_prior
from tinct.training.validation import validate

CONFIGS = Path(__file__).parent / "configs"
T = TypeVar("T")


def train(
    data: Path,
    out: Path,
    config: Path = CONFIGS / "tinct.toml",
    labels: Path | None = None,
    device: str | None = None,
    stop_after: float = math.inf,
    workers: int = 2,
) -> Loop:
    """Train the released network, or go on with it.

    Args:
        data: a folder of photographs or an index CSV; packed once under `out`/pool.
        out: where pool, checkpoint, log and sheets go.
        config: TOML with the tables [loop], [recipe], [network]; what is left out keeps its default.
        labels: soft labels written by `tinct.training.labels`, or None.
        device: "cpu", "cuda"; None takes a GPU where one is.
        stop_after: seconds after which to checkpoint and return.
    """
    where = _device(device)
    tables = read_config(config)
    photographs = pack(data, out / "pool", workers=workers)
    pool = Pool.open(photographs, Labels.load(labels) if labels else None, where)
    centers = bin_centers().to(where)
    torch.manual_seed(0)
    training = TinctTraining(
        build(TinctRecipe, tables.get("recipe", {})),
        build(TinctConfig, tables.get("network", {})),
        centers,
        own_prior(pool, centers),
    )
    loop = Loop(training, pool, build(LoopConfig, tables.get("loop", {})), out, where)
    held_out = torch.from_numpy(photographs.held_out().nonzero()[0]).to(where)
    if where.type == "cpu":
        held_out = held_out[:64]
    loop.run(
        lambda model: validate(model, pool, held_out),
        lambda model, file: draw_sheet(model, pool, held_out, file),
        stop_after,
    )
    return loop


def read_config(file: Path) -> dict[str, dict[str, Any]]:
    """Read a TOML config.

    Raises:
        OptionError: if it is missing or not TOML.
    """
    try:
        return tomllib.loads(file.read_text())
    except FileNotFoundError:
        raise OptionError(f"no config {file}; the shipped ones are in {CONFIGS}.") from None
    except tomllib.TOMLDecodeError as error:
        raise OptionError(f"{file} is not TOML: {error}.") from None


def build(cls: type[T], table: dict[str, Any]) -> T:
    """A dataclass from a TOML table; lists become tuples.

    Raises:
        OptionError: if the table has a key that the dataclass has not.
    """
    known = {field.name for field in fields(cls)}  # type: ignore[arg-type]
    unknown = set(table) - known
    if unknown:
        raise OptionError(
            f"unknown key {sorted(unknown)} in the config; [{cls.__name__}] has {sorted(known)}."
        )
    return cls(**{name: _tuple(value) for name, value in table.items()})


def bin_centers() -> torch.Tensor:
    """The 313 ab bins, (313, 2)."""
    from tinct.color.bins import AB_BINS

    return torch.from_numpy(AB_BINS.copy()).float()


def _tuple(value: Any) -> Any:
    return tuple(_tuple(item) for item in value) if isinstance(value, list) else value


def _device(name: str | None) -> torch.device:
    if int(os.environ.get("WORLD_SIZE", 1)) > 1 and not torch.distributed.is_initialized():
        torch.distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    if name is None:
        name = f"cuda:{os.environ.get('LOCAL_RANK', 0)}" if torch.cuda.is_available() else "cpu"
    where = torch.device(name)
    if where.type == "cuda":
        torch.cuda.set_device(where)
        torch.backends.cudnn.benchmark = True
    return where
