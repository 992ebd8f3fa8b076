"""From features to K numbers for each of A actions: straight, or as a state's value and the actions' advantages.

Paper: Wang et al. 2016, "Dueling Network Architectures for Deep Reinforcement Learning".
Deviations: gradients that enter the encoder are not rescaled by 1 / sqrt(2).
"""

from collections.abc import Callable

import torch
from torch import nn

from sandbox.networks.heads.noisy import Noise
from sandbox.networks.inputs import in_fp32

Layer = Callable[[int, int], nn.Module]  # numbers of inputs and outputs -> a layer, called with both [B, inputs], noise


class Tower(nn.Module):
    """[B, inputs] -> [B, outputs], through a layer of `hidden` units unless that is None; the last layer is fp32."""

    def __init__(self, inputs: int, hidden: int | None, outputs: int, layer: Layer) -> None:
        super().__init__()
        widths = [inputs] if hidden is None else [inputs, hidden]
        self.hidden = nn.ModuleList(layer(inputs, hidden) for hidden in widths[1:])
        self.last = layer(widths[-1], outputs)

    def forward(self, x: torch.Tensor, noise: Noise) -> torch.Tensor:
        for layer in self.hidden:
            x = layer(x, noise).relu()
        return in_fp32(self.last, x, noise)


class Single(nn.Module):
    """[B, features] -> [B, A, K]."""

    def __init__(self, features: int, num_actions: int, num_atoms: int, hidden: int | None, layer: Layer) -> None:
        super().__init__()
        self._shape = (num_actions, num_atoms)
        self.actions = Tower(features, hidden, num_actions * num_atoms, layer)

    def forward(self, features: torch.Tensor, noise: Noise) -> torch.Tensor:
        return self.actions(features, noise).unflatten(1, self._shape)


class Dueling(nn.Module):
    """[B, features] -> [B, A, K]: a state's value, and by how much an action's advantage exceeds their mean."""

    def __init__(self, features: int, num_actions: int, num_atoms: int, hidden: int | None, layer: Layer) -> None:
        super().__init__()
        self._shape = (num_actions, num_atoms)
        self.state = Tower(features, hidden, num_atoms, layer)
        self.advantages = Tower(features, hidden, num_actions * num_atoms, layer)

    def forward(self, features: torch.Tensor, noise: Noise) -> torch.Tensor:
        advantages = self.advantages(features, noise).unflatten(1, self._shape)
        return self.state(features, noise)[:, None] + advantages - advantages.mean(1, keepdim=True)
