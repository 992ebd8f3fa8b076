"""Exploration by epsilon-greedy actions, or by noisy layers in the head."""

from typing import Annotated, Literal

from pydantic import Field
from torch import nn

from sandbox.config.base import Config, unnamed_is
from sandbox.config.numbers import NonNegative
from sandbox.config.schedules import Linear, LinearProbability
from sandbox.networks.heads.noisy import NoisyLinear, PlainLinear


class Noisy(Config):
    """Noisy layers (Fortunato et al. 2018), without random actions."""

    name: Literal["noisy"] = "noisy"
    sigma: NonNegative = Field(default=0.5, description="the noise of a layer begins with sigma / sqrt(inputs)")

    def layer(self, inputs: int, outputs: int) -> nn.Module:
        """Build a linear layer of the head."""
        return NoisyLinear(inputs, outputs, self.sigma)

    def schedule(self) -> Linear:
        """Return the schedule of epsilon: always 0."""
        return Linear(start=0.0, end=0.0)


class EpsilonGreedy(Config):
    """Random actions, with plain layers."""

    name: Literal["epsilon_greedy"] = "epsilon_greedy"
    epsilon: LinearProbability = Field(
        default=Linear(start=1.0, end=0.1, steps=1_000_000),
        description="probability of a random action, by agent steps",
    )

    def layer(self, inputs: int, outputs: int) -> nn.Module:
        """Build a linear layer of the head."""
        return PlainLinear(inputs, outputs)

    def schedule(self) -> Linear:
        """Return the schedule of epsilon."""
        return self.epsilon


NoisyOrEpsilonGreedy = Annotated[Noisy | EpsilonGreedy, Field(discriminator="name"), unnamed_is("noisy")]
