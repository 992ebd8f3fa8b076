"""A head of expected returns, one number an action: what DQN (Mnih et al. 2015) learns."""

from typing import Literal

import torch
from pydantic import PositiveInt
from torch import nn
from torch.nn import functional as F

from sandbox.networks.heads.base import HeadConfig, Losses
from sandbox.networks.heads.dueling import Dueling, Layer, Single
from sandbox.ops.value_learning import double_q_learning


class Scalar(HeadConfig):
    """`dueling`: as a state's value and the actions' advantages; `hidden`: width of the layer below, null: none."""

    name: Literal["scalar"] = "scalar"
    dueling: bool = True
    hidden: PositiveInt | None = 512

    def make(self, features: int, num_actions: int, layer: Layer) -> nn.Module:
        return (Dueling if self.dueling else Single)(features, num_actions, 1, self.hidden, layer)

    def values(self, outputs: torch.Tensor) -> torch.Tensor:
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
        """Huber losses of double Q-learning's errors; priorities are the errors' sizes."""
        q_tm1, q_t = self.values(outputs_tm1), self.values(outputs_t)
        error = double_q_learning(q_tm1, a_tm1, r_t, discount_t, q_t, q_t_selector)
        return Losses(F.huber_loss(error, torch.zeros_like(error), reduction="none"), error.detach().abs())
