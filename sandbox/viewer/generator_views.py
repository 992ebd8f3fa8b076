"""What there is to do with a generator, a room each: each shows a picture, and has keys of its own."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy as np
import torch

from sandbox.interfaces.generator import Coder, Dreams, Reconstructs
from sandbox.media.grid import grid, image_of
from sandbox.media.picture import picture_of
from sandbox.networks.inputs import as_float
from sandbox.viewer.view import Bars, Images, Panel, Words

_REACH, _STRIDE = 3.0, 0.25  # how far latents go, and in which steps, in standard deviations
_LATENTS = 10  # that have a slider


class GeneratorView(Protocol):
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


class ChainSamples:
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
