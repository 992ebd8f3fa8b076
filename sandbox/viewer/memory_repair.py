"""A memory to scribble over, which an associative network then repairs."""

from collections.abc import Sequence

import numpy as np
import torch

from sandbox.interfaces.generator import Recalls
from sandbox.media.grid import image_of
from sandbox.viewer.view import Images, Panel

_STATES = 90  # of a way back to a memory that are shown


class MemoryRepair:
    """A memory to scribble over, with the mouse or by keys, which the network then repairs step by step."""

    name = "repair"
    keys = (
        ("mouse", "scribble"),
        ("arrows f", "move, flip a pixel"),
        ("x", "flip a fifth"),
        ("return", "repair"),
        ("n", "next memory"),
    )

    def __init__(self, network: Recalls, seed: int = 0) -> None:
        self._network, self._number = network, 0
        self._generator = np.random.default_rng(seed)
        self.refresh()

    @torch.no_grad()
    def refresh(self) -> None:
        memories = self._network.memories().cpu()
        self._memories = memories if len(memories) else torch.zeros(1, 1, 8, 8)
        self._take()

    def _take(self) -> None:
        self._original = self._memories[self._number % len(self._memories)]
        self._canvas, self._way = self._original.clone(), list[torch.Tensor]()
        self._cursor: tuple[int, int] | None = None
        self._brush: float | None = None

    @property
    def moving(self) -> bool:
        return bool(self._way)

    def step(self) -> None:
        if self._way:
            self._canvas = self._way.pop(0)

    @torch.no_grad()
    def press(self, key: str) -> bool:
        high, wide = self._canvas.shape[1:]
        y, x = self._cursor or (high // 2, wide // 2)
        match key:
            case "n":
                self._number += 1
                self._take()
            case "x":
                spoilt = torch.from_numpy(self._generator.random((high, wide)) < 0.2)
                self._scribble(torch.where(spoilt, 1 - self._canvas, self._canvas))
            case "f":
                self._paint(y, x, 1 - float(self._canvas[0, y, x]))
            case "left" | "right" | "up" | "down":
                dy, dx = {"left": (0, -1), "right": (0, 1), "up": (-1, 0), "down": (1, 0)}[key]
                self._cursor = ((y + dy) % high, (x + dx) % wide)
            case "return":
                states = [state[0].cpu() for state in self._network.recalling(self._canvas[None])]
                self._way = [*states[1 :: 1 + len(states) // _STATES], states[-1]]
            case _:
                return False
        return True

    def point(self, x: float, y: float, down: bool) -> bool:
        """The first pixel of a stroke is turned over, and the others become like it."""
        if not down:
            self._brush = None
            return False
        high, wide = self._canvas.shape[1:]
        row, column = int(y * high), int(x * wide)
        if self._brush is None:
            self._brush = float(self._canvas[0, row, column] < 0.5)
        self._paint(row, column, self._brush)
        return True

    def _paint(self, row: int, column: int, colour: float) -> None:
        canvas = self._canvas.clone()
        canvas[:, row, column] = colour
        self._scribble(canvas)

    def _scribble(self, canvas: torch.Tensor) -> None:
        self._canvas, self._way = canvas, []

    def picture(self) -> np.ndarray:
        picture = image_of(self._canvas)
        if self._cursor is not None:
            picture[self._cursor] = (255, 127, 102) if picture[self._cursor].mean() < 128 else (92, 170, 255)
        return picture

    def panels(self) -> Sequence[Panel]:
        wrong = (self._canvas - self._original).abs() > 0.5
        return [
            Images("remembers", image_of(self._original)[None]),
            Images("differs", image_of(wrong.float())[None]),
        ]
