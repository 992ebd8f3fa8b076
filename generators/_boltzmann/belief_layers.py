"""Layers of a belief net with generative and recognition weights, trained by wake-sleep.

Paper: Hinton, Dayan, Frey & Neal 1995, "The Wake-Sleep Algorithm for Unsupervised Neural Networks".
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from pydantic import Field
from torch import nn

from sandbox.config.base import Config
from sandbox.config.numbers import Steps
from sandbox.config.schedules import Linear
from sandbox.generators._boltzmann.rbm_layer import Chains, ContrastiveDivergence
from sandbox.ops import belief
from sandbox.ops.belief import SigmoidLayer
from sandbox.ops.boltzmann import RBMParameters
from sandbox.ops.units import sample_bernoulli


class UpDown(Config):
    """The up-down algorithm, a contrastive version of wake-sleep that fine-tunes all layers together."""

    steps: Steps = Field(10_000, description="updates by the up-down algorithm")
    chains: Chains = Field(
        ContrastiveDivergence(steps=3), description="Markov chains of the top machine between the two passes"
    )
    lr: Linear = Field(Linear(start=0.01, end=0.0, steps=10_000), description="learning rate, by update of this stage")


class BeliefLayer(nn.Module):
    """V lower and H upper binary units, with weights and biases for both directions.

    Those upwards are a linear layer of a backbone, which saves them. Wake-sleep needs no autograd.
    """

    def __init__(self, coupled: nn.Linear) -> None:
        """Draw the weights of both directions from N(0, 0.01^2) by PyTorch's global generator; biases are 0.

        Args:
            coupled: The linear layer V -> H.
        """
        super().__init__()
        self._upwards = (coupled,)  # in a tuple, since its owner saves it
        empty = nn.Linear(coupled.out_features, coupled.in_features, device="meta")  # which draws no random numbers
        self._downwards = empty.to_empty(device=coupled.weight.device)
        for weight, bias in (self.recognition, self.generation):
            weight.copy_(torch.randn(weight.shape) * 0.01)
            bias.zero_()

    @property
    def recognition(self) -> SigmoidLayer:
        """q(h | v)."""
        return _as_sigmoid_layer(self._upwards[0])

    @property
    def generation(self) -> SigmoidLayer:
        """p(v | h)."""
        return _as_sigmoid_layer(self._downwards)

    def start_from(self, rbm: RBMParameters) -> None:
        """Copy the weights of a restricted Boltzmann machine downwards; those upwards are its own."""
        self.generation.weight.copy_(rbm.weight.T)
        self.generation.bias.copy_(rbm.visible_bias)


def _as_sigmoid_layer(linear: nn.Linear) -> SigmoidLayer:
    """Return the weights and biases themselves, without a gradient."""
    return SigmoidLayer(linear.weight.detach().T, linear.bias.detach())


def recognize(layers: Sequence[BeliefLayer], v: torch.Tensor, generator: torch.Generator) -> list[torch.Tensor]:
    """Sample the states of all layers upwards from v; return them lowest first, v included."""
    states = [v]
    for layer in layers:
        states.append(sample_bernoulli(belief.probabilities(layer.recognition, states[-1]), generator))
    return states


def generate(layers: Sequence[BeliefLayer], h: torch.Tensor, generator: torch.Generator) -> list[torch.Tensor]:
    """Sample the states of all layers downwards from h; return them lowest first, h included."""
    states = [h]
    for layer in reversed(layers):
        states.append(sample_bernoulli(belief.probabilities(layer.generation, states[-1]), generator))
    return states[::-1]


def visible_means(layers: Sequence[BeliefLayer], h: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Return p(v = 1) of the lowest layer, given h and samples of the layers in between; h itself without layers."""
    if not layers:
        return h
    return belief.probabilities(layers[0].generation, generate(layers[1:], h, generator)[0])


def log_weights(layers: Sequence[BeliefLayer], states: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return the sum over layers of log p(lower | upper) - log q(upper | lower), nats [B].

    Add log p of the top layer. With states from q the mean is then the lower bound on log p(v), and the mean of the
    exponential is p(v).
    """
    total = torch.zeros(len(states[0]), device=states[0].device)
    for layer, (below, above) in zip(layers, pairwise(states), strict=True):
        total += belief.log_prob(layer.generation, above, below) - belief.log_prob(layer.recognition, below, above)
    return total


def wake_step(layers: Sequence[BeliefLayer], states: Sequence[torch.Tensor], lr: float) -> None:
    """Train the generative weights to reproduce each layer from the recognized layer above."""
    for layer, (below, above) in zip(layers, pairwise(states), strict=True):
        _delta_rule_step(layer.generation, above, below, lr)


def sleep_step(layers: Sequence[BeliefLayer], states: Sequence[torch.Tensor], lr: float) -> None:
    """Train the recognition weights to recover each layer from the generated layer below."""
    for layer, (below, above) in zip(layers, pairwise(states), strict=True):
        _delta_rule_step(layer.recognition, below, above, lr)


def _delta_rule_step(layer: SigmoidLayer, x: torch.Tensor, y: torch.Tensor, lr: float) -> None:
    """Change the weights in place, so that y [B, outputs] becomes more probable given x [B, inputs]."""
    torch._foreach_add_(list(layer), list(belief.delta_rule(layer, x, y)), alpha=lr)
