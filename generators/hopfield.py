"""The Hopfield network: patterns are minima of an energy, and asynchronous recall descends to them.

Paper: Hopfield 1982, "Neural networks and physical systems with emergent collective computational abilities"; storage
    by projection is Personnaz, Guyon & Dreyfus 1985, "Information storage and retrieval in spin-glass like neural
    networks".
Deviations: units are -1 and +1, not 0 and 1; all thresholds are 0; updates that would not change a unit are skipped;
    the weights are computed from the stored patterns whenever they are needed.
"""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field

from sandbox.config.base import Config, unnamed_is
from sandbox.config.numbers import Count
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Counter, Stateful
from sandbox.generators._boltzmann.pattern_store import PatternStore
from sandbox.generators._boltzmann.recall import known_units
from sandbox.generators._images.binary import require_binary
from sandbox.generators._images.shapes import image_shape, require_shape
from sandbox.interfaces.capabilities import HasAssociativeMemory, HasReconstruction
from sandbox.interfaces.generator import Generator, GeneratorConfig
from sandbox.interfaces.learner import Metrics, RefusesExport
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.inputs import as_float
from sandbox.ops import hopfield
from sandbox.streams.shuffled import ShuffledConfig


class Hebbian(Config):
    """Hebb's rule: the sum of the patterns' outer products. Stores about 0.138 N random patterns, no similar ones."""

    name: Literal["hebbian"] = "hebbian"

    def weight(self, patterns: torch.Tensor) -> torch.Tensor:
        """Return the weights [N, N] that store patterns [P, N]."""
        return hopfield.hebbian(patterns)


class Projection(Config):
    """The projection rule, on the span of the patterns. Stores N / 2 patterns and more, similar ones too."""

    name: Literal["projection"] = "projection"

    def weight(self, patterns: torch.Tensor) -> torch.Tensor:
        """Return the weights [N, N] that store patterns [P, N]."""
        return hopfield.projection(patterns)


class HopfieldConfig(GeneratorConfig):
    """Options of the Hopfield network (Hopfield 1982)."""

    no_encoder: ClassVar[str] = "every unit is connected with all others, without layers"

    name: Literal["hopfield"] = "hopfield"
    patterns: Count = Field(10, description="number of patterns to store: the first different images")
    storage: Annotated[Hebbian | Projection, Field(discriminator="name"), unnamed_is("hebbian")] = Field(
        Hebbian(), description="rule that stores the patterns in the weights"
    )
    stream: ShuffledConfig = Field(ShuffledConfig(), description="batches of images")

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "Hopfield":
        return Hopfield(self, spec, rng, compute)


class Hopfield(Generator, HasReconstruction, HasAssociativeMemory, RefusesExport):
    """A Hopfield network.

    Images are uint8 of 0 and 255, or floats 0 and 1, [B, C, H, W]; recall also takes gray images, with a threshold.
    """

    no_export = "it recalls stored patterns, and has no decoder"

    def __init__(self, config: HopfieldConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._storage, self._shape, self._device = config.storage, image_shape(spec, "hopfield"), compute.device
        self._store = PatternStore(config.patterns, torch.Size(self._shape).numel()).to(compute.device)
        self._updates = Counter()
        self._order = rng.torch("hopfield/order", compute.device)
        self._starts = rng.torch("hopfield/sample", compute.device)

    def update(self, batch: torch.Tensor) -> Metrics:
        """Store the new patterns of the batch until the store is full; nothing changes afterwards.

        Returns:
            `stored`: the number of patterns; `load`: patterns per unit; `overlap`: the mean overlap of the batch's
            images with their nearest stored pattern, 1 for an image that is stored.
        """
        if self._updates.value == 0:  # the only update that waits for the device
            alternative = ", or take generator.name=modern_hopfield, which has continuous ones"
            require_binary(as_float(batch), "generator.name=hopfield has binary units", alternative)
        s = self._signs(batch)
        self._store.add(s)
        self._updates.value += 1
        return {
            "stored": self._store.count.float(),
            "load": self._store.count / s.shape[1],
            "overlap": (s @ self._store.patterns.T).amax(1).mean() / s.shape[1],
        }

    def parts(self) -> dict[str, Stateful]:
        return {"store": self._store, "updates": self._updates}

    def sample(self, count: int) -> torch.Tensor:
        """Recall from random states, [count, C, H, W], 0 and 1: patterns, their negatives, and spurious mixtures."""
        noise = torch.rand((count, self._store.patterns.shape[1]), generator=self._starts, device=self._device)
        return self.recall(noise.view(count, *self._shape))

    def recall_steps(self, images: torch.Tensor, known: torch.Tensor | None = None) -> Iterator[torch.Tensor]:
        """Yield the images, and the states after every step, which flips one unstable pixel of each image.

        The last are the fixed points of asynchronous recall, 0 and 1. Known pixels never flip.
        """
        s = self._signs(images).double()
        yield self._images(s)
        kept = known_units(known, images, self._device)
        for state in hopfield.asynchronous_updates(self.weight(), s, self._order, kept):
            yield self._images(state)

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """Do the same as `recall`."""
        return self.recall(images)

    def stored_patterns(self) -> torch.Tensor:
        """Return the stored patterns, [P, C, H, W], 0 and 1."""
        return self._images(self._store.stored())

    def energy(self, images: torch.Tensor) -> torch.Tensor:
        """Return the energy of each image, [B]."""
        return hopfield.energy(self.weight(), self._signs(images).double())

    def weight(self) -> torch.Tensor:
        """Return the weights [N, N], fp64."""
        return self._storage.weight(self._store.stored().double())

    def _signs(self, images: torch.Tensor) -> torch.Tensor:
        """Return the states [B, N] of images: 1 for pixels of at least 1/2, -1 for the others."""
        return torch.where(
            as_float(require_shape(images, self._shape, "hopfield").to(self._device)).flatten(1) >= 0.5, 1.0, -1.0
        )

    def _images(self, s: torch.Tensor) -> torch.Tensor:
        """Return states [B, N] as images [B, C, H, W] of 0 and 1."""
        return (s.float() + 1).div(2).view(-1, *self._shape)
