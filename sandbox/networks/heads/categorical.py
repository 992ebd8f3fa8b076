"""A categorical head: distributions of the return over K equally spaced values (atoms).

Paper: Bellemare, Dabney & Munos 2017, "A Distributional Perspective on Reinforcement Learning" (C51).
Deviations: none.
"""

from typing import Literal, Self

import torch
from pydantic import Field, model_validator
from torch import nn

from sandbox.config.numbers import Real
from sandbox.networks.heads.base import DuelingOption, HeadConfig, HiddenSize, Losses
from sandbox.networks.heads.dueling import Dueling, Layer, Single
from sandbox.ops.distributional import categorical_q_learning


class Categorical(HeadConfig):
    """A head of distributions of the return."""

    name: Literal["categorical"] = "categorical"
    num_atoms: int = Field(default=51, ge=2, le=4_096, description="number of atoms, K")
    minimum: Real = Field(default=-10.0, description="discounted return of the first atom, of clipped rewards if any")
    maximum: Real = Field(default=10.0, description="discounted return of the last atom, of clipped rewards if any")
    dueling: DuelingOption = True
    hidden: HiddenSize = 512

    @model_validator(mode="after")
    def _check_width(self) -> Self:
        if self.minimum >= self.maximum:
            raise ValueError(f"minimum must be below maximum, got {self.minimum:g} and {self.maximum:g}")
        return self

    def make(self, features: int, num_actions: int, layer: Layer) -> nn.Module:
        """Build the network; the outputs are logits."""
        if self.dueling:
            return Dueling(features, num_actions, self.num_atoms, self.hidden, layer)
        return Single(features, num_actions, self.num_atoms, self.hidden, layer)

    def values(self, outputs: torch.Tensor) -> torch.Tensor:
        """Return the means of the distributions."""
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
        """Return Kullback-Leibler divergences, which are the priorities, too (Hessel et al. 2018)."""
        support = self._support(outputs_tm1)
        losses = categorical_q_learning(outputs_tm1, a_tm1, r_t, discount_t, outputs_t, q_t_selector, support)
        return Losses(losses, losses.detach().clamp_min(0))  # rounding may make it negative

    def _support(self, outputs: torch.Tensor) -> torch.Tensor:
        return torch.linspace(self.minimum, self.maximum, self.num_atoms, device=outputs.device)
