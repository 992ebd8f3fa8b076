"""Networks from features to K numbers for each of A actions, with and without a dueling architecture.

Paper: Wang et al. 2016, "Dueling Network Architectures for Deep Reinforcement Learning".
Deviations: gradients that enter the encoder are not rescaled by 1 / sqrt(2).
"""

from collections.abc import Callable

import torch
from torch import nn

from sandbox.networks.heads.noisy import LayerNoise
from sandbox.networks.inputs import in_fp32

# Numbers of inputs and outputs -> a linear layer, which is called with [B, inputs] and noise.
Layer = Callable[[int, int], nn.Module]


class Tower(nn.Module):
    """[B, inputs] -> [B, outputs], with one hidden layer unless `hidden` is None; the last layer computes in fp32."""

    def __init__(self, inputs: int, hidden: int | None, outputs: int, layer: Layer) -> None:
        super().__init__()
        widths = [inputs] if hidden is None else [inputs, hidden]
        self.hidden = nn.ModuleList(layer(inputs, hidden) for hidden in widths[1:])
        self.last = layer(widths[-1], outputs)

    def forward(self, x: torch.Tensor, noise: LayerNoise) -> torch.Tensor:
        """Return the outputs."""
        for layer in self.hidden:
            x = layer(x, noise).relu()
        return in_fp32(self.last, x, noise)


class Single(nn.Module):
    """[B, features] -> [B, A, K]."""

    def __init__(self, features: int, num_actions: int, num_atoms: int, hidden: int | None, layer: Layer) -> None:
        super().__init__()
        self._shape = (num_actions, num_atoms)
        self.actions = Tower(features, hidden, num_actions * num_atoms, layer)

    def forward(self, features: torch.Tensor, noise: LayerNoise) -> torch.Tensor:
        """Return the outputs."""
        return self.actions(features, noise).unflatten(1, self._shape)


class Dueling(nn.Module):
    """[B, features] -> [B, A, K]: the value of the state plus the advantage of each action, less their mean."""

    def __init__(self, features: int, num_actions: int, num_atoms: int, hidden: int | None, layer: Layer) -> None:
        super().__init__()
        self._shape = (num_actions, num_atoms)
        self.state = Tower(features, hidden, num_atoms, layer)
        self.advantages = Tower(features, hidden, num_actions * num_atoms, layer)

    def forward(self, features: torch.Tensor, noise: LayerNoise) -> torch.Tensor:
        """Return the outputs."""
        advantages = self.advantages(features, noise).unflatten(1, self._shape)
        return self.state(features, noise)[:, None] + advantages - advantages.mean(1, keepdim=True)
