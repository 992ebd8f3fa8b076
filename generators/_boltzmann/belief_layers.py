"""Two neighbouring layers of a belief net: how the upper one makes the lower one, and how it is recognised from it.

Paper: Hinton, Dayan, Frey & Neal 1995, "The Wake-Sleep Algorithm for Unsupervised Neural Networks".
"""

from collections.abc import Sequence

import torch
from torch import nn

from sandbox.ops import belief
from sandbox.ops.belief import Arrow
from sandbox.ops.units import draw


class Directed(nn.Module):
    """V lower and H upper units, 0 or 1; weights and biases of both directions, all buffers: there is no tape."""

    def __init__(self, visible: int, hidden: int) -> None:
        """Weights from PyTorch's global generator, N(0, 0.01^2)."""
        super().__init__()
        shapes = {"recognition": (visible, hidden), "generation": (hidden, visible)}
        for name, (x, y) in shapes.items():
            self.register_buffer(f"{name}_weight", torch.randn(x, y) * 0.01)
            self.register_buffer(f"{name}_bias", torch.zeros(y))

    @property
    def recognition(self) -> Arrow:
        """q(h | v)."""
        return Arrow(self.get_buffer("recognition_weight"), self.get_buffer("recognition_bias"))

    @property
    def generation(self) -> Arrow:
        """p(v | h)."""
        return Arrow(self.get_buffer("generation_weight"), self.get_buffer("generation_bias"))


def recognise(layers: Sequence[Directed], v: torch.Tensor, generator: torch.Generator) -> list[torch.Tensor]:
    """States of all layers, bottom to top, v the first."""
    states = [v]
    for layer in layers:
        states.append(draw(belief.probabilities(layer.recognition, states[-1]), generator))
    return states


def generate(layers: Sequence[Directed], h: torch.Tensor, generator: torch.Generator) -> list[torch.Tensor]:
    """States of all layers, bottom to top, h the last."""
    states = [h]
    for layer in reversed(layers):
        states.append(draw(belief.probabilities(layer.generation, states[-1]), generator))
    return states[::-1]


def means(layers: Sequence[Directed], h: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """p(v = 1) of the lowest layer, given states of those between that are drawn from h downwards."""
    if not layers:
        return h
    return belief.probabilities(layers[0].generation, generate(layers[1:], h, generator)[0])


def log_weights(layers: Sequence[Directed], states: Sequence[torch.Tensor]) -> torch.Tensor:
    """sum over layers of log p(lower | upper) - log q(upper | lower), nats [B].

    With the log of what the top layer weighs added, and states from q, the mean is the lower bound on log p(v) (with
    the entropy of q in it), and the mean of the exponential is p(v).
    """
    total = torch.zeros(len(states[0]), device=states[0].device)
    for layer, below, above in zip(layers, states, states[1:], strict=False):
        total += belief.log_prob(layer.generation, above, below) - belief.log_prob(layer.recognition, below, above)
    return total


def wake(layers: Sequence[Directed], states: Sequence[torch.Tensor], lr: float) -> None:
    """Generation learns to make what was recognised."""
    for layer, below, above in zip(layers, states, states[1:], strict=False):
        _step(layer.generation, above, below, lr)


def sleep(layers: Sequence[Directed], states: Sequence[torch.Tensor], lr: float) -> None:
    """Recognition learns to tell what was made of what."""
    for layer, below, above in zip(layers, states, states[1:], strict=False):
        _step(layer.recognition, below, above, lr)


def _step(arrow: Arrow, x: torch.Tensor, y: torch.Tensor, lr: float) -> None:
    torch._foreach_add_(list(arrow), list(belief.delta(arrow, x, y)), alpha=lr)
