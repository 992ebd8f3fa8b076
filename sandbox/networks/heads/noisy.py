"""Linear layers with noisy weights: the network explores by itself, and learns how much.

Paper: Fortunato et al. 2018, "Noisy Networks for Exploration", with factorised Gaussian noise.
Deviations: none. The noise is multiplied into inputs and outputs, which is the same and lets every row have its own.
"""

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional as F

Noise = Mapping[nn.Module, tuple[torch.Tensor, torch.Tensor]]  # f(e) of a layer's inputs and outputs, [(B,) size] each
SILENCE: Noise = {}


class NoisyLinear(nn.Module):
    """[B, inputs] and noise -> [B, outputs]; of a layer that the noise leaves out, the means.

    Weights are mean + sigma f(e_inputs) f(e_outputs) with e ~ N(0, 1), f(x) = sgn(x) sqrt|x|, biases mean + sigma
    f(e_outputs); every sigma starts at `sigma` / sqrt(inputs).
    """

    def __init__(self, inputs: int, outputs: int, sigma: float) -> None:
        super().__init__()
        self.mean = nn.Linear(inputs, outputs)  # it starts as in the paper: uniform within 1 / sqrt(inputs)
        self.weight_sigma = nn.Parameter(torch.full((outputs, inputs), sigma / inputs**0.5))
        self.bias_sigma = nn.Parameter(torch.full((outputs,), sigma / inputs**0.5))

    def forward(self, x: torch.Tensor, noise: Noise) -> torch.Tensor:
        if self not in noise:
            return self.mean(x)
        of_inputs, of_outputs = noise[self]
        return self.mean(x) + of_outputs * F.linear(x * of_inputs, self.weight_sigma, self.bias_sigma)


class PlainLinear(nn.Module):
    """[B, inputs] -> [B, outputs], whatever the noise."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, x: torch.Tensor, noise: Noise) -> torch.Tensor:
        return self.linear(x)


def draw_noise(network: nn.Module, generator: torch.Generator, count: int | None = None) -> Noise:
    """Noise for every noisy layer of `network`: one for the whole batch, or one for each of its `count` rows."""
    rows = () if count is None else (count,)

    def factors(size: int) -> torch.Tensor:
        e = torch.randn(*rows, size, generator=generator, device=generator.device)
        return e.sign() * e.abs().sqrt()

    layers = [layer for layer in network.modules() if isinstance(layer, NoisyLinear)]
    return {layer: (factors(layer.weight_sigma.shape[1]), factors(layer.weight_sigma.shape[0])) for layer in layers}
