"""The Boltzmann machine: visible and hidden binary units, each joined to each, that learn by cooling down twice.

Paper: Ackley, Hinton & Sejnowski 1985, "A Learning Algorithm for Boltzmann Machines". Deviations: the free phase's
    chains go on from where they were (Tieleman 2008), so the schedule may be short; many chains side by side, one
    measurement of each, in place of one chain measured for long; steps are the gradient times a rate, not of one fixed
    size; pixels are clamped without noise; units take their turns in a fixed order; visible biases start at the
    log-odds of the first batch.
"""

from typing import Annotated, Literal

import torch
from pydantic import AfterValidator, Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from torch import nn

from sandbox.config.schedules import Linear
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Counter, Stateful
from sandbox.generators._images.binary import refuse_grey
from sandbox.generators._images.shapes import image_shape
from sandbox.interfaces.generator import Estimate, GeneratorConfig
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.inputs import as_float
from sandbox.ops import boltzmann_machine, likelihood
from sandbox.ops.boltzmann_machine import Machine
from sandbox.streams.shuffled import ShuffledConfig


def _ends_at_one(temperatures: tuple[float, ...]) -> tuple[float, ...]:
    if temperatures[-1] != 1:
        raise ValueError(
            f"the last temperature is {temperatures[-1]:g}, but the machine's own distribution is that at 1; "
            "let the schedule end with 1"
        )
    return temperatures


Cooling = Annotated[tuple[PositiveFloat, ...], Field(min_length=1), AfterValidator(_ends_at_one)]


class BoltzmannMachineConfig(GeneratorConfig):
    """`temperatures`: one sweep over all units at each, in both phases; the last is 1, better several times.

    `num_chains` in the free phase; the clamped phase has one for each image of the batch.
    """

    name: Literal["boltzmann_machine"] = "boltzmann_machine"
    hidden_size: NonNegativeInt = 8
    num_chains: PositiveInt = 100
    temperatures: Cooling = (3.0, 2.0, 1.5, 1.0, 1.0, 1.0)
    lr: Linear = Linear(start=0.05, end=0.005, steps=5_000)
    weight_decay: NonNegativeFloat = 0.0
    stream: ShuffledConfig = ShuffledConfig()

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "BoltzmannMachine":
        return BoltzmannMachine(self, spec, rng, compute)


class _State(nn.Module):
    """The machine and the states of the free phase's chains [C, N]: buffers only, so they save themselves."""

    chains: torch.Tensor

    def __init__(self, units: int, num_chains: int) -> None:
        super().__init__()
        upper = torch.randn(units, units).mul_(0.01).triu_(1)
        self.register_buffer("weight", upper + upper.T)
        self.register_buffer("bias", torch.zeros(units))
        self.register_buffer("chains", torch.randint(2, (num_chains, units)).float())

    def machine(self) -> Machine:
        return Machine(self.get_buffer("weight"), self.get_buffer("bias"))


class BoltzmannMachine:
    """Images are uint8 of 0 and 255, or floats 0 and 1, [B, C, H, W]; the first units are the pixels."""

    def __init__(self, config: BoltzmannMachineConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._config, self._shape, self._device = config, image_shape(spec, "boltzmann_machine"), compute.device
        self._visible = torch.Size(self._shape).numel()
        with rng.initializing("boltzmann_machine"):
            self._state = _State(self._visible + config.hidden_size, config.num_chains).to(compute.device)
        self._updates = Counter()
        self._clamped = rng.torch("boltzmann_machine/clamped", compute.device)
        self._free = rng.torch("boltzmann_machine/free", compute.device)
        self._sampling = rng.torch("boltzmann_machine/sample", compute.device)

    def update(self, batch: torch.Tensor) -> Metrics:
        """Cool with the pixels clamped and without; each pair of units moves by how much more it was on together.

        Returns:
            `loss`: the mean energies' difference, whose gradient the update follows; `visible_log_likelihood`: nats of
            the pixels one by one, each given all other units.
        """
        v, machine, config = self._units(batch), self._state.machine(), self._config
        if self._updates.value == 0:
            self._start(v)
        data = self._with_hidden(v)
        self._state.chains = self._cool(self._state.chains, 0, self._free)
        energies = [boltzmann_machine.energy(machine, states).mean() for states in (data, self._state.chains)]
        metrics = {
            "loss": energies[0] - energies[1],
            "visible_log_likelihood": boltzmann_machine.visible_log_likelihood(machine, data, self._visible).mean(),
        }
        slope = boltzmann_machine.gradient(data, self._state.chains)
        lr = config.lr.at(self._updates.value)
        machine.weight.add_(slope.weight.sub_(machine.weight, alpha=config.weight_decay), alpha=lr)
        machine.bias.add_(slope.bias, alpha=lr)
        self._updates.value += 1
        return metrics

    def _start(self, v: torch.Tensor) -> None:
        """Look at the first batch, the only time that an update waits for the device.

        Raises:
            UserError: for grey images.
        """
        refuse_grey(v, "generator.name=boltzmann_machine has binary units")
        self._state.machine().bias[: self._visible] = likelihood.factorised_bernoulli(v.mean(0), len(v))

    def _with_hidden(self, v: torch.Tensor) -> torch.Tensor:
        """The clamped phase: v [B, V] and a sample of the hidden units given them, from a random start, [B, N]."""
        hidden = (len(v), self._config.hidden_size)
        start = torch.rand(hidden, generator=self._clamped, device=self._device).round()
        return self._cool(torch.cat([v, start], 1), self._visible, self._clamped)

    def _cool(self, states: torch.Tensor, clamped: int, generator: torch.Generator) -> torch.Tensor:
        machine, temperatures = self._state.machine(), self._config.temperatures
        return boltzmann_machine.anneal(machine, states, temperatures, clamped, generator)

    def parts(self) -> dict[str, Stateful]:
        return {"machine": self._state, "updates": self._updates}

    def sample(self, count: int) -> torch.Tensor:
        """The pixels, 0 and 1, of the chains (which stay) cooled once more, [count, C, H, W]."""
        start = self._state.chains[torch.arange(count, device=self._device) % self._config.num_chains]
        return self._cool(start, 0, self._sampling)[:, : self._visible].reshape(-1, *self._shape)

    def log_likelihood(self, images: torch.Tensor) -> Estimate:
        """`exact`, by enumeration of every state.

        Raises:
            UserError: if there are more than 2**20, and for grey images.
        """
        machine, v = self._state.machine(), self._units(images)
        refuse_grey(v, "generator.name=boltzmann_machine has binary units")
        log_z = boltzmann_machine.log_partition(machine)
        return Estimate("exact", (boltzmann_machine.log_marginal(machine, v) - log_z).float())

    def _units(self, images: torch.Tensor) -> torch.Tensor:
        return as_float(images.to(self._device)).flatten(1)
