"""The Hopfield network: patterns are minima of an energy, and recall goes downhill, a unit at a time.

Paper: Hopfield 1982, "Neural networks and physical systems with emergent collective computational abilities"; storage
    by projection is Personnaz, Guyon & Dreyfus 1985, "Information storage and retrieval in spin-glass like neural
    networks". Deviations: units are -1 and +1, not 0 and 1; all thresholds are 0; visits to units that would stay as
    they are, are left out; the weights are made from the kept patterns when they are asked for.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

import torch
from pydantic import Field, PositiveInt

from sandbox.config.base import Config, unnamed_is
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Counter, Stateful
from sandbox.generators._boltzmann.pattern_store import Memory
from sandbox.generators._images.binary import refuse_grey
from sandbox.generators._images.shapes import image_shape
from sandbox.interfaces.generator import GeneratorConfig
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.inputs import as_float
from sandbox.ops import hopfield
from sandbox.streams.shuffled import ShuffledConfig


class Hebbian(Config):
    """Each pattern's products of two units, summed: about 0.138 N random patterns; none that are much alike."""

    name: Literal["hebbian"] = "hebbian"

    def weight(self, patterns: torch.Tensor) -> torch.Tensor:
        return hopfield.hebbian(patterns)


class Projection(Config):
    """The projection on the patterns' span: N / 2 patterns and more, also those that are alike."""

    name: Literal["projection"] = "projection"

    def weight(self, patterns: torch.Tensor) -> torch.Tensor:
        return hopfield.projection(patterns)


class HopfieldConfig(GeneratorConfig):
    """`patterns`: how many of the first images to store (each once, whatever the number of epochs)."""

    name: Literal["hopfield"] = "hopfield"
    patterns: PositiveInt = 10
    storage: Annotated[Hebbian | Projection, Field(discriminator="name"), unnamed_is("hebbian")] = Hebbian()
    stream: ShuffledConfig = ShuffledConfig()

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "Hopfield":
        return Hopfield(self, spec, rng, compute)


class Hopfield:
    """Images are uint8 of 0 and 255, or floats 0 and 1, [B, C, H, W]; recall starts from any, cut at a half."""

    def __init__(self, config: HopfieldConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._storage, self._shape, self._device = config.storage, image_shape(spec, "hopfield"), compute.device
        self._memory = Memory(config.patterns, torch.Size(self._shape).numel()).to(compute.device)
        self._updates = Counter()
        self._order = rng.torch("hopfield/order", compute.device)
        self._starts = rng.torch("hopfield/sample", compute.device)

    def update(self, batch: torch.Tensor) -> Metrics:
        """Keep what is new of the batch while there is room; afterwards nothing changes.

        Returns:
            `stored`: patterns so far; `load`: patterns a unit; `overlap`: of the batch's images and the stored pattern
            that is nearest to each, 1 for those that are stored.
        """
        if self._updates.value == 0:  # the only update that waits for the device
            real = ", or take generator.name=modern_hopfield, which has real ones"
            refuse_grey(as_float(batch), "generator.name=hopfield has binary units", real)
        s = self._signs(batch)
        self._memory.keep(s)
        self._updates.value += 1
        return {
            "stored": self._memory.count.float(),
            "load": self._memory.count / s.shape[1],
            "overlap": (s @ self._memory.patterns.T).amax(1).mean() / s.shape[1],
        }

    def parts(self) -> dict[str, Stateful]:
        return {"memory": self._memory, "updates": self._updates}

    def sample(self, count: int) -> torch.Tensor:
        """What random states fall into, [count, C, H, W], 0 and 1: patterns, their negatives, and mixtures."""
        noise = torch.rand((count, self._memory.patterns.shape[1]), generator=self._starts, device=self._device)
        return self.recall(noise)

    def recall(self, images: torch.Tensor) -> torch.Tensor:
        """The fixed points that asynchronous recall reaches from images, [B, C, H, W], 0 and 1."""
        return self._pictures(hopfield.recall(self._weight(), self._signs(images).double(), self._order))

    def recalling(self, images: torch.Tensor) -> Iterator[torch.Tensor]:
        """The way there: the images, then after each turn of a pixel in every image that is not at rest yet."""
        s = self._signs(images).double()
        yield self._pictures(s)
        for state in hopfield.descend(self._weight(), s, self._order):
            yield self._pictures(state)

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """As `recall`."""
        return self.recall(images)

    def memories(self) -> torch.Tensor:
        """The stored patterns, [P, C, H, W], 0 and 1."""
        return self._pictures(self._memory.kept())

    def energy(self, images: torch.Tensor) -> torch.Tensor:
        """E, [B]."""
        return hopfield.energy(self._weight(), self._signs(images).double())

    def _weight(self) -> torch.Tensor:
        return self._storage.weight(self._memory.kept().double())

    def _signs(self, images: torch.Tensor) -> torch.Tensor:
        return torch.where(as_float(images.to(self._device)).flatten(1) >= 0.5, 1.0, -1.0)

    def _pictures(self, s: torch.Tensor) -> torch.Tensor:
        return (s.float() + 1).div(2).view(-1, *self._shape)
