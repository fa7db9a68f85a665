"""T_ab of many pairs of photograph and reference, made once and kept: what the refinement is trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from tinct.color.bins import AB_SCALE
from tinct.color.lab_torch import lab_to_rgb
from tinct.errors import OptionError
from tinct.files import read_array
from tinct.networks.xu2020.colorization_network import Xu2020Colorization, empty
from tinct.networks.xu2020.label_maps import common_labels, seen
from tinct.networks.xu2020.likeness import fit
from tinct.networks.xu2020.transfer_network import Xu2020Transfer
from tinct.networks.xu2020.transfer_training import coarse
from tinct.training.labels import NOT_RELATED
from tinct.training.log import Tell
from tinct.training.mixed_precision import mixed_precision
from tinct.training.pool import Pool, relatives
from tinct.training.preparing import Preparing
from tinct.training.processes import rank_and_world, wait
from tinct.training.views import photographs_at, random_view, whole_view

ITSELF, RELATIVE, STRANGER = "itself", "relative", "stranger"
"""Kinds of references: another view of the photograph, mirrored; a likest photograph of the pool; any photograph."""

KINDS = (ITSELF, RELATIVE, RELATIVE, STRANGER)
"""The references of each photograph, in the order of the file."""

TOGETHER = 4
"""Photographs that pass through the networks at a time."""

WORKED_AT = 256
"""Height and width, in pixels, of the photographs that T_ab is made of: the method's working size."""

FILES = ("coarse", "fits", "photographs", "references")
"""Names of the arrays in a folder of pairs, without ".npy"."""


@dataclass(frozen=True)
class CoarsePairs:
    """Pairs with what the transfer sub-net makes of them.

    Attributes:
        coarse: T_ab of whole photographs squashed to a square, (N, 4, side, side, 2), uint8, a* b* + 128.
        fits: how alike photograph and reference are (`tinct.networks.xu2020.likeness.fit`), (N, 4).
        photographs: their indices in the pool, (N,).
        references: the references' indices, (N, 4), in the order of `KINDS`; "itself" is another view, mirrored.
    """

    coarse: NDArray[np.uint8]
    fits: NDArray[np.float32]
    photographs: NDArray[np.int64]
    references: NDArray[np.int64]

    @property
    def side(self) -> int:
        """Height and width of the maps in pixels."""
        return int(self.coarse.shape[2])

    def ab(self, rows: Tensor, kinds: Tensor) -> Tensor:
        """T_ab / 110 of rows with one kind of reference each (an index in `KINDS`), (B, 2, side, side)."""
        found = np.stack(
            [self.coarse[row, kind] for row, kind in zip(rows.tolist(), kinds.tolist(), strict=True)]
        )
        return (torch.from_numpy(found).permute(0, 3, 1, 2).float() - 128) / AB_SCALE

    def fit(self, rows: Tensor, kinds: Tensor) -> Tensor:
        """How alike photograph and reference are, (B,); arguments as of `ab`."""
        return torch.from_numpy(np.array(self.fits[rows.numpy(), kinds.numpy()]))

    @classmethod
    def load(cls, folder: Path) -> CoarsePairs:
        """Open a folder that `make_pairs` wrote; the maps are memory-mapped.

        Raises:
            OptionError: if a file is missing or damaged, or is of another folder of pairs.
        """
        try:
            pairs = cls(*(read_array(folder / f"{name}.npy", mapped=name == "coarse") for name in FILES))
        except (OSError, ValueError) as error:
            raise OptionError(f"{folder} is damaged ({error}); remove it, and it is made again.") from None
        shapes = [each.shape for each in (pairs.coarse, pairs.fits, pairs.photographs, pairs.references)]
        rows, side = len(pairs.photographs), pairs.coarse.shape[2] if pairs.coarse.ndim == 5 else 0
        both = (rows, len(KINDS))
        if shapes != [(*both, side, side, 2), both, (rows,), both] or pairs.coarse.dtype != np.uint8:
            raise OptionError(f"{folder} is damaged (arrays of {shapes}); remove it, and it is made again.")
        return pairs


def is_made(folder: Path) -> bool:
    """Whether `make_pairs` has finished the folder."""
    return (folder / "done").exists()


@torch.no_grad()
def make_pairs(
    pool: Pool,
    held_out: Sequence[int],
    networks: tuple[Xu2020Transfer, Xu2020Colorization],
    folder: Path,
    count: int,
    side: int,
    tell: Tell | None = None,
) -> None:
    """Pre-color photographs, transfer their references' looks, and write the chroma.

    All processes of a run share the work. Held-out photographs come first; they are nobody's reference.

    Args:
        held_out: indices in the pool.
        networks: in evaluation mode.
        folder: made if need be.
        count: photographs that are drawn from the pool besides.
        side: of the maps, in pixels; they are made at `WORKED_AT` and shrunk.
        tell: is called with lines of `tinct.training.preparing`.
    """
    rank, world = rank_and_world()
    if rank == 0:
        _begin(pool, held_out, folder, count, side)
    wait()
    files = [np.load(folder / f"{name}.npy", mmap_mode="r+") for name in FILES[:2]]
    photographs, references = (np.load(folder / f"{name}.npy") for name in FILES[2:])
    what = f"T_ab of photographs with {len(KINDS)} references each"
    made_so_far = Preparing(what, len(photographs), tell)
    for start in range(rank * TOGETHER, len(photographs), world * TOGETHER):
        rows = slice(start, min(start + TOGETHER, len(photographs)))
        index = torch.from_numpy(photographs[rows])
        torch.manual_seed(start)
        with mixed_precision("cpu"):
            made = _coarse(pool, index, torch.from_numpy(references[rows]), networks, side)
        for file, part in zip(files, made, strict=True):
            file[rows] = part
        made_so_far.add(world * TOGETHER)
    for file in files:
        file.flush()
    wait()
    if rank == 0:
        (folder / "done").touch()
    wait()


def _begin(pool: Pool, held_out: Sequence[int], folder: Path, count: int, side: int) -> None:
    """Draw the pairs and lay out the file of maps."""
    torch.manual_seed(0)
    index = torch.cat([torch.tensor(list(held_out), dtype=torch.long), pool.draw(count)])
    columns = [index]
    for kind in KINDS[1:]:
        other = pool.draw(len(index))
        found = relatives(pool, index) if kind == RELATIVE else other
        columns.append(torch.where(found == NOT_RELATED, other, found))
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "photographs.npy", index.numpy())
    np.save(folder / "references.npy", torch.stack(columns, 1).numpy())
    shape = len(index), len(KINDS), side, side
    arrays = ((*shape, 2), np.uint8), (shape[:2], np.float32)
    for name, (each, number) in zip(FILES, arrays, strict=False):
        np.lib.format.open_memmap(folder / f"{name}.npy", mode="w+", dtype=number, shape=each).flush()


def _coarse(
    pool: Pool,
    index: Tensor,
    references: Tensor,
    networks: tuple[Xu2020Transfer, Xu2020Colorization],
    side: int,
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """T_ab of one batch, and how well each reference fits."""
    transfer, colorization = networks
    _, lightness, ab = photographs_at(pool, index, whole_view(pool.sizes[index]).grid(WORKED_AT))
    pre = colorization(lightness, *empty(ab)).float()
    content = lab_to_rgb(torch.cat([lightness, pre * AB_SCALE], 1)).clamp(0, 1)
    own = [seen(each) for each in lightness[:, 0].numpy()]
    found, fits = [], []
    for number, kind in enumerate(KINDS):
        other = references[:, number]
        view = random_view(pool.sizes[other], 0.5) if kind == ITSELF else whole_view(pool.sizes[other])
        if kind == ITSELF:
            view.mirror = -torch.ones_like(view.mirror)
        style, shades, _ = photographs_at(pool, other, view.grid(WORKED_AT))
        there = [seen(each) for each in shades[:, 0].numpy()]
        common = [common_labels(*both) for both in zip(own, there, strict=True)]
        labels = tuple(torch.from_numpy(np.stack([each[at] for each in common])) for at in (0, 1))
        maps = coarse(transfer, content, style, labels=labels) * AB_SCALE
        found.append(F.interpolate(maps, size=(side, side), mode="area"))
        fits.append([fit(*both) for both in zip(own, there, strict=True)])
    whole = (torch.stack(found, 1) + 128).round().clamp(0, 255).byte().permute(0, 1, 3, 4, 2).numpy()
    return whole, np.array(fits, np.float32).T
