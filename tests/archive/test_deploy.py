"""The files under deploy/: what can be checked of them without a cluster."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

yaml = pytest.importorskip("yaml", reason="deploy files are read by PyYAML")

from tinct.cli import run

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


def read(name: str) -> Any:
    return yaml.safe_load((DEPLOY / name).read_text())


def call_of(words: list[str]) -> list[str]:
    """The arguments of a `tinct` call within a shell line, with its variables set."""
    start = words.index("tinct") + 1
    return words[start:]


def assert_is_understood(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The program takes these arguments, up to the manifest that is not there."""
    assert run(arguments) == 2
    said = capsys.readouterr().err
    assert "cannot be" in said or "is not there" in said, said


def test_an_array_task_colorizes_its_shard(tmp_path: Path):
    said = tmp_path / "said.json"
    fake = tmp_path / "tinct"
    fake.write_text(
        f"#!/bin/sh\npython3 -c \"import json,sys; json.dump(sys.argv[1:], open('{said}', 'w'))\" \"$@\"\n"
    )
    fake.chmod(0o755)
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("the batch script needs bash")
    task = {"SLURM_ARRAY_TASK_ID": "7", "SLURM_ARRAY_TASK_MIN": "5", "SLURM_ARRAY_TASK_COUNT": "10"}
    environment = {**os.environ, **task, "SLURM_CPUS_PER_TASK": "4", "TINCT": str(fake)}
    command = [bash, str(DEPLOY / "slurm" / "colorize.sbatch"), "m.parquet", "s3://a/out", "--format", "same"]
    subprocess.run(command, check=True, env=environment, timeout=30)
    wanted = [
        "batch",
        "start",
        "m.parquet",
        "--out",
        "s3://a/out",
        "--shard",
        "2/10",
        "--jobs",
        "2",
        "--quiet",
    ]
    assert json.loads(said.read_text()) == [*wanted, "--format", "same"]


def test_an_indexed_job_covers_all_shards(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    job = read("kubernetes/indexed-job.yaml")
    spec, (container,) = job["spec"], job["spec"]["template"]["spec"]["containers"]
    line = container["args"][0]
    assert f'"$JOB_COMPLETION_INDEX/{spec["completions"]}"' in line
    assert spec["completionMode"] == "Indexed"
    for name, value in (
        ("MANIFEST", str(tmp_path / "no.csv")),
        ("OUT", str(tmp_path)),
        ("JOB_COMPLETION_INDEX", "3"),
    ):
        line = line.replace(f"${name}", value)
    assert_is_understood(call_of(line.replace('"', "").split()), capsys)
    known = {volume["name"] for volume in spec["template"]["spec"]["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == known
    assert spec["podFailurePolicy"]["rules"][0]["onExitCodes"]["containerName"] == container["name"]


def test_an_indexed_job_fits_the_schema_of_kubernetes():
    validate = pytest.importorskip("kubernetes_validate", reason="schemas come with kubernetes-validate")
    validate.validate(read("kubernetes/indexed-job.yaml"), "1.33", strict=True)


def test_a_ray_job_runs_the_batch_on_its_own_cluster():
    job = read("kuberay/rayjob.yaml")
    words = call_of(job["spec"]["entrypoint"].split())
    assert words[:2] == ["batch", "run"]
    assert words[words.index("--on") + 1] == "ray"
    fewest, most = map(int, words[words.index("--actors") + 1].split("-"))
    cores = int(words[words.index("--cores") + 1])
    (workers,) = job["spec"]["rayClusterSpec"]["workerGroupSpecs"]
    each = int(workers["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"])
    assert fewest * cores <= workers["replicas"] * each
    assert most * cores <= workers["maxReplicas"] * each
