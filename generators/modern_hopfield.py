"""The modern Hopfield network: continuous states, and recall in one step of attention over the stored patterns.

Paper: Ramsauer et al. 2021, "Hopfield Networks is All You Need".
Deviations: patterns are stored as they are, without the learned projections of a Hopfield layer; pixels are scaled to
    -1..1, so that beta = 1 separates black-and-white images well.
"""

from collections.abc import Iterator
from typing import ClassVar, Literal

import torch
from pydantic import Field

from sandbox.config.numbers import Count, Positive, Repeats
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.generators._boltzmann.pattern_store import PatternStore
from sandbox.generators._boltzmann.recall import known_units
from sandbox.generators._images.shapes import require_shape
from sandbox.interfaces.capabilities import HasAssociativeMemory, HasReconstruction
from sandbox.interfaces.generator import Generator, GeneratorConfig
from sandbox.interfaces.learner import Metrics, RefusesExport
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.inputs import as_float
from sandbox.ops import hopfield
from sandbox.streams.shuffled import ShuffledConfig


class ModernHopfieldConfig(GeneratorConfig):
    """Options of the modern Hopfield network (Ramsauer et al. 2021)."""

    no_encoder: ClassVar[str] = "it stores patterns, and has no layers"

    name: Literal["modern_hopfield"] = "modern_hopfield"
    patterns: Count = Field(100, description="number of patterns to store: the first different images")
    beta: Positive = Field(1.0, description="inverse temperature of the attention; a small one blends patterns")
    recall_steps: Repeats = Field(1, description="steps of attention of a recall")
    stream: ShuffledConfig = Field(ShuffledConfig(), description="batches of images")

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "ModernHopfield":
        return ModernHopfield(self, spec, rng, compute)


class ModernHopfield(Generator, HasReconstruction, HasAssociativeMemory, RefusesExport):
    """A modern Hopfield network.

    Images are uint8 or floats in [0, 1], [B, C, H, W], gray or colored.
    """

    no_export = "it recalls stored patterns, and has no decoder"

    def __init__(self, config: ModernHopfieldConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._config, self._shape, self._device = config, spec.shape, compute.device
        self._store = PatternStore(config.patterns, torch.Size(spec.shape).numel()).to(compute.device)
        self._starts = rng.torch("modern_hopfield/sample", compute.device)

    def update(self, batch: torch.Tensor) -> Metrics:
        """Store the new patterns of the batch until the store is full; nothing changes afterwards.

        Returns:
            `stored`: the number of patterns; `recall_error`: the mean squared error of a pixel after one step of recall
            from the batch's images, small for images that are stored.
        """
        state = self._states(batch)
        self._store.add(state)
        # `hopfield.retrieve` with the empty places of the store masked, which does not wait for the device.
        places = torch.arange(len(self._store.patterns), device=self._device)
        logits = self._config.beta * state @ self._store.patterns.T
        logits.masked_fill_(places >= self._store.count, -torch.inf)
        recalled = torch.softmax(logits, -1) @ self._store.patterns
        return {"stored": self._store.count.float(), "recall_error": (recalled - state).div(2).square().mean()}

    def parts(self) -> dict[str, Stateful]:
        return {"store": self._store}

    def sample(self, count: int) -> torch.Tensor:
        """Recall from random pixels, each black or white, [count, C, H, W]."""
        noise = torch.rand((count, self._store.patterns.shape[1]), generator=self._starts, device=self._device)
        return self.recall(noise.round().view(count, *self._shape))

    def recall_steps(self, images: torch.Tensor, known: torch.Tensor | None = None) -> Iterator[torch.Tensor]:
        """Yield the images, and the states after each of the config's `recall_steps` steps.

        Known pixels stay. Unknown ones begin at gray, the state 0, which is equally similar to all patterns.
        """
        patterns, given = self._store.stored(), self._states(images)
        yield self._images(given)
        kept = known_units(known, images, self._device)
        state = given if known is None else given * kept
        for _ in range(self._config.recall_steps):
            state = torch.where(kept, given, hopfield.retrieve(patterns, state, self._config.beta))
            yield self._images(state)

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """Do the same as `recall`."""
        return self.recall(images)

    def stored_patterns(self) -> torch.Tensor:
        """Return the stored patterns, [P, C, H, W]."""
        return self._images(self._store.stored())

    def energy(self, images: torch.Tensor) -> torch.Tensor:
        """Return the energy of each image, [B]."""
        return hopfield.modern_energy(self._store.stored(), self._states(images), self._config.beta)

    def _states(self, images: torch.Tensor) -> torch.Tensor:
        """Return states [B, N] in -1..1 of images [B, C, H, W]."""
        return 2 * as_float(require_shape(images, self._shape, "modern_hopfield").to(self._device)).flatten(1) - 1

    def _images(self, state: torch.Tensor) -> torch.Tensor:
        return (state + 1).div(2).clamp(0, 1).view(-1, *self._shape)
