"""The table of tabular agents: a value for every state and action, for one-hot observations of the state."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from pydantic import Field

from sandbox.config.base import Config
from sandbox.core.errors import UserError
from sandbox.interfaces.spec import Spec


class StepSize(Config):
    """Step sizes start / visits^power, at most 1, by the visits of the pair of state and action.

    Values converge with probability 1 for powers in (0.5, 1]; with power 1 and start 1 they are means of their targets.
    """

    start: float = Field(default=1.0, gt=0, le=100, description="step size at the first visit")
    power: float = Field(default=0.7, ge=0, le=1, description="how fast the step size falls; 0 keeps it constant")

    def at(self, visits: torch.Tensor) -> torch.Tensor:
        """Return the step sizes, float64, for numbers of visits that include the present one."""
        return (self.start / visits.double() ** self.power).clamp(max=1.0)


class QTable:
    """Action values `q` [S, A] float64, initially 0, and `visits` [S, A] int64; both are on the CPU."""

    def __init__(self, spec: Spec, agent: str) -> None:
        """Build the table of `agent`.

        Raises:
            UserError: For observations that cannot be one-hot.
        """
        self._agent = agent
        if spec.is_bytes or len(spec.shape) != 1:
            raise self._refusal(f"{'bytes' if spec.is_bytes else 'numbers'} of shape {spec.shape}")
        self.q = torch.zeros(spec.shape[0], spec.num_actions, dtype=torch.float64)
        self.visits = torch.zeros(self.q.shape, dtype=torch.int64)

    def states(self, observations: np.ndarray) -> torch.Tensor:
        """Return the states [N] int64 of one-hot observations [N, S].

        Raises:
            UserError: If a row is not one-hot.
        """
        states = observations.argmax(1)
        ones = observations[np.arange(len(states)), states] == 1
        if not ones.all() or np.count_nonzero(observations) != len(states):
            raise self._refusal(f"numbers of shape {observations.shape[1:]} that are not one 1 among zeros")
        return torch.from_numpy(states)

    def update(self, states: torch.Tensor, actions: torch.Tensor, errors: torch.Tensor, step_size: StepSize) -> None:
        """Move the values of pairs [N] along their errors [N]; a pair that occurs several times by their mean."""
        pairs = states * self.q.shape[1] + actions
        count = torch.bincount(pairs, minlength=self.q.numel()).view_as(self.q)
        total = torch.bincount(pairs, weights=errors, minlength=self.q.numel()).view_as(self.q)
        self.visits += count > 0
        self.q += step_size.at(self.visits.clamp(min=1)) * total / count.clamp(min=1)

    def state_dict(self) -> dict[str, Any]:
        """Return copies of values and visits."""
        return {"q": self.q.clone(), "visits": self.visits.clone()}

    def load_state_dict(self, state: Mapping[str, torch.Tensor]) -> None:
        """Restore values and visits."""
        self.q, self.visits = state["q"].clone(), state["visits"].clone()

    def _refusal(self, shown: str) -> UserError:
        return UserError(
            f"agent {self._agent} keeps a table of states and needs them one-hot, this environment shows {shown}. "
            "Set env.observe=features, of an environment that shows its state so (env.name=grid_world), or "
            "env.observe=index, of a Gymnasium id with discrete observations (env.name=gym)."
        )
