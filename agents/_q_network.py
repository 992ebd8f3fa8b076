"""The Q-network of DQN and its relatives: a backbone and a linear layer."""

from collections.abc import Sequence

import torch
from torch import nn

from sandbox.networks.base import BackboneConfig
from sandbox.networks.inputs import in_fp32


class QNetwork(nn.Module):
    """Observations [B, *input_shape] -> action values [B, A]."""

    def __init__(self, backbone: BackboneConfig, input_shape: Sequence[int], num_actions: int) -> None:
        super().__init__()
        self.encoder = backbone.make(input_shape)
        self.head = nn.Linear(self.encoder.out_features, num_actions)

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """Return the value of every action."""
        return in_fp32(self.head, self.encoder(observations))
