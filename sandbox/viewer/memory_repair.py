"""View of an associative memory: corrupt a stored pattern and let the network restore it."""

from collections.abc import Sequence

import numpy as np
import torch

from sandbox.interfaces.capabilities import HasAssociativeMemory
from sandbox.media.grid import rgb_image
from sandbox.viewer.view import Images, Panel

_MAX_STEPS = 90  # steps of a recall that are shown
_CORRUPTED_FRACTION = 0.2  # of the pixels, by the key `x`
_ON_DARK = (255, 127, 102)  # the cursor's color on a dark pixel
_ON_LIGHT = (92, 170, 255)  # and on a light one
_DIRECTIONS = {"left": (0, -1), "right": (0, 1), "up": (-1, 0), "down": (1, 0)}


class MemoryRepair:
    """Draw on a stored pattern with the mouse or the keyboard; the network then restores it step by step.

    Args:
        network: An associative memory for images in [0, 1].
        seed: Seed of the random pixels that the key `x` flips.
    """

    name = "memory repair"
    keys = (
        ("mouse", "draw"),
        ("arrows f", "move, flip a pixel"),
        ("x", "flip a fifth"),
        ("return", "restore"),
        ("n", "next pattern"),
    )

    def __init__(self, network: HasAssociativeMemory, seed: int = 0) -> None:
        self._network = network
        self._number = 0
        self._rng = np.random.default_rng(seed)
        self.refresh()

    @torch.no_grad()
    def refresh(self) -> None:
        """Read the stored patterns of a newly loaded checkpoint."""
        patterns = self._network.stored_patterns().cpu()
        self._patterns = patterns if len(patterns) else torch.zeros(1, 1, 8, 8)
        self._select()

    def _select(self) -> None:
        """Show the pattern of the current number, unchanged."""
        self._original = self._patterns[self._number % len(self._patterns)]
        self._image = self._original.clone()
        self._upcoming: list[torch.Tensor] = []  # the steps of the recall that are still to be shown
        self._cursor: tuple[int, int] | None = None
        self._brush: float | None = None

    @property
    def is_animated(self) -> bool:
        """True while steps of a recall are still to be shown."""
        return bool(self._upcoming)

    def step(self) -> None:
        """Show the next step of the recall."""
        if self._upcoming:
            self._image = self._upcoming.pop(0)

    @torch.no_grad()
    def handle_key(self, key: str) -> bool:
        """React to a pressed key, and return whether it is one of this view's."""
        height, width = self._image.shape[1:]
        row, column = self._cursor or (height // 2, width // 2)
        match key:
            case "n":
                self._number += 1
                self._select()
            case "x":
                flipped = torch.from_numpy(self._rng.random((height, width)) < _CORRUPTED_FRACTION)
                self._edit(torch.where(flipped, 1 - self._image, self._image))
            case "f":
                self._paint(row, column, 1 - float(self._image[0, row, column]))
            case "left" | "right" | "up" | "down":
                down, right = _DIRECTIONS[key]
                self._cursor = ((row + down) % height, (column + right) % width)
            case "return":
                states = [state[0].cpu() for state in self._network.recall_steps(self._image[None])]
                self._upcoming = [*states[1 :: 1 + len(states) // _MAX_STEPS], states[-1]]
            case _:
                return False
        return True

    def handle_pointer(self, x: float, y: float, down: bool) -> bool:
        """Draw at a position in [0, 1): a stroke's first pixel is flipped, the others get the same color."""
        if not down:
            self._brush = None
            return False
        height, width = self._image.shape[1:]
        row = int(y * height)
        column = int(x * width)
        if self._brush is None:
            self._brush = 1.0 if self._image[0, row, column] < 0.5 else 0.0
        self._paint(row, column, self._brush)
        return True

    def move_slider(self, number: int, value: float) -> None:
        """Do nothing: there are no sliders."""

    def _paint(self, row: int, column: int, color: float) -> None:
        image = self._image.clone()
        image[:, row, column] = color
        self._edit(image)

    def _edit(self, image: torch.Tensor) -> None:
        """Show a changed image; a recall that is still shown ends."""
        self._image = image
        self._upcoming = []

    def render(self) -> np.ndarray:
        """Return the pattern with the cursor, [H, W, 3] uint8."""
        frame = rgb_image(self._image)
        if self._cursor is not None:
            frame[self._cursor] = _ON_DARK if frame[self._cursor].mean() < 128 else _ON_LIGHT
        return frame

    def panels(self) -> Sequence[Panel]:
        """Return the stored pattern and the pixels that differ from it."""
        wrong = (self._image - self._original).abs() > 0.5
        return [
            Images("stored pattern", rgb_image(self._original)[None]),
            Images("difference", rgb_image(wrong.float())[None]),
        ]
