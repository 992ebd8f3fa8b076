"""Views of a generator: samples, latent sliders, a running Gibbs chain, live reconstructions."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy as np
import torch

from sandbox.interfaces.capabilities import HasEncoder, HasGibbsChain, HasReconstruction
from sandbox.media.grid import grid, rgb_image
from sandbox.media.image import image_of_samples
from sandbox.networks.inputs import as_float
from sandbox.viewer.view import Bars, Entries, Images, Panel

_MAX_DEVIATION = 3.0  # range of a slider on both sides of the mean, in standard deviations
_STRIDE = 0.25  # change per key press, in standard deviations
_MAX_SLIDERS = 10


class GeneratorView(Protocol):
    """One way to look at a generator."""

    @property
    def name(self) -> str:
        """The view's name, for the title."""

    @property
    def keys(self) -> Entries:
        """The view's own keys and their descriptions."""

    @property
    def is_animated(self) -> bool:
        """True if `step` changes the frame."""

    def refresh(self) -> None:
        """Update the view after another checkpoint has been loaded into the generator."""

    def step(self) -> None:
        """Advance an animation."""

    def handle_key(self, key: str) -> bool:
        """React to a pressed key, and return whether it is one of this view's."""

    def handle_pointer(self, x: float, y: float, down: bool) -> bool:
        """React to the pointer at these fractions of the frame, and return whether the frame has changed."""

    def move_slider(self, number: int, value: float) -> None:
        """Move a slider of the panels to a value."""

    def render(self) -> np.ndarray:
        """Return the main frame, [H, W, 3] uint8."""

    def panels(self) -> Sequence[Panel]:
        """Return the panels next to the frame."""


class Samples:
    """Samples of a generator; a key draws new ones.

    Args:
        sample: The generator's method: count -> samples [count, *shape].
        shape: The shape of one sample.
    """

    name = "samples"
    keys = (("n", "new samples"),)
    is_animated = False

    def __init__(self, sample: Callable[[int], torch.Tensor], shape: tuple[int, ...]) -> None:
        self._sample = sample
        self._shape = shape
        self.refresh()

    def refresh(self) -> None:
        self._frame = image_of_samples(self._sample, self._shape)

    def step(self) -> None:
        """Do nothing: samples stay until a key is pressed."""

    def handle_key(self, key: str) -> bool:
        if key != "n":
            return False
        self.refresh()
        return True

    def handle_pointer(self, x: float, y: float, down: bool) -> bool:
        return False

    def move_slider(self, number: int, value: float) -> None:
        """Do nothing: there are no sliders."""

    def render(self) -> np.ndarray:
        return self._frame

    def panels(self) -> Sequence[Panel]:
        return ()


class Sliders:
    """Sliders for the latents that vary most between images; they start at an image's code or at the mean code.

    Args:
        coder: An encoder with its decoder.
        images: [B, C, H, W]; sliders are scaled by the mean and the standard deviations of their codes.
    """

    name = "latents"
    keys = (
        ("mouse", "move a latent"),
        ("up down", "choose a latent"),
        ("left right", "move it"),
        ("n", "from another image"),
        ("m", "to the mean"),
    )
    is_animated = False

    def __init__(self, coder: HasEncoder, images: torch.Tensor) -> None:
        self._coder = coder
        self._images = images
        self._chosen = 0
        self._image: int | None = None  # index of the image whose code is shown; None: the mean code
        self.refresh()

    @torch.no_grad()
    def refresh(self) -> None:
        codes = self._coder.encode(self._images)
        self._mean = codes.mean(0)
        self._deviation = codes.std(0, correction=0).clamp_min(1e-6)
        self._order = self._deviation.topk(min(_MAX_SLIDERS, len(self._mean))).indices.tolist()
        self._code = self._mean.clone() if self._image is None else codes[self._image].clone()

    def step(self) -> None:
        """Do nothing: the image changes by keys only."""

    def handle_key(self, key: str) -> bool:
        match key:
            case "up":
                self._chosen = (self._chosen - 1) % len(self._order)
            case "down":
                self._chosen = (self._chosen + 1) % len(self._order)
            case "left":
                self._move(-_STRIDE)
            case "right":
                self._move(_STRIDE)
            case "n":
                self._image = 0 if self._image is None else (self._image + 1) % len(self._images)
                self.refresh()
            case "m":
                self._image = None
                self.refresh()
            case _:
                return False
        return True

    def _move(self, change: float) -> None:
        """Change the chosen latent by this many standard deviations."""
        latent = self._order[self._chosen]
        mean = float(self._mean[latent])
        deviation = float(self._deviation[latent])
        self._move_to((float(self._code[latent]) - mean) / deviation + change)

    def _move_to(self, position: float) -> None:
        """Set the chosen latent to this many standard deviations from the mean."""
        latent = self._order[self._chosen]
        position = min(max(position, -_MAX_DEVIATION), _MAX_DEVIATION)
        self._code[latent] = float(self._mean[latent]) + float(self._deviation[latent]) * position

    def handle_pointer(self, x: float, y: float, down: bool) -> bool:
        return False

    def move_slider(self, number: int, value: float) -> None:
        self._chosen = min(number, len(self._order) - 1)
        self._move_to(value)

    @torch.no_grad()
    def render(self) -> np.ndarray:
        return rgb_image(self._coder.decode(self._code[None])[0])

    def panels(self) -> Sequence[Panel]:
        order = torch.tensor(self._order, device=self._code.device)
        values = ((self._code - self._mean) / self._deviation)[order].cpu().numpy()
        names = [f"z{latent}" for latent in self._order]
        title = "latents, in standard deviations"
        sliders = Bars(title, names, values, -_MAX_DEVIATION, _MAX_DEVIATION, self._chosen, is_movable=True)
        if self._image is None:
            return [sliders]
        return [sliders, Images("from", rgb_image(as_float(self._images[self._image, None])[0])[None])]


class ChainSamples:
    """Samples from running Gibbs chains.

    Args:
        machine: A Boltzmann machine.
        count: Number of chains.
    """

    name = "Gibbs chain"
    keys = (("n", "restart"),)
    is_animated = True

    def __init__(self, machine: HasGibbsChain, count: int = 36) -> None:
        self._machine = machine
        self._count = count
        self.refresh()

    def refresh(self) -> None:
        self._chain: Iterator[torch.Tensor] = self._machine.gibbs_chain(self._count)
        self.step()

    @torch.no_grad()
    def step(self) -> None:
        self._frame = grid(next(self._chain))

    def handle_key(self, key: str) -> bool:
        if key != "n":
            return False
        self.refresh()
        return True

    def handle_pointer(self, x: float, y: float, down: bool) -> bool:
        return False

    def move_slider(self, number: int, value: float) -> None:
        """Do nothing: there are no sliders."""

    def render(self) -> np.ndarray:
        return self._frame

    def panels(self) -> Sequence[Panel]:
        return ()


class LiveReconstruction:
    """An agent's observations during an episode, next to their reconstructions.

    Args:
        generator: A model that reconstructs images.
        observations: Successive observations, [1, C, H, W] uint8 each.
    """

    name = "live reconstruction"
    keys = ()
    is_animated = True

    def __init__(self, generator: HasReconstruction, observations: Iterator[np.ndarray]) -> None:
        self._generator = generator
        self._observations = observations
        self.step()

    def refresh(self) -> None:
        """Do nothing: the next step uses the new weights."""

    @torch.no_grad()
    def step(self) -> None:
        observation = torch.from_numpy(next(self._observations))
        reconstruction = self._generator.reconstruct(observation).cpu()
        self._pair = torch.cat([as_float(observation), reconstruction])

    def handle_key(self, key: str) -> bool:
        return False

    def handle_pointer(self, x: float, y: float, down: bool) -> bool:
        return False

    def move_slider(self, number: int, value: float) -> None:
        """Do nothing: there are no sliders."""

    def render(self) -> np.ndarray:
        return grid(self._pair, columns=2, scale=1)

    def panels(self) -> Sequence[Panel]:
        error = (self._pair[:1] - self._pair[1:]).abs().mean(1)
        observation = rgb_image(self._pair[0])[None]
        return [Images("reconstruction error", observation, (error / max(float(error.max()), 0.1)).numpy())]
