"""From photographs and a config file to a trained network, and from its run to released files."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from tinct.errors import MissingExtraError, OptionError

try:
    import torch
except ImportError as missing:
    raise MissingExtraError(
        f"PyTorch cannot be imported ({missing}); networks are trained with it: pip install 'tinct[train]'."
    ) from None

from tinct.training.config import dataclass_from, read_config, shipped_configs
from tinct.training.labels import Labels, collect
from tinct.training.log import Tell, read_log, values_of
from tinct.training.loop import CHECKPOINT, Loop, LoopConfig, read_checkpoint
from tinct.training.photographs import Photographs, pack
from tinct.training.pool import Pool
from tinct.training.processes import join, rank_and_world, wait

TRAININGS = {
    "tinct": "tinct.networks.tinct.training:TinctTraining",
    "zhang2016": "tinct.networks.zhang2016.training:Zhang2016Training",
    "zhang2016-l2": "tinct.networks.zhang2016.training:RegressionTraining",
    "zhang2016-five-blocks": "tinct.networks.zhang2016.training:FiveBlocksTraining",
    "zhang2016-four-blocks": "tinct.networks.zhang2016.training:FourBlocksTraining",
    "zhang2017": "tinct.networks.zhang2017.training:Zhang2017Training",
    "zhang2017-global": "tinct.networks.zhang2017.training:GlobalHintsTraining",
    "scunet": "tinct.networks.scunet.training:ScunetTraining",
    "scunet-classregsoft": "tinct.networks.scunet.training:ClassRegSoftTraining",
    "scunet-regsoft": "tinct.networks.scunet.training:RegSoftTraining",
    "iizuka2016": "tinct.networks.iizuka2016.training:Iizuka2016Training",
    "larsson2016": "tinct.networks.larsson2016.training:Larsson2016Training",
    "xu2020-encoder": "tinct.networks.xu2020.training:EncoderTraining",
    "xu2020-transfer": "tinct.networks.xu2020.training:TransferTraining",
    "xu2020-colorization": "tinct.networks.xu2020.colorization_training:ColorizationTraining",
    "xu2020-lite": "tinct.networks.xu2020.lite_training:LiteTraining",
    "xu2020-lite-total": "tinct.networks.xu2020.lite_training:LiteTotalTraining",
}
"""Networks that can be trained, and the class that knows how."""

CONFIG_FILE = "config.toml"
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
        config: TOML with the tables [loop], [recipe], [network]; what is left out keeps its default. The bare name of
            one that ships will do. None is the run's own, or the one that ships for this network.
        labels: soft labels (`tinct.training.labels`) of the pool; None makes relatives from classes alone.
        device: "cpu" or "cuda"; None takes a GPU where one is.
        stop_after: seconds after which to checkpoint and return.
        workers: threads that decode photographs for packing.
        tell: is called with every line of the log.
    Raises:
        OptionError: if network, config or device is not a thing that can be had.
        PhotoError: if there is nothing to train on.
        TrainingError: if the loss is no longer a number.
    """
    kind, where = training_class(network), _device(device)
    join(where)
    if rank_and_world()[0] == 0:
        keep_config(network, out, config)
        pack_if_needed(data, out, workers)
    wait()
    tables = read_config(out / CONFIG_FILE)
    photographs = Photographs.load(data if is_packed(data) else out / "pool")
    known = Labels.load(labels, len(photographs.entries)) if labels else collect(photographs)
    pool = Pool.open(photographs, known, where)
    torch.manual_seed(0)
    training = kind.from_config(tables, pool)
    loop = Loop(training, pool, dataclass_from(LoopConfig, tables.get("loop", {}), "loop"), out, where, tell)
    held_out = torch.from_numpy(photographs.held_out().nonzero()[0]).to(where)
    if where.type == "cpu":
        held_out = held_out[:HELD_OUT_ON_CPU]
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
        out: a weights folder; None is `tinct.weights.own_folder()`, where methods find them.
        training_data: what was trained on, in a line, for the manifest.
    Returns:
        The files by their names in the manifest, and the safetensors file as "NAME for training".
    Raises:
        OptionError: if the folder holds no run, or one of a network that has no released form.
    """
    from safetensors.torch import save_file

    from tinct.networks.tinct.network import Tinct, TinctConfig
    from tinct.networks.tinct.training import bin_centers
    from tinct.networks.xu2020.export import RELEASED, release_xu2020, trained
    from tinct.training.export import Making, release
    from tinct.training.export_papers import release_paper
    from tinct.weights import own_folder

    out = own_folder() if out is None else out
    state = read_checkpoint(run / CHECKPOINT)
    network = read_config(run / CONFIG_FILE).get("network", {})
    name = str(state.get("network"))
    making = Making(training_data, last_scores(run), network, training_line(run, name), int(state["step"]))
    if name == "tinct":
        model: Any = Tinct(dataclass_from(TinctConfig, network, "network"))
        model.load_state_dict(state["averaged"])
        files = release(model, bin_centers(), out, making)
    elif name in RELEASED:
        model = trained(name, network, state["averaged"])
        files = release_xu2020(model, name, out, making)
    else:
        model = paper_network(name, network)
        model.load_state_dict(state["averaged"])
        files = release_paper(model, name, out, making)
    whole = {key: value.contiguous() for key, value in model.state_dict().items()}
    save_file(whole, run / f"{name}.safetensors")
    return files | {f"{name} for training": run / f"{name}.safetensors"}


def training_line(run: Path, name: str) -> str:
    """The command that trains such a run: as the head of its config states it, else the least that there is to it."""
    head = (line.lstrip("# ") for line in (run / CONFIG_FILE).read_text(encoding="utf-8").splitlines())
    stated = (line[line.index("tinct train") :] for line in head if f"tinct train {name} " in line)
    return next(stated, f"tinct train {name} --data PHOTOGRAPHS --out RUN")


def paper_network(name: str, numbers: Mapping[str, Any]) -> Any:
    """One of the papers' networks, with the numbers of a config's table [network].

    Raises:
        OptionError: if there is none of that name, or it has no released form of one graph.
    """
    kind = training_class(name)
    if not hasattr(kind, "kinds"):
        raise OptionError(f"{name} has no released form yet; export a run of another network.")
    network, config, _ = kind.kinds
    return network(dataclass_from(config, numbers, "network"))


def last_scores(run: Path) -> dict[str, float]:
    """The last validation of a run."""
    lines = read_log(run / "log.jsonl")
    return values_of(lines[-1]) if lines else {}


def training_class(network: str) -> Any:
    """The class that trains a network.

    Raises:
        OptionError: if there is none of that name.
    """
    if network not in TRAININGS:
        raise OptionError(f"no network {network!r} can be trained; choose one of {', '.join(TRAININGS)}.")
    module, name = TRAININGS[network].split(":")
    return getattr(import_module(module), name)


def keep_config(network: str, out: Path, config: Path | None) -> None:
    """Keep the config with the run, so that going on needs none and export knows the network's numbers.

    Raises:
        OptionError: if the run there is of a network with other numbers.
    """
    kept, shipped = out / CONFIG_FILE, shipped_configs()[network]
    if config is None and kept.exists():
        return
    source = _config_file(config) if config else shipped
    tables = read_config(source)
    if (out / CHECKPOINT).exists() and _network(tables) != _network(read_config(kept)):
        raise OptionError(
            f"the run in {out} has other numbers in [network]; give another folder for this one."
        )
    out.mkdir(parents=True, exist_ok=True)
    if source.resolve() != kept.resolve():
        shutil.copyfile(source, kept)


def _config_file(given: Path) -> Path:
    """A file, or where there is none of that name the config that ships by it."""
    return given if given.exists() else shipped_configs().get(str(given), given)


def pack_if_needed(data: Path, out: Path, workers: int) -> None:
    """Pack photographs under the run's folder, unless they are packed already."""
    if not is_packed(data):
        pack(data, out / "pool", workers=workers)


def is_packed(data: Path) -> bool:
    """True for a folder that `pack` wrote."""
    return (data / "entries.json").is_file()


def _network(tables: Mapping[str, Any]) -> Any:
    return tables.get("network", {})


def _device(name: str | None) -> torch.device:
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
