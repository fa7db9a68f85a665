"""The base of all networks' trainings, as `tinct.training.loop.Loop` runs them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from torch import Tensor, nn

from tinct.tables import dataclass_from
from tinct.training.log import Tell
from tinct.training.pool import Pool


class Training:
    """How one network is built, what its batches are and what is minimized.

    Attributes:
        kinds: the classes of the network, of its numbers (a config's table [network]) and of the recipe ([recipe]).
        name: what checkpoints call the network; `tinct.training.run` takes it from the network's card.
        tell: is called with a line now and then while `prepare` takes long (`tinct.training.preparing`); None for none.
    """

    kinds: ClassVar[tuple[type[nn.Module], type[Any], type[Any]]]
    name = ""

    def __init__(self, recipe: Any, network: Any, pool: Pool, tell: Tell | None = None) -> None:
        self.recipe, self.network, self.tell = recipe, network, tell
        self.prepare(pool)

    @classmethod
    def from_config(
        cls, tables: Mapping[str, Mapping[str, Any]], pool: Pool, tell: Tell | None = None
    ) -> Self:
        """From a config's tables [recipe] and [network].

        Raises:
            OptionError: if a table has a key that its dataclass lacks.
        """
        _, network, recipe = cls.kinds
        return cls(
            dataclass_from(recipe, tables.get("recipe", {}), "recipe"),
            dataclass_from(network, tables.get("network", {}), "network"),
            pool,
            tell,
        )

    def prepare(self, pool: Pool) -> None:
        """Read from the pool, and from other runs, all that training needs, once."""

    def build(self) -> nn.Module:
        """A network before its first step."""
        return self.kinds[0](self.network)

    def losses(self, model: Any, pool: Pool, count: int, size: int) -> dict[str, Tensor]:
        """Weighted losses of one random batch; the loop adds them up."""
        raise NotImplementedError

    def validate(self, model: Any, pool: Pool, held_out: Tensor) -> dict[str, float]:
        """Figures on held-out photographs (indices in the pool), by name."""
        raise NotImplementedError

    def draw(self, model: Any, pool: Pool, held_out: Tensor, file: Path) -> None:
        """Write a contact sheet of held-out photographs, where the network makes pictures."""

    def finish(self, model: Any, pool: Pool) -> None:
        """Change the averaged network where the run ends; what is done is the same if it is done twice."""
