"""From photographs and a config file to a trained network, and from its run to released files."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tinct.errors import OptionError, OutputError
from tinct.files import write_whole
from tinct.training.torch_extra import torch_missing

try:
    import torch
except ImportError as missing:
    raise torch_missing(missing) from None

from tinct.networks import CARDS
from tinct.networks.card import Card, named
from tinct.networks.graph import Release
from tinct.tables import dataclass_from
from tinct.training.checkpoint import CHECKPOINT, read_checkpoint
from tinct.training.config import read_config, shipped_configs
from tinct.training.labels import UNLABELED, Labels, collect
from tinct.training.log import Tell, read_log, values_of
from tinct.training.loop import Loop, LoopConfig
from tinct.training.photographs import Photographs, pack
from tinct.training.pool import Pool
from tinct.training.processes import join, rank_and_world, wait
from tinct.training.training import Training
from tinct.training.traits import check_traits, with_traits

TRAININGS: dict[str, Card] = {name: card for name, card in CARDS.items() if card.training}
"""The cards of the networks that can be trained, by name."""

CONFIG_FILE = "config.toml"
"""Name of the config in a run's folder."""

HELD_OUT_ON_CPU = 32
"""Most photographs that are validated on a CPU, where 300 would take minutes."""


def train(
    network: str,
    data: Path,
    out: Path,
    config: Path | None = None,
    labels: Path | None = None,
    device: str | None = None,
    stop_after: float = math.inf,
    workers: int = 2,
    tell: Tell | None = None,
) -> Loop:
    """Train a network, or go on with it.

    Args:
        network: one of `TRAININGS`.
        data: a folder of photographs, an index CSV, or a folder that `pack` wrote; photographs are packed once,
            under `out`/pool.
        out: where pool, checkpoint, log and sheets go; a run that is there already is gone on with.
        config: TOML with the tables [loop], [recipe], [network]; what is left out keeps its default, or what makes the
            network what its name says. The bare name of one that ships will do. None is the run's own, or the one that
            ships for this network.
        labels: soft labels (`tinct.training.labels`) of the pool; None makes relatives from classes alone.
        device: "cpu" or "cuda"; None takes a GPU where one is.
        stop_after: seconds from the first step on after which to checkpoint and return.
        workers: threads that decode photographs for packing.
        tell: is called with every line of the log, and with those of `tinct.training.preparing` before the first step.
    Raises:
        OptionError: if network, config or device is not a thing that can be had, or `stop_after` is below 0.
        PhotoError: if there is nothing to train on.
        TrainingError: if the loss is no longer a number.
    """
    _card(network)
    if not stop_after >= 0:
        raise OptionError(f"stop_after is {stop_after}; give seconds, 0 or more.")
    where = _device(device)
    join(where)
    if rank_and_world()[0] == 0:
        keep_config(network, out, config)
        pack_if_needed(data, out, workers)
    wait()
    tables = read_config(out / CONFIG_FILE)
    photographs = Photographs.load(data if is_packed(data) else out / "pool")
    pool = _open_pool(photographs, labels, where)
    torch.manual_seed(0)
    training = open_training(network, tables, pool, tell if rank_and_world()[0] == 0 else None)
    loop = Loop(training, pool, dataclass_from(LoopConfig, tables.get("loop", {}), "loop"), out, where, tell)
    held_out = _validated(photographs, where)
    if len(held_out) == 0:
        loop.run(stop_after=stop_after)
    else:
        loop.run(
            lambda model: training.validate(model, pool, held_out),
            lambda model, file: training.draw(model, pool, held_out, file),
            stop_after,
        )
    return loop


def export_run(run: Path, out: Path | None, training_data: str) -> dict[str, Path]:
    """Write the averaged weights of a run as released files with their manifest, and as safetensors beside the run.

    Args:
        run: the folder that `train` wrote; it gets NAME.safetensors, all of the network's state.
        out: a weights folder; None is `tinct.weights.weights_folder()`, where methods find them.
        training_data: what was trained on, in a line, for the manifest.
    Returns:
        The files by their names in the manifest, and the safetensors file as "NAME for training".
    Raises:
        OptionError: if the folder holds no run, or one of a network that has no released form.
    """
    from safetensors.torch import save_file

    from tinct.training.export import Making, release, trained
    from tinct.weights import weights_folder

    out = weights_folder() if out is None else out
    state = read_checkpoint(run / CHECKPOINT, "cpu", "network", "averaged", "step")
    name = state["network"]
    form = release_of(name)
    network = _network(with_traits(name, read_config(run / CONFIG_FILE)))
    making = Making(training_data, last_scores(run), network, training_line(run, name), int(state["step"]))
    model = trained(form, network, state["averaged"])
    whole = {key: value.contiguous() for key, value in model.state_dict().items()}
    files = release(form.graphs(model), form.name or name, out, making)
    save_file(whole, run / f"{name}.safetensors")
    return files | {f"{name} for training": run / f"{name}.safetensors"}


def release_of(network: str) -> Release:
    """How a trained network becomes files.

    Raises:
        OptionError: if there is no network of that name, or its runs are not released by themselves.
    """
    if not (card := _card(network)).release:
        raise OptionError(f"{network} has no released form; export a run of another network.")
    found: Release = named(card.release)
    return found


def training_line(run: Path, name: str) -> str:
    """The command that trains such a run: as stated at the head of its config, else with the required options alone."""
    head = (line.lstrip("# ") for line in (run / CONFIG_FILE).read_text(encoding="utf-8").splitlines())
    stated = (line[line.index("tinct train") :] for line in head if f"tinct train {name} " in line)
    return next(stated, f"tinct train {name} --data PHOTOGRAPHS --out RUN")


def last_scores(run: Path) -> dict[str, float]:
    """The last validation of a run."""
    lines = read_log(run / "log.jsonl")
    return values_of(lines[-1]) if lines else {}


def open_training(
    network: str, tables: Mapping[str, Mapping[str, Any]], pool: Pool, tell: Tell | None = None
) -> Training:
    """The training of a network, from the tables of a config.

    Args:
        network: one of `TRAININGS`.
        tables: of the config.
        pool: what to train on.
        tell: see `Training`.
    Raises:
        OptionError: if there is no network of that name, a table has an unknown key or makes another network of it, or
            labels are of other classes.
    """
    card = _card(network)
    tables = with_traits(network, tables)
    check_traits(network, tables)
    training: Training = named(card.training).from_config(tables, pool, tell)
    training.name = network
    _check_labels(training.network, pool)
    return training


def _check_labels(network: Any, pool: Pool) -> None:
    """Refuse labels of other classes than a network's branches have.

    Raises:
        OptionError: if a branch is of another size than the labels, or has fewer classes.
    """
    for name in ("scenes", "objects"):
        labels, size = getattr(pool, name), getattr(network, name, None)
        if labels is not None and size is not None and labels.shape[1] != size:
            raise OptionError(
                f"{name} in [network] is {size}, and the labels have {labels.shape[1]}; write {labels.shape[1]}."
            )
    size = getattr(network, "segments", None)
    if pool.segments is not None and size is not None:
        most = int(pool.segments.masked_fill(pool.segments == UNLABELED, 0).max())
        if most >= size:
            raise OptionError(
                f"segments in [network] is {size}, and the labels go to {most}; write {most + 1}."
            )


def _card(network: str) -> Card:
    if network not in TRAININGS:
        raise OptionError(f"no network {network!r} can be trained; choose one of {', '.join(TRAININGS)}.")
    return TRAININGS[network]


def keep_config(network: str, out: Path, config: Path | None) -> None:
    """Keep the config with the run, so that going on needs none and export knows the network's numbers.

    Raises:
        OptionError: if the config has what the network cannot take, which is said before photographs are packed, or
            the run there is of a network with other numbers.
        OutputError: if the folder cannot be written.
    """
    kept, shipped = out / CONFIG_FILE, shipped_configs()[network]
    source = _config_file(config) if config else kept if kept.exists() else shipped
    tables = with_traits(network, read_config(source))
    check_tables(network, tables, source)
    there = kept.exists() and (out / CHECKPOINT).exists()
    if there and _network(tables) != _network(with_traits(network, read_config(kept))):
        raise OptionError(
            f"the run in {out} has other numbers in [network]; give another folder for this one."
        )
    if source.resolve() != kept.resolve():
        try:
            write_whole(kept, source.read_bytes())
        except OSError as error:
            raise OutputError(
                f"{kept} cannot be written ({error.strerror}); give another folder with --out."
            ) from None


def check_tables(network: str, tables: Mapping[str, Mapping[str, Any]], file: Path) -> None:
    """Refuse a config that a network's training cannot take.

    Args:
        network: one of `TRAININGS`.
        tables: of the config.
        file: the config, for the error.
    Raises:
        OptionError: if a table has an unknown key, or a value of another type or out of its range, or makes another
            network of it than its name says.
    """
    _, numbers, recipe = named(_card(network).training).kinds
    try:
        for name, kind in {"loop": LoopConfig, "recipe": recipe, "network": numbers}.items():
            dataclass_from(kind, tables.get(name, {}), name)
        check_traits(network, with_traits(network, tables))
    except OptionError as error:
        raise OptionError(f"{file}: {error}") from None


def _config_file(given: Path) -> Path:
    """A file, or where there is none of that name the config that ships by it."""
    return given if given.is_file() else shipped_configs().get(str(given), given)


def pack_if_needed(data: Path, out: Path, workers: int) -> None:
    """Pack photographs under the run's folder, unless they are packed already."""
    if not is_packed(data):
        pack(data, out / "pool", workers=workers)


def is_packed(data: Path) -> bool:
    """True for a folder that `pack` wrote."""
    return (data / "entries.json").is_file()


def _network(tables: Mapping[str, Any]) -> Any:
    return tables.get("network", {})


def _open_pool(photographs: Photographs, labels: Path | None, where: torch.device) -> Pool:
    """A pool with its labels, or with those that classes alone give."""
    known = Labels.load(labels, len(photographs.entries)) if labels else collect(photographs)
    return Pool.open(photographs, known, where)


def _validated(photographs: Photographs, where: torch.device) -> torch.Tensor:
    """Numbers of the held-out photographs that are validated: on a CPU, some of them."""
    held_out = torch.from_numpy(photographs.held_out().nonzero()[0]).to(where)
    return held_out[:HELD_OUT_ON_CPU] if where.type == "cpu" else held_out


def _device(name: str | None) -> torch.device:
    """The device to train on; of several GPUs, each process has its own.

    Args:
        name: "cpu" or "cuda"; None takes a GPU where one is.
    Raises:
        OptionError: if the name is another, or there is no GPU.
    """
    if name is None:
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name not in ("cpu", "cuda"):
        raise OptionError(f"device is {name!r}; cpu or cuda is wanted.")
    if name == "cpu":
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise OptionError("device is cuda, but PyTorch sees no GPU; use device cpu.")
    where = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
    torch.cuda.set_device(where)
    torch.backends.cudnn.benchmark = True
    return where
