"""Laws of the loop: resumed runs, several processes, averages, logs, what the command line says."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch: pip install 'tinct[train]'")

import training_photographs as made
from tinct import cli
from tinct.errors import OptionError, PhotoError, TrainingError, WeightsError
from tinct.networks.layers.outputs import bin_centers
from tinct.networks.tinct.network import Tinct, TinctConfig
from tinct.networks.tinct.training.batch import answer, answer_from, draw_batch
from tinct.networks.tinct.training.recipe import TinctRecipe
from tinct.networks.tinct.training.start import (
    Distilled,
    FromRun,
    KeptAnswers,
    Mimicry,
    Released,
    ReleasedEncoder,
    Start,
)
from tinct.networks.tinct.training.training import TinctTraining
from tinct.tables import dataclass_from
from tinct.training import losses
from tinct.training.averaged import Averaged
from tinct.training.checkpoint import PARTS
from tinct.training.config import read_config, shipped_configs
from tinct.training.export import Making, release
from tinct.training.labels import Labels, collect
from tinct.training.log import RunLog, read_log
from tinct.training.loop import Loop, LoopConfig
from tinct.training.pool import RELATED, UNRELATED, Pool
from tinct.training.run import TRAININGS, check_tables, open_training, train
from tinct.training.starting import start_from
from tinct.weights import weights_path

CPU = torch.device("cpu")
NETWORK = {
    "encoder": [8, 8, 16, 16, 64],
    "blocks": [1, 1, 1, 1, 1],
    "decoder": [8, 8, 8, 8],
    "heads": 2,
    "key": 8,
    "backbone": "",
    "scenes": 3,
    "objects": 3,
    "segments": 3,
}
TABLES = {"network": {k: tuple(v) if isinstance(v, list) else v for k, v in NETWORK.items()}}
SHORT = LoopConfig(sizes=((0.5, 32), (1.0, 64)), batch=4, steps=6, log_every=2, rate=1e-3)
TOML = """
[loop]
sizes = [[1.0, 32]]
batch = 4
steps = 4
log_every = 2
[recipe]
most_hints = 8
[network]
""" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in NETWORK.items())


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def loop_in(out: Path, config: LoopConfig = SHORT) -> Loop:
    pool = small_pool()
    return Loop(training(), pool, config, out, CPU)


@cache
def small_pool() -> Pool:
    photographs = made.photographs(16)
    return Pool.open(photographs, collect(photographs), CPU)


@cache
def training() -> TinctTraining:
    recipe, network = TinctRecipe(most_hints=16), dataclass_from(TinctConfig, TABLES["network"], "network")
    torch.manual_seed(0)
    return TinctTraining(recipe, network, small_pool())


def assert_same_state(first: dict, second: dict) -> None:
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


def test_a_resumed_run_is_the_run_that_never_stopped(tmp_path: Path) -> None:
    whole = loop_in(tmp_path / "whole")
    whole.run()
    for _ in range(3):
        part = loop_in(tmp_path / "parts")
        part.one_step()
        part.one_step()
        part.save()
    resumed = loop_in(tmp_path / "parts")
    assert resumed.step == whole.step == 6
    assert_same_state(whole.model.state_dict(), resumed.model.state_dict())
    assert_same_state(whole.averaged.state, resumed.averaged.state)
    resumed.run()  # is at its end already
    assert resumed.step == 6


def test_training_learns(tmp_path: Path) -> None:
    loop = loop_in(tmp_path, LoopConfig(sizes=((1.0, 32),), batch=4, steps=40, log_every=10, rate=3e-3))
    loop.run()
    lines = read_log(tmp_path / "log.jsonl", "training")
    total = [sum(v for k, v in line.items() if k in ("huber", "match")) for line in lines]
    assert total[-1] < 0.9 * total[0]


def test_two_processes_give_the_gradients_of_one(tmp_path: Path) -> None:
    """One process that works its batch off in two parts sees what two processes see."""
    alone = loop_in(tmp_path / "alone", LoopConfig(sizes=((1.0, 32),), batch=8, accumulate=2))
    alone.gradients()
    wanted = {name: p.grad for name, p in alone.model.named_parameters() if p.grad is not None}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = (
        "import sys, torch; from pathlib import Path; import test_training_loop as t\n"
        "from tinct.training.processes import join\n"
        "torch.set_num_threads(1); join(t.CPU); out = Path(sys.argv[1])\n"
        "loop = t.loop_in(out, t.LoopConfig(sizes=((1.0, 32),), batch=8)); loop.gradients()\n"
        "found = {n: p.grad for n, p in loop.model.named_parameters() if p.grad is not None}\n"
        "torch.save(found, out / f'{loop.rank}.pt')\n"
    )
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    (tmp_path / "both").mkdir()
    here = os.pathsep.join([*map(str, Path(__file__).parents[:2]), os.environ.get("PYTHONPATH", "")])
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "both")],
            env={**os.environ, **shared, "RANK": str(rank), "PYTHONPATH": here},
        )
        for rank in range(2)
    ]
    assert [run.wait(120) for run in runs] == [0, 0]
    for rank in range(2):
        found = torch.load(tmp_path / "both" / f"{rank}.pt", weights_only=True)
        assert wanted.keys() <= found.keys()
        for name, gradient in found.items():
            expected = wanted.get(name, torch.zeros_like(gradient))
            assert torch.allclose(gradient, expected, rtol=1e-4, atol=1e-6), name


def test_the_average_forgets_at_the_stated_pace() -> None:
    model = torch.nn.Linear(1, 1, bias=False)
    model.weight.data.fill_(0.0)
    averaged = Averaged(model, 0.5)
    wanted = 0.0
    for step in range(1, 9):
        model.weight.data.fill_(float(step))
        averaged.update(model)
        keep = min(0.5, (1 + step) / (10 + step))
        wanted = keep * wanted + (1 - keep) * step
        assert np.isclose(float(averaged.state["weight"]), wanted)


def test_what_came_after_the_checkpoint_is_taken_out_of_the_log(tmp_path: Path) -> None:
    log = RunLog(tmp_path)
    for step in (1, 2, 3):
        log.write("training", step, step / 2, {"loss": 1 / step})
    with (tmp_path / "log.jsonl").open("a") as stream:
        stream.write('{"kind": "training", "st')  # cut short
    told: list = []
    RunLog(tmp_path, 2, told.append).write("training", 3, 9.0, {"loss": 0.25})
    lines = read_log(tmp_path / "log.jsonl", "training")
    assert [(line["step"], line["loss"]) for line in lines] == [(1, 1.0), (2, 0.5), (3, 0.25)]
    assert told == lines[-1:]


def test_a_line_of_the_log_that_was_cut_short_is_passed_over(tmp_path: Path) -> None:
    RunLog(tmp_path).write("validation", 1, 0.5, {"psnr": 24.0})
    with (tmp_path / "log.jsonl").open("ab") as stream:
        stream.write(b'3\n[]\n{"step": 2}\n\xff\xfe\n{"kind": "validation", "st')
    assert [line["psnr"] for line in read_log(tmp_path / "log.jsonl")] == [24.0]


def test_a_pool_of_which_nothing_can_be_drawn_is_refused() -> None:
    with pytest.raises(PhotoError, match="no photograph can be drawn"):
        Pool.open(made.photographs(4, dict.fromkeys(range(4), 0.0)), None, CPU)


def test_labels_of_other_classes_than_the_networks_are_refused() -> None:
    photographs = made.photographs(4)
    for name, shape, wrong in (("scenes", (4, 365), 205), ("objects", (4, 1001), 1000)):
        pool = Pool.open(photographs, Labels(**{name: np.zeros(shape, np.float16)}), CPU)
        with pytest.raises(
            OptionError, match=rf"{name} in \[network\] is {wrong}, and the labels have {shape[1]}"
        ):
            open_training("tinct", {"network": NETWORK | {name: wrong}}, pool)
    segments = np.full((4, 64, 64), 255, np.uint8)
    segments[1, 2, 3] = 31
    pool = Pool.open(photographs, Labels(segments=segments), CPU)
    with pytest.raises(
        OptionError, match=r"segments in \[network\] is 31, and the labels go to 31; write 32"
    ):
        open_training("tinct", {"network": NETWORK | {"segments": 31}}, pool)
    assert open_training("tinct", {"network": NETWORK | {"segments": 32}}, pool).network.segments == 32


def test_tensorboard_is_a_convenience(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    RunLog(tmp_path).write("validation", 5, 1.0, {"hints0": 24.0})
    assert read_log(tmp_path / "log.jsonl")[0]["hints0"] == 24.0
    assert not (tmp_path / "tensorboard").exists()


def test_a_loss_that_is_no_number_ends_the_run_and_leaves_the_checkpoint(tmp_path: Path) -> None:
    loop = loop_in(tmp_path)
    loop.save()
    before = (tmp_path / "checkpoint.pt").read_bytes()
    with torch.no_grad():
        next(loop.model.parameters()).fill_(float("nan"))
    with pytest.raises(TrainingError, match="no number at step 2"):
        loop.run()
    assert (tmp_path / "checkpoint.pt").read_bytes() == before


def test_the_rate_falls_along_a_cosine_or_in_steps(tmp_path: Path) -> None:
    def rates(name: str, **numbers: object) -> list[float]:
        config = LoopConfig(((1.0, 32),), 4, steps=10, rate=1e-3, warmup=0.0, decay=0.5, **numbers)  # type: ignore[arg-type]
        loop, found = loop_in(tmp_path / name, config), []
        step = loop.optimizer.step
        loop.optimizer.step = lambda: (found.append(1e3 * loop.optimizer.param_groups[0]["lr"]), step())
        loop.run()
        return found

    in_steps = rates("steps", falls=((0.3, 0.1), (0.8, 0.5)))
    assert in_steps == pytest.approx([1.0] * 3 + [0.1] * 5 + [0.05] * 2)
    cosine = rates("cosine")
    assert cosine[:5] == pytest.approx([1.0] * 5)
    assert all(after < before for before, after in pairwise(cosine[5:]))


def test_settings_that_cannot_be_are_refused(tmp_path: Path) -> None:
    for wrong in (
        *({"batch": 0}, {"ema": 1.0}, {"sizes": ((1.0, 100),)}, {"sizes": ()}, {"rate": -1.0}),
        *({"falls": ((1.2, 0.1),)}, {"falls": ((0.5, 0.0),)}, {"falls": ((0.5,),)}),
    ):
        with pytest.raises(OptionError):
            LoopConfig(**wrong)
    with pytest.raises(OptionError, match="multiple of 3"):
        loop_in(tmp_path, LoopConfig(batch=4, accumulate=3))


def write_photographs(folder: Path, count: int = 12) -> Path:
    for i in range(count):
        made.write(folder / f"{i}.png", made.colored(i))
    return folder


def test_the_command_trains_stops_goes_on_and_exports(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, out = write_photographs(tmp_path / "data"), tmp_path / "run"
    (tmp_path / "tiny.toml").write_text(TOML)
    line = ["train", "tinct", "--data", str(data), "--out", str(out), "--device", "cpu"]
    assert cli.run([*line, "--config", str(tmp_path / "tiny.toml"), "--stop-after", "0"]) == 0
    assert torch.load(out / "checkpoint.pt", weights_only=True)["step"] == 0
    assert cli.run(line) == 0  # with the run's own config
    assert torch.load(out / "checkpoint.pt", weights_only=True)["step"] == 4
    assert "hints10" in capsys.readouterr().out
    assert (out / "sheet-0000004.png").is_file()
    assert read_log(out / "log.jsonl")[-1]["step"] == 4

    assert cli.run(["export", str(out), "--out", str(tmp_path / "weights"), "--trained-on", "made up"]) == 0
    manifest = json.loads((tmp_path / "weights" / "manifest.json").read_text())
    assert {entry["training_data"] for entry in manifest.values()} == {"made up"}
    assert all("hints10" in entry["score"] for entry in manifest.values())
    assert (out / "tinct.safetensors").is_file()

    photo = made.write(tmp_path / "photo.png", made.gray(1))
    monkeypatch.setenv("TINCT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TINCT_WEIGHTS", str(tmp_path / "weights"))
    own = weights_path("tinct.encode")
    assert own == tmp_path / "weights" / "tinct.encode.onnx"  # and of the hash that the manifest there names
    assert cli.run(["colorize", str(photo), "-m", "tinct", "-o", str(tmp_path / "color.png")]) == 0
    assert (tmp_path / "color.png").is_file()

    ranges = ["data", "ranges", str(out / "pool"), "--count", "8"]
    assert cli.run([*ranges, "--weights", str(tmp_path / "weights")]) == 0
    entries = json.loads((tmp_path / "weights" / "manifest.json").read_text())
    measured, of_decoder = entries["tinct.encode"]["ranges"], entries["tinct.decode"]["ranges"]
    assert {"encoder.stem.1.body.0.0.weight", "share2.weight"} <= set(measured)
    assert {"mix16.body.1.0.weight", "mix4.body.0.0.weight", "ab.weight"} <= set(of_decoder)
    assert not {"rest2.weight", "rest4.weight"} & set(of_decoder)  # these take colors
    assert all(high > 0 for high in (*measured.values(), *of_decoder.values()))
    assert not {"encoder.stem.0.0.weight", "same_head"} & set(
        measured
    )  # these take what may be negative, or squares
    assert cli.run(["colorize", str(photo), "-m", "tinct", "-o", str(tmp_path / "again.png")]) == 0
    assert cli.run([*ranges, "--weights", str(tmp_path)]) == 2
    assert "holds no exported weights" in capsys.readouterr().err

    (tmp_path / "other.toml").write_text(TOML.replace("key = 8", "key = 16"))
    assert cli.run([*line, "--config", str(tmp_path / "other.toml")]) == 2
    assert "other numbers in [network]" in capsys.readouterr().err


TINY = """
[loop]
sizes = [[1.0, 64]]
batch = 2
steps = 1
log_every = 1
weight_decay = 0.0
[network]
width = 0.0625
"""


def test_a_run_of_one_network_is_not_gone_on_with_as_another(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    data, out = write_photographs(tmp_path / "data", 5), tmp_path / "run"
    (tmp_path / "tiny.toml").write_text(TINY)
    line = ["--data", str(data), "--out", str(out), "--config", str(tmp_path / "tiny.toml")]
    assert cli.run(["train", "zhang2016", *line]) == 0
    before = (out / "checkpoint.pt").read_bytes()
    for given in (line, line[:4]):
        assert cli.run(["train", "zhang2016-l2", *given]) == 2
        assert "is of zhang2016, not of zhang2016-l2" in capsys.readouterr().err
    assert (out / "checkpoint.pt").read_bytes() == before


@cache
def small_checkpoint() -> bytes:
    """The checkpoint of two steps."""
    with TemporaryDirectory() as folder:
        loop = loop_in(Path(folder))
        loop.one_step()
        loop.one_step()
        loop.save()
        return (Path(folder) / "checkpoint.pt").read_bytes()


def refusal(folder: Path, content: bytes) -> str:
    """What is said of a checkpoint by which a run should go on."""
    (folder / "checkpoint.pt").write_bytes(content)
    with pytest.raises(OptionError, match=r"checkpoint\.pt .*; (remove it|give another folder)") as error:
        loop_in(folder)
    assert (folder / "checkpoint.pt").read_bytes() == content
    return str(error.value)


def test_a_checkpoint_that_was_cut_short_or_has_changed_is_refused(tmp_path: Path) -> None:
    whole = small_checkpoint()
    for content in (b"", b"none", whole[: len(whole) // 2], whole[:-10]):
        assert "cannot be read" in refusal(tmp_path, content)
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 16
    assert "has changed" in refusal(tmp_path, bytes(flipped))


def edited(change: Callable[[dict[str, Any]], object]) -> bytes:
    """The checkpoint with a change."""
    state, stream = torch.load(BytesIO(small_checkpoint()), weights_only=True), BytesIO()
    changed = change(state)
    torch.save([1] if changed == "list" else state, stream)
    return stream.getvalue()


@pytest.mark.parametrize("part", PARTS)
def test_a_checkpoint_without_a_part_is_refused(tmp_path: Path, part: str) -> None:
    wrong = [
        lambda s: s.pop(part),
        lambda s: s.update({part: [1]}),
        lambda s: s.update({part: -1}),
        lambda s: "list",
    ]
    for change in wrong:
        said = refusal(tmp_path, edited(change))
        assert f"is damaged (its {part})" in said or "is damaged (its network)" in said


@pytest.mark.parametrize("part", ["model", "averaged"])
def test_weights_of_another_network_are_refused(tmp_path: Path, part: str) -> None:
    name = next(iter(torch.load(BytesIO(small_checkpoint()), weights_only=True)[part]))
    for change in (
        lambda s: s[part].pop(name),
        lambda s: s[part].update({name: torch.zeros(3)}),
        lambda s: s[part].update({name: 3}),
        lambda s: s[part].update(more=torch.zeros(3)),
    ):
        assert "of another network than the config's" in refusal(tmp_path, edited(change))


def test_averages_of_the_optimizer_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    """The fused step writes as far as the weights go, whatever the averages' sizes are."""
    (first, *_) = torch.load(BytesIO(small_checkpoint()), weights_only=True)["optimizer"]["state"]
    for change in (
        lambda s: s["optimizer"]["state"][first].update(exp_avg=torch.zeros(3)),
        lambda s: s["optimizer"]["state"][first].update(exp_avg_sq=3.0),
        lambda s: s["optimizer"]["state"][first].pop("step"),
        lambda s: s["optimizer"].update(state=3),
        lambda s: s["optimizer"].update(param_groups=[]),
    ):
        assert "is damaged (its optimizer)" in refusal(tmp_path, edited(change))


def test_a_run_whose_config_was_changed_is_not_exported(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(small_checkpoint())
    (tmp_path / "config.toml").write_text(TOML.replace("key = 8", "key = 16"))
    assert cli.run(["export", str(tmp_path), "--out", str(tmp_path / "weights")]) == 2
    assert "other numbers than [network] in its config" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["[]", '{"a', '{"tinct": 3}', "3"])
def test_weights_are_not_exported_beside_a_manifest_that_is_none(tmp_path: Path, content: str) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text(content)
    with pytest.raises(WeightsError, match=r"manifest\.json is not a manifest of weights"):
        release([], "tinct", tmp_path, Making("nothing"))
    assert manifest.read_text() == content


@pytest.mark.parametrize("seconds", [-1.0, float("nan")])
def test_a_time_to_stop_after_that_cannot_be_is_refused(tmp_path: Path, seconds: float) -> None:
    with pytest.raises(OptionError, match="stop_after is"):
        train("tinct", tmp_path, tmp_path / "run", stop_after=seconds)
    assert not (tmp_path / "run").exists()


def test_a_run_with_more_layers_is_no_start() -> None:
    model = torch.nn.Linear(2, 1)
    with pytest.raises(OptionError, match=r"has 1\.weight, which this network lacks"):
        start_from(model, {"1.weight": torch.zeros(1, 2)})


def test_what_a_config_says_anew_holds_when_a_run_goes_on(tmp_path: Path) -> None:
    data, out = write_photographs(tmp_path / "data", 5), tmp_path / "run"
    (tmp_path / "tiny.toml").write_text(TINY)
    line = [
        "train",
        "zhang2016",
        "--data",
        str(data),
        "--out",
        str(out),
        "--config",
        str(tmp_path / "tiny.toml"),
    ]
    assert cli.run(line) == 0
    changed = TINY.replace("weight_decay = 0.0", "weight_decay = 0.3\nbetas = [0.1, 0.2]")
    (tmp_path / "tiny.toml").write_text(changed.replace("steps = 1", "steps = 2"))
    assert cli.run(line) == 0
    groups = torch.load(out / "checkpoint.pt", weights_only=True)["optimizer"]["param_groups"]
    assert {tuple(group["betas"]) for group in groups} == {(0.1, 0.2)}
    assert max(group["weight_decay"] for group in groups) == 0.3


def test_a_table_that_no_config_has_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    data = write_photographs(tmp_path / "data", 5)
    (tmp_path / "tiny.toml").write_text(TINY.replace("[network]", "[Network]"))
    line = ["train", "zhang2016", "--data", str(data), "--out", str(tmp_path / "run")]
    assert cli.run([*line, "--config", str(tmp_path / "tiny.toml")]) == 2
    assert "[Network]; a config has [loop], [recipe], [network]" in capsys.readouterr().err
    assert not (tmp_path / "run" / "checkpoint.pt").exists()


@pytest.mark.parametrize("network", ["scunet", "scunet-classregsoft", "iizuka2016"])
def test_a_network_that_learns_from_labels_wants_them(
    tmp_path: Path, capsys: pytest.CaptureFixture, network: str
) -> None:
    data = write_photographs(tmp_path / "data", 5)
    line = ["train", network, "--data", str(data), "--out", str(tmp_path / "run")]
    (tmp_path / "short.toml").write_text(TINY.partition("[network]")[0])
    assert cli.run([*line, "--config", str(tmp_path / "short.toml")]) == 2
    assert "from labels; give --labels" in capsys.readouterr().err


WRONG = {
    "zhang2016": [
        "recipe.sigma = 0.0",
        "recipe.neighbors = 314",
        "recipe.uniform = nan",
        "network.width = -1.0",
    ],
    "zhang2017": ["recipe.stop = 1.0", "recipe.most_hints = 0", "recipe.huber = -1.0"],
    "tinct": [
        *("network.decoder = [8, 8, 8, 0]", "network.encoder = [8, 8]", "recipe.huber = -1.0"),
        *("recipe.start.kind = 3", 'recipe.start = {kind = "run", run = ["a"]}', "recipe.start = []"),
        'recipe.start = {kind = "released-distilled", run = "a", share = nan}',
    ],
    "tinct-semantics": ["network.channels = [100, 16, 16]", "recipe.skipped = 2.0"],
    "xiao2019": ["recipe.shares = [1.0]", "recipe.thinning = 0.0", "network.levels = 0"],
    "scunet": ["recipe.smoothing = 366", "network.scenes = 0", 'network.branches = "ab"'],
    "xu2020-lite": ["recipe.style = inf", "network.transfer = 0.0"],
    "pix2pix": [
        *(
            'loop.batch = "4"',
            "loop.rate = nan",
            "loop.seed = -1",
            "loop.hours = -1.0",
            "loop.falls = [0.5, 0.1]",
        ),
        *("loop.sizes = [[1.0, 32], [0.5, 64]]", 'loop.sizes = ["a"]', "loop.betas = [0.9]", "loop.pace = 1"),
    ],
}


@pytest.mark.parametrize(("network", "line"), [(name, line) for name in WRONG for line in WRONG[name]])
def test_a_config_is_refused_by_its_key_before_photographs_are_packed(
    tmp_path: Path, network: str, line: str
) -> None:
    (tmp_path / "wrong.toml").write_text(line + "\n")
    with pytest.raises(OptionError) as error:
        train(network, write_photographs(tmp_path / "data", 2), tmp_path / "run", tmp_path / "wrong.toml")
    table, key = line.partition(" =")[0].split(".")[:2]
    assert str(error.value).startswith(f"{tmp_path / 'wrong.toml'}: [{table}")
    assert key in str(error.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", shipped_configs())
def test_shipped_configs_are_taken(name: str) -> None:
    networks = [each for each in TRAININGS if name.startswith(each)]
    file = shipped_configs()[name]
    check_tables(max(networks, key=len), read_config(file), file)


def test_a_run_that_ends_without_numbers_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    data, out = write_photographs(tmp_path / "data", 5), tmp_path / "run"
    wrong = TINY.replace("steps = 1", "steps = 3\nrate = 1e30\nclip = 1e30\nwarmup = 0.0")
    (tmp_path / "tiny.toml").write_text(wrong.replace("log_every = 1", "log_every = 50"))
    line = ["train", "zhang2016", "--data", str(data), "--out", str(out)]
    assert cli.run([*line, "--config", str(tmp_path / "tiny.toml")]) == 2
    assert "is no number" in capsys.readouterr().err


def test_the_command_packs_and_labels(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    data = write_photographs(tmp_path / "data", 5)
    made.write(data / "gray.png", made.gray(0))
    assert cli.run(["data", "pack", str(data), str(tmp_path / "pool"), "--side", "48"]) == 0
    assert "5 photographs, 1 of them held out; 1 dropped" in capsys.readouterr().out
    labels = ["data", "labels", str(tmp_path / "pool"), "--out", str(tmp_path / "labels.npz")]
    assert cli.run(labels) == 0
    assert "relatives 0 of 5 photographs" in capsys.readouterr().out
    scenes = tmp_path / "scenes.csv"
    for folder, code in ((f"{data}/", 2), ("", 0)):  # an absolute path is not the pool's
        scenes.write_text(f"path,scene1\n{folder}1.png,3:0.5\n{folder}2.png,3:0.5\n")
        assert cli.run([*labels, "--scenes", str(scenes)]) == code
    told = capsys.readouterr()
    assert "1.png', the pool '0.png'; write paths as" in told.err
    assert "scenes 2, relatives 2 of 5 photographs" in told.out
    assert cli.run(["data", "labels", str(data), "--out", str(tmp_path / "labels.npz")]) == 2
    assert "tinct data pack" in capsys.readouterr().err


def test_what_is_missing_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    data = write_photographs(tmp_path / "data", 2)
    wanted = {
        "choose one of tinct": ["train", "vgg", "--data", str(data), "--out", str(tmp_path / "a")],
        "no config": [
            "train",
            "tinct",
            "--data",
            str(data),
            "--out",
            str(tmp_path / "b"),
            "--config",
            "none.toml",
        ],
        "does not exist": ["train", "tinct", "--data", str(tmp_path / "x"), "--out", str(tmp_path / "c")],
        "cpu or cuda": [
            "train",
            "tinct",
            "--data",
            str(data),
            "--out",
            str(tmp_path / "d"),
            "--device",
            "tpu",
        ],
        "no checkpoint": ["export", str(tmp_path), "--out", str(tmp_path / "e")],
    }
    for text, line in wanted.items():
        assert cli.run(line) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert text.replace("no checkpoint", "checkpoint.pt") in error


@pytest.mark.parametrize(
    "line",
    [
        ["train", "tinct", "--data", "x", "--out", "y"],
        ["export", "x", "--out", "y", "--trained-on", "z"],
        ["data", "ranges", "x", "--weights", "y"],
        ["data", "labels", "x", "--out", "y.npz", "--seen"],
    ],
    ids=" ".join,
)
def test_training_without_torch_names_the_pip_line(line: list[str]) -> None:
    code = f"import sys; sys.modules['torch'] = None\nfrom tinct import cli\nsys.exit(cli.run({line}))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "pip install 'tinct[train]'" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_decoder_is_trained_over_the_released_encoder(tmp_path: Path) -> None:
    """The encoder answers as the released graph does, and stays so, while the decoder learns."""
    from tinct.networks.graph_weights import read_weights
    from tinct.networks.tinct.released_weights import released_graph

    photographs = made.photographs(16)
    pool = Pool.open(photographs, collect(photographs), CPU)
    recipe = TinctRecipe(most_hints=8, start=ReleasedEncoder())
    over = TinctTraining(recipe, TinctConfig(decoder=(8, 8, 16, 16)), pool)
    config = LoopConfig(sizes=((1.0, 32),), batch=4, steps=2, rate=1e-3)
    loop = Loop(over, pool, config, tmp_path, CPU)
    before = {name: value.clone() for name, value in loop.model.state_dict().items()}
    matcher = {f"matcher.{name}": value for name, value in loop.model.matcher.state_dict().items()}
    given = read_weights(weights_path("tinct.match"))
    assert all(torch.equal(value, given[name]) for name, value in matcher.items())
    loop.run()
    for name, value in loop.model.state_dict().items():
        assert not name.startswith("encoder.") or torch.equal(value, before[name]), name
    for name in ("decoder.ab.weight", "matcher.null_key"):
        assert not torch.equal(loop.model.state_dict()[name], before[name]), name
    lightness = torch.rand(1, 1, 64, 96) * 100
    released = released_graph("encode", weights_path("tinct.encode"))
    with torch.no_grad():
        model = loop.averaged_model()
        seen = model.encoder.look((lightness[..., :64] - 50) / 50)
        keys = model.encode((lightness - 50) / 50, seen).keys
        wanted = released(lightness, *(level.permute(0, 2, 3, 1) for level in seen))[0]
        assert torch.allclose(keys.permute(0, 2, 3, 1), wanted, atol=1e-5)


def test_a_shipped_config_is_known_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tinct.training.config import shipped_configs
    from tinct.training.run import keep_config

    monkeypatch.chdir(tmp_path)
    for network, name in (("tinct", "tinct-references"), ("zhang2017", None)):
        keep_config(network, tmp_path / network, name and Path(name))
        kept = (tmp_path / network / "config.toml").read_text()
        assert kept == (shipped_configs()[name or network]).read_text()
    (tmp_path / "tinct-references").write_text("[recipe]\nold = false\n")  # a file of that name comes first
    keep_config("tinct", tmp_path / "tinct", Path("tinct-references"))
    assert "old = false" in (tmp_path / "tinct" / "config.toml").read_text()
    with pytest.raises(OptionError, match="no config"):
        keep_config("tinct", tmp_path / "tinct", Path("tinct-refrences"))


def test_the_released_decoder_is_put_together_again_and_goes_on(tmp_path: Path) -> None:
    from tinct.networks.tinct.graphs import cut
    from tinct.networks.tinct.released_weights import released_graph

    photographs = made.photographs(16)
    pool = Pool.open(photographs, collect(photographs), CPU)
    recipe = TinctRecipe(most_hints=8, start=Released())
    again = TinctTraining(recipe, TinctConfig(), pool)
    for part, graph in cut(again.build(), bin_centers(1.0)).items():
        released = released_graph(part, weights_path(f"tinct.{part}")).state_dict()
        assert released.keys() == graph.state_dict().keys()
        for name, value in graph.state_dict().items():
            assert torch.equal(value, released[name]), (part, name)
    loop = Loop(again, pool, LoopConfig(sizes=((1.0, 32),), batch=4, steps=2, rate=1e-3), tmp_path, CPU)
    before = {name: value.clone() for name, value in loop.model.decoder.state_dict().items()}
    loop.run()
    changed = {
        name
        for name, value in loop.model.decoder.state_dict().items()
        if not torch.equal(value, before[name])
    }
    assert {"ab.weight", "at16.0.weight", "at2.here.0.weight", "at2.coarse.weight"} <= changed
    assert not [name for name in changed if "running" in name]  # what was folded away stays the identity


def test_answers_that_are_kept_cost_nothing_until_something_changes() -> None:
    """With nothing but unrelated references the decoder that goes on is taught what it answers already."""
    photographs = made.photographs(16)
    pool = Pool.open(photographs, collect(photographs), CPU)
    found = {}
    for keep in (False, True):
        recipe = TinctRecipe(0.5, (0.0, 0.0, 1.0), start=KeptAnswers() if keep else Released())
        own = TinctTraining(recipe, TinctConfig(), pool)
        model = own.build()
        torch.manual_seed(5)
        found[keep] = own.losses(model, pool, 4, 32)
    for name in ("huber", "log"):
        assert found[True][name].item() == 0
        assert abs(found[False][name].item()) > 1e-3
    found[True]["bins"].backward()
    gradient = model.decoder.bins.weight.grad
    assert float(gradient.abs().max()) < 1e-6  # cross-entropy with itself: nothing to gain
    assert found[True]["match"].item() == found[False]["match"].item()


@pytest.mark.parametrize("kind", [RELATED, UNRELATED])
def test_two_decoders_teach_their_mean_where_another_photograph_is_the_reference(
    tmp_path: Path, kind: int
) -> None:
    photographs = made.photographs(16)
    pool = Pool.open(photographs, collect(photographs), CPU)

    def training(share: float) -> TinctTraining:
        recipe = TinctRecipe(
            0.5,
            (0.0, float(kind == RELATED), float(kind == UNRELATED)),
            start=Distilled(str(tmp_path), share, trust=(0.0, 0.0)),
        )
        return TinctTraining(recipe, TinctConfig(), pool)

    alone = TinctRecipe(start=Released())
    own = TinctTraining(alone, TinctConfig(), pool)
    begun, other = own.build(), own.build()
    with torch.no_grad():
        other.decoder.ab.bias += torch.tensor([0.2, -0.1])
        other.decoder.bins.bias += torch.linspace(-2, 2, 313)
    state = {"network": "tinct", "step": 1, "averaged": other.state_dict()}
    torch.save(state, tmp_path / "checkpoint.pt")
    for share in (0.0, 0.25, 1.0):
        distilled = training(share)
        with torch.no_grad():
            torch.manual_seed(5)
            batch = draw_batch(pool, distilled.recipe, 4, 32)
            found = answer(begun.eval(), batch)
            taught, likely = distilled._teachers.answers(batch, found, ...)
        difference = (taught - found.ab).mean((2, 3))
        wanted = torch.tensor([[0.2, -0.1]]) * torch.tensor([share, share, 0.0, 0.0])[:, None]
        torch.testing.assert_close(difference, wanted, atol=1e-5, rtol=0)
        before = torch.softmax(found.bins, 1)
        moved = torch.softmax(found.bins + torch.linspace(-2, 2, 313)[:, None, None], 1)
        mean = torch.cat([(1 - share) * before[:2] + share * moved[:2], before[2:]])
        torch.testing.assert_close(likely, mean, atol=1e-5, rtol=0)
    cost = training(0.25).losses(begun, pool, 4, 32)
    assert cost["log"].item() == 0  # which is of the truth, and nobody here is told it
    with torch.no_grad():
        doubted, trusted = (answer_from(begun, batch, found, trust).maps for trust in (0.0, 2.0))
    shares = [maps.reshape(4, 2, 6, -1)[:2, :, 5].mean() for maps in (doubted, trusted)]
    assert shares[1] > 1.05 * shares[0]  # of the attention, of references
    with torch.no_grad():
        state["averaged"]["encoder.up8.0.weight"] += 0.1
    torch.save(state, tmp_path / "checkpoint.pt")
    with pytest.raises(OptionError, match=r"not over the encoder.*up8"):
        training(0.5)


def test_beside_itself_a_photograph_is_told_the_truth(tmp_path: Path) -> None:
    """Not what the decoders answer, which without a truth to tell would cost nothing."""
    photographs = made.photographs(16)
    pool = Pool.open(photographs, collect(photographs), CPU)
    alone = TinctTraining(TinctRecipe(start=Released()), TinctConfig(), pool)
    begun = alone.build()
    torch.save({"network": "tinct", "step": 1, "averaged": begun.state_dict()}, tmp_path / "checkpoint.pt")
    recipe = TinctRecipe(0.5, (1.0, 0.0, 0.0), start=Distilled(str(tmp_path), trust=(0.0, 0.0)))
    own = TinctTraining(recipe, TinctConfig(), pool)
    torch.manual_seed(5)
    found = own.losses(begun, pool, 4, 32)
    with torch.no_grad():
        torch.manual_seed(5)
        batch = draw_batch(pool, recipe, 4, 32)
        answered, truth = answer(begun.eval(), batch).ab, torch.nn.functional.avg_pool2d(batch.ab, 2)
    wanted = losses.huber_per_photo(answered, truth, recipe.delta) * torch.tensor([1.0, 1.0, 0.0, 0.0])
    torch.testing.assert_close(found["huber"], recipe.huber * wanted.mean(), atol=1e-6, rtol=1e-4)
    logs = losses.log_error(answered, truth)[:2].sum() / 4
    torch.testing.assert_close(found["log"], recipe.log_error * logs, atol=1e-6, rtol=1e-4)


def test_a_decoder_of_other_numbers_or_layers_cannot_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    from tinct.errors import WeightsError
    from tinct.networks.tinct.released_weights import take_released

    with pytest.raises(WeightsError, match="does not fit the network's decoder"):
        take_released(Tinct(TinctConfig(decoder=(16, 32, 64, 128))), decoder=True)
    files = {part: weights_path(f"tinct.{part}") for part in ("encode", "match", "decode")}
    stale = {**files, "decode": files["match"]}  # as of a version whose decoder had other layers
    monkeypatch.setattr(
        "tinct.networks.tinct.released_weights.weights_path", lambda name: stale[name.partition(".")[2]]
    )
    with pytest.raises(WeightsError, match="of another structure"):
        take_released(Tinct(), decoder=True)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"kind": "released-kept", "run": "runs/another"}, "'run', which is not known"),
        ({"kind": "released-encoder", "backbone": "none"}, "'backbone', which is not known"),
        ({"kind": "mimicry", "run": "runs/another"}, "'run', which is not known"),
        (
            {"kind": "released-distilled", "run": "runs/another", "trust": [1.0]},
            r"trust = \[number, number\]",
        ),
        ({"kind": "released-distilled", "run": "runs/another", "share": 1.5}, "share is 1.5"),
        ({"kind": "released-distilled"}, "needs a run"),
        ({"kind": "run"}, "folder of a run"),
        ({"kind": "elsewhere"}, "one of anew, run"),
        ({}, "one of anew, run"),
        ("released", "one of anew, run"),
    ],
)
def test_a_start_that_makes_no_sense_cannot_be_written(table: object, said: str) -> None:
    with pytest.raises(OptionError, match=said):
        dataclass_from(TinctRecipe, {"start": table}, "recipe")


def test_every_kind_of_start_is_read_from_a_table() -> None:
    run = {"run", "released-distilled"}
    for kind, start in Start.kinds.items():
        table = {"kind": kind} | ({"run": "runs/mine"} if kind in run else {})
        assert type(dataclass_from(TinctRecipe, {"start": table}, "recipe").start) is start


def test_an_encoder_that_shares_no_backbone_cannot_learn_by_mimicry() -> None:
    with pytest.raises(OptionError, match="wants a backbone"):
        TinctTraining(TinctRecipe(start=Mimicry()), training().network, small_pool())


def test_a_decoder_whose_normalizations_were_folded_stays_so_from_run_to_run(tmp_path: Path) -> None:
    released = TinctTraining(TinctRecipe(start=Released()), TinctConfig(), small_pool())
    state = {"network": "tinct", "step": 1, "averaged": released.build().state_dict()}
    torch.save(state, tmp_path / "checkpoint.pt")
    again = TinctTraining(
        TinctRecipe(most_hints=4, start=FromRun(run=str(tmp_path))), TinctConfig(), small_pool()
    )
    model = again.build().train()
    again.losses(model, small_pool(), 2, 32)
    assert not model.decoder.training
    assert not model.encoder.training
    fresh = training().build().train()
    training().losses(fresh, small_pool(), 2, 32)
    assert fresh.decoder.training
    assert fresh.encoder.training


def test_weights_of_another_network_are_not_taken() -> None:
    from tinct.errors import WeightsError
    from tinct.networks.tinct.released_weights import take_released

    for other in (
        training().build(),
        Tinct(TinctConfig(blocks=(1, 3, 3, 4, 2))),
    ):  # smaller; with a block more
        with pytest.raises(WeightsError, match="does not fit the network's encoder"):
            take_released(other)
