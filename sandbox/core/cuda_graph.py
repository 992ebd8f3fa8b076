"""CUDA graphs: a function's kernels are captured once and then launched together.

A small network's update leaves a GPU idle while Python launches its kernels one by one.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import NamedTuple

import torch

from sandbox.core.background import Background

Tensors = Sequence[torch.Tensor]
# Tensors -> (results, gradients); see `Compute.capture`.
Function = Callable[..., tuple[Tensors, Tensors]]

_WARM_UPS = 3  # calls after which libraries have chosen their kernels and taken their memory


_paused = ContextVar("paused", default=False)
_warming_up = ContextVar("warming_up", default=False)


def is_warm_up() -> bool:
    """Return whether a function is called to warm up before its capture: layers must not count this call."""
    return _warming_up.get()


@contextmanager
def _while_true(flag: ContextVar[bool]) -> Iterator[None]:
    token = flag.set(True)
    try:
        yield
    finally:
        flag.reset(token)


def paused_graphs() -> AbstractContextManager[None]:
    """Call functions themselves instead of their graphs, so that hooks in them are called, too."""
    return _while_true(_paused)


class _Captured(NamedTuple):
    graph: torch.cuda.CUDAGraph
    inputs: Tensors
    results: Tensors
    gradients: Tensors


class CudaGraphed:
    """A function on a CUDA device, replayed as a graph; see `Compute.capture`.

    Each set of input shapes has its own graph.

    The output may depend only on the arguments and on tensors whose memory does not move.
    """

    def __init__(self, function: Function, device: torch.device, background: Background) -> None:
        self._function, self._device, self._background = function, device, background
        self._graphs: dict[tuple[tuple[torch.Size, torch.dtype], ...], _Captured] = {}

    def __call__(self, *inputs: torch.Tensor) -> tuple[Tensors, Tensors]:
        """Copy the inputs to where the graph reads them, replay it, and copy its results; see `paused_graphs`."""
        if _paused.get():
            return self._function(*inputs)
        key = tuple((tensor.shape, tensor.dtype) for tensor in inputs)
        if key not in self._graphs:
            self._graphs[key] = self._capture(inputs)
        captured = self._graphs[key]
        for place, given in zip(captured.inputs, inputs, strict=True):
            place.copy_(given, non_blocking=True)
        captured.graph.replay()
        return [result.clone() for result in captured.results], captured.gradients

    def _capture(self, inputs: Tensors) -> _Captured:
        self._background.wait()  # during a capture no other thread may use the device
        places, graph = [tensor.clone() for tensor in inputs], torch.cuda.CUDAGraph()
        stream = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(stream), _while_true(_warming_up):
            for _ in range(_WARM_UPS):
                self._function(*places)
        with torch.cuda.graph(graph, stream=stream):  # waits for the device first
            results, gradients = self._function(*places)
        return _Captured(graph, places, results, gradients)
