"""The interface of heads: a network, the meaning of its outputs, and their loss."""

from abc import abstractmethod
from typing import Annotated, NamedTuple

import torch
from pydantic import Field
from torch import nn

from sandbox.config.base import Config
from sandbox.config.numbers import Units
from sandbox.networks.heads.dueling import Layer


class Losses(NamedTuple):
    """The losses [B] of transitions, and their priorities [B] >= 0 without a gradient."""

    losses: torch.Tensor
    priorities: torch.Tensor


DuelingOption = Annotated[
    bool, Field(description="action values are the sum of a state value and advantages (dueling network)")
]
HiddenSize = Annotated[
    Units | None, Field(description="width of a hidden layer between features and outputs; null: no such layer")
]


class HeadConfig(Config):
    """Options of a head, whose outputs are [B, A, K]: K numbers for each action."""

    @abstractmethod
    def make(self, features: int, num_actions: int, layer: Layer) -> nn.Module:
        """Build the network from features [B, F] and noise to outputs; `layer` makes its linear layers."""

    @abstractmethod
    def values(self, outputs: torch.Tensor) -> torch.Tensor:
        """Return the expected returns [B, A] that outputs stand for."""

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
        """Return the losses of transitions.

        Args:
            outputs_tm1: Outputs before the actions.
            a_tm1: Actions [B].
            r_t: Rewards [B].
            discount_t: Discounts [B]; 0 is termination.
            outputs_t: Outputs of the target network after the actions.
            q_t_selector: Action values [B, A] that select the next action.
        """
