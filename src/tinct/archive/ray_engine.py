"""Batches on Ray Data: Ray reads the manifest and writes the ledger; actors fetch the photographs.

Pixels never enter Ray's object store: a row carries a URI in and an entry of the ledger out. A photograph that fails
is a row with its message. The anti-join of manifest and ledger is done before the pipeline starts, so that a run
resumes whether or not Ray has checkpoints of its own.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Any
from uuid import uuid4

from tinct.archive.arrow import arrow
from tinct.archive.batch import Counts, share_cores, unsettled, with_shared_options
from tinct.archive.entry import ledger_schema
from tinct.archive.ledger import FOLDER, Ledger
from tinct.archive.row import COLUMNS, Row
from tinct.archive.storage import Store
from tinct.archive.worker import Job, Worker
from tinct.errors import MissingExtraError, OptionError, StorageError, one_line

ROWS_A_BATCH = 16
"""Photographs that an actor gets at a time."""

ROWS_A_BLOCK = 64
"""Manifest rows of a block, which are done again when a node is lost."""

WORK = "work"
"""Folder in the output's store for the manifest of a run and its checkpoints while the run lasts."""

MEMORY = 2 << 30
"""Bytes that an actor reserves."""


class _Actor:
    """A worker inside of a Ray actor."""

    def __init__(self, job: dict[str, Any], cores: int) -> None:
        share_cores(max((os.cpu_count() or 1) // cores, 1))
        self._worker = Worker(Job(**job))

    def __call__(self, batch: Any) -> Any:
        pyarrow, _ = arrow()
        entries = [asdict(self._worker.process(_row(columns))) for columns in batch.to_pylist()]
        return pyarrow.Table.from_pylist(entries, schema=ledger_schema())


def run_on_ray(
    rows: Iterable[Row],
    job: Job,
    address: str = "ray",
    *,
    actors: tuple[int, int] = (1, 2),
    cores: int = 1,
    retry_refused: bool = False,
) -> Counts:
    """Colorize the photographs of a manifest that the ledger has not settled, on a Ray cluster.

    Args:
        rows: of the manifest.
        job: the settings that all photographs share; its output must be reachable from all nodes.
        address: "ray" for a cluster on this machine, or "ray://HOST:PORT".
        actors: fewest and most actors.
        cores: processor cores of one actor.
        retry_refused: True tries rows again that were refused.
    Raises:
        MissingExtraError: if Ray is not installed.
        OptionError: if the address is none, the actors take all cores of this machine, or the output is in this
            process's memory.
        StorageError: if ledger or cluster cannot be reached.
    """
    ray = _ray()
    if job.out.startswith("memory://"):
        raise OptionError(
            "memory:// is seen by one process alone; give an output that all of Ray's nodes reach."
        )
    _connect(ray, address)
    _check_room(ray, address, actors[0] * cores)
    planned = with_shared_options(rows, job)
    ledger = Ledger(Store(job.out))
    ledger.recover()
    waiting, outcome = unsettled(planned, ledger, job, retry_refused=retry_refused)
    if not waiting:
        return outcome
    before = {entry.id: entry.finished for entry in ledger.entries()}
    _pipeline(ray, waiting, job, actors, cores)
    statuses: dict[str, int] = {}
    for entry in ledger.entries():
        if before.get(entry.id) != entry.finished:
            statuses[entry.status] = statuses.get(entry.status, 0) + 1
    return replace(outcome, statuses=statuses)


def _pipeline(ray: Any, waiting: list[Row], job: Job, actors: tuple[int, int], cores: int) -> None:
    """Read rows, colorize them in actors, and write their entries as parts of the ledger.

    Raises:
        StorageError: if the run ends early.
    """
    from ray.data import ActorPoolStrategy, DataContext

    context, out = DataContext.get_current(), Store(job.out)
    context.enable_progress_bars = False
    fewest, most = actors
    manifest = f"{WORK}/{uuid4().hex}.parquet"
    blocks = max(len(waiting) // ROWS_A_BLOCK, min(most, len(waiting)))
    out.put(manifest, _parquet(waiting, blocks))
    checkpointed = _checkpoint(context, out)
    try:
        done = ray.data.read_parquet(out.child(manifest).uri, override_num_blocks=blocks).map_batches(
            _Actor,
            batch_size=ROWS_A_BATCH,
            batch_format="pyarrow",
            compute=ActorPoolStrategy(min_size=fewest, max_size=most, max_tasks_in_flight_per_actor=2),
            num_cpus=cores,
            memory=MEMORY,
            fn_constructor_kwargs={"job": asdict(job), "cores": cores},
        )
        done.write_parquet(out.child(FOLDER).uri, mode="append")
    except Exception as error:
        raise StorageError(f"the run on Ray ended early ({one_line(str(error))}).") from None
    finally:
        if checkpointed:
            context.checkpoint_config = None
        out.delete(manifest)


def _parquet(rows: list[Row], blocks: int) -> bytes:
    """A Parquet file of rows in so many row groups, each of which one worker can read."""
    pyarrow, parquet = arrow()
    stream = io.BytesIO()
    table = pyarrow.Table.from_pylist([_columns(row) for row in rows])
    parquet.write_table(table, stream, row_group_size=-(-len(rows) // blocks))
    return stream.getvalue()


def _checkpoint(context: Any, out: Store) -> bool:
    """Let Ray keep checkpoints of the run, where this version of Ray has them; returns whether it does.

    A checkpoint spares a restarted driver the blocks that are written; without it the ledger says the same.
    """
    try:
        from ray.data.checkpoint import CheckpointConfig
    except ImportError:
        return False
    try:
        place = out.child(f"{WORK}/checkpoint").uri
        context.checkpoint_config = CheckpointConfig(id_column="id", checkpoint_path=place)
    except Exception:
        context.checkpoint_config = None
        return False
    return True


def _columns(row: Row) -> dict[str, Any]:
    """A row's columns with its leader's, as JSON, which Ray hands from process to process."""
    import json

    columns = {name: getattr(row, name) for name in COLUMNS}
    columns |= {"references": list(row.references), "options": json.dumps(dict(row.options))}
    return columns | {"leader": json.dumps(_columns(row.leader)) if row.leader else ""}


def _row(columns: dict[str, Any]) -> Row:
    """The row that `_columns` took apart."""
    import json

    values = {name: columns[name] for name in COLUMNS}
    leader = _row(json.loads(columns["leader"])) if columns["leader"] else None
    references, options = tuple(values["references"] or ()), json.loads(values["options"] or "{}")
    return Row(**{**values, "references": references, "options": options, "leader": leader})


def _connect(ray: Any, address: str) -> None:
    if address != "ray" and not address.startswith("ray://"):
        raise OptionError(f"{address!r} is no engine; use --on ray or --on ray://HOST:PORT.")
    if ray.is_initialized():
        return
    here = address == "ray"
    given: dict[str, Any] = {"num_cpus": (os.cpu_count() or 1) + 1} if here else {"address": address}
    try:
        ray.init(**given, log_to_driver=False, logging_level="ERROR")
    except Exception as error:
        raise StorageError(f"{address} cannot be reached ({one_line(str(error))}).") from None


def _check_room(ray: Any, address: str, wanted: int) -> None:
    """Check that the least number of actors leaves a core for the tasks that read the manifest and write the ledger.

    Without that core nothing would ever begin. A cluster on this machine is given one more core than the machine has,
    as these tasks take next to no time; one that is reached by an address may grow, and is not checked.

    Raises:
        OptionError: if the actors take all cores.
    """
    total = int(ray.cluster_resources().get("CPU", 0))
    if address == "ray" and wanted >= total:
        raise OptionError(
            f"the fewest actors take {wanted} cores and this machine's Ray has {total}, of which one reads and writes "
            "rows; give fewer --actors, or fewer --cores."
        )


def _ray() -> Any:
    try:
        import ray
        import ray.data
    except ImportError:
        raise MissingExtraError("batches on Ray need it: pip install 'tinct[ray]'.") from None
    return ray
