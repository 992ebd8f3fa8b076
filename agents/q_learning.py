"""Q-learning with a table: the values of the best policy, learnt while playing another one.

Paper: Watkins 1989, "Learning from Delayed Rewards"; Watkins and Dayan 1992, "Q-learning" (with step sizes that sum to
    infinity, and whose squares do not, the table becomes Q* with probability 1).
Deviations: several environments step together, and a pair of state and action that is met in several of them at one
    step moves once, by their mean error. With one environment it is the paper's. Values start at zero; ties are broken
    at random. Truncation bootstraps.
"""

from typing import Literal

import numpy as np
import torch
from pydantic import Field

from sandbox.agents._q_table import StepSize, Table
from sandbox.config.schedules import Linear
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Counter, Stateful
from sandbox.interfaces.agent import AgentConfig
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.ops.policies import epsilon_greedy
from sandbox.ops.value_learning import q_learning
from sandbox.streams.actor import Step
from sandbox.streams.rollouts import RolloutsConfig


class QLearningConfig(AgentConfig):
    """`exploration` counts agent steps; `evaluation_epsilon`: 0 is greedy."""

    name: Literal["q_learning"] = "q_learning"
    discount: float = Field(0.99, ge=0, le=1)
    step_size: StepSize = StepSize()
    exploration: Linear = Linear(start=1.0, end=0.1, steps=100_000)
    evaluation_epsilon: float = Field(0.0, ge=0, le=1)
    stream: RolloutsConfig = RolloutsConfig()

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "QLearning":
        """Raises UserError for observations that cannot be one-hot."""
        return QLearning(self, spec, rng)


class QLearning:
    """Learns from every step once, as it is made."""

    def __init__(self, config: QLearningConfig, spec: Spec, rng: Rng) -> None:
        self._config, self._table, self._steps = config, Table(spec, config.name), Counter()
        cpu = torch.device("cpu")
        self._explore, self._greedy = rng.torch("explore", cpu), rng.torch("greedy", cpu)

    def initial_state(self, num_envs: int) -> None:
        return None

    def act(self, observations: np.ndarray, state: None, *, explore: bool) -> tuple[np.ndarray, None]:
        """Epsilon-greedy by the schedule while exploring, else with `evaluation_epsilon`.

        Raises:
            UserError: for observations that are not one-hot.
        """
        q = self._table.q[self._table.states(observations)]
        if not explore:
            return epsilon_greedy(q, self._config.evaluation_epsilon, self._greedy).numpy(), None
        actions = epsilon_greedy(q, self._epsilon(), self._explore)
        self._steps.value += len(observations)
        return actions.numpy(), None

    def seen(self, observations: np.ndarray, state: None) -> torch.Tensor:
        """The state, one-hot [N, S]."""
        return torch.from_numpy(observations)

    def values(self, seen: torch.Tensor, state: None) -> torch.Tensor:
        """The rows of the table, which no gradient passes."""
        return self._table.q[seen.argmax(1)]

    def epsilon(self, *, explore: bool) -> float:
        """How often it now acts at random."""
        return self._epsilon() if explore else self._config.evaluation_epsilon

    def update(self, batch: list[Step]) -> Metrics:
        """One move a step of the batch, in order; `loss` is the mean squared error before it."""
        losses = [self._learn(step) for step in batch]
        return {"loss": torch.stack(losses).mean(), "epsilon": self._epsilon()}

    def parts(self) -> dict[str, Stateful]:
        return {"table": self._table, "steps": self._steps}

    def _epsilon(self) -> float:
        return self._config.exploration.at(self._steps.value)

    def _learn(self, step: Step) -> torch.Tensor:
        table = self._table
        s_tm1, a_tm1, s_t = table.states(step.observations), torch.from_numpy(step.actions), table.states(step.last)
        r_t = torch.from_numpy(step.rewards).double()
        discount_t = self._config.discount * torch.from_numpy(~step.terminated).double()
        errors = q_learning(table.q[s_tm1], a_tm1, r_t, discount_t, table.q[s_t])
        table.move(s_tm1, a_tm1, errors, self._config.step_size)
        return errors.square().mean()
