"""Linear layers with noisy weights: the network learns how much it explores.

Paper: Fortunato et al. 2018, "Noisy Networks for Exploration", with factorized Gaussian noise.
Deviations: none. The noise multiplies inputs and outputs instead of weights, which gives the same outputs and lets
    every row of a batch have its own.
"""

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional as F

# f(e) of the inputs and of the outputs of every noisy layer, [(B,) size] each.
LayerNoise = Mapping[nn.Module, tuple[torch.Tensor, torch.Tensor]]
NO_NOISE: LayerNoise = {}


class NoisyLinear(nn.Module):
    """[B, inputs] and noise -> [B, outputs]; without noise for this layer, the means are used.

    Weights are mean + sigma f(e_inputs) f(e_outputs) with e ~ N(0, 1), f(x) = sgn(x) sqrt|x|, biases mean + sigma
    f(e_outputs); every sigma starts at `sigma` / sqrt(inputs).
    """

    def __init__(self, inputs: int, outputs: int, sigma: float) -> None:
        super().__init__()
        self.mean = nn.Linear(inputs, outputs)  # initialized as in the paper: uniform within 1 / sqrt(inputs)
        self.weight_sigma = nn.Parameter(torch.full((outputs, inputs), sigma / inputs**0.5))
        self.bias_sigma = nn.Parameter(torch.full((outputs,), sigma / inputs**0.5))

    def forward(self, x: torch.Tensor, noise: LayerNoise) -> torch.Tensor:
        """Apply the layer."""
        if self not in noise:
            return self.mean(x)
        of_inputs, of_outputs = noise[self]
        return self.mean(x) + of_outputs * F.linear(x * of_inputs, self.weight_sigma, self.bias_sigma)


class PlainLinear(nn.Module):
    """[B, inputs] -> [B, outputs]; it ignores the noise."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, x: torch.Tensor, noise: LayerNoise) -> torch.Tensor:
        """Apply the layer."""
        return self.linear(x)


def sample_noise(network: nn.Module, generator: torch.Generator, count: int | None = None) -> LayerNoise:
    """Sample noise for every noisy layer of `network`: one for the whole batch, or one for each of `count` rows."""
    rows = () if count is None else (count,)

    def factors(size: int) -> torch.Tensor:
        e = torch.randn(*rows, size, generator=generator, device=generator.device)
        return e.sign() * e.abs().sqrt()

    layers = [layer for layer in network.modules() if isinstance(layer, NoisyLinear)]
    return {layer: (factors(layer.weight_sigma.shape[1]), factors(layer.weight_sigma.shape[0])) for layer in layers}
