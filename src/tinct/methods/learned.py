"""The released network behind the one protocol: automatic, references and hints in any mix.

The photograph is read once (`encode`), each reference once; what runs again per hint is `match` and `decode`.
See `tinct.networks.tinct` for the network and docs/models/tinct.md for its training and scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tinct.hints import HintField
from tinct.inference import Network, TorchSource, open_network
from tinct.methods.distribution import Distribution, alternative
from tinct.methods.protocol import Prediction, Reference
from tinct.methods.scribbles import pin_hints
from tinct.networks.ports import INPUTS, OUTPUTS
from tinct.weights import manifest, weights_path

if TYPE_CHECKING:
    from torch import nn

Array = NDArray[np.float32]

SIZE_MULTIPLE, KEY_STRIDE, REFERENCE_STRIDE, HEADS, KEY_LENGTH = 32, 4, 8, 2, 64
ABSENT = -1e4
"""Score of a memory item that is not there: an empty memory holds one of these."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the network knows of a photograph and its references before any hint.

    Attributes:
        size: height and width of the lightness that was read, before padding.
        features: outputs of `encode`, by name.
        references: `ref_keys`, `ref_ab`, `ref_bias` of the memory.
    """

    size: tuple[int, int]
    features: dict[str, NDArray[Any]]
    references: dict[str, Array]

    @property
    def padded(self) -> tuple[int, int]:
        """Height and width that the network saw."""
        height, width = self.features["half"].shape[2:]
        return 2 * height, 2 * width


class Tinct:
    """One compact network for nothing, references, hints, and any mix; says how sure it is."""

    name: ClassVar[str] = "tinct"
    summary: ClassVar[str] = "the released network: by itself, from references, from hints, and any mix"
    source: ClassVar[str] = "this project; color memory after Xu et al. 2020 and Zhang et al. 2016, 2017"
    needs_reference: ClassVar[bool] = False
    needs_hints: ClassVar[bool] = False
    honors_hints: ClassVar[bool] = True
    working_size: ClassVar[int] = 256

    def __init__(self, *, device: str = "auto", precision: str = "auto", threads: int | None = None) -> None:
        self._engine: dict[str, Any] = {"device": device, "precision": precision, "threads": threads}

    @property
    def weights_sha256(self) -> str:
        """The hash of the encoder's file, which names the training."""
        return manifest()["tinct.encode"].sha256

    def predict(
        self, lightness: Array, hints: HintField, references: Sequence[Reference], *, seed: int = 0
    ) -> Prediction:
        """Predict chroma; see `Method.predict`. Seed 0 is the likeliest answer, others are alternatives to it."""
        return self.answer(self.look(lightness, references), hints, seed=seed)

    def look(self, lightness: Array, references: Sequence[Reference] = ()) -> Seen:
        """Read a photograph and its references, once for any number of answers.

        Args:
            lightness: CIE L*, shape (H, W), 0..100.
            references: color photographs at their own working sizes.
        """
        features = self._encode(lightness)
        height, width = lightness.shape
        return Seen((height, width), features, self._remember(references))

    def answer(self, seen: Seen, hints: HintField, *, seed: int = 0) -> Prediction:
        """Predict chroma for what was seen, with these hints.

        A seed above 0 gives another plausible colorization; the same seed gives the same one.
        """
        found = self.decode(seen, hints)
        height, width = seen.size
        ab = enlarged(found["ab"], 2)[:height, :width]
        annealed = enlarged(found["annealed"], KEY_STRIDE)[:height, :width]
        certainty = enlarged(found["certainty"], KEY_STRIDE)[:height, :width, 0]
        matched = enlarged(_share(found["maps"]), KEY_STRIDE)[:height, :width, 0]
        confidence = np.clip(np.maximum(certainty, matched), 0, 1)
        # What hints and references answer for needs no guess at what is likely.
        vivid = (annealed - ab) * (1 - np.clip(matched, 0, 1))[..., None]
        if seed:
            moved = alternative(self._distribution(seen, found), seed)
            ab = ab + enlarged(moved.transpose(2, 0, 1)[None], KEY_STRIDE)[:height, :width]
        return Prediction(pin_hints(ab, hints), confidence, vivid)

    def distribution(self, seen: Seen, hints: HintField) -> Distribution:
        """How likely each of the 313 bins is, at a quarter of the working size."""
        return self._distribution(seen, self.decode(seen, hints))

    def _distribution(self, seen: Seen, found: dict[str, NDArray[Any]]) -> Distribution:
        """Cut to the cells that the photograph touches: padding is not asked about."""
        height, width = (-(-n // KEY_STRIDE) for n in seen.size)
        logits = np.asarray(found["logits"][0, :, :height, :width], np.float32)
        p = np.exp(logits - logits.max(0))
        p /= p.sum(0)
        keys = np.asarray(seen.features["keys"][0, :, :height, :width], np.float32)
        keys = keys / np.maximum(np.linalg.norm(keys, axis=0), 1e-6)
        matched = np.asarray(_share(found["maps"])[0, 0, :height, :width], np.float32)
        return Distribution(p.transpose(1, 2, 0), keys.transpose(1, 2, 0), matched, KEY_STRIDE)

    def decode(self, seen: Seen, hints: HintField) -> dict[str, NDArray[Any]]:
        """The network's raw outputs: ab, annealed, certainty, logits over the 313 bins, and the match maps."""
        memory = self._hint_memory(seen, hints) | seen.references
        maps = self._network("match").run(keys=seen.features["keys"], **memory)["maps"]
        hint_map = _hint_map(hints, seen.padded)
        features = {name: value for name, value in seen.features.items() if name != "keys"}
        return self._network("decode").run(**features, maps=maps, hint_map=hint_map) | {"maps": maps}

    def _network(self, part: str) -> Network:
        path = weights_path(f"tinct.{part}")
        return open_network(path, torch_source=_torch_source(part, path), **self._engine)

    def _encode(self, lightness: Array) -> dict[str, NDArray[Any]]:
        padded = _padded(np.asarray(lightness, np.float32))
        return self._network("encode").run(lightness=padded[None, None])

    def _remember(self, references: Sequence[Reference]) -> dict[str, Array]:
        """Every patch of every reference as a memory item; one absent item where there is no reference."""
        items = [self._items(reference) for reference in references if reference.weight > 0]
        if not items:
            size = HEADS * KEY_LENGTH
            empty = (np.zeros((1, size), np.float32), np.zeros((1, 2), np.float32))
            items = [(*empty, np.full(1, ABSENT, np.float32))]
        keys, ab, bias = (np.concatenate(part)[None].astype(np.float32) for part in zip(*items, strict=True))
        return {"ref_keys": keys, "ref_ab": ab, "ref_bias": bias}

    def _items(self, reference: Reference) -> tuple[Array, Array, Array]:
        height, width = (max(n // REFERENCE_STRIDE, 1) for n in reference.lightness.shape)
        keys = _halved(self._encode(reference.lightness)["keys"][0].astype(np.float32))[:, :height, :width]
        ab = _block_means(_padded(reference.ab), REFERENCE_STRIDE)[:height, :width]
        keys = _unit(keys.reshape(len(keys), -1).T)
        return keys, ab.reshape(-1, 2), np.full(len(keys), np.log(reference.weight), np.float32)

    def _hint_memory(self, seen: Seen, hints: HintField) -> dict[str, Array]:
        keys = seen.features["keys"]
        if not hints.points:
            empty = {"hint_keys": np.zeros((1, 1, keys.shape[1])), "hint_ab": np.zeros((1, 1, 2))}
            absent = {"hint_place": np.zeros((1, 1, 2)), "hint_bias": np.full((1, 1), ABSENT)}
            return {name: value.astype(np.float32) for name, value in (empty | absent).items()}
        x = np.array([point.x for point in hints.points], np.float32) + 0.5
        y = np.array([point.y for point in hints.points], np.float32) + 0.5
        place = np.stack([x, y], -1) / max(seen.padded)
        return {
            "hint_keys": _unit(_bilinear(keys[0], y / KEY_STRIDE - 0.5, x / KEY_STRIDE - 0.5))[None],
            "hint_ab": np.array([point.ab for point in hints.points], np.float32)[None],
            "hint_place": place[None].astype(np.float32),
            "hint_bias": np.zeros((1, len(x)), np.float32),
        }


def _torch_source(part: str, path: Path) -> TorchSource:
    """How a GPU runs the same file: PyTorch's own form of the graph, with the weights that the file holds."""

    def build() -> nn.Module:
        from tinct.networks.graphs import released_graph

        return released_graph(part, path)

    return TorchSource(build, path, INPUTS[part], OUTPUTS[part])


def enlarged(maps: NDArray[Any], times: int) -> Array:
    """(1, C, h, w) to (h * times, w * times, C), bilinearly."""
    import cv2

    image = np.ascontiguousarray(maps[0].transpose(1, 2, 0), np.float32)
    size = (image.shape[1] * times, image.shape[0] * times)
    out = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(out, np.float32).reshape(size[1], size[0], -1)


def _share(maps: NDArray[Any]) -> NDArray[Any]:
    """How much of the attention the memory took, over the heads' mean: (1, 1, h, w)."""
    parts = maps.reshape(1, HEADS, 6, *maps.shape[2:])
    return (parts[:, :, 2] + parts[:, :, 5]).mean(1, keepdims=True)


def _padded(image: Array) -> Array:
    """Mirror the right and lower edges out to multiples of 32."""
    height, width = image.shape[:2]
    below, right = -height % SIZE_MULTIPLE, -width % SIZE_MULTIPLE
    return np.pad(image, ((0, below), (0, right), *((0, 0),) * (image.ndim - 2)), mode="symmetric")


def _hint_map(hints: HintField, padded: tuple[int, int]) -> Array:
    """ab times coverage, and coverage, at 1/2: (1, 3, H/2, W/2)."""
    height, width = hints.mask.shape
    full = np.zeros((*padded, 3), np.float32)
    full[:height, :width, :2] = hints.ab * hints.mask[..., None]
    full[:height, :width, 2] = hints.mask
    return np.ascontiguousarray(_block_means(full, 2).transpose(2, 0, 1)[None])


def _block_means(image: Array, side: int) -> Array:
    height, width, channels = image.shape
    blocks = image.reshape(height // side, side, width // side, side, channels)
    means: Array = blocks.mean((1, 3), dtype=np.float32)
    return means


def _halved(keys: Array) -> Array:
    size, height, width = keys.shape
    means: Array = keys.reshape(size, height // 2, 2, width // 2, 2).mean((2, 4), dtype=np.float32)
    return means


def _bilinear(keys: NDArray[Any], y: NDArray[Any], x: NDArray[Any]) -> Array:
    """Keys (C, h, w) at fractional rows and columns, clamped to the map: (M, C)."""
    _, height, width = keys.shape
    y, x = np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)
    y0, x0 = np.minimum(y.astype(int), max(height - 2, 0)), np.minimum(x.astype(int), max(width - 2, 0))
    y1, x1 = np.minimum(y0 + 1, height - 1), np.minimum(x0 + 1, width - 1)
    v, u = (y - y0)[:, None], (x - x0)[:, None]
    top = keys[:, y0, x0].T * (1 - u) + keys[:, y0, x1].T * u
    bottom = keys[:, y1, x0].T * (1 - u) + keys[:, y1, x1].T * u
    return np.asarray(top * (1 - v) + bottom * v, np.float32)


def _unit(keys: Array) -> Array:
    """Scale each head's part of (M, heads * key) to unit length."""
    parts = keys.reshape(len(keys), HEADS, -1)
    scaled = parts / np.maximum(np.linalg.norm(parts, axis=-1, keepdims=True), 1e-4)
    return np.ascontiguousarray(scaled.reshape(len(keys), -1), np.float32)
