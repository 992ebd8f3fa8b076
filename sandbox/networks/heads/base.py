"""What every head offers: a network, what its outputs mean, and how they are learnt."""

from abc import abstractmethod
from typing import NamedTuple

import torch
from torch import nn

from sandbox.config.base import Config
from sandbox.networks.heads.dueling import Layer


class Losses(NamedTuple):
    """`losses` [B] to be minimised, and `priorities` [B] >= 0 without a gradient: how wrong each transition was."""

    losses: torch.Tensor
    priorities: torch.Tensor


class HeadConfig(Config):
    """Outputs are [B, A, K]: K numbers for each action."""

    @abstractmethod
    def make(self, features: int, num_actions: int, layer: Layer) -> nn.Module:
        """[B, features] and noise -> outputs, of linear layers that `layer` makes."""

    @abstractmethod
    def values(self, outputs: torch.Tensor) -> torch.Tensor:
        """Outputs -> [B, A] expected returns."""

    @abstractmethod
    def learn(
        self,
        outputs_tm1: torch.Tensor,
        a_tm1: torch.Tensor,
        r_t: torch.Tensor,
        discount_t: torch.Tensor,
        outputs_t: torch.Tensor,
        q_t_selector: torch.Tensor,
    ) -> Losses:
        """One-step losses; `outputs_t` are the target network's, and `q_t_selector` [B, A] choose the next action."""
