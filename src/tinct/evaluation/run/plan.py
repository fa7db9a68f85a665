"""The plan of an evaluation: protocol, contestants, photographs and metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from tinct.evaluation.metrics.table import METRICS
from tinct.evaluation.photographs.sets import PhotographSet, find_photographs
from tinct.evaluation.protocols import Protocol, get_protocol
from tinct.evaluation.run.code_hash import measuring_code
from tinct.evaluation.run.contestants import Contestant, get_contestant
from tinct.evaluation.run.results import Heading, versions
from tinct.weights.checksum import file_sha256


@dataclass(frozen=True, slots=True)
class Run:
    """An evaluation to measure.

    Attributes:
        protocol: makes the cases of each photograph.
        contestants: answer the cases; their order is that of the tables.
        photographs: the whole set; references are drawn from all of it.
        limit: number of photographs to measure on, drawn by their names; None takes all.
        seed: start of all random choices.
        more_metrics: metrics beside the protocol's own (`tinct.evaluation.metrics.table.METRICS`).
        frozen: folder of the frozen networks that some metrics run; None looks in the usual places.
        left_out: name of what could not be measured -> the reason; filled by `evaluate`.
    """

    protocol: Protocol
    contestants: Sequence[Contestant]
    photographs: PhotographSet
    limit: int | None = None
    seed: int = 0
    more_metrics: tuple[str, ...] = ()
    frozen: Path | None = None
    left_out: dict[str, str] = field(default_factory=dict)

    @classmethod
    def by_names(
        cls,
        protocol: str,
        methods: Sequence[str],
        data: Path,
        limit: int | None = None,
        seed: int = 0,
        more_metrics: tuple[str, ...] = (),
        frozen: Path | None = None,
        references: Path | None = None,
    ) -> Run:
        """The run of a protocol's name, of contestants as `get_contestant` reads them, and of a folder or CSV index.

        Further arguments are attributes of `Run`, but for `references`: a folder for the protocol `exemplar-retrieved`.

        Raises:
            EvaluationError, MethodError: if a name is unknown, or there are no photographs.
        """
        named = get_protocol(protocol, references)
        contestants = [get_contestant(name) for name in methods]
        return cls(named, contestants, find_photographs(data), limit, seed, more_metrics, frozen)

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of all metrics, the protocol's own first."""
        return tuple(dict.fromkeys((*self.protocol.metrics, *self.more_metrics)))

    @property
    def run_metrics(self) -> tuple[str, ...]:
        """Names of the metrics that the whole run has one value of."""
        return tuple(name for name in self.metrics if METRICS[name].features)

    @property
    def shown_case(self) -> str:
        """Label of the case whose pictures are kept: the protocol's, or its last case if that one is not asked."""
        labels = self.protocol.labels
        return self.protocol.shown_case if self.protocol.shown_case in labels else labels[-1]

    def chosen(self) -> PhotographSet:
        """The photographs to measure on: those that fit the protocol, or all if none does (each is then left out)."""
        fitting = self.photographs.only(self.protocol.fits)
        return (fitting or self.photographs).limited(self.limit)

    def heading(self) -> Heading:
        """The facts that must be equal for records to stand in one table."""
        return Heading(
            protocol=self.protocol.name,
            seed=self.seed,
            photographs=tuple(photograph.name for photograph in self.chosen()),
            available=self.photographs.available,
            parameters=self.protocol.parameters(),
            metrics=self.metrics,
            versions=versions(),
            code=measuring_code(),
            content=self._content(),
        )

    def _content(self) -> str:
        """A hash of the files measured on, by their names, and of those that references are taken from."""
        digest = sha256()
        asked = self.photographs.photographs if self.protocol.draws else self.chosen()
        files = [(each.name, path) for each in asked for path in (each.path, each.reference)]
        for name, path in (*files, *self.protocol.files()):
            found = file_sha256(path) if path is not None and path.is_file() else ""
            digest.update(f"{name}\0{found}\0".encode(errors="surrogateescape"))
        return digest.hexdigest()[:24]
