"""The modern Hopfield network: continuous states, an energy whose minima are sharp, recall in one step of attention.

Paper: Ramsauer et al. 2021, "Hopfield Networks is All You Need". Deviations: patterns are kept as they are, without the
    learnt projections of a Hopfield layer; images are moved to -1..1, so beta = 1 is sharp for black and white ones.
"""

from collections.abc import Iterator
from typing import Literal

import torch
from pydantic import PositiveFloat, PositiveInt

from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.generators._boltzmann.pattern_store import Memory
from sandbox.interfaces.generator import GeneratorConfig
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.inputs import as_float
from sandbox.ops import hopfield
from sandbox.streams.shuffled import ShuffledConfig


class ModernHopfieldConfig(GeneratorConfig):
    """`patterns`: how many of the first images to store; `beta`: the inverse temperature (small ones blend them)."""

    name: Literal["modern_hopfield"] = "modern_hopfield"
    patterns: PositiveInt = 100
    beta: PositiveFloat = 1.0
    recall_steps: PositiveInt = 1
    stream: ShuffledConfig = ShuffledConfig()

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "ModernHopfield":
        return ModernHopfield(self, spec, rng, compute)


class ModernHopfield:
    """Images are uint8 or floats in [0, 1], [B, C, H, W], grey or coloured."""

    def __init__(self, config: ModernHopfieldConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._config, self._shape, self._device = config, spec.shape, compute.device
        self._memory = Memory(config.patterns, torch.Size(spec.shape).numel()).to(compute.device)
        self._starts = rng.torch("modern_hopfield/sample", compute.device)

    def update(self, batch: torch.Tensor) -> Metrics:
        """Keep what is new of the batch while there is room; afterwards nothing changes.

        Returns:
            `stored`: patterns so far; `recall_error`: the mean squared error a pixel of the batch's images, recalled;
            small for those that are stored.
        """
        state = self._states(batch)
        self._memory.keep(state)
        places = torch.arange(len(self._memory.patterns), device=self._device)
        logits = self._config.beta * state @ self._memory.patterns.T
        logits.masked_fill_(places >= self._memory.count, -torch.inf)
        recalled = torch.softmax(logits, -1) @ self._memory.patterns
        return {"stored": self._memory.count.float(), "recall_error": (recalled - state).div(2).square().mean()}

    def parts(self) -> dict[str, Stateful]:
        return {"memory": self._memory}

    def sample(self, count: int) -> torch.Tensor:
        """What is recalled from random pixels, each -1 or 1, [count, C, H, W]."""
        noise = torch.rand((count, self._memory.patterns.shape[1]), generator=self._starts, device=self._device)
        return self.recall(noise.round())

    def recall(self, images: torch.Tensor) -> torch.Tensor:
        """`recall_steps` steps from images (damaged ones, say), [B, C, H, W]."""
        *_, last = self.recalling(images)
        return last

    def recalling(self, images: torch.Tensor) -> Iterator[torch.Tensor]:
        """The way there: the images, then after each step."""
        patterns, state = self._memory.kept(), self._states(images)
        yield self._pictures(state)
        for _ in range(self._config.recall_steps):
            state = hopfield.retrieve(patterns, state, self._config.beta)
            yield self._pictures(state)

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """As `recall`."""
        return self.recall(images)

    def memories(self) -> torch.Tensor:
        """The stored patterns, [P, C, H, W]."""
        return self._pictures(self._memory.kept())

    def energy(self, images: torch.Tensor) -> torch.Tensor:
        """E, [B]."""
        return hopfield.modern_energy(self._memory.kept(), self._states(images), self._config.beta)

    def _states(self, images: torch.Tensor) -> torch.Tensor:
        return 2 * as_float(images.to(self._device)).flatten(1) - 1

    def _pictures(self, state: torch.Tensor) -> torch.Tensor:
        return (state + 1).div(2).clamp(0, 1).view(-1, *self._shape)
