"""How an agent comes to try what it does not think best: by epsilon, or by noise in its head's layers."""

from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat
from torch import nn

from sandbox.config.base import Config, unnamed_is
from sandbox.config.schedules import Linear, LinearProbability
from sandbox.networks.heads.noisy import NoisyLinear, PlainLinear


class Noisy(Config):
    """Noisy layers (Fortunato et al. 2018), whose noise starts at `sigma` / sqrt(inputs); no epsilon."""

    name: Literal["noisy"] = "noisy"
    sigma: NonNegativeFloat = 0.5

    def layer(self, inputs: int, outputs: int) -> nn.Module:
        return NoisyLinear(inputs, outputs, self.sigma)

    def at(self, step: int) -> float:
        return 0.0


class EpsilonGreedy(Config):
    """A random action with probability `epsilon`, which counts agent steps; plain layers."""

    name: Literal["epsilon_greedy"] = "epsilon_greedy"
    epsilon: LinearProbability = Linear(start=1.0, end=0.1, steps=1_000_000)

    def layer(self, inputs: int, outputs: int) -> nn.Module:
        return PlainLinear(inputs, outputs)

    def at(self, step: int) -> float:
        return self.epsilon.at(step)


Exploration = Annotated[Noisy | EpsilonGreedy, Field(discriminator="name"), unnamed_is("noisy")]
