"""A restricted Boltzmann machine as it learns: what `rbm` is, and what deeper machines are stacked from.

Papers: Hinton 2002, "Training Products of Experts by Minimizing Contrastive Divergence"; Tieleman 2008, "Training
Restricted Boltzmann Machines using Approximations to the Likelihood Gradient"; Melchior, Fischer & Wiskott 2016, "How
to Center Deep Boltzmann Machines"; the settings are those of Hinton 2010, "A Practical Guide to Training Restricted
Boltzmann Machines".
"""

from typing import Annotated, Any, Literal

import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt
from torch import nn

from sandbox.config.base import Config, unnamed_is
from sandbox.config.schedules import Linear
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.ops import boltzmann
from sandbox.ops.boltzmann import Machine
from sandbox.ops.units import BERNOULLI, GAUSSIAN, Units, draw_quickly

MEASURED_EVERY = 100  # updates; in between the log repeats what was measured, which costs more than an update


class Persistent(Config):
    """PCD: `count` chains of their own, which go on `steps` sweeps an update, whatever the batch's size."""

    name: Literal["persistent"] = "persistent"
    count: PositiveInt = 100
    steps: PositiveInt = 1


class Contrastive(Config):
    """CD-k: chains that start at the data and go `steps` sweeps."""

    name: Literal["contrastive"] = "contrastive"
    steps: PositiveInt = 1


Chains = Annotated[Persistent | Contrastive, Field(discriminator="name"), unnamed_is("persistent")]


class Learning(Config):
    """How a machine follows the gradient of the likelihood, an update a batch.

    `centering`: how fast the offsets of the units follow the data's means, an update (0: they stay 0, the plain
    gradient); `weight_decay` spares the biases.
    """

    chains: Chains = Persistent()
    lr: Linear = Linear(start=0.05, end=0.0, steps=20_000)
    momentum: Linear = Linear(start=0.5, end=0.9, steps=1_000)
    weight_decay: NonNegativeFloat = 0.0
    centering: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0


class BernoulliUnits(Config):
    """Units of 0 and 1, for images in black and white."""

    name: Literal["bernoulli"] = "bernoulli"

    def units(self) -> Units:
        return BERNOULLI

    def scale(self) -> float:
        return 1.0


class GaussianUnits(Config):
    """Real units, for images in grey: a pixel is the unit's value times `std`, the noise of pixels in [0, 1]."""

    name: Literal["gaussian"] = "gaussian"
    std: PositiveFloat = 0.3

    def units(self) -> Units:
        return GAUSSIAN

    def scale(self) -> float:
        return self.std


Visible = Annotated[BernoulliUnits | GaussianUnits, Field(discriminator="name"), unnamed_is("bernoulli")]


class Measured:
    """The metrics measured last, with a place in the checkpoint: updates in between repeat them."""

    def __init__(self) -> None:
        self.values: dict[str, torch.Tensor] = {}

    def state_dict(self) -> dict[str, Any]:
        return dict(self.values)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.values = dict(state)


class Layer(nn.Module):
    """Weights [V, H] and biases, all buffers: there is no tape. Inputs are floats [B, V], hidden units 0 or 1.

    `up` and `down` multiply the inputs that each side gets from the other, while it learns: in a deep machine the
    other neighbour's share is made up for (Salakhutdinov & Hinton 2009). `connected` [V, H] of 0 and 1: weights that
    are 0 and stay so have 0.
    """

    weight: torch.Tensor
    chains: torch.Tensor
    visible_offset: torch.Tensor
    hidden_offset: torch.Tensor

    def __init__(
        self, sizes: tuple[int, int], learning: Learning, units: Units, rng: Rng, name: str, compute: Compute
    ) -> None:
        """`sizes`: V and H; `name`: of its generators of randomness."""
        super().__init__()
        self._learning, self._units, self._device = learning, units, compute.device
        self._dtype = torch.bfloat16 if compute.bf16 else torch.float32
        self.up, self.down = 1.0, 1.0
        self.connected: torch.Tensor | None = None
        with rng.initializing(name):
            self._make_buffers(*sizes)
        self.to(compute.device)
        self._generator = rng.torch(f"{name}/gibbs", compute.device)

    def _make_buffers(self, visible: int, hidden: int) -> None:
        count = self._learning.chains.count if isinstance(self._learning.chains, Persistent) else 0
        shapes = {"weight": (visible, hidden), "visible_bias": (visible,), "hidden_bias": (hidden,)}
        for name, shape in shapes.items():
            self.register_buffer(name, torch.zeros(shape))
            self.register_buffer(f"{name}_velocity", torch.zeros(shape))
        self.weight.normal_(std=0.01)
        self.register_buffer("visible_offset", torch.zeros(visible))
        self.register_buffer("hidden_offset", torch.zeros(hidden))
        self.register_buffer("chains", torch.randint(2, (count, hidden)).to(self._dtype))

    def machine(self) -> Machine:
        return Machine(*(self.get_buffer(name) for name in Machine._fields))

    def start(self, v: torch.Tensor) -> None:
        """Look at the first batch: visible units start at its means, offsets too."""
        machine, mean = self.machine(), v.mean(0)
        machine.visible_bias.copy_(self._units.bias(mean, len(v)))
        if self._learning.centering:
            self.visible_offset.copy_(mean)
            self.hidden_offset.fill_(0.5)

    def up_means(self, v: torch.Tensor) -> torch.Tensor:
        """p(h = 1 | v) as it learns them, [B, V] -> [B, H]."""
        return self._hidden(v.to(self._dtype), self.weight.to(self._dtype))

    def down_means(self, h: torch.Tensor) -> torch.Tensor:
        """Means of v given h, [B, H] -> [B, V]."""
        return self._units.mean(self._inputs(h.to(self._dtype), self.weight.to(self._dtype)))

    def learn(self, v: torch.Tensor, update: int) -> None:
        """One step up the likelihood of v [B, V], with the rates of update number `update`."""
        learning, weight, count = self._learning, self.weight.to(self._dtype), len(v)
        v = v.to(self._dtype)
        h = self.chains if len(self.chains) else self._draw(self._hidden(v, weight))
        model = self._visible(h, weight)
        for _ in range(learning.chains.steps - 1):
            model = self._visible(self._draw(self._hidden(model, weight)), weight)
        both = torch.cat([v, model])
        p = self._hidden(both, weight)
        if len(self.chains):
            self.chains = self._draw(p[count:])
        self._step(boltzmann.gradient(both, p, count), v.float().mean(0), p[:count].mean(0), update)

    def _step(self, gradient: Machine, visible_mean: torch.Tensor, hidden_mean: torch.Tensor, update: int) -> None:
        learning = self._learning
        if learning.centering:
            self.visible_offset.lerp_(visible_mean, learning.centering)
            self.hidden_offset.lerp_(hidden_mean, learning.centering)
            gradient = boltzmann.centred(gradient, self.visible_offset, self.hidden_offset)
        if learning.weight_decay:
            gradient.weight.sub_(self.weight, alpha=learning.weight_decay)
        if self.connected is not None:
            gradient.weight.mul_(self.connected)
        velocities = [self.get_buffer(f"{name}_velocity") for name in Machine._fields]
        torch._foreach_mul_(velocities, learning.momentum.at(update))
        torch._foreach_add_(velocities, list(gradient))
        torch._foreach_add_(list(self.machine()), velocities, alpha=learning.lr.at(update))

    def _draw(self, p: torch.Tensor) -> torch.Tensor:
        return draw_quickly(p, self._generator, self._dtype)

    def _hidden(self, v: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """p(h = 1 | v), [B, H]."""
        return _scaled(v @ weight, self.up).add_(self.get_buffer("hidden_bias")).sigmoid_()

    def _inputs(self, h: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return _scaled(h @ weight.T, self.down).add_(self.get_buffer("visible_bias"))

    def _visible(self, h: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """A sample given h, in the precision of products."""
        x = self._inputs(h, weight)
        if self._units is BERNOULLI:
            return self._draw(x.sigmoid_())
        return self._units.draw(self._units.mean(x), self._generator).to(self._dtype)


def _scaled(x: torch.Tensor, by: float) -> torch.Tensor:
    x = x.float()
    return x if by == 1 else x.mul_(by)
