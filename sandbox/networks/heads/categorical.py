"""A head of distributions of the return: the logits of K values from `minimum` to `maximum`, equally far apart.

Paper: Bellemare, Dabney & Munos 2017, "A Distributional Perspective on Reinforcement Learning" (C51).
Deviations: none.
"""

from typing import Annotated, Literal, Self

import torch
from pydantic import Field, PositiveInt, model_validator
from torch import nn

from sandbox.networks.heads.base import HeadConfig, Losses
from sandbox.networks.heads.dueling import Dueling, Layer, Single
from sandbox.ops.distributional import categorical_q_learning


class Categorical(HeadConfig):
    """`num_atoms` returns from `minimum` to `maximum`: discounted, and as the updates see their rewards.

    `dueling`: as a state's logits and the actions' advantages; `hidden`: width of the layer below, null: none.
    """

    name: Literal["categorical"] = "categorical"
    num_atoms: Annotated[int, Field(ge=2)] = 51
    minimum: float = -10.0
    maximum: float = 10.0
    dueling: bool = True
    hidden: PositiveInt | None = 512

    @model_validator(mode="after")
    def _some_width(self) -> Self:
        if self.minimum >= self.maximum:
            raise ValueError(f"minimum must be below maximum, got {self.minimum:g} and {self.maximum:g}")
        return self

    def make(self, features: int, num_actions: int, layer: Layer) -> nn.Module:
        return (Dueling if self.dueling else Single)(features, num_actions, self.num_atoms, self.hidden, layer)

    def values(self, outputs: torch.Tensor) -> torch.Tensor:
        return outputs.softmax(-1) @ self._support(outputs)

    def learn(
        self,
        outputs_tm1: torch.Tensor,
        a_tm1: torch.Tensor,
        r_t: torch.Tensor,
        discount_t: torch.Tensor,
        outputs_t: torch.Tensor,
        q_t_selector: torch.Tensor,
    ) -> Losses:
        """Kullback-Leibler divergences; so are the priorities (Hessel et al. 2018)."""
        support = self._support(outputs_tm1)
        losses = categorical_q_learning(outputs_tm1, a_tm1, r_t, discount_t, outputs_t, q_t_selector, support)
        return Losses(losses, losses.detach().clamp_min(0))  # rounding may leave less than nothing

    def _support(self, outputs: torch.Tensor) -> torch.Tensor:
        return torch.linspace(self.minimum, self.maximum, self.num_atoms, device=outputs.device)
