"""A restricted Boltzmann machine with its training, for `rbm` and as a layer of deeper machines.

Its weights are those of a layer of a backbone.

Papers: Hinton 2002, "Training Products of Experts by Minimizing Contrastive Divergence"; Tieleman 2008, "Training
Restricted Boltzmann Machines using Approximations to the Likelihood Gradient"; Melchior, Fischer & Wiskott 2016, "How
to Center Deep Boltzmann Machines"; the settings are those of Hinton 2010, "A Practical Guide to Training Restricted
Boltzmann Machines".
"""

from functools import partial
from typing import Annotated, Literal, NamedTuple

import torch
from pydantic import Field
from torch import nn

from sandbox.config.base import Config, unnamed_is
from sandbox.config.numbers import NonNegative, NumChains, Positive, Repeats
from sandbox.config.schedules import Linear
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.ops import boltzmann
from sandbox.ops.boltzmann import RBMParameters
from sandbox.ops.units import (
    BERNOULLI,
    GAUSSIAN,
    Units,
    bernoulli_by_thresholds,
    sample_bernoulli,
    thresholds_of_16_bits,
)


class PersistentChains(Config):
    """Persistent contrastive divergence (PCD): Markov chains that go on from one update to the next."""

    name: Literal["persistent"] = "persistent"
    count: NumChains = Field(100, description="number of chains, independent of the batch size")
    steps: Repeats = Field(1, description="Gibbs sweeps of each update")


class ContrastiveDivergence(Config):
    """Contrastive divergence (CD-k): Markov chains that start at the data in each update."""

    name: Literal["contrastive"] = "contrastive"
    steps: Repeats = Field(1, description="Gibbs sweeps from the data, k")


Chains = Annotated[PersistentChains | ContrastiveDivergence, Field(discriminator="name"), unnamed_is("persistent")]


class RBMTraining(Config):
    """Stochastic gradient ascent on the log-likelihood of a restricted Boltzmann machine."""

    chains: Chains = Field(PersistentChains(), description="Markov chains of the negative phase")
    lr: Linear = Field(Linear(start=0.05, end=0.0, steps=20_000), description="learning rate, by update")
    momentum: Linear = Field(Linear(start=0.5, end=0.9, steps=1_000), description="momentum, by update")
    weight_decay: NonNegative = Field(0.0, description="L2 decay of the weights; biases do not decay")
    centering: float = Field(
        0.0, ge=0.0, le=1.0, description="rate at which the units' offsets follow the data's means; 0: no centering"
    )


class BernoulliUnits(Config):
    """Binary units, for black-and-white images."""

    name: Literal["bernoulli"] = "bernoulli"

    def units(self) -> Units:
        return BERNOULLI

    def scale(self) -> float:
        return 1.0


class GaussianUnits(Config):
    """Real-valued units, for gray images: a pixel is the unit's value times `std`."""

    name: Literal["gaussian"] = "gaussian"
    std: Positive = Field(0.3, description="standard deviation of a pixel in [0, 1], given the hidden units")

    def units(self) -> Units:
        return GAUSSIAN

    def scale(self) -> float:
        return self.std


VisibleUnits = Annotated[BernoulliUnits | GaussianUnits, Field(discriminator="name"), unnamed_is("bernoulli")]


class InputScales(NamedTuple):
    """Factors of the inputs to the hidden and to the visible units during training.

    In a stack that becomes a deep Boltzmann machine, 2 stands in for the missing input from the other neighbor
    (Salakhutdinov & Hinton 2009, "Deep Boltzmann Machines").
    """

    hidden: float = 1.0
    visible: float = 1.0


UNSCALED = InputScales()


class Phases(NamedTuple):
    """Visible states [B + C, V] and hidden probabilities [B + C, H]: B = `num_data` rows of data, C of the model."""

    visible: torch.Tensor
    hidden: torch.Tensor
    num_data: int


class RBMLayer(nn.Module):
    """A restricted Boltzmann machine whose weights W [V, H] and hidden biases are those of a linear layer.

    The machine itself has the visible biases, the velocities and the Markov chains, as buffers, since the gradient
    needs no autograd. Visible states are floats [B, V], hidden units are binary.
    """

    chains: torch.Tensor
    visible_bias: torch.Tensor
    visible_offset: torch.Tensor
    hidden_offset: torch.Tensor

    def __init__(
        self,
        coupled: nn.Linear,
        training: RBMTraining,
        units: Units,
        rng: Rng,
        name: str,
        compute: Compute,
        input_scales: InputScales = UNSCALED,
        connections: torch.Tensor | None = None,
    ) -> None:
        """Initialize the linear layer, and build the rest.

        Args:
            coupled: The linear layer V -> H, on the device; its owner saves it.
            training: Options of the machine's training.
            units: Kind of the visible units.
            rng: The run's random streams.
            name: Prefix of its random streams.
            compute: Device and precision.
            input_scales: Factors of the inputs of both sides.
            connections: [V, H] of 1, and 0 for weights that are 0 and stay so; None connects all units.
        """
        super().__init__()
        self._coupled = (coupled,)  # in a tuple, since its owner saves it
        self._training, self._units, self._input_scales = training, units, input_scales
        self._dtype = torch.bfloat16 if compute.bf16 else torch.float32
        self._processes = compute.processes
        self._connections = None if connections is None else connections.to(compute.device)
        with rng.initializing(name):
            self._initialize(coupled.in_features, coupled.out_features)
        self.to(compute.device)
        self._generator = rng.torch(f"{name}/gibbs", compute.device)

    def _initialize(self, visible: int, hidden: int) -> None:
        chains = self._training.chains
        count = chains.count if isinstance(chains, PersistentChains) else 0
        self.weight.copy_(torch.zeros(visible, hidden).normal_(std=0.01))
        self.hidden_bias.zero_()
        self.register_buffer("visible_bias", torch.zeros(visible))
        self.register_buffer("weight_velocity", torch.zeros(hidden, visible).T)
        self.register_buffer("visible_bias_velocity", torch.zeros(visible))
        self.register_buffer("hidden_bias_velocity", torch.zeros(hidden))
        self.register_buffer("visible_offset", torch.zeros(visible))
        self.register_buffer("hidden_offset", torch.zeros(hidden))
        self.register_buffer("chains", torch.randint(2, (count, hidden)).to(self._dtype))

    @property
    def weight(self) -> torch.Tensor:
        """W [V, H], a view of the linear layer's, which is stored transposed."""
        return self._coupled[0].weight.detach().T

    @property
    def hidden_bias(self) -> torch.Tensor:
        """The linear layer's biases [H], without a gradient."""
        return self._coupled[0].bias.detach()

    def rbm(self) -> RBMParameters:
        """Return the weights and biases themselves, not copies."""
        return RBMParameters(self.weight, self.visible_bias, self.hidden_bias)

    def start(self, v: torch.Tensor) -> None:
        """Set the visible biases so that the units have the means of the first batch [B, V]; initialize the offsets."""
        (mean,) = self._processes.reduce([v.mean(0)], "mean")
        self.rbm().visible_bias.copy_(self._units.bias(mean, len(v) * self._processes.count))
        if self._training.centering:
            self.visible_offset.copy_(mean)
            self.hidden_offset.fill_(0.5)

    def start_from(self, rbm: RBMParameters) -> None:
        """Copy the weights and biases of another machine."""
        for parameter, value in zip(self.rbm(), rbm, strict=True):
            parameter.copy_(value)

    def restart_chains(self, h: torch.Tensor) -> None:
        """Let the persistent chains go on from hidden states [B, H], repeated if there are fewer of them."""
        self.chains.copy_(h[torch.arange(len(self.chains), device=h.device) % len(h)])

    def starting_states(self, count: int, generator: torch.Generator) -> torch.Tensor:
        """Return hidden states [count, H] for samples to start from: those of the persistent chains, or noise."""
        chains = self.chains.float()
        if not len(chains):
            halves = torch.full((count, len(self.hidden_bias)), 0.5, device=self.hidden_bias.device)
            chains = sample_bernoulli(halves, generator)
        return chains[torch.arange(count, device=chains.device) % len(chains)]

    def hidden_means(self, v: torch.Tensor) -> torch.Tensor:
        """Return p(h = 1 | v) with the input scales of training, [B, V] -> [B, H]."""
        return self._hidden_probabilities(v.to(self._dtype), self.weight.to(self._dtype))

    def visible_means(self, h: torch.Tensor) -> torch.Tensor:
        """Return the means of v given h with the input scales of training, [B, H] -> [B, V]."""
        return self._units.mean(self._visible_inputs(h.to(self._dtype), self.weight.to(self._dtype)))

    def measure(self, v: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the mean squared error of a reconstructed unit, and the mean probability of the hidden units."""
        h = boltzmann.hidden_probabilities(self.rbm(), v)
        error = (v - boltzmann.visible_means(self.rbm(), h, self._units)).square().mean()
        return {"reconstruction_error": error, "hidden_on": h.mean()}

    def learn(self, v: torch.Tensor, update: int) -> None:
        """Take one step up the log-likelihood of v [B, V], with the rates of update number `update`."""
        self.step(self.gradient(self.phases(v)), update)

    def phases(self, v: torch.Tensor) -> Phases:
        """Return the positive phase, of the data v [B, V], and the negative phase, of the Markov chains, which move."""
        weight, v = self.weight.to(self._dtype), v.to(self._dtype)
        persistent = len(self.chains) > 0
        h = self._processes.rows(self.chains) if persistent else self._sample(self._hidden_probabilities(v, weight))
        model = self._sample_visible(h, weight)
        for _ in range(self._training.chains.steps - 1):
            model = self._sample_visible(self._sample(self._hidden_probabilities(model, weight)), weight)
        both = torch.cat([v, model])
        p = self._hidden_probabilities(both, weight)  # of both phases in one product
        if persistent:
            self.chains = self._processes.gather(self._sample(p[len(v) :]))
        return Phases(both, p, len(v))

    def gradient(self, phases: Phases) -> RBMParameters:
        """Estimate the gradient of the log-likelihood; with centering, update the offsets and center the gradient."""
        gradient = RBMParameters(*self._processes.reduce(boltzmann.gradient(*phases)))
        if self._training.centering:
            v, p = phases.visible[: phases.num_data], phases.hidden[: phases.num_data]
            v_mean, p_mean = self._processes.reduce([v.float().mean(0), p.mean(0)], "mean")
            self.visible_offset.lerp_(v_mean, self._training.centering)
            self.hidden_offset.lerp_(p_mean, self._training.centering)
            gradient = boltzmann.centered_gradient(gradient, self.visible_offset, self.hidden_offset)
        return gradient

    def step(self, gradient: RBMParameters, update: int) -> None:
        """Take a step along the gradient with weight decay and momentum; changes `gradient.weight` in place."""
        if self._training.weight_decay:
            gradient.weight.sub_(self.weight, alpha=self._training.weight_decay)
        if self._connections is not None:
            gradient.weight.mul_(self._connections)
        velocities = [self.get_buffer(f"{name}_velocity") for name in RBMParameters._fields]
        torch._foreach_mul_(velocities, self._training.momentum.at(update))
        torch._foreach_add_(velocities, list(gradient))
        torch._foreach_add_(list(self.rbm()), velocities, alpha=self._training.lr.at(update))

    def ascend(self, gradient: RBMParameters, lr: float) -> None:
        """Take a plain step of size `lr` along a gradient."""
        torch._foreach_add_(list(self.rbm()), list(gradient), alpha=lr)

    def _sample(self, p: torch.Tensor) -> torch.Tensor:
        draw = partial(thresholds_of_16_bits, generator=self._generator)
        return bernoulli_by_thresholds(p, self._processes.drawn(draw, p.shape), self._dtype)

    def _sample_visible(self, h: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """Draw v given h, in the precision of the products."""
        x = self._visible_inputs(h, weight)
        if self._units is BERNOULLI:
            return self._sample(x.sigmoid_())
        mean = self._units.mean(x)

        def draw(shape: tuple[int, ...]) -> torch.Tensor:
            return self._units.sample(mean.repeat(shape[0] // len(mean), 1), self._generator)

        return self._processes.drawn(draw, mean.shape).to(self._dtype)

    def _hidden_probabilities(self, v: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        inputs = _scaled(v @ weight, self._input_scales.hidden)
        return inputs.add_(self.hidden_bias).sigmoid_()

    def _visible_inputs(self, h: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return _scaled(h @ weight.T, self._input_scales.visible).add_(self.visible_bias)


def _scaled(x: torch.Tensor, scale: float) -> torch.Tensor:
    x = x.float()
    return x if scale == 1 else x.mul_(scale)
