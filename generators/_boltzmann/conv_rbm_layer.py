"""A convolutional restricted Boltzmann machine with its training, for `conv_rbm` and as a layer of `conv_dbn`.

Its weights are those of a convolution of a backbone.

Papers: Lee, Grosse, Ranganath & Ng 2009, "Convolutional Deep Belief Networks for Scalable Unsupervised Learning of
Hierarchical Representations"; for the sparsity, Lee, Ekanadham & Ng 2008, "Sparse deep belief net model for visual area
V2".
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from pydantic import Field
from torch import nn

from sandbox.config.base import Config
from sandbox.config.numbers import NonNegative
from sandbox.config.schedules import Linear
from sandbox.core.rng import Rng
from sandbox.generators._boltzmann.rbm_layer import Chains, ContrastiveDivergence, PersistentChains
from sandbox.networks.base import PooledConvolution
from sandbox.ops import convolutional_boltzmann as ops
from sandbox.ops.convolutional_boltzmann import ConvRBMGradient, ConvRBMParameters
from sandbox.ops.units import Units

_MEAN_FIELD_STEPS = 10  # between visible units and the positions within blocks


class Sparsity(Config):
    """Sparse hidden units: the bias of each map moves the mean probability of its units towards a target."""

    target: float = Field(0.02, gt=0, lt=1, description="desired mean probability of a detection unit")
    cost: NonNegative = Field(5.0, description="weight of the sparsity, relative to the log-likelihood per position")


class ConvRBMTraining(Config):
    """Stochastic gradient ascent on the log-likelihood of a convolutional restricted Boltzmann machine."""

    chains: Chains = Field(ContrastiveDivergence(), description="Markov chains of the negative phase")
    lr: Linear = Field(
        Linear(start=0.5, end=0.0, steps=5_000),
        description="learning rate, by update, for the gradient per position of a map",
    )
    momentum: Linear = Field(Linear(start=0.5, end=0.9, steps=1_000), description="momentum, by update")
    weight_decay: NonNegative = Field(0.0, description="L2 decay of the weights; biases do not decay")
    sparsity: Sparsity | None = Field(Sparsity(), description="sparsity of the hidden units; null: none")


class Phases(NamedTuple):
    """Visible states and detection probabilities of B + M images: B = `num_data` of data, M of the model."""

    visible: torch.Tensor
    detection: torch.Tensor
    num_data: int


class ConvRBMLayer(nn.Module):
    """A convolutional restricted Boltzmann machine whose weights and hidden biases are those of a convolution.

    The machine itself has the visible biases, the velocities and the Markov chains' visible states, as buffers, since
    the gradient needs no autograd. Visible states are floats [B, C, H, W].
    """

    chains: torch.Tensor
    visible_bias: torch.Tensor

    def __init__(
        self,
        coupled: PooledConvolution,
        shape: Sequence[int],
        training: ConvRBMTraining,
        units: Units,
        rng: Rng,
        name: str,
    ) -> None:
        """Initialize the convolution, and build the rest.

        Args:
            coupled: The convolution, on the device, with its pooling; its owner saves it.
            shape: Shape [C, H, W] of the visible states.
            training: Options of the machine's training.
            units: Kind of the visible units.
            rng: The run's random streams.
            name: Prefix of its random streams.
        """
        super().__init__()
        self._coupled = (coupled,)  # in a tuple, since its owner saves it
        self._training, self._units, self._shape = training, units, tuple(shape)
        convolution = coupled.convolution
        self._padding = int(convolution.padding[0])
        sides = [side + 2 * self._padding - convolution.kernel_size[0] + 1 for side in shape[1:]]
        self.pooled_shape = (convolution.out_channels, sides[0] // coupled.pool, sides[1] // coupled.pool)
        self._positions = sides[0] * sides[1]
        with rng.initializing(name):
            self._initialize(shape)
        self.to(convolution.weight.device)
        self._generator = rng.torch(f"{name}/gibbs", convolution.weight.device)

    @torch.no_grad()
    def _initialize(self, shape: Sequence[int]) -> None:
        chains, weight = self._training.chains, self._coupled[0].convolution.weight
        count = chains.count if isinstance(chains, PersistentChains) else 0
        weight.copy_(torch.zeros(weight.shape).normal_(std=0.01))
        self._bias.fill_(self._first_bias())
        self.register_buffer("visible_bias", torch.zeros(shape[0]))
        self.register_buffer("weight_velocity", torch.zeros(weight.shape))
        self.register_buffer("visible_bias_velocity", torch.zeros(shape[0]))
        self.register_buffer("hidden_bias_velocity", torch.zeros(len(weight)))
        self.register_buffer("chains", torch.randint(2, (count, *shape)).float())

    def _first_bias(self) -> float:
        """Return the hidden bias with which, without weights, the detection units have the target of the sparsity.

        A pooling unit is on with a probability of at most 1/2.
        """
        if self._training.sparsity is None:
            return 0.0
        block = self._coupled[0].pool ** 2
        pooling_on = min(block * self._training.sparsity.target, 0.5)
        return math.log(pooling_on / (1 - pooling_on) / block)

    @property
    def _bias(self) -> torch.Tensor:
        bias = self._coupled[0].convolution.bias
        assert bias is not None
        return bias.detach()

    def rbm(self) -> ConvRBMParameters:
        """Return the weights and biases themselves, not copies."""
        convolution, pool = self._coupled[0]
        return ConvRBMParameters(convolution.weight.detach(), self.visible_bias, self._bias, self._padding, pool)

    def start(self, v: torch.Tensor) -> None:
        """Set the visible biases so that the units have the means of their channels over the first batch."""
        pixels = v.numel() // v.shape[1]
        self.visible_bias.copy_(self._units.bias(v.mean((0, 2, 3)), pixels))

    def pooled_means(self, v: torch.Tensor) -> torch.Tensor:
        """Return the probability that each pooling unit is on, given v: [B, K, H' / P, W' / P]."""
        rbm = self.rbm()
        return ops.pooling_probabilities(ops.detection_inputs(rbm, v), rbm.pool)

    def visible_means(self, pooled: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        """Return the means of v given means of the pooling units; v itself decides which unit of a block is on."""
        rbm = self.rbm()
        h = ops.spread(pooled, rbm.pool) * ops.positions(ops.detection_inputs(rbm, v), rbm.pool)
        return ops.visible_means(rbm, h, self._units)

    def decode(self, pooled: torch.Tensor) -> torch.Tensor:
        """Return the means of v given means of the pooling units alone, by mean field of v and the positions."""
        rbm = self.rbm()
        v = ops.visible_means(rbm, ops.spread(pooled, rbm.pool) / rbm.pool**2, self._units)
        for _ in range(_MEAN_FIELD_STEPS):
            v = self.visible_means(pooled, v)
        return v

    def measure(self, v: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the mean squared error of a reconstructed visible unit, and the mean of the detection units."""
        rbm = self.rbm()
        p = ops.detection_probabilities(ops.detection_inputs(rbm, v), rbm.pool)
        error = (v - ops.visible_means(rbm, p, self._units)).square().mean()
        return {"reconstruction_error": error, "hidden_on": p.mean()}

    def starting_states(self, count: int, generator: torch.Generator) -> torch.Tensor:
        """Return visible states for samples to start from: those of the persistent chains, or `noise`."""
        if len(self.chains):
            return self.chains[torch.arange(count, device=self.chains.device) % len(self.chains)]
        return self.noise(count, generator)

    def noise(self, count: int, generator: torch.Generator) -> torch.Tensor:
        """Draw visible states from the visible biases alone, without the hidden units, [count, C, H, W]."""
        means = self._units.mean(self.visible_bias[:, None, None].expand(count, *self._shape))
        return self._units.sample(means, generator)

    def learn(self, v: torch.Tensor, update: int) -> None:
        """Take one step up the log-likelihood of v, with the rates of update number `update`."""
        self.step(self.gradient(self.phases(v)), update)

    def phases(self, v: torch.Tensor) -> Phases:
        """Return the positive phase, of the data v, and the negative phase, of the Markov chains, which move."""
        rbm = self.rbm()
        persistent = len(self.chains) > 0
        _, model = ops.gibbs(
            rbm, self.chains if persistent else v, self._training.chains.steps, self._generator, self._units
        )
        if persistent:
            self.chains = model
        both = torch.cat([v, model])
        return Phases(both, ops.detection_probabilities(ops.detection_inputs(rbm, both), rbm.pool), len(v))

    def gradient(self, phases: Phases) -> ConvRBMGradient:
        """Estimate the gradient of the log-likelihood of a position, with the sparsity of the hidden units."""
        gradient = ops.gradient(self.rbm(), *phases)
        weight, visible_bias, hidden_bias = (part / self._positions for part in gradient)
        if self._training.sparsity is not None:
            means = phases.detection[: phases.num_data].mean((0, 2, 3))
            hidden_bias = hidden_bias + self._training.sparsity.cost * (self._training.sparsity.target - means)
        return ConvRBMGradient(weight, visible_bias, hidden_bias)

    def step(self, gradient: ConvRBMGradient, update: int) -> None:
        """Take a step along the gradient with weight decay and momentum; changes `gradient.weight` in place."""
        parameters = list(self.rbm()[:3])
        if self._training.weight_decay:
            gradient.weight.sub_(parameters[0], alpha=self._training.weight_decay)
        velocities = [self.get_buffer(f"{name}_velocity") for name in ConvRBMGradient._fields]
        torch._foreach_mul_(velocities, self._training.momentum.at(update))
        torch._foreach_add_(velocities, list(gradient))
        torch._foreach_add_(parameters, velocities, alpha=self._training.lr.at(update))
