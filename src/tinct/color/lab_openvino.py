"""Lab to sRGB on the inference engine: one graph that OpenVINO fuses into one or two loops over memory.

NumPy makes a pass over memory for each of about ninety operations; the fused graph takes a sixth of the time. The graph
computes the same as `tinct.color.gamut.merge_lightness`, and tests compare the two.
"""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.polynomial import Chebyshev, Polynomial
from numpy.typing import NDArray

from tinct.color.gamut import TOLERANCE, gamut_scale
from tinct.color.srgb import KNEE_LINEAR, WHITE_XYZ_TO_RGB
from tinct.inference.openvino_engine import engine, forked
from tinct.threads import threads

if TYPE_CHECKING:
    from openvino import CompiledModel, InferRequest, Model, Node

Array = NDArray[np.float32]

PIXELS = 1 << 16
"""Number of pixels of one run; shapes are fixed, as OpenVINO fuses no others, and the last run is padded."""

_DELTA = 6.0 / 29.0


def merged_planes(lightness: Array, ab: Array, dtype: type[np.uint8] | type[np.float32]) -> NDArray[Any]:
    """Put color under lightness, as `tinct.color.gamut.merge_lightness` does; may be called by several threads.

    Args:
        lightness: CIE L*, shape (...), 0..100, D65.
        ab: a plane of CIE a* and a plane of b*, shape (2, ...); out-of-gamut colors lose chroma, never lightness.
        dtype: uint8 for whole numbers 0..255, float32 for 0..1.
    Returns:
        sRGB, three planes, shape (3, ...).
    Raises:
        MissingExtraError: if the engine cannot be imported.
    """
    graph = _graph(np.dtype(dtype).name, forked())
    flat, chroma = np.ascontiguousarray(lightness).reshape(-1), np.ascontiguousarray(ab).reshape(2, -1)
    rgb, beyond = graph.run(flat, chroma)
    outside = np.flatnonzero(beyond > TOLERANCE)
    if outside.size:
        chosen, far = flat[outside], chroma[:, outside]
        far *= gamut_scale(chosen, far[0], far[1])
        rgb[:, outside] = graph.run(chosen, far)[0]
    return rgb.reshape(3, *lightness.shape)


class _Graph:
    """A compiled graph and its requests: a compiled graph is shared by threads, a request is not."""

    def __init__(self, compiled: CompiledModel, dtype: str) -> None:
        self._compiled, self._dtype = compiled, dtype
        self._idle: list[InferRequest] = []
        self._lock = threading.Lock()

    def run(self, lightness: Array, ab: Array) -> tuple[NDArray[Any], Array]:
        """Colors of N pixels, shape (3, N), and how far linear light is outside 0..1, shape (N,)."""
        rgb = np.empty((3, lightness.size), self._dtype)
        beyond = np.empty(lightness.size, np.float32)
        request = self._take()
        inputs = [request.get_input_tensor(i).data[0] for i in range(3)]
        colors, excess = (request.get_output_tensor(i).data for i in range(2))
        for start in range(0, lightness.size, PIXELS):
            part = slice(start, min(start + PIXELS, lightness.size))
            count = part.stop - start
            for tensor, plane in zip(inputs, (lightness, *ab), strict=True):
                tensor[:count] = plane[part]
            request.infer()
            rgb[:, part], beyond[part] = colors[:, :count], excess[0, :count]
        with self._lock:
            self._idle.append(request)
        return rgb, beyond

    def _take(self) -> InferRequest:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return self._compiled.create_infer_request()


@lru_cache(maxsize=4)
def _graph(dtype: str, alone: bool) -> _Graph:
    """The graph of a type; `alone` in a fork, where the threads of several streams would be waited for without end."""
    count = 1 if alone else threads()
    # a stream for each thread that colors: they neither wait for each other nor share the pixels of one run
    properties = {"INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": count, "INFERENCE_NUM_THREADS": count}
    return _Graph(engine().compile_model(_model(dtype), "CPU", properties), dtype)


def _model(dtype: str) -> Model:
    """L*, a*, b*, each (1, N), to sRGB (3, N) and to how far each pixel's linear light is outside of 0..1, (1, N)."""
    from tinct.inference.openvino_runtime import openvino
    from tinct.inference.openvino_runtime import opset13 as op

    lightness, a, b = (op.parameter([1, PIXELS], np.float32, name=name) for name in ("lightness", "a", "b"))
    fy = (op.clamp(lightness, 0.0, 100.0) + _single(16)) * _single(1 / 116)
    y = _luminance(fy)
    x, z = _luminance(fy + a * _single(1 / 500)) - y, _luminance(fy + b * _single(-1 / 200)) - y
    # as in `LinearRay`: the gray of the same luminance and what differs from it, for the three channels at once
    linear = x * _single(WHITE_XYZ_TO_RGB[:, :1]) + z * _single(WHITE_XYZ_TO_RGB[:, 2:]) + y
    beyond = op.reduce_max(
        op.maximum(op.negative(linear), linear - _single(1)), np.array([0]), keep_dims=True
    )
    encoded = _encoded(linear)
    if dtype == "uint8":
        encoded = op.convert(op.round(encoded * _single(255), "half_to_even"), "u8")
    return openvino.Model([op.result(encoded), op.result(beyond)], [lightness, a, b], "colors")


def _luminance(f: Node) -> Node:
    """The inverse of CIE 15's f: a cube above 6/29, its tangent below."""
    from tinct.inference.openvino_runtime import opset13 as op

    bright = op.maximum(f, _single(_DELTA))
    dark = op.minimum(f - _single(_DELTA), _single(0))
    return bright * bright * bright + dark * _single(3 * _DELTA**2)


def _encoded(linear: Node) -> Node:
    """The sRGB transfer function, clipped to 0..1: x^(1/2.4) is s^(5/3) of the fourth root s, a polynomial of s."""
    from tinct.inference.openvino_runtime import opset13 as op

    root = op.sqrt(op.sqrt(op.maximum(linear, _single(KNEE_LINEAR))))
    highest, *rest = reversed(_transfer_coefficients())
    bright = _single(highest)
    for coefficient in rest:
        bright = bright * root + _single(coefficient)
    dark = op.minimum(linear - _single(KNEE_LINEAR), _single(0)) * _single(12.92)
    return op.clamp(bright + dark, 0.0, 1.0)


def _transfer_coefficients() -> list[float]:
    """Of 1.055 s^(5/3) - 0.055 for s from the knee's fourth root to 1, lowest power first: error below 2e-7."""
    low = float(KNEE_LINEAR) ** 0.25
    fitted = Chebyshev.interpolate(lambda s: 1.055 * s ** (5 / 3) - 0.055, 8, domain=[low, 1])
    return [float(value) for value in fitted.convert(kind=Polynomial).coef]


def _single(value: Any) -> Node:
    """A constant in single precision."""
    from tinct.inference.openvino_runtime import opset13 as op

    return op.constant(np.ascontiguousarray(value, np.float32).reshape(np.shape(value)))
