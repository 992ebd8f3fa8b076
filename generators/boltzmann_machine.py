"""The Boltzmann machine: fully connected binary units, trained by simulated annealing in a clamped and a free phase.

Paper: Ackley, Hinton & Sejnowski 1985, "A Learning Algorithm for Boltzmann Machines".
Deviations: the chains of the free phase persist between updates (Tieleman 2008), so the schedule may be short; one
    sample from each of many parallel chains replaces the statistics of one long chain; steps are the gradient times a
    learning rate, not of a fixed size; pixels are clamped without noise; units are updated in a fixed order; visible
    biases start at the log-odds of the first batch.
"""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import AfterValidator, Field
from torch import nn

from sandbox.config.numbers import NonNegative, NumChains, Positive, Repeats, UnitsOrZero
from sandbox.config.schedules import Linear
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Counter, Stateful
from sandbox.generators._boltzmann.recall import known_units, recall_means
from sandbox.generators._images.binary import require_binary
from sandbox.generators._images.shapes import image_shape, require_shape
from sandbox.interfaces.capabilities import Estimate, HasLikelihood, HasRecall
from sandbox.interfaces.generator import Generator, GeneratorConfig
from sandbox.interfaces.learner import Metrics, RefusesExport
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.inputs import as_float
from sandbox.ops import boltzmann_machine, likelihood
from sandbox.ops.boltzmann_machine import BoltzmannParameters
from sandbox.streams.shuffled import ShuffledConfig


def _ends_at_one(temperatures: tuple[float, ...]) -> tuple[float, ...]:
    if temperatures[-1] != 1:
        raise ValueError(
            f"the last temperature is {temperatures[-1]:g}, but the machine's own distribution is that at 1; "
            "end the schedule with 1"
        )
    return temperatures


AnnealingSchedule = Annotated[tuple[Positive, ...], Field(min_length=1), AfterValidator(_ends_at_one)]


class BoltzmannMachineConfig(GeneratorConfig):
    """Options of the Boltzmann machine (Ackley, Hinton & Sejnowski 1985)."""

    no_encoder: ClassVar[str] = "every unit is connected with all others, without layers"

    name: Literal["boltzmann_machine"] = "boltzmann_machine"
    hidden_size: UnitsOrZero = Field(8, description="number of hidden units")
    num_chains: NumChains = Field(100, description="chains of the free phase; the clamped phase has one for an image")
    temperatures: AnnealingSchedule = Field(
        (3.0, 2.0, 1.5, 1.0, 1.0, 1.0),
        description="temperatures of a Gibbs sweep each, in both phases; the last is 1, better several times",
    )
    lr: Linear = Field(Linear(start=0.05, end=0.005, steps=5_000), description="learning rate, by update")
    weight_decay: NonNegative = Field(0.0, description="L2 decay of the weights; biases do not decay")
    recall_steps: Repeats = Field(500, description="Gibbs sweeps that complete an image of which some pixels are known")
    stream: ShuffledConfig = Field(ShuffledConfig(), description="batches of images")

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "BoltzmannMachine":
        return BoltzmannMachine(self, spec, rng, compute)


class MachineState(nn.Module):
    """Weights and biases, and the states of the free phase's chains [C, N]; all of them are buffers."""

    chains: torch.Tensor

    def __init__(self, units: int, num_chains: int) -> None:
        super().__init__()
        upper = torch.randn(units, units).mul_(0.01).triu_(1)
        self.register_buffer("weight", upper + upper.T)
        self.register_buffer("bias", torch.zeros(units))
        self.register_buffer("chains", torch.randint(2, (num_chains, units)).float())

    def machine(self) -> BoltzmannParameters:
        """Return the weights and biases themselves, not copies."""
        return BoltzmannParameters(self.get_buffer("weight"), self.get_buffer("bias"))


class BoltzmannMachine(Generator, HasLikelihood, HasRecall, RefusesExport):
    """A Boltzmann machine; its first units are the pixels.

    Images are uint8 of 0 and 255, or floats 0 and 1, [B, C, H, W].
    """

    no_export = "it samples by a Gibbs chain, and has no decoder"

    def __init__(self, config: BoltzmannMachineConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._config, self._shape, self._device = config, image_shape(spec, "boltzmann_machine"), compute.device
        self._num_visible = torch.Size(self._shape).numel()
        with rng.initializing("boltzmann_machine"):
            self._state = MachineState(self._num_visible + config.hidden_size, config.num_chains).to(compute.device)
        self._updates = Counter()
        self._clamped = rng.torch("boltzmann_machine/clamped", compute.device)
        self._free = rng.torch("boltzmann_machine/free", compute.device)
        self._sampling = rng.torch("boltzmann_machine/sample", compute.device)

    def update(self, batch: torch.Tensor) -> Metrics:
        """Anneal with clamped pixels and freely, and step along the difference of the two phases' correlations.

        Returns:
            `loss`: the difference of the phases' mean energies, whose gradient the update follows;
            `visible_log_likelihood`: the log-likelihood of each pixel given all other units, summed, nats.
        """
        v, machine = self._pixels(batch), self._state.machine()
        if self._updates.value == 0:
            self._start(v)

        clamped = self._clamped_phase(v)
        free = self._state.chains = self._anneal(self._state.chains, 0, self._free)

        clamped_energy = boltzmann_machine.energy(machine, clamped).mean()
        free_energy = boltzmann_machine.energy(machine, free).mean()
        log_likelihood = boltzmann_machine.visible_log_likelihood(machine, clamped, self._num_visible).mean()

        gradient = boltzmann_machine.gradient(clamped, free)
        lr = self._config.lr.at(self._updates.value)
        machine.weight.add_(gradient.weight.sub_(machine.weight, alpha=self._config.weight_decay), alpha=lr)
        machine.bias.add_(gradient.bias, alpha=lr)
        self._updates.value += 1
        return {"loss": clamped_energy - free_energy, "visible_log_likelihood": log_likelihood}

    def _start(self, v: torch.Tensor) -> None:
        """Initialize the visible biases by the first batch; only this update waits for the device.

        Raises:
            UserError: For gray images.
        """
        require_binary(v, "generator.name=boltzmann_machine has binary units")
        self._state.machine().bias[: self._num_visible] = likelihood.factorized_bernoulli_logits(v.mean(0), len(v))

    def _clamped_phase(self, v: torch.Tensor) -> torch.Tensor:
        """Return v [B, V] with a sample of the hidden units given them, annealed from random states: [B, N]."""
        hidden = (len(v), self._config.hidden_size)
        start = torch.rand(hidden, generator=self._clamped, device=self._device).round()
        return self._anneal(torch.cat([v, start], 1), self._num_visible, self._clamped)

    def _anneal(self, states: torch.Tensor, clamped: int, generator: torch.Generator) -> torch.Tensor:
        """Return states [C, N] after a sweep at each temperature; the first `clamped` units stay as they are."""
        machine, temperatures = self._state.machine(), self._config.temperatures
        return boltzmann_machine.anneal(machine, states, temperatures, clamped, generator)

    def parts(self) -> dict[str, Stateful]:
        return {"machine": self._state, "updates": self._updates}

    def sample(self, count: int) -> torch.Tensor:
        """Return the pixels, 0 and 1, after annealing from the states of the persistent chains, [count, C, H, W]."""
        start = self._state.chains[torch.arange(count, device=self._device) % self._config.num_chains]
        return self._anneal(start, 0, self._sampling)[:, : self._num_visible].reshape(-1, *self._shape)

    def recall_steps(self, images: torch.Tensor, known: torch.Tensor | None = None) -> Iterator[torch.Tensor]:
        """Yield the images, then the pixels' means of Gibbs sweeps from them; see `recall_means`.

        The known pixels are clamped. The hidden units begin at a sample given all pixels, which is annealed.
        """
        v, kept = self._pixels(images), known_units(known, images, self._device)
        hidden = torch.rand(len(v), self._config.hidden_size, generator=self._sampling, device=self._device).round()
        states = self._anneal(torch.cat([v, hidden], 1), self._num_visible, self._sampling)
        kept = torch.cat([kept, torch.zeros_like(hidden, dtype=torch.bool)], 1)
        sweeps = boltzmann_machine.clamped_gibbs(self._state.machine(), states, kept, self._sampling)
        pixels = (means[:, : self._num_visible] for means in sweeps)
        for means in recall_means(v, pixels, known, self._config.recall_steps):
            yield means.view(-1, *self._shape)

    def log_likelihood(self, images: torch.Tensor) -> Estimate:
        """Compute the exact log-likelihood, by enumeration of every state.

        Raises:
            UserError: If there are more than 2**20 states, and for gray images.
        """
        machine, v = self._state.machine(), self._pixels(images)
        require_binary(v, "generator.name=boltzmann_machine has binary units")
        log_z = boltzmann_machine.log_partition(machine)
        return Estimate("exact", (boltzmann_machine.log_marginal(machine, v) - log_z).float())

    def _pixels(self, images: torch.Tensor) -> torch.Tensor:
        return as_float(require_shape(images, self._shape, "boltzmann_machine").to(self._device)).flatten(1)
