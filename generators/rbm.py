"""The restricted Boltzmann machine: binary units, persistent contrastive divergence, no gradient tape, no optimiser.

Paper: Tieleman 2008, "Training Restricted Boltzmann Machines using Approximations to the Likelihood Gradient", with
    the settings of Hinton 2010, "A Practical Guide to Training Restricted Boltzmann Machines". Deviations: momentum;
    the visible biases start at the log-odds of the first batch, not of the whole set; fp32 whatever the precision.
"""

from typing import Literal

import torch
from pydantic import NonNegativeFloat, PositiveInt
from torch import nn

from sandbox.device import Compute
from sandbox.errors import UserError
from sandbox.generator import Estimate, GeneratorConfig
from sandbox.learner import Counter, Metrics, Spec, Stateful
from sandbox.networks.inputs import as_float
from sandbox.ops import boltzmann, likelihood
from sandbox.ops.boltzmann import Machine
from sandbox.schedules import Linear
from sandbox.seeding import Rng
from sandbox.streams.shuffled import ShuffledConfig


class RBMConfig(GeneratorConfig):
    """`gibbs_steps` of `num_chains` an update; `weight_decay` spares the biases; samples are `sample_steps` on."""

    name: Literal["rbm"] = "rbm"
    hidden_size: PositiveInt = 16
    num_chains: PositiveInt = 100
    gibbs_steps: PositiveInt = 1
    lr: Linear = Linear(start=0.02, end=0.001, steps=20_000)
    momentum: Linear = Linear(start=0.5, end=0.9, steps=1_000)
    weight_decay: NonNegativeFloat = 0.0
    sample_steps: PositiveInt = 500
    stream: ShuffledConfig = ShuffledConfig()

    def make(self, spec: Spec, rng: Rng, compute: Compute) -> "RBM":
        return RBM(self, spec, rng, compute)


class _State(nn.Module):
    """The machine, its velocity, and the visible units of the chains [N, V]: buffers only, so they save themselves."""

    chains: torch.Tensor

    def __init__(self, visible: int, hidden: int, num_chains: int) -> None:
        super().__init__()
        shapes = {"weight": (visible, hidden), "visible_bias": (visible,), "hidden_bias": (hidden,)}
        for name, shape in shapes.items():
            self.register_buffer(name, torch.zeros(shape))
            self.register_buffer(f"{name}_velocity", torch.zeros(shape))
        self.register_buffer("chains", torch.randint(2, (num_chains, visible)).float())
        self.get_buffer("weight").normal_(std=0.01)

    def machine(self) -> Machine:
        return Machine(*(self.get_buffer(name) for name in Machine._fields))

    def velocity(self) -> Machine:
        return Machine(*(self.get_buffer(f"{name}_velocity") for name in Machine._fields))


class RBM:
    """Images are uint8 of 0 and 255, or floats 0 and 1, [B, C, H, W]."""

    def __init__(self, config: RBMConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._config, self._shape, self._device = config, spec.shape, compute.device
        visible = torch.Size(spec.shape).numel()
        with rng.initialising("rbm"):
            self._state = _State(visible, config.hidden_size, config.num_chains).to(compute.device)
        self._updates = Counter()
        self._gibbs = rng.torch("rbm/gibbs", compute.device)
        self._units = rng.torch("rbm/pseudo", compute.device)
        self._sampling = rng.torch("rbm/sample", compute.device)

    def update(self, batch: torch.Tensor) -> Metrics:
        v, machine, config = self._visible(batch), self._state.machine(), self._config
        if self._updates.value == 0:
            self._start(v)
        self._state.chains = boltzmann.gibbs(machine, self._state.chains, config.gibbs_steps, self._gibbs)[1]
        metrics = self._metrics(machine, v)
        gradient = boltzmann.gradient(machine, v, self._state.chains)
        gradient.weight.sub_(machine.weight, alpha=config.weight_decay)
        lr, momentum = config.lr.at(self._updates.value), config.momentum.at(self._updates.value)
        for parameter, speed, slope in zip(machine, self._state.velocity(), gradient, strict=True):
            speed.mul_(momentum).add_(slope)
            parameter.add_(speed, alpha=lr)
        self._updates.value += 1
        return metrics

    def _start(self, v: torch.Tensor) -> None:
        """Look at the first batch, the only time that an update waits for the device.

        Raises:
            UserError: for grey images.
        """
        if not bool(((v == 0) | (v == 1)).all()):
            raise UserError(
                "generator.name=rbm has binary units, but these images are grey. "
                "Add data.binarize=threshold (black and white) or data.binarize=sample (each grey is a probability)."
            )
        log_odds = likelihood.factorised_bernoulli(v.mean(0), len(v))  # where Hinton 2010 starts, section 8.1
        self._state.machine().visible_bias.copy_(log_odds)

    def _metrics(self, machine: Machine, v: torch.Tensor) -> Metrics:
        """Free energies and the rest, before the step; `loss` is the gap whose gradient the update follows."""
        unit = torch.randint(v.shape[1], (len(v),), generator=self._units, device=self._device)
        loss = boltzmann.free_energy(machine, v).mean() - boltzmann.free_energy(machine, self._state.chains).mean()
        return {
            "loss": loss,
            "reconstruction_error": (v - self._through(v)).square().mean(),
            "pseudo_log_likelihood": boltzmann.pseudo_log_likelihood(machine, v, unit).mean(),
        }

    def parts(self) -> dict[str, Stateful]:
        return {"machine": self._state, "updates": self._updates}

    def sample(self, count: int) -> torch.Tensor:
        """Pixel probabilities after `sample_steps` more sweeps from the chains (which stay), [count, C, H, W]."""
        start = self._state.chains[torch.arange(count, device=self._device) % self._config.num_chains]
        steps = self._config.sample_steps
        return boltzmann.gibbs(self._state.machine(), start, steps, self._sampling)[0].view(-1, *self._shape)

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """p(h = 1 | v), [B, H]."""
        return boltzmann.hidden_probabilities(self._state.machine(), self._visible(images))

    def decode(self, h: torch.Tensor) -> torch.Tensor:
        """[B, H] -> p(v = 1 | h), [B, C, H, W]."""
        machine = self._state.machine().upside_down()
        return boltzmann.hidden_probabilities(machine, h).view(-1, *self._shape)

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """Up and down once, by probabilities, [B, C, H, W]."""
        return self.decode(self.encode(images))

    def log_likelihood(self, images: torch.Tensor) -> Estimate:
        """`exact`, by enumeration of the smaller layer.

        Raises:
            UserError: if that layer has more than 2**20 states.
        """
        machine = self._state.machine()
        log_z = boltzmann.log_partition(machine)
        return Estimate("exact", (-boltzmann.free_energy(machine, self._visible(images)) - log_z).float())

    def _visible(self, images: torch.Tensor) -> torch.Tensor:
        return as_float(images.to(self._device)).flatten(1)

    def _through(self, v: torch.Tensor) -> torch.Tensor:
        machine = self._state.machine()
        return boltzmann.hidden_probabilities(machine.upside_down(), boltzmann.hidden_probabilities(machine, v))
