"""Hundreds of small kernels in one launch: what a function did is recorded as a CUDA graph and replayed.

A small network's update keeps a GPU waiting for Python, which launches its kernels one by one.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch

from sandbox.core.background import Background

Function = Callable[..., Sequence[torch.Tensor]]


_WARM_UPS = 3  # calls after which libraries have chosen their kernels and taken their memory


class _Recording(NamedTuple):
    graph: torch.cuda.CUDAGraph
    inputs: Sequence[torch.Tensor]
    outputs: Sequence[torch.Tensor]


class CudaGraphed:
    """The same function, on a CUDA device and faster; see `Compute.record`. One recording for each set of shapes.

    What decides what comes out are its arguments, and weights that stay where they are.
    """

    def __init__(self, function: Function, device: torch.device, background: Background) -> None:
        self._function, self._device, self._background = function, device, background
        self._recordings: dict[tuple[tuple[torch.Size, torch.dtype], ...], _Recording] = {}

    def __call__(self, *inputs: torch.Tensor) -> Sequence[torch.Tensor]:
        kind = tuple((each.shape, each.dtype) for each in inputs)
        if kind not in self._recordings:
            self._recordings[kind] = self._record(inputs)
        graph, places, outputs = self._recordings[kind]
        for place, given in zip(places, inputs, strict=True):
            place.copy_(given, non_blocking=True)
        graph.replay()
        return outputs

    def _record(self, inputs: Sequence[torch.Tensor]) -> _Recording:
        self._background.wait()  # no other thread may use the device in the meantime
        places, graph = [each.clone() for each in inputs], torch.cuda.CUDAGraph()
        stream = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UPS):
                self._function(*places)
        with torch.cuda.graph(graph, stream=stream):  # which waits for the device first
            outputs = self._function(*places)
        return _Recording(graph, places, outputs)
