"""Layers of a belief net with generative and recognition weights, trained by wake-sleep.

Paper: Hinton, Dayan, Frey & Neal 1995, "The Wake-Sleep Algorithm for Unsupervised Neural Networks".
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from sandbox.ops import belief
from sandbox.ops.belief import SigmoidLayer
from sandbox.ops.boltzmann import RBMParameters
from sandbox.ops.units import sample_bernoulli


class BeliefLayer(nn.Module):
    """V lower and H upper binary units, with weights and biases for both directions.

    All of them are buffers, since wake-sleep needs no autograd.
    """

    def __init__(self, visible: int, hidden: int) -> None:
        """Draw the weights from N(0, 0.01^2) by PyTorch's global generator."""
        super().__init__()
        shapes = {"recognition": (visible, hidden), "generation": (hidden, visible)}
        for name, (inputs, outputs) in shapes.items():
            self.register_buffer(f"{name}_weight", torch.randn(inputs, outputs) * 0.01)
            self.register_buffer(f"{name}_bias", torch.zeros(outputs))

    @property
    def recognition(self) -> SigmoidLayer:
        """q(h | v)."""
        return SigmoidLayer(self.get_buffer("recognition_weight"), self.get_buffer("recognition_bias"))

    @property
    def generation(self) -> SigmoidLayer:
        """p(v | h)."""
        return SigmoidLayer(self.get_buffer("generation_weight"), self.get_buffer("generation_bias"))

    def copy_from(self, rbm: RBMParameters) -> None:
        """Copy the weights of a restricted Boltzmann machine to both directions, which are untied from then on."""
        self.recognition.weight.copy_(rbm.weight)
        self.recognition.bias.copy_(rbm.hidden_bias)
        self.generation.weight.copy_(rbm.weight.T)
        self.generation.bias.copy_(rbm.visible_bias)


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
