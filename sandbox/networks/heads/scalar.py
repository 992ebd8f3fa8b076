"""A head of expected returns, one number for each action, as in DQN (Mnih et al. 2015)."""

from typing import Literal

import torch
from torch import nn
from torch.nn import functional as F

from sandbox.networks.heads.base import DuelingOption, HeadConfig, HiddenSize, Losses
from sandbox.networks.heads.dueling import Dueling, Layer, Single
from sandbox.ops.value_learning import double_q_learning


class Scalar(HeadConfig):
    """A head of expected returns."""

    name: Literal["scalar"] = "scalar"
    dueling: DuelingOption = True
    hidden: HiddenSize = 512

    def make(self, features: int, num_actions: int, layer: Layer) -> nn.Module:
        """Build the network."""
        if self.dueling:
            return Dueling(features, num_actions, 1, self.hidden, layer)
        return Single(features, num_actions, 1, self.hidden, layer)

    def values(self, outputs: torch.Tensor) -> torch.Tensor:
        """Return the outputs themselves."""
        return outputs[..., 0]

    def learn(
        self,
        outputs_tm1: torch.Tensor,
        a_tm1: torch.Tensor,
        r_t: torch.Tensor,
        discount_t: torch.Tensor,
        outputs_t: torch.Tensor,
        q_t_selector: torch.Tensor,
    ) -> Losses:
        """Return the Huber losses of double Q-learning's errors; the errors' sizes are the priorities."""
        q_tm1, q_t = self.values(outputs_tm1), self.values(outputs_t)
        error = double_q_learning(q_tm1, a_tm1, r_t, discount_t, q_t, q_t_selector)
        return Losses(F.huber_loss(error, torch.zeros_like(error), reduction="none"), error.detach().abs())
