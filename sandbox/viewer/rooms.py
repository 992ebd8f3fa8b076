"""What there is to do with a generator, a room each: each shows a picture, and has keys of its own."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy as np
import torch

from sandbox.generator import Coder, Dreams, Recalls, Reconstructs
from sandbox.media.grid import grid
from sandbox.media.picture import picture_of
from sandbox.networks.inputs import as_float
from sandbox.viewer.view import Bars, Images, Panel, Words

_REACH, _STRIDE = 3.0, 0.25  # how far latents go, and in which steps, in standard deviations
_LATENTS = 10  # that have a slider
_STATES = 90  # of a way back to a memory that are shown


class Room(Protocol):
    """`keys`: its own, in a help panel."""

    @property
    def name(self) -> str: ...
    @property
    def keys(self) -> Words: ...
    @property
    def moving(self) -> bool:
        """Whether `step` shows something new."""

    def refresh(self) -> None:
        """The generator is another one now, of a newer checkpoint."""

    def step(self) -> None: ...
    def press(self, key: str) -> bool:
        """Whether the key was for this room."""

    def point(self, x: float, y: float, down: bool) -> bool:
        """The mouse is at these shares of the picture; whether something changed."""

    def picture(self) -> np.ndarray:
        """[H, W, 3] uint8."""

    def panels(self) -> Sequence[Panel]: ...


class Samples:
    """Samples, and new ones on a key. `sample` is a generator's; `shape` that of one of them."""

    name, keys, moving = "samples", (("n", "new samples"),), False

    def __init__(self, sample: Callable[[int], torch.Tensor], shape: tuple[int, ...]) -> None:
        self._sample, self._shape = sample, shape
        self.refresh()

    def refresh(self) -> None:
        self._picture = picture_of(self._sample, self._shape)

    def step(self) -> None:
        """Nothing moves."""

    def press(self, key: str) -> bool:
        if key != "n":
            return False
        self.refresh()
        return True

    def point(self, x: float, y: float, down: bool) -> bool:
        return False

    def picture(self) -> np.ndarray:
        return self._picture

    def panels(self) -> Sequence[Panel]:
        return ()


class Sliders:
    """A walk through the latents that differ most from image to image, from the code of one of them or from their mean.

    `images` [B, C, H, W]: their codes' mean and standard deviations are the measure.
    """

    name, moving = "latents", False
    keys = (
        ("up down", "choose a latent"),
        ("left right", "move it"),
        ("n", "from another image"),
        ("m", "to the mean"),
    )

    def __init__(self, coder: Coder, images: torch.Tensor) -> None:
        self._coder, self._images = coder, images
        self._chosen, self._image = 0, -1
        self.refresh()

    @torch.no_grad()
    def refresh(self) -> None:
        codes = self._coder.encode(self._images)
        self._mean, self._deviation = codes.mean(0), codes.std(0, correction=0).clamp_min(1e-6)
        self._order = self._deviation.topk(min(_LATENTS, len(self._mean))).indices.tolist()
        self._code = self._mean.clone() if self._image < 0 else codes[self._image].clone()

    def step(self) -> None:
        """Nothing moves."""

    def press(self, key: str) -> bool:
        match key:
            case "up" | "down":
                self._chosen = (self._chosen + (1 if key == "down" else -1)) % len(self._order)
            case "left" | "right":
                self._move(_STRIDE if key == "right" else -_STRIDE)
            case "n":
                self._image = (self._image + 1) % len(self._images)
                self.refresh()
            case "m":
                self._image = -1
                self.refresh()
            case _:
                return False
        return True

    def _move(self, by: float) -> None:
        latent = self._order[self._chosen]
        mean, deviation = float(self._mean[latent]), float(self._deviation[latent])
        at = (float(self._code[latent]) - mean) / deviation + by
        self._code[latent] = mean + deviation * min(max(at, -_REACH), _REACH)

    def point(self, x: float, y: float, down: bool) -> bool:
        return False

    @torch.no_grad()
    def picture(self) -> np.ndarray:
        return image_of(self._coder.decode(self._code[None])[0])

    def panels(self) -> Sequence[Panel]:
        order = torch.tensor(self._order, device=self._code.device)
        values = ((self._code - self._mean) / self._deviation)[order].cpu().numpy()
        names = [f"z{latent}" for latent in self._order]
        sliders = Bars("latents, in standard deviations", names, values, -_REACH, _REACH, self._chosen)
        if self._image < 0:
            return [sliders]
        return [sliders, Images("from", image_of(as_float(self._images[self._image, None])[0])[None])]


class Repair:
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


class Fantasies:
    """Chains that go on and on."""

    name, keys, moving = "fantasies", (("n", "begin again"),), True

    def __init__(self, machine: Dreams, count: int = 36) -> None:
        self._machine, self._count = machine, count
        self.refresh()

    def refresh(self) -> None:
        self._chain: Iterator[torch.Tensor] = self._machine.dreaming(self._count)
        self.step()

    @torch.no_grad()
    def step(self) -> None:
        self._picture = grid(next(self._chain))

    def press(self, key: str) -> bool:
        if key != "n":
            return False
        self.refresh()
        return True

    def point(self, x: float, y: float, down: bool) -> bool:
        return False

    def picture(self) -> np.ndarray:
        return self._picture

    def panels(self) -> Sequence[Panel]:
        return ()


class Live:
    """A game that is being played, and what the generator makes of each of its frames, [1, C, H, W] uint8."""

    name, keys, moving = "live game", (), True

    def __init__(self, generator: Reconstructs, frames: Iterator[np.ndarray]) -> None:
        self._generator, self._frames = generator, frames
        self.step()

    def refresh(self) -> None:
        """The next frame is the new one's."""

    @torch.no_grad()
    def step(self) -> None:
        frame = torch.from_numpy(next(self._frames))
        again = self._generator.reconstruct(frame).cpu()
        self._both = torch.cat([as_float(frame), again])

    def press(self, key: str) -> bool:
        return False

    def point(self, x: float, y: float, down: bool) -> bool:
        return False

    def picture(self) -> np.ndarray:
        return grid(self._both, columns=2, scale=1)

    def panels(self) -> Sequence[Panel]:
        error = (self._both[:1] - self._both[1:]).abs().mean(1)
        frame = image_of(self._both[0])[None]
        return [Images("what differs", frame, (error / max(float(error.max()), 0.1)).numpy())]


def image_of(image: torch.Tensor) -> np.ndarray:
    """[C, H, W] in [0, 1] -> [H, W, 3] uint8; planes that are no colours lie side by side."""
    return grid(image[None].cpu(), columns=1, scale=1)[1:-1, 1:-1].copy()
